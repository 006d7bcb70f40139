"""Paths to trust anchors: what ``openssl verify`` finds good is good here, and what is good by one of several paths."""

from __future__ import annotations

import datetime
import itertools
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.clients import certificate_request
from support.enrol import LOCAL, enroll
from support.forge import CR, Forger, read
from support.https import WebServer
from support.inprocess import Peer
from support.pki import DAY, PKI, Identity, cert_pem, make_crl, make_key, make_name

import osslcmp
from osslcmp import TLS, CertificateCheck, Client, FailureInfo
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
) -> bool:
    """What ``openssl verify`` says."""
    (folder / "trusted.pem").write_bytes(cert_pem(one.certificate for one in trusted))
    (folder / "untrusted.pem").write_bytes(cert_pem(one.certificate for one in untrusted))
    words: list[Any] = ["verify", "-no-CApath", "-no-CAstore", *options, "-CAfile", folder / "trusted.pem"]
    if untrusted:
        words += ["-untrusted", folder / "untrusted.pem"]
    return openssl.run([*words, device.cert_file]).code == 0


def check(trusted: Sequence[Identity], **conditions: Any) -> CertificateCheck:
    return CertificateCheck(trusted=[one.certificate for one in trusted], **conditions)


def test_any_path_of_cross_certificates(made: Hierarchies, tmp_path: Path) -> None:
    """In whatever order they come: as ``openssl verify`` says for some of them."""
    cas = (made.below_a, made.below_b, made.late_b)
    for trusted in ((made.a,), (made.b,), (made.a, made.b)):
        alone = {ca.name: verified(tmp_path, made.device, trusted, [ca]) for ca in cas}
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


#: Conditions of a check, and the options of ``openssl verify`` that say the same.
CONDITIONS: dict[str, tuple[Callable[[Hierarchies], Sequence[Identity]], dict[str, Any], list[str]]] = {
    "nothing": (lambda h: [h.a], {}, []),
    "anchor below": (lambda h: [h.below_a], {}, []),
    "partial chain": (lambda h: [h.below_a], {"partial_chain": True}, ["-partial_chain"]),
    "purpose": (lambda h: [h.a], {"purpose": "sslclient"}, ["-purpose", "sslclient"]),
    "other purpose": (lambda h: [h.a], {"purpose": "timestampsign"}, ["-purpose", "timestampsign"]),
    "depth": (lambda h: [h.a], {"depth": 0}, ["-verify_depth", "0"]),
    "policy": (
        lambda h: [h.a],
        {"policies": ["1.2.3.4"], "explicit_policy": True},
        ["-policy", "1.2.3.4", "-explicit_policy"],
    ),
    "earlier": (
        lambda h: [h.a],
        {"time": NOW - 90 * DAY},
        ["-attime", str(int((NOW - 90 * DAY).timestamp()))],
    ),
    "whenever": (lambda h: [h.a], {"no_check_time": True}, ["-no_check_time"]),
    "strict": (lambda h: [h.a], {"strict": True}, ["-x509_strict"]),
    "level": (lambda h: [h.a], {"auth_level": 5}, ["-auth_level", "5"]),
    "no CRL": (lambda h: [h.a], {"crl_check": "leaf"}, ["-crl_check"]),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_conditions_for_clients(case: str, made: Hierarchies, tmp_path: Path) -> None:
    """``Server(trusted=CertificateCheck(...))`` takes whom ``openssl verify`` takes."""
    anchors, conditions, options = CONDITIONS[case]
    good = verified(tmp_path, made.device, anchors(made), [made.below_a], *options)
    assert (
        check(anchors(made), **conditions).failure(made.device.certificate, [made.below_a.certificate])
        is None
    ) is good
    server = EmbeddedCA().server(trusted=check(anchors(made), **conditions))
    assert answered(server, made.device, made.below_a) is good


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
