"""InfoTypeAndValue: what general messages and the header's generalInfo carry."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509


@dataclass(frozen=True, init=False)
class InfoTypeAndValue:
    """An item of a general message (RFC 9810 section 5.3.19).

    ``oid`` names the kind, a :class:`cryptography.x509.ObjectIdentifier` or a dotted string; ``value`` is the DER
    encoding of the value, ``None`` (or empty) if there is none.
    """

    oid: x509.ObjectIdentifier
    value: bytes | None = None

    def __init__(self, oid: x509.ObjectIdentifier | str, value: bytes | None = None) -> None:
        if isinstance(oid, str):
            oid = x509.ObjectIdentifier(oid)
        if not isinstance(oid, x509.ObjectIdentifier):
            raise TypeError(f"oid: an ObjectIdentifier or dotted string, not {type(oid).__name__}")
        if value is not None and not isinstance(value, bytes):
            raise TypeError(f"value: DER as bytes or None, not {type(value).__name__}")
        object.__setattr__(self, "oid", oid)
        object.__setattr__(self, "value", value or None)
