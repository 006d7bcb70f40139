"""HTTPS by libssl: whom the client trusts, who it is, and what it shares."""

from __future__ import annotations

import gc
import os
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.clients import secret_context
from support.enrol import KEY, client, enroll, refusal
from support.https import WebServer, server_context
from support.pki import PKI, Identity, cert_pem

import osslcmp
from osslcmp import TLS
from osslcmp.server import Server

# -- what works --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_enrol(host: str, https: WebServer, pki: PKI) -> None:
    """The name or address in the URL is checked; SNI is sent for a name, not for an address."""
    assert enroll(https.url(host), pki.root.certificate).subject.rfc4514_string() == "CN=me"
    assert https.names == [host if host == "localhost" else None]
    assert https.versions == ["TLSv1.3"]
    assert [line.split()[1] for line in https.requests] == ["/.well-known/cmp"] * 2
    assert https.headers[0]["Host"] == f"{host}:{https.port}"


def test_connection_stays(https: WebServer, pki: PKI) -> None:
    """The messages of a transaction share a connection, which ends with a close_notify."""
    cmp_client = client(https.url(), pki.root.certificate)
    for turn in range(1, 4):
        cmp_client.ir(KEY, subject="CN=me")
        assert (https.connections, len(https.requests)) == (turn, 2 * turn)
    deadline = time.monotonic() + 10
    while https.goodbyes < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert https.goodbyes == 3


def test_connection_per_message(https: WebServer, pki: PKI) -> None:
    enroll(https.url(), pki.root.certificate, keep_alive=False)
    assert https.connections == 2


def test_every_request(https: WebServer, pki: PKI) -> None:
    cmp_client = client(https.url(), pki.root.certificate)
    certificate = cmp_client.ir(KEY, subject="CN=me").certificate
    assert cmp_client.p10cr(pki.client.csr()).certificate
    assert cmp_client.rr(certificate).status == 0
    assert cmp_client.ca_certs()


def trusts(pki: PKI, tmp_path: Path) -> dict[str, Any]:
    root = pki.root
    folder = tmp_path / "rehashed"
    folder.mkdir()
    (folder / "root.pem").write_bytes(cert_pem(root.certificate))
    openssl.run(["rehash", folder]).must()
    der = tmp_path / "root.der"
    der.write_bytes(root.certificate.public_bytes(Encoding.DER))
    return {
        "certificate": root.certificate,
        "several": [pki.other_root.certificate, root.certificate],
        "pem": cert_pem([pki.other_root.certificate, root.certificate]),
        "der": der.read_bytes(),
        "path": root.cert_file,
        "path as str": str(root.cert_file),
        "path of der": der,
        "rehashed folder": folder,
    }


@pytest.mark.parametrize(
    "form",
    ["certificate", "several", "pem", "der", "path", "path as str", "path of der", "rehashed folder"],
)
def test_trust_in_every_form(form: str, https: WebServer, pki: PKI, tmp_path: Path) -> None:
    trusted = trusts(pki, tmp_path)[form]
    assert enroll(https.url(), trusted)
    assert enroll(https.url(), TLS(trusted=trusted))


def test_trust_of_the_system(
    https: WebServer, pki: PKI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without tls= the system's trust anchors count, which SSL_CERT_FILE names."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.root.cert_file))
    assert enroll(https.url())
    assert enroll(https.url(), True)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.other_root.cert_file))
    assert "certificate" in refusal(https.url())


def test_intermediate_from_trust_store(cmp: Server, web: Identity, pki: PKI) -> None:
    """A server that leaves out its chain: what we trust fills the gap."""
    with WebServer(cmp, server_context(web, chain=False)) as server:
        assert "unable to get local issuer certificate" in refusal(server.url(), pki.root.certificate)
        assert enroll(server.url(), [pki.root.certificate, pki.issuing.certificate])


def test_partial_chain(https: WebServer, pki: PKI) -> None:
    """CertificateCheck brings all of X509_VERIFY_PARAM: an intermediate as trust anchor."""
    issuing = pki.issuing.certificate
    check = osslcmp.CertificateCheck(trusted=issuing, partial_chain=True)
    assert "unable to get issuer certificate" in refusal(https.url(), issuing)
    assert enroll(https.url(), TLS(check=check))


def test_other_name(https: WebServer, pki: PKI) -> None:
    """``host`` is checked instead of the URL's host, and asked for."""
    tls = TLS(trusted=pki.root.certificate, host="localhost")
    assert enroll(https.url("127.0.0.1"), tls)
    assert https.names == ["localhost"]
    assert enroll(https.url("localhost"), TLS(trusted=pki.root.certificate, host="127.0.0.1"))
    assert https.names == ["localhost", None]


def test_sni(https: WebServer, pki: PKI) -> None:
    root = pki.root.certificate
    enroll(https.url("localhost"), TLS(trusted=root, sni=False))
    enroll(https.url("127.0.0.1"), TLS(trusted=root, sni="front.example"))
    assert https.names == [None, "front.example"]


def test_not_verified(https: WebServer, pki: PKI) -> None:
    """It must be said."""
    assert enroll(https.url(), TLS(verify=False))
    assert enroll(https.url(), TLS(verify=False, host="somebody.example"))
    assert https.names[-1] == "somebody.example"
    with pytest.raises(TypeError, match="verify"):
        TLS(verify=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="verify"):
        TLS(verify=0)  # type: ignore[arg-type]


def test_versions(cmp: Server, web: Identity, pki: PKI) -> None:
    root = pki.root.certificate
    old = server_context(web, maximum_version=ssl.TLSVersion.TLSv1_2)
    with WebServer(cmp, old) as server:
        assert enroll(server.url(), root)
        assert server.versions == ["TLSv1.2"]
        assert "protocol version" in refusal(server.url(), TLS(trusted=root, minimum_version="TLSv1.3"))
    with WebServer(cmp, server_context(web)) as server:
        tls = TLS(trusted=root, maximum_version="TLSv1.2", ciphers="ECDHE-ECDSA-AES256-GCM-SHA384:!aNULL")
        assert enroll(server.url(), tls)
        assert enroll(server.url(), TLS(trusted=root, ciphersuites="TLS_CHACHA20_POLY1305_SHA256"))
        assert server.versions == ["TLSv1.2", "TLSv1.3"]
        assert server.ciphers == ["ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_CHACHA20_POLY1305_SHA256"]


def test_existing_context(https: WebServer, pki: PKI) -> None:
    """A raw SSL_CTX with a policy of its own; we keep a reference."""
    lib, ffi = osslcmp.lib, osslcmp.ffi
    ctx = lib.SSL_CTX_new(lib.TLS_client_method())
    assert lib.SSL_CTX_set_max_proto_version(ctx, lib.TLS1_2_VERSION)
    assert lib.SSL_CTX_load_verify_file(ctx, os.fsencode(pki.root.cert_file))
    cmp_client = client(https.url(), TLS(context=ctx))
    other = client(https.url(), TLS(context=ctx, host="other.example"))
    lib.SSL_CTX_free(ctx)
    gc.collect()
    assert cmp_client.ir(KEY, subject="CN=me")
    assert https.versions == ["TLSv1.2"]
    # Verification and host name are on, though this SSL_CTX does not say so.
    with pytest.raises(osslcmp.TransferError, match="hostname mismatch"):
        other.ir(KEY, subject="CN=me")
    with pytest.raises(TypeError, match="SSL_CTX pointer"):
        client(https.url(), TLS(context=ffi.NULL))
    with pytest.raises(TypeError, match="SSL_CTX pointer"):
        client(https.url(), TLS(context=ffi.new("int *")))


def test_openssl_transfer(https: WebServer, pki: PKI) -> None:
    """The callback serves OpenSSL's own OSSL_CMP_MSG_http_perform as well."""
    lib, ffi = osslcmp.lib, osslcmp.ffi
    for trusted, ok in ((pki.root.certificate, True), (pki.other_root.certificate, False)):
        context = secret_context()
        context.set_server("localhost")
        context.set_server_port(https.port)
        context.set_server_path("/pkix")
        context.set_tls(trusted)
        context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_MSG_http_perform"))
        context.set_new_pkey(KEY)
        context.set_subject_name("CN=me")
        if ok:
            assert context.exec_ir_ses().subject.rfc4514_string() == "CN=me"
            assert https.names == ["localhost"] * https.connections
        else:
            with pytest.raises(osslcmp.TransferError, match="self-signed certificate"):
                context.exec_ir_ses()


def test_plain_again(https: WebServer, cmp: Server, pki: PKI) -> None:
    """A context goes from https to http and back."""
    with WebServer(cmp) as http:
        context = secret_context()
        context.set_server("127.0.0.1")
        for server in (https, http, https):
            context.set_tls(pki.root.certificate if server is https else None)
            context.set_server_port(server.port)
            context.push_genm_itav(osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17")))
            assert context.exec_genm_ses()
            context.reinit()
        assert (https.connections, http.connections) == (2, 1)


# -- our own certificate -----------------------------------------------------------------------------------


@pytest.fixture(params=["TLSv1.2", "TLSv1.3"])
def mutual(request: pytest.FixtureRequest, cmp: Server, web: Identity, pki: PKI) -> Iterator[WebServer]:
    """A server that wants a certificate, with either version of TLS: 1.3 refuses after our handshake."""
    context = server_context(web, verify_mode=ssl.CERT_REQUIRED)
    context.load_verify_locations(pki.root.cert_file)
    version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[request.param]
    context.minimum_version = context.maximum_version = version
    with WebServer(cmp, context) as server:
        yield server


def test_client_certificate(mutual: WebServer, pki: PKI) -> None:
    me, root = pki.client, pki.root.certificate
    for how in (
        {"certificate": me.certificate, "key": me.key, "chain": me.chain[:1]},
        {"certificate": me.full_chain_file, "key": me.key_file},
        {"certificate": cert_pem(me.certificate), "key": f"file:{me.key_file}", "chain": me.chain_file},
    ):
        assert enroll(mutual.url(), TLS(trusted=root, **how))
    # The trust store completes the chain.
    assert enroll(
        mutual.url(),
        TLS(trusted=[root, pki.issuing.certificate], certificate=me.certificate, key=me.key),
    )
    der = me.certificate.public_bytes(Encoding.DER)
    assert mutual.peers == [der] * 4


def test_client_certificate_missing(mutual: WebServer, pki: PKI) -> None:
    told = refusal(mutual.url(), pki.root.certificate)
    # TLS 1.2 has no alert of its own for it.
    assert "certificate required" in told or "handshake failure" in told
    assert mutual.requests == []


@pytest.mark.parametrize("who", ["expired_client", "other_client"])
def test_client_certificate_refused(who: str, mutual: WebServer, pki: PKI) -> None:
    me: Identity = getattr(pki, who)
    tls = TLS(trusted=pki.root.certificate, certificate=me.full_chain_file, key=me.key_file)
    told = refusal(mutual.url(), tls)
    assert "alert" in told
    assert "expired" in told if who == "expired_client" else "unknown ca" in told


# -- threads, forks, lifetimes -----------------------------------------------------------------------------


def test_threads_share_a_client(https: WebServer, pki: PKI) -> None:
    cmp_client = client(https.url("localhost"), pki.root.certificate)

    def work(number: int) -> str:
        done = [cmp_client.ir(KEY, subject=f"CN={number} {turn}").certificate for turn in range(10)]
        return done[-1].subject.rfc4514_string()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [f"CN={number} 9" for number in range(8)]
    assert https.connections == 80


@pytest.mark.filterwarnings(
    "ignore:This process:DeprecationWarning"
)  # the server's threads; an error from 3.15 on
def test_fork(https: WebServer, pki: PKI) -> None:
    """A child that goes its own way does not disturb its parent's connection, and can use the client."""
    cmp_client = client(https.url(), pki.root.certificate)
    context = secret_context()
    context.set_server("127.0.0.1")
    context.set_server_port(https.port)
    context.set_tls(pki.root.certificate)
    context.set_new_pkey(KEY)
    context.set_subject_name("CN=me")
    codes: list[int] = []

    def in_between(*_: object) -> None:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                try:
                    context.disconnect()
                except RuntimeError:
                    own = cmp_client.ir(KEY, subject="CN=child").certificate
                    status = 0 if own.subject.rfc4514_string() == "CN=child" else 2
                context.__dict__.clear()  # the session, and with it the connection
                gc.collect()
            finally:
                os._exit(status)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    context.set_cert_conf_cb(in_between)
    # The connection is open while the callback runs: certConf goes over it.
    assert context.exec_ir_ses().subject.rfc4514_string() == "CN=me"
    assert codes == [0]
    assert https.connections == 2


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_lifetimes(https: WebServer, pki: PKI) -> None:
    """Contexts and clients that go while connections are open leave nothing."""
    before = open_files()
    for _ in range(20):
        transaction = client(https.url(), pki.root.certificate).begin("ir", key=KEY, subject="CN=me")
        assert transaction.done
        del transaction
        context = osslcmp.Context()
        context.set_server("127.0.0.1")
        context.set_tls(pki.root.certificate)
        del context
    gc.collect()
    deadline = time.monotonic() + 10
    while open_files() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_files() <= before


# -- the command of OpenSSL as the other client ------------------------------------------------------------


@pytest.mark.peer
def test_openssl_cmp_gets_the_same(https: WebServer, pki: PKI, tmp_path: Path) -> None:
    """`openssl cmp -tls_used` takes and refuses the same servers."""
    common: list[str | Path] = [
        "cmp",
        "-cmd",
        "ir",
        "-server",
        f"127.0.0.1:{https.port}",
        "-path",
        "pkix",
        "-tls_used",
    ]
    common += ["-ref", "ref", "-secret", "pass:secret", "-newkey", pki.client.key_file, "-subject", "/CN=me"]
    common += ["-certout", tmp_path / "cert.pem", "-verbosity", "4"]
    openssl.run([*common, "-tls_trusted", pki.root.cert_file]).must()
    wrong = openssl.run([*common, "-tls_trusted", pki.other_root.cert_file])
    assert wrong.code != 0
    named = openssl.run([*common, "-tls_trusted", pki.root.cert_file, "-tls_host", "ca.example"])
    assert named.code != 0
