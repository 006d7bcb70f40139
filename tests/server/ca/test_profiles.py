"""Certificate profiles of the embedded CA, and what general messages tell of them."""

from __future__ import annotations

import datetime
import ipaddress
import re
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.authorities import request
from support.pki import make_key, make_name

import osslcmp
from osslcmp import FailureInfo, InfoTypeAndValue, PKIStatus, RejectedError, features
from osslcmp._asn1 import der
from osslcmp._asn1.der import explicit
from osslcmp.server import Binding, EmbeddedCA
from osslcmp.server.ca.general import RootUpdate
from osslcmp.server.ca.profiles import Profile

KEY = make_key()
DAY = datetime.timedelta(days=1)


def profile(**table: Any) -> Profile:
    return Profile.from_table("test", table)


def authority(**profiles: Profile) -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret"}, profiles=profiles)


def client(ca: EmbeddedCA) -> osslcmp.Client:
    return osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")


def enroll(ca: EmbeddedCA, key: Any = None, **request: Any) -> osslcmp.Enrollment:
    return client(ca).ir(key or make_key(), **{"subject": make_name("x"), **request})


def refused(ca: EmbeddedCA, failure: FailureInfo, key: Any = None, **request: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        enroll(ca, key, **request)
    assert caught.value.failure_info == failure
    assert ca.records == ()


def days(result: osslcmp.Enrollment) -> int:
    certificate = result.certificate
    return (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days


def test_by_name() -> None:
    ca = authority(default=profile(validity="2d"), long=profile(validity="48h", max_validity="36h"))
    assert days(enroll(ca)) == 2
    assert days(enroll(ca, profile="long")) == 1
    with pytest.raises(RejectedError) as caught:
        enroll(ca, profile="other")
    assert caught.value.failure_info == FailureInfo.unacceptedPolicy
    assert days(enroll(authority(long=profile(validity="2d")))) == 365
    assert days(enroll(EmbeddedCA({"ref": "secret"}), profile="whatever")) == 365


def test_validity_is_shortened() -> None:
    ca = authority(default=profile(max_validity="10d"))
    assert enroll(ca, days=5).status == PKIStatus.accepted
    long = enroll(ca, days=50)
    assert long.status == PKIStatus.grantedWithMods
    assert days(long) <= 10


def test_usages() -> None:
    ca = authority(
        default=profile(
            key_usage=["digitalSignature", "keyAgreement"], extended_key_usage=["clientAuth", "1.2.3"]
        )
    )
    certificate = enroll(ca).certificate
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_agreement) == (True, True)
    assert not usage.value.key_encipherment
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3")]
    other = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    changed = enroll(ca, extensions=[x509.Extension(other.oid, False, other)])
    assert changed.status == PKIStatus.grantedWithMods
    assert changed.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value == extended
    assert enroll(ca, extensions=[x509.Extension(extended.oid, False, extended)]).status == PKIStatus.accepted


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("P-256", ec.generate_private_key(ec.SECP256R1())),
        ("P-384", ec.generate_private_key(ec.SECP384R1())),
        ("P-521", ec.generate_private_key(ec.SECP521R1())),
        ("RSA", rsa.generate_private_key(65537, 2048)),
    ],
)
def test_keys(kind: str, key: Any) -> None:
    assert enroll(authority(default=profile(keys=[kind])), key).certificate.public_key() == key.public_key()
    others = sorted({"P-256", "P-384", "P-521", "Ed25519", "Ed448", "RSA"} - {kind})
    refused(authority(default=profile(keys=others)), FailureInfo.badCertTemplate, key)


def test_kinds_of_keys_that_openssl_cannot_prove_everywhere() -> None:
    kinds: dict[str | None, Any] = {
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
        None: ec.generate_private_key(ec.SECP256K1()),
    }
    for kind in ("Ed25519", "Ed448"):
        for own, key in kinds.items():
            refusal = profile(keys=[kind]).check(request(public_key=key.public_key()))
            assert (refusal is None) is (own == kind)


def test_rsa_bits() -> None:
    key = rsa.generate_private_key(65537, 2048)
    refused(authority(default=profile(rsa_bits=3072)), FailureInfo.badCertTemplate, key)


def test_subject() -> None:
    ca = authority(default=profile(subject="CN=[a-z]+,O=x"))
    refused(ca, FailureInfo.badCertTemplate, subject="CN=a,O=xx")
    refused(ca, FailureInfo.badCertTemplate, subject="CN=A,O=x")
    assert enroll(ca, subject="CN=a,O=x")


def test_alternative_names() -> None:
    ca = authority(default=profile(sans={"dns": [r"[a-z]+\.example", "x"], "ip": [r"10\..*"]}))
    for sans in (
        ["a.example.org"],
        ["A.example"],
        [x509.RFC822Name("a@x.example")],
        [x509.IPAddress(ipaddress.ip_address("1.2.3.4"))],
        ["a.example", x509.UniformResourceIdentifier("urn:x")],
    ):
        refused(ca, FailureInfo.badCertTemplate, sans=sans)
    assert enroll(ca, sans=["a.example", "x", x509.IPAddress(ipaddress.ip_address("10.1.2.3"))])
    assert enroll(ca)
    none = authority(default=profile(sans={}))
    refused(none, FailureInfo.badCertTemplate, sans=["a.example"])


def test_crl_url() -> None:
    certificate = enroll(authority(default=profile(crl_url="http://x/crl"))).certificate
    (point,) = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://x/crl")]


# -- general messages ------------------------------------------------------------------------------------------


def ask(ca: EmbeddedCA, kind: x509.ObjectIdentifier, value: bytes | None = None) -> bytes | None:
    infos = client(ca).genm([InfoTypeAndValue(kind, value)])
    assert len(infos) == 1
    return infos[0].value


def test_template() -> None:
    ca = authority(
        default=profile(key_usage=["digitalSignature"], keys=["P-256", "Ed25519", "RSA"], rsa_bits=3072),
        free=profile(),
    )
    value = ca.profiles["default"].template() if ca.profiles else b""
    template, spec = der.sequence(value)
    (extensions,) = der.children(template.content)
    assert extensions.tag == explicit(9)
    controls = [
        [part.encoding for part in der.sequence(control.encoding)] for control in der.sequence(spec.encoding)
    ]
    oids = [der.dotted(der.read(control[0])) for control in controls]
    assert oids == ["1.3.6.1.5.5.7.5.1.11", "1.3.6.1.5.5.7.5.1.11", "1.3.6.1.5.5.7.5.1.12"]
    assert controls[2][1] == der.encode_integer(3072)
    assert ca.profiles is not None
    assert der.sequence(ca.profiles["free"].template())[0].content == b""
    if features["cert_req_template"]:
        found = client(ca).cert_req_template()
        assert found is not None


def test_crl_status() -> None:
    """Who has the CRL gets none."""
    ca = EmbeddedCA({"ref": "secret"})
    crl = ca.crl()

    def status(moment: datetime.datetime | None, whose: x509.Certificate = ca.issuer) -> bytes:
        name = der.encode(explicit(4), whose.subject.public_bytes())
        issuer = der.encode(explicit(1), der.encode(der.SEQUENCE, name))
        time = b"" if moment is None else der.encode_moment(moment)
        return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, issuer, time))

    assert ask(ca, osslcmp.general.CRL_STATUS_LIST, status(crl.last_update_utc + DAY)) is None
    assert ask(ca, osslcmp.general.CRL_STATUS_LIST, status(None, ca.root)) is None
    for moment in (None, crl.last_update_utc - DAY):
        value = ask(ca, osslcmp.general.CRL_STATUS_LIST, status(moment))
        assert value is not None
        assert x509.load_der_x509_crl(der.sequence(value)[0].encoding).issuer == ca.issuer.subject


def test_root_update() -> None:
    ca, other = EmbeddedCA({"ref": "secret"}), EmbeddedCA()
    assert ask(ca, osslcmp.general.ROOT_CA_CERT) is None
    asked: list[x509.Certificate | None] = []

    def update(known: x509.Certificate | None) -> RootUpdate:
        asked.append(known)
        return RootUpdate(other.root, other.issuer, ca.issuer)

    ca.root_update = update  # type: ignore[method-assign]
    value = ask(ca, osslcmp.general.ROOT_CA_CERT, ca.root.public_bytes(Encoding.DER))
    assert value is not None
    new, with_old, with_new = der.sequence(value)
    assert new.encoding == other.root.public_bytes(Encoding.DER)
    assert with_old.tag == explicit(0)
    assert with_old.content == other.issuer.public_bytes(Encoding.DER)
    assert with_new.content == ca.issuer.public_bytes(Encoding.DER)
    assert asked == [ca.root]


@pytest.mark.parametrize("days", [999_999, datetime.timedelta.max.days])
def test_long_times(days: int) -> None:
    """What would be after the year 9999 is as long as it can be, and so is what would be before the year 1."""
    long = datetime.timedelta(days=days)
    ca = EmbeddedCA(
        {"ref": "secret"},
        validity=long,
        crl_grace=long,
        profiles={"a": Profile(validity=long), "b": Profile(max_validity=long)},
    )
    for name in (None, "a", "b"):
        for end in (None, datetime.datetime(9999, 12, 31, tzinfo=datetime.timezone.utc)):
            found = enroll(ca, KEY, profile=name, not_after=end).certificate
            assert found.not_valid_after_utc == ca.issuer.not_valid_after_utc
    owner = osslcmp.Client(transport=ca.server(), certificate=found, key=KEY, chain=ca.chain, trusted=ca.root)
    owner.rr()
    assert len(ca.crl()) == 1


def test_secret_for_no_profile() -> None:
    """Told when it is added: its client would get nothing."""
    bound = Binding(profile="b")
    for profiles in (None, {}, {"a": Profile()}):
        with pytest.raises(ValueError, match="binding: there is no profile 'b'"):
            EmbeddedCA({"ref": ("secret", bound)}, profiles=profiles)
    ca = EmbeddedCA({"ref": ("secret", bound)}, profiles={"b": Profile()})
    with pytest.raises(ValueError, match="binding: there is no profile 'c'"):
        ca.add_secret("other", "secret", Binding(profile="c"))
    assert ca.shared_secret(b"other") is None


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("extended_key_usage", ["cmcCA"], TypeError),
        ("policies", ("1.2.3",), TypeError),
        ("key_usage", {"digitalSignatur"}, ValueError),
        ("keys", {"P256"}, ValueError),
        ("sans", {"DNS": (re.compile("x"),)}, ValueError),
        ("sans", {"dns": ("x",)}, TypeError),
        ("subject", "CN=x", TypeError),
        ("crl_url", "", ValueError),
        ("crl_url", "ca.example/crl", ValueError),
        ("crl_url", "http://b\u00fccher.example/crl", ValueError),
    ],
)
def test_wrong_settings(field: str, value: Any, error: type[Exception]) -> None:
    """A profile that is made of wrong values says so at once, not at the first request."""
    with pytest.raises(error, match=field):
        Profile(**{field: value})
