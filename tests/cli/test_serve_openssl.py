"""``osslcmp serve`` as a process and the installed ``openssl cmp`` as its client: every request, over HTTP and HTTPS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from support import openssl
from support.persistent import opened
from support.pki import PKI, Identity
from support.serving import MAC, Peer, Served, Serving, client, get, load

import osslcmp
from osslcmp import RevocationReason
from osslcmp._asn1 import der

pytestmark = pytest.mark.peer

CONFIG = """
port = 0
directory = "{path}/ca"
client-trust = ["{root}"]
check-after = 0

[secrets]
second = "{path}/second"

[profiles.default]
[profiles.tls-server]
validity = "90d"
extended_key_usage = ["serverAuth"]
key_usage = ["digitalSignature"]
keys = ["P-256", "RSA"]
rsa_bits = 3072
subject = "O=osslcmp tests,CN=[a-z]+|CN=[a-z]+,O=osslcmp tests"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, pki: PKI) -> Iterator[Served]:
    """One server for this module, by HTTP."""
    path: Path = tmp_path_factory.mktemp("served")
    (path / "second").write_bytes(b"another secret")
    (path / "config.toml").write_text(CONFIG.format(path=path, root=pki.root.cert_file))
    with Serving(path) as serve:
        yield serve("--config", path / "config.toml")


@pytest.fixture
def peer(served: Served, tmp_path: Path) -> Peer:
    return Peer(served, tmp_path)


@pytest.fixture(params=["mac", "signature", "other root"])
def credentials(request: pytest.FixtureRequest, peer: Peer, pki: PKI) -> dict[str, Any]:
    """Whoever may ask: by a secret, by a certificate of ours, by one of ``--client-trust``."""
    if request.param == "mac":
        return MAC
    if request.param == "signature":
        return peer.signed_with(peer.enroll(**MAC))
    return {
        "cert": pki.client.cert_file,
        "key": pki.client.key_file,
        "extracerts": pki.client.chain_file,
        "trusted": peer.served.root,
        "subject": pki.client.slash_subject,
    }


@pytest.mark.parametrize("cmd", ["ir", "cr", "p10cr"])
def test_enrollment(peer: Peer, credentials: dict[str, Any], cmd: str) -> None:
    if cmd == "p10cr":
        # Who signs gets its own name.
        name = credentials.pop("subject", "/O=osslcmp tests/CN=new")
        credentials = {**credentials, "csr": openssl.new_csr(peer.path, name)[1]}
    certificate = load(peer.enroll(cmd, **credentials))
    with opened(peer.served.root.parent) as ca:
        record = ca.record(certificate)
    assert record is not None
    assert record.confirmed


def test_reference_of_the_file(peer: Peer) -> None:
    peer.enroll(name="second", ref="second", secret=b"another secret")
    told = peer.cmp(
        "ir", ref="second", secret=MAC["secret"], newkey=peer.key, subject="/CN=x", certout="x.pem"
    )
    assert "missing trust anchor" in told.must(1).text


def test_trust_is_learned(peer: Peer) -> None:
    """Under a shared secret caPubs brings what is in ``root.pem``."""
    peer.enroll(**MAC, cacertsout=peer.path / "ca.pem")
    assert load(peer.path / "ca.pem") == peer.served.anchor


def test_update_and_revocation(peer: Peer) -> None:
    """kur, rr, and the CRL by HTTP, which ``openssl verify`` understands."""
    old = peer.enroll(**MAC)
    new = peer.enroll("kur", **peer.signed_with(old))
    assert load(new).subject == load(old).subject
    peer.cmp("rr", **peer.signed_with(new), oldcert=old, revreason=4).must()
    for name in ("crl", "crl.pem"):
        (peer.path / name).write_bytes(get(f"{peer.served.base}/{name}"))
    crl = x509.load_pem_x509_crl((peer.path / "crl.pem").read_bytes())
    assert x509.load_der_x509_crl((peer.path / "crl").read_bytes()) == crl
    entry = crl.get_revoked_certificate_by_serial_number(load(old).serial_number)
    assert entry is not None
    assert (
        entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.superseded
    )
    check: list[str | Path] = [
        "verify",
        "-no-CApath",
        "-no-CAstore",
        "-crl_check",
        "-CRLfile",
        peer.path / "crl.pem",
    ]
    check += ["-CAfile", peer.served.root, "-untrusted", peer.issuer]
    assert "revoked" in openssl.run([*check, old]).must(2).text
    openssl.run([*check, new]).must()


def test_profile_by_path(peer: Peer) -> None:
    path = peer.enroll(label="/p/tls-server/initialization", **MAC)
    certificate = load(path)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 90
    request: dict[str, Any] = {**MAC, "newkey": peer.key, "certout": "x.pem", "subject": "/CN=not allowed!"}
    assert "badCertTemplate" in peer.cmp("ir", label="/p/tls-server", **request).must(1).text
    assert "unacceptedPolicy" in peer.cmp("ir", label="/p/nothing", **request).must(1).text
    assert peer.cmp("ir", label="/keyupdate", **request).must(1)


def test_profile_by_header(peer: Peer) -> None:
    """From 3.3 the command names it in the message; older ones say that they cannot."""
    request: dict[str, Any] = {
        **MAC,
        "newkey": peer.key,
        "subject": "/O=osslcmp tests/CN=x",
        "certout": "x.pem",
    }
    done = peer.cmp("ir", **request, profile="tls-server")
    if "profile" in openssl.cmp_options():
        done.must()
        usage = load(peer.path / "x.pem").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    else:
        assert "profile" in done.must(1).text


def test_general_messages(peer: Peer, credentials: dict[str, Any]) -> None:
    """caCerts, rootCaCert, CRL and template, as far as this release asks for them."""
    known = openssl.cmp_options()
    cas = {"cacertsout": "cas.pem"} if openssl.version() >= (3, 2, 0) else {}
    assert "received GENP" in peer.cmp("genm", **credentials, infotype="caCerts", **cas).must().text
    if cas:
        found = x509.load_pem_x509_certificates((peer.path / "cas.pem").read_bytes())
        issuer = x509.load_der_x509_certificate(get(f"{peer.served.base}/issuer"))
        assert issuer in found
    if "oldwithold" in known:
        ask: dict[str, Any] = {"oldwithold": peer.served.root, "newwithnew": "new.pem"}
        told = peer.cmp("genm", **credentials, infotype="rootCaCert", **ask).must().text
        assert "o root CA certificate update" in told
    if "crlout" in known:
        certificate = peer.enroll(**MAC)
        ask = {"crlcert": certificate, "crlout": "crl.der"}
        peer.cmp("genm", **credentials, infotype="crlStatusList", **ask).must()
        crl = x509.load_der_x509_crl((peer.path / "crl.der").read_bytes())
        assert crl.issuer == load(certificate).issuer
    if "template" in known:
        ask = {"template": "t.der", "keyspec": "k.der"}
        peer.cmp("genm", label="/p/tls-server", **credentials, infotype="certReqTemplate", **ask).must()
        assert der.encode_oid("1.2.840.10045.3.1.7") in (peer.path / "k.der").read_bytes()
        assert (
            der.encode_oid(ExtendedKeyUsageOID.SERVER_AUTH.dotted_string)
            in (peer.path / "t.der").read_bytes()
        )


def test_refusals(peer: Peer) -> None:
    """Each names what is wrong."""
    request: dict[str, Any] = {"newkey": peer.key, "subject": "/CN=x", "certout": "x.pem"}
    told = peer.cmp("ir", ref="nobody", secret=b"x", trusted=peer.served.root, **request).must(1)
    assert "received error" in told.text
    old = peer.enroll(**MAC)
    assert "wrongIntegrity" in peer.cmp("rr", **MAC, oldcert=old).must(1).text
    mine = peer.signed_with(old)
    peer.cmp("rr", **mine, oldcert=old).must()
    assert "certRevoked" in peer.cmp("rr", **mine, oldcert=old).must(1).text
    with opened(peer.served.root.parent) as ca:
        record = ca.record(load(old))
    assert record is not None
    assert record.revoked is RevocationReason.unspecified


# -- HTTPS -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, pki: PKI, web: Identity) -> Iterator[Served]:
    """One server for this module, by HTTPS: clients need a certificate of the tests' root."""
    path: Path = tmp_path_factory.mktemp("secure")
    with Serving(path) as serve:
        yield serve(
            *("--tls-cert", web.full_chain_file, "--tls-key", web.key_file),
            *("--tls-trust", pki.root.cert_file),
        )


def over_tls(pki: PKI) -> dict[str, Any]:
    """Options of a client with a certificate for TLS."""
    return {
        "tls_used": True,
        "tls_trusted": pki.root.cert_file,
        "tls_cert": pki.client.full_chain_file,
        "tls_key": pki.client.key_file,
    }


@pytest.mark.parametrize("keep_alive", [0, 1, 2])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_keep_alive(
    scheme: str, keep_alive: int, served: Served, secure: Served, pki: PKI, tmp_path: Path
) -> None:
    """A connection for each message, or one for all of a transaction: asked for (1) or insisted upon (2), by HTTP/1.0."""
    always = over_tls(pki) if scheme == "https" else {}
    peer = Peer(secure if scheme == "https" else served, tmp_path, keep_alive=keep_alive, **always)
    mine = peer.enroll(**MAC)
    new = peer.enroll("kur", **peer.signed_with(mine))
    peer.cmp("rr", **peer.signed_with(new), oldcert=mine).must()


def test_tls_every_request(secure: Served, pki: PKI, tmp_path: Path) -> None:
    peer = Peer(secure, tmp_path, **over_tls(pki))
    old = peer.enroll(**MAC)
    new = peer.enroll("kur", **peer.signed_with(old))
    peer.enroll("p10cr", csr=openssl.new_csr(peer.path, "/O=osslcmp tests/CN=csr")[1], **MAC)
    peer.cmp("rr", **peer.signed_with(new), oldcert=old).must()
    peer.cmp("genm", **MAC, infotype="signKeyPairTypes").must()


def test_tls_without_a_certificate(secure: Served, pki: PKI, tmp_path: Path) -> None:
    bare = {**over_tls(pki), "tls_cert": None, "tls_key": None}
    peer = Peer(secure, tmp_path, **bare)
    peer.cmp("ir", **MAC, newkey=peer.key, subject="/CN=x", certout="x.pem").must(1)
    assert not (tmp_path / "x.pem").exists()


def test_tls_with_a_strangers_certificate(secure: Served, pki: PKI, tmp_path: Path) -> None:
    other = {"tls_cert": pki.other_server.full_chain_file, "tls_key": pki.other_server.key_file}
    peer = Peer(secure, tmp_path, **{**over_tls(pki), **other})
    peer.cmp("ir", **MAC, newkey=peer.key, subject="/CN=x", certout="x.pem").must(1)
    assert not (tmp_path / "x.pem").exists()


def test_tls_our_client_and_the_crl(secure: Served, pki: PKI) -> None:
    """With our own client, and downloads by HTTPS."""
    tls = osslcmp.TLS(
        trusted=pki.root.certificate, certificate=pki.client.full_chain_file, key=pki.client.key
    )
    mine = client(secure.url, tls=tls)
    enrollment = mine.ir(pki.enrolled.key, subject="CN=x")
    certificate = enrollment.certificate
    osslcmp.Client(
        secure.url,
        tls=tls,
        certificate=certificate,
        key=pki.enrolled.key,
        chain=enrollment.chain,
        trusted=enrollment.ca_pubs,
        message_timeout=20,
    ).rr()
    context = ssl.create_default_context(cafile=str(pki.root.cert_file))
    context.load_cert_chain(pki.client.full_chain_file, pki.client.key_file)
    crl = x509.load_der_x509_crl(get(f"{secure.base}/crl", context=context))
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
