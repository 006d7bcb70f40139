"""Keys that the authority makes: sent encrypted for the certificate that signed the request, from OpenSSL 3.5 on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support import openssl, openssl_cmp
from support.authorities import Scripted
from support.forge import IR, Forger, read, refused, sequence
from support.persistent import opened
from support.pki import PKI, cert_pem, key_pem, make_key, make_name

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Issued, Server, waiting

MADE = osslcmp.features["central_key_generation"]
RSA_KEY = sequence(der.encode_oid("1.2.840.113549.1.1.1"), encode(der.NULL))


def only_made(test: Callable[..., None]) -> Callable[..., None] | None:
    """A test for releases that can make keys; of the others there are the first two."""
    return test if MADE else None


def authority(**options: Any) -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret"}, central_keys=True, **options)


def signing(ca: EmbeddedCA, transport: Any, kind: Any = "rsa", **options: Any) -> osslcmp.Client:
    """A client with a certificate of the CA for a key of this kind."""
    key = make_key(kind)
    own = osslcmp.Client(transport=transport, reference="ref", secret="secret").ir(key, subject="CN=me")
    return osslcmp.Client(
        transport=transport,
        certificate=own.certificate,
        key=key,
        chain=own.chain,
        trusted=ca.root,
        **options,
    )


def request(client: Forger, info: bytes | None = None) -> bytes:
    """An ir without a key, or with the mere algorithm of one."""
    template = [encode(explicit(5), make_name("forged").public_bytes())]
    if info is not None:
        template.append(encode(explicit(6), info, encode(der.BIT_STRING, b"\0")))
    certificate_request = sequence(der.encode_integer(0), sequence(*template))
    return client.message(IR, sequence(sequence(certificate_request)))


@pytest.mark.parametrize("info", [None, RSA_KEY])
def test_with_a_secret(info: bytes | None) -> None:
    """libcrypto encrypts for certificates only, and before 3.5 not at all; the client is told."""
    server = authority().server()
    failure = FailureInfo.badRequest if MADE else FailureInfo.badCertTemplate
    answer = refused(server, request(Forger(), info), failure, BodyType.IP)
    assert ("signed" if MADE else "none is made here") in answer.text
    assert server.open_transactions == 0


def test_not_offered() -> None:
    ca = EmbeddedCA({"ref": "secret"})
    if not MADE:
        refused(ca.server(), request(Forger()), FailureInfo.badCertTemplate, BodyType.IP)
        return
    with pytest.raises(osslcmp.RejectedError) as caught:
        signing(ca, ca.server()).cr(subject="CN=x", central_key=True)
    assert caught.value.failure_info == FailureInfo.badCertTemplate


@only_made
@pytest.mark.parametrize("polls", [0, 2])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_our_client(kind: Any, polls: int) -> None:
    ca = authority()
    client = signing(ca, ca.server(), kind)
    ca.policy = waiting(polls, 0) if polls else None
    enrollment = client.cr(subject="CN=new", central_key=True)
    assert enrollment.key is not None
    assert enrollment.key.public_key() == enrollment.certificate.public_key()
    record = ca.record(enrollment.certificate)
    assert record is not None
    assert record.confirmed


@only_made
def test_confirmed_elsewhere(tmp_path: Path) -> None:
    """Every message is answered by a server that knows what was before from the database, which has no key in it."""
    with opened(tmp_path, secrets={"ref": "secret"}, central_keys=True) as ca:
        enrollment = signing(ca, lambda message: ca.server().process(message), "ec").cr(
            subject="CN=new", central_key=True
        )
        assert isinstance(enrollment.key, ec.EllipticCurvePrivateKey)
        assert ca.records[1].confirmed
        private = enrollment.key.private_numbers().private_value.to_bytes(32, "big")
        for path in ca.directory.database_file.parent.iterdir():
            if path.is_file():
                assert private not in path.read_bytes()


@only_made
@pytest.mark.parametrize("info", [None, RSA_KEY])
def test_openssl(info: bytes | None, tmp_path: Path) -> None:
    """A certificate and a key for ``openssl cmp -centralkeygen``."""
    assert "centralkeygen" in openssl.cmp_options()
    ca = authority()
    key = make_key("rsa")
    own = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret").ir(key, subject="CN=me")
    for name, pem in (("key", key_pem(key)), ("own", cert_pem(own.certificate)), ("root", cert_pem(ca.root))):
        (tmp_path / f"{name}.pem").write_bytes(pem)
    (tmp_path / "issuing.pem").write_bytes(cert_pem(ca.issuer))
    with ca.server().serve() as running:
        openssl_cmp.cmp(
            "cr",
            running.url,
            cwd=tmp_path,
            cert="own.pem",
            key="key.pem",
            extracerts="issuing.pem",
            trusted="root.pem",
            subject="/CN=new",
            centralkeygen=True,
            newkeyout="new.key.pem",
            newkey=None if info is None else "key.pem",
            certout="new.pem",
        ).must()
    certificate = x509.load_pem_x509_certificate((tmp_path / "new.pem").read_bytes())
    new = load_pem_private_key((tmp_path / "new.key.pem").read_bytes(), None)
    assert new.public_key() == certificate.public_key()
    record = ca.record(certificate)
    assert record is not None
    assert record.confirmed


@only_made
def test_kinds_of_keys(pki: PKI) -> None:
    """The client may name the algorithm."""
    ca = authority()
    server = ca.server(trusted=[pki.root.certificate])
    client = Forger.signing(pki)
    answer = read(server.process(request(client, RSA_KEY)))
    assert answer.status == PKIStatus.accepted
    assert isinstance(ca.records[0].certificate.public_key(), rsa.RSAPublicKey)
    ed25519 = sequence(der.encode_oid("1.3.101.112"))
    other = client.but(transaction_id=bytes(16))
    refused(server, request(other, ed25519), FailureInfo.badCertTemplate, BodyType.IP)


@only_made
def test_authority_that_errs(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    """A key that is missing, is another's, or was not asked for."""
    client = Forger.signing(pki)
    certificate = pki.enrolled.certificate
    for answer, message in (
        (Issued(certificate), request(client)),
        (Issued(certificate, private_key=make_key()), request(client.but(transaction_id=bytes(16)))),
        (Issued(certificate, private_key=pki.enrolled.key), client.but(transaction_id=bytes(17)).request()),
    ):
        server = Server(
            Scripted(issue=answer),
            certificate=pki.server.certificate,
            key=pki.server.key,
            trusted=[pki.root.certificate],
        )
        refused(server, message, FailureInfo.systemFailure, BodyType.IP)
    assert len(caplog.records) == 3
    assert "private" in caplog.text
    assert "private_key" not in repr(Issued(certificate, private_key=make_key()))
