"""Messages that the server makes by itself where libcrypto offers no function: refusals with a telling
failInfo.

``OSSL_CMP_SRV_CTX`` answers every fault with ``badRequest``. The body and header are put together here; the
protection is then added by libcrypto, which replaces the placeholder algorithm.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from typing import NamedTuple

from .._asn1 import der, oids
from .._asn1.der import explicit
from ..enums import BodyType, FailureInfo, PKIStatus
from . import bodies, wire

PVNO = 2
NONCE_LENGTH = 16
WHOLE_ANSWER = -1
"""The certReqId of a pollReq and pollRep about something else than a certificate."""
_TIME, PROTECTION_ALG, _SENDER_KID, _RECIP_NONCE = map(explicit, (0, 1, 2, 6))
_EMPTY_NAME = der.encode(der.SEQUENCE)
NOBODY = der.encode(wire.DIRECTORY_NAME, _EMPTY_NAME)
"""The empty name as a GeneralName."""
# Only says "to be protected".
_PLACEHOLDER = der.encode(der.SEQUENCE, der.encode_oid(oids.PASSWORD_BASED_MAC))


class Body(NamedTuple):
    """A PKIBody that is a SEQUENCE."""

    kind: BodyType
    content: bytes
    """What the SEQUENCE holds, as DER."""


def _status_info(status: PKIStatus, failure_info: FailureInfo, text: str) -> bytes:
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


def waiting(text: str) -> Body:
    """The error message that lets a client poll for the answer to any message (RFC 9810, 5.3.22; RFC 9483, 4.4)."""
    return Body(BodyType.ERROR, _status_info(PKIStatus.waiting, FailureInfo(0), text))


def poll_reply(text: str, check_after: int) -> Body:
    """The pollRep that lets a client wait for a whole answer once more, ``check_after`` seconds until its next pollReq."""
    number, seconds = der.encode_integer(WHOLE_ANSWER), der.encode_integer(check_after)
    return Body(BodyType.POLLREP, der.encode(der.SEQUENCE, number, seconds, _free_text(text)))


def nested(answers: Iterable[bytes]) -> Body:
    """The answer to a batch of messages (RFC 9483, section 5.2.2.2), made of the answers to each."""
    return Body(BodyType.NESTED, b"".join(answers))


def error(failure_info: FailureInfo, text: str) -> Body:
    """An error message that says why a request is refused."""
    return Body(BodyType.ERROR, _status_info(PKIStatus.rejection, failure_info, text))


def rejection(request: wire.RawMessage, failure_info: FailureInfo, text: str) -> Body:
    """The ip, cp, kup or rp that rejects a request (an error message if there is none for it)."""
    kind = _ANSWERS.get(request.body_type)
    if kind is None:
        return error(failure_info, text)
    status = _status_info(PKIStatus.rejection, failure_info, text)
    if kind is not BodyType.RP:
        status = der.encode(der.SEQUENCE, der.encode_integer(bodies.request_id(request)), status)
    return Body(kind, der.encode(der.SEQUENCE, status))


def readdress(answer: bytes, request: wire.RawMessage) -> bytes:
    """An answer as one to another request: without its protection, which is to be made again.

    The senderNonce stays the same, so that it does not matter which of the answers arrives.
    """
    nonce = request.header.sender_nonce
    fields = {_TIME: _message_time()}
    if nonce is not None:
        fields[_RECIP_NONCE] = der.encode(_RECIP_NONCE, der.encode(der.OCTET_STRING, nonce))
    return changed(answer, fields)


def unprotected(answer: bytes) -> bytes:
    """An answer without its protection, and without what its header says of that."""
    return changed(answer, {PROTECTION_ALG: b"", _SENDER_KID: b""})


def without_sender_kid(answer: bytes) -> bytes:
    """An answer that does not name the client's secret as the key of its signature."""
    return changed(answer, {_SENDER_KID: b""})


def changed(answer: bytes, fields: dict[int, bytes]) -> bytes:
    """An answer without its protection, with some fields of its header, by their tags, replaced."""
    header, body, *rest = der.sequence(answer)
    old = der.children(header.content)
    # pvno, sender and recipient have no tags of the header's own, but come first.
    tagged = {field.tag: field.encoding for field in old[3:]} | fields
    new = (*(field.encoding for field in old[:3]), *(tagged[tag] for tag in sorted(tagged)))
    extra = [part.encoding for part in rest if part.tag == explicit(1)]
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, *new), body.encoding, *extra)


def message(
    request: wire.RawMessage,
    sender: bytes | None,
    body: Body,
    *,
    protect: bool,
    recipient: bytes | None = None,
) -> bytes:
    """A message in answer to a request, not protected yet.

    Args:
        request: what is answered.
        sender: the server's Name as DER, None when it has none.
        body: what it says.
        protect: it will be protected; else it is complete.
        recipient: a GeneralName as DER; None for the sender of the request.
    """

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
    content = der.encode(der.SEQUENCE, body.content)
    return der.encode(der.SEQUENCE, header, der.encode(explicit(body.kind), content))


def _message_time() -> bytes:
    """The messageTime of a header: now."""
    return der.encode(_TIME, der.encode_moment(datetime.datetime.now(datetime.timezone.utc)))
