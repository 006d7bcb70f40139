"""What to ask for: the fields that later messages of a transaction, or its dump, depend on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from .._lazy import key_types, x509
from .._openssl import convert
from .._openssl.errorqueue import clear, text_from_c
from .._openssl.inputs import AnyCertificate, AnyCSR, EncodedCSR, EncodedName, KeyInput
from .._openssl.keys import Password, is_public, private_key
from .._openssl.lib import NULL, lib
from ..enums import Option
from .calls import Calls
from .credentials import one_certificate
from .guard import locked

if TYPE_CHECKING:
    from .crmf import CertReqMsg


def name_to_c(name: x509.Name | EncodedName | str | None) -> Any:
    """An ``X509_NAME *``, NULL for ``None``."""
    return NULL if name is None else convert.encoded_name_to_c(_encoded(name))


def _encoded(name: x509.Name | EncodedName | str) -> EncodedName:
    from .._openssl.name_texts import encode_name  # here: the command has texts of its own

    return encode_name(name)


def octets_to_c(what: str, value: bytes | None) -> Any:
    """An ``ASN1_OCTET_STRING *``, NULL for ``None``. Raises ``TypeError`` if ``value`` is not ``bytes``."""
    if value is None:
        return NULL
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what}: bytes, not {type(value).__name__}")
    return convert.octets_to_c(bytes(value))


class RequestFields:
    """Names, certificate, CSR and key of the request."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._guard = calls.guard
        self.subject: EncodedName | None = None
        self.issuer: EncodedName | None = None
        self.csr: AnyCSR | None = None
        self.old_certificate: AnyCertificate | None = None
        #: Whether the key to certify is one that was set here.
        self.has_key = False

    def set_subject(self, name: x509.Name | EncodedName | str | None) -> None:
        """As :meth:`osslcmp.Context.set_subject_name`."""
        found = None if name is None else _encoded(name)
        handle = NULL if found is None else convert.encoded_name_to_c(found)
        self._calls.set(lib.OSSL_CMP_CTX_set1_subjectName, handle, what="setting the subject")
        self.subject = found

    def set_issuer(self, name: x509.Name | EncodedName | str | None) -> None:
        """As :meth:`osslcmp.Context.set_issuer`."""
        found = None if name is None else _encoded(name)
        handle = NULL if found is None else convert.encoded_name_to_c(found)
        self._calls.set(lib.OSSL_CMP_CTX_set1_issuer, handle, what="setting the issuer")
        self.issuer = found

    def set_csr(self, request: AnyCSR | None) -> None:
        """As :meth:`osslcmp.Context.set_p10_csr`."""
        handle = NULL
        if request is not None:
            if not isinstance(request, EncodedCSR) and not isinstance(
                request, x509.CertificateSigningRequest
            ):
                raise TypeError(f"CSR: an x509.CertificateSigningRequest, not {type(request).__name__}")
            handle = convert.csr_to_c(request)
        self._calls.set(lib.OSSL_CMP_CTX_set1_p10CSR, handle, what="setting the CSR")
        self.csr = request

    def set_old_certificate(self, certificate: AnyCertificate | None) -> None:
        """As :meth:`osslcmp.Context.set_old_cert`."""
        handle = NULL
        if certificate is not None:
            handle = convert.cert_to_c(one_certificate("old certificate", certificate))
        self._calls.set(lib.OSSL_CMP_CTX_set1_oldCert, handle, what="setting the old certificate")
        self.old_certificate = certificate

    # -- the key to certify -------------------------------------------------------------------------------

    def set_key(self, key: KeyInput | key_types.PublicKeyTypes | None, password: Password) -> None:
        """As :meth:`osslcmp.Context.set_new_pkey`."""
        if key is None:
            self._put_key(NULL, private=False, giving=None)
        elif is_public(key):
            self._put_key(
                convert.public_key_from_info(convert.public_key_info(cast(Any, key))), private=False
            )
        else:
            self._put_key(private_key("new key", cast(Any, key), password), private=True)
        self.has_key = key is not None

    def set_public_key_info(self, info: bytes) -> None:
        """The public key to certify as DER of its SubjectPublicKeyInfo. Raises :class:`osslcmp.OpenSSLError`."""
        self._put_key(convert.public_key_from_info(info), private=False)
        self.has_key = True

    def _put_key(
        self, handle: Any, *, private: bool, giving: Callable[[Any], Any] | None = lib.EVP_PKEY_free
    ) -> None:
        setter = lib.OSSL_CMP_CTX_set0_newPkey
        self._calls.set(setter, int(private), handle, what="setting the new key", giving=giving)

    @locked
    def public_key_info(self) -> bytes | None:
        """The key to certify as DER of its SubjectPublicKeyInfo."""
        pointer = self._calls.get(lib.OSSL_CMP_CTX_get0_newPkey, 0)
        return None if pointer == NULL else convert.to_der(lib.i2d_PUBKEY, pointer, "encoding a public key")

    # -- a certificate request message of one's own -------------------------------------------------------

    @locked
    def setup_crm(self, for_kur: bool, rid: int) -> CertReqMsg:
        """As :meth:`osslcmp.Context.setup_crm`."""
        from .crmf import from_c

        clear()
        return from_c(lib.OSSL_CMP_CTX_setup_CRM(self._calls.pointer, int(for_kur), rid))

    @locked
    def create_popo(self, crm: CertReqMsg) -> None:
        """As :meth:`osslcmp.Context.create_popo`."""
        from .crmf import CertReqMsg, create_popo

        if not isinstance(crm, CertReqMsg):
            raise TypeError(f"crm: CertReqMsg, not {type(crm).__name__}")
        ctx = self._calls.pointer
        method = lib.OSSL_CMP_CTX_get_option(ctx, Option.POPO_METHOD)
        digest = lib.OSSL_CMP_CTX_get_option(ctx, Option.DIGEST_ALGNID)
        key = lib.OSSL_CMP_CTX_get0_newPkey(ctx, 1)
        create_popo(crm.handle, method, key, text_from_c(lib.OBJ_nid2sn(digest)))
