"""How every call into an ``OSSL_CMP_CTX`` goes: one thread at a time, callbacks find their way, failures are explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._openssl.callbacks import CallState, current, log_level
from .._openssl.errorqueue import check, clear
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import give_to_c, own
from .._openssl.providers import LibraryContext
from ..enums import Option, Severity
from ..errors import TransferError
from .failures import explain
from .guard import Guard, Wakeup, guarded, locked

_R = TypeVar("_R")

#: Seconds, where libcrypto has no limit.
MESSAGE_TIMEOUT, TOTAL_TIMEOUT = 60, 600

_LOG_CALLBACK = ffi.typeof("OSSL_CMP_log_cb_t")
_OUR_LOG, _OUR_TRANSFER = ffi.addressof(lib, "osslcmp_log"), ffi.addressof(lib, "osslcmp_transfer")


def _quietly(free: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A destructor that leaves the error queue as it is: garbage is collected at any moment."""

    def freed(pointer: Any) -> None:
        """Free it."""
        lib.ERR_set_mark()
        free(pointer)
        lib.ERR_pop_to_mark()

    return freed


free_context = _quietly(lib.OSSL_CMP_CTX_free)
_free_session = _quietly(lib.osslcmp_session_free)


def _free_ctx_then(after: Callable[[], None]) -> Callable[[Any], None]:
    def freed(pointer: Any) -> None:
        free_context(pointer)
        after()

    return freed


def new_ctx(library: LibraryContext | None, after: Callable[[], None] | None) -> Any:
    """An ``OSSL_CMP_CTX`` of our own; ``after`` is called when it has been freed."""
    clear()
    libctx, propq = (NULL, NULL) if library is None else (library.pointer, library.propq_chars)
    free = free_context if after is None else _free_ctx_then(after)
    pointer = own(lib.OSSL_CMP_CTX_new(libctx, propq), free, "making a CMP context")
    check(lib.OSSL_CMP_CTX_set_option(pointer, Option.MSG_TIMEOUT, MESSAGE_TIMEOUT), "making a CMP context")
    return pointer


def c_function(callback: Any, for_callables: str) -> Any:
    """The C function to set for a callback; ``for_callables`` is the one that calls into Python."""
    if callback is None:
        return NULL
    if isinstance(callback, ffi.CData):
        return callback
    if callable(callback):
        return ffi.addressof(lib, for_callables)
    raise TypeError(f"callback: callable or C function, not {type(callback).__name__}")


class Calls:
    """An ``OSSL_CMP_CTX`` with its session in C: the parts of a context call libcrypto through this.

    Args:
        pointer: the ``OSSL_CMP_CTX *``.
        library: what it does its cryptography in.
        owner: keeps it alive if it is not ours.
    """

    def __init__(self, pointer: Any, library: LibraryContext | None = None, owner: Any = None) -> None:
        # In the order in which they go: what C borrows goes last.
        self._owner = owner
        self.pointer = pointer
        self.library = library
        self.guard = self._guard = Guard(library)
        self.wakeup = Wakeup()
        self.state = CallState()
        self._handle = ffi.new_handle(self.state)
        self.session = own(lib.osslcmp_session_new(self._handle), _free_session, "making a CMP context")
        self.state.session = self.session
        #: Python objects that C only borrows, by the callback or argument that they belong to.
        self.borrowed_by_c: dict[str, Any] = {}
        self._verbosity = lib.OSSL_CMP_CTX_get_option(pointer, Option.LOG_VERBOSITY)
        self._applied_verbosity: int | None = None
        check(
            lib.OSSL_CMP_CTX_set_log_cb(pointer, _OUR_LOG),
            "setting the log callback",
        )
        # It carries messages by what the session holds: our HTTP transfer, or what set_transfer_cb() says.
        check(
            lib.OSSL_CMP_CTX_set_transfer_cb(pointer, _OUR_TRANSFER),
            "setting the transfer callback",
        )

    # -- calls --------------------------------------------------------------------------------------------

    @locked
    def set(
        self,
        function: Callable[..., int],
        *args: Any,
        what: str,
        live: bool = False,
        giving: Callable[[Any], Any] | None = None,
    ) -> None:
        """A call that returns 1 or fails, without callbacks.

        A callback may make only those calls that are ``live``: others free what C is working with. ``giving`` is the
        destructor of the last argument if C takes that over when it does not fail.
        """
        if self.guard.running and not live:
            self.guard.refuse_inside(what)
        lib.ERR_clear_error()
        if giving is None:
            if (result := function(self.pointer, *args)) <= 0:
                check(result, what)
        else:
            give_to_c(args[-1], giving, function, self.pointer, *args, what=what)

    @locked
    def get(self, function: Callable[..., _R], *args: Any) -> _R:
        """A call whose result is no verdict."""
        return function(self.pointer, *args)

    @locked
    def alone(self, function: Callable[[], _R]) -> _R:
        """Several steps that belong together."""
        return function()

    @locked
    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call that may send messages and call back. Whether it failed is the caller's to say."""
        if self.guard.running:
            self.guard.refuse_inside("another one")
        if self.forget_cancel():
            raise TransferError("cancelled before it began")
        self.state.begin()
        self.apply_verbosity()
        return self.inside(function, self.pointer, *args)

    def inside(self, function: Callable[..., Any], *args: Any, keep_errors: bool = False) -> Any:
        """Call a C function whose callbacks are to find this context.

        As in :func:`osslcmp.context.guard.locked`: what is restored is known before, and no call stands in between.
        """
        guard, outer = self.guard, current.state
        outer_session = NULL if outer is None else outer.session
        try:
            guard.running = True
            current.state = self.state
            lib.osslcmp_enter(self.session)
            if not keep_errors:
                lib.ERR_clear_error()
            return function(*args)
        finally:
            guard.running = False
            current.state = outer
            lib.osslcmp_leave(outer_session)

    # -- failures -----------------------------------------------------------------------------------------

    def failure(self, message: str) -> BaseException:
        """The exception for a failed call: the callback's own, the server's refusal, or OpenSSL's queued errors."""
        if self.forget_cancel():
            message += ": cancelled"
        failure = explain(self.pointer, self.state, message)
        if self.state.trace is not None:
            self.state.trace.failed(failure, self.state.transaction_id)
        from .hints import advise

        return advise(failure, by_secret=self.state.by_secret)

    def raise_stored(self, message: str = "a callback failed") -> None:
        """A callback that failed without making C fail must not go unnoticed."""
        if self.state.exception is not None:
            raise self.failure(message)

    # -- cancellation and the connection ------------------------------------------------------------------

    def cancel(self) -> None:
        """End the call that runs, or the next one. From any thread, and from a signal handler."""
        lib.osslcmp_session_cancel(self.session, 1)
        self.wakeup.set()

    def forget_cancel(self) -> bool:
        """Make :meth:`cancel` undone; whether it was called.

        The flag in C is the only one: another :meth:`cancel` at this moment counts together with the earlier one, or
        from now on.
        """
        cancelled = bool(lib.osslcmp_session_cancelled(self.session))
        if cancelled:
            lib.osslcmp_session_cancel(self.session, 0)
        self.wakeup.clear()
        return cancelled

    @guarded
    def disconnect(self) -> None:
        """Close the HTTP connection that is kept open, if there is one."""
        if lib.osslcmp_session_connected(self.session):
            self.state.begin()
            self.inside(lib.osslcmp_session_disconnect, self.session)
            self.raise_stored("closing the connection failed")

    # -- the log ------------------------------------------------------------------------------------------

    def set_log_cb(self, callback: Any) -> None:
        """As :meth:`osslcmp.Context.set_log_cb`."""
        if isinstance(callback, ffi.CData) and ffi.typeof(callback) is not _LOG_CALLBACK:
            raise TypeError(f"callback: an OSSL_CMP_log_cb_t, not {ffi.typeof(callback).cname}")
        if c_function(callback, "osslcmp_log") == _OUR_LOG == callback:
            callback = None
        # The C side keeps our own function, which also collects the errors.
        self.state.log = callback

    @property
    def verbosity(self) -> int:
        """The least severe messages to log."""
        return self._verbosity

    @verbosity.setter
    def verbosity(self, level: int) -> None:
        self._verbosity, self._applied_verbosity = level, None

    def apply_verbosity(self) -> None:
        """Let OpenSSL format only what somebody reads."""
        wanted = self._verbosity if self.state.log is not None else min(self._verbosity, log_level())
        if self.state.keep_notes:
            wanted = max(wanted, Severity.INFO)
        if wanted != self._applied_verbosity:
            lib.OSSL_CMP_CTX_set_option(self.pointer, Option.LOG_VERBOSITY, wanted)
            lib.osslcmp_session_set_log_level(self.session, wanted)
            self._applied_verbosity = wanted
