"""From a failed call to the exception that says what failed, why, and with which data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._asn1 import der
from .._openssl.callbacks import CallState
from .._openssl.convert import cert_from_der, certs_to_der, chain_above
from .._openssl.errorqueue import classify, drain, has_reason
from .._openssl.lib import NULL, ffi, lib
from .._openssl.received import message_of, outline_of, refused_answer
from .._openssl.signers import unsuitable
from .._text import body_words, one_line, visible
from ..enums import FailureInfo, PKIStatus
from ..errors import (
    CMPError,
    ErrorEntry,
    OpenSSLError,
    ProtectionError,
    RejectedError,
    ResponseError,
    TransferError,
)
from .status import pki_status

if TYPE_CHECKING:
    from ..enrollment import Enrollment
    from ..message import CertRepMessage, Message

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
    "WRONG_RP_COMPONENT_COUNT",
)
#: What it says of a certReqId.
_OTHER_IDS = ("BAD_REQUEST_ID", "CERTRESPONSE_NOT_FOUND")


def explain(ctx: Any, state: CallState, message: str) -> BaseException:
    """The exception for a failed call: the callback's own, the server's refusal, or OpenSSL's queued errors."""
    drained = drain()
    errors = (*state.logged_errors, *drained)
    stored = state.exception
    if stored is not None:
        state.exception = None
        if hasattr(stored, "add_note"):  # Python 3.11
            for entry in errors:
                stored.add_note(f"OpenSSL: {entry}")
        return stored
    refused = refused_answer(state.session)
    if refused is not None:
        answer, why = refused  # which libcrypto has not seen; ``errors`` say so, too, and what came of it
        failure = ResponseError(f"{message}: the answer is refused: {why}", errors)
        failure.answer = answer
        return failure
    said = status, *_ = pki_status(ctx)
    if status in _REFUSALS and has_reason(drained, *_REFUSED):
        return RejectedError(*said, errors, _refused_with(state.session, *said))
    names = [note for note in state.notes if "expected sender" in note.text or "actual name" in note.text]
    if names and (not errors or has_reason(drained, "UNEXPECTED_SENDER")):
        message += f": unexpected sender{_in_another_order(names)}"
        return _with_answer(ProtectionError, message, (*names, *errors), ctx, state)
    kind = classify(drained)
    if status < 0 and (not errors or (kind is OpenSSLError and status != PKIStatus.request)):
        # C refuses a status that is not in RFC 9810 without a word, or leaves one of its own.
        message += f": the answer does not make sense (status {int(status)})"
        kind = ResponseError
    return _with_answer(kind, message, errors, ctx, state)


def _in_another_order(notes: list[ErrorEntry]) -> str:
    """If the names in libcrypto's notes, ``/O=y/CN=x``, differ by the order of their parts alone: so."""
    found = {tuple(sorted(note.text.partition(" = ")[2].split("/"))) for note in notes}
    return ", whose name has the same parts in another order" if len(found) == 1 and len(notes) == 2 else ""


def _unsuitable(
    ctx: Any, state: CallState, answer: bytes | None, errors: tuple[ErrorEntry, ...]
) -> str | None:
    """Why no certificate is the signer's, where libcrypto has found none."""
    header = None if answer is None else outline_of(answer)
    if header is None or not has_reason(errors, "NO_SUITABLE_SENDER_CERT"):
        return None
    try:
        sender = der.read(header.sender, der.explicit(4)).content
        came = [one.encoding for one in der.children(header.extra_certs or b"")]
        came += certs_to_der(lib.OSSL_CMP_CTX_get0_untrusted(ctx))
    except ValueError:
        return None
    store = lib.OSSL_CMP_CTX_get0_trustedStore(ctx)
    param = NULL if store == NULL else lib.X509_STORE_get0_param(store)
    why = unsuitable(sender, header.sender_kid, came, param=param)
    if why is not None and header.sender_kid and header.sender_kid in state.own_identifiers:
        why += "; its senderKID is the one of the request"
    return why


def _with_answer(
    kind: type[OpenSSLError], message: str, errors: tuple[ErrorEntry, ...], ctx: Any, state: CallState
) -> OpenSSLError:
    """The exception with the answer, if one came, that it is about.

    A server that does not know us, or our transaction, can often not answer otherwise: the text repeats what it says.
    """
    if issubclass(kind, TransferError):
        return _over_http(kind, message, errors, state.session)
    if not issubclass(kind, (ProtectionError, ResponseError)):
        return kind(message, errors)
    answer, words = message_of(lib.osslcmp_session_last, state.session), ""
    if kind is ProtectionError:
        why = state.refused_signer or _unsuitable(ctx, state, answer, errors)
        words = f" ({why})" if why else ""
    if answer is not None and (kind is ProtectionError or has_reason(errors, *_UNREAD)):
        words += _unproven(answer, versioned=has_reason(errors, "UNEXPECTED_PVNO"))
    if has_reason(errors, *_OTHER_IDS):
        _, body = _certificates_in(answer)
        found = ", ".join(str(response.request_id) for response in body.responses) if body else ""
        words += f" (the answer has certReqId {visible(found, 100)})" if found else ""
    failure = kind(message + words, errors)
    failure._unproven = words
    failure.answer = answer
    return failure


def _over_http(
    kind: type[TransferError], message: str, errors: tuple[ErrorEntry, ...], session: Any
) -> TransferError:
    """The exception with what came instead of a CMP message."""
    status = ffi.new("int *")
    body = message_of(lib.osslcmp_session_http, session, status) or b""
    failure = kind(message + body_words(body), errors)
    failure.http_status, failure.body = status[0] or None, body
    return failure


def _refused_with(session: Any, status: PKIStatus, failure: FailureInfo, text: str) -> Enrollment | None:
    """The certificate in an answer that libcrypto takes for a refusal."""
    message, body = _certificates_in(message_of(lib.osslcmp_session_last, session))
    certificate = body.responses[0].certificate_der if body is not None and body.responses else None
    if message is None or body is None or certificate is None:
        return None
    extra = message.extra_certs_der
    chain = chain_above(certificate, extra)
    from ..enrollment import Enrollment

    return Enrollment(certificate, chain, body.ca_pubs_der, extra, status, failure, text, _read=cert_from_der)


def _certificates_in(answer: bytes | None) -> tuple[Message | None, CertRepMessage | None]:
    """An answer, if it is one to a certificate request, and its body."""
    from ..message import CertRepMessage, Message  # only when something failed

    try:
        message = None if answer is None else Message.from_der(answer)
        body = None if message is None else message.body
    except ValueError:
        return None, None
    return (message, body) if isinstance(body, CertRepMessage) else (None, None)


def _unproven(answer: bytes, *, versioned: bool) -> str:
    """What an answer says that nothing proves, for the text of an exception; if ``versioned``, in which version of CMP."""
    from ..message import Message  # only when something failed
    from ..message.describe import summary

    version = ""
    try:
        message = Message.from_der(answer)
        content = summary(message) or message.type.name.lower()
        header = outline_of(answer)
        if versioned and header is not None:
            version = f" (it has pvno {int.from_bytes(header.pvno, 'big', signed=True)})"
    except ValueError as error:
        content = f"does not decode: {error}"
    return f" (unproven answer: {one_line(content)}){version}"


def in_context(exception: BaseException, context: BaseException) -> BaseException:
    """``exception`` with ``context`` as its ``__context__``; what was there goes further back."""
    earlier = exception.__context__
    if earlier is not None and earlier is not context and not isinstance(earlier, CMPError):
        context.__context__ = earlier
    exception.__context__ = context
    return exception
