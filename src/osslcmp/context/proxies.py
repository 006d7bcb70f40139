"""HTTP proxies: what is accepted as one, and which servers are reached without."""

from __future__ import annotations

import os
import re

from .._openssl.errorqueue import clear
from .._openssl.inputs import with_lower_scheme
from .._openssl.lib import NULL, ffi, lib

_PORT = r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]+))?\Z"


def uses_tls(url: str) -> bool:
    """Whether the URL of a proxy, read as OpenSSL reads it, says ``https``. ``ValueError`` if it is none."""
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError("proxy: contains a space or control character")
    tls = ffi.new("int *")
    clear()
    if not lib.osslcmp_proxy_user_ends(url.encode()):
        raise ValueError("proxy: '@', '/', '?' and '#' in user and password are written %40, %2F, %3F, %23")
    if not lib.OSSL_HTTP_parse_url(url.encode(), tls, NULL, NULL, NULL, NULL, NULL, NULL, NULL):
        clear()  # it may repeat a part of the password
        raise ValueError("proxy: not of the form [http://][user:password@]host[:port]")
    return bool(tls[0])


def plain_proxy(url: str) -> str:
    """The URL of a proxy as libcrypto takes it. ``ValueError`` if it is none, or none that is spoken to without TLS."""
    url = with_lower_scheme(url)
    if uses_tls(url):
        raise ValueError(
            "proxy: https:// is not supported: OpenSSL's HTTP client would speak to the proxy without TLS. "
            "Use http://, or a transport of httpx or urllib3"
        )
    return url


def bypasses(host: str, port: int, names: str | None) -> bool:
    """Whether a server is to be reached without proxy.

    Args:
        host: its name or address, an IPv6 address with or without brackets.
        port: its TCP port.
        names: as curl and requests take them in ``no_proxy``, in any case, separated by commas or space: ``*`` is every
            server; ``example.com``, ``.example.com`` and ``*.example.com`` are that domain and all below it; an IP
            address; a network such as ``10.0.0.0/8``; each with ``:port`` for that port alone. ``None``: those in the
            environment's ``no_proxy``, else ``NO_PROXY``.
    """
    if names is None:
        names = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    name = host.strip("[]").rstrip(".").lower()
    return any(_matches(item, name, port) for item in names.lower().replace(",", " ").split())


def _matches(item: str, name: str, port: int) -> bool:
    if item == "*":
        return True
    parts = re.match(_PORT, item)  # none: an IPv6 address or network
    if parts is not None and parts["port"] is not None and int(parts["port"]) != port:
        return False
    import ipaddress  # here: it takes time to import

    pattern = (item if parts is None else parts["host"]).replace("[", "").replace("]", "")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        domain = pattern.removeprefix("*").removeprefix(".").rstrip(".")
        return domain != "" and (name == domain or name.endswith(f".{domain}"))
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False
