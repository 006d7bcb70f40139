"""Sets up the client from the options, in the order and with the checks of ``openssl cmp``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._openssl.convert import octets_from_c
from ..._openssl.errorqueue import check, clear, drain, text_from_c
from ..._openssl.inputs import with_lower_scheme, without_credentials
from ..._openssl.lib import NULL, ffi, lib, usable_version
from ..._openssl.ownership import cert_stack, own, release
from ...context.proxies import bypasses, uses_tls
from ...enums import Option
from .console import Failure
from .load import check_signers
from .output import shared
from .request import set_name, set_up_request

if TYPE_CHECKING:
    from .context import Run

COMMANDS = ("ir", "cr", "kur", "p10cr", "rr", "genm")


def set_up_client(run: Run) -> None:
    """Everything that a request needs. Raises Failure, CMPError, OSError, ValueError."""
    target = _server(run)
    command = run.opt.text("cmd")
    if command is None:
        raise Failure("no cmp command to execute")
    if command not in COMMANDS:
        raise Failure(f"unknown cmp command '{command}'")
    _forms(run)
    _check_infotype(run)
    _verification(run)
    _transfer(run)
    if run.opt.flag("tls_used"):
        set_up_tls(run)
    _protection(run)
    set_up_request(run)
    set_name(run, "recipient", "OSSL_CMP_CTX_set1_recipient")
    set_name(run, "expect_sender", "OSSL_CMP_CTX_set1_expected_sender", "expected sender")
    if run.opt.given("profile", "geninfo"):
        from .genm import add_general_infos

        add_general_infos(run)
    only = " only if -rspin argument gives too few filenames" if run.opt.given("rspin") else ""
    run.console.info(f"will contact {target}{only}")


def _server(run: Run) -> str:
    """Set where the request goes. Returns that for the log."""
    server = run.opt.text("server")
    if server is None:
        if not run.opt.flag("use_mock_srv") and not run.opt.given("rspin", "reqout_only"):
            raise Failure("missing -server or -use_mock_srv or -rspin option")
        run.warn_of("ignoring -{} option since -server is not given", "proxy", "no_proxy", "tls_used")
        run.opt.put("tls_used", 0)
        run.ctx.set_server_path(run.opt.text("path"))
        return "mock server"
    host, port, path, tls = _parse_url(server)
    if tls and not run.opt.flag("tls_used"):
        if usable_version < (3, 2, 0):
            raise Failure("missing -tls_used option since -server URL indicates https")
        run.console.warn("assuming -tls_used since -server URL indicates HTTPS")
        run.opt.put("tls_used", 1)
    path = run.opt.text("path") or path
    run.ctx.set_server(host)
    run.ctx.set_server_port(port)
    run.ctx.set_server_path(path)
    via = _set_proxy(run, host, port)
    run.opt.put("server host", host)
    scheme = "https" if run.opt.flag("tls_used") else "http"
    through = f" via {without_credentials(via)}" if via else ""
    return f"{scheme}://{host}:{port}/{path.lstrip('/')}{through}"


def _set_proxy(run: Run, host: str, port: int) -> str:
    """The proxy that applies, by options or environment; empty if none does."""
    proxy, no_proxy = run.opt.text("proxy"), run.opt.text("no_proxy")
    run.ctx.set_no_proxy(no_proxy)
    # Without the brackets of an IPv6 address: see CVE-2025-9232.
    bare = host.strip("[]").encode()
    given = _chars(proxy)  # the result may point into it
    found = lib.OSSL_HTTP_adapt_proxy(given, _chars(no_proxy), bare, int(run.opt.flag("tls_used")))
    via = "" if found == NULL or bypasses(host, port, no_proxy) else with_lower_scheme(text_from_c(found))
    if via and uses_tls(via):
        if "@" in via:
            raise Failure(
                "the proxy must not be given as https:// with a password: it is spoken to without TLS, use http://"
            )
        run.console.warn(
            "https:// of a proxy counts for its default port alone, as in OpenSSL: it is spoken to without TLS"
        )
        proxy_host, proxy_port, _, _ = _parse_url(via)
        via = f"http://{proxy_host}:{proxy_port}"
    if via or proxy is not None:
        run.ctx.set_proxy(via)
    return via


def _parse_url(url: str) -> tuple[str, int, str, bool]:
    """Host, port, path and whether it is https, as ``OSSL_HTTP_parse_url`` (3.0) sees them."""
    tls, number = ffi.new("int *"), ffi.new("int *")
    host, port, path = ffi.new("char **"), ffi.new("char **"), ffi.new("char **")
    clear()
    if "\0" in url or not lib.OSSL_HTTP_parse_url(
        with_lower_scheme(url).encode(), tls, NULL, host, port, number, path, NULL, NULL
    ):
        clear()
        raise Failure(f"cannot parse -server URL: {without_credentials(url)}")
    try:
        return text_from_c(host[0]), int(number[0]), text_from_c(path[0]), bool(tls[0])
    finally:
        for cell in (host, port, path):
            lib.OPENSSL_free(cell[0])


def _chars(value: str | None) -> Any:
    return NULL if value is None else value.encode()


def _forms(run: Run) -> None:
    """``-certform``, ``-crlform``, ``-keyform``."""
    if (keyform := run.opt.text("keyform")) is not None:
        found = _form(keyform)
        if found is None:
            raise Failure(
                "unknown option given for key loading format: PEM, DER or P12; engines are not supported"
            )
        # With P12 OpenSSL finds the form out. The mock server's key is loaded before: it may have any form.
        run.opt.put("form of keys", None if found == "P12" else found)
    for option, what in (("certform", "certificate"), ("crlform", "CRL")):
        form = _form(run.opt.text(option) or "PEM")
        if form not in ("PEM", "DER"):
            raise Failure(f"unknown option given for {what} storing format")
        run.opt.put(option, form)


def _form(value: str) -> str | None:
    """A format as OpenSSL's commands read it."""
    if value[0] in "dD":
        return "DER"
    if value in ("P", "p", "PEM", "pem"):
        return "PEM"
    if value[0] == "1" or value in ("P12", "p12", "PKCS12", "pkcs12"):
        return "P12"
    return None


def _check_infotype(run: Run) -> None:
    infotype = run.opt.text("infotype")
    if infotype is not None:
        _nid(lib.OBJ_sn2nid(f"id-it-{infotype}".encode()), "unknown OID name in -infotype option")


def _nid(number: int, otherwise: str) -> int:
    """A NID that libcrypto found. Raises Failure with the text ``otherwise`` if there is none."""
    clear()
    if number == lib.NID_undef:
        raise Failure(otherwise)
    return number


def _verification(run: Run) -> None:
    if (certs := run.load.optional(run.load.certs, "untrusted", "untrusted certificates")) is not None:
        check_signers(certs, "untrusted certificates")
        run.ctx.put("OSSL_CMP_CTX_set1_untrusted", cert_stack(certs))
    if (srvcert := run.opt.text("srvcert")) is not None:
        run.warn_of("-{} option is ignored since -srvcert option is present", "trusted", "recipient")
        for option in ("trusted", "recipient"):
            run.opt.put(option, None)
        what = "directly trusted CMP server certificate"
        cert = run.load.cert(srvcert, "otherpass", what)
        check_signers([cert], what)
        run.ctx.put("OSSL_CMP_CTX_set1_srvCert", cert)
    if (trusted := run.opt.text("trusted")) is not None:
        run.ctx.give_trusted(run.load.store(trusted, "certs trusted by client"))
    for option, number in (
        ("ignore_keyusage", Option.IGNORE_KEYUSAGE),
        ("unprotected_errors", Option.UNPROTECTED_ERRORS),
        ("ta_in_ip_extracerts", Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR),
        ("no_cache_extracerts", Option.NO_CACHE_EXTRACERTS),
        ("disable_confirm", Option.DISABLE_CONFIRM),
        ("implicit_confirm", Option.IMPLICIT_CONFIRM),
        ("unprotected_requests", Option.UNPROTECTED_SEND),
    ):
        if run.opt.flag(option):
            run.ctx.set_option(number, 1)
    if (out_trusted := run.opt.text("out_trusted")) is not None:
        what = "trusted certs for verifying newly enrolled cert"
        store = run.load.store(out_trusted, what, for_new_cert=True)
        # A new certificate is current, whatever -attime says.
        lib.X509_VERIFY_PARAM_clear_flags(lib.X509_STORE_get0_param(store), lib.X509_V_FLAG_USE_CHECK_TIME)
        run.ctx.set_cert_conf_cb_arg(store)


def _transfer(run: Run) -> None:
    if (keep_alive := run.opt.number("keep_alive")) != 1:
        if keep_alive > 2:
            raise Failure("-keep_alive argument must be 0, 1, or 2")
        run.ctx.set_option(Option.KEEP_ALIVE, keep_alive)
    message, total = run.opt.number("msg_timeout"), run.opt.number("total_timeout")
    if total > 0 and message > 0 and total < message:
        raise Failure(f"-total_timeout argument = {total} must not be < {message} (-msg_timeout)")
    for seconds, option in ((message, Option.MSG_TIMEOUT), (total, Option.TOTAL_TIMEOUT)):
        if seconds >= 0:  # it is -1 unless it is given
            run.ctx.set_option(option, seconds)
    if run.opt.given("rspin") and run.opt.given("reqin"):
        run.console.warn("-reqin is ignored since -rspin is present")
    if run.opt.flag("reqin_new_tid") and not run.opt.given("reqin"):
        run.console.warn("-reqin_new_tid is ignored since -reqin is not present")


def _protection(run: Run) -> None:
    cert, key, secret, ref = map(run.opt.text, ("cert", "key", "secret", "ref"))
    if not run.opt.flag("unprotected_requests") and secret is None and key is None:
        raise Failure("must give -key or -secret unless -unprotected_requests is used")
    if ref is None and cert is None and not run.opt.given("subject"):
        raise Failure("must give -ref if no -cert and no -subject given")
    if secret is None and (cert is None) != (key is None):
        raise Failure("must give both -cert and -key options or neither")
    if secret is not None:
        value = run.load.secret("secret", "PBMAC")
        run.ctx.put("OSSL_CMP_CTX_set1_secretValue", value, len(value))
        if cert is not None or key is not None:
            run.console.warn("-cert and -key not used for protection since -secret is given")
    if ref is not None:
        encoded = ref.encode("utf-8", "surrogateescape")
        run.ctx.put("OSSL_CMP_CTX_set1_referenceValue", encoded, len(encoded))
        run.ctx.calls.state.own_identifiers.append(encoded)
    if key is not None:
        handle = run.load.private_key(key, "keypass", "private key for CMP client certificate")
        run.ctx.put("OSSL_CMP_CTX_set1_pkey", handle)
    if secret is None and not run.opt.given("srvcert", "trusted"):
        run.console.warn("will not authenticate server due to missing -secret, -trusted, or -srvcert")
    if cert is not None:
        first, more = run.load.cert_and_more(
            cert, "keypass", "CMP client certificate (optionally with chain)"
        )
        run.ctx.put("OSSL_CMP_CTX_set1_cert", first)
        run.ctx.calls.state.own_identifiers.append(octets_from_c(lib.X509_get0_subject_key_id(first)))
        what = "trusted certs for verifying own CMP signer cert"
        store = run.load.optional(run.load.store, "own_trusted", what)
        check_signers(more, "chain of CMP client certificate")
        build = lib.OSSL_CMP_CTX_build_cert_chain
        run.ctx.calls.set(build, store or NULL, cert_stack(more), what="building the own chain")
    else:
        run.warn_of("-{} option is ignored without -cert", "own_trusted")
    if (extra := run.opt.text("extracerts")) is not None:
        certs = run.load.certs(extra, "extra certificates for CMP")
        run.ctx.put("OSSL_CMP_CTX_set1_extraCertsOut", cert_stack(certs))
    _algorithms(run)


def _algorithms(run: Run) -> None:
    for option, what, places in (
        ("digest", "digest", (Option.DIGEST_ALGNID, Option.OWF_ALGNID)),
        ("mac", "MAC", (Option.MAC_ALGNID,)),
    ):
        if (name := run.opt.text(option)) is not None:
            otherwise = f"{what} algorithm name not recognized: '{name}'"
            number = _nid(lib.OBJ_ln2nid(name.encode()), otherwise)
            for place in places:
                run.ctx.set_option(place, number)


def set_up_tls(run: Run) -> None:
    """Make the ``SSL_CTX`` and set it. Raises Failure, CMPError."""
    if run.opt.given("tls_cert", "tls_key", "tls_keypass"):
        for option in ("tls_key", "tls_cert"):
            if not run.opt.given(option):
                raise Failure(f"missing -{option} option")
    clear()
    ssl = own(lib.SSL_CTX_new(lib.TLS_client_method()), lib.SSL_CTX_free, "making a SSL_CTX")
    if (store := run.load.optional(run.load.store, "tls_trusted", "trusted TLS certs")) is not None:
        release(store)
        lib.SSL_CTX_set_cert_store(ssl, store)
    else:
        run.console.warn("-tls_used given without -tls_trusted; will not authenticate the TLS server")
    if (cert := run.opt.text("tls_cert")) is not None:
        _identify(run, ssl, cert)
    host = run.opt.text("tls_host") or run.opt.text("server host") or ""
    made = lib.osslcmp_tls_new(ssl, int(store is not None), host.encode(), NULL)
    run.ctx.set_tls(own(made, lib.osslcmp_tls_free, "setting up TLS"))


def _identify(run: Run, ssl: Any, path: str) -> None:
    first, more = run.load.cert_and_more(
        path, "tls_keypass", "TLS client certificate (optionally with chain)"
    )
    check(lib.SSL_CTX_use_certificate(ssl, first), f"unable to use client TLS certificate file '{path}'")
    for link in [*more, *shared(lib.OSSL_CMP_CTX_get0_untrusted(run.ctx.raw))]:
        check(lib.SSL_CTX_add1_chain_cert(ssl, link), "adding to the TLS client cert chain")
    run.console.debug("trying to build cert chain for own TLS cert")
    flags = lib.SSL_BUILD_CHAIN_FLAG_UNTRUSTED | lib.SSL_BUILD_CHAIN_FLAG_NO_ROOT
    if lib.SSL_CTX_build_cert_chain(ssl, flags) > 0:
        run.console.debug("success building cert chain for own TLS cert")
    else:
        drain()
        run.console.warn("could not build cert chain for own TLS cert")
    if (extra := run.opt.text("tls_extra")) is not None:
        for cert in run.load.certs(extra, "extra certificates for TLS"):
            check(lib.SSL_CTX_add1_chain_cert(ssl, cert), "adding TLS extra certs")
    key_path = run.opt.text("tls_key") or ""
    key = run.load.private_key(key_path, "tls_keypass", "TLS client private key")
    if lib.X509_check_private_key(lib.SSL_CTX_get0_certificate(ssl), key) != 1:
        clear()
        raise Failure(f"TLS private key '{key_path}' does not match the TLS certificate '{path}'")
    check(lib.SSL_CTX_use_PrivateKey(ssl, key), f"unable to use TLS client private key '{key_path}'")
