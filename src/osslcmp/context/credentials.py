"""Who the server must be, who we are, and the message header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cryptography import x509

from .._asn1.itav import InfoTypeAndValue
from .._openssl import convert as _convert
from .._openssl.certificate_check import CertificateCheck
from .._openssl.inputs import KeyInput, certificates, secret_bytes
from .._openssl.keys import Password, check_pair, private_key
from .._openssl.lib import NULL, ffi, lib, require
from .._openssl.names import parse_name
from .._openssl.signers import check_signer
from .._openssl.verify import store_to_c
from ..enums import Option
from .base import ContextBase
from .guard import locked
from .server_usage import ServerUsage, ServerUsageInput

__all__ = ["AuthMixin"]

#: OpenSSL sends the reference as senderKID and takes an int for its length; more than this helps nobody.
REFERENCE_LIMIT = 4096
SECRET_LIMIT = 0xFFFF


class AuthMixin(ContextBase):
    """The authentication part of :class:`osslcmp.Context`."""

    _certificate: Any = None
    _key: Any = None

    # -- the server ---------------------------------------------------------------------------------------

    def set_srv_cert(self, certificate: x509.Certificate | None) -> None:
        """Pin the server's certificate: answers must be signed with it (``OSSL_CMP_CTX_set1_srvCert``, 3.0)."""
        handle = NULL
        if certificate is not None:
            handle = _convert.cert_to_c(_cert("server certificate", certificate))
            check_signer("server certificate", certificate)
        self._set(lib.OSSL_CMP_CTX_set1_srvCert, handle, what="setting the server certificate")
        self._state.keep_notes = True

    def set_expected_sender(self, name: x509.Name | str | None) -> None:
        """Name that answers must come from (``OSSL_CMP_CTX_set1_expected_sender``, 3.0)."""
        handle = NULL if name is None else _convert.name_to_c(parse_name(name))
        self._set(lib.OSSL_CMP_CTX_set1_expected_sender, handle, what="setting the expected sender")
        self._state.keep_notes = True

    def set_trusted_store(self, certificates: Iterable[x509.Certificate] | CertificateCheck | None) -> None:
        """Trust anchors for the server's signature (``OSSL_CMP_CTX_set0_trusted``; ``..trustedStore`` before 3.2).

        A :class:`osslcmp.CertificateCheck` brings them with CRLs, policies, purpose, time and whatever else
        ``X509_VERIFY_PARAM`` offers; its ``untrusted`` must be empty, these belong to :meth:`set_untrusted`.
        """
        if certificates is None:
            self._set(lib.OSSL_CMP_CTX_set0_trustedStore, NULL, what="setting the trust store")
            return
        store = trust_store("trusted", certificates)
        lib.X509_STORE_set_verify_cb(store, self._verify_cb)
        setter, free = lib.OSSL_CMP_CTX_set0_trustedStore, lib.X509_STORE_free
        self._set(setter, store, what="setting the trust store", giving=free)

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
        self._guard.refuse_inside("setting the server's usage")
        if usage is not None and self.get_option(Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR):
            raise ValueError(
                "server_usage: does not go with PERMIT_TA_IN_EXTRACERTS_FOR_IR, which trusts anybody"
            )
        self._state.server_usage = ServerUsage.of(usage)
        store = self._get(lib.OSSL_CMP_CTX_get0_trustedStore)
        if store != NULL:
            lib.X509_STORE_set_verify_cb(store, self._verify_cb)

    @property
    def _verify_cb(self) -> Any:
        usage = self._state.server_usage
        return ffi.addressof(lib, "osslcmp_validate_cb" if usage is None else "osslcmp_py_verify")

    @property
    @locked
    def trusted_store(self) -> list[x509.Certificate]:
        """The trust anchors (``OSSL_CMP_CTX_get0_trusted``, 3.0)."""
        store = self._get(lib.OSSL_CMP_CTX_get0_trustedStore)
        if store == NULL:
            return []
        stack = lib.X509_STORE_get1_all_certs(store)
        return _convert.certs_from_c(_convert.own_certs(stack))

    trusted = trusted_store

    def set_untrusted(self, certificates: Iterable[x509.Certificate]) -> None:
        """Certificates that help to build chains (``OSSL_CMP_CTX_set1_untrusted``, 3.0)."""
        stack = _convert.certs_to_c(_candidates("untrusted", certificates))
        self._set(lib.OSSL_CMP_CTX_set1_untrusted, stack, what="setting untrusted certificates")

    @property
    @locked
    def untrusted(self) -> list[x509.Certificate]:
        """The helping certificates, with those that answers brought (``OSSL_CMP_CTX_get0_untrusted``, 3.0)."""
        return _convert.certs_from_c(self._get(lib.OSSL_CMP_CTX_get0_untrusted))

    # -- ourselves ----------------------------------------------------------------------------------------

    def set_cert(self, certificate: x509.Certificate) -> None:
        """Our certificate for signature protection (``OSSL_CMP_CTX_set1_cert``, 3.0).

        It is also the default for the subject, the SANs and the certificate to update. Raises ``ValueError`` if
        a private key is set that does not fit.
        """
        handle = _convert.cert_to_c(_cert("certificate", certificate))
        check_pair(handle, self._key)
        self._set(lib.OSSL_CMP_CTX_set1_cert, handle, what="setting the certificate")
        self._certificate = handle

    def set_pkey(self, key: KeyInput, password: Password = None) -> None:
        """Our private key for signature protection (``OSSL_CMP_CTX_set1_pkey``, 3.0).

        A ``cryptography`` key, PEM, DER or PKCS#12 as bytes, a path, a key URI, or a raw ``EVP_PKEY *``.
        Raises ``ValueError`` if a certificate is set that it does not fit.
        """
        handle = private_key("key", key, password)
        check_pair(self._certificate, handle)
        self._set(lib.OSSL_CMP_CTX_set1_pkey, handle, what="setting the private key")
        self._key = handle

    def build_cert_chain(
        self,
        own_trusted: Iterable[x509.Certificate] | CertificateCheck | None,
        candidates: Iterable[x509.Certificate],
    ) -> None:
        """Build the chain of our certificate to send along (``OSSL_CMP_CTX_build_cert_chain``, 3.0).

        ``candidates`` may serve as intermediates. With ``own_trusted`` the chain must end at one of these, and meet
        the conditions of a :class:`osslcmp.CertificateCheck`; with ``None`` it is taken as far as it goes. Raises
        :class:`osslcmp.OpenSSLError` if it cannot be built.
        """
        if self._certificate is None:
            raise ValueError("build_cert_chain: no certificate is set")
        store = NULL if own_trusted is None else trust_store("own_trusted", own_trusted)
        stack = _convert.certs_to_c(_candidates("candidates", candidates))
        self._set(lib.OSSL_CMP_CTX_build_cert_chain, store, stack, what="building the own chain")

    def set_reference_value(self, reference: bytes | str) -> None:
        """Which secret it is: the senderKID of MAC protection (``OSSL_CMP_CTX_set1_referenceValue``, 3.0).

        ``bytes``, or a ``str`` that is encoded as UTF-8; 1 to 4096 octets.
        """
        value = secret_bytes("reference", reference, REFERENCE_LIMIT)
        self._set(lib.OSSL_CMP_CTX_set1_referenceValue, value, len(value), what="setting the reference")

    def set_secret_value(self, secret: bytes | str) -> None:
        """The shared secret of MAC protection (``OSSL_CMP_CTX_set1_secretValue``, 3.0).

        ``bytes``, or a ``str`` that is encoded as UTF-8; 1 to 65535 octets. It is copied once, into memory that
        OpenSSL wipes when the context goes.
        """
        value = secret_bytes("secret", secret, SECRET_LIMIT)
        self._set(lib.OSSL_CMP_CTX_set1_secretValue, value, len(value), what="setting the secret")

    # -- the header ---------------------------------------------------------------------------------------

    def set_recipient(self, name: x509.Name | str | None) -> None:
        """Name of the recipient in the header (``OSSL_CMP_CTX_set1_recipient``, 3.0).

        Without it: the subject of the pinned server certificate, the issuer asked for, and so on.
        """
        handle = NULL if name is None else _convert.name_to_c(parse_name(name))
        self._set(lib.OSSL_CMP_CTX_set1_recipient, handle, what="setting the recipient")

    def push_geninfo_itav(self, itav: InfoTypeAndValue) -> None:
        """Add an item to the header's generalInfo (``OSSL_CMP_CTX_push0_geninfo_ITAV``, 3.0)."""
        handle = _convert.itav_to_c(itav)
        setter, free = lib.OSSL_CMP_CTX_push0_geninfo_ITAV, lib.OSSL_CMP_ITAV_free
        self._set(setter, handle, what="adding to generalInfo", giving=free)

    def reset_geninfo_itavs(self) -> None:
        """Empty the header's generalInfo (``OSSL_CMP_CTX_reset_geninfo_ITAVs``, 3.0.8)."""
        require("reset_geninfo_itavs", "reset_geninfo_itavs")
        self._set(lib.OSSL_CMP_CTX_reset_geninfo_ITAVs, what="resetting generalInfo")

    @property
    @locked
    def geninfo_itavs(self) -> list[InfoTypeAndValue]:
        """The generalInfo items of the last received header (``OSSL_CMP_CTX_get0_geninfo_ITAVs``, 3.3)."""
        require("geninfo_itavs", "geninfo_itavs")
        return _convert.itavs_from_c(self._get(lib.OSSL_CMP_CTX_get0_geninfo_ITAVs))

    def set_extra_certs_out(self, certificates: Iterable[x509.Certificate]) -> None:
        """Certificates to send in extraCerts besides our own chain (``OSSL_CMP_CTX_set1_extraCertsOut``, 3.0)."""
        stack = _convert.certs_to_c(_certs("extra_certs_out", certificates))
        self._set(lib.OSSL_CMP_CTX_set1_extraCertsOut, stack, what="setting extraCerts")

    def set_transaction_id(self, transaction_id: bytes | None) -> None:
        """The transactionID to use, ``None`` for a random one (``OSSL_CMP_CTX_set1_transactionID``, 3.0)."""
        handle = (
            NULL
            if transaction_id is None
            else _convert.octets_to_c(_octets("transaction_id", transaction_id))
        )
        self._set(lib.OSSL_CMP_CTX_set1_transactionID, handle, what="setting the transactionID", live=True)

    def set_sender_nonce(self, nonce: bytes | None) -> None:
        """The senderNonce that an answer must carry as recipNonce (``OSSL_CMP_CTX_set1_senderNonce``, 3.0)."""
        handle = NULL if nonce is None else _convert.octets_to_c(_octets("nonce", nonce))
        self._set(lib.OSSL_CMP_CTX_set1_senderNonce, handle, what="setting the senderNonce", live=True)


def _octets(what: str, value: bytes) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what}: bytes, not {type(value).__name__}")
    return bytes(value)


def _cert(what: str, value: x509.Certificate) -> x509.Certificate:
    if not isinstance(value, x509.Certificate):
        raise TypeError(f"{what}: an x509.Certificate, not {type(value).__name__}")
    return value


def _certs(what: str, values: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    if isinstance(values, x509.Certificate):
        raise TypeError(f"{what}: an iterable of certificates, not a single one")
    return [_cert(what, value) for value in values]


def trust_store(what: str, trusted: Iterable[x509.Certificate] | CertificateCheck) -> Any:
    """``X509_STORE *`` of trust anchors, which may come with conditions."""
    if not isinstance(trusted, CertificateCheck):
        return _convert.store_to_c(_candidates(what, trusted))
    if trusted.untrusted:
        raise ValueError(f"{what}: the untrusted certificates of a CertificateCheck belong to set_untrusted")
    _candidates(what, certificates(what, trusted.trusted))
    return store_to_c(trusted)


def _candidates(what: str, values: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """Certificates among which libcrypto looks for the signer of a message."""
    certificates = _certs(what, values)
    for certificate in certificates:
        check_signer(what, certificate)
    return certificates
