"""DER bridges between ``cryptography`` objects and C objects.

Pointers never cross: the wheels of ``cryptography`` carry an OpenSSL of their own. ``*_to_c`` returns a new
handle that we own, ``*_from_c`` leaves the C object alone. C objects are made anew for each context, since
OpenSSL caches into X509 and X509_NAME objects without a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Union

from .._arguments import several
from .._asn1 import oids
from .._asn1.der import encode as tlv
from .._asn1.der import encode_integer, encode_oid, read, read_at
from .._asn1.x509_parts import read_certificate, read_crl, read_csr, read_name, relaxed
from .._lazy import key_types, x509
from .._text import get_logger, visible
from ..errors import OpenSSLError, ResponseError, UnreadableCertificateError, UnreadableCRLError
from .errorqueue import check, clear
from .lib import NULL, ffi, lib
from .names import line_of, name_of, object_text, serial_of
from .ownership import cert_stack, own, own_stack, release

if TYPE_CHECKING:
    from .._asn1.itav import InfoTypeAndValue

Certificate = Union["x509.Certificate", bytes]
"""A certificate as an object, or its DER encoding where ``cryptography`` need not read it."""
CertificateCache = dict[int, tuple[Certificate, Any]]
"""Certificates by ``id`` with their ``X509 *``."""


def _from_der(decode: Callable[..., Any], free: Callable[..., Any], der: bytes, what: str) -> Any:
    lib.ERR_clear_error()
    data = ffi.from_buffer("unsigned char[]", der)
    cursor = ffi.new("const unsigned char **", data)
    return own(decode(NULL, cursor, len(der)), free, what)


def to_der(encode: Callable[..., int], pointer: Any, what: str) -> bytes:
    """The DER encoding that ``encode``, an ``i2d_*`` function, makes of ``pointer``."""
    out = ffi.new("unsigned char **")
    length = encode(pointer, out)
    if length <= 0:
        check(0, what)
    try:
        return bytes(ffi.buffer(out[0], length))
    finally:
        lib.OPENSSL_free(out[0])


def encoded(
    found: x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList | bytes,
) -> bytes:
    """The DER encoding of an object of ``cryptography``; bytes are DER already."""
    if isinstance(found, bytes):
        return found
    from cryptography.hazmat.primitives.serialization import Encoding  # here: it takes time to import

    return found.public_bytes(Encoding.DER)


class _Cache(threading.local):
    certs: CertificateCache | None = None


_cache = _Cache()


class certificate_cache:
    """Within this, :func:`cert_to_c` takes what ``certs`` has (by ``id``), and leaves there what it makes.

    OpenSSL caches into X509 objects without a lock: one context at a time may have them.
    """

    def __init__(self, certs: CertificateCache) -> None:
        self._certs: CertificateCache | None = certs

    def __enter__(self) -> None:
        self._certs, _cache.certs = _cache.certs, self._certs

    def __exit__(self, *_: object) -> None:
        _cache.certs = self._certs


def cert_to_c(cert: Certificate) -> Any:
    """``X509 *``."""
    certs = _cache.certs
    if certs is None:
        return _new_cert(cert)
    found = certs.get(id(cert))
    if found is None:
        found = certs[id(cert)] = cert, _new_cert(cert)
    return found[1]


def _new_cert(cert: Certificate) -> Any:
    return _from_der(lib.d2i_X509, lib.X509_free, encoded(cert), "decoding a certificate")


def cert_to_der(pointer: Any) -> bytes:
    """The DER encoding of an ``X509``, as it came."""
    return to_der(lib.i2d_X509, pointer, "encoding a certificate")


def cert_from_der(der: bytes) -> x509.Certificate:
    """The certificate. Raises :class:`osslcmp.UnreadableCertificateError` for what only OpenSSL reads, else ValueError."""
    try:
        return read_certificate(der)
    except Exception as error:  # not all of cryptography's are a ValueError
        handle = _decoded(_new_cert, der, error)
        number, subject = serial_of(handle), visible(name_of(handle))
        unreadable = UnreadableCertificateError(
            f"certificate {number} of {subject}: cryptography does not read it, only OpenSSL does: {error}"
        )
        unreadable.certificate_der, unreadable.serial = der, number
        raise unreadable from error


def _decoded(decode: Callable[[bytes], Any], der: bytes, error: Exception) -> Any:
    """What only OpenSSL reads. Raises ``ValueError``, what ``cryptography`` says of it, if it does not either."""
    try:
        return decode(der)
    except OpenSSLError:
        clear()
        raise ValueError(str(error)) from error


def look_alike(der: bytes) -> x509.Certificate:
    """A certificate (DER) to look at. Where only OpenSSL reads it: one with the same contents that ``cryptography`` reads,
    encoded as DER wants, its names in UTF-8, a date that Python does not know as the next that it knows, and what is no
    date as the first. Its signature does not fit any more.

    Raises ValueError if OpenSSL does not read it either.
    """
    try:
        found = read_certificate(der)
        _ = found.not_valid_before_utc, found.not_valid_after_utc  # the year 0 is found out by them alone
        return found
    except Exception as error:  # not all of cryptography's are a ValueError
        tbs = to_der(lib.i2d_re_X509_tbs, _decoded(_new_cert, der, error), "encoding a certificate")
        return read_certificate(relaxed(der, tbs))


def crl_to_c(crl: x509.CertificateRevocationList | bytes) -> Any:
    """``X509_CRL *``."""
    return _from_der(lib.d2i_X509_CRL, lib.X509_CRL_free, encoded(crl), "decoding a CRL")


def crl_from_der(der: bytes) -> x509.CertificateRevocationList:
    """The CRL. Raises :class:`osslcmp.UnreadableCRLError` for one that only OpenSSL reads, else ValueError."""
    try:
        return read_crl(der)
    except Exception as error:  # not all of cryptography's are a ValueError
        handle = _decoded(crl_to_c, der, error)
        issuer = visible(line_of(lib.X509_CRL_get_issuer(handle)))
        unreadable = UnreadableCRLError(
            f"CRL of {issuer}: cryptography does not read it, only OpenSSL does: {error}"
        )
        unreadable.crl_der = der
        raise unreadable from error


def certs_to_c(certs: Iterable[Certificate]) -> Any:
    """``STACK_OF(X509) *`` with the certificates in it."""
    return cert_stack([cert_to_c(cert) for cert in certs])


def certs_to_der(stack: Any) -> list[bytes]:
    """The DER encodings of the certificates of a ``STACK_OF(X509)``; none for NULL, of which the number is -1."""
    return [cert_to_der(lib.sk_X509_value(stack, i)) for i in range(lib.sk_X509_num(stack))]


def certs_from_c(stack: Any) -> list[x509.Certificate]:
    """Those certificates of a ``STACK_OF(X509)`` that ``cryptography`` reads; none for NULL."""
    return [cert for der in certs_to_der(stack) if (cert := _cert_or_none(der)) is not None]


def _cert_or_none(der: bytes) -> x509.Certificate | None:
    """One of many, untrusted: if it is malformed it must not hide the others."""
    try:
        return cert_from_der(der)
    except UnreadableCertificateError as error:
        get_logger("osslcmp").warning("left out: %s", error)
        return None


def chain_above(cert: bytes, others: Iterable[bytes]) -> list[bytes]:
    """The chain of a certificate upwards without itself, as far as it can be built (``X509_build_chain``, 3.0), DER."""
    handles = cert_to_c(cert), certs_to_c(others)
    chain = lib.X509_build_chain(*handles, NULL, 1, NULL, NULL)
    clear()
    return certs_to_der(own_certs(chain))[1:]


def store_to_c(certs: Iterable[Certificate]) -> Any:
    """``X509_STORE *`` that trusts the certificates."""
    store = own(lib.X509_STORE_new(), lib.X509_STORE_free, "making a trust store")
    check(lib.osslcmp_take_any_good_path(store), "making a trust store")
    trust(store, certs)
    return store


def trust(store: Any, certs: Iterable[Certificate]) -> None:
    """Let a ``X509_STORE *`` trust the certificates, too."""
    for cert in certs:
        check(lib.X509_STORE_add_cert(store, cert_to_c(cert)), "adding to the trust store")


_KEY_TYPES = {
    encode_oid(oids.EC): lib.EVP_PKEY_EC,
    encode_oid(oids.RSA): lib.EVP_PKEY_RSA,
    encode_oid(oids.ED25519): lib.EVP_PKEY_ED25519,
}


def decode_key(data: Any, length: int) -> Any:
    """A new ``EVP_PKEY *`` of an unencrypted private key, DER as ``unsigned char *``; NULL if it is none."""
    clear()
    cursor = ffi.new("const unsigned char **", data)
    head = bytes(ffi.buffer(data, min(length, 24)))
    # To be told the type spares OpenSSL trying all decoders that it has: a fourth of the time.
    kind = next((number for oid, number in _KEY_TYPES.items() if oid in head), None)
    lib.OPENSSL_cleanse(ffi.from_buffer(head), len(head))  # a short key has begun in it
    if kind is not None:
        pointer = lib.d2i_PrivateKey_ex(kind, NULL, cursor, length, NULL, NULL)
        if pointer != NULL and lib.EVP_PKEY_get0_provider(pointer) != NULL:
            return pointer
        lib.EVP_PKEY_free(pointer)  # made without a provider, it may be of another type
        clear()
        cursor[0] = data
    return lib.d2i_AutoPrivateKey_ex(NULL, cursor, length, NULL, NULL)


def key_to_c(key: key_types.PrivateKeyTypes) -> Any:
    """``EVP_PKEY *`` of a private key; the encoding on the way is wiped."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    data = ffi.from_buffer("unsigned char[]", der)
    try:
        return own(decode_key(data, len(der)), lib.EVP_PKEY_free, "decoding a private key")
    finally:
        lib.OPENSSL_cleanse(data, len(der))


def key_from_c(pointer: Any) -> key_types.PrivateKeyTypes:
    """The private key of an ``EVP_PKEY``; the encoding on the way is wiped."""
    out = ffi.new("unsigned char **")
    length = lib.i2d_PrivateKey(pointer, out)
    check(length, "encoding a private key")
    try:
        der = bytes(ffi.buffer(out[0], length))
    finally:
        lib.OPENSSL_cleanse(out[0], length)
        lib.OPENSSL_free(out[0])
    try:
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        return load_der_private_key(der, None)
    finally:
        lib.OPENSSL_cleanse(ffi.from_buffer(der), len(der))


def public_key_info(key: key_types.PublicKeyTypes) -> bytes:
    """The SubjectPublicKeyInfo of a public key as DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_key_from_info(info: bytes) -> Any:
    """``EVP_PKEY *`` with the public part only, from a SubjectPublicKeyInfo, of any kind that OpenSSL knows."""
    return _from_der(lib.d2i_PUBKEY, lib.EVP_PKEY_free, info, "decoding a public key")


def public_key_from_c(pointer: Any) -> key_types.PublicKeyTypes:
    """The public key of an ``EVP_PKEY``."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return load_der_public_key(to_der(lib.i2d_PUBKEY, pointer, "encoding a public key"))


def name_to_c(name: x509.Name) -> Any:
    """``X509_NAME *``, encoded once so that it may be read anywhere."""
    return encoded_name_to_c(name.public_bytes())


def encoded_name_to_c(name: bytes) -> Any:
    """The same of DER."""
    return _from_der(lib.d2i_X509_NAME, lib.X509_NAME_free, name, "decoding a name")


def name_from_c(pointer: Any) -> x509.Name | None:
    """The name, ``None`` for NULL."""
    if pointer == NULL:
        return None
    return read_name(to_der(lib.i2d_X509_NAME, pointer, "encoding a name"))


def csr_to_c(request: x509.CertificateSigningRequest | bytes) -> Any:
    """``X509_REQ *``."""
    return _from_der(lib.d2i_X509_REQ, lib.X509_REQ_free, encoded(request), "decoding a CSR")


def csr_look_alike(der: bytes) -> x509.CertificateSigningRequest:
    """A CSR to look at, as :func:`look_alike`."""
    try:
        return read_csr(der)
    except Exception as error:
        info = to_der(lib.i2d_re_X509_REQ_tbs, _decoded(csr_to_c, der, error), "encoding a CSR")
        return read_csr(relaxed(der, info))


def csr_verifies(request: x509.CertificateSigningRequest | bytes) -> bool:
    """Whether the CSR is signed with its own key, of any kind that OpenSSL knows (``X509_REQ_verify``, 3.0)."""
    handle = csr_to_c(request)
    key = lib.X509_REQ_get0_pubkey(handle)
    verifies: bool = key != NULL and lib.X509_REQ_verify(handle, key) > 0
    clear()
    return verifies


def encoded_general_name(name: x509.GeneralName | bytes) -> bytes:
    """The DER encoding of a general name; bytes are DER already."""
    return (
        name if isinstance(name, bytes) else read(x509.SubjectAlternativeName([name]).public_bytes()).content
    )


def general_name_to_c(name: x509.GeneralName | bytes) -> Any:
    """``GENERAL_NAME *``."""
    data = encoded_general_name(name)
    return _from_der(lib.d2i_GENERAL_NAME, lib.GENERAL_NAME_free, data, "decoding a general name")


def object_to_c(oid: x509.ObjectIdentifier | str) -> Any:
    """``ASN1_OBJECT *`` of an OID, as text dotted."""
    clear()
    dotted = oid if isinstance(oid, str) else oid.dotted_string
    return own(lib.OBJ_txt2obj(dotted.encode(), 1), lib.ASN1_OBJECT_free, "decoding an OID")


def extensions_to_c(extensions: Iterable[x509.Extension[Any]]) -> Any:
    """``X509_EXTENSIONS *`` (a ``STACK_OF(X509_EXTENSION)``)."""
    stack = own(lib.sk_X509_EXTENSION_new_null(), free_extensions, "making a list of extensions")
    for extension in several("extensions", extensions):
        if not isinstance(extension, x509.Extension):
            raise TypeError(f"extensions: x509.Extension, not {type(extension).__name__}")
        value = octets_to_c(extension.value.public_bytes())
        made = own(
            lib.X509_EXTENSION_create_by_OBJ(
                NULL, object_to_c(extension.oid), int(extension.critical), value
            ),
            lib.X509_EXTENSION_free,
            "making an extension",
        )
        release(made)  # at once: a signal handler may raise when it is in the list
        check(lib.sk_X509_EXTENSION_push(stack, made), "making a list of extensions")
    return stack


def extensions_from_c(stack: Any) -> tuple[x509.Extension[x509.UnrecognizedExtension], ...]:
    """The extensions of a stack with their values as DER; none for NULL."""
    found = []
    for i in range(0 if stack == NULL else lib.sk_X509_EXTENSION_num(stack)):
        item = lib.sk_X509_EXTENSION_value(stack, i)
        oid = oid_from_c(lib.X509_EXTENSION_get_object(item))
        value = octets_from_c(lib.X509_EXTENSION_get_data(item)) or b""
        critical = bool(lib.X509_EXTENSION_get_critical(item))
        found.append(x509.Extension(oid, critical, x509.UnrecognizedExtension(oid, value)))
    return tuple(found)


def oid_from_c(pointer: Any) -> x509.ObjectIdentifier:
    """The OID of an ``ASN1_OBJECT``. Raises :class:`osslcmp.ResponseError` for one that ``cryptography`` does not take."""
    text = object_text(pointer)
    try:
        return x509.ObjectIdentifier(text)
    except ValueError as error:
        raise ResponseError(f"an OID is not valid: {text[:100]!r}") from error


def free_extensions(stack: Any) -> None:
    """Free a ``STACK_OF(X509_EXTENSION)``."""
    lib.sk_X509_EXTENSION_pop_free(stack, ffi.addressof(lib, "X509_EXTENSION_free"))


def policy_to_c(policy: x509.PolicyInformation) -> Any:
    """``POLICYINFO *``."""
    der = read(x509.CertificatePolicies([policy]).public_bytes()).content
    return _from_der(lib.d2i_POLICYINFO, lib.POLICYINFO_free, der, "decoding a policy")


def octets_to_c(data: bytes) -> Any:
    """``ASN1_OCTET_STRING *``."""
    string = own(lib.ASN1_OCTET_STRING_new(), lib.ASN1_OCTET_STRING_free, "making an octet string")
    check(lib.ASN1_OCTET_STRING_set(string, data, len(data)), "making an octet string")
    return string


def octets_from_c(pointer: Any) -> bytes | None:
    """The octets, ``None`` for NULL."""
    if pointer == NULL:
        return None
    return bytes(ffi.buffer(lib.ASN1_STRING_get0_data(pointer), lib.ASN1_STRING_length(pointer)))


def integer_to_c(value: int) -> Any:
    """``ASN1_INTEGER *`` of a serial number of any size."""
    if not isinstance(value, int):
        raise TypeError(f"serial: an int, not {type(value).__name__}")
    return _from_der(
        lib.d2i_ASN1_INTEGER, lib.ASN1_INTEGER_free, encode_integer(value), "decoding an integer"
    )


def itav_to_c(itav: InfoTypeAndValue) -> Any:
    """``OSSL_CMP_ITAV *``, decoded as the loaded release types this kind.

    Raises ``ValueError`` if the value is not DER, or not of the type that the kind has.
    """
    from .._asn1.itav import InfoTypeAndValue

    if not isinstance(itav, InfoTypeAndValue):
        raise TypeError(f"itav: an osslcmp.InfoTypeAndValue, not {type(itav).__name__}")
    der = tlv(0x30, encode_oid(itav.oid.dotted_string), itav.value or b"")
    clear()
    pointer = lib.osslcmp_d2i_itav(ffi.from_buffer("unsigned char[]", der), len(der))
    if pointer == NULL:
        clear()
        raise ValueError(f"value of {itav.oid.dotted_string}: not DER of the type that this kind has")
    return own(pointer, lib.OSSL_CMP_ITAV_free, "making an InfoTypeAndValue")


def itav_from_c(pointer: Any) -> InfoTypeAndValue:
    """The item, its value as DER."""
    from .._asn1.itav import InfoTypeAndValue

    oid = oid_from_c(lib.OSSL_CMP_ITAV_get0_type(pointer))
    body = read(to_der(lib.osslcmp_i2d_itav, pointer, "encoding an InfoTypeAndValue")).content
    _, end = read_at(body, 0)
    return InfoTypeAndValue(oid, body[end:])


def own_certs(stack: Any) -> Any:
    """Own a ``STACK_OF(X509)`` that a ``get1`` function gave; NULL stays NULL."""
    return stack if stack == NULL else own_stack(stack, "taking certificates")


def free_itavs(stack: Any) -> None:
    """Free a ``STACK_OF(OSSL_CMP_ITAV)``."""
    lib.sk_OSSL_CMP_ITAV_pop_free(stack, ffi.addressof(lib, "OSSL_CMP_ITAV_free"))


def itavs_from_c(stack: Any) -> list[InfoTypeAndValue]:
    """The items of a ``STACK_OF(OSSL_CMP_ITAV)``; none for NULL."""
    if stack == NULL:
        return []
    count = lib.sk_OSSL_CMP_ITAV_num(stack)
    return [itav_from_c(lib.sk_OSSL_CMP_ITAV_value(stack, i)) for i in range(count)]
