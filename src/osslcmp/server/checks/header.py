"""Checks of the header and of the kind of a message, which need nothing but the message."""

from __future__ import annotations

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
    return None if subject.message.header.pvno in PVNOS else "unsupported pvno"


def time_present(subject: Subject) -> str | None:
    """A protected message has a messageTime."""
    header = subject.message.header
    missing = header.message_time is None and not header.odd_time and header.protection_alg is not None
    return "messageTime is missing" if missing else None


def time_form(subject: Subject) -> str | None:
    """messageTime is DER: UTC, and with seconds."""
    return "messageTime is not in UTC with seconds" if subject.message.header.odd_time else None


def time(subject: Subject) -> str | None:
    """messageTime is near the clock here."""
    stated, limits = subject.message.header.message_time, subject.limits
    if stated is None or limits.is_now(stated):
        return None
    return "messageTime is too far from the time here"


def _is_first(message: wire.RawMessage) -> bool:
    """Whether it is not the next message of some transaction."""
    return message.body_type not in (BodyType.CERTCONF, BodyType.POLLREQ, BodyType.ERROR)


def transaction_id(subject: Subject) -> str | None:
    """A first message has a transactionID."""
    message = subject.message
    return "no transactionID" if _is_first(message) and not message.transaction_id else None


def later_transaction_id(subject: Subject) -> str | None:
    """A later message says which transaction it belongs to."""
    return None if subject.message.transaction_id else "no transactionID"


def transaction_id_length(subject: Subject) -> str | None:
    """The transactionID of a first message is long enough to be unique."""
    short = _is_first(subject.message) and len(subject.message.transaction_id) < MIN_OCTETS
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
    absent = subject.message.header.recip_nonce is None
    return None if absent else "recipNonce in the first message"


def _is_null(value: bytes | None) -> bool:
    return value is None or value == _NULL


def _is_texts(value: bytes | None) -> bool:
    texts = () if value is None else der.sequence(value)
    return bool(texts) and all(element.tag == der.UTF8_STRING for element in texts)


_INFO_VALUES = {
    oids.IMPLICIT_CONFIRM: ("implicitConfirm is a NULL", _is_null),
    oids.CERT_PROFILE: ("certProfile is a list of names", _is_texts),
}


def info_values(subject: Subject) -> str | None:
    """What is known in generalInfo has a value of its type."""
    for oid, value in subject.message.header.general_info:
        text, fits = _INFO_VALUES.get(oid, ("", None))
        try:
            good = fits is None or fits(value)
        except ValueError:
            good = False
        if not good:
            return text
    return None


def confirm_wait_time(subject: Subject) -> str | None:
    """confirmWaitTime is a GeneralizedTime."""
    found, value = subject.message.header.info(oids.CONFIRM_WAIT_TIME)
    try:
        good = not found or (value is not None and der.read(value).tag == der.GENERALIZED_TIME)
    except ValueError:
        good = False
    return None if good else "confirmWaitTime is no GeneralizedTime"


def one_confirmation(subject: Subject) -> str | None:
    """implicitConfirm and confirmWaitTime do not go together."""
    header = subject.message.header
    both = header.implicit_confirm and header.info(oids.CONFIRM_WAIT_TIME)[0]
    return "implicitConfirm and confirmWaitTime together" if both else None


def path(subject: Subject) -> str | None:
    """The request is what the path of the URL names."""
    fits = subject.place.takes(subject.message.body_type)
    return None if fits else "not the operation that the path names"


def body_type(subject: Subject) -> str | None:
    """The body is one that clients send."""
    known = (*wire.FIRST, BodyType.CERTCONF, BodyType.POLLREQ, BodyType.ERROR)
    return None if subject.message.body_type in known else "not a message for a server"


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
