"""Every request type with every protection, against OpenSSL's mock server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl
from support.clients import ALL_REQUESTS, CERTIFICATE_REQUESTS, HARMLESS, PROTECTIONS, client, request
from support.mock_server import MockServer, checks_reference
from support.pki import PKI, cert_pem, make_name

import osslcmp

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]


@contextmanager
def refused_if_checked(told: str) -> Iterator[None]:
    """The mock server refuses with that text; one that does not look at the old certificate accepts."""
    if not checks_reference():
        yield
        return
    with pytest.raises(osslcmp.RejectedError, match=told) as caught:
        yield
    assert caught.value.status == osslcmp.PKIStatus.rejection
    assert caught.value.failure_info == osslcmp.FailureInfo.badRequest


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_certificate(kind: str, protection: str, pki: PKI, mock_server: Mock, tmp_path: Path) -> None:
    """The certificate comes with status and chain, is confirmed, and OpenSSL verifies it."""
    server = mock_server()
    result = request(client(server.url, pki, protection), kind, pki)
    assert result.certificate == pki.enrolled.certificate
    assert result.status == osslcmp.PKIStatus.accepted
    assert result.failure_info == osslcmp.FailureInfo(0)
    assert result.text == ""
    assert pki.issuing.certificate in result.chain
    assert pki.issuing.certificate in result.extra_certs
    assert server.requests == 2  # the request, then certConf
    assert "error" not in server.log
    mine = tmp_path / "new.pem"
    mine.write_bytes(cert_pem(result.certificate))
    openssl.verify(mine, trusted=pki.root.cert_file, untrusted=pki.issuing.cert_file).must()


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_revocation(protection: str, pki: PKI, mock_server: Mock) -> None:
    """An rr for a certificate succeeds."""
    server = mock_server()
    cmp = client(server.url, pki, protection)
    for reason in (osslcmp.RevocationReason.none, osslcmp.RevocationReason.keyCompromise):
        request(cmp, "rr", pki, reason=reason)
    assert "error" not in server.log


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_revocation_by_issuer_and_serial(protection: str, pki: PKI, mock_server: Mock) -> None:
    """An rr can name the certificate by issuer and serial number alone."""
    server = mock_server()
    cmp = client(server.url, pki, protection)
    old = pki.enrolled.certificate
    cmp.rr(issuer=old.issuer, serial=old.serial_number)
    assert "error" not in server.log
    with refused_if_checked("wrong certificate to revoke"):
        cmp.rr(issuer=old.issuer, serial=old.serial_number + 1)


def test_revocation_by_csr(pki: PKI, mock_server: Mock) -> None:
    """An rr can name the certificate by a CSR, that is by subject and key."""
    client(mock_server().url, pki, "mac").rr(csr=pki.enrolled.csr())


def test_revocation_of_another_certificate(pki: PKI, mock_server: Mock) -> None:
    """The mock server refuses it with an error message whose text arrives."""
    with refused_if_checked("request not accepted.*wrong certificate to revoke"):
        client(mock_server().url, pki).rr(pki.client.certificate)


def test_update_of_another_certificate(pki: PKI, mock_server: Mock) -> None:
    """So it does with a kur."""
    with refused_if_checked("wrong certid"):
        client(mock_server().url, pki).kur(pki.enrolled.key, certificate=pki.client.certificate)


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_general_message(protection: str, pki: PKI, mock_server: Mock) -> None:
    """A general message returns what the server answered."""
    server = mock_server()
    assert list(request(client(server.url, pki, protection), "genm", pki)) == [HARMLESS]


def test_general_message_with_value(pki: PKI, mock_server: Mock) -> None:
    """A value of a type that OpenSSL does not know goes there and back unchanged."""
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1.2")
    item = osslcmp.InfoTypeAndValue(oid, bytes.fromhex("0c0568656c6c6f"))  # UTF8String hello
    assert list(client(mock_server().url, pki).genm([item])) == [item]


def test_several_general_messages(pki: PKI, mock_server: Mock) -> None:
    """The mock server takes no more than one."""
    with pytest.raises(osslcmp.RejectedError) as caught:
        client(mock_server().url, pki).genm([HARMLESS, HARMLESS])
    assert caught.value.text == "error processing message"


def test_empty_general_message(pki: PKI, mock_server: Mock) -> None:
    """A genm without content is a "ping"."""
    assert list(client(mock_server().url, pki).genm([])) == []


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_one_client_for_everything(protection: str, pki: PKI, mock_server: Mock) -> None:
    """One client object goes through all request types in turn, twice."""
    server = mock_server()
    cmp = client(server.url, pki, protection)
    for kind in ALL_REQUESTS * 2:
        request(cmp, kind, pki)
    assert "error" not in server.log


def test_keep_alive_settings(pki: PKI, mock_server: Mock) -> None:
    """With and without kept-alive connections the certificate comes."""
    server = mock_server()
    for keep_alive in (0, 1, 2):
        assert request(client(server.url, pki, keep_alive=keep_alive), "ir", pki).certificate


def test_ca_pubs(pki: PKI, mock_server: Mock) -> None:
    """The certificates of caPubs arrive."""
    server = mock_server(rsp_capubs=pki.root.cert_file)
    for protection in PROTECTIONS:
        result = request(client(server.url, pki, protection), "ir", pki)
        assert list(result.ca_pubs) == [pki.root.certificate]


def test_rsa(pki: PKI, mock_server: Mock) -> None:
    """RSA keys on both sides, with SHA-384."""
    server = mock_server(
        srv_cert=pki.rsa_server.cert_file, srv_key=pki.rsa_server.key_file, rsp_cert=pki.rsa_client.cert_file
    )
    cmp = client(
        server.url,
        pki,
        certificate=pki.rsa_client.certificate,
        key=pki.rsa_client.key,
        recipient=pki.rsa_server.subject,
        digest="sha384",
    )
    assert cmp.ir(pki.rsa_client.key, subject="/CN=rsa").certificate == pki.rsa_client.certificate


def test_mac_algorithms(pki: PKI, mock_server: Mock) -> None:
    """Other algorithms inside the password-based MAC."""
    server = mock_server()
    for mac in ("hmac-sha1", "hmac-sha256", "hmac-sha512"):
        assert request(client(server.url, pki, "mac", digest="sha256", mac=mac), "ir", pki).certificate


def test_client_certificate_from_files(pki: PKI, mock_server: Mock) -> None:
    """Everything that can be a path can be one."""
    me = pki.enrolled
    cmp = osslcmp.Client(
        mock_server().url,
        certificate=me.cert_file,
        key=me.key_file,
        chain=pki.issuing.cert_file,
        trusted=pki.root.cert_file,
    )
    assert cmp.ir(me.key_file, subject=make_name("whoever")).certificate == me.certificate


def test_other_path(pki: PKI, mock_server: Mock) -> None:
    """The mock server knows two paths; another is a 404, which is a TransferError that says so."""
    server = mock_server()
    for path in ("", "/", "/pkix/"):
        assert request(client(f"http://127.0.0.1:{server.port}{path}", pki), "genm", pki)
    with pytest.raises(osslcmp.TransferError, match="404"):
        request(client(f"http://127.0.0.1:{server.port}/elsewhere", pki), "genm", pki)


def test_raverified(pki: PKI, mock_server: Mock) -> None:
    """Proof of possession by the RA's word: refused, or accepted if the server is told to."""
    cmp = client(mock_server().url, pki)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(cmp, "cr", pki, popo=osslcmp.POPOMethod.RAVERIFIED)
    assert caught.value.failure_info == osslcmp.FailureInfo.badPOP
    cmp = client(mock_server(accept_raverified=True).url, pki)
    assert request(cmp, "cr", pki, popo=osslcmp.POPOMethod.RAVERIFIED).certificate
