"""What people have, made into what we need: certificates, keys and CSRs from objects, bytes or paths."""

from __future__ import annotations

import binascii
import codecs
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Union

from .._arguments import path_fault, text_fault
from .._asn1 import der, x509_parts
from .._lazy import in_use, key_types, x509
from .lib import NULL, CData, ffi, lib

_BEGIN = b"-----BEGIN "
_URI = r"[A-Za-z][A-Za-z0-9+.-]+:"
#: The OID that a PKCS#7 bundle begins with.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
#: What reads each kind in libcrypto, and what frees what that gives.
_DECODERS: dict[str, tuple[Callable[..., CData], Callable[..., None]]] = {
    "CERTIFICATE": (lib.d2i_X509, lib.X509_free),
    "CERTIFICATE REQUEST": (lib.d2i_X509_REQ, lib.X509_REQ_free),
    "X509 CRL": (lib.d2i_X509_CRL, lib.X509_CRL_free),
}
#: The tags of the first elements of others.
_SHAPES = {
    (der.SEQUENCE, der.BIT_STRING): "PUBLIC KEY",
    (der.SEQUENCE, der.OCTET_STRING): "ENCRYPTED PRIVATE KEY",
    (der.INTEGER, der.SEQUENCE, der.OCTET_STRING): "PRIVATE KEY",
    (der.INTEGER, der.OCTET_STRING, der.explicit(0)): "EC PRIVATE KEY",
    (der.INTEGER, der.INTEGER, der.INTEGER): "RSA PRIVATE KEY",
    (der.INTEGER, der.SEQUENCE, der.SEQUENCE): "PKCS12",
    (der.INTEGER, der.SEQUENCE): "PKCS12",
}


#: What others begin with, in words.
_FOREIGN = (
    (
        rb"\xfe\xed\xfe\xed|\xce\xce\xce\xce",
        "a Java keystore: keytool -importkeystore -deststoretype pkcs12 makes PKCS#12 of it",
    ),
    (
        rb"PuTTY-User-Key-File",
        "a key of PuTTY: puttygen FILE -O private-openssh-new makes one of OpenSSH of it",
    ),
    (rb"(ssh|ecdsa|sk)-[\w@.-]+ ", "a public key of OpenSSH"),
    (rb"\x1f\x8b|PK\x03\x04", "something compressed"),
    (rb"HTTP/|POST |GET ", "HTTP: the body alone is wanted"),
    (rb"\s*[{\[]", "JSON"),
    (rb"\s*<", "HTML or XML"),
    (rb"\s*LS0tLS1", "base64 of PEM: base64 -d makes PEM of it"),
    (
        rb"(?s).{0,99}?BEGIN\W",
        "a BEGIN line of PEM that is damaged: it has five hyphens on each side, and single spaces",
    ),
    (rb"\s*30[: ]?8[0-4][: ]?[0-9A-Fa-f: \r\n]*\Z", "hexadecimal digits: xxd -r -p makes DER of them"),
    (
        rb"\s*Certificate( Request| Revocation List \(CRL\))?:\s",
        "the text of openssl x509 -text without PEM below it",
    ),
    (rb"version https://git-lfs", "a pointer of Git LFS: git lfs pull brings the file"),
    (rb"\s*MI[\w+/=\s-]+\Z", "base64 without the BEGIN and END lines of PEM"),
)


#: White space and what some systems end files with.
_SPACE = b" \t\r\n\0\x1a"


class _Encoded(bytes):
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} octets>"


class EncodedCertificate(_Encoded):
    """A certificate that libcrypto reads, ``cryptography`` perhaps: its DER encoding."""


class EncodedCSR(_Encoded):
    """The same of a CSR."""


class EncodedCRL(_Encoded):
    """The same of a CRL."""


class EncodedName(_Encoded):
    """The same of a name."""


class EncodedGeneralName(_Encoded):
    """The same of a general name."""


# In texts, for which nothing is imported; whose annotations have an alias imports the names in it, too.
AnyCertificate = Union["x509.Certificate", EncodedCertificate]
AnyCSR = Union["x509.CertificateSigningRequest", EncodedCSR]
AnyCRL = Union["x509.CertificateRevocationList", EncodedCRL]

Source = bytes | str | os.PathLike[str]
CertificateInput = Union["x509.Certificate", Source]
"""A ``cryptography`` certificate, its PEM or DER encoding as bytes, or the path of a file with either."""
CertificatesInput = CertificateInput | Iterable[CertificateInput]
"""One :data:`CertificateInput` or several; PEM may hold several certificates."""
CSRInput = Union["x509.CertificateSigningRequest", Source]
"""A ``cryptography`` CSR, its PEM or DER encoding as bytes, or a path."""
CRLInput = Union["x509.CertificateRevocationList", Source]
CRLsInput = CRLInput | Iterable[CRLInput]
"""One CRL or several: ``cryptography`` objects, PEM or DER as bytes, or paths; PEM may hold several."""
KeyInput = Union["key_types.PrivateKeyTypes", Source, CData]
"""A ``cryptography`` private key; PEM, DER or PKCS#12 as bytes; a path; a key URI such as
``pkcs11:object=x``; or a raw ``EVP_PKEY *``."""


def check_text(what: str, value: str | None) -> str | None:
    """``value`` if C can take it: a str without NUL and half surrogate pairs, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what}: a str, not {type(value).__name__}")
    if (fault := text_fault(value)) is not None:
        raise ValueError(f"{what}: {fault}")
    return value


def utf8(what: str, text: str) -> bytes:
    """``text`` encoded, which may have NUL characters in it."""
    check_text(what, text.replace("\0", ""))
    return text.encode()


def without_credentials(url: str) -> str:
    """A URL, or what should be one, to be shown: user and password, if there may be any, are not in it."""
    return re.sub(r"^(\w+://)?.*@", r"\1...@", url, flags=re.DOTALL)


def with_lower_scheme(url: str) -> str:
    """A URL as libcrypto takes it: its scheme counts in any case (RFC 3986, section 3.1)."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.lower()}{separator}{rest}" if separator and scheme.replace("_", "a").isalnum() else url


def without_pin(text: str) -> str:
    """A text that may have the URI of a key in it, without the PIN that may be in that."""
    return re.sub(r"(\bpin[\w-]*=)[^&;\s]+", r"\1...", text, flags=re.IGNORECASE)


def secret_bytes(what: str, value: bytes | str, limit: int) -> bytes:
    """``value`` as non-empty bytes (UTF-8 for a str) of at most ``limit`` octets. Never shows it."""
    if isinstance(value, str):
        value = utf8(what, value)
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what}: bytes or str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{what}: is empty")
    if len(value) > limit:
        raise ValueError(f"{what}: {len(value)} octets, at most {limit} are possible")
    return bytes(value)


def first_line(data: bytes) -> bytes:
    """The secret in a file: its first line, as in OpenSSL, without LF or CR LF. The same for every command."""
    return data.partition(b"\n")[0].removesuffix(b"\r")


def read_secret(what: str, path: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """The secret in a file (:func:`first_line`), as it is, and what stands below it.

    Raises ``OSError`` that names ``what`` and the file, ``ValueError`` if the line is empty.
    """
    data = _contents(what, os.fsdecode(path))
    secret = first_line(data)
    if not secret:
        raise ValueError(f"{what}: {os.fsdecode(path)}: the secret is empty")
    return secret, data.partition(b"\n")[2]


def _contents(what: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # no start pays for pathlib
            return file.read()
    except OSError as error:
        shell = "; what ~, $ and quotes mean, only a shell knows" if re.search(r"^~|^['\"]|\$", path) else ""
        raise OSError(error.errno, f"{what}: {error.strerror}{shell}", path) from error


def is_uri(value: object) -> bool:
    """Whether it is a URI and not a path (a drive letter is one letter, a file of that name wins)."""
    return isinstance(value, str) and bool(re.match(_URI, value.lstrip())) and not os.path.exists(value)  # noqa: PTH110


def read(what: str, source: object) -> tuple[str, bytes]:
    """What to call ``source`` in an error, and its contents: bytes, PEM in a str, or the file of a path.

    What editors and shells do to them is undone: byte order marks, UTF-16, other ends of lines and indentation of PEM,
    white space and the like after DER.
    Raises ``OSError`` that names ``what`` and the file, ``TypeError`` for what is neither.
    """
    where = what
    if isinstance(source, (bytes, bytearray)):
        data = bytes(source)
    elif isinstance(source, str) and _BEGIN.decode() in source:
        data = utf8(what, source)
    elif isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        if (fault := path_fault(path)) is not None:
            raise ValueError(f"{what}: the path {fault}")
        if is_uri(path):  # not repeated: it may have a PIN in it
            raise ValueError(
                f"{what}: a file is needed, no {path.partition(':')[0]}: URI, which names private keys alone"
            )
        where = f"{what}: {path}"
        data = _contents(what, path)
    else:
        raise TypeError(f"{what}: an object of cryptography, bytes or a path, not {type(source).__name__}")
    for coding in ("utf-16-le", "utf-16-be"):
        if data.startswith("\ufeff".encode(coding)) or data.find(_BEGIN.decode().encode(coding)) % 2 == 0:
            data = data.decode(coding, errors="replace").encode()
            break
    data = data.removeprefix(codecs.BOM_UTF8)
    if _BEGIN in data:
        return where, re.sub(rb"(?:\r\n|\r|\n)[ \t]*", b"\n", data).lstrip(b" \t")
    try:
        element, stop = der.read_at(data, 0)
    except der.DERError:
        return where, data
    return where, data if data[stop:].strip(_SPACE) else element.encoding


def _one_after_another(data: bytes) -> list[bytes]:
    """The SEQUENCEs that DER consists of; all of ``data`` if it is anything else."""
    elements, position = [], 0
    with suppress(der.DERError):
        while data[position : position + 1] == b"\x30":
            element, position = der.read_at(data, position)
            elements.append(element.encoding)
            while data[position : position + 1].strip(_SPACE) != data[position : position + 1]:
                position += 1
    return elements if position == len(data) else [data]


def objects(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What PEM or DER holds: the label that each has or would have in PEM, and its DER."""
    if _BEGIN not in data:
        for one in _one_after_another(data):
            yield _label(one), one
        return
    import base64

    from .._asn1 import pem

    for label, body in pem.blocks(data):
        try:
            contents = base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error:
            contents = b""
        # Java calls a bundle CERTIFICATE.
        yield ("PKCS7" if _is_pkcs7(contents) else label), contents


def _is_pkcs7(data: bytes) -> bool:
    return data[:1] == b"\x30" and 2 <= data.find(_SIGNED_DATA, 0, 20) <= 6


def _read_by_openssl(decode: Callable[..., CData], free: Callable[..., None], data: bytes) -> bool:
    """Whether libcrypto reads all of ``data``. It is more lenient than ``cryptography``."""
    begin = ffi.from_buffer("unsigned char[]", data)
    cursor = ffi.new("const unsigned char **", begin)
    pointer = decode(NULL, cursor, len(data))
    lib.ERR_clear_error()
    if pointer == NULL:
        return False
    free(pointer)
    return bool(cursor[0] == begin + len(data))


def is_certificate(data: bytes) -> bool:
    """Whether libcrypto reads all of ``data`` as a certificate."""
    return _read_by_openssl(*_DECODERS["CERTIFICATE"], data)


def _label(data: bytes) -> str:
    """What DER is, as PEM calls it; empty if that is not known."""
    if _is_pkcs7(data):
        return "PKCS7"
    for label, (decode, free) in _DECODERS.items():
        if _read_by_openssl(decode, free, data):
            return label
    try:
        return _SHAPES.get(tuple(part.tag for part in der.sequence(data)[:3]), "")
    except der.DERError:
        return ""


def found(data: bytes) -> str:
    """What ``data`` holds instead of what was looked for, in words."""
    if not data.strip():
        return "it is empty"
    kinds = [kind for kind, _ in objects(data)]
    if _BEGIN not in data:
        others = (words for pattern, words in _FOREIGN if re.match(pattern, data))
        other = next(others, "neither PEM nor DER of a known kind")
        return f"found {', '.join(dict.fromkeys(kinds))} in DER" if all(kinds) else f"found {other}"
    if not kinds:
        return "found a BEGIN line of PEM without the END that belongs to it"
    hint = _escaped(data)
    if "OPENSSH PRIVATE KEY" in kinds:
        hint += "; ssh-keygen -p -m PKCS8 -f FILE makes PKCS#8 of it"
    return f"found {', '.join(dict.fromkeys(kinds))} in PEM{hint}"


def _escaped(data: bytes) -> str:
    return r"; its line ends are written as \n, as in JSON" if re.search(rb"-----(\\r)?\\n", data) else ""


def _in_pkcs7(data: bytes) -> list[bytes]:
    """The certificates in PKCS#7 of definite lengths: ``cryptography`` warns of those by ``openssl crl2pkcs7``,
    which are not in that of DER."""
    try:
        signed = der.sequence(der.sequence(data)[1].content)
        sets = [der.children(part.content) for part in signed if part.tag == der.explicit(0)]
    except (der.DERError, IndexError):
        return []
    return [one.encoding for found in sets for one in found]


def _some(contents: bytes) -> bytes:
    if not contents:
        raise ValueError("its base64 is damaged or missing")
    return contents


def _certificates_of(where: str, kind: str, contents: bytes, hint: str) -> list[AnyCertificate]:
    try:
        if kind in ("PKCS7", "CMS"):
            if inner := _in_pkcs7(contents):
                return [cert for one in inner for cert in _certificates_of(where, "CERTIFICATE", one, hint)]
            from cryptography.hazmat.primitives.serialization import pkcs7  # its import takes time

            return list(pkcs7.load_der_pkcs7_certificates(contents))
        if kind == "TRUSTED CERTIFICATE":  # the trust that OpenSSL keeps behind it says nothing here
            contents = der.read_at(contents, 0)[0].encoding
        if kind in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"):
            if is_certificate(_some(contents)):
                return [EncodedCertificate(contents)]
            return [x509_parts.read_certificate(contents)]  # it says what is wrong
    except ValueError as error:
        if kind != "PKCS7" and is_certificate(contents):
            return [EncodedCertificate(contents)]
        raise ValueError(f"{where}: a {kind} in it does not decode: {error}{hint}") from error
    return []


def any_certificates(what: str, value: CertificatesInput | None) -> list[AnyCertificate]:
    """All certificates in ``value``, those in PKCS#7 too; objects of ``cryptography`` where it has such.

    Raises ``ValueError`` if it has none, or one that is damaged.
    """
    if value is None:
        return []
    if in_use() and isinstance(value, x509.Certificate):
        if x509_parts.names_are_read(value):
            return [value]
        from cryptography.hazmat.primitives.serialization import Encoding  # its import takes time

        return [EncodedCertificate(value.public_bytes(Encoding.DER))]
    if isinstance(value, EncodedCertificate):
        return [value]
    if isinstance(value, (bytes, bytearray, str, os.PathLike)):
        where, data = read(what, value)
        certs = [cert for item in objects(data) for cert in _certificates_of(where, *item, _escaped(data))]
        if not certs:
            description = found(data)
            hint = "; take them out with openssl pkcs12 -nokeys" if "PKCS12" in description else ""
            raise ValueError(f"{where}: no certificate in PEM, DER or PKCS#7; {description}{hint}")
        return certs
    if not isinstance(value, Iterable):
        raise TypeError(f"{what}: certificates, bytes or a path, not {type(value).__name__}")
    return [cert for item in value for cert in any_certificates(what, item)]


def certificates(what: str, value: CertificatesInput | None) -> list[AnyCertificate]:
    """The same, for who looks at them: objects of ``cryptography`` but for those that only libcrypto reads."""
    return list(map(_object, any_certificates(what, value)))


def _object(certificate: AnyCertificate) -> AnyCertificate:
    with suppress(ValueError):
        return x509_parts.read_certificate(certificate) if isinstance(certificate, bytes) else certificate
    return certificate


def any_certificate(what: str, value: CertificateInput) -> AnyCertificate:
    """The first certificate in ``value``, which ``cryptography`` need not read."""
    if not (found := any_certificates(what, value)):
        raise ValueError(f"{what}: no certificate given")
    return found[0]


def csr(what: str, value: CSRInput) -> AnyCSR:
    """The CSR in ``value``, which ``cryptography`` need not read."""
    if isinstance(value, EncodedCSR) or (in_use() and isinstance(value, x509.CertificateSigningRequest)):
        return value
    where, data = read(what, value)
    for kind, contents in objects(data):
        if kind in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
            try:
                if _read_by_openssl(*_DECODERS["CERTIFICATE REQUEST"], _some(contents)):
                    return EncodedCSR(contents)
                return x509_parts.read_csr(contents)
            except ValueError as error:
                raise ValueError(f"{where}: the {kind} in it does not decode: {error}") from error
    raise ValueError(f"{where}: no certificate signing request in PEM or DER; {found(data)}")


def crls(what: str, value: CRLsInput | None) -> list[AnyCRL]:
    """All CRLs in ``value``, which ``cryptography`` need not read. ``ValueError`` if there is none, or a damaged one."""
    if value is None:
        return []
    if isinstance(value, EncodedCRL) or (in_use() and isinstance(value, x509.CertificateRevocationList)):
        return [value]
    if isinstance(value, (bytes, bytearray, str, os.PathLike)):
        where, data = read(what, value)
        if not (found_crls := [_read_crl(where, der) for kind, der in objects(data) if kind == "X509 CRL"]):
            raise ValueError(f"{where}: no CRL in PEM or DER; {found(data)}")
        return found_crls
    if not isinstance(value, Iterable):
        raise TypeError(f"{what}: CRLs, bytes or a path, not {type(value).__name__}")
    return [crl for item in value for crl in crls(what, item)]  # type: ignore[arg-type]  # a CRL is iterable, too


def _read_crl(where: str, contents: bytes) -> AnyCRL:
    try:
        if _read_by_openssl(*_DECODERS["X509 CRL"], contents):
            return EncodedCRL(contents)
        return x509_parts.read_crl(contents)
    except ValueError as error:
        raise ValueError(f"{where}: an X509 CRL in it does not decode: {error}") from error
