"""Life of an ``OSSL_CMP_CTX``, and how every call into it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .._openssl.callbacks import CallState, current, log_level
from .._openssl.errorqueue import check, classify, clear, drain, reason_code
from .._openssl.lib import NULL, ffi, lib, openssl_version, require
from .._openssl.ownership import hand_over, take
from .._openssl.providers import LibraryContext
from .._openssl.received import Violation, refused_answer
from .._text import one_line
from ..enums import FailureInfo, Option, PKIStatus, Severity
from ..errors import (
    ErrorEntry,
    OpenSSLError,
    ProtectionError,
    RejectedError,
    ResponseError,
    TransferError,
    UnsupportedError,
)
from .deadline import StillWaitingError
from .guard import Guard, Wakeup, guarded, locked

__all__ = ["MESSAGE_TIMEOUT", "TOTAL_TIMEOUT", "ContextBase"]

MESSAGE_TIMEOUT = 60
TOTAL_TIMEOUT = 600

_R = TypeVar("_R")

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
_ALGORITHMS = (Option.OWF_ALGNID, Option.MAC_ALGNID, Option.DIGEST_ALGNID)
_REFUSALS = (PKIStatus.rejection, PKIStatus.waiting, PKIStatus.keyUpdateWarning)
#: What OpenSSL raises when the status came from the server: it sets one for its own refusals, too.
_REFUSED = (
    "RECEIVED_ERROR",
    "REQUEST_REJECTED_BY_SERVER",
    "ENCOUNTERED_KEYUPDATEWARNING",
    "UNEXPECTED_PKISTATUS",
)


#: Why libcrypto refuses an answer before it looks at what that says.
_UNHEARD = (
    "PKIBODY_ERROR",
    "RECIPNONCE_UNMATCHED",
    "TRANSACTIONID_UNMATCHED",
    "UNEXPECTED_PKIBODY",
    "UNEXPECTED_PVNO",
)


def _unproven(answer: bytes) -> str:
    """What an answer says that nobody vouches for, for the text of an exception."""
    from ..message import Message  # only when something failed
    from ..message.describe import summary

    try:
        message = Message.from_der(answer)
        told = summary(message) or message.type.name.lower()
    except ValueError as error:
        told = f"does not decode: {error}"
    return f" (unproven answer: {one_line(told)})"


def _quietly(free: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A destructor that leaves the error queue as it is: garbage is collected at any moment."""

    def freed(pointer: Any) -> None:
        lib.ERR_set_mark()
        free(pointer)
        lib.ERR_pop_to_mark()

    return freed


_free_ctx = _quietly(lib.OSSL_CMP_CTX_free)


def _free_then(after: Callable[[], None]) -> Callable[[Any], None]:
    """A destructor that hands back what the context had to itself."""

    def freed(pointer: Any) -> None:
        _free_ctx(pointer)
        after()

    return freed


_free_session = _quietly(lib.osslcmp_session_free)


class ContextBase:
    """Owns an ``OSSL_CMP_CTX`` and guards it: one thread at a time, errors checked after each call."""

    _library: LibraryContext | None = None
    _owner_object: Any = None
    _total_timeout = TOTAL_TIMEOUT
    _unprotected = 0

    def __init__(
        self, library: LibraryContext | None = None, *, _after: Callable[[], None] | None = None
    ) -> None:
        clear()
        libctx, propq = (NULL, NULL) if library is None else (library.pointer, library.propq_chars)
        free = _free_ctx if _after is None else _free_then(_after)
        pointer = take(lib.OSSL_CMP_CTX_new(libctx, propq), free, "making a CMP context")
        self._library = library
        self._adopt(pointer)
        self.set_option(Option.MSG_TIMEOUT, MESSAGE_TIMEOUT)

    @classmethod
    def _borrowed(cls, pointer: Any, owner: Any) -> Any:
        """A context around the ``OSSL_CMP_CTX`` that a server context owns and ``owner`` keeps alive."""
        self = cls.__new__(cls)
        self._owner_object = owner
        self._adopt(pointer)
        return self

    def _adopt(self, pointer: Any) -> None:
        self._ptr = pointer
        self._guard = Guard()
        self._wakeup = Wakeup()
        self._state = CallState()
        self._handle = ffi.new_handle(self._state)
        self._session = take(lib.osslcmp_session_new(self._handle), _free_session, "making a CMP context")
        self._state.session = self._session
        # Python objects that C only borrows, by the callback or argument that they belong to.
        self._kept: dict[str, Any] = {}
        # Names, certificate and CSR of the request: the header of later messages depends on them.
        self._given: dict[str, Any] = {}
        self._verbosity = lib.OSSL_CMP_CTX_get_option(pointer, Option.LOG_VERBOSITY)
        self._applied_verbosity: int | None = None
        check(
            lib.OSSL_CMP_CTX_set_log_cb(pointer, ffi.addressof(lib, "osslcmp_log")),
            "setting the log callback",
        )
        # It carries messages by what the session holds: our HTTP transfer, or what set_transfer_cb() says.
        check(
            lib.OSSL_CMP_CTX_set_transfer_cb(pointer, ffi.addressof(lib, "osslcmp_transfer")),
            "setting the transfer callback",
        )

    # -- the guard ----------------------------------------------------------------------------------------

    @locked
    def _set(
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
        if not live:
            self._guard.refuse_inside(what)
        clear()
        if giving is None:
            check(function(self._ptr, *args), what)
        else:
            hand_over(args[-1], giving, function, self._ptr, *args, what=what)

    @locked
    def _alone(self, function: Callable[[], _R]) -> _R:
        """Several steps that belong together."""
        return function()

    @locked
    def _get(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call whose result is no verdict."""
        return function(self._ptr, *args)

    @locked
    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call that may send messages and call back. Whether it failed is the caller's to say."""
        self._guard.refuse_inside("another one")
        if self._forget_cancel():
            raise TransferError("cancelled before it began")
        self._state.begin()
        self._apply_verbosity()
        return self._inside(function, self._ptr, *args)

    def _inside(self, function: Callable[..., Any], *args: Any, keep_errors: bool = False) -> Any:
        """Call a C function whose callbacks are to find this context.

        As in :func:`osslcmp.context.guard.locked`: what is restored is known before, and no call stands in between.
        """
        guard, outer = self._guard, current.state
        outer_session = NULL if outer is None else outer.session
        try:
            guard.running = True
            current.state = self._state
            lib.osslcmp_enter(self._session)
            if not keep_errors:
                clear()
            return function(*args)
        finally:
            guard.running = False
            current.state = outer
            lib.osslcmp_leave(outer_session)

    def _apply_verbosity(self) -> None:
        """Let OpenSSL format only what somebody reads."""
        wanted = self._verbosity if self._state.log is not None else min(self._verbosity, log_level())
        if self._state.keep_notes:
            wanted = max(wanted, Severity.INFO)
        if wanted != self._applied_verbosity:
            lib.OSSL_CMP_CTX_set_option(self._ptr, Option.LOG_VERBOSITY, wanted)
            lib.osslcmp_session_set_log_level(self._session, wanted)
            self._applied_verbosity = wanted

    def _failure(self, message: str) -> BaseException:
        """The exception for a failed call: the callback's own, the server's refusal, or OpenSSL's story."""
        failure = self._explain(message)
        if self._state.trace is not None:
            self._state.trace.failed(failure, self._state.transaction_id)
        return failure

    def _explain(self, message: str) -> BaseException:
        if self._forget_cancel():
            message += ": cancelled"
        drained = drain()
        errors = (*self._state.told, *drained)
        stored = self._state.exception
        if stored is not None:
            self._state.exception = None
            _annotate(stored, errors)
            return stored
        refused = refused_answer(self._session)
        if refused is not None:
            return _unseen(message, *refused, errors)
        status, failure, text = self._status()
        if status in _REFUSALS and any(_has(drained, reason) for reason in _REFUSED):
            return RejectedError(status, failure, text, errors)
        names = [
            note for note in self._state.notes if "expected sender" in note.text or "actual name" in note.text
        ]
        if names and (not errors or _has(drained, "UNEXPECTED_SENDER")):
            return self._refused(ProtectionError, f"{message}: unexpected sender", (*names, *errors))
        if _has(drained, "WRONG_PBM_VALUE"):
            message += " (do both sides have the same secret?)"
        kind = classify(drained)
        if status < 0 and (not errors or (kind is OpenSSLError and status != PKIStatus.request)):
            # C refuses a status that is not in RFC 9810 without a word, or leaves one of its own.
            message += f": the answer does not make sense (status {int(status)})"
            kind = ResponseError
        return self._refused(kind, message, errors)

    def _refused(
        self, kind: type[OpenSSLError], message: str, errors: tuple[ErrorEntry, ...]
    ) -> OpenSSLError:
        """The exception with the answer, if one came, that it is about.

        A server that does not know us, or our transaction, can often not answer otherwise: what it says is told, too.
        """
        if not issubclass(kind, (ProtectionError, ResponseError)):
            return kind(message, errors)
        answer, words = self._last_answer(), ""
        if kind is ProtectionError and self._state.refused_signer:
            words = f" ({self._state.refused_signer})"
        if answer is not None and (kind is ProtectionError or any(_has(errors, why) for why in _UNHEARD)):
            words += _unproven(answer)
        failure = kind(message + words, errors)
        failure._unproven = words
        failure.answer = answer
        return failure

    def _last_answer(self) -> bytes | None:
        """The last message that came in the call that has just failed."""
        length = ffi.new("long *")
        pointer = lib.osslcmp_session_last(self._session, length)
        return None if pointer == NULL else bytes(ffi.buffer(pointer, length[0]))

    def _status(self) -> tuple[PKIStatus, FailureInfo, str]:
        raise NotImplementedError

    # -- options ------------------------------------------------------------------------------------------

    def set_option(self, option: Option | int, value: int) -> None:
        """Set an option (``OSSL_CMP_CTX_set_option``, 3.0).

        Takes an :class:`osslcmp.Option` and an ``int`` (or ``bool``) in the unit that the option's
        documentation tells. Raises ``ValueError`` for a value out of range, :class:`osslcmp.UnsupportedError`
        for an option that the loaded OpenSSL does not have.
        """
        option = _option(option)
        if not isinstance(value, int):
            raise TypeError(f"option {option.name}: an int, not {type(value).__name__}")
        low, high = _OPTION_LIMITS.get(option, _BOOLEAN)
        # RFC 5280 has no reason 7.
        unused = option is Option.REVOCATION_REASON and value == 7
        if value < low or value > (0x7FFFFFFF if high is None else high) or unused:
            raise ValueError(f"option {option.name}: {value} is out of range")
        _require(option)
        if option is Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR and value and openssl_version < (3, 5, 0):
            # Below it, verifying pkiConf with this option crashes (openssl/openssl#29285).
            raise UnsupportedError(f"option {option.name}", "3.5", ".".join(map(str, openssl_version)))
        if option is Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR and value and self._state.server_usage is not None:
            raise ValueError(f"option {option.name}: does not go with server_usage, which it would not heed")
        if option is Option.TOTAL_TIMEOUT:
            # Kept here: libcrypto's own reckoning starts anew with each replay, and gives up five seconds early.
            self._total_timeout = int(value)
            return
        self._set(
            lib.OSSL_CMP_CTX_set_option,
            int(option),
            int(value),
            what=f"setting option {option.name}",
            live=option not in _ALGORITHMS,
        )
        if option is Option.LOG_VERBOSITY:
            self._verbosity, self._applied_verbosity = int(value), None
        if option is Option.UNPROTECTED_SEND:
            self._unprotected = int(value)

    def get_option(self, option: Option | int) -> int:
        """The value of an option (``OSSL_CMP_CTX_get_option``, 3.0)."""
        option = _option(option)
        if option is Option.LOG_VERBOSITY:
            return self._verbosity
        if option is Option.TOTAL_TIMEOUT:
            return self._total_timeout
        value: int = self._get(lib.OSSL_CMP_CTX_get_option, int(option))
        if value == -1 and option not in (Option.POPO_METHOD, Option.REVOCATION_REASON):
            clear()
            _require(option)
        return value

    # -- life ---------------------------------------------------------------------------------------------

    @guarded
    def reinit(self) -> None:
        """Make ready for another transaction (``OSSL_CMP_CTX_reinit``, 3.0).

        Clears the results of the last one, its transaction ID and nonces and the general message items, and
        closes the connection. Keeps credentials, trust, options and the request's fields.
        """
        self._set(lib.OSSL_CMP_CTX_reinit, what="reinitializing the context")
        self._forget_cancel()
        self.disconnect()

    def cancel(self) -> None:
        """End the call that runs on this context in another thread, within a fraction of a second.

        It fails there with :class:`osslcmp.TransferError`; if nothing runs, the next one does. After that the
        context works again. May be called from any thread and from a signal handler. A callable or C function set
        by :meth:`set_transfer_cb` that is waiting itself is not woken.
        """
        lib.osslcmp_session_cancel(self._session, 1)
        self._wakeup.set()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Close the connection at the end of the block, whatever happens in it but a wait that goes on."""
        try:
            yield
        except StillWaitingError:
            raise
        except BaseException:
            self.disconnect()
            raise
        self.disconnect()

    def _forget_cancel(self) -> bool:
        """Make :meth:`cancel` undone; whether it was called.

        The flag in C is the only one: another :meth:`cancel` at this moment counts together with the earlier one, or
        from now on.
        """
        cancelled = bool(lib.osslcmp_session_cancelled(self._session))
        if cancelled:
            lib.osslcmp_session_cancel(self._session, 0)
        self._wakeup.clear()
        return cancelled

    @guarded
    def disconnect(self) -> None:
        """Close the HTTP connection that is kept open, if there is one."""
        if lib.osslcmp_session_connected(self._session):
            self._state.begin()
            self._inside(lib.osslcmp_session_disconnect, self._session)
            if self._state.exception is not None:
                raise self._failure("closing the connection failed")


#: Options that came later, with the feature that they came with.
_LATER = {Option.USE_TLS: "use_tls", Option.NO_CACHE_EXTRACERTS: "no_cache_extracerts"}


def _option(option: Option | int) -> Option:
    try:
        return Option(option)
    except ValueError:
        raise ValueError(f"option: {option!r} is no osslcmp.Option") from None


def _require(option: Option) -> None:
    if option in _LATER:
        require(_LATER[option], f"option {option.name}")


def _has(errors: tuple[ErrorEntry, ...], reason: str) -> bool:
    number = reason_code("CMP", reason)
    return any(entry.library == lib.ERR_LIB_CMP and entry.reason == number for entry in errors)


def _unseen(message: str, answer: bytes, why: Violation, errors: tuple[ErrorEntry, ...]) -> ResponseError:
    """An answer that libcrypto has not seen. ``errors`` say so, too, and what came of it."""
    failure = ResponseError(f"{message}: the answer is refused: {why}", errors)
    failure.answer = answer
    return failure


def _annotate(exception: BaseException, errors: tuple[ErrorEntry, ...]) -> None:
    """Add OpenSSL's errors to a callback's exception as notes, where Python has them (3.11)."""
    if hasattr(exception, "add_note"):
        for entry in errors:
            exception.add_note(f"OpenSSL: {entry}")
