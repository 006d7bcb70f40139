"""Trace: what is recorded, the ladder diagram, the HTML page, and that no secret is in any of them."""

from __future__ import annotations

import base64
import datetime
import io
import json
import re
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from support.pki import PKI, make_key
from support.raw_server import RawServer, hang, response, say

import osslcmp
from osslcmp import BodyType, Trace
from osslcmp import _der as der
from osslcmp.server import EmbeddedCA, waiting

SECRET = b"correct horse battery staple"
ENROLMENT = ["IR", "IP", "CERTCONF", "PKICONF"]


@pytest.fixture(scope="module")
def ca() -> EmbeddedCA:
    """A CA that knows one secret."""
    return EmbeddedCA({"ref": SECRET})


def client(trace: Trace | None, **options: Any) -> osslcmp.Client:
    """A client with the shared secret."""
    return osslcmp.Client(**{"reference": "ref", "secret": SECRET, "trace": trace, **options})


def kinds(trace: Trace) -> list[str]:
    """The messages in order; ``FAILED`` for a failure."""
    return ["FAILED" if entry.type is None else entry.type.name for entry in trace]


@pytest.fixture
def recorded(ca: EmbeddedCA) -> Trace:
    """An ir with one poll, and one that is refused."""
    trace = Trace()
    server = ca.server()
    client(trace, transport=server).ir(make_key(), subject="CN=first")
    with pytest.raises(osslcmp.CMPError):
        client(trace, transport=server, secret="guessed").ir(make_key(), subject="CN=second")
    return trace


# -- what is recorded -----------------------------------------------------------------------------------


def test_by_transport(ca: EmbeddedCA) -> None:
    """The very octets that a transport carries, in order, with times."""
    trace, server, carried = Trace(), ca.server(), []

    def transport(request: bytes) -> bytes:
        carried.append(request)
        carried.append(server.process(request))
        return carried[-1]

    before = datetime.datetime.now(datetime.timezone.utc)
    cmp = client(trace, transport=transport)
    assert cmp.trace is trace
    cmp.ir(make_key(), subject="CN=x")
    assert kinds(trace) == ENROLMENT
    assert [entry.der for entry in trace] == [m.der for m in trace.messages] == carried
    assert [entry.sent for entry in trace] == [True, False] * 2
    times = [entry.time for entry in trace]
    assert before <= times[0] <= times[-1] <= datetime.datetime.now(datetime.timezone.utc)
    seconds = [entry.seconds for entry in trace]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    assert len({entry.transaction_id for entry in trace}) == 1
    assert trace.messages[0].header.transaction_id == trace.entries[0].transaction_id


@pytest.mark.parametrize("keep_alive", [True, False])
def test_over_http(ca: EmbeddedCA, keep_alive: bool) -> None:
    """The transfer in C shows its messages as well."""
    trace = Trace()
    with ca.server().serve() as server:
        client(trace, server=server.url, keep_alive=keep_alive).ir(make_key(), subject="CN=x")
    assert kinds(trace) == ENROLMENT


def test_all_kinds_of_request(ca: EmbeddedCA) -> None:
    """Certificates, revocation, general messages, each a transaction of its own."""
    trace, server = Trace(), ca.server()
    key = make_key()
    first = client(trace, transport=server).ir(key, subject="CN=x")
    mine: dict[str, Any] = {"certificate": first.certificate, "key": key, "chain": first.chain}
    signed = client(trace, transport=server, reference=None, secret=None, trusted=ca.root, **mine)
    signed.kur(make_key())
    signed.ca_certs()
    signed.rr(reason=1)
    parts = list(trace.transactions.values())
    assert [[e.type.name for e in part if e.type is not None] for part in parts] == [
        ENROLMENT,
        ["KUR", "KUP", "CERTCONF", "PKICONF"],
        ["GENM", "GENP"],
        ["RR", "RP"],
    ]


def test_transaction(ca: EmbeddedCA) -> None:
    """A transaction has its own part of the client's trace."""
    trace = Trace()
    slow = EmbeddedCA({"ref": SECRET}, policy=waiting(2, check_after=0)).server()
    cmp = client(trace, transport=slow)
    one, two = (cmp.begin("ir", key=make_key(), subject=f"CN={name}") for name in "ab")
    for each in (one, two):
        while each.poll() is None:
            pass
        assert each.trace is not None
        assert kinds(each.trace)[:3] == ["IR", "IP", "POLLREQ"]
        assert kinds(each.trace)[-1] == "PKICONF"
    assert one.trace is not None
    assert two.trace is not None
    assert one.trace.entries[0].transaction_id != two.trace.entries[0].transaction_id
    assert len(one.trace) + len(two.trace) == len(trace)
    untraced = client(None, transport=ca.server()).begin("ir", key=make_key(), subject="CN=c")
    assert untraced.trace is None


def test_context(ca: EmbeddedCA) -> None:
    """set_trace at any time, with the transfer that is set, or set later."""
    trace = Trace()
    context = osslcmp.Context()
    assert context.trace is None
    context.set_trace(trace)
    assert context.trace is trace
    context.set_transfer_cb(ca.server())
    context.set_secret_value(SECRET)
    context.set_reference_value(b"ref")
    context.exec_genm_ses()
    assert kinds(trace) == ["GENM", "GENP"]
    context.set_trace(None)
    context.reinit()
    context.exec_genm_ses()
    assert len(trace) == 2
    with pytest.raises(TypeError, match=r"osslcmp\.Trace"):
        context.set_trace("here")
    with pytest.raises(TypeError, match=r"osslcmp\.Trace"):
        client(True, transport=ca.server())


def test_rejection(recorded: Trace) -> None:
    """The error message and the exception are both there."""
    assert kinds(recorded) == [*ENROLMENT, "IR", "ERROR", "FAILED"]
    last = recorded.entries[-1]
    assert last.message is None
    assert last.der is None
    assert last.summary.startswith(("ProtectionError: ir failed", "RejectedError: "))
    assert last.transaction_id == recorded.entries[-2].transaction_id


def test_no_answer() -> None:
    """Only the request, and why nothing came."""
    trace = Trace()
    with RawServer(hang) as server, pytest.raises(osslcmp.TransferTimeout):
        client(trace, server=server.url, message_timeout=1).genm()
    assert kinds(trace) == ["GENM", "FAILED"]
    assert trace.entries[-1].summary.startswith("TransferTimeout: ")
    with RawServer(say(response(b"\x30\x00"))) as server, pytest.raises(osslcmp.TransferError):
        client(trace, server=server.url).genm()
    assert kinds(trace) == ["GENM", "FAILED"] * 2
    assert "✗" in str(trace)


def test_exception_of_the_application() -> None:
    """Its text may hold anything, so only its type is recorded."""
    trace = Trace()

    class LineError(Exception):
        pass

    def transport(_request: bytes) -> bytes:
        raise LineError("http://me:hunter2@proxy refused")

    with pytest.raises(LineError, match="hunter2"):
        client(trace, transport=transport).genm()
    assert trace.entries[-1].failure == "LineError"
    assert "hunter2" not in trace.html()


def test_recording_leaves_the_transaction_alone(ca: EmbeddedCA, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception out of the recorder reaches the caller; nothing hangs."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Trace, "seen", fail)
    with pytest.raises(MemoryError):
        client(Trace(), transport=ca.server()).genm()


def test_limit_and_clear(ca: EmbeddedCA) -> None:
    """The last entries are kept; clear forgets them."""
    trace = Trace(limit=3)
    cmp = client(trace, transport=ca.server())
    for _ in range(3):
        cmp.genm()
    assert kinds(trace) == ["GENP", "GENM", "GENP"]
    trace.clear()
    assert len(trace) == 0
    assert trace
    assert str(trace) == "no messages"
    assert "0 messages" in trace.html()
    cmp.genm()
    assert trace.entries[0].seconds == 0


def test_many_threads(ca: EmbeddedCA) -> None:
    """One trace for many clients."""
    trace, server = Trace(), ca.server()

    def work() -> None:
        for _ in range(10):
            client(trace, transport=server).genm()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trace) == 80
    assert all([e.type.name for e in p if e.type] == ["GENM", "GENP"] for p in trace.transactions.values())
    assert len(trace.transactions) == 40


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


def rich_text(trace: Trace) -> str:
    """What rich prints, without colour."""
    out = io.StringIO()
    trace.print(out)
    return out.getvalue()


def lying(ca: EmbeddedCA, trace: Trace, kind: BodyType, body: bytes) -> str:
    """A genm that is answered by another body, without a valid protection; what it raises."""
    server = ca.server()

    def transport(request: bytes) -> bytes:
        header, _, *rest = der.sequence(server.process(request))
        parts = (header.encoding, der.encode(der.explicit(kind), body), *(part.encoding for part in rest))
        return der.encode(der.SEQUENCE, *parts)

    with pytest.raises(osslcmp.CMPError) as caught:
        client(trace, transport=transport).genm()
    return str(caught.value)


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
    """What libcrypto takes and cryptography does not is told as such, everywhere."""
    trace = Trace()
    certificate = ca.root.public_bytes(Encoding.DER).replace(
        b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12", 1
    )
    pair = der.encode(der.SEQUENCE, der.encode(der.explicit(0), certificate))
    status = der.encode(der.SEQUENCE, der.encode_integer(0))
    answer = der.encode(der.SEQUENCE, der.encode_integer(0), status, pair)
    body = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, answer))
    lying(ca, trace, BodyType.IP, body)
    assert "does not decode" in str(trace)
    assert "does not decode" in trace.html()


# -- secrets --------------------------------------------------------------------------------------------


TOKEN = "token-that-nobody-may-see"


def everything_about(trace: Trace) -> list[bytes]:
    """All that a trace can show."""
    page = trace.html()
    encoded = re.findall(r"DER, base64</summary><pre>([^<]*)</pre>", page)
    shown = [page, str(trace), rich_text(trace), repr(trace.entries), *(repr(m.body) for m in trace.messages)]
    return [
        *(text.encode() for text in shown),
        *(base64.b64decode(text) for text in encoded),
        *(m.der for m in trace.messages),
        *(m.text().encode() for m in trace.messages),
    ]


def test_shared_secret(recorded: Trace) -> None:
    """It is in no message, and nowhere else."""
    for shown in everything_about(recorded):
        assert SECRET not in shown
        assert b"guessed" not in shown


@pytest.mark.parametrize("control", ["1.3.6.1.5.5.7.5.1.1", "1.3.6.1.5.5.7.5.1.2"])
def test_registration_token(ca: EmbeddedCA, control: str) -> None:
    """regToken and authenticator are overwritten; the message decodes all the same."""
    trace = Trace()
    sent: list[bytes] = []
    server = ca.server()

    def transport(request: bytes) -> bytes:
        if not sent:
            sent.append(with_control(request, control))
        return server.process(request)

    seen = Trace()
    client(trace, transport=transport).ir(make_key(), subject="CN=x")
    seen.seen(True, sent[0], BodyType.IR, b"id")
    assert TOKEN.encode() in sent[0]
    for shown in everything_about(seen):
        assert TOKEN.encode() not in shown
    (message,) = seen.messages
    assert isinstance(message.body, osslcmp.message.CertReqMessages)
    (found,) = message.body.requests[0].controls
    assert found.secret
    assert found.value == der.encode_text("x" * len(TOKEN))
    assert "(secret)" in seen.html()


def with_control(request: bytes, oid: str) -> bytes:
    """The ir with one control more."""
    header, body, *rest = der.sequence(request)
    messages = der.sequence(der.sequence(body.content)[0].encoding)
    inner = der.sequence(messages[0].encoding)
    attribute = der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode_text(TOKEN))
    cert_request = der.encode(
        der.SEQUENCE, *(part.encoding for part in inner[:2]), der.encode(der.SEQUENCE, attribute)
    )
    one = der.encode(der.SEQUENCE, cert_request, *(part.encoding for part in messages[1:]))
    changed = der.encode(body.tag, der.encode(der.SEQUENCE, one))
    return der.encode(der.SEQUENCE, header.encoding, changed, *(part.encoding for part in rest))


def test_challenge_password(ca: EmbeddedCA, pki: PKI) -> None:
    """It may stand in a CSR."""
    trace = Trace()
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.enrolled.subject)
    builder = builder.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, TOKEN.encode())
    csr = builder.sign(make_key(), hashes.SHA256())
    client(trace, transport=ca.server()).p10cr(csr)
    assert TOKEN.encode() in csr.public_bytes(Encoding.DER)
    for shown in everything_about(trace):
        assert TOKEN.encode() not in shown
    body = trace.messages[0].body
    assert isinstance(body, osslcmp.message.PKCS10Request)
    assert body.csr.subject == pki.enrolled.subject


def test_damaged_secret() -> None:
    """What follows the type of a secret is overwritten even if it is no DER."""
    oid = der.encode_oid("1.3.6.1.5.5.7.5.1.1")
    nested = der.encode(der.SEQUENCE, der.encode(0x31, der.encode_text("abc")), b"\x30\x05ab")
    for value, expected in (
        (nested, der.encode(der.SEQUENCE, der.encode(0x31, der.encode_text("xxx")), b"xxxx")),
        (b"\x0c\x50short", b"xxxxxxx"),
        (b"", b""),
        (b"\x0c\x01a\x0c\x01b", b"\x0c\x01x\x0c\x01b"),
    ):
        trace = Trace()
        trace.seen(True, b"before" + oid + value, BodyType.IR, None)
        assert trace.entries[0].der == b"before" + oid + expected


# -- recordings -----------------------------------------------------------------------------------------


def test_recording_is_loaded_as_it_was(recorded: Trace) -> None:
    """What was dumped comes back: entries, times, failures."""
    again = Trace.load(recorded.dump())
    assert len(again) == len(recorded) == 7
    for mine, theirs in zip(again, recorded, strict=True):
        assert (mine.sent, mine.time, mine.transaction_id) == (
            theirs.sent,
            theirs.time,
            theirs.transaction_id,
        )
        assert (mine.der, mine.type, mine.failure) == (theirs.der, theirs.type, theirs.failure)
        assert abs(mine.seconds - theirs.seconds) < 1e-6
    assert str(again) == str(recorded)
    assert again.html() == recorded.html()
    assert again.dump() == recorded.dump() == Trace.load(recorded.dump().decode()).dump()
    assert SECRET not in recorded.dump()
    assert len(Trace.load(recorded.dump() + recorded.dump())) == 14
    assert len(Trace.load(Trace().dump())) == 0


def test_recording_to_a_file(ca: EmbeddedCA, tmp_path: Path) -> None:
    """Each entry is there at once; the limit and clear are about memory; a second trace begins anew."""
    path = tmp_path / "trace.jsonl"
    trace, server, lengths = Trace(1, file=path), ca.server(), []

    def transport(request: bytes) -> bytes:
        lengths.append(len(Trace.load(path.read_bytes())))
        return server.process(request)

    client(trace, transport=transport).ir(make_key(), subject="CN=x")
    trace.clear()
    assert lengths == [1, 3]
    assert kinds(Trace.load(path.read_bytes())) == ENROLMENT
    Trace(file=str(path))
    assert len(Trace.load(path.read_bytes())) == 0
    with pytest.raises(OSError, match="absent"):
        Trace(file=tmp_path / "absent" / "trace")


def test_recording_to_a_full_disk(ca: EmbeddedCA, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The transaction goes on."""
    path = tmp_path / "trace.jsonl"
    trace = Trace(file=path)
    path.unlink()
    path.symlink_to("/dev/full")
    client(trace, transport=ca.server()).genm()
    assert kinds(trace) == ["GENM", "GENP"]
    assert [r.getMessage() for r in caplog.records if "written no further" in r.getMessage()]


def test_recording_of_a_killed_process(recorded: Trace) -> None:
    """Its last line may be cut anywhere."""
    whole = recorded.dump()
    last = whole[:-1].rindex(b"\n") + 1
    for end in range(last + 1, len(whole) - 1, 97):
        assert len(Trace.load(whole[:end])) == 6
    with pytest.raises(ValueError, match="line 3: "):
        Trace.load(whole[: whole.index(b"\n", whole.index(b"\n", 50) + 1) - 5] + b"\n" + whole[last:])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "begins otherwise"),
        (b'{"osslcmp": "trace", "version": 2}', "version 1"),
        (b'{"osslcmp": "trace", "version": 1}\n[]\n', "line 2"),
        (b'{"osslcmp": "trace", "version": 1}\n{}\n', "line 2: no 'time'"),
        (b'{"osslcmp": "trace", "version": 1}\n\xff\n{}', "line 2"),
        (b'{"osslcmp": "trace", "version": 1}\n7\n', "line 2"),
    ],
)
def test_what_is_no_recording(line: bytes, told: str) -> None:
    """A ValueError that tells the place."""
    with pytest.raises(ValueError, match=told):
        Trace.load(line)


@pytest.mark.parametrize(
    "change",
    [
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"time": 5},
        {"seconds": "x"},
        {"seconds": None},
        {"transaction": "xyz"},
        {"transaction": 5},
        {"der": "%"},
        {"der": None},
        {"der": "MAA="},
    ],
    ids=str,
)
def test_odd_entries(recorded: Trace, change: dict[str, Any]) -> None:
    """Each wrong member is refused."""
    head, first, *_ = recorded.dump().splitlines()
    entry = json.dumps({**json.loads(first), **change}).encode()
    with pytest.raises(ValueError, match=r"line 2|entry 1"):
        Trace.load(head + b"\n" + entry + b"\n")
