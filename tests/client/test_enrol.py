"""What a certificate request may ask for, as the server sees it and as it comes back."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from support.pki import make_csr

import osslcmp
from osslcmp import CertificateCheck, CertReqMsg, Client, ConfirmError, FailureInfo, POPOMethod
from osslcmp.client.request import uses_encrypted_value
from osslcmp.message.bodies import CertResponse
from osslcmp.message.bodyparts import PKIStatusInfo
from osslcmp.server import CertificateRequest, EmbeddedCA, Server

NOW = datetime.now(timezone.utc).replace(microsecond=0)


class Site:
    """A CA, its server, clients for both protections, and what the CA was asked."""

    def __init__(self) -> None:
        self.asked: list[CertificateRequest] = []
        self.ca = EmbeddedCA({"ref": "secret"}, policy=self._note)
        self.server: Server = self.ca.server(accept_raverified=True, strictness="rfc9810")
        self.client = Client(transport=self.server.process, reference="ref", secret="secret")

    def _note(self, request: CertificateRequest) -> None:
        self.asked.append(request)

    @property
    def request(self) -> CertificateRequest:
        """The last request."""
        return self.asked[-1]

    def signing(self, enrollment: osslcmp.Enrollment, key: Any, **options: Any) -> Client:
        """A client with the certificate of an enrollment."""
        return Client(
            transport=self.server.process,
            certificate=enrollment.certificate,
            key=key,
            chain=enrollment.chain,
            trusted=self.ca.root,
            **options,
        )


@pytest.fixture
def site() -> Site:
    """A fresh one."""
    return Site()


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


def csr(key: ec.EllipticCurvePrivateKey, *names: str) -> x509.CertificateSigningRequest:
    """A CSR, with SANs if there are names."""
    return make_csr(key, "CN=csr,O=x", [*map(x509.DNSName, names)])


def sans(certificate: x509.Certificate) -> list[str]:
    """The DNS names of a certificate."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


def names(extensions: Any) -> dict[x509.ObjectIdentifier, x509.Extension[Any]]:
    """Extensions by OID."""
    return {extension.oid: extension for extension in extensions}


@pytest.mark.parametrize("form", ["CN=device,O=Example", "/O=Example/CN=device", "object"])
def test_subject(form: str, site: Site) -> None:
    """All ways of naming the same subject."""
    name = x509.Name.from_rfc4514_string("CN=device,O=Example")
    got = site.client.ir(new_key(), subject=name if form == "object" else form)
    assert got.certificate.subject == name


def test_multi_valued_subject(site: Site) -> None:
    """Several values in one RDN, with the escapes of OpenSSL."""
    got = site.client.ir(new_key(), subject=r"/O=A\/B\+C/CN=x+serialNumber=7")
    *first, last = got.certificate.subject.rdns
    assert first[0].rfc4514_string() == r"O=A/B\+C"
    assert len(list(last)) == 2


def test_sans(site: Site) -> None:
    """A string is what it looks like; other kinds are objects; critical on request."""
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    told: list[x509.GeneralName | str] = ["a.example", address, "::1", "me@a.example", "urn:uuid:1"]
    site.client.ir(new_key(), subject="CN=x", sans=told, sans_critical=True)
    asked = names(site.request.extensions)[ExtensionOID.SUBJECT_ALTERNATIVE_NAME]
    assert asked.critical
    assert list(asked.value) == [
        x509.DNSName("a.example"),
        address,
        x509.IPAddress(ipaddress.ip_address("::1")),
        x509.RFC822Name("me@a.example"),
        x509.UniformResourceIdentifier("urn:uuid:1"),
    ]


@pytest.mark.parametrize("text", ["", "a b", "ä@a.example"])
def test_impossible_san(text: str, site: Site) -> None:
    """Told before anything is sent."""
    with pytest.raises(ValueError, match="sans: "):
        site.client.ir(new_key(), subject="CN=x", sans=[text])


def test_kur_keeps_what_it_is_asked_to_keep(site: Site) -> None:
    """SANs come from the old certificate unless told otherwise, other extensions only when asked."""
    key = new_key()
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    first = site.client.ir(
        key, subject="CN=x", sans=["a.example"], extensions=[x509.Extension(usage.oid, False, usage)]
    )
    other = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    renewed = [new_key() for _ in range(3)]
    # A certificate is updated once: each update is of the one before.
    second = site.signing(first, key).kur(renewed[0], carry_extensions=True)
    carried = names(site.request.extensions)
    assert carried[usage.oid].value == usage
    assert ExtensionOID.AUTHORITY_KEY_IDENTIFIER not in carried
    client = site.signing(second, renewed[0])
    third = client.kur(
        renewed[1], carry_extensions=True, extensions=[x509.Extension(other.oid, False, other)]
    )
    assert names(site.request.extensions)[usage.oid].value == other
    last = site.signing(third, renewed[1]).kur(renewed[2])
    assert sans(last.certificate) == ["a.example"]
    assert usage.oid not in names(site.request.extensions)
    site.signing(last, renewed[2]).kur(new_key(), sans_default=False)
    assert ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in names(site.request.extensions)


def test_carry_needs_a_certificate(site: Site) -> None:
    """There must be one to carry from."""
    with pytest.raises(ValueError, match="carry_extensions"):
        site.client.ir(new_key(), subject="CN=x", carry_extensions=True)


def test_policies(site: Site) -> None:
    """OIDs and objects, critical on request."""
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.5"), ["https://cps.example"])
    site.client.ir(new_key(), subject="CN=x", policies=["1.2.3.4", policy], policies_critical=True)
    asked = names(site.request.extensions)[ExtensionOID.CERTIFICATE_POLICIES]
    assert asked.critical
    assert [one.policy_identifier.dotted_string for one in asked.value] == ["1.2.3.4", "1.2.3.5"]


def test_days(site: Site) -> None:
    """Days from now."""
    got = site.client.ir(new_key(), subject="CN=x", days=7).certificate
    assert timedelta(days=6, hours=23) < got.not_valid_after_utc - NOW < timedelta(days=7, hours=1)


@pytest.mark.parametrize("zone", [timezone.utc, timezone(timedelta(hours=5)), None])
def test_validity(zone: timezone | None, site: Site) -> None:
    """Explicit times, of any zone."""
    start, end = NOW + timedelta(days=1), NOW + timedelta(days=3)
    given = [moment.astimezone(zone) if zone else moment.replace(tzinfo=None) for moment in (start, end)]
    got = site.client.ir(new_key(), subject="CN=x", not_before=given[0], not_after=given[1]).certificate
    assert (got.not_valid_before_utc, got.not_valid_after_utc) == (start, end)


def test_validity_of_an_update(site: Site) -> None:
    """A message of our own still names the old certificate and proves possession."""
    key = new_key()
    first = site.client.ir(key, subject="CN=x")
    end = NOW + timedelta(days=3)
    got = site.signing(first, key).kur(new_key(), not_after=end)
    assert got.certificate.not_valid_after_utc == end
    assert site.request.old_certificate is not None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"not_before": NOW, "not_after": NOW}, "not_after"),
        ({"not_before": NOW, "days": 3}, "days"),
        ({"not_after": "tomorrow"}, "not_after"),
        ({"days": -1}, "VALIDITY_DAYS"),
        ({"sans": "a.example"}, "sans"),
        ({"policies": [7]}, "policies"),
        ({"profile": ""}, "profile"),
        ({"popo": 9}, "POPO_METHOD"),
        ({"subject": "nonsense"}, "name"),
        ({"general_info": ["x"]}, "general_info"),
        ({"confirm": 7}, "callback"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], told: str, site: Site) -> None:
    """Told before anything is sent."""
    with pytest.raises((TypeError, ValueError), match=told):
        site.client.ir(new_key(), **{"subject": "CN=x", **arguments})
    assert not site.asked


def test_ra_with_a_csr(site: Site) -> None:
    """An RA has no private key at hand: the CSR's key is certified, possession is vouched for."""
    key = new_key()
    got = site.client.ir(csr=csr(key, "a.example"), popo=POPOMethod.RAVERIFIED)
    assert got.certificate.public_key() == key.public_key()
    assert sans(got.certificate) == ["a.example"]
    assert site.client.cr(key.public_key(), subject="CN=x", popo=POPOMethod.RAVERIFIED).certificate


def test_public_key_needs_another_proof(site: Site) -> None:
    """A public key cannot sign."""
    with pytest.raises(ValueError, match="possession"):
        site.client.ir(new_key().public_key(), subject="CN=x")


def test_server_that_does_not_trust_ras() -> None:
    """RAVERIFIED is refused with notAuthorized, as RFC 9483, 3.5, has it."""
    ca = EmbeddedCA({"ref": "secret"})
    client = Client(transport=ca.server().process, reference="ref", secret="secret")
    with pytest.raises(osslcmp.RejectedError) as caught:
        client.ir(csr=csr(new_key()), popo=POPOMethod.RAVERIFIED)
    assert caught.value.failure_info == osslcmp.FailureInfo.notAuthorized


def test_profile_and_general_info(site: Site) -> None:
    """Both reach the server's header on every release."""
    extra = osslcmp.InfoTypeAndValue("1.3.6.1.4.1.99999.1", b"\x0c\x01x")
    site.client.ir(new_key(), subject="CN=x", profile="tls", general_info=[extra])
    header = osslcmp.Message.from_der(site.request.message).header
    values = {item.oid.dotted_string: item.value for item in header.general_info}
    assert values["1.3.6.1.5.5.7.4.21"] == b"\x30\x05\x0c\x03tls"
    assert values["1.3.6.1.4.1.99999.1"] == extra.value


def made(key: ec.EllipticCurvePrivateKey) -> CertReqMsg:
    """A request message of one's own."""
    context = osslcmp.Context()
    context.set_new_pkey(key)
    context.set_subject_name("CN=crm")
    crm = context.setup_crm()
    context.create_popo(crm)
    return crm


def test_ready_message(site: Site) -> None:
    """A message made elsewhere is sent as it is; with the key, the answer is checked against it."""
    key = new_key()
    got = site.client.ir(key, crm=CertReqMsg.from_der(made(key).der))
    assert got.certificate.subject.rfc4514_string() == "CN=crm"
    assert site.client.ir(crm=made(key)).certificate.public_key() == key.public_key()
    with pytest.raises(ConfirmError) as caught:
        site.client.ir(new_key(), crm=made(key))
    assert caught.value.enrollment.certificate.public_key() == key.public_key()


def test_ready_template(site: Site) -> None:
    """A template alone gets its proof here."""
    key = new_key()
    crm = CertReqMsg.from_template(site_template(key))
    crm.create_popo(POPOMethod.SIGNATURE, key)
    assert site.client.ir(crm=crm).certificate.public_key() == key.public_key()
    wrong = CertReqMsg.from_template(site_template(key))
    if osslcmp.openssl_version >= (3, 2, 0):
        with pytest.raises(osslcmp.RequestError, match="key values mismatch"):
            wrong.create_popo(POPOMethod.SIGNATURE, new_key())
        return
    wrong.create_popo(POPOMethod.SIGNATURE, new_key())
    with pytest.raises(osslcmp.RejectedError) as caught:
        site.client.ir(crm=wrong)
    assert caught.value.failure_info == osslcmp.FailureInfo.badPOP


def site_template(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The DER of a CertTemplate for ``key``."""
    der = made(key).der
    body = der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F) :]
    content = body[2:] if body[1] < 0x80 else body[2 + (body[1] & 0x7F) :]
    assert content[:3] == b"\x02\x01\x00"
    template = content[3:]
    size = (
        template[1] + 2
        if template[1] < 0x80
        else int.from_bytes(template[2 : 2 + (template[1] & 0x7F)], "big") + 2 + (template[1] & 0x7F)
    )
    return template[:size]


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\x30\x00"])
def test_garbage_message(garbage: bytes) -> None:
    """Neither a message nor a template."""
    with pytest.raises(ValueError, match="certificate request message"):
        CertReqMsg.from_der(garbage)
    with pytest.raises(TypeError):
        CertReqMsg.from_der("text")  # type: ignore[arg-type]


def test_message_with_something_behind(site: Site) -> None:
    """Trailing data is told; p10cr takes no message."""
    with pytest.raises(ValueError, match="after it"):
        CertReqMsg.from_der(made(new_key()).der + b"\0")
    with pytest.raises(ValueError, match="crm"):
        site.client.p10cr(csr(new_key()), crm=made(new_key()))


CHECKS: dict[str, tuple[Callable[[Site], dict[str, Any]], str | None]] = {
    "root": (lambda site: {}, None),
    "host": (lambda site: {"host": "a.example"}, None),
    "wrong host": (lambda site: {"host": "b.example"}, "hostname mismatch"),
    "wrong ip": (lambda site: {"ip": "127.0.0.1"}, "IP address mismatch"),
    "wrong email": (lambda site: {"email": "a@b.example"}, "email address mismatch"),
    "purpose": (lambda site: {"purpose": "sslclient"}, None),
    "wrong purpose": (lambda site: {"purpose": "crlsign"}, "purpose"),
    "later": (lambda site: {"time": NOW + timedelta(days=9999)}, "expired"),
    "crl": (lambda site: {"crls": [site.ca.crl()]}, None),
    "no crl": (lambda site: {"crl_check": "leaf"}, "CRL"),
    "depth": (lambda site: {"depth": 0}, "chain too long|issuer certificate"),
    "policy": (lambda site: {"policies": ["1.2.3"], "explicit_policy": True, "policy_check": True}, "policy"),
}


@pytest.mark.parametrize("case", CHECKS)
def test_check(case: str, site: Site) -> None:
    """The new certificate is checked by OpenSSL before it is confirmed; a refusal keeps it."""
    arguments, told = CHECKS[case]
    check = CertificateCheck(trusted=site.ca.root, **arguments(site))
    if told is None:
        assert site.client.ir(new_key(), subject="CN=x", sans=["a.example"], check=check).chain
        return
    with pytest.raises(ConfirmError, match=f"(?i){told}") as caught:
        site.client.ir(new_key(), subject="CN=x", sans=["a.example"], check=check)
    assert caught.value.enrollment.certificate.subject.rfc4514_string() == "CN=x"
    record = site.ca.record(caught.value.enrollment.certificate)
    assert record is None or not record.confirmed


def test_check_with_other_root(site: Site) -> None:
    """Another root does not do, neither for our check nor for OpenSSL's own."""
    other = EmbeddedCA().root
    with pytest.raises(ConfirmError, match="issuer certificate"):
        site.client.ir(new_key(), subject="CN=x", check=CertificateCheck(trusted=other))
    with pytest.raises(ConfirmError):
        site.client.ir(new_key(), subject="CN=x", confirm_trusted=other)
    assert site.client.ir(new_key(), subject="CN=x", confirm_trusted=site.ca.root).certificate


def test_check_alone(site: Site) -> None:
    """A check may be made at any time."""
    got = site.client.ir(new_key(), subject="CN=x")
    site.client.rr(got.certificate)
    check = CertificateCheck(trusted=site.ca.root, crls=[site.ca.crl()])
    assert "revoked" in (check.failure(got.certificate, got.chain) or "")
    assert CertificateCheck(trusted=site.ca.root).failure(got.certificate, got.chain) is None


@pytest.mark.parametrize("arguments", [{"crl_check": "some"}, {"purpose": "nosuch"}, {"host": "a\0b"}])
def test_wrong_check(arguments: dict[str, Any], site: Site) -> None:
    """Refused when it is made."""
    with pytest.raises(ValueError, match=r"crl_check|purpose|host"):
        CertificateCheck(trusted=site.ca.root, **arguments)


@pytest.mark.parametrize("form", [b"\x30\x00", b"\xa0\x00", None])
def test_old_form_of_an_encrypted_key(form: bytes | None) -> None:
    """EncryptedValue is a SEQUENCE, EnvelopedData a tagged choice."""
    status = PKIStatusInfo(osslcmp.PKIStatus.accepted, FailureInfo(0), ())
    answer = CertResponse(0, status, b"", None, form)
    assert uses_encrypted_value(answer) == (form == b"\x30\x00")
