"""The worker threads of :class:`osslcmp.AsyncClient`, and what is under way in them."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._text import get_logger
from ..context.deadline import Deadline, Pause
from ..context.polling import Exchange
from ..errors import TransferError, TransferTimeout

if TYPE_CHECKING:
    from ..context import Context

_T = TypeVar("_T")

AsyncTransport = Callable[[bytes], Awaitable[bytes] | bytes]
"""Takes the DER encoding of a request and returns that of the response, or an awaitable of it."""

#: Seconds for telling the server of a cancellation.
ABORT_TIME = 2.0

logger = get_logger("osslcmp.aio")


class Operation:
    """What one call has under way outside the event loop."""

    def __init__(self, message_timeout: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.message_timeout = message_timeout
        self.context: Context | None = None
        self._cancelled = False
        self._answer: Future[bytes] | None = None

    def cancel(self) -> None:
        """End the exchange that runs in a worker thread."""
        self._cancelled = True
        if self.context is not None:
            self.context.cancel()
        answer = self._answer  # the worker thread may take it away meanwhile
        if answer is not None:
            answer.cancel()

    def adopt(self, context: Context) -> None:
        """In a worker thread: this is the context, whether or not :meth:`cancel` has come already."""
        self.context = context
        if self._cancelled:
            context.cancel()

    def advance(self, exchange: Exchange[Any]) -> Pause | None:
        """In a worker thread: the next step of a request."""
        assert self.context is not None
        return self.context.polling.advance(exchange)

    def abort(self, deadline: Deadline) -> None:
        """Tell the server that the request is off, if it waits for us."""
        if self.context is not None and self.context.pending:
            self.context.polling.abort(deadline)

    def again(self) -> None:
        """After :meth:`cancel`: let the next exchange be."""
        self._cancelled = False
        if self.context is not None:
            self.context.calls.forget_cancel()

    def wait_for(self, answer: Awaitable[bytes]) -> bytes:
        """In a worker thread: let the event loop carry a message."""
        deadline = None if self.context is None else self.context.polling.deadline
        left = None if deadline is None else deadline.left
        limits = [limit for limit in (self.message_timeout or None, left) if limit is not None]
        carried = asyncio.run_coroutine_threadsafe(
            _limited(answer, min(limits) if limits else None), self.loop
        )
        self._answer = carried
        if self._cancelled:
            carried.cancel()
        try:
            return carried.result()
        except FutureCancelledError:
            raise TransferError("the transport was cancelled") from None
        finally:
            self._answer = None


async def _in_any_case(done: asyncio.Event) -> None:
    """Wait for it, whoever cancels the task once more meanwhile: he is told afterwards."""
    while not done.is_set():
        with suppress(asyncio.CancelledError):
            await done.wait()


async def _limited(answer: Awaitable[_T], limit: float | None) -> _T:
    try:
        return await asyncio.wait_for(answer, limit)
    except asyncio.TimeoutError as error:
        if isinstance(error, TransferTimeout):  # the transport's own
            raise
        raise TransferTimeout(f"transport: no answer within {limit:g} seconds") from error


class Workers:
    """Threads in which messages are made, sent and verified; the tasks that use them."""

    def __init__(self, threads: int, transport: AsyncTransport | None) -> None:
        self._transport = transport
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="osslcmp")
        self._local = threading.local()
        self._tasks: dict[asyncio.Task[Any], int] = {}
        self._closed = False

    async def close(self) -> None:
        """Cancel the tasks, wait for their end and let the threads end."""
        self._closed = True
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # All are idle now, but for ordinary transports that do not return.
        self._pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The current task is in a call: :meth:`close` cancels it."""
        if self._closed:
            raise RuntimeError("the client is closed")
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = self._tasks.get(task, 0) + 1
        try:
            yield
        finally:
            self._tasks[task] -= 1
            if not self._tasks[task]:
                del self._tasks[task]

    def carry(self, request: bytes) -> bytes:
        """The transport, in a worker thread."""
        assert self._transport is not None
        answer = self._transport(request)
        if not inspect.isawaitable(answer):
            return answer
        operation: Operation = self._local.operation
        return operation.wait_for(answer)

    def _inside(self, operation: Operation, function: Callable[[], _T]) -> _T:
        self._local.operation = operation
        try:
            return function()
        finally:
            del self._local.operation

    async def work(self, operation: Operation, function: Callable[[], _T]) -> _T:
        """Run ``function`` in a worker thread. If this is cancelled, it has ended when the exception comes."""
        done = asyncio.Event()
        loop = operation.loop

        def ended(_future: Future[_T]) -> None:
            with suppress(RuntimeError):  # a loop that is closed meanwhile wants to know nothing
                loop.call_soon_threadsafe(done.set)

        future = self._pool.submit(contextvars.copy_context().run, self._inside, operation, function)
        future.add_done_callback(ended)
        try:
            await done.wait()
        except asyncio.CancelledError:
            if not future.cancel():
                operation.cancel()
                await _in_any_case(done)
                operation.again()
            raise
        return future.result()

    async def abort(self, operation: Operation, abort: Callable[[Deadline], object]) -> None:
        """Tell the server that a request is off, if it waits for us; not longer than a moment."""
        try:
            await self.work(operation, partial(abort, Deadline(ABORT_TIME)))
        except Exception as error:
            logger.info("the server could not be told of a cancellation: %s", error)

    def disconnect(self, operation: Operation) -> None:
        """Close its connection."""
        if operation.context is not None:
            with suppress(RuntimeError):  # an ordinary transport that does not return is still in it
                operation.context.disconnect()
