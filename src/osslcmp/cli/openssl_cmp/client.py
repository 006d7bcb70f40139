"""Sets up the client from the options, in the order and with the checks of ``openssl cmp``."""

from __future__ import annotations

from typing import Any

from ..._openssl.errorqueue import clear, text
from ..._openssl.inputs import without_credentials
from ..._openssl.lib import NULL, ffi, lib, usable_version
from ..._openssl.ownership import cert_stack
from ...context.proxies import bypasses, uses_tls
from ...enums import Option
from . import names
from .console import Console, Failure
from .context import CommandContext
from .geninfo import add_general_infos
from .load import Loader, check_signers
from .request import set_up_request
from .settings import Settings
from .tls import set_up_tls

__all__ = ["COMMANDS", "set_up_client"]

COMMANDS = ("ir", "cr", "kur", "p10cr", "rr", "genm")


def set_up_client(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    """Everything that a request needs. Raises Failure, CMPError, OSError, ValueError."""
    target = _server(ctx, s, console)
    command = s.text("cmd")
    if command is None:
        raise Failure("no cmp command to execute")
    if command not in COMMANDS:
        raise Failure(f"unknown cmp command '{command}'")
    _forms(s)
    _check_infotype(s)
    _verification(ctx, s, console, loader)
    _transfer(ctx, s, console)
    if s.flag("tls_used"):
        set_up_tls(ctx, s, console, loader)
    _protection(ctx, s, console, loader)
    set_up_request(ctx, s, console, loader)
    for option, function, what in (
        ("recipient", "OSSL_CMP_CTX_set1_recipient", "recipient"),
        ("expect_sender", "OSSL_CMP_CTX_set1_expected_sender", "expected sender"),
    ):
        if (value := s.text(option)) is not None:
            ctx.put(function, names.name(value, what, console))
    add_general_infos(ctx, s)
    only = " only if -rspin argument gives too few filenames" if s.given("rspin") else ""
    console.info(f"will contact {target}{only}")


def _server(ctx: CommandContext, s: Settings, console: Console) -> str:
    """Where to; returns how to tell it."""
    server = s.text("server")
    if server is None:
        if not s.flag("use_mock_srv") and not s.given("rspin") and not s.given("reqout_only"):
            raise Failure("missing -server or -use_mock_srv or -rspin option")
        for option in ("proxy", "no_proxy"):
            if s.given(option):
                console.warn(f"ignoring -{option} option since -server is not given")
        if s.flag("tls_used"):
            console.warn("ignoring -tls_used option since -server is not given")
            s.put("tls_used", 0)
        ctx.set_server_path(s.text("path"))
        return "mock server"
    host, port, path, tls = _parse_url(server)
    if tls and not s.flag("tls_used"):
        if usable_version < (3, 2, 0):
            raise Failure("missing -tls_used option since -server URL indicates https")
        console.warn("assuming -tls_used since -server URL indicates HTTPS")
        s.put("tls_used", 1)
    path = s.text("path") or path
    ctx.set_server(host)
    ctx.set_server_port(port)
    ctx.set_server_path(path)
    via = _set_proxy(ctx, s, console, host, port)
    s.put("server host", host)
    scheme = "https" if s.flag("tls_used") else "http"
    through = f" via {without_credentials(via)}" if via else ""
    return f"{scheme}://{host}:{port}/{path.lstrip('/')}{through}"


def _set_proxy(ctx: CommandContext, s: Settings, console: Console, host: str, port: int) -> str:
    """The proxy that applies, by options or environment; empty if none does."""
    proxy, no_proxy = s.text("proxy"), s.text("no_proxy")
    ctx.set_no_proxy(no_proxy)
    # Without the brackets of an IPv6 address: see CVE-2025-9232.
    bare = host.strip("[]").encode()
    given = _chars(proxy)  # the result may point into it
    found = lib.OSSL_HTTP_adapt_proxy(given, _chars(no_proxy), bare, int(s.flag("tls_used")))
    via = "" if found == NULL or bypasses(host, port, no_proxy) else text(found)
    if via and uses_tls(via):
        if "@" in via:
            raise Failure(
                "the proxy must not be given as https:// with a password: it is spoken to without TLS, use http://"
            )
        console.warn(
            "https:// of a proxy counts for its default port alone, as in OpenSSL: it is spoken to without TLS"
        )
        proxy_host, proxy_port, _, _ = _parse_url(via)
        via = f"http://{proxy_host}:{proxy_port}"
    if via or proxy is not None:
        ctx.set_proxy(via)
    return via


def _parse_url(url: str) -> tuple[str, int, str, bool]:
    """Host, port, path and whether it is https, as ``OSSL_HTTP_parse_url`` (3.0) sees them."""
    tls, number = ffi.new("int *"), ffi.new("int *")
    host, port, path = ffi.new("char **"), ffi.new("char **"), ffi.new("char **")
    clear()
    if "\0" in url or not lib.OSSL_HTTP_parse_url(
        url.encode(), tls, NULL, host, port, number, path, NULL, NULL
    ):
        clear()
        raise Failure(f"cannot parse -server URL: {without_credentials(url)}")
    try:
        return text(host[0]), int(number[0]), text(path[0]), bool(tls[0])
    finally:
        for cell in (host, port, path):
            lib.OPENSSL_free(cell[0])


def _chars(value: str | None) -> Any:
    return NULL if value is None else value.encode()


def _forms(s: Settings) -> None:
    """``-certform``, ``-crlform``, ``-keyform``."""
    if (keyform := s.text("keyform")) is not None:
        found = _form(keyform)
        if found is None:
            raise Failure(
                "unknown option given for key loading format: PEM, DER or P12; engines are not supported"
            )
        # With P12 OpenSSL finds the form out. The mock server's key is loaded before: it may have any form.
        s.put("form of keys", None if found == "P12" else found)
    for option, what in (("certform", "certificate"), ("crlform", "CRL")):
        form = _form(s.text(option) or "PEM")
        if form not in ("PEM", "DER"):
            raise Failure(f"unknown option given for {what} storing format")
        s.put(option, form)


def _form(value: str) -> str | None:
    """A format as OpenSSL's commands read it."""
    if value[0] in "dD":
        return "DER"
    if value in ("P", "p", "PEM", "pem"):
        return "PEM"
    if value[0] == "1" or value in ("P12", "p12", "PKCS12", "pkcs12"):
        return "P12"
    return None


def _check_infotype(s: Settings) -> None:
    infotype = s.text("infotype")
    if infotype is not None:
        _known(lib.OBJ_sn2nid(f"id-it-{infotype}".encode()), "unknown OID name in -infotype option")


def _known(number: int, otherwise: str) -> int:
    """A NID that libcrypto found. Raises Failure that tells ``otherwise`` if there is none."""
    clear()
    if number == lib.NID_undef:
        raise Failure(otherwise)
    return number


def _verification(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    if (untrusted := s.text("untrusted")) is not None:
        certs = loader.certs(untrusted, "untrusted certificates")
        check_signers(certs, "untrusted certificates")
        ctx.put("OSSL_CMP_CTX_set1_untrusted", cert_stack(certs))
    if (srvcert := s.text("srvcert")) is not None:
        for option in ("trusted", "recipient"):
            if s.given(option):
                console.warn(f"-{option} option is ignored since -srvcert option is present")
                s.put(option, None)
        cert = loader.cert(srvcert, "otherpass", "directly trusted CMP server certificate")
        check_signers([cert], "directly trusted CMP server certificate")
        ctx.put("OSSL_CMP_CTX_set1_srvCert", cert)
    if (trusted := s.text("trusted")) is not None:
        ctx.give_trusted(loader.store(trusted, "certs trusted by client"))
    for option, number in (
        ("ignore_keyusage", Option.IGNORE_KEYUSAGE),
        ("unprotected_errors", Option.UNPROTECTED_ERRORS),
        ("ta_in_ip_extracerts", Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR),
        ("no_cache_extracerts", Option.NO_CACHE_EXTRACERTS),
    ):
        if s.flag(option):
            ctx.set_option(number, 1)
    if (out_trusted := s.text("out_trusted")) is not None:
        store = loader.store(
            out_trusted, "trusted certs for verifying newly enrolled cert", for_new_cert=True
        )
        # A new certificate is current, whatever -attime says.
        lib.X509_VERIFY_PARAM_clear_flags(lib.X509_STORE_get0_param(store), lib.X509_V_FLAG_USE_CHECK_TIME)
        ctx.set_cert_conf_cb_arg(store)
    if s.flag("disable_confirm"):
        ctx.set_option(Option.DISABLE_CONFIRM, 1)
    if s.flag("implicit_confirm"):
        ctx.set_option(Option.IMPLICIT_CONFIRM, 1)


def _transfer(ctx: CommandContext, s: Settings, console: Console) -> None:
    if s.number("keep_alive") != 1:
        if s.number("keep_alive") > 2:
            raise Failure("-keep_alive argument must be 0, 1, or 2")
        ctx.set_option(Option.KEEP_ALIVE, s.number("keep_alive"))
    message, total = s.number("msg_timeout"), s.number("total_timeout")
    if total > 0 and message > 0 and total < message:
        raise Failure(f"-total_timeout argument = {total} must not be < {message} (-msg_timeout)")
    if message >= 0 and s.given("msg_timeout"):
        ctx.set_option(Option.MSG_TIMEOUT, message)
    if total >= 0 and s.given("total_timeout"):
        ctx.set_option(Option.TOTAL_TIMEOUT, total)
    if s.given("rspin") and s.given("reqin"):
        console.warn("-reqin is ignored since -rspin is present")
    if s.flag("reqin_new_tid") and not s.given("reqin"):
        console.warn("-reqin_new_tid is ignored since -reqin is not present")


def _protection(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    cert, key, secret, ref = s.text("cert"), s.text("key"), s.text("secret"), s.text("ref")
    if not s.flag("unprotected_requests") and secret is None and key is None:
        raise Failure("must give -key or -secret unless -unprotected_requests is used")
    if ref is None and cert is None and not s.given("subject"):
        raise Failure("must give -ref if no -cert and no -subject given")
    if secret is None and (cert is None) != (key is None):
        raise Failure("must give both -cert and -key options or neither")
    if secret is not None:
        value = loader.secret("secret", "PBMAC")
        ctx.put("OSSL_CMP_CTX_set1_secretValue", value, len(value))
        if cert is not None or key is not None:
            console.warn("-cert and -key not used for protection since -secret is given")
    if ref is not None:
        encoded = ref.encode("utf-8", "surrogateescape")
        ctx.put("OSSL_CMP_CTX_set1_referenceValue", encoded, len(encoded))
    if key is not None:
        handle = loader.private_key(key, "keypass", "private key for CMP client certificate")
        ctx.put("OSSL_CMP_CTX_set1_pkey", handle)
    if secret is None and not s.given("srvcert", "trusted"):
        console.warn("will not authenticate server due to missing -secret, -trusted, or -srvcert")
    if cert is not None:
        first, more = loader.cert_and_more(cert, "keypass", "CMP client certificate (optionally with chain)")
        ctx.put("OSSL_CMP_CTX_set1_cert", first)
        own = s.text("own_trusted")
        store = None if own is None else loader.store(own, "trusted certs for verifying own CMP signer cert")
        check_signers(more, "chain of CMP client certificate")
        ctx.chain(store, cert_stack(more))
    elif s.given("own_trusted"):
        console.warn("-own_trusted option is ignored without -cert")
    if (extra := s.text("extracerts")) is not None:
        ctx.put("OSSL_CMP_CTX_set1_extraCertsOut", loader.stack(extra, "extra certificates for CMP"))
    if s.flag("unprotected_requests"):
        ctx.set_option(Option.UNPROTECTED_SEND, 1)
    _algorithms(ctx, s)


def _algorithms(ctx: CommandContext, s: Settings) -> None:
    if (digest := s.text("digest")) is not None:
        number = _known(lib.OBJ_ln2nid(digest.encode()), f"digest algorithm name not recognized: '{digest}'")
        ctx.set_option(Option.DIGEST_ALGNID, number)
        ctx.set_option(Option.OWF_ALGNID, number)
    if (mac := s.text("mac")) is not None:
        number = _known(lib.OBJ_ln2nid(mac.encode()), f"MAC algorithm name not recognized: '{mac}'")
        ctx.set_option(Option.MAC_ALGNID, number)
