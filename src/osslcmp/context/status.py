"""What the server said of a request: PKIStatusInfo as an ``OSSL_CMP_CTX`` has it."""

from __future__ import annotations

from typing import Any

from .._openssl import convert
from .._openssl.lib import NULL, lib
from ..enums import FailureInfo, PKIStatus


def get_status(ctx: Any) -> PKIStatus:
    """``OSSL_CMP_CTX_get_status``."""
    return PKIStatus(lib.OSSL_CMP_CTX_get_status(ctx))


def get_fail_info(ctx: Any) -> FailureInfo:
    """``OSSL_CMP_CTX_get_failInfoCode``, which is negative for none."""
    return FailureInfo(max(0, lib.OSSL_CMP_CTX_get_failInfoCode(ctx)))


def get_status_string(ctx: Any) -> list[str]:
    """``OSSL_CMP_CTX_get0_statusString``."""
    stack = lib.OSSL_CMP_CTX_get0_statusString(ctx)
    if stack == NULL:
        return []
    count = lib.sk_ASN1_UTF8STRING_num(stack)
    octets = (convert.octets_from_c(lib.sk_ASN1_UTF8STRING_value(stack, i)) or b"" for i in range(count))
    return [value.decode("utf-8", "backslashreplace") for value in octets]


def pki_status(ctx: Any) -> tuple[PKIStatus, FailureInfo, str]:
    """All three; the texts as lines."""
    return get_status(ctx), get_fail_info(ctx), "\n".join(get_status_string(ctx))
