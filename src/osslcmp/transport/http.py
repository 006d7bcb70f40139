"""OpenSSL's HTTP client as a callable."""

from __future__ import annotations

from .._arguments import checked
from .._openssl.tls import TLS, TLSInput, tls_settings
from .._openssl.tls_context import tls_to_c
from ..context import Context
from ..enums import Option
from .address import parse_url


class HTTPTransport:
    """What ``Client(url)`` does by itself, as a callable: to record, change or repeat messages around it.

    It knows nothing of the messages' meaning, and makes a connection for each. Many threads may use it at
    once.

    Args:
        url: ``http[s]://host[:port][/path]``.
        tls: like ``Client(tls=...)``.
        proxy: like ``Client(proxy=...)``.
        no_proxy: like ``Client(no_proxy=...)``.
        timeout: seconds for a message and its answer; 0: no limit.
        max_response_length: longest response in octets; 0: OpenSSL's 100 KiB.

    Raises ``ValueError`` for arguments that cannot work; when called, :class:`osslcmp.TransferError` and
    ``ValueError`` for a request that is no CMP message.
    """

    @checked
    def __init__(
        self,
        url: str,
        *,
        tls: TLSInput = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        timeout: int = 60,
        max_response_length: int = 0,
    ) -> None:
        self._address = parse_url(url, "url")
        settings = tls_settings(tls)
        if not self._address.tls and settings is not None:
            raise ValueError("tls: is of no use without https")
        if self._address.tls and tls is False:
            raise ValueError("tls: False, but the URL says https")
        self._proxy = proxy
        self._no_proxy = no_proxy
        self._timeout = timeout
        self._limit = max_response_length
        # Made once: the C side of TLS is shared by all contexts.
        self._tls = tls_to_c(settings or TLS()) if self._address.tls else None
        self._context()

    def __repr__(self) -> str:
        address = self._address
        return f"<osslcmp.transport.HTTPTransport to {address.host}:{address.port}{address.path}>"

    def _context(self) -> Context:
        context = Context()
        self._address.apply(context)
        if self._tls is not None:
            context.set_tls(self._tls)
        context.set_proxy(self._proxy)
        context.set_no_proxy(self._no_proxy)
        context.set_option(Option.MSG_TIMEOUT, self._timeout)
        context.set_max_response_length(self._limit)
        return context

    def __call__(self, request: bytes) -> bytes:
        context = self._context()
        try:
            return context.transfer(request)
        finally:
            context.disconnect()
