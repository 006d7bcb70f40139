"""Answers to rr, genm and certConf that have to wait: the client polls for them as for a certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support import openssl, openssl_cmp
from support.authorities import Scripted
from support.clients import HARMLESS
from support.forge import IMPLICIT_CONFIRM, Forger, enroll, read, refused, sequence, sha256
from support.persistent import REFERENCE, SECRET, Worker, opened
from support.pki import PKI, cert_pem, key_pem, make_key
from support.releases import CLIENT_WAITS_FOR_ALL

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Issued, Rejected, Revoked, Server, Waiting, bodies, delayed, wire

NAME = x509.Name.from_rfc4514_string("CN=whose certificate")


class Slow(Scripted):
    """Lets clients wait for everything but certificates, ``times`` times."""

    def __init__(self, times: int = 2, check_after: int = 0, **answers: Any) -> None:
        super().__init__(**answers)
        self.times, self.check_after = times, check_after

    def _answer(self, method: str, argument: object) -> Any:
        answer = super()._answer(method, argument)
        if getattr(argument, "polls", self.times) < self.times and method != "issue":
            return Waiting(self.check_after, "the authority is asleep")
        return answer


QUESTIONS: dict[str, tuple[Callable[[Forger], bytes], BodyType]] = {
    "rr": (lambda client: client.rr(NAME, 5), BodyType.RP),
    "genm": (lambda client: client.genm(), BodyType.GENP),
}
ANSWERS: dict[str, Any] = {"revoke": Revoked(), "general": ()}


@pytest.fixture(params=["mac", "signature"])
def credentials(request: pytest.FixtureRequest, pki: PKI) -> dict[str, Any]:
    """Of a client, for a Forger."""
    if request.param == "mac":
        return {}
    return {
        "secret": None,
        "reference": None,
        "certificate": pki.client.certificate,
        "key": pki.client.key,
        "chain": (pki.issuing.certificate,),
    }


def serve(authority: Scripted, pki: PKI, **options: Any) -> Server:
    """A server that signs, and trusts the tests' PKI."""
    given: dict[str, Any] = {
        "certificate": pki.server.certificate,
        "key": pki.server.key,
        "trusted": [pki.root.certificate],
        "strictness": "rfc9810",
    }
    return Server(authority, **{**given, **options})


def waits(response: bytes) -> wire.RawMessage:
    """It is the error message that means *waiting*, and is protected."""
    answer = read(response)
    assert (answer.kind, answer.status, answer.failure) == (BodyType.ERROR, PKIStatus.waiting, 0)
    assert answer.text == "the authority is asleep"
    assert answer.raw.protected
    return answer.raw


def poll_reply(response: bytes) -> tuple[int, int, str]:
    """certReqId, checkAfter and reason of a pollRep."""
    raw = wire.read_message(response)
    assert raw.body_type == BodyType.POLLREP
    assert raw.protected
    parts = der.sequence(der.sequence(raw.body)[0].encoding)
    reason = "".join(map(der.text, der.children(parts[2].content))) if len(parts) > 2 else ""
    return der.integer(parts[0]), der.integer(parts[1]), reason


@pytest.mark.parametrize("strictness", ["rfc9810", "openssl"])
@pytest.mark.parametrize("kind", QUESTIONS)
def test_polling(kind: str, strictness: Any, credentials: dict[str, Any], pki: PKI) -> None:
    ask, expected = QUESTIONS[kind]
    authority = Slow(check_after=7, **ANSWERS)
    server = serve(authority, pki, strictness=strictness)
    client = Forger(**credentials)
    request = ask(client)
    response = server.process(request)
    waits(response)
    assert server.process(request) == response
    assert server.open_transactions == 1
    client = client.answering(response)
    response = server.process(client.poll(-1))
    assert poll_reply(response) == (-1, 7, "the authority is asleep")
    poll = client.answering(response).poll(-1)
    response = server.process(poll)
    answer = read(response)
    assert answer.kind == expected
    assert answer.raw.protected
    assert answer.raw.header.sender_kid == wire.read_message(poll).header.sender_kid or (
        answer.raw.header.sender_kid is not None
    )
    # RFC 9483 and OpenSSL's server differ in what a delayed answer answers.
    named = wire.read_message(request if strictness != "openssl" else poll)
    assert answer.raw.header.recip_nonce == named.header.sender_nonce
    assert server.process(poll) == response
    asked = [question for question in authority.asked if not isinstance(question, bytes)]
    assert [question.polls for question in asked] == [0, 1, 2]
    assert {question.message for question in asked} == {request}
    if credentials:
        assert {question.signer for question in asked} == {pki.client.certificate}
    else:
        assert {question.reference for question in asked} == {b"ref"}
    assert server.open_transactions == 0


@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_confirmation(strictness: Any, credentials: dict[str, Any], pki: PKI) -> None:
    authority = Slow(issue=Issued(pki.enrolled.certificate))
    server = serve(authority, pki, strictness=strictness)
    client, answer = enroll(server, Forger(**credentials))
    confirmation = client.cert_conf(sha256(answer.certificate))
    response = server.process(confirmation)
    waits(response)
    client = client.answering(response)
    refused(server, client.cert_conf(sha256(answer.certificate)), FailureInfo.badRequest)
    response = server.process(client.poll(-1))
    assert poll_reply(response)[0] == -1
    response = server.process(client.answering(response).poll(-1))
    assert read(response).kind == BodyType.PKICONF
    assert [question.polls for question in authority.asked if hasattr(question, "accepted")] == [0, 1, 2]
    assert server.open_transactions == 0
    # It is known how that has ended.
    other = client.cert_conf(sha256(answer.certificate))
    refused(server, other, FailureInfo.certConfirmed if strictness == "strict" else FailureInfo.badRequest)


@pytest.mark.parametrize("kind", QUESTIONS)
def test_no_in_the_end(kind: str, pki: PKI) -> None:
    no = Rejected(FailureInfo.notAuthorized, "no")
    ask, expected = QUESTIONS[kind]
    server = serve(Slow(1, revoke=no, general=no), pki)
    client = Forger()
    response = server.process(ask(client))
    poll = client.answering(response).poll(-1)
    refused(server, poll, no.failure_info, expected if kind == "rr" else BodyType.ERROR)
    assert server.open_transactions == 0


@pytest.mark.parametrize("kind", QUESTIONS)
def test_the_authority_fails_in_the_end(kind: str, pki: PKI) -> None:
    def fail(request: Any) -> Any:
        raise RuntimeError("in a bad dream")

    def answer(request: Any) -> Any:
        return Waiting(0) if request.polls < 1 else fail(request)

    ask, expected = QUESTIONS[kind]
    server = serve(Scripted(revoke=answer, general=answer), pki)
    client = Forger()
    response = server.process(ask(client))
    poll = client.answering(response).poll(-1)
    refused(server, poll, FailureInfo.systemFailure, expected if kind == "rr" else BodyType.ERROR)


def test_intruders(credentials: dict[str, Any], pki: PKI) -> None:
    """A message that is not the client's changes nothing, and gets no answer of the authority."""
    authority = Slow(**ANSWERS)
    server = serve(authority, pki)
    client = Forger(**credentials)
    client = client.answering(server.process(client.genm()))
    asked = len(authority.asked)
    stranger = (
        client.but(key=ec.generate_private_key(ec.SECP256R1()))
        if credentials
        else client.but(secret=b"guess")
    )
    for message, failure in (
        (stranger.poll(-1), FailureInfo.badMessageCheck),
        (client.but(protected=False).poll(-1), FailureInfo.badMessageCheck),
        (client.but(recip_nonce=bytes(16)).poll(-1), FailureInfo.badRecipientNonce),
        (client.poll(0), FailureInfo.badRequest),
        (client.poll(-1, count=2), FailureInfo.badRequest),
        (client.message(BodyType.POLLREQ, b"\x05\x00"), FailureInfo.badDataFormat),
        (client.cert_conf(bytes(32)), FailureInfo.badRequest),
    ):
        refused(server, message, failure)
    assert len([question for question in authority.asked[asked:] if not isinstance(question, bytes)]) == 0
    assert server.open_transactions == 1
    assert poll_reply(server.process(client.poll(-1)))


def test_trust_withdrawn_meanwhile(pki: PKI) -> None:
    """Who is no longer trusted gets no answer, though the request was taken."""
    authority = Slow(1, **ANSWERS)
    server = serve(authority, pki)
    client = Forger.signing(pki)
    client = client.answering(server.process(client.rr(NAME, 5)))
    server.trusted = (pki.server.certificate,)
    refused(server, client.poll(-1), FailureInfo.signerNotTrusted)
    server.trusted = (pki.root.certificate,)
    assert read(server.process(client.poll(-1))).kind == BodyType.RP


def test_the_client_gives_up(pki: PKI) -> None:
    authority = Slow(**ANSWERS)
    server = serve(authority, pki)
    client = Forger()
    client = client.answering(server.process(client.rr(NAME, 5)))
    assert read(server.process(client.error("I have no time"))).kind == BodyType.PKICONF
    notice = authority.asked[-1]
    assert (notice.text, notice.request, notice.certificate) == ("I have no time", None, None)
    assert server.open_transactions == 0
    refused(server, client.poll(-1), FailureInfo.badRequest)


def test_nobody_waits_for_an_implicit_confirmation(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(Slow(issue=Issued(pki.enrolled.certificate)), pki)
    assert read(server.process(Forger(info=(IMPLICIT_CONFIRM,)).request())).status == PKIStatus.accepted
    assert server.open_transactions == 0
    client, _ = enroll(server, Forger())
    assert read(server.process(client.message(BodyType.CERTCONF, sequence()))).kind == BodyType.PKICONF
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "does not wait" in caplog.text


def test_restart_between_polls(tmp_path: Path) -> None:
    """Each message is answered by a process that has seen none of those before."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        client = Forger(secret=SECRET.encode(), reference=REFERENCE.encode())
        _, answer = enroll(ca.server(), client)
        certificate = answer.certificate
    assert certificate is not None

    def process(message: bytes) -> bytes:
        with Worker(tmp_path, delays=2) as worker:
            return worker(message)

    client = client.but(transaction_id=bytes(16))
    for request, expected in (
        (client.rr(certificate.issuer, certificate.serial_number), BodyType.RP),
        (client.but(transaction_id=bytes(17)).genm(), BodyType.GENP),
        (client.but(transaction_id=bytes(18)).request(), BodyType.PKICONF),
    ):
        mine = client.but(transaction_id=wire.read_message(request).transaction_id)
        response = process(request)
        if expected == BodyType.PKICONF:
            mine = mine.answering(response)
            response = process(mine.cert_conf(sha256(read(response).certificate)))
        assert read(response).status == PKIStatus.waiting
        mine = mine.answering(response)
        response = process(mine.poll(-1))
        assert poll_reply(response)[0] == -1
        poll = mine.answering(response).poll(-1)
        response = process(poll)
        assert read(response).kind == expected
        assert process(poll) == response
    with opened(tmp_path) as ca:
        found = {record.certificate.serial_number: record for record in ca.records}
        assert found[certificate.serial_number].revoked is not None
        assert [record.confirmed for record in found.values()] == [False, True]
        assert ca.server().open_transactions == 1


# -- clients -------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_ca() -> EmbeddedCA:
    """Lets everybody wait twice for everything."""
    return EmbeddedCA({"ref": "secret"}, delay=delayed(2, check_after=0))


def test_our_client(slow_ca: EmbeddedCA) -> None:
    """From 3.3 on; before, *waiting* is an error for it."""
    client = osslcmp.Client(transport=slow_ca.server(strictness="rfc9810"), reference="ref", secret="secret")
    if not CLIENT_WAITS_FOR_ALL:
        with pytest.raises(osslcmp.CMPError):
            client.genm([HARMLESS])
        return
    told: list[osslcmp.Progress] = []
    enrollment = client.ir(make_key(), subject="CN=patient")
    assert client.genm([HARMLESS], on_wait=told.append)
    assert client.rr(enrollment.certificate).status is PKIStatus.accepted
    record = slow_ca.record(enrollment.certificate)
    assert record is not None
    assert (record.confirmed, record.revoked is None) == (True, False)
    assert [progress.polls for progress in told] == [1]


@pytest.fixture
def site(slow_ca: EmbeddedCA, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))
    (tmp_path / "root.pem").write_bytes(cert_pem(slow_ca.root))
    with slow_ca.server(strictness="rfc9810").serve() as running:
        yield running.url, tmp_path


@pytest.mark.peer
def test_openssl(site: tuple[str, Path], slow_ca: EmbeddedCA) -> None:
    """The command polls from 3.3 on; before, it takes *waiting* for the refusal that it is then."""
    url, path = site
    mac: dict[str, Any] = {"ref": "ref", "secret": b"secret", "cwd": path, "total_timeout": 20}
    if openssl.version() < (3, 3, 0):
        told = openssl_cmp.cmp("genm", url, **mac, infotype="caCerts").must(1).text
        assert "waiting" in told
        return
    openssl_cmp.cmp("genm", url, **mac, infotype="caCerts", cacertsout="cas.pem").must()
    assert (path / "cas.pem").exists()
    openssl_cmp.cmp("ir", url, **mac, newkey="key.pem", subject="/CN=x", certout="x.pem").must()
    signed: dict[str, Any] = {
        "cert": "x.pem",
        "key": "key.pem",
        "trusted": "root.pem",
        "cwd": path,
        "total_timeout": 20,
    }
    openssl_cmp.cmp("rr", url, **signed, oldcert="x.pem").must()
    record = slow_ca.records[0]
    assert (record.confirmed, record.revoked is None) == (True, False)


def test_poll_ids_are_read() -> None:
    assert bodies.poll_ids(wire.read_message(Forger().poll(-1))) == [-1]
