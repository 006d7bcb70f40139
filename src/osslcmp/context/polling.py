"""Answers that the server delays: polled for step by step, in this context or in one that takes over from another.

docs/internals.md has the states, and how they follow each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .._asn1.x509_parts import as_csr
from .._lazy import x509
from .._openssl import convert
from .._openssl.errorqueue import check, clear
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import own
from .._openssl.received import message_from_der, message_of
from .._text import one_line
from ..enums import CR, IR, KUR, P10CR, BodyType, PKIStatus
from ..errors import (
    CMPError,
    ConfirmError,
    RejectedError,
    TransferError,
    TransferTimeout,
    UnreadableCertificateError,
)
from .calls import Calls
from .confirmation import Confirmation
from .deadline import Deadline, OnWait, Pause, Progress
from .failures import in_context
from .guard import guarded, locked
from .options import Options
from .request import RequestFields
from .results import Results
from .status import get_status

if TYPE_CHECKING:
    from ..enrollment import Enrollment
    from .crmf import CertReqMsg
    from .exchanges import Exchanges

_T = TypeVar("_T")
_U = TypeVar("_U")

#: The slots in which the session saves answers.
ANSWER, CONFIRM, POLL, FINAL = range(4)

#: Seconds until the next poll when the server says "waiting" without a number.
DEFAULT_CHECK_AFTER = 1

_CERTIFICATE_REQUESTS = (IR, CR, P10CR, KUR)


class State(Enum):
    """What the next poll has to do."""

    IDLE = "nothing is waited for"
    POLLING = "libcrypto waits for the answer: the poll is sent"
    DELAYED = "the server has said waiting, but libcrypto does not wait: the answer is replayed, then libcrypto polls"
    LOST = "a poll got no answer: the answer and the last pollRep are replayed, then the poll is sent"


class WaitingMessages(NamedTuple):
    """The server's messages that a context needs to go on polling: DER, protected, without any secret."""

    waiting: bytes
    """The answer that said *waiting*."""
    poll: bytes | None
    """The last pollRep, if there was one."""
    response: bytes | None = None
    """If it is the confirmation that is delayed: the message that brought the certificate,"""
    verdict: object = None
    """and what the caller's callback answered about it."""


class _Delayed(NamedTuple):
    """A delayed answer to rr, genm or certConf, for which OpenSSL 3.3 and later would sleep by itself."""

    asked: BodyType
    """What is to be answered."""
    response: bytes | None = None
    """For a certConf: the message that brought the certificate."""
    enrollment: Enrollment | None = None
    """For a certConf: what is to be confirmed."""


class Exchange(Generic[_T]):
    """A request other than for a certificate, from step to step: see :meth:`Polling.advance`.

    Args:
        function: the C function that sends it.
        args: its arguments after the context.
        read: makes the result of what the function returns; raises if that is a failure.
    """

    result: _T

    def __init__(self, function: Callable[..., Any], *args: Any, read: Callable[[Any], _T]) -> None:
        self.function = function
        self.args = args
        self.read = read
        self.deadline: Deadline | None = None
        self.polls = 0

    def then(self, read: Callable[[_T], _U]) -> Exchange[_U]:
        """The request with another result, made of this one's."""
        first = self.read
        return Exchange(self.function, *self.args, read=lambda returned: read(first(returned)))


class Polling:
    """The request of a context that waits for its answer."""

    def __init__(
        self,
        calls: Calls,
        options: Options,
        request: RequestFields,
        results: Results,
        confirmation: Confirmation,
    ) -> None:
        self._calls = calls
        self._guard = calls.guard
        self._options = options
        self._request = request
        self._results = results
        self._confirmation = confirmation
        #: Seconds that the server asked to wait before the next poll.
        self.check_after: int | None = None
        self.on_wait: OnWait | None = None
        #: Of the request that is under way, or was last.
        self.deadline: Deadline | None = None
        self._state = State.IDLE
        self._messages: WaitingMessages | None = None
        self._delayed: _Delayed | None = None
        #: Type and message of the certificate request, as OSSL_CMP_try_certreq() takes them.
        self._certreq: tuple[int, Any] = (-1, NULL)

    @property
    def exchanges(self) -> Exchanges:
        """Requests other than for certificates, to :meth:`complete`."""
        from .exchanges import Exchanges  # here: an enrolment needs none

        return Exchanges(self._calls)

    # -- the state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The state. Where it is libcrypto that waits, libcrypto is asked: every call may end that."""
        if self._state is State.POLLING and not self._libcrypto_waits:
            return State.IDLE
        return self._state

    @property
    def _libcrypto_waits(self) -> bool:
        return self._calls.get(lib.OSSL_CMP_CTX_get_status) == PKIStatus.waiting

    def _enter_idle(self) -> None:
        self._state, self._messages, self._delayed = State.IDLE, None, None

    def _enter_polling(self) -> None:
        """libcrypto waits; or else it has just seen the end, so that :attr:`state` is IDLE."""
        self._state, self._messages = State.POLLING, None

    def _enter_delayed_or_lost(self, messages: WaitingMessages) -> None:
        self._state = State.DELAYED if messages.poll is None else State.LOST
        self._messages = messages

    @property
    def pending(self) -> bool:
        """Whether an answer is to be polled for."""
        return self.state is not State.IDLE

    @property
    def status(self) -> PKIStatus:
        """As :attr:`osslcmp.Context.status`."""
        if self._messages is not None:
            return PKIStatus.waiting
        return self._calls.get(get_status)

    @property
    def unconfirmed(self) -> Enrollment | None:
        """The certificate whose confirmation the server delays."""
        return None if self._delayed is None else self._delayed.enrollment

    @property
    def reason(self) -> str | None:
        """As :attr:`osslcmp.Transaction.reason`."""
        if not self.pending:
            return None
        messages = self.messages()
        return _words_of(messages.poll) or _words_of(messages.waiting)

    def reinit(self) -> None:
        """Forget what was waited for: the context has been made ready for another transaction."""
        self._enter_idle()
        self.check_after = None
        lib.osslcmp_session_forget(self._calls.session)

    # -- certificate requests -----------------------------------------------------------------------------

    @guarded
    def step(self, req_type: BodyType | int, crm: CertReqMsg | Any | None, deadline: Deadline | None) -> bool:
        """Send a certificate request, or poll once if it waits, within the time that is left.

        Returns whether the certificate is there; else it is to be waited for.
        """
        wanted = certificate_request(req_type)
        self._check_waits_for(wanted)
        if crm is None:
            crm = NULL
        elif not isinstance(crm, ffi.CData):
            from .crmf import CertReqMsg

            if not isinstance(crm, CertReqMsg):
                raise TypeError(f"crm: a CertReqMsg or OSSL_CRMF_MSG pointer, not {type(crm).__name__}")
            crm = crm.handle
        self._begin(deadline)
        self._certreq = int(wanted), crm
        done = self._send_or_poll() if self._delayed is None else self._poll_for_confirmation()
        if done:
            if self._calls.state.exception is not None:
                raise self._certreq_failure()
            clear()
        return done

    @guarded
    def next_step(self, req_type: BodyType | int, crm: CertReqMsg | Any | None) -> bool:
        """:meth:`step` within the total timeout, which counts from the first one on."""
        deadline = self.deadline
        if deadline is None or not self.pending:
            deadline = Deadline(self._options.total_timeout)
        return self.step(req_type, crm, deadline)

    @guarded
    def certificate(self, req_type: BodyType | int, crm: CertReqMsg | Any | None) -> x509.Certificate:
        """A whole certificate request: :meth:`step` as often as needed, sleeping in between."""
        deadline = Deadline(self._options.total_timeout)
        polls = 0
        while not self.step(req_type, crm, deadline):
            polls += 1
            self._sleep(self._until_poll(deadline, BodyType(req_type), polls))
        certificate = self._results.certificate(lib.OSSL_CMP_CTX_get0_newCert)
        assert certificate is not None
        return certificate

    def _check_waits_for(self, req_type: BodyType) -> None:
        """While it waits, C polls, whatever it is asked for and whatever it was that is waiting."""
        if self.pending:
            waits_for = None if self._certreq[0] < 0 else BodyType(self._certreq[0])
        elif self._libcrypto_waits:
            waits_for = None
        else:
            return
        if waits_for is not req_type:
            what = "a failed request" if waits_for is None else f"an {waits_for.name.lower()}"
            raise ValueError(f"req_type: the context still waits for {what}: reinit() makes it ready")

    def _send_or_poll(self) -> bool:
        """Whether a request or poll has brought the end. Raises if that is a failure."""
        earlier = self._new_cert
        try:
            result = self._poll()
        except BaseException as error:
            # A signal handler raised after C was done: the certificate that came is not lost.
            if self._new_cert not in (NULL, earlier):
                try:
                    _unconfirmed(error, self._issued(), foreign=True)
                except CMPError as malformed:
                    in_context(error, malformed)
            raise
        if result == 1:
            return True
        left_to_us = self._left_to_us()
        if result == -1:
            self._enter_polling()
            self._calls.raise_stored()
        elif left_to_us is BodyType.CERTCONF:
            self._delay(CONFIRM, _Delayed(left_to_us, self.response, self._results.enrollment()))
            self._confirmation.decide(self._confirmation.verdict)
            return self._poll_for_confirmation()
        elif left_to_us in _CERTIFICATE_REQUESTS:
            clear()
            self._enter_polling()
            self.check_after = DEFAULT_CHECK_AFTER
        else:
            raise self._after_failure(self._certreq_failure())
        return False

    def _poll_for_confirmation(self) -> bool:
        """Whether a poll has brought the answer to a certConf."""
        assert self._delayed is not None
        enrollment = self._delayed.enrollment
        try:
            final = self._poll_delayed("polling for the confirmation failed")
        except BaseException as failure:
            if enrollment is None:
                raise
            confirm = _unconfirmed(failure, enrollment, foreign=not isinstance(failure, CMPError))
            if confirm is failure:  # its __context__ has the certificate
                raise
            raise confirm from failure
        if final is None:
            return False
        if self._finish_delayed(final, lib.OSSL_CMP_try_certreq, *self._certreq, ffi.new("int *")) != 1:
            raise self._certreq_failure()
        return True

    @property
    def _new_cert(self) -> Any:
        return lib.OSSL_CMP_CTX_get0_newCert(self._calls.pointer)

    @property
    def response(self) -> bytes | None:
        """The message that brought the certificate, from when libcrypto asks what to say to it."""
        return self._saved(FINAL) or self._saved(ANSWER)

    def _issued(self) -> Enrollment:
        """The certificate that came, with the status that it came with."""
        return self._results.enrollment(self.response)

    def _certreq_failure(self) -> BaseException:
        # What our own transports raise is worded like what OpenSSL's HTTP client has to say.
        ours = TransferError, UnreadableCertificateError, type(None)
        foreign = not isinstance(self._calls.state.exception, ours)
        failure = self._calls.failure(f"{BodyType(self._certreq[0]).name.lower()} failed")
        # OpenSSL empties newCert when a request starts: if it is set now, the certificate came in this one.
        if self._new_cert == NULL:
            return failure
        return _unconfirmed(failure, self._issued(), foreign)

    @guarded
    def abort(self, deadline: Deadline | None) -> None:
        """Say by an error message that the request is off. Raises ``ValueError`` if nothing waits."""
        if not self.pending:
            raise ValueError("req_type: nothing is waiting that could be aborted")
        self._begin(deadline)
        try:
            with self._confirmation.refusing("aborted by application"):
                if self._state is State.DELAYED:
                    # libcrypto can only be made to wait by asking once more: then what comes is refused.
                    if self._poll() != -1:
                        raise self._calls.failure("aborting failed")
                elif self._state is State.LOST:
                    self._replay_until_waiting()
                # A server that delays the answer to this has got the message all the same.
                if self._try(-1, NULL) != 1 and self._left_to_us() is None:
                    raise self._calls.failure("telling the server that the transaction is aborted failed")
                self._calls.raise_stored()
                clear()
        finally:
            self._enter_idle()

    # -- other requests -----------------------------------------------------------------------------------

    @guarded
    def advance(self, exchange: Exchange[Any]) -> Pause | None:
        """Send the request, or poll once. Returns how long to wait before the next step; ``None`` when it is done.

        From 3.3 on libcrypto sleeps in such a function when the answer is delayed. Here it does not: polling is
        done by ``OSSL_CMP_try_certreq``, and then the function is run once more on the final answer.
        """
        if exchange.deadline is None:
            exchange.deadline = Deadline(self._options.total_timeout)
            self._begin(exchange.deadline)
            result = self._calls.run(exchange.function, *exchange.args)
            asked = self._left_to_us()
            if asked is None:
                exchange.result = exchange.read(result)
                return None
            self._certreq = -1, NULL
            self._delay(ANSWER, _Delayed(asked))
        assert self._delayed is not None
        asked = self._delayed.asked
        self._begin(exchange.deadline)
        final = self._poll_delayed("polling failed")
        if final is None:
            exchange.polls += 1
            return self._until_poll(exchange.deadline, asked, exchange.polls)
        exchange.result = exchange.read(self._finish_delayed(final, exchange.function, *exchange.args))
        return None

    @guarded
    def complete(self, exchange: Exchange[_T]) -> _T:
        """All steps of a request, sleeping in between."""
        try:
            while (pause := self.advance(exchange)) is not None:
                self._sleep(pause)
        except BaseException:
            self._enter_idle()
            raise
        return exchange.result

    def _until_poll(self, deadline: Deadline, asked: BodyType, polls: int) -> Pause:
        """The time until the next poll. Raises ``TransferTimeout`` if there will be no time for one."""
        check_after = self.check_after or 0
        seconds = deadline.sleep(check_after)
        if seconds is None:
            from .hints import advise

            raise advise(TransferTimeout(self.late(asked, deadline)))
        return Pause(seconds, Progress(asked, check_after, deadline.elapsed, polls, self.reason or ""))

    def late(self, asked: BodyType, deadline: Deadline) -> str:
        """The words for a server that still lets us wait when the time is over."""
        reason = self.reason
        words = f" ({one_line(reason)})" if reason else ""
        return f"{asked.name.lower()}: still waiting after {deadline.total:g} seconds{words}"

    def _sleep(self, pause: Pause) -> None:
        if self.on_wait is not None:
            self.on_wait(pause.progress)
        self._calls.wakeup.wait(pause.seconds)

    # -- steps of both ------------------------------------------------------------------------------------

    def _begin(self, deadline: Deadline | None) -> None:
        """Before each step: nothing that is sent may take longer than what is left of the time.

        An interrupt at an unlucky moment may have left a replay behind: that is over.
        """
        self.deadline = deadline
        left = None if deadline is None else deadline.left
        lib.osslcmp_session_set_deadline(
            self._calls.session, -1 if left is None else max(0, int(left * 1000))
        )
        lib.osslcmp_session_clear_replay(self._calls.session)
        self._options.protect_messages()

    def _left_to_us(self) -> BodyType | None:
        """After a call that ended because libcrypto must not poll itself: what was sent."""
        asked = lib.osslcmp_session_poll_left_to_us(self._calls.session)
        return None if asked < 0 or self._calls.state.exception is not None else BodyType(asked)

    def _delay(self, slot: int, delayed: _Delayed) -> None:
        """The answer in that slot says *waiting* where libcrypto would sleep."""
        waiting = self._saved(slot)
        assert waiting is not None
        clear()
        self._delayed = delayed
        self._enter_delayed_or_lost(WaitingMessages(waiting, None))

    def _poll_delayed(self, failed: str) -> bytes | None:
        """Poll once. Returns the final answer, verified by libcrypto; ``None`` while it is to come."""
        result = self._poll()
        if result == -1:
            return None
        final = self._saved(FINAL)
        code = lib.ERR_peek_last_error()
        # What libcrypto says, when all is in order, of an answer to something else than a certificate request.
        if final is None or (lib.ERR_GET_LIB(code), lib.ERR_GET_REASON(code)) != (
            lib.ERR_LIB_CMP,
            lib.CMP_R_UNEXPECTED_PKIBODY,
        ):
            raise self._after_failure(self._calls.failure(failed))
        clear()
        return final

    def _finish_delayed(self, final: bytes, function: Callable[..., Any], *args: Any) -> Any:
        delayed = self._delayed
        assert delayed is not None
        self._enter_idle()
        with self._replaying(delayed.response, final):
            return self._calls.run(function, *args)

    def _poll(self) -> int:
        """Poll once with ``OSSL_CMP_try_certreq``, which sends the request if nothing waits."""
        if self._messages is None:
            return self._try(*self._poll_args)
        lost = self._state is State.LOST
        result = self._replay()
        # Without a pollRep to replay libcrypto has sent a poll by itself.
        return self._try(*self._poll_args) if lost and result == -1 else result

    @property
    def _poll_args(self) -> tuple[int, Any]:
        """What to name in the call that polls: a p10cr polls for a whole answer (certReqId -1)."""
        return self._certreq if self._delayed is None else (int(P10CR), NULL)

    def _try(self, req_type: int, crm: Any) -> int:
        self.check_after = None
        wait = ffi.new("int *")
        result: int = self._calls.run(lib.OSSL_CMP_try_certreq, int(req_type), crm, wait)
        if result == -1:
            self.check_after = wait[0]
        return result

    def _after_failure(self, failure: BaseException) -> BaseException:
        """Keep what polling can be taken up with anew, if it was a poll that got no answer. Returns ``failure``.

        From 3.3 on libcrypto forgets that it was waiting, and a nonce without which it would refuse the final answer.
        """
        if lib.osslcmp_session_poll_unanswered(self._calls.session):
            self._enter_delayed_or_lost(self.messages())
        else:
            self._delayed = None
        return failure

    # -- messages that are replayed -----------------------------------------------------------------------

    def messages(self) -> WaitingMessages:
        """What another context needs to :meth:`restore` this state, of which there must be one: see :attr:`pending`."""
        messages = self._messages
        if messages is None:
            waiting = self._saved(ANSWER)
            assert waiting is not None
            messages = WaitingMessages(waiting, self._saved(POLL))
        if self._delayed is None:
            return messages
        response, verdict = self._delayed.response, self._confirmation.verdict
        return WaitingMessages(messages.waiting, messages.poll, response, verdict)

    @guarded
    def restore(
        self, messages: WaitingMessages, req_type: BodyType, crm: CertReqMsg | None, check_after: int
    ) -> None:
        """Go on with a certificate request that another context sent. Nothing is sent; what can be verified is."""
        self._begin(None)
        self._certreq = int(req_type), NULL if crm is None else crm.handle
        if messages.response is not None:
            self._confirmation.decide(messages.verdict)
            # As far as the certConf, to have the certificate: it is too late to send anything.
            self._begin(Deadline(1e-9))
            with self._replaying(messages.response):
                self._try(*self._certreq)
            self._begin(None)
            if self._new_cert == NULL:
                raise self._calls.failure("the saved certificate was not accepted")
            clear()
            self._delayed = _Delayed(BodyType.CERTCONF, messages.response, self._results.enrollment())
        self._enter_delayed_or_lost(messages)
        if messages.poll is not None:
            self._replay_until_waiting()
        self.check_after = check_after

    def _replay_until_waiting(self) -> None:
        """Let libcrypto go through the messages, a pollRep among them. Raises if they do not verify."""
        if self._replay() != -1:
            raise self._calls.failure("the saved messages were not accepted")
        clear()

    def _replay(self) -> int:
        """Let libcrypto go through the messages: then it waits."""
        messages = self._messages
        assert messages is not None
        made = self._delayed is not None and self._request.csr is None
        setter = lib.OSSL_CMP_CTX_set1_p10CSR
        if made:
            # It is not sent; only its subject counts: from 3.3 on that is the sender of what follows.
            csr = as_csr(self._request.subject, None, None)
            self._calls.set(setter, convert.csr_to_c(csr), what="setting the CSR")
        try:
            with self._replaying(messages.waiting, messages.poll):
                result = self._try(*self._poll_args)
        finally:
            if made:
                self._calls.get(setter, NULL)  # the error queue stays as it is
        self._enter_polling()
        return result

    @locked
    def _saved(self, slot: int) -> bytes | None:
        return message_of(lib.osslcmp_session_saved, self._calls.session, slot)

    @contextmanager
    def _replaying(self, *messages: bytes | None) -> Iterator[None]:
        """Start anew, and let libcrypto have these answers instead of sending its first messages."""
        answers = [message for message in messages if message is not None]
        calls = self._calls
        calls.set(lib.OSSL_CMP_CTX_reinit, what="reinitializing the context")
        transaction_id, _ = message_ids(answers[0])
        handle = convert.octets_to_c(transaction_id)
        calls.set(lib.OSSL_CMP_CTX_set1_transactionID, handle, what="setting the transactionID")
        lib.osslcmp_session_set_unprotected(calls.session, self._options.unprotected_send)
        for answer in answers:
            data = ffi.from_buffer("unsigned char[]", answer)
            check(lib.osslcmp_session_push_replay(calls.session, data, len(answer)), "saving a message")
        self._options.protect_messages(False)
        try:
            yield
        finally:
            lib.osslcmp_session_clear_replay(calls.session)
            self._options.protect_messages()


def certificate_request(req_type: Any) -> BodyType:
    """``req_type``. Raises ``ValueError`` if it is no request for a certificate."""
    try:
        found = BodyType(req_type)
    except ValueError:
        found = BodyType.ERROR
    if found not in _CERTIFICATE_REQUESTS:
        raise ValueError(f"req_type: one of IR, CR, P10CR, KUR, not {req_type!r}")
    return found


def _unconfirmed(failure: BaseException, enrollment: Enrollment, foreign: bool) -> BaseException:
    """The exception for a certificate that was issued, and what went wrong with it then."""
    text = "a certificate was issued, but "
    if foreign:
        confirm = ConfirmError(f"{text}a callback raised {type(failure).__name__}", enrollment)
        return in_context(failure, confirm)
    errors = getattr(failure, "errors", ())
    if isinstance(failure, RejectedError):
        confirm = ConfirmError(
            f"{text}its confirmation was refused: {failure.args[0]}", enrollment, errors, failure
        )
    else:
        text += "it was not accepted or not confirmed"
        text += getattr(failure, "_unproven", "")
        reason = failure.args[0] if isinstance(failure, CMPError) else failure
        confirm = ConfirmError(text if errors else f"{text}: {reason}", enrollment, errors)
    confirm.__cause__ = failure
    from .hints import advise

    return advise(confirm)


def _words_of(answer: bytes | None) -> str:
    """What a server says in an answer to people."""
    if answer is None:
        return ""
    from ..message import Message  # only for who has to wait: it takes time to import
    from ..message.bodies import words

    try:
        return "\n".join(words(Message.from_der(answer).body))
    except ValueError:
        return ""


def message_ids(message: bytes) -> tuple[bytes, bytes]:
    """transactionID and recipNonce of a message. Raises ``ValueError`` if it is none or has none."""
    pointer = message_from_der(message)
    if pointer == NULL:
        clear()
        raise ValueError("not a CMP message")
    owned = own(pointer, lib.OSSL_CMP_MSG_free, "taking a message")
    header = lib.OSSL_CMP_MSG_get0_header(owned)
    found = [
        convert.octets_from_c(get(header))
        for get in (lib.OSSL_CMP_HDR_get0_transactionID, lib.OSSL_CMP_HDR_get0_recipNonce)
    ]
    if not found[0] or not found[1]:
        raise ValueError("a CMP message without transactionID or recipNonce")
    return found[0], found[1]
