"""Messages in words: one line for each, and a tree of labels and values for all that is in it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from cryptography import x509

from .. import message as m
from .._asn1 import der
from .._asn1.itav import InfoTypeAndValue
from .._asn1.x509_parts import (
    KEY_USAGES,
    each_extension,
    extensions_in,
    key_asked_for,
    public_key_info,
    requested_extensions,
    validity,
)
from .._openssl.convert import csr_look_alike, encoded, look_alike
from .._openssl.public_keys import key_text
from .._text import one_line
from ..enums import BodyType, FailureInfo, PKIStatus, POPOMethod
from . import Message
from .bodyparts import oid_name

Tree = list[tuple[str, "str | Tree"]]
"""Labels, each with a text or with what is below it."""

_SHOWN_OCTETS = 64
#: Bits of a number that is shown in digits: beyond some thousands of them Python refuses.
_LONGEST_NUMBER = 1024
UNREADABLE = Exception
"""What libcrypto takes and ``cryptography`` does not ends in exceptions of many kinds: one odd field hides no other."""
#: Of what can only be shown as DER: levels, and elements in all.
_DEEPEST, _MOST = 24, 2000


# -- one line -------------------------------------------------------------------------------------------


def summary(message: Message) -> str:
    """What the message is about, in a few words, fit to be shown."""
    try:
        return one_line("; ".join(_words(message.body)))
    except UNREADABLE as error:
        return ": ".join(_unread(error))


def _words(body: m.Body) -> Iterator[str]:
    if isinstance(body, m.CertReqMessages):
        for request in body.requests:
            yield from _request_words(request)
    elif isinstance(body, m.PKCS10Request):
        csr = csr_look_alike(body.csr_der)
        yield name_text(csr.subject)
        yield key_text(key_asked_for(csr))
    elif isinstance(body, m.CertRepMessage):
        for response in body.responses:
            yield status_text(response.status)
            if response.certificate_der is not None:
                yield name_text(look_alike(response.certificate_der).subject)
            if response.encrypted_certificate is not None:
                yield "encrypted certificate"
            if response.private_key is not None:
                yield "encrypted private key"
    elif isinstance(body, m.CertConfirm):
        for confirmed in body.statuses:
            yield "accepted" if confirmed.status is None else status_text(confirmed.status)
    elif isinstance(body, m.RevReq):
        for details in body.details:
            serial = details.template.serial_number
            yield "the owner of a key" if serial is None else f"serial number {serial:x}"
            if details.reason is not None:
                yield details.reason.name
    elif isinstance(body, m.RevRep):
        yield from map(status_text, body.statuses)
    elif isinstance(body, m.ErrorMessage):
        yield status_text(body.status)
        yield from body.error_details
    elif isinstance(body, m.GeneralMessage):
        yield from (oid_name(item.oid) for item in body.items)
    elif isinstance(body, m.PollRep):
        for answer in body.answers:
            yield f"ask again in {answer.check_after} s"
            yield from answer.reason
    elif isinstance(body, m.NestedMessage):
        yield f"{len(body.messages_der)} messages"


def _request_words(request: m.CertRequest) -> Iterator[str]:
    template = request.template
    yield name_text(template.subject) if template.subject is not None else "no subject"
    if template.public_key_der is not None:
        yield key_text(template.public_key_der)
    if request.popo.method is not POPOMethod.SIGNATURE:
        yield f"proof of possession {request.popo.method.name}"


def status_text(info: m.PKIStatusInfo) -> str:
    """Status, failure bits and texts."""
    text = info.status.name
    if info.failure_info:
        text += f" ({info.failure_info})"
    return ": ".join([text, *(text for text in info.text if text)])


def name_text(name: x509.Name) -> str:
    """A distinguished name as RFC 4514 writes it."""
    return name.rfc4514_string() or "(empty name)"


# -- everything -----------------------------------------------------------------------------------------


def tree(message: Message) -> Tree:
    """All fields of the message that are there; what cannot be read as what it should be, as DER."""
    return [
        *_part("header", lambda: message.header, message, 0),
        *_part("body", lambda: message.body, message, 1),
        *_part("extraCerts", lambda: tuple(map(_Certificate, message.extra_certs_der)), message, None),
    ]


def _part(label: str, read: Callable[[], Any], message: Message, number: int | None) -> Tree:
    try:
        return _node(label, read())
    except UNREADABLE as error:
        encoding = _as_der(message.der, number)
        return [(label, [_unread(error), *encoding])] if encoding or number is not None else []


def _unread(error: Exception) -> tuple[str, str]:
    return "does not decode", one_line(str(error) or type(error).__name__)


def _as_der(encoding: bytes, number: int | None) -> Tree:
    """A part of a message, ``None`` for the extraCerts, as far as DER goes."""
    elements, rest = der.leading(encoding)
    if number is None:
        content = [element.content for element in elements[2:] if element.tag == der.explicit(1)]
        if len(elements) >= 2 and rest:
            content.append(rest)
    elif number == len(elements):
        content = [rest]
    else:
        content = [element.content for element in elements[number : number + 1]]
    return [entry for part in content for entry in _elements(part, 1, [_MOST])]


def _elements(content: bytes, depth: int, left: list[int]) -> Tree:
    """The elements in ``content``, and a note where it goes on no further."""
    found: Tree = []
    position = 0
    while position < len(content):
        if left[0] <= 0:
            return [*found, ("more", f"{len(content) - position} octets are not shown")]
        left[0] -= 1
        try:
            element, position = der.read_at(content, position)
        except der.DERError as error:
            return [*found, ("octets", octets_text(content[position:])), _unread(error)]
        found.append(_element(element, depth, left))
    return found


def _element(element: der.Element, depth: int, left: list[int]) -> tuple[str, str | Tree]:
    label = _TAGS.get(element.tag) or f"[{element.tag & 0x1F}]"
    if element.tag <= 0xFF and element.tag & 0x20:
        if depth == _DEEPEST:
            return label, f"nested deeper than is shown: {octets_text(element.content)}"
        return label, _elements(element.content, depth + 1, left)
    try:
        if element.tag == der.OID:
            return label, oid_name(x509.ObjectIdentifier(der.dotted(element)))
        if element.tag == der.INTEGER and len(element.content) <= 20:
            return label, str(der.integer(element))
        if element.tag == der.UTF8_STRING:
            return label, element.content.decode()
    except ValueError:
        pass
    return label, octets_text(element.content)


_TAGS = {
    der.INTEGER: "INTEGER",
    der.BIT_STRING: "BIT STRING",
    der.OCTET_STRING: "OCTET STRING",
    der.NULL: "NULL",
    der.OID: "OBJECT IDENTIFIER",
    der.ENUMERATED: "ENUMERATED",
    der.UTF8_STRING: "UTF8String",
    der.SEQUENCE: "SEQUENCE",
    0x31: "SET",
    der.UTC_TIME: "UTCTime",
    der.GENERALIZED_TIME: "GeneralizedTime",
    0x13: "PrintableString",
    0x16: "IA5String",
}


class _Certificate:
    """DER of a certificate."""

    def __init__(self, encoding: bytes) -> None:
        self.encoding = encoding


DER = "_der"
"""Ends the name of a field that is shown as what the property of this name makes of it."""
_KEY_IDS = ("sender_kid", "recip_kid")
CERTIFICATES = ("certificate_der", "ca_pubs_der")
"""Fields that hold certificates, one or several, whether or not ``cryptography`` reads them."""
EXTENSIONS = ("extensions_der", "crl_entry_extensions_der")
"""Fields that hold extensions."""


def _node(label: str, value: Any) -> Tree:
    """The value below its label; nothing if there is none."""
    if value is None or (isinstance(value, (tuple, bytes)) and not value):
        return []
    if isinstance(value, (tuple, list)):
        return _several(label, value)
    try:
        simple = _simple(value)
        return [(label, list(_inside(value)) if simple is None else simple)]
    except UNREADABLE as error:
        return [(label, ": ".join(_unread(error)))]


def _several(label: str, values: Iterable[Any]) -> Tree:
    values = list(values)
    if all(isinstance(value, str) for value in values):
        return [(label, "\n".join(values))]
    if len(values) == 1:
        return _node(label, values[0])
    return [entry for number, value in enumerate(values, 1) for entry in _node(f"{label} {number}", value)]


def _simple(value: Any) -> str | None:
    """A value that is shown as one text."""
    if isinstance(value, (PKIStatus, BodyType)) or (
        isinstance(value, enum.Enum) and not isinstance(value, FailureInfo)
    ):
        return value.name
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bytes):
        return octets_text(value)
    if isinstance(value, x509.Name):
        return name_text(value)
    if isinstance(value, x509.GeneralName):
        return name_text(value.value) if isinstance(value, x509.DirectoryName) else str(value.value)
    if isinstance(value, x509.ObjectIdentifier):
        return oid_name(value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return f"{value >> max(0, value.bit_length() - 64):#x}... ({value.bit_length()} bits)"
    if isinstance(value, (str, int, FailureInfo)):
        return str(value)
    if isinstance(value, m.AlgorithmIdentifier):
        return value.name
    if isinstance(value, m.PKIStatusInfo):
        return status_text(value)
    if isinstance(value, m.PKIConfirm):
        return "confirmed"
    return None


def octets_text(data: bytes) -> str:
    """Octets in hexadecimal, the first ones if there are many."""
    shown = data[:_SHOWN_OCTETS].hex(" ", 1)
    return shown if len(data) <= _SHOWN_OCTETS else f"{shown} ... ({len(data)} octets)"


def _inside(value: Any) -> Iterator[tuple[str, str | Tree]]:
    if isinstance(value, _Certificate):
        yield from _certificate(value.encoding)
    elif isinstance(value, x509.CertificateSigningRequest):
        yield from _node("subject", value.subject)
        yield from _node("public key", _value_or_reason(lambda: key_text(key_asked_for(value))))
        asked = requested_extensions(encoded(value))
        yield from _extensions(_value_or_reason(lambda: each_extension(asked)))
    elif isinstance(value, x509.CertificateRevocationList):
        yield from _node("issuer", value.issuer)
        yield from _node("this update", value.last_update_utc)
        yield from _node("entries", len(value))
    elif isinstance(value, InfoTypeAndValue):
        yield from _item(value.oid, value.value)
    elif isinstance(value, m.Control):
        yield from _control(value)
    else:
        yield from _fields(value)


def _fields(value: Any) -> Iterator[tuple[str, str | Tree]]:
    for field in dataclasses.fields(value):
        content, name = getattr(value, field.name), field.name
        if name in EXTENSIONS and content is not None:
            yield from _extensions(_value_or_reason(lambda content=content: each_extension(content)))
            continue
        if name in CERTIFICATES and content is not None:
            several = content if isinstance(content, tuple) else (content,)
            content = tuple(map(_Certificate, several))
            name = name.removesuffix(DER)
        elif name == "csr_der":
            name, content = "csr", _value_or_reason(lambda content=content: csr_look_alike(content))
        elif name == "public_key_der" and content is not None:
            name, content = "public_key", _value_or_reason(lambda content=content: key_text(content))
        elif name.endswith(DER) and content is not None and hasattr(type(value), name.removesuffix(DER)):
            name = name.removesuffix(DER)
            content = _value_or_reason(lambda name=name: getattr(value, name))
        elif name in _KEY_IDS and content and content.isascii() and content.decode().isprintable():
            content = content.decode()  # the reference of a shared secret, mostly
        yield from _node(name.replace("_", " "), content)
    if isinstance(value, m.RevDetails):
        yield from _node("reason", _value_or_reason(lambda: value.reason))
    elif isinstance(value, m.Header):
        yield from _node("password based MAC", _value_or_reason(lambda: value.pbm))


def _value_or_reason(read: Any) -> Any:
    """What ``read`` gives, or why it cannot be read."""
    try:
        return read()
    except UNREADABLE as error:
        return ": ".join(_unread(error))


def _item(oid: x509.ObjectIdentifier, value: bytes | None) -> Iterator[tuple[str, str | Tree]]:
    yield "type", oid_name(oid)
    if value is not None and value != b"\x05\x00":
        yield "value", octets_text(value)


def _control(control: m.Control) -> Iterator[tuple[str, str | Tree]]:
    yield from _item(control.oid, None if control.secret or control.name == "utf8Pairs" else control.value)
    if control.secret:
        yield "value", "(secret)"
    elif control.name == "utf8Pairs":
        yield from _node("value", _value_or_reason(lambda: control.text))
    yield from _node("certificate", _value_or_reason(lambda: control.old_certificate))
    yield from _node("publication", _value_or_reason(lambda: control.publication_info))
    if control.name == "protocolEncrKey":
        yield "public key", _value_or_reason(lambda: key_text(control.value))
    yield from _node("request", _value_or_reason(lambda: control.cert_request))


def _extensions(extensions: Any) -> Tree:
    if isinstance(extensions, str):
        return [("extensions", extensions)]
    listed: Tree = []
    for extension in extensions or ():
        critical = " (critical)" if extension.critical else ""
        listed.append((oid_name(extension.oid) + critical, _extension_text(extension.value)))
    return [("extensions", listed)] if listed else []


def _extension_text(value: Any) -> str:
    if isinstance(value, x509.BasicConstraints):
        limit = "" if value.path_length is None else f", path length {value.path_length}"
        return f"CA{limit}" if value.ca else "no CA"
    if isinstance(value, x509.KeyUsage):
        return ", ".join(_key_usages(value))
    if isinstance(value, x509.ExtendedKeyUsage):
        return ", ".join(map(oid_name, value))
    if isinstance(value, x509.AuthorityKeyIdentifier) and value.key_identifier is not None:
        return octets_text(value.key_identifier)
    if isinstance(value, (x509.SubjectAlternativeName, x509.IssuerAlternativeName)):
        return ", ".join(_simple(name) or "" for name in value)
    if isinstance(value, x509.SubjectKeyIdentifier):
        return octets_text(value.digest)
    if isinstance(value, x509.UnrecognizedExtension):
        return octets_text(value.value)
    text = repr(value)
    return text[1:-1] if text.startswith("<") else text


def _key_usages(value: x509.KeyUsage) -> Iterator[str]:
    for name in KEY_USAGES:
        # The last two have a meaning only with key agreement.
        if (value.key_agreement or not name.endswith("cipher_only")) and getattr(value, name):
            yield name.replace("_", " ")


def _certificate(encoding: bytes) -> Tree:
    try:
        certificate = look_alike(encoding)
    except UNREADABLE as error:
        return [_unread(error), *_elements(encoding, 1, [_MOST])]
    return [
        *_node("subject", _value_or_reason(lambda: certificate.subject)),
        *_node("issuer", _value_or_reason(lambda: certificate.issuer)),
        *_node("serial number", _value_or_reason(lambda: f"{certificate.serial_number:x}")),
        *_node("not before", _value_or_reason(lambda: validity(encoding)[0])),
        *_node("not after", _value_or_reason(lambda: validity(encoding)[1])),
        *_node("public key", _value_or_reason(lambda: key_text(public_key_info(certificate)))),
        *_extensions(_value_or_reason(lambda: extensions_in(certificate))),
        ("SHA-256", octets_text(sha256(encoding).digest())),
    ]
