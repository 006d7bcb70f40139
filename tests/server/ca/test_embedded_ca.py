"""The embedded CA: what it issues, updates, revokes and tells, and for whom."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.authorities import NAME, about, request, revocation
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, InfoTypeAndValue, PKIStatus, RevocationReason
from osslcmp._asn1 import der
from osslcmp.server import (
    CertificateId,
    Confirmation,
    EmbeddedCA,
    GeneralRequest,
    Issued,
    Rejected,
    Revoked,
    Waiting,
    waiting,
)
from osslcmp.server.ca import issuing

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def ca() -> EmbeddedCA:
    return EmbeddedCA({"ref": "secret", b"\xff": b"\x00\x01"})


def issued(ca: EmbeddedCA, *extensions: x509.ExtensionType, **given: Any) -> x509.Certificate:
    answer = ca.issue(request(*extensions, **given))
    assert isinstance(answer, Issued), answer
    assert isinstance(answer.certificate, x509.Certificate)
    return answer.certificate


def rejected(answer: object, failure: FailureInfo) -> None:
    assert isinstance(answer, Rejected), answer
    assert answer.failure_info == failure


def identified(certificate: x509.Certificate) -> CertificateId:
    return CertificateId(certificate.issuer, certificate.serial_number)


def test_hierarchy(ca: EmbeddedCA) -> None:
    ca.root.verify_directly_issued_by(ca.root)
    ca.issuer.verify_directly_issued_by(ca.root)
    assert ca.chain == (ca.issuer,)
    assert ca.root.subject != EmbeddedCA(name="mine").root.subject
    certificate = issued(ca)
    certificate.verify_directly_issued_by(ca.issuer)


def test_given_authorities(pki: PKI) -> None:
    ca = EmbeddedCA(
        root=(pki.root.certificate, pki.root.key), issuer=(pki.issuing.certificate, pki.issuing.key)
    )
    issued(ca).verify_directly_issued_by(pki.issuing.certificate)
    alone = EmbeddedCA(root=(pki.root.certificate, pki.root.key), issuer=(pki.root.certificate, pki.root.key))
    assert alone.chain == ()
    issued(alone).verify_directly_issued_by(pki.root.certificate)
    below = EmbeddedCA(root=(pki.root.certificate, pki.root.key))
    below.issuer.verify_directly_issued_by(pki.root.certificate)
    with pytest.raises(ValueError, match="root"):
        EmbeddedCA(issuer=(pki.issuing.certificate, pki.issuing.key))


def test_secrets(ca: EmbeddedCA) -> None:
    assert ca.shared_secret(b"ref") == b"secret"
    assert ca.shared_secret(b"\xff") == b"\x00\x01"
    assert ca.shared_secret(b"nobody") is None
    ca.add_secret("new", "one")
    assert ca.shared_secret(b"new") == b"one"
    for reference, secret in (("", "x"), ("x", "")):
        with pytest.raises(ValueError, match="empty"):
            ca.add_secret(reference, secret)
    assert "secret" not in repr(ca)


def test_own_credentials(ca: EmbeddedCA) -> None:
    server = ca.server()
    assert server.certificate is not None
    server.certificate.verify_directly_issued_by(ca.issuer)
    assert server.trusted == (ca.root,)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-521", "RSA", "Ed25519"],
)
def test_certificate(ca: EmbeddedCA, key: Any) -> None:
    certificate = issued(ca, public_key=key.public_key())
    assert certificate.public_key() == key.public_key()
    assert certificate.subject == NAME
    get = certificate.extensions.get_extension_for_class
    assert not get(x509.BasicConstraints).value.ca
    assert get(x509.KeyUsage).value.digital_signature
    assert not get(x509.KeyUsage).value.key_cert_sign
    assert get(x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    assert get(x509.AuthorityKeyIdentifier).value.key_identifier is not None
    assert certificate.not_valid_before_utc <= NOW + DAY
    assert certificate.not_valid_after_utc > NOW + 364 * DAY


def test_extensions_are_kept(ca: EmbeddedCA) -> None:
    wanted = (
        x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.UniformResourceIdentifier("urn:x")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
        x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]),
        issuing.key_usage(key_agreement=True, encipher_only=True),
    )
    answer = ca.issue(request(*wanted))
    assert isinstance(answer, Issued)
    assert isinstance(answer.certificate, x509.Certificate)
    assert answer.status == PKIStatus.accepted
    for extension in wanted:
        assert answer.certificate.extensions.get_extension_for_class(type(extension)).value == extension


def test_names_alone(ca: EmbeddedCA) -> None:
    """Without a subject the alternative names are critical."""
    sans = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    certificate = issued(ca, sans, subject=None)
    assert certificate.subject.rdns == []
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
    rejected(ca.issue(request(subject=None)), FailureInfo.badCertTemplate)


def test_granted_with_changes(ca: EmbeddedCA) -> None:
    answer = ca.issue(
        request(
            issuing.key_usage(digital_signature=True, key_cert_sign=True),
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
            not_after=NOW + 36500 * DAY,
        )
    )
    assert isinstance(answer, Issued)
    assert answer.status == PKIStatus.grantedWithMods
    assert answer.text == "validity shortened; key usage of a CA left out; extension 1.2.3.4 left out"
    assert isinstance(answer.certificate, x509.Certificate)
    usage = answer.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)
    assert answer.certificate.not_valid_after_utc == ca.issuer.not_valid_after_utc


def test_validity(ca: EmbeddedCA) -> None:
    certificate = issued(ca, not_before=NOW + DAY, not_after=NOW + 2 * DAY)
    assert certificate.not_valid_before_utc == NOW + DAY
    assert certificate.not_valid_after_utc == NOW + 2 * DAY
    for start, end in ((NOW + DAY, NOW), (None, NOW - DAY), (NOW - 2 * DAY, NOW - DAY)):
        rejected(ca.issue(request(not_before=start, not_after=end)), FailureInfo.badCertTemplate)
    assert issued(EmbeddedCA(validity=3 * DAY)).not_valid_after_utc < NOW + 4 * DAY


def test_what_is_not_issued(ca: EmbeddedCA) -> None:
    no_ca = x509.BasicConstraints(ca=False, path_length=None)
    assert issued(ca, no_ca)
    rejected(ca.issue(request(x509.BasicConstraints(ca=True, path_length=None))), FailureInfo.badCertTemplate)
    for usage in (issuing.CMC_CA, issuing.CMC_RA):
        rejected(ca.issue(request(x509.ExtendedKeyUsage([usage]))), FailureInfo.badCertTemplate)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    rejected(ca.issue(request(unknown, critical=True)), FailureInfo.unacceptedExtension)
    other = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00")
    key_id = x509.SubjectKeyIdentifier(b"x" * 20)
    for extensions in (
        [(unknown, True), (other, False)],
        [(other, False), (unknown, True)],
        [(key_id, True)],
    ):
        asked = x509.Extensions([x509.Extension(e.oid, critical, e) for e, critical in extensions])
        rejected(ca.issue(replace(request(), extensions=asked)), FailureInfo.unacceptedExtension)
    weak = rsa.generate_private_key(65537, 1024).public_key()
    rejected(ca.issue(request(public_key=weak)), FailureInfo.badCertTemplate)
    assert ca.records[0].certificate
    assert len(ca.records) == 1


def test_ca_pubs(ca: EmbeddedCA) -> None:
    """The root goes to who has no other way to trust it."""
    answers = [
        ca.issue(request()),
        ca.issue(request(type=BodyType.CR)),
        ca.issue(request(reference=None, signer=issued(ca))),
        EmbeddedCA(ca_pubs=False).issue(request()),
    ]
    assert [getattr(answer, "ca_pubs", None) for answer in answers] == [(ca.root,), (), (), ()]


def test_policy(ca: EmbeddedCA) -> None:
    ca.policy = waiting(2, check_after=9)
    answers = [ca.issue(request(polls=polls)) for polls in range(3)]
    assert [type(answer) for answer in answers] == [Waiting, Waiting, Issued]
    assert getattr(answers[0], "check_after", None) == 9
    ca.policy = lambda request: Rejected(FailureInfo.unacceptedPolicy, "no")
    rejected(ca.issue(request()), FailureInfo.unacceptedPolicy)


def test_update(ca: EmbeddedCA) -> None:
    old = issued(ca)
    update: dict[str, Any] = {"type": BodyType.KUR, "old_certificate": identified(old)}
    signed: dict[str, Any] = {"reference": None, "signer": old}

    def given_up(certificate: x509.Certificate) -> x509.Certificate:
        """An update that nobody waits for any more."""
        record = ca.record(certificate)
        assert record is not None
        record.confirm_by = 0.0
        return certificate

    assert given_up(issued(ca, **update, subject=None)).subject == NAME
    new = given_up(issued(ca, **update, **signed))
    # A later certificate of the same holder may update the first one, too.
    assert given_up(issued(ca, **update, reference=None, signer=new))
    ca.add_secret("other", "x")
    rejected(ca.issue(request(**update, reference=b"other")), FailureInfo.notAuthorized)
    stranger = issued(ca, reference=b"other")
    rejected(ca.issue(request(**update, reference=None, signer=stranger)), FailureInfo.notAuthorized)
    rejected(ca.issue(request(type=BodyType.KUR)), FailureInfo.badCertId)
    unknown = CertificateId(ca.issuer.subject, 1)
    rejected(ca.issue(request(type=BodyType.KUR, old_certificate=unknown)), FailureInfo.badCertId)
    elsewhere = CertificateId(NAME, old.serial_number)
    rejected(ca.issue(request(type=BodyType.KUR, old_certificate=elsewhere)), FailureInfo.badCertId)
    ca.revoke(revocation(old))
    rejected(ca.issue(request(**update)), FailureInfo.certRevoked)


def test_revocation(ca: EmbeddedCA) -> None:
    certificate = issued(ca)
    assert ca.revoke(revocation(certificate, RevocationReason.superseded)) == Revoked()
    record = ca.record(certificate)
    assert record is not None
    assert record.revoked == RevocationReason.superseded
    entry = ca.crl().get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert entry is not None
    assert (
        entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.superseded
    )
    rejected(ca.revoke(revocation(certificate)), FailureInfo.certRevoked)
    rejected(ca.revoke(revocation(certificate, reference=None, signer=certificate)), FailureInfo.certRevoked)


@pytest.mark.parametrize(
    "reason", [None, *(r for r in RevocationReason if r >= 0 and r.name != "removeFromCRL")]
)
def test_reasons(ca: EmbeddedCA, reason: RevocationReason | None) -> None:
    certificate = issued(ca)
    ca.revoke(revocation(certificate, reason))
    entry = ca.crl().get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert entry is not None
    told = [e.value.reason.value for e in entry.extensions if isinstance(e.value, x509.CRLReason)]
    assert told == ([reason.name] if reason else [])


def test_hold(ca: EmbeddedCA) -> None:
    certificate = issued(ca)
    release = revocation(certificate, RevocationReason.removeFromCRL)
    rejected(ca.revoke(release), FailureInfo.badCertId)
    ca.revoke(revocation(certificate, RevocationReason.certificateHold))
    assert ca.crl().get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert ca.revoke(release) == Revoked()
    assert ca.crl().get_revoked_certificate_by_serial_number(certificate.serial_number) is None
    ca.revoke(revocation(certificate, RevocationReason.certificateHold))
    assert ca.revoke(revocation(certificate, RevocationReason.keyCompromise)) == Revoked()
    rejected(ca.revoke(release), FailureInfo.badCertId)


def test_who_may_revoke(ca: EmbeddedCA, pki: PKI) -> None:
    certificate = issued(ca)
    namesake = issued(ca, reference=b"\xff")
    rejected(ca.revoke(revocation(certificate, reference=b"\xff")), FailureInfo.notAuthorized)
    rejected(ca.revoke(revocation(certificate, reference=None)), FailureInfo.notAuthorized)
    for signer in (namesake, pki.client.certificate):
        refusal = ca.revoke(revocation(certificate, reference=None, signer=signer))
        rejected(refusal, FailureInfo.notAuthorized)
    ra = pki.issue("ra", pki.issuing, purposes=[issuing.CMC_RA.dotted_string])
    assert ca.revoke(revocation(certificate, reference=None, signer=ra.certificate)) == Revoked()


def test_revocation_by_key(ca: EmbeddedCA) -> None:
    certificate = issued(ca)
    by_key: dict[str, Any] = {
        "issuer": None,
        "serial": None,
        "public_key_info": issuing.public_key_info(certificate),
    }
    rejected(
        ca.revoke(revocation(certificate, **by_key | {"public_key_info": b"unknown"})), FailureInfo.badCertId
    )
    assert ca.revoke(revocation(certificate, **by_key)) == Revoked()


def test_revoked_signer(ca: EmbeddedCA) -> None:
    certificate = issued(ca)
    ca.revoke(revocation(certificate))
    other = issued(ca)
    signed: dict[str, Any] = {"reference": None, "signer": certificate}
    rejected(ca.issue(request(**signed)), FailureInfo.signerNotTrusted)
    rejected(ca.revoke(revocation(other, **signed)), FailureInfo.signerNotTrusted)
    question = GeneralRequest(**about(**signed), infos=())
    rejected(ca.general(question), FailureInfo.signerNotTrusted)


def test_confirmation(ca: EmbeddedCA) -> None:
    good, bad = issued(ca), issued(ca)
    ca.confirm(Confirmation(**about(), certificate=good, accepted=True))
    ca.confirm(Confirmation(**about(), certificate=bad, accepted=False))
    ca.confirm(Confirmation(**about(), certificate=ca.root, accepted=True))
    assert [record.confirmed for record in ca.records] == [True, False]
    assert [record.revoked is None for record in ca.records] == [True, False]


def ask(ca: EmbeddedCA, *numbers: int | str) -> dict[str, bytes | None]:
    infos = tuple(
        InfoTypeAndValue(x509.ObjectIdentifier(n if isinstance(n, str) else f"1.3.6.1.5.5.7.4.{n}"), None)
        for n in numbers
    )
    answer = ca.general(GeneralRequest(**about(type=BodyType.GENM), infos=infos))
    assert not isinstance(answer, (Rejected, Waiting))
    return {info.oid.dotted_string.removeprefix("1.3.6.1.5.5.7.4."): info.value for info in answer}


def test_general_messages(ca: EmbeddedCA) -> None:
    answers = ask(ca, 17, 6, 20, 19, 2, "1.2.3")
    assert list(answers) == ["17", "6", "18", "19", "2", "7"]
    assert answers["17"] is not None
    found = [x509.load_der_x509_certificate(e.encoding) for e in der.sequence(answers["17"])]
    assert found == [ca.issuer, ca.root]
    assert answers["6"] is not None
    assert x509.load_der_x509_crl(answers["6"]).issuer == ca.issuer.subject
    crl = x509.load_der_x509_crl(answers["6"])
    assert crl.is_signature_valid(ca.issuer.public_key())  # type: ignore[arg-type]
    assert (answers["18"], answers["19"]) == (None, None)


def test_crl(ca: EmbeddedCA) -> None:
    """A new one when something has changed; its time tells."""
    first = ca.crl()
    assert ca.crl() == first
    ca.issue(request())
    assert ca.crl() == first
    ca.records[0].revoked, ca.records[0].revoked_at = RevocationReason.superseded, NOW
    second = ca.crl()
    assert second.last_update_utc > first.last_update_utc
    numbers = [
        crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in (first, second)
    ]
    assert numbers == [1, 2]
    assert ca.crl() == second
