"""Transports over httpx and urllib3: what they can do beyond OpenSSL's HTTP client."""

from __future__ import annotations

import asyncio
import base64
import errno
import gzip
import socket
import ssl
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import urllib3
from support.forge import Forger, read
from support.https import Proxy, WebServer, server_context
from support.pki import PKI, make_key
from support.raw_server import RawServer, free_port, hang, reset, response, say, trickle

import osslcmp
from osslcmp.server import Server
from osslcmp.transport import AsyncHttpxTransport, HttpxTransport, Urllib3Transport

KEY = make_key()
Make = Callable[..., Any]


class _Awaited:
    """The asynchronous one, called like the others."""

    def __init__(self, url: str, **options: Any) -> None:
        self._url = url
        self._options = options
        self._run(b"", only_make=True)

    def _run(self, request: bytes, *, only_make: bool = False) -> bytes:
        async def once() -> bytes:
            async with AsyncHttpxTransport(self._url, **self._options) as transport:
                return b"" if only_make else await transport(request)

        return asyncio.run(once())

    def __call__(self, request: bytes) -> bytes:
        return self._run(request)

    def __enter__(self) -> _Awaited:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(params=[HttpxTransport, Urllib3Transport, _Awaited], ids=["httpx", "urllib3", "async httpx"])
def make(request: pytest.FixtureRequest) -> Make:
    found: Make = request.param
    return found


@pytest.fixture
def web(cmp: Server) -> Iterator[WebServer]:
    with WebServer(cmp) as server:
        yield server


def enroll(transport: Any) -> None:
    cmp_client = osslcmp.Client(transport=transport, reference="ref", secret="secret")
    assert cmp_client.ir(KEY, subject="CN=me").certificate


def refusal(transport: Any) -> str:
    with pytest.raises(osslcmp.TransferError) as caught:
        osslcmp.Client(transport=transport, reference="ref", secret="secret").ir(KEY, subject="CN=me")
    return str(caught.value)


def test_enrol(make: Make, web: WebServer) -> None:
    with make(web.url()) as transport:
        enroll(transport)
    assert [line.split() for line in web.requests] == [["POST", "/.well-known/cmp", "HTTP/1.1"]] * 2
    assert web.headers[0]["Content-Type"] == "application/pkixcmp"
    if make is not _Awaited:
        assert web.connections == 1


def test_https(make: Make, cmp: Server, pki: PKI) -> None:
    """TLS is that of Python, with a context of Python."""
    from cryptography import x509

    web = pki.issue("web", pki.issuing, sans=[x509.DNSName("localhost")])
    with WebServer(cmp, server_context(web)) as server:
        good, bad = (ssl.create_default_context(cafile=who.cert_file) for who in (pki.root, pki.other_root))
        name = "ssl_context" if make is Urllib3Transport else "verify"
        with make(server.url("localhost"), **{name: good}) as transport:
            enroll(transport)
        with make(server.url("localhost"), **{name: bad}) as transport:
            assert "certificate" in refusal(transport).lower()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunked(size: int, make: Make, cmp: Server) -> None:
    def handler(connection: socket.socket, request: bytes) -> None:
        der = cmp.process(request.partition(b"\r\n\r\n")[2])
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        for start in range(0, len(der), size):
            part = der[start : start + size]
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    with RawServer(handler) as server, make(server.url) as transport:
        enroll(transport)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_cmp_error_with_a_status(status: int, make: Make, web: WebServer) -> None:
    """RFC 9811: an error message comes with such a status, and is what counts."""
    web.status = status
    with make(web.url()) as transport:
        enroll(transport)
        with pytest.raises(osslcmp.RejectedError):
            osslcmp.Client(transport=transport, reference="x", secret="x", unprotected_errors=True).ir(
                KEY, subject="CN=me"
            )


NO_CMP = {
    "HTML 503": (
        response(b"<html>", status="503 Busy", content_type="text/html"),
        "503 Busy, content type text/html",
    ),
    "HTML 200": (response(b"<html>", content_type="text/html"), "200 OK, content type text/html"),
    "no type": (response(b"", status="500 Oops", content_type=None), "500 Oops, content type missing"),
    "redirect": (
        response(b"", status="302 Found", content_type="text/html", headers="Location: http://x/y\r\n"),
        "302 Found, content type text/html, location http://x/y",
    ),
    "redirect with CMP": (response(b"\x30\x00", status="301 Moved"), "301 Moved"),
    "empty": (response(b""), "the response is empty"),
    "cut": (response(b"\x30\x00", length=100), ""),
    "too long": (response(bytes(200_000)), "longer than 102400 octets"),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("answer", NO_CMP)
def test_no_cmp(answer: str, make: Make) -> None:
    data, told = NO_CMP[answer]
    with RawServer(say(data)) as server, make(server.url) as transport:
        text = refusal(transport)
        assert told in text
        assert f"http://127.0.0.1:{server.port}/pkix/" in text


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://xn--:1/", "http://127.0.0\u3002x:1/"])
@pytest.mark.parametrize("status", ["301 Moved", "307 Moved"])
def test_redirects_that_make_no_sense(location: str, status: str, make: Make) -> None:
    """Are no answer, whatever the library makes of them."""
    data = response(b"", status=status, headers=f"Location: {location}\r\n")
    for redirects in (0, 3):
        with RawServer(say(data)) as server, make(server.url, redirects=redirects) as transport:
            assert f"http://127.0.0.1:{server.port}/pkix/" in refusal(transport)


def squeezed(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return response(body, headers=f"Content-Encoding: {', '.join(['gzip'] * times)}\r\n")


@pytest.mark.parametrize(
    ("times", "told"), [(1, "longer than 102400 octets"), (2, "Content-Encoding gzip, gzip")]
)
def test_an_answer_that_swells_takes_no_memory(times: int, told: str, make: Make) -> None:
    """It is inflated in pieces, and not more than once: else a few kilobytes would be gigabytes."""
    data = squeezed(bytes(100 << 20), times)
    tracemalloc.start()
    try:
        with RawServer(say(data)) as server, make(server.url) as transport:
            tracemalloc.reset_peak()
            assert told in refusal(transport)
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_what_is_no_gzip(make: Make) -> None:
    """Though the header says so."""
    data = response(b"\x30\x00", headers="Content-Encoding: gzip\r\n")
    with RawServer(say(data)) as server, make(server.url) as transport:
        assert "incorrect header check" in refusal(transport)


def test_limit(make: Make, web: WebServer) -> None:
    with make(web.url(), max_response_length=100) as transport:
        assert "longer than 100 octets" in refusal(transport)


def test_unreachable(make: Make) -> None:
    with make(f"http://127.0.0.1:{free_port()}/") as transport:
        assert f"[Errno {errno.ECONNREFUSED}]" in refusal(transport)
    with make("http://nobody.invalid/") as transport:
        assert "nobody.invalid" in refusal(transport)
    with RawServer(reset) as server, make(server.url) as transport:
        refusal(transport)


def test_silence(make: Make) -> None:
    late = pytest.raises(osslcmp.TransferTimeout, match=r"within 0\.3 seconds")
    with RawServer(hang) as server, make(server.url, timeout=0.3) as transport, late:
        transport(Forger().request())


def test_trickle(make: Make) -> None:
    """Single octets do not stretch the timeout once the body has begun."""
    slow = trickle(response(bytes(1000))[-1000:], 0.02)

    def handler(connection: socket.socket, request: bytes) -> None:
        connection.sendall(response(bytes(1000))[:-1000])
        slow(connection, request)

    with RawServer(handler) as server, make(server.url, timeout=0.5) as transport:
        started = time.monotonic()
        with pytest.raises(osslcmp.TransferTimeout):
            transport(Forger().request())
        assert time.monotonic() - started < 15


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy(scheme: str, make: Make, cmp: Server, pki: PKI) -> None:
    """With user and password, by request and by tunnel."""
    from cryptography import x509

    options: dict[str, Any] = {}
    tls = None
    if scheme == "https":
        tls = server_context(pki.issue("web", pki.issuing, sans=[x509.DNSName("localhost")]))
        trusted = ssl.create_default_context(cafile=pki.root.cert_file)
        options["ssl_context" if make is Urllib3Transport else "verify"] = trusted
    credentials = base64.b64encode(b"me@home:p w").decode()
    with WebServer(cmp, tls) as server, Proxy(credentials=credentials) as proxy:
        with make(server.url("localhost"), proxy=proxy.url("me%40home:p%20w"), **options) as transport:
            enroll(transport)
        assert {line.split()[0] for line in proxy.requests} == {"POST" if scheme == "http" else "CONNECT"}
        with make(server.url("localhost"), proxy=proxy.url("me:wrong"), **options) as transport:
            told = refusal(transport)
            assert "407" in told
            assert "wrong" not in told


def test_https_to_the_proxy(make: Make, web: WebServer) -> None:
    """These libraries speak TLS to such a proxy: it gets a ClientHello, and no password before it has been verified."""
    seen: list[bytes] = []

    def handler(connection: socket.socket, _request: bytes) -> None:
        seen.append(connection.recv(65536))

    with (
        RawServer(handler, read=False) as proxy,
        make(web.url(), proxy=f"https://me:hunter2@127.0.0.1:{proxy.port}") as transport,
    ):
        refusal(transport)
    assert seen
    assert all(data[0] == 0x16 and b"hunter2" not in data for data in seen)


def test_own_client(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own client or pool brings its settings, and stays open."""
    with httpx.Client(headers={"X-Mine": "yes"}) as mine:
        with HttpxTransport(web.url(), client=mine) as transport:
            enroll(transport)
        assert not mine.is_closed
        with pytest.raises(TypeError, match="verify"):
            HttpxTransport(web.url(), client=mine, verify=False)
    pool = urllib3.PoolManager(headers={"X-Mine": "yes"})
    with Urllib3Transport(web.url(), pool=pool) as other:
        enroll(other)
    assert web.headers[0]["X-Mine"] == "yes"
    with pytest.raises(TypeError, match="proxy"):
        Urllib3Transport(web.url(), pool=pool, proxy="http://127.0.0.1:1")
    with pytest.raises(TypeError, match="num_pools"):
        Urllib3Transport(web.url(), pool=pool, num_pools=5)
    pool.clear()

    async def both() -> None:
        async with httpx.AsyncClient() as theirs:
            async with AsyncHttpxTransport(web.url(), client=theirs) as transport:
                assert await transport(Forger().request())
            assert not theirs.is_closed
            with pytest.raises(TypeError, match="verify"):
                AsyncHttpxTransport(web.url(), client=theirs, verify=False)

    asyncio.run(both())


def test_threads(web: WebServer) -> None:
    for transport in (HttpxTransport(web.url()), Urllib3Transport(web.url(), maxsize=8)):
        with transport, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(transport, [Forger().request() for _ in range(40)]))
        assert {read(answer).kind for answer in answers} == {osslcmp.BodyType.IP}


def test_many_at_once(web: WebServer) -> None:
    async def run() -> None:
        async with AsyncHttpxTransport(web.url()) as transport:
            answers = await asyncio.gather(*(transport(Forger().request()) for _ in range(50)))
            assert {read(answer).kind for answer in answers} == {osslcmp.BodyType.IP}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "module"),
    [(HttpxTransport, "httpx"), (AsyncHttpxTransport, "httpx"), (Urllib3Transport, "urllib3")],
)
def test_not_installed(kind: Make, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'osslcmp\[{module}\]'"):
        kind("http://127.0.0.1/")


@pytest.mark.parametrize("kind", [HttpxTransport, AsyncHttpxTransport, Urllib3Transport])
def test_arguments(kind: Make) -> None:
    for url in ("127.0.0.1", "ftp://x/", "http://user:hunter2@host/", ""):
        with pytest.raises(ValueError, match="url"):
            kind(url)
    for timeout in (0, -1):
        with pytest.raises(ValueError, match="timeout"):
            kind("http://127.0.0.1/", timeout=timeout)
    with pytest.raises(ValueError, match="proxy") as caught:
        Urllib3Transport("http://127.0.0.1/", proxy="me:hunter2@nowhere")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1/x" in repr(kind("http://127.0.0.1/x?secret=y"))
    assert "secret" not in repr(kind("http://127.0.0.1/x?secret=y"))


def test_files_of_tls(tmp_path: Path, pki: PKI) -> None:
    """Read when the transport is made, like the names of its options, and not at the first request."""
    (tmp_path / "garbage").write_text("garbage")
    certificate, key = str(pki.client.cert_file), str(pki.client.key_file)
    for options, told in (
        ({"ca_certs": str(tmp_path / "nowhere")}, "ca_certs: No such file"),
        ({"ca_certs": str(tmp_path / "garbage")}, "ca_certs: "),
        ({"cert_file": str(tmp_path / "nowhere")}, "cert_file: No such file"),
        ({"cert_file": certificate}, "cert_file: "),
        ({"cert_file": certificate, "key_file": str(pki.server.key_file)}, "cert_file: .*(?i:mismatch)"),
        ({"nonsense": 1}, "nonsense"),
    ):
        with pytest.raises((OSError, TypeError), match=told):
            Urllib3Transport("https://127.0.0.1/", **options)
    given: dict[str, Any] = {"ca_certs": str(pki.root.cert_file), "cert_file": certificate, "key_file": key}
    Urllib3Transport("https://127.0.0.1/", **given).close()


def test_its_own_time_is_told() -> None:
    """That of the transport, not of the client around it."""

    async def ask(url: str) -> None:
        async with (
            AsyncHttpxTransport(url, timeout=0.5) as transport,
            osslcmp.AsyncClient(transport=transport, reference="ref", secret="secret") as client,
        ):
            await client.genm()

    with RawServer(hang) as server, pytest.raises(osslcmp.TransferTimeout, match=r"within 0\.5 seconds"):
        asyncio.run(ask(server.url))
