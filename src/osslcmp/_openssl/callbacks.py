"""Every ``extern "Python"`` function: how C comes back to us.

The way of a callback:

1. A context, in ``Calls.inside``, brackets a call into C with ``osslcmp_enter(session)`` and ``osslcmp_leave()``.
   The session (C, per context) holds the handle of a :class:`CallState` (Python, per context).
2. OpenSSL calls one of our static C functions: there is one for each callback type.
3. That function finds the :class:`CallState` of the call that is running on this thread.
4. It converts the arguments, calls the user's object and converts what that returns.
5. Whatever is raised is stored in the state, and C gets the value that means *reject*.
6. C fails in its own way and returns to the context.
7. The context raises the stored exception unchanged, with OpenSSL's errors as notes.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from .._text import get_logger
from ..enums import FailureInfo, Severity
from ..errors import ErrorEntry
from . import convert
from .errorqueue import clear, text_from_c
from .lib import NULL, ffi, lib

_LOGGER = "osslcmp.openssl"
_DEBUG, _INFO, _WARNING, _CRITICAL = 10, 20, 30, 50  # of logging
_LEVELS = {
    Severity.EMERG: _CRITICAL,
    Severity.ALERT: _CRITICAL,
    Severity.CRIT: _CRITICAL,
    # What OpenSSL calls an error is raised here: the application decides how bad it is.
    Severity.ERR: _INFO,
    Severity.WARNING: _WARNING,
    Severity.NOTICE: _INFO,
    Severity.INFO: _DEBUG,
    Severity.DEBUG: _DEBUG,
    Severity.TRACE: _DEBUG,
}


_ALL_FAILURES = (1 << 27) - 1
_TEXT_LIMIT = 1000
_BIO = ffi.typeof("BIO *")


class Replaying:
    """A transfer callback that may give an answer to another request than the one that it got.

    Then transactionID and nonce are those of that request, and are taken over, as ``openssl cmp`` does.
    """

    replayed: bool = False
    """Whether the last answer is such a one."""


class CallState:
    """What the callbacks of one context share with it."""

    def __init__(self) -> None:
        self.exception: BaseException | None = None
        self.stopped = False
        self.logged_errors: list[ErrorEntry] = []
        # Before 3.2 a wrong sender is only logged, not queued: then the log is what there is to tell.
        self.keep_notes = False
        self.notes: list[ErrorEntry] = []
        self.log: Callable[..., object] | None = None
        self.transfer: Callable[[bytes], bytes] | None = None
        self.cert_conf: Callable[[bytes, FailureInfo], object] | None = None
        """Decides about a new certificate, which it gets as DER."""
        self.cert_conf_text: object = None
        #: Whether OpenSSL's own check may go first: it takes the argument of the callback for a trust store.
        self.may_check = True
        #: What the signer of an answer must be, a :class:`osslcmp.context.server_usage.ServerUsage`, and who was not.
        self.server_usage: object = None
        self.refused_signer = ""
        #: Whether a shared secret protects the requests.
        self.by_secret = False
        #: What requests may name as their sender's key: see OSSL_CMP_CTX_set1_cert and ..set1_referenceValue.
        self.own_identifiers: list[bytes | None] = []
        self.http: Callable[[Any, bool, bool], Any] | None = None
        #: The session in C that goes with this state, for whoever has to restore it.
        self.session: Any = NULL
        #: Whoever looks on, a :class:`osslcmp.Trace`, and the transaction that it saw last.
        self.trace: Any = None
        self.transaction_id: bytes | None = None

    def begin(self) -> None:
        """Forget what the previous call left."""
        self.exception = None
        self.stopped = False
        self.logged_errors = []
        self.notes = []
        self.refused_signer = ""

    def store(self, exception: BaseException, *, stop: bool = True) -> None:
        """Keep the first exception: what follows it in C is its consequence.

        Nothing more is sent then, unless C is to tell the server about it.
        """
        if self.exception is None:
            self.exception = exception
            self.stopped = stop


class _Current(threading.local):
    state: CallState | None = None


current = _Current()
"""The state of the innermost call that runs on this thread."""


def log_level() -> int:
    """The severity up to which somebody listens."""
    if "logging" not in sys.modules:  # so that nobody can have asked for more
        return int(Severity.WARNING)
    level = get_logger(_LOGGER).getEffectiveLevel()
    if level <= _DEBUG:
        return int(Severity.TRACE)
    if level <= _INFO:
        return int(Severity.NOTICE)
    return int(Severity.WARNING) if level <= _WARNING else int(Severity.ERR)


def raised_before(_type: object, exception: BaseException, _traceback: object) -> None:
    """Keep what is raised outside a callback's own ``try``: pending signals are handled as it is entered."""
    state = current.state
    if state is None:
        raise exception
    state.store(exception)


@ffi.def_extern(error=0, onerror=raised_before)
def osslcmp_py_tick(handle: Any) -> int:
    """While C waits: Python runs signal handlers here. 0 makes the wait end."""
    state: CallState = ffi.from_handle(handle)
    try:
        for _ in range(2):  # every supported Python looks for signals at a backward jump
            pass
        # What a callback without a verdict raised ends the call here, too.
        return int(not state.stopped)
    except BaseException as exception:
        state.store(exception)
        return 0


@ffi.def_extern(onerror=raised_before)
def osslcmp_py_log(handle: Any, func: Any, file: Any, line: int, level: int, message: Any) -> None:
    """OpenSSL's log, and the entries of the error queue that it prints instead of leaving them."""
    state: CallState = ffi.from_handle(handle)
    try:
        content, function = text_from_c(message), text_from_c(func)
        if level <= Severity.ERR:
            reason, _, data = content.partition(":")
            state.logged_errors.append(
                ErrorEntry(0, 0, "CMP log", reason, data.strip(), function, text_from_c(file), line)
            )
        elif state.keep_notes:
            state.notes.append(
                ErrorEntry(0, 0, "CMP log", content.strip(), "", function, text_from_c(file), line)
            )
        if isinstance(state.log, ffi.CData):
            state.log(func, file, line, level, message)
            return
        if state.log is not None:
            state.log(function, text_from_c(file), line, Severity(level), content)
            return
        severity = _LEVELS.get(Severity(level), _DEBUG)
        if severity < _WARNING and "logging" not in sys.modules:
            return
        logger = get_logger(_LOGGER)
        if logger.isEnabledFor(severity):
            logger.log(severity, "%s", content, extra={"openssl_function": function})
    except BaseException as exception:
        state.store(exception)


@ffi.def_extern(error=NULL, onerror=raised_before)
def osslcmp_py_transfer(ctx: Any, request: Any) -> Any:
    """Carry a message with the user's callable."""
    state = current.state
    if state is None or state.transfer is None:
        return NULL
    try:
        if state.stopped or lib.osslcmp_session_cancelled(state.session):
            return NULL
        sent = convert.to_der(lib.i2d_OSSL_CMP_MSG, request, "encoding the request")
        received = state.transfer(sent)
        if not isinstance(received, (bytes, bytearray)):
            raise TypeError(f"transport: must return the response as bytes, not {type(received).__name__}")
        clear()
        data = bytes(received)
        answer = lib.osslcmp_session_receive(
            state.session, ffi.from_buffer("unsigned char[]", data), len(data)
        )
        # No attribute of just any object decides about that, nor a class that an object says it has.
        transfer = state.transfer
        if answer != NULL and issubclass(type(transfer), Replaying) and transfer.replayed is True:  # type: ignore[attr-defined]
            _adopt(ctx, answer)
        return answer
    except BaseException as exception:
        state.store(exception)
        return NULL


def _adopt(ctx: Any, answer: Any) -> None:
    """Make an answer to an earlier request pass for one to this: it is checked against the context's values."""
    header = lib.OSSL_CMP_MSG_get0_header(answer)
    lib.OSSL_CMP_CTX_set1_transactionID(ctx, lib.OSSL_CMP_HDR_get0_transactionID(header))
    lib.OSSL_CMP_CTX_set1_senderNonce(ctx, lib.OSSL_CMP_HDR_get0_recipNonce(header))


@ffi.def_extern(onerror=raised_before)
def osslcmp_py_message(handle: Any, sent: int, message: Any) -> None:
    """Show a message on its way to the trace; NULL is an answer that did not come."""
    state: CallState = ffi.from_handle(handle)
    if state.trace is None or message == NULL:
        return
    lib.ERR_set_mark()
    try:
        header = lib.OSSL_CMP_MSG_get0_header(message)
        state.transaction_id = convert.octets_from_c(lib.OSSL_CMP_HDR_get0_transactionID(header))
        der = convert.to_der(lib.i2d_OSSL_CMP_MSG, message, "encoding a message for the trace")
        state.trace.seen(bool(sent), der, lib.OSSL_CMP_MSG_get_bodytype(message), state.transaction_id)
    except BaseException as exception:
        state.store(exception)
    finally:
        lib.ERR_pop_to_mark()


@ffi.def_extern(error=int(FailureInfo.incorrectData), onerror=raised_before)
def osslcmp_py_cert_conf(ctx: Any, cert: Any, fail_info: int, message: Any) -> int:
    """Ask the user's callable about the new certificate."""
    state = current.state
    rejected = fail_info or int(FailureInfo.incorrectData)
    if state is None or state.cert_conf is None:
        return rejected
    try:
        if state.may_check:
            # It builds the chain that the context then has, besides its check.
            fail_info = lib.OSSL_CMP_certConf_cb(ctx, cert, fail_info, message)
            clear()
        verdict = state.cert_conf(convert.cert_to_der(cert), FailureInfo(fail_info))
    except BaseException as exception:
        state.store(exception, stop=False)
        _refusal_text(state, message, str(exception))
        return rejected
    if verdict is None:
        return fail_info
    if verdict is True:
        return 0
    if isinstance(verdict, str):
        _refusal_text(state, message, verdict)
        return rejected
    if verdict is False:
        return rejected
    if isinstance(verdict, int) and 0 <= verdict <= _ALL_FAILURES:
        return int(verdict)
    what = f"the number {verdict}" if isinstance(verdict, int) else type(verdict).__name__
    state.store(
        TypeError(
            "certConf callback: return None or True to accept, FailureInfo, False or a text to refuse, "
            f"not {what}"
        ),
        stop=False,
    )
    return rejected


def _refusal_text(state: CallState, message: Any, reason: str) -> None:
    """Tell the server why. The context keeps the chars: C reads them after we have returned."""
    if reason and message != NULL:
        chars = reason.replace("\0", "").encode("utf-8", "replace")[:_TEXT_LIMIT]
        whole = chars.decode("utf-8", "ignore").encode()  # a character cut in two would not be UTF-8
        state.cert_conf_text = ffi.new("char[]", whole)
        message[0] = state.cert_conf_text


@ffi.def_extern(error=NULL, onerror=raised_before)
def osslcmp_py_http(bio: Any, _arg: Any, connect: int, detail: int) -> Any:
    """Let the user's callable wrap the connection, or take it down."""
    state = current.state
    if state is None or state.http is None:
        return bio
    try:
        wrapped = state.http(bio, bool(connect), bool(detail))
        if wrapped is None:
            return bio
        if not isinstance(wrapped, ffi.CData) or ffi.typeof(wrapped) is not _BIO:
            raise TypeError(f"HTTP callback: must return a BIO pointer or None, not {type(wrapped).__name__}")
        return wrapped
    except BaseException as exception:
        state.store(exception)
        return NULL
