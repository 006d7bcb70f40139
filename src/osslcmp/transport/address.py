"""Where a CMP server answers: URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .._arguments import checked
from .._openssl.inputs import check_text, without_credentials

if TYPE_CHECKING:
    from ..context import Context

Transport = Callable[[bytes], bytes]
"""Takes the DER encoding of a request and returns that of the response."""


@dataclass(frozen=True)
class Address:
    """Where a CMP server answers."""

    host: str
    port: int
    path: str
    tls: bool = False

    @property
    def url(self) -> str:
        """As a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{self.port}/{self.path.removeprefix('/')}"

    def apply(self, context: Context) -> None:
        """Point ``context`` at this server."""
        context.set_server(self.host)
        context.set_server_port(self.port)
        context.set_server_path(self.path)


def parse_url(url: str, what: str = "server") -> Address:
    """The parts of ``http[s]://host[:port][/path]``. Raises ``ValueError``
    for anything else, which names the argument ``what``.

    A host name that is not ASCII is encoded as IDNA, an IPv6 address stands in brackets.
    """
    check_text(what, url)
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError(f"{what}: the URL contains a space or control character")
    shown = without_credentials(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{what}: {shown!r}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{what}: {shown!r} is not of the form http://host[:port][/path]")
    if parts.username is not None:
        raise ValueError(f"{what}: the URL must not contain credentials")
    try:
        port = parts.port
        host = parts.hostname
        if ":" in host:  # the zone of a link: RFC 6874
            host = host.replace("%25", "%")
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError as error:
        raise ValueError(f"{what}: {shown!r}: {error}") from None
    if port == 0:
        raise ValueError(f"{what}: {shown!r}: port 0 is out of range 1 to 65535")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(host, port or (443 if tls else 80), quote(path, safe="/%?&=:;,+$!*'()@~-._"), tls)


@checked
def well_known_url(server: str, *, label: str | None = None, operation: str | None = None) -> str:
    """The address that RFC 9811 gives a CMP server: ``/.well-known/cmp[/p/label][/operation]``.

    ``server`` is ``http[s]://host[:port]``; ``label`` a CA or certificate profile label; ``operation`` an
    operation label of RFC 9483 such as ``initialization`` or ``keyupdate``. Raises ``ValueError`` for empty
    ones.
    """
    parse_url(server)
    if label == "" or operation == "":
        raise ValueError("label, operation: is empty")
    parts = [server.rstrip("/"), ".well-known/cmp"]
    if label is not None:
        parts += ["p", quote(label, safe="")]
    if operation is not None:
        parts.append(quote(operation, safe=""))
    return "/".join(parts)
