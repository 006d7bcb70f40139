"""CMP over HTTP: what is no CMP, connections that stay, many clients, and the end of a server."""

from __future__ import annotations

import http.client
import io
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from wsgiref.validate import validator

import pytest
from support.forge import IMPLICIT_CONFIRM, Forger, read
from support.https import has_ipv6
from support.pki import make_key, make_name

import osslcmp
from osslcmp import BodyType, PKIStatus
from osslcmp.server import EmbeddedCA, RunningServer, Server
from osslcmp.server.http import webserver
from osslcmp.server.http.app import Application
from osslcmp.server.http.events import Answered

TYPE = {"Content-Type": "application/pkixcmp"}


@pytest.fixture
def server() -> Server:
    return EmbeddedCA({"ref": "secret"}).server(max_message_size=10_000)


@pytest.fixture
def running(server: Server) -> Iterator[RunningServer]:
    with server.serve() as running:
        yield running


@pytest.fixture
def connection(running: RunningServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
    yield connection
    connection.close()


def post(connection: http.client.HTTPConnection, body: Any, **headers: str) -> tuple[int, bytes]:
    connection.request("POST", "/.well-known/cmp", body, {**TYPE, **headers})
    response = connection.getresponse()
    return response.status, response.read()


def test_url(running: RunningServer) -> None:
    assert running.url == f"http://127.0.0.1:{running.port}/.well-known/cmp"


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6(server: Server, host: str) -> None:
    """``::`` is for both families."""
    with server.serve(host) as running:
        assert running.url == f"http://[{host}]:{running.port}/.well-known/cmp"
        for url in (running.url, f"http://127.0.0.1:{running.port}/" if host == "::" else running.url):
            client = osslcmp.Client(url, reference="ref", secret="secret", message_timeout=20)
            assert client.ir(make_key(), subject=make_name("x")).certificate


@pytest.mark.parametrize(
    "path", ["/", "/.well-known/cmp", "/.well-known/cmp/p/profile/initialization", "/x?y=z"]
)
def test_any_path(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("POST", path, Forger().request(), {"Content-Type": "Application/PKIXCMP; x=y"})
    response = connection.getresponse()
    assert response.status == 200
    assert response.getheader("Content-Type") == "application/pkixcmp"
    assert read(response.read()).kind == BodyType.IP


def test_connection_stays(connection: http.client.HTTPConnection) -> None:
    for _ in range(3):
        status, body = post(connection, Forger(info=(IMPLICIT_CONFIRM,)).request())
        assert (status, read(body).status) == (200, PKIStatus.accepted)
    # A refusal by HTTP does not end it.
    own_port = connection.sock.getsockname()
    assert post(connection, b"garbage")[0] == 400
    assert post(connection, Forger().request())[0] == 200
    assert connection.sock.getsockname() == own_port


@pytest.mark.parametrize("word", ["keep-alive", "Keep-Alive", "close", None])
def test_old_connection_stays_when_asked(running: RunningServer, word: str | None) -> None:
    """HTTP/1.0, as OpenSSL's client speaks it."""
    message = Forger(info=(IMPLICIT_CONFIRM,)).request()
    wanted = "" if word is None else f"Connection: {word}\r\n"
    head = (
        "POST / HTTP/1.0\r\nContent-Type: application/pkixcmp\r\n"
        f"{wanted}Content-Length: {len(message)}\r\n\r\n"
    ).encode()
    with socket.create_connection((running.host, running.port), timeout=20) as client:
        client.sendall(head + message)
        with client.makefile("rb") as stream:
            response: dict[bytes, bytes] = {}
            assert b" 200 " in stream.readline()
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b": ")
                response[name.lower()] = value
            assert read(stream.read(int(response[b"content-length"]))).kind == BodyType.IP
            stays = word is not None and word.lower() == "keep-alive"
            # Never silent: the status line says HTTP/1.1, and OpenSSL's client then takes silence for "stays".
            assert response[b"connection"].lower() == (b"keep-alive" if stays else b"close")
            if stays:
                client.sendall(head + message)
                assert stream.readline()
            else:
                assert stream.read() == b""


def test_not_cmp(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.getheader("Allow")) == (405, "POST")
    response.read()
    assert post(connection, b"x", **{"Content-Type": "text/plain"})[0] == 415
    status, told = post(connection, b"garbage")
    assert (status, told) == (400, b"not a CMP message: expected tag 0x30, found 0x67\n") or status == 400
    assert post(connection, b"")[0] == 400


@pytest.mark.parametrize("size", [10_001, 15_000, 10**8])
def test_too_large(connection: http.client.HTTPConnection, size: int) -> None:
    connection.putrequest("POST", "/")
    connection.putheader("Content-Type", "application/pkixcmp")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    connection.send(bytes(min(size, 15_000)))
    assert connection.getresponse().status == 413


def test_chunked(connection: http.client.HTTPConnection) -> None:
    message = Forger().request()
    status, body = post(connection, iter([message[:10], message[10:]]))
    assert (status, read(body).kind) == (200, BodyType.IP)
    # More than is allowed is not collected.
    status, _ = post(connection, iter([bytes(5_000)] * 3))
    assert status == 413


def test_no_length(running: RunningServer) -> None:
    with socket.create_connection((running.host, running.port), timeout=20) as client:
        client.sendall(b"POST / HTTP/1.0\r\nContent-Type: application/pkixcmp\r\n\r\n")
        assert b" 411 " in client.recv(100) or b" 400 " in client.recv(100)


def test_client_that_goes_away(running: RunningServer, connection: http.client.HTTPConnection) -> None:
    for _ in range(5):
        with socket.create_connection((running.host, running.port)) as client:
            client.sendall(
                b"POST / HTTP/1.1\r\nContent-Type: application/pkixcmp\r\nContent-Length: 500\r\n\r\nabc"
            )
    assert post(connection, Forger().request())[0] == 200


def test_slow_clients_do_not_stop_others(
    running: RunningServer, connection: http.client.HTTPConnection
) -> None:
    """Open connections that say nothing cost no thread."""
    idle = [socket.create_connection((running.host, running.port)) for _ in range(40)]
    try:
        assert post(connection, Forger().request())[0] == 200
    finally:
        for client in idle:
            client.close()


def test_many_clients(server: Server, running: RunningServer) -> None:
    """Threads at once, each with its own connection and transactions."""

    def enroll(number: int) -> int:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=30)
        try:
            for turn in range(5):
                name = f"client {number} {turn}"
                status, body = post(connection, Forger(info=(IMPLICIT_CONFIRM,)).request(name=name))
                certificate = read(body).certificate
                assert status == 200
                assert certificate is not None
                assert certificate.subject.rfc4514_string() == f"CN={name}"
            return number
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(enroll, range(12))) == list(range(12))
    assert server.open_transactions == 0


def test_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come whole waits for a thread as long as there is room for it: the next is refused, and then all go on."""
    monkeypatch.setattr(webserver, "MAX_BUFFERED", 1)  # four messages of the largest size, that is
    go_on = threading.Event()

    def process(*_: object) -> bytes:
        go_on.wait(60)
        return Forger().request()

    app = Application(process, 10_000)
    statuses: list[int] = []
    listener = webserver.listen("127.0.0.1", 0)
    host, port = listener.getsockname()
    server = webserver.WebServer(app, listener, webserver.Limits(60, 60, threads=1), None)

    def ask() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        statuses.append(post(connection, bytes(9_900))[0])
        connection.close()

    with ExitStack() as stack:
        stack.callback(server.stop)
        threads = stack.enter_context(ThreadPoolExecutor())
        for number in range(5):
            threads.submit(ask)
            # The last one is at work for a moment, too, and then is refused.
            while not statuses and (number == 4 or len(server.working) <= number):
                time.sleep(0.005)
        assert statuses == [503]
        go_on.set()
    assert statuses == [503] + [200] * 4


def test_stopped(server: Server) -> None:
    running = server.serve()
    address = (running.host, running.port)
    running.stop()
    running.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address)


def test_stop_lets_a_request_finish() -> None:
    begun, go_on = threading.Event(), threading.Event()
    ca = EmbeddedCA({"ref": "secret"})

    def policy(_: object) -> None:
        begun.set()
        assert go_on.wait(20)

    ca.policy = policy
    running = ca.server().serve()

    def ask() -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection(running.host, running.port, timeout=20)) as connection:
            return post(connection, Forger().request())

    with ThreadPoolExecutor(2) as threads:
        asking = threads.submit(ask)
        assert begun.wait(20)
        stopping = threads.submit(running.stop)
        go_on.set()
        stopping.result(20)
        status, answer = asking.result(20)
    assert status == 200
    assert read(answer).kind == BodyType.IP


def test_the_clock_outlives_a_failure(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is away for a moment must not end what is done once a second for good; it is told once."""
    again = threading.Event()
    calls = 0

    def sweep() -> None:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise OSError("the database is away")
        again.set()

    monkeypatch.setattr(server, "sweep", sweep)
    with server.serve():
        assert again.wait(30)
    assert [record.message for record in caplog.records] == [
        "what is done once a second has failed; it is tried again: OSError: the database is away"
    ]


def test_port_in_use(server: Server, running: RunningServer) -> None:
    with pytest.raises(OSError, match="in use"):
        server.serve(port=running.port)


def test_without_tornado(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tornado", None)
    with pytest.raises(ImportError, match=r"pip install 'osslcmp\[server\]'"):
        server.serve()


# -- any other WSGI server -----------------------------------------------------------------------------------


def call(app: Any, body: bytes, **environ: Any) -> tuple[str, bytes]:
    """Call a WSGI application the way the standard says, checked on both sides."""
    given: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/.well-known/cmp",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/pkixcmp",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    given |= environ
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        statuses.append(status)
        return lambda _: None

    parts = validator(app)({k: v for k, v in given.items() if v is not None}, start_response)
    try:
        return statuses[0], b"".join(parts)
    finally:
        parts.close()  # type: ignore[attr-defined]


def test_wsgi(server: Server) -> None:
    status, body = call(server.wsgi_app, Forger().request())
    assert (status, read(body).kind) == ("200 OK", BodyType.IP)
    assert call(server.wsgi_app, b"garbage")[0] == "400 Bad Request"
    assert call(server.wsgi_app, b"x", CONTENT_LENGTH="5")[0].startswith("400 ")
    assert call(server.wsgi_app, b"x", CONTENT_LENGTH=None)[0].startswith("411 ")
    assert call(server.wsgi_app, b"x", CONTENT_LENGTH="100000")[0].startswith("413 ")


def test_wsgi_absurd_length(server: Server) -> None:
    """More digits than int() takes: set behind the back of the validator, which does not take them either."""

    def app(environ: Any, start_response: Any) -> Any:
        return server.wsgi_app({**environ, "CONTENT_LENGTH": "9" * 5000}, start_response)

    assert call(app, b"x")[0].startswith("413 ")


def test_wsgi_survives(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: bytes, _place: object = None) -> bytes:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(server, "process", fail)
    status, body = call(server.wsgi_app, b"x")
    assert (status, body) == ("500 Internal Server Error", b"internal error\n")
    assert "hunter2" in caplog.text


def test_observer_that_fails(server: Server) -> None:
    """Its exception is logged; the answer goes out, and the other observers get it, too."""
    seen: list[Answered] = []

    def fail(_: Answered) -> None:
        raise RuntimeError("hunter2")

    with server.serve(observers=[fail, seen.append]) as running:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
        status, answer = post(connection, Forger().request())
        connection.close()
    assert status == 200
    assert [one.answer for one in seen] == [answer]
    assert seen[0].types == ("ir", "ip")
