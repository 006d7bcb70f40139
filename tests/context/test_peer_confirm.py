"""Confirmation: certConf, implicit, none at all, and refused by us; as a real server sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from support.clients import CERTIFICATE_REQUESTS, PROTECTIONS, certificate_request, client, request
from support.mock_server import MockServer
from support.pki import PKI, make_key
from support.raw_server import Recording

import osslcmp

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_implicit(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """Asked for and granted: one message."""
    server = mock_server(grant_implicitconf=True)
    result = request(client(server.url, pki, protection), kind, pki, implicit_confirm=True)
    assert result.certificate == pki.enrolled.certificate
    assert server.requests == 1


def test_implicit_not_granted(pki: PKI, mock_server: Mock) -> None:
    """Asked for and not granted: the certConf is sent."""
    server = mock_server()
    assert request(client(server.url, pki), "ir", pki, implicit_confirm=True).certificate
    assert server.requests == 2


def test_implicit_not_asked(pki: PKI, mock_server: Mock) -> None:
    """Not asked for: the certConf is sent although the server would not need it."""
    server = mock_server(grant_implicitconf=True)
    assert request(client(server.url, pki), "ir", pki).certificate
    assert server.requests == 2


def test_disabled(pki: PKI, mock_server: Mock) -> None:
    """disable_confirm sends none, against the protocol."""
    server = mock_server()
    assert request(client(server.url, pki), "ir", pki, disable_confirm=True).certificate
    assert server.requests == 1


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_refused_by_callback(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """A callback that returns a text refuses: the server hears it, the caller has the certificate."""
    server = mock_server()
    recording = Recording(server.url)
    seen: list[x509.Certificate] = []

    def refuse(certificate: x509.Certificate, failure_info: osslcmp.FailureInfo) -> str:
        assert failure_info == osslcmp.FailureInfo(0)
        seen.append(certificate)
        return "we wanted another one"

    cmp = client(None, pki, protection, transport=recording)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(cmp, kind, pki, confirm=refuse)
    assert seen == [pki.enrolled.certificate]
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert "we wanted another one" in str(caught.value)
    assert b"we wanted another one" in recording.requests[-1]
    assert "certificate rejected by client with PKIStatus: rejection" in server.log


def test_callback_that_raises(pki: PKI, mock_server: Mock) -> None:
    """The exception reaches the caller unchanged, the server is told."""
    server = mock_server()
    recording = Recording(server.url)

    class NotThisOneError(Exception):
        pass

    def refuse(_certificate: x509.Certificate, _failure_info: osslcmp.FailureInfo) -> None:
        raise NotThisOneError("wrong name in it")

    with pytest.raises(NotThisOneError) as caught:
        request(client(None, pki, transport=recording), "ir", pki, confirm=refuse)
    assert caught.type is NotThisOneError
    assert b"wrong name in it" in recording.requests[-1]
    assert "certificate rejected by client" in server.log


def test_callback_that_accepts(pki: PKI, mock_server: Mock) -> None:
    """None accepts."""
    server = mock_server()
    cmp = client(server.url, pki)
    for yes in (None, True, osslcmp.FailureInfo(0)):
        result = request(cmp, "ir", pki, confirm=lambda *_, answer=yes: answer)
        assert result.certificate == pki.enrolled.certificate
    assert "rejected" not in server.log


@pytest.mark.parametrize(
    "no",
    [
        False,
        osslcmp.FailureInfo.badCertTemplate,
        osslcmp.FailureInfo.badTime | osslcmp.FailureInfo.badAlg,
        "",
    ],
)
def test_callback_that_refuses_without_a_text(no: object, pki: PKI, mock_server: Mock) -> None:
    """False, failure bits or an empty text refuse as well."""
    server = mock_server()
    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(client(server.url, pki), "ir", pki, confirm=lambda *_: no)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert "certificate rejected by client" in server.log


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_checked_by_openssl(protection: str, pki: PKI, mock_server: Mock) -> None:
    """OpenSSL's own check against given anchors takes what chains to them and refuses the rest."""
    server = mock_server()
    cmp = client(server.url, pki, protection)
    result = request(cmp, "cr", pki, confirm_trusted=pki.root.certificate)
    assert pki.issuing.certificate in result.chain
    assert "rejected" not in server.log
    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(cmp, "cr", pki, confirm_trusted=pki.other_root.certificate)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert "certificate rejected by client" in server.log


@pytest.mark.parametrize("kind", ["ir", "cr", "kur"])
def test_certificate_for_another_key(kind: str, pki: PKI, mock_server: Mock) -> None:
    """A certificate that is not for our key is refused as incorrectData."""
    server = mock_server()
    recording = Recording(server.url)
    cmp = client(None, pki, transport=recording)
    key = make_key()
    wanted = {**certificate_request(kind, pki), "key": key}
    with pytest.raises(osslcmp.ConfirmError, match="does not match our enrollment key") as caught:
        getattr(cmp, kind)(**wanted)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert b"does not match our enrollment key" in recording.requests[-1]
    assert "certificate rejected by client" in server.log


def test_certificate_for_another_key_by_choice(pki: PKI, mock_server: Mock) -> None:
    """A callback is told of it, and may take the certificate all the same."""
    told: list[osslcmp.FailureInfo] = []

    def take(_certificate: x509.Certificate, failure_info: osslcmp.FailureInfo) -> bool:
        told.append(failure_info)
        return True

    cmp = client(mock_server().url, pki)
    result = cmp.ir(make_key(), subject=pki.enrolled.subject, confirm=take)
    assert result.certificate == pki.enrolled.certificate
    assert told == [osslcmp.FailureInfo.incorrectData]


def test_server_refuses_the_confirmation(pki: PKI, mock_server: Mock) -> None:
    """The certificate came, the certConf is answered by nobody: ConfirmError with the certificate."""
    server = mock_server(max_msgs=1)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(client(server.url, pki), "ir", pki)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate


def test_confirmation_refused_by_error_message(pki: PKI, mock_server: Mock) -> None:
    """The mock server forgets the transaction when another one begins; it then refuses the certConf."""
    server, sent = mock_server(), []
    recording = Recording(server.url)

    def lose_the_transaction(request: bytes) -> bytes:
        sent.append(request)
        if len(sent) == 2:
            # Another client's transaction begins in between.
            assert client(server.url, pki).genm() == []
        return recording(request)

    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(client(None, pki, "mac", transport=lose_the_transaction), "ir", pki)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert caught.value.rejected is not None
    assert caught.value.rejected.failure_info == osslcmp.FailureInfo.badRequest
