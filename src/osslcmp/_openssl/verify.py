"""Verification of a certificate by OpenSSL, with all that ``X509_VERIFY_PARAM`` can ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._text import visible
from ..errors import UnreadableCertificateError
from . import convert, inputs
from .errorqueue import check, clear, text_from_c
from .lib import NULL, ffi, lib
from .names import name_of
from .ownership import give_to_c, own
from .signers import times

if TYPE_CHECKING:
    from .certificate_check import CertificateCheck


SUITES = {
    "128": lib.X509_V_FLAG_SUITEB_128_LOS,
    "128_only": lib.X509_V_FLAG_SUITEB_128_LOS_ONLY,
    "192": lib.X509_V_FLAG_SUITEB_192_LOS,
}


def try_settings(wanted: CertificateCheck) -> None:
    """Raise ValueError for settings that OpenSSL does not take."""
    apply(own(lib.X509_VERIFY_PARAM_new(), lib.X509_VERIFY_PARAM_free, "setting up the verification"), wanted)


def not_listed(
    certificates: Iterable[convert.Certificate], crls: Iterable[inputs.AnyCRL]
) -> list[convert.Certificate]:
    """Those that no CRL of their issuers lists (``X509_CRL_get0_by_cert``, 3.0)."""
    handles = [convert.crl_to_c(crl) for crl in crls]
    return [one for one in certificates if not any(_lists(crl, convert.cert_to_c(one)) for crl in handles)]


def _lists(crl: Any, certificate: Any) -> bool:
    if lib.X509_NAME_cmp(lib.X509_CRL_get_issuer(crl), lib.X509_get_issuer_name(certificate)):
        return False
    return bool(lib.X509_CRL_get0_by_cert(crl, ffi.new("X509_REVOKED **"), certificate) == 1)


def add(store: Any, wanted: CertificateCheck) -> None:
    """Put the trust anchors and CRLs of a check into a ``X509_STORE *``."""
    convert.trust(store, inputs.any_certificates("trusted", wanted.trusted))
    for crl in inputs.crls("crls", wanted.crls):
        check(lib.X509_STORE_add_crl(store, convert.crl_to_c(crl)), "adding a CRL to the trust store")
    if wanted.extended_crl:
        lib.osslcmp_take_any_crl(store)


def store_to_c(wanted: CertificateCheck) -> Any:
    """``X509_STORE *`` that verifies as the check says, for libcrypto's own use (``X509_STORE_get0_param``).

    The certificates in ``untrusted`` are no part of a store.
    """
    clear()
    store = convert.store_to_c(())
    add(store, wanted)
    apply(lib.X509_STORE_get0_param(store), wanted)
    return store


def apply(param: Any, wanted: CertificateCheck) -> None:
    """Put all that is ``wanted``, but for certificates and CRLs, into a ``X509_VERIFY_PARAM *``."""
    _set(param, "verify_name", wanted.verify_name)
    flags = 0 if wanted.suite_b is None else SUITES[wanted.suite_b]
    for name, on in (
        ("CRL_CHECK", wanted.crl_check != "none"),
        ("CRL_CHECK_ALL", wanted.crl_check == "all"),
        ("PARTIAL_CHAIN", wanted.partial_chain),
        ("X509_STRICT", wanted.strict),
        ("POLICY_CHECK", wanted.policy_check),
        ("EXPLICIT_POLICY", wanted.explicit_policy),
        ("INHIBIT_ANY", wanted.inhibit_any),
        ("INHIBIT_MAP", wanted.inhibit_map),
        ("ALLOW_PROXY_CERTS", wanted.allow_proxy_certs),
        ("IGNORE_CRITICAL", wanted.ignore_critical),
        ("USE_DELTAS", wanted.use_deltas),
        ("EXTENDED_CRL_SUPPORT", wanted.extended_crl),
        ("CHECK_SS_SIGNATURE", wanted.check_ss_signature),
        ("NO_CHECK_TIME", wanted.no_check_time),
    ):
        flags |= getattr(lib, f"X509_V_FLAG_{name}") if on else 0
    check(lib.X509_VERIFY_PARAM_set_flags(param, flags), "setting up the verification")
    if wanted.time is not None:
        lib.X509_VERIFY_PARAM_set_time(param, int(wanted.time.timestamp()))
    if wanted.depth is not None:
        lib.X509_VERIFY_PARAM_set_depth(param, wanted.depth)
    if wanted.auth_level is not None:
        lib.X509_VERIFY_PARAM_set_auth_level(param, wanted.auth_level)
    for name in ("purpose", "host", "email", "ip"):
        _set(param, name, getattr(wanted, name))
    for policy in wanted.policies:
        _set(param, "policies", policy)


def _set(param: Any, name: str, value: str | None) -> None:
    """Set a text, unless there is none. Raises ValueError if libcrypto does not take it."""
    if value is not None and SETTERS[name](param, value.encode()) <= 0:
        clear()
        raise ValueError(f"{name}: OpenSSL knows no {value!r}")


def _set_purpose(param: Any, name: bytes) -> int:
    index: int = lib.X509_PURPOSE_get_by_sname(name)
    if index < 0:
        return index
    number = lib.X509_PURPOSE_get_id(lib.X509_PURPOSE_get0(index))
    return int(lib.X509_VERIFY_PARAM_set_purpose(param, number))


def _begin(param: Any, name: bytes) -> int:
    known = lib.X509_VERIFY_PARAM_lookup(name)
    return 0 if known == NULL else lib.X509_VERIFY_PARAM_set1(param, known)


def _add_policy(param: Any, text: bytes) -> int:
    pointer = lib.OBJ_txt2obj(text, 0)
    if pointer == NULL:
        return 0
    policy = own(pointer, lib.ASN1_OBJECT_free, "reading a policy")
    add, free = lib.X509_VERIFY_PARAM_add0_policy, lib.ASN1_OBJECT_free
    give_to_c(policy, free, add, param, policy, what="setting up the verification")
    return 1


SETTERS: dict[str, Callable[[Any, bytes], int]] = {
    "verify_name": _begin,
    "purpose": _set_purpose,
    "host": lambda param, text: lib.X509_VERIFY_PARAM_set1_host(param, text, 0),
    "email": lambda param, text: lib.X509_VERIFY_PARAM_set1_email(param, text, 0),
    "ip": lib.X509_VERIFY_PARAM_set1_ip_asc,
    "policies": _add_policy,
}
"""What puts a text into a ``X509_VERIFY_PARAM *``; it returns what is not positive for one that libcrypto does not take."""


def verify(
    certificate: convert.Certificate, wanted: CertificateCheck, untrusted: Iterable[convert.Certificate]
) -> str | None:
    """``None`` if the certificate is fine (``X509_verify_cert``, 3.0), else what is wrong with which certificate."""
    clear()
    store = store_to_c(wanted)
    run = own(lib.X509_STORE_CTX_new(), lib.X509_STORE_CTX_free, "setting up the verification")
    leaf, stack = convert.cert_to_c(certificate), convert.certs_to_c(untrusted)
    check(lib.X509_STORE_CTX_init(run, store, leaf, stack), "setting up the verification")
    passed = lib.X509_verify_cert(run) > 0
    clear()
    if passed:
        return None
    code = lib.X509_STORE_CTX_get_error(run)
    reason = text_from_c(lib.X509_verify_cert_error_string(code))
    pointer = lib.X509_STORE_CTX_get_current_cert(run)
    depth = lib.X509_STORE_CTX_get_error_depth(run)
    if pointer == NULL:
        return f"{reason} at depth {depth}"
    culprit = convert.cert_to_der(pointer)
    try:
        name = convert.cert_from_der(culprit).subject.rfc4514_string()
    except UnreadableCertificateError:
        name = name_of(pointer)
    text = f"{reason} for {visible(name)} at depth {depth}"
    if code not in (lib.X509_V_ERR_CERT_HAS_EXPIRED, lib.X509_V_ERR_CERT_NOT_YET_VALID):
        return text
    return text + times(culprit, early=code == lib.X509_V_ERR_CERT_NOT_YET_VALID)
