"""One ``OSSL_CMP_SRV_CTX`` with a fresh ``OSSL_CMP_CTX``: what libcrypto does for one transaction.

A context that is used again for the next transaction keeps too much of the last one: the client's
certificates, on some releases even that its chain was once valid. The objects that go into it (key,
certificates, trust store) are the costly part; a pool lends them, to one transaction at a time because
OpenSSL caches into them without a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from .._asn1 import der, oids
from .._asn1.itav import InfoTypeAndValue
from .._asn1.x509_parts import subject_of
from .._openssl import convert
from .._openssl.callbacks import CallState, current, log_level
from .._openssl.certificate_check import CertificateCheck
from .._openssl.errorqueue import check, clear, drain
from .._openssl.inputs import AnyCertificate, any_certificates
from .._openssl.lib import NULL, features, ffi, lib, openssl_version
from .._openssl.names import number_of
from .._openssl.ownership import cert_stack, give_to_c, own
from .._openssl.received import own_message_from_der, trial_message
from .._openssl.signers import check_signer, key_identifier
from .._openssl.verify import store_to_c
from ..enums import Option, Severity
from ..errors import ErrorEntry, OpenSSLError
from . import callbacks, messages, wire

KNOWN_CERTIFICATES = 32
SPARE = 32
"""How many Credentials are kept that nobody uses: as many as messages are worked on at once, more or less."""
PVNOS = frozenset({2, 3} if hasattr(lib, "OSSL_CMP_PVNO_3") else {2})
"""The protocol versions that the loaded libcrypto accepts."""

_HMACS = frozenset({oids.IPSEC_HMAC_SHA1, oids.HMAC_SHA1, *oids.HMAC_SHA2})
"""What libcrypto computes a password-based MAC with; its setter takes anything."""


@dataclass(frozen=True)
class Settings:
    """What all contexts of a server have in common."""

    certificate: AnyCertificate | None = None
    key: Any = field(default=None, repr=False)
    """An ``EVP_PKEY *`` or None. The one object that all contexts share: it may live in a token."""
    chain: tuple[AnyCertificate, ...] = ()
    clients: CertificateCheck = field(default_factory=lambda: CertificateCheck(trusted=()))
    """What the path to a client's certificate must be like."""
    send_unprotected_errors: bool = False
    accept_unprotected: bool = False
    accept_raverified: bool = False
    grant_implicit_confirm: bool = True

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a certificate that libcrypto must not meet as the signer of a message."""
        for what, certificates in (
            ("chain", self.chain),
            ("trusted", self.clients.trusted),
            ("untrusted", self.clients.untrusted),
        ):
            for certificate in any_certificates(what, certificates):
                check_signer(what, certificate)


class Credentials:
    """The settings as C objects. Used by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.certificate = None if settings.certificate is None else convert.cert_to_c(settings.certificate)
        helping = (*settings.chain, *any_certificates("untrusted", settings.clients.untrusted))
        switches = (
            (lib.OSSL_CMP_SRV_CTX_set_send_unprotected_errors, settings.send_unprotected_errors),
            (lib.OSSL_CMP_SRV_CTX_set_accept_unprotected, settings.accept_unprotected),
            (lib.OSSL_CMP_SRV_CTX_set_accept_raverified, settings.accept_raverified),
            (lib.OSSL_CMP_SRV_CTX_set_grant_implicit_confirm, settings.grant_implicit_confirm),
        )
        self.switches = [function for function, value in switches if value]
        """What turns something on that is off in a new context."""
        self.helping = [convert.cert_to_c(certificate) for certificate in helping]
        anchors = any_certificates("trusted", settings.clients.trusted)
        self.signers = [convert.encoded(certificate) for certificate in (*settings.chain, *anchors)]
        """Those (DER) that may have signed a message without coming along."""
        self.untrusted = cert_stack(self.helping) if self.helping else None
        """The same as a STACK_OF(X509)."""
        self.store = store_to_c(settings.clients) if settings.clients.trusted else None
        if self.store is not None:
            lib.X509_STORE_set_verify_cb(self.store, ffi.addressof(lib, "osslcmp_validate_quietly_cb"))
        self._known: dict[x509.Certificate | bytes, Any] = {}

    def handle(self, certificate: x509.Certificate | bytes) -> Any:
        """A certificate that is sent again and again as a C object; OpenSSL 3.0 takes long to decode one."""
        if certificate not in self._known:
            if len(self._known) >= KNOWN_CERTIFICATES:
                self._known.clear()
            self._known[certificate] = convert.cert_to_c(certificate)
        return self._known[certificate]


class Pool:
    """A pool of Credentials, made anew whenever none is free."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free: list[Credentials] = []
        self._lock = threading.RLock()

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._lock:
            self._settings = settings
            self._free.clear()

    def acquire(self) -> Credentials:
        """Credentials for the current settings, to be given back."""
        with self._lock:
            if self._free:
                return self._free.pop()
            settings = self._settings
        return Credentials(settings)

    def release(self, credentials: Credentials) -> None:
        """Take it back, unless the settings have changed or there are enough."""
        with self._lock:
            if credentials.settings is self._settings and len(self._free) < SPARE:
                self._free.append(credentials)


def default_hash(certificate: Any) -> bytes | None:
    """The hash of an ``X509 *`` for a certConf that does not name the algorithm (``X509_digest_sig``, 3.0).

    None where OpenSSL knows none, as for Ed448 since 3.4.
    """
    pointer = lib.X509_digest_sig(certificate, NULL, NULL)
    if pointer == NULL:
        clear()
        return None
    return convert.octets_from_c(own(pointer, lib.ASN1_OCTET_STRING_free, "hashing a certificate"))


def _mac_of(parameters: bytes, data: bytes, secret: bytes) -> bytes:
    """The password-based MAC of ``data`` (``OSSL_CRMF_pbm_new``, 3.0); ``parameters`` are a PBMParameter as DER."""
    source = ffi.from_buffer("unsigned char[]", parameters)
    found = own(
        lib.d2i_OSSL_CRMF_PBMPARAMETER(NULL, ffi.new("const unsigned char **", source), len(parameters)),
        lib.OSSL_CRMF_PBMPARAMETER_free,
        "protecting an answer",
    )
    out, length = ffi.new("unsigned char **"), ffi.new("size_t *")
    check(
        lib.OSSL_CRMF_pbm_new(NULL, NULL, found, data, len(data), secret, len(secret), out, length),
        "protecting an answer",
    )
    try:
        return bytes(ffi.buffer(out[0], length[0]))
    finally:
        lib.OPENSSL_free(out[0])


class UndecodableError(Exception):
    """libcrypto cannot decode the message, although its header is well-formed."""


class Engine:
    """A server context for one transaction. Not for several threads at once.

    Args:
        pool: where the credentials come from.
        reference: names the shared secret, for MAC protection.
        secret: the shared secret; without one, answers are signed.
        certificates: of the client, as DER, which help to verify its messages.
        mac: with which hash, how often iterated, and which MAC the client protects its messages: answers have the same.
    """

    _server: Any
    _ctx: Any
    _session: Any

    def __init__(
        self,
        pool: Pool,
        reference: bytes | None,
        secret: bytes | None,
        certificates: Iterable[bytes] = (),
        mac: wire.MacParameters | None = None,
    ) -> None:
        clear()
        self._pool = pool
        self._credentials: Credentials | None = None
        self._state = CallState()
        self._state_handle = ffi.new_handle(self._state)
        self._handler_handle: Any = None
        what, session = "making a server context", lib.osslcmp_session_new(self._state_handle)
        self._session = own(session, lib.osslcmp_session_free, what)
        self._server = own(lib.OSSL_CMP_SRV_CTX_new(NULL, NULL), lib.OSSL_CMP_SRV_CTX_free, what)
        self._ctx = lib.OSSL_CMP_SRV_CTX_get0_cmp_ctx(self._server)
        self._message: Any = None
        self._client_certificates = dict.fromkeys(certificates)
        """Certificates (DER) of clients' messages, which libcrypto keeps and may verify later messages with."""
        self._secret, self._mac = secret, mac
        self.log: tuple[ErrorEntry, ...] = ()
        """What libcrypto complained about while it processed the last message."""
        credentials = self._credentials = pool.acquire()
        try:
            self._configure(credentials, reference, secret)
        except BaseException:
            self.close()
            raise

    def _configure(self, credentials: Credentials, reference: bytes | None, secret: bytes | None) -> None:
        settings, ctx = credentials.settings, self._ctx
        _set_log(ctx)
        for switch in credentials.switches:
            check(switch(self._server, 1), "setting up the server")
        if credentials.certificate is not None and settings.key is not None:
            check(lib.OSSL_CMP_CTX_set1_cert(ctx, credentials.certificate), "setting the certificate")
            check(lib.OSSL_CMP_CTX_set1_pkey(ctx, settings.key), "setting the private key")
        theirs = list(map(convert.cert_to_c, self._client_certificates))
        helping = cert_stack([*credentials.helping, *theirs]) if theirs else credentials.untrusted
        if helping is not None:
            check(lib.OSSL_CMP_CTX_set1_untrusted(ctx, helping), "setting the chain")
        if credentials.store is not None:
            check(lib.X509_STORE_up_ref(credentials.store), "setting the trust store")
            if lib.OSSL_CMP_CTX_set0_trustedStore(ctx, credentials.store) <= 0:
                lib.X509_STORE_free(credentials.store)
                check(0, "setting the trust store")
        if secret is not None:
            check(lib.OSSL_CMP_CTX_set1_secretValue(ctx, secret, len(secret)), "setting the secret")
        elif credentials.certificate is None:
            # Nobody could verify the answer: it goes out as it is.
            check(lib.OSSL_CMP_CTX_set_option(ctx, Option.UNPROTECTED_SEND, 1), "setting up the server")
        if reference is not None:
            check(
                lib.OSSL_CMP_CTX_set1_referenceValue(ctx, reference, len(reference)), "setting the reference"
            )
        mac = self._mac
        if mac is not None and mac.mac in _HMACS:
            for option, oid in ((Option.OWF_ALGNID, mac.owf), (Option.MAC_ALGNID, mac.mac)):
                if not lib.OSSL_CMP_CTX_set_option(ctx, option, number_of(oid)):
                    clear()  # libcrypto refuses the message for the same reason
        if openssl_version < (3, 0, 8):
            # Answers to general messages come out empty unless the context has items itself, which are not
            # sent (openssl/openssl#19216).
            item = convert.itav_to_c(InfoTypeAndValue(oids.SIGN_KEY_PAIR_TYPES))
            push, free = lib.OSSL_CMP_CTX_push0_genm_ITAV, lib.OSSL_CMP_ITAV_free
            give_to_c(item, free, push, ctx, item, what="setting up the server")

    @property
    def signs(self) -> bool:
        """Whether it protects by a signature."""
        return self._secret is None

    @property
    def settings(self) -> Settings | None:
        """What it was made with; None when it is closed."""
        return None if self._credentials is None else self._credentials.settings

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of C that may call back or log."""
        level = log_level()
        lib.OSSL_CMP_CTX_set_option(self._ctx, Option.LOG_VERBOSITY, level)
        lib.osslcmp_session_set_log_level(self._session, level)
        self._state.begin()
        outer_state = current.state
        outer = lib.osslcmp_enter(self._session)
        # From 3.1 on, libcrypto prints what it finds wrong while it looks for the signer's certificate.
        lib.osslcmp_validate(self._session, self._ctx)
        current.state = self._state
        clear()
        try:
            return function(*args)
        finally:
            current.state = outer_state
            lib.osslcmp_leave(outer)
            # Whatever is left would be told to the next client as the reason of a failure.
            self.log = (*self._state.logged_errors, *drain())

    def process(self, data: bytes, handler: callbacks.Handler) -> bytes | None:
        """Let libcrypto answer a message (``OSSL_CMP_SRV_process_request``).

        Args:
            data: the message as DER.
            handler: is called back for the decisions.

        Returns:
            The answer as DER; None when libcrypto could not even make an error message.

        Raises:
            UndecodableError: the message cannot be decoded.
        """
        message = self.decode(data)
        self._keep_certificates(data)
        self._handler_handle = ffi.new_handle(handler)
        callbacks.init(self._server, self._handler_handle)
        self._message = message
        try:
            answer = self._run(lib.OSSL_CMP_SRV_process_request, self._server, message)
            if answer == NULL:
                return None
            try:
                encoded = convert.to_der(lib.i2d_OSSL_CMP_MSG, answer, "encoding the answer")
            finally:
                lib.OSSL_CMP_MSG_free(answer)
            return self._iterated(encoded)
        finally:
            self._handler_handle = None
            stored, self._state.exception = self._state.exception, None
            if stored is not None and not isinstance(stored, Exception):
                handler.stash(stored)

    def decode(self, data: bytes) -> Any:
        """A message as a C object: one of ours, or a client's that ``wire.receive_message`` has let pass.

        Raises UndecodableError.
        """
        clear()
        message = own_message_from_der(data)
        if message == NULL:
            self.log = drain()
            raise UndecodableError("; ".join(map(str, self.log)))
        return own(message, lib.OSSL_CMP_MSG_free, "decoding a message")

    def _keep_certificates(self, data: bytes) -> None:
        if not features["validated_server_certificate"]:
            self._client_certificates.update(dict.fromkeys(wire.read_message(data).extra_certs))

    def protect(self, data: bytes, transaction_id: bytes) -> bytes:
        """Protect a message with the credentials of this context.

        ``OSSL_CMP_MSG_update_transactionID`` is the public function that does it: it protects again what
        has a protection algorithm in its header. Raises OpenSSLError.
        """
        self.expect_transaction(transaction_id)
        message = self.decode(data)
        if not self._run(lib.OSSL_CMP_MSG_update_transactionID, self._ctx, message):
            raise OpenSSLError("protecting an answer", self.log)
        return self._iterated(convert.to_der(lib.i2d_OSSL_CMP_MSG, message, "encoding the answer"))

    def _iterated(self, answer: bytes) -> bytes:
        """An answer under a MAC, its hash iterated as often as the client does: libcrypto has no setter for that, and
        takes its own number."""
        if self._mac is None or self._secret is None:
            return answer
        algorithm = wire.read_answer(answer).protection_alg
        if algorithm is None or algorithm.endswith(self._mac.behind_salt):  # as it is nearly always
            return answer
        made = wire.read_message(answer).header
        if made.mac is None or made.mac.iterations == self._mac.iterations:
            return answer
        oid, parameters = der.sequence(algorithm)
        salt, owf, _, mac = (part.encoding for part in der.sequence(parameters.encoding))
        new = der.encode(der.SEQUENCE, salt, owf, der.encode_integer(self._mac.iterations), mac)
        tag = messages.PROTECTION_ALG
        bare = messages.changed(answer, {tag: der.encode(tag, der.encode(der.SEQUENCE, oid.encoding, new))})
        header, body, *extra = (part.encoding for part in der.sequence(bare))
        made_anew = _mac_of(new, der.encode(der.SEQUENCE, header, body), self._secret)
        protection = der.encode(der.explicit(0), der.encode(der.BIT_STRING, b"\0", made_anew))
        return der.encode(der.SEQUENCE, header, body, protection, *extra)

    def expect_transaction(self, transaction_id: bytes) -> None:
        """The next messages of the client and of this context have this transactionID."""
        octets = convert.octets_to_c(transaction_id)
        check(lib.OSSL_CMP_CTX_set1_transactionID(self._ctx, octets), "setting the transactionID")

    def expect_nonce(self, nonce: bytes) -> None:
        """The next message of the client must have this recipNonce."""
        octets = convert.octets_to_c(nonce)
        check(lib.OSSL_CMP_CTX_set1_senderNonce(self._ctx, octets), "setting the senderNonce")

    def handle(self, certificate: x509.Certificate | bytes) -> Any:
        """A CA certificate as a C object that is kept for the next transactions."""
        assert self._credentials is not None
        return self._credentials.handle(certificate)

    def proves(self, data: bytes) -> bool:
        """Whether a message has valid protection, whatever the settings accept (``OSSL_CMP_validate_msg``, 3.0)."""
        try:
            message = self._message = self.decode(data)
        except UndecodableError:
            return False
        self._keep_certificates(data)
        return bool(self._run(lib.OSSL_CMP_validate_msg, self._ctx, message) > 0)

    def is_protection_valid(self) -> bool:
        """Whether the protection of the message that is being processed is valid.

        It is, unless the server accepts messages without valid protection; then it is verified once more.
        """
        assert self._credentials is not None
        if not self._credentials.settings.accept_unprotected:
            return True
        good = lib.OSSL_CMP_validate_msg(self._ctx, self._message) > 0
        clear()
        return bool(good)

    def signer(self, sender_kid: bytes | None) -> bytes | None:
        """Which certificate verified the signature of the message that is being processed, DER.

        ``OSSL_CMP_CTX_get0_validatedSrvCert`` tells from OpenSSL 3.2 on. Before, it is found among the
        certificates that libcrypto can have used: those of earlier messages are among them, and a certificate that
        came with this one need not be what it says.

        Args:
            sender_kid: the senderKID of the message.
        """
        if features["validated_server_certificate"]:
            pointer = lib.OSSL_CMP_CTX_get0_validatedSrvCert(self._ctx)
            return None if pointer == NULL else convert.cert_to_der(pointer)
        assert self._credentials is not None
        candidates = dict.fromkeys((*self._client_certificates, *self._credentials.signers))
        # libcrypto takes none whose key identifier differs, so a single one that has it must have been it.
        fitting = [c for c in candidates if sender_kid is None or key_identifier(c) == sender_kid]
        if len(fitting) == 1 and sender_kid is not None:
            return fitting[0]
        handles = ((certificate, convert.cert_to_c(certificate)) for certificate in fitting)
        return next((certificate for certificate, handle in handles if self._verifies(handle)), None)

    def _verifies(self, certificate: Any) -> bool:
        """Whether this certificate is trusted and its key made the signature."""
        assert self._credentials is not None
        if self._credentials.store is None:
            return False
        clear()
        probe = own(lib.OSSL_CMP_CTX_new(NULL, NULL), lib.OSSL_CMP_CTX_free, "making a CMP context")
        lib.OSSL_CMP_CTX_set_option(probe, Option.LOG_VERBOSITY, Severity.EMERG)
        _set_log(probe)
        check(lib.OSSL_CMP_CTX_set1_srvCert(probe, certificate), "setting a certificate")
        logged = list(self._state.logged_errors)
        good = (
            lib.OSSL_CMP_validate_cert_path(self._ctx, self._credentials.store, certificate) > 0
            and lib.OSSL_CMP_validate_msg(probe, self._message) > 0
        )
        clear()
        self._state.logged_errors = logged
        return bool(good)

    def close(self) -> None:
        """Give back what was borrowed. May be called twice."""
        credentials, self._credentials = self._credentials, None
        self._server = self._ctx = self._session = self._message = None
        if credentials is not None:
            self._pool.release(credentials)


def _set_log(ctx: Any) -> None:
    check(lib.OSSL_CMP_CTX_set_log_cb(ctx, ffi.addressof(lib, "osslcmp_log")), "setting the log callback")


def try_protection(pool: Pool) -> None:
    """Sign a message that goes nowhere. Raises ``ValueError`` if this OpenSSL cannot do that with the key."""
    assert pool.settings.certificate is not None
    with closing(Engine(pool, None, None)) as engine:
        try:
            engine.protect(trial_message(subject_of(pool.settings.certificate)), bytes(16))
        except OpenSSLError as error:
            raise ValueError(f"key: this OpenSSL cannot protect messages with it: {error}") from error
