"""Requests that a proxy and a server may cut apart in different places (request smuggling), with and without nginx before
the server: no answer goes to another's request."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forge import Forger
from support.webservers import NGINX, nginx, ports

from osslcmp.server import EmbeddedCA, wire


def request(body: bytes, *lines: bytes, start: bytes = b"POST /x HTTP/1.1", sized: bool = True) -> bytes:
    """A request with these more lines in its header."""
    length = (b"Content-Length: %d" % len(body),) if sized else ()
    head = (start, b"Host: x", b"Content-Type: application/pkixcmp", *lines, *length)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def message(number: int) -> bytes:
    return Forger(transaction_id=bytes([number]) * 16).request()


FIRST = message(1)
SECOND = request(message(2))
SIZE = len(FIRST)
CHUNKED = b"Transfer-Encoding: chunked"
ENDED = b"0\r\n\r\n" + SECOND
"""A body by its Content-Length; chunked, it is empty and a request follows."""


def chunked(size: bytes, *lines: bytes, end: bytes = b"\r\n", last: bytes = b"0\r\n\r\n") -> bytes:
    """The first message in one chunk."""
    return request(size + FIRST + end + last, *(lines or (CHUNKED,)), sized=False) + SECOND


REQUESTS = {
    "pipelined": request(FIRST) + SECOND,
    "both lengths": request(ENDED, CHUNKED),
    "both lengths, chunked": chunked(b"%x\r\n" % SIZE, CHUNKED, b"Content-Length: 5"),
    "two lengths": request(FIRST, b"Content-Length: %d" % (SIZE + len(SECOND))) + SECOND,
    "two lengths, the same": request(FIRST, b"Content-Length: %d" % SIZE) + SECOND,
    "a list of lengths": request(FIRST, b"Content-Length: %d, %d" % (SIZE, SIZE + 9), sized=False) + SECOND,
    **{
        f"length {value!r}": request(FIRST, b"Content-Length: " + value, sized=False) + SECOND
        for value in (
            b"+%d" % SIZE,
            b"0x%x" % SIZE,
            b"0_%d" % SIZE,
            b"%d \t" % SIZE,
            b"\xb2",
            b"",
            b"\r\n %d" % SIZE,
        )
    },
    **{
        repr(line): request(ENDED, line)
        for line in (
            b"Transfer-Encoding : chunked",
            b"Transfer-Encoding:\tchunked",
            b"Transfer-Encoding:\x0bchunked",
            b"Transfer-Encoding: xchunked",
            b"Transfer-Encoding: identity",
            b"transfer-encoding: CHUNKED",
            b"Transfer-Encoding:\r\n chunked",
            b"X: y\r\n Transfer-Encoding: chunked",
            b"X: y\nTransfer-Encoding: chunked",
            b"X: y\rTransfer-Encoding: chunked",
            b"X: y\0",
            b"Connection: Content-Length, keep-alive",
        )
    },
    "chunked twice": chunked(b"%x\r\n" % SIZE, CHUNKED, CHUNKED),
    "chunked and another": chunked(b"%x\r\n" % SIZE, b"Transfer-Encoding: identity, chunked"),
    **{
        f"chunk {size!r}": chunked(size)
        for size in (
            b"%x;a=b\r\n" % SIZE,
            b'%x;a="\r\n"\r\n' % SIZE,
            b"%x\n" % SIZE,
            b"0x%x\r\n" % SIZE,
            b"0_%x\r\n" % SIZE,
            b"+%x\r\n" % SIZE,
            b" %x \r\n" % SIZE,
            b"1%016x\r\n" % SIZE,
        )
    },
    "chunk that ends with LF": chunked(b"%x\r\n" % SIZE, end=b"\n"),
    "trailer": chunked(b"%x\r\n" % SIZE, last=b"0\r\nContent-Length: 5\r\n\r\n"),
    "trailer that is a request": chunked(b"%x\r\n" % SIZE, last=b"0\r\n"),
    "bare LF": request(FIRST).replace(b"\r\n", b"\n", 5) + SECOND,
    "folded": request(FIRST, b"X: y\r\n z") + SECOND,
    "HTTP/1.0, chunked": request(
        b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, FIRST),
        CHUNKED,
        b"Connection: keep-alive",
        start=b"POST /x HTTP/1.0",
        sized=False,
    )
    + SECOND,
    **{
        repr(start): request(FIRST, start=start) + SECOND
        for start in (
            b"POST http://y/.well-known/cmp HTTP/1.1",
            b"POST y:80 HTTP/1.1",
            b"POST /x HTTP/1.2",
            b"POST /x HTTP/2.0",
            b"POST /x",
            b"\r\nPOST /x HTTP/1.1",
        )
    },
    "two hosts": request(FIRST, b"Host: y") + SECOND,
    **{
        f"not taken: {start!r}": request(SECOND, start=start)
        for start in (
            b"GET /x HTTP/1.1",
            b"GET /crl HTTP/1.1",
            b"PUT /x HTTP/1.1",
            b"POST /.well-known/cmp/none HTTP/1.1",
        )
    },
    "too large": request(bytes(300_000) + SECOND),
    "expected": request(FIRST, b"Expect: 100-continue") + SECOND,
    "upgrade": request(FIRST, b"Upgrade: h2c", b"Connection: Upgrade") + SECOND,
}
REFUSED = "HTTP/1.0, chunked", "both lengths", "two lengths", "folded"


@pytest.fixture(params=["alone", "nginx"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Of the server, or of nginx, which uses one connection to it for all."""
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        if request.param == "alone":
            yield running.port
            return
        if NGINX is None:
            pytest.skip("NOT TESTED: nginx is not installed, so that no proxy stood before the server")
        (found,) = ports(1)
        rules = (
            f"upstream cmp {{ server 127.0.0.1:{running.port}; keepalive 1; }}\n"
            f"server {{ listen 127.0.0.1:{found}; ignore_invalid_headers off; location / {{ proxy_pass http://cmp;\n"
            "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_request_buffering off; } }\n"
        )
        with nginx(tmp_path / "nginx", rules, (found,)):
            yield found


def answered(port: int, sent: bytes) -> list[int]:
    """To which messages the answers are that come back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(sent + request(message(9), b"Connection: close"))
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    bodies = [found.end() for found in re.finditer(rb"pkixcmp\r\n(?:[^\r\n]+\r\n)*\r\n", answer)]
    found = [wire.read_message(_first(answer[start:])).header.transaction_id for start in bodies]
    return [name[0] for name in found if name]


def _first(octets: bytes) -> bytes:
    """The DER at the beginning."""
    assert octets[:2] == b"\x30\x82"
    return octets[: 4 + int.from_bytes(octets[2:4], "big")]


def test_answers_are_to_the_requests(port: int) -> None:
    """Each answer is to its request, in their order; what was hidden in a body is not answered, and the next client of the
    same connection gets its own answer."""
    found = {name: (answered(port, sent), answered(port, b"")) for name, sent in REQUESTS.items()}
    right: tuple[list[int], ...] = ([], [1], [1, 2], [1, 2, 9], [9])
    assert {name: got for name, got in found.items() if got[0] not in right or got[1] != [9]} == {}
    assert found["pipelined"][0] == [1, 2, 9]
    assert {name: found[name][0] for name in REFUSED if found[name][0]} == {}
