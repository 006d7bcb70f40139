"""Text from peers on its way to a person: nothing in it moves a cursor, forges a line, hides or reorders, at any sink."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography import x509
from support.command import OSSLCMP, on_a_terminal
from support.command import osslcmp as command
from support.raw_server import RawServer
from support.rogue import Rogue, faulty, http, parts, protect, seq, unprotected
from support.rogue import say as say_http
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import BodyType, Message, Trace, _text
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, explicit
from osslcmp.errors import ErrorEntry

#: Each with what it would do, if it got through.
HOSTILE = {
    "escape sequence": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "C1 control sequence": "\x9b31m\x9d0;x\x9c\x85next line",
    "backspace": "bad\b\b\bgood",
    "carriage return": "bad\rCMP info: received PKIStatus: accepted",
    "line feed": "bad\nCMP info: received PKIStatus: accepted",
    "other line ends": "a\x0bb\x0cc\x1cd\x1de\x1ef\u2028g\u2029h",
    "delete": "a\x7fb",
    "NUL": "a\0b",
    "bidi override": "\u202egnp.exe\u202c",
    "bidi isolate": "\u2066a\u2067b\u2068c\u2069",
    "marks": "\u200e\u200f\u061c",
    "zero width": "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "fillers": "a\u3164b\u115fc\uffa0d\u2800e\u034ff",
    "tags": "\U000e0041\U000e0042",
    "variation selectors": "a\ufe0fb\U000e0100c",
    "private use": "\ue000\U000f0000",
    "not assigned": "\u0378\U000e0fff",
    "stacked marks": "e" + "\u0301" * 40,
    "no-break space": "a\u00a0b\u3000c",
    "HTML": "</dd><script>alert(1)</script><img src=x onerror=alert(1)>&lt;",
    "format": "%s%n{0}${jndi:ldap://x}",
    "endless": "A" * 5000,
    "rich markup": "[red]x[/red][link=http://x]y[/link]",
}
#: Only these are in it for a purpose of its own, once the text is shown.
HARMLESS = {"HTML", "format", "rich markup", "endless"}
SURROGATE = "a\ud800b\udfffc"

BAD = re.compile("[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def is_clean(text: str, *, newlines: bool = True) -> None:
    """Nothing in it but what can be seen; lines end where we end them."""
    marks = 0
    for char in text:
        if char == "\n" and newlines:
            continue
        assert char.isprintable(), f"{char!r} in {text[:300]!r}"
        assert not BAD.match(char), f"{char!r} in {text[:300]!r}"
        marks = marks + 1 if unicodedata.category(char).startswith("M") else 0
        assert marks <= 3


def error(words: str) -> Callable[[bytes], bytes]:
    """The answer becomes a refusal in these words, in all places that it has for words."""
    info = seq(encode_integer(2), seq(der.encode_text(words), der.encode_text(words)))

    def change(message: bytes) -> bytes:
        header, _, extra = parts(message)
        content = seq(info, encode_integer(7), seq(der.encode_text(words)))
        return protect(header, encode(explicit(BodyType.ERROR), content), SECRET, extra)

    return change


def refused(site: Site, words: str, **options: object) -> osslcmp.RejectedError:
    cmp = osslcmp.Client(
        transport=Rogue(site.server, {0: error(words)}),
        reference="ref",
        secret=SECRET,
        **options,  # type: ignore[arg-type]
    )
    with pytest.raises(osslcmp.RejectedError) as caught:
        cmp.genm([])
    return caught.value


@pytest.mark.parametrize("name", HOSTILE)
def test_functions(name: str) -> None:
    """visible() and its like, by themselves."""
    words = HOSTILE[name]
    for text in (words, f"ü 中文 {words}", f"{words}{SURROGATE}"):
        is_clean(_text.visible(text), newlines=False)
        is_clean(_text.one_line(text), newlines=False)
        is_clean(_text.lines(text))
        assert len(_text.visible(text, 50)) <= 50 * 10 + 30
        shown = _text.json_text([text, {text: 1}], indent=2)
        is_clean(shown.replace("\u0301", ""))
        assert json.loads(shown) == [text, {text: 1}]
    if name in HARMLESS - {"endless"}:
        assert _text.visible(words) == words
    else:
        assert _text.visible(words) != words


def test_what_is_meant_to_be_read_is_left() -> None:
    """Words of all scripts, with their marks, quotes and symbols."""
    for words in ("Grüße, 中文, русский, עברית, العربية, हिन्दी", "naïve e\u0301", "5 € ≤ ½", "C:\\path"):
        assert _text.visible(words) == words
    assert _text.visible("a" * 1001) == "a" * 1000 + "... (1001 characters)"
    assert _text.one_line("a\nb\n") == "a / b"


@pytest.mark.parametrize("name", HOSTILE)
def test_exceptions(name: str, site: Site) -> None:
    """str() and repr(), while the attributes are exact."""
    words = HOSTILE[name]
    error = refused(site, words)
    assert error.text == f"{words}\n{words}"
    for shown in (str(error), repr(error)):
        is_clean(shown, newlines=False)
        assert len(shown) < 100_000
    entry = ErrorEntry(1, 2, words, words, words, words, words)
    for kind in (osslcmp.OpenSSLError, osslcmp.TransferError, osslcmp.ProtectionError, osslcmp.ResponseError):
        failure = kind(words, [entry, entry])
        is_clean(str(failure), newlines=False)
        is_clean(repr(failure), newlines=False)
        assert failure.errors[0].data == words
    is_clean(str(entry), newlines=False)
    is_clean(str(osslcmp.RejectedError(osslcmp.PKIStatus.rejection, text=words + SURROGATE)), newlines=False)


@pytest.mark.parametrize("name", HOSTILE)
def test_unproven(name: str, site: Site) -> None:
    """Words that nobody vouches for."""
    words = HOSTILE[name]
    cmp = osslcmp.Client(
        transport=Rogue(site.server, {0: lambda message: unprotected(error(words)(message))}),
        reference="ref",
        secret=SECRET,
    )
    with pytest.raises(osslcmp.ProtectionError) as caught:
        cmp.genm([])
    assert "unproven answer: " in str(caught.value)
    is_clean(str(caught.value), newlines=False)
    assert caught.value.answer is not None
    assert words.encode() in caught.value.answer


@pytest.mark.parametrize("name", HOSTILE)
def test_log(name: str, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """What libcrypto says of it, and our own server of a client."""
    words = HOSTILE[name]
    with caplog.at_level(logging.DEBUG, logger="osslcmp"):
        refused(site, words, unprotected_errors=True)
        logger = _text.get_logger("osslcmp.server")
        logger.info("%s asked for %s", words, ValueError(words))
        try:
            raise ValueError(words)
        except ValueError:
            logger.exception("%s failed", words)
    assert len(caplog.records) > 4
    formatter = logging.Formatter("%(levelname)s %(message)s")
    for record in caplog.records:
        is_clean(record.getMessage(), newlines=False)
        is_clean(formatter.format(record))


def test_log_of_the_server(caplog: pytest.LogCaptureFixture, site: Site) -> None:
    """Who asks is named by what he says of himself."""
    for words in HOSTILE.values():
        reference = words.encode()[:200]
        with caplog.at_level(logging.DEBUG, logger="osslcmp"), site.server.serve() as running:
            cmp = osslcmp.Client(running.url, reference=reference, secret="x")
            with pytest.raises(osslcmp.CMPError) as caught:
                cmp.genm([])
            is_clean(str(caught.value), newlines=False)
    for record in caplog.records:
        is_clean(record.getMessage(), newlines=False)


class _Texts(HTMLParser):
    """The texts of a page, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_traces(name: str, site: Site) -> None:
    """As text, drawing, page and recording."""
    words = HOSTILE[name]
    trace = Trace()
    refused(site, words, trace=trace)
    is_clean(str(trace))
    is_clean(trace.ladder(60, ascii_only=True))
    for entry in trace:
        is_clean(entry.summary, newlines=False)
        is_clean(entry.failure, newlines=False)
    page = trace.html(title=words.replace("\0", ""))  # which is a ValueError
    is_clean(page)
    parser = _Texts()
    parser.feed(page)
    assert "script" not in parser.elements
    assert "img" not in parser.elements
    dump = trace.dump()
    assert dump.isascii()
    is_clean(dump.decode())
    again = Trace.load(dump)
    for message in again.messages:
        is_clean(message.text())
        is_clean(repr(message))
    assert isinstance(again.messages[1].body, osslcmp.message.ErrorMessage)
    assert again.messages[1].body.status.text == (words, words)


@pytest.mark.parametrize("name", HOSTILE)
def test_failures_in_a_recording(name: str) -> None:
    """A file may say anything."""
    words = HOSTILE[name]
    line = {"time": "2030-01-01T00:00:00+00:00", "seconds": 1, "sent": False, "transaction": None}
    recording = b'{"osslcmp": "trace", "version": 1}\n' + json.dumps({**line, "failure": words}).encode()
    trace = Trace.load(recording)
    is_clean(str(trace))
    is_clean(trace.html())


def _message(words: str, site: Site, tmp_path: Path) -> Path:
    refusal: list[bytes] = []
    with pytest.raises(osslcmp.CMPError):
        osslcmp.Client(
            transport=Rogue(site.server, {0: lambda m: refusal.append(error(words)(m)) or refusal[0]}),  # type: ignore[func-returns-value]
            reference="ref",
            secret=SECRET,
        ).genm([])
    path = tmp_path / "message.der"
    path.write_bytes(refusal[0])
    return path


ALL_IN_ONE = "".join(words for name, words in HOSTILE.items() if name != "endless")


@pytest.mark.parametrize("how", [[], ["--text"], ["--json"], ["--summary"]])
@pytest.mark.parametrize("words", [ALL_IN_ONE, HOSTILE["line feed"], HOSTILE["endless"]])
def test_show(words: str, how: list[str], site: Site, tmp_path: Path) -> None:
    """osslcmp show, as a process."""
    path = _message(words, site, tmp_path)
    done = command("show", *how, path)
    is_clean(done.stdout.replace("\u0301", ""))
    if how == ["--json"]:
        (shown,) = json.loads(done.stdout)
        assert words in shown["body"]["status"]["text"]


def test_command_line(site: Site, tmp_path: Path) -> None:
    """osslcmp cmp tells a refusal, its own JSON and log, with and without protection."""
    for change in (lambda m: m, unprotected):
        spoil = say_http(lambda answer, change=change: http(change(error(ALL_IN_ONE)(answer))))  # type: ignore[misc]
        with RawServer(faulty(site.server, dict.fromkeys(range(9), spoil))) as server:
            base = [
                "cmp", "-cmd", "genm", "-server", server.url, "-ref", "ref",
                "-secret", f"pass:{SECRET.decode()}",
            ]  # fmt: skip
            for more in ([], ["-verbosity", "8"], ["-unprotected_errors"], ["-json"]):
                done = command(*base, *more, cwd=tmp_path, status=1)
                is_clean(done.stdout.replace("\u0301", ""))
                is_clean(done.stderr)
                assert "\nCMP info: received PKIStatus: accepted" not in done.stderr + done.stdout
                if more == ["-json"] and change is not unprotected:
                    assert json.loads(done.stdout)["text"] == f"{ALL_IN_ONE}\n{ALL_IN_ONE}"


def test_http(tmp_path: Path) -> None:
    """Reason phrases, header values and pages."""
    for words in HOSTILE.values():
        raw = words.encode()[:200]
        for response in (
            b"HTTP/1.0 403 " + raw + b"\r\nContent-Type: text/plain\r\n\r\n",
            b"HTTP/1.0 302 Found\r\nLocation: http://x/" + raw + b"\r\n\r\n",
            b"HTTP/1.0 200 OK\r\nContent-Type: " + raw + b"\r\nContent-Length: 2\r\n\r\nxy",
            b"HTTP/1.0 200 OK\r\nX: " + raw + b"\r\nContent-Type: application/pkixcmp\r\n\r\n" + raw,
            raw,
        ):
            with RawServer(lambda connection, _, response=response: connection.sendall(response)) as server:  # type: ignore[misc]
                with pytest.raises(osslcmp.CMPError) as caught:
                    osslcmp.Client(server.url, secret="x").genm([])
                is_clean(str(caught.value), newlines=False)
    response = b"HTTP/1.0 403 \x1b[31mred\x9b\xc2\x9b\xe2\x80\xae\r\nContent-Type: text/plain\r\n\r\n"
    with RawServer(lambda connection, _: connection.sendall(response)) as server:
        done = command(
            "cmp", "-cmd", "genm", "-server", server.url, "-secret", "pass:x", cwd=tmp_path, status=1
        )
        is_clean(done.stderr)


def test_names(site: Site) -> None:
    """In a certificate that is refused."""
    for words in HOSTILE.values():
        name = x509.Name(
            [x509.NameAttribute(x509.NameOID.COMMON_NAME, words.encode()[:64].decode(errors="ignore"))]
        )
        cmp = osslcmp.Client(transport=site.server, reference="ref", secret=SECRET, expected_sender=name)
        with pytest.raises(osslcmp.ProtectionError) as caught:
            cmp.genm([])
        is_clean(str(caught.value), newlines=False)
        site.released = True
        with pytest.raises(osslcmp.ConfirmError) as refused:
            osslcmp.Client(transport=site.server, reference="ref", secret=SECRET).ir(
                site.new_key,
                subject=name,
                check=osslcmp.CertificateCheck(trusted=site.own.certificate),
            )
        is_clean(str(refused.value), newlines=False)


def test_on_a_terminal(site: Site, tmp_path: Path) -> None:
    """Where colours are, only ours are."""
    path = _message(ALL_IN_ONE, site, tmp_path)
    for words in (["show", str(path)], ["show", "--summary", str(path)], ["trace", str(path)]):
        told = on_a_terminal([*OSSLCMP, *words], cwd=tmp_path)
        ours = re.sub(r"\x1b\[[0-9;]*m", "", told).replace("\r\n", "\n")
        is_clean(ours)
        assert Message.from_der(path.read_bytes()).type is BodyType.ERROR
