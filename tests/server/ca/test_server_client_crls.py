"""CRLs of vendors' CAs, whoever the authority is; and a CA with certificates of two roots."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import CR, Answer, Forger, now, read, sha256

from osslcmp import BodyType, CertificateCheck, FailureInfo
from osslcmp.server import ClientCRLs, EmbeddedCA, Rejected, Server
from osslcmp.server.ca import issuing

Pair = tuple[x509.Certificate, Any]
ISSUED = Rejected(FailureInfo.badRequest, "asked")
"""What the authority says to whom it is asked about."""


def certify(name: str, public: Any, issuer: Pair, *, ca: bool, days: int = 9) -> x509.Certificate:
    """A certificate for a key, valid for so many days from now on."""
    certificate, key = issuer
    usage = {"key_cert_sign": True, "crl_sign": True} if ca else {"digital_signature": True}
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - datetime.timedelta(days=9))
        .not_valid_after(now() + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(issuing.key_usage(**usage), critical=True)
        .sign(key, hashes.SHA256())
    )


class Vendor:
    """Two roots, a CA that both have certified, its client, and their CRLs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.roots = [issuing.make_ca(f"vendor root {number}", None, None) for number in (1, 2)]
        key = ec.generate_private_key(ec.SECP256R1())
        self.issuers = [certify("vendor CA", key.public_key(), root, ca=True) for root in self.roots]
        self.issuer: Pair = (self.issuers[0], key)
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = certify("device", own.public_key(), self.issuer, ca=False)
        self.client = Forger(None, None, certificate, own, tuple(self.issuers))
        self.files = [
            self.crl("issuer.crl", self.issuer),
            *(self.crl(f"root{n}.crl", root) for n, root in enumerate(self.roots)),
        ]

    def crl(self, name: str, issuer: Pair, *revoked: x509.Certificate) -> Path:
        """Write the CRL of a CA."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer[0].subject)
            .last_update(now() - datetime.timedelta(days=1))
            .next_update(now() + datetime.timedelta(days=9))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()), critical=False
            )
        )
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now()).build())
        file = self.path / name
        file.write_bytes(builder.sign(issuer[1], hashes.SHA256()).public_bytes(Encoding.PEM))
        return file

    def server(self, *trusted: x509.Certificate, **options: Any) -> Server:
        """A server that trusts both roots and has the CRLs."""
        roots = [root for root, _ in self.roots]
        crls = ClientCRLs(self.files, roots)
        ca = EmbeddedCA({"ref": "secret"}, policy=lambda _: ISSUED)
        return ca.server(trusted=[*roots, *trusted], client_crls=crls, **options)


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    """A fresh one."""
    return Vendor(tmp_path)


def ask(server: Server, client: Forger) -> Answer:
    """A cr."""
    return read(server.process(client.but(transaction_id=Forger().transaction_id).request(CR, name="device")))


def is_refused(answer: Answer, words: str) -> None:
    assert (answer.kind, FailureInfo(answer.failure)) == (BodyType.ERROR, FailureInfo.signerNotTrusted)
    assert words in answer.text


def test_revoked_by_the_vendor(vendor: Vendor) -> None:
    """From the message on that comes after the CRL; the authority is not asked."""
    server = vendor.server()
    assert ask(server, vendor.client).text == "asked"
    certificate = vendor.client.certificate
    assert certificate is not None
    vendor.crl("issuer.crl", vendor.issuer, certificate)
    is_refused(ask(server, vendor.client), "revoked")


def test_expired_and_revoked(vendor: Vendor) -> None:
    """Who is taken although it has expired is asked for in the CRLs all the same."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certify("device", key.public_key(), vendor.issuer, ca=False, days=-1)
    vendor.crl("issuer.crl", vendor.issuer, certificate)
    client = Forger(None, None, certificate, key, tuple(vendor.issuers))
    ca = EmbeddedCA({"ref": "secret"}, policy=lambda _: ISSUED)
    roots = [root for root, _ in vendor.roots]
    trusted = CertificateCheck(trusted=roots, no_check_time=True)
    server = ca.server(trusted=trusted, client_crls=ClientCRLs(vendor.files, roots))
    is_refused(ask(server, client), "revocation of the signer")


def test_clients_of_others(vendor: Vendor) -> None:
    """Who stands below another root needs no CRL of these."""
    ca = EmbeddedCA({"ref": "secret"})
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = read(ca.server().process(Forger().request(key=key))).certificate
    member = Forger(None, None, certificate, key, ca.chain)
    assert ask(vendor.server(ca.root), member).text == "asked"
    assert ask(vendor.server(), Forger()).text == "asked"


def test_two_roots(vendor: Vendor) -> None:
    """One good path is enough, whichever CA certificate is revoked and comes first."""
    for number, root in enumerate(vendor.roots):
        vendor.crl(f"root{number}.crl", root, vendor.issuers[number])
        for chain in (vendor.issuers, vendor.issuers[::-1]):
            assert ask(vendor.server(), vendor.client.but(chain=tuple(chain))).text == "asked"
        only = vendor.client.but(chain=(vendor.issuers[number],))
        is_refused(ask(vendor.server(), only), "a CA above the signer is revoked")
        vendor.crl(f"root{number}.crl", root)
    for number, root in enumerate(vendor.roots):
        vendor.crl(f"root{number}.crl", root, vendor.issuers[number])
    is_refused(ask(vendor.server(), vendor.client), "a CA above the signer is revoked")


@pytest.mark.parametrize("by_authority", [False, True])
@pytest.mark.parametrize("revoked", [False, True])
def test_confirmation_without_the_chain(vendor: Vendor, by_authority: bool, revoked: bool) -> None:
    """The CA certificates of the request count for the whole transaction, whoever has the CRLs."""
    crls = ClientCRLs(vendor.files, [root for root, _ in vendor.roots])
    ca = EmbeddedCA(client_crls=crls if by_authority else None)
    trusted = [ca.root, *(root for root, _ in vendor.roots)]
    server = ca.server(trusted=trusted, client_crls=None if by_authority else crls)
    response = server.process(vendor.client.request(CR, name="device"))
    issued = read(response).certificate
    assert issued is not None, read(response)
    if revoked:
        assert vendor.client.certificate is not None
        vendor.crl("issuer.crl", vendor.issuer, vendor.client.certificate)
    alone = vendor.client.but(chain=()).answering(response)
    answer = read(server.process(alone.cert_conf(sha256(issued))))
    if revoked:
        is_refused(answer, "revoked")
    else:
        assert answer.kind == BodyType.PKICONF, answer
