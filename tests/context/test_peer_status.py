"""Every PKIStatus, every failure bit and the status text of a real server arrive as they were sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.clients import ALL_REQUESTS, CERTIFICATE_REQUESTS, PROTECTIONS, client, request
from support.mock_server import MockServer
from support.pki import PKI

import osslcmp
from osslcmp import FailureInfo, PKIStatus

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]

GRANTED = (
    PKIStatus.accepted,
    PKIStatus.grantedWithMods,
    PKIStatus.revocationWarning,
    PKIStatus.revocationNotification,
)


@pytest.mark.parametrize("status", GRANTED)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_certificate_with_status(kind: str, status: PKIStatus, pki: PKI, mock_server: Mock) -> None:
    """0, 1, 4 and 5 bring the certificate, with the status and what the server says besides."""
    server = mock_server(pkistatus=int(status), failure=17, statusstring="as you see")
    result = request(client(server.url, pki), kind, pki)
    assert result.certificate == pki.enrolled.certificate
    assert result.status is status
    assert result.failure_info == FailureInfo.addInfoNotAvailable
    assert result.text == "as you see"


@pytest.mark.parametrize("status", GRANTED)
def test_revocation_with_status(status: PKIStatus, pki: PKI, mock_server: Mock) -> None:
    """The same four are a success for rr, whose result tells the status."""
    server = mock_server(pkistatus=int(status), statusstring="as you see")
    result = request(client(server.url, pki), "rr", pki)
    assert result.status is status
    assert result.text == "as you see"


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", [*CERTIFICATE_REQUESTS, "rr"])
def test_rejection(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """2 is a RejectedError with everything that the server told, and the client can go on."""
    server = mock_server(pkistatus=2, failurebits=(1 << 26) + 1, statusstring='not "today"')
    cmp = client(server.url, pki, protection)
    for _ in range(2):
        with pytest.raises(osslcmp.RejectedError) as caught:
            request(cmp, kind, pki)
        assert caught.value.status is PKIStatus.rejection
        assert caught.value.failure_info == FailureInfo.badAlg | FailureInfo.duplicateCertReq
        assert caught.value.text == 'not "today"'
        assert "duplicateCertReq" in str(caught.value)
        assert "today" in str(caught.value)
    assert request(cmp, "genm", pki)


@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_waiting_that_cannot_be_polled(kind: str, pki: PKI, mock_server: Mock) -> None:
    """3 makes the client poll; this server then sends an error message."""
    server = mock_server(pkistatus=3)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki), kind, pki)
    assert caught.value.status is PKIStatus.rejection
    assert caught.value.failure_info == FailureInfo.badRequest
    assert caught.value.text.startswith("unexpected p")  # pkibody, from 3.5 pollreq


def _told(error: osslcmp.CMPError) -> str:
    return f"{error} {getattr(error, 'status', '')!r}"


@pytest.mark.parametrize("status", [PKIStatus.waiting, PKIStatus.keyUpdateWarning])
def test_revocation_with_a_status_that_does_not_fit(status: PKIStatus, pki: PKI, mock_server: Mock) -> None:
    """3 and 6 are errors for rr: the error names the status."""
    server = mock_server(pkistatus=int(status))
    with pytest.raises((osslcmp.ResponseError, osslcmp.RejectedError)) as caught:
        request(client(server.url, pki), "rr", pki)
    assert status.name.lower() in _told(caught.value).lower().replace(" ", "")


@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_key_update_warning(kind: str, pki: PKI, mock_server: Mock) -> None:
    """6 is an error for every request type, for kur as well: no OpenSSL accepts it (see MockServer)."""
    server = mock_server(pkistatus=6)
    with pytest.raises((osslcmp.ResponseError, osslcmp.RejectedError)) as caught:
        request(client(server.url, pki), kind, pki)
    assert "keyupdatewarning" in _told(caught.value).lower().replace(" ", "")


@pytest.mark.parametrize("kind", [*CERTIFICATE_REQUESTS, "rr"])
def test_unknown_status(kind: str, pki: PKI, mock_server: Mock) -> None:
    """A number that no standard knows is a typed error, never a crash."""
    server = mock_server(pkistatus=7)
    with pytest.raises((osslcmp.ResponseError, osslcmp.RejectedError)):
        request(client(server.url, pki), kind, pki)


@pytest.mark.parametrize("bit", range(27))
def test_each_failure_bit(bit: int, pki: PKI, mock_server: Mock) -> None:
    """Each of the 27 bits arrives alone as the flag of its number."""
    server = mock_server(pkistatus=2, failure=bit)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki, "mac"), "ir", pki)
    assert caught.value.failure_info == FailureInfo(1 << bit)
    assert str(caught.value.failure_info.name) in str(caught.value)


@pytest.mark.parametrize("bits", [0, 0b101, (1 << 27) - 1, (1 << 26) | (1 << 24) | 2])
@pytest.mark.parametrize("kind", ["ir", "rr"])
def test_combined_failure_bits(kind: str, bits: int, pki: PKI, mock_server: Mock) -> None:
    """So do combinations, in ip as in rp, also none at all."""
    server = mock_server(pkistatus=2, failurebits=bits)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki, "mac"), kind, pki)
    assert caught.value.failure_info == FailureInfo(bits)
    assert caught.value.text == ""


@pytest.mark.parametrize("text", ["plain", "100%s %n", "ümläut ☃", "x" * 900, 'a"b', " "])
def test_status_text(text: str, pki: PKI, mock_server: Mock) -> None:
    """The text is what the server sent: no format, no cut, no change of letters."""
    server = mock_server(pkistatus=2, statusstring=text)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki), "ir", pki)
    assert caught.value.text == text


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_error_message(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """An error message instead of the answer: status, bits, text and its details are told."""
    server = mock_server(send_error=True)
    with pytest.raises(osslcmp.RejectedError) as caught:
        request(client(server.url, pki, protection), kind, pki)
    assert caught.value.status is PKIStatus.rejection
    assert caught.value.failure_info == FailureInfo.badRequest
    assert caught.value.text == "error processing message"
    assert "CMP routines" in str(caught.value)
    assert any("received error" in entry.text for entry in caught.value.errors)
