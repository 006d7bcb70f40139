"""The scripted server over HTTPS, and what it remembers of what is no CMP."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.openssl_cmp import cmp

import osslcmp
from osslcmp import Client, testing
from osslcmp.testing import CMPServer

pytest_plugins = ["pytester"]


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.cmp_server(tls=True)
def test_marker(cmp_server: CMPServer, cmp_client: Client) -> None:
    """A test has HTTPS by a marker; its CA is a file and an argument, and another CA than that of CMP."""
    assert cmp_server.url.startswith("https://")
    assert cmp_client.ir(new_key(), subject="CN=x").certificate
    assert cmp_server.tls is not None
    assert cmp_server.tls.root != cmp_server.root
    assert (cmp_server.tls.certificate_file, cmp_server.tls.key_file) == (None, None)
    for tls in (cmp_server.tls.root, cmp_server.tls.root_file):
        localhost = cmp_server.url.replace("127.0.0.1", "localhost")
        Client(localhost, reference=cmp_server.reference, secret=cmp_server.secret, tls=tls).genm()
    with pytest.raises(osslcmp.TransferError, match="certificate"):
        Client(
            cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret, tls=cmp_server.root
        ).genm()


@pytest.mark.cmp_server(tls="required")
class TestClientCertificates:
    """With a marker for a class."""

    def test_required(self, cmp_server: CMPServer, cmp_client: Client) -> None:
        """The client's certificate is there for our client; without one there is no answer."""
        cmp_client.genm()
        assert cmp_server.tls is not None
        with pytest.raises(osslcmp.TransferError):
            Client(
                cmp_server.url,
                reference=cmp_server.reference,
                secret=cmp_server.secret,
                tls=cmp_server.tls.root,
            ).genm()

    @pytest.mark.cmp_server(tls="optional", strictness="openssl")
    def test_optional(self, cmp_server: CMPServer) -> None:
        """The marker that is closest counts."""
        assert cmp_server.tls is not None
        Client(
            cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret, tls=cmp_server.tls.root
        ).genm()

    @pytest.mark.peer
    def test_openssl(self, cmp_server: CMPServer, tmp_path: Path) -> None:
        """`openssl cmp` takes the files."""
        tls = cmp_server.tls
        assert tls is not None
        options: dict[str, Any] = {
            "ref": cmp_server.reference.decode(),
            "secret": f"pass:{cmp_server.secret.decode()}",
            "tls_trusted": tls.root_file,
            "tls_cert": tls.certificate_file,
            "tls_key": tls.key_file,
        }
        done = cmp("genm", cmp_server.url, tls_used=True, **options)
        assert done.code == 0, done.text


def test_files_are_gone() -> None:
    """The files last as long as the server."""
    with CMPServer(tls="optional") as server:
        tls = server.tls
        assert tls is not None
        assert tls.key_file is not None
        assert tls.key_file.exists()
    assert not tls.key_file.exists()


def test_own_certificates() -> None:
    """Settings of one's own are taken, too; then one's clients know what they need."""
    with CMPServer(tls="optional") as other:
        assert other.tls is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert other.tls.certificate_file is not None
        context.load_cert_chain(other.tls.certificate_file, other.tls.key_file)
        with CMPServer(tls=context) as server:
            assert server.url.startswith("https://")
            assert server.tls is None
    for wrong, error in (("none", ValueError), ("yes", ValueError), (7, TypeError)):
        with pytest.raises(error, match="tls"):
            CMPServer(tls=wrong)  # type: ignore[arg-type]


def test_setting(pytester: pytest.Pytester) -> None:
    """All tests of a project have HTTPS by a line in its ini file; a typo is an error in a line."""
    pytester.makeini("[pytest]\ncmp_server_tls = required\n")
    pytester.makepyfile(
        """
        def test_client(cmp_server, cmp_client):
            assert cmp_server.url.startswith("https://")
            cmp_client.genm()
        """
    )
    pytester.runpytest_subprocess("-q", "--strict-markers").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\ncmp_server_tls = requird\n")
    done = pytester.runpytest_subprocess("-q")
    done.stderr.fnmatch_lines(["*cmp_server_tls: one of false, true, optional, required, not 'requird'"])


def test_wrong_markers(pytester: pytest.Pytester) -> None:
    """A misspelt option of the marker is an error that names it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.cmp_server(tsl=True)
        def test_typo(cmp_server):
            pass

        @pytest.mark.cmp_server("required")
        def test_place(cmp_server):
            pass
        """
    )
    done = pytester.runpytest_subprocess("-q")
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["*tsl*", "*marker cmp_server: options by name, not 'required'*"])


def test_process() -> None:
    """``python -m osslcmp.testing --tls`` names the files."""
    command = [sys.executable, "-m", "osslcmp.testing", "--tls", "optional"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        tls = osslcmp.TLS(
            trusted=told["tls_root_file"], certificate=told["tls_certificate_file"], key=told["tls_key_file"]
        )
        Client(told["url"], reference=told["reference"], secret=told["secret"], tls=tls).genm()
        process.communicate("", 60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("method", "kind", "body", "status"),
    [
        ("POST", "text/plain", b"hello \x1b[31m", 415),
        ("POST", "application/pkixcmp", b"garbage", 400),
        ("GET", "", b"", 405),
    ],
)
def test_garbage(method: str, kind: str, body: bytes, status: int, cmp_server: CMPServer) -> None:
    """What is no CMP message is recorded as it came, with the answer: in ``exchanges`` and in the ladder."""
    request = urllib.request.Request(cmp_server.url, body or None, {"Content-Type": kind}, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    caught.value.close()
    assert caught.value.code == status
    (exchange,) = cmp_server.exchanges
    assert not exchange.is_cmp
    assert (exchange.request.method, exchange.request.path) == (method, "/.well-known/cmp")
    assert (exchange.request.content_type, exchange.request.body) == (kind, body)
    assert exchange.response is not None
    assert exchange.response.status == status
    came, answered = cmp_server.trace.entries
    assert (came.sent, came.octets, answered.sent, answered.octets) == (
        True,
        body,
        False,
        exchange.response.body,
    )
    ladder = str(cmp_server.trace)
    assert f"{method} /.well-known/cmp, {kind or 'no content type'}" in ladder
    assert f"HTTP status {status}" in ladder
    assert "text/plain" in ladder
    assert "\x1b" not in ladder
    assert cmp_server.requests == []
    read = osslcmp.Trace.load(cmp_server.trace.dump())
    assert [entry.octets for entry in read] == [body, exchange.response.body]


def test_html_in_the_clients_trace(cmp_server: CMPServer) -> None:
    """What a client got instead of a message is in its trace."""
    trace = osslcmp.Trace()
    client = Client(cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret, trace=trace)
    cmp_server.script(testing.html_503(), testing.drop_response())
    for _ in range(2):
        with pytest.raises(osslcmp.TransferError):
            client.genm()
    failed = [entry for entry in trace if entry.type is None]
    assert failed[0].octets is not None
    assert b"503 Service Unavailable" in failed[0].octets
    assert failed[1].octets is None
    assert "<h1>503 Service Unavailable" in " ".join(str(trace).split())
    assert "the connection is closed without an answer" in str(cmp_server.trace)
