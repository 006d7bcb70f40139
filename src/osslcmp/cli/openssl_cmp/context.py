"""The context of the command: takes C objects as they were loaded, and writes results as they came."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..._openssl import convert as _convert
from ..._openssl.errorqueue import check, clear, text
from ..._openssl.lib import NULL, ffi, lib
from ..._openssl.ownership import share, take, take_stack
from ...context import Context
from ...enums import Option
from .console import Console, Failure

__all__ = ["CommandContext", "encode", "name_of", "save_certs", "serial_of", "shared", "through_bio", "write"]


class CommandContext(Context):
    """:class:`osslcmp.Context` with the timeouts of ``openssl cmp`` and setters for raw handles."""

    def __init__(self) -> None:
        super().__init__()
        self.set_option(Option.MSG_TIMEOUT, 120)
        self.set_option(Option.TOTAL_TIMEOUT, 0)
        self._state.keep_notes = True  # where a wrong sender is told in the log alone

    def put(self, function: str, *args: Any) -> None:
        """Call a setter that copies or takes a reference of its own."""
        self._set(getattr(lib, function), *args, what=function)

    def give(self, function: str, handle: Any, free: Callable[[Any], Any], *before: Any) -> None:
        """Call a setter that takes the handle over; ``free`` is for when it does not. ``before`` are its arguments
        before the handle."""
        self._set(getattr(lib, function), *before, handle, what=function, giving=free)

    def give_trusted(self, store: Any) -> None:
        """Trust anchors for the protection of answers."""
        self.give("OSSL_CMP_CTX_set0_trustedStore", store, lib.X509_STORE_free)

    def give_new_key(self, key: Any, *, private: bool) -> None:
        """The key to certify."""
        self._gave_new_key = True
        self.give("OSSL_CMP_CTX_set0_newPkey", key, lib.EVP_PKEY_free, int(private))

    def live_new_key(self, key: Any) -> None:
        """The key for a certificate, while a request for it is being processed."""
        setter, free = lib.OSSL_CMP_CTX_set0_newPkey, lib.EVP_PKEY_free
        self._set(setter, 1, key, what="setting the new key", live=True, giving=free)

    def chain(self, own_trusted: Any, candidates: Any) -> None:
        """Build our own chain."""
        store = NULL if own_trusted is None else own_trusted
        self._set(lib.OSSL_CMP_CTX_build_cert_chain, store, candidates, what="building the own chain")

    @property
    def raw(self) -> Any:
        """The ``OSSL_CMP_CTX *``."""
        return self._ptr

    def ask_raw(self, function: str, *args: Any) -> None:
        """A general message by a function that returns 1 and fills in pointers."""
        self._ask(getattr(lib, function), *args, what=function)

    # -- results ------------------------------------------------------------------------------------------

    def new_cert_handles(self) -> list[Any]:
        """The new certificate, as it came."""
        cert = self._get(lib.OSSL_CMP_CTX_get0_newCert)
        return [] if cert == NULL else [cert]

    def validated_server_handles(self) -> list[Any]:
        """The validated certificate of the server (``OSSL_CMP_CTX_get0_validatedSrvCert``, 3.2)."""
        cert = self._get(lib.OSSL_CMP_CTX_get0_validatedSrvCert)
        return [] if cert == NULL else [cert]

    def save_central_key(self, path: str, password: str | None) -> None:
        """Write the key that the CA generated (3.5), readable for the owner alone, encrypted if there is a password."""
        key = self._get(lib.OSSL_CMP_CTX_get0_newPkey, 1)
        if key == NULL:
            raise Failure("no centrally generated key came")
        cipher = NULL if password is None else lib.EVP_aes_256_cbc()
        encoded = b"" if password is None else os.fsencode(password)
        secret = NULL if password is None else ffi.from_buffer("unsigned char[]", encoded)
        pem = through_bio(
            lambda bio: lib.PEM_write_bio_PrivateKey(bio, key, cipher, secret, len(encoded), NULL, NULL)
        )
        write(path, pem, mode=0o600)

    def cert_stack(self, function: str) -> list[Any]:
        """The certificates that a ``get1`` function gives."""
        stack = self._get(getattr(lib, function))
        return [] if stack == NULL else shared(take_stack(stack, "taking certificates"))


def shared(stack: Any) -> list[Any]:
    """References of our own to the certificates of a ``STACK_OF(X509)``; none for NULL."""
    certs = [lib.sk_X509_value(stack, i) for i in range(lib.sk_X509_num(stack))]  # -1 of NULL
    return [share(cert, lib.X509_up_ref, lib.X509_free, "taking certificates") for cert in certs]


def name_of(cert: Any) -> str:
    """The subject in OpenSSL's one-line form."""
    line = lib.X509_NAME_oneline(lib.X509_get_subject_name(cert), NULL, 0)
    try:
        return text(line)
    finally:
        lib.OPENSSL_free(line)


def serial_of(cert: Any) -> str:
    """The serial number in hexadecimal."""
    number = lib.ASN1_INTEGER_to_BN(lib.X509_get0_serialNumber(cert), NULL)
    digits = lib.BN_bn2hex(number)
    try:
        return text(digits)
    finally:
        lib.OPENSSL_free(digits)
        lib.BN_free(number)


def save_certs(certs: list[Any], path: str | None, form: str, what: str, console: Console) -> bool:
    """Write certificates to a file, PEM or DER; an empty list makes an empty file. Whether there was a path."""
    if path is None:
        return False
    console.info(f"received {len(certs)} {what} certificate(s), saving to file '{path}'")
    pem = form == "PEM"
    if len(certs) > 1 and not pem:
        console.warn("saving more than one certificate in non-PEM format")
    write(path, b"".join(encode(cert, pem) for cert in certs))
    return True


def encode(cert: Any, pem: bool) -> bytes:
    """A certificate as PEM or DER."""
    if not pem:
        return _convert.to_der(lib.i2d_X509, cert, "encoding a certificate")
    return through_bio(lambda bio: lib.PEM_write_bio_X509(bio, cert))


def through_bio(function: Any) -> bytes:
    """What a function writes to a ``BIO *``."""
    clear()
    bio = take(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free, "writing")
    check(function(bio), "writing")
    data = ffi.new("char **")
    length = lib.BIO_get_mem_data(bio, data)
    return bytes(ffi.buffer(data[0], length))


def write(path: str, data: bytes, *, mode: int = 0o666) -> None:
    """Write a file. Raises Failure."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
    except OSError as error:
        raise Failure(f"could not open file '{path}' for writing: {error.strerror}") from error
