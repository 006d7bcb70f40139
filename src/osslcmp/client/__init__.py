"""A CMP client: one method per request type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._arguments import several
from .._asn1.itav import InfoTypeAndValue
from .._lazy import in_use, key_types, x509
from .._openssl import inputs
from .._openssl.certificate_check import CertificateCheck
from .._openssl.inputs import CertificateInput, CertificatesInput, CSRInput, KeyInput
from .._openssl.keys import Password, private_key
from .._openssl.name_texts import encode_name
from .._openssl.names import algorithm
from .._openssl.providers import LibraryContext, made_in
from ..context import Context
from ..context.calls import MESSAGE_TIMEOUT
from ..context.credentials import REFERENCE_LIMIT, SECRET_LIMIT
from ..context.deadline import OnWait, check_seconds
from ..context.polling import Exchange, certificate_request
from ..context.server_usage import PERMITTED, ServerUsageInput
from ..enrollment import Enrollment
from ..enums import BodyType, Option, RevocationReason
from ..limits import Limits
from ..transport.address import Address, Transport, parse_url
from .arguments import BeginArguments, EnrollArguments, P10Arguments, Unpack
from .general import GeneralMessages
from .request import CertificateRequest, Confirm
from .settings import ResumeConditions, Setter, Settings, itavs, option, optional, unless
from .signatures import shown
from .transaction import Transaction

if TYPE_CHECKING:
    from .._openssl.tls import TLSInput
    from ..trace import Trace
    from .revocation import Revocation

_T = TypeVar("_T")


class Client(GeneralMessages):
    """Enrols, updates and revokes certificates at a CMP server, with OpenSSL's own implementation.

    Each request uses a fresh :class:`osslcmp.Context`, so that a client may be used from many threads at once.

    Args:
        server: ``http[s]://host[:port][/path]``; ``None`` only with ``transport``.
        reference: which shared secret it is (bytes, or str as UTF-8); may be left out if the server knows.
        secret: the shared secret for MAC protection (bytes, or str as UTF-8).
        certificate: our certificate for signature protection: object, PEM/DER bytes or path.
        key: its private key: object, PEM, DER or PKCS#12 bytes, path, or a key URI (``pkcs11:...``, ``file:...``).
        key_password: for an encrypted key: bytes, str, or a callable that returns either.
        chain: certificates between ours and its trust anchor, sent along.
        trusted: trust anchors for the server's signature: one or many objects, PEM/DER bytes, paths. By themselves they
            let everybody below them answer as the server whom ``server_usage`` does not exclude: better say who it is
            by ``server_usage``, ``expected_sender`` or ``server_certificate``. A :class:`osslcmp.CertificateCheck`
            brings them with conditions for the path: CRLs, policies, purpose, time, partial chains and the like.
        untrusted: further certificates that help to build chains.
        server_certificate: pins the server: its signatures must be made with this certificate.
        expected_sender: name that answers must come from; default: the subject of the pinned certificate.
        server_usage: what a certificate below ``trusted`` must be for whose owner may answer as the server. By default
            (``"permitted"``) not for something else alone: if it has an extended key usage, that must name id-kp-cmcCA,
            cmcRA, cmKGA or any, or the certificate must be a CA's. ``"cmcRA"``, ``["cmcCA", "cmcRA", "CA"]``, ...: it
            must name one of these, or be a CA's. ``None``: whoever is below ``trusted`` may, as in OpenSSL. See
            :meth:`osslcmp.Context.set_server_usage`.
        recipient: name of the server in the header; default: what OpenSSL derives.
        sender: our name in the header of requests under a shared secret, for servers that look the secret up by it;
            default: the subject that is asked for. Under a signature it is the subject of ``certificate``.
        extra_certs: certificates to send in extraCerts.
        general_info: :class:`osslcmp.InfoTypeAndValue` items for the header.
        keep_alive: keep the HTTP connection within a transaction: False, True (if the server agrees), or 2
            (require).
        message_timeout: seconds for one message and its answer; 0: no limit.
        total_timeout: seconds for a whole request with all its polling; ``None`` or 0: no limit.
        tls: for https, an :class:`osslcmp.TLS` or what to trust; default: the system's trust anchors.
        proxy: HTTP proxy, ``http://[user:password@]host:port``; default: the environment decides, ``""``:
            none.
        no_proxy: servers to reach without it, as curl takes them; default: the environment decides. See
            :meth:`osslcmp.Context.set_no_proxy`.
        transport: a callable from request DER to response DER, instead of HTTP.
        digest: hash for signatures, ``"sha256"`` by default; a name that OpenSSL knows.
        owf: hash of password-based MAC (default SHA-256).
        mac: its MAC (default HMAC-SHA1).
        unprotected_errors: accept negative answers without or with wrong protection.
        unprotected_requests: send requests without protection.
        ignore_key_usage: accept a signer's certificate whose key usage lacks digitalSignature.
        trace: an :class:`osslcmp.Trace` that records all messages.
        library: an :class:`osslcmp.LibraryContext` to do all cryptography in.
        max_response_length: longest HTTP response in octets; 0: OpenSSL's 100 KiB.
        limits: an :class:`osslcmp.Limits`: what an answer may carry, before anything of it is decoded or verified.

    Raises ``TypeError`` or ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        reference: bytes | str | None = None,
        secret: bytes | str | None = None,
        certificate: CertificateInput | None = None,
        key: KeyInput | None = None,
        key_password: Password = None,
        chain: CertificatesInput | None = None,
        trusted: CertificatesInput | CertificateCheck | None = None,
        untrusted: CertificatesInput | None = None,
        server_certificate: CertificateInput | None = None,
        expected_sender: x509.Name | str | None = None,
        server_usage: ServerUsageInput = PERMITTED,
        recipient: x509.Name | str | None = None,
        sender: x509.Name | str | None = None,
        extra_certs: CertificatesInput | None = None,
        general_info: Iterable[InfoTypeAndValue] = (),
        keep_alive: bool | int = True,
        message_timeout: int = 60,
        total_timeout: float | None = 600,
        tls: TLSInput = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        transport: Transport | None = None,
        digest: str | None = None,
        owf: str | None = None,
        mac: str | None = None,
        unprotected_errors: bool = False,
        unprotected_requests: bool = False,
        ignore_key_usage: bool = False,
        max_response_length: int = 0,
        limits: Limits | None = None,
        library: LibraryContext | None = None,
        trace: Trace | None = None,
    ) -> None:
        if (server is None) == (transport is None):
            raise TypeError("server, transport: give one of the two")
        if transport is not None and not callable(transport):
            raise TypeError(f"transport: a callable from bytes to bytes, not {type(transport).__name__}")
        if (certificate is None) != (key is None):
            raise ValueError("certificate, key: signature protection needs both")
        if reference is not None and secret is None:
            raise ValueError("reference: is of no use without a secret")
        if certificate is None and secret is None and not unprotected_requests:
            raise ValueError("credentials: give secret (and reference), or certificate and key")
        if sender is not None and certificate is not None:
            raise ValueError("sender: is the subject of the certificate")
        check_seconds("total_timeout", total_timeout)
        if not isinstance(library, LibraryContext | None):
            raise TypeError(f"library: an osslcmp.LibraryContext, not {type(library).__name__}")
        address = optional(parse_url, server)
        own = optional(partial(inputs.any_certificate, "certificate"), certificate)
        own_key = optional(partial(_private_key, library, password=key_password), key)
        own_chain = inputs.any_certificates("chain", chain)
        anchors, helping = _trust(trusted, untrusted)
        own_name = optional(partial(encode_name, what="sender"), sender)
        tls_made = _tls(address, tls, library)
        setters: list[tuple[Setter, Any]] = [(Context.set_transfer_cb, transport)]
        if address is not None:
            setters = [
                (lambda context, where: where.apply(context), address),
                (Context.set_tls, tls_made),
                (Context.set_proxy, proxy),
                (Context.set_no_proxy, no_proxy),
                (Context.set_max_response_length, max_response_length),
            ]
        setters += [
            (Context.set_limits, unless(Limits(), limits)),
            (Context.set_trace, trace),
            (option(Option.KEEP_ALIVE, "keep_alive"), unless(True, keep_alive)),
            (option(Option.MSG_TIMEOUT, "message_timeout"), unless(MESSAGE_TIMEOUT, message_timeout)),
            (option(Option.UNPROTECTED_ERRORS, "unprotected_errors"), unless(False, unprotected_errors)),
            (option(Option.UNPROTECTED_SEND, "unprotected_requests"), unless(False, unprotected_requests)),
            (option(Option.IGNORE_KEYUSAGE, "ignore_key_usage"), unless(False, ignore_key_usage)),
            (option(Option.DIGEST_ALGNID, "digest"), optional(partial(algorithm, "digest"), digest)),
            (option(Option.OWF_ALGNID, "owf"), optional(partial(algorithm, "owf"), owf)),
            (option(Option.MAC_ALGNID, "mac"), optional(partial(algorithm, "mac"), mac)),
            (Context.set_secret_value, optional(_secret("secret", SECRET_LIMIT), secret)),
            (Context.set_reference_value, optional(_secret("reference", REFERENCE_LIMIT), reference)),
            (Context.set_cert, own),
            (Context.set_pkey, own_key),
            (Context.set_untrusted, [*helping, *own_chain] or None),
            (lambda context, chain: context.build_cert_chain(None, chain), (own and own_chain) or None),
            (Context.set_server_usage, _several(server_usage)),
            (Context.set_trusted_store, anchors or None),
            (
                Context.set_srv_cert,
                optional(partial(inputs.any_certificate, "server_certificate"), server_certificate),
            ),
            (
                Context.set_expected_sender,
                optional(partial(encode_name, what="expected_sender"), expected_sender),
            ),
            (Context.set_recipient, optional(partial(encode_name, what="recipient"), recipient)),
            # Without a certificate, OpenSSL takes the sender from there.
            (Context.set_subject_name, own_name),
            (Context.set_extra_certs_out, inputs.any_certificates("extra_certs", extra_certs) or None),
            *((Context.push_geninfo_itav, itav) for itav in itavs("general_info", general_info)),
        ]
        self._settings = Settings(
            setters, address, transport, own, own_key, own_name, message_timeout, library, trace
        )
        self._total_timeout = None if total_timeout in (0, math.inf) else total_timeout
        # Whatever cannot work is told here, not at the first request.
        self._settings.context().try_protection()

    def __enter__(self) -> Client:  # noqa: PYI034
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the credentials: further requests raise ``RuntimeError``, transactions that were begun go on.

        There is no connection to close: each is that of a request. ``with Client(...) as client`` does it at the end.
        """
        self._settings.close()

    def __repr__(self) -> str:
        address = self._settings.address
        where = "transport" if address is None else f"{address.host}:{address.port}{address.path}"
        return f"<osslcmp.Client for {where}>"

    @property
    def trace(self) -> Trace | None:
        """What records this client's messages."""
        return self._settings.trace

    # -- certificates -------------------------------------------------------------------------------------

    @shown(EnrollArguments)
    def ir(
        self, key: KeyInput | key_types.PublicKeyTypes | None = None, **request: Unpack[EnrollArguments]
    ) -> Enrollment:
        """Initialization request: an end entity's first certificate (``OSSL_CMP_exec_IR_ses``, 3.0).

        Takes the arguments of :meth:`begin` and returns an :class:`osslcmp.Enrollment`. Polls as long as the
        server says *waiting*, at most ``total_timeout`` seconds, and confirms. ``on_wait`` is called before each sleep
        with the :class:`osslcmp.Transaction`, which it may :meth:`osslcmp.Transaction.dump`; what it raises ends the
        call.

        Raises :class:`osslcmp.RejectedError` if the server refuses, :class:`osslcmp.TransferError` (with
        ``.transaction`` if the request is pending there), :class:`osslcmp.ProtectionError`,
        :class:`osslcmp.ResponseError`, :class:`osslcmp.RequestError`, and :class:`osslcmp.ConfirmError` (with
        ``.enrollment``) if a certificate came that was not accepted or not confirmed.
        """
        return self._enroll(BodyType.IR, key=key, **request)

    @shown(EnrollArguments)
    def cr(
        self, key: KeyInput | key_types.PublicKeyTypes | None = None, **request: Unpack[EnrollArguments]
    ) -> Enrollment:
        """Certification request: a further certificate (``OSSL_CMP_exec_CR_ses``, 3.0). Like :meth:`ir`."""
        return self._enroll(BodyType.CR, key=key, **request)

    @shown(P10Arguments)
    def p10cr(self, csr: CSRInput, **request: Unpack[P10Arguments]) -> Enrollment:
        """Certification request by a PKCS#10 CSR (``OSSL_CMP_exec_P10CR_ses``, 3.0). Like :meth:`ir`."""
        return self._enroll(BodyType.P10CR, csr=csr, **request)

    @shown(EnrollArguments)
    def kur(
        self, key: KeyInput | key_types.PublicKeyTypes | None = None, **request: Unpack[EnrollArguments]
    ) -> Enrollment:
        """Key update request (``OSSL_CMP_exec_KUR_ses``, 3.0). Like :meth:`ir`.

        ``key`` is the new key; ``certificate=`` the one to update, by default the client's own.
        """
        return self._enroll(BodyType.KUR, key=key, **request)

    def _enroll(self, req_type: BodyType, *, on_wait: OnWait | None = None, **request: Any) -> Enrollment:
        transaction = self._prepare(req_type, **request)
        try:
            return transaction.wait(self._total_timeout, on_wait)
        finally:
            transaction.context.disconnect()

    @shown(BeginArguments)
    def begin(self, req_type: BodyType | int | str, **request: Unpack[BeginArguments]) -> Transaction:
        """Send a certificate request without waiting for its end (``OSSL_CMP_try_certreq``, 3.0).

        ``req_type`` is ``osslcmp.IR``, ``CR``, ``P10CR`` or ``KUR`` (or its name). Returns a
        :class:`osslcmp.Transaction`, which is done already if the server answered at once. The further arguments,
        all by keyword, are those of :class:`osslcmp.CertificateRequest`.
        """
        transaction = self._prepare(_body_type(req_type), **request)
        transaction.poll()
        return transaction

    def _prepare(self, req_type: BodyType, **request: Any) -> Transaction:
        made = CertificateRequest(**request)
        context = self._untimed_context()
        conditions = ResumeConditions(
            confirm=made.confirm is not None or made.check is not None or made.confirm_trusted is not None,
            disable_confirm=made.disable_confirm,
            central_key=made.central_key,
            encrypted_value=made.encrypted_value,
            server=None if self._settings.address is None else self._settings.address.url,
        )
        return Transaction(context, req_type, made.apply(context, req_type, self._settings), conditions)

    def _untimed_context(self) -> Context:
        """Waiting is counted by the transaction: one that times out there can go on."""
        context = self._settings.context()
        context.options.total_timeout = 0
        return context

    def resume(
        self,
        dump: bytes,
        *,
        key: KeyInput | None = None,
        key_password: Password = None,
        confirm: Confirm = None,
        confirm_trusted: CertificatesInput | None = None,
        check: CertificateCheck | None = None,
    ) -> Transaction:
        """Go on with a request that waits at the server, from :meth:`osslcmp.Transaction.dump`.

        Needs a client with the same credentials and trust. Nothing is sent before the first
        :meth:`osslcmp.Transaction.poll`, but the server's last messages are decoded and verified again
        (``OSSL_CMP_try_certreq``, OpenSSL 3.0).

        Args:
            dump: what ``dump()`` returned.
            key: is not needed; if given it is checked to be the one that was asked for.
            key_password: of an encrypted ``key``.
            confirm: a condition for the new certificate, as in :class:`osslcmp.CertificateRequest`. If the request was
                begun with conditions, they must be given again.
            confirm_trusted: a condition, as in :class:`osslcmp.CertificateRequest`.
            check: a condition, as in :class:`osslcmp.CertificateRequest`.

        Returns:
            The transaction, waiting.

        Raises:
            ValueError: the dump is damaged or of an unknown version, ``key`` does not fit, or conditions are missing.
            ProtectionError: the server's last messages are not protected by what this client trusts.
            ResponseError: they do not belong to the request, or are beyond this client's limits.
            OpenSSLError: libcrypto refuses them, or the settings of this client, for another reason.
            UnsupportedError: the request needs a newer OpenSSL.
        """
        from .dump import load, restore

        found = load(dump)
        conditions = CertificateRequest(
            confirm=confirm,
            confirm_trusted=confirm_trusted,
            check=check,
            central_key=found.terms.central_key,
            encrypted_value=found.terms.encrypted_value,
        )
        if found.terms.confirm and confirm is None and confirm_trusted is None and check is None:
            raise ValueError(
                "confirm: the request was begun with a condition for the new certificate: give it again "
                "(confirm, confirm_trusted or check)"
            )
        context = self._untimed_context()
        crm = restore(found, context, key, key_password)
        conditions.apply_confirmation(context)
        return Transaction._resumed(context, found, crm)

    # -- the rest -----------------------------------------------------------------------------------------

    def rr(
        self,
        certificate: CertificateInput | None = None,
        *,
        issuer: x509.Name | str | None = None,
        serial: int | None = None,
        csr: CSRInput | None = None,
        reason: RevocationReason | x509.ReasonFlags | str | int | None = RevocationReason.unspecified,
        on_wait: OnWait | None = None,
    ) -> Revocation:
        """Revocation request (``OSSL_CMP_exec_RR_ses``, 3.0).

        Names the certificate by itself, by ``issuer`` and ``serial``, or by the ``csr`` that it was made from;
        by default it is the client's own. ``reason`` is an :class:`osslcmp.RevocationReason`, its name, its number or an
        ``x509.ReasonFlags``; ``None`` sends none, which some servers refuse. ``on_wait`` is as for
        :meth:`genm`. Returns a :class:`osslcmp.Revocation`, whose ``status`` may be a warning. Raises what
        :meth:`ir` raises.
        """
        from .revocation import revoke

        own, sender = self._settings.certificate, self._settings.sender
        return self._ask(
            lambda context: revoke(context, own, certificate, issuer, serial, csr, reason, sender), on_wait
        )

    def _ask(self, send: Callable[[Context], Exchange[_T]], on_wait: OnWait | None) -> _T:
        context = self._timed_context()
        context.on_wait = on_wait
        with context.connection():
            return context.polling.complete(send(context))

    def _timed_context(self) -> Context:
        context = self._settings.context()
        total = 0 if self._total_timeout is None else math.ceil(self._total_timeout)
        context.set_option(Option.TOTAL_TIMEOUT, total)
        return context


def _tls(address: Address | None, tls: TLSInput, library: LibraryContext | None) -> Any:
    """TLS for a server, made once; ``None`` if it is not asked by https."""
    https = address is not None and address.tls
    if tls is None and not https:
        return None
    from .._openssl.tls import TLS, tls_settings
    from .._openssl.tls_context import tls_to_c

    settings = tls_settings(tls)
    if not https:
        if settings is not None:
            raise ValueError("tls: is of no use without a server with https")
        return None
    if tls is False:
        raise ValueError("tls: False, but the server's URL says https")
    return tls_to_c(settings or TLS(), library)


def _trust(
    trusted: CertificatesInput | CertificateCheck | None, untrusted: CertificatesInput | None
) -> tuple[list[inputs.AnyCertificate] | CertificateCheck, list[inputs.AnyCertificate]]:
    """Trust anchors, which may have conditions, and the certificates that help."""
    helping = inputs.any_certificates("untrusted", untrusted)
    if not isinstance(trusted, CertificateCheck):
        return inputs.any_certificates("trusted", trusted), helping
    if not trusted.trusted:
        raise ValueError("trusted: the CertificateCheck has no trust anchor")
    more = inputs.any_certificates("untrusted", trusted.untrusted)
    return replace(trusted, untrusted=None), [*helping, *more]


def _secret(what: str, limit: int) -> Callable[[bytes | str], bytes]:
    return lambda value: inputs.secret_bytes(what, value, limit)


def _several(usage: ServerUsageInput) -> ServerUsageInput:
    """What may be iterated only once, for many contexts."""
    if usage is None or isinstance(usage, str) or (in_use() and isinstance(usage, x509.ObjectIdentifier)):
        return usage
    return several("server_usage", usage)


def _private_key(library: LibraryContext | None, key: KeyInput, password: Password) -> Any:
    """The client's key, made once: C shares it among contexts by counting references."""
    with made_in(library):
        return private_key("key", key, password)


def _body_type(req_type: BodyType | int | str) -> BodyType:
    named = BodyType.__members__.get(req_type.upper()) if isinstance(req_type, str) else None
    return certificate_request(req_type if named is None else named)
