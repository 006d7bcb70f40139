"""Who we are and whom we trust: what has to be checked when it is put into a context."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._arguments import several
from .._asn1.x509_parts import subject_of
from .._lazy import x509
from .._openssl import convert
from .._openssl.inputs import AnyCertificate, EncodedCertificate, KeyInput, any_certificates
from .._openssl.keys import Password, check_pair, private_key
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import own
from .._openssl.received import own_message_from_der, trial_message
from .._openssl.signers import check_signer
from ..enums import Option
from ..errors import OpenSSLError
from .calls import Calls

if TYPE_CHECKING:
    from .._openssl.certificate_check import CertificateCheck
    from .server_usage import ServerUsageInput

    #: Trust anchors, which may come with conditions for the path.
    TrustInput = Iterable[AnyCertificate] | CertificateCheck | None

#: OpenSSL sends the reference as senderKID and takes an int for its length; more than this helps nobody.
REFERENCE_LIMIT = 4096
SECRET_LIMIT = 0xFFFF


class Credentials:
    """Our certificate and key, which must fit, and the trust store with the callback that its use calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._certificate: Any = None
        self._key: Any = None

    def set_cert(self, certificate: AnyCertificate) -> None:
        """As :meth:`osslcmp.Context.set_cert`."""
        handle = convert.cert_to_c(one_certificate("certificate", certificate))
        check_pair(handle, self._key)
        self._calls.set(lib.OSSL_CMP_CTX_set1_cert, handle, what="setting the certificate")
        self._calls.state.own_identifiers.append(convert.octets_from_c(lib.X509_get0_subject_key_id(handle)))
        self._certificate = handle

    def set_pkey(self, key: KeyInput, password: Password) -> None:
        """As :meth:`osslcmp.Context.set_pkey`."""
        handle = private_key("key", key, password)
        check_pair(self._certificate, handle)
        self._calls.set(lib.OSSL_CMP_CTX_set1_pkey, handle, what="setting the private key")
        self._key = handle

    def set_server_certificate(self, certificate: AnyCertificate | None) -> None:
        """As :meth:`osslcmp.Context.set_srv_cert`."""
        handle = NULL
        if certificate is not None:
            handle = convert.cert_to_c(one_certificate("server certificate", certificate))
            check_signer("server certificate", certificate)
        self._calls.set(lib.OSSL_CMP_CTX_set1_srvCert, handle, what="setting the server certificate")
        self._calls.state.keep_notes = True

    def set_untrusted(self, certificates: Iterable[AnyCertificate]) -> None:
        """As :meth:`osslcmp.Context.set_untrusted`."""
        helping = signers("untrusted", certificates)
        what = "setting untrusted certificates"
        if helping:
            self._calls.set(lib.OSSL_CMP_CTX_set1_untrusted, convert.certs_to_c(helping), what=what)
        else:
            self._calls.set(_forget_untrusted, what=what)

    def build_chain(self, own_trusted: TrustInput, candidates: Iterable[AnyCertificate]) -> None:
        """As :meth:`osslcmp.Context.build_cert_chain`."""
        if self._certificate is None:
            raise ValueError("build_cert_chain: no certificate is set")
        store = NULL if own_trusted is None else trust_store("own_trusted", own_trusted)
        stack = convert.certs_to_c(signers("candidates", candidates))
        self._calls.set(lib.OSSL_CMP_CTX_build_cert_chain, store, stack, what="building the own chain")

    def set_trusted(self, trusted: TrustInput) -> None:
        """As :meth:`osslcmp.Context.set_trusted_store`."""
        setter, what = lib.OSSL_CMP_CTX_set0_trustedStore, "setting the trust store"
        if trusted is None:
            self._calls.set(setter, NULL, what=what)
            return
        store = trust_store("trusted", trusted)
        lib.X509_STORE_set_verify_cb(store, self._verify_cb)
        self._calls.set(setter, store, what=what, giving=lib.X509_STORE_free)

    def set_server_usage(self, usage: ServerUsageInput, permit_ta: bool) -> None:
        """As :meth:`osslcmp.Context.set_server_usage`; ``permit_ta``: the value of that option, which trusts anybody."""
        self._calls.guard.refuse_inside("setting the server's usage")
        if usage is not None and permit_ta:
            name = Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR.name
            raise ValueError(f"server_usage: does not go with {name}, which trusts anybody")
        from .server_usage import ServerUsage

        self._calls.state.server_usage = ServerUsage.of(usage)
        store = self._calls.get(lib.OSSL_CMP_CTX_get0_trustedStore)
        if store != NULL:
            lib.X509_STORE_set_verify_cb(store, self._verify_cb)

    def try_protection(self) -> None:
        """As :meth:`osslcmp.Context.try_protection`."""
        by_secret = self._calls.state.by_secret
        own_name = (
            ()
            if by_secret or self._certificate is None
            else (subject_of(convert.cert_to_der(self._certificate)),)
        )
        message = own_message_from_der(trial_message(*own_name))
        message = own(message, lib.OSSL_CMP_MSG_free, "making a message")
        if not self._calls.run(lib.OSSL_CMP_MSG_update_transactionID, message):
            what = "secret, owf, mac" if by_secret else "key, digest"
            error = self._calls.failure("protecting a message")
            if isinstance(error, OpenSSLError):
                raise ValueError(
                    f"{what}: this OpenSSL cannot protect messages with that: {error}"
                ) from error
            raise error

    @property
    def _verify_cb(self) -> Any:
        usage = self._calls.state.server_usage
        return ffi.addressof(lib, "osslcmp_validate_cb" if usage is None else "osslcmp_py_verify")


def one_certificate(what: str, value: AnyCertificate) -> AnyCertificate:
    """``value``. Raises ``TypeError`` if it is none; ``what`` names it."""
    if not isinstance(value, EncodedCertificate) and not isinstance(value, x509.Certificate):
        raise TypeError(f"{what}: an x509.Certificate, not {type(value).__name__}")
    return value


def certificate_list(what: str, values: Iterable[AnyCertificate]) -> list[AnyCertificate]:
    """``values`` as a list. Raises ``TypeError`` for anything else than certificates."""
    return [one_certificate(what, value) for value in several(what, values)]


def trust_store(what: str, trusted: Iterable[AnyCertificate] | CertificateCheck) -> Any:
    """``X509_STORE *`` of trust anchors, which may come with conditions."""
    from .._openssl.certificate_check import CertificateCheck
    from .._openssl.verify import store_to_c

    if not isinstance(trusted, CertificateCheck):
        return convert.store_to_c(signers(what, trusted))
    if trusted.untrusted:
        raise ValueError(f"{what}: the untrusted certificates of a CertificateCheck belong to set_untrusted")
    signers(what, any_certificates(what, trusted.trusted))
    return store_to_c(trusted)


def signers(what: str, values: Iterable[AnyCertificate]) -> list[AnyCertificate]:
    """Certificates among which libcrypto looks for the signer of a message."""
    found = certificate_list(what, values)
    for certificate in found:
        check_signer(what, certificate)
    return found


def _forget_untrusted(ctx: Any) -> int:
    """Empty the list of helping certificates.

    ``OSSL_CMP_CTX_set1_untrusted`` with none leaves a NULL, to which libcrypto cannot add those of an answer.
    """
    stack = lib.OSSL_CMP_CTX_get0_untrusted(ctx)
    while lib.sk_X509_num(stack) > 0:
        lib.X509_free(lib.sk_X509_pop(stack))
    return 1
