"""Nobody there, gone in the middle, or something else than CMP: always a typed error."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable

import pytest
from support.clients import ALL_REQUESTS, client, request
from support.mock_server import MockServer
from support.pki import PKI
from support.raw_server import RawServer, Recording, free_port, hang, reset, response, say, trickle

import osslcmp

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]

HTML = b"<html><body><h1>503 Service Unavailable</h1> try later</body></html>"


@pytest.fixture
def good_answer(pki: PKI, mock_server: Mock) -> bytes:
    """A genuine genp, though of another transaction."""
    recording = Recording(mock_server().url)
    request(client(None, pki, transport=recording), "genm", pki)
    return recording.responses[0]


@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_nobody_there(kind: str, pki: PKI) -> None:
    """A port without a listener: a TransferError that names the server, and what was not sent."""
    port = free_port()
    with pytest.raises(osslcmp.TransferError) as caught:
        request(client(f"http://127.0.0.1:{port}/pkix/", pki), kind, pki)
    assert "127.0.0.1" in str(caught.value)
    assert str(port) in str(caught.value)
    assert f"request sent: {kind.upper()}" in str(caught.value)


def test_unknown_host(pki: PKI) -> None:
    """A name that does not resolve."""
    with pytest.raises(osslcmp.TransferError):
        request(client("http://nobody.invalid/pkix/", pki), "genm", pki)


def test_gone_in_the_middle(pki: PKI, mock_server: Mock) -> None:
    """The server dies after "waiting": a TransferError, not an endless poll."""
    server = mock_server(poll_count=3, check_after=0, max_msgs=2)
    with pytest.raises(osslcmp.TransferError, match="POLLREQ"):
        request(client(server.url, pki), "ir", pki)


def test_back_again(pki: PKI, mock_server: Mock) -> None:
    """After a failure the same client does the next request."""
    server = mock_server()
    cmp = client(server.url, pki)
    assert request(cmp, "genm", pki)
    server.stop()
    with pytest.raises(osslcmp.TransferError):
        request(cmp, "genm", pki)


ANSWERS = {
    "nothing": b"",
    "half a status line": b"HTTP/1.",
    "no HTTP": b"\x00\xff\xfe garbage \r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "TLS alert": bytes.fromhex("15030100020246"),
    "only a header": b"HTTP/1.0 200 OK\r\n\r\n",
    "header cut": b"HTTP/1.0 200 OK\r\nContent-Type: application/pkix",
    "status without reason": b"HTTP/1.0 500\r\n\r\n",
    "status not a number": b"HTTP/1.0 abc OK\r\n\r\n",
    "HTTP 2": b"HTTP/2 200\r\n\r\n",
    "404 HTML": response(HTML, status="404 Not Found", content_type="text/html"),
    "503 HTML": response(HTML, status="503 Service Unavailable", content_type="text/html"),
    "500 without type": response(b"", status="500 Internal Server Error", content_type=None),
    "200 HTML": response(HTML, content_type="text/html"),
    "200 HTML said to be CMP": response(HTML),
    "redirect": response(b"", status="301 Moved", headers="Location: http://127.0.0.1:1/x\r\n"),
    "redirect to itself": response(b"", status="302 Found", headers="Location: /pkix/\r\n"),
    "redirect to nowhere": response(b"", status="302 Found"),
    "401": response(b"", status="401 Unauthorized", headers="WWW-Authenticate: Basic realm=x\r\n"),
    "empty CMP": response(b""),
    "zeros": response(b"\x00" * 64),
    "DER of something else": response(bytes.fromhex("3003020105")),
    "empty sequence": response(b"\x30\x00"),
    "endless length": response(b"\x30\x84\xff\xff\xff\xff" + b"a" * 10),
    "indefinite length": response(b"\x30\x80" + b"\x30\x80" * 200),
    "deep": response(b"\x30\x82\x0f\xa0" * 1000),
    "huge": response(b"\x30\x83\x0f\xff\xff" + b"\x00" * 0x0FFFFF),
    "content length too long": response(b"\x30\x00", length=1000),
    "content length too short": response(b"\x30\x82\x01\x00" + b"\x00" * 256, length=10),
    "content length negative": response(b"\x30\x00", headers="Content-Length: -5\r\n", length=-1),
    "content length huge": response(b"\x30\x00", length=10**30),
    "chunked": b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n0\x00\r\n0\r\n\r\n",
    "endless header": b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 100000,
    "long header line": b"HTTP/1.0 200 OK\r\nX: " + b"y" * 1000000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_not_cmp(answer: bytes, pki: PKI) -> None:
    """What is no CMP message is a TransferError that says which request was sent."""
    with RawServer(say(answer)) as server:
        with pytest.raises(osslcmp.TransferError) as caught:
            request(client(server.url, pki, message_timeout=5), "genm", pki)
        assert "GENM" in str(caught.value)
        assert server.requests[0].startswith(b"POST /pkix/ HTTP/1.")


def test_empty_on_a_connection_that_stays_open(pki: PKI) -> None:
    """A size of 0 is no size that is not known: nothing is waited for."""
    empty = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nContent-Length: 0\r\n\r\n"

    def stay(connection: socket.socket, read: bytes) -> None:
        connection.sendall(empty)
        hang(connection, read)

    with RawServer(stay) as server, pytest.raises(osslcmp.TransferError) as caught:
        request(client(server.url, pki), "genm", pki)
    assert not isinstance(caught.value, TimeoutError)
    assert "no content" in str(caught.value)


def test_reset(pki: PKI) -> None:
    """A connection that is reset instead of answered."""
    with RawServer(reset) as server, pytest.raises(osslcmp.TransferError):
        request(client(server.url, pki), "ir", pki)


def test_reset_before_the_request_is_read(pki: PKI) -> None:
    """... or that is reset while we write."""
    with RawServer(reset, read=False) as server, pytest.raises(osslcmp.TransferError):
        request(client(server.url, pki), "ir", pki)


def test_silence(pki: PKI) -> None:
    """A server that says nothing ends in a TransferTimeout, which is a TimeoutError."""
    with RawServer(hang) as server, pytest.raises(osslcmp.TransferTimeout) as caught:
        request(client(server.url, pki, message_timeout=1), "ir", pki)
    assert isinstance(caught.value, TimeoutError)
    assert "IR" in str(caught.value)


def test_trickle(pki: PKI, good_answer: bytes) -> None:
    """Bytes that come one by one do not stretch the message timeout."""
    with RawServer(trickle(response(good_answer))) as server, pytest.raises(osslcmp.TransferTimeout):
        request(client(server.url, pki, message_timeout=1), "genm", pki)


@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_answer_of_another_transaction(protection: str, pki: PKI, good_answer: bytes) -> None:
    """A replayed answer is refused: it is validly protected, but not for this request."""
    with RawServer(say(response(good_answer))) as server:
        with pytest.raises((osslcmp.ResponseError, osslcmp.ProtectionError)) as caught:
            request(client(server.url, pki, protection), "genm", pki)
        if protection == "signature":
            assert isinstance(caught.value, osslcmp.ResponseError)
            assert "transactionid unmatched" in str(caught.value)


def test_answer_to_another_request(pki: PKI, mock_server: Mock) -> None:
    """A genp for an ir: unexpected body."""
    recording = Recording(mock_server().url)
    cmp = client(None, pki, transport=recording)
    request(cmp, "genm", pki)
    answer = recording.responses[0]
    with pytest.raises((osslcmp.ResponseError, osslcmp.ProtectionError)):
        request(client(None, pki, transport=lambda _: answer), "ir", pki)


def test_trailing_bytes(pki: PKI, mock_server: Mock) -> None:
    """Bytes after the message are not part of it: the answer is refused."""
    recording = Recording(mock_server().url, change=lambda der: der + b"\x00")
    with pytest.raises(osslcmp.CMPError):
        request(client(None, pki, transport=recording), "genm", pki)


@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_damaged_answers(kind: str, pki: PKI, mock_server: Mock) -> None:
    """One flipped bit or a cut anywhere in a genuine answer ends in a result or a typed error."""
    server = mock_server()
    chance = random.Random(20)
    outcomes = set()
    for number in range(60):

        def damage(der: bytes, number: int = number) -> bytes:
            if number % 3 == 0:
                return der[: chance.randrange(len(der))]
            where, bit = chance.randrange(len(der)), chance.randrange(8)
            return der[:where] + bytes([der[where] ^ 1 << bit]) + der[where + 1 :]

        recording = Recording(server.url, change=damage)
        cmp = client(None, pki, transport=recording)
        options = {"disable_confirm": True} if kind == "ir" else {}
        try:
            request(cmp, kind, pki, **options)
            outcomes.add("result")
        except osslcmp.CMPError as error:
            outcomes.add(type(error).__name__)
    assert outcomes & {"TransferError", "ProtectionError", "ResponseError"}


def test_garbage_by_transport(pki: PKI) -> None:
    """Random bytes from a transport are typed errors as well."""
    for size in (0, 1, 2, 100, 5000):
        with pytest.raises(osslcmp.CMPError):
            request(client(None, pki, transport=lambda _, n=size: os.urandom(n)), "genm", pki)


def test_transport_that_raises(pki: PKI) -> None:
    """The transport's own exception reaches the caller."""

    class BrokenError(Exception):
        pass

    def transport(_request: bytes) -> bytes:
        raise BrokenError("no line")

    with pytest.raises(BrokenError, match="no line"):
        request(client(None, pki, transport=transport), "ir", pki)


@pytest.mark.parametrize("answer", [None, "text", 5, bytearray(b"\x30\x00")])
def test_transport_that_returns_something_else(answer: object, pki: PKI) -> None:
    """What is not bytes is a TypeError; a bytearray is bytes enough to be refused as garbage."""
    expected = osslcmp.CMPError if isinstance(answer, bytearray) else (TypeError, osslcmp.CMPError)
    with pytest.raises(expected):
        request(client(None, pki, transport=lambda _: answer), "genm", pki)


def test_server_that_answers_over_http_11(pki: PKI, mock_server: Mock) -> None:
    """A status line of HTTP/1.1, header names in odd case and a charset parameter are fine."""
    recording = Recording(mock_server().url)

    def forward(connection: object, http_request: bytes) -> None:
        body = recording(http_request.partition(b"\r\n\r\n")[2])
        lines = f"HTTP/1.1 200 OK\r\ncONTENT-tYPE: application/pkixcmp\r\nCONTENT-LENGTH: {len(body)}\r\n\r\n"
        connection.sendall(lines.encode() + body)  # type: ignore[attr-defined]

    with RawServer(forward) as server:
        assert request(client(server.url, pki), "ir", pki).certificate == pki.enrolled.certificate
