"""What came back. Results last until :meth:`osslcmp.Context.reinit` or the next request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._lazy import key_types, x509
from .._openssl import convert
from .._openssl.keys import key_fits
from .._openssl.lib import NULL, features, lib
from ..enums import FailureInfo, Option, PKIStatus, POPOMethod
from .calls import Calls
from .guard import locked
from .request import RequestFields
from .status import pki_status

if TYPE_CHECKING:
    from ..enrollment import Enrollment


class Results:
    """Certificates and keys that a request brought."""

    def __init__(self, calls: Calls, request: RequestFields) -> None:
        self._calls = calls
        self._guard = calls.guard
        self._request = request

    @locked
    def certificate(self, get0: Callable[..., Any]) -> x509.Certificate | None:
        """What a ``get0`` function has, which dies with the next request."""
        der = self.certificate_der(get0)
        return None if der is None else convert.cert_from_der(der)

    @locked
    def certificates(self, get1: Callable[..., Any]) -> list[x509.Certificate]:
        """What a ``get1`` function gives. Raises :class:`osslcmp.UnreadableCertificateError`."""
        return list(map(convert.cert_from_der, self.certificates_der(get1)))

    @locked
    def trusted(self) -> list[x509.Certificate]:
        """As :attr:`osslcmp.Context.trusted_store`."""
        store = lib.OSSL_CMP_CTX_get0_trustedStore(self._calls.pointer)
        if store == NULL:
            return []
        return self.certificates(lambda _: lib.X509_STORE_get1_all_certs(store))

    @locked
    def certificate_der(self, get0: Callable[..., Any]) -> bytes | None:
        """As :meth:`certificate`, but DER."""
        pointer = get0(self._calls.pointer)
        return None if pointer == NULL else convert.cert_to_der(pointer)

    @locked
    def certificates_der(self, get1: Callable[..., Any]) -> list[bytes]:
        """As :meth:`certificates`, but DER."""
        return convert.certs_to_der(convert.own_certs(get1(self._calls.pointer)))

    @locked
    def helping(self) -> list[bytes]:
        """All certificates that may help to build a chain, DER."""
        helping = convert.certs_to_der(lib.OSSL_CMP_CTX_get0_untrusted(self._calls.pointer))
        return helping + self.certificates_der(lib.OSSL_CMP_CTX_get1_extraCertsIn)

    @locked
    def central_key(self) -> key_types.PrivateKeyTypes | None:
        """As :attr:`osslcmp.Context.central_key`."""
        if not features["central_key_generation"] or self._request.has_key:
            return None
        if self._calls.get(lib.OSSL_CMP_CTX_get_option, Option.POPO_METHOD) != POPOMethod.NONE:
            return None
        certificate = self._calls.get(lib.OSSL_CMP_CTX_get0_newCert)
        key = self._calls.get(lib.OSSL_CMP_CTX_get0_newPkey, 1)
        # Without a new key OpenSSL names our own: the CA's is the one that was certified.
        if NULL in (certificate, key) or not key_fits(certificate, key):
            return None
        return convert.key_from_c(key)

    @locked
    def enrollment(self, response: bytes | None = None) -> Enrollment:
        """The new certificate and what came with it.

        ``response`` is the message that brought the certificate, after its confirmation has failed: the context may
        have a status of that failure by now.
        """
        certificate = self.certificate_der(lib.OSSL_CMP_CTX_get0_newCert)
        assert certificate is not None
        status, failure_info, text = (
            pki_status(self._calls.pointer) if response is None else _status_in(response)
        )
        from ..enrollment import Enrollment

        return Enrollment(
            certificate,
            self.certificates_der(lib.OSSL_CMP_CTX_get1_newChain),
            self.certificates_der(lib.OSSL_CMP_CTX_get1_caPubs),
            self.certificates_der(lib.OSSL_CMP_CTX_get1_extraCertsIn),
            status,
            failure_info,
            text,
            self.central_key(),
            self.certificate_der(lib.OSSL_CMP_CTX_get0_validatedSrvCert)
            if features["validated_server_certificate"]
            else None,
            _read=convert.cert_from_der,
        )


def _status_in(response: bytes) -> tuple[PKIStatus, FailureInfo, str]:
    from ..message import CertRepMessage, Message

    body = Message.from_der(response).body
    assert isinstance(body, CertRepMessage)  # libcrypto has taken the certificate from it
    status = body.responses[0].status
    return status.status, status.failure_info, "\n".join(status.text)
