"""The bodies of answers in a Message: certificates, waiting, confirmation, revocation, errors."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.clients import SECRET
from support.forge import octets
from support.forge import sequence as seq
from support.messages import directory, first_certificate, made, only, texts
from support.pki import PKI

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, message
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, encode_oid, explicit
from osslcmp.message import Message
from osslcmp.server import EmbeddedCA


def test_waiting_and_polling(conversation: list[Message]) -> None:
    """ip with waiting, pollReq, pollRep or the certificate."""
    first = only(conversation, BodyType.IP).body
    assert isinstance(first, message.CertRepMessage)
    assert first.responses[0].status == message.PKIStatusInfo(
        PKIStatus.waiting, FailureInfo(0), ("the authority is thinking",)
    )
    assert first.responses[0].certificate is None
    poll = only(conversation, BodyType.POLLREQ).body
    assert poll == message.PollReq((0,))


def test_confirmation(conversation: list[Message]) -> None:
    """certConf and pkiconf."""
    confirm = only(conversation, BodyType.CERTCONF).body
    assert isinstance(confirm, message.CertConfirm)
    (status,) = confirm.statuses
    certificate = first_certificate(conversation)
    assert status.cert_hash == hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    assert status.request_id == 0
    assert status.status is None or status.status.status is PKIStatus.accepted
    assert status.hash_algorithm is None
    assert only(conversation, BodyType.PKICONF).body == message.PKIConfirm()


def test_revocation_answer_with_everything() -> None:
    """Several statuses, a CertId and a CRL."""
    ca = EmbeddedCA({"ref": SECRET})
    crl = ca.crl().public_bytes(Encoding.DER)
    certificate_id = seq(directory("CN=ca"), encode_integer(5))
    body = made(
        BodyType.RP,
        seq(
            seq(seq(encode_integer(0)), seq(encode_integer(2), texts("no"), der.encode_bits(1 << 4))),
            encode(explicit(0), seq(certificate_id)),
            encode(explicit(1), seq(crl)),
        ),
    ).body
    assert isinstance(body, message.RevRep)
    assert [s.status for s in body.statuses] == [PKIStatus.accepted, PKIStatus.rejection]
    assert body.statuses[1].text == ("no",)
    assert body.statuses[1].failure_info == FailureInfo.badCertId
    assert body.crls[0].public_bytes(Encoding.DER) == crl


def test_certificate_responses(pki: PKI) -> None:
    """caPubs, a certificate, an encrypted one with its key, publication info, rspInfo."""
    certificate = pki.enrolled.certificate.public_bytes(Encoding.DER)
    plain = seq(
        encode_integer(0), seq(encode_integer(1)), seq(encode(explicit(0), certificate)), octets(b"rsp")
    )
    enveloped = encode(explicit(1), ENCRYPTED_VALUE)
    publication = encode(explicit(1), seq(encode_integer(0)))
    hidden = seq(
        encode_integer(-1),
        seq(encode_integer(0)),
        seq(enveloped, encode(explicit(0), ENCRYPTED_VALUE), publication),
    )
    body = made(BodyType.CP, seq(encode(explicit(1), seq(certificate)), seq(plain, hidden))).body
    assert isinstance(body, message.CertRepMessage)
    assert body.ca_pubs == (pki.enrolled.certificate,)
    first, second = body.responses
    assert first.certificate == pki.enrolled.certificate
    assert first.status.status is PKIStatus.grantedWithMods
    assert first.rsp_info == b"rsp"
    assert (second.request_id, second.certificate, second.rsp_info) == (-1, None, None)
    assert second.encrypted_certificate == second.private_key == ENCRYPTED_VALUE
    assert second.publication_info == seq(encode_integer(0))


ENCRYPTED_VALUE = seq(encode(der.BIT_STRING, b"\0cipher"))


def test_error_message() -> None:
    """Status, code, details."""
    info = seq(encode_integer(2), texts("bad", "worse"), der.encode_bits(1 << 9 | 1 << 26))
    body = made(BodyType.ERROR, seq(info, encode_integer(2**80), texts("more"))).body
    assert body == message.ErrorMessage(
        message.PKIStatusInfo(
            PKIStatus.rejection, FailureInfo.badPOP | FailureInfo.duplicateCertReq, ("bad", "worse")
        ),
        2**80,
        ("more",),
    )
    assert made(BodyType.ERROR, seq(seq(encode_integer(9)))).body == message.ErrorMessage(
        message.PKIStatusInfo(PKIStatus(9), FailureInfo(0), ())
    )


def test_poll_answer() -> None:
    """pollRep."""
    body = made(BodyType.POLLREP, seq(seq(encode_integer(-1), encode_integer(3600), texts("busy")))).body
    assert body == message.PollRep((message.PollAnswer(-1, 3600, ("busy",)),))


def test_cert_status_with_hash_algorithm() -> None:
    """certConf of CMP version 3, and a refusal."""
    algorithm = encode(explicit(0), seq(encode_oid("2.16.840.1.101.3.4.2.3")))
    refusal = seq(encode_integer(2), texts("not mine"), der.encode_bits(1 << 7))
    content = seq(seq(octets(b"h" * 64), encode_integer(0), refusal, algorithm))
    if osslcmp.openssl_version < (3, 2, 0):  # CMP version 3 is not known there
        with pytest.raises(ValueError, match="certConf"):
            made(BodyType.CERTCONF, content)
        return
    body = made(BodyType.CERTCONF, content).body
    assert isinstance(body, message.CertConfirm)
    (status,) = body.statuses
    assert status.status is not None
    assert status.status.text == ("not mine",)
    assert status.hash_algorithm is not None
    assert status.hash_algorithm.name == "sha512"
