"""Checks of the header and of the kind of a message, which need nothing but the message."""

from __future__ import annotations

from ...enums import BodyType
from .. import wire
from ..engine import PVNOS
from .subject import Subject

MIN_OCTETS = 16
"""128 bits: the least of a nonce and of a transactionID."""


def pvno(subject: Subject) -> str | None:
    """The protocol version is one that this libcrypto has."""
    return None if subject.message.header.pvno in PVNOS else "unsupported pvno"


def time_present(subject: Subject) -> str | None:
    """A protected message has a messageTime."""
    header = subject.message.header
    missing = header.message_time is None and header.protection_alg is not None
    return "messageTime is missing" if missing else None


def time(subject: Subject) -> str | None:
    """messageTime is near the clock here."""
    stated, limits = subject.message.header.message_time, subject.limits
    if stated is None or abs((limits.clock() - stated).total_seconds()) <= limits.tolerance:
        return None
    return "messageTime is too far from the time here"


def transaction_id(subject: Subject) -> str | None:
    """There is a transactionID."""
    return None if subject.message.transaction_id else "no transactionID"


def transaction_id_length(subject: Subject) -> str | None:
    """transactionID is long enough to be unique."""
    short = len(subject.message.transaction_id) < MIN_OCTETS
    return "transactionID has less than 128 bits" if short else None


def sender_nonce(subject: Subject) -> str | None:
    """There is a senderNonce."""
    return "senderNonce is missing" if subject.message.header.sender_nonce is None else None


def sender_nonce_length(subject: Subject) -> str | None:
    """senderNonce is long enough to be fresh."""
    short = len(subject.message.header.sender_nonce or b"") < MIN_OCTETS
    return "senderNonce is shorter than 128 bits" if short else None


def first_recip_nonce(subject: Subject) -> str | None:
    """A first message answers nothing."""
    message = subject.message
    odd = message.body_type in wire.STARTS and message.header.recip_nonce is not None
    return "recipNonce in the first message" if odd else None


def path(subject: Subject) -> str | None:
    """The request is what the path of the URL names."""
    kind = subject.message.body_type
    odd = kind in wire.STARTS and not subject.place.takes(kind)
    return "not the operation that the path names" if odd else None


def body_type(subject: Subject) -> str | None:
    """The body is one that clients send."""
    known = (*wire.STARTS, BodyType.CERTCONF, BodyType.POLLREQ, BodyType.ERROR)
    return None if subject.message.body_type in known else "not a message for a server"
