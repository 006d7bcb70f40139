"""A message as data for programs: always the same members, as docs/show.schema.json says."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import warnings
from typing import Any

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from .. import message as m
from .._asn1.itav import InfoTypeAndValue
from .._asn1.schema import MOST_BITS
from .._asn1.x509_parts import each_extension, key_asked_for, validity
from .._openssl.convert import csr_look_alike, look_alike
from .._openssl.public_keys import key_text
from ..enums import FailureInfo
from . import describe


def data(message: m.Message) -> dict[str, Any]:
    """The message with members for all of its fields, ``None`` for what is not there or cannot be read.

    Numbers are numbers, but serial numbers, which are longer than many readers of JSON take: these are hexadecimal, as
    octets are. Names are texts (RFC 4514), times ISO 8601 in UTC, object identifiers dotted, certificates and keys
    described, with all of it in ``der``.
    """
    with warnings.catch_warnings():
        # A serial number that RFC 5280 does not allow is shown like others.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return {
            "type": message.type.name.lower(),
            "summary": describe.summary(message),
            "header": _read(lambda: _fields(message.header)),
            "body": _read(lambda: _fields(message.body)),
            "protection": _read(lambda: _value(message.protection)),
            "extra_certs": _read(lambda: [_certificate(der) for der in message.extra_certs_der]),
            "der": base64.b64encode(message.der).decode(),
        }


def _read(read: Any) -> Any:
    try:
        return read()
    except describe.UNREADABLE:
        return None


def _fields(value: Any) -> dict[str, Any]:
    return dict(_field(value, field.name) for field in dataclasses.fields(value))


def _field(value: Any, name: str) -> tuple[str, Any]:
    content = getattr(value, name)
    short = name.removesuffix(describe.DER)
    if name in describe.CERTIFICATES:
        if isinstance(content, tuple):
            return short, [_certificate(der) for der in content]
        return short, None if content is None else _certificate(content)
    if name in describe.EXTENSIONS:
        return short, _read(lambda: None if content is None else _value(each_extension(content)))
    if name == "csr_der":
        return short, _read(lambda: _value(csr_look_alike(content)))
    if name == "public_key_der":
        return short, _read(lambda: None if content is None else key_text(content))
    if short != name and hasattr(type(value), short):
        return short, _read(lambda: None if content is None else _value(getattr(value, short)))
    if name == "serial_number":
        return name, None if content is None else f"{content:x}"
    return short, _read(lambda: _value(content))


def _certificate(der: bytes) -> dict[str, Any]:
    return {
        "subject": _read(lambda: describe.name_text(look_alike(der).subject)),
        "issuer": _read(lambda: describe.name_text(look_alike(der).issuer)),
        "serial_number": _read(lambda: f"{look_alike(der).serial_number:x}"),
        "not_before": _read(lambda: _value(validity(der)[0])),
        "not_after": _read(lambda: _value(validity(der)[1])),
        "der": base64.b64encode(der).decode(),
    }


def _value(value: Any) -> Any:
    """One of the kinds of values that fields have."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, FailureInfo):
        return [flag.name for flag in FailureInfo if flag in value]
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise ValueError("more decimal digits than readers take")
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}".zfill(20)
    if isinstance(value, x509.Name):
        return value.rfc4514_string()
    if isinstance(value, x509.DirectoryName):
        return value.value.rfc4514_string()
    if isinstance(value, x509.GeneralName):
        return str(value.value)
    if isinstance(value, x509.ObjectIdentifier):
        return value.dotted_string
    if isinstance(value, x509.Extensions):
        return [
            {"oid": one.oid.dotted_string, "critical": one.critical, "value": one.value.public_bytes().hex()}
            for one in value
        ]
    if isinstance(value, (tuple, list)):
        return [_value(one) for one in value]
    if isinstance(value, InfoTypeAndValue):
        return {"oid": value.oid.dotted_string, "value": _value(value.value)}
    if isinstance(value, x509.CertificateSigningRequest):
        return {"subject": _value(value.subject), "public_key": key_text(key_asked_for(value))}
    if isinstance(value, x509.CertificateRevocationList):
        return {
            "issuer": _value(value.issuer),
            "this_update": _value(value.last_update_utc),
            "entries": len(value),
        }
    return _fields(value)
