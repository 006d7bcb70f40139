"""What a public key is, however it is written: as ``cryptography`` tells, which is quick, else as libcrypto does, which
knows more kinds and curves. A key is given as a SubjectPublicKeyInfo (DER)."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .._asn1 import der, oids, x509_parts
from ..errors import OpenSSLError
from .convert import public_key_from_info, public_key_info, to_der
from .errorqueue import clear
from .lib import NULL, ffi, lib
from .ownership import own

_RSA = der.encode(der.SEQUENCE, der.encode_oid(oids.RSA), der.encode(der.NULL))
_KINDS: dict[type[Any], str] = {
    rsa.RSAPublicKey: "RSA",
    dsa.DSAPublicKey: "DSA",
    ec.EllipticCurvePublicKey: "EC",
}
_NAMES = {b"RSA": "RSA", b"RSA-PSS": "RSA", b"DSA": "DSA", b"EC": "EC", b"SM2": "EC"}


def public_key(info: bytes) -> Any:
    """The key as ``cryptography`` knows it; ``None`` if it does not."""
    try:
        return load_der_public_key(info)
    except (UnsupportedAlgorithm, ValueError, Warning):
        return None


def _in_c(info: bytes) -> Any:
    """The key as libcrypto knows it, ``EVP_PKEY *``; ``None`` if it does not."""
    try:
        return public_key_from_info(info)
    except OpenSSLError:
        clear()
        return None


@lru_cache(maxsize=128)
def key_value(info: bytes) -> bytes:
    """One value for all SubjectPublicKeyInfos of a key: however its curve, the points and the algorithm are written,
    and whatever RSA is restricted to."""
    with suppress(ValueError):  # what is no key is nobody's
        algorithm, key = x509_parts.key_parts(info)
        if x509_parts.algorithm(algorithm) == oids.RSA_PSS:
            info = der.encode(der.SEQUENCE, _RSA, der.encode(der.BIT_STRING, b"\0", key))
    known = public_key(info)
    if known is not None:
        return public_key_info(known)
    handle = _in_c(info)
    if handle is None:
        return info
    for name, value in ((b"point-format", b"uncompressed"), (b"encoding", b"named_curve")):
        lib.EVP_PKEY_set_utf8_string_param(handle, name, value)  # nothing of the sort in others than EC
    clear()
    return to_der(lib.i2d_PUBKEY, handle, "encoding a public key")


@lru_cache(maxsize=128)
def key_size(info: bytes) -> tuple[str, int] | None:
    """The kind of a key (``RSA``, ``DSA``, ``EC``; empty for others) and its bits; ``None`` if nobody knows it."""
    known: Any = public_key(info)
    if known is not None:
        kind = next((kind for cls, kind in _KINDS.items() if isinstance(known, cls)), "")
        return kind, known.key_size if kind else 0
    handle = _in_c(info)
    if handle is None:
        return None
    return _NAMES.get(ffi.string(lib.EVP_PKEY_get0_type_name(handle)), ""), lib.EVP_PKEY_get_bits(handle)


def key_text(info: bytes) -> str:
    """The kind of a key and its size or curve, in words; the OID of an algorithm that nobody knows. Raises ValueError."""
    known: Any = public_key(info)
    if known is None:
        return _text_in_c(info)
    if isinstance(known, ec.EllipticCurvePublicKey):
        return f"EC {known.curve.name}"
    if isinstance(known, rsa.RSAPublicKey):
        return f"RSA {known.key_size}"
    return type(known).__name__.strip("_").removesuffix("PublicKey")


def _text_in_c(info: bytes) -> str:
    handle = _in_c(info)
    if handle is None:
        return x509_parts.algorithm(der.sequence(info)[0].encoding)
    group = ffi.new("char[80]")
    named = lib.EVP_PKEY_get_group_name(handle, group, len(group), NULL)
    clear()
    kind, size = ffi.string(lib.EVP_PKEY_get0_type_name(handle)), lib.EVP_PKEY_get_bits(handle)
    return f"{kind.decode()} {ffi.string(group).decode() if named else size}"


def is_sound(info: bytes) -> bool:
    """Whether a key that ``cryptography`` does not read is good in libcrypto's eyes (``EVP_PKEY_public_check``, 3.0)."""
    handle = _in_c(info)
    if handle is None:
        return False
    context = own(lib.EVP_PKEY_CTX_new_from_pkey(NULL, handle, NULL), lib.EVP_PKEY_CTX_free, "checking a key")
    good: bool = lib.EVP_PKEY_public_check(context) > 0
    clear()
    return good
