"""CA certificates by profile, and what those who have one cannot do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.conformance import certify
from support.forge import CR, Answer, Forger, now, read
from support.pki import make_key, make_name

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, RejectedError, RevocationReason
from osslcmp.server import ClientCRLs, EmbeddedCA, Server
from osslcmp.server.ca import crls, issuing
from osslcmp.server.ca.profiles import Profile
from osslcmp.server.ca.records import Signer

PROFILES = {"ca": Profile.from_table("ca", {"ca_path_length": 0}), "default": Profile()}


def authority(**options: Any) -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret"}, profiles=PROFILES, **options)


def wanted(*values: x509.ExtensionType) -> list[x509.Extension[Any]]:
    return [x509.Extension(value.oid, True, value) for value in values]


def enroll(ca: EmbeddedCA, key: Any, *values: x509.ExtensionType, **request: Any) -> osslcmp.Enrollment:
    client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
    return client.ir(
        key, **{"subject": make_name("sub"), "profile": "ca", "extensions": wanted(*values), **request}
    )


def a_ca(length: int | None = 0) -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=True, path_length=length)


def usage(certificate: x509.Certificate) -> x509.KeyUsage:
    return certificate.extensions.get_extension_for_class(x509.KeyUsage).value


def constraints(certificate: x509.Certificate) -> x509.BasicConstraints:
    found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert found.critical
    return found.value


def test_a_ca_certificate() -> None:
    """As it is asked for, and good for what is below it."""
    ca, key = authority(), make_key()
    result = enroll(ca, key, a_ca())
    assert result.status == PKIStatus.accepted
    assert constraints(result.certificate) == a_ca()
    assert usage(result.certificate) == issuing.key_usage(key_cert_sign=True, crl_sign=True)
    leaf = certify(make_name("leaf"), make_key().public_key(), (result.certificate, key))
    check = osslcmp.CertificateCheck(trusted=[ca.root])
    assert check.failure(leaf, [result.certificate, *ca.chain]) is None


def test_what_differs_is_told() -> None:
    """A longer path, and a key usage without keyCertSign."""
    ca = authority()
    result = enroll(ca, make_key(), a_ca(None), issuing.key_usage(digital_signature=True))
    assert result.status == PKIStatus.grantedWithMods
    assert constraints(result.certificate) == a_ca()
    assert usage(result.certificate) == issuing.key_usage(digital_signature=True, key_cert_sign=True)
    assert "pathLenConstraint 0 of the profile" in result.text
    profile = Profile.from_table("x", {"ca_path_length": 0, "key_usage": ["digitalSignature"]})
    other = EmbeddedCA({"ref": "secret"}, profiles={"ca": profile})
    assert usage(enroll(other, make_key(), a_ca()).certificate) == issuing.key_usage(
        digital_signature=True, key_cert_sign=True, crl_sign=True
    )
    assert usage(enroll(other, make_key()).certificate) == issuing.key_usage(digital_signature=True)


def test_an_end_entity_of_that_profile() -> None:
    """Who asks for no CA certificate gets none."""
    result = enroll(authority(), make_key())
    assert not constraints(result.certificate).ca
    assert not usage(result.certificate).key_cert_sign


def test_name_constraints() -> None:
    """They restrict a CA, so it may have them."""
    limits = x509.NameConstraints([x509.DNSName("example")], None)
    found = enroll(authority(), make_key(), a_ca(), limits).certificate.extensions
    assert found.get_extension_for_class(x509.NameConstraints).value == limits


@pytest.mark.parametrize(
    "request_", [{"profile": None}, {"subject": "CN=osslcmp issuing CA"}, {"subject": "CN=OSSLCMP  root ca"}]
)
def test_refused(request_: dict[str, Any]) -> None:
    """By another profile, or with the name of a CA here."""
    ca = authority()
    with pytest.raises(RejectedError) as caught:
        enroll(ca, make_key(), a_ca(), **request_)
    assert caught.value.failure_info == FailureInfo.badCertTemplate
    assert ca.records == ()


def test_settings() -> None:
    """A CA that may have none below it says so at once."""
    for value in (-1, "0", True, 101):
        with pytest.raises(ValueError, match="ca_path_length"):
            Profile.from_table("x", {"ca_path_length": value})
    root = issuing.make_ca("root", None, None)
    issuer = issuing.make_ca("issuing", root, 0)
    with pytest.raises(ValueError, match="profile ca: ca_path_length 0 needs a pathLenConstraint of 1"):
        authority(root=root, issuer=issuer)
    with pytest.raises(ValueError, match="profile ca: ca_path_length 0"):
        authority(root=issuing.make_ca("root", None, 1), issuer=issuing.make_ca("issuing", root, None))


def test_persistent(tmp_path: Path) -> None:
    """A CA that is made for such a profile can have it; one that was made without says what is missing."""
    pytest.importorskip("sqlalchemy")
    EmbeddedCA.open(tmp_path / "old", {"ref": "secret"}).close()
    with pytest.raises(ValueError, match="profile ca: ca_path_length 0"):
        EmbeddedCA.open(tmp_path / "old", profiles=PROFILES)
    ca = EmbeddedCA.open(tmp_path / "new", {"ref": "secret"}, profiles=PROFILES)
    key = make_key()
    member, sub = member_of(ca), (enroll(ca, key, a_ca()).certificate, key)
    ca.update_root()
    server = ca.server()
    assert read(server.process(member.request(CR))).certificate is not None
    is_refused(server, minted(ca, sub, "device").request(CR))
    ca.close()


# -- what they issue ----------------------------------------------------------------------------------------


def minted(
    ca: EmbeddedCA, sub: tuple[x509.Certificate, Any], name: str, *usages: x509.ObjectIdentifier
) -> Forger:
    """A client of a CA below this one."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = certify(make_name(name), key.public_key(), sub, *usages)
    return Forger(None, None, made, key, (sub[0], *ca.chain))


def member_of(ca: EmbeddedCA) -> Forger:
    """A client of this CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = read(ca.server().process(Forger().request(key=key))).certificate
    return Forger(None, None, certificate, key, ca.chain)


def is_refused(server: Server, message: bytes) -> Answer:
    answer = read(server.process(message))
    assert (answer.kind, FailureInfo(answer.failure)) == (BodyType.ERROR, FailureInfo.signerNotTrusted)
    assert "a CA below this one that is not trusted for clients" in answer.text
    return answer


@pytest.fixture
def ca() -> EmbeddedCA:
    return authority()


@pytest.fixture
def sub(ca: EmbeddedCA) -> tuple[x509.Certificate, Any]:
    """A CA below it."""
    key = make_key()
    return enroll(ca, key, a_ca()).certificate, key


@pytest.mark.parametrize("strictness", ["strict", "rfc9810", "openssl"])
def test_a_device_of_a_ca_below(ca: EmbeddedCA, sub: Any, strictness: Any) -> None:
    """It is nobody here, and an RA no RA, however strict the server is; devices of the CA go on."""
    member, server = member_of(ca), ca.server(strictness=strictness)
    before = len(ca.records)
    answer = is_refused(server, minted(ca, sub, "x").request(CR))
    assert sub[0].subject.rfc4514_string() in answer.text
    is_refused(server, minted(ca, sub, "ra", issuing.CMC_RA).request(CR))
    assert len(ca.records) == before
    assert read(server.process(member.request(CR))).certificate is not None


def test_a_ca_below_that_is_trusted(ca: EmbeddedCA, sub: Any) -> None:
    """It has to be named; another one below is not for that, and the root changes nothing."""
    key = make_key()
    other = (enroll(ca, key, a_ca(), subject=make_name("other")).certificate, key)
    server = ca.server(trusted=[ca.root, sub[0]])
    device = minted(ca, sub, "device")
    assert read(server.process(device.request(CR))).certificate is not None
    is_refused(server, minted(ca, other, "device").request(CR))
    server.trusted = [ca.root]
    is_refused(server, device.but(transaction_id=Forger().transaction_id).request(CR))


def test_a_ca_below_with_a_crl(ca: EmbeddedCA, sub: Any, tmp_path: Path) -> None:
    """Its CRL is asked for then, and nothing of devices of the CA above."""
    device, member = minted(ca, sub, "device"), member_of(ca)
    file = tmp_path / "crl.pem"

    def listed(*revoked: x509.Certificate) -> None:
        entries = [(one.serial_number, now(), RevocationReason.keyCompromise) for one in revoked]
        crl = crls.make_crl(Signer(*sub), entries, None)
        file.write_bytes(crl.public_bytes(Encoding.PEM))

    def asked(client: Forger) -> Answer:
        return read(server.process(client.but(transaction_id=Forger().transaction_id).request(CR)))

    listed()
    server = ca.server(trusted=[ca.root, sub[0]], client_crls=ClientCRLs([file], [sub[0]]))
    assert asked(device).certificate is not None
    assert device.certificate is not None
    listed(device.certificate)
    answer = asked(device)
    assert answer.failure == FailureInfo.signerNotTrusted
    assert "certificate revoked" in answer.text
    assert asked(member).certificate is not None


def test_only_the_root_is_an_anchor(ca: EmbeddedCA) -> None:
    """Devices of a CA whose root the server was told not to trust are nobody."""
    member, vendor = member_of(ca), issuing.make_ca("vendor root", None, None)[0]
    for trusted in ([vendor], []):
        answer = read(ca.server(trusted=trusted).process(member.request(CR)))
        assert (answer.kind, answer.failure) == (BodyType.ERROR, FailureInfo.signerNotTrusted)


def test_a_vendor_goes_on_without_its_chain(ca: EmbeddedCA) -> None:
    """Its certConf, too, which does not repeat the chain."""
    root = issuing.make_ca("vendor root", None, None)
    device = minted(ca, issuing.make_ca("vendor CA", root, None), "device")
    server = ca.server(trusted=[ca.root, root[0]])
    response = server.process(device.request(CR))
    certificate = read(response).certificate
    assert certificate is not None
    bare = device.answering(response).but(chain=())
    confirmed = server.process(bare.cert_conf(hashed(certificate)))
    assert read(confirmed).kind == BodyType.PKICONF


def hashed(certificate: x509.Certificate) -> bytes:
    return certificate.fingerprint(hashes.SHA256())
