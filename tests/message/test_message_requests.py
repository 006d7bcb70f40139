"""The bodies of requests in a Message: certificate requests, revocation, proof of possession."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.forge import sequence as seq
from support.messages import directory, first_certificate, made, only
from support.pki import PKI, make_key

import osslcmp
from osslcmp import BodyType, PKIStatus, POPOMethod, message
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, encode_oid, explicit, implicit
from osslcmp.message import Message

ENVELOPED = encode(explicit(0), b"\x30\x00")


def test_certificate_request(conversation: list[Message]) -> None:
    """ir: template, extensions, proof of possession."""
    body = only(conversation, BodyType.IR).body
    assert isinstance(body, message.CertReqMessages)
    (request,) = body.requests
    template = request.template
    assert request.request_id == 0
    assert template.subject == x509.Name.from_rfc4514_string("CN=me,O=here")
    assert template.issuer is None
    assert isinstance(template.public_key, ec.EllipticCurvePublicKey)
    assert template.extensions is not None
    names = template.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["me.example"]
    assert template.not_before is not None
    assert template.not_after is not None
    assert template.not_after - template.not_before == datetime.timedelta(days=30)
    assert request.popo.method is POPOMethod.SIGNATURE
    assert request.popo.algorithm is not None
    assert request.popo.algorithm.name == "ecdsa-with-SHA256"
    assert request.popo.value
    assert request.controls == request.reg_info == ()


def test_key_update_request(conversation: list[Message]) -> None:
    """kur: the certificate to update."""
    issued = only(conversation, BodyType.IP).body
    assert isinstance(issued, message.CertRepMessage)
    body = only(conversation, BodyType.KUR).body
    assert isinstance(body, message.CertReqMessages)
    (control,) = body.requests[0].controls
    assert control.name == "oldCertID"
    assert not control.secret
    old = control.old_certificate
    certificate = first_certificate(conversation)
    assert old is not None
    assert old.serial_number == certificate.serial_number
    assert old.issuer == x509.DirectoryName(certificate.issuer)


def test_revocation(conversation: list[Message]) -> None:
    """rr and rp."""
    request, answer = only(conversation, BodyType.RR).body, only(conversation, BodyType.RP).body
    assert isinstance(request, message.RevReq)
    (details,) = request.details
    assert details.reason is osslcmp.RevocationReason.superseded
    assert details.template.serial_number
    assert isinstance(answer, message.RevRep)
    assert answer.statuses[0].status is PKIStatus.accepted
    assert [c.serial_number for c in answer.certificates] == [details.template.serial_number]
    assert isinstance(answer.certificates[0].issuer, x509.DirectoryName)
    assert answer.crls == ()


def test_revocation_without_reason() -> None:
    """crlEntryDetails may be missing."""
    template = seq(encode(implicit(1), b"\x05"), encode(explicit(3), x509.Name([]).public_bytes()))
    body = made(BodyType.RR, seq(seq(template))).body
    assert isinstance(body, message.RevReq)
    assert body.details[0].reason is None
    assert body.details[0].template.serial_number == 5
    assert body.details[0].template.issuer == x509.Name([])


def certificate_request(popo: bytes, *, controls: bytes = b"", reg_info: bytes = b"") -> message.CertRequest:
    """The request in a cr with this proof of possession."""
    spki = make_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = seq(
        encode(implicit(0), b"\x02"),
        encode(implicit(2) | 0x20, encode_oid("1.2.840.10045.4.3.2")),
        encode(explicit(3), x509.Name.from_rfc4514_string("CN=issuer").public_bytes()),
        encode(explicit(4), encode(explicit(1), encode(der.UTC_TIME, b"300101000000Z"))),
        encode(explicit(6), der.read(spki).content),
        encode(implicit(7), b"\x00\x01"),
    )
    body = made(BodyType.CR, seq(seq(seq(encode_integer(7), template, controls), popo, reg_info))).body
    assert isinstance(body, message.CertReqMessages)
    (request,) = body.requests
    assert request.request_id == 7
    assert request.template.version == 2
    assert request.template.signing_algorithm is not None
    assert request.template.signing_algorithm.name == "ecdsa-with-SHA256"
    assert request.template.not_before is None
    assert request.template.not_after == datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
    assert request.template.public_key_der == spki
    return request


@pytest.mark.parametrize(
    ("popo", "method", "value"),
    [
        (b"", POPOMethod.NONE, None),
        (encode(implicit(0)), POPOMethod.RAVERIFIED, None),
        (encode(explicit(2), encode(implicit(1), b"\x00")), POPOMethod.KEYENC, encode(implicit(1), b"\x00")),
        (
            encode(explicit(3), encode(implicit(1), b"\x01")),
            POPOMethod.KEYAGREE,
            encode(implicit(1), b"\x01"),
        ),
    ],
)
def test_proof_of_possession(popo: bytes, method: POPOMethod, value: bytes | None) -> None:
    """Other than a signature."""
    found = certificate_request(popo).popo
    assert (found.method, found.algorithm, found.value) == (method, None, value)


def test_signature_over_input() -> None:
    """POPOSigningKey with poposkInput."""
    spki = make_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signing = encode(explicit(0), encode(explicit(0), directory("CN=x")), spki)
    algorithm = seq(encode_oid("1.2.840.10045.4.3.2"))
    popo = encode(explicit(1), signing, algorithm, encode(der.BIT_STRING, b"\0sig"))
    assert certificate_request(popo).popo.value == b"sig"


def test_controls() -> None:
    """A registration token is never shown."""
    token, pairs = der.encode_text("token-of-mine"), der.encode_text("a?b%")
    request = certificate_request(
        b"",
        controls=seq(seq(encode_oid("1.3.6.1.5.5.7.5.1.1"), token)),
        reg_info=seq(seq(encode_oid("1.3.6.1.5.5.7.5.2.1"), pairs)),
    )
    assert [(c.name, c.value, c.secret) for c in request.controls] == [("regToken", token, True)]
    assert [(c.name, c.value, c.secret) for c in request.reg_info] == [("utf8Pairs", pairs, False)]
    assert request.controls[0].old_certificate is None
    assert "token-of-mine" not in repr(request)


def test_p10cr(pki: PKI) -> None:
    """A CSR."""
    encoding = pki.enrolled.csr().public_bytes(Encoding.DER)
    body = made(BodyType.P10CR, encoding).body
    assert isinstance(body, message.PKCS10Request)
    assert body.csr_der == encoding
    assert body.csr.subject == pki.enrolled.subject
