"""What stands in messages in DER, read by ``cryptography``: ``ValueError`` if it cannot, and nothing else.

It has public readers of certificates, CSRs and CRLs; for a Name, Extensions or a key alone only for what
contains them, so each such piece is put into a CSR with an empty signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, lru_cache, wraps
from typing import TypeVar

from .._lazy import datetime, x509
from . import der, oids

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""The arguments of ``x509.KeyUsage``."""

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100") + bytes(32)
_BASIC_CONSTRAINTS = der.encode_oid(oids.BASIC_CONSTRAINTS)
_SUBJECT_ALT_NAME = der.encode_oid(oids.SUBJECT_ALT_NAME)
_REMEMBERED = 128
_REMEMBERED_SIZE = 4096

_T = TypeVar("_T")


def _remembering(read: Callable[[bytes], _T]) -> Callable[[bytes], _T]:
    """The same certificates and names come again in each message of a client, and those of CAs in all messages. What is
    remembered is little, and none of it long."""
    remembered = lru_cache(maxsize=_REMEMBERED)(read)

    @wraps(read)
    def read_once(data: bytes) -> _T:
        return remembered(data) if len(data) <= _REMEMBERED_SIZE else read(data)

    return read_once


def as_csr(
    subject: bytes | None, spki: bytes | None, extensions: bytes | None
) -> x509.CertificateSigningRequest:
    """DER pieces (Name, SubjectPublicKeyInfo, Extensions) dressed up as a CSR.

    Raises ValueError, in part only when a property is read.
    """
    attributes = b""
    if extensions is not None:
        oid = der.encode_oid(oids.EXTENSION_REQUEST)
        attributes = der.encode(der.SEQUENCE, oid, der.encode(0x31, extensions))
    info = der.encode(
        der.SEQUENCE,
        der.encode_integer(0),
        subject if subject is not None else der.encode(der.SEQUENCE),
        spki if spki is not None else _ED25519_SPKI,
        der.encode(der.explicit(0), attributes),
    )
    algorithm = der.encode(der.SEQUENCE, der.encode_oid(oids.ED25519))
    return x509.load_der_x509_csr(
        der.encode(der.SEQUENCE, info, algorithm, der.encode(der.BIT_STRING, b"\0"))
    )


def _reader(load: Callable[[], Callable[[bytes], _T]]) -> Callable[[bytes], _T]:
    """Reads DER as ``cryptography`` does, and the names in it, too. What it makes raises ValueError."""

    def read(data: bytes) -> _T:
        with _only_value_errors:
            _names_of(found := load()(data))
            return found

    return read


read_certificate = _remembering(_reader(lambda: x509.load_der_x509_certificate))
read_csr = _reader(lambda: x509.load_der_x509_csr)
read_crl = _reader(lambda: x509.load_der_x509_crl)


@_remembering
def algorithm(data: bytes) -> str:
    """The OID in an AlgorithmIdentifier. Raises ValueError."""
    return der.dotted(der.Fields(der.sequence(data)).take())


@lru_cache(maxsize=32)
def key_parts(info: bytes) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier of a SubjectPublicKeyInfo as DER, and the octets of the key."""
    algorithm, key = der.sequence(info)[:2]
    return algorithm.encoding, key.content[1:]


@lru_cache(maxsize=32)
def public_key_info(certificate: x509.Certificate | bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate (bytes are DER), octet by octet as it stands there."""
    return _fields(_tbs(certificate))[5].encoding


def key_asked_for(csr: x509.CertificateSigningRequest) -> bytes:
    """The SubjectPublicKeyInfo of a CSR."""
    return der.sequence(csr.tbs_certrequest_bytes)[2].encoding


def subject_of(certificate: x509.Certificate | bytes) -> bytes:
    """The subject of a certificate (bytes are DER) as DER."""
    return _fields(_tbs(certificate))[4].encoding


def _tbs(certificate: x509.Certificate | bytes) -> bytes:
    if isinstance(certificate, bytes):
        return der.sequence(certificate)[0].encoding
    return certificate.tbs_certificate_bytes


def validity(certificate: bytes) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when a certificate (DER) is valid, in UTC. Raises ValueError."""
    try:
        begin, end = map(_moment, der.children(_fields(_tbs(certificate))[3].content))
    except IndexError as error:
        raise ValueError("no certificate") from error
    return begin, end


#: How long a time in DER is.
_USUAL = {der.UTC_TIME: 13, der.GENERALIZED_TIME: 15}
#: What libcrypto takes besides: without seconds, with fractions, with an offset.
_TIME = rb"(\d{12})(\d\d)?(?:\.\d+)?(Z|[+-]\d{4})"


@cache
def _ends() -> tuple[datetime.datetime, datetime.datetime]:
    """The first moment and the last that Python knows."""
    first, last = datetime.datetime.min, datetime.datetime.max
    return first.replace(tzinfo=datetime.timezone.utc), last.replace(tzinfo=datetime.timezone.utc)


def _moment(time: der.Element) -> datetime.datetime:
    """The value of a UTCTime or GeneralizedTime, as libcrypto takes it; the next that Python knows. Raises ValueError."""
    century = (b"20" if time.content < b"50" else b"19") if time.tag == der.UTC_TIME else b""
    found = re.fullmatch(_TIME, century + time.content)
    if found is None or time.tag not in _USUAL:
        raise der.DERError("not a time")
    if found[0].startswith(b"0000"):
        return _ends()[0]
    read = datetime.datetime.strptime(b"".join(found.groups(b"00")).decode(), "%Y%m%d%H%M%S%z")
    try:
        return read.astimezone(datetime.timezone.utc)
    except OverflowError:
        return _ends()[read.year > 1]


def _fields(tbs: bytes) -> list[der.Element]:
    """Those of a TBSCertificate behind its version, which is not there in one of version 1."""
    fields = der.sequence(tbs)
    return fields[1:] if fields[0].tag == der.explicit(0) else fields


@_remembering
def read_name(data: bytes) -> x509.Name:
    """A Name from its DER. Raises ValueError.

    Where ``cryptography`` is stricter than libcrypto, about the characters of a PrintableString for instance, it is the
    name with the same texts as UTF8String, which RFC 5280 takes for the same (section 7.1). A value that is no string is
    written as in RFC 4514: "#" and its DER in hexadecimal; who certifies names asks ``only_strings`` first.
    """
    with _only_value_errors:
        try:
            return as_csr(data, None, None).subject
        except Exception:  # of many kinds
            return as_csr(_with_utf8(data), None, None).subject


#: What libcrypto takes the octets of a string for, by its tag.
_CHARSETS = {
    der.UTF8_STRING: "utf-8",
    0x12: "latin-1",  # NumericString
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # T61String
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}


def _with_utf8(name: bytes) -> bytes:
    """A Name with the texts in it as UTF8String, its sets in order."""
    sets = []
    for part in der.sequence(name):
        attributes = []
        for attribute in der.children(part.content):
            oid, value = der.sequence(attribute.encoding)
            encoding = value.encoding
            if value.tag in _CHARSETS:
                encoding = der.encode_text(value.content.decode(_CHARSETS[value.tag]))
            elif not _is_string(oid, value):
                encoding = der.encode_text(f"#{encoding.hex()}")
            if _knows(dotted := der.dotted(oid)):
                attributes.append(der.encode(der.SEQUENCE, oid.encoding, encoding))
            else:
                attributes.append(_nameless(f"{dotted}=#{encoding.hex()}"))
        sets.append(der.encode(part.tag, *sorted(set(attributes or [_nameless("")]))))
    return der.encode(der.SEQUENCE, *sets)


@lru_cache(maxsize=128)
def _knows(oid: str) -> bool:
    """Whether ``cryptography`` takes this OID."""
    try:
        return bool(x509.ObjectIdentifier(oid))
    except ValueError:
        return False


def _nameless(text: str) -> bytes:
    """In a Name, what cannot stand there as what it is."""
    return der.encode(der.SEQUENCE, der.encode_oid(oids.EXAMPLE), der.encode_text(text))


def _is_string(oid: der.Element, value: der.Element) -> bool:
    unique = value.tag == der.BIT_STRING and der.dotted(oid) == oids.UNIQUE_IDENTIFIER
    return unique or value.tag in _CHARSETS


def string_in(data: bytes) -> str | None:
    """The text that DER is, of whatever type of string; ``None`` if it is none."""
    try:
        found = der.read(data)
        return found.content.decode(_CHARSETS[found.tag])
    except (ValueError, KeyError):
        return None


def only_strings(name: bytes) -> bytes:
    """A Name (DER) again. Raises ValueError if a value in it is no string, an OID one that ``cryptography`` does not take,
    or a set empty: it cannot certify such a name."""
    for part in der.sequence(name):
        attributes = der.children(part.content)
        if not attributes:
            raise ValueError("a relative distinguished name is empty")
        for attribute in attributes:
            content = attribute.content
            if len(content) > 1 and _is_text(content[: content[1] + 3]):  # as nearly always
                continue
            oid, value = der.children(content)
            if not _knows(der.dotted(oid)):
                raise ValueError(f"attribute {der.dotted(oid)[:100]} is not known")
            if not _is_string(oid, value):
                raise ValueError(f"attribute {der.dotted(oid)} is no string: {value.encoding.hex()[:100]}")
    return name


@lru_cache(maxsize=128)
def _is_text(head: bytes) -> bool:
    """Whether an attribute in a Name begins with the OID of a known one and the tag of a string."""
    with suppress(ValueError):
        return (
            head[0] == der.OID
            and len(head) == head[1] + 3
            and head[-1] in _CHARSETS
            and _knows(der.dotted_octets(head[2:-1]))
        )
    return False


def relaxed(whole: bytes, tbs: bytes) -> bytes:
    """A certificate or CSR (DER) with other contents, as ``cryptography`` reads it: the version one that it knows, names as
    :func:`read_name` has them, what is no time as the first that there is, attributes even if there are none, extensions
    without defaults, algorithms without parameters that it does not expect; none of all whose OIDs it does not take."""
    _, algorithm, signature = der.sequence(whole)
    fields = der.sequence(tbs)
    if len(fields) <= 4:  # version, subject, public key and attributes of a CSR
        attributes = _known(der.children(fields[3].content)) if len(fields) == 4 else ()
        listed = der.encode(der.explicit(0), *attributes)
        parts = [der.encode_integer(0), _plain_name(fields[1]), _plain_key(fields[2]), listed]
    else:
        version = 0
        if fields[0].tag == der.explicit(0):
            version = der.integer(der.read(fields.pop(0).content))
        number, inner, issuer, validity, subject, key, *others = fields
        v3 = der.encode(der.explicit(0), der.encode_integer(2)) if version or others else b""
        parts = [
            v3, number.encoding, _plain_algorithm(inner), _plain_name(issuer), _plain_times(validity),
            _plain_name(subject), _plain_key(key),
            *(
                der.encode(one.tag, _plain_extensions(one.content)) if one.tag == der.explicit(3) else one.encoding
                for one in others
            ),
        ]  # fmt: skip
    return der.encode(
        der.SEQUENCE, der.encode(der.SEQUENCE, *parts), _plain_algorithm(algorithm), signature.encoding
    )


def _plain_times(validity: der.Element) -> bytes:
    return der.encode(der.SEQUENCE, *map(_plain_time, der.children(validity.content)))


def _plain_time(time: der.Element) -> bytes:
    try:
        moment = _moment(time)
    except ValueError:
        moment = _ends()[0]
    usual = len(time.content) == _USUAL.get(time.tag) and moment not in _ends()
    return time.encoding if usual else der.encode_moment(moment)


def _plain_extensions(extensions: bytes) -> bytes:
    return _with_defaults(der.encode(der.SEQUENCE, *_known(der.sequence(extensions))))


def _known(listed: list[der.Element]) -> Iterator[bytes]:
    return (one.encoding for one in listed if _knows(der.dotted(der.children(one.content)[0])))


def _plain_name(name: der.Element) -> bytes:
    return read_name(name.encoding).public_bytes()


def _plain_algorithm(algorithm: der.Element) -> bytes:
    oid = der.children(algorithm.content)[0].encoding
    for content in (algorithm.content, oid):
        made = der.encode(der.SEQUENCE, content)
        with suppress(ValueError):
            as_csr(None, der.encode(der.SEQUENCE, made, der.encode(der.BIT_STRING, b"\0")), None)
            return made
    return der.encode(der.SEQUENCE, der.encode_oid(oids.EXAMPLE))


def _plain_key(key: der.Element) -> bytes:
    algorithm, octets = der.children(key.content)
    return der.encode(der.SEQUENCE, _plain_algorithm(algorithm), octets.encoding)


class _OnlyValueErrors:
    """What else ``cryptography`` raises for data: TypeError for a name with a BIT STRING in it, for instance, and in
    release 48 KeyError for one with a value of a type that it does not know; a Warning where warnings are errors."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and isinstance(
            error,
            (
                x509.InvalidVersion,
                x509.DuplicateExtension,
                x509.UnsupportedGeneralNameType,
                TypeError,
                KeyError,
                Warning,
            ),
        ):
            raise ValueError(str(error)) from error


_only_value_errors = _OnlyValueErrors()


def _names_of(found: object) -> None:
    """Names are decoded when they are asked for: better now, where an error is expected, than anywhere."""
    for name in ("subject", "issuer"):
        getattr(found, name, None)


@lru_cache(maxsize=32)
def names_are_read(found: object) -> bool:
    """Whether ``cryptography`` reads the names in what it has loaded."""
    try:
        with _only_value_errors:
            _names_of(found)
    except ValueError:
        return False
    return True


def read_extensions(data: bytes) -> x509.Extensions:
    """Extensions from their DER, or with the default of a BOOLEAN written out, as many encode it. Raises ValueError."""
    with _only_value_errors:
        return as_csr(None, None, _with_defaults(data)).extensions


def _with_defaults(extensions: bytes) -> bytes:
    """Extensions whose ``critical`` and ``cA`` are TRUE as DER has it, or not there, and with the names in alternative
    names as :func:`read_name` has them."""
    if b"\x01\x01" not in extensions and _SUBJECT_ALT_NAME not in extensions:
        return extensions
    found = []
    for extension in der.sequence(extensions):
        oid, *others = _booleans(der.children(extension.content))
        if oid in (_BASIC_CONSTRAINTS, _SUBJECT_ALT_NAME):
            with suppress(ValueError):  # who reads it is told
                parts = der.sequence(der.octets(others[-1]))
                plain = _booleans(parts) if oid == _BASIC_CONSTRAINTS else map(_plain_general_name, parts)
                others[-1] = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, *plain))
        found.append(der.encode(der.SEQUENCE, oid, *others))
    return der.encode(der.SEQUENCE, *found)


def _plain_general_name(name: der.Element) -> bytes:
    with suppress(ValueError):  # who reads it is told
        if name.tag == der.explicit(4):
            return der.encode(name.tag, _plain_name(der.read(only_strings(name.content))))
    return name.encoding


def _booleans(parts: list[der.Element]) -> list[bytes]:
    return [
        der.encode(der.BOOLEAN, b"\xff") if part.tag == der.BOOLEAN else part.encoding
        for part in parts
        if part.tag != der.BOOLEAN or any(part.content)
    ]


def each_extension(data: bytes) -> x509.Extensions:
    """Extensions from their DER, each by itself: what cannot be read is an ``UnrecognizedExtension`` and hides no other."""
    return x509.Extensions(map(_one_extension, der.sequence(data)))


def _one_extension(extension: der.Element) -> x509.Extension[x509.ExtensionType]:
    found: x509.Extension[x509.ExtensionType]
    try:
        (found,) = read_extensions(der.encode(der.SEQUENCE, extension.encoding))
    except ValueError:
        return _unread(extension)
    return found


def unread_extensions(data: bytes) -> list[x509.Extension[x509.ExtensionType]]:
    """Extensions from their DER, with their values as they stand there."""
    return list(map(_unread, der.sequence(data)))


def _unread(extension: der.Element) -> x509.Extension[x509.ExtensionType]:
    oid, *critical, value = der.children(extension.content)
    kind = x509.ObjectIdentifier(der.dotted(oid))
    return x509.Extension(
        kind, any(any(one.content) for one in critical), x509.UnrecognizedExtension(kind, value.content)
    )


def extensions_in(certificate: x509.Certificate) -> x509.Extensions:
    """Those of a certificate, as :func:`each_extension`."""
    return each_extension(extensions_of(certificate))


def extensions_of(certificate: x509.Certificate | bytes) -> bytes:
    """The Extensions of a certificate (bytes are DER)."""
    listed = [one.content for one in _fields(_tbs(certificate)) if one.tag == der.explicit(3)]
    return listed[0] if listed else der.encode(der.SEQUENCE)


def requested_extensions(csr: bytes) -> bytes:
    """The extensions in all attributes of a CSR (DER) that ask for some, PKCS#9's and Microsoft's, as DER."""
    asked: dict[bytes, None] = {}
    for attributes in der.sequence(der.sequence(csr)[0].encoding)[3:]:
        for attribute in der.children(attributes.content):
            kind, values = der.children(attribute.content)
            if der.dotted(kind) in (oids.EXTENSION_REQUEST, oids.MICROSOFT_EXTENSION_REQUEST):
                for value in der.children(values.content):
                    asked |= dict.fromkeys(one.encoding for one in der.sequence(value.encoding))
    return der.encode(der.SEQUENCE, *asked)


_E = TypeVar("_E", bound="x509.ExtensionType")


def asked_extension(extensions: x509.Extensions, kind: type[_E]) -> _E | None:
    """The one of this kind among those that are asked for."""
    return next((one.value for one in extensions if isinstance(one.value, kind)), None)


def find_extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    """The extension of a certificate that is of this class of ``cryptography``, ``None`` if it has none, or several. Others
    that cannot be read do not hide it.

    Raises ValueError if it cannot be read itself.
    """
    with _only_value_errors:
        try:
            return certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None
        except Exception:  # of many kinds
            found = [one.value for one in extensions_in(certificate) if one.oid == kind.oid]
            if len(found) == 1 and not isinstance(found[0], kind):
                raise ValueError(f"extension {kind.oid.dotted_string} cannot be read") from None
            return found[0] if len(found) == 1 and isinstance(found[0], kind) else None


def read_general_name(data: bytes) -> x509.GeneralName:
    """A GeneralName from its DER. Raises ValueError, also for a kind that ``cryptography`` does not know."""
    if data[:1] == bytes([der.explicit(4)]):
        return x509.DirectoryName(read_name(der.read(data).content))
    value = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, data))
    extension = der.encode(der.SEQUENCE, der.encode_oid(oids.SUBJECT_ALT_NAME), value)
    request = as_csr(None, None, der.encode(der.SEQUENCE, extension))
    name: x509.GeneralName
    with _only_value_errors:
        (name,) = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return name
