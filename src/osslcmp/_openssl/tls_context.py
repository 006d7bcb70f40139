"""Makes the C side of :class:`osslcmp.TLS`: a ``SSL_CTX``, and the argument of our TLS callback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import convert, inputs, verify
from .errorqueue import check, clear
from .keys import check_pair, private_key
from .lib import NULL, ffi, lib
from .ownership import own, up_ref
from .providers import LibraryContext
from .tls import TLS

_VERSIONS = {
    "TLSv1": lib.TLS1_VERSION,
    "TLSv1.1": lib.TLS1_1_VERSION,
    "TLSv1.2": lib.TLS1_2_VERSION,
    "TLSv1.3": lib.TLS1_3_VERSION,
}


def tls_to_c(tls: TLS, library: LibraryContext | None = None) -> Any:
    """``osslcmp_tls *``: to be made once and shared, by contexts and threads. It does not change any more.

    Raises ``ValueError`` or ``TypeError`` for settings that cannot work, ``OSError`` for a file that cannot
    be read, :class:`osslcmp.OpenSSLError` for what OpenSSL refuses.
    """
    clear()
    if tls.context is not None:
        ctx = _shared(tls.context)
    elif library is None:
        ctx = _make(tls, NULL, NULL)
    else:
        with library.default():
            ctx = _make(tls, library.pointer, library.propq_chars)
    host = tls.host
    if host is None and tls.check is not None:
        host = tls.check.host or tls.check.ip
    sni: str | None = tls.sni if isinstance(tls.sni, str) else None if tls.sni else ""
    pointer = lib.osslcmp_tls_new(ctx, int(tls.verify), _chars(host), _chars(sni))
    return own(pointer, lib.osslcmp_tls_free, "setting up TLS")


def _shared(pointer: Any) -> Any:
    if (
        not isinstance(pointer, ffi.CData)
        or ffi.typeof(pointer) is not ffi.typeof("SSL_CTX *")
        or pointer == NULL
    ):
        raise TypeError("context: a SSL_CTX pointer of osslcmp.lib")
    ctx: Any = pointer
    return up_ref(ctx, lib.SSL_CTX_up_ref, lib.SSL_CTX_free, "sharing a SSL_CTX")


def _make(tls: TLS, libctx: Any, propq: Any) -> Any:
    ctx = own(
        lib.SSL_CTX_new_ex(libctx, propq, lib.TLS_client_method()), lib.SSL_CTX_free, "making a SSL_CTX"
    )
    minimum = _VERSIONS[tls.minimum_version]
    if lib.SSL_CTX_get_min_proto_version(ctx) < minimum:
        check(lib.SSL_CTX_set_min_proto_version(ctx, minimum), "minimum_version")
    if tls.maximum_version is not None:
        if _VERSIONS[tls.maximum_version] < minimum:
            raise ValueError("maximum_version: is below minimum_version")
        check(lib.SSL_CTX_set_max_proto_version(ctx, _VERSIONS[tls.maximum_version]), "maximum_version")
    if tls.ciphers is not None:
        _understood("ciphers", lib.SSL_CTX_set_cipher_list(ctx, tls.ciphers.encode()))
    if tls.ciphersuites is not None:
        _understood("ciphersuites", lib.SSL_CTX_set_ciphersuites(ctx, tls.ciphersuites.encode()))
    if tls.verify:
        _trust(ctx, tls)
    if tls.certificate is not None:
        _identify(ctx, tls)
    return ctx


def _understood(what: str, result: int) -> None:
    if result != 1:
        clear()
        raise ValueError(f"{what}: OpenSSL knows none of these")


def _trust(ctx: Any, tls: TLS) -> None:
    store = lib.SSL_CTX_get_cert_store(ctx)
    check(lib.osslcmp_take_any_good_path(store), "making a trust store")
    if tls.check is not None:
        verify.add(store, tls.check)
        verify.apply(lib.SSL_CTX_get0_param(ctx), tls.check)
    elif tls.trusted is None:
        check(lib.SSL_CTX_set_default_verify_paths(ctx), "loading the system's trust anchors")
    elif isinstance(tls.trusted, (str, os.PathLike)) and Path(tls.trusted).is_dir():
        check(lib.SSL_CTX_load_verify_dir(ctx, os.fsencode(tls.trusted)), "tls, trusted")
    else:
        certificates = inputs.any_certificates("tls, trusted", tls.trusted)
        if not certificates:
            raise ValueError("trusted: no certificate given")
        convert.trust(store, certificates)
    # OpenSSL looks at the extensions now: what it finds it keeps in the certificate, for all threads.
    stack = convert.own_certs(lib.X509_STORE_get1_all_certs(store))
    for index in range(lib.sk_X509_num(stack) if stack != NULL else 0):
        lib.X509_check_purpose(lib.sk_X509_value(stack, index), -1, 0)
    clear()


def _identify(ctx: Any, tls: TLS) -> None:
    assert tls.certificate is not None
    assert tls.key is not None
    given = inputs.any_certificates("certificate", tls.certificate)
    if not given:
        raise ValueError("certificate: no certificate given")
    handle, key = convert.cert_to_c(given[0]), private_key("key", tls.key, tls.key_password)
    check_pair(handle, key)
    lib.X509_check_purpose(handle, -1, 0)
    clear()
    check(lib.SSL_CTX_use_certificate(ctx, handle), "certificate")
    check(lib.SSL_CTX_use_PrivateKey(ctx, key), "key")
    for link in [*given[1:], *inputs.any_certificates("chain", tls.chain)]:
        check(lib.SSL_CTX_add1_chain_cert(ctx, convert.cert_to_c(link)), "chain")


def _chars(text: str | None) -> Any:
    return NULL if text is None else text.encode()
