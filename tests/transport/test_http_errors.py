"""What came by HTTP instead of a CMP message: its status and its body are on the exception, whoever carries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.clients import secret_context
from support.enrol import KEY, client
from support.https import Proxy, WebServer
from support.pki import PKI
from support.raw_server import RawServer, free_port, hang, response, say, trickle

import osslcmp
from osslcmp.transport import AsyncHttpxTransport, HTTPTransport, HttpxTransport, Urllib3Transport

SECRETS: dict[str, Any] = {"reference": "ref", "secret": "secret"}
Ask = Callable[[str], Any]


def by(transport: Any) -> Any:
    return osslcmp.Client(transport=transport, **SECRETS).ir(KEY, subject="CN=me")


def awaited(url: str) -> Any:
    async def run() -> Any:
        async with (
            AsyncHttpxTransport(url) as transport,
            osslcmp.AsyncClient(transport=transport, **SECRETS) as cmp,
        ):
            return await cmp.ir(KEY, subject="CN=me")

    return asyncio.run(run())


def in_asyncio(url: str) -> Any:
    async def run() -> Any:
        async with osslcmp.AsyncClient(url, **SECRETS) as cmp:
            return await cmp.ir(KEY, subject="CN=me")

    return asyncio.run(run())


WAYS: dict[str, Ask] = {
    "Client": lambda url: client(url).ir(KEY, subject="CN=me"),
    "general message": lambda url: client(url).genm(),
    "AsyncClient": in_asyncio,
    "HTTPTransport": lambda url: by(HTTPTransport(url)),
    "httpx": lambda url: by(HttpxTransport(url)),
    "urllib3": lambda url: by(Urllib3Transport(url)),
    "async httpx": awaited,
}


def failure(ask: Ask, url: str) -> osslcmp.TransferError:
    with pytest.raises(osslcmp.TransferError) as caught:
        ask(url)
    return caught.value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "kind", "body", "words"),
    [
        ("503 Busy", "text/plain", b"try at\n noon\x1b", " (it says: try at noon\\x1b)"),
        ("200 OK", "text/html", b"<html>log in</html>", ""),
        ("429 Slow", None, b"", ""),
        ("400 No", "application/json", '{"why": "\u00e4"}'.encode(), ' (it says: {"why": "\u00e4"})'),
        ("500 No", "image/png", bytes(range(256)), ""),
        ("404 Not Found", "text/plain", b"y" * 100_000, "y" * 100),
    ],
    ids=["text", "HTML", "nothing", "JSON", "binary", "long"],
)
def test_status_and_body(status: str, kind: str | None, body: bytes, words: str, way: str) -> None:
    """The number, the first 16 KiB, and in the text what people can read."""
    for length in (None, -1):
        with RawServer(say(response(body, status=status, content_type=kind, length=length))) as server:
            error = failure(WAYS[way], server.url)
        assert error.http_status == int(status[:3])
        assert error.body == body[: 16 * 1024]
        assert words in str(error)
        assert f"HTTP status {status}" in str(error)
        assert ("it says" in str(error)) is bool(words)


_NGINX = b"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"
_APACHE = (
    b"<title>400 Bad Request</title><p>Reason: You're speaking plain HTTP to an SSL-enabled server port."
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answer", "words", "hint"),
    [
        (bytes.fromhex("15030300020228"), "", "https"),
        (
            response(_NGINX, status="400 Bad Request", content_type="text/html"),
            "sent to HTTPS port)",
            "https",
        ),
        (response(_APACHE, status="400 Bad Request", content_type="text/html"), "400 Bad Request)", "https"),
        (response(b"0\x82\1\0abc", length=260), "", "hung up"),
        (
            response(b"1", headers="Content-Encoding: br\r\n"),
            "Content-Encoding br",
            "No client here reads that coding",
        ),
        (response(b"0\3\2\1\5", content_type="x/y"), "content type x/y", "no CMP server"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI", "no CMP server"),
    ],
    ids=["alert", "nginx", "Apache", "half", "br", "DER", "HTTP/2"],
)
def test_hints(answer: bytes, words: str, hint: str, way: str) -> None:
    """What to do is said of each transport; of what it says itself, no octets that are no text, and one full stop."""
    with RawServer(say(answer)) as server:
        error = failure(WAYS[way], server.url)
    assert words in str(error)
    assert hint in error.hint
    assert ".." not in str(error)
    assert "\\x05" not in str(error)


# Of httpx and urllib3 libcrypto finds out: they have done all they had to.
@pytest.mark.parametrize("way", [way for way in WAYS if "httpx" not in way and "urllib3" not in way])
def test_called_cmp(way: str) -> None:
    """What only says that it is CMP."""
    with RawServer(say(response(b"not CMP", status="502 Bad"))) as server:
        error = failure(WAYS[way], server.url)
    assert (error.http_status, error.body) == (502, b"not CMP")


@pytest.mark.parametrize("way", WAYS)
def test_none(way: str) -> None:
    """Where nobody answers, there is neither."""
    error = failure(WAYS[way], f"http://127.0.0.1:{free_port()}/")
    assert (error.http_status, error.body) == (None, b"")


def test_of_this_message_alone() -> None:
    """An exception has no status of an earlier message on the same context."""
    context = secret_context()
    context.set_server("127.0.0.1")
    with RawServer(say(response(b"no", status="500 x", content_type="text/plain"))) as server:
        context.set_server_port(server.port)
        with pytest.raises(osslcmp.TransferError) as caught:
            context.exec_genm_ses()
        assert caught.value.http_status == 500
    context.reinit()
    with pytest.raises(osslcmp.TransferError) as caught:
        context.exec_genm_ses()
    assert caught.value.http_status is None


def test_body_that_does_not_end() -> None:
    """It is not waited for: what has come within two seconds is there."""

    def handler(connection: Any, request: bytes) -> None:
        connection.sendall(response(b"soon", status="500 x", content_type="text/plain", length=1000))
        hang(connection, request)

    with RawServer(handler) as server:
        error = failure(WAYS["Client"], server.url)
    assert (error.http_status, error.body) == (500, b"soon")


@pytest.mark.parametrize("way", ["httpx", "urllib3"])
def test_time_is_over_within_the_body(way: str) -> None:
    """The status has come: that is told, not that time was over."""
    kind = HttpxTransport if way == "httpx" else Urllib3Transport
    with RawServer(trickle(response(b"x" * 1000, status="500 x", content_type="text/plain"), 0.01)) as server:
        error = failure(lambda url: by(kind(url, timeout=2)), server.url)
    assert error.http_status == 500


def test_proxy(https: WebServer, pki: PKI) -> None:
    """A proxy that makes no tunnel has a status and a body, too."""
    answer = b"HTTP/1.1 407 Who?\r\nContent-Type: text/plain\r\n\r\nsay who you are"
    with Proxy(answer=answer) as proxy, pytest.raises(osslcmp.TransferError) as caught:
        client(https.url(), tls=pki.root.certificate, proxy=proxy.url()).genm()
    assert (caught.value.http_status, caught.value.body) == (407, b"say who you are")
    assert "it says: say who you are" in str(caught.value)
