"""Paths to trust anchors: what ``openssl verify`` finds good is good here, and what is good by one of several paths."""

from __future__ import annotations

import datetime
import itertools
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.clients import certificate_request
from support.enrol import LOCAL, enroll
from support.forge import CR, Forger, read, sequence
from support.https import WebServer
from support.inprocess import Peer
from support.pki import DAY, PKI, Identity, cert_pem, make_crl, make_key, make_name

import osslcmp
from osslcmp import TLS, CertificateCheck, Client, FailureInfo
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Server

NOW = datetime.datetime.now(datetime.timezone.utc)


class Hierarchies:
    """A device below a CA that two roots have certified, and one below two roots of one name."""

    def __init__(self, pki: PKI) -> None:
        self.pki = pki
        self.a = pki.issue("root-a", ca=True)
        self.b = pki.issue("root-b", ca=True)
        key = make_key()
        name = make_name("crossed")
        self.below_a = pki.issue("below-a", self.a, ca=True, subject=name, key=key)
        self.below_b = pki.issue("below-b", self.b, ca=True, subject=name, key=key)
        self.late_b = pki.issue("late-b", self.b, ca=True, subject=name, key=key, starts=-9 * DAY, ends=-DAY)
        self.device = pki.issue("device", self.below_a, sans=LOCAL)
        self.others = [pki.issue(f"twin-{n}", ca=True, subject=make_name("twin")) for n in range(3)]
        self.twin_device = self.without_identifiers(self.others[1])

    def without_identifiers(self, issuer: Identity) -> Identity:
        """A device whose certificate does not say which key of that issuer has signed it."""
        key = make_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(make_name("twin-device"))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return Identity("twin-device", key, builder.sign(issuer.key, hashes.SHA256()), (), self.pki.directory)


@pytest.fixture(scope="module")
def made(pki: PKI) -> Hierarchies:
    return Hierarchies(pki)


def verified(
    folder: Path, device: Identity, trusted: Sequence[Identity], untrusted: Sequence[Identity], *options: str
) -> openssl.Run:
    """What ``openssl verify`` says."""
    (folder / "trusted.pem").write_bytes(cert_pem(one.certificate for one in trusted))
    (folder / "untrusted.pem").write_bytes(cert_pem(one.certificate for one in untrusted))
    words: list[Any] = ["verify", "-no-CApath", "-no-CAstore", *options, "-CAfile", folder / "trusted.pem"]
    if untrusted:
        words += ["-untrusted", folder / "untrusted.pem"]
    return openssl.run([*words, device.cert_file])


def check(trusted: Sequence[Identity], **conditions: Any) -> CertificateCheck:
    return CertificateCheck(trusted=[one.certificate for one in trusted], **conditions)


def test_any_path_of_cross_certificates(made: Hierarchies, tmp_path: Path) -> None:
    """In whatever order they come: as ``openssl verify`` says for some of them."""
    cas = (made.below_a, made.below_b, made.late_b)
    for trusted in ((made.a,), (made.b,), (made.a, made.b)):
        alone = {ca.name: verified(tmp_path, made.device, trusted, [ca]).code == 0 for ca in cas}
        for sent in itertools.chain.from_iterable(itertools.permutations(cas, n) for n in (1, 2, 3)):
            told = check(trusted).failure(made.device.certificate, [one.certificate for one in sent])
            assert (told is None) is any(alone[ca.name] for ca in sent), (trusted, sent)


def test_roots_of_one_name(made: Hierarchies) -> None:
    """Their keys tell them apart, where the certificate names none."""
    for trusted in itertools.permutations(made.others):
        assert check(trusted).failure(made.twin_device.certificate) is None
    assert check([made.others[0], made.others[2]]).failure(made.twin_device.certificate) is not None


def test_another_of_the_name_is_trusted(made: Hierarchies) -> None:
    """A CA of the same name with another key does not keep the good path from being found, in whatever order they come."""
    decoy = made.pki.issue("decoy", ca=True, subject=made.below_a.subject)
    for trusted in itertools.permutations([decoy, made.below_b, made.below_a, made.a]):
        assert check(trusted).failure(made.device.certificate) is None, [one.name for one in trusted]


def crl(issuer: Identity, *revoked: Identity) -> x509.CertificateRevocationList:
    return make_crl(issuer, *(one.certificate.serial_number for one in revoked))


def test_a_revoked_path_does_no_harm(made: Hierarchies) -> None:
    """If there is another one."""
    crls = [crl(made.a, made.below_a), crl(made.b), crl(made.below_a)]
    both = [made.below_a.certificate, made.below_b.certificate]
    for sent in (both, both[::-1]):
        assert (
            check([made.a, made.b], crls=crls, crl_check="all").failure(made.device.certificate, sent) is None
        )
    told = check([made.a], crls=crls, crl_check="all").failure(made.device.certificate, both)
    assert told is not None
    assert "revoked" in told


def test_what_is_wrong_is_told_as_before(made: Hierarchies) -> None:
    """Where no path is good."""
    sent = [made.late_b.certificate, made.below_a.certificate]
    assert "has expired for CN=crossed" in str(check([made.b]).failure(made.device.certificate, [sent[0]]))
    assert check([made.b]).failure(made.device.certificate, sent) is not None


def policies(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
    )


@dataclass
class Situation:
    """A device, the CAs between it and the anchors, and the CRLs that are at hand."""

    device: Identity
    untrusted: Sequence[Identity]
    trusted: Sequence[Identity]
    crls: Sequence[x509.CertificateRevocationList] = ()


P, Q, ANY = "1.2.3.4", "1.2.3.5", "2.5.29.32.0"
SANS = [
    x509.DNSName("device.example"),
    x509.RFC822Name("a@device.example"),
    x509.IPAddress(ip_address("127.0.0.1")),
]


def situations(pki: PKI) -> dict[str, Situation]:
    """Devices of every sort."""
    a, b = pki.issue("sit-a", ca=True), pki.issue("sit-b", ca=True)
    ca = pki.issue("sit-ca", a, ca=True, more=[policies(P)])
    lower = pki.issue("sit-lower", ca, ca=True, more=[policies(P)])
    device = pki.issue("sit-device", ca, sans=SANS, purposes=[CLIENT], more=[policies(P)])
    crls_ca = pki.issue("sit-crls", a, ca=True)
    points = [x509.DistributionPoint(None, None, None, [x509.DirectoryName(crls_ca.subject)])]
    listed = pki.issue("sit-listed", ca, more=[x509.CRLDistributionPoints(points)])
    mapping = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.33"), sequence(sequence(der.encode_oid(P), der.encode_oid(Q)))
    )
    any_ca, mapping_ca = (
        pki.issue(name, a, ca=True, more=more)
        for name, more in (("sit-any", [policies(ANY)]), ("sit-mapping", [policies(P), mapping]))
    )
    weak: Any = rsa.generate_private_key(65537, 1024)
    p384: Any = ec.generate_private_key(ec.SECP384R1())
    old = pki.issue("sit-old", ca, starts=-9 * DAY, ends=-DAY)
    forged = Identity("sit-forged", a.key, _spoiled(a.certificate), (), pki.directory)
    crls = [crl(a), crl(ca), crl(b)]
    return {
        "device": Situation(device, [ca], [a], crls),
        "anchor below": Situation(device, [], [ca], crls),
        "no anchor": Situation(device, [ca], [b], crls),
        "long": Situation(pki.issue("sit-far", lower, purposes=[SERVER]), [ca, lower], [a], crls),
        "any policy": Situation(pki.issue("sit-by-any", any_ca, more=[policies(P)]), [any_ca], [a]),
        "mapped": Situation(pki.issue("sit-mapped", mapping_ca, more=[policies(Q)]), [mapping_ca], [a]),
        "weak": Situation(pki.issue("sit-weak", ca, key=weak), [ca], [a]),
        "P-384": Situation(pki.issue("sit-p384", ca, key=p384), [ca], [a]),
        "expired": Situation(old, [ca], [a]),
        "CA of another": Situation(pki.issue("sit-leaf", device), [device, ca], [a]),
        "root's own signature": Situation(device, [ca], [forged]),
        "revoked": Situation(device, [ca], [a], [crl(a), crl(ca, device)]),
        "CA revoked": Situation(device, [ca], [a], [crl(a, ca), crl(ca)]),
        "old CRL": Situation(device, [ca], [a], [make_crl(ca, age=9 * DAY, ends=-DAY)]),
        "CRL of one CA": Situation(device, [ca], [a], [crl(ca)]),
        "delta": Situation(device, [ca], [a], [*numbered(ca, device), crl(a)]),
        "indirect, not asked": Situation(device, [ca, crls_ca], [a], [indirect(crls_ca)]),
        "indirect": Situation(listed, [ca, crls_ca], [a], [indirect(crls_ca, device)]),
        "revoked indirectly": Situation(listed, [ca, crls_ca], [a], [indirect(crls_ca, listed)]),
    }


CLIENT, SERVER = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"


def _spoiled(certificate: x509.Certificate) -> x509.Certificate:
    """With a signature that is not its own."""
    encoding = bytearray(certificate.public_bytes(Encoding.DER))
    encoding[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(encoding))


def _crl_builder(issuer: Identity) -> x509.CertificateRevocationListBuilder:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return builder.last_update(NOW - DAY).next_update(NOW + DAY).add_extension(identifier, critical=False)


def numbered(issuer: Identity, revoked: Identity) -> list[x509.CertificateRevocationList]:
    """A CRL, and a delta to it that revokes a certificate."""
    entry = x509.RevokedCertificateBuilder().serial_number(revoked.certificate.serial_number)
    points = [x509.DistributionPoint([x509.DNSName("delta.example")], None, None, None)]
    whole = (
        _crl_builder(issuer)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(x509.FreshestCRL(points), critical=False)
    )
    delta = (
        _crl_builder(issuer)
        .add_extension(x509.CRLNumber(2), critical=False)
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
        .add_revoked_certificate(entry.revocation_date(NOW - DAY).build())
    )
    return [one.sign(issuer.key, hashes.SHA256()) for one in (whole, delta)]


def indirect(signer: Identity, *revoked: Identity) -> x509.CertificateRevocationList:
    """A CRL that somebody makes for other CAs, too."""
    point = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    builder = _crl_builder(signer).add_extension(point, critical=True)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        issuer = x509.CertificateIssuer([x509.DirectoryName(one.certificate.issuer)])
        builder = builder.add_revoked_certificate(
            entry.revocation_date(NOW - DAY).add_extension(issuer, critical=True).build()
        )
    return builder.sign(signer.key, hashes.SHA256())


#: Settings of a check, and the options of ``openssl verify`` that say the same.
SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, ""),
    "partial chain": ({"partial_chain": True}, "-partial_chain"),
    "purpose": ({"purpose": "sslclient"}, "-purpose sslclient"),
    "other purpose": ({"purpose": "timestampsign"}, "-purpose timestampsign"),
    "purpose and name": ({"verify_name": "ssl_server"}, "-verify_name ssl_server"),
    "depth 0": ({"depth": 0}, "-verify_depth 0"),
    "depth 1": ({"depth": 1}, "-verify_depth 1"),
    "policy": ({"policies": [P]}, f"-policy {P}"),
    "other policy": ({"policies": [Q], "explicit_policy": True}, f"-policy {Q} -explicit_policy"),
    "policy check": ({"policy_check": True}, "-policy_check"),
    "explicit policy": ({"policies": [P], "explicit_policy": True}, f"-policy {P} -explicit_policy"),
    "inhibit any": (
        {"policies": [P], "explicit_policy": True, "inhibit_any": True},
        f"-policy {P} -explicit_policy -inhibit_any",
    ),
    "inhibit map": (
        {"policies": [P], "explicit_policy": True, "inhibit_map": True},
        f"-policy {P} -explicit_policy -inhibit_map",
    ),
    "earlier": ({"time": NOW - 5 * DAY}, f"-attime {int((NOW - 5 * DAY).timestamp())}"),
    "whenever": ({"no_check_time": True}, "-no_check_time"),
    "strict": ({"strict": True}, "-x509_strict"),
    **{f"level {n}": ({"auth_level": n}, f"-auth_level {n}") for n in (2, 4)},
    **{f"suite B {n}": ({"suite_b": n}, f"-suiteB_{n}") for n in ("128", "128_only", "192")},
    "CRL of the leaf": ({"crl_check": "leaf"}, "-crl_check"),
    "CRLs of all": ({"crl_check": "all"}, "-crl_check -crl_check_all"),
    "deltas": ({"crl_check": "leaf", "use_deltas": True}, "-crl_check -use_deltas"),
    "extended CRLs": ({"crl_check": "leaf", "extended_crl": True}, "-crl_check -extended_crl"),
    "signature of the root": ({"check_ss_signature": True}, "-check_ss_sig"),
    **{
        f"{name} {value}": ({name: value}, f"-verify_{'hostname' if name == 'host' else name} {value}")
        for name, value in (
            ("host", "device.example"),
            ("host", "DEVICE.example"),
            ("host", "other.example"),
            ("email", "a@device.example"),
            ("email", "b@device.example"),
            ("ip", "127.0.0.1"),
            ("ip", "127.0.0.2"),
        )
    },
}


@pytest.fixture(scope="module")
def sites(pki: PKI) -> dict[str, Situation]:
    return situations(pki)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(setting: str, sites: dict[str, Situation], pki: PKI, tmp_path: Path) -> None:
    """Each in every situation: ``openssl verify`` says the same in the same words, and whom it takes is taken as CMP
    server by ``Client``, as client by ``Server``."""
    conditions, options = SETTINGS[setting]
    ca = EmbeddedCA()
    for name, site in sites.items():
        words = options.split()
        if site.crls:
            (tmp_path / "crls.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in site.crls))
            words += ["-CRLfile", str(tmp_path / "crls.pem")]
        told = verified(tmp_path, site.device, site.trusted, site.untrusted, *words)
        found = check(site.trusted, **{"crls": site.crls, "crl_check": "none", **conditions})
        reason = re.search(r"lookup: *(.*)", told.text)
        failure = found.failure(site.device.certificate, [one.certificate for one in site.untrusted])
        assert (failure is None) == (told.code == 0), (name, failure, told.text)
        assert failure is None or (reason and failure.startswith(reason[1])), (name, failure, told.text)
        if isinstance(site.device.key, ec.EllipticCurvePrivateKey):
            assert answered(ca.server(trusted=found), site.device, *site.untrusted) == (not failure), name
        refusal = refused(found, site, pki)
        if reason is None or failure is None:
            assert refusal is None, name
        else:  # one that is late is no candidate: said in other words
            assert refusal is not None, name
            assert reason[1] in refusal or "has expired" in refusal or "not yet valid" in refusal, name


def refused(trusted: CertificateCheck, site: Situation, pki: PKI) -> str | None:
    """Why a device is not taken as CMP server."""
    cmp = Client(
        transport=Peer(pki, identity=site.device, secret=None),
        certificate=pki.enrolled.certificate,
        key=pki.enrolled.key,
        trusted=trusted,
        untrusted=[one.certificate for one in site.untrusted],
        server_usage=None,
    )
    try:
        cmp.ir(**certificate_request("ir", pki))
    except osslcmp.ProtectionError as error:
        return str(error)
    return None


def answered(server: Server, device: Identity, *chain: Identity) -> bool:
    """Whether a device gets a certificate; else it is not trusted."""
    assert isinstance(device.key, ec.EllipticCurvePrivateKey)
    forger = Forger(None, None, device.certificate, device.key, tuple(one.certificate for one in chain))
    answer = read(server.process(forger.request(CR)))
    assert answer.failure in (None, 0, FailureInfo.signerNotTrusted)
    return not answer.failure


def test_server_takes_any_path(made: Hierarchies) -> None:
    """Of cross certificates, and of roots of one name."""
    for roots in ([made.a], [made.b], [made.a, made.b]):
        for chain in ((made.below_a, made.below_b), (made.below_b, made.below_a)):
            assert answered(
                EmbeddedCA().server(trusted=[one.certificate for one in roots]), made.device, *chain
            )
    for trusted in itertools.permutations(made.others):
        assert answered(EmbeddedCA().server(trusted=[one.certificate for one in trusted]), made.twin_device)


def test_conditions_of_a_server_that_is_changed(made: Hierarchies) -> None:
    """New anchors keep the conditions; a new check replaces them. Its helping certificates help."""
    server = EmbeddedCA().server(trusted=check([made.a], crls=[crl(made.below_a, made.device)]))
    assert not answered(server, made.device, made.below_a)
    server.trusted = [made.a.certificate, made.b.certificate]
    assert server.trusted == (made.a.certificate, made.b.certificate)
    assert not answered(server, made.device, made.below_a)
    server.trusted = check([made.a], crls=[crl(made.below_a)], untrusted=made.below_a.certificate)
    assert answered(server, made.device)


def test_own_clients_under_conditions(made: Hierarchies) -> None:
    """Those of the authority itself, too."""
    ca = EmbeddedCA({"ref": "secret"})
    key = make_key()
    first = Client(transport=ca.server(), reference="ref", secret="secret").ir(key, subject="CN=x")
    for purpose, good in (("sslclient", True), ("timestampsign", False)):
        server = ca.server(trusted=CertificateCheck(trusted=ca.root, purpose=purpose))
        cmp = Client(
            transport=server, certificate=first.certificate, key=key, chain=first.chain, trusted=ca.root
        )
        if good:
            assert cmp.cr(make_key(), subject="CN=x").certificate
        else:
            with pytest.raises(osslcmp.RejectedError) as caught:
                cmp.cr(make_key(), subject="CN=x")
            assert FailureInfo.signerNotTrusted in caught.value.failure_info


def test_client_takes_any_path(made: Hierarchies, pki: PKI) -> None:
    """To the CMP server's certificate, and to that of a web server by TLS."""
    for chain in ([made.below_a, made.below_b], [made.below_b, made.below_a]):
        for root in (made.a, made.b):
            cmp = Client(
                transport=Peer(pki, identity=made.device, secret=None),
                certificate=pki.enrolled.certificate,
                key=pki.enrolled.key,
                chain=pki.issuing.certificate,
                trusted=root.certificate,
                untrusted=[one.certificate for one in chain],
            )
            assert cmp.ir(**certificate_request("ir", pki)).certificate == pki.enrolled.certificate


@pytest.fixture(scope="module")
def web(made: Hierarchies) -> Iterator[WebServer]:
    """A web server that sends both certificates of its CA."""
    site = Identity(
        "crossed-web", made.device.key, made.device.certificate,
        (made.below_b.certificate, made.below_a.certificate), made.pki.directory,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(site.full_chain_file, site.key_file)
    with WebServer(EmbeddedCA({"ref": "secret"}).server(), tls) as server:
        yield server


def test_any_path_by_tls(made: Hierarchies, web: WebServer) -> None:
    for root in (made.a, made.b):
        assert enroll(web.url(), TLS(trusted=root.certificate))
    with pytest.raises(osslcmp.TransferError, match="certificate verify failed"):
        enroll(web.url(), TLS(trusted=made.others[0].certificate))


def test_many_certificates_of_one_name(made: Hierarchies) -> None:
    """Cost a few signatures, and the good one is not always among those that are tried."""
    key = made.below_a.key
    many = [
        made.pki.issue(
            f"many-{n}", made.others[n % 3], ca=True, subject=made.below_a.subject, key=key
        ).certificate
        for n in range(40)
    ]
    der = [one.public_bytes(Encoding.DER) for one in many]
    assert check([made.a]).failure(made.device.certificate, der) is not None
    assert check([made.a]).failure(made.device.certificate, [made.below_a.certificate, *many]) is None
