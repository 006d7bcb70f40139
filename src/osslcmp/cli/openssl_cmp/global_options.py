"""Options that take effect as they are read: providers, random numbers, verification parameters."""

from __future__ import annotations

import os
import re
from typing import Any

from ..._openssl.errorqueue import clear
from ..._openssl.lib import NULL, lib
from ..._openssl.ownership import own
from ...errors import CMPError
from .console import Failure
from .settings import atoi

#: The flags of options that are not called as they are.
_FLAGS = {
    "crl_check_all": "CRL_CHECK CRL_CHECK_ALL",
    "extended_crl": "EXTENDED_CRL_SUPPORT",
    "policy_print": "NOTIFY_POLICY",
    "check_ss_sig": "CHECK_SS_SIGNATURE",
    "suiteB_128_only": "SUITEB_128_LOS_ONLY",
    "suiteB_128": "SUITEB_128_LOS",
    "suiteB_192": "SUITEB_192_LOS",
}
#: Options whose text is one of the verification parameters, and what is said of a text that is none.
_TEXTS = {
    "policy": ("policies", "Invalid Policy"),
    "purpose": ("purpose", "Invalid purpose"),
    "verify_name": ("verify_name", "Invalid verify name"),
    "verify_hostname": ("host", "invalid value for -verify_hostname:"),
    "verify_email": ("email", "invalid value for -verify_email:"),
    "verify_ip": ("ip", "invalid value for -verify_ip:"),
}
_PATHS_SEPARATED_BY = "[:;]" if os.name == "nt" else ":"


class GlobalOptions:
    """Called with name and value of each such option. ``vpm`` is the ``X509_VERIFY_PARAM *`` that they set."""

    def __init__(self) -> None:
        clear()
        self.vpm: Any = own(
            lib.X509_VERIFY_PARAM_new(), lib.X509_VERIFY_PARAM_free, "making verification parameters"
        )
        self.propq: str | None = None
        self._path: str | None = None
        self._provider_params: list[tuple[str | None, str, str]] = []
        self.write_random: str | None = None
        self._read_random: list[str] = []

    def __call__(self, name: str, value: str) -> None:
        for flag in _FLAGS.get(name, name.upper()).split():
            lib.X509_VERIFY_PARAM_set_flags(self.vpm, getattr(lib, f"X509_V_FLAG_{flag}", 0))
        if name in _TEXTS:
            from ..._openssl.verify import SETTERS

            kind, refusal = _TEXTS[name]
            if SETTERS[kind](self.vpm, os.fsencode(value)) <= 0:
                clear()
                raise Failure(f"cmp: {refusal} {value}")
        action = getattr(self, "_" + name.replace("-", "_"), None)
        if action is not None:
            action(value)

    def seed(self) -> None:
        """Read the files of ``-rand``."""
        for path in self._read_random:
            if lib.RAND_load_file(os.fsencode(path), -1) < 0:
                clear()
                raise Failure(f"Can't load {path} into RNG")

    def finish(self) -> None:
        """Write the file of ``-writerand``."""
        if self.write_random is not None and lib.RAND_write_file(os.fsencode(self.write_random)) < 0:
            clear()
            raise Failure(f"Cannot write random bytes to {self.write_random}")

    def _rand(self, value: str) -> None:
        self._read_random += [path for path in re.split(_PATHS_SEPARATED_BY, value) if path]

    def _writerand(self, value: str) -> None:
        self.write_random = value

    def _provider_path(self, value: str) -> None:
        self._path = value or None

    def _provider(self, value: str) -> None:
        from ..._openssl.providers import load_provider

        params = {key: text for name, key, text in self._provider_params if name in (None, value)}
        try:
            load_provider(value, path=self._path, params=params or None)
        except (CMPError, ValueError) as error:
            raise Failure(
                f"cmp: unable to load provider {value}: {error}\n"
                "Hint: use -provider-path option or OPENSSL_MODULES environment variable."
            ) from error

    def _provparam(self, value: str) -> None:
        name, equals, text = value.partition("=")
        if not equals:
            raise Failure(f"cmp: -provparam {value}: not of the form [provider:]key=value")
        provider, colon, key = name.rpartition(":")
        self._provider_params.append((provider if colon else None, key, text))

    def _propquery(self, value: str) -> None:
        self.propq = value
        if lib.EVP_set_default_properties(NULL, value.encode()) <= 0:
            clear()
            raise Failure(f"cmp: -propquery {value}: OpenSSL does not understand it")

    def _verify_depth(self, value: str) -> None:
        if (depth := atoi(value)) >= 0:
            lib.X509_VERIFY_PARAM_set_depth(self.vpm, depth)

    def _auth_level(self, value: str) -> None:
        if (level := atoi(value)) >= 0:
            lib.X509_VERIFY_PARAM_set_auth_level(self.vpm, level)

    def _attime(self, value: str) -> None:
        try:
            seconds = int(value, 0)
            lib.X509_VERIFY_PARAM_set_time(self.vpm, seconds)
        except (ValueError, OverflowError):
            raise Failure(f'cmp: Can\'t parse "{value}" as a number for option -attime') from None
