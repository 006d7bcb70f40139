"""Delayed answers of a real server: waiting inside the call, and polling step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.clients import CERTIFICATE_REQUESTS, PROTECTIONS, certificate_request, client, request
from support.mock_server import MockServer
from support.openssl import version
from support.pki import PKI
from support.releases import CLIENT_WAITS_FOR_ALL
from support.waiting import TYPES

import osslcmp

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]


def begin(cmp: osslcmp.Client, kind: str, pki: PKI, **options: Any) -> osslcmp.Transaction:
    """Start what `request` would do."""
    return cmp.begin(TYPES[kind], **certificate_request(kind, pki), **options)


#: Servers from 3.3 delay every answer, pkiConf as well; clients from 3.3 wait for that.
SERVER_DELAYS_ALL = version() >= (3, 3, 0)


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_wait_inside_the_call(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """A call polls as long as it takes and returns the certificate."""
    server = mock_server(poll_count=2, check_after=0, grant_implicitconf=True)
    cmp = client(server.url, pki, protection)
    result = request(cmp, kind, pki, implicit_confirm=True)
    assert result.certificate == pki.enrolled.certificate
    assert result.status is osslcmp.PKIStatus.accepted
    assert server.requests >= 3  # answered by waiting, pollRep, the certificate
    assert "error" not in server.log


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_confirm_after_waiting(kind: str, protection: str, pki: PKI, mock_server: Mock) -> None:
    """The certConf after it; where its answer is delayed, too, an old client says so and keeps it."""
    server = mock_server(poll_count=1, check_after=0)
    cmp = client(server.url, pki, protection)
    if SERVER_DELAYS_ALL and not CLIENT_WAITS_FOR_ALL:
        with pytest.raises(osslcmp.ConfirmError, match="waiting") as caught:
            request(cmp, kind, pki)
        assert caught.value.enrollment.certificate == pki.enrolled.certificate
    else:
        assert request(cmp, kind, pki).certificate == pki.enrolled.certificate
        assert "error" not in server.log


@pytest.mark.parametrize("keep_alive", [0, 1])
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_poll_step_by_step(kind: str, keep_alive: int, pki: PKI, mock_server: Mock) -> None:
    """begin() returns at once, poll() goes on, check_after tells how long the server wants us to wait."""
    server = mock_server(poll_count=3, check_after=77, grant_implicitconf=True)
    cmp = client(server.url, pki, keep_alive=keep_alive, total_timeout=400)
    transaction = begin(cmp, kind, pki, implicit_confirm=True)
    waits = []
    while not transaction.done:
        waits.append(transaction.check_after)
        transaction.poll()
    assert waits
    assert set(waits) == {77}
    assert transaction.result.certificate == pki.enrolled.certificate
    assert "error" not in server.log


def test_begin_without_delay(pki: PKI, mock_server: Mock) -> None:
    """A server that answers at once makes a transaction that is done from its start."""
    transaction = begin(client(mock_server().url, pki), "ir", pki)
    assert transaction.done
    assert transaction.result.certificate == pki.enrolled.certificate


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_abort(protection: str, pki: PKI, mock_server: Mock) -> None:
    """abort() sends an error message that the server understands."""
    server = mock_server(poll_count=3, check_after=77)
    transaction = begin(client(server.url, pki, protection, keep_alive=0, total_timeout=400), "ir", pki)
    assert not transaction.done
    transaction.abort()
    log = server.wait_for("errorDetails")
    assert "mock server received error" in log
    assert "polling aborted" in log
    assert "by application" in log
    with pytest.raises((osslcmp.CMPError, RuntimeError)):
        transaction.poll()


def test_rejected_after_waiting(pki: PKI, mock_server: Mock) -> None:
    """The delayed answer can be a no."""
    server = mock_server(
        poll_count=2, check_after=0, pkistatus=2, failure=23, statusstring="thought about it"
    )
    transaction = begin(client(server.url, pki), "cr", pki)
    with pytest.raises(osslcmp.RejectedError) as caught:
        transaction.wait()
    assert caught.value.failure_info == osslcmp.FailureInfo.notAuthorized
    assert caught.value.text == "thought about it"


def test_total_timeout_while_waiting(pki: PKI, mock_server: Mock) -> None:
    """A server that wants to be asked again much later ends in a TransferTimeout."""
    server = mock_server(poll_count=100, check_after=60)
    with pytest.raises(osslcmp.TransferTimeout):
        request(client(server.url, pki, total_timeout=6), "ir", pki)


@pytest.mark.parametrize("kind", ["rr", "genm"])
def test_delayed_revocation_and_general_message(kind: str, pki: PKI, mock_server: Mock) -> None:
    """Where rr and genm are delayed, an old client gets a typed error."""
    server = mock_server(poll_count=1, check_after=0)
    cmp = client(server.url, pki)
    if CLIENT_WAITS_FOR_ALL or not SERVER_DELAYS_ALL:
        assert request(cmp, kind, pki)
    else:
        with pytest.raises(osslcmp.CMPError):
            request(cmp, kind, pki)
