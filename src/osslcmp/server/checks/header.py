"""Checks of the header and of the kind of a message, a nested one included, which need nothing but the message."""

from __future__ import annotations

from collections.abc import Callable

from ..._asn1 import der, oids
from ...enums import BodyType
from .. import wire
from ..engine import PVNOS
from .subject import Subject

_NULL = der.encode(der.NULL)
MIN_OCTETS = 16
"""128 bits: the least of a nonce and of a transactionID."""


def pvno(subject: Subject) -> str | None:
    """The protocol version is one that this libcrypto has."""
    return None if subject.header.pvno in PVNOS else "unsupported pvno"


def time_present(subject: Subject) -> str | None:
    """A protected message has a messageTime."""
    header = subject.header
    missing = header.message_time is None and not header.odd_time and header.protection_alg is not None
    return "messageTime is missing" if missing else None


def time_form(subject: Subject) -> str | None:
    """messageTime is DER: UTC, and with seconds."""
    return "messageTime is not in UTC with seconds" if subject.header.odd_time else None


def time(subject: Subject) -> str | None:
    """messageTime is near the clock here."""
    stated = subject.header.message_time
    near = stated is None or subject.limits.is_now(stated)
    return None if near else "messageTime is too far from the time here"


def transaction_id(subject: Subject) -> str | None:
    """There is a transactionID."""
    return None if subject.message.transaction_id else "no transactionID"


def new_id(subject: Subject) -> str | None:
    """The transactionID of a first message is long enough to be unique."""
    short = len(subject.message.transaction_id) < MIN_OCTETS
    return transaction_id(subject) or ("transactionID has less than 128 bits" if short else None)


def sender_nonce(subject: Subject) -> str | None:
    """There is a senderNonce, long enough to be fresh."""
    nonce = subject.header.sender_nonce
    if nonce is None:
        return "senderNonce is missing"
    return "senderNonce is shorter than 128 bits" if len(nonce) < MIN_OCTETS else None


def opens(subject: Subject) -> str | None:
    """A first message answers nothing."""
    return None if subject.header.recip_nonce is None else "recipNonce in the first message"


def _is_null(value: bytes | None) -> bool:
    return value is None or value == _NULL


def _is_texts(value: bytes | None) -> bool:
    texts = () if value is None else der.sequence(value)
    return bool(texts) and all(element.tag == der.UTF8_STRING for element in texts)


def _is_time(value: bytes | None) -> bool:
    return value is not None and der.read(value).tag == der.GENERALIZED_TIME


_INFO_VALUES = {
    oids.IMPLICIT_CONFIRM: ("implicitConfirm is a NULL", _is_null),
    oids.CERT_PROFILE: ("certProfile is a list of names", _is_texts),
    oids.CONFIRM_WAIT_TIME: ("confirmWaitTime is no GeneralizedTime", _is_time),
}


def info_values(subject: Subject) -> str | None:
    """What is known in generalInfo has a value of its type."""
    for oid, value in subject.header.general_info:
        text, fits = _INFO_VALUES.get(oid, ("", None))
        try:
            good = fits is None or fits(value)
        except ValueError:
            good = False
        if not good:
            return text
    return None


def one_confirmation(subject: Subject) -> str | None:
    """implicitConfirm and confirmWaitTime do not go together."""
    header = subject.header
    both = header.implicit_confirm and header.info(oids.CONFIRM_WAIT_TIME)[0]
    return "implicitConfirm and confirmWaitTime together" if both else None


def path(subject: Subject) -> str | None:
    """The request is what the path of the URL names."""
    fits = subject.place.takes(subject.message.body_type)
    return None if fits else "not the operation that the path names"


_KNOWN = wire.FIRST | {BodyType.CERTCONF, BodyType.POLLREQ, BodyType.ERROR}


def body_type(subject: Subject) -> str | None:
    """The body is one that clients send."""
    return None if subject.message.body_type in _KNOWN else "not a message for a server"


_WITHOUT_VALUE = frozenset(
    (
        oids.CA_PROT_ENC_CERT,
        oids.SIGN_KEY_PAIR_TYPES,
        oids.ENC_KEY_PAIR_TYPES,
        oids.PREFERRED_SYMM_ALG,
        oids.CA_KEY_UPDATE_INFO,
        oids.CURRENT_CRL,
        oids.CA_CERTS,
        oids.CERT_REQ_TEMPLATE,
    )
)
"""InfoTypes that are asked for without a value."""


def general_values(subject: Subject) -> str | None:
    """A genm has a value only where its type has one; libcrypto cannot decode others."""
    try:
        infos = wire.read_itavs(subject.message.body)
    except ValueError:
        return None  # libcrypto does not decode it, either
    odd = any(oid in _WITHOUT_VALUE and value is not None for oid, value in infos)
    return "an infoValue where none belongs" if odd else None


# Of what a registration authority has put other messages into (RFC 9483, section 5.2.2).


def nested_readable(subject: Subject) -> str | None:
    """What is nested are messages, one at least."""
    return None if subject.nested else "malformed NESTED"


def nested_depth(subject: Subject) -> str | None:
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


def nested_ids(subject: Subject) -> str | None:
    """transactionID is that of the one message in it; that of a batch is none of theirs."""
    return _agree(subject, "transactionID", lambda message: message.transaction_id)


def nested_nonces(subject: Subject) -> str | None:
    """So is senderNonce."""
    return _agree(subject, "senderNonce", lambda message: message.header.sender_nonce)
