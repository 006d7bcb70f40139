"""A certificate request message (CRMF, RFC 4211) of one's own, for what the context's setters cannot say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .._openssl import convert as _convert
from ..enums import POPOMethod
from . import crmf_msg as _crm

__all__ = ["CertReqMsg"]


class CertReqMsg:
    """``OSSL_CRMF_MSG``: a certificate template with its proof of possession.

    Comes from :meth:`osslcmp.Context.setup_crm`, from DER (:meth:`from_der`), or from a template alone
    (:meth:`from_template`), and goes to :meth:`osslcmp.Context.exec_certreq` or ``Client.ir(crm=...)``.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @classmethod
    def from_der(cls, der: bytes) -> CertReqMsg:
        """From the DER of a CertReqMsg (``d2i_OSSL_CRMF_MSG``, 3.0). ``ValueError`` if it is none."""
        return cls(_crm.decode(der))

    @classmethod
    def from_template(cls, template: bytes) -> CertReqMsg:
        """From the DER of a CertTemplate; needs :meth:`create_popo`. ``ValueError`` if it is none."""
        request_id = _convert.tlv(0x02, b"\0")
        return cls(_crm.decode(_convert.tlv(0x30, _convert.tlv(0x30, request_id + template))))

    @property
    def der(self) -> bytes:
        """Its DER encoding (``i2d_OSSL_CRMF_MSG``, 3.0)."""
        return _crm.encode(self._handle)

    @property
    def handle(self) -> Any:
        """The raw ``OSSL_CRMF_MSG *``, valid as long as this object."""
        return self._handle

    def set_validity(self, not_before: datetime | None, not_after: datetime | None) -> None:
        """Ask for a validity period; ``None`` leaves an end open (``OSSL_CRMF_MSG_set0_validity``, 3.0).

        Times without a zone are UTC. The proof of possession must be created after it.
        """
        _crm.set_validity(self._handle, not_before, not_after)

    def create_popo(
        self, method: POPOMethod | int, key: PrivateKeyTypes | None = None, digest: str = "sha256"
    ) -> None:
        """Prove possession of ``key`` (``OSSL_CRMF_MSG_create_popo``, 3.0).

        ``key`` is needed for a signature only. Raises :class:`osslcmp.RequestError` if the proof cannot be made,
        which from 3.2 on includes a key that does not fit the template; OpenSSL 3.0 leaves that to the server.
        """
        handle = None if key is None else _convert.key_to_c(key)
        _crm.create_popo(self._handle, int(POPOMethod(method)), handle, digest)
