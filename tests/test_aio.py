"""AsyncClient: nothing blocks the event loop, waiting holds no thread, cancelling leaves nothing behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from cryptography import x509
from support.clients import CERTIFICATE_REQUESTS, HARMLESS, PROTECTIONS, credentials
from support.mock_server import MockServer
from support.openssl import version
from support.pki import PKI
from support.raw_server import RawServer, hang
from support.waiting import SECRET, TYPES, Site

import osslcmp
from osslcmp import AsyncClient, BodyType, Message
from osslcmp.server import Rejected

Mock = Callable[..., MockServer]

SERVER_DELAYS_ALL = version() >= (3, 3, 0)
CLIENT_WAITS_FOR_ALL = osslcmp.features["delayed_delivery"]


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; afterwards no task may be left."""

    async def whole() -> None:
        before = asyncio.all_tasks()
        await asyncio.wait_for(test, 60)
        assert asyncio.all_tasks() == before

    asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    """Come back when it holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.005)


def by_task(answer: Callable[[bytes], bytes], seen: list[BodyType] | None = None) -> Any:
    """A coroutine function as transport."""

    async def transport(request: bytes) -> bytes:
        if seen is not None:
            seen.append(Message.from_der(request).type)
        await asyncio.sleep(0)
        return answer(request)

    return transport


def test_same_methods() -> None:
    """Each public method of Client is there, as a coroutine function that takes the same arguments."""
    for name, method in inspect.getmembers(osslcmp.Client, inspect.isfunction):
        if name.startswith("_"):
            continue
        other = getattr(AsyncClient, name)
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


# -- the event loop -------------------------------------------------------------------------------------------


def test_thousand_pending(site: Site) -> None:
    """1,000 requests wait at once: the server has them all, and there are no more threads than for a handful."""
    count, threads = 1000, 4
    site.check_after = 1
    before = threading.active_count()

    async def test() -> None:
        async with AsyncClient(**site.arguments(), threads=threads) as cmp:
            tasks = [
                asyncio.create_task(cmp.ir(site.new_key, subject=f"CN=device {n}", implicit_confirm=True))
                for n in range(count)
            ]
            await until(lambda: len(site.waiting) == count)
            assert not any(task.done() for task in tasks)
            assert threading.active_count() <= before + threads
            site.released = True
            results = await asyncio.gather(*tasks)
        assert len({result.certificate.serial_number for result in results}) == count

    run(test())


def test_the_loop_is_free(pki: PKI) -> None:
    """While a server is silent, other tasks run."""

    async def test() -> None:
        with RawServer(hang) as server:
            async with AsyncClient(server.url, **credentials(pki, "mac"), message_timeout=1) as cmp:
                request = asyncio.create_task(cmp.genm())
                ticks = 0
                while not request.done():
                    ticks += 1
                    await asyncio.sleep(0.01)
                with pytest.raises(osslcmp.TransferTimeout):
                    await request
        assert ticks > 10

    run(test())


def test_transport_runs_in_the_loop(site: Site) -> None:
    """A coroutine function is awaited where the client is used, with the caller's context variables around it."""
    threads = []

    async def transport(request: bytes) -> bytes:
        threads.append(threading.current_thread())
        return site.server(request)

    async def test() -> None:
        site.released = True
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            await cmp.ir(site.new_key, subject="CN=x")
        assert set(threads) == {threading.main_thread()}

    run(test())


# -- limits ---------------------------------------------------------------------------------------------------


def test_message_timeout_of_a_coroutine(site: Site) -> None:
    """A transport that does not come back is left after ``message_timeout``."""
    ended = []

    async def transport(_request: bytes) -> bytes:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)
        return b""

    async def test() -> None:
        async with AsyncClient(
            transport=transport, reference="ref", secret=SECRET, message_timeout=1, total_timeout=None
        ) as cmp:
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.ir(site.new_key, subject="CN=x")
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.genm()
        assert ended == [True, True]

    run(test())


def test_total_timeout_of_a_coroutine(site: Site) -> None:
    """... and after what is left of ``total_timeout``."""

    async def transport(_request: bytes) -> bytes:
        await asyncio.sleep(3600)
        return b""

    async def test() -> None:
        async with AsyncClient(
            transport=transport, reference="ref", secret=SECRET, message_timeout=0, total_timeout=0.3
        ) as cmp:
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.ir(site.new_key, subject="CN=x")
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.genm()

    run(test())


def test_total_timeout_over_http(pki: PKI) -> None:
    """It bounds the exchange of messages in C as well."""

    async def test() -> None:
        with RawServer(hang) as server:
            async with AsyncClient(
                server.url, **credentials(pki, "mac"), message_timeout=0, total_timeout=0.3
            ) as cmp:
                with pytest.raises(osslcmp.TransferTimeout):
                    await cmp.ir(pki.enrolled.key, subject="CN=x")
                with pytest.raises(osslcmp.TransferTimeout):
                    await cmp.genm()

    run(test())


def test_total_timeout_while_waiting(site: Site) -> None:
    """What is still pending can be gone on with."""
    site.check_after = 3600

    async def test() -> None:
        async with AsyncClient(**site.arguments(), total_timeout=0.3) as cmp:
            with pytest.raises(osslcmp.TransferTimeout) as caught:
                await cmp.ir(**site.request("ir"))
            assert caught.value.transaction is not None
            transaction = await cmp.resume(caught.value.transaction.dump())
            site.released = True
            assert await transaction.poll()

    run(test())


# -- transactions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_transaction(kind: str, site: Site) -> None:
    """begin, poll, dump, resume, wait."""

    async def test() -> None:
        async with AsyncClient(**site.arguments()) as cmp:
            transaction = await cmp.begin(TYPES[kind], **site.request(kind))
            assert isinstance(transaction, osslcmp.AsyncTransaction)
            assert not transaction.done
            assert transaction.type is TYPES[kind]
            assert transaction.check_after == 0
            assert "waiting" in repr(transaction)
            assert await transaction.poll() is None
            assert transaction.polls == 2
            with pytest.raises(RuntimeError):
                _ = transaction.result
            dump = transaction.dump()
        async with AsyncClient(**site.arguments()) as cmp:
            resumed = await cmp.resume(dump)
            site.released = True
            result = await resumed.wait(20)
            assert resumed.done
            assert resumed.result is result
            assert resumed.elapsed >= 0
            assert await resumed.poll() is result

    run(test())


def test_abort(site: Site) -> None:
    """By hand."""
    seen: list[BodyType] = []

    async def test() -> None:
        async with AsyncClient(transport=by_task(site.server, seen), reference="ref", secret=SECRET) as cmp:
            transaction = await cmp.begin("ir", **site.request("ir"))
            before = site.server.open_transactions
            await transaction.abort()
            assert site.server.open_transactions == before - 1
            assert transaction.done
            await transaction.abort()
        assert seen == [BodyType.IR, BodyType.POLLREQ, BodyType.ERROR]

    run(test())


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
            assert not cmp._workers._tasks
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
    new = osslcmp.Client._untimed_context
    seen: list[BodyType] = []

    def slow(client: osslcmp.Client) -> osslcmp.Context:
        making.set()
        assert go_on.wait(30)
        return new(client)

    async def test() -> None:
        arguments = {**site.arguments("mac"), "transport": by_task(site.server, seen)}
        async with AsyncClient(**arguments) as cmp:
            monkeypatch.setattr(osslcmp.Client, "_untimed_context", slow)
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


@pytest.mark.peer
def test_cancelled_delayed_revocation(pki: PKI, mock_server: Mock) -> None:
    """A delayed rr that is cancelled is taken back at the server."""
    if not (SERVER_DELAYS_ALL and CLIENT_WAITS_FOR_ALL):
        assert not osslcmp.features["delayed_delivery"] or version() < (3, 3, 0)
        return
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
