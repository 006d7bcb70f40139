"""Messages of a peer: looked at in C before libcrypto decodes them (``vendor-headers/glue/precheck.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .._asn1 import der, oids
from ..enums import BodyType
from .lib import NULL, ffi, lib

if TYPE_CHECKING:
    from ..limits import Limits


class Violation(NamedTuple):
    """Why libcrypto does not get to see a message."""

    limit: str | None
    """The field of :class:`osslcmp.Limits` that is exceeded, if it is one."""
    text: str
    offset: int
    """Where in the message, in octets."""
    is_garbage: bool = False
    """It is no CMP message at all."""

    def __str__(self) -> str:
        return f"{self.text} at offset {self.offset}"


@cache
def limits_to_c(limits: Limits) -> Any:
    """An ``osslcmp_limits *``, whose fields are in the order of those of :class:`osslcmp.Limits`."""
    return ffi.new("osslcmp_limits *", [getattr(limits, name) for name in limits.__match_args__])


def _from_c(finding: Any) -> Violation:
    words = ffi.string(lib.osslcmp_violation_text(finding.violation))
    assert isinstance(words, bytes)
    text = words.decode()
    if lib.osslcmp_violation_is_limit(finding.violation):
        return Violation(text, f"{finding.found} exceeds the limit {text}={finding.limit}", finding.offset)
    what = ffi.string(finding.what) if finding.what != NULL else b""
    assert isinstance(what, bytes)
    return Violation(
        None,
        f"{what.decode()}: {text}" if what else text,
        finding.offset,
        bool(lib.osslcmp_violation_is_garbage(finding.violation)),
    )


def violation(der: bytes, limits: Limits | None = None) -> Violation | None:
    """What is wrong with a message that libcrypto must not see; ``None`` if nothing."""
    finding = ffi.new("osslcmp_finding *")
    data = ffi.from_buffer("unsigned char[]", der)
    if lib.osslcmp_check_msg(data, len(der), NULL if limits is None else limits_to_c(limits), finding):
        return None
    return _from_c(finding)


class Outline(NamedTuple):
    """The fields of a PKIMessage's outer structure; ``None`` for what is absent."""

    pvno: bytes
    """The octets of the number."""
    sender: bytes
    """A GeneralName as DER, like the next one."""
    recipient: bytes
    message_time: bytes | None
    """The octets of a GeneralizedTime."""
    protection_alg: bytes | None
    """An AlgorithmIdentifier as DER."""
    protection_oid: bytes | None
    """The octets of its OBJECT IDENTIFIER."""
    sender_kid: bytes | None
    recip_kid: bytes | None
    transaction_id: bytes | None
    sender_nonce: bytes | None
    recip_nonce: bytes | None
    general_info: bytes | None
    """A SEQUENCE OF InfoTypeAndValue as DER."""
    body: bytes
    """The DER inside the body's tag."""
    protection: bytes | None
    extra_certs: bytes | None
    """The certificates one after the other."""
    sender_name: bytes | None
    """The Name in a sender that is a directoryName."""
    salt: bytes | None
    """Of a password-based MAC."""
    behind_salt: bytes | None
    """Its other parameters one after the other."""


def outline(der: bytes) -> tuple[int, Outline] | Violation:
    """The outer structure of a message and the number of its body's tag, or what is wrong: it must be DER, whose inner
    structures are not looked at."""
    found = _parts(der, _INDEX.values())
    return found if isinstance(found, Violation) else (found[0], Outline._make(found[1]))


_INDEX = {name: 2 * index for index, name in enumerate(Outline._fields)}


def fields_of(der: bytes, *names: str) -> tuple[int, list[bytes | None]] | Violation:
    """The same of some fields."""
    return _parts(der, [_INDEX[name] for name in names])


def _parts(der: bytes, indexes: Iterable[int]) -> tuple[int, list[bytes | None]] | Violation:
    spans, finding = ffi.new("osslcmp_spans *"), ffi.new("osslcmp_finding *")
    if not lib.osslcmp_outline(ffi.from_buffer("unsigned char[]", der), len(der), spans, finding):
        return _from_c(finding)
    at = ffi.unpack(spans.at, 2 * len(Outline._fields))
    return spans.body_type, [der[at[i] : at[i + 1]] if at[i + 1] else None for i in indexes]


def outline_of(der: bytes) -> Outline | None:
    """The same of a message that libcrypto has read, whatever is in its fields, such as an odd time."""
    found = outline(der)
    return None if isinstance(found, Violation) else found[1]


def message_from_der(der: bytes, limits: Limits | None = None) -> Any:
    """A new ``OSSL_CMP_MSG *`` of a peer's message, not owned; NULL with the error queued if it is refused or does not
    decode."""
    data = ffi.from_buffer("unsigned char[]", der)
    return lib.osslcmp_d2i_msg(data, len(der), NULL if limits is None else limits_to_c(limits), NULL)


def own_message_from_der(der: bytes) -> Any:
    """A new ``OSSL_CMP_MSG *`` of a message that was made here, held against no limits; NULL if it does not decode."""
    return lib.osslcmp_own_msg(ffi.from_buffer("unsigned char[]", der), len(der))


def message_of(get: Callable[..., Any], session: Any, *which: Any) -> bytes | None:
    """A message that a session has (DER), as a C function tells where it is and, in its last argument, how long."""
    length = ffi.new("long *")
    pointer = get(session, *which, length)
    return None if pointer == NULL else bytes(ffi.buffer(pointer, length[0]))


def trial_message(sender: bytes = bytes.fromhex("300c310a300806035504030c0178")) -> bytes:
    """A message from this name (DER; ``CN=x``) that goes nowhere, to be protected."""
    parties = (der.encode(der.explicit(4), name) for name in (sender, der.encode(der.SEQUENCE)))
    algorithm = der.encode(der.explicit(1), der.encode(der.SEQUENCE, der.encode_oid(oids.ECDSA_WITH_SHA256)))
    number = der.encode(der.explicit(4), der.encode(der.OCTET_STRING, bytes(16)))
    header = der.encode(der.SEQUENCE, der.encode_integer(2), *parties, algorithm, number)
    body = der.encode(der.explicit(BodyType.PKICONF), der.encode(der.NULL))
    return der.encode(der.SEQUENCE, header, body)


def refused_answer(session: Any) -> tuple[bytes, Violation] | None:
    """The answer that the last call on a session refused before it was decoded, and why."""
    length, finding = ffi.new("long *"), ffi.new("osslcmp_finding *")
    pointer = lib.osslcmp_session_refused(session, length, finding)
    return None if pointer == NULL else (bytes(ffi.buffer(pointer, length[0])), _from_c(finding[0]))
