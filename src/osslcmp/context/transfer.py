"""Where a context's messages go: server, proxy, HTTP and transfer callbacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._openssl import convert as _convert
from .._openssl.errorqueue import check, clear
from .._openssl.inputs import check_text, without_credentials
from .._openssl.lib import NULL, features, ffi, lib
from .._openssl.ownership import take
from .._openssl.received import limits_to_c, own_message_from_der, refused_answer
from ..enums import Option
from ..errors import OpenSSLError, TransferError
from ..limits import Limits
from . import transfer_callbacks as _callbacks_transfer  # noqa: F401  # C calls it
from .base import ContextBase
from .guard import guarded
from .proxies import bypasses, check_proxy

if TYPE_CHECKING:
    from .._openssl.tls import TLSInput
    from ..trace import Trace

__all__ = ["TransferMixin"]

_HOST = re.compile(r"[^\s/?#@\\\x00-\x20\x7f]+\Z")


class TransferMixin(ContextBase):
    """The message transfer part of :class:`osslcmp.Context`."""

    _host: str | None = None
    _port: int = 0
    _tls = False
    _no_proxy: str | None = None

    @guarded
    def set_server(self, address: str | None) -> None:
        """Host name or IP address of the server, nothing else (``OSSL_CMP_CTX_set1_server``, 3.0)."""
        address = check_text("server", address)
        if address is not None and not _HOST.match(address):
            raise ValueError(f"server: {without_credentials(address)!r} is no host name or address")
        self.disconnect()
        self._set(lib.OSSL_CMP_CTX_set1_server, _chars(address), what="setting the server")
        self._host = address
        self._set_target()

    @guarded
    def set_server_port(self, port: int) -> None:
        """TCP port of the server; 0 for the default, 80 or 443 (``OSSL_CMP_CTX_set_serverPort``, 3.0)."""
        if not isinstance(port, int):
            raise TypeError(f"port: an int, not {type(port).__name__}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port: {port} is out of range 0 to 65535")
        self.disconnect()
        self._set(lib.OSSL_CMP_CTX_set_serverPort, port, what="setting the server port")
        self._port = port
        self._set_target()

    def _set_target(self) -> None:
        port = self._port or (443 if self._tls else 80)
        host = self._host
        if host is not None and ":" in host and not host.startswith("["):
            host = f"[{host}]"  # an IPv6 address: C takes host:port
        check(
            lib.osslcmp_session_set_server(self._session, _chars(host), str(port).encode()),
            "setting the server",
        )
        self._apply_no_proxy()

    @guarded
    def set_server_path(self, path: str | None) -> None:
        """HTTP path at the server, such as ``pkix/`` (``OSSL_CMP_CTX_set1_serverPath``, 3.0)."""
        path = check_text("path", path)
        if path is not None and re.search(r"[\s\x00-\x20\x7f]", path):
            raise ValueError(f"path: {path!r} contains a space or control character")
        self._set(lib.OSSL_CMP_CTX_set1_serverPath, _chars(path), what="setting the path")
        check(lib.osslcmp_session_set_path(self._session, _chars(path)), "setting the path")

    @guarded
    def set_proxy(self, name: str | None) -> None:
        """HTTP proxy as ``[http://][user:password@]host[:port]`` (``OSSL_CMP_CTX_set1_proxy``, 3.0).

        ``None``: the environment decides (``http_proxy``, ``HTTP_PROXY``; for https ``https_proxy``,
        ``HTTPS_PROXY``); an empty string: no proxy. A server with https is reached through a tunnel
        (CONNECT). User and password, percent-encoded where they contain ``:@/%``, are sent as Basic
        authentication, which OpenSSL's own client does not do. The way to the proxy itself is never
        encrypted: ``https://`` is a ``ValueError``, and in the environment a :class:`osslcmp.TransferError`. (OpenSSL's
        own client takes it, and speaks to port 443 without TLS.)
        """
        name = check_text("proxy", name)
        if name:
            check_proxy(name)
        self.disconnect()
        # libcrypto's own HTTP client, which a transfer callback may call, sends no password, and would not wipe it.
        bare = name if name is None else re.sub(r"^(\w+://)?.*@", r"\1", name)
        self._set(lib.OSSL_CMP_CTX_set1_proxy, _chars(bare), what="setting the proxy")
        check(lib.osslcmp_session_set_proxy(self._session, _chars(name)), "setting the proxy")

    @guarded
    def set_no_proxy(self, names: str | None) -> None:
        """Servers to reach without proxy (``OSSL_CMP_CTX_set1_no_proxy``, 3.0).

        Separated by commas or space, in any case, as curl and requests take them: ``*`` for all, a domain with all below
        it (``example.com`` or ``.example.com``), an IP address, a network (``10.0.0.0/8``), each with or without
        ``:port``. OpenSSL's own client takes whole names alone, in their very case. ``None``: ``no_proxy`` or else
        ``NO_PROXY`` of the environment, as it is when server or port are set.
        """
        self._no_proxy = check_text("no_proxy", names)
        self.disconnect()
        self._set(lib.OSSL_CMP_CTX_set1_no_proxy, _chars(self._no_proxy), what="setting no_proxy")
        self._apply_no_proxy()

    def _apply_no_proxy(self) -> None:
        """Where ``no_proxy`` names the server in a way that OpenSSL does not know, give it the host itself."""
        names, host = self._no_proxy, (self._host or "").strip("[]")
        if host and bypasses(host, self._port or (443 if self._tls else 80), names):
            names = host
        check(lib.osslcmp_session_set_no_proxy(self._session, _chars(names)), "setting no_proxy")

    @guarded
    def set_max_response_length(self, octets: int) -> None:
        """Longest HTTP response body that is taken; 0 for OpenSSL's default of 100 KiB.

        (``OSSL_HTTP_REQ_CTX_set_max_response_length``, 3.0.)
        """
        if not isinstance(octets, int):
            raise TypeError(f"octets: an int, not {type(octets).__name__}")
        if not 0 <= octets <= 0x7FFFFFFF:
            raise ValueError(f"octets: {octets} is out of range")
        lib.osslcmp_session_set_max_response(self._session, octets)

    @guarded
    def set_limits(self, limits: Limits) -> None:
        """What an answer may carry, before libcrypto decodes and verifies it.

        An answer beyond them ends the call with :class:`osslcmp.ResponseError`, which has it as ``answer``. Raises
        ``TypeError`` for what is no :class:`osslcmp.Limits`.
        """
        if not isinstance(limits, Limits):
            raise TypeError(f"limits: an osslcmp.Limits, not {type(limits).__name__}")
        lib.osslcmp_session_set_limits(self._session, limits_to_c(limits))

    @guarded
    def set_http_cb(self, callback: Any, *, tls: bool = False) -> None:
        """Wrap each HTTP connection (``OSSL_CMP_CTX_set_http_cb``, 3.0; ``tls``: ``OSSL_CMP_OPT_USE_TLS``,
        3.2).

        ``callback`` is a C function (``OSSL_HTTP_bio_cb_t`` from :data:`osslcmp.lib`, called with the
        argument of :meth:`set_http_cb_arg`), a callable ``(bio, connect, detail) -> bio or None`` on raw
        ``BIO *``, or ``None`` for none. ``tls`` says that it makes the connection an ``https`` one.
        """
        if callback is None:
            pointer = NULL
        elif _is_c(callback):
            pointer = callback
        elif callable(callback):
            pointer = ffi.addressof(lib, "osslcmp_py_http")
        else:
            raise TypeError(f"callback: callable or C function, not {type(callback).__name__}")
        self.disconnect()  # what the old one wrapped it must unwrap
        self._set(lib.OSSL_CMP_CTX_set_http_cb, pointer, what="setting the HTTP callback")
        if features["use_tls"]:
            self.set_option(Option.USE_TLS, tls)
        self._state.http = callback if pointer != NULL and not _is_c(callback) else None
        self._kept["http_cb"] = pointer
        self._tls = tls
        self._apply_http_cb()

    @guarded
    def set_http_cb_arg(self, arg: Any) -> None:
        """Argument for a C function set by :meth:`set_http_cb` (``OSSL_CMP_CTX_set_http_cb_arg``, 3.0).

        A C pointer, kept alive with the context, or ``None``.
        """
        self.disconnect()
        self._set(lib.OSSL_CMP_CTX_set_http_cb_arg, _pointer("arg", arg), what="setting the HTTP argument")
        self._kept["http_cb_arg"] = arg
        self._apply_http_cb()

    @property
    def http_cb_arg(self) -> Any:
        """What :meth:`set_http_cb_arg` set (``OSSL_CMP_CTX_get_http_cb_arg``, 3.0)."""
        return self._kept.get("http_cb_arg")

    @guarded
    def set_tls(self, tls: TLSInput | Any) -> None:
        """HTTPS to the server (``OSSL_CMP_CTX_set_http_cb``, 3.0, with a TLS callback in C).

        ``tls`` is an :class:`osslcmp.TLS`, ``True`` for its defaults, what to trust, or ``None`` for plain
        HTTP. It takes the place of :meth:`set_http_cb` and :meth:`set_http_cb_arg`, and works with
        ``OSSL_CMP_MSG_http_perform`` as transfer callback as well.
        """
        if not isinstance(tls, ffi.CData):
            from .._openssl.tls import tls_settings
            from .._openssl.tls_context import tls_to_c

            settings = tls_settings(tls)
            tls = NULL if settings is None else tls_to_c(settings, self._library)
        wanted = tls != NULL
        self.set_http_cb_arg(tls if wanted else None)
        self.set_http_cb(ffi.addressof(lib, "osslcmp_tls_cb") if wanted else None, tls=wanted)

    def _apply_http_cb(self) -> None:
        self._set_target()
        lib.osslcmp_session_set_http_cb(
            self._session,
            self._kept.get("http_cb", NULL),
            _pointer("arg", self._kept.get("http_cb_arg")),
            int(self._tls),
        )

    def transfer(self, request: bytes) -> bytes:
        """Bring a message as it is to the server by HTTP and return the answer, both as DER.

        Nothing is verified or remembered. Raises ``ValueError`` for what is no CMP message,
        :class:`osslcmp.TransferError`, and :class:`osslcmp.ResponseError` for an answer beyond the limits.
        """
        clear()
        message = own_message_from_der(request)
        if message == NULL:
            clear()
            raise ValueError("request: is no CMP message")
        message = take(message, lib.OSSL_CMP_MSG_free, "decoding the request")
        answer = self._run(lib.osslcmp_http_transfer, message)
        if answer == NULL:
            failure = self._failure("the transfer failed")
            seen = refused_answer(self._session) is None
            if seen and isinstance(failure, OpenSSLError) and not isinstance(failure, TransferError):
                failure = TransferError("the transfer failed", failure.errors)
            raise failure
        answer = take(answer, lib.OSSL_CMP_MSG_free, "taking the answer")
        return _convert.to_der(lib.i2d_OSSL_CMP_MSG, answer, "encoding the answer")

    @guarded
    def set_transfer_cb(self, callback: Callable[[bytes], bytes] | Any | None) -> None:
        """How a message travels (``OSSL_CMP_CTX_set_transfer_cb``, 3.0).

        ``callback`` is a callable that takes the DER of a request and returns the DER of the response, a C
        function (``OSSL_CMP_transfer_cb_t``, for instance ``OSSL_CMP_CTX_server_perform`` or OpenSSL's own
        ``OSSL_CMP_MSG_http_perform``, from ``ffi.addressof(lib, name)``), or ``None`` for our HTTP transfer.
        """
        if callback is None:
            pointer = ffi.addressof(lib, "osslcmp_http_transfer")
        elif _is_c(callback):
            pointer = callback
        elif callable(callback):
            pointer = ffi.addressof(lib, "osslcmp_py_transfer")
        else:
            raise TypeError(f"callback: callable or C function, not {type(callback).__name__}")
        self._guard.refuse_inside("setting the transfer callback")
        self._get(lambda _: lib.osslcmp_session_set_transfer(self._session, pointer))
        self._state.transfer = None if callback is None or _is_c(callback) else callback
        self._kept["transfer_cb"] = callback

    @guarded
    def set_trace(self, trace: Trace | None) -> None:
        """Record each message that is sent and received from now on; ``None`` records no more."""
        if trace is not None:
            from ..trace import Trace

            if not isinstance(trace, Trace):
                raise TypeError(f"trace: an osslcmp.Trace, not {type(trace).__name__}")
        self._state.trace = trace
        lib.osslcmp_session_set_traced(self._session, trace is not None)

    @property
    def trace(self) -> Trace | None:
        """What :meth:`set_trace` set."""
        trace: Trace | None = self._state.trace
        return trace

    @guarded
    def set_transfer_cb_arg(self, arg: Any) -> None:
        """Argument for a C transfer function (``OSSL_CMP_CTX_set_transfer_cb_arg``, 3.0).

        A C pointer, such as the ``OSSL_CMP_SRV_CTX *`` for ``OSSL_CMP_CTX_server_perform``, or ``None``. It
        is kept alive with the context.
        """
        pointer = _pointer("arg", arg)
        self._set(lib.OSSL_CMP_CTX_set_transfer_cb_arg, pointer, what="setting the transfer argument")
        self._kept["transfer_cb_arg"] = arg

    @property
    def transfer_cb_arg(self) -> Any:
        """What :meth:`set_transfer_cb_arg` set (``OSSL_CMP_CTX_get_transfer_cb_arg``, 3.0)."""
        return self._kept.get("transfer_cb_arg")


def _chars(text: str | None) -> Any:
    return NULL if text is None else text.encode()


def _is_c(callback: Any) -> bool:
    return isinstance(callback, ffi.CData)


def _pointer(what: str, value: Any) -> Any:
    if value is None:
        return NULL
    if not isinstance(value, ffi.CData):
        raise TypeError(f"{what}: a C pointer or None, not {type(value).__name__}")
    return value
