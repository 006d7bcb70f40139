"""What README and docs name in the midst of a sentence: files, options, and what is public with its arguments."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from support.public import MODULES

from osslcmp import Context, Limits
from osslcmp.cli import main, serve_log
from osslcmp.context import credentials
from osslcmp.context.calls import MESSAGE_TIMEOUT, TOTAL_TIMEOUT
from osslcmp.server import EmbeddedCA, Server
from osslcmp.server.ca.crls import FEW_ENTRIES
from osslcmp.server.ca.persistent import PersistentCA
from osslcmp.server.checks import costs
from osslcmp.server.http import webserver

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
#: Options of other people's programs.
FOREIGN = {"--disable-gil"}
#: Names of variables that stand for an object in the examples.
OBJECTS = {"client": "Client", "cmp_server": "CMPServer", "transaction": "Transaction"}


def spans(page: Path) -> Iterator[str]:
    """The code in its sentences and tables."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`([^`\n]+)`", text):
        yield span.replace("\\|", "|")


@pytest.fixture(scope="module")
def code() -> str:
    """All that programs and tests of the project say."""
    files = [
        ROOT / "dev",
        *(
            file
            for part in ("src", "adapters", "tools", "tests", "benchmarks")
            for file in ROOT.glob(f"{part}/**/*.py")
        ),
    ]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@pytest.fixture(scope="module")
def public() -> dict[str, Any]:
    """By name, all that is public."""
    found: dict[str, Any] = {}
    for module in map(importlib.import_module, MODULES):
        for name in getattr(module, "__all__", ()):
            found.setdefault(name, getattr(module, name))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_options(page: Path, code: str) -> None:
    """Files of the project are there, and options are those of a command."""
    folders = (ROOT, ROOT / "src/osslcmp", ROOT / "src", ROOT / "docs", page.parent)
    for span in spans(page):
        if re.fullmatch(r"[a-z_][\w./-]*/[\w.-]+\.(py|md|c|h|toml|service)", span) and "_N." not in span:
            assert any((folder / span).exists() for folder in folders), span
        ours = re.match(r"--|\./dev |osslcmp |python -m osslcmp", span)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span if ours else ""):
            known = option in code or f'"{option[2:]}"' in code or option in FOREIGN
            assert known, span


def stated(thing: Any) -> set[str]:
    """The attributes of a class that only its instances have."""
    if not inspect.isclass(thing):
        return set()
    fields = {name for owner in thing.__mro__ for name in inspect.get_annotations(owner)}
    return fields | set(re.findall(r"self\.(\w+)", inspect.getsource(thing)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_and_arguments(page: Path, public: dict[str, Any]) -> None:
    """``Client.ir(sans=)`` and the like: the method is there, and takes that argument."""
    for span in spans(page):
        called = re.fullmatch(r"(?:osslcmp\.)?([A-Za-z_]\w*(?:\.\w+)*)(?:\(([^()]*)\))?", span)
        if called is None or re.search(r"\.(py|toml|md)$", span):
            continue
        first, *rest = called[1].split(".")
        thing = public.get(OBJECTS.get(first, first))
        if thing is None or inspect.ismodule(thing) or (first in OBJECTS and not rest):
            continue
        for part in rest:
            assert hasattr(thing, part) or part in stated(thing), span
            thing = getattr(thing, part, None)
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                break  # an attribute: what type it has is not looked at
        if called[2] and (inspect.isclass(thing) or inspect.isfunction(thing)):
            parameters = inspect.signature(thing).parameters
            if all(one.kind is not one.VAR_KEYWORD for one in parameters.values()):
                given = re.findall(r"(?:^|, )(\w+)=(?!=)", called[2])
                assert set(given) <= set(parameters), span


#: A sentence of a page with numbers, and the constants that they tell.
NUMBERS: list[tuple[str, str, Any]] = [
    ("README.md", "{} s for a message", MESSAGE_TIMEOUT),
    ("README.md", "and {} s in all", TOTAL_TIMEOUT),
    ("docs/client.md", "`total_timeout` seconds ({})", TOTAL_TIMEOUT),
    ("docs/client.md", "`message_timeout` ({})", MESSAGE_TIMEOUT),
    ("docs/serve.md", "At most {:,} connections", webserver.MAX_CONNECTIONS),
    ("docs/serve.md", "{} MiB of messages", webserver.MAX_BUFFERED >> 20),
    ("docs/serve.md", "HTTP headers may have {} KiB", webserver.MAX_HEADER_SIZE >> 10),
    ("docs/serve.md", "more than {:,} entries", FEW_ENTRIES),
    ("docs/serve.md", "at most {} are written in a minute", serve_log.MOST),
    ("docs/serve.md", "at most {:,} iterations", costs.MAX_ITERATIONS),
    ("docs/server.md", "more than {:,} iterations", costs.MAX_ITERATIONS),
    *(
        ("docs/server.md", f"`{name}` seconds ({{:.0f}})", signature(Server).parameters[name].default)
        for name in ("transaction_timeout", "clock_tolerance")
    ),
    *(("docs/client.md", rf"`{field.name}`", field.default) for field in fields(Limits)),
]


@pytest.mark.parametrize(("page", "sentence", "number"), NUMBERS)
def test_numbers(page: str, sentence: str, number: Any) -> None:
    """What a sentence says of a default or a limit is what the code has."""
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    if "{" in sentence:
        assert sentence.format(number) in text
        return
    row = re.search(rf"\| [^|]*{sentence}[^|]*\| ([^|]*) \|", text)
    assert row is not None
    names = re.findall("`(\\w+)`", row[0].split("|")[1])
    told = [int(n.replace(",", "")) * 1024 ** (len(unit) and " KM".index(unit)) for n, unit in
            re.findall(r"((?:\d+,)*\d+)(?: ([KM])iB)?", row[1].replace(", ", "; "))]  # fmt: skip
    assert told[names.index(sentence.strip("`"))] == number


def default(made: Any, name: str) -> Any:
    return signature(made).parameters[name].default


STRICT = costs.MacPolicy.of("strict")
#: What has the text: a function, a class, or a command whose help it is.
TEXTS: list[tuple[Any, str, Sequence[Any]]] = [
    (Server, "at most {:,} iterations", [costs.MAX_ITERATIONS]),
    (
        Server,
        "fewer than {:,} iterations or a salt of less than {}",
        [STRICT.min_iterations, STRICT.min_salt],
    ),
    (
        Server,
        "({} to {}, {} to {}, {} to {})",
        [bits for kind in ("RSA", "DSA", "EC") for bits in costs.KEY_SIZES[kind]],
    ),
    (Context, "({} s for a message, {} s in all)", [MESSAGE_TIMEOUT, TOTAL_TIMEOUT]),
    (Context.set_reference_value, "1 to {} octets", [credentials.REFERENCE_LIMIT]),
    (Context.set_secret_value, "1 to {} octets", [credentials.SECRET_LIMIT]),
    (
        "serve",
        "of a certificate whose request asks for none: 90d, 12h ({}d)",
        [default(EmbeddedCA, "validity").days],
    ),
    ("serve", "stays on the CRL ({}d)", [default(EmbeddedCA, "crl_grace").days]),
    ("serve", "between messages ({:.0f})", [default(PersistentCA, "confirm_within")]),
    ("serve", "may be wrong (strict: {:.0f})", [default(Server, "clock_tolerance")]),
    ("serve", "worked on at once ({})", [default(Server.serve, "threads")]),
    ("serve", "become a request ({:.0f})", [default(Server.serve, "timeout")]),
    ("serve", "taking the answer ({:.0f})", [default(Server.serve, "request_time")]),
    ("serve", "the most of a message ({})", [default(Server, "max_message_size")]),
    ("serve", "open at once ({})", [default(Server, "max_transactions")]),
    ("serve", "while they are fresh ({})", [default(Server, "max_remembered")]),
    ("serve", "no SHA-1, {} iterations at least", [STRICT.min_iterations]),
    ("serve", "RSA={}..{};", costs.KEY_SIZES["RSA"]),
]


@pytest.mark.parametrize(("place", "sentence", "numbers"), TEXTS)
def test_numbers_of_docstrings_and_help(
    place: Any, sentence: str, numbers: Sequence[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same of what docstrings and help say."""
    text = inspect.getsource(place) if not isinstance(place, str) else ""
    if not text:
        assert main([place, "--help"]) == 0
        text = capsys.readouterr().out
    assert sentence.format(*numbers) in " ".join(text.split())


@pytest.fixture
def unread(tmp_path: Path) -> Path:
    """A file that holds nothing."""
    file = tmp_path / "nothing"
    file.write_bytes(b"")
    return file


#: By command, arguments that lead to each status; ``FILE`` is empty.
STATUSES: dict[str, dict[int, list[str]]] = {
    "serve": {1: ["--directory", "FILE", "--port", "0"], 2: ["--port", "80000", "--directory", "x"]},
    "ca": {1: ["list", "--directory", "nowhere"], 2: ["nothing"]},
    "trace": {1: ["FILE"], 2: ["--width", "x", "FILE"]},
    "show": {1: ["FILE"], 2: []},
    "probe": {1: ["http://127.0.0.1:1/"], 2: ["ftp://127.0.0.1/"]},
    "renew": {2: ["FILE"]},
    "info": {0: [], 2: ["--no-such"]},
    "demo": {2: ["--no-such"]},
    "man": {2: ["--no-such"]},
    "completion": {0: ["bash"], 2: ["tcsh?"]},
}


@pytest.mark.parametrize(
    ("command", "status"), [(name, status) for name, known in STATUSES.items() for status in known]
)
def test_exit_statuses(
    command: str,
    status: int,
    unread: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each command ends as its help says: that names the status, and so does the page for all."""
    monkeypatch.chdir(unread.parent)
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out.partition("Exit status: ")[2].partition("\n\n")[0]
    assert re.search(rf"\b{status}\b", told)
    arguments = [str(unread) if one == "FILE" else one for one in STATUSES[command][status]]
    assert main([command, *arguments]) == status
    assert set(re.findall(r"\b\d\b", told)) <= {"0", "1", "2", "3"}
