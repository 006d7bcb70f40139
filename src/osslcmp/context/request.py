"""What to ask for: the certificate template and the contents of other requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from .._asn1.itav import InfoTypeAndValue
from .._openssl import convert as _convert
from .._openssl.errorqueue import clear, text
from .._openssl.inputs import KeyInput
from .._openssl.keys import Password, private_key
from .._openssl.lib import NULL, lib, require
from .._openssl.names import parse_name
from ..enums import Option
from . import crmf_msg as _crm
from .credentials import AuthMixin, _cert
from .crmf import CertReqMsg
from .guard import locked

__all__ = ["RequestMixin"]


class RequestMixin(AuthMixin):
    """The request part of :class:`osslcmp.Context`."""

    _gave_new_key = False

    def set_new_pkey(self, key: KeyInput | PublicKeyTypes | None, password: Password = None) -> None:
        """The key to certify (``OSSL_CMP_CTX_set0_newPkey``, 3.0).

        A private key in any form that :meth:`set_pkey` takes, or a ``cryptography`` public key alone where possession
        is proved otherwise (POPO none or RAVERIFIED). ``None``: the key of signature protection.
        """
        self._gave_new_key = key is not None
        if key is None:
            self._set(lib.OSSL_CMP_CTX_set0_newPkey, 0, NULL, what="setting the new key")
            return
        private = not isinstance(key, get_args(PublicKeyTypes))
        handle: Any = (
            private_key("new key", key, password) if private else _convert.public_key_to_c(cast(Any, key))
        )
        setter, free = lib.OSSL_CMP_CTX_set0_newPkey, lib.EVP_PKEY_free
        self._set(setter, int(private), handle, what="setting the new key", giving=free)

    @property
    @locked
    def new_public_key(self) -> PublicKeyTypes | None:
        """Public part of the key to certify (``OSSL_CMP_CTX_get0_newPkey``, 3.0)."""
        pointer = self._get(lib.OSSL_CMP_CTX_get0_newPkey, 0)
        return None if pointer == NULL else _convert.public_key_from_c(pointer)

    @property
    @locked
    def new_pkey(self) -> PrivateKeyTypes | None:
        """Private key to certify, also a centrally generated one (``OSSL_CMP_CTX_get0_newPkey``, 3.0)."""
        pointer = self._get(lib.OSSL_CMP_CTX_get0_newPkey, 1)
        return None if pointer == NULL else _convert.key_from_c(pointer)

    def set_issuer(self, name: x509.Name | str | None) -> None:
        """Issuer to put into the template (``OSSL_CMP_CTX_set1_issuer``, 3.0)."""
        found = None if name is None else parse_name(name)
        handle = NULL if found is None else _convert.name_to_c(found)
        self._set(lib.OSSL_CMP_CTX_set1_issuer, handle, what="setting the issuer")
        self._given["issuer"] = found

    def set_serial_number(self, serial: int | None) -> None:
        """Serial number of the certificate to revoke, with the issuer (``OSSL_CMP_CTX_set1_serialNumber``, 3.2)."""
        require("serial_number", "set_serial_number")
        if serial is not None and not isinstance(serial, int):
            raise TypeError(f"serial: an int, not {type(serial).__name__}")
        handle = NULL if serial is None else _convert.integer_to_c(serial)
        self._set(lib.OSSL_CMP_CTX_set1_serialNumber, handle, what="setting the serial number")

    def set_subject_name(self, name: x509.Name | str | None) -> None:
        """Subject to ask for (``OSSL_CMP_CTX_set1_subjectName``, 3.0).

        Without it: that of the CSR, the old certificate or our certificate.
        """
        found = None if name is None else parse_name(name)
        handle = NULL if found is None else _convert.name_to_c(found)
        self._set(lib.OSSL_CMP_CTX_set1_subjectName, handle, what="setting the subject")
        self._given["subject"] = found

    def push_subject_alt_name(self, name: x509.GeneralName) -> None:
        """Add a subject alternative name to ask for (``OSSL_CMP_CTX_push1_subjectAltName``, 3.0)."""
        if not isinstance(name, x509.GeneralName):
            raise TypeError(f"subject alternative name: an x509.GeneralName, not {type(name).__name__}")
        for handle in _convert.general_names_to_c([name]):
            self._set(lib.OSSL_CMP_CTX_push1_subjectAltName, handle, what="adding a subject alternative name")

    def set_req_extensions(self, extensions: Iterable[x509.Extension[Any]]) -> None:
        """Extensions to ask for (``OSSL_CMP_CTX_set0_reqExtensions``, 3.0)."""
        stack = _convert.extensions_to_c(extensions)
        setter, free = lib.OSSL_CMP_CTX_set0_reqExtensions, _convert.free_extensions
        self._set(setter, stack, what="setting the extensions", giving=free)

    def req_extensions_have_san(self) -> bool:
        """Whether these include subject alternative names (``OSSL_CMP_CTX_reqExtensions_have_SAN``, 3.0)."""
        return bool(self._get(lib.OSSL_CMP_CTX_reqExtensions_have_SAN) == 1)

    def push_policy(self, policy: x509.PolicyInformation) -> None:
        """Add a certificate policy to ask for (``OSSL_CMP_CTX_push0_policy``, 3.0)."""
        if not isinstance(policy, x509.PolicyInformation):
            raise TypeError(f"policy: an x509.PolicyInformation, not {type(policy).__name__}")
        handle = _convert.policy_to_c(policy)
        setter, free = lib.OSSL_CMP_CTX_push0_policy, lib.POLICYINFO_free
        self._set(setter, handle, what="adding a policy", giving=free)

    def set_old_cert(self, certificate: x509.Certificate | None) -> None:
        """Certificate to update or revoke, and reference for defaults (``OSSL_CMP_CTX_set1_oldCert``, 3.0)."""
        handle = NULL if certificate is None else _convert.cert_to_c(_cert("old certificate", certificate))
        self._set(lib.OSSL_CMP_CTX_set1_oldCert, handle, what="setting the old certificate")
        self._given["old_certificate"] = certificate

    def set_p10_csr(self, request: x509.CertificateSigningRequest | None) -> None:
        """CSR for p10cr, or source of defaults for the others (``OSSL_CMP_CTX_set1_p10CSR``, 3.0)."""
        if request is not None and not isinstance(request, x509.CertificateSigningRequest):
            raise TypeError(f"CSR: an x509.CertificateSigningRequest, not {type(request).__name__}")
        handle = NULL if request is None else _convert.csr_to_c(request)
        self._set(lib.OSSL_CMP_CTX_set1_p10CSR, handle, what="setting the CSR")
        self._given["csr"] = request

    @locked
    def setup_crm(self, *, for_kur: bool = False, rid: int = 0) -> CertReqMsg:
        """The certificate request message that a request would carry (``OSSL_CMP_CTX_setup_CRM``, 3.0).

        It has no proof of possession yet: :meth:`create_popo` adds that of this context. ``for_kur`` names the old
        certificate in it; ``rid`` is its certReqId, which OpenSSL wants to be 0 when it is sent.
        """
        clear()
        return CertReqMsg(_crm.own(lib.OSSL_CMP_CTX_setup_CRM(self._ptr, int(for_kur), rid)))

    @locked
    def create_popo(self, crm: CertReqMsg) -> None:
        """Prove possession of the key to certify, by this context's method (``OSSL_CRMF_MSG_create_popo``, 3.0)."""
        method, digest = self.get_option(Option.POPO_METHOD), self.get_option(Option.DIGEST_ALGNID)
        key = lib.OSSL_CMP_CTX_get0_newPkey(self._ptr, 1)
        name = lib.OBJ_nid2sn(digest)
        _crm.create_popo(crm.handle, method, None if key == NULL else key, text(name))

    def push_genm_itav(self, itav: InfoTypeAndValue) -> None:
        """Add an item to the general message to send (``OSSL_CMP_CTX_push0_genm_ITAV``, 3.0)."""
        handle = _convert.itav_to_c(itav)
        setter, free = lib.OSSL_CMP_CTX_push0_genm_ITAV, lib.OSSL_CMP_ITAV_free
        self._set(setter, handle, what="adding to the general message", giving=free)
