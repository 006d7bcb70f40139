"""OpenSSL's error queue: one per thread, cleared before a call and drained right after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import (
    ErrorEntry,
    OpenSSLError,
    ProtectionError,
    RequestError,
    ResponseError,
    TransferError,
    TransferTimeout,
)
from .lib import NULL, ffi, lib


def clear() -> None:
    """Forget what is queued on this thread (``ERR_clear_error``)."""
    lib.ERR_clear_error()


def text_from_c(chars: Any) -> str:
    """A C string as ``str``; empty for NULL. Bytes that are not UTF-8 are kept as escapes."""
    if chars == NULL:
        return ""
    raw = ffi.string(chars)
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else str(raw)


def drain() -> tuple[ErrorEntry, ...]:
    """Take all entries off the queue of this thread, oldest first (``ERR_get_error_all``, 3.0)."""
    if not lib.ERR_peek_error():
        return ()
    file = ffi.new("const char **")
    line = ffi.new("int *")
    func = ffi.new("const char **")
    data = ffi.new("const char **")
    flags = ffi.new("int *")
    entries = []
    while code := lib.ERR_get_error_all(file, line, func, data, flags):
        reason = lib.ERR_reason_error_string(code)
        if lib.ERR_GET_LIB(code) == lib.ERR_LIB_SYS:
            reason = ffi.new("char[]", os.strerror(lib.ERR_GET_REASON(code)).encode())
        elif reason == NULL:
            buffer = ffi.new("char[256]")
            lib.ERR_error_string_n(code, buffer, 256)
            reason = buffer
        entries.append(
            ErrorEntry(
                library=lib.ERR_GET_LIB(code),
                reason=lib.ERR_GET_REASON(code),
                library_name=text_from_c(lib.ERR_lib_error_string(code)),
                text=text_from_c(reason),
                data=text_from_c(data[0]) if flags[0] & lib.ERR_TXT_STRING else "",
                function=text_from_c(func[0]),
                file=text_from_c(file[0]),
                line=line[0],
            )
        )
    return tuple(entries)


def drain_text() -> str:
    """The drained errors in one line, each text once."""
    return "; ".join(dict.fromkeys(map(str, drain())))


def check(result: object, message: str) -> None:
    """Raise what the queue tells if ``result`` is false, NULL or negative."""
    if isinstance(result, int) and result > 0:
        return
    if not isinstance(result, int) and result != NULL:
        return
    entries = drain()
    raise classify(entries)(message, entries)


#: Reasons of each library; no reason: all that it has.
_KINDS: dict[type[OpenSSLError], dict[str, str]] = {
    TransferTimeout: {
        "CMP": "TOTAL_TIMEOUT",
        "BIO": "CONNECT_TIMEOUT TRANSFER_TIMEOUT",
        "HTTP": "RETRY_TIMEOUT",
    },
    ProtectionError: {
        "CMP": """
            ERROR_VALIDATING_PROTECTION ERROR_VALIDATING_SIGNATURE MISSING_PROTECTION MISSING_TRUST_ANCHOR
            MISSING_TRUST_STORE MISSING_SECRET NO_SUITABLE_SENDER_CERT POTENTIALLY_INVALID_CERTIFICATE
            SRVCERT_DOES_NOT_VALIDATE_MSG WRONG_PBM_VALUE MISSING_KEY_USAGE_DIGITALSIGNATURE
            UNEXPECTED_SENDER SENDER_GENERALNAME_TYPE_NOT_SUPPORTED UNSUPPORTED_PROTECTION_ALG_DHBASEDMAC
        """
    },
    RequestError: {
        "CMP": """
            ALGORITHM_NOT_SUPPORTED CERT_AND_KEY_DO_NOT_MATCH ERROR_CREATING_CERTREQ ERROR_CREATING_GENM
            ERROR_CREATING_RR ERROR_PROTECTING_MESSAGE FAILED_BUILDING_OWN_CHAIN INVALID_ARGS INVALID_OPTION
            MISSING_KEY_INPUT_FOR_CREATING_PROTECTION MISSING_P10CSR MISSING_PBM_SECRET MISSING_PRIVATE_KEY
            MISSING_PRIVATE_KEY_FOR_POPO MISSING_PUBLIC_KEY MISSING_REFERENCE_CERT
            MISSING_SENDER_IDENTIFICATION MULTIPLE_SAN_SOURCES NULL_ARGUMENT UNSUPPORTED_ALGORITHM
            UNSUPPORTED_KEY_TYPE VALUE_TOO_LARGE VALUE_TOO_SMALL
        """,
        "CRMF": """
            ERROR_SETTING_PURPOSE POPO_INCONSISTENT_PUBLIC_KEY POPO_MISSING_PUBLIC_KEY POPO_MISSING_SUBJECT
            SETTING_PBM_ALGOR_FAILURE UNSUPPORTED_ALG_FOR_POPSIGNINGKEY UNSUPPORTED_METHOD_FOR_CREATING_POPO
        """,
    },
    TransferError: {"CMP": "TRANSFER_ERROR", "HTTP": ""},
    ResponseError: {
        "CMP": """
            BAD_CHECKAFTER_IN_POLLREP BAD_REQUEST_ID CERTIFICATE_NOT_FOUND CERTRESPONSE_NOT_FOUND
            CHECKAFTER_OUT_OF_RANGE ENCOUNTERED_KEYUPDATEWARNING ENCOUNTERED_WAITING ERROR_PARSING_PKISTATUS
            MISSING_CERTID MULTIPLE_RESPONSES_NOT_SUPPORTED PKIBODY_ERROR PKISTATUSINFO_NOT_FOUND
            POLLING_FAILED RECEIVED_ERROR RECIPNONCE_UNMATCHED REQUEST_REJECTED_BY_SERVER
            TRANSACTIONID_UNMATCHED UNEXPECTED_PKIBODY UNEXPECTED_PKISTATUS UNEXPECTED_PVNO
            UNKNOWN_CERT_TYPE UNKNOWN_PKISTATUS WRONG_CERTID_IN_RP WRONG_RP_COMPONENT_COUNT
            WRONG_SERIAL_IN_RP
        """
    },
}

#: Reasons that OpenSSL 3.0 does not have: a build against it may load a later one.
_LATER = {"CMP": {"UNEXPECTED_SENDER": 106}, "CRMF": {"ERROR_SETTING_PURPOSE": 126}}


def _reason_code(library: str, reason: str) -> int | None:
    """The number of ``<library>_R_<reason>``; ``None`` if no release that can be loaded has it."""
    code: int | None = getattr(lib, f"{library}_R_{reason}", _LATER.get(library, {}).get(reason))
    return code


def has_reason(entries: Iterable[ErrorEntry], *reasons: str) -> bool:
    """Whether one of these reasons of the CMP library is among ``entries``."""
    codes = {_reason_code("CMP", reason) for reason in reasons}
    return any(entry.library == lib.ERR_LIB_CMP and entry.reason in codes for entry in entries)


#: Which exception a library and reason mean, in order of precedence: the most telling entry wins.
_TABLE: list[tuple[type[OpenSSLError], frozenset[tuple[int, int]], frozenset[int]]] = []
for _kind, _libraries in _KINDS.items():
    _reasons, _whole = set(), set()
    for _name, _names in _libraries.items():
        _number = getattr(lib, f"ERR_LIB_{_name}")
        if not _names:
            _whole.add(_number)
        _reasons |= {
            (_number, code) for reason in _names.split() if (code := _reason_code(_name, reason)) is not None
        }
    _TABLE.append((_kind, frozenset(_reasons), frozenset(_whole)))


def classify(entries: Sequence[ErrorEntry]) -> type[OpenSSLError]:
    """The exception class that fits drained ``entries``."""
    for kind, reasons, whole in _TABLE:
        if any((entry.library, entry.reason) in reasons or entry.library in whole for entry in entries):
            return kind
    return OpenSSLError
