"""Who may answer a request: secrets, signers, names, and messages without protection."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.clients import ALL_REQUESTS, CERTIFICATE_REQUESTS, PROTECTIONS, client, request
from support.mock_server import MockServer
from support.pki import PKI, Identity

import osslcmp

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]


@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_wrong_secret(kind: str, pki: PKI, mock_server: Mock) -> None:
    """The server refuses, and protects its refusal with a secret that we do not have."""
    server = mock_server()
    with pytest.raises(osslcmp.ProtectionError, match="wrong pbm value"):
        request(client(server.url, pki, "mac", secret=b"not it"), kind, pki)
    assert "wrong pbm value" in server.log


@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_wrong_secret_told_unprotected(kind: str, pki: PKI, mock_server: Mock) -> None:
    """If it may send, and we accept, unprotected errors, then its reason arrives."""
    server = mock_server(send_unprot_err=True)
    cmp = client(server.url, pki, "mac", secret=b"not it", unprotected_errors=True)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(cmp, kind, pki)
    assert caught.value.text == "wrong pbm value"
    assert caught.value.failure_info == osslcmp.FailureInfo.badRequest


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_unprotected_error(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """An unprotected error message is refused, or accepted where asked for: then it is a RejectedError."""
    server = mock_server(send_error=True, send_unprot_err=True)
    with pytest.raises(osslcmp.ProtectionError, match="missing protection"):
        request(client(server.url, pki, protection), kind, pki)
    with pytest.raises(osslcmp.RejectedError, match="error processing message"):
        request(client(server.url, pki, protection, unprotected_errors=True), kind, pki)


@pytest.mark.parametrize("kind", [*CERTIFICATE_REQUESTS, "rr"])
def test_unprotected_rejection(kind: str, pki: PKI, mock_server: Mock) -> None:
    """So with a rejection inside ip, cp, kup or rp."""
    server = mock_server(pkistatus=2, failure=3, send_unprot_err=True)
    with pytest.raises(osslcmp.ProtectionError, match="missing protection"):
        request(client(server.url, pki), kind, pki)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki, unprotected_errors=True), kind, pki)
    assert caught.value.failure_info == osslcmp.FailureInfo.badTime


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_unprotected_success(kind: str, accept: bool, pki: PKI, mock_server: Mock) -> None:
    """A positive answer without protection is never accepted."""
    server = mock_server(send_unprotected=True)
    with pytest.raises(osslcmp.ProtectionError, match="missing protection"):
        request(client(server.url, pki, unprotected_errors=accept), kind, pki)


@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_unprotected_requests(kind: str, pki: PKI, mock_server: Mock) -> None:
    """A request without protection: refused by most servers, accepted by one that is told to."""
    with pytest.raises(osslcmp.RejectedError, match="missing protection"):
        request(client(mock_server(srv_secret=None).url, pki, unprotected_requests=True), kind, pki)
    server = mock_server(srv_secret=None, accept_unprotected=True)
    request(client(server.url, pki, unprotected_requests=True), kind, pki)
    assert "ignoring missing protection" in server.log


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_unexpected_sender(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """An answer from another than the expected sender is refused, and both names are told."""
    server = mock_server()
    cmp = client(server.url, pki, protection, expected_sender="/O=elsewhere/CN=somebody")
    with pytest.raises(osslcmp.ProtectionError) as caught:
        request(cmp, kind, pki)
    assert "somebody" in str(caught.value)
    assert "CN=server" in str(caught.value)


@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_expected_sender(kind: str, pki: PKI, mock_server: Mock) -> None:
    """The right one is accepted."""
    assert request(client(mock_server().url, pki, expected_sender=pki.server.subject), kind, pki)


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_pinned_server(protection: str, pki: PKI, mock_server: Mock) -> None:
    """A pinned certificate needs no trust anchor."""
    server = mock_server()
    cmp = client(server.url, pki, protection, trusted=None, server_certificate=pki.server.certificate)
    assert request(cmp, "genm", pki)
    assert request(cmp, "ir", pki).certificate == pki.enrolled.certificate


@pytest.mark.parametrize("name", ["second_server", "other_server", "expired_server"])
def test_pinned_other_server(name: str, pki: PKI, mock_server: Mock) -> None:
    """Another server's certificate, or one with the same name and another key, does not do."""
    pinned: Identity = getattr(pki, name)
    cmp = client(mock_server().url, pki, trusted=None, server_certificate=pinned.certificate)
    with pytest.raises(osslcmp.ProtectionError):
        request(cmp, "ir", pki)


@pytest.mark.parametrize(
    "name", ["other_server", "expired_server", "future_server", "unusable_server", "other_client"]
)
@pytest.mark.parametrize("kind", ["ir", "genm"])
def test_server_not_trusted(name: str, kind: str, pki: PKI, mock_server: Mock) -> None:
    """A server below another root, out of its validity, or without digitalSignature is not believed."""
    who: Identity = getattr(pki, name)
    server = mock_server(srv_cert=who.cert_file, srv_key=who.key_file, srv_untrusted=who.chain_file)
    cmp = client(server.url, pki, recipient=who.subject)
    with pytest.raises(osslcmp.ProtectionError) as caught:
        request(cmp, kind, pki)
    assert caught.value.errors


def test_key_usage_ignored(pki: PKI, mock_server: Mock) -> None:
    """ignore_key_usage takes a signer whose certificate does not allow signing."""
    who = pki.unusable_server
    server = mock_server(srv_cert=who.cert_file, srv_key=who.key_file, srv_untrusted=who.chain_file)
    assert request(client(server.url, pki, ignore_key_usage=True), "ir", pki)


@pytest.mark.parametrize("name", ["other_client", "expired_client"])
@pytest.mark.parametrize("kind", ["ir", "genm"])
def test_client_not_trusted(name: str, kind: str, pki: PKI, mock_server: Mock) -> None:
    """A client that the server does not trust is told so."""
    who: Identity = getattr(pki, name)
    cmp = client(mock_server().url, pki, certificate=who.certificate, key=who.key, chain=who.chain[:1])
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(cmp, kind, pki)
    assert caught.value.failure_info == osslcmp.FailureInfo.badRequest
    assert caught.value.text


def test_validated_server_certificate(pki: PKI, mock_server: Mock) -> None:
    """From 3.2 OpenSSL tells whose signature it accepted."""
    result = request(client(mock_server().url, pki), "ir", pki)
    expected = pki.server.certificate if osslcmp.features["validated_server_certificate"] else None
    assert result.server_certificate == expected


def test_mac_request_answered_by_signature(pki: PKI, mock_server: Mock) -> None:
    """Without trust anchors a client with a secret accepts no signature."""
    server = mock_server(srv_secret=None, accept_unprotected=True)
    with pytest.raises(osslcmp.ProtectionError, match="missing trust anchor"):
        request(client(server.url, pki, "mac"), "ir", pki)
    cmp = client(server.url, pki, "mac", trusted=pki.root.certificate)
    assert request(cmp, "ir", pki).certificate == pki.enrolled.certificate


def test_signature_request_answered_by_mac(pki: PKI, mock_server: Mock) -> None:
    """Without a secret a client accepts no MAC."""
    server = mock_server(srv_cert=None, srv_key=None, accept_unprotected=True)
    with pytest.raises(osslcmp.ProtectionError, match="missing secret"):
        request(client(server.url, pki), "ir", pki)


def test_other_reference(pki: PKI, mock_server: Mock) -> None:
    """The mock server does not look at the reference, so that another is no error."""
    assert request(client(mock_server().url, pki, "mac", reference=b"\x00\xff other"), "genm", pki)
