"""Messages of a peer: looked at in C before libcrypto decodes them (``vendor-headers/glue/precheck.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..limits import Limits
from .lib import NULL, ffi, lib

__all__ = [
    "Violation",
    "limits_to_c",
    "message_from_der",
    "own_message_from_der",
    "refused_answer",
    "violation",
]


@dataclass(frozen=True)
class Violation:
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
    """An ``osslcmp_limits *``."""
    return ffi.new(
        "osslcmp_limits *",
        {
            "message": limits.message_size,
            "depth": limits.depth,
            "elements": limits.elements,
            "certificates": limits.certificates,
            "oid": limits.oid_length,
            "integer": limits.integer_length,
            "serial": limits.serial_number_length,
            "name": limits.name_length,
            "extension": limits.extension_length,
            "text": limits.text_length,
            "iterations": limits.iterations,
            "line": limits.printed_line,
            "curves": limits.explicit_curves,
            "exponent": limits.exponent_bits,
            "tls": limits.tls_certificates,
        },
    )


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


def message_from_der(der: bytes, limits: Limits | None = None) -> Any:
    """A new ``OSSL_CMP_MSG *`` of a peer's message, not owned; NULL with the error queued if it is refused or does not
    decode."""
    data = ffi.from_buffer("unsigned char[]", der)
    return lib.osslcmp_d2i_msg(data, len(der), NULL if limits is None else limits_to_c(limits), NULL)


def own_message_from_der(der: bytes) -> Any:
    """The same of a message that was made here: no limits."""
    return lib.osslcmp_own_msg(ffi.from_buffer("unsigned char[]", der), len(der))


def refused_answer(session: Any) -> tuple[bytes, Violation] | None:
    """The answer that the last call on a session refused before it was decoded, and why."""
    length = ffi.new("long *")
    finding = ffi.new("osslcmp_finding *")
    pointer = lib.osslcmp_session_refused(session, length, finding)
    return None if pointer == NULL else (bytes(ffi.buffer(pointer, length[0])), _from_c(finding[0]))
