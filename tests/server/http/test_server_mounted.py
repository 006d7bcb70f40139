"""``Server.wsgi_app`` and ``Server.asgi_app`` under other web servers, and mounted in applications of other frameworks."""

from __future__ import annotations

import asyncio
import http.client
import io
import socket
import threading
import time
import wsgiref.simple_server
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.validate import validator

import django
import django.conf
import flask
import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support import openssl_cmp
from support.forge import Forger, read
from support.pki import cert_pem, key_pem, make_key, make_name
from support.serving import get, load
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

import osslcmp
from osslcmp import BodyType
from osslcmp.server import EmbeddedCA, Server
from osslcmp.server.http import asgi
from osslcmp.server.http.app import Application
from osslcmp.server.http.asgi import ASGI
from osslcmp.server.http.workers import Workers

Start = Callable[[Any], AbstractContextManager[str]]
TYPE = {"Content-Type": "application/pkixcmp"}

urlpatterns = [path("hello", lambda _: HttpResponse("hello"))]


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


class _Threaded(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


@contextmanager
def under_wsgiref(app: Any) -> Iterator[str]:
    """The standard library's, which checks what the standard says."""
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, validator(app), _Threaded, _Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def under_uvicorn(app: Any) -> Iterator[str]:
    """An ASGI server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def under_werkzeug(app: Any) -> Iterator[str]:
    """Flask's own, which takes chunked bodies."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()


def in_flask(server: Server) -> Any:
    app = flask.Flask(__name__)
    app.add_url_rule("/hello", view_func=lambda: "hello")
    return DispatcherMiddleware(app.wsgi_app, {"/ca": server.wsgi_app})


def in_django_wsgi(server: Server) -> Any:
    return DispatcherMiddleware(_django(get_wsgi_application), {"/ca": server.wsgi_app})


def in_starlette(server: Server) -> Any:
    hello = Route("/hello", lambda _: PlainTextResponse("hello"))
    return Starlette(routes=[hello, Mount("/ca", app=server.asgi_app)])


def in_django_asgi(server: Server) -> Any:
    site = _django(get_asgi_application)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ours = scope["type"] == "lifespan" or scope["path"].startswith("/ca/")
        await (server.asgi_app if ours else site)(
            {**scope, "root_path": "/ca"} if ours else scope, receive, send
        )

    return app


def _django(make: Callable[[], Any]) -> Any:
    if not django.conf.settings.configured:
        django.conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
        django.setup()
    return make()


def alone(name: str) -> Callable[[Server], Any]:
    def make(server: Server) -> Any:
        return getattr(server, name)

    return make


@pytest.fixture(params=[(under_wsgiref, "wsgi_app"), (under_uvicorn, "asgi_app")], ids=["wsgiref", "uvicorn"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a server of one's own kind of application."""
    under, name = request.param
    servers: list[Server] = []

    @contextmanager
    def begin(server: Server) -> Iterator[str]:
        servers.append(server)
        with under(getattr(server, name)) as base:
            yield base

    yield begin
    for server in servers:
        server.close()


@pytest.mark.peer
def test_openssl_and_ours(start: Start, tmp_path: Path) -> None:
    """Both clients get on, with and without a connection that they ask to stay (uvicorn closes it)."""
    ca = EmbeddedCA({"ref": "secret"})
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))
    (tmp_path / "root.pem").write_bytes(cert_pem(ca.root))
    options: dict[str, Any] = {"ref": "ref", "secret": b"secret", "cwd": tmp_path, "msg_timeout": 20}
    with start(ca.server()) as base:
        url = f"{base}/.well-known/cmp/p/any/initialization"
        for keep in (0, 1):
            openssl_cmp.cmp(
                "ir", url, newkey="key.pem", subject="/CN=x", certout="new.pem", keep_alive=keep, **options
            ).must()
            mine = osslcmp.Client(
                url, reference="ref", secret="secret", keep_alive=bool(keep), message_timeout=20
            )
            assert mine.ir(make_key(), subject=make_name("y")).certificate
        with pytest.raises(osslcmp.RejectedError):
            mine.cr(make_key(), subject=make_name("y"))  # not what the path names
        record = ca.record(load(tmp_path / "new.pem"))
        assert record is not None
        assert record.confirmed


def test_downloads(start: Start, tmp_path: Path) -> None:
    """A persistent CA offers them under any server."""
    ca = EmbeddedCA.open(tmp_path / "ca")
    try:
        with start(ca.server()) as base:
            assert get(f"{base}/root.pem") == (tmp_path / "ca/root.pem").read_bytes()
            assert get(f"{base}/crl")
    finally:
        ca.close()


@pytest.mark.parametrize(
    ("under", "mount"),
    [
        (under_wsgiref, in_flask),
        (under_wsgiref, in_django_wsgi),
        (under_uvicorn, in_starlette),
        (under_uvicorn, in_django_asgi),
    ],
    ids=lambda value: value.__name__,
)
def test_mounted(under: Start, mount: Callable[[Server], Any]) -> None:
    """Below a path of a larger application: what the server sees is what comes after it."""
    server = EmbeddedCA({"ref": "secret"}).server()
    options: dict[str, Any] = {
        "reference": "ref",
        "secret": "secret",
        "message_timeout": 20,
        "keep_alive": False,
    }
    with under(mount(server)) as base:
        assert get(f"{base}/hello") == b"hello"
        mine = osslcmp.Client(f"{base}/ca/.well-known/cmp/initialization", **options)
        assert mine.ir(make_key(), subject=make_name("y")).certificate
        with pytest.raises(osslcmp.RejectedError):
            mine.cr(make_key(), subject=make_name("y"))
        for wrong in ("/cmp", "/ca/.well-known/cmp/nothing"):
            elsewhere = osslcmp.Client(f"{base}{wrong}", **options)
            with pytest.raises(osslcmp.TransferError, match="404"):
                elsewhere.ir(make_key(), subject=make_name("y"))
    server.close()


_POST = b"POST /ca/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
HOSTILE = [
    _POST + b"Content-Length: 10000000\r\n\r\n" + bytes(10_000_000),
    _POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    _POST + b"Content-Length: -1\r\n\r\n",
    _POST + b"Content-Length: 100\r\n\r\nshort",
    _POST + b"Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n",
    *(_CHUNKED + chunk + b"\r\nabc" for chunk in (b"zz", b"-5", b"f" * 100, b"f" * 15, b"50", b"")),
    _CHUNKED + b"1\r\nx\r\n" * 20_000,
    _POST.replace(b"pkixcmp", b"\xff") + b"Content-Length: 3\r\n\r\nabc",
    *(
        _POST.replace(b"/ca/x", path) + b"Content-Length: 3\r\n\r\nabc"
        for path in (
            b"/ca/%00%ff..%2f",
            b"/ca/\xff",
            b"/ca/.well-known/cmp/p/%ED%A0%80",
            b"/ca/" + b"a/" * 9_000,
        )
    ),
    _POST.replace(b"POST", b"BREW") + b"Content-Length: 3\r\n\r\nabc",
]


@pytest.mark.parametrize(
    ("under", "mount"),
    [
        (under_werkzeug, in_flask),
        (under_werkzeug, in_django_wsgi),
        (under_uvicorn, in_starlette),
        (under_uvicorn, in_django_asgi),
    ],
    ids=lambda value: value.__name__,
)
def test_hostile_requests(
    under: Start, mount: Callable[[Server], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """All at once: each is refused or cut off, nothing is logged as an error, and the next client is served."""
    server = EmbeddedCA({"ref": "secret"}).server()

    def send(request: bytes, answers: list[bytes]) -> None:
        with socket.create_connection(address, timeout=20) as connection, suppress(ConnectionError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answers.append(piece)

    with under(mount(server)) as base, caplog.at_level("ERROR"):
        address = ("127.0.0.1", int(base.rpartition(":")[2]))
        answers: list[list[bytes]] = [[] for _ in HOSTILE]
        threads = [threading.Thread(target=send, args=pair) for pair in zip(HOSTILE, answers, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client = osslcmp.Client(
            f"{base}/ca/x", reference="ref", secret="secret", message_timeout=20, keep_alive=False
        )
        assert client.ir(make_key(), subject=make_name("y")).certificate
    server.close()
    assert not any(b" 200 " in b"".join(answer) or b" 500 " in b"".join(answer) for answer in answers)
    assert [record.getMessage() for record in caplog.records] == []


class _CutOff(io.RawIOBase):
    """As Werkzeug reads a chunk that is cut off: it puts less into the buffer than it says, which shrinks a bytearray."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        buffer[:size] = b"abc"
        return size


def test_nothing_behind_the_body_is_read(cmp: Server) -> None:
    """It was another's data, or the end of the process."""
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/pkixcmp",
        "wsgi.input": _CutOff(),
        "wsgi.input_terminated": True,
    }

    def start_response(status: str, *_: Any) -> Any:
        statuses.append(status)

    (answer,) = cmp.wsgi_app(environ, start_response)
    cmp.close()
    assert statuses == ["400 Bad Request"]
    assert b"the body cannot be read" in answer


def test_websockets_are_refused(cmp: Server) -> None:
    assert ask(cmp, {"type": "websocket.connect"}, type="websocket") == [{"type": "websocket.close"}]
    cmp.close()


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "status"),
    [
        ("POST", "/", "Application/PKIXCMP; x=y", None, 200),
        ("POST", "//x", "application/pkixcmp", None, 200),
        ("GET", "/", "", b"", 405),
        ("HEAD", "/", "", b"", 405),
        ("PUT", "/", "application/pkixcmp", b"x", 405),
        ("POST", "/", "text/plain", b"x", 415),
        ("POST", "/.well-known/cmp/none", "application/pkixcmp", b"x", 404),
        ("POST", "/", "application/pkixcmp", b"garbage", 400),
        ("POST", "/", "application/pkixcmp", b"", 400),
        ("POST", "/", "application/pkixcmp", bytes(10_001), 413),
        ("POST", "/", "application/pkixcmp", [b"x" * 6_000] * 3, 413),
    ],
)
@pytest.mark.parametrize("under", ["serve", "wsgiref", "uvicorn"])
def test_the_same_everywhere(under: str, method: str, path: str, kind: str, body: Any, status: int) -> None:
    """Our own server, WSGI and ASGI answer the same."""
    server = EmbeddedCA({"ref": "secret"}).server(max_message_size=10_000)
    if under == "wsgiref" and isinstance(body, list):
        pytest.skip("wsgiref takes no chunked bodies")
    with _base(under, server) as base:
        connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=20)
        headers = {"Content-Type": kind} if kind else {}
        message = Forger().request() if body is None else body
        connection.request(method, path, iter(message) if isinstance(message, list) else message, headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
    server.close()
    assert answer.status == status
    if status == 200:
        assert read(told).kind == BodyType.IP
    else:
        assert len(told) < 200
        assert bool(told) == (method != "HEAD")
    assert status != 405 or answer.getheader("Allow") == "POST"


@contextmanager
def _base(under: str, server: Server) -> Iterator[str]:
    if under == "serve":
        with server.serve() as running:
            yield running.url.removesuffix("/.well-known/cmp")
        return
    app = server.wsgi_app if under == "wsgiref" else server.asgi_app
    with (under_wsgiref if under == "wsgiref" else under_uvicorn)(app) as base:
        yield base


# -- ASGI, event by event --------------------------------------------------------------------------------------


def ask(app: Server | ASGI, *events: dict[str, Any], last: Any = None, **scope: Any) -> list[dict[str, Any]]:
    """Call the application as an ASGI server does; what it sends. After the events nothing more comes."""
    sent: list[dict[str, Any]] = []
    waiting = list(events)

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        if last is not None:
            return await last()  # type: ignore[no-any-return]
        return await asyncio.Future[dict[str, Any]]()

    async def send(event: Any) -> None:
        sent.append(event)

    given = {
        "type": "http",
        "method": "POST",
        "path": "/.well-known/cmp",
        "headers": [(b"content-type", b"application/pkixcmp")],
        "client": ("192.0.2.1", 1),
    }
    asyncio.run((app if isinstance(app, ASGI) else app.asgi_app)({**given, **scope}, receive, send))
    return sent


def body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_asgi(cmp: Server) -> None:
    message = Forger().request()
    begun, answer = ask(cmp, body(message[:10], more=True), body(message[10:]))
    assert begun["status"] == 200
    assert dict(begun["headers"])[b"content-type"] == b"application/pkixcmp"
    assert read(answer["body"]).kind == BodyType.IP
    cmp.close()


def test_asgi_client_that_goes_away() -> None:
    """Before its message is there, and while it is worked on."""
    go_on = threading.Event()
    app = ASGI(Application(lambda *_: go_on.wait(20) and b"", 1000), threads=1)  # type: ignore[arg-type]
    assert ask(app, body(b"x", more=True), {"type": "http.disconnect"}) == []
    assert ask(app, body(b"x"), {"type": "http.disconnect"}) == []
    go_on.set()
    app.close()


def test_asgi_slow_body() -> None:
    app = ASGI(Application(lambda *_: b"", 1000), request_time=0.05)
    assert ask(app, body(b"x", more=True))[0]["status"] == 408
    app.close()


def test_asgi_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait for a thread are bounded: the next is refused."""
    go_on = threading.Event()
    monkeypatch.setattr(asgi, "Workers", partial(Workers, waiting=1))
    app = ASGI(Application(lambda *_: go_on.wait(20) and b"", 1000), threads=1)  # type: ignore[arg-type]
    statuses: list[int] = []

    async def flood() -> None:
        async def one() -> None:
            async def receive() -> Any:
                return body(b"x") if not received else await asyncio.Future[Any]()

            received: list[int] = []

            async def once() -> Any:
                event = await receive()
                received.append(1)
                return event

            async def send(event: Any) -> None:
                if "status" in event:
                    statuses.append(event["status"])

            headers = [(b"content-type", b"application/pkixcmp")]
            await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, once, send)

        tasks = [asyncio.ensure_future(one()) for _ in range(5)]
        while len(statuses) < 3:
            await asyncio.sleep(0.01)
        go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(flood())
    assert statuses == [503, 503, 503, 200, 200]
    app.close()
