"""``osslcmp show`` and ``osslcmp trace`` as processes: what they draw, of what, and what they refuse."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.command import OSSLCMP, environment, on_a_terminal, osslcmp
from support.forge import Forger, sequence
from support.pki import PKI, make_key

import osslcmp as api
from osslcmp._asn1.der import encode, encode_oid, encode_text, explicit, leading
from osslcmp._text import json_text
from osslcmp.cli import main
from osslcmp.message import Message
from osslcmp.message.data import data as message_data
from osslcmp.server import EmbeddedCA, waiting
from osslcmp.testing.rewriting import with_header

ROOT = Path(__file__).resolve().parents[2]
KINDS = ["ir", "ip", "pollreq", "ip", "certconf", "pkiconf"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an enrolment that polls once: ``all.trace`` and ``0.der`` to ``5.der``."""
    folder = tmp_path_factory.mktemp("recorded")
    trace = api.Trace(file=folder / "all.trace")
    server = EmbeddedCA({"ref": "secret"}, policy=waiting(1, check_after=0)).server()
    client = api.Client(transport=server, reference="ref", secret="secret", trace=trace)
    client.ir(make_key(), subject="CN=device,O=x", sans=["device.example"])
    for number, message in enumerate(trace.messages):
        (folder / f"{number}.der").write_bytes(message.der)
    return folder


def kinds(told: str) -> list[str]:
    """What --summary names."""
    return [line.partition(",")[0] for line in told.splitlines()]


# -- show -----------------------------------------------------------------------------------------------


def test_show(recorded: Path) -> None:
    """The header and the body, in words; nothing but that message."""
    told = osslcmp("show", "0.der", cwd=recorded).stdout
    assert told.startswith("ir, ")
    assert "0.der\n" in told
    for line in (
        "    sender: O=x,CN=device",
        "    password based MAC:",
        "        public key: EC secp256r1",
        "          X509v3 Subject Alternative Name: device.example",
    ):
        assert line.replace("O=x,CN=device", "CN=device,O=x") in told
    assert "\x1b" not in told


def test_show_text(recorded: Path) -> None:
    """OpenSSL's own words."""
    told = osslcmp("show", "--text", "3.der", cwd=recorded).stdout
    assert "OSSL_CMP_MSG" in told
    assert "password based MAC" in told


def test_show_json(recorded: Path) -> None:
    """Objects that scripts read, with the DER."""
    (told,) = json.loads(osslcmp("show", "--json", "0.der", cwd=recorded).stdout)
    assert told["type"] == "ir"
    assert told["file"] == "0.der"
    (request,) = told["body"]["requests"]
    assert request["template"]["public_key"] == "EC secp256r1"
    assert request["request_id"] == 0
    assert told["header"]["pvno"] == 2
    assert bytes.fromhex(told["header"]["sender_kid"]) == b"ref"
    assert base64.b64decode(told["der"]) == (recorded / "0.der").read_bytes()
    several = json.loads(osslcmp("show", "--json", "all.trace", "5.der", cwd=recorded).stdout)
    assert [one["type"] for one in several] == [*KINDS, "pkiconf"]


def shown(*messages: Message) -> list[dict[str, Any]]:
    """They as ``show --json`` prints them, once through JSON."""
    found = [{"file": "x", "place": "", "error": None, **message_data(message)} for message in messages]
    loaded: list[dict[str, Any]] = json.loads(json_text(found))
    return loaded


def test_schema(conversation: list[Message], recorded: Path, pki: PKI) -> None:
    """docs/show.schema.json has every member of every kind of message, and no other."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema comes with the extra test")
    schema = json.loads((ROOT / "docs/show.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    printed = json.loads(osslcmp("show", "--json", "all.trace", cwd=recorded).stdout)
    sent: list[bytes] = []
    server = EmbeddedCA({"ref": "secret"}, policy=waiting(2, check_after=0)).server()

    def transport(request: bytes) -> bytes:
        sent.extend((request, server.process(request)))
        return sent[-1]

    client = api.Client(transport=transport, reference="ref", secret="secret")
    client.p10cr(pki.client.csr())
    with pytest.raises(api.RejectedError):
        client.rr(pki.client.certificate)
    every = shown(*conversation, *map(Message.from_der, sent))
    validator.validate([*printed, *every])
    kinds = {one["type"] for one in every}
    assert {
        "ir",
        "ip",
        "certconf",
        "pkiconf",
        "kur",
        "kup",
        "rr",
        "rp",
        "genm",
        "genp",
        "pollreq",
        "pollrep",
    } <= kinds
    assert {"p10cr", "error"} <= kinds
    assert all(one["header"] and one["body"] is not None for one in every)
    every[0]["header"]["pvno"] = "2"
    assert not validator.is_valid(every)


def forms(recorded: Path) -> dict[str, bytes]:
    """The same messages in all the forms that are read."""
    messages = [(recorded / f"{n}.der").read_bytes() for n in range(6)]
    pem = b"-----BEGIN CMP-----\n%s-----END CMP-----\n"
    return {
        "DER": b"".join(messages),
        "DER and a newline": b"".join(messages) + b"\n",
        "PEM": b"".join(pem % base64.encodebytes(m) for m in messages),
        "PEM of several": pem % base64.encodebytes(b"".join(messages)),
        "PEM, CRLF, in a text": b"hello\r\n"
        + (pem % base64.encodebytes(b"".join(messages))).replace(b"\n", b"\r\n"),
        "base64": base64.encodebytes(b"".join(messages)),
        "base64, each by itself": b"".join(base64.b64encode(m) + b"\n" for m in messages),
        "hexadecimal": b"".join(messages).hex(" ", 1).encode(),
        "hexadecimal lines": "\n".join(m.hex() for m in messages).encode(),
        "trace": (recorded / "all.trace").read_bytes(),
    }


@pytest.mark.parametrize("form", [
    "DER", "DER and a newline", "PEM", "PEM of several", "PEM, CRLF, in a text", "base64", "base64, each by itself",
    "hexadecimal", "hexadecimal lines", "trace",
])  # fmt: skip
def test_forms(recorded: Path, form: str) -> None:
    """From standard input, several messages in one."""
    told = osslcmp("show", "--summary", "-", data=forms(recorded)[form]).stdout
    assert kinds(told) == KINDS
    assert told.splitlines()[0].endswith("CN=device,O=x; EC secp256r1")


def others(pki: PKI, recorded: Path) -> dict[str, bytes]:
    """What is no CMP message."""
    good = (recorded / "0.der").read_bytes()
    return {
        "empty": b"",
        "only newlines": b"\n\n",
        "text": b"hello, world\n",
        "zeros": bytes(100),
        "CERTIFICATE in DER": pki.root.certificate.public_bytes(Encoding.DER),
        "PEM block 1 is no CMP message but CERTIFICATE": pki.root.certificate.public_bytes(Encoding.PEM),
        "HTTP: the body": b"POST /pkix/ HTTP/1.0\r\n\r\n" + good,
        "HTTP: the body alone": b"HTTP/1.1 200 OK\r\n\r\n" + good,
        "HTML": b"<html></html>",
        "octets after the message": good + b"more",
        "entry 1": b'{"osslcmp": "trace", "version": 1}\n{"time": "2026-01-01T00:00:00+00:00", "seconds": 0, "sent": true, '
        b'"transaction": null, "der": "MAA="}\n',
        "no CMP message is in it": b'{"osslcmp": "trace", "version": 1}\n',
        "PEM block 1": b"-----BEGIN X-----\n%%%%\n-----END X-----\n",
        "not a CMP message": b"\x30\x03\x02\x01\x05",
        "UTF-16": "0\x82".encode("utf-16"),
    }


@pytest.mark.parametrize("command", ["show", "trace"])
def test_what_is_no_message(pki: PKI, recorded: Path, tmp_path: Path, command: str) -> None:
    """One line that names the file and what is in it, status 1."""
    for told, data in others(pki, recorded).items():
        (tmp_path / "x").write_bytes(data)
        done = osslcmp(command, "x", cwd=tmp_path, status=1)
        assert done.stdout == ""
        assert done.stderr.startswith(f"osslcmp {command}: x: "), told
        assert done.stderr.count("\n") == 1
        if told not in ("empty", "only newlines", "text", "zeros", "UTF-16"):
            assert told in done.stderr or "recorded" in done.stderr
    for name, why in (("absent", "No such file"), (".", "Is a directory")):
        assert why in osslcmp(command, name, cwd=tmp_path, status=1).stderr


def test_the_others_are_shown(recorded: Path) -> None:
    """A file that cannot be read is told, at the end of the day."""
    done = osslcmp("show", "--summary", "0.der", "absent", "1.der", cwd=recorded, status=1)
    assert kinds(done.stdout) == ["ir", "ip"]
    assert "absent" in done.stderr


@pytest.mark.parametrize("how", ["cut", "cut in the body", "damaged", "PEM"])
def test_what_does_not_decode(
    how: str, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be read of it, and where it stops."""
    good = (recorded / "0.der").read_bytes()
    _, rest = leading(good, 1)
    body = len(good) - len(rest)
    bad = {
        "cut in the body": good[: body + 40],
        "damaged": good[:body] + good[body : body + 20].replace(b"\x02", b"\x04", 1) + good[body + 20 :],
    }.get(how, good[:-1])
    if how == "PEM":
        bad = b"-----BEGIN CMP-----\n" + base64.encodebytes(bad) + b"-----END CMP-----\n"
    file = tmp_path / "x"
    file.write_bytes(bad)

    def run(*words: str) -> str:
        assert main([*words, str(file)]) == 1
        out, err = capsys.readouterr()
        assert err.count("does not decode") == (words[0] == "trace")
        return out

    shown = run("show")
    assert shown.startswith("ir, ")
    assert "libcrypto does not decode it" in shown
    assert "transaction id: " in shown
    assert shown.count("does not decode") > 1
    (told,) = json.loads(run("show", "--json"))
    assert told["type"] == "ir"
    assert told["error"]
    assert told["header"]["transaction_id"]
    assert "does not decode" in run("show", "--summary")
    assert "does not decode" in run("show", "--text")
    assert " ir " in run("trace")


def test_what_cryptography_warns_of(tmp_path: Path) -> None:
    """A country of four letters is shown; nobody is told of it on stderr."""
    country = sequence(encode(0x31, sequence(encode_oid("2.5.4.6"), encode_text("XXXX"))))
    (tmp_path / "m.der").write_bytes(Forger(sender=encode(explicit(4), country)).genm())
    done = osslcmp("show", "m.der", cwd=tmp_path)
    assert "C=XXXX" in done.stdout
    assert done.stderr == ""


# -- trace ----------------------------------------------------------------------------------------------


def test_trace(recorded: Path) -> None:
    """The ladder as the API draws it."""
    told = osslcmp("trace", "all.trace", cwd=recorded).stdout
    assert told.rstrip("\n") == api.Trace.load((recorded / "all.trace").read_bytes()).ladder()
    assert "ip  waiting" in told
    narrow = osslcmp("trace", "--ascii", "--width", "60", "all.trace", cwd=recorded).stdout
    assert narrow.isascii()
    assert max(map(len, narrow.splitlines())) == 60


def arrows(told: str) -> list[str]:
    return [
        line.split("│")[1].split()[0]
        for line in told.splitlines()
        if line.count("│") == 2 and " s " in line[:12]
    ]


def test_trace_of_saved_messages(recorded: Path) -> None:
    """Requests first, answers after them, in one file, in disorder: each answer finds its request."""
    for order in ("024135", "012345", "531024"):
        files = [f"{number}.der" for number in order]
        told = osslcmp("trace", *files, cwd=recorded).stdout
        assert sorted(arrows(told)) == sorted(KINDS)
        pairs = {tuple(arrows(told)[place : place + 2]) for place in (0, 2, 4)}
        assert pairs == {tuple(KINDS[place : place + 2]) for place in (0, 2, 4)}
    assert arrows(osslcmp("trace", "4.der", "1.der", cwd=recorded).stdout) == ["certconf", "ip"]


@pytest.mark.parametrize("time", [b"20260101120000+0100", b"20261399999999Z", b"x" * 20])
def test_trace_of_odd_times(time: bytes, recorded: Path, tmp_path: Path) -> None:
    """They belong to their transaction, whatever time they name."""
    for number in range(6):
        odd = with_header((recorded / f"{number}.der").read_bytes(), tagged={0: encode(0x18, time)})
        (tmp_path / f"{number}.der").write_bytes(odd)
    files = [f"{number}.der" for number in "024135"]
    told = osslcmp("trace", *files, cwd=tmp_path).stdout
    assert arrows(told) == list(KINDS)
    assert "no transaction" not in told


def test_trace_html(recorded: Path, tmp_path: Path) -> None:
    """A page, with a title."""
    page = tmp_path / "page.html"
    told = osslcmp("trace", "all.trace", "--html", page, "--title", "my <trace>", cwd=recorded).stdout
    assert told == f"{page}: 6 messages\n"
    assert "<title>my &lt;trace&gt;</title>" in page.read_text()
    assert (
        "No such file"
        in osslcmp("trace", "all.trace", "--html", tmp_path / "no" / "x", cwd=recorded, status=1).stderr
    )


def test_one_transaction(recorded: Path, tmp_path: Path) -> None:
    """By the begin of its ID."""
    trace = api.Trace()
    client = api.Client(transport=EmbeddedCA({"r": "s"}).server(), reference="r", secret="s", trace=trace)
    for _ in range(2):
        client.genm()
    one, two = (number.hex() for number in trace.transactions if number)
    (tmp_path / "x").write_bytes(trace.dump())
    told = osslcmp("trace", "x", "--transaction", two[:8].upper(), cwd=tmp_path).stdout
    assert two in told
    assert one not in told
    wrong = osslcmp("trace", "x", "--transaction", "xyz", cwd=tmp_path, status=1).stderr
    assert one in wrong
    assert two in wrong
    assert "is empty" in osslcmp("trace", "x", "--transaction", "", cwd=tmp_path, status=2).stderr


# -- terminals, pipes, signals --------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("show", "0.der"), ("trace", "all.trace"), ("info",)], ids=" ".join)
def test_colours(recorded: Path, words: tuple[str, ...]) -> None:
    """On a terminal, unless somebody does not want them; elsewhere only if somebody wants them."""
    assert "\x1b[" in on_a_terminal([*OSSLCMP, *words], cwd=recorded)
    assert "\x1b" not in on_a_terminal([*OSSLCMP, *words], cwd=recorded, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal([*OSSLCMP, *words], cwd=recorded, TERM="dumb")
    assert "\x1b" not in osslcmp(*words, cwd=recorded).stdout
    assert "\x1b[" in osslcmp(*words, cwd=recorded, FORCE_COLOR="1").stdout


def test_a_narrow_locale(recorded: Path) -> None:
    """No line drawing where it cannot be shown, and no failure."""
    variables: dict[str, Any] = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    assert osslcmp("trace", "all.trace", cwd=recorded, **variables).stdout.isascii()


@pytest.mark.parametrize(
    "words", ["show all.trace", "trace all.trace", "info", "help", "cmp -help all", "man"]
)
def test_whoever_reads_goes_away(recorded: Path, words: str) -> None:
    """``| head -0``: no complaint."""
    with subprocess.Popen(
        [*OSSLCMP, *words.split()],
        cwd=recorded,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1)


@pytest.mark.parametrize(
    "words", ["show all.trace", "info --json", "help", "cmp -help all", "completion bash"]
)
def test_full_disk(recorded: Path, words: str) -> None:
    """A message and status 1."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*OSSLCMP, *words.split()],
            cwd=recorded,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "osslcmp: [Errno 28] No space left on device\n"


def test_without_streams(recorded: Path) -> None:
    """As some services start processes."""
    for command in ("show --summary all.trace", "show absent", "help", "cmp -help"):
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *OSSLCMP, *command.split()],
            cwd=recorded,
            check=False,
        )
        assert done.returncode == (1 if "absent" in command else 0)


@pytest.mark.parametrize("command", ["show", "trace"])
def test_interrupt(command: str) -> None:
    """While it waits for standard input: 130, and not a word."""
    with subprocess.Popen(
        [*OSSLCMP, command, "-"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(bytes(1 << 18))  # more than the pipe holds: now it reads
        while process.poll() is None:  # Python looks for signals only when they end a call
            process.send_signal(signal.SIGINT)
            time.sleep(1)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 130


@pytest.mark.parametrize(
    "words", ["show", "show --json --text x", "show --jso x", "trace --width x y", "info x", "demo x"]
)
def test_wrong_options(words: str, tmp_path: Path) -> None:
    """Status 2 and what to do."""
    command = words.split(maxsplit=1)[0]
    told = osslcmp(*words.split(), cwd=tmp_path, status=2).stderr
    assert told.startswith(f"osslcmp {command}: ")
    assert told.endswith(f"osslcmp {command} --help tells the options.\n")
    if "--jso " in words:
        assert "did you mean --json?" in told
