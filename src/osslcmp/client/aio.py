"""A CMP client for asyncio: the methods of :class:`osslcmp.Client` as coroutines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from ..context import Context
from ..context.deadline import Deadline, OnWait, Pause, check_on_wait
from ..context.polling import Exchange
from ..enrollment import Enrollment
from ..enums import BodyType
from . import Client, _body_type
from .arguments import Unpack
from .transaction import Transaction
from .workers import AsyncTransport, Operation, Workers

if TYPE_CHECKING:
    from .arguments import ClientArguments

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def _notify(on_wait: OnWait | None, progress: object) -> None:
    if on_wait is not None:
        returned = on_wait(progress)
        if inspect.isawaitable(returned):
            await returned


def _same(name: str) -> Any:
    """A property of Transaction as one of AsyncTransaction."""
    return property(
        lambda self: getattr(self._transaction, name), doc=f"As :attr:`osslcmp.Transaction.{name}`."
    )


class AsyncTransaction:
    """A certificate request that may have to wait: :class:`osslcmp.Transaction` for asyncio.

    A task that is cancelled in :meth:`poll` or :meth:`wait` leaves it pending: go on, :meth:`dump` or :meth:`abort`.
    """

    def __init__(self, client: AsyncClient, transaction: Transaction, operation: Operation) -> None:
        self._client = client
        self._transaction = transaction
        self._operation = operation
        operation.context = transaction.context

    def __repr__(self) -> str:
        return repr(self._transaction).replace("Transaction", "AsyncTransaction", 1)

    type: BodyType = _same("type")
    done: bool = _same("done")
    check_after: int | None = _same("check_after")
    reason: str | None = _same("reason")
    elapsed: float = _same("elapsed")
    polls: int = _same("polls")
    result: Enrollment = _same("result")

    def dump(self) -> bytes:
        """As :meth:`osslcmp.Transaction.dump`."""
        return self._transaction.dump()

    async def poll(self) -> Enrollment | None:
        """As :meth:`osslcmp.Transaction.poll`."""
        return await self._poll(None)

    async def _poll(self, deadline: Deadline | None) -> Enrollment | None:
        with self._client._workers.running():
            return await self._client._workers.work(
                self._operation, partial(self._transaction._poll, deadline)
            )

    async def wait(self, timeout: float | None = None, on_wait: OnWait | None = None) -> Enrollment:
        """As :meth:`osslcmp.Transaction.wait`; ``on_wait`` gets this transaction."""
        check_on_wait(on_wait)
        deadline = Deadline(timeout)
        with self._client._workers.running():
            while not self.done:
                seconds = self._transaction._until_due(deadline)
                if seconds:
                    await _notify(on_wait, self)
                    await asyncio.sleep(seconds)
                await self._poll(deadline)
        return self.result

    async def abort(self) -> None:
        """As :meth:`osslcmp.Transaction.abort`."""
        with self._client._workers.running():
            await self._client._workers.work(self._operation, self._transaction.abort)


def _coroutine(
    method: Callable[Concatenate[Client, _P], _T],
) -> Callable[Concatenate[AsyncClient, _P], Coroutine[Any, Any, _T]]:
    """A method of Client as one of AsyncClient."""

    @wraps(method)
    async def call(self: AsyncClient, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        with self._workers.running():
            do = getattr(self._client, method.__name__)(*args, **kwargs)
            result: _T = await do(self)
            return result

    call.__doc__ = f"As :meth:`osslcmp.Client.{method.__name__}`."
    return call


def _transaction(
    method: Callable[Concatenate[Client, _P], Transaction],
) -> Callable[Concatenate[AsyncClient, _P], Coroutine[Any, Any, AsyncTransaction]]:
    """A method of Client that returns a transaction, as one of AsyncClient."""
    call: Any = _coroutine(method)
    call.__doc__ += " The transaction is an :class:`osslcmp.AsyncTransaction`."
    call.__annotations__ = {**method.__annotations__, "return": AsyncTransaction}
    call.__signature__ = inspect.signature(method).replace(return_annotation=AsyncTransaction)
    return cast("Callable[Concatenate[AsyncClient, _P], Coroutine[Any, Any, AsyncTransaction]]", call)


class _Requests(Client):
    """A client whose methods return what an AsyncClient has to do."""

    def _ask(self, send: Callable[[Context], Exchange[_T]], on_wait: OnWait | None) -> Any:
        return lambda client: client._exchange(send, on_wait)

    def _enroll(self, req_type: BodyType, *, on_wait: OnWait | None = None, **request: Any) -> Any:
        return lambda client: client._enroll(partial(self._prepare, req_type, **request), on_wait)

    def begin(self, req_type: BodyType | int | str, **request: Any) -> Any:
        """Send it, in a transaction."""
        return lambda client: client._begin(partial(self._prepare, _body_type(req_type), **request))

    def resume(self, dump: bytes, **conditions: Any) -> Any:
        """Make the transaction."""
        return lambda client: client._made(partial(Client.resume, self, dump, **conditions))


class AsyncClient:
    """Enrols, updates and revokes certificates from asyncio: takes the arguments of :class:`osslcmp.Client`.

    Building, protecting, sending and verifying a message takes a worker thread for as long as it lasts; waiting for
    the server to decide takes none, so that any number of requests may be pending. ``transport`` may be a coroutine
    function (or anything that returns an awaitable): it is awaited on the event loop, at most ``message_timeout``
    seconds.

    Cancelling a task ends its exchange, tells the server by an error message that the request is off if it had said
    *waiting*, and frees everything before the task ends; that takes two seconds at most. Two things cannot be ended: a
    ``transport`` that is an ordinary function is let finish in its thread, and a server that has not answered the
    request yet is not told. Callbacks other than ``on_wait`` run in a worker thread; ``on_wait`` runs on the event loop
    and may be a coroutine function.

    Where :class:`osslcmp.TransferError` has a ``transaction``, ``await client.resume(error.transaction.dump())`` goes on
    with it.

    Use it in one event loop, with ``async with`` or :meth:`aclose`.

    Args:
        threads: how many messages may be under way at once.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        transport: AsyncTransport | None = None,
        threads: int = 32,
        **options: Unpack[ClientArguments],
    ) -> None:
        if not isinstance(threads, int) or threads < 1:
            raise ValueError(f"threads: a positive number, not {threads!r}")
        if transport is not None and not callable(transport):
            raise TypeError(f"transport: a callable from bytes to bytes, not {type(transport).__name__}")
        self._workers = Workers(threads, transport)
        carry = None if transport is None else self._workers.carry
        self._client = _Requests(server, transport=carry, **options)

    def __repr__(self) -> str:
        return repr(self._client).replace("Client", "AsyncClient", 1)

    async def __aenter__(self) -> AsyncClient:  # noqa: PYI034
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel the tasks that are in a call of this client, wait for their end and end the threads."""
        await self._workers.close()
        self._client.close()

    # -- certificates -------------------------------------------------------------------------------------

    ir = _coroutine(Client.ir)
    cr = _coroutine(Client.cr)
    p10cr = _coroutine(Client.p10cr)
    kur = _coroutine(Client.kur)
    begin = _transaction(Client.begin)
    resume = _transaction(Client.resume)
    rr = _coroutine(Client.rr)
    genm = _coroutine(Client.genm)
    ca_certs = _coroutine(Client.ca_certs)
    root_ca_update = _coroutine(Client.root_ca_update)
    crl_update = _coroutine(Client.crl_update)
    cert_req_template = _coroutine(Client.cert_req_template)
    sign_key_pair_types = _coroutine(Client.sign_key_pair_types)
    enc_key_pair_types = _coroutine(Client.enc_key_pair_types)
    preferred_symm_alg = _coroutine(Client.preferred_symm_alg)
    key_pair_params = _coroutine(Client.key_pair_params)
    ca_prot_enc_cert = _coroutine(Client.ca_prot_enc_cert)
    ca_key_update_info = _coroutine(Client.ca_key_update_info)
    current_crl = _coroutine(Client.current_crl)
    supported_languages = _coroutine(Client.supported_languages)

    # -- how ----------------------------------------------------------------------------------------------

    def _operation(self) -> Operation:
        return Operation(self._client._settings.message_timeout)

    async def _made(self, make: Callable[[], Transaction]) -> AsyncTransaction:
        operation = self._operation()
        return AsyncTransaction(self, await self._workers.work(operation, make), operation)

    async def _begin(self, make: Callable[[], Transaction]) -> AsyncTransaction:
        transaction = await self._made(make)
        await self._or_abort(transaction._operation, transaction.poll(), transaction._transaction._abort)
        return transaction

    async def _enroll(self, make: Callable[[], Transaction], on_wait: OnWait | None) -> Enrollment:
        transaction = await self._made(make)
        operation, enrollment = transaction._operation, transaction.wait(self._client._total_timeout, on_wait)
        try:
            return await self._or_abort(operation, enrollment, transaction._transaction._abort)
        finally:
            self._workers.disconnect(operation)

    async def _exchange(self, send: Callable[[Context], Exchange[_T]], on_wait: OnWait | None) -> _T:
        check_on_wait(on_wait)
        operation = self._operation()
        try:
            return await self._or_abort(operation, self._steps(operation, send, on_wait), operation.abort)
        finally:
            self._workers.disconnect(operation)

    async def _steps(
        self, operation: Operation, send: Callable[[Context], Exchange[_T]], on_wait: OnWait | None
    ) -> _T:
        exchange, pause = await self._workers.work(operation, partial(self._send, operation, send))
        while pause is not None:
            await _notify(on_wait, pause.progress)
            await asyncio.sleep(pause.seconds)
            pause = await self._workers.work(operation, partial(operation.advance, exchange))
        return exchange.result

    def _send(
        self, operation: Operation, send: Callable[[Context], Exchange[_T]]
    ) -> tuple[Exchange[_T], Pause | None]:
        context = self._client._timed_context()
        operation.adopt(context)
        exchange = send(context)
        return exchange, operation.advance(exchange)

    async def _or_abort(
        self, operation: Operation, result: Coroutine[Any, Any, _T], abort: Callable[[Deadline], object]
    ) -> _T:
        """The result; if it is cancelled, nobody else can go on with the request."""
        try:
            return await result
        except asyncio.CancelledError:
            await self._workers.abort(operation, abort)
            raise
