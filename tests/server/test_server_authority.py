"""What the application's authority gets to see, and what its answers and failures become."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.authorities import Scripted, confirm
from support.forge import CR, IMPLICIT_CONFIRM, KUR, P10CR, Forger, octets, read, sequence, sha256
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, InfoTypeAndValue, PKIStatus, RevocationReason
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import (
    Authority,
    CertificateId,
    CertificateRequest,
    EmbeddedCA,
    ErrorNotice,
    GeneralRequest,
    Issued,
    Rejected,
    RevocationRequest,
    Revoked,
    Server,
    Waiting,
)

NAME = x509.Name.from_rfc4514_string("CN=somebody")


# -- what it sees --------------------------------------------------------------------------------------------


def test_certificate_request(pki: PKI) -> None:
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
    end = datetime.datetime(2031, 6, 1, 12, 30, tzinfo=datetime.timezone.utc)
    sans = x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("a@example")])
    extension = sequence(der.encode_oid("2.5.29.17"), octets(sans.public_bytes()))
    validity = encode(
        explicit(4),
        encode(explicit(0), der.encode_moment(start)),
        encode(explicit(1), der.encode_moment(end)),
    )
    # The validity stands before the subject in a template, so it is put together here.
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = sequence(
        validity,
        encode(explicit(5), NAME.public_bytes()),
        encode(explicit(6), der.read(public).content),
        encode(explicit(9), extension),
    )
    request = sequence(der.encode_integer(0), template)
    signature = key.sign(request, ec.ECDSA(hashes.SHA256()))
    algorithm = sequence(der.encode_oid("1.2.840.10045.4.3.2"))
    popo = encode(explicit(1), algorithm, encode(der.BIT_STRING, b"\0" + signature))
    client = Forger(info=(IMPLICIT_CONFIRM,))
    message = client.message(0, sequence(sequence(request, popo)))
    read(Server(authority).process(message))
    seen: CertificateRequest = authority.asked[0]
    assert seen.type is BodyType.IR
    assert seen.transaction_id == client.transaction_id
    assert seen.request_id == 0
    assert seen.subject == NAME
    assert seen.public_key == key.public_key()
    assert seen.public_key_info == public
    assert seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == sans
    assert (seen.not_before, seen.not_after) == (start, end)
    assert seen.template == template
    assert seen.csr is None
    assert seen.old_certificate is None
    assert (seen.reference, seen.signer, seen.sender) == (b"ref", None, None)
    assert seen.implicit_confirm
    assert not seen.ra_verified
    assert seen.message == message
    assert seen.polls == 0


def test_p10cr(pki: PKI) -> None:
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    csr = pki.client.csr(sans=[x509.DNSName("b.example")])
    read(Server(authority).process(Forger().message(P10CR, csr.public_bytes(Encoding.DER))))
    seen: CertificateRequest = authority.asked[0]
    assert seen.type is BodyType.P10CR
    assert seen.request_id == -1
    assert seen.csr == csr
    assert seen.subject == pki.client.subject
    assert seen.public_key == pki.client.key.public_key()
    assert [e.oid for e in seen.extensions] == [x509.SubjectAlternativeName.oid]


def test_old_certificate(pki: PKI) -> None:
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    old = pki.client.certificate
    certificate_id = sequence(
        encode(explicit(4), old.issuer.public_bytes()), der.encode_integer(old.serial_number)
    )
    controls = sequence(sequence(der.encode_oid(oids.OLD_CERT_ID), certificate_id))
    read(Server(authority, strictness="rfc9810").process(Forger().request(KUR, controls=controls)))
    assert authority.asked[0].old_certificate == CertificateId(old.issuer, old.serial_number)


def signed_by(pki: PKI, *, extra: Sequence[x509.Certificate] = ()) -> Forger:
    assert isinstance(pki.client.key, ec.EllipticCurvePrivateKey)
    return Forger(
        secret=None,
        reference=None,
        certificate=pki.client.certificate,
        key=pki.client.key,
        chain=(*extra, pki.issuing.certificate),
    )


def trusting(pki: PKI, authority: Authority) -> Server:
    return Server(
        authority, certificate=pki.server.certificate, key=pki.server.key, trusted=[pki.root.certificate]
    )


def test_signer(pki: PKI) -> None:
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    read(trusting(pki, authority).process(signed_by(pki).request(CR)))
    seen: CertificateRequest = authority.asked[0]
    assert seen.signer == pki.client.certificate
    assert seen.reference is None
    assert seen.sender == pki.client.subject
    assert len(seen.extra_certs) == 2


def test_signer_with_a_double(pki: PKI) -> None:
    """The signer is the trusted certificate, also behind another one for the same key and name."""
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    double = pki.issue("double", pki.other_issuing, subject=pki.client.subject, key=pki.client.key)
    client = signed_by(pki)

    class Reordered(Forger):
        def message(self, kind: int, content: bytes) -> bytes:
            parts = der.children(der.read(super().message(kind, content)).content)
            certificates = (double.certificate, pki.client.certificate, pki.issuing.certificate)
            extra = sequence(*(c.public_bytes(Encoding.DER) for c in certificates))
            return sequence(*(part.encoding for part in parts[:3]), encode(explicit(1), extra))

    read(trusting(pki, authority).process(Reordered(**vars(client)).request(CR)))
    assert authority.asked[0].signer == pki.client.certificate


def test_signer_of_a_later_message_is_not_who_it_says(pki: PKI) -> None:
    """The client signs its certConf with the right key, and sends another certificate with the identifier of that key
    along: libcrypto has the right one from the first message, and it counts."""
    assert isinstance(pki.enrolled.key, ec.EllipticCurvePrivateKey)
    other = pki.issue("other", pki.other_issuing, subject=pki.client.subject, key=pki.client.key)
    authority = Scripted(issue=Issued(pki.enrolled.certificate))
    server, client = trusting(pki, authority), signed_by(pki)
    response = server.process(client.request(CR, key=pki.enrolled.key))
    assert (read(response).kind, read(response).status) == (BodyType.CP, PKIStatus.accepted)
    later = client.but(certificate=other.certificate, chain=()).answering(response)
    server.process(later.cert_conf(sha256(pki.enrolled.certificate)))
    signers = [asked.signer for asked in authority.asked]
    assert other.certificate not in signers
    assert signers == [pki.client.certificate] * 2


@pytest.mark.parametrize("reason", [None, *(r for r in RevocationReason if r >= 0)])
def test_revocation_request(reason: RevocationReason | None) -> None:
    authority = Scripted(revoke=Revoked())
    serial = (1 << 159) - 1
    answer = read(Server(authority, strictness="rfc9810").process(Forger().rr(NAME, serial, reason)))
    assert (answer.kind, answer.status) == (BodyType.RP, PKIStatus.accepted)
    seen: RevocationRequest = authority.asked[0]
    assert (seen.issuer, seen.serial, seen.reason, seen.reference) == (NAME, serial, reason, b"ref")


@pytest.mark.parametrize("reason", [None, RevocationReason.keyCompromise])
@pytest.mark.parametrize("critical", [True, False])
def test_revocation_with_an_unknown_extension(reason: RevocationReason | None, critical: bool) -> None:
    """For the CRL entry: one that is critical is not left out."""
    authority = Scripted(revoke=Revoked())
    flag = encode(0x01, b"\xff") if critical else b""
    unknown = sequence(der.encode_oid("1.2.3.4"), flag, encode(der.OCTET_STRING, b"\x05\x00"))
    answer = read(
        Server(authority, strictness="rfc9810").process(Forger().rr(NAME, 5, reason, extensions=(unknown,)))
    )
    assert answer.kind == BodyType.RP
    if critical:
        assert (answer.status, authority.asked) == (PKIStatus.rejection, [])
        assert FailureInfo(answer.failure) == FailureInfo.unacceptedExtension
    else:
        assert (answer.status, authority.asked[0].reason) == (PKIStatus.accepted, reason)


def test_general_request() -> None:
    question = InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.4"), encode(der.UTF8_STRING, b"how?"))
    reply = InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.5"), encode(der.UTF8_STRING, b"so."))
    authority = Scripted(general=[reply, InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.6"), None)])
    value = question.value
    assert value is not None
    message = Forger().genm(sequence(der.encode_oid("1.2.3.4"), value), sequence(der.encode_oid("1.2.3.7")))
    answer = read(Server(authority).process(message))
    assert answer.kind == BodyType.GENP
    seen: GeneralRequest = authority.asked[0]
    assert seen.infos == (question, InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.7"), None))
    assert reply.value is not None
    assert answer.raw.body == sequence(
        sequence(der.encode_oid("1.2.3.5"), reply.value), sequence(der.encode_oid("1.2.3.6"))
    )


def test_error_notice() -> None:
    authority = Scripted(issue=Waiting(3))
    server = Server(authority)
    client = Forger()
    client = client.answering(server.process(client.request()))
    assert read(server.process(client.error("no patience"))).kind == BodyType.PKICONF
    notice: ErrorNotice = authority.asked[-1]
    assert (notice.status, notice.text) == (PKIStatus.rejection, "no patience")
    assert notice.request == authority.asked[0]
    assert notice.certificate is None


def test_polling() -> None:
    ca = EmbeddedCA()

    def decide(request: CertificateRequest) -> Any:
        return Waiting(4, "soon") if request.polls < 3 else ca.issue(request)

    authority = Scripted(issue=decide)
    server = Server(authority)
    client = Forger()
    response = server.process(client.request())
    answer = read(response)
    assert (answer.kind, answer.status, answer.text) == (BodyType.IP, PKIStatus.waiting, "soon")
    kinds = []
    for _ in range(3):
        client = client.answering(response)
        response = server.process(client.poll())
        kinds.append(read(response).kind)
    assert kinds == [BodyType.POLLREP, BodyType.POLLREP, BodyType.IP]
    assert [request.polls for request in authority.asked] == [0, 1, 2, 3]
    assert read(server.process(confirm(client, response))).kind == BodyType.PKICONF
    assert authority.asked[-1].accepted


def test_rejected_after_polling() -> None:
    def decide(request: CertificateRequest) -> Any:
        return Waiting(0) if request.polls == 0 else Rejected(FailureInfo.notAuthorized, "no")

    server = Server(Scripted(issue=decide))
    client = Forger()
    client = client.answering(server.process(client.request()))
    answer = read(server.process(client.poll()))
    assert (answer.status, answer.text) == (PKIStatus.rejection, "no")
    assert FailureInfo(answer.failure) == FailureInfo.notAuthorized
    assert server.open_transactions == 0


@pytest.mark.parametrize("bit", list(FailureInfo))
def test_each_failure(bit: FailureInfo) -> None:
    """Every bit gets through, in every kind of answer."""
    no = Rejected(bit, "because \u2603")
    server = Server(Scripted(issue=no, revoke=no, general=no), strictness="rfc9810")
    for message in (Forger().request(), Forger().request(CR), Forger().rr(NAME, 5), Forger().genm()):
        answer = read(server.process(message))
        assert (answer.status, answer.text) == (PKIStatus.rejection, "because \u2603")
        assert FailureInfo(answer.failure) == bit
    assert server.open_transactions == 0


def own_root(key: Any) -> x509.Certificate:
    """A self-signed CA certificate."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    edwards = isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    return builder.sign(key, None if edwards else hashes.SHA256())


@pytest.mark.parametrize(
    ("make", "digest"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), hashlib.sha256),
        (lambda: ec.generate_private_key(ec.SECP384R1()), hashlib.sha384),
        (lambda: rsa.generate_private_key(65537, 2048), hashlib.sha256),
        (ed25519.Ed25519PrivateKey.generate, hashlib.sha512),
    ],
    ids=["P-256", "P-384", "RSA", "Ed25519"],
)
def test_hash_fits_the_signature(make: Callable[[], Any], digest: Callable[[bytes], Any]) -> None:
    """The certHash follows the signature algorithm of the certificate; RFC 9481 tells it for EdDSA."""
    key = make()
    root = own_root(key)
    ca = EmbeddedCA({"ref": "secret"}, root=(root, key), issuer=(root, key))
    server = ca.server()
    client = Forger()
    response = server.process(client.request())
    issued = read(response).certificate
    assert issued is not None
    cert_hash = digest(issued.public_bytes(Encoding.DER)).digest()
    assert read(server.process(client.answering(response).cert_conf(cert_hash))).kind == BodyType.PKICONF
    assert ca.records[0].confirmed


@pytest.mark.parametrize("length", [32, 64])
def test_hash_of_ed448(length: int) -> None:
    """RFC 9481 has 64 octets, OpenSSL's clients send 32."""
    key = ed448.Ed448PrivateKey.generate()
    root = own_root(key)
    server = EmbeddedCA({"ref": "secret"}, root=(root, key), issuer=(root, key)).server()
    client = Forger()
    response = server.process(client.request())
    issued = read(response).certificate
    assert issued is not None
    cert_hash = hashlib.shake_256(issued.public_bytes(Encoding.DER)).digest(length)
    assert read(server.process(client.answering(response).cert_conf(cert_hash))).kind == BodyType.PKICONF
