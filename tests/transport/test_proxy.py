"""HTTP proxies: whole URLs for http, tunnels for https, and who decides about them."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.alarm import alarm
from support.https import Proxy, WebServer, has_ipv6, server_context
from support.pki import PKI, cert_pem, make_key
from support.raising import OwnError
from support.raw_server import free_port

import osslcmp
from osslcmp.cli import main
from osslcmp.context.proxies import bypasses
from osslcmp.server import EmbeddedCA
from osslcmp.transport import HTTPTransport
from osslcmp.transport.httpx import AsyncHttpxTransport, HttpxTransport
from osslcmp.transport.urllib3 import Urllib3Transport

KEY = make_key()
CREDENTIALS = base64.b64encode(b"me@home:p:%/w \xc3\xa4").decode()
USER = "me%40home:p%3A%25%2fw%20%C3%A4"


@pytest.fixture
def http() -> Iterator[WebServer]:
    with WebServer(EmbeddedCA({"ref": "secret"}).server()) as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        yield server


def client(url: str, pki: PKI, **options: Any) -> osslcmp.Client:
    tls = pki.root.certificate if url.lower().startswith("https") else None
    given = {"reference": "ref", "secret": "secret", "tls": tls, "message_timeout": 20, **options}
    return osslcmp.Client(url, **given)


def enroll(url: str, pki: PKI, **options: Any) -> None:
    assert client(url, pki, **options).ir(KEY, subject="CN=me").certificate


def refusal(url: str, pki: PKI, **options: Any) -> str:
    with pytest.raises(osslcmp.TransferError) as caught:
        enroll(url, pki, **options)
    return str(caught.value)


# -- the ways through --------------------------------------------------------------------------------------


def test_http(http: WebServer, proxy: Proxy, pki: PKI) -> None:
    """The whole URL in the request line; Host is the server's."""
    enroll(http.url("localhost", "/a/b?c=d"), pki, proxy=proxy.url(), keep_alive=False)
    assert proxy.requests == [f"POST http://localhost:{http.port}/a/b?c=d HTTP/1.0"] * 2
    assert f"Host: localhost:{http.port}" in proxy.headers[0]
    assert not any(header.startswith("Proxy-") for header in proxy.headers[0])
    assert http.connections == 2


def test_http_keeps_the_connection(http: WebServer, proxy: Proxy, pki: PKI) -> None:
    enroll(http.url(), pki, proxy=proxy.url())
    assert len(proxy.requests) == http.connections == 1
    assert len(http.requests) == 2


def test_https(https: WebServer, proxy: Proxy, pki: PKI) -> None:
    """A tunnel, in which the certificate must be the server's and all messages go."""
    enroll(https.url("localhost"), pki, proxy=proxy.url())
    assert proxy.requests == [f"CONNECT localhost:{https.port} HTTP/1.0"]
    assert proxy.headers == [[f"Host: localhost:{https.port}"]]
    assert https.names == ["localhost"]
    assert len(https.requests) == 2
    assert https.requests[0].startswith("POST /.well-known/cmp HTTP/1.0")
    tls = osslcmp.TLS(trusted=pki.root.certificate, host="other.example")
    assert "hostname mismatch" in refusal(https.url(), pki, proxy=proxy.url(), tls=tls)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_credentials(scheme: str, request: pytest.FixtureRequest, pki: PKI) -> None:
    """User and password of the URL, percent-decoded, for tunnels as for requests."""
    server: WebServer = request.getfixturevalue(scheme)
    with Proxy(credentials=CREDENTIALS) as proxy:
        enroll(server.url(), pki, proxy=proxy.url(USER), keep_alive=False)
        assert all(f"Proxy-Authorization: Basic {CREDENTIALS}" in headers for headers in proxy.headers)
        # They are not for the server.
        assert not any("Proxy-Authorization" in headers for headers in server.headers)
        for user in ("", "me", "me:wrong"):
            told = refusal(server.url(), pki, proxy=proxy.url(user))
            assert "HTTP status 407 Proxy Authentication Required" in told
            assert "wrong" not in told
    assert len(server.requests) == 2


def test_credentials_without_password(https: WebServer, pki: PKI) -> None:
    with Proxy(credentials=base64.b64encode(b"token").decode()) as proxy:
        enroll(https.url(), pki, proxy=proxy.url("token"))


def test_environment_and_credentials(https: WebServer, pki: PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(credentials=CREDENTIALS) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url(USER))
        enroll(https.url(), pki)
        assert len(proxy.requests) == 1


# -- who decides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_environment(
    name: str, http: WebServer, https: WebServer, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As OpenSSL reads it: each scheme has its variables, small letters win, there is no all_proxy."""
    monkeypatch.setenv(name, proxy.url())
    enroll(http.url(), pki)
    enroll(https.url(), pki)
    used = {line.split()[0] for line in proxy.requests}
    assert used == {"HTTP": {"POST"}, "HTTPS": {"CONNECT"}, "ALL": set()}[name.upper().partition("_")[0]]


def test_environment_small_letters_win(
    http: WebServer, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url())
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    enroll(http.url(), pki)
    assert len(proxy.requests) == 1


def test_argument_wins(http: WebServer, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    enroll(http.url(), pki, proxy=proxy.url())
    assert len(proxy.requests) == 1
    enroll(http.url(), pki, proxy="")
    assert len(proxy.requests) == 1
    assert "refused" in refusal(http.url(), pki)


@pytest.mark.parametrize(
    ("names", "applies"),
    [
        ("127.0.0.1", False),
        ("a.example,127.0.0.1", False),
        ("a.example 127.0.0.1 b.example", False),
        ("a.example, 127.0.0.1", False),
        ("", True),
        ("127.0.0", True),
        ("27.0.0.1", True),
        ("localhost", True),
        ("*", False),
        ("127.0.0.0/8", False),
        ("10.0.0.0/8", True),
    ],
)
def test_no_proxy(
    names: str, applies: bool, http: WebServer, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Separated by commas or space; argument or environment."""
    enroll(http.url(), pki, proxy=proxy.url(), no_proxy=names)
    assert bool(proxy.requests) == applies
    for variable in ("no_proxy", "NO_PROXY"):
        proxy.requests.clear()
        with monkeypatch.context() as environment:
            environment.setenv(variable, names)
            enroll(http.url(), pki, proxy=proxy.url())
            assert bool(proxy.requests) == applies
            # The argument wins over it.
            proxy.requests.clear()
            enroll(http.url(), pki, proxy=proxy.url(), no_proxy="")
            assert proxy.requests


@pytest.mark.parametrize(
    ("names", "host", "port", "bypassed"),
    [
        ("example.com", "example.com", 80, True),
        ("example.com", "cmp.example.com", 80, True),
        ("example.com", "badexample.com", 80, False),
        ("example.com", "example.com.evil", 80, False),
        (".example.com", "cmp.example.com", 80, True),
        (".example.com", "example.com", 80, True),
        ("*.example.com", "cmp.example.com", 80, True),
        ("*.example.com", "example.org", 80, False),
        ("EXAMPLE.com", "cmp.Example.COM", 80, True),
        ("example.com.", "example.com", 80, True),
        ("example.com", "example.com.", 80, True),
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        (".example.com:443", "cmp.example.com", 443, True),
        ("*", "anything", 80, True),
        ("localhost, *", "anything", 80, True),
        ("a,b c,example.com", "example.com", 80, True),
        (" ,, ", "example.com", 80, False),
        (".", "example.com", 80, False),
        ("com", "example.com", 80, True),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.1.2.3/8", "10.9.9.9", 80, True),
        ("10.0.0.0/33", "10.1.2.3", 80, False),
        ("10.0.0.0/8", "ten.example", 80, False),
        ("10.1.2.3:8080", "10.1.2.3", 8080, True),
        ("10.1.2.3:8080", "10.1.2.3", 80, False),
        ("2.3", "10.1.2.3", 80, False),
        (".2.3", "10.1.2.3", 80, False),
        ("::1", "[::1]", 80, True),
        ("[::1]", "::1", 80, True),
        ("0:0::1", "::1", 80, True),
        ("[::1]:8443", "::1", 8443, True),
        ("[::1]:8443", "::1", 80, False),
        ("fd00::/8", "fd12:3456::1", 80, True),
        ("[fd00::]/8", "fd12:3456::1", 80, True),
        ("fd00::/8", "10.1.2.3", 80, False),
        ("0.0.0.0/0", "::1", 80, False),
        ("::1/128", "[::1]", 80, True),
        ("[::1/128]", "::1", 80, True),
        ("::/0", "::1", 80, True),
        ("::/0", "127.0.0.1", 80, False),
        ("10.0.0.0/8:80", "10.1.2.3", 80, True),
        ("10.0.0.0/8:81", "10.1.2.3", 80, False),
        ("fd00::/129", "fd00::1", 80, False),
        ("::ffff:127.0.0.1", "127.0.0.1", 80, False),
        ("* , a", "anything", 80, True),
        ("a,\texample.com", "example.com", 80, True),
        (" example.com:80 ", "example.com", 80, True),
        ("127.*", "127.0.0.1", 80, False),
        ("http://example.com", "example.com", 80, False),
    ],
)
def test_no_proxy_table(names: str, host: str, port: int, bypassed: bool) -> None:
    """What curl and requests take: domains with all below, networks, ports, brackets, in any case."""
    assert bypasses(host, port, names) == bypassed


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize(
    "names", ["::1", "[::1]", "::1/128", "[::1]/128", "[::1]:{port}", " a ,[::1]", "::2", "[::1]:1"]
)
def test_no_proxy_of_ipv6(names: str, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for ``Client`` and the command, by option and by environment."""
    with WebServer(EmbeddedCA({"ref": "secret"}).server(), host="::1") as server:
        url, names = server.url("[::1]"), names.format(port=server.port)
        by_proxy = 2 if names in ("::2", "[::1]:1") else 0
        words = ["cmp", "-cmd", "genm", "-ref", "ref", "-secret", "pass:secret", "-server", url]
        enroll(url, pki, proxy=proxy.url(), no_proxy=names)
        assert main([*words, "-proxy", proxy.url(), "-no_proxy", names]) == 0
        assert len(proxy.requests) == by_proxy
        monkeypatch.setenv("http_proxy", proxy.url())
        monkeypatch.setenv("no_proxy", names)
        enroll(url, pki)
        assert main(words) == 0
        assert len(proxy.requests) == 2 * by_proxy


def test_no_proxy_with_a_port(https: WebServer, proxy: Proxy, pki: PKI) -> None:
    """Name and port."""
    enroll(https.url(), pki, proxy=proxy.url(), no_proxy=f"127.0.0.1:{https.port}")
    assert not proxy.requests


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@127.0.0.1:{}", "https://127.0.0.1:{}/x", "HTTPS://me:hunter2@127.0.0.1:{}"]
)
def test_https_to_the_proxy(
    url: str, https: WebServer, proxy: Proxy, pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused: it would not be encrypted, and the password sent in clear. In the environment as well."""
    url = url.format(proxy.port)
    with pytest.raises(ValueError, match="proxy: https:// is not supported") as caught:
        osslcmp.Client("http://127.0.0.1/", reference="a", secret="b", proxy=url)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match="proxy: https:// is not supported"):
        HTTPTransport("http://127.0.0.1/", proxy=url)
    monkeypatch.setenv("https_proxy", url)
    told = refusal(https.url(), pki)
    assert "proxy by https:// is not supported" in told
    assert "hunter2" not in told
    assert not proxy.requests


@pytest.mark.parametrize("kind", ["http", "https"])
@pytest.mark.parametrize("change", [str.upper, str.title])
def test_schemes_in_any_case(
    change: Callable[[str], str],
    kind: str,
    request: pytest.FixtureRequest,
    pki: PKI,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """RFC 3986, section 3.1, which OpenSSL's own client does not hold: of servers and proxies, with each transport, and of
    the command; in the environment, too. What follows the scheme stays as it is."""
    server: WebServer = request.getfixturevalue(kind)
    with Proxy(credentials=CREDENTIALS) as proxy:
        url, via = (
            f"{change(one.partition(':')[0])}:{one.partition(':')[2]}"
            for one in (server.url(path="/Path"), proxy.url(USER))
        )
        enroll(url, pki, proxy=via)
        anchors = ssl.create_default_context(cadata=cert_pem(pki.root.certificate).decode())
        with HttpxTransport(url, proxy=via, verify=anchors) as transport:
            osslcmp.Client(transport=transport, reference="ref", secret="secret").ca_certs()
        with Urllib3Transport(url, proxy=via, ssl_context=anchors) as transport:
            osslcmp.Client(transport=transport, reference="ref", secret="secret").ca_certs()
        words = ["cmp", "-cmd", "genm", "-ref", "ref", "-secret", "pass:secret", "-server", url]
        words += ["-tls_used", "-tls_trusted", str(pki.root.cert_file)] if kind == "https" else []
        assert main([*words, "-proxy", via]) == 0
        monkeypatch.setenv(f"{kind}_proxy", via)
        enroll(url, pki)
        assert main(words) == 0
        assert len(proxy.requests) == 6
    assert all("/Path" in line for line in server.requests)


def test_path_and_prefix_are_nothing(http: WebServer, proxy: Proxy, pki: PKI) -> None:
    """As OpenSSL reads it: the scheme is optional, and a path is ignored."""
    for form in (f"127.0.0.1:{proxy.port}", f"http://127.0.0.1:{proxy.port}/x?y#z"):
        enroll(http.url(), pki, proxy=form)
    assert len(proxy.requests) == 2


# -- proxies that fail -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_refused(scheme: str, request: pytest.FixtureRequest, pki: PKI) -> None:
    server: WebServer = request.getfixturevalue(scheme)
    port = free_port()
    told = refusal(server.url(), pki, proxy=f"http://user:hunter2@127.0.0.1:{port}")
    assert "Connection refused" in told
    assert f"127.0.0.1:{port}" in told
    assert "hunter2" not in told


ANSWERS = {
    "403": (b"HTTP/1.1 403 Forbidden by policy\r\n\r\n", "HTTP status 403 Forbidden by policy"),
    "502": (b"HTTP/1.0 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>", "502 Bad Gateway"),
    "no HTTP": (b"\x05\x00go away\r\n\r\n", "header parse error"),
    "nothing": (b"", "closed"),
    "half": (b"HTTP/1.1 200 Conn", "closed"),
    "endless": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000, "header"),
    "more than a header": (b"HTTP/1.1 200 OK\r\n\r\nHello", "connect failure"),
    "silly status": (b"HTTP/1.1 abc\r\n\r\n", "header parse error"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_bad_tunnel(answer: str, https: WebServer, pki: PKI) -> None:
    data, expected = ANSWERS[answer]
    with Proxy(answer=data) as proxy:
        told = refusal(https.url(), pki, proxy=proxy.url())
        assert expected in told
        assert f"proxy=127.0.0.1:{proxy.port}, server=127.0.0.1:{https.port}" in told
    assert https.connections == 0


def test_interim_answer(https: WebServer, pki: PKI) -> None:
    """1xx answers are passed over; what follows is looked at."""
    with Proxy(answer=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n") as proxy:
        assert "HTTP status 403 No" in refusal(https.url(), pki, proxy=proxy.url())


def test_silent_proxy(https: WebServer, pki: PKI) -> None:
    """A proxy that accepts and says nothing: the message timeout holds."""
    with Proxy(silent=True) as proxy:
        with pytest.raises(osslcmp.TransferTimeout) as caught:
            enroll(https.url(), pki, proxy=proxy.url(), message_timeout=1)
        assert f"proxy=127.0.0.1:{proxy.port}" in str(caught.value)


def test_silent_proxy_interrupted(https: WebServer, pki: PKI) -> None:
    """... and a signal handler that raises ends it."""
    with Proxy(silent=True) as proxy:
        cmp_client = client(https.url(), pki, proxy=proxy.url(), message_timeout=60)
        with pytest.raises(OwnError), alarm(0.3, error=OwnError):
            cmp_client.ir(KEY, subject="CN=me")


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hunter2@host:99999",
        "ftp://user:hunter2@host",
        "http://u:hunter2@[::1",
        "a:hunter2@b c",
        "http://user:a@hunter2@host",
        "http://user:1/hunter2@host",
        "user:1?hunter2@host:80",
        "a\nb",
        "a\0b",
    ],
)
def test_malformed(proxy: str) -> None:
    """Told at once, without the password."""
    with pytest.raises(ValueError, match=r"proxy|NUL") as caught:
        osslcmp.Client("http://127.0.0.1/", reference="a", secret="b", proxy=proxy)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("rest", ["a@hunter2@127.0.0.1:1", "1/hunter2@127.0.0.1:1", "1#hunter2@127.0.0.1"])
def test_password_that_is_not_encoded(rest: str, pki: PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment: no part of it is taken for the host, looked up and shown."""
    monkeypatch.setenv("http_proxy", f"http://user:{rest}")
    told = refusal("http://127.0.0.1:1/", pki)
    assert "the URL of the HTTP proxy is not valid" in told
    assert "hunter2" not in told


def by(transport: Any) -> None:
    with transport, osslcmp.Client(transport=transport, reference="ref", secret="secret") as cmp:
        assert cmp.ir(KEY, subject="CN=me")


async def by_async(transport: Any) -> None:
    async with transport, osslcmp.AsyncClient(transport=transport, reference="ref", secret="secret") as cmp:
        assert await cmp.ir(KEY, subject="CN=me")


#: Ask a server by a proxy, both as URLs, TLS by a context for Python.
TRANSPORTS: dict[str, Callable[[str, str, ssl.SSLContext], None]] = {
    "httpx": lambda url, proxy, tls: by(HttpxTransport(url, proxy=proxy, verify=tls)),
    "async httpx": lambda url, proxy, tls: asyncio.run(
        by_async(AsyncHttpxTransport(url, proxy=proxy, verify=tls))
    ),
    "urllib3": lambda url, proxy, tls: by(Urllib3Transport(url, proxy=proxy, ssl_context=tls)),
}


@pytest.mark.parametrize("end", ["", "/", "/x?y#z"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("transport", ["Client", *TRANSPORTS])
def test_the_same_by_every_transport(
    transport: str, scheme: str, end: str, request: pytest.FixtureRequest, pki: PKI
) -> None:
    """Forms of ``proxy=``; the password goes out as UTF-8."""
    server: WebServer = request.getfixturevalue(scheme)
    with Proxy(credentials=CREDENTIALS) as proxy:
        if transport == "Client":
            enroll(server.url(), pki, proxy=proxy.url(USER) + end)
        else:
            tls = ssl.create_default_context(cafile=str(pki.root.cert_file))
            TRANSPORTS[transport](server.url(), proxy.url(USER) + end, tls)
        begins = "POST http:" if scheme == "http" else "CONNECT"
        assert proxy.requests
        assert all(line.startswith(begins) for line in proxy.requests)


@pytest.mark.parametrize(
    "proxy", ["", "127.0.0.1:1", "ftp://u:hunter2@host", "http://u:hunter2@host:99999", "http://u:hunter2@:1"]
)
def test_malformed_for_urllib3(proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy: not of the form") as caught:
        Urllib3Transport("http://127.0.0.1/", proxy=proxy)
    assert "hunter2" not in str(caught.value)


def test_ipv6_names(pki: PKI) -> None:
    """The address stands in brackets in CONNECT, request line and Host."""
    with Proxy(answer=b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        refusal("https://[::1]:8443/", pki, proxy=proxy.url())
        refusal("http://[::1]:8080/x", pki, proxy=proxy.url())
        assert proxy.requests == ["CONNECT [::1]:8443 HTTP/1.0", "POST http://[::1]:8080/x HTTP/1.0"]
        assert [headers[0] for headers in proxy.headers] == ["Host: [::1]:8443", "Host: [::1]:8080"]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_ipv6_server(pki: PKI) -> None:
    """``no_proxy`` names the address without its brackets."""
    web = pki.issue("web6", pki.issuing, sans=[x509.IPAddress(ipaddress.ip_address("::1"))])
    ca = EmbeddedCA({"ref": "secret"}).server()
    with WebServer(ca, server_context(web), host="::1") as server, Proxy() as proxy:
        enroll(server.url("[::1]"), pki, proxy=proxy.url())
        assert len(proxy.requests) == 1
        enroll(server.url("[::1]"), pki, proxy=proxy.url(), no_proxy="a.example,::1")
        assert len(proxy.requests) == 1
        enroll(server.url("[::1]"), pki)
        assert server.connections == 3
        assert server.names == [None, None, None]
