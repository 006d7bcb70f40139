"""Checks of a nested message: what a registration authority has put other messages into (RFC 9483, section 5.2.2)."""

from __future__ import annotations

from collections.abc import Callable

from ...enums import BodyType
from .. import wire
from .subject import Subject


def readable(subject: Subject) -> str | None:
    """What is nested are messages, one at least."""
    return None if subject.nested else "malformed NESTED"


def depth(subject: Subject) -> str | None:
    """None of them is a nested one."""
    deeper = any(one.body_type == BodyType.NESTED for one in subject.nested or ())
    return "a nested message in a nested message" if deeper else None


def _agree(subject: Subject, what: str, of: Callable[[wire.RawMessage], bytes | None]) -> str | None:
    """A field of the one message in it is that of the nested message; in a batch, none is."""
    inner = subject.nested or []
    same = [of(one) == of(subject.message) for one in inner]
    if len(inner) == 1:
        return None if same[0] else f"{what} is not that of the nested message"
    return f"{what} is that of a message in the batch" if any(same) else None


def ids(subject: Subject) -> str | None:
    """transactionID is that of the one message in it; that of a batch is none of theirs."""
    return _agree(subject, "transactionID", lambda message: message.transaction_id)


def nonces(subject: Subject) -> str | None:
    """So is senderNonce."""
    return _agree(subject, "senderNonce", lambda message: message.header.sender_nonce)
