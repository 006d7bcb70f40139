"""Checks of a nested message: what a registration authority has put other messages into (RFC 9483, section 5.2.2)."""

from __future__ import annotations

from ...enums import BodyType
from .. import bodies, wire
from .subject import Subject


def _inner(subject: Subject) -> list[wire.RawMessage] | None:
    """The messages in a nested one; None when it is none, or they cannot be read."""
    if subject.message.body_type != BodyType.NESTED:
        return None
    try:
        return list(map(wire.read_message, bodies.nested_messages(subject.message)))
    except ValueError:
        return None


def readable(subject: Subject) -> str | None:
    """What is nested are messages, one at least."""
    odd = subject.message.body_type == BodyType.NESTED and not _inner(subject)
    return "malformed NESTED" if odd else None


def signed(subject: Subject) -> str | None:
    """The registration authority signs."""
    nested = subject.message.body_type == BodyType.NESTED
    return "nested messages are signed" if nested and subject.message.header.uses_mac else None


def depth(subject: Subject) -> str | None:
    """None of them is a nested one."""
    deeper = any(one.body_type == BodyType.NESTED for one in _inner(subject) or ())
    return "a nested message in a nested message" if deeper else None


def transaction_id(subject: Subject) -> str | None:
    """transactionID is that of the one message in it; that of a batch is none of theirs."""
    inner = _inner(subject) or []
    same = [one.transaction_id == subject.message.transaction_id for one in inner]
    if len(inner) == 1:
        return None if same[0] else "transactionID is not that of the nested message"
    return "transactionID is that of a message in the batch" if any(same) else None


def sender_nonce(subject: Subject) -> str | None:
    """So is senderNonce."""
    inner = _inner(subject) or []
    same = [one.header.sender_nonce == subject.message.header.sender_nonce for one in inner]
    if len(inner) == 1:
        return None if same[0] else "senderNonce is not that of the nested message"
    return "senderNonce is that of a message in the batch" if any(same) else None
