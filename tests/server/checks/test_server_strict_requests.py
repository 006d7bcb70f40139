"""What the server checks of requests and confirmations beyond libcrypto, failInfo by failInfo."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import (
    CR,
    IR,
    KUR,
    P10CR,
    RR,
    Forger,
    enroll,
    now,
    read,
    refused,
    sequence,
    sha256,
)
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Server, wire

REJECTION = sequence(der.encode_integer(PKIStatus.rejection))


@pytest.fixture
def server(ca: EmbeddedCA) -> Server:
    """It takes kur and rr under a shared secret."""
    return ca.server(strictness="rfc9810")


@pytest.fixture
def lenient(ca: EmbeddedCA) -> Server:
    """It answers as OpenSSL does."""
    return ca.server(strictness="openssl")


# -- the request: answered in ip, cp, kup, rp ----------------------------------------------------------------

ANSWERS = {IR: BodyType.IP, CR: BodyType.CP, KUR: BodyType.KUP}


@pytest.mark.parametrize("kind", [IR, CR, KUR])
def test_number_of_requests(server: Server, lenient: Server, kind: int) -> None:
    for count in (0, 2):
        single = der.read(wire.read_message(Forger().request(kind)).body).content
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
    single = der.read(wire.read_message(Forger().rr(ca.issuer.subject, 5)).body).content
    refused(server, Forger().message(RR, sequence(single * count)), FailureInfo.badRequest, BodyType.RP)


@pytest.mark.parametrize(
    "popo",
    [b"", b"\x80\x00", encode(explicit(2), b"\x81\x01\x00")],
    ids=["none", "raVerified", "keyEncipherment"],
)
def test_proof_of_possession(server: Server, popo: bytes) -> None:
    failure = FailureInfo.notAuthorized if popo == b"\x80\x00" else FailureInfo.badPOP
    for kind, answer in ANSWERS.items():
        refused(server, Forger().request(kind, popo=popo), failure, answer)


def test_proof_of_possession_in_a_csr(server: Server, pki: PKI) -> None:
    csr = bytearray(pki.client.csr().public_bytes(Encoding.DER))
    csr[-1] ^= 1
    refused(server, Forger().message(P10CR, bytes(csr)), FailureInfo.badPOP, BodyType.CP)


def test_revocation_of_nothing(server: Server) -> None:
    message = Forger().message(RR, sequence(sequence(sequence())))
    refused(server, message, FailureInfo.addInfoNotAvailable, BodyType.RP)


@pytest.mark.parametrize("reason", [7, 11, 99])
def test_unknown_reason(server: Server, ca: EmbeddedCA, reason: int) -> None:
    message = Forger().rr(ca.issuer.subject, 5, reason)
    answer = read(server.process(message))
    assert (answer.kind, answer.status) == (BodyType.RP, PKIStatus.rejection)
    assert FailureInfo(answer.failure) == FailureInfo.badRequest


# -- certConf ------------------------------------------------------------------------------------------------


def test_cert_conf(server: Server) -> None:
    """One failInfo for each thing that can be wrong with it."""
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    refused(server, client.cert_conf(good, 1), FailureInfo.badRequest)
    refused(server, client.cert_conf(good, count=2), FailureInfo.badRequest)
    refused(server, client.but(protected=False).cert_conf(good), FailureInfo.badMessageCheck)
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
