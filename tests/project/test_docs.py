"""The documentation: it builds without a warning, tells everything, and its examples are right."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import openssl

import cmp_map
import openssl_map
import osslcmp
import osslcmp.renewal
import osslcmp.server
import osslcmp.testing
import osslcmp.transport
import pictures
from osslcmp.cli.openssl_cmp.options import BY_NAME

pytest.importorskip("sybil", reason="sybil comes with the extra test")
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: What the table of options names besides.
NOT_OURS = {"None", "cryptography", "osslcmp.openssl", "public_bytes", "with"}

#: Pages whose examples run as they stand, one after the other; those of the others are compiled.
RUNNABLE = {"README.md", "docs/index.md", "docs/errors.md", "docs/api/lib.md"}


class _Python(CodeBlockParser):
    language = "python"

    def evaluate(self, example: Example) -> str | None:
        return None


def blocks(page: Path) -> list[Example]:
    """The code blocks of a page that are marked as Python."""
    return list(Sybil(parsers=[_Python()]).parse(page))


def compiled(page: Path, example: Example, code: str) -> Any:
    """``code`` of a block; errors tell the line of the page."""
    lines = "\n" * (example.line + example.parsed.line_offset)
    top_level_await = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT: for what is the inside of a coroutine
    return compile(lines + code, str(page), "exec", flags=top_level_await, dont_inherit=True)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_there_are_blocks() -> None:
    """The search below finds what is there."""
    assert len(blocks(ROOT / "README.md")) == (ROOT / "README.md").read_text().count("```python") >= 5


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_compiles(page: Path) -> None:
    """Every block that is marked as Python is Python."""
    for example in blocks(page):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled(page, example, example.parsed)


@pytest.fixture
def place() -> Iterator[tuple[str, int]]:
    """A CA at an address of its own, with the secret that the examples have."""
    ca = osslcmp.server.EmbeddedCA({"4711": "from the envelope"})
    with ca.server().serve() as running:
        yield running.host, running.port


@pytest.mark.parametrize("page", sorted(RUNNABLE))
def test_examples_run(page: str, place: tuple[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    """From top to bottom in one namespace, with a CA where they expect one (127.0.0.1, port 8080)."""
    path = ROOT / page
    namespace: dict[str, Any] = {"__name__": "example"}
    for example in blocks(path):
        code = re.sub(r"\b8080\b", str(place[1]), example.parsed)
        exec(compiled(path, example, code), namespace)


def test_every_c_function_is_in_the_table() -> None:
    """docs/openssl-map.md: all context functions of the loaded OpenSSL, and only methods that there are."""
    text = openssl_map.tables()
    for function in dir(osslcmp.lib):
        found = re.fullmatch(r"OSSL_CMP_(CTX_\w+|exec_\w+|try_certreq)", function)
        if found and callable(getattr(osslcmp.lib, function)):
            assert f"| `{function}` |" in text, function
    for member in re.findall(r"`osslcmp\.Context\.(\w+)`", text):
        assert hasattr(osslcmp.Context, member), member
    assert openssl_map.MARK in (ROOT / "docs" / "openssl-map.md").read_text(encoding="utf-8")


def test_every_option_of_the_command_has_a_row() -> None:
    """docs/guides/from-openssl-cmp.md: those of all releases, and no others; those of the installed one by its help."""
    rows = cmp_map.rows()
    assert set(rows) == {*BY_NAME, "engine"}
    told = set(re.findall(r"^ -([\w-]+)", openssl.run(["cmp", "-help"]).text, re.MULTILINE))
    assert len(told) > 100
    assert told <= set(rows)
    text = cmp_map.tables()
    assert all(f"| `-{name}` " in text for name in rows)
    assert cmp_map.MARK in (ROOT / "docs" / "guides" / "from-openssl-cmp.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "text"), cmp_map.rows().items(), ids=cmp_map.rows())
def test_what_does_the_same_is_there(option: str, text: str) -> None:
    """Each class, method, attribute and argument that a row names; what has none says so."""
    names = re.findall(
        r"`((?:server\.|general\.|testing\.|transport\.)?[A-Za-z_]\w*(?:\.\w+)?)(?:\((\w+)=\))?`", text
    )
    assert names or re.match(r"none|the |what |part |a loop|`", text), option
    for name, argument in names:
        if name in NOT_OURS:
            continue
        first, *rest = name.split(".")
        found = osslcmp.CertificateRequest if first == "request" else getattr(osslcmp, first)
        for attribute in rest:
            fields = {} if isinstance(found, ModuleType) else found.__annotations__
            found = getattr(found, attribute) if hasattr(found, attribute) else fields[attribute]
        if argument:
            assert argument in inspect.signature(found).parameters, name


@pytest.mark.parametrize("picture", sorted(pictures.PICTURES))
def test_pictures(picture: str) -> None:
    """Those of the pages show what is drawn today, but for the times and the random numbers."""

    def texts(svg: str) -> list[str]:
        # A serial number is not always equally long, and what stands behind it is cut.
        return [
            re.sub(r"(?<=serial&#160;number&#160;).*|[0-9a-f]{8,}…?(&#160;)*|[0-9]", "0", text)
            for text in re.findall(">([^<]+)</text>", svg)
        ]

    trace = pictures.drawn(picture)
    for ground in ("light", "dark"):
        kept = (pictures.FOLDER / f"{picture}-{ground}.svg").read_text(encoding="utf-8")
        assert texts(kept) == texts(trace.svg(pictures.WIDTH, dark=ground == "dark"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``./dev docs`` does."""
    pytest.importorskip("sphinx", reason="Sphinx comes with the extra test")
    folder = tmp_path_factory.mktemp("docs")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(folder / "cache"),
    ]
    run = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder / "html")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return folder / "html"


def test_site(built: Path) -> None:
    """It builds without a warning, every page of it; a reference to something of ours that is not there is one."""
    for page in PAGES[1:]:
        assert (built / page.relative_to(ROOT / "docs")).with_suffix(".html").exists()
    assert "osslcmp.Context.set_subject_name" in (built / "openssl-map.html").read_text(encoding="utf-8")


def test_everything_public_is_in_the_reference(built: Path) -> None:
    """Each name in ``__all__`` of the package and of its public parts."""
    # Four lines in plain text, then one compressed line for each name: not all releases of Sphinx read it the same way.
    *_, compressed = (built / "objects.inv").read_bytes().split(b"\n", 4)
    known = {line.split(" ")[0] for line in zlib.decompress(compressed).decode().splitlines()}
    for module in (osslcmp, osslcmp.renewal, osslcmp.server, osslcmp.testing, osslcmp.transport):
        missing = [each for each in module.__all__ if f"{module.__name__}.{each}" not in known]
        assert not missing, f"{module.__name__}: {missing}"
    assert "osslcmp.Context.set_subject_name" in known
