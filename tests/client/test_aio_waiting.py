"""AsyncClient: nothing blocks the event loop, waiting holds no thread and ends when it is due."""

from __future__ import annotations

import asyncio
import threading

import pytest
from support.clients import CERTIFICATE_REQUESTS, credentials
from support.loops import by_task, run, until
from support.pki import PKI
from support.raw_server import RawServer, hang
from support.waiting import SECRET, TYPES, Site

import osslcmp
from osslcmp import AsyncClient, BodyType

# -- the event loop -------------------------------------------------------------------------------------------


def test_thousand_pending(site: Site) -> None:
    """1,000 requests wait at once: the server has them all, and there are no more threads than for a handful."""
    count, threads = 1000, 4
    site.check_after = 5
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


@pytest.mark.parametrize("timeouts", [(1, None), (0, 0.3)], ids=["message", "total"])
def test_timeout_of_a_coroutine(timeouts: tuple[int, float | None], site: Site) -> None:
    """A transport that does not come back is left after ``message_timeout``, or what is left of ``total_timeout``."""
    ended = []

    async def transport(_request: bytes) -> bytes:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)
        return b""

    async def test() -> None:
        limits = dict(zip(("message_timeout", "total_timeout"), timeouts, strict=True))
        async with AsyncClient(transport=transport, reference="ref", secret=SECRET, **limits) as cmp:  # type: ignore[arg-type]
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.ir(site.new_key, subject="CN=x")
            with pytest.raises(osslcmp.TransferTimeout):
                await cmp.genm()
        assert ended == [True, True]

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
