"""What ``osslcmp serve`` gives to whom, asked for by the installed ``openssl cmp`` over HTTP."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID
from support import openssl
from support.openssl import Run
from support.persistent import opened
from support.pki import DAY, PKI, Identity, make_crl, make_key
from support.serving import MAC, REFERENCE, Peer, Served, Serving, load, write_certificates

import osslcmp
from osslcmp.cli import main
from osslcmp.server.ca import issuing
from osslcmp.server.ca.signing import Signing

pytestmark = pytest.mark.peer

RA = "1.3.6.1.5.5.7.3.28"
CONFIG = """
port = 0
directory = "{path}/ca"
client-trust = ["{root}"]
tls-cert = "{tls_cert}"
tls-key = "{tls_key}"

[secrets]
second = "{path}/second"

[clients.bound]
secret-file = "{path}/second"
subject = 'CN=bound(-[0-9]+)?|bound\\.example'
profile = "responder"

[clients."*"]
secret-file = "{path}/anybody"
subject = 'CN=any-[a-z]+'

[profiles.responder]
extended_key_usage = ["OCSPSigning"]

[profiles.ra]
extended_key_usage = ["cmcRA"]

[profiles.free]
names = "any"
policies = ["1.2.3.4"]

[profiles.wild]
[profiles.wild.sans]
dns = ['\\*\\.example', 'localhost']
"""
LOOPBACK = ipaddress.ip_address("127.0.0.1")
SECOND: dict[str, Any] = {"ref": "second", "secret": b"another secret"}
BOUND: dict[str, Any] = {"ref": "bound", "secret": b"another secret"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, pki: PKI) -> Iterator[Served]:
    """One server for this module, by HTTPS."""
    path = tmp_path_factory.mktemp("served")
    (path / "second").write_bytes(b"another secret")
    (path / "anybody").write_bytes(b"for anybody")
    names = [x509.DNSName("cmp.example"), x509.DNSName("tls.example"), x509.IPAddress(LOOPBACK)]
    tls = pki.issue("cmp.example", pki.issuing, sans=names)
    (path / "config.toml").write_text(
        CONFIG.format(path=path, root=pki.root.cert_file, tls_cert=tls.full_chain_file, tls_key=tls.key_file)
    )
    with Serving(path) as serve:
        yield serve("--config", path / "config.toml", "--strictness", "rfc9810")


@pytest.fixture
def peer(served: Served, tmp_path: Path, pki: PKI) -> Peer:
    return Peer(served, tmp_path, tls_used=True, tls_trusted=pki.root.cert_file, certout="got.pem")


def csr(peer: Peer, subject: str, *extensions: str) -> tuple[Path, Path]:
    """Made by ``openssl req``."""
    key, request = peer.path / "csr.key", peer.path / "csr.pem"
    words: list[str | Path] = ["req", "-new", "-noenc", "-config", os.devnull, "-newkey", "ec"]
    words += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", subject, "-keyout", key, "-out", request]
    for extension in extensions:
        words += ["-addext", extension]
    openssl.run(words).must()
    return key, request


def ask(peer: Peer, subject: str, *extensions: str, label: str = "", **credentials: Any) -> Run:
    """A p10cr."""
    request = csr(peer, subject, *extensions)[1]
    return peer.cmp("p10cr", label=label, csr=request, **{**MAC, **credentials})


def refused(run: Run, words: str, failure: str = "badCertTemplate") -> None:
    assert words in run.must(1).text
    assert failure in run.text


def signing(served: Served, who: Identity) -> dict[str, Any]:
    return {
        "ref": None,
        "secret": None,
        "cert": who.cert_file,
        "key": who.key_file,
        "extracerts": who.chain_file,
        "trusted": served.root,
    }


@pytest.mark.parametrize(
    "usage",
    [
        "OCSPSigning",
        "timeStamping",
        "codeSigning",
        "anyExtendedKeyUsage",
        "serverAuth,1.3.6.1.5.5.7.3.36",
        "clientAuth,1.3.6.1.4.1.311.20.2.2",
    ],
)
def test_powerful_usages(peer: Peer, usage: str) -> None:
    refused(ask(peer, "/CN=usage", f"extendedKeyUsage={usage}"), "only by profile")


@pytest.mark.parametrize("number", [27, 28, 29, 32])
def test_usages_of_cmp(peer: Peer, number: int) -> None:
    refused(ask(peer, "/CN=usage", f"extendedKeyUsage=1.3.6.1.5.5.7.3.{number}"), "CMP authorities")


def test_usages_that_anybody_may_have(peer: Peer) -> None:
    ask(peer, "/CN=usage", "extendedKeyUsage=serverAuth,clientAuth,emailProtection,1.2.3.4").must()


def test_usages_by_profile(peer: Peer) -> None:
    for label, oid in (("responder", "1.3.6.1.5.5.7.3.9"), ("ra", RA)):
        ask(peer, f"/CN=by {label}", label=f"/p/{label}").must()
        usages = load(peer.path / "got.pem").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert [usage.dotted_string for usage in usages] == [oid]


@pytest.mark.parametrize(
    ("subject", "extensions"),
    [
        ("/CN=osslcmp root CA", ()),
        ("/CN=OSSLCMP  Issuing   ca ", ()),
        ("/O=x/CN=osslcmp CMP server", ()),
        ("/CN=cmp.example", ()),
        ("/CN=x", ("subjectAltName=DNS:CMP.example.",)),
        ("/CN=x", ("subjectAltName=DNS:ok.example,DNS:tls.example",)),
        ("/CN=x", ("subjectAltName=URI:https://tls.example:443/crl",)),
        ("/CN=x", ("subjectAltName=DNS:localhost",)),
        ("/CN=x", ("subjectAltName=IP:127.0.0.1",)),
        ("/CN=x", ("subjectAltName=IP:0:0:0:0:0:FFFF:127.0.0.1",)),
        ("/CN=127.0.0.1", ()),
    ],
)
def test_names_of_the_ca(peer: Peer, subject: str, extensions: tuple[str, ...]) -> None:
    refused(ask(peer, subject, *extensions), "a name of the CA or of its server")


def test_names_of_the_ca_in_other_string_types(peer: Peer) -> None:
    """Compared as RFC 5280 says: types do not count, nor do case and spaces."""
    for filter_ in ("MASK:0x0800", "MASK:0x2000", "MASK:0x0002"):  # BMPString, UTF8String, PrintableString
        config = peer.path / "req.cnf"
        config.write_text(
            f"[req]\nstring_mask={filter_}\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=osslcmp ROOT  CA\n"
        )
        request = peer.path / "typed.pem"
        openssl.run(["req", "-new", "-key", peer.key, "-config", config, "-out", request]).must()
        refused(peer.cmp("p10cr", csr=request, **MAC), "a name of the CA")


@pytest.mark.parametrize(
    ("subject", "sans", "words"),
    [
        ("/CN=x", "DNS:*", "wildcards"),
        ("/CN=x", "DNS:*.example", "wildcards"),
        ("/CN=x", "DNS:a*.example", "wildcards"),
        ("/CN=*.example", "DNS:a.example", "wildcards"),
        ("/CN=x", "DNS:.example", "no host name"),
        ("/CN=x", "DNS:a b", "no host name"),
        ("/CN=x", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@example", "accounts"),
    ],
)
def test_odd_names(peer: Peer, subject: str, sans: str, words: str) -> None:
    refused(ask(peer, subject, f"subjectAltName={sans}"), words)


def test_names_by_profile(peer: Peer) -> None:
    ask(peer, "/CN=wild", "subjectAltName=DNS:*.example,DNS:localhost", label="/p/wild").must()


def test_no_name_at_all(peer: Peer) -> None:
    refused(ask(peer, "/"), "neither a subject nor alternative names")
    ask(peer, "/", "subjectAltName=DNS:only.example").must()
    sans = load(peer.path / "got.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert sans.critical


def test_extensions_of_a_ca(peer: Peer) -> None:
    """Nothing that makes a CA, or speaks for this one."""
    refused(ask(peer, "/CN=ca", "basicConstraints=CA:TRUE"), "no CA certificates")
    refused(
        ask(peer, "/CN=ca", "nameConstraints=critical,permitted;DNS:example"),
        "2.5.29.30",
        "unacceptedExtension",
    )
    ask(
        peer,
        "/CN=ca",
        "keyUsage=digitalSignature,keyCertSign,cRLSign",
        "certificatePolicies=1.2.3",
        "authorityInfoAccess=OCSP;URI:http://evil.example",
        "crlDistributionPoints=URI:http://evil.example",
        "nameConstraints=permitted;DNS:example",
        "noCheck=ignored",
        "subjectKeyIdentifier=0102",
    ).must()
    got = load(peer.path / "got.pem")
    found = {extension.oid: extension.value for extension in got.extensions}
    assert set(found) == {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
    }
    usage = got.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    own = x509.SubjectKeyIdentifier.from_public_key(got.public_key())
    assert got.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value == own


def test_policies_by_profile(peer: Peer) -> None:
    ask(peer, "/CN=policy", "certificatePolicies=1.2.3", label="/p/free").must()
    policies = load(peer.path / "got.pem").extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [policy.policy_identifier.dotted_string for policy in policies] == ["1.2.3.4"]


def test_names_of_another_client(peer: Peer) -> None:
    """As long as its certificate is valid."""
    taken = "a name in a valid certificate of another client"
    peer.cmp(
        "ir", newkey=peer.key, subject="/CN=first/O=x", sans="first.example", chainout=peer.issuer, **MAC
    ).must()
    mine = peer.path / "mine.pem"
    mine.write_bytes((peer.path / "got.pem").read_bytes())
    for subject, extensions in (
        ("/CN=First", ()),
        ("/CN=first.example", ()),
        ("/CN=other", ("subjectAltName=DNS:FIRST.example",)),
    ):
        refused(ask(peer, subject, *extensions, **SECOND), taken)
    peer.cmp("ir", newkey=peer.key, subject="/CN=first", **MAC).must()  # who has it may have it twice
    again = load(peer.path / "got.pem")
    peer.cmp("rr", **peer.signed_with(mine), oldcert=mine).must()
    refused(ask(peer, "/CN=first", **SECOND), taken)
    second = write_certificates(peer.path / "again.pem", again)
    peer.cmp("rr", **peer.signed_with(second), oldcert=second).must()
    ask(peer, "/CN=first", **SECOND).must()


def test_who_signs_gets_its_own_names(peer: Peer, pki: PKI) -> None:
    me = pki.issue("device-7", pki.issuing, sans=[x509.DNSName("device-7.example")])
    mine, name = signing(peer.served, me), me.slash_subject
    refused(ask(peer, "/CN=device-8", **mine), "the subject is not that of the certificate that signs")
    refused(
        ask(peer, name, "subjectAltName=DNS:device-8.example", **mine), "not in the certificate that signs"
    )
    ask(peer, name, "subjectAltName=DNS:device-7.example", **mine).must()
    ask(peer, "/CN=whoever", label="/p/free", **mine).must()
    ra = pki.issue("ra", pki.issuing, purposes=[RA])
    ask(peer, "/CN=device-9", "subjectAltName=DNS:device-9.example", **signing(peer.served, ra)).must()
    stranger = pki.issue("device-9", pki.issuing, subject=load(peer.path / "got.pem").subject)
    refused(ask(peer, "/CN=device-9", **signing(peer.served, stranger)), "of another client")


def test_update_keeps_the_names(peer: Peer, pki: PKI) -> None:
    ra = signing(peer.served, pki.issue("ra", pki.issuing, purposes=[RA]))
    for by_ra in (False, True):  # what has been updated is not updated again
        old = peer.enroll(name="update", **MAC)
        who = ra if by_ra else peer.signed_with(old)
        run = peer.cmp("kur", newkey=peer.key, oldcert=old, subject="/CN=other", **{**MAC, **who})
        refused(run, "not that of the certificate that is updated")
        run = peer.cmp("kur", newkey=peer.key, oldcert=old, sans="other.example", **{**MAC, **who})
        refused(run, "not in the certificate that is updated")
        peer.cmp("kur", newkey=peer.key, oldcert=old, **{**MAC, **who}).must()


def test_a_reference_with_names_and_a_profile(peer: Peer) -> None:
    other = "the secret of this reference is not for this name"
    refused(ask(peer, "/CN=elsewhere", **BOUND), other)
    refused(ask(peer, "/CN=bound/O=x", **BOUND), other)
    refused(ask(peer, "/CN=bound", "subjectAltName=DNS:other.example", **BOUND), other)
    refused(ask(peer, "/", "subjectAltName=DNS:bound.example", **BOUND), other)
    refused(
        ask(peer, "/CN=bound", label="/p/free", **BOUND), "not the certificate profile", "unacceptedPolicy"
    )
    ask(peer, "/CN=bound-1", "subjectAltName=DNS:bound.example,DNS:bound-1", **BOUND).must()
    got = load(peer.path / "got.pem")
    assert got.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    with opened(peer.served.root.parent) as ca:
        row = ca.store.secret(b"bound")
    assert row is not None
    assert row.profile == "responder"


def test_any_reference(peer: Peer) -> None:
    """One secret for all references that have none of their own."""
    for reference in ("any-one", "any-two"):
        ask(peer, f"/CN={reference}", ref=reference, secret=b"for anybody").must()
    refused(ask(peer, "/CN=any-one", ref="any-two", secret=b"for anybody"), "of another client")
    refused(ask(peer, "/CN=x", ref="any-two", secret=b"for anybody"), "not for this name")
    ask(peer, "/CN=any-x", ref=REFERENCE, secret=b"for anybody").must(1)


# -- of their own server ---------------------------------------------------------------------------------------


def test_names_on_the_command_line(serve: Serving, tmp_path: Path) -> None:
    """Stay with the secret, until it is given anew."""
    served = serve("--names", "CN=device-[0-9]")
    mine = Peer(served, tmp_path / "peer", certout="got.pem")
    refused(ask(mine, "/CN=x"), "not for this name")
    ask(mine, "/CN=device-1").must()
    served.end()
    again = Served("--directory", serve.directory, "--port", "0")
    try:
        mine.served = again
        refused(ask(mine, "/CN=x"), "not for this name")
    finally:
        again.end()
    mine.served = serve()
    ask(mine, "/CN=x").must()


def test_crl_of_clients(serve: Serving, pki: PKI, tmp_path: Path) -> None:
    """An RA is withdrawn while the server runs; no CRL, no client."""
    ra = pki.issue("ra", pki.issuing, purposes=[RA])
    other = pki.issue("other-ra", pki.issuing, purposes=[RA])
    rootless = pki.issue("ra-of-root", pki.root, purposes=[RA])
    crl = tmp_path / "crl.pem"
    write_crl(crl, pki.issuing)
    served = serve("--client-trust", pki.root.cert_file, "--client-crl", crl, log=tmp_path / "log")
    peer = Peer(served, tmp_path / "peer", certout="got.pem")
    ask(peer, "/CN=one", **signing(served, ra)).must()
    refused(
        ask(peer, "/CN=one", **signing(served, rootless)), "unable to get certificate CRL", "signerNotTrusted"
    )
    write_crl(crl, pki.issuing, ra)
    refused(ask(peer, "/CN=two", **signing(served, ra)), "certificate revoked", "signerNotTrusted")
    old = peer.path / "got.pem"
    refused(peer.cmp("rr", **signing(served, ra), oldcert=old), "certificate revoked", "signerNotTrusted")
    refused(
        peer.cmp("genm", **signing(served, ra), infotype="signKeyPairTypes"),
        "certificate revoked",
        "signerNotTrusted",
    )
    ask(peer, "/CN=three", **signing(served, other)).must()
    crl.unlink()
    refused(ask(peer, "/CN=four", **signing(served, ra)), "certificate revoked", "signerNotTrusted")
    ask(peer, "/CN=five", **signing(served, other)).must()
    write_crl(crl, pki.issuing, days=-1)
    refused(ask(peer, "/CN=six", **signing(served, other)), "CRL has expired", "signerNotTrusted")
    ask(peer, "/CN=seven").must()  # those with a shared secret have nothing to do with it
    assert "crl.pem" in (tmp_path / "log").read_text()


def write_crl(path: Path, issuer: Identity, *revoked: Identity, days: int = 7) -> None:
    serials = [who.certificate.serial_number for who in revoked]
    crl = make_crl(issuer, *serials, age=2 * DAY, ends=days * DAY)
    draft = path.with_suffix(".new")
    draft.write_bytes(crl.public_bytes(serialization.Encoding.PEM))
    draft.replace(path)


def test_crl_files(serve: Serving, pki: PKI, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    crl = tmp_path / "crl.pem"
    for data, told in (
        (None, "crl.pem"),
        (b"x", "no CRL in PEM or DER"),
        (b"-----BEGIN X-----", "no CRL in PEM or DER"),
    ):
        if data is not None:
            crl.write_bytes(data)
        where = ["--directory", str(serve.directory), "--client-trust", str(pki.root.cert_file)]
        assert main(["serve", *where, "--client-crl", str(crl)]) == 1
        assert told in capfd.readouterr().err


def test_trust_in_no_ca(serve: Serving, pki: PKI, capfd: pytest.CaptureFixture[str]) -> None:
    where = ["serve", "--directory", str(serve.directory), "--client-trust"]
    assert main([*where, str(pki.client.cert_file)]) == 1
    assert "CN=client,O=osslcmp tests is no CA: give the root above it" in capfd.readouterr().err


def test_trust_in_a_ca_below(serve: Serving, tmp_path: Path) -> None:
    """A profile gives a CA certificate; what that CA issues is taken when it is named, which needs no root above it."""
    config = tmp_path / "ca.toml"
    config.write_text("[profiles.default]\nca_path_length = 0\n", encoding="ascii")
    served = serve("--config", str(config))
    key, constraints = make_key(), x509.BasicConstraints(ca=True, path_length=0)
    client = osslcmp.Client(served.url, reference=REFERENCE, secret=serve.secret.read_bytes().strip())
    wanted = [x509.Extension(constraints.oid, True, constraints)]
    sub = client.ir(key, subject="CN=sub", extensions=wanted)
    certificate, own = issuing.make_server_certificate(
        "device", sub.certificate, Signing(sub.certificate, key)
    )
    file = tmp_path / "sub.pem"
    file.write_bytes(sub.certificate.public_bytes(serialization.Encoding.PEM))
    chain = [sub.certificate, *sub.chain]
    for options, taken in (((), False), (("--client-trust", str(file)), True)):
        served.end()
        served = serve("--config", str(config), *options, log=tmp_path / "log")
        device = osslcmp.Client(
            served.url, certificate=certificate, key=own, chain=chain, trusted=serve.directory / "root.pem"
        )
        if taken:
            assert device.cr(make_key(), subject="CN=device").certificate
        else:
            with pytest.raises(osslcmp.RejectedError, match="CN=sub, a CA below this one"):
                device.cr(make_key(), subject="CN=device")
    assert "counts only" not in (tmp_path / "log").read_text()


def test_lost_seal(serve: Serving, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without the key there is no start, unless nothing needs it any more."""
    serve("--reference", "two", "--secret-file", serve.secret).end()
    seal = serve.directory / "seal.key"
    seal.unlink()
    assert main(["serve", "--directory", str(serve.directory), "--port", "0"]) == 1
    assert "seal.key is missing, and the database has 2 shared secrets" in capfd.readouterr().err
    assert not seal.exists()
    seal.write_bytes(b"short")
    assert main(["serve", "--directory", str(serve.directory), "--port", "0"]) == 1
    assert "32 octets" in capfd.readouterr().err
    seal.unlink()
    served = serve("--remove-reference", "two")
    ask(Peer(served, tmp_path / "peer", certout="got.pem"), "/CN=x").must()


def test_keys_and_delays(serve: Serving, tmp_path: Path) -> None:
    served = serve("--duplicate-keys", "refuse", "--delays", "1", "--check-after", "0", "--central-keys")
    peer = Peer(served, tmp_path / "peer", certout="got.pem")
    if openssl.version() >= (3, 3, 0):
        peer.enroll(**MAC)
    else:  # cannot wait for a pkiConf
        peer.enroll(**MAC, implicit_confirm=True)
    again = peer.cmp("ir", newkey=peer.key, subject="/CN=new", implicit_confirm=True, **MAC)
    refused(again, "there is a valid certificate for this key", "badCertTemplate")
