"""How a request travels: OpenSSL's HTTP client by default, or any callable on DER."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ._inputs import check_text

if TYPE_CHECKING:
    from .context import Context

__all__ = ["Address", "Transport", "parse_url", "well_known_url"]

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


def parse_url(url: str) -> Address:
    """The parts of ``http[s]://host[:port][/path]``. Raises ``ValueError`` for anything else."""
    check_text("server", url)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"server: {url!r} is not of the form http://host[:port][/path]")
    if parts.username is not None:
        raise ValueError("server: the URL must not contain credentials")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"server: {url!r}: {error}") from error
    if port == 0:
        raise ValueError(f"server: {url!r}: port 0 is out of range 1 to 65535")
    tls = parts.scheme == "https"
    path = parts.path or "/"
    return Address(
        parts.hostname, port or (443 if tls else 80), f"{path}?{parts.query}" if parts.query else path, tls
    )


def well_known_url(server: str, *, label: str | None = None, operation: str | None = None) -> str:
    """The address that RFC 9811 gives a CMP server: ``/.well-known/cmp[/p/label][/operation]``.

    ``server`` is ``http[s]://host[:port]``; ``label`` a CA or certificate profile label; ``operation`` an
    operation label of RFC 9483 such as ``initialization`` or ``keyupdate``.
    """
    parts = [server.rstrip("/"), ".well-known/cmp"]
    if label is not None:
        parts += ["p", label]
    if operation is not None:
        parts.append(operation)
    return "/".join(parts)
