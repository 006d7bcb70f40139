"""What the mock server answers to general messages, as that of the loaded OpenSSL does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509

from ..._asn1 import der
from ..._asn1.itav import InfoTypeAndValue
from ..._openssl import convert as _convert
from ..._openssl.lib import NULL, lib, usable_version

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Material", "Refusal", "answer"]

_ID_IT = "1.3.6.1.5.5.7.4."
_CA_CERTS, _ROOT_UPDATE, _REQ_TEMPLATE, _ROOT, _CRL_STATUS, _CRLS = (17, 18, 19, 20, 22, 23)
_ISSUER = 3
"""The issuer in a CertTemplate."""
_EC_KEYS = der.encode(
    der.SEQUENCE,
    der.encode_oid("1.3.6.1.5.5.7.5.1.11"),  # id-regCtrl-algId
    der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1")),
)
_RSA_KEYS = der.encode(
    der.SEQUENCE,
    der.encode_oid("1.3.6.1.5.5.7.5.1.12"),  # id-regCtrl-rsaKeyLen
    der.encode(der.INTEGER, (4096).to_bytes(2, "big")),
)


class Refusal(Exception):
    """libcrypto tells the client the reason that this queues. ``reason`` is the name after ``CMP_R_``."""

    def __init__(self, reason: str, data: str = "") -> None:
        super().__init__(reason)
        number = getattr(lib, f"CMP_R_{reason}", lib.CMP_R_UNEXPECTED_PKIBODY)  # that was all before 3.3
        lib.ERR_raise(lib.ERR_LIB_CMP, number)
        if data:
            lib.ERR_add_error_txt(NULL, data.encode())


class Material(NamedTuple):
    """What answers are made of, as C objects: ``X509 *`` and ``X509_CRL *``, ``None`` where an option is missing."""

    ca_pubs: Sequence[Any]
    roots: tuple[Any, Any, Any]
    crl: Any
    reference: Any


def answer(info: InfoTypeAndValue, material: Material) -> InfoTypeAndValue:
    """The answer to an item; what is not known comes back as it is. Raises Refusal."""
    oid = info.oid.dotted_string
    kind = int(oid.removeprefix(_ID_IT)) if oid.startswith(_ID_IT) else 0
    release = usable_version[:2]
    if kind == _CA_CERTS and release >= (3, 2):
        certs = [_cert(cert) for cert in material.ca_pubs]
        return _info(_CA_CERTS, der.encode(der.SEQUENCE, *certs) if certs else None)
    if kind == _ROOT and release >= (3, 2):
        return _info(_ROOT_UPDATE, _root_update(info, material))
    if kind == _CRL_STATUS and release >= (3, 4):
        newer = _newer_crl(info, material)
        return _info(_CRLS, None if newer is None else der.encode(der.SEQUENCE, newer))
    if kind == _REQ_TEMPLATE and release >= (3, 4):
        return _info(_REQ_TEMPLATE, _template(material))
    return info


def _root_update(info: InfoTypeAndValue, material: Material) -> bytes | None:
    new, new_with_old, old_with_new = material.roots
    if new is None:
        return None
    if info.value is not None:
        known = _convert._from_der(lib.d2i_X509, lib.X509_free, info.value, "decoding a certificate")
        if lib.X509_NAME_cmp(lib.X509_get_subject_name(known), lib.X509_get_subject_name(new)):
            return None
    parts = [_cert(new)]
    for number, cert in enumerate((new_with_old, old_with_new)):
        if cert is not None:
            parts.append(der.encode(der.explicit(number), _cert(cert)))
    return der.encode(der.SEQUENCE, *parts)


def _newer_crl(info: InfoTypeAndValue, material: Material) -> bytes | None:
    """The CRL, unless the client knows one as new."""
    statuses = [] if info.value is None else der.sequence(info.value)
    if len(statuses) != 1:
        raise Refusal("UNEXPECTED_CRLSTATUSLIST")
    if material.crl is None:
        return None
    encoded = _convert.to_der(lib.i2d_X509_CRL, material.crl, "encoding a CRL")
    crl = x509.load_der_x509_crl(encoded)
    fields = der.Fields(der.sequence(statuses[0].encoding))
    source = fields.take()
    if source.tag == der.explicit(1):  # issuer [1] GeneralNames
        names = der.sequence(source.content)
        if not names or names[0].tag != der.explicit(4):
            raise Refusal("SENDER_GENERALNAME_TYPE_NOT_SUPPORTED")
        name = _convert._from_der(lib.d2i_X509_NAME, lib.X509_NAME_free, names[0].content, "decoding a name")
        if lib.X509_NAME_cmp(name, lib.X509_CRL_get_issuer(material.crl)):
            raise Refusal("UNKNOWN_CRL_ISSUER")
    known = None if fields.done else der.moment(fields.take())
    return encoded if known is None or known < crl.last_update_utc else None


def _template(material: Material) -> bytes:
    if material.reference is None:
        raise Refusal("ERROR_PROCESSING_MESSAGE")
    issuer = _convert.to_der(
        lib.i2d_X509_NAME, lib.X509_get_issuer_name(material.reference), "encoding a name"
    )
    template = der.encode(der.SEQUENCE, der.encode(der.explicit(_ISSUER), issuer))
    return der.encode(der.SEQUENCE, template, der.encode(der.SEQUENCE, _EC_KEYS, _RSA_KEYS))


def _cert(cert: Any) -> bytes:
    return _convert.to_der(lib.i2d_X509, cert, "encoding a certificate")


def _info(kind: int, value: bytes | None) -> InfoTypeAndValue:
    return InfoTypeAndValue(x509.ObjectIdentifier(f"{_ID_IT}{kind}"), value)
