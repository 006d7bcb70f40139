"""Trace: what is recorded, and that no secret is in it."""

from __future__ import annotations

import base64
import datetime
import re
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import Forger, sequence
from support.pki import PKI, make_key
from support.raw_server import RawServer, hang, response, say
from support.threads import at_once
from support.traced import ENROLMENT, SECRET, client, kinds, rich_text, two_requests

import osslcmp
from osslcmp import BodyType, Trace
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, waiting


@pytest.fixture(scope="module")
def ca() -> EmbeddedCA:
    """A CA that knows one secret."""
    return EmbeddedCA({"ref": SECRET})


@pytest.fixture
def recorded(ca: EmbeddedCA) -> Trace:
    return two_requests(ca)


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

    def work(_: int) -> None:
        for _ in range(10):
            client(trace, transport=server).genm()

    at_once(work, range(4))
    assert len(trace) == 80
    assert all([e.type.name for e in p if e.type] == ["GENM", "GENP"] for p in trace.transactions.values())
    assert len(trace.transactions) == 40


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


def test_a_message_that_no_longer_decodes_with_its_secrets_overwritten() -> None:
    """The OID of a secret stands where a BIT STRING follows, whose first octet cannot be anything."""
    token = der.encode_oid("1.3.6.1.5.5.7.5.1.1")
    popo = encode(explicit(1), sequence(token), encode(der.BIT_STRING, b"\0signature"))
    trace = osslcmp.Trace()
    trace.seen(True, Forger().request(popo=popo), osslcmp.IR, b"id")
    (message,) = trace.messages
    assert "cannot read it" in message.text()
    assert "cannot read it" in trace.html()
    assert len(osslcmp.Trace.of_entries(trace.entries)) == 1
