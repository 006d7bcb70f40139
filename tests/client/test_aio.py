"""AsyncClient: its requests, its transports and its errors are those of Client."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.clients import CERTIFICATE_REQUESTS, HARMLESS, PROTECTIONS, credentials
from support.loops import by_task, run
from support.mock_server import MockServer
from support.openssl import version
from support.pki import PKI
from support.releases import CLIENT_WAITS_FOR_ALL
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import AsyncClient
from osslcmp.server import Rejected

Mock = Callable[..., MockServer]

SERVER_DELAYS_ALL = version() >= (3, 3, 0)


def test_same_methods() -> None:
    """Each public method of Client is there, as a coroutine function that takes the same arguments."""
    for name, method in inspect.getmembers(osslcmp.Client, inspect.isfunction):
        if name.startswith("_"):
            continue
        other = getattr(AsyncClient, "aclose" if name == "close" else name)
        assert inspect.iscoroutinefunction(other), name
        if name not in ("begin", "resume"):
            assert list(inspect.signature(other).parameters) == list(inspect.signature(method).parameters)
        assert other.__doc__


# -- requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["http", "function", "coroutine"])
@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_certificates(kind: str, protection: str, how: str, site: Site) -> None:
    """All requests, over HTTP and by both kinds of transports; the server says *waiting* first."""

    async def test() -> None:
        with site.server.serve() as running:
            arguments = site.arguments(protection, running.url if how == "http" else None)
            if how == "coroutine":
                arguments["transport"] = by_task(site.server)
            async with AsyncClient(**arguments) as cmp:
                waits = []

                def on_wait(transaction: osslcmp.AsyncTransaction) -> None:
                    waits.append((transaction.check_after, transaction.polls))
                    site.released = len(waits) == 2

                result = await getattr(cmp, kind)(**site.request(kind), on_wait=on_wait)
        assert waits == [(0, 1), (0, 2)]
        assert result.certificate.public_key() == site.new_key.public_key()
        record = site.ca.record(result.certificate)
        assert record is not None
        assert record.confirmed

    run(test())


@pytest.mark.peer
@pytest.mark.parametrize("protection", PROTECTIONS)
def test_revocation_and_general_message(protection: str, pki: PKI, mock_server: Mock) -> None:
    """rr and genm at OpenSSL's server."""
    server = mock_server()

    async def test() -> None:
        async with AsyncClient(server.url, **credentials(pki, protection)) as cmp:
            answer = await cmp.genm([HARMLESS])
            assert answer == [HARMLESS]
            revocation = await cmp.rr(pki.enrolled.certificate)
            assert revocation.status is osslcmp.PKIStatus.accepted

    run(test())


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["rr", "genm"])
def test_delayed_revocation_and_general_message(kind: str, pki: PKI, mock_server: Mock) -> None:
    """Their answer may be delayed as well, from 3.3 on; an older client says so, an older server does not."""
    server = mock_server(poll_count=3, check_after=1)
    told: list[osslcmp.Progress] = []

    async def on_wait(progress: osslcmp.Progress) -> None:
        told.append(progress)
        await asyncio.sleep(0)

    async def test() -> None:
        async with AsyncClient(server.url, **credentials(pki, "mac")) as cmp:
            request: Awaitable[Any] = (
                cmp.rr(pki.enrolled.certificate, on_wait=on_wait)
                if kind == "rr"
                else cmp.genm([HARMLESS], on_wait=on_wait)
            )
            if SERVER_DELAYS_ALL and not CLIENT_WAITS_FOR_ALL:
                with pytest.raises(osslcmp.CMPError):
                    await request
                return
            assert await request
        if SERVER_DELAYS_ALL:
            assert [(p.type.name.lower(), p.check_after, p.polls) for p in told] == [
                (kind, 1, 1),
                (kind, 1, 2),
            ]

    run(test())


def test_helpers(site: Site) -> None:
    """The typed general messages, too."""

    async def test() -> None:
        async with AsyncClient(**site.arguments("signature")) as cmp:
            assert site.ca.root in await cmp.ca_certs()

    run(test())


def test_errors_are_the_same(site: Site) -> None:
    """What Client raises comes out of the coroutine."""

    async def test() -> None:
        site.released, site.refusal = True, Rejected(osslcmp.FailureInfo.badCertTemplate, "no")
        async with AsyncClient(**site.arguments()) as cmp:
            with pytest.raises(osslcmp.RejectedError, match="no"):
                await cmp.ir(site.new_key, subject="CN=x")
            with pytest.raises(ValueError, match=r"^key: "):
                await cmp.ir()
            with pytest.raises(TypeError):
                await cmp.ir(site.new_key, nonsense=1)  # type: ignore[call-arg]
            with pytest.raises(ValueError, match=r"^req_type: "):
                await cmp.begin("rr")
            with pytest.raises(ValueError, match=r"^dump: "):
                await cmp.resume(b"")
        async with AsyncClient(transport=site.server, reference="ref", secret="wrong") as cmp:
            with pytest.raises(osslcmp.ProtectionError):
                await cmp.genm()

    run(test())


@pytest.mark.parametrize("threads", [0, -1, None, "5"])
def test_threads_must_be_a_number(threads: Any) -> None:
    """Told at once."""
    with pytest.raises((ValueError, TypeError)):
        AsyncClient(transport=bytes, secret="x", threads=threads)


def test_transport_must_be_callable() -> None:
    """Told at once."""
    with pytest.raises(TypeError):
        AsyncClient(transport=5, secret="x")  # type: ignore[arg-type]


def test_transport_that_raises(site: Site) -> None:
    """A coroutine's exception reaches the caller unchanged, and the client works again."""

    class BrokenError(Exception):
        pass

    broken = True

    async def transport(request: bytes) -> bytes:
        if broken:
            raise BrokenError("no line")
        return site.server(request)

    async def test() -> None:
        nonlocal broken
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            for _ in range(2):
                with pytest.raises(BrokenError, match="no line"):
                    await cmp.ir(site.new_key, subject="CN=x")
            with pytest.raises(BrokenError):
                await cmp.genm()
            broken = False
            site.released = True
            assert await cmp.ir(site.new_key, subject="CN=x")

    run(test())


@pytest.mark.parametrize("answer", [None, 5, "text"])
def test_transport_that_returns_something_else(answer: Any) -> None:
    """A TypeError, as with a function."""

    async def transport(_request: bytes) -> Any:
        return answer

    async def test() -> None:
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            with pytest.raises(TypeError):
                await cmp.genm()

    run(test())
