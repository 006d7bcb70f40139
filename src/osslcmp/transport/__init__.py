"""How a request travels.

By default it goes by OpenSSL's HTTP client. ``Client(transport=...)`` takes any callable instead that gets
the DER encoding of a request and returns that of the response: a :class:`osslcmp.server.Server`, a function,
or one of these.

========================= =====================================================================================
:class:`HTTPTransport`    OpenSSL's HTTP client, for whoever wants to do something around it
:class:`HttpxTransport`   httpx: HTTP/1.1 and 2, chunked answers, all kinds of proxies (extra ``httpx``)
:class:`Urllib3Transport` urllib3: HTTP/1.1, chunked answers, proxies (extra ``urllib3``)
:class:`FileTransport`    files, for machines that no network reaches; :func:`relay` is its other half
========================= =====================================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .address import Address, Transport, parse_url, well_known_url
    from .files import FileTransport, relay
    from .http import HTTPTransport
    from .httpx import AsyncHttpxTransport, HttpxTransport
    from .urllib3 import Urllib3Transport

__all__ = [
    "Address", "AsyncHttpxTransport", "FileTransport", "HTTPTransport", "HttpxTransport", "Transport",
    "Urllib3Transport", "parse_url", "relay", "well_known_url",
]  # fmt: skip

# Loaded by who uses them: asyncio alone takes as long as all that an enrolment needs.
_WHERE = {
    "Address": "address",
    "AsyncHttpxTransport": "httpx",
    "FileTransport": "files",
    "HTTPTransport": "http",
    "HttpxTransport": "httpx",
    "Transport": "address",
    "Urllib3Transport": "urllib3",
    "parse_url": "address",
    "relay": "files",
    "well_known_url": "address",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value
