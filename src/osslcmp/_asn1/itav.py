"""InfoTypeAndValue: what general messages and the header's generalInfo carry."""

from __future__ import annotations

from dataclasses import dataclass

from .._lazy import x509


def object_identifier(what: str, value: x509.ObjectIdentifier | str) -> x509.ObjectIdentifier:
    """An OID from an argument. ``TypeError`` or ``ValueError`` if it is none."""
    if isinstance(value, str):
        try:
            return x509.ObjectIdentifier(value)
        except ValueError:
            raise ValueError(f"{what}: {value!r} is no object identifier in dotted numbers") from None
    if not isinstance(value, x509.ObjectIdentifier):
        raise TypeError(f"{what}: an ObjectIdentifier or dotted string, not {type(value).__name__}")
    return value


@dataclass(frozen=True, init=False)
class InfoTypeAndValue:
    """An item of a general message (RFC 9810 section 5.3.19).

    ``oid`` names the kind, a :class:`cryptography.x509.ObjectIdentifier` or a dotted string; ``value`` is the DER
    encoding of the value, ``None`` (or empty) if there is none.
    """

    oid: x509.ObjectIdentifier
    value: bytes | None = None

    def __init__(self, oid: x509.ObjectIdentifier | str, value: bytes | None = None) -> None:
        if value is not None and not isinstance(value, bytes):
            raise TypeError(f"value: DER as bytes or None, not {type(value).__name__}")
        object.__setattr__(self, "oid", object_identifier("oid", oid))
        object.__setattr__(self, "value", value or None)
