"""What some releases of OpenSSL do wrong, and is kept from users; docs/versions.md lists it all."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import PKI

import osslcmp
from osslcmp import BodyType, POPOMethod
from osslcmp.server import EmbeddedCA

SAN = bytes.fromhex("0603551d11")
POLICIES = bytes.fromhex("0603551d20")


def dns(name: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(name)])


def extension(value: x509.ExtensionType) -> x509.Extension[Any]:
    return x509.Extension(value.oid, False, value)


def csr(*values: x509.ExtensionType) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(x509.Name.from_rfc4514_string("CN=csr"))
    for value in values:
        builder = builder.add_extension(value, False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


@pytest.fixture(scope="module")
def old() -> x509.Certificate:
    """A certificate with a name to take over by default."""
    ca = EmbeddedCA({"ref": "secret"})
    client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
    return client.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=a", sans=["old.test"]).certificate


def template(**request: Any) -> bytes:
    """The extensions of the certificate template that is sent."""
    trace = osslcmp.Trace()
    server = EmbeddedCA({"ref": "secret"}).server(strictness="rfc9810")  # which takes any sender
    client = osslcmp.Client(transport=server, reference="ref", secret="secret", trace=trace)
    with pytest.raises(osslcmp.RejectedError, match=r"(?i)raverified"):
        client.ir(popo=POPOMethod.RAVERIFIED, **request)
    message = next(iter(trace)).message
    assert message is not None
    assert message.type is BodyType.IR
    found = message.body.requests[0].template.extensions_der  # type: ignore[union-attr]
    return found or b""


@pytest.mark.parametrize(
    ("has", "wanted", "name"),
    [
        ([], {}, None),
        ([], {"sans": ["mine.test"]}, b"mine.test"),
        ([dns("csr.test")], {}, b"csr.test"),
        ([dns("csr.test")], {"sans": ["mine.test"]}, b"mine.test"),
        ([dns("csr.test")], {"extensions": [extension(dns("mine.test"))]}, b"mine.test"),
        ([dns("csr.test")], {"certificate": True}, b"csr.test"),
        ([], {"certificate": True}, b"old.test"),
        ([], {"certificate": True, "sans_default": False}, None),
        ([dns("csr.test")], {"certificate": True, "sans": ["mine.test"]}, b"mine.test"),
    ],
)
def test_names_are_asked_for_once(
    has: list[x509.ExtensionType], wanted: dict[str, Any], name: bytes | None, old: x509.Certificate
) -> None:
    """All releases put the CSR's names and those set or taken by default into a template, in two extensions (#23725)."""
    if "certificate" in wanted:
        wanted = {**wanted, "certificate": old}
    found = template(csr=csr(*has), **wanted)
    assert found.count(SAN) == (name is not None)
    assert [each for each in (b"csr.test", b"mine.test", b"old.test") if each in found] == [name] * bool(name)


def test_policies_are_asked_for_once() -> None:
    """The same of policies."""
    mine = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)
    other = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.5"), None)
    request = csr(x509.CertificatePolicies([other]), dns("csr.test"))
    found = template(csr=request, policies=[mine], policies_critical=True)
    assert (found.count(POLICIES), found.count(SAN)) == (1, 1)
    assert bytes.fromhex("06032a0304") in found
    assert bytes.fromhex("06032a0305") not in found


def test_names_given_twice() -> None:
    """It would be unclear which are meant."""
    with pytest.raises(ValueError, match="subjectAltName is given twice"):
        template(csr=csr(), sans=["a.test"], extensions=[extension(dns("b.test"))])


def test_confirm_trusted_verifies() -> None:
    """``OSSL_CMP_certConf_cb`` builds the chain by names alone before 3.0.9 (#20160)."""
    ca = EmbeddedCA({"ref": "secret"})
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    namesake = (
        x509.CertificateBuilder(ca.root.subject, ca.root.subject, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
    mine = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client.ir(mine, subject="CN=a", confirm_trusted=namesake)
    assert caught.value.enrollment.certificate.public_key() == mine.public_key()
    assert client.ir(mine, subject="CN=a", confirm_trusted=ca.root)


class Failing(EmbeddedCA):
    """Cannot answer general messages."""

    def general(self, request: Any) -> Any:
        raise KeyError("boom")


def test_general_message_that_cannot_be_answered(pki: PKI) -> None:
    """OpenSSL's server hands an uninitialised pointer to the callback, and uses it after a failure as well."""
    for _ in range(20):
        client = osslcmp.Client(transport=Failing({"r": "s"}).server(), reference="r", secret="s")
        with pytest.raises(osslcmp.RejectedError):
            client.genm(osslcmp.InfoTypeAndValue("1.2.3.4", b"\5\0"))
