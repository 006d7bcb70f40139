"""Certificates that libcrypto takes and ``cryptography`` reads only in part."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.clients import client
from support.command import osslcmp
from support.inprocess import new_context
from support.mock_server import MockServer
from support.odd import KINDS, NAME, PLAIN, odd_csr, odd_identity
from support.pki import PKI, Identity, make_name

from osslcmp import (
    TLS,
    CertificateCheck,
    Client,
    ConfirmError,
    Context,
    Enrollment,
    FailureInfo,
    InfoTypeAndValue,
    PKIStatus,
    ResponseError,
    Trace,
    TransferError,
    UnreadableCertificateError,
    general,
)
from osslcmp._asn1 import der as read


def test_an_enrollment_can_be_printed_whatever_names_are_in_it(pki: PKI) -> None:
    der = pki.enrolled.certificate.public_bytes(Encoding.DER)
    name = x509.NameOID.COMMON_NAME
    value = pki.enrolled.subject.get_attributes_for_oid(name)[0].value
    assert isinstance(value, str)
    odd = x509.load_der_x509_certificate(der.replace(value.encode(), b"\xff" * len(value)))
    with pytest.raises(ValueError, match="subject"):
        repr(odd)
    enrollment = Enrollment(odd, [odd], [], [odd], PKIStatus.accepted, FailureInfo(0), "")
    number = f"{odd.serial_number:x}"
    assert repr(enrollment) == (
        f"<osslcmp.Enrollment accepted: certificate {number}; 1 in its chain, 0 in caPubs, 1 in extraCerts>"
    )


@pytest.fixture(scope="module")
def device(pki: PKI) -> Identity:
    """A device whose certificate is made odd."""
    return pki.issue("odd", pki.issuing, subject=make_name(NAME))


Serving = Callable[..., MockServer]


def served(mock_server: Serving, pki: PKI, tmp_path: Path, der: bytes, **options: Any) -> MockServer:
    """The mock server of OpenSSL that hands it out."""
    path = tmp_path / "odd.pem"
    path.write_bytes(pem(der))
    return mock_server(rsp_cert=path, **options)


def pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


def connected(pki: PKI, url: str, me: Identity) -> Context:
    context = new_context(pki, "mac")
    context.set_server(urlsplit(url).hostname)
    context.set_server_port(urlsplit(url).port or 80)
    context.set_server_path(urlsplit(url).path)
    context.set_new_pkey(me.key)
    return context


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_openssl_reads_is_handed_over(
    kind: str, mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    der = odd_identity(kind, device, pki.issuing)
    server = served(mock_server, pki, tmp_path, der)
    enrollment = client(server.url, pki, "mac").ir(device.key, subject=device.subject)
    assert enrollment.certificate_der == der
    assert (
        "CN = odd!"
        in openssl.run(["x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "space_eq"], data=der)
        .must()
        .out
    )
    assert enrollment.chain == [pki.issuing.certificate]
    number = f"{device.certificate.serial_number:x}"
    assert repr(enrollment).startswith(f"<osslcmp.Enrollment accepted: certificate {number}; 1 in its chain")
    with pytest.raises(
        ValueError, match=f"certificate 0?{number.upper()} of /O=osslcmp tests/CN=odd!"
    ) as caught:
        enrollment.certificate  # noqa: B018
    assert isinstance(caught.value, UnreadableCertificateError)
    assert caught.value.certificate_der == der


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_alone_decides_about_it(
    kind: str, mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """Its own check and a ``CertificateCheck``, too; it knows no time without seconds then."""
    der = odd_identity(kind, device, pki.issuing)
    server = served(mock_server, pki, tmp_path, der)
    cmp = client(server.url, pki, "mac")
    check = CertificateCheck(trusted=pki.root.certificate)
    conditions: list[dict[str, Any]] = [{"check": check}, {"confirm_trusted": pki.root.certificate}]
    for condition in conditions:
        if kind == "seconds":
            with pytest.raises(ConfirmError) as caught:
                cmp.ir(device.key, subject=device.subject, **condition)
            enrollment = caught.value.enrollment
        else:
            enrollment = cmp.ir(device.key, subject=device.subject, **condition)
        assert enrollment.certificate_der == der


def test_a_callback_that_wants_an_object_is_not_asked(
    mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """It could not judge: the certificate is refused, and handed over as one that was."""
    der = odd_identity("false", device, pki.issuing)
    server = served(mock_server, pki, tmp_path, der)
    asked: list[object] = []

    def confirm(*args: object) -> None:
        asked.append(args)

    with pytest.raises(ConfirmError, match="cryptography does not read it") as caught:
        client(server.url, pki, "mac").ir(device.key, subject=device.subject, confirm=confirm)
    assert not asked
    assert caught.value.enrollment.certificate_der == der


def test_an_odd_chain_and_odd_ca_certificates_are_kept(
    mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    root = pki.issue("odd_root", subject=make_name(NAME), ca=True)
    der = odd_identity("false", root, root)
    more = tmp_path / "more.pem"
    more.write_bytes(pem(der))
    server = mock_server(rsp_capubs=more, rsp_extracerts=more)
    context = connected(pki, server.url, pki.enrolled)
    context.exec_ir_ses()
    assert context.enrollment is not None
    assert context.enrollment.ca_pubs_der == [der]
    assert der in context.enrollment.extra_certs_der
    enrollment = client(server.url, pki, "mac").ir(pki.enrolled.key, subject=pki.enrolled.subject)
    assert enrollment.ca_pubs_der == [der]
    assert der in enrollment.extra_certs_der
    assert enrollment.certificate == pki.enrolled.certificate
    assert not enrollment.extra_certs  # anybody may have put it there
    with pytest.raises(UnreadableCertificateError, match="CN=odd!"):
        enrollment.ca_pubs  # noqa: B018


def test_context_tells_which_certificate_came(
    mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    der = odd_identity("t61", device, pki.issuing)
    server = served(mock_server, pki, tmp_path, der)
    context = connected(pki, server.url, device)
    with pytest.raises(UnreadableCertificateError, match="CN=odd!") as caught:
        context.exec_ir_ses()
    assert context.enrollment is not None
    assert caught.value.certificate_der == context.enrollment.certificate_der == der


def test_command_saves_it_as_openssl_does(
    mock_server: Serving, pki: PKI, device: Identity, tmp_path: Path
) -> None:
    der = odd_identity("printable", device, pki.issuing)
    server = served(mock_server, pki, tmp_path, der, rsp_capubs=tmp_path / "odd.pem")
    options = openssl.arguments(
        {"config": "", "batch": True, "server": server.url, "cmd": "ir", "ref": "ref", "secret": b"secret",
         "recipient": pki.server.slash_subject, "newkey": device.key_file, "subject": device.slash_subject,
         "certout": tmp_path / "out.pem", "cacertsout": tmp_path / "ca.pem"}
    )  # fmt: skip
    osslcmp("cmp", *options)
    assert (tmp_path / "out.pem").read_bytes() == (tmp_path / "ca.pem").read_bytes() == pem(der)


@pytest.fixture(scope="module", params=["printable", "false", "t61"])
def factory(request: pytest.FixtureRequest, pki: PKI) -> tuple[bytes, Identity]:
    """A root that is odd, and a CMP server below it."""
    name = PLAIN if request.param == "printable" else NAME
    root = pki.issue("factory_root", subject=make_name(name), ca=True)
    return odd_identity(request.param, root, root), pki.issue("factory_server", root)


def enrolled(cmp: Client, pki: PKI) -> bool:
    return cmp.ir(pki.enrolled.key, subject=pki.enrolled.subject).certificate == pki.enrolled.certificate


def test_factory_root_is_taken(
    factory: tuple[bytes, Identity], mock_server: Serving, pki: PKI, tmp_path: Path
) -> None:
    """As trust anchor, among the helping, the own and the other certificates: PEM, DER and in a file."""
    der, signer = factory
    path = tmp_path / "factory.pem"
    path.write_bytes(pem(der))
    server = mock_server(srv_cert=signer.cert_file, srv_key=signer.key_file, srv_untrusted=None)
    roots: list[Any] = [pem(der), der, path]
    for root in roots:
        for trusted in (root, CertificateCheck(trusted=root, untrusted=[root])):
            cmp = client(
                server.url, pki, trusted=trusted, untrusted=root, extra_certs=[root], recipient=None,
                chain=[pki.issuing.certificate, root],
            )  # fmt: skip
            assert enrolled(cmp, pki)


def test_odd_certificate_of_the_server_is_pinned(mock_server: Serving, pki: PKI, tmp_path: Path) -> None:
    signer = pki.issue("odd_server", pki.issuing)
    der = odd_identity("false", signer, pki.issuing)
    path = tmp_path / "server.pem"
    path.write_bytes(pem(der))
    server = mock_server(srv_cert=path, srv_key=signer.key_file)
    assert enrolled(client(server.url, pki, server_certificate=path, trusted=None, recipient=None), pki)


def test_own_odd_certificate(mock_server: Serving, pki: PKI, device: Identity) -> None:
    """It signs, is updated and revoked, with what an enrollment gave as DER."""
    der = odd_identity("false", device, pki.issuing)
    cmp = client(mock_server().url, pki, certificate=der, key=device.key)
    assert enrolled(cmp, pki)
    transaction = cmp.begin("cr", key=pki.enrolled.key, subject="CN=x", certificate=der)
    assert transaction.poll() is not None
    transaction = cmp.begin(
        "cr", key=pki.enrolled.key, subject="CN=x", certificate=der, carry_extensions=True
    )
    assert transaction.poll() is not None


def test_odd_root_over_tls(factory: tuple[bytes, Identity]) -> None:
    der, signer = factory
    made = TLS(trusted=pem(der), certificate=signer.cert_file, key=signer.key_file, chain=[der])
    assert Client("https://localhost", reference="r", secret="s", tls=made)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])
def test_csr_that_only_openssl_reads(
    algorithm: hashes.HashAlgorithm, mock_server: Serving, pki: PKI, tmp_path: Path
) -> None:
    csr = odd_csr(pki.enrolled, algorithm)
    with pytest.raises(ValueError, match="parsing asn1"):
        x509.load_der_x509_csr(csr)
    recorded = Trace()
    cmp = client(mock_server().url, pki, trace=recorded)
    assert cmp.p10cr(csr).certificate == pki.enrolled.certificate
    assert csr in (recorded.entries[0].der or b"")
    with pytest.raises(ValueError, match="csr: its signature does not verify"):
        cmp.p10cr(csr[:-1] + bytes([csr[-1] ^ 1]))


@pytest.mark.parametrize("kind", KINDS)
def test_odd_certificate_in_a_general_message(kind: str, pki: PKI) -> None:
    """It is named, and not lost; what cannot be read at all is an answer that does not fit."""
    root = pki.issue("odd_root", subject=make_name(NAME), ca=True)
    der = odd_identity(kind, root, root)
    items = [InfoTypeAndValue(general.CA_CERTS, read.encode(read.SEQUENCE, der))]
    with pytest.raises(UnreadableCertificateError, match="CN=odd!") as caught:
        general.ca_certs_of(items)
    assert caught.value.certificate_der == der
    with pytest.raises(UnreadableCertificateError, match="CN=odd!"):
        general.certificate_of([InfoTypeAndValue(general.CA_PROT_ENC_CERT, der)], general.CA_PROT_ENC_CERT)
    garbage = [InfoTypeAndValue(general.CA_CERTS, read.encode(read.SEQUENCE, b"\x30\x00"))]
    with pytest.raises(ResponseError, match="does not decode"):
        general.ca_certs_of(garbage)


SAN, EKU, TLS_FEATURE = "2.5.29.17", "2.5.29.37", "1.3.6.1.5.5.7.1.24"


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (SAN, b"\x30\2\xa3\0"),
        (SAN, b"\x30\x13\xa4\x11\x30\x0f\x31\x0d\x30\x0b\6\3\x55\4\3\x13\4a!@*"),
        (SAN, b"\x30\4\x82\2\xe4b"),
        (EKU, b"\x30\0"),
        (TLS_FEATURE, b"\x30\3\2\1\x63"),
    ],
    ids=["x400Address", "printable", "latin-1", "no usage", "TLS feature"],
)
def test_odd_extensions(oid: str, value: bytes, pki: PKI) -> None:
    """They are carried from the certificate that is updated as they stand there, and hinder no request with a CSR."""
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
    me = pki.issue("carried", pki.issuing)
    builder = x509.CertificateBuilder().subject_name(me.subject).issuer_name(me.subject)
    builder = builder.public_key(me.key.public_key()).serial_number(5)
    builder = builder.not_valid_before(me.certificate.not_valid_before_utc)
    builder = builder.not_valid_after(me.certificate.not_valid_after_utc)
    old = builder.add_extension(extension, critical=False).sign(me.key, hashes.SHA256())
    request = x509.CertificateSigningRequestBuilder().subject_name(me.subject)
    csr = request.add_extension(extension, critical=False).sign(me.key, hashes.SHA256())
    sent = []

    def transport(message: bytes) -> bytes:
        sent.append(message)
        raise TransferError

    cmp = Client(transport=transport, certificate=old, key=me.key, trusted=pki.root.certificate)
    arguments: list[dict[str, Any]] = [{"carry_extensions": True}, {"csr": csr, "sans": ["a.example"]}]
    for given in arguments:
        with pytest.raises(TransferError):
            cmp.kur(pki.enrolled.key, **given)
    assert read.encode(read.OCTET_STRING, value) in sent[0]
    assert (read.encode(read.OCTET_STRING, value) in sent[1]) is (oid != SAN)
