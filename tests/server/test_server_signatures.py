"""Clients that sign: trust given and withdrawn, intruders with certificates of their own."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import Forger, enroll, read, refused, sha256
from support.pki import PKI

from osslcmp import BodyType, FailureInfo
from osslcmp.server import EmbeddedCA, Server


@pytest.fixture
def ca() -> EmbeddedCA:
    return EmbeddedCA()


@pytest.fixture
def signing(pki: PKI, ca: EmbeddedCA) -> tuple[Server, Forger]:
    """A server that trusts the tests' PKI, and a client with a certificate of it."""
    client = Forger.signing(pki)
    return ca.server(trusted=[pki.root.certificate]), client


def test_signature(signing: tuple[Server, Forger], ca: EmbeddedCA) -> None:
    server, client = signing
    client, answer = enroll(server, client)
    # Signed below the root of the CA, for anybody to verify.
    assert answer.raw.extra_certs[0] == server.certificate.public_bytes(Encoding.DER)  # type: ignore[union-attr]
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
    assert ca.records[0].confirmed


def test_withdrawn_trust(signing: tuple[Server, Forger], pki: PKI) -> None:
    """A client that was accepted before is refused once its root is no longer trusted."""
    server, client = signing
    enroll(server, client)
    opened, answer = enroll(server, client.but(transaction_id=os.urandom(16)))
    server.trusted = [pki.other_root.certificate]
    refused(server, client.but(transaction_id=os.urandom(16)).request(), FailureInfo.signerNotTrusted)
    refused(server, opened.cert_conf(sha256(answer.certificate)), FailureInfo.badRequest)
    server.trusted = [pki.root.certificate]
    enroll(server, client.but(transaction_id=os.urandom(16)))


def test_untrusted_clients(signing: tuple[Server, Forger], pki: PKI, nothing_printed: None) -> None:
    """They are refused without a word on stderr, where OpenSSL 3.1 and later would tell about their certificates."""
    server, client = signing
    other = pki.issue("somebody", pki.other_root)
    assert isinstance(other.key, ec.EllipticCurvePrivateKey)
    for certificate in (other.certificate, pki.client.certificate):
        stranger = client.but(certificate=certificate, key=other.key)
        trusted = certificate == pki.client.certificate
        refused(
            server,
            stranger.but(transaction_id=os.urandom(16)).request(),
            FailureInfo.badMessageCheck if trusted else FailureInfo.signerNotTrusted,
        )
        enroll(server, client.but(transaction_id=os.urandom(16)))


def test_settings_changed_meanwhile(signing: tuple[Server, Forger], pki: PKI) -> None:
    """An open transaction goes on when trust is added."""
    server, client = signing
    client, answer = enroll(server, client)
    server.trusted = [pki.root.certificate, pki.other_root.certificate]
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


def test_intruder_with_a_certificate(signing: tuple[Server, Forger], pki: PKI) -> None:
    """Another trusted client cannot go on with a transaction that is not its own."""
    server, client = signing
    client, answer = enroll(server, client)
    other = pki.issue("intruder", pki.issuing)
    assert isinstance(other.key, ec.EllipticCurvePrivateKey)
    intruder = client.but(certificate=other.certificate, key=other.key)
    refused(server, intruder.cert_conf(sha256(answer.certificate)), FailureInfo.badMessageCheck)
    refused(server, intruder.error(), FailureInfo.badMessageCheck)
    same_name = pki.issue("impostor", pki.issuing, subject=pki.client.subject)
    assert isinstance(same_name.key, ec.EllipticCurvePrivateKey)
    impostor = client.but(certificate=same_name.certificate, key=same_name.key)
    refused(server, impostor.error(), FailureInfo.badMessageCheck)
    forged = client.but(key=other.key)
    refused(server, forged.cert_conf(sha256(answer.certificate)), FailureInfo.badMessageCheck)
    refused(server, forged.error(), FailureInfo.badMessageCheck)
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
