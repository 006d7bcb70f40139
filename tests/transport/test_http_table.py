"""docs/http.md: each row of its table is made with real servers and held against what each transport does."""

from __future__ import annotations

import asyncio
import base64
import codecs
import gzip
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.enrol import KEY, LOCAL
from support.https import WebServer
from support.pki import PKI, Identity, make_name
from support.raw_server import RawServer, Recording, free_port, read_request, response
from support.serving import Served
from support.webservers import apache, needs_both, nginx, ports

import osslcmp
from osslcmp.server import EmbeddedCA
from osslcmp.transport import AsyncHttpxTransport, HttpxTransport, Urllib3Transport

pytest.importorskip("httpx", reason="httpx comes with the extra test")
pytestmark = needs_both

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
COLUMNS = ("Client(url)", "HttpxTransport", "Urllib3Transport")
MAC: dict[str, Any] = {"reference": "ref", "secret": "secret", "message_timeout": 30}


def rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows of the table: what is so, and what each transport does then."""
    for line in PAGE.splitlines():
        cells = tuple(cell.strip() for cell in line.strip("| ").split(" | "))
        if line.startswith("| ") and len(cells) == 1 + len(COLUMNS) and not cells[0].startswith("situation"):
            yield cells[0], cells[1:]


ROWS = dict(rows())


@dataclass
class Place:
    """Where to ask, and by which further arguments of which transport."""

    url: str
    client: dict[str, Any] = field(default_factory=dict)
    httpx: dict[str, Any] = field(default_factory=dict)
    urllib3: dict[str, Any] = field(default_factory=dict)


class Field:
    """All the servers: ``osslcmp serve`` behind nginx and Apache httpd, and some that are none of these."""

    def __init__(self, folder: Path, pki: PKI, stack: ExitStack) -> None:
        self.folder = folder
        self.web: Identity = pki.issue("http-web", pki.issuing, subject=make_name("web"), sans=LOCAL)
        self.me, self.root = pki.client, pki.root
        self.for_a_test = ExitStack()
        (folder / "secret").write_text("secret")
        self.backend = Served(
            *("--port", "0", "--directory", folder / "ca", "--reference", "ref"),
            *("--secret-file", folder / "secret"),
        )
        stack.callback(self.backend.end)
        self.ca = EmbeddedCA({"ref": "secret"})
        self.failing = stack.enter_context(WebServer(self.ca.server().process))
        self.failing.status = 500
        (
            self.nginx_port,
            self.nginx_tls,
            self.apache_port,
            self.apache_proxy,
            self.apache_tls,
        ) = found = ports(5)
        stack.enter_context(nginx(folder / "nginx", self._nginx(), found[:2]))
        (folder / "users").write_text("me:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")  # secret
        stack.enter_context(apache(folder / "apache", MODULES, self._apache(), found[2:]))

    def _nginx(self) -> str:
        here, backend = f"http://127.0.0.1:{self.nginx_port}", self.backend.url
        pass_on = f"proxy_pass {backend};"
        locations = {
            "plain": pass_on,
            "close": f"keepalive_timeout 0; {pass_on}",
            "chunked": f"sub_filter_types *; sub_filter 'no such text' ''; {pass_on}",
            "gzip": f"gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0; gzip_proxied any; {pass_on}",
            "no-type": f"proxy_hide_header Content-Type; default_type ''; {pass_on}",
            "page": "default_type text/html; return 200 '<html>Please log in</html>';",
            "dead": f"proxy_pass http://127.0.0.1:{free_port()};",
            "small": f"client_max_body_size 10; {pass_on}",
            "failing": f"proxy_pass {self.failing.url()};",
            "elsewhere": f"return 307 http://localhost:{self.nginx_port}/plain;",
            "up": f"return 308 https://127.0.0.1:{self.nginx_tls}/plain;",
            "loop": f"return 307 {here}/loop;",
            **{str(code): f"return {code} {here}/plain;" for code in (301, 302, 303, 307, 308, 404, 503)},
        }
        locations["404"], locations["503"] = "return 404;", "return 503;"
        text = "".join(f"    location = /{name} {{ {rule} }}\n" for name, rule in locations.items())
        return (
            f"  server {{\n    listen 127.0.0.1:{self.nginx_port};\n{text}  }}\n"
            f"  server {{\n    listen 127.0.0.1:{self.nginx_tls} ssl;\n"
            f"    ssl_certificate {self.web.full_chain_file};\n    ssl_certificate_key {self.web.key_file};\n"
            f"    ssl_client_certificate {self.root.cert_file};\n    ssl_verify_client on;\n"
            f"    ssl_verify_depth 3;\n    location = /plain {{ {pass_on} }}\n"
            f"    location = /down {{ return 307 {here}/plain; }}\n  }}\n"
        )

    def _apache(self) -> str:
        backend = self.backend.url
        basic = "\n".join(
            [
                "AuthType Basic",
                "AuthName cmp",
                "AuthBasicProvider file",
                f"AuthUserFile {self.folder}/users",
                "Require valid-user",
            ]
        )

        def passed(path: str, *more: str, options: str = "") -> str:
            return "\n".join([f"<Location /{path}>", f"ProxyPass {backend} {options}", *more, "</Location>"])

        return "\n".join(
            [
                f"<VirtualHost 127.0.0.1:{self.apache_port}>",
                passed("plain"),
                passed("expect", options="ping=5"),
                passed("type", 'Header set Content-Type "Application/PKIXCMP; charset=binary"'),
                passed("password", basic),
                "RequestHeader set Accept-Encoding gzip early",
                passed("squeezed", "SetOutputFilter DEFLATE"),
                "</VirtualHost>",
                f"<VirtualHost 127.0.0.1:{self.apache_proxy}>",
                "ProxyRequests On",
                f"AllowCONNECT {self.nginx_tls}",
                f"<Proxy *>\n{basic}\n</Proxy>",
                "</VirtualHost>",
                f"<VirtualHost 127.0.0.1:{self.apache_tls}>",
                "SSLEngine on",
                f"SSLCertificateFile {self.web.full_chain_file}",
                f"SSLCertificateKeyFile {self.web.key_file}",
                f"SSLCACertificateFile {self.root.cert_file}",
                "SSLVerifyClient require",
                "SSLVerifyDepth 3",
                passed("plain"),
                "</VirtualHost>",
                "",
            ]
        )

    def at(self, path: str, **options: Any) -> Place:
        """A location of nginx."""
        return Place(f"http://127.0.0.1:{self.nginx_port}/{path}", **options)

    def apache_at(self, path: str, **options: Any) -> Place:
        """A location of Apache httpd."""
        return Place(f"http://127.0.0.1:{self.apache_port}/{path}", **options)

    def redirected(self, path: str) -> Place:
        """A location of nginx, redirects on request."""
        return self.at(path, httpx={"redirects": 1}, urllib3={"redirects": 1})

    def tls(self, port: int, path: str = "plain", *, certificate: bool = True) -> Place:
        """By https, with a client certificate or without."""
        context = ssl.create_default_context(cafile=self.root.cert_file)
        mine: dict[str, Any] = {}
        if certificate:
            context.load_cert_chain(self.me.full_chain_file, self.me.key_file)
            mine = {"certificate": self.me.full_chain_file, "key": self.me.key_file}
        return Place(
            f"https://127.0.0.1:{port}/{path}",
            client={"tls": osslcmp.TLS(trusted=self.root.cert_file, **mine)},
            httpx={"verify": context},
            urllib3={"ssl_context": context},
        )

    def by_proxy(self, place: Place, user: str = "") -> Place:
        """The same through the proxy, whose password is secret."""
        proxy = {"proxy": f"http://{user}127.0.0.1:{self.apache_proxy}"}
        return Place(place.url, place.client | proxy, place.httpx | proxy, place.urllib3 | proxy)

    def with_redirects(self, place: Place) -> Place:
        """The same, following redirects."""
        more = {"redirects": 3}
        return Place(place.url, place.client, place.httpx | more, place.urllib3 | more)

    def raw(self, form: Callable[[bytes], bytes], *, keep: bool = True) -> Place:
        """A server that answers with CMP in the HTTP that ``form`` makes of it, and keeps the connection."""
        process = self.ca.server().process

        def handler(connection: socket.socket, request: bytes) -> None:
            while request:
                connection.sendall(form(process(request.partition(b"\r\n\r\n")[2])))
                request = read_request(connection) if keep else b""

        return Place(self.for_a_test.enter_context(RawServer(handler)).url)

    def resetting(self) -> Place:
        """A server that resets a connection when a second request comes by it."""
        process = self.ca.server().process

        def handler(connection: socket.socket, request: bytes) -> None:
            answer = process(request.partition(b"\r\n\r\n")[2])
            connection.sendall(http_1_1("Content-Length: LENGTH")(answer))
            read_request(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return Place(self.for_a_test.enter_context(RawServer(handler)).url)

    def with_password(self, place: Place) -> Place:
        """The same with user and password for the server itself."""
        value = base64.b64encode(b"me:secret").decode()
        headers = {"Authorization": f"Basic {value}"}
        return Place(place.url, place.client, {"headers": headers}, {"headers": headers})


#: What Apache httpd has to load.
MODULES = [
    *("authn_core", "authn_file", "auth_basic", "authz_user", "authz_host", "headers", "deflate", "filter"),
    *("proxy", "proxy_http", "proxy_connect", "ssl", "socache_shmcb"),
]


def http_1_1(*lines: str) -> Callable[[bytes], bytes]:
    """An answer in HTTP/1.1 with these header lines."""

    def form(body: bytes) -> bytes:
        head = ["HTTP/1.1 200 OK", "Content-Type: application/pkixcmp", *lines]
        return "\r\n".join([*head, "", ""]).encode().replace(b"LENGTH", b"%d" % len(body)) + body

    return form


def chunked(body: bytes) -> bytes:
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100], body[100:]))
    return http_1_1("Transfer-Encoding: chunked")(pieces + b"0\r\n\r\n")


SITUATIONS: dict[str, Callable[[Field], Place]] = {
    "nginx in front": lambda f: f.at("plain"),
    "Apache httpd in front": lambda f: f.apache_at("plain"),
    "every answer closes the connection (nginx, `keepalive_timeout 0`)": lambda f: f.at("close"),
    "HTTP/1.0 server": lambda f: f.raw(response, keep=False),
    "HTTP/1.1 answer without a Connection header": lambda f: f.raw(http_1_1("Content-Length: LENGTH")),
    "HTTP/1.1 answer without a length, ended by closing": lambda f: f.raw(http_1_1(), keep=False),
    "an interim 100 Continue nobody asked for": lambda f: f.raw(
        lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + http_1_1("Content-Length: LENGTH")(body)
    ),
    "interim answers 102, 103 and 199": lambda f: f.raw(
        lambda body: (
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 199 x\r\n\r\n"
            + http_1_1("Content-Length: LENGTH")(body)
        )
    ),
    "a proxy that sends `Expect: 100-continue` on (Apache httpd, `ping=5`)": lambda f: f.apache_at("expect"),
    "length unknown: chunked for who speaks HTTP/1.1 (nginx, `sub_filter`)": lambda f: f.at("chunked"),
    "chunked answer to HTTP/1.0, which forbids it": lambda f: f.raw(chunked),
    "gzip for who accepts it (nginx, `gzip on`)": lambda f: f.at("gzip"),
    "gzip for everybody (Apache httpd, forced)": lambda f: f.apache_at("squeezed"),
    "content type `Application/PKIXCMP; charset=binary`": lambda f: f.apache_at("type"),
    "the content type twice": lambda f: f.raw(
        http_1_1("Content-Type: application/pkixcmp", "Content-Length: LENGTH")
    ),
    "the content type twice in one line": lambda f: f.raw(
        lambda body: http_1_1("Content-Length: LENGTH")(body).replace(
            b"application/pkixcmp", b"application/pkixcmp, Application/PKIXCMP"
        )
    ),
    "the content type folded into several lines": lambda f: f.raw(
        lambda body: (
            "HTTP/1.1 200 OK\r\nContent-Type:\r\n application/pkixcmp;\r\n\tcharset=binary\r\n \r\n"
            f"Content-Length:\r\n {len(body)}\r\n\r\n".encode()
            + body
        )
    ),
    "an empty Content-Encoding": lambda f: f.raw(http_1_1("Content-Encoding: ", "Content-Length: LENGTH")),
    "gzip in several members": lambda f: f.raw(
        lambda body: http_1_1("Content-Encoding: gzip", "Content-Length: LENGTH")(
            gzip.compress(body[:50]) + gzip.compress(body[50:])
        )
    ),
    "a kept connection that is reset when the next request comes": lambda f: f.resetting(),
    "two different Content-Lengths": lambda f: f.raw(http_1_1("Content-Length: LENGTH", "Content-Length: 5")),
    "a Content-Length that is too long": lambda f: f.raw(
        lambda body: http_1_1(f"Content-Length: {len(body) + 5}")(body), keep=False
    ),
    "a byte order mark before the message": lambda f: f.raw(
        lambda body: http_1_1("Content-Length: LENGTH")(codecs.BOM_UTF8 + body)
    ),
    "no content type": lambda f: f.at("no-type"),
    "an HTML page with status 200, such as a portal's": lambda f: f.at("page"),
    "CMP message with status 500": lambda f: f.at("failing"),
    "404 with an HTML page": lambda f: f.at("404"),
    "413, the proxy takes no more (nginx, `client_max_body_size`)": lambda f: f.at("small"),
    "502, the server behind the proxy is down": lambda f: f.at("dead"),
    "503 with an HTML page": lambda f: f.at("503"),
    "redirect 301": lambda f: f.at("301"),
    "redirect 307 or 308": lambda f: f.at("307"),
    "301, 302 or 303, `redirects=1`": lambda f: f.redirected("303"),
    "307, `redirects=1`": lambda f: f.redirected("307"),
    "308 to https on the same host, `redirects=3`": lambda f: f.with_redirects(
        Place(
            f.at("up").url, **{k: v for k, v in vars(f.tls(f.nginx_tls)).items() if k in ("httpx", "urllib3")}
        )
    ),
    "307 to another host, `redirects=1`": lambda f: f.redirected("elsewhere"),
    "307 from https to http, `redirects=3`": lambda f: f.with_redirects(f.tls(f.nginx_tls, "down")),
    "307 without end, `redirects=1`": lambda f: f.redirected("loop"),
    "the server asks for a password (401)": lambda f: f.apache_at("password"),
    "the same, given in a header": lambda f: f.with_password(f.apache_at("password")),
    "the proxy asks for a password (407)": lambda f: f.by_proxy(f.at("plain")),
    "the same, given in `proxy=`": lambda f: f.by_proxy(f.at("plain"), "me:secret@"),
    "the same, a wrong one": lambda f: f.by_proxy(f.at("plain"), "me:wrong@"),
    "the proxy asks for a password (407), https server": lambda f: f.by_proxy(f.tls(f.nginx_tls)),
    "the same for https, given in `proxy=`": lambda f: f.by_proxy(f.tls(f.nginx_tls), "me:secret@"),
    "nginx ends TLS and asks for a client certificate": lambda f: f.tls(f.nginx_tls),
    "the same, none is given": lambda f: f.tls(f.nginx_tls, certificate=False),
    "Apache httpd ends TLS and asks for a client certificate": lambda f: f.tls(f.apache_tls),
    "the same at Apache httpd, none is given": lambda f: f.tls(f.apache_tls, certificate=False),
}


@pytest.fixture(scope="module")
def servers(pki: PKI) -> Iterator[Field]:
    # Not pytest's folder, which only its owner may enter: Apache httpd does not stay root.
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Field(folder, pki, stack)


def outcome(column: str, place: Place) -> str:
    """``works``, or what the TransferError says."""
    made: Any = None
    try:
        if column == "Client(url)":
            osslcmp.Client(place.url, **MAC, **place.client).ir(KEY, subject="CN=me")
        elif column == "AsyncHttpxTransport":
            asyncio.run(_awaited(place))
        else:
            kind: Any = HttpxTransport if column == "HttpxTransport" else Urllib3Transport
            options = place.httpx if column == "HttpxTransport" else place.urllib3
            with kind(place.url, timeout=30, **options) as made:
                osslcmp.Client(transport=made, **MAC).ir(KEY, subject="CN=me")
    except osslcmp.TransferError as error:
        return str(error)
    return "works"


async def _awaited(place: Place) -> None:
    async with (
        AsyncHttpxTransport(place.url, timeout=30, **place.httpx) as transport,
        osslcmp.AsyncClient(transport=transport, **MAC) as client,
    ):
        await client.ir(KEY, subject="CN=me")


def test_the_table_is_whole() -> None:
    """It has a row for each situation here, and none besides."""
    assert list(ROWS) == list(SITUATIONS)


def test_the_example() -> None:
    """It makes a client."""
    (code,) = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    space: dict[str, object] = {"osslcmp": osslcmp, "HttpxTransport": HttpxTransport}
    exec(compile(code, "docs/http.md", "exec"), space)
    assert any(isinstance(made, osslcmp.Client) for made in space.values())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_row(situation: str, servers: Field) -> None:
    """What it says of each transport is so, and words that it quotes are in the exception."""
    told = ROWS[situation]
    with servers.for_a_test:
        place = SITUATIONS[situation](servers)
        for column, cell in [*zip(COLUMNS, told, strict=True), ("AsyncHttpxTransport", told[1])]:
            found = outcome(column, place)
            words = re.findall("`([^`]*)`", cell)
            assert words or cell == "works", cell
            assert (found == "works") is (cell == "works"), f"{column}: {found}"
            for quoted in words:
                assert quoted in found, f"{column}: {found}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED: curl is not installed")
@pytest.mark.parametrize("where", ["backend", "nginx", "Apache httpd"])
def test_who_expects_to_be_told_to_continue(where: str, servers: Field, tmp_path: Path) -> None:
    """curl asks with ``Expect: 100-continue`` before it sends a request: it gets the interim answer, then the message."""
    recorded = Recording(servers.backend.url)
    osslcmp.Client(transport=recorded, **MAC).genm()
    (tmp_path / "request").write_bytes(recorded.requests[0])
    urls = {
        "backend": servers.backend.url,
        "nginx": servers.at("plain").url,
        "Apache httpd": servers.apache_at("plain").url,
    }
    command: list[str | Path] = [
        "curl",
        "-s",
        "--noproxy",
        "*",
        "--max-time",
        "40",
        "-o",
        tmp_path / "answer",
    ]
    # The request is not sent before the interim answer has come.
    command += ["-H", "Expect: 100-continue", "--expect100-timeout", "60"]
    command += [
        "-H",
        "Content-Type: application/pkixcmp",
        "--data-binary",
        f"@{tmp_path / 'request'}",
        urls[where],
    ]
    subprocess.run(command, timeout=60, check=True)
    assert osslcmp.Message.from_der((tmp_path / "answer").read_bytes()).type is osslcmp.BodyType.ERROR
