"""From a failed call to the exception that says what failed, why, and with which data."""

from __future__ import annotations

from typing import Any

from .._openssl.callbacks import CallState
from .._openssl.errorqueue import classify, drain, reason_code
from .._openssl.lib import NULL, ffi, lib
from .._openssl.received import Violation, refused_answer
from .._text import one_line
from ..enums import PKIStatus
from ..errors import CMPError, ErrorEntry, OpenSSLError, ProtectionError, RejectedError, ResponseError
from .status import pki_status

__all__ = ["explain", "in_context"]

_REFUSALS = (PKIStatus.rejection, PKIStatus.waiting, PKIStatus.keyUpdateWarning)
#: What OpenSSL raises when the status came from the server: it sets one for its own refusals, too.
_REFUSED = (
    "RECEIVED_ERROR",
    "REQUEST_REJECTED_BY_SERVER",
    "ENCOUNTERED_KEYUPDATEWARNING",
    "UNEXPECTED_PKISTATUS",
)
#: Why libcrypto refuses an answer before it looks at what that says.
_UNREAD = (
    "PKIBODY_ERROR",
    "RECIPNONCE_UNMATCHED",
    "TRANSACTIONID_UNMATCHED",
    "UNEXPECTED_PKIBODY",
    "UNEXPECTED_PVNO",
)


def explain(ctx: Any, state: CallState, message: str) -> BaseException:
    """The exception for a failed call: the callback's own, the server's refusal, or OpenSSL's queued errors."""
    drained = drain()
    errors = (*state.logged_errors, *drained)
    stored = state.exception
    if stored is not None:
        state.exception = None
        _annotate(stored, errors)
        return stored
    refused = refused_answer(state.session)
    if refused is not None:
        return _not_decoded(message, *refused, errors)
    status, failure, text = pki_status(ctx)
    if status in _REFUSALS and any(_has(drained, reason) for reason in _REFUSED):
        return RejectedError(status, failure, text, errors)
    names = [note for note in state.notes if "expected sender" in note.text or "actual name" in note.text]
    if names and (not errors or _has(drained, "UNEXPECTED_SENDER")):
        return _with_answer(ProtectionError, f"{message}: unexpected sender", (*names, *errors), state)
    kind = classify(drained)
    if status < 0 and (not errors or (kind is OpenSSLError and status != PKIStatus.request)):
        # C refuses a status that is not in RFC 9810 without a word, or leaves one of its own.
        message += f": the answer does not make sense (status {int(status)})"
        kind = ResponseError
    return _with_answer(kind, message, errors, state)


def _with_answer(
    kind: type[OpenSSLError], message: str, errors: tuple[ErrorEntry, ...], state: CallState
) -> OpenSSLError:
    """The exception with the answer, if one came, that it is about.

    A server that does not know us, or our transaction, can often not answer otherwise: the text repeats what it says.
    """
    if not issubclass(kind, (ProtectionError, ResponseError)):
        return kind(message, errors)
    answer, words = _last_answer(state.session), ""
    if kind is ProtectionError and state.refused_signer:
        words = f" ({state.refused_signer})"
    if answer is not None and (kind is ProtectionError or any(_has(errors, why) for why in _UNREAD)):
        words += _unproven(answer)
    failure = kind(message + words, errors)
    failure._unproven = words
    failure.answer = answer
    return failure


def _last_answer(session: Any) -> bytes | None:
    """The last message that came in the call that has just failed."""
    length = ffi.new("long *")
    pointer = lib.osslcmp_session_last(session, length)
    return None if pointer == NULL else bytes(ffi.buffer(pointer, length[0]))


def _unproven(answer: bytes) -> str:
    """What an answer says that nothing proves, for the text of an exception."""
    from ..message import Message  # only when something failed
    from ..message.describe import summary

    try:
        message = Message.from_der(answer)
        content = summary(message) or message.type.name.lower()
    except ValueError as error:
        content = f"does not decode: {error}"
    return f" (unproven answer: {one_line(content)})"


def _has(errors: tuple[ErrorEntry, ...], reason: str) -> bool:
    number = reason_code("CMP", reason)
    return any(entry.library == lib.ERR_LIB_CMP and entry.reason == number for entry in errors)


def _not_decoded(
    message: str, answer: bytes, why: Violation, errors: tuple[ErrorEntry, ...]
) -> ResponseError:
    """An answer that libcrypto has not seen. ``errors`` say so, too, and what came of it."""
    failure = ResponseError(f"{message}: the answer is refused: {why}", errors)
    failure.answer = answer
    return failure


def _annotate(exception: BaseException, errors: tuple[ErrorEntry, ...]) -> None:
    """Add OpenSSL's errors to a callback's exception as notes, where Python has them (3.11)."""
    if hasattr(exception, "add_note"):
        for entry in errors:
            exception.add_note(f"OpenSSL: {entry}")


def in_context(exception: BaseException, context: BaseException) -> BaseException:
    """``exception`` with ``context`` as its ``__context__``; what was there goes further back."""
    earlier = exception.__context__
    if earlier is not None and earlier is not context and not isinstance(earlier, CMPError):
        context.__context__ = earlier
    exception.__context__ = context
    return exception
