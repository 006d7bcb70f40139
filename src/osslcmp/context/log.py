"""What OpenSSL says while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from .._openssl.lib import ffi, lib
from ..enums import Option, Severity
from .base import ContextBase
from .guard import guarded

__all__ = ["LogMixin"]


_C_CALLBACK = ffi.typeof("OSSL_CMP_log_cb_t")


class LogMixin(ContextBase):
    """The log part of :class:`osslcmp.Context`."""

    @guarded
    def set_log_cb(self, callback: Callable[[str, str, int, Severity, str], object] | Any | None) -> None:
        """Where log messages go (``OSSL_CMP_CTX_set_log_cb``, 3.0).

        ``callback`` is a callable ``(function, file, line, severity, message)`` with the C function and source
        file that speak, or a C function (``OSSL_CMP_log_cb_t``). It gets what :meth:`set_log_verbosity` lets
        through. ``None``, the default, is the logger ``osslcmp.openssl``, which also has a level of its own. What
        the callback raises ends the call that it came from as soon as C notices, and is raised there.
        """
        if isinstance(callback, ffi.CData):
            if ffi.typeof(callback) is not _C_CALLBACK:
                raise TypeError(f"callback: an OSSL_CMP_log_cb_t, not {ffi.typeof(callback).cname}")
            if callback == ffi.addressof(lib, "osslcmp_log"):
                callback = None
        elif callback is not None and not callable(callback):
            raise TypeError(f"callback: callable or C function, not {type(callback).__name__}")
        # The C side keeps our own function, which also collects the errors.
        self._state.log = cast("Callable[..., object] | None", callback)

    def set_log_verbosity(self, level: Severity | int) -> None:
        """The least severe messages to log (``OSSL_CMP_CTX_set_log_verbosity``, 3.0).

        An :class:`osslcmp.Severity`; the same as :meth:`set_option` with ``LOG_VERBOSITY``.
        """
        self.set_option(Option.LOG_VERBOSITY, level)

    @guarded
    def print_errors(self) -> None:
        """Log what is on this thread's error queue and empty it (``OSSL_CMP_CTX_print_errors``, 3.0).

        For those who call :data:`osslcmp.lib` themselves: the methods here leave nothing there.
        """
        self._state.begin()
        self._apply_verbosity()
        self._inside(lib.OSSL_CMP_CTX_print_errors, self._ptr, keep_errors=True)
        if self._state.exception is not None:
            raise self._failure("logging errors failed")
