"""Life of an ``OSSL_CMP_CTX``, and how every call into it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._callbacks import CallState, current, log_level
from ._errqueue import check, classify, clear, drain
from ._handles import take
from ._lib import NULL, features, ffi, forks, lib, openssl_version
from ._providers import LibraryContext
from .enums import FailureInfo, Option, PKIStatus, Severity
from .errors import ErrorEntry, ProtectionError, RejectedError, UnsupportedError

__all__ = ["MESSAGE_TIMEOUT", "TOTAL_TIMEOUT", "ContextBase"]

MESSAGE_TIMEOUT = 60
TOTAL_TIMEOUT = 600

_BOOLEAN = (0, 1)
_OPTION_LIMITS: dict[Option, tuple[int, int | None]] = {
    Option.LOG_VERBOSITY: (0, 8),
    Option.KEEP_ALIVE: (0, 2),
    Option.MSG_TIMEOUT: (0, None),
    Option.TOTAL_TIMEOUT: (0, None),
    Option.VALIDITY_DAYS: (0, None),
    Option.POPO_METHOD: (-1, 3),
    Option.REVOCATION_REASON: (-1, 10),
    Option.OWF_ALGNID: (0, None),
    Option.MAC_ALGNID: (0, None),
    Option.DIGEST_ALGNID: (0, None),
}
_REFUSALS = (PKIStatus.rejection, PKIStatus.waiting, PKIStatus.keyUpdateWarning)
#: What OpenSSL raises when the status came from the server: it sets one for its own refusals, too.
_REFUSED = (
    "RECEIVED_ERROR",
    "REQUEST_REJECTED_BY_SERVER",
    "ENCOUNTERED_KEYUPDATEWARNING",
    "UNEXPECTED_PKISTATUS",
)


def _quietly(free: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A destructor that leaves the error queue as it is: garbage is collected at any moment."""

    def freed(pointer: Any) -> None:
        lib.ERR_set_mark()
        free(pointer)
        lib.ERR_pop_to_mark()

    return freed


_free_ctx = _quietly(lib.OSSL_CMP_CTX_free)
_free_session = _quietly(lib.osslcmp_session_free)


class ContextBase:
    """Owns an ``OSSL_CMP_CTX`` and guards it: one thread at a time, errors checked after each call."""

    _library: LibraryContext | None = None
    _outer_library: Any = NULL
    _owner_object: Any = None

    def __init__(self, library: LibraryContext | None = None) -> None:
        clear()
        libctx, propq = (NULL, NULL) if library is None else (library.pointer, library.propq_chars)
        pointer = take(lib.OSSL_CMP_CTX_new(libctx, propq), _free_ctx, "making a CMP context")
        self._library = library
        self._adopt(pointer)
        self.set_option(Option.MSG_TIMEOUT, MESSAGE_TIMEOUT)
        self.set_option(Option.TOTAL_TIMEOUT, TOTAL_TIMEOUT)

    @classmethod
    def _borrowed(cls, pointer: Any, owner: Any) -> Any:
        """A context around the ``OSSL_CMP_CTX`` that a server context owns and ``owner`` keeps alive."""
        self = cls.__new__(cls)
        self._owner_object = owner
        self._adopt(pointer)
        return self

    def _adopt(self, pointer: Any) -> None:
        self._ptr = pointer
        self._born = forks.count
        self._lock = threading.Lock()
        self._thread = 0
        self._depth = 0
        self._running = False
        self._wakeup = threading.Event()
        self._state = CallState()
        self._handle = ffi.new_handle(self._state)
        self._session = take(lib.osslcmp_session_new(self._handle), _free_session, "making a CMP context")
        # Python objects that C only borrows, by the callback or argument that they belong to.
        self._kept: dict[str, Any] = {}
        self._verbosity = lib.OSSL_CMP_CTX_get_option(pointer, Option.LOG_VERBOSITY)
        self._applied_verbosity: int | None = None
        check(
            lib.OSSL_CMP_CTX_set_log_cb(pointer, ffi.addressof(lib, "osslcmp_log")),
            "setting the log callback",
        )
        check(
            lib.OSSL_CMP_CTX_set_transfer_cb(pointer, ffi.addressof(lib, "osslcmp_http_transfer")),
            "setting the transfer callback",
        )

    # -- the guard ----------------------------------------------------------------------------------------

    def _enter(self) -> None:
        me = threading.get_ident()
        if self._thread != me:
            if self._born != forks.count:
                raise RuntimeError("this context was made before a fork: make a new one in the child")
            if not self._lock.acquire(blocking=False):
                raise RuntimeError("this context is in use by another thread: one thread at a time")
            self._thread = me
            if self._library is not None:
                self._outer_library = lib.OSSL_LIB_CTX_set0_default(self._library.pointer)
        self._depth += 1

    def _leave(self) -> None:
        self._depth -= 1
        if not self._depth:
            if self._library is not None:
                lib.OSSL_LIB_CTX_set0_default(self._outer_library)
            self._thread = 0
            self._lock.release()

    def _set(self, function: Callable[..., int], *args: Any, what: str) -> None:
        """A call that returns 1 or fails, without callbacks."""
        self._enter()
        try:
            clear()
            check(function(self._ptr, *args), what)
        finally:
            self._leave()

    def _get(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call whose result is no verdict."""
        self._enter()
        try:
            return function(self._ptr, *args)
        finally:
            self._leave()

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call that may send messages and call back. Whether it failed is the caller's to say."""
        self._enter()
        if self._running:
            self._leave()
            raise RuntimeError("a transaction is already running on this context")
        state = self._state
        outer_state = current.state
        self._running = True
        try:
            state.begin()
            self._apply_verbosity()
            outer = lib.osslcmp_enter(self._session)
            current.state = state
            try:
                clear()
                return function(self._ptr, *args)
            finally:
                current.state = outer_state
                lib.osslcmp_leave(outer)
        finally:
            self._running = False
            self._leave()

    def _apply_verbosity(self) -> None:
        """Let OpenSSL format only what somebody reads."""
        wanted = min(self._verbosity, log_level())
        if self._state.keep_notes:
            wanted = max(wanted, Severity.INFO)
        if wanted != self._applied_verbosity:
            lib.OSSL_CMP_CTX_set_option(self._ptr, Option.LOG_VERBOSITY, wanted)
            self._applied_verbosity = wanted
            lib.osslcmp_session_set_log_level(self._session, wanted)

    def _failure(self, message: str) -> BaseException:
        """The exception for a failed call: the callback's own, the server's refusal, or OpenSSL's story."""
        drained = drain()
        errors = (*self._state.told, *drained)
        stored = self._state.exception
        if stored is not None:
            self._state.exception = None
            _annotate(stored, errors)
            return stored
        status, failure, text = self._status()
        if status in _REFUSALS and any(_has(drained, reason) for reason in _REFUSED):
            return RejectedError(status, failure, text, errors)
        if not errors and any("sender" in note.text for note in self._state.notes):
            return ProtectionError(f"{message}: unexpected sender", self._state.notes[-2:])
        return classify(drained)(message, errors)

    def _status(self) -> tuple[PKIStatus, FailureInfo, str]:
        raise NotImplementedError

    # -- options ------------------------------------------------------------------------------------------

    def set_option(self, option: Option | int, value: int) -> None:
        """Set an option (``OSSL_CMP_CTX_set_option``, 3.0).

        Takes an :class:`osslcmp.Option` and an ``int`` (or ``bool``) in the unit that the option's
        documentation tells. Raises ``ValueError`` for a value out of range, :class:`osslcmp.UnsupportedError`
        for an option that the loaded OpenSSL does not have.
        """
        try:
            option = Option(option)
        except ValueError:
            raise ValueError(f"option: {option!r} is no osslcmp.Option") from None
        if not isinstance(value, int):
            raise TypeError(f"option {option.name}: an int, not {type(value).__name__}")
        low, high = _OPTION_LIMITS.get(option, _BOOLEAN)
        if value < low or value > (0x7FFFFFFF if high is None else high):
            raise ValueError(f"option {option.name}: {value} is out of range")
        for feature, needed, limited in (
            ("use_tls", "3.2", Option.USE_TLS),
            ("no_cache_extracerts", "3.3", Option.NO_CACHE_EXTRACERTS),
        ):
            if option is limited and not features[feature]:
                raise UnsupportedError(f"option {option.name}", needed, ".".join(map(str, openssl_version)))
        if option is Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR and value and openssl_version < (3, 5, 0):
            # Below it, verifying pkiConf with this option crashes (openssl/openssl#29285).
            raise UnsupportedError(f"option {option.name}", "3.5", ".".join(map(str, openssl_version)))
        self._set(lib.OSSL_CMP_CTX_set_option, int(option), int(value), what=f"setting option {option.name}")
        if option is Option.LOG_VERBOSITY:
            self._verbosity, self._applied_verbosity = int(value), None

    def get_option(self, option: Option | int) -> int:
        """The value of an option (``OSSL_CMP_CTX_get_option``, 3.0)."""
        option = Option(option)
        if option is Option.LOG_VERBOSITY:
            return self._verbosity
        value: int = self._get(lib.OSSL_CMP_CTX_get_option, int(option))
        if value == -1 and option not in (Option.POPO_METHOD, Option.REVOCATION_REASON):
            clear()
            raise UnsupportedError(f"option {option.name}", "3.2", ".".join(map(str, openssl_version)))
        return value

    # -- life ---------------------------------------------------------------------------------------------

    def reinit(self) -> None:
        """Make ready for another transaction (``OSSL_CMP_CTX_reinit``, 3.0).

        Clears the results of the last one, its transaction ID and nonces and the general message items, and
        closes the connection. Keeps credentials, trust, options and the request's fields.
        """
        self._set(lib.OSSL_CMP_CTX_reinit, what="reinitializing the context")
        lib.osslcmp_session_disconnect(self._session)
        lib.osslcmp_session_cancel(self._session, 0)
        self._wakeup.clear()
        self._state.begin()

    def cancel(self) -> None:
        """End the call that runs on this context in another thread, within a fraction of a second.

        It fails there with :class:`osslcmp.TransferError`. May be called from any thread, also when nothing
        runs: then the next transfer fails. :meth:`reinit` makes the context usable again.
        """
        lib.osslcmp_session_cancel(self._session, 1)
        self._wakeup.set()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Close the connection at the end of the block, whatever happens in it."""
        try:
            yield
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the HTTP connection that is kept open, if there is one."""
        self._enter()
        try:
            lib.osslcmp_session_disconnect(self._session)
        finally:
            self._leave()


def _has(errors: tuple[ErrorEntry, ...], reason: str) -> bool:
    number = getattr(lib, f"CMP_R_{reason}")
    return any(entry.library == lib.ERR_LIB_CMP and entry.reason == number for entry in errors)


def _annotate(exception: BaseException, errors: tuple[ErrorEntry, ...]) -> None:
    """Add OpenSSL's errors to a callback's exception as notes, where Python has them (3.11)."""
    if hasattr(exception, "add_note"):
        for entry in errors:
            exception.add_note(f"OpenSSL: {entry}")
