"""HTTPS from the TLS options."""

from __future__ import annotations

from typing import Any

from ..._openssl.errorqueue import check, clear, drain
from ..._openssl.lib import NULL, lib
from ..._openssl.ownership import disarm, take
from .console import Console, Failure
from .context import CommandContext, shared
from .load import Loader
from .settings import Settings

__all__ = ["set_up_tls"]


def set_up_tls(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    """Make the ``SSL_CTX`` and set it. Raises Failure, CMPError."""
    if s.given("tls_cert", "tls_key", "tls_keypass"):
        for option in ("tls_key", "tls_cert"):
            if not s.given(option):
                raise Failure(f"missing -{option} option")
    clear()
    ssl = take(lib.SSL_CTX_new(lib.TLS_client_method()), lib.SSL_CTX_free, "making a SSL_CTX")
    trusted = s.text("tls_trusted")
    if trusted is not None:
        store = loader.store(trusted, "trusted TLS certs")
        disarm(store)
        lib.SSL_CTX_set_cert_store(ssl, store)
    else:
        console.warn("-tls_used given without -tls_trusted; will not authenticate the TLS server")
    if (cert := s.text("tls_cert")) is not None:
        _identify(ctx, s, console, loader, ssl, cert)
    host = s.text("tls_host") or s.text("server host") or ""
    made = lib.osslcmp_tls_new(ssl, int(trusted is not None), host.encode(), NULL)
    ctx.set_tls(take(made, lib.osslcmp_tls_free, "setting up TLS"))


def _identify(
    ctx: CommandContext, s: Settings, console: Console, loader: Loader, ssl: Any, path: str
) -> None:
    first, more = loader.cert_and_more(path, "tls_keypass", "TLS client certificate (optionally with chain)")
    check(lib.SSL_CTX_use_certificate(ssl, first), f"unable to use client TLS certificate file '{path}'")
    for link in [*more, *shared(lib.OSSL_CMP_CTX_get0_untrusted(ctx.raw))]:
        check(lib.SSL_CTX_add1_chain_cert(ssl, link), "adding to the TLS client cert chain")
    console.debug("trying to build cert chain for own TLS cert")
    flags = lib.SSL_BUILD_CHAIN_FLAG_UNTRUSTED | lib.SSL_BUILD_CHAIN_FLAG_NO_ROOT
    if lib.SSL_CTX_build_cert_chain(ssl, flags) > 0:
        console.debug("success building cert chain for own TLS cert")
    else:
        drain()
        console.warn("could not build cert chain for own TLS cert")
    if (extra := s.text("tls_extra")) is not None:
        for cert in loader.certs(extra, "extra certificates for TLS"):
            check(lib.SSL_CTX_add1_chain_cert(ssl, cert), "adding TLS extra certs")
    key_path = s.text("tls_key") or ""
    key = loader.private_key(key_path, "tls_keypass", "TLS client private key")
    if lib.X509_check_private_key(lib.SSL_CTX_get0_certificate(ssl), key) != 1:
        clear()
        raise Failure(f"TLS private key '{key_path}' does not match the TLS certificate '{path}'")
    check(lib.SSL_CTX_use_PrivateKey(ssl, key), f"unable to use TLS client private key '{key_path}'")
