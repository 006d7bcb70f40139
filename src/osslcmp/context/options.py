"""The options of a context: their limits, and those that are not left to libcrypto."""

from __future__ import annotations

from .._openssl.errorqueue import clear
from .._openssl.lib import lib, openssl_version, require
from ..enums import Option
from ..errors import RequestError, UnsupportedError
from .calls import TOTAL_TIMEOUT, Calls

_NAMES = {option: option.name for option in Option}
_BOOLEAN = (0, 1)
_LIMITS: dict[Option, tuple[int, int | None]] = {
    Option.LOG_VERBOSITY: (0, 8),
    Option.KEEP_ALIVE: (0, 2),
    Option.MSG_TIMEOUT: (0, None),
    Option.TOTAL_TIMEOUT: (0, None),
    Option.VALIDITY_DAYS: (0, None),
    Option.POPO_METHOD: (-1, 3),
    Option.REVOCATION_REASON: (-1, 10),
    Option.OWF_ALGNID: (0, None),
    Option.MAC_ALGNID: (0, None),
    Option.DIGEST_ALGNID: (0, None),
}
_ALGORITHMS = (Option.OWF_ALGNID, Option.MAC_ALGNID, Option.DIGEST_ALGNID)
#: Options that came later, with the feature that they came with.
_LATER = {Option.USE_TLS: "use_tls", Option.NO_CACHE_EXTRACERTS: "no_cache_extracerts"}


class Options:
    """What :meth:`osslcmp.Context.set_option` sets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        #: Kept here: libcrypto's own reckoning starts anew with each replay, and gives up five seconds early.
        self.total_timeout = TOTAL_TIMEOUT
        self.unprotected_send = 0

    def set(self, option: Option | int, value: int, what: str | None = None) -> None:
        """As :meth:`osslcmp.Context.set_option`; errors name ``what``, too."""
        option = _option(option)
        what = f"{what} (option {_NAMES[option]})" if what else f"option {_NAMES[option]}"
        if not isinstance(value, int):
            raise TypeError(f"{what}: an int, not {type(value).__name__}")
        low, high = _LIMITS.get(option, _BOOLEAN)
        # RFC 5280 has no reason 7.
        unused = option is Option.REVOCATION_REASON and value == 7
        high = 0x7FFFFFFF if high is None else high
        if not low <= value <= high or unused:
            raise ValueError(f"{what}: {value} is out of range {low} to {high}")
        _require(option)
        if option is Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR and value:
            if openssl_version < (3, 5, 0):
                # Below it, verifying pkiConf with this option crashes (openssl/openssl#29285).
                raise UnsupportedError(f"option {option.name}", "3.5", ".".join(map(str, openssl_version)))
            if self._calls.state.server_usage is not None:
                raise ValueError(
                    f"option {option.name}: does not go with server_usage, which it would not heed"
                )
        if option is Option.TOTAL_TIMEOUT:
            self.total_timeout = int(value)
            return
        algorithm, setter = option in _ALGORITHMS, lib.OSSL_CMP_CTX_set_option
        try:
            self._calls.set(setter, int(option), int(value), what=f"setting {what}", live=not algorithm)
        except RequestError as error:
            if not algorithm:
                raise
            raise ValueError(f"{what}: this OpenSSL has no such digest: {error}") from error
        if option is Option.LOG_VERBOSITY:
            self._calls.verbosity = int(value)
        if option is Option.UNPROTECTED_SEND:
            self.unprotected_send = int(value)

    def get(self, option: Option | int) -> int:
        """As :meth:`osslcmp.Context.get_option`."""
        option = _option(option)
        if option is Option.LOG_VERBOSITY:
            return self._calls.verbosity
        if option is Option.TOTAL_TIMEOUT:
            return self.total_timeout
        value: int = self._calls.get(lib.OSSL_CMP_CTX_get_option, int(option))
        if value == -1 and option not in (Option.POPO_METHOD, Option.REVOCATION_REASON):
            clear()
            _require(option)
        return value

    def protect_messages(self, protect: bool = True) -> None:
        """``False``: leave messages unprotected for the moment, since they are not sent; ``True``: as it was set."""
        value = self.unprotected_send if protect else 1
        self._calls.get(lib.OSSL_CMP_CTX_set_option, int(Option.UNPROTECTED_SEND), value)


def _option(option: Option | int) -> Option:
    if type(option) is Option:
        return option
    try:
        return Option(option)
    except ValueError:
        raise ValueError(f"option: {option!r} is no osslcmp.Option") from None


def _require(option: Option) -> None:
    if option in _LATER:
        require(_LATER[option], f"option {option.name}")
