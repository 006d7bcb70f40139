"""A certificate request message (CRMF, RFC 4211) of one's own, for what the context's setters cannot say."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .._openssl import convert as _convert
from .._openssl.errorqueue import check, clear, drain
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import own, release
from ..enums import POPOMethod
from ..errors import RequestError

__all__ = ["CertReqMsg", "create_popo", "from_c"]


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
        if not isinstance(der, (bytes, bytearray)):
            raise TypeError(f"certificate request message: DER as bytes, not {type(der).__name__}")
        clear()
        data = ffi.from_buffer("unsigned char[]", der)
        cursor = ffi.new("const unsigned char **", data)
        pointer = lib.d2i_OSSL_CRMF_MSG(NULL, cursor, len(der))
        clear()
        if pointer == NULL:
            raise ValueError("certificate request message: does not decode")
        made = cls(_own(pointer))
        if cursor[0] != data + len(der):
            raise ValueError("certificate request message: there is data after it")
        return made

    @classmethod
    def from_template(cls, template: bytes) -> CertReqMsg:
        """From the DER of a CertTemplate; needs :meth:`create_popo`. ``ValueError`` if it is none."""
        request_id = _convert.tlv(0x02, b"\0")
        return cls.from_der(_convert.tlv(0x30, _convert.tlv(0x30, request_id + template)))

    @property
    def der(self) -> bytes:
        """Its DER encoding (``i2d_OSSL_CRMF_MSG``, 3.0)."""
        return _convert.to_der(lib.i2d_OSSL_CRMF_MSG, self._handle, "encoding a certificate request message")

    @property
    def handle(self) -> Any:
        """The raw ``OSSL_CRMF_MSG *``, valid as long as this object."""
        return self._handle

    def set_validity(self, not_before: datetime | None, not_after: datetime | None) -> None:
        """Ask for a validity period; ``None`` leaves an end open (``OSSL_CRMF_MSG_set0_validity``, 3.0).

        Times without a zone are UTC. The proof of possession must be created after it.
        """
        first, last = _time("not_before", not_before), _time("not_after", not_after)
        if not_before is not None and not_after is not None and not_after <= not_before:
            raise ValueError("not_after: is not after not_before")
        clear()
        for time in (first, last):
            if time != NULL:
                # Before: a signal handler may raise when C has them. It fails only without memory.
                release(time)
        check(lib.OSSL_CRMF_MSG_set0_validity(self._handle, first, last), "setting the validity")

    def create_popo(
        self, method: POPOMethod | int, key: PrivateKeyTypes | None = None, digest: str = "sha256"
    ) -> None:
        """Prove possession of ``key`` (``OSSL_CRMF_MSG_create_popo``, 3.0).

        ``key`` is needed for a signature only. Raises :class:`osslcmp.RequestError` if the proof cannot be made,
        which from 3.2 on includes a key that does not fit the template; OpenSSL 3.0 leaves that to the server.
        """
        handle = NULL if key is None else _convert.key_to_c(key)
        create_popo(self._handle, int(POPOMethod(method)), handle, digest)


def _own(pointer: Any) -> Any:
    return own(pointer, lib.OSSL_CRMF_MSG_free, "making a certificate request message")


def from_c(pointer: Any) -> CertReqMsg:
    """Of a new ``OSSL_CRMF_MSG *``, which it owns."""
    return CertReqMsg(_own(pointer))


def create_popo(crm: Any, method: int, key: Any, digest: str) -> None:
    """Put the proof of possession of an ``EVP_PKEY *`` (or NULL) into an ``OSSL_CRMF_MSG *``."""
    clear()
    md = lib.EVP_get_digestbyname(digest.encode())
    if md == NULL:
        raise ValueError(f"digest: OpenSSL knows no {digest!r}")
    if lib.OSSL_CRMF_MSG_create_popo(method, crm, key, md, NULL, NULL) != 1:
        raise RequestError("creating the proof of possession", drain())


def _time(what: str, moment: datetime | None) -> Any:
    """An ``ASN1_TIME *``, NULL for ``None``."""
    if moment is None:
        return NULL
    if not isinstance(moment, datetime):
        raise TypeError(f"{what}: a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return own(lib.ASN1_TIME_set(NULL, int(moment.timestamp())), lib.ASN1_TIME_free, f"setting {what}")
