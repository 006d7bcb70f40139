"""What makes a whole HTTP request, told from the bytes that have arrived."""

from __future__ import annotations

import http.client
import socket

import pytest
from support.forge import Forger, read

from osslcmp import BodyType
from osslcmp.server import EmbeddedCA, RunningServer
from osslcmp.server.http.arriving import Arriving

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
WITH_BODY = HEAD + b"Content-Length: 5\r\n\r\n"
CHUNKED = HEAD + b"transfer-encoding: Chunked\r\n\r\n"


def arriving(*pieces: bytes) -> Arriving:
    found = Arriving(100, 50)
    for piece in pieces:
        found.data += piece
    return found


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (WITH_BODY + b"12345", b""),
        (WITH_BODY + b"12345", HEAD),
        (WITH_BODY + b"\r\n\r\n!", WITH_BODY),
        (b"\r\n" + WITH_BODY + b"12345", b""),
        (HEAD + b"\r\n", WITH_BODY),
        (b"GET / HTTP/1.0\r\n\r\n", b""),
        (CHUNKED + b"5\r\n12345\r\n0\r\n\r\n", HEAD),
        (CHUNKED + b"0\r\n\r\n", b""),
        (CHUNKED + b"6\r\n1230\r\n\r\n0\r\n\r\n", b""),
    ],
)
def test_whole_requests(request_: bytes, more: bytes) -> None:
    """Taken when the last octet is there and not before; what follows stays."""
    found = arriving()
    for octet in request_[:-1]:
        found.data.append(octet)
        assert found.take() == b""
    found.data += request_[-1:] + more
    assert found.take() == request_
    assert bytes(found.data) == more


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n",
        b"\x16\x03\x01\n",
        b"POST / HTTP/1.1\n",
        b"POST /x HTTP/2\r\n",
        b"x" * 101,
        HEAD + b"Content-Length: 51\r\n\r\n",
        HEAD + b"X: " + b"x" * 100,
        CHUNKED + b"x" * 51,
    ],
)
def test_what_will_never_be_one(data: bytes) -> None:
    """It is handed on at once, to be refused."""
    assert arriving(data).take() == data


def test_continue() -> None:
    """The client is told once."""
    found = arriving(HEAD + b"Expect: 100-Continue\r\nContent-Length: 2\r\n")
    assert not found.continue_wanted()
    found.data += b"\r\n"
    assert found.continue_wanted()
    assert not found.continue_wanted()
    found.data += b"ab"
    assert found.take() == HEAD + b"Content-Length: 2\r\n\r\nab"


# -- over sockets ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> object:
    with EmbeddedCA({"ref": "secret"}).server().serve(threads=1, timeout=20) as running:
        yield running


def request(extra: str = "") -> bytes:
    message = Forger().request()
    head = f"POST / HTTP/1.1\r\nContent-Type: application/pkixcmp\r\n{extra}Content-Length: {len(message)}\r\n\r\n"
    return head.encode() + message


def answers(client: socket.socket, count: int) -> None:
    """So many good answers come on one connection."""
    for _ in range(count):
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == 200
        assert read(response.read(int(response.headers["Content-Length"]))).kind == BodyType.IP


def connect(running: RunningServer) -> socket.socket:
    return socket.create_connection((running.host, running.port), timeout=30)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_in_pieces(running: RunningServer, size: int) -> None:
    """While another client sends its request in pieces, the one thread works for us."""
    with connect(running) as slow:
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = request()
        for place in range(0, len(data), size):
            if place in (0, size * 3):
                with connect(running) as quick:
                    quick.sendall(request())
                    answers(quick, 1)
            slow.sendall(data[place : place + size])
        answers(slow, 1)


def test_expect(running: RunningServer) -> None:
    """As curl does with large bodies: the body is sent after the server has said go on."""
    with connect(running) as client:
        head, _, body = request("Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        answers(client, 1)


def test_several_at_once(running: RunningServer) -> None:
    """Requests one after the other without waiting for answers."""
    first, second, third = request(), request(), request()
    with connect(running) as client:
        client.sendall(first + second + third[:50])
        stream = client.makefile("rb")
        for _ in range(2):
            assert b" 200 " in stream.readline()
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert read(stream.read(length)).kind == BodyType.IP
        client.sendall(third[50:])
        assert b" 200 " in stream.readline()
        stream.close()
