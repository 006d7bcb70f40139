"""The server against messages that no honest client sends, made by hand."""

from __future__ import annotations

import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import (
    CERTCONF,
    GENM,
    IMPLICIT_CONFIRM,
    POLLREQ,
    Forger,
    enroll,
    read,
    refused,
    sequence,
    sha256,
)

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import (
    EmbeddedCA,
    MalformedMessageError,
    MessageTooLargeError,
    Server,
    waiting,
)
from osslcmp.server.transaction_store import TransactionStore


@pytest.fixture
def ca() -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret", "other": "other secret"})


def test_enrollment(server: Server, ca: EmbeddedCA) -> None:
    client, answer = enroll(server, Forger())
    header = answer.raw.header
    assert header.transaction_id == client.transaction_id
    assert header.sender_kid == b"ref"
    assert server.open_transactions == 1
    assert not ca.records[0].confirmed
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
    assert ca.records[0].confirmed
    assert server.open_transactions == 0


def test_implicit_confirmation(server: Server, ca: EmbeddedCA) -> None:
    _, answer = enroll(server, Forger(info=(IMPLICIT_CONFIRM,)))
    assert answer.raw.header.implicit_confirm
    assert ca.records[0].confirmed
    assert server.open_transactions == 0


def test_implicit_confirmation_not_granted(ca: EmbeddedCA) -> None:
    server = ca.server(grant_implicit_confirm=False)
    client, answer = enroll(server, Forger(info=(IMPLICIT_CONFIRM,)))
    assert not answer.raw.header.implicit_confirm
    assert not ca.records[0].confirmed
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


# -- certConf ------------------------------------------------------------------------------------------------


def test_wrong_cert_hash(server: Server, ca: EmbeddedCA) -> None:
    client, _ = enroll(server, Forger())
    refused(server, client.cert_conf(bytes(32)), FailureInfo.badCertId)
    # The certificate is no good to anybody, and the transaction has ended.
    assert not ca.records[0].confirmed
    assert ca.records[0].revoked is not None
    assert server.open_transactions == 0


@pytest.mark.parametrize("request_id", [1, -1, 2**40])
def test_wrong_request_id(server: Server, request_id: int) -> None:
    client, answer = enroll(server, Forger())
    refused(server, client.cert_conf(sha256(answer.certificate), request_id), FailureInfo.badRequest)


def test_two_statuses(server: Server) -> None:
    client, answer = enroll(server, Forger())
    refused(server, client.cert_conf(sha256(answer.certificate), count=2), FailureInfo.badRequest)


def test_client_rejects(server: Server, ca: EmbeddedCA) -> None:
    client, answer = enroll(server, Forger())
    info = sequence(der.encode_integer(2), sequence(der.encode_text("do not like it")))
    confirmation = client.cert_conf(sha256(answer.certificate), info=info)
    assert read(server.process(confirmation)).kind == BodyType.PKICONF
    assert not ca.records[0].confirmed
    assert ca.records[0].revoked is not None


def test_client_rejects_without_a_word(server: Server, ca: EmbeddedCA) -> None:
    client, _ = enroll(server, Forger())
    assert read(server.process(client.message(CERTCONF, sequence()))).kind == BodyType.PKICONF
    assert not ca.records[0].confirmed
    assert ca.records[0].revoked is not None


@pytest.mark.parametrize("body", [b"\x05\x00", sequence(b"\x05\x00"), sequence(sequence()), b""])
def test_malformed_confirmation(server: Server, body: bytes) -> None:
    client, _ = enroll(server, Forger())
    refused(server, client.message(CERTCONF, body), FailureInfo.badDataFormat)


# -- who may go on with a transaction ------------------------------------------------------------------------


def test_intruders(server: Server, ca: EmbeddedCA) -> None:
    """Whoever knows an open transaction but not its secret can neither use nor end it."""
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    stranger = client.but(secret=b"guess")
    refused(server, stranger.cert_conf(good), FailureInfo.badMessageCheck)
    refused(server, stranger.error(), FailureInfo.badMessageCheck)
    refused(server, stranger.poll(), FailureInfo.badRequest)
    refused(server, client.but(recip_nonce=os.urandom(16)).cert_conf(good), FailureInfo.badRecipientNonce)
    refused(server, client.but(recip_nonce=None).error(), FailureInfo.badRecipientNonce)
    refused(server, client.but(protected=False).cert_conf(good), FailureInfo.badMessageCheck)
    neighbour = client.but(reference=b"other", secret=b"other secret")
    refused(server, neighbour.cert_conf(good), FailureInfo.badMessageCheck)
    refused(server, neighbour.error(), FailureInfo.badMessageCheck)
    refused(server, neighbour.but(recip_nonce=None).request(), FailureInfo.transactionIdInUse)
    assert server.open_transactions == 1
    assert read(server.process(client.cert_conf(good))).kind == BodyType.PKICONF
    assert ca.records[0].confirmed


def test_intruders_while_polling(server: Server, ca: EmbeddedCA) -> None:
    ca.policy = waiting(2, 7)
    client = Forger()
    response = server.process(client.request())
    assert read(response).status == PKIStatus.waiting
    client = client.answering(response)
    for expected in (BodyType.POLLREP, BodyType.IP):
        refused(server, client.but(secret=b"guess").poll(), FailureInfo.badMessageCheck)
        refused(server, client.cert_conf(bytes(32)), FailureInfo.badRequest)
        refused(server, client.poll(1), FailureInfo.badRequest)
        refused(server, client.poll(count=2), FailureInfo.badRequest)
        response = server.process(client.poll())
        assert read(response).kind == expected
        client = client.answering(response)
    assert len(ca.records) == 1


def test_transaction_id_in_use_says_so_to_the_newcomer_only(server: Server) -> None:
    client, answer = enroll(server, Forger())
    refused(server, client.but(recip_nonce=None).request(), FailureInfo.transactionIdInUse)
    refused(server, client.but(recip_nonce=None).genm(), FailureInfo.transactionIdInUse)
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


def test_unknown_transaction(server: Server) -> None:
    client = Forger(recip_nonce=os.urandom(16))
    for message in (client.cert_conf(bytes(32)), client.poll(), client.error()):
        assert refused(server, message, FailureInfo.badRequest).text == "no such transaction"


@pytest.mark.parametrize("body", [b"\x05\x00", sequence(b"\x05\x00"), sequence(sequence()), b""])
def test_malformed_poll(server: Server, ca: EmbeddedCA, body: bytes) -> None:
    ca.policy = waiting(1)
    client = Forger()
    client = client.answering(server.process(client.request()))
    refused(server, client.message(POLLREQ, body), FailureInfo.badDataFormat)
    assert read(server.process(client.poll())).kind == BodyType.IP


def test_client_gives_up(server: Server, ca: EmbeddedCA) -> None:
    ca.policy = waiting(10)
    client = Forger()
    client = client.answering(server.process(client.request()))
    assert server.open_transactions == 1
    assert read(server.process(client.error("no patience"))).kind == BodyType.PKICONF
    assert server.open_transactions == 0
    refused(server, client.poll(), FailureInfo.badRequest)


def test_clients_do_not_meet(server: Server, ca: EmbeddedCA) -> None:
    """One waits, one confirms late, one gives up, one enrols: none notices the others."""
    ca.policy = lambda request: waiting(1)(request) if request.subject == name("patient") else None

    def name(text: str) -> x509.Name:
        return x509.Name.from_rfc4514_string(f"CN={text}")

    patient = Forger(reference=b"other", secret=b"other secret")
    patient = patient.answering(server.process(patient.request(name="patient")))
    slow, slow_answer = enroll(server, Forger())
    leaver, _ = enroll(server, Forger())
    assert server.open_transactions == 3
    assert read(server.process(leaver.error())).kind == BodyType.PKICONF
    quick, quick_answer = enroll(server, Forger())
    assert read(server.process(quick.cert_conf(sha256(quick_answer.certificate)))).kind == BodyType.PKICONF
    response = server.process(patient.poll())
    got = read(response).certificate
    assert got is not None
    assert got.subject == name("patient")
    assert read(server.process(slow.cert_conf(sha256(slow_answer.certificate)))).kind == BodyType.PKICONF
    assert read(server.process(patient.answering(response).cert_conf(sha256(got)))).kind == BodyType.PKICONF
    assert server.open_transactions == 0


def test_too_many_transactions(ca: EmbeddedCA) -> None:
    server = ca.server(max_transactions=2)
    first, answer = enroll(server, Forger())
    enroll(server, Forger())
    refused(server, Forger().request(), FailureInfo.systemUnavail)
    assert read(server.process(first.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
    enroll(server, Forger())


def test_strangers_take_no_room(ca: EmbeddedCA) -> None:
    server = ca.server(max_transactions=1)
    for _ in range(5):
        refused(server, Forger(secret=b"guess").request(), FailureInfo.badMessageCheck)
    enroll(server, Forger())


def test_time_limit(ca: EmbeddedCA) -> None:
    now = [0.0]
    server = ca.server(transaction_timeout=10, transactions=TransactionStore(clock=lambda: now[0]))
    client, answer = enroll(server, Forger())
    now[0] = 11
    refused(server, client.cert_conf(sha256(answer.certificate)), FailureInfo.badRequest)
    assert server.open_transactions == 0
    ca.policy = waiting(1, check_after=100)
    patient = Forger()
    patient = patient.answering(server.process(patient.request()))
    now[0] = 115  # it was told to come back after 100 seconds
    assert read(server.process(patient.poll())).kind == BodyType.IP


# -- what is no request at all -------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"", b"GET / HTTP/1.0", bytes(100), b"\x30\x03\x02\x01\x05"])
def test_garbage(server: Server, garbage: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        server.process(garbage)


def test_too_large(ca: EmbeddedCA) -> None:
    message = Forger().request()
    with pytest.raises(MessageTooLargeError):
        ca.server(max_message_size=len(message) - 1).process(message)


@pytest.mark.parametrize("kind", [1, 3, 5, 9, 12, 13, 19, 22, 26])
def test_not_for_a_server(server: Server, kind: int) -> None:
    refused(server, Forger().message(kind, sequence()), FailureInfo.badRequest)


@pytest.mark.parametrize("pvno", [0, 1, 4, -1, 2**70, pytest.param(2**30000, id="huge")])
def test_unsupported_version(server: Server, pvno: int) -> None:
    refused(server, Forger(pvno=pvno).request(), FailureInfo.unsupportedVersion)


@pytest.mark.parametrize(
    "sender",
    [
        b"\x05\x00",
        der.encode(0xA4, b"\x05\x00"),
        der.encode(0xA4, sequence(b"\x05\x00")),
        der.encode(0x82, b"client.example"),
        der.encode(
            0xA4, sequence(der.encode(0x31, sequence(der.encode_oid("2.5.4.3"), b"\x0c\x02\xff\xfe")))
        ),
    ],
)
def test_sender_that_is_no_name(server: Server, sender: bytes) -> None:
    answer = read(server.process(Forger(sender=sender).request()))
    assert (answer.kind, answer.raw.protected) == (BodyType.ERROR, True)


def test_no_transaction_id(server: Server) -> None:
    answer = refused(server, Forger(transaction_id=None).request(), FailureInfo.badDataFormat)
    assert answer.text == "no transactionID"


@pytest.mark.parametrize("kind", [0, 2, 4, 7, 11, 21])
@pytest.mark.parametrize("body", [b"\x05\x00", sequence(b"\x05\x00"), sequence(sequence(b"\x05\x00"))])
def test_body_that_does_not_decode(ca: EmbeddedCA, kind: int, body: bytes) -> None:
    server = ca.server(strictness="rfc9810")
    answer = refused(server, Forger().message(kind, body), FailureInfo.badDataFormat)
    assert answer.text.startswith("malformed message: libcrypto cannot decode ")
    assert server.open_transactions == 0


def test_unprotected(server: Server) -> None:
    answer = refused(server, Forger(protected=False).request(), FailureInfo.badMessageCheck)
    assert answer.text == "missing protection"


def test_accept_unprotected(ca: EmbeddedCA) -> None:
    """The reference of an unprotected message is worth nothing, so the authority does not get it."""
    server = ca.server(accept_unprotected=True)
    for client in (Forger(protected=False), Forger(secret=b"wrong")):
        answer = read(server.process(client.request()))
        assert answer.status == PKIStatus.accepted
    assert [record.reference for record in ca.records] == [None, None]
    assert read(server.process(Forger().request())).status == PKIStatus.accepted
    assert ca.records[-1].reference == b"ref"


def test_unprotected_errors(ca: EmbeddedCA) -> None:
    server = ca.server(send_unprotected_errors=True)
    answer = read(server.process(Forger(recip_nonce=bytes(16)).poll()))
    assert answer.kind == BodyType.ERROR
    assert not answer.raw.protected
    assert not read(server.process(Forger(secret=b"wrong").request())).raw.protected


def test_secret_only() -> None:
    """A server without a certificate serves those who share a secret with it."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(certificate=None, key=None)
    client, answer = enroll(server, Forger())
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
    refused(server, client.poll(), FailureInfo.badRequest)
    # With a stranger it has nothing in common to protect an answer with.
    stranger = read(server.process(Forger(reference=b"stranger").request()))
    assert (stranger.kind, stranger.raw.protected) == (BodyType.ERROR, False)


# -- requests ------------------------------------------------------------------------------------------------


def test_proof_of_possession_by_another_key(server: Server) -> None:
    signed = read(server.process(Forger().request(popo=None)))
    assert signed.status == PKIStatus.accepted
    other = ec.generate_private_key(ec.SECP256R1())

    class Thief(Forger):
        def message(self, kind: int, content: bytes) -> bytes:
            # The template's public key is exchanged after the proof was made.
            request = der.sequence(der.sequence(content)[0].encoding)
            mine = der.sequence(der.sequence(Forger().request(kind, key=other))[1].content)
            theirs = der.sequence(mine[0].encoding)
            return super().message(kind, sequence(sequence(theirs[0].encoding, request[1].encoding)))

    answer = read(server.process(Thief().request()))
    assert server.open_transactions == 1  # the first client's, who is to confirm
    assert answer.status == PKIStatus.rejection
    assert FailureInfo(answer.failure) == FailureInfo.badPOP


def test_ra_verified(ca: EmbeddedCA) -> None:
    message = Forger().request(popo=b"\x80\x00")
    answer = read(ca.server().process(message))
    assert FailureInfo(answer.failure) == FailureInfo.notAuthorized
    answer = read(ca.server(accept_raverified=True).process(message))
    assert answer.status == PKIStatus.accepted


def test_strange_infos(server: Server) -> None:
    """Types that libcrypto knows, with values of the wrong type, and types that nobody knows."""
    known = [f"1.3.6.1.5.5.7.4.{number}" for number in range(1, 25)]
    for oid in [*known, "1.2.3.4"]:
        for value in (b"", b"\x05\x00", b"\x30\x00", b"\x02\x01\x05", b"\x04\x01a", b"\x16\x01a"):
            info = sequence(der.encode_oid(oid), value)
            answer = read(server.process(Forger().genm(info)))
            assert answer.kind in (BodyType.GENP, BodyType.ERROR), (oid, value)
    assert read(server.process(Forger().message(GENM, sequence()))).kind == BodyType.GENP
