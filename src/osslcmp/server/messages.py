"""Messages that the server makes by itself where libcrypto offers no function: refusals with a telling
failInfo.

``OSSL_CMP_SRV_CTX`` answers every fault with ``badRequest``. The body and header are put together here; the
protection is then added by libcrypto, which replaces the placeholder algorithm.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable

from .._asn1 import der, oids
from .._asn1.der import explicit
from ..enums import BodyType, FailureInfo, PKIStatus
from . import bodies, wire

PVNO = 2
NONCE_LENGTH = 16
WHOLE_ANSWER = -1
"""The certReqId of a pollReq and pollRep about something else than a certificate."""
_TIME, _PROTECTION_ALG, _SENDER_KID, _RECIP_NONCE = map(explicit, (0, 1, 2, 6))
_EMPTY_NAME = der.encode(der.SEQUENCE)
NOBODY = der.encode(wire.DIRECTORY_NAME, _EMPTY_NAME)
"""The empty name as a GeneralName."""
# Only says "to be protected".
_PLACEHOLDER = der.encode(der.SEQUENCE, der.encode_oid(oids.PASSWORD_BASED_MAC))


def status_info(status: PKIStatus, failure_info: FailureInfo, text: str) -> bytes:
    """A PKIStatusInfo."""
    failures = der.encode_bits(int(failure_info)) if failure_info else b""
    return der.encode(der.SEQUENCE, der.encode_integer(status), _free_text(text), failures)


def _free_text(text: str) -> bytes:
    """A PKIFreeText; nothing for an empty one."""
    return der.encode(der.SEQUENCE, der.encode_text(text)) if text else b""


_ANSWERS = {
    BodyType.IR: BodyType.IP,
    BodyType.CR: BodyType.CP,
    BodyType.P10CR: BodyType.CP,
    BodyType.KUR: BodyType.KUP,
    BodyType.RR: BodyType.RP,
}


def waiting(
    request: wire.RawMessage,
    sender: bytes | None,
    text: str,
    *,
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """The error message that tells a client to poll for the answer to a message of any kind (RFC 9810, section
    5.3.22; RFC 9483, section 4.4).

    The arguments are those of ``error``.
    """
    content = status_info(PKIStatus.waiting, FailureInfo(0), text)
    return _message(request, sender, recipient, BodyType.ERROR, content, protect)


def poll_reply(
    request: wire.RawMessage,
    sender: bytes | None,
    text: str,
    *,
    check_after: int,
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """The pollRep that lets a client wait for a whole answer once more.

    Args:
        check_after: seconds until the next pollReq.
        request, sender, text, protect, recipient: as for ``error``.
    """
    number, seconds = der.encode_integer(WHOLE_ANSWER), der.encode_integer(check_after)
    content = der.encode(der.SEQUENCE, number, seconds, _free_text(text))
    return _message(request, sender, recipient, BodyType.POLLREP, content, protect)


def nested(
    request: wire.RawMessage,
    sender: bytes | None,
    text: str,  # noqa: ARG001  # as for error
    *,
    contents: Iterable[bytes],
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """The answer to a batch of messages (RFC 9483, section 5.2.2.2).

    Args:
        contents: the answer to each, as DER.
        request, sender, text, protect, recipient: as for ``error``.
    """
    return _message(request, sender, recipient, BodyType.NESTED, b"".join(contents), protect)


def readdress(answer: bytes, request: wire.RawMessage) -> bytes:
    """An answer as one to another request: without its protection, which is to be made again.

    The senderNonce stays the same, so that it does not matter which of the answers arrives.
    """
    header, body, *rest = der.sequence(answer)
    fields = der.children(header.content)
    # pvno, sender and recipient have no tags of the header's own, but come first.
    first, tagged = fields[:3], {field.tag: field.encoding for field in fields[3:]}
    tagged[_TIME] = _message_time()
    nonce = request.header.sender_nonce
    if nonce is not None:
        tagged[_RECIP_NONCE] = der.encode(_RECIP_NONCE, der.encode(der.OCTET_STRING, nonce))
    new = der.encode(der.SEQUENCE, *(f.encoding for f in first), *(tagged[tag] for tag in sorted(tagged)))
    extra = [part.encoding for part in rest if part.tag == explicit(1)]
    return der.encode(der.SEQUENCE, new, body.encoding, *extra)


def unprotected(answer: bytes) -> bytes:
    """An answer without its protection, and without what its header says of that."""
    header, body, *rest = der.sequence(answer)
    fields = der.children(header.content)
    # pvno, sender and recipient have no tags of the header's own, but come first.
    kept = [*fields[:3], *(field for field in fields[3:] if field.tag not in (_PROTECTION_ALG, _SENDER_KID))]
    extra = [part.encoding for part in rest if part.tag == explicit(1)]
    return der.encode(
        der.SEQUENCE, der.encode(der.SEQUENCE, *(f.encoding for f in kept)), body.encoding, *extra
    )


def error(
    request: wire.RawMessage,
    sender: bytes | None,
    failure_info: FailureInfo,
    text: str,
    *,
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """An error message in answer to a request, not protected yet.

    Args:
        request: what is answered.
        sender: the server's Name as DER, None when it has none.
        failure_info: why.
        text: why, in words.
        protect: it will be protected; else it is complete.
        recipient: a GeneralName as DER; None for the sender of the request.
    """
    content = status_info(PKIStatus.rejection, failure_info, text)
    return _message(request, sender, recipient, BodyType.ERROR, content, protect)


def rejection(
    request: wire.RawMessage,
    sender: bytes | None,
    failure_info: FailureInfo,
    text: str,
    *,
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """The ip, cp, kup or rp that rejects a request (an error message if there is none for it).

    The arguments are those of ``error``.
    """
    kind = _ANSWERS.get(BodyType(request.body_type))
    if kind is None:
        return error(request, sender, failure_info, text, protect=protect, recipient=recipient)
    status = status_info(PKIStatus.rejection, failure_info, text)
    if kind is not BodyType.RP:
        number = der.encode_integer(bodies.request_id(request))
        status = der.encode(der.SEQUENCE, number, status)
    return _message(request, sender, recipient, kind, der.encode(der.SEQUENCE, status), protect)


def _message(
    request: wire.RawMessage,
    sender: bytes | None,
    recipient: bytes | None,
    kind: BodyType,
    content: bytes,
    protect: bool,
) -> bytes:
    """A message of this kind, whose body is a SEQUENCE of ``content``, its header made to answer the request."""

    def octets(number: int, value: bytes | None) -> bytes:
        return b"" if value is None else der.encode(explicit(number), der.encode(der.OCTET_STRING, value))

    header = der.encode(
        der.SEQUENCE,
        der.encode_integer(PVNO),
        der.encode(wire.DIRECTORY_NAME, sender or _EMPTY_NAME),
        recipient or request.header.sender,
        _message_time(),
        der.encode(explicit(1), _PLACEHOLDER) if protect else b"",
        octets(4, request.transaction_id or None),
        octets(5, os.urandom(NONCE_LENGTH)),
        octets(6, request.header.sender_nonce),
    )
    body = der.encode(der.SEQUENCE, content)
    return der.encode(der.SEQUENCE, header, der.encode(explicit(kind), body))


def _message_time() -> bytes:
    """The messageTime of a header: now."""
    return der.encode(_TIME, der.encode_moment(datetime.datetime.now(datetime.timezone.utc)))
