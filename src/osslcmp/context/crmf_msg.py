"""``OSSL_CRMF_MSG`` in C."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .._openssl.convert import to_der
from .._openssl.errorqueue import check, clear, drain
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import disarm, take
from ..errors import RequestError

__all__ = ["create_popo", "decode", "encode", "own", "set_validity"]


def own(pointer: Any) -> Any:
    """Own an ``OSSL_CRMF_MSG``."""
    return take(pointer, lib.OSSL_CRMF_MSG_free, "making a certificate request message")


def decode(der: bytes) -> Any:
    """From DER."""
    if not isinstance(der, (bytes, bytearray)):
        raise TypeError(f"certificate request message: DER as bytes, not {type(der).__name__}")
    clear()
    data = ffi.from_buffer("unsigned char[]", der)
    cursor = ffi.new("const unsigned char **", data)
    pointer = lib.d2i_OSSL_CRMF_MSG(NULL, cursor, len(der))
    clear()
    if pointer == NULL:
        raise ValueError("certificate request message: does not decode")
    handle = own(pointer)
    if cursor[0] != data + len(der):
        raise ValueError("certificate request message: there is data after it")
    return handle


def encode(handle: Any) -> bytes:
    """To DER."""
    return to_der(lib.i2d_OSSL_CRMF_MSG, handle, "encoding a certificate request message")


def _time(what: str, moment: datetime | None) -> Any:
    if moment is None:
        return NULL
    if not isinstance(moment, datetime):
        raise TypeError(f"{what}: a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return take(lib.ASN1_TIME_set(NULL, int(moment.timestamp())), lib.ASN1_TIME_free, f"setting {what}")


def set_validity(handle: Any, not_before: datetime | None, not_after: datetime | None) -> None:
    """C takes over both times on success."""
    first, last = _time("not_before", not_before), _time("not_after", not_after)
    if not_before is not None and not_after is not None and not_after <= not_before:
        raise ValueError("not_after: is not after not_before")
    clear()
    for time in (first, last):
        if time != NULL:
            disarm(time)  # before: a signal handler may raise when C has them. It fails only without memory.
    check(lib.OSSL_CRMF_MSG_set0_validity(handle, first, last), "setting the validity")


def create_popo(handle: Any, method: int, key: Any | None, digest: str) -> None:
    """``key`` is an ``EVP_PKEY *`` or None."""
    clear()
    md = lib.EVP_get_digestbyname(digest.encode())
    if md == NULL:
        raise ValueError(f"digest: OpenSSL knows no {digest!r}")
    pointer = NULL if key is None else key
    if lib.OSSL_CRMF_MSG_create_popo(method, handle, pointer, md, NULL, NULL) != 1:
        raise RequestError("creating the proof of possession", drain())
