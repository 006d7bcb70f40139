"""The forms of a request's target (RFC 9112, section 3.2), as the server's own socket gets them."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from support.forge import Forger, read

from osslcmp import BodyType
from osslcmp.server import EmbeddedCA


def post(url: str, target: str) -> bytes:
    """The whole response to an ir that is sent to this target."""
    address = urlsplit(url)
    body = Forger().request()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/pkixcmp\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        response = b""
        while piece := connection.recv(65536):
            response += piece
    return response


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/.well-known/cmp", BodyType.IP),
        ("http://{host}/.well-known/cmp", BodyType.IP),
        ("http://{host}/.well-known/cmp/initialization", BodyType.IP),
        ("http://{host}/.well-known/cmp/keyupdate", BodyType.ERROR),
        ("http://another.example/.well-known/cmp?x=1", BodyType.IP),
        ("http://{host}", BodyType.IP),
        ("//.well-known/cmp", BodyType.IP),
        ("//", BodyType.IP),
        ("/.well-known/cmp?query", BodyType.IP),
    ],
)
def test_targets(target: str, kind: BodyType) -> None:
    """Absolute ones and double slashes are answered, and name an operation as the path alone does."""
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        response = post(running.url, target.format(host=urlsplit(running.url).netloc))
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert read(body).kind == kind
