"""Where a context's messages go: server, proxy, HTTP and transfer callbacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._openssl import convert
from .._openssl.errorqueue import check, clear
from .._openssl.inputs import check_text, without_credentials
from .._openssl.lib import NULL, features, ffi, lib
from .._openssl.ownership import own
from .._openssl.received import limits_to_c, own_message_from_der, refused_answer
from ..enums import Option
from ..errors import OpenSSLError, TransferError
from . import transfer_callbacks  # noqa: F401  # C calls it
from .calls import Calls, c_function
from .proxies import bypasses, plain_proxy

if TYPE_CHECKING:
    from .._openssl.tls import TLSInput
    from ..limits import Limits
    from ..trace import Trace

_HOST = r"[^\s/?#@\\\x00-\x20\x7f]+\Z"


class Transfer:
    """The way of a message, known to libcrypto and to the session: either may carry it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.host: str | None = None
        self._port = 0
        self._tls = False
        self._no_proxy: str | None = None

    # -- the server ---------------------------------------------------------------------------------------

    def set_server(self, address: str | None) -> None:
        """As :meth:`osslcmp.Context.set_server`."""
        address = check_text("server", address)
        if address is not None and not re.match(_HOST, address):
            raise ValueError(f"server: {without_credentials(address)!r} is no host name or address")
        self._calls.disconnect()
        self._calls.set(lib.OSSL_CMP_CTX_set1_server, _chars(address), what="setting the server")
        self.host = address
        self._set_target()

    def set_port(self, port: int) -> None:
        """As :meth:`osslcmp.Context.set_server_port`."""
        if not isinstance(port, int):
            raise TypeError(f"port: an int, not {type(port).__name__}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port: {port} is out of range 0 to 65535")
        self._calls.disconnect()
        self._calls.set(lib.OSSL_CMP_CTX_set_serverPort, port, what="setting the server port")
        self._port = port
        self._set_target()

    @property
    def _effective_port(self) -> int:
        return self._port or (443 if self._tls else 80)

    def _set_target(self) -> None:
        host = self.host
        if host is not None and ":" in host and not host.startswith("["):
            host = f"[{host}]"  # an IPv6 address: C takes host:port
        check(
            lib.osslcmp_session_set_server(
                self._calls.session, _chars(host), str(self._effective_port).encode()
            ),
            "setting the server",
        )
        self._apply_no_proxy()

    def set_path(self, path: str | None) -> None:
        """As :meth:`osslcmp.Context.set_server_path`."""
        path = check_text("path", path)
        if path is not None and re.search(r"[\s\x00-\x20\x7f]", path):
            raise ValueError(f"path: {path!r} contains a space or control character")
        self._calls.set(lib.OSSL_CMP_CTX_set1_serverPath, _chars(path), what="setting the path")
        check(lib.osslcmp_session_set_path(self._calls.session, _chars(path)), "setting the path")

    def set_proxy(self, name: str | None) -> None:
        """As :meth:`osslcmp.Context.set_proxy`."""
        name = check_text("proxy", name)
        name = name and plain_proxy(name)
        self._calls.disconnect()
        # libcrypto's own HTTP client, which a transfer callback may call, sends no password, and would not wipe it.
        bare = name if name is None else re.sub(r"^(\w+://)?.*@", r"\1", name)
        self._calls.set(lib.OSSL_CMP_CTX_set1_proxy, _chars(bare), what="setting the proxy")
        check(lib.osslcmp_session_set_proxy(self._calls.session, _chars(name)), "setting the proxy")

    def set_no_proxy(self, names: str | None) -> None:
        """As :meth:`osslcmp.Context.set_no_proxy`."""
        self._no_proxy = check_text("no_proxy", names)
        self._calls.disconnect()
        self._calls.set(lib.OSSL_CMP_CTX_set1_no_proxy, _chars(self._no_proxy), what="setting no_proxy")
        self._apply_no_proxy()

    def _apply_no_proxy(self) -> None:
        """Where ``no_proxy`` names the server in a way that OpenSSL does not know, give it the host itself."""
        names, host = self._no_proxy, (self.host or "").strip("[]")
        if host and bypasses(host, self._effective_port, names):
            names = host
        check(lib.osslcmp_session_set_no_proxy(self._calls.session, _chars(names)), "setting no_proxy")

    # -- limits of what comes -----------------------------------------------------------------------------

    def set_max_response_length(self, octets: int) -> None:
        """As :meth:`osslcmp.Context.set_max_response_length`."""
        if not isinstance(octets, int):
            raise TypeError(f"max_response_length: an int, not {type(octets).__name__}")
        if not 0 <= octets <= 0x7FFFFFFF:
            raise ValueError(f"max_response_length: {octets} is out of range 0 to {0x7FFFFFFF}")
        lib.osslcmp_session_set_max_response(self._calls.session, octets)

    def set_limits(self, limits: Limits) -> None:
        """As :meth:`osslcmp.Context.set_limits`."""
        from ..limits import Limits

        if not isinstance(limits, Limits):
            raise TypeError(f"limits: an osslcmp.Limits, not {type(limits).__name__}")
        lib.osslcmp_session_set_limits(self._calls.session, limits_to_c(limits))

    # -- callbacks ----------------------------------------------------------------------------------------

    def set_transfer_cb_arg(self, arg: Any) -> None:
        """As :meth:`osslcmp.Context.set_transfer_cb_arg`."""
        setter, pointer = lib.OSSL_CMP_CTX_set_transfer_cb_arg, _pointer_or_null("arg", arg)
        self._calls.set(setter, pointer, what="setting the transfer argument")
        self._calls.borrowed_by_c["transfer_cb_arg"] = arg

    def set_trace(self, trace: Trace | None) -> None:
        """As :meth:`osslcmp.Context.set_trace`."""
        if trace is not None:
            from ..trace import Trace  # for whoever records alone: it takes time to import

            if not isinstance(trace, Trace):
                raise TypeError(f"trace: an osslcmp.Trace, not {type(trace).__name__}")
        self._calls.state.trace = trace
        lib.osslcmp_session_set_traced(self._calls.session, trace is not None)

    def set_http_cb(self, callback: Any, *, tls: bool) -> None:
        """As :meth:`osslcmp.Context.set_http_cb`."""
        pointer = c_function(callback, "osslcmp_py_http")
        self._calls.disconnect()  # what the old one wrapped it must unwrap
        self._calls.set(lib.OSSL_CMP_CTX_set_http_cb, pointer, what="setting the HTTP callback")
        if features["use_tls"]:
            option = lib.OSSL_CMP_CTX_set_option
            self._calls.set(option, int(Option.USE_TLS), int(tls), what="setting option USE_TLS", live=True)
        self._calls.state.http = None if isinstance(callback, ffi.CData) else callback
        self._calls.borrowed_by_c["http_cb"] = pointer
        self._tls = tls
        self._apply_http_cb()

    def set_http_cb_arg(self, arg: Any) -> None:
        """As :meth:`osslcmp.Context.set_http_cb_arg`."""
        self._calls.disconnect()
        pointer = _pointer_or_null("arg", arg)
        self._calls.set(lib.OSSL_CMP_CTX_set_http_cb_arg, pointer, what="setting the HTTP argument")
        self._calls.borrowed_by_c["http_cb_arg"] = arg
        self._apply_http_cb()

    def set_tls(self, tls: TLSInput | Any) -> None:
        """As :meth:`osslcmp.Context.set_tls`."""
        if not isinstance(tls, ffi.CData):
            from .._openssl.tls import tls_settings
            from .._openssl.tls_context import tls_to_c

            settings = tls_settings(tls)
            tls = NULL if settings is None else tls_to_c(settings, self._calls.library)
        wanted = tls != NULL
        self.set_http_cb_arg(tls if wanted else None)
        self.set_http_cb(ffi.addressof(lib, "osslcmp_tls_cb") if wanted else None, tls=wanted)

    def _apply_http_cb(self) -> None:
        self._set_target()
        borrowed = self._calls.borrowed_by_c
        lib.osslcmp_session_set_http_cb(
            self._calls.session,
            borrowed.get("http_cb", NULL),
            _pointer_or_null("arg", borrowed.get("http_cb_arg")),
            int(self._tls),
        )

    def set_transfer_cb(self, callback: Any) -> None:
        """As :meth:`osslcmp.Context.set_transfer_cb`."""
        pointer = c_function(callback, "osslcmp_py_transfer")
        if callback is None:
            pointer = ffi.addressof(lib, "osslcmp_http_transfer")
        self._calls.guard.refuse_inside("setting the transfer callback")
        self._calls.get(lambda _: lib.osslcmp_session_set_transfer(self._calls.session, pointer))
        self._calls.state.transfer = None if isinstance(callback, ffi.CData) else callback
        self._calls.borrowed_by_c["transfer_cb"] = callback

    # -- one message --------------------------------------------------------------------------------------

    def carry(self, request: bytes) -> bytes:
        """As :meth:`osslcmp.Context.transfer`."""
        clear()
        message = own_message_from_der(request)
        if message == NULL:
            clear()
            raise ValueError("request: is no CMP message")
        message = own(message, lib.OSSL_CMP_MSG_free, "decoding the request")
        answer = self._calls.run(lib.osslcmp_http_transfer, message)
        if answer == NULL:
            failure = self._calls.failure("the transfer failed")
            seen = refused_answer(self._calls.session) is None
            if seen and isinstance(failure, OpenSSLError) and not isinstance(failure, TransferError):
                failure = TransferError("the transfer failed", failure.errors)
            raise failure
        answer = own(answer, lib.OSSL_CMP_MSG_free, "taking the answer")
        return convert.to_der(lib.i2d_OSSL_CMP_MSG, answer, "encoding the answer")


def _chars(text: str | None) -> Any:
    return NULL if text is None else text.encode()


def _pointer_or_null(what: str, value: Any) -> Any:
    """A C pointer, NULL for ``None``. Raises ``TypeError`` for something else."""
    if value is None:
        return NULL
    if not isinstance(value, ffi.CData):
        raise TypeError(f"{what}: a C pointer or None, not {type(value).__name__}")
    return value
