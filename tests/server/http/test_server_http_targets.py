"""The forms of a request's target (RFC 9112, section 3.2), as the server's own socket gets them."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from support.forge import Forger, read

from osslcmp import BodyType
from osslcmp.server import EmbeddedCA


def post(url: str, target: str, kind: str = "application/pkixcmp") -> bytes:
    """The whole response to an ir that is sent to this target."""
    address = urlsplit(url)
    body = Forger().request()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {kind}\r\n"
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
        ("//.well-known/cmp/keyupdate", BodyType.IP),  # another path
        ("http://{host}//.well-known/cmp/keyupdate", BodyType.IP),
        ("HTTP://{host}/.well-known/cmp/keyupdate", BodyType.ERROR),
        ("https://{host}/.well-known/cmp/initialization", BodyType.IP),
        ("http://u:p@{host}/.well-known/cmp/keyupdate", BodyType.ERROR),
        ("http://[::1]:80/.well-known/cmp/keyupdate?x", BodyType.ERROR),
        ("http://{host}:99999/x", BodyType.IP),
        ("http://{host}?x=1", BodyType.IP),
        ("http:///x", BodyType.IP),
        ("{host}", BodyType.IP),
        ("*", BodyType.IP),
        ("?x=/.well-known/cmp/keyupdate", BodyType.IP),
        ("/%zz", BodyType.IP),
        ("/%2ewell-known/cmp/%6beyupdate", BodyType.ERROR),
        ("/.well-known%2Fcmp/keyupdate", BodyType.ERROR),
        ("/.well-known/cmp/", BodyType.IP),
        ("/.well-known/cmp/initialization?x=/keyupdate", BodyType.IP),
        ("/.well-known/cmp/keyupdate#x", BodyType.ERROR),
        ("/.well-known/cmp/p/%C3%A4%20b/keyupdate?x/", BodyType.ERROR),
        ("/.well-known/cmp/p/%C3%A4%20b/", BodyType.IP),
        ("/.well-known/cmp/p//initialization", BodyType.IP),
        ("/.WELL-KNOWN/cmp/keyupdate", BodyType.IP),
        ("/x/.well-known/cmp/keyupdate", BodyType.IP),
    ],
)
def test_targets(target: str, kind: BodyType) -> None:
    """Absolute ones, queries and fragments name an operation as the path alone does; other paths are answered, too."""
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        response = post(running.url, target.format(host=urlsplit(running.url).netloc))
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert read(body).kind == kind


@pytest.mark.parametrize(
    "target",
    [
        "/.well-known/cmp/Initialization",
        "/.well-known/cmp//",
        "/.well-known/cmp/initialization/",
        "/.well-known/cmp/initialization/x",
        "/.well-known/cmp/initialization;x=1",
        "/.well-known/cmp/p",
        "/.well-known/cmp/p/x/none",
        "http://{host}/.well-known/cmp/none?x",
    ],
)
def test_no_operation(target: str) -> None:
    """Paths count by their letters, and with what follows a semicolon."""
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        response = post(running.url, target.format(host=urlsplit(running.url).netloc))
    assert response.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/pkixcmp, application/pkixcmp", 200),
        ("application/pkixcmp;x=y , Application/PKIXCMP", 200),
        ("application/pkixcmp, text/html", 415),
        ("application/pkixcmp-poll", 415),
    ],
)
def test_content_types(kind: str, status: int) -> None:
    """One that a proxy has put twice into one line is answered."""
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        assert post(running.url, "/", kind).startswith(b"HTTP/1.1 %d " % status)
