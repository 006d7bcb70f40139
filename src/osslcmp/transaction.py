"""A certificate request that may have to wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .enrollment import Enrollment
from .enums import BodyType, Option
from .errors import CMPError, ConfirmError, TransferError, TransferTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from .context import Context
    from .crm import CertReqMsg
    from .trace import Trace

__all__ = ["Transaction"]


class Transaction:
    """A request begun with :meth:`osslcmp.Client.begin`.

    While the server says *waiting*, :attr:`done` is false and :attr:`check_after` tells when to :meth:`poll`.
    """

    def __init__(self, context: Context, req_type: BodyType, crm: CertReqMsg | None = None) -> None:
        self._context = context
        self._crm = crm
        self._type = req_type
        self._enrollment: Enrollment | None = None
        self._error: BaseException | None = None
        self._aborted = False
        self._begun = False

    def __repr__(self) -> str:
        if self._aborted:
            state = "aborted"
        elif self._error is not None:
            state = "failed"
        else:
            state = "done" if self._enrollment else "waiting"
        return f"<osslcmp.Transaction {self._type.name.lower()} {state}>"

    @property
    def type(self) -> BodyType:
        """What was asked for: ``IR``, ``CR``, ``P10CR`` or ``KUR``."""
        return self._type

    @property
    def context(self) -> Context:
        """The :class:`osslcmp.Context` that carries it."""
        return self._context

    @property
    def trace(self) -> Trace | None:
        """What was recorded of it until now; ``None`` unless the client has a trace."""
        trace = self._context.trace
        return None if trace is None else trace.of(self._context._state.transaction_id)

    @property
    def done(self) -> bool:
        """Whether nothing is to be polled any more."""
        return self._enrollment is not None or self._error is not None or self._aborted

    @property
    def check_after(self) -> int | None:
        """Seconds that the server asked to wait before the next :meth:`poll`; ``None`` when done."""
        return None if self.done else self._context.check_after

    @property
    def result(self) -> Enrollment:
        """The :class:`osslcmp.Enrollment`. Raises the transaction's exception if it failed.

        ``RuntimeError`` if it is still waiting or was aborted.
        """
        if self._error is not None:
            raise self._error
        if self._enrollment is None:
            raise RuntimeError(
                "the transaction was aborted" if self._aborted else "the transaction is waiting"
            )
        return self._enrollment

    def poll(self) -> Enrollment | None:
        """Ask once (``OSSL_CMP_try_certreq``, 3.0). Returns the result, or ``None`` while it is waiting.

        Raises what :meth:`osslcmp.Client.ir` raises. After a :class:`osslcmp.TransferError` it can go on: the
        server still has the request.
        """
        if self.done:
            return self.result
        try:
            certificate = self._context.try_certreq(self._type, self._crm)
        except TransferError as error:
            # Before the first answer nothing is known to be waiting.
            if self._begun:
                error.transaction = self
            else:
                self._error = error
            raise
        except CMPError as error:
            self._error = error
            raise
        except BaseException as error:
            if isinstance(error.__context__, ConfirmError):
                self._error = error
            raise
        self._begun = True
        if certificate is not None:
            self._enrollment = Enrollment.of(self._context)
            self._context.disconnect()
        return self._enrollment

    def wait(
        self, timeout: float | None = None, on_wait: Callable[[Transaction], object] | None = None
    ) -> Enrollment:
        """Poll as often as the server wants until there is a result.

        ``timeout`` is in seconds, ``None`` for no limit; when it is over, one last poll is made and then
        :class:`osslcmp.TransferTimeout` is raised, whose ``transaction`` is this one. ``on_wait`` is called with
        this transaction before each sleep. A signal handler that raises ends the wait at once.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        limit = self._context.get_option(Option.MSG_TIMEOUT)
        while not self.done:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0 and self._begun:
                late = TransferTimeout(
                    f"{self._type.name.lower()}: still waiting after {timeout:g} seconds; .transaction can go on"
                )
                late.transaction = self
                raise late
            if left is not None:
                seconds = max(1, int(left + 0.999))
                self._context.set_option(Option.MSG_TIMEOUT, min(limit, seconds) if limit else seconds)
            try:
                self.poll()
            finally:
                self._context.set_option(Option.MSG_TIMEOUT, limit)
            if not self.done:
                if on_wait is not None:
                    on_wait(self)
                self._sleep(deadline)
        return self.result

    def _sleep(self, deadline: float | None) -> None:
        seconds = float(self.check_after or 0)
        if deadline is not None:
            seconds = min(seconds, max(0.0, deadline - time.monotonic()))
        # At zero there is still the scheduler to be fair to.
        self._context._wakeup.wait(max(seconds, 0.001))

    def abort(self) -> None:
        """Tell the server that it is off (``OSSL_CMP_try_certreq`` with -1, 3.0). Nothing if it is done.

        It counts as aborted even if the server could not be told: then the exception says why.
        """
        if self.done:
            return
        self._aborted = True
        try:
            if self._begun:
                self._context.try_certreq(-1)
        finally:
            self._context.disconnect()

    def cancel(self) -> None:
        """End a :meth:`poll` or :meth:`wait` that runs in another thread; from any thread."""
        self._context.cancel()
