"""What a certificate must be for whose owner may answer as the CMP server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Union

from .._arguments import several
from .._asn1 import der, oids
from .._lazy import in_use, x509
from .._openssl.callbacks import current
from .._openssl.convert import octets_from_c
from .._openssl.lib import ffi, lib
from .._openssl.names import name_of
from .._text import visible

CA, PERMITTED = "CA", "permitted"

#: Names of RFC 9810 section 4.5, of RFC 6402 and of RFC 5280.
_NAMES = {
    "cmcCA": oids.CMC_CA,
    "cmcRA": oids.CMC_RA,
    "cmcArchive": oids.CMC_ARCHIVE,
    "cmKGA": oids.CM_KGA,
    "serverAuth": oids.SERVER_AUTH,
    "clientAuth": oids.CLIENT_AUTH,
}
_CMP = frozenset((oids.CMC_CA, oids.CMC_RA, oids.CM_KGA, oids.ANY_EXTENDED_KEY_USAGE))

ServerUsageInput = Union[str, "x509.ObjectIdentifier", Iterable[Union[str, "x509.ObjectIdentifier"]], None]
"""``"permitted"``; ``None``; or one or several of ``"cmcCA"``, ``"cmcRA"``, ``"CA"``, object identifiers."""


class ServerUsage(NamedTuple):
    """Decides about the certificate that a signature is verified with, its chain being valid."""

    accepted: frozenset[str]
    """Purposes (dotted), one of which must be there."""
    ca: bool
    """The certificate of a CA will do."""
    strict: bool
    """The purpose must be there; else: if the certificate names purposes at all, and is no trust anchor."""

    @classmethod
    def of(cls, usage: ServerUsageInput) -> ServerUsage | None:
        """From an argument; ``None`` for no condition. Raises ``TypeError`` or ``ValueError``."""
        if usage is None:
            return None
        if usage == PERMITTED:
            return cls(_CMP, ca=True, strict=False)
        names = several("server_usage", usage, str, *((x509.ObjectIdentifier,) if in_use() else ()))
        if not names:
            raise ValueError("server_usage: names nothing; None asks for nothing")
        return cls(
            frozenset(_oid(one) for one in names if one != CA),
            ca=any(one == CA for one in names),
            strict=True,
        )

    def refusal(self, cert: Any, chain_length: int) -> str | None:
        """Why the owner of an ``X509 *`` may not answer as the server; ``None`` if he may."""
        if self.ca and lib.X509_check_ca(cert) == 1:
            return None
        found = _purposes(cert)
        if found is None:
            return "has no extended key usage" if self.strict else None
        if found & self.accepted or (not self.strict and chain_length == 1):
            return None
        purposes = ", ".join(sorted(map(_name, found)))
        return f"is for {visible(purposes, 200)}"


def _oid(usage: str | x509.ObjectIdentifier) -> str:
    if not isinstance(usage, str) and isinstance(usage, x509.ObjectIdentifier):
        return usage.dotted_string
    if not isinstance(usage, str):
        raise TypeError(f"server_usage: names or object identifiers, not {type(usage).__name__}")
    if usage in _NAMES:
        return _NAMES[usage]
    try:
        return x509.ObjectIdentifier(usage).dotted_string
    except ValueError:
        known = ", ".join((PERMITTED, CA, *_NAMES))
        raise ValueError(
            f"server_usage: {usage!r} is neither an object identifier nor one of {known}"
        ) from None


def _name(dotted: str) -> str:
    return next((name for name, oid in _NAMES.items() if oid == dotted), dotted)


def _purposes(cert: Any) -> frozenset[str] | None:
    """The extended key usage of an ``X509 *``, ``None`` if it has none; empty if it cannot be read.

    By our own reader: ``cryptography`` does not take every certificate that libcrypto verifies.
    """
    index = lib.X509_get_ext_by_NID(cert, lib.NID_ext_key_usage, -1)
    if index < 0:
        return None
    value = octets_from_c(lib.X509_EXTENSION_get_data(lib.X509_get_ext(cert, index))) or b""
    try:
        return frozenset(map(der.dotted, der.sequence(value)))
    except der.DERError:
        return frozenset()


def _raised(_type: object, exception: BaseException, _traceback: object) -> None:
    if current.state is not None:
        current.state.store(exception)


@ffi.def_extern(error=0, onerror=_raised)
def osslcmp_py_verify(ok: int, store_ctx: Any) -> int:
    """The verify callback of a trust store: libcrypto's verdict, and then ours about the first certificate.

    libcrypto comes here through a callback of its own where it verifies something else than a message.
    """
    ok = lib.osslcmp_validate_cb(ok, store_ctx)
    ours = ffi.addressof(lib, "osslcmp_py_verify")
    if not ok or lib.X509_STORE_CTX_get_error_depth(store_ctx) != 0:
        return ok
    if lib.X509_STORE_CTX_get_verify_cb(store_ctx) != ours:
        return ok
    state = current.state
    usage = None if state is None else state.server_usage
    if state is None or not isinstance(usage, ServerUsage):
        return 0
    cert = lib.X509_STORE_CTX_get0_cert(store_ctx)
    length = lib.sk_X509_num(lib.X509_STORE_CTX_get0_chain(store_ctx))
    why = usage.refusal(cert, length)
    if why is None:
        return ok
    state.refused_signer = f"the signer's certificate, {visible(name_of(cert), 200)}, {why}: see server_usage"
    lib.X509_STORE_CTX_set_error(store_ctx, lib.X509_V_ERR_INVALID_PURPOSE)
    return lib.osslcmp_validate_cb(0, store_ctx)
