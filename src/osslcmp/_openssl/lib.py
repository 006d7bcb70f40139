"""The only importer of the compiled module: version check and what the loaded OpenSSL can do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .interpreters import SUBINTERPRETER, is_other

# Before 3.12 ``PyGILState_Ensure``, which cffi's callbacks come back through, always leads to the main interpreter.
if (_is_other := is_other()) and sys.version_info < (3, 12):
    raise ImportError(SUBINTERPRETER)
try:
    from .._native import ffi, lib

    if _is_other:  # where cryptography may be refused: better now than with the first object
        import cryptography.x509  # noqa: F401
except ImportError as error:
    from .load_errors import explain

    if (reason := explain(error)) is None:
        raise
    raise ImportError(reason) from error

from ..errors import UnsupportedError

__all__ = [
    "NEEDED", "NULL", "CData", "built_version", "features", "ffi", "forks", "lib", "openssl_version",
    "require", "unsupported", "usable_version",
]  # fmt: skip

NULL = ffi.NULL

if TYPE_CHECKING:
    from .._native import CData
else:
    CData = ffi.CData

openssl_version: tuple[int, int, int] = (
    lib.OPENSSL_version_major(),
    lib.OPENSSL_version_minor(),
    lib.OPENSSL_version_patch(),
)
"""Version of the loaded libcrypto: major, minor, patch."""

_built = lib.osslcmp_built_version()
built_version: tuple[int, int, int] = (_built >> 28 & 0xF, _built >> 20 & 0xFF, _built >> 4 & 0xFF)
"""Version of the headers that osslcmp was built with."""

if openssl_version[:2] < built_version[:2]:
    from .load_errors import mismatch

    raise ImportError(
        mismatch(".".join(map(str, built_version[:2])), f"OpenSSL {'.'.join(map(str, openssl_version))}")
    )

usable_version = openssl_version if openssl_version[:2] == built_version[:2] else built_version
"""Version whose functions can be called: a later libcrypto than the one built against has more, which do not."""

_found = ".".join(map(str, openssl_version))
if usable_version != openssl_version:
    _found = f"{'.'.join(map(str, built_version[:2]))}, against which osslcmp was built, and {_found} loaded"

NEEDED = {
    "ca_certs": ("3.2", "OSSL_CMP_get1_caCerts"),
    "root_ca_update": ("3.2", "OSSL_CMP_get1_rootCaKeyUpdate"),
    "crl_update": ("3.4", "OSSL_CMP_get1_crlUpdate"),
    "cert_req_template": ("3.4", "OSSL_CMP_get1_certReqTemplate"),
    "cert_profile": ("3.3", "OSSL_CMP_ITAV_new0_certProfile"),
    "central_key_generation": ("3.5", "OSSL_CRMF_ENCRYPTEDKEY_get1_pkey"),
    "delayed_delivery": ("3.3", "OSSL_CMP_SRV_CTX_init_trans"),
    "no_cache_extracerts": ("3.3", "OSSL_CMP_OPT_NO_CACHE_EXTRACERTS"),
    "serial_number": ("3.2", "OSSL_CMP_CTX_set1_serialNumber"),
    "use_tls": ("3.2", "OSSL_CMP_OPT_USE_TLS"),
    "validated_server_certificate": ("3.2", "OSSL_CMP_CTX_get0_validatedSrvCert"),
    "reset_geninfo_itavs": ("3.0.8", "OSSL_CMP_CTX_reset_geninfo_ITAVs"),
    "update_recip_nonce": ("3.0.9", "OSSL_CMP_MSG_update_recipNonce"),
    "geninfo_itavs": ("3.3", "OSSL_CMP_CTX_get0_geninfo_ITAVs"),
    "libctx": ("3.2", "OSSL_CMP_CTX_get0_libctx"),
}
"""First release and a symbol that proves it, by feature."""

#: First patch release of a minor one in which a feature does not let the peer crash us.
_FIXED_IN = {
    # The answer that there is no update: a NULL pointer is followed (openssl/openssl#24169).
    ("root_ca_update", 3, 2): "3.2.2",
    ("root_ca_update", 3, 3): "3.3.1",
    # An answer that the certificate of the answer before does not verify: that is read after it was freed
    # (openssl/openssl#28973).
    ("no_cache_extracerts", 3, 3): "3.5.7",
    ("no_cache_extracerts", 3, 4): "3.5.7",
    ("no_cache_extracerts", 3, 5): "3.5.7",
    ("no_cache_extracerts", 3, 6): "3.6.3",
}


def needed_release(feature: str, version: tuple[int, int, int]) -> str:
    """The release of OpenSSL from which on a feature may be used, for those who have ``version``."""
    return _FIXED_IN.get((feature, *version[:2]), NEEDED[feature][0])


def is_usable(feature: str, version: tuple[int, int, int]) -> bool:
    """Whether a feature may be used with this version of OpenSSL."""
    return version >= tuple(map(int, needed_release(feature, version).split(".")))


def _callable(symbol: str) -> bool:
    # An option is a number for a function of 3.0: there the loaded OpenSSL alone decides.
    return symbol.startswith("OSSL_CMP_OPT_") or hasattr(lib, symbol)


features: dict[str, bool] = {
    name: _callable(symbol) and is_usable(name, openssl_version) for name, (_, symbol) in NEEDED.items()
}
"""What the loaded OpenSSL offers beyond 3.0, by name."""


def require(feature: str, what: str) -> None:
    """Raise :class:`osslcmp.UnsupportedError` for ``what`` unless OpenSSL has ``feature``."""
    if not features[feature]:
        raise unsupported(what, needed_release(feature, openssl_version))


def unsupported(what: str, needed: str) -> UnsupportedError:
    """The error for ``what``, whose functions release ``needed`` brought."""
    return UnsupportedError(what, needed, _found)


if not lib.osslcmp_know_key_makers():  # pragma: no cover - only without memory
    raise ImportError("libcrypto did not take the purpose of those who make keys")


class _Forks:
    """Counts the forks above us, so that a child notices objects of its parent."""

    count = 0

    def note(self) -> None:
        self.count += 1


forks = _Forks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forks.note)
