"""What the server checks of header and protection beyond libcrypto, failInfo by failInfo."""

from __future__ import annotations

import datetime
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import (
    IR,
    SHA256,
    Forger,
    enroll,
    now,
    octets,
    read,
    refused,
    sequence,
    sha256,
)
from support.pki import PKI, make_name

from osslcmp import BodyType, FailureInfo
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Server, wire


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
    return sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), parameters)


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
    answer = refused(server, WithoutCerts(**fields).request(), FailureInfo.badMessageCheck)
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
    refused(server, Forger(sender=sender).request(), FailureInfo.badMessageCheck)
