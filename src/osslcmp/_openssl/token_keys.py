"""Private keys that never leave their token, as keys of ``cryptography`` that sign with libcrypto."""

from __future__ import annotations

import threading
from typing import Any, NoReturn, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from .._arguments import checked
from . import convert
from .errorqueue import check, clear
from .keys import Password, private_key
from .lib import NULL, ffi, lib
from .ownership import own


@checked
def token_key(uri: str, password: Password = None, *, what: str = "uri") -> CertificateIssuerPrivateKeyTypes:
    """A private key that stays in its token (``OSSL_STORE``, 3.0), for ``EmbeddedCA(issuer=)`` and whatever else signs
    with keys of ``cryptography``: ``sign`` is done by the token, and everything else with the private key a ValueError.

    Args:
        uri: of the key, such as ``pkcs11:...`` or ``handle:...``; its provider has been loaded
            (:func:`osslcmp.load_provider`).
        password: the PIN: bytes, str, or a callable that returns either.
        what: names the argument in errors.

    Returns:
        An RSA, elliptic curve, Ed25519 or Ed448 key. RSA-PSS is done with a salt as long as the digest. When the token
        refuses, ``sign`` raises :class:`osslcmp.OpenSSLError`.

    Raises:
        ValueError: there is no key, or one of another kind. A wrong PIN may show with the first signature alone.
    """
    pointer = private_key(what, uri, password)
    public = convert.public_key_from_c(pointer)
    for kind, made in _KINDS.items():
        if isinstance(public, kind) and lib.EVP_PKEY_get0_provider(pointer) != NULL:
            return cast(CertificateIssuerPrivateKeyTypes, made(pointer, public))
    raise ValueError(f"{what}: a key in a token that signs certificates is RSA, EC, Ed25519 or Ed448")


class _TokenKey:
    """What all kinds have: one signature at a time, by the provider that has the key."""

    def __init__(self, pointer: Any, public: Any) -> None:
        self._pointer, self._public = pointer, public
        self._lock = threading.Lock()
        provider = ffi.string(lib.OSSL_PROVIDER_get0_name(lib.EVP_PKEY_get0_provider(pointer)))
        # Else OpenSSL 3.0 takes the public half into the default provider, and misses the private one.
        self._properties = b"?provider=" + provider

    def public_key(self) -> Any:
        return self._public

    @property
    def key_size(self) -> int:
        size: int = self._public.key_size
        return size

    def _sign(self, data: bytes, algorithm: Any = None, *, pss: bool = False) -> bytes:
        """``EVP_DigestSign`` (3.0); by RSA-PSS with a salt as long as the digest."""
        if not isinstance(algorithm, (hashes.HashAlgorithm, type(None))):
            raise TypeError(f"algorithm: a hash algorithm, not {type(algorithm).__name__}")
        digest = NULL if algorithm is None else algorithm.name.encode()
        data = ffi.from_buffer("unsigned char[]", data)
        what = "signing with the key in the token"
        with self._lock:
            clear()
            context = own(lib.EVP_MD_CTX_new(), lib.EVP_MD_CTX_free, what)
            options = ffi.new("EVP_PKEY_CTX **")
            check(
                lib.EVP_DigestSignInit_ex(
                    context, options, digest, NULL, self._properties, self._pointer, NULL
                ),
                what,
            )
            if pss:
                check(lib.EVP_PKEY_CTX_set_rsa_padding(options[0], lib.RSA_PKCS1_PSS_PADDING), what)
                check(lib.EVP_PKEY_CTX_set_rsa_pss_saltlen(options[0], lib.RSA_PSS_SALTLEN_DIGEST), what)
            length = ffi.new("size_t *")
            check(lib.EVP_DigestSign(context, NULL, length, data, len(data)), what)
            signature = ffi.new("unsigned char[]", length[0])
            check(lib.EVP_DigestSign(context, signature, length, data, len(data)), what)
        return bytes(ffi.buffer(signature, length[0]))

    def _stays(self, *_args: object, **_named: object) -> NoReturn:
        raise ValueError("the private key does not leave its token, and does nothing but sign")

    private_bytes = private_bytes_raw = private_numbers = decrypt = exchange = _stays

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _memo: object) -> Any:
        return self


class _RSA(_TokenKey, rsa.RSAPrivateKey):
    def sign(self, data: Any, padding_: Any, algorithm: Any) -> bytes:
        if not isinstance(padding_, (padding.PSS, padding.PKCS1v15)):
            raise TypeError(f"padding: PSS or PKCS1v15, not {type(padding_).__name__}")
        return self._sign(data, algorithm, pss=isinstance(padding_, padding.PSS))


class _EC(_TokenKey, ec.EllipticCurvePrivateKey):
    @property
    def curve(self) -> ec.EllipticCurve:
        curve: ec.EllipticCurve = self._public.curve
        return curve

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        return self._sign(data, signature_algorithm.algorithm)


class _Ed25519(_TokenKey, ed25519.Ed25519PrivateKey):
    def sign(self, data: Any) -> bytes:
        return self._sign(data)


class _Ed448(_TokenKey, ed448.Ed448PrivateKey):
    def sign(self, data: Any) -> bytes:
        return self._sign(data)


_KINDS: dict[type, type[_TokenKey]] = {
    rsa.RSAPublicKey: _RSA,
    ec.EllipticCurvePublicKey: _EC,
    ed25519.Ed25519PublicKey: _Ed25519,
    ed448.Ed448PublicKey: _Ed448,
}
