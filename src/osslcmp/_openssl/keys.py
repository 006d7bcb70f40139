"""Private keys wherever they live: objects, PEM, DER, PKCS#12, files, and URIs of OSSL_STORE.

All become an ``EVP_PKEY *``; one behind a URI never leaves its token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, get_args

from .._lazy import in_use, key_types
from . import convert
from .errorqueue import clear, drain, drain_text
from .inputs import check_text, found, is_uri, objects, read, utf8
from .lib import NULL, ffi, lib
from .ownership import own, up_ref

Password = bytes | str | Callable[[], bytes | str] | None

#: What libcrypto says of an algorithm that no provider has.
_UNSUPPORTED = r"unsupported: [^;]*Algorithm \((\S+)"
_LEGACY = 'which no provider that is loaded has; old ones are in osslcmp.load_provider("legacy")'
#: Where the schemes of tokens and TPMs come from.
_PROVIDERS = {"pkcs11": "pkcs11", "handle": "tpm2", "object": "tpm2"}


class PasswordCallback:
    """Answers libcrypto's question for a password, and remembers what went wrong in it."""

    def __init__(self, password: Password) -> None:
        self.password = password
        self.exception: BaseException | None = None
        self.asked = False
        self._answer: bytes | None = None

    def answer(self) -> bytes:
        """The password as bytes; nothing if there is none. A callable is asked once."""
        if self._answer is None:
            self._answer = self._ask()
        return self._answer

    def _ask(self) -> bytes:
        value = self.password() if callable(self.password) else self.password
        if isinstance(value, str):
            value = utf8("password", value)
        if value is not None and not isinstance(value, (bytes, bytearray)):
            raise TypeError(f"password: bytes or str, not {type(value).__name__}")
        return bytes(value or b"")


def _store(handle: Any, exception: BaseException) -> int:
    ffi.from_handle(handle).exception = exception
    return -1


def _interrupted(_kind: object, exception: BaseException, traceback: Any) -> None:
    """A signal handler raised as the callback was entered: its frame has the arguments."""
    _store(traceback.tb_frame.f_locals["handle"], exception)


@ffi.def_extern(error=-1, onerror=_interrupted)
def osslcmp_py_password(buffer: Any, size: int, _writing: int, handle: Any) -> int:
    """``pem_password_cb``: -1 ends the decoding."""
    try:
        asked: PasswordCallback = ffi.from_handle(handle)
        asked.asked = True
        password = asked.answer()
        if not password and asked.password is None:
            return -1
        if len(password) > size:
            raise ValueError(f"password: longer than {size} octets")
        ffi.memmove(buffer, password, len(password))
        return len(password)
    except BaseException as exception:
        return _store(handle, exception)


@lru_cache(maxsize=64)  # they are many abstract classes, which look for their subclasses each time
def _is_one(kind: type, of: str) -> bool:
    return issubclass(kind, get_args(getattr(key_types, of)))


def is_public(value: Any) -> bool:
    """Whether it is a public key of ``cryptography``."""
    return in_use("cryptography") and _is_one(value.__class__, "PublicKeyTypes")


def private_key(what: str, value: Any, password: Password = None) -> Any:
    """A new handle of the private key in ``value``.

    Raises ``TypeError`` or ``ValueError`` if there is none in it, or the password is missing or wrong.
    """
    if in_use("cryptography") and _is_one(value.__class__, "PrivateKeyTypes"):
        return convert.key_to_c(value)
    if isinstance(value, ffi.CData):
        return _shared(what, value)
    if is_uri(value):
        return _from_store(what, value, password)
    return _from_bytes(*read(what, value), password)


def _shared(what: str, pointer: Any) -> Any:
    if ffi.typeof(pointer) is not ffi.typeof("EVP_PKEY *") or pointer == NULL:
        raise TypeError(f"{what}: an EVP_PKEY pointer, not {pointer!r}")
    return up_ref(pointer, lib.EVP_PKEY_up_ref, lib.EVP_PKEY_free, "sharing a private key")


def _from_bytes(what: str, data: bytes, password: Password) -> Any:
    asked = PasswordCallback(password)
    handle = ffi.new_handle(asked)
    ask = ffi.addressof(lib, "osslcmp_py_password")
    clear()
    if b"-----BEGIN " in data:
        buffer = ffi.from_buffer("unsigned char[]", data)
        bio = own(lib.BIO_new_mem_buf(buffer, len(data)), lib.BIO_free, "reading a private key")
        pointer = _from_plain_pem(data, bio)
        if pointer == NULL:
            clear()
            lib.BIO_reset(bio)
            pointer = lib.PEM_read_bio_PrivateKey_ex(bio, NULL, ask, handle, NULL, NULL)
        if pointer == NULL and not asked.asked:  # in one line, say, as in a variable of the environment
            found_der = (body for kind, body in objects(data) if kind.endswith("PRIVATE KEY") and body)
            pointer = next((one for body in found_der if (one := _from_der(body, ask, handle)) != NULL), NULL)
    else:
        pointer = _from_der(data, ask, handle)
    queued = drain_text()
    if asked.exception is not None:
        raise asked.exception
    if pointer != NULL:
        return own(pointer, lib.EVP_PKEY_free, "reading a private key")
    if asked.asked and password is None:
        raise ValueError(f"{what}: the private key is encrypted and no password was given; see key_password")
    description = found(data)
    if "PKCS12" in description:
        return _from_pkcs12(what, data, asked)
    if not asked.asked:
        why = (
            ", damaged or of a kind that no provider that is loaded has"
            if "PRIVATE KEY" in description and ";" not in description
            else ""
        )
        raise ValueError(f"{what}: no private key in PEM, DER or PKCS#12; {description}{why}")
    if missing := re.search(_UNSUPPORTED, queued):
        raise ValueError(f"{what}: the private key is encrypted with {missing[1]}, {_LEGACY}")
    raise ValueError(f"{what}: a wrong password, or the private key is damaged; {description}")


def _from_der(data: bytes, ask: Any, handle: Any) -> Any:
    """The key in DER, encrypted or not; NULL if there is none."""
    buffer = ffi.from_buffer("unsigned char[]", data)
    pointer = convert.decode_key(buffer, len(data))
    if pointer != NULL:
        return pointer
    bio = own(lib.BIO_new_mem_buf(buffer, len(data)), lib.BIO_free, "reading a private key")
    return lib.d2i_PKCS8PrivateKey_bio(bio, NULL, ask, handle)


def _from_plain_pem(data: bytes, bio: Any) -> Any:
    """The key of the only block with a private one, if it is a PKCS #8 PrivateKeyInfo; else NULL.

    ``PEM_read_bio_PrivateKey_ex`` would find it, too, and try all decoders.
    """
    if data.count(b"PRIVATE KEY-----") != 2 or b"-----BEGIN PRIVATE KEY-----" not in data:
        return NULL
    out, length = ffi.new("unsigned char **"), ffi.new("long *")
    if not lib.PEM_bytes_read_bio(out, length, NULL, lib.PEM_STRING_PKCS8INF, bio, NULL, NULL):
        return NULL
    try:
        return convert.decode_key(out[0], length[0])
    finally:
        lib.OPENSSL_clear_free(out[0], length[0])


def _from_pkcs12(what: str, data: bytes, asked: PasswordCallback) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    password = asked.answer() or None
    contents = next(body for kind, body in objects(data) if kind == "PKCS12")
    try:
        key, _, _ = pkcs12.load_key_and_certificates(contents, password)
    except UnsupportedAlgorithm as error:
        raise ValueError(f"{what}: the PKCS#12 data cannot be read: {error}") from error
    except ValueError as error:
        why = (
            "a wrong password, or it is damaged"
            if password
            else "it is encrypted and no password was given; see key_password"
        )
        raise ValueError(f"{what}: no private key was taken from the PKCS#12 data: {why}") from error
    if key is None:
        raise ValueError(f"{what}: there is no private key in the PKCS#12 data")
    return convert.key_to_c(key)


@contextmanager
def open_store(uri: bytes, asked: PasswordCallback) -> Iterator[Any]:
    """The ``OSSL_STORE_CTX *`` of a file or URI (``OSSL_STORE_open_ex``, 3.0), NULL if there is none; closed at the end.

    ``asked`` answers when it needs a password. What libcrypto has to say is in the error queue.
    """
    handle = ffi.new_handle(asked)
    clear()
    method = own(
        lib.UI_UTIL_wrap_read_pem_callback(ffi.addressof(lib, "osslcmp_py_password"), 0),
        lib.UI_destroy_method,
        "opening a store",
    )
    store = lib.OSSL_STORE_open_ex(uri, NULL, NULL, method, handle, NULL, NULL, NULL)
    try:
        yield store
    finally:
        if store != NULL:
            lib.OSSL_STORE_close(store)


def _from_store(what: str, uri: str, password: Password) -> Any:
    check_text(what, uri)
    asked = PasswordCallback(password)
    start, _, rest = uri.partition(":")  # providers know it in small letters alone
    with open_store(f"{start.lower()}:{rest}".encode(), asked) as store:
        pointer = NULL if store == NULL else _first_key(store)
    # The URI may hold a PIN: neither it nor a part of it is repeated.
    scheme, *parts = filter(None, re.split(r"[:/;?&=\s]+", uri))
    errors = drain()
    queued = [e.text if any(part in e.data for part in parts) else str(e) for e in errors]
    if asked.exception is not None:
        raise asked.exception
    if pointer == NULL:
        text = f"{what}: no private key found behind the {scheme}: URI"
        if store == NULL and any("No store loader found" in e.data for e in errors):
            provider = _PROVIDERS.get(scheme.lower())
            raise ValueError(
                f"{text}: no provider that is loaded knows this scheme; load one with "
                + (f'osslcmp.load_provider("{provider}")' if provider else "osslcmp.load_provider(NAME)")
            )
        reasons = dict.fromkeys(e for e in queued if not e.startswith("unregistered scheme"))
        raise ValueError(text + (f": {'; '.join(reasons)}" if reasons else ""))
    return own(pointer, lib.EVP_PKEY_free, "taking a private key")


def _first_key(store: Any) -> Any:
    lib.OSSL_STORE_expect(store, lib.OSSL_STORE_INFO_PKEY)
    while not lib.OSSL_STORE_eof(store):
        info = lib.OSSL_STORE_load(store)
        if info == NULL:
            if lib.OSSL_STORE_error(store):
                return NULL
            continue
        try:
            if lib.OSSL_STORE_INFO_get_type(info) == lib.OSSL_STORE_INFO_PKEY:
                return lib.OSSL_STORE_INFO_get1_PKEY(info)
        finally:
            lib.OSSL_STORE_INFO_free(info)
    return NULL


def check_pair(certificate: Any, key: Any) -> None:
    """``ValueError`` if an ``X509 *`` and an ``EVP_PKEY *`` do not belong together.

    OpenSSL notices a wrong pair only when it signs, and on some releases not even then.
    """
    if certificate is None or key is None:
        return
    if not key_fits(certificate, key):
        raise ValueError("certificate, key: the private key does not match the certificate")


def key_fits(certificate: Any, key: Any) -> bool:
    """Whether an ``X509 *`` and an ``EVP_PKEY *`` belong together."""
    fits: bool = lib.X509_check_private_key(certificate, key) == 1
    clear()
    return fits
