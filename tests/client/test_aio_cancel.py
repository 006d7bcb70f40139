"""AsyncClient: cancelling, closing and Ctrl-C leave nothing behind, here or at the server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from cryptography import x509
from support.clients import CERTIFICATE_REQUESTS, PROTECTIONS, credentials
from support.loops import by_task, run, until
from support.mock_server import MockServer
from support.openssl import version
from support.pki import PKI
from support.raw_server import RawServer, hang
from support.releases import from_3_3
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import AsyncClient, BodyType, Message
from osslcmp.client.settings import Settings

Mock = Callable[..., MockServer]

SERVER_DELAYS_ALL = version() >= (3, 3, 0)


# -- cancelling -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_cancelled_between_polls(kind: str, protection: str, site: Site) -> None:
    """The server is told by an error message before the task ends."""
    site.check_after = 3600
    seen: list[BodyType] = []

    async def test() -> None:
        arguments = {**site.arguments(protection), "transport": by_task(site.server, seen)}
        async with AsyncClient(**arguments) as cmp:
            before = site.server.open_transactions
            sleeping = asyncio.Event()
            task = asyncio.create_task(
                getattr(cmp, kind)(**site.request(kind), on_wait=lambda _: sleeping.set())
            )
            await sleeping.wait()
            assert site.server.open_transactions == before + 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert site.server.open_transactions == before
            assert seen[-1] is BodyType.ERROR
            gone = weakref.ref(task)
            del task
            await asyncio.sleep(0)  # until the event loop is done with it
            gc.collect()
            assert gone() is None, "the client knows it no more"
            site.released = True
            assert await cmp.ir(site.new_key, subject="CN=afterwards")

    run(test())


def test_cancelled_over_http(site: Site) -> None:
    """The same by our HTTP, with a connection that is kept alive."""
    site.check_after = 3600

    async def test() -> None:
        with site.server.serve() as running:
            async with AsyncClient(**site.arguments(url=running.url)) as cmp:
                before = site.server.open_transactions
                tasks = [asyncio.create_task(cmp.ir(**site.request("ir"))) for _ in range(5)]
                await until(lambda: site.server.open_transactions == before + 5)
                await asyncio.sleep(0.1)  # until they sleep; if one does not yet, that is tested below
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert all(task.cancelled() for task in tasks)
                assert site.server.open_transactions == before

    run(test())


def test_cancelled_in_a_poll(site: Site) -> None:
    """A poll that is under way is left; the server is told nevertheless."""
    polling = asyncio.Event()
    ended = []

    async def transport(request: bytes) -> bytes:
        if Message.from_der(request).type is BodyType.POLLREQ and site.polls > 0:
            polling.set()
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(True)
        return site.server(request)

    async def test() -> None:
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            before = site.server.open_transactions
            task = asyncio.create_task(cmp.ir(**site.request("ir")))
            await polling.wait()
            assert site.server.open_transactions == before + 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended == [True]
            assert site.server.open_transactions == before

    run(test())


def test_cancelled_before_there_is_a_context(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker thread makes it just then: nothing is sent any more."""
    making, go_on = threading.Event(), threading.Event()
    new = Settings.context
    seen: list[BodyType] = []

    def slow(settings: Settings) -> osslcmp.Context:
        making.set()
        assert go_on.wait(30)
        return new(settings)

    async def test() -> None:
        arguments = {**site.arguments("mac"), "transport": by_task(site.server, seen)}
        async with AsyncClient(**arguments) as cmp:
            monkeypatch.setattr(Settings, "context", slow)
            task = asyncio.create_task(cmp.genm())
            await until(making.is_set)
            task.cancel()
            await asyncio.sleep(0)  # until the cancellation has come to the worker's call
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert seen == []

    run(test())


def test_cancelled_while_the_server_is_silent(pki: PKI) -> None:
    """Over HTTP, in C: the worker thread comes back, its connection is closed."""

    async def test() -> None:
        with RawServer(hang) as server:
            async with AsyncClient(server.url, **credentials(pki, "mac")) as cmp:
                requests: list[Coroutine[Any, Any, Any]] = [
                    cmp.ir(pki.enrolled.key, subject="CN=x"),
                    cmp.genm(),
                    cmp.rr(pki.enrolled.certificate),
                    cmp.begin("ir", key=pki.enrolled.key, subject="CN=x"),
                ]
                for request in requests:
                    arrived = len(server.requests)
                    task = asyncio.create_task(request)
                    await until(lambda arrived=arrived: len(server.requests) > arrived)  # type: ignore[misc]
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task

    run(test())


def test_server_that_does_not_hear(site: Site) -> None:
    """Telling a server that has gone silent takes no longer than a moment."""
    site.check_after = 3600

    async def transport(request: bytes) -> bytes:
        if Message.from_der(request).type is BodyType.ERROR:
            await asyncio.sleep(3600)
        return site.server(request)

    async def test() -> None:
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            sleeping = asyncio.Event()
            task = asyncio.create_task(cmp.ir(**site.request("ir"), on_wait=lambda _: sleeping.set()))
            await sleeping.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(test())


def test_cancelled_wait_leaves_the_transaction(site: Site) -> None:
    """Whoever has the transaction decides: a wait that is cut can be gone on with."""
    site.check_after = 3600

    async def test() -> None:
        async with AsyncClient(**site.arguments()) as cmp:
            transaction = await cmp.begin("ir", **site.request("ir"))
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(transaction.wait(), 0.1)
            assert not transaction.done
            dump = transaction.dump()
            site.released = True
            assert await (await cmp.resume(dump)).poll()

    run(test())


@from_3_3
@pytest.mark.peer
def test_cancelled_delayed_revocation(pki: PKI, mock_server: Mock) -> None:
    """A delayed rr that is cancelled is taken back at the server."""
    if not SERVER_DELAYS_ALL:
        pytest.skip("only the mock server of OpenSSL 3.3 and later delays answers to rr")
    server = mock_server(poll_count=3, check_after=3600)

    async def test() -> None:
        async with AsyncClient(server.url, **credentials(pki, "mac"), keep_alive=False) as cmp:
            sleeping = asyncio.Event()
            task = asyncio.create_task(cmp.rr(pki.enrolled.certificate, on_wait=lambda _: sleeping.set()))
            await sleeping.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert "polling aborted" in server.wait_for("errorDetails")

    run(test())


def test_what_a_callback_raises(site: Site) -> None:
    """on_wait may end a call; the request stays pending at the server, as without asyncio."""

    class EnoughError(Exception):
        pass

    def enough(_: Any) -> None:
        raise EnoughError

    async def test() -> None:
        async with AsyncClient(**site.arguments()) as cmp:
            with pytest.raises(EnoughError):
                await cmp.ir(**site.request("ir"), on_wait=enough)

    run(test())


# -- the end --------------------------------------------------------------------------------------------------


def test_aclose_ends_what_runs(site: Site) -> None:
    """Pending requests are taken back, the threads end, and the client says that it is closed."""
    site.check_after = 3600

    async def test() -> None:
        cmp = AsyncClient(**site.arguments())
        before = site.server.open_transactions
        tasks = [asyncio.create_task(cmp.ir(**site.request("ir"))) for _ in range(3)]
        await until(lambda: site.server.open_transactions == before + 3)
        await cmp.aclose()
        assert all(task.cancelled() for task in tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert site.server.open_transactions == before
        for call in (cmp.ir(site.new_key), cmp.genm(), cmp.begin("ir", key=site.new_key), cmp.resume(b"")):
            with pytest.raises(RuntimeError, match="closed"):
                await call
        await cmp.aclose()

    run(test())


def test_interrupt(site: Site) -> None:
    """Ctrl-C in asyncio.run() cancels, and the server is told; before CPython 3.11 it ends the loop where it stands."""
    site.check_after = 3600
    seen: list[BodyType] = []

    async def test() -> None:
        async with AsyncClient(transport=by_task(site.server, seen), reference="ref", secret=SECRET) as cmp:

            def interrupt(_: Any) -> None:
                os.kill(os.getpid(), signal.SIGINT)

            await cmp.ir(**site.request("ir"), on_wait=interrupt)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(test())
    assert seen[-1] is (BodyType.ERROR if sys.version_info >= (3, 11) else BodyType.POLLREQ)


def test_two_loops(site: Site) -> None:
    """One after the other is fine."""
    site.released = True

    async def once() -> x509.Certificate:
        async with AsyncClient(**site.arguments()) as cmp:
            return (await cmp.ir(site.new_key, subject="CN=x")).certificate

    assert asyncio.run(once()) != asyncio.run(once())
