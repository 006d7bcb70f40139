"""Parts of a message replaced, on DER."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from .._asn1 import der
from .._asn1.der import explicit
from ..enums import BodyType

CERTIFICATE_ANSWERS = (BodyType.IP, BodyType.CP, BodyType.KUP)
"""With the one CertResponse that is rewritten here."""


def rebuilt(parts: Iterable[bytes]) -> bytes:
    """A SEQUENCE of these."""
    return der.encode(der.SEQUENCE, *parts)


def replaced(
    sequence: bytes,
    leading: int,
    first: dict[int, bytes] | None = None,
    tagged: dict[int, bytes] | None = None,
) -> bytes:
    """A SEQUENCE with other fields: of the ``leading`` ones by their place, the others by the number of their tag, without
    it; an empty one is left out."""
    fields = enumerate(der.sequence(sequence))
    parts = {place if place < leading else field.tag: field.encoding for place, field in fields} | (
        first or {}
    )
    for number, value in (tagged or {}).items():
        parts[explicit(number)] = der.encode(explicit(number), value) if value else b""
    return rebuilt(parts[key] for key in sorted(parts))  # tags are greater than places


def extra_certs(message: bytes) -> list[bytes]:
    """The certificates in extraCerts as DER."""
    for field in der.sequence(message)[2:]:
        if field.tag == explicit(1):
            return [one.encoding for one in der.sequence(field.content)]
    return []


def with_extra_certs(message: bytes, certificates: list[bytes]) -> bytes:
    """With these certificates (DER) in extraCerts, without that field if there are none."""
    return replaced(message, 2, tagged={1: rebuilt(certificates) if certificates else b""})


def damaged(message: bytes) -> bytes:
    """With the last octet of the protection changed."""
    for field in der.sequence(message)[2:]:
        if field.tag == explicit(0):
            return replaced(message, 2, tagged={0: field.content[:-1] + bytes([field.content[-1] ^ 1])})
    return message


def unprotected(message: bytes) -> bytes:
    """Without protection, and without what the header says of that."""
    return replaced(with_header(message, tagged={1: b"", 2: b""}), 2, tagged={0: b""})


def with_header(
    message: bytes, *, first: dict[int, bytes] | None = None, tagged: dict[int, bytes] | None = None
) -> bytes:
    """With other fields in the header: ``first`` are pvno, sender and recipient, ``tagged`` the others by their number; an
    empty one is left out."""
    header = der.sequence(message)[0].encoding
    return replaced(message, 2, {0: replaced(header, 3, first, tagged)})


def with_body(message: bytes, body: bytes) -> bytes:
    """With another body, its tag included."""
    return replaced(message, 2, {1: body})


def with_responses(message: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """With the one CertResponse of ip, cp or kup changed; other messages stay as they are."""
    body = der.sequence(message)[1]
    if body.tag not in map(explicit, CERTIFICATE_ANSWERS):
        return message
    *pubs, responses = der.sequence(body.content)
    (response,) = der.sequence(responses.encoding)
    content = rebuilt([*(pub.encoding for pub in pubs), rebuilt([change(response.encoding)])])
    return with_body(message, der.encode(body.tag, content))


def yesterday(message: bytes) -> bytes:
    """With a messageTime of yesterday."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    return with_header(message, tagged={0: der.encode_moment(moment)})


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return der.encode(der.OCTET_STRING, value)


def with_request_id(message: bytes, number: int) -> bytes:
    """With another certReqId in the one CertResponse of ip, cp or kup; others stay as they are."""

    def change(response: bytes) -> bytes:
        _, *others = der.sequence(response)
        return rebuilt([der.encode_integer(number), *(other.encoding for other in others)])

    return with_responses(message, change)
