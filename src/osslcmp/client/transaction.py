"""A certificate request that may have to wait."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ..context.deadline import Deadline, OnWait, check_on_wait
from ..enrollment import Enrollment
from ..enums import BodyType
from ..errors import ConfirmError, TransferError, TransferTimeout
from .settings import ResumeConditions

if TYPE_CHECKING:
    from ..context import Context
    from ..context.crmf import CertReqMsg
    from ..trace import Trace
    from .dump import Dump


def _interrupted(req_type: BodyType, error: BaseException) -> Exception:
    """What a transaction ended in when a signal handler, or who cancelled it, ended the call: that was for the call."""
    came = error.__context__
    if isinstance(came, ConfirmError):  # the certificate is not lost
        return came
    ended = TransferError(f"{req_type.name.lower()}: ended by {type(error).__name__} before the answer came")
    ended.__cause__ = error
    return ended


class Transaction:
    """A request begun with :meth:`osslcmp.Client.begin`, or taken up with :meth:`osslcmp.Client.resume`.

    While the server says *waiting*, :attr:`done` is false and :attr:`check_after` tells when to :meth:`poll`.
    :meth:`wait` does the polling. :meth:`dump` makes it survive this process.
    """

    def __init__(
        self,
        context: Context,
        req_type: BodyType,
        crm: CertReqMsg | None = None,
        conditions: ResumeConditions | None = None,
    ) -> None:
        self._context = context
        self._crm = crm
        self._type = req_type
        self._conditions = conditions or ResumeConditions()
        self._enrollment: Enrollment | None = None
        self._error: BaseException | None = None
        self._aborted = False
        self._begun_at = time.time()
        self._polls = 0
        self._due = time.monotonic()

    @classmethod
    def _resumed(cls, context: Context, found: Dump, crm: CertReqMsg | None) -> Transaction:
        """Stand where the dumped transaction stood."""
        self = cls(context, found.req_type, crm, found.terms)
        self._begun_at = found.begun
        seconds = max(0.0, found.due - time.time())
        context.polling.restore(found.messages, found.req_type, crm, math.ceil(seconds))
        self._due = time.monotonic() + seconds
        return self

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
        return None if trace is None else trace.of(self._context.calls.state.transaction_id)

    @property
    def done(self) -> bool:
        """Whether nothing is to be polled any more."""
        return self._enrollment is not None or self._error is not None or self._aborted

    @property
    def check_after(self) -> int | None:
        """Seconds that the server asked to wait before the next :meth:`poll`; ``None`` when done."""
        return None if self.done else self._context.check_after

    @property
    def reason(self) -> str | None:
        """Why the server lets us wait, in its words (of its last pollRep, or else of its first answer), lines joined.

        Empty if it does not say; ``None`` when done.
        """
        return None if self.done else self._context.polling.reason

    @property
    def elapsed(self) -> float:
        """Seconds since the request was made, counted over all processes that it has lived in."""
        return time.time() - self._begun_at

    @property
    def polls(self) -> int:
        """How often the server has said *waiting* to this object."""
        return self._polls

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

        Raises what :meth:`osslcmp.Client.ir` raises. After a :class:`osslcmp.TransferError` or an interrupt it can
        go on, if the server has the request.
        """
        return self._poll(None)

    def _poll(self, deadline: Deadline | None) -> Enrollment | None:
        if self.done:
            return self.result
        try:
            done = self._context.polling.step(self._type, self._crm, deadline)
        except BaseException as error:
            if not self._context.pending:
                self._error = error if isinstance(error, Exception) else _interrupted(self._type, error)
            else:
                for failure in (error, error.__cause__):  # of a ConfirmError it is the cause
                    if isinstance(failure, TransferError):
                        failure.transaction = self
            raise
        if done:
            self._enrollment = self._context.results.enrollment()
            self._context.disconnect()
            return self._enrollment
        self._polls += 1
        self._due = time.monotonic() + (self._context.check_after or 0)
        return None

    def wait(self, timeout: float | None = None, on_wait: OnWait | None = None) -> Enrollment:
        """Poll as often as the server wants until there is a result.

        ``timeout`` is in seconds, ``None`` for no limit: it bounds the exchange of messages, too. When it is nearly
        over, one last poll is made, and then :class:`osslcmp.TransferTimeout` is raised, whose ``transaction`` is
        this one; :class:`osslcmp.ConfirmError` if only the confirmation is outstanding. ``on_wait`` is called with
        this transaction before each sleep. A signal handler that raises ends the wait at once.
        """
        check_on_wait(on_wait)
        deadline = Deadline(timeout)
        while not self.done:
            seconds = self._until_due(deadline)
            if seconds:
                if on_wait is not None:
                    on_wait(self)
                self._context.calls.wakeup.wait(seconds)
            self._poll(deadline)
        return self.result

    def _until_due(self, deadline: Deadline) -> float:
        """Seconds to sleep before the next poll. Raises if there will be no time for it."""
        if not self._context.pending:
            return 0
        seconds = deadline.sleep(self._due - time.monotonic())
        if seconds is None:
            from ..context.hints import advise

            late = advise(TransferTimeout(self._context.polling.late(self._type, deadline)))
            late.transaction = self
            enrollment = self._context.unconfirmed
            if enrollment is None:
                raise late
            message = "a certificate was issued, but the server delays its confirmation"
            raise advise(ConfirmError(message, enrollment)) from late
        return seconds

    def abort(self) -> None:
        """Tell the server that it is off (``OSSL_CMP_try_certreq`` with -1, 3.0). Nothing if it is done.

        It counts as aborted even if the server could not be told: then the exception says why.
        """
        self._abort(None)

    def _abort(self, deadline: Deadline | None) -> None:
        if self.done:
            return
        self._aborted = True
        try:
            if self._context.pending:
                self._context.polling.abort(deadline)
        finally:
            self._context.disconnect()

    def cancel(self) -> None:
        """End a :meth:`poll` or :meth:`wait` that runs in another thread; from any thread."""
        self._context.cancel()

    def dump(self) -> bytes:
        """All that :meth:`osslcmp.Client.resume` needs to go on, in another process too, as long as the server waits.

        It holds the server's last messages, the public key and the like, but no secret and no private key. A
        transaction goes on in one place only: do not poll it here after it was resumed elsewhere. Raises
        ``RuntimeError`` if nothing is pending at the server, or while another thread polls.
        """
        return self._context.calls.alone(self._dump)

    def _dump(self) -> bytes:
        if self.done or not self._context.pending:
            raise RuntimeError("the transaction is not waiting for the server: there is nothing to resume")
        from .dump import dump

        due_in = max(0.0, self._due - time.monotonic())
        return dump(self._context, self._type, self._conditions, self._begun_at, time.time() + due_in)
