"""Messages that the server makes by itself where libcrypto offers no function: refusals with a telling
failInfo.

``OSSL_CMP_SRV_CTX`` answers every fault with ``badRequest``. The body and header are put together here; the
protection is then added by libcrypto, which replaces the placeholder algorithm.
"""

from __future__ import annotations

import datetime
import os

from .. import _der as der
from .._der import explicit
from ..enums import BodyType, FailureInfo, PKIStatus
from . import bodies, wire

PVNO = 2
NONCE_LENGTH = 16
_EMPTY_NAME = der.encode(der.SEQUENCE)
NOBODY = der.encode(wire.DIRECTORY_NAME, _EMPTY_NAME)
"""The empty name as a GeneralName."""
# Only says "to be protected".
_PLACEHOLDER = der.encode(der.SEQUENCE, der.encode_oid(wire.PBM_OID))


def status_info(status: PKIStatus, failure_info: FailureInfo, text: str) -> bytes:
    """A PKIStatusInfo."""
    parts = [der.encode_integer(status)]
    if text:
        parts.append(der.encode(der.SEQUENCE, der.encode_text(text)))
    if failure_info:
        parts.append(der.encode_bits(int(failure_info)))
    return der.encode(der.SEQUENCE, *parts)


_ANSWERS = {
    BodyType.IR: BodyType.IP,
    BodyType.CR: BodyType.CP,
    BodyType.P10CR: BodyType.CP,
    BodyType.KUR: BodyType.KUP,
    BodyType.RR: BodyType.RP,
}


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
    content = der.encode(der.SEQUENCE, status_info(PKIStatus.rejection, failure_info, text))
    body = der.encode(explicit(BodyType.ERROR), content)
    return _message(request.header, sender, recipient, body, protect)


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
    content = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, status))
    return _message(request.header, sender, recipient, der.encode(explicit(kind), content), protect)


def _message(
    request: wire.Header, sender: bytes | None, recipient: bytes | None, body: bytes, protect: bool
) -> bytes:
    """A message with this body, its header made to answer the request."""

    def octets(number: int, value: bytes | None) -> bytes:
        return b"" if value is None else der.encode(explicit(number), der.encode(der.OCTET_STRING, value))

    now = datetime.datetime.now(datetime.timezone.utc)
    header = der.encode(
        der.SEQUENCE,
        der.encode_integer(PVNO),
        der.encode(wire.DIRECTORY_NAME, sender or _EMPTY_NAME),
        recipient or request.sender,
        der.encode(explicit(0), der.encode_moment(now)),
        der.encode(explicit(1), _PLACEHOLDER) if protect else b"",
        octets(4, request.transaction_id),
        octets(5, os.urandom(NONCE_LENGTH)),
        octets(6, request.sender_nonce),
    )
    return der.encode(der.SEQUENCE, header, body)
