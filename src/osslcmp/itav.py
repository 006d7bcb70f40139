"""InfoTypeAndValue: what general messages and the header's generalInfo carry."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

__all__ = ["InfoTypeAndValue"]


@dataclass(frozen=True)
class InfoTypeAndValue:
    """An item of a general message (RFC 9810 section 5.3.19).

    ``oid`` names the kind, a :class:`cryptography.x509.ObjectIdentifier` (a dotted string is converted);
    ``value`` is the DER encoding of the value, ``None`` if there is none.
    """

    oid: x509.ObjectIdentifier
    value: bytes | None = None

    def __post_init__(self) -> None:
        if isinstance(self.oid, str):
            object.__setattr__(self, "oid", x509.ObjectIdentifier(self.oid))
        elif not isinstance(self.oid, x509.ObjectIdentifier):
            raise TypeError(f"oid: an ObjectIdentifier or dotted string, not {type(self.oid).__name__}")
        if self.value is not None and not isinstance(self.value, bytes):
            raise TypeError(f"value: DER as bytes or None, not {type(self.value).__name__}")
