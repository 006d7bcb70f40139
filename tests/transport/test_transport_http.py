"""OpenSSL's HTTP client, driven by us: statuses, headers, limits, and HTTPTransport."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from support.enrol import KEY, enroll, refusal
from support.forge import Forger, read
from support.https import WebServer
from support.pki import PKI
from support.raw_server import RawServer, read_request, response, say

import osslcmp
from osslcmp.server import Server
from osslcmp.transport import HTTPTransport

HTML = b"<html><body>try later</body></html>"


def answering(server: Server, form: Callable[[bytes], bytes]) -> RawServer:
    """A server that answers with CMP in the HTTP that ``form`` makes of it."""

    def handler(connection: socket.socket, request: bytes) -> None:
        connection.sendall(form(server.process(request.partition(b"\r\n\r\n")[2])))

    return RawServer(handler)


# -- statuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["400 Bad Request", "401 x", "404 Not Found", "500", "503 Slow", "599 ?"])
def test_cmp_error_with_a_status(status: str, cmp: Server) -> None:
    """The CMP message in a response with status 400 and above counts, on every release of OpenSSL."""
    with answering(cmp, lambda der: response(der, status=status)) as server:
        with pytest.raises(osslcmp.RejectedError) as caught:
            osslcmp.Client(server.url, reference="nobody", secret="x", unprotected_errors=True).ir(
                KEY, subject="CN=me"
            )
        assert caught.value.status is osslcmp.PKIStatus.rejection
        # What is no error as well: the protection decides.
        assert enroll(server.url)


@pytest.mark.parametrize("status", [201, 202, 299])
def test_other_success(status: int, cmp: Server) -> None:
    with answering(cmp, lambda der: response(der, status=f"{status} Fine")) as server:
        assert enroll(server.url)


def test_connection_stays_after_an_error(cmp: Server) -> None:
    """A status says nothing about the connection."""
    with WebServer(cmp) as server:
        server.status = 500
        assert enroll(server.url())
        assert (server.connections, len(server.requests)) == (1, 2)


KEEP = "Connection: keep-alive\r\n"


def test_connection_closed_in_between(cmp: Server) -> None:
    """A server that closes a kept connection while the next message comes: that goes on a new one."""
    connections = []

    def handler(connection: socket.socket, request: bytes) -> None:
        connections.append(connection)
        connection.sendall(response(cmp.process(request.partition(b"\r\n\r\n")[2]), headers=KEEP))
        if len(connections) % 2:
            connection.recv(1)  # what is not read makes closing a reset

    with RawServer(handler) as server:
        for _ in range(10):
            assert enroll(server.url)
    assert len(connections) == 20


@pytest.mark.parametrize("whole", [False, True])
def test_connection_closed_for_good(whole: bool, cmp: Server) -> None:
    """Once, not again and again; and not at all if the server may have taken the message in."""
    count = []

    def handler(connection: socket.socket, request: bytes) -> None:
        count.append(1)
        if len(count) == 1:
            connection.sendall(response(cmp.process(request.partition(b"\r\n\r\n")[2]), headers=KEEP))
            assert read_request(connection) if whole else connection.recv(1)

    with RawServer(handler) as server, pytest.raises(osslcmp.ConfirmError) as caught:
        enroll(server.url)
    assert len(count) == (1 if whole else 2)
    assert caught.value.enrollment.certificate


def test_interim_answers(cmp: Server) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    with answering(cmp, lambda der: interim + response(der)) as server:
        assert enroll(server.url)


@pytest.mark.parametrize(
    ("status", "content_type", "told"),
    [
        (
            "503 Service Unavailable",
            "text/html",
            "HTTP status 503 Service Unavailable, content type text/html",
        ),
        ("404 Not Found", None, "HTTP status 404 Not Found, content type missing"),
        ("200 OK", "text/html; charset=utf-8", "HTTP status 200 OK, content type text/html; charset=utf-8"),
        ("200 OK", None, "HTTP status 200 OK, content type missing"),
        ("200 OK", "application/pkixcmp-poll", "content type application/pkixcmp-poll"),
        ("204 No Content", None, "HTTP status 204 No Content"),
        ("301 Moved", "text/html", "HTTP status 301 Moved, content type text/html, location http://x/y"),
        ("307 Moved", "application/pkixcmp", "HTTP status 307 Moved"),
    ],
)
def test_no_cmp(status: str, content_type: str | None, told: str) -> None:
    """Status and content type are in the error, and where it is redirected to."""
    headers = "Location: http://x/y\r\n" if status.startswith("3") else ""
    answer = response(HTML, status=status, content_type=content_type, headers=headers)
    with RawServer(say(answer)) as server:
        text = refusal(server.url)
        assert told in text
        assert f"server=http://127.0.0.1:{server.port}" in text


def test_html_called_cmp() -> None:
    with RawServer(say(response(HTML, status="500 Oops"))) as server:
        assert "HTTP status 500 Oops" in refusal(server.url)


# -- headers -----------------------------------------------------------------------------------------------


def test_parameters_of_the_content_type(cmp: Server) -> None:
    with answering(cmp, lambda der: response(der, content_type="Application/PKIXCMP; charset=x")) as server:
        assert enroll(server.url)


def test_large_header(cmp: Server) -> None:
    """A header that is larger than what OpenSSL's client takes, up to 32 KiB, and not beyond."""
    for size, fine in ((100, True), (20_000, True), (40_000, False)):
        headers = f"Set-Cookie: {'y' * size}\r\n"
        with answering(cmp, partial(response, headers=headers)) as server:
            if fine:
                assert enroll(server.url)
            else:
                assert "more than 32768 octets" in refusal(server.url)


def test_header_in_pieces(cmp: Server) -> None:
    """It does not matter how TCP cuts it."""

    def handler(connection: socket.socket, request: bytes) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = response(cmp.process(request.partition(b"\r\n\r\n")[2]))
        for position in range(150):
            connection.sendall(answer[position : position + 1])
        connection.sendall(answer[150:])

    with RawServer(handler) as server:
        assert enroll(server.url)


def test_bare_newlines(cmp: Server) -> None:
    def form(der: bytes) -> bytes:
        head = f"HTTP/1.1 200 OK\nContent-Type:\n application/pkixcmp\nContent-Length:\t {len(der)} \n"
        return head.encode() + b"connection: close\n\n" + der

    with answering(cmp, form) as server:
        assert enroll(server.url)


def test_chunked(cmp: Server) -> None:
    """What OpenSSL's HTTP/1.0 client does not read is named, and the way out."""

    def form(der: bytes) -> bytes:
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nTransfer-Encoding: Chunked\r\n\r\n"
        return head.encode() + f"{len(der):x}\r\n".encode() + der + b"\r\n0\r\n\r\n"

    with answering(cmp, form) as server:
        told = refusal(server.url)
        assert "Transfer-Encoding Chunked" in told
        assert "transport=" in told


def test_terminal_codes() -> None:
    """What a server says comes out printable."""
    status = "500 \x1b[31mred\x07 \xe4"
    with RawServer(say(response(b"", status=status, content_type="\x1b]0;x\x07"))) as server:
        told = refusal(server.url)
        assert told.isprintable()
        assert "500 ?[31mred" in told


def test_request_header(cmp: Server) -> None:
    with WebServer(cmp) as server:
        enroll(server.url("localhost"))
        assert server.headers[0]["Host"] == f"localhost:{server.port}"
        assert server.headers[0]["Content-Type"] == "application/pkixcmp"
        assert "Authorization" not in server.headers[0]


# -- limits ------------------------------------------------------------------------------------------------


def test_response_cap(cmp: Server) -> None:
    """100 KiB by default, whatever was set else; the length is looked at before the body."""
    big = b"\x30\x83\x03\x00\x00" + bytes(3 << 16)
    with RawServer(say(response(big))) as server:
        assert "max resp len exceeded" in refusal(server.url)
        assert "length=196613, max=102400" in refusal(server.url)
        told = refusal(server.url, max_response_length=1 << 20)
        assert "max resp len" not in told
        assert "length=196613, max=1000" in refusal(server.url, max_response_length=1000)
    with WebServer(cmp) as web:
        assert enroll(web.url(), max_response_length=10_000)
        assert "max resp len exceeded" in refusal(web.url(), max_response_length=100)


def test_no_end() -> None:
    """200 MB are not read."""
    sent: list[int] = []

    def handler(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: application/pkixcmp\r\n\r\n\x30\x84\x0c\x00\x00\x00"
        )
        sent.extend(connection.send(bytes(1 << 20)) for _ in range(200))

    with RawServer(handler) as server:
        assert "max resp len exceeded" in refusal(server.url)
    assert sum(sent) < 20 << 20


# -- as a callable -----------------------------------------------------------------------------------------


def test_http_transport(cmp: Server) -> None:
    """Messages go as they are; a client can use it with something around."""
    with WebServer(cmp) as server:
        transport = HTTPTransport(server.url())
        assert (
            repr(transport) == f"<osslcmp.transport.HTTPTransport to 127.0.0.1:{server.port}/.well-known/cmp>"
        )
        assert read(transport(Forger().request())).kind == osslcmp.BodyType.IP
        seen: list[bytes] = []

        def recording(request: bytes) -> bytes:
            seen.append(request)
            return transport(request)

        cmp_client = osslcmp.Client(transport=recording, reference="ref", secret="secret")
        assert cmp_client.ir(KEY, subject="CN=me")
        assert [read(message).kind for message in seen] == [osslcmp.BodyType.IR, osslcmp.BodyType.CERTCONF]
        with pytest.raises(ValueError, match="no CMP message"):
            transport(b"nonsense")
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda _: transport(Forger().request()), range(20))
            assert {read(answer).kind for answer in answers} == {osslcmp.BodyType.IP}
    with pytest.raises(osslcmp.TransferError, match="refused"):
        transport(Forger().request())


def test_http_transport_tls(cmp: Server, pki: PKI) -> None:
    with pytest.raises(ValueError, match="of no use"):
        HTTPTransport("http://127.0.0.1/", tls=pki.root.certificate)
    with pytest.raises(ValueError, match="says https"):
        HTTPTransport("https://127.0.0.1/", tls=False)
    with WebServer(cmp) as server:
        transport = HTTPTransport(server.url().replace("http:", "https:"), tls=pki.root.certificate)
        with pytest.raises(osslcmp.TransferError, match="TLS with server"):
            transport(Forger().request())


def test_server_as_transport(cmp: Server) -> None:
    """A server in the process is a transport."""
    assert osslcmp.Client(transport=cmp, reference="ref", secret="secret").ir(KEY, subject="CN=me")
