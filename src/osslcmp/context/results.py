"""What came back."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .._openssl import convert as _convert
from .._openssl.errorqueue import text
from .._openssl.lib import NULL, features, ffi, lib, require
from ..enrollment import Enrollment
from ..enums import FailureInfo, Option, PKIStatus, POPOMethod
from .guard import locked
from .request import RequestMixin

__all__ = ["ResultMixin"]


class ResultMixin(RequestMixin):
    """The results part of :class:`osslcmp.Context`. Results last until :meth:`reinit` or the next request."""

    def _status(self) -> tuple[PKIStatus, FailureInfo, str]:
        return self.status, self.fail_info, "\n".join(self.status_string)

    def _enrollment(self, response: bytes | None = None) -> Enrollment:
        """The new certificate and what came with it.

        ``response`` is the message that brought the certificate, after its confirmation has failed: the context may
        have a status of that failure by now.
        """
        certificate = self.new_cert
        assert certificate is not None
        status, failure_info, text = self._status() if response is None else _status_in(response)
        return Enrollment(
            certificate,
            self.new_chain,
            self.ca_pubs,
            self.extra_certs_in,
            status,
            failure_info,
            text,
            self.central_key,
            self.validated_srv_cert if features["validated_server_certificate"] else None,
        )

    @property
    def status(self) -> PKIStatus:
        """Status of the last transaction (``OSSL_CMP_CTX_get_status``, 3.0).

        ``accepted`` does not mean that there is a certificate: only the call's return value does.
        """
        return PKIStatus(self._get(lib.OSSL_CMP_CTX_get_status))

    @property
    def fail_info(self) -> FailureInfo:
        """Failure bits that the server sent (``OSSL_CMP_CTX_get_failInfoCode``, 3.0)."""
        return FailureInfo(max(0, self._get(lib.OSSL_CMP_CTX_get_failInfoCode)))

    fail_info_code = fail_info

    @property
    @locked
    def status_string(self) -> list[str]:
        """Texts that the server sent (``OSSL_CMP_CTX_get0_statusString``, 3.0)."""
        stack = self._get(lib.OSSL_CMP_CTX_get0_statusString)
        if stack == NULL:
            return []
        count = lib.sk_ASN1_UTF8STRING_num(stack)
        octets = (_convert.octets_from_c(lib.sk_ASN1_UTF8STRING_value(stack, i)) or b"" for i in range(count))
        return [value.decode("utf-8", "backslashreplace") for value in octets]

    def snprint_pki_status(self) -> str:
        """Status, failure bits and texts as OpenSSL words them (``OSSL_CMP_CTX_snprint_PKIStatus``, 3.0)."""
        buffer = ffi.new("char[]", lib.OSSL_CMP_PKISI_BUFLEN)
        return text(self._get(lib.OSSL_CMP_CTX_snprint_PKIStatus, buffer, lib.OSSL_CMP_PKISI_BUFLEN))

    @property
    @locked
    def new_cert(self) -> x509.Certificate | None:
        """The certificate that came, even if it was not accepted (``OSSL_CMP_CTX_get0_newCert``, 3.0)."""
        return _convert.cert_from_c(self._get(lib.OSSL_CMP_CTX_get0_newCert))

    @property
    def new_chain(self) -> list[x509.Certificate]:
        """Its chain without itself, if one was built (``OSSL_CMP_CTX_get1_newChain``, 3.0)."""
        return _convert.certs_from_c(_convert.own_certs(self._get(lib.OSSL_CMP_CTX_get1_newChain)))

    @property
    def ca_pubs(self) -> list[x509.Certificate]:
        """CA certificates in the answer's caPubs (``OSSL_CMP_CTX_get1_caPubs``, 3.0).

        To be trusted only if the answer was protected by a shared secret: RFC 9810 section 5.3.2.
        """
        return _convert.certs_from_c(_convert.own_certs(self._get(lib.OSSL_CMP_CTX_get1_caPubs)))

    @property
    def extra_certs_in(self) -> list[x509.Certificate]:
        """Certificates in the answer's extraCerts (``OSSL_CMP_CTX_get1_extraCertsIn``, 3.0)."""
        return _convert.certs_from_c(_convert.own_certs(self._get(lib.OSSL_CMP_CTX_get1_extraCertsIn)))

    @property
    @locked
    def validated_srv_cert(self) -> x509.Certificate | None:
        """The server's validated certificate (``OSSL_CMP_CTX_get0_validatedSrvCert``, 3.2)."""
        require("validated_server_certificate", "validated_srv_cert")
        return _convert.cert_from_c(self._get(lib.OSSL_CMP_CTX_get0_validatedSrvCert))

    @property
    def central_key(self) -> PrivateKeyTypes | None:
        """The private key that the CA made and sent (``OSSL_CMP_CTX_get0_newPkey``, 3.5), else ``None``."""
        if not features["central_key_generation"] or self._gave_new_key:
            return None
        if self.get_option(Option.POPO_METHOD) != POPOMethod.NONE:
            return None
        certificate, key = self.new_cert, self.new_pkey
        # Without a new key OpenSSL names our own: the CA's is the one that was certified.
        return key if certificate and key and certificate.public_key() == key.public_key() else None

    @property
    @locked
    def propq(self) -> str | None:
        """Property query that algorithms are fetched with (``OSSL_CMP_CTX_get0_propq``, 3.2)."""
        require("libctx", "propq")
        pointer = self._get(lib.OSSL_CMP_CTX_get0_propq)
        return None if pointer == NULL else text(pointer)

    @property
    def libctx(self) -> object:
        """The raw ``OSSL_LIB_CTX *``, NULL for the default one (``OSSL_CMP_CTX_get0_libctx``, 3.2)."""
        require("libctx", "libctx")
        return self._get(lib.OSSL_CMP_CTX_get0_libctx)


def _status_in(response: bytes) -> tuple[PKIStatus, FailureInfo, str]:
    from ..message import CertRepMessage, Message

    body = Message.from_der(response).body
    assert isinstance(body, CertRepMessage)  # libcrypto has taken the certificate from it
    said = body.responses[0].status
    return said.status, said.failure_info, "\n".join(said.text)
