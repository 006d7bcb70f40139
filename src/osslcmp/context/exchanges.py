"""Requests other than for a certificate: rr, genm, and general messages for which libcrypto has functions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import x509
from .._openssl import convert
from .._openssl.errorqueue import clear
from .._openssl.lib import NULL, ffi, lib, require
from .._openssl.ownership import own
from .calls import Calls
from .polling import Exchange

if TYPE_CHECKING:
    from .._asn1.itav import InfoTypeAndValue
    from ..message.bodyparts import AlgorithmIdentifier
    from .general import CertReqTemplate


class Exchanges:
    """rr and genm, as :class:`osslcmp.context.polling.Exchange`: what to send, and how to read what comes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def _checked(self, success: bool, what: str) -> None:
        if not success:
            raise self._calls.failure(f"{what} failed")
        self._calls.raise_stored()
        clear()

    def rr(self) -> Exchange[None]:
        """As :meth:`osslcmp.Context.exec_rr_ses`."""
        return Exchange(lib.OSSL_CMP_exec_RR_ses, read=lambda done: self._checked(done, "rr"))

    def genm(self) -> Exchange[list[InfoTypeAndValue]]:
        """As :meth:`osslcmp.Context.exec_genm_ses`."""

        def read(stack: Any) -> list[InfoTypeAndValue]:
            owned = NULL if stack == NULL else own(stack, convert.free_itavs, "taking general message items")
            self._checked(owned != NULL, "genm")
            return convert.itavs_from_c(owned)

        return Exchange(lib.OSSL_CMP_exec_GENM_ses, read=read)

    def get1(self, function: Any, *args: Any, what: str) -> Exchange[None]:
        """A general message by a function that returns 1 and fills in pointers."""
        return Exchange(function, *args, read=lambda done: self._checked(done == 1, what))

    def ca_certs(self) -> Exchange[list[bytes]]:
        """As :meth:`osslcmp.Context.get_ca_certs`, DER."""
        require("ca_certs", "get_ca_certs")
        out = ffi.new("struct stack_st_X509 **")
        sent = self.get1(lib.OSSL_CMP_get1_caCerts, out, what="caCerts")
        return sent.then(lambda _: convert.certs_to_der(convert.own_certs(out[0])))

    def root_ca_key_update(
        self, old: convert.Certificate | None
    ) -> Exchange[tuple[bytes | None, bytes | None, bytes | None]]:
        """As :meth:`osslcmp.Context.get_root_ca_key_update`: the three certificates, DER."""
        require("root_ca_update", "get_root_ca_key_update")
        known = NULL if old is None else convert.cert_to_c(old)
        out = [ffi.new("X509 **") for _ in range(3)]

        def read(_: None) -> tuple[bytes | None, bytes | None, bytes | None]:
            owned = [
                None if cell[0] == NULL else own(cell[0], lib.X509_free, "taking a certificate")
                for cell in out
            ]
            new, new_with_old, old_with_new = (one and convert.cert_to_der(one) for one in owned)
            return new, new_with_old, old_with_new

        return self.get1(lib.OSSL_CMP_get1_rootCaKeyUpdate, known, *out, what="rootCaCert").then(read)

    def crl_update(
        self, certificate: convert.Certificate | None, last_crl: x509.CertificateRevocationList | bytes | None
    ) -> Exchange[bytes | None]:
        """As :meth:`osslcmp.Context.get_crl_update`, DER."""
        require("crl_update", "get_crl_update")
        if certificate is None and last_crl is None:
            raise ValueError("get_crl_update: give the certificate or the last CRL")
        cert = NULL if certificate is None else convert.cert_to_c(certificate)
        crl = NULL if last_crl is None else convert.crl_to_c(last_crl)
        out = ffi.new("X509_CRL **")

        def read(_: None) -> bytes | None:
            if out[0] == NULL:
                return None
            owned = own(out[0], lib.X509_CRL_free, "taking a CRL")
            return convert.to_der(lib.i2d_X509_CRL, owned, "encoding a CRL")

        return self.get1(lib.OSSL_CMP_get1_crlUpdate, cert, crl, out, what="crlStatusList").then(read)

    def cert_req_template(self) -> Exchange[CertReqTemplate | None]:
        """As :meth:`osslcmp.Context.get_cert_req_template`."""
        require("cert_req_template", "get_cert_req_template")
        template, spec = ffi.new("OSSL_CRMF_CERTTEMPLATE **"), ffi.new("OSSL_CMP_ATAVS **")

        def read(_: None) -> CertReqTemplate | None:
            key_spec = NULL
            if spec[0] != NULL:
                key_spec = own(spec[0], lib.OSSL_CMP_ATAVS_free, "taking a keySpec")
            if template[0] == NULL:
                return None
            owned = own(template[0], lib.OSSL_CRMF_CERTTEMPLATE_free, "taking a template")
            from .general import CertReqTemplate

            return CertReqTemplate(
                convert.to_der(lib.i2d_OSSL_CRMF_CERTTEMPLATE, owned, "encoding a template"),
                convert.name_from_c(lib.OSSL_CRMF_CERTTEMPLATE_get0_subject(owned)),
                convert.name_from_c(lib.OSSL_CRMF_CERTTEMPLATE_get0_issuer(owned)),
                convert.extensions_from_c(lib.OSSL_CRMF_CERTTEMPLATE_get0_extensions(owned)),
                *_key_spec(key_spec),
            )

        sent = self.get1(lib.OSSL_CMP_get1_certReqTemplate, template, spec, what="certReqTemplate")
        return sent.then(read)


def _key_spec(atavs: Any) -> tuple[tuple[AlgorithmIdentifier, ...], tuple[int, ...]]:
    """Algorithms and RSA key lengths; kinds that RFC 9483 does not know are left out."""
    from ..message.bodyparts import algorithm_from_der  # only here: it takes time to import

    algorithms, lengths = [], []
    count = 0 if atavs == NULL else lib.sk_OSSL_CRMF_ATTRIBUTETYPEANDVALUE_num(atavs)
    for i in range(count):
        atav = lib.sk_OSSL_CRMF_ATTRIBUTETYPEANDVALUE_value(atavs, i)
        kind = lib.OBJ_obj2nid(lib.OSSL_CMP_ATAV_get0_type(atav))
        if kind == lib.NID_id_regCtrl_algId:
            algor = lib.OSSL_CMP_ATAV_get0_algId(atav)
            algorithms.append(
                algorithm_from_der(convert.to_der(lib.i2d_X509_ALGOR, algor, "encoding an algorithm"))
            )
        elif kind == lib.NID_id_regCtrl_rsaKeyLen:
            lengths.append(lib.OSSL_CMP_ATAV_get_rsaKeyLen(atav))
    clear()
    return tuple(algorithms), tuple(lengths)
