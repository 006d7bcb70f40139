"""The outer structure of a PKIMessage (RFC 9810, section 5.1), read before libcrypto sees the message."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from .._asn1 import der, oids, x509_parts
from .._asn1.der import explicit
from .._openssl.received import Outline, Violation, fields_of, outline, violation
from ..enums import BodyType
from ..errors import CMPError
from ..limits import Limits

DIRECTORY_NAME = explicit(4)
STARTS = frozenset({BodyType.IR, BodyType.CR, BodyType.P10CR, BodyType.KUR, BodyType.RR, BodyType.GENM})
"""The bodies that open a transaction."""
FIRST = STARTS | {BodyType.NESTED}
"""Those, and what a registration authority puts other messages into."""
MAX_TRANSACTION_ID = 128
_TYPES = tuple(BodyType)
"""By number, which is quicker than to make one of it."""


class MalformedMessageError(CMPError, ValueError):
    """What came is not a PKIMessage with a readable header, or beyond the limits: no CMP error can answer it.

    Over HTTP it is answered with status 400 (413 when it is too large). ``limit`` is the field of
    :class:`osslcmp.Limits` that is exceeded, if it is one.
    """

    limit: str | None = None


class MessageTooLargeError(MalformedMessageError):
    """The message is larger than the server takes."""


class MacParameters(NamedTuple):
    """A PBMParameter (RFC 9810, section 5.1.3.1), its algorithms as dotted OIDs."""

    salt: bytes
    owf: str
    iterations: int
    mac: str
    behind_salt: bytes
    """The rest as DER, with which the protectionAlg ends."""


@lru_cache(maxsize=32)  # the same in all messages of a client
def _behind_salt(data: bytes) -> tuple[str, int, str] | None:
    try:
        owf, count, mac = der.children(data)
        return x509_parts.algorithm(owf.encoding), der.integer(count), x509_parts.algorithm(mac.encoding)
    except ValueError:
        return None


@dataclass(eq=False)  # not frozen, which takes longer to make: nobody changes one
class Header:
    """The PKIHeader. Octet strings are bytes, absent fields are None."""

    pvno: int
    sender: bytes
    """The sender, a GeneralName as DER."""
    recipient: bytes
    message_time: datetime.datetime | None
    odd_time: bool
    """There is a messageTime, but it is not as DER wants it: with an offset, or without seconds."""
    protection_alg: bytes | None
    """The AlgorithmIdentifier as DER."""
    protection_oid: str | None
    uses_mac: bool
    """The message is protected with a password-based MAC."""
    mac: MacParameters | None
    """The parameters of a password-based MAC; None without one, and for BER, which libcrypto would take."""
    sender_kid: bytes | None
    transaction_id: bytes | None
    sender_nonce: bytes | None
    recip_nonce: bytes | None
    general_info: tuple[tuple[str, bytes | None], ...]
    known_name: bytes | None
    """The same as ``sender_name``, None if that raises."""

    @property
    def sender_name(self) -> bytes | None:
        """The sender's Name as DER, when it is a directoryName. Raises DERError."""
        return self.known_name or directory_name(self.sender)

    @property
    def is_signed(self) -> bool:
        """The message says that it is signed."""
        return self.protection_oid is not None and not self.uses_mac

    def info(self, oid: str) -> tuple[bool, bytes | None]:
        """Whether generalInfo has this type, and its value as DER."""
        for found, value in self.general_info:
            if found == oid:
                return True, value
        return False, None

    @property
    def implicit_confirm(self) -> bool:
        """The client asks for implicit confirmation."""
        return self.info(oids.IMPLICIT_CONFIRM)[0]

    @property
    def profile(self) -> str | None:
        """The first certificate profile named in the header."""
        value = self.info(oids.CERT_PROFILE)[1]
        if value is None:
            return None
        names = der.sequence(value)
        return der.text(names[0]) if names else None


@dataclass(eq=False)  # likewise
class RawMessage:
    """A PKIMessage taken apart one level deep."""

    header: Header
    body_type: BodyType
    body: bytes
    """The DER inside the body's tag."""
    extra_certs: tuple[bytes, ...]
    protected: bool
    encoding: bytes
    assigned_id: bytes = b""
    """The transactionID that the server has made for a first message without one."""

    @property
    def transaction_id(self) -> bytes:
        """The transactionID, empty when absent."""
        return self.header.transaction_id or self.assigned_id

    def with_assigned_id(self) -> RawMessage:
        """The message with a transactionID that the server makes, if it has none (RFC 9810, section 5.1.1).

        A copy of the message gets the same one, so that it is known for a copy.
        """
        if self.transaction_id:
            return self
        header, body = der.sequence(self.encoding)[:2]
        return replace(self, assigned_id=sha256(b"id" + header.encoding + body.encoding).digest()[:16])


def receive_message(data: bytes, limit: int, limits: Limits | None = None) -> RawMessage:
    """Take a message of a client (DER) of at most ``limit`` bytes apart, after a look whether libcrypto may see it.

    Raises:
        MessageTooLargeError: more than ``limit`` bytes.
        MalformedMessageError: no PKIMessage whose header can be read, or beyond the limits.
    """
    if len(data) > limit:
        error = MessageTooLargeError(f"message of {len(data)} bytes, at most {limit} are accepted")
        error.limit = "message_size"
        raise error
    found = violation(data, limits)
    if found is not None:
        refused = MalformedMessageError(f"{'not a CMP message' if found.is_garbage else 'refused'}: {found}")
        refused.limit = found.limit
        raise refused
    return read_message(data)


@lru_cache(maxsize=32)  # each message is read some times on its way
def read_message(data: bytes) -> RawMessage:
    """Take a message (DER) apart, of any size: one that was made here, or has been received. Raises MalformedMessageError
    for what is no PKIMessage whose header can be read."""
    found = outline(data)
    if isinstance(found, Violation):
        raise MalformedMessageError(f"not a CMP message: {found}")
    body_type, parts = found
    try:
        certs = (
            () if parts.extra_certs is None else tuple(c.encoding for c in der.children(parts.extra_certs))
        )
        return RawMessage(
            _header(parts), _TYPES[body_type], parts.body, certs, parts.protection is not None, data
        )
    except der.DERError as error:
        raise MalformedMessageError(f"not a CMP message: {error}") from None


class Answer(NamedTuple):
    """What counts of a message that was made here."""

    body_type: BodyType
    protection_alg: bytes | None
    """The AlgorithmIdentifier as DER."""
    sender_nonce: bytes | None
    implicit_confirm: bool
    """It grants implicit confirmation."""


@lru_cache(maxsize=32)  # likewise
def read_answer(data: bytes) -> Answer:
    """Read an answer (DER) as far as it counts. Raises MalformedMessageError."""
    found = fields_of(data, "protection_alg", "sender_nonce", "general_info")
    if isinstance(found, Violation):
        raise MalformedMessageError(f"not a CMP message: {found}")
    body_type, (algorithm, nonce, infos) = found
    try:
        implicit = infos is not None and any(oid == oids.IMPLICIT_CONFIRM for oid, _ in read_itavs(infos))
    except der.DERError as error:
        raise MalformedMessageError(f"not a CMP message: {error}") from None
    return Answer(_TYPES[body_type], algorithm, nonce, implicit)


def _header(parts: Outline) -> Header:
    identifier, stated = parts.transaction_id, parts.message_time
    if identifier is not None and len(identifier) > MAX_TRANSACTION_ID:
        raise der.DERError("transactionID too long")
    message_time = None if stated is None else _read_time(stated)
    oid = None if parts.protection_oid is None else der.dotted_octets(parts.protection_oid)
    mac, uses_mac = None, oid == oids.PASSWORD_BASED_MAC
    if uses_mac and parts.salt is not None and parts.behind_salt is not None:
        others = _behind_salt(parts.behind_salt)
        mac = others and MacParameters(parts.salt, *others, parts.behind_salt)
    return Header(
        pvno=int.from_bytes(parts.pvno, "big", signed=True),
        sender=parts.sender,
        recipient=parts.recipient,
        message_time=message_time,
        odd_time=stated is not None and message_time is None,
        protection_alg=parts.protection_alg,
        protection_oid=oid,
        uses_mac=uses_mac,
        mac=mac,
        sender_kid=parts.sender_kid,
        transaction_id=identifier,
        sender_nonce=parts.sender_nonce,
        recip_nonce=parts.recip_nonce,
        general_info=() if parts.general_info is None else read_itavs(parts.general_info),
        known_name=parts.sender_name,
    )


def _read_time(octets: bytes) -> datetime.datetime | None:
    """None for a GeneralizedTime that DER does not allow: a message is to be answered all the same."""
    try:
        return der.generalized_time(octets)
    except der.DERError:
        return None


def read_itavs(data: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """A SEQUENCE OF InfoTypeAndValue as pairs of dotted OID and value as DER.

    Raises DERError.
    """
    pairs = []
    for element in der.sequence(data):
        oid, *value = der.sequence(element.encoding) or (element,)
        if len(value) > 1:
            raise der.DERError("unexpected field")
        pairs.append((der.dotted(oid), value[0].encoding if value else None))
    return tuple(pairs)


def directory_name(general_name: bytes) -> bytes | None:
    """The Name inside a GeneralName, both DER, when it is a directoryName."""
    element = der.read(general_name)
    return der.read(element.content, der.SEQUENCE).encoding if element.tag == DIRECTORY_NAME else None
