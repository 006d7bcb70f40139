"""HTTPS that does not come about: bad certificates, other servers, wrong settings; each is told clearly."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl
from support.alarm import alarm
from support.clients import secret_context
from support.enrol import KEY, LOCAL, client, enroll, refusal
from support.https import WebServer, server_context
from support.pki import PKI, Identity, make_crl
from support.raising import OwnError
from support.raw_server import RawServer, free_port, hang

import osslcmp
from osslcmp import TLS
from osslcmp.server import Server

# -- bad certificates --------------------------------------------------------------------------------------


def bad(pki: PKI, kind: str) -> Identity:
    day = datetime.timedelta(days=1)
    make: dict[str, Callable[[], Identity]] = {
        "expired": lambda: pki.issue("web-expired", pki.issuing, sans=LOCAL, starts=-9 * day, ends=-day),
        "future": lambda: pki.issue("web-future", pki.issuing, sans=LOCAL, starts=day),
        "self-signed": lambda: pki.issue("web-self", sans=LOCAL),
        "untrusted": lambda: pki.issue("web-untrusted", pki.other_issuing, sans=LOCAL),
        "other name": lambda: pki.issue("web-other", pki.issuing, sans=[x509.DNSName("a.example")]),
        "no name": lambda: pki.issue("127.0.0.1", pki.issuing),
    }
    return make[kind]()


BAD = {
    "expired": (10, "certificate has expired", "notAfter", 0),
    "future": (9, "not yet valid", "notBefore", 0),
    "self-signed": (18, "self-signed certificate", "subject CN=web-self,O=osslcmp tests", 0),
    "untrusted": (19, "self-signed certificate in certificate chain", "subject CN=root,O=osslcmp tests", 2),
    "other name": (64, "IP address mismatch", "expected 127.0.0.1, subjectAltName DNS:a.example", 0),
    "no name": (64, "IP address mismatch", "expected 127.0.0.1, no subjectAltName", 0),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_certificate(kind: str, cmp: Server, pki: PKI) -> None:
    """Which certificate, at which depth, and what is wrong with it."""
    number, reason, detail, depth = BAD[kind]
    with WebServer(cmp, server_context(bad(pki, kind))) as server:
        told = refusal(server.url(), pki.root.certificate)
        assert "certificate verify failed" in told
        assert f"certificate at depth {depth}, subject CN=" in told
        assert reason in told
        assert f"({number}), certificate at depth {depth}" in told
        assert detail in told
        assert f"server=127.0.0.1:{server.port}" in told
        assert server.requests == []
        # Nothing is left of it.
        assert enroll(server.url(), TLS(verify=False))


def test_wrong_host_name(https: WebServer, pki: PKI) -> None:
    told = refusal(https.url(), TLS(trusted=pki.root.certificate, host="ca.example"))
    assert "hostname mismatch (62), certificate at depth 0, subject CN=web," in told
    assert "expected ca.example, subjectAltName DNS:localhost, IP Address:127.0.0.1" in told


def test_wildcards(cmp: Server, pki: PKI) -> None:
    """One label, and a whole one."""
    web = pki.issue("web-wild", pki.issuing, sans=[x509.DNSName("*.a.example"), x509.DNSName("w*.b.example")])
    with WebServer(cmp, server_context(web)) as server:
        assert enroll(server.url(), TLS(trusted=pki.root.certificate, host="x.a.example"))
        for host in ("x.y.a.example", "a.example", "www.b.example"):
            assert "hostname mismatch" in refusal(server.url(), TLS(trusted=pki.root.certificate, host=host))


def test_strange_names_in_errors(cmp: Server, pki: PKI) -> None:
    """What a certificate says of itself comes out as printable text, however long."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'e\u202evil\r\n%s%n"\x07' + "x" * 40)])
    web = pki.issue("web-strange", subject=name, sans=[x509.DNSName(f"{n:0200}.example") for n in range(20)])
    with WebServer(cmp, server_context(web)) as server:
        told = refusal(server.url(), TLS(trusted=web.certificate, host="a.example"))
        assert told.isprintable()
        assert told.isascii()
        assert "hostname mismatch" in told


def test_revoked(https: WebServer, web: Identity, pki: PKI) -> None:
    """A CRL, by CertificateCheck."""
    root = pki.root.certificate
    check = osslcmp.CertificateCheck(trusted=root, crls=[make_crl(pki.issuing, 1)])
    assert enroll(https.url(), TLS(check=check))
    check = osslcmp.CertificateCheck(
        trusted=root, crls=[make_crl(pki.issuing, 1, web.certificate.serial_number)]
    )
    assert "certificate revoked (23), certificate at depth 0" in refusal(https.url(), TLS(check=check))
    check = osslcmp.CertificateCheck(trusted=root, crl_check="all", crls=[make_crl(pki.issuing, 1)])
    assert "unable to get certificate CRL (3), certificate at depth 1" in refusal(
        https.url(), TLS(check=check)
    )


def test_other_conditions(https: WebServer, pki: PKI) -> None:
    root = pki.root.certificate
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=60)
    for settings, told in (
        ({"time": later}, "certificate has expired"),
        ({"depth": 0}, "certificate chain too long"),
        ({"auth_level": 5}, "key too weak"),
        ({"purpose": "ocsphelper", "host": "localhost"}, None),
        ({"host": "elsewhere.example"}, "hostname mismatch"),
    ):
        check = osslcmp.CertificateCheck(trusted=root, **settings)
        if told is None:
            assert enroll(https.url(), TLS(check=check))
        else:
            assert told in refusal(https.url(), TLS(check=check))


# -- what cannot work is told at once ----------------------------------------------------------------------


def test_arguments(pki: PKI, tmp_path: Path) -> None:
    me = pki.client
    url = "https://127.0.0.1/"
    check = osslcmp.CertificateCheck(trusted=me.certificate)
    for error, text, settings in (
        (ValueError, "give one of the two", {"trusted": me.certificate, "check": check}),
        (ValueError, "needs both", {"certificate": me.certificate}),
        (ValueError, "needs both", {"key": me.key}),
        (ValueError, "of no use", {"chain": [me.certificate]}),
        (ValueError, "minimum_version", {"minimum_version": "SSLv3"}),
        (TypeError, "minimum_version", {"minimum_version": None}),
        (ValueError, "maximum_version", {"maximum_version": "TLSv2"}),
        (ValueError, "below", {"maximum_version": "TLSv1.2", "minimum_version": "TLSv1.3"}),
        (ValueError, "ciphers: OpenSSL knows none", {"ciphers": "ROT13"}),
        (ValueError, "ciphersuites: OpenSSL knows none", {"ciphersuites": "TLS_ROT13"}),
        (ValueError, "host: is empty", {"host": ""}),
        (ValueError, "NUL", {"host": "a\0b"}),
        (ValueError, "sni: is empty", {"sni": ""}),
        (TypeError, "host: str", {"host": b"a"}),
        (ValueError, "trusted: no certificate", {"trusted": []}),
        (ValueError, "trusted: no certificate", {"trusted": b"nothing"}),
        (OSError, "nowhere", {"trusted": tmp_path / "nowhere.pem"}),
        (ValueError, "does not match", {"certificate": me.certificate, "key": pki.server.key}),
        (ValueError, "only verify, host and sni", {"context": 1, "trusted": me.certificate}),
        (TypeError, "CertificateCheck", {"check": 5}),
    ):
        with pytest.raises(error, match=text):
            client(url, TLS(**settings))
    with pytest.raises(TypeError, match="another OpenSSL"):
        client(url, ssl.create_default_context())
    with pytest.raises(TypeError, match="tls"):
        client(url, 5)
    with pytest.raises(ValueError, match="says https"):
        client(url, False)
    with pytest.raises(ValueError, match="of no use"):
        client("http://127.0.0.1/", True)
    with pytest.raises(ValueError, match="of no use"):
        osslcmp.Client(transport=bytes, reference="a", secret="b", tls=True)


def test_no_secret_shows(pki: PKI) -> None:
    me = pki.client
    tls = TLS(certificate=me.certificate, key=me.key_file, key_password="hunter2")
    assert "hunter2" not in repr(tls)
    assert me.key_file.name not in repr(tls)


# -- others than TLS servers -------------------------------------------------------------------------------


def test_plain_server(cmp: Server, pki: PKI) -> None:
    """https to an http server, and the other way round."""
    with WebServer(cmp) as server:
        url = server.url().replace("http:", "https:")
        assert "TLS with server=127.0.0.1" in refusal(url, pki.root.certificate)


def test_tls_server_asked_in_plain(https: WebServer) -> None:
    url = https.url().replace("https:", "http:")
    told = refusal(url)
    assert "https" in told


def test_not_a_cmp_server(web: Identity, pki: PKI) -> None:
    """`openssl s_server -rev` answers each line with that line from back to front."""
    port = free_port()
    command = [*openssl.command(), "s_server", "-accept", f"127.0.0.1:{port}", "-rev"]
    command += ["-cert", str(web.cert_file), "-key", str(web.key_file), "-cert_chain", str(web.chain_file)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=openssl.clean_environment(),
    ) as process:
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            told = refusal(f"https://127.0.0.1:{port}/", pki.root.certificate)
            assert "header parse error: content=0.1/PTTH" in told
        finally:
            process.kill()


def test_silent_handshake(pki: PKI) -> None:
    """A server that accepts and says nothing: the message timeout holds in the handshake."""
    with RawServer(hang, read=False) as server, pytest.raises(osslcmp.TransferTimeout):
        enroll(f"https://127.0.0.1:{server.port}/", pki.root.certificate, message_timeout=1)


def test_interrupted_handshake(pki: PKI) -> None:
    with RawServer(hang, read=False) as server:
        cmp_client = client(f"https://127.0.0.1:{server.port}/", pki.root.certificate, message_timeout=60)
        with pytest.raises(OwnError), alarm(0.3, error=OwnError):
            cmp_client.ir(KEY, subject="CN=me")


def test_cancelled_handshake(pki: PKI) -> None:
    with RawServer(hang, read=False) as server:
        context = secret_context()
        context.set_server("127.0.0.1")
        context.set_server_port(server.port)
        context.set_tls(pki.root.certificate)
        context.push_genm_itav(osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17")))
        timer = threading.Timer(0.3, context.cancel)
        timer.start()
        with pytest.raises(osslcmp.TransferError, match="cancelled"):
            context.exec_genm_ses()
        timer.join()


@pytest.mark.parametrize("after", [0, 1, 5, 100, 2000])
def test_cut_off(after: int, https: WebServer, pki: PKI) -> None:
    """A connection that breaks anywhere in handshake or answer."""

    def handler(connection: socket.socket, _request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", https.port)) as onward:
            left = after
            connection.settimeout(0.3)
            onward.settimeout(0.3)
            while left > 0:
                with contextlib.suppress(TimeoutError):
                    onward.sendall(connection.recv(4096))
                try:
                    data = onward.recv(4096)[:left]
                except TimeoutError:
                    continue
                left -= len(data)
                connection.sendall(data)

    with RawServer(handler, read=False) as server:
        told = refusal(f"https://127.0.0.1:{server.port}/", pki.root.certificate, message_timeout=10)
        assert f"127.0.0.1:{server.port}" in told
