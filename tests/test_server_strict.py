"""What the server checks beyond libcrypto, and that its refusals say what is wrong: failInfo by failInfo."""

from __future__ import annotations

import datetime
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Scripted
from support.forge import (
    CR,
    GENM,
    IMPLICIT_CONFIRM,
    IR,
    KUR,
    P10CR,
    RR,
    SHA256,
    Forger,
    enroll,
    octets,
    read,
    refused,
    sequence,
    sha256,
)
from support.pki import PKI, make_key, make_name

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp import _der as der
from osslcmp._der import encode, explicit
from osslcmp.server import EmbeddedCA, Issued, Server, Waiting, wire
from osslcmp.server.replies import Replies, Reply

REJECTION = sequence(der.encode_integer(PKIStatus.rejection))


def now() -> datetime.datetime:
    """The time at the test, which may run long after it was collected."""
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture
def ca() -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret"})


@pytest.fixture
def server(ca: EmbeddedCA) -> Server:
    return ca.server()


@pytest.fixture
def lenient(ca: EmbeddedCA) -> Server:
    """It answers as OpenSSL does."""
    return ca.server(strictness="openssl")


@pytest.fixture
def member(pki: PKI) -> Forger:
    """A client with a certificate of the tests' PKI."""
    return Forger.signing(pki)


def requests(client: Forger) -> dict[str, bytes]:
    """A first message of each kind."""
    return {"ir": client.request(IR), "genm": client.genm()}


# -- the header ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ir", "genm"])
@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 365])
def test_message_time(server: Server, lenient: Server, minutes: int, kind: str) -> None:
    client = Forger(time=now() + datetime.timedelta(minutes=minutes))
    refused(server, requests(client)[kind], FailureInfo.badTime)
    assert server.open_transactions == 0
    assert read(lenient.process(requests(client)[kind])).kind != BodyType.ERROR


@pytest.mark.parametrize("minutes", [-4, 4])
def test_message_time_that_will_do(server: Server, minutes: int) -> None:
    enroll(server, Forger(time=now() + datetime.timedelta(minutes=minutes)))


def test_clock_tolerance(ca: EmbeddedCA) -> None:
    server = ca.server(clock_tolerance=3600)
    enroll(server, Forger(time=now() + datetime.timedelta(minutes=30)))
    refused(server, Forger(time=now() + datetime.timedelta(hours=2)).request(), FailureInfo.badTime)


@pytest.mark.parametrize("nonce", [None, b"x", bytes(15)])
def test_sender_nonce(server: Server, lenient: Server, nonce: bytes | None) -> None:
    answer = refused(server, Forger(nonce=nonce).request(), FailureInfo.badSenderNonce)
    assert "senderNonce" in answer.text
    enroll(lenient, Forger(nonce=nonce))


def test_sender_nonce_in_the_next_message(server: Server) -> None:
    client, answer = enroll(server, Forger())
    confirmation = client.but(nonce=bytes(8)).cert_conf(sha256(answer.certificate))
    refused(server, confirmation, FailureInfo.badSenderNonce)
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


def test_long_sender_nonce(server: Server) -> None:
    enroll(server, Forger(nonce=os.urandom(32)))


@pytest.mark.parametrize("kind", ["ir", "genm"])
def test_recip_nonce_in_a_first_message(server: Server, lenient: Server, kind: str) -> None:
    client = Forger(recip_nonce=os.urandom(16))
    refused(server, requests(client)[kind], FailureInfo.badRecipientNonce)
    assert read(lenient.process(requests(client)[kind])).kind != BodyType.ERROR


@pytest.mark.parametrize("transaction_id", [None, b"", b"x", bytes(15)])
def test_transaction_id(server: Server, transaction_id: bytes | None) -> None:
    refused(server, Forger(transaction_id=transaction_id).request(), FailureInfo.badDataFormat)


def test_short_transaction_id_as_openssl_takes_it(lenient: Server) -> None:
    enroll(lenient, Forger(transaction_id=b"x"))


@pytest.mark.parametrize("pvno", [0, 1, 7])
def test_version(server: Server, lenient: Server, pvno: int) -> None:
    refused(server, Forger(pvno=pvno).request(), FailureInfo.unsupportedVersion)
    refused(lenient, Forger(pvno=pvno).request(), FailureInfo.badRequest)


# -- the protection ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "client",
    [
        Forger(secret=b"guess"),
        Forger(reference=b"nobody"),
        Forger(reference=None),
        Forger(protected=False),
    ],
    ids=["wrong secret", "unknown reference", "no senderKID", "none"],
)
def test_protection_by_secret(server: Server, lenient: Server, client: Forger) -> None:
    refused(server, client.request(), FailureInfo.badMessageCheck)
    refused(lenient, client.request(), FailureInfo.badRequest)
    assert server.open_transactions == 0


def pbm(owf: bytes = SHA256, mac: bytes = SHA256, iterations: int = 500) -> bytes:
    """A password-based MAC with these algorithms."""
    parameters = sequence(octets(bytes(16)), owf, der.encode_integer(iterations), mac)
    return sequence(der.encode_oid(wire.PBM_OID), parameters)


UNKNOWN = sequence(der.encode_oid("1.2.3.4"))


@pytest.mark.parametrize(
    "algorithm",
    [
        UNKNOWN,
        sequence(der.encode_oid("1.2.840.113533.7.66.30"), b"\x05\x00"),  # DH-based MAC
        sequence(der.encode_oid("1.2.840.113549.1.5.14"), sequence()),  # PBMAC1
        pbm(owf=UNKNOWN),
        pbm(mac=UNKNOWN),
        pbm(iterations=10**8),
    ],
    ids=["unknown", "DH", "PBMAC1", "hash", "MAC", "iterations"],
)
def test_protection_algorithm(server: Server, lenient: Server, algorithm: bytes) -> None:
    refused(server, Forger(algorithm=algorithm).request(), FailureInfo.badAlg)
    refused(lenient, Forger(algorithm=algorithm).request(), FailureInfo.badRequest)


def test_untrusted_signer(server: Server, lenient: Server, member: Forger) -> None:
    answer = refused(server, member.request(), FailureInfo.signerNotTrusted)
    assert "extraCerts ends below" in answer.text  # the root is not there, and is not trusted
    refused(lenient, member.request(), FailureInfo.badRequest)


def test_incomplete_chain(ca: EmbeddedCA, member: Forger, pki: PKI) -> None:
    server = ca.server(trusted=[pki.root.certificate])
    enroll(server, member)
    answer = refused(
        server, member.but(chain=(), transaction_id=bytes(16)).request(), FailureInfo.signerNotTrusted
    )
    assert pki.issuing.certificate.subject.rfc4514_string() in answer.text


def test_forged_signature(ca: EmbeddedCA, member: Forger, pki: PKI) -> None:
    server = ca.server(trusted=[pki.root.certificate])
    forged = member.but(key=ec.generate_private_key(ec.SECP256R1()))
    refused(server, forged.request(), FailureInfo.badMessageCheck)


class WithoutCerts(Forger):
    """Sends no extraCerts."""

    def message(self, kind: int, content: bytes) -> bytes:
        parts = der.children(der.read(super().message(kind, content)).content)
        return sequence(*(part.encoding for part in parts[:3]))


class OtherFirst(Forger):
    """The issuer comes before the protection certificate."""

    def message(self, kind: int, content: bytes) -> bytes:
        parts = der.children(der.read(super().message(kind, content)).content)
        first, second = der.sequence(parts[3].content)
        return sequence(
            *(part.encoding for part in parts[:3]),
            encode(explicit(1), sequence(second.encoding, first.encoding)),
        )


def test_extra_certs(ca: EmbeddedCA, member: Forger, pki: PKI) -> None:
    server = ca.server(trusted=[pki.root.certificate])
    fields = vars(member)
    answer = refused(server, WithoutCerts(**fields).request(), FailureInfo.signerNotTrusted)
    assert answer.text == "extraCerts lacks the protection certificate"
    answer = refused(server, OtherFirst(**fields).request(), FailureInfo.badMessageCheck)
    assert "senderKID" in answer.text
    # OpenSSL takes the certificate from wherever it stands.
    lenient = ca.server(trusted=[pki.root.certificate], strictness="openssl")
    enroll(lenient, OtherFirst(**fields))


def test_sender_that_is_not_the_signer(ca: EmbeddedCA, member: Forger, pki: PKI) -> None:
    trusting = {"trusted": [pki.root.certificate]}
    other = member.but(sender=encode(wire.DIRECTORY_NAME, make_name("another").public_bytes()))
    answer = refused(ca.server(**trusting), other.request(), FailureInfo.badMessageCheck)
    assert "sender is not the subject" in answer.text
    refused(ca.server(**trusting, strictness="openssl"), other.request(), FailureInfo.badRequest)


@pytest.mark.parametrize("sender", [encode(0x82, b"client.example"), encode(0x81, b"a@b.example")])
def test_sender_that_is_no_directory_name(server: Server, sender: bytes) -> None:
    refused(server, Forger(sender=sender).request(), FailureInfo.badDataFormat)


# -- the request: answered in ip, cp, kup, rp ----------------------------------------------------------------

ANSWERS = {IR: BodyType.IP, CR: BodyType.CP, KUR: BodyType.KUP}


@pytest.mark.parametrize("kind", [IR, CR, KUR])
def test_number_of_requests(server: Server, lenient: Server, kind: int) -> None:
    for count in (0, 2):
        single = der.read(wire.read_message(Forger().request(kind), 1 << 16).body).content
        message = Forger().message(kind, sequence(single * count))
        refused(server, message, FailureInfo.badRequest, ANSWERS[kind])
        refused(lenient, message, FailureInfo.badRequest)
    assert server.open_transactions == 0


@pytest.mark.parametrize("kind", [IR, CR, KUR])
def test_request_id(server: Server, kind: int) -> None:
    answer = refused(server, Forger().request(kind, request_id=7), FailureInfo.badRequest, ANSWERS[kind])
    response = der.sequence(der.sequence(der.sequence(answer.raw.body)[0].encoding)[0].encoding)
    assert der.integer(response[0]) == 7


@pytest.mark.parametrize("count", [0, 2])
def test_number_of_revocations(server: Server, ca: EmbeddedCA, count: int) -> None:
    single = der.read(wire.read_message(Forger().rr(ca.issuer.subject, 5), 1 << 16).body).content
    refused(server, Forger().message(RR, sequence(single * count)), FailureInfo.badRequest, BodyType.RP)


@pytest.mark.parametrize(
    "popo",
    [b"", b"\x80\x00", encode(explicit(2), b"\x81\x01\x00")],
    ids=["none", "raVerified", "keyEncipherment"],
)
def test_proof_of_possession(server: Server, popo: bytes) -> None:
    for kind, answer in ANSWERS.items():
        refused(server, Forger().request(kind, popo=popo), FailureInfo.badPOP, answer)


def test_proof_of_possession_in_a_csr(server: Server, pki: PKI) -> None:
    csr = bytearray(pki.client.csr().public_bytes(Encoding.DER))
    csr[-1] ^= 1
    refused(server, Forger().message(P10CR, bytes(csr)), FailureInfo.badPOP, BodyType.CP)


def test_update_without_old_cert_id(pki: PKI) -> None:
    """The server says so before it asks any authority."""
    authority = Scripted(issue=Issued(pki.client.certificate))
    strict, lenient = Server(authority), Server(authority, strictness="openssl")
    refused(strict, Forger().request(KUR), FailureInfo.badCertId, BodyType.KUP)
    assert authority.asked == []
    assert read(lenient.process(Forger().request(KUR))).status == PKIStatus.accepted


def test_revocation_of_nothing(server: Server) -> None:
    message = Forger().message(RR, sequence(sequence(sequence())))
    refused(server, message, FailureInfo.badCertTemplate, BodyType.RP)


@pytest.mark.parametrize("reason", [7, 11, 99])
def test_unknown_reason(server: Server, ca: EmbeddedCA, reason: int) -> None:
    message = Forger().rr(ca.issuer.subject, 5, reason)
    answer = read(server.process(message))
    assert (answer.kind, answer.status) == (BodyType.RP, PKIStatus.rejection)
    assert FailureInfo(answer.failure) == FailureInfo.badDataFormat


# -- certConf ------------------------------------------------------------------------------------------------


def test_cert_conf(server: Server) -> None:
    """One failInfo for each thing that can be wrong with it."""
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    refused(server, client.cert_conf(good, 1), FailureInfo.badCertId)
    refused(server, client.cert_conf(good, count=2), FailureInfo.badRequest)
    refused(server, client.but(protected=False).cert_conf(good), FailureInfo.wrongIntegrity)
    refused(server, client.but(recip_nonce=bytes(16)).cert_conf(good), FailureInfo.badRecipientNonce)
    refused(server, client.but(secret=b"guess").cert_conf(good), FailureInfo.badMessageCheck)
    old = client.but(time=now() - datetime.timedelta(hours=1))
    refused(server, old.cert_conf(good), FailureInfo.badTime)
    assert server.open_transactions == 1
    assert read(server.process(client.cert_conf(good))).kind == BodyType.PKICONF


def test_cert_conf_as_openssl_takes_it(lenient: Server) -> None:
    client, answer = enroll(lenient, Forger())
    good = sha256(answer.certificate)
    for bad in (
        client.cert_conf(good, 1),
        client.but(recip_nonce=bytes(16)).cert_conf(good),
        client.but(protected=False).cert_conf(good),
    ):
        refused(lenient, bad, FailureInfo.badRequest)
    assert read(lenient.process(client.cert_conf(good, count=2))).kind == BodyType.PKICONF
    client, _ = enroll(lenient, Forger())
    refused(lenient, client.cert_conf(bytes(32)), FailureInfo.badRequest)


def test_cert_conf_twice(server: Server) -> None:
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    assert read(server.process(client.cert_conf(good))).kind == BodyType.PKICONF
    refused(server, client.cert_conf(good, info=REJECTION), FailureInfo.certConfirmed)
    refused(server, client.poll(), FailureInfo.badRequest)


@pytest.mark.parametrize("option", [{"strictness": "harsh"}, {"clock_tolerance": 0}])
def test_options(ca: EmbeddedCA, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"strictness|positive"):
        ca.server(**option)


# -- a lost answer -------------------------------------------------------------------------------------------


def test_sent_again(server: Server, ca: EmbeddedCA) -> None:
    """Each message of a transaction is answered again as it was, without being decided again."""
    client = Forger()
    message = client.request()
    response = server.process(message)
    assert server.process(message) == response
    assert len(ca.records) == 1
    client = client.answering(response)
    confirmation = client.cert_conf(sha256(read(response).certificate))
    confirmed = server.process(confirmation)
    assert read(confirmed).kind == BodyType.PKICONF
    assert server.process(confirmation) == confirmed
    assert server.open_transactions == 0


def test_whole_transaction_sent_again(server: Server, ca: EmbeddedCA) -> None:
    for message in (
        Forger(info=(IMPLICIT_CONFIRM,)).request(),
        Forger().genm(),
        Forger().message(GENM, sequence()),
    ):
        assert server.process(message) == server.process(message)
    assert len(ca.records) == 1


def test_sent_again_too_early(ca: EmbeddedCA) -> None:
    """The first message is still being decided: the second waits for the same answer."""
    begun, go_on = threading.Event(), threading.Event()

    def policy(_: object) -> None:
        begun.set()
        assert go_on.wait(20)

    ca.policy = policy
    server = ca.server()
    message = Forger().request()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(server.process, message)
        assert begun.wait(20)
        second = threads.submit(server.process, message)
        go_on.set()
        assert first.result(20) == second.result(20)
    assert len(ca.records) == 1


def reply_to(message: bytes, answer: bytes) -> Reply:
    return Reply(hashlib.sha256(message).digest(), answer)


def test_few_replies_are_kept() -> None:
    now = [0.0]
    replies = Replies(limit=2, max_size=100, seconds=10, clock=lambda: now[0])
    for name in (b"a", b"b", b"c"):
        replies.keep(name, reply_to(b"?" + name, b"!" + name), confirmed=name == b"c")
    assert replies.find(b"a", b"?a") is None
    assert replies.find(b"b", b"?b") == b"!b"
    assert replies.find(b"b", b"?x") is None
    assert (replies.confirmed(b"b"), replies.confirmed(b"c"), replies.confirmed(b"x")) == (False, True, False)
    replies.keep(b"d", reply_to(b"?", bytes(99)), confirmed=False)
    assert len(replies) == 1
    replies.keep(b"e", reply_to(b"?", bytes(101)), confirmed=False)
    assert len(replies) == 0
    replies.keep(b"f", reply_to(b"?f", b"!f"), confirmed=False)
    now[0] = 11
    assert replies.find(b"f", b"?f") is None


def test_refusals_are_not_kept(server: Server) -> None:
    message = Forger(secret=b"guess").request()
    first, second = server.process(message), server.process(message)
    assert first != second
    assert read(second).failure == FailureInfo.badMessageCheck


def test_not_the_same_message(server: Server) -> None:
    client = Forger()
    server.process(client.request())
    refused(server, client.request(), FailureInfo.transactionIdInUse)


# -- what the authority is told ------------------------------------------------------------------------------


class Watching(Scripted):
    """Remembers what has expired."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(**answers)
        self.late: list[tuple[Any, Any]] = []

    def expired(self, request: Any, certificate: Any) -> None:
        self.late.append((request, certificate))
        if "expired" in self.answers:
            raise self.answers["expired"]


def test_expired(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    authority = Watching(issue=Issued(pki.client.certificate), expired=RuntimeError("no database"))
    server = Server(authority, transaction_timeout=10)
    server._table._clock = lambda: now[0]
    client = Forger()
    server.process(client.request())
    now[0] = 11
    server.sweep()
    assert [(r.transaction_id, c) for r, c in authority.late] == [
        (client.transaction_id, pki.client.certificate)
    ]
    assert "no database" in caplog.text
    now[0] = 50
    server.sweep()
    assert len(authority.late) == 1
    assert server.open_transactions == 0


def test_expired_while_waiting() -> None:
    now = [0.0]
    authority = Watching(issue=Waiting(100))
    server = Server(authority, transaction_timeout=10)
    server._table._clock = lambda: now[0]
    server.process(Forger().request())
    now[0] = 105
    server.sweep()
    assert authority.late == []
    now[0] = 111
    server.sweep()
    assert [c for _, c in authority.late] == [None]


def test_authority_that_does_not_want_to_know(pki: PKI) -> None:
    """One that only has the methods of before."""

    class Old:
        def __getattr__(self, name: str) -> Any:
            if name == "expired":
                raise AttributeError(name)
            return getattr(Scripted(issue=Issued(pki.client.certificate)), name)

    now = [0.0]
    server = Server(Old(), transaction_timeout=10)
    server._table._clock = lambda: now[0]
    server.process(Forger().request())
    now[0] = 11
    server.sweep()
    assert server.open_transactions == 0


# -- trust bootstrap -----------------------------------------------------------------------------------------


def test_signed_answers(ca: EmbeddedCA) -> None:
    """The client knows a secret and trusts the root."""
    server = ca.server(sign_always=True)
    client, answer = enroll(server, Forger())
    assert not answer.raw.header.uses_mac
    assert server.certificate is not None
    assert answer.raw.extra_certs[0] == server.certificate.public_bytes(Encoding.DER)
    confirmed = read(server.process(client.cert_conf(sha256(answer.certificate))))
    assert (confirmed.kind, confirmed.raw.header.uses_mac) == (BodyType.PKICONF, False)
    bad = refused(server, Forger(secret=b"guess").request(), FailureInfo.badMessageCheck)
    assert not bad.raw.header.uses_mac
    with pytest.raises(ValueError, match="sign_always"):
        ca.server(sign_always=True, certificate=None, key=None)


def test_signed_answers_are_good(ca: EmbeddedCA) -> None:
    server = ca.server(sign_always=True)
    client = osslcmp.Client(transport=server, reference="ref", secret="secret", trusted=[ca.root])
    assert client.ir(make_key(), subject=make_name("new")).certificate
    assert ca.records[0].confirmed
    stranger = osslcmp.Client(transport=server, reference="ref", secret="secret", trusted=[EmbeddedCA().root])
    with pytest.raises(osslcmp.ProtectionError):
        stranger.ir(make_key(), subject=make_name("new"))
