"""What a Trace looks like: the ladder diagram, the HTML page, and that no answer can spoil them."""

from __future__ import annotations

import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from support.pki import make_key
from support.traced import SECRET, client, lying, rich_text, two_requests

from osslcmp import BodyType, Trace
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA


@pytest.fixture(scope="module")
def ca() -> EmbeddedCA:
    """A CA that knows one secret."""
    return EmbeddedCA({"ref": SECRET})


@pytest.fixture
def recorded(ca: EmbeddedCA) -> Trace:
    return two_requests(ca)


# -- the ladder -----------------------------------------------------------------------------------------


def test_ladder(recorded: Trace) -> None:
    """Two transactions, each message with its arrow."""
    lines = str(recorded).splitlines()
    assert lines[0].startswith("transaction ")
    assert lines[0].endswith("password based MAC, reference ref")
    assert re.search(r"0\.000 s │ ir  CN=first; EC secp256r1 +│$", lines[2])
    assert re.search(r"│ ─+▶│$", lines[3])
    assert re.search(r"│ ip  accepted; CN=first +│$", lines[4])
    assert re.search(r"│◀─+ │$", lines[5])
    assert any(re.search(r"│ error  rejection", line) for line in lines)
    assert any("✗" in line for line in lines)
    assert all(len(line) <= 88 for line in lines)
    assert repr(recorded) == "<osslcmp.Trace of 7 entries>"


@pytest.mark.parametrize("width", [1, 40, 61, 120, 300])
def test_ladder_width(recorded: Trace, width: int) -> None:
    """It fits; too narrow is as narrow as it gets."""
    rows = [line for line in recorded.ladder(width).splitlines() if line.endswith("│")]
    assert {len(row) for row in rows} == {max(width, 40)}


def test_ladder_ascii(recorded: Trace) -> None:
    """For terminals without line drawing characters."""
    assert recorded.ladder(ascii_only=True).isascii()


def test_print(recorded: Trace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With rich and without, to a file that takes UTF-8 and one that does not."""
    out = io.StringIO()
    recorded.print(out)
    assert "▶" in out.getvalue()
    recorded.print()
    assert "▶" in capsys.readouterr().out
    for module in [name for name in sys.modules if name.split(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    plain = io.StringIO()
    recorded.print(plain)
    assert plain.getvalue() == f"{recorded}\n"
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    recorded.print(latin)
    latin.flush()
    assert latin.buffer.getvalue().isascii()


def test_terminal_escapes_are_harmless(ca: EmbeddedCA) -> None:
    """What a server says cannot move the cursor."""
    trace = Trace()
    info = der.encode(
        der.SEQUENCE,
        der.encode_integer(2),
        der.encode(der.SEQUENCE, der.encode_text("a\x1b[2Jb\nc\x9bd\u202e"), der.encode_text("[bold]x")),
    )
    answers = lying(ca, trace, BodyType.ERROR, der.encode(der.SEQUENCE, info))
    assert answers
    for told in (str(trace), rich_text(trace)):
        assert not re.search("[\x1b\x9b\u202e]", told)
        assert "[bold]x" in told


# -- the page -------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects links and text; raises for tags that do not match."""

    VOID = ("meta",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert name not in ("src", "srcset", "onload", "onclick", "style", "action")
            if name == "href":
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("dark", [False, True])
def test_picture(recorded: Trace, dark: bool, tmp_path: Path) -> None:
    """The same lines in a picture that loads nothing, on either ground."""
    pytest.importorskip("rich", reason="pictures are drawn by rich")
    picture = recorded.svg(60, dark=dark)
    shown = [text.replace("\xa0", " ") for text in ElementTree.fromstring(picture).itertext()]
    for word in ("ir", "ip", "certconf", "pkiconf", "client"):
        assert any(word in text for text in shown), word
    assert not re.search(r"url\((?!#)|@import|href", picture)
    assert (recorded.svg(60, dark=True) == picture) == dark
    recorded.save(tmp_path / "ladder.SVG")
    assert (tmp_path / "ladder.SVG").read_text(encoding="utf-8") == recorded.svg()


def test_picture_of_hostile_text(ca: EmbeddedCA) -> None:
    """Text of a peer stays text."""
    pytest.importorskip("rich", reason="pictures are drawn by rich")
    trace = Trace()
    evil = "</text><script>alert(1)</script>"
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, evil)])
    client(trace, transport=ca.server()).ir(make_key(), subject=name)
    picture = trace.svg()
    assert "<script" not in picture
    assert any("alert(1)" in text for text in ElementTree.fromstring(picture).itertext())


def test_page(recorded: Trace, tmp_path: Path) -> None:
    """One file that loads nothing, with every message decoded and as OpenSSL prints it."""
    path = tmp_path / "trace.html"
    recorded.save(path, "my trace")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert page.links == [f"#{name}" for name in page.ids]
    assert len(page.ids) == 6
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "http" not in text.replace("http-equiv", "")
    words = " ".join(page.words)
    for expected in (
        "my trace",
        "CN=first",
        "EC secp256r1",
        "certconf",
        "OSSL_CMP_MSG",
        "hmac-sha1",
        "SHA-256",
    ):
        assert expected in words


def test_page_without_injection(ca: EmbeddedCA) -> None:
    """Names and texts are text."""
    trace = Trace()
    evil = '<script>alert("1")</script>&amp;'
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, evil)])
    client(trace, transport=ca.server()).ir(make_key(), subject=name)
    page = Page(trace.html(evil))
    assert "script" not in page.tags
    assert evil in page.words


def test_messages_that_do_not_decode(ca: EmbeddedCA) -> None:
    """What libcrypto takes and nobody here can look at, a status of many octets, is told as such, everywhere."""
    trace = Trace()
    status = der.encode(der.SEQUENCE, der.encode_integer(1 << 200))
    answer = der.encode(der.SEQUENCE, der.encode_integer(0), status)
    body = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, answer))
    lying(ca, trace, BodyType.IP, body)
    assert "does not decode" in str(trace)
    assert "does not decode" in trace.html()
