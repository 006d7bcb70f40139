"""``OSSL_CMP_CTX`` for Python: one method per C function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._arguments import checked
from .._lazy import key_types, x509
from .._openssl import convert
from .._openssl.errorqueue import text_from_c
from .._openssl.inputs import AnyCertificate, AnyCRL, AnyCSR, EncodedGeneralName, KeyInput, secret_bytes
from .._openssl.keys import Password
from .._openssl.lib import NULL, CData, ffi, lib, require
from .._openssl.providers import LibraryContext
from ..enums import CR, IR, KUR, P10CR, BodyType, FailureInfo, Option, PKIStatus, Severity
from .calls import Calls, new_ctx
from .confirmation import CertConf, Confirmation, ConfirmCallback, certconf
from .credentials import REFERENCE_LIMIT, SECRET_LIMIT, Credentials, certificate_list
from .deadline import OnWait, check_on_wait
from .guard import guarded, locked
from .options import Options
from .polling import Polling
from .request import RequestFields, name_to_c, octets_to_c
from .results import Results
from .status import get_fail_info, get_status_string
from .transfer import Transfer

if TYPE_CHECKING:
    from .._asn1.itav import InfoTypeAndValue
    from .._openssl.certificate_check import CertificateCheck
    from .._openssl.tls import TLSInput
    from ..enrollment import Enrollment
    from ..limits import Limits
    from ..trace import Trace
    from .credentials import TrustInput
    from .crmf import CertReqMsg
    from .general import CertReqTemplate, RootCAUpdate
    from .server_usage import ServerUsageInput

__all__ = ["CertConf", "Context", "certconf"]


class Context:
    """OpenSSL's CMP context (``OSSL_CMP_CTX_new``, 3.0): credentials, request, and the state of a transaction.

    Method names follow the C names mechanically. Differences from C, all on the safe side: timeouts have finite
    defaults (60 s for a message, 600 s in all), nothing is printed (logger ``osslcmp.openssl``), and a blocking
    call ends on an interrupt. One thread at a time may use a context; others get a ``RuntimeError``. A child of
    ``fork`` must make its own.
    """

    # Its parts own the state, and know of each other only what __init__ of each takes.

    @checked
    def __init__(
        self, library: LibraryContext | None = None, *, _after: Callable[[], None] | None = None
    ) -> None:
        self._compose(Calls(new_ctx(library, _after), library))

    @classmethod
    def _borrowed(cls, pointer: Any, owner: Any) -> Any:
        """A context around the ``OSSL_CMP_CTX`` that a server context owns and ``owner`` keeps alive."""
        self = cls.__new__(cls)
        self._compose(Calls(pointer, owner=owner))
        return self

    def _compose(self, calls: Calls) -> None:
        self.calls = calls
        self._guard = calls.guard
        self.options = Options(calls)
        self._credentials = Credentials(calls)
        self._transfer = Transfer(calls)
        self._confirmation = Confirmation(calls)
        self.request = RequestFields(calls)
        self.results = Results(calls, self.request)
        self.polling = Polling(calls, self.options, self.request, self.results, self._confirmation)

    def __repr__(self) -> str:
        return f"<osslcmp.Context for {self._transfer.host or 'no server'}>"

    # -- life ---------------------------------------------------------------------------------------------

    @guarded
    def reinit(self) -> None:
        """Make ready for another transaction (``OSSL_CMP_CTX_reinit``, 3.0).

        Clears the results of the last one, its transaction ID and nonces and the general message items, and
        closes the connection. Keeps credentials, trust, options and the request's fields.
        """
        self.calls.set(lib.OSSL_CMP_CTX_reinit, what="reinitializing the context")
        self.calls.forget_cancel()
        self.disconnect()
        self.polling.reinit()

    def cancel(self) -> None:
        """End the call that runs on this context in another thread, within a fraction of a second.

        It fails there with :class:`osslcmp.TransferError`; if nothing runs, the next one does. After that the
        context works again. May be called from any thread and from a signal handler. A callable or C function set
        by :meth:`set_transfer_cb` that is waiting itself is not woken.
        """
        self.calls.cancel()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Close the connection at the end of the block, whatever happens in it."""
        try:
            yield
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the HTTP connection that is kept open, if there is one."""
        self.calls.disconnect()

    @property
    @locked
    def propq(self) -> str | None:
        """Property query that algorithms are fetched with (``OSSL_CMP_CTX_get0_propq``, 3.2)."""
        require("libctx", "propq")
        pointer = self.calls.get(lib.OSSL_CMP_CTX_get0_propq)
        return None if pointer == NULL else text_from_c(pointer)

    @property
    def libctx(self) -> object:
        """The raw ``OSSL_LIB_CTX *``, NULL for the default one (``OSSL_CMP_CTX_get0_libctx``, 3.2)."""
        require("libctx", "libctx")
        return self.calls.get(lib.OSSL_CMP_CTX_get0_libctx)

    # -- options and log ----------------------------------------------------------------------------------

    def set_option(self, option: Option | int, value: int) -> None:
        """Set an option (``OSSL_CMP_CTX_set_option``, 3.0).

        Takes an :class:`osslcmp.Option` and an ``int`` (or ``bool``) in the unit that the option's
        documentation tells. Raises ``ValueError`` for a value out of range, :class:`osslcmp.UnsupportedError`
        for an option that the loaded OpenSSL does not have.
        """
        self.options.set(option, value)

    def get_option(self, option: Option | int) -> int:
        """The value of an option (``OSSL_CMP_CTX_get_option``, 3.0)."""
        return self.options.get(option)

    @guarded
    def set_log_cb(self, callback: Callable[[str, str, int, Severity, str], object] | Any | None) -> None:
        """Where log messages go (``OSSL_CMP_CTX_set_log_cb``, 3.0).

        ``callback`` is a callable ``(function, file, line, severity, message)`` with the C function and source
        file that speak, or a C function (``OSSL_CMP_log_cb_t``). It gets what :meth:`set_log_verbosity` lets
        through. ``None``, the default, is the logger ``osslcmp.openssl``, which also has a level of its own. What
        the callback raises ends the call that it came from as soon as C notices, and is raised there.
        """
        self.calls.set_log_cb(callback)

    def set_log_verbosity(self, level: Severity | int) -> None:
        """The least severe messages to log (``OSSL_CMP_CTX_set_log_verbosity``, 3.0).

        An :class:`osslcmp.Severity`; the same as :meth:`set_option` with ``LOG_VERBOSITY``.
        """
        self.set_option(Option.LOG_VERBOSITY, level)

    @guarded
    def print_errors(self) -> None:
        """Log what is on this thread's error queue and empty it (``OSSL_CMP_CTX_print_errors``, 3.0).

        For those who call :data:`osslcmp.lib` themselves: the methods here leave nothing there.
        """
        self.calls.state.begin()
        self.calls.apply_verbosity()
        self.calls.inside(lib.OSSL_CMP_CTX_print_errors, self.calls.pointer, keep_errors=True)
        self.calls.raise_stored("logging errors failed")

    # -- the way to the server ----------------------------------------------------------------------------

    @guarded
    def set_server(self, address: str | None) -> None:
        """Host name or IP address of the server, nothing else (``OSSL_CMP_CTX_set1_server``, 3.0)."""
        self._transfer.set_server(address)

    @guarded
    def set_server_port(self, port: int) -> None:
        """TCP port of the server; 0 for the default, 80 or 443 (``OSSL_CMP_CTX_set_serverPort``, 3.0)."""
        self._transfer.set_port(port)

    @guarded
    def set_server_path(self, path: str | None) -> None:
        """HTTP path at the server, such as ``pkix/`` (``OSSL_CMP_CTX_set1_serverPath``, 3.0)."""
        self._transfer.set_path(path)

    @guarded
    def set_proxy(self, name: str | None) -> None:
        """HTTP proxy as ``[http://][user:password@]host[:port]`` (``OSSL_CMP_CTX_set1_proxy``, 3.0).

        ``None``: the environment decides (``http_proxy``, ``HTTP_PROXY``; for https ``https_proxy``,
        ``HTTPS_PROXY``); an empty string: no proxy. A server with https is reached through a tunnel
        (CONNECT). User and password, percent-encoded where they contain ``:@/%``, are sent as Basic
        authentication, which OpenSSL's own client does not do. The way to the proxy itself is never
        encrypted: ``https://`` is a ``ValueError``, and in the environment a :class:`osslcmp.TransferError`. (OpenSSL's
        own client takes it, and speaks to port 443 without TLS.)
        """
        self._transfer.set_proxy(name)

    @guarded
    def set_no_proxy(self, names: str | None) -> None:
        """Servers to reach without proxy (``OSSL_CMP_CTX_set1_no_proxy``, 3.0).

        Separated by commas or space, in any case, as curl and requests take them: ``*`` for all, a domain with all below
        it (``example.com`` or ``.example.com``), an IP address, a network (``10.0.0.0/8``), each with or without
        ``:port``. OpenSSL's own client takes whole names alone, in their very case. ``None``: ``no_proxy`` or else
        ``NO_PROXY`` of the environment, as it is when server or port are set.
        """
        self._transfer.set_no_proxy(names)

    @guarded
    def set_max_response_length(self, octets: int) -> None:
        """Longest HTTP response body, 0 for OpenSSL's 100 KiB (``OSSL_HTTP_REQ_CTX_set_max_response_length``, 3.0)."""
        self._transfer.set_max_response_length(octets)

    @guarded
    def set_limits(self, limits: Limits) -> None:
        """What an answer may carry, before libcrypto decodes and verifies it.

        An answer beyond them ends the call with :class:`osslcmp.ResponseError`, which has it as ``answer``. Raises
        ``TypeError`` for what is no :class:`osslcmp.Limits`.
        """
        self._transfer.set_limits(limits)

    @guarded
    @checked
    def set_http_cb(self, callback: Any, *, tls: bool = False) -> None:
        """Wrap each HTTP connection (``OSSL_CMP_CTX_set_http_cb``, 3.0; ``tls``: ``OSSL_CMP_OPT_USE_TLS``,
        3.2).

        ``callback`` is a C function (``OSSL_HTTP_bio_cb_t`` from :data:`osslcmp.lib`, called with the
        argument of :meth:`set_http_cb_arg`), a callable ``(bio, connect, detail) -> bio or None`` on raw
        ``BIO *``, or ``None`` for none. ``tls`` says that it makes the connection an ``https`` one.
        """
        self._transfer.set_http_cb(callback, tls=tls)

    @guarded
    def set_http_cb_arg(self, arg: Any) -> None:
        """Argument for a C function set by :meth:`set_http_cb` (``OSSL_CMP_CTX_set_http_cb_arg``, 3.0).

        A C pointer, kept alive with the context, or ``None``.
        """
        self._transfer.set_http_cb_arg(arg)

    @property
    def http_cb_arg(self) -> Any:
        """What :meth:`set_http_cb_arg` set (``OSSL_CMP_CTX_get_http_cb_arg``, 3.0)."""
        return self.calls.borrowed_by_c.get("http_cb_arg")

    @guarded
    def set_tls(self, tls: TLSInput | Any) -> None:
        """HTTPS to the server (``OSSL_CMP_CTX_set_http_cb``, 3.0, with a TLS callback in C).

        ``tls`` is an :class:`osslcmp.TLS`, ``True`` for its defaults, what to trust, or ``None`` for plain
        HTTP. It takes the place of :meth:`set_http_cb` and :meth:`set_http_cb_arg`, and works with
        ``OSSL_CMP_MSG_http_perform`` as transfer callback as well.
        """
        self._transfer.set_tls(tls)

    @guarded
    def set_transfer_cb(self, callback: Callable[[bytes], bytes] | Any | None) -> None:
        """How a message travels (``OSSL_CMP_CTX_set_transfer_cb``, 3.0).

        ``callback`` is a callable that takes the DER of a request and returns the DER of the response, a C
        function (``OSSL_CMP_transfer_cb_t``, for instance ``OSSL_CMP_CTX_server_perform`` or OpenSSL's own
        ``OSSL_CMP_MSG_http_perform``, from ``ffi.addressof(lib, name)``), or ``None`` for our HTTP transfer.
        """
        self._transfer.set_transfer_cb(callback)

    @guarded
    def set_transfer_cb_arg(self, arg: Any) -> None:
        """Argument for a C transfer function (``OSSL_CMP_CTX_set_transfer_cb_arg``, 3.0).

        A C pointer, such as the ``OSSL_CMP_SRV_CTX *`` for ``OSSL_CMP_CTX_server_perform``, or ``None``. It
        is kept alive with the context.
        """
        self._transfer.set_transfer_cb_arg(arg)

    @property
    def transfer_cb_arg(self) -> Any:
        """What :meth:`set_transfer_cb_arg` set (``OSSL_CMP_CTX_get_transfer_cb_arg``, 3.0)."""
        return self.calls.borrowed_by_c.get("transfer_cb_arg")

    @checked
    def transfer(self, request: bytes) -> bytes:
        """Bring a message as it is to the server by HTTP and return the answer, both as DER.

        Nothing is verified or remembered. Raises ``ValueError`` for what is no CMP message,
        :class:`osslcmp.TransferError`, and :class:`osslcmp.ResponseError` for an answer beyond the limits.
        """
        return self._transfer.carry(request)

    @guarded
    def set_trace(self, trace: Trace | None) -> None:
        """Record each message that is sent and received from now on; ``None`` records no more."""
        self._transfer.set_trace(trace)

    @property
    def trace(self) -> Trace | None:
        """What :meth:`set_trace` set."""
        trace: Trace | None = self.calls.state.trace
        return trace

    # -- the server ---------------------------------------------------------------------------------------

    def set_srv_cert(self, certificate: AnyCertificate | None) -> None:
        """Pin the server's certificate: answers must be signed with it (``OSSL_CMP_CTX_set1_srvCert``, 3.0)."""
        self._credentials.set_server_certificate(certificate)

    def set_expected_sender(self, name: x509.Name | str | None) -> None:
        """Name that answers must come from (``OSSL_CMP_CTX_set1_expected_sender``, 3.0)."""
        setter = lib.OSSL_CMP_CTX_set1_expected_sender
        self.calls.set(setter, name_to_c(name), what="setting the expected sender")
        self.calls.state.keep_notes = True

    def set_trusted_store(self, certificates: TrustInput) -> None:
        """Trust anchors for the server's signature (``OSSL_CMP_CTX_set0_trusted``; ``..trustedStore`` before 3.2).

        A :class:`osslcmp.CertificateCheck` brings them with CRLs, policies, purpose, time and whatever else
        ``X509_VERIFY_PARAM`` offers; its ``untrusted`` must be empty, these belong to :meth:`set_untrusted`.
        """
        self._credentials.set_trusted(certificates)

    set_trusted = set_trusted_store

    def set_server_usage(self, usage: ServerUsageInput) -> None:
        """What certificate may sign answers, besides having a valid chain: asked before anything in them is believed.

        libcrypto has no such condition: whoever has a certificate below a trust anchor can answer as the server. It
        counts for signatures that the trust store verifies, not for a pinned certificate, nor for a MAC.

        Args:
            usage: ``None``, the default here: no condition. ``"permitted"``: an end entity's certificate with an
                extended key usage must name a purpose of CMP there (id-kp-cmcCA, cmcRA, cmKGA or anyExtendedKeyUsage),
                unless it is a trust anchor itself. One or several of ``"cmcCA"``, ``"cmcRA"``, object identifiers
                (``x509.ObjectIdentifier`` or dotted) and ``"CA"``: the certificate must name one of these purposes,
                or with ``"CA"`` be a CA's.

        Raises ``TypeError`` or ``ValueError`` for something else.
        """
        permit_ta = bool(self.get_option(Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR))
        self._credentials.set_server_usage(usage, permit_ta)

    @property
    def trusted_store(self) -> list[x509.Certificate]:
        """The trust anchors (``OSSL_CMP_CTX_get0_trusted``, 3.0). May raise ``UnreadableCertificateError``."""
        return self.results.trusted()

    trusted = trusted_store

    def set_untrusted(self, certificates: Iterable[AnyCertificate]) -> None:
        """Certificates that help to build chains (``OSSL_CMP_CTX_set1_untrusted``, 3.0)."""
        self._credentials.set_untrusted(certificates)

    @property
    @locked
    def untrusted(self) -> list[x509.Certificate]:
        """Those helping, and those of answers, that ``cryptography`` reads (``OSSL_CMP_CTX_get0_untrusted``, 3.0)."""
        return convert.certs_from_c(self.calls.get(lib.OSSL_CMP_CTX_get0_untrusted))

    # -- ourselves ----------------------------------------------------------------------------------------

    def set_cert(self, certificate: AnyCertificate) -> None:
        """Our certificate for signature protection (``OSSL_CMP_CTX_set1_cert``, 3.0).

        It is also the default for the subject, the SANs and the certificate to update. Raises ``ValueError`` if
        a private key is set that does not fit.
        """
        self._credentials.set_cert(certificate)

    def set_pkey(self, key: KeyInput, password: Password = None) -> None:
        """Our private key for signature protection (``OSSL_CMP_CTX_set1_pkey``, 3.0).

        A ``cryptography`` key, PEM, DER or PKCS#12 as bytes, a path, a key URI, or a raw ``EVP_PKEY *``.
        Raises ``ValueError`` if a certificate is set that it does not fit.
        """
        self._credentials.set_pkey(key, password)

    def build_cert_chain(self, own_trusted: TrustInput, candidates: Iterable[AnyCertificate]) -> None:
        """Build the chain of our certificate to send along (``OSSL_CMP_CTX_build_cert_chain``, 3.0).

        ``candidates`` may serve as intermediates. With ``own_trusted`` the chain must end at one of these, and meet
        the conditions of a :class:`osslcmp.CertificateCheck`; with ``None`` it is taken as far as it goes. Raises
        :class:`osslcmp.OpenSSLError` if it cannot be built.
        """
        self._credentials.build_chain(own_trusted, candidates)

    def set_reference_value(self, reference: bytes | str) -> None:
        """Which secret it is: the senderKID of MAC protection (``OSSL_CMP_CTX_set1_referenceValue``, 3.0).

        ``bytes``, or a ``str`` that is encoded as UTF-8; 1 to 4096 octets.
        """
        value = secret_bytes("reference", reference, REFERENCE_LIMIT)
        self.calls.set(lib.OSSL_CMP_CTX_set1_referenceValue, value, len(value), what="setting the reference")
        self.calls.state.own_identifiers.append(value)

    def set_secret_value(self, secret: bytes | str) -> None:
        """The shared secret of MAC protection (``OSSL_CMP_CTX_set1_secretValue``, 3.0).

        ``bytes``, or a ``str`` that is encoded as UTF-8; 1 to 65535 octets. It is copied once, into memory that
        OpenSSL wipes when the context goes.
        """
        value = secret_bytes("secret", secret, SECRET_LIMIT)
        self.calls.set(lib.OSSL_CMP_CTX_set1_secretValue, value, len(value), what="setting the secret")
        self.calls.state.by_secret = True

    @guarded
    def try_protection(self) -> None:
        """Protect a message that goes nowhere (``OSSL_CMP_MSG_update_transactionID``, 3.0).

        Raises ``ValueError`` if this OpenSSL cannot do that with the credentials and algorithms that are set, which else
        the first request tells: Ed25519 keys and SHAKE in 3.0, for instance.
        """
        self._credentials.try_protection()

    # -- the header ---------------------------------------------------------------------------------------

    def set_recipient(self, name: x509.Name | str | None) -> None:
        """Name of the recipient in the header (``OSSL_CMP_CTX_set1_recipient``, 3.0).

        Without it: the subject of the pinned server certificate, the issuer asked for, and so on.
        """
        self.calls.set(lib.OSSL_CMP_CTX_set1_recipient, name_to_c(name), what="setting the recipient")

    def push_geninfo_itav(self, itav: InfoTypeAndValue) -> None:
        """Add an item to the header's generalInfo (``OSSL_CMP_CTX_push0_geninfo_ITAV``, 3.0)."""
        setter, free = lib.OSSL_CMP_CTX_push0_geninfo_ITAV, lib.OSSL_CMP_ITAV_free
        self.calls.set(setter, convert.itav_to_c(itav), what="adding to generalInfo", giving=free)

    def reset_geninfo_itavs(self) -> None:
        """Empty the header's generalInfo (``OSSL_CMP_CTX_reset_geninfo_ITAVs``, 3.0.8)."""
        require("reset_geninfo_itavs", "reset_geninfo_itavs")
        self.calls.set(lib.OSSL_CMP_CTX_reset_geninfo_ITAVs, what="resetting generalInfo")

    @property
    @locked
    def geninfo_itavs(self) -> list[InfoTypeAndValue]:
        """The generalInfo items of the last received header (``OSSL_CMP_CTX_get0_geninfo_ITAVs``, 3.3)."""
        require("geninfo_itavs", "geninfo_itavs")
        return convert.itavs_from_c(self.calls.get(lib.OSSL_CMP_CTX_get0_geninfo_ITAVs))

    def set_extra_certs_out(self, certificates: Iterable[AnyCertificate]) -> None:
        """Certificates to send in extraCerts besides our own chain (``OSSL_CMP_CTX_set1_extraCertsOut``, 3.0)."""
        stack = convert.certs_to_c(certificate_list("extra_certs_out", certificates))
        self.calls.set(lib.OSSL_CMP_CTX_set1_extraCertsOut, stack, what="setting extraCerts")

    def set_transaction_id(self, transaction_id: bytes | None) -> None:
        """The transactionID to use, ``None`` for a random one (``OSSL_CMP_CTX_set1_transactionID``, 3.0)."""
        handle = octets_to_c("transaction_id", transaction_id)
        setter = lib.OSSL_CMP_CTX_set1_transactionID
        self.calls.set(setter, handle, what="setting the transactionID", live=True)

    def set_sender_nonce(self, nonce: bytes | None) -> None:
        """The senderNonce that an answer must carry as recipNonce (``OSSL_CMP_CTX_set1_senderNonce``, 3.0)."""
        handle = octets_to_c("nonce", nonce)
        self.calls.set(lib.OSSL_CMP_CTX_set1_senderNonce, handle, what="setting the senderNonce", live=True)

    # -- the request --------------------------------------------------------------------------------------

    def set_new_pkey(
        self, key: KeyInput | key_types.PublicKeyTypes | None, password: Password = None
    ) -> None:
        """The key to certify (``OSSL_CMP_CTX_set0_newPkey``, 3.0).

        A private key in any form that :meth:`set_pkey` takes, or a ``cryptography`` public key alone where possession
        is proved otherwise (POPO none or RAVERIFIED). ``None``: the key of signature protection.
        """
        self.request.set_key(key, password)

    @property
    @locked
    def new_public_key(self) -> key_types.PublicKeyTypes | None:
        """Public part of the key to certify (``OSSL_CMP_CTX_get0_newPkey``, 3.0)."""
        pointer = self.calls.get(lib.OSSL_CMP_CTX_get0_newPkey, 0)
        return None if pointer == NULL else convert.public_key_from_c(pointer)

    @property
    @locked
    def new_pkey(self) -> key_types.PrivateKeyTypes | None:
        """Private key to certify, also a centrally generated one (``OSSL_CMP_CTX_get0_newPkey``, 3.0)."""
        pointer = self.calls.get(lib.OSSL_CMP_CTX_get0_newPkey, 1)
        return None if pointer == NULL else convert.key_from_c(pointer)

    def set_issuer(self, name: x509.Name | str | None) -> None:
        """Issuer to put into the template (``OSSL_CMP_CTX_set1_issuer``, 3.0)."""
        self.request.set_issuer(name)

    def set_serial_number(self, serial: int | None) -> None:
        """Serial number of the certificate to revoke, with the issuer (``OSSL_CMP_CTX_set1_serialNumber``, 3.2)."""
        require("serial_number", "set_serial_number")
        handle = NULL if serial is None else convert.integer_to_c(serial)
        self.calls.set(lib.OSSL_CMP_CTX_set1_serialNumber, handle, what="setting the serial number")

    def set_subject_name(self, name: x509.Name | str | None) -> None:
        """Subject to ask for (``OSSL_CMP_CTX_set1_subjectName``, 3.0).

        Without it: that of the CSR, the old certificate or our certificate.
        """
        self.request.set_subject(name)

    def push_subject_alt_name(self, name: x509.GeneralName | EncodedGeneralName) -> None:
        """Add a subject alternative name to ask for (``OSSL_CMP_CTX_push1_subjectAltName``, 3.0)."""
        if not isinstance(name, EncodedGeneralName) and not isinstance(name, x509.GeneralName):
            raise TypeError(f"subject alternative name: an x509.GeneralName, not {type(name).__name__}")
        setter = lib.OSSL_CMP_CTX_push1_subjectAltName
        self.calls.set(setter, convert.general_name_to_c(name), what="adding a subject alternative name")

    def set_req_extensions(self, extensions: Iterable[x509.Extension[Any]]) -> None:
        """Extensions to ask for (``OSSL_CMP_CTX_set0_reqExtensions``, 3.0)."""
        setter, free = lib.OSSL_CMP_CTX_set0_reqExtensions, convert.free_extensions
        self.calls.set(
            setter, convert.extensions_to_c(extensions), what="setting the extensions", giving=free
        )

    def req_extensions_have_san(self) -> bool:
        """Whether these include subject alternative names (``OSSL_CMP_CTX_reqExtensions_have_SAN``, 3.0)."""
        return self.calls.get(lib.OSSL_CMP_CTX_reqExtensions_have_SAN) == 1

    def push_policy(self, policy: x509.PolicyInformation) -> None:
        """Add a certificate policy to ask for (``OSSL_CMP_CTX_push0_policy``, 3.0)."""
        if not isinstance(policy, x509.PolicyInformation):
            raise TypeError(f"policy: an x509.PolicyInformation, not {type(policy).__name__}")
        setter, free = lib.OSSL_CMP_CTX_push0_policy, lib.POLICYINFO_free
        self.calls.set(setter, convert.policy_to_c(policy), what="adding a policy", giving=free)

    def set_old_cert(self, certificate: AnyCertificate | None) -> None:
        """Certificate to update or revoke, and reference for defaults (``OSSL_CMP_CTX_set1_oldCert``, 3.0)."""
        self.request.set_old_certificate(certificate)

    def set_p10_csr(self, request: AnyCSR | None) -> None:
        """CSR for p10cr, or source of defaults for the others (``OSSL_CMP_CTX_set1_p10CSR``, 3.0)."""
        self.request.set_csr(request)

    @checked
    def setup_crm(self, *, for_kur: bool = False, rid: int = 0) -> CertReqMsg:
        """The certificate request message that a request would carry (``OSSL_CMP_CTX_setup_CRM``, 3.0).

        It has no proof of possession yet: :meth:`create_popo` adds that of this context. ``for_kur`` names the old
        certificate in it; ``rid`` is its certReqId, which OpenSSL wants to be 0 when it is sent.
        """
        return self.request.setup_crm(for_kur, rid)

    def create_popo(self, crm: CertReqMsg) -> None:
        """Prove possession of the key to certify, by this context's method (``OSSL_CRMF_MSG_create_popo``, 3.0)."""
        self.request.create_popo(crm)

    def push_genm_itav(self, itav: InfoTypeAndValue) -> None:
        """Add an item to the general message to send (``OSSL_CMP_CTX_push0_genm_ITAV``, 3.0)."""
        setter, free = lib.OSSL_CMP_CTX_push0_genm_ITAV, lib.OSSL_CMP_ITAV_free
        self.calls.set(setter, convert.itav_to_c(itav), what="adding to the general message", giving=free)

    # -- certificate confirmation -------------------------------------------------------------------------

    def set_cert_conf_cb(self, callback: ConfirmCallback | CertConf | CData | None) -> None:
        """Decide about a new certificate before it is confirmed (``OSSL_CMP_CTX_set_certConf_cb``, 3.0).

        ``callback`` is :data:`osslcmp.certconf`, a C function (``OSSL_CMP_certConf_cb_t``), ``None`` for
        OpenSSL's default, or a callable. The callable gets the certificate and a :class:`osslcmp.FailureInfo` with
        what OpenSSL found wrong so far (0: nothing), say that it is for another key. It returns

        - ``None`` to leave it at what OpenSSL found: a callback that only looks on accepts nothing that OpenSSL refuses;
        - ``True`` (or 0, as in C) to accept, even what OpenSSL found wrong;
        - ``False``, a :class:`osslcmp.FailureInfo` or a text for the server to refuse.

        It also refuses by raising: then the exception reaches the caller unchanged, its text goes to the server, and
        its ``__context__`` is the :class:`osslcmp.ConfirmError` with the certificate.
        """
        self._confirmation.set_callback(callback)

    @property
    def cert_conf_cb(self) -> Any:
        """What :meth:`set_cert_conf_cb` set."""
        return self._confirmation.callback

    def set_cert_conf_cb_arg(self, trusted: Sequence[AnyCertificate] | CertificateCheck | Any | None) -> None:
        """Argument of the certConf callback (``OSSL_CMP_CTX_set_certConf_cb_arg``, 3.0).

        For :data:`osslcmp.certconf`: the certificates that the new certificate must chain to, or a
        :class:`osslcmp.CertificateCheck` (without ``untrusted``). For a C function: a C pointer, kept alive with the
        context.
        """
        self._confirmation.set_arg(trusted)

    @property
    def cert_conf_cb_arg(self) -> Any:
        """What :meth:`set_cert_conf_cb_arg` set (``OSSL_CMP_CTX_get_certConf_cb_arg``, 3.0)."""
        return self._confirmation.arg

    # -- certificate requests -----------------------------------------------------------------------------

    def exec_ir_ses(self) -> x509.Certificate:
        """Initialization: :meth:`exec_certreq` with ``IR`` (``OSSL_CMP_exec_IR_ses``, 3.0)."""
        return self.exec_certreq(IR)

    def exec_cr_ses(self) -> x509.Certificate:
        """Certification: :meth:`exec_certreq` with ``CR`` (``OSSL_CMP_exec_CR_ses``, 3.0)."""
        return self.exec_certreq(CR)

    def exec_p10cr_ses(self) -> x509.Certificate:
        """Certification by CSR: :meth:`exec_certreq` with ``P10CR`` (``OSSL_CMP_exec_P10CR_ses``, 3.0)."""
        return self.exec_certreq(P10CR)

    def exec_kur_ses(self) -> x509.Certificate:
        """Key update: :meth:`exec_certreq` with ``KUR`` (``OSSL_CMP_exec_KUR_ses``, 3.0)."""
        return self.exec_certreq(KUR)

    @guarded
    def exec_certreq(self, req_type: BodyType | int, crm: Any = None) -> x509.Certificate:
        """A whole transaction with polling and confirmation (``OSSL_CMP_exec_certreq``, 3.0).

        ``req_type`` is ``IR``, ``CR``, ``P10CR`` or ``KUR``; ``crm`` a :class:`osslcmp.CertReqMsg` (or raw
        ``OSSL_CRMF_MSG *``) to send instead of one made from the context. Returns the new certificate. Raises
        :class:`osslcmp.CMPError` (an ``UnreadableCertificateError`` though it is confirmed), and what a callback raised.
        It is ``OSSL_CMP_try_certreq`` in a loop, whose sleeps a signal ends: unlike C it then goes on with what waits.
        """
        return self.polling.certificate(req_type, crm)

    @guarded
    def try_certreq(self, req_type: BodyType | int, crm: Any = None) -> x509.Certificate | None:
        """Start a transaction, or poll once in one that waits (``OSSL_CMP_try_certreq``, 3.0).

        Returns the new certificate; ``None`` while the server says *waiting*, then :attr:`check_after` holds the
        seconds to let pass before the next call. A negative ``req_type`` aborts a waiting transaction: it tells
        the server by an error message and returns ``None``. The total timeout counts from the first call on.
        """
        if isinstance(req_type, int) and req_type < 0:
            self.polling.abort(None)
            return None
        return self.new_cert if self.polling.next_step(req_type, crm) else None

    @property
    def check_after(self) -> int | None:
        """Seconds that the server asked to wait before the next poll, after :meth:`try_certreq` returned ``None``."""
        return self.polling.check_after

    @property
    def reason(self) -> str | None:
        """Why the server lets us wait, in its words; ``None`` when nothing is pending."""
        return self.polling.reason

    @property
    def on_wait(self) -> OnWait | None:
        """Called with an :class:`osslcmp.Progress` before each sleep of the methods that wait; may be set."""
        return self.polling.on_wait

    @on_wait.setter
    def on_wait(self, on_wait: OnWait | None) -> None:
        check_on_wait(on_wait)
        self.polling.on_wait = on_wait

    @property
    def pending(self) -> bool:
        """Whether an answer is to be polled for, by :meth:`try_certreq`."""
        return self.polling.pending

    @property
    def unconfirmed(self) -> Enrollment | None:
        """The certificate whose confirmation the server delays."""
        return self.polling.unconfirmed

    # -- other requests -----------------------------------------------------------------------------------

    @guarded
    def exec_rr_ses(self) -> None:
        """Revoke a certificate (``OSSL_CMP_exec_RR_ses``, 3.0).

        Which one tell :meth:`set_old_cert`, or :meth:`set_issuer` and :meth:`set_serial_number` (3.2), or
        :meth:`set_p10_csr`. Statuses accepted and grantedWithMods succeed; revocationWarning and
        revocationNotification succeed with a warning in :attr:`status`; the others raise
        :class:`osslcmp.RejectedError`.
        """
        self.polling.complete(self.polling.exchanges.rr())

    @guarded
    def exec_genm_ses(self) -> list[InfoTypeAndValue]:
        """Send a general message and return the answer's items (``OSSL_CMP_exec_GENM_ses``, 3.0).

        The items to send come from :meth:`push_genm_itav`; :meth:`reinit` empties them.
        """
        return self.polling.complete(self.polling.exchanges.genm())

    @guarded
    def get_ca_certs(self) -> list[x509.Certificate]:
        """CA certificates that the server hands out (``OSSL_CMP_get1_caCerts``, 3.2)."""
        found = self.polling.complete(self.polling.exchanges.ca_certs())
        return list(map(convert.cert_from_der, found))

    @guarded
    @checked
    def get_root_ca_key_update(self, old: AnyCertificate | None) -> RootCAUpdate | None:
        """The root that follows ``old``; ``None`` if there is none (``OSSL_CMP_get1_rootCaKeyUpdate``, 3.2).

        OpenSSL verifies the new root with ``old`` as far as the transition certificates allow. The trust in it cannot
        be stronger than that in ``old``; without ``old``, than the weakest in the trust store.
        """
        from .general import root_ca_update

        return root_ca_update(self.polling.complete(self.polling.exchanges.root_ca_key_update(old)))

    @guarded
    @checked
    def get_crl_update(
        self, certificate: AnyCertificate | None, last_crl: AnyCRL | None
    ) -> x509.CertificateRevocationList | None:
        """A CRL newer than ``last_crl``, or for ``certificate``; ``None`` if none is (``OSSL_CMP_get1_crlUpdate``, 3.4).

        Raises :class:`osslcmp.UnreadableCRLError` for one that only OpenSSL reads.
        """
        found = self.polling.complete(self.polling.exchanges.crl_update(certificate, last_crl))
        return None if found is None else convert.crl_from_der(found)

    @guarded
    def get_cert_req_template(self) -> CertReqTemplate | None:
        """What requests must look like; ``None``: no such wishes (``OSSL_CMP_get1_certReqTemplate``, 3.4)."""
        return self.polling.complete(self.polling.exchanges.cert_req_template())

    # -- results ------------------------------------------------------------------------------------------

    @property
    def status(self) -> PKIStatus:
        """Status of the last transaction (``OSSL_CMP_CTX_get_status``, 3.0).

        ``accepted`` does not mean that there is a certificate: only the call's return value does. It stays ``waiting``
        when a poll gets no answer: from 3.3 on libcrypto forgets that, but here it can be polled again.
        """
        return self.polling.status

    @property
    def fail_info(self) -> FailureInfo:
        """Failure bits that the server sent (``OSSL_CMP_CTX_get_failInfoCode``, 3.0)."""
        return self.calls.get(get_fail_info)

    fail_info_code = fail_info

    @property
    def status_string(self) -> list[str]:
        """Texts that the server sent (``OSSL_CMP_CTX_get0_statusString``, 3.0)."""
        return self.calls.get(get_status_string)

    def snprint_pki_status(self) -> str:
        """Status, failure bits and texts as OpenSSL words them (``OSSL_CMP_CTX_snprint_PKIStatus``, 3.0)."""
        buffer, size = ffi.new("char[]", lib.OSSL_CMP_PKISI_BUFLEN), lib.OSSL_CMP_PKISI_BUFLEN
        return text_from_c(self.calls.get(lib.OSSL_CMP_CTX_snprint_PKIStatus, buffer, size))

    @property
    def enrollment(self) -> Enrollment | None:
        """The new certificate and what came with it, as DER, too: what is below raises for what only OpenSSL reads."""
        return None if self.calls.get(lib.OSSL_CMP_CTX_get0_newCert) == NULL else self.results.enrollment()

    @property
    def new_cert(self) -> x509.Certificate | None:
        """The certificate that came, even if it was not accepted (``OSSL_CMP_CTX_get0_newCert``, 3.0)."""
        return self.results.certificate(lib.OSSL_CMP_CTX_get0_newCert)

    @property
    def new_chain(self) -> list[x509.Certificate]:
        """Its chain without itself, if one was built (``OSSL_CMP_CTX_get1_newChain``, 3.0). See :attr:`enrollment`."""
        return self.results.certificates(lib.OSSL_CMP_CTX_get1_newChain)

    @property
    def ca_pubs(self) -> list[x509.Certificate]:
        """CA certificates in the answer's caPubs (``OSSL_CMP_CTX_get1_caPubs``, 3.0).

        To be trusted only if the answer was protected by a shared secret: RFC 9810 section 5.3.2.
        """
        return self.results.certificates(lib.OSSL_CMP_CTX_get1_caPubs)

    @property
    def extra_certs_in(self) -> list[x509.Certificate]:
        """Those of the answer's extraCerts that ``cryptography`` reads (``OSSL_CMP_CTX_get1_extraCertsIn``, 3.0)."""
        return convert.certs_from_c(convert.own_certs(self.calls.get(lib.OSSL_CMP_CTX_get1_extraCertsIn)))

    @property
    def validated_srv_cert(self) -> x509.Certificate | None:
        """The server's validated certificate (``OSSL_CMP_CTX_get0_validatedSrvCert``, 3.2)."""
        require("validated_server_certificate", "validated_srv_cert")
        return self.results.certificate(lib.OSSL_CMP_CTX_get0_validatedSrvCert)

    @property
    def central_key(self) -> key_types.PrivateKeyTypes | None:
        """The private key that the CA made and sent (``OSSL_CMP_CTX_get0_newPkey``, 3.5), else ``None``."""
        return self.results.central_key()
