"""What is asked for by a Context arrives in its requests, read back with ``cryptography`` or seen as DER."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.inprocess import Peer, new_context, ready, sent
from support.pki import PKI

import osslcmp
from osslcmp import IR, InfoTypeAndValue, Option, POPOMethod, RevocationReason, lib
from osslcmp._asn1 import der
from osslcmp._openssl import convert

FORMS = ["CN=someone,O=elsewhere", "/O=elsewhere/CN=someone"]
NAME = x509.Name.from_rfc4514_string(FORMS[0])
KIND = x509.ObjectIdentifier("1.2.3.4.5")


@pytest.mark.parametrize("name", [NAME, *FORMS])
@pytest.mark.parametrize("setter", ["set_subject_name", "set_issuer", "set_recipient"])
def test_names(setter: str, name: x509.Name | str, pki: PKI, peer: Peer) -> None:
    """Names as objects, RFC 4514 strings and OpenSSL's own form."""
    context = new_context(pki)
    getattr(context, setter)(name)
    assert NAME.public_bytes() in sent(context, peer)


@pytest.mark.parametrize("setter", ["set_subject_name", "set_issuer", "set_recipient", "set_expected_sender"])
def test_names_can_be_taken_back(setter: str, pki: PKI, peer: Peer) -> None:
    """None is what was there before."""
    context = new_context(pki)
    getattr(context, setter)(NAME)
    getattr(context, setter)(None)
    if setter == "set_subject_name":  # a template needs one: that of the certificate
        context.set_old_cert(pki.enrolled.certificate)
    assert NAME.public_bytes() not in sent(context, peer)


def test_empty_name(pki: PKI, peer: Peer) -> None:
    """The NULL-DN is a name as well."""
    context = new_context(pki)
    context.set_recipient("/")
    header = osslcmp.Message.from_der(sent(context, peer)).header
    assert header.recipient == x509.DirectoryName(x509.Name([]))


def test_expected_sender(pki: PKI, peer: Peer) -> None:
    """The right one is taken, another one is not, and says which came."""
    context = peer.attach(new_context(pki))
    context.set_expected_sender(pki.server.subject)
    context.exec_ir_ses()
    context.reinit()
    context.set_expected_sender(NAME)
    with pytest.raises(osslcmp.ProtectionError, match="sender"):
        context.exec_ir_ses()


def test_sans(pki: PKI, peer: Peer) -> None:
    """Every kind that cryptography has."""
    names: list[x509.GeneralName] = [
        x509.DNSName("a.example"),
        x509.RFC822Name("b@example"),
        x509.UniformResourceIdentifier("https://c.example/"),
        x509.DirectoryName(NAME),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), b"\x0c\x01x"),
    ]
    context = new_context(pki)
    for name in names:
        context.push_subject_alt_name(name)
    context.set_option(Option.SUBJECTALTNAME_CRITICAL, 1)
    request = sent(context, peer)
    extension = x509.SubjectAlternativeName(names).public_bytes()
    assert b"\x06\x03\x55\x1d\x11\x01\x01\xff" in request, "not there, or not critical"
    assert extension in request


def test_default_sans(pki: PKI, peer: Peer) -> None:
    """Those of the reference certificate, unless that is switched off."""
    context = ready(new_context(pki), "kur", pki)
    assert b"enrolled.example" in sent(context, peer, "kur")
    context.reinit()
    context.set_option(Option.SUBJECTALTNAME_NODEFAULT, 1)
    context.exec_kur_ses()
    assert b"enrolled.example" not in peer.requests[2]


def test_extensions(pki: PKI, peer: Peer) -> None:
    """They replace each other, not add up."""
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")])
    san = x509.SubjectAlternativeName([x509.DNSName("ext.example")])
    context = new_context(pki)
    context.set_req_extensions([x509.Extension(san.oid, False, san)])
    assert context.req_extensions_have_san()
    context.set_req_extensions([x509.Extension(usage.oid, True, usage)])
    assert not context.req_extensions_have_san()
    request = sent(context, peer)
    assert usage.public_bytes() in request
    assert san.public_bytes() not in request


def test_two_sources_of_sans(pki: PKI, peer: Peer) -> None:
    """In the extensions and pushed: OpenSSL wants one of them."""
    san = x509.SubjectAlternativeName([x509.DNSName("ext.example")])
    context = peer.attach(new_context(pki))
    context.set_req_extensions([x509.Extension(san.oid, False, san)])
    with pytest.raises(osslcmp.OpenSSLError, match="multiple san sources"):
        context.push_subject_alt_name(x509.DNSName("other.example"))


def test_policies(pki: PKI, peer: Peer) -> None:
    """With and without qualifiers."""
    plain = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.99"), None)
    told = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.98"), ["https://policy.example/"])
    context = new_context(pki)
    context.push_policy(plain)
    context.push_policy(told)
    context.set_option(Option.POLICIES_CRITICAL, 1)
    request = sent(context, peer)
    assert x509.CertificatePolicies([plain, told]).public_bytes() in request
    assert b"\x06\x03\x55\x1d\x20\x01\x01\xff" in request


def test_validity(pki: PKI, peer: Peer) -> None:
    """Days asked for are a notAfter in the template."""
    context = new_context(pki)
    without = len(sent(context, peer))
    context.reinit()
    context.set_option(Option.VALIDITY_DAYS, 42)
    context.exec_ir_ses()
    assert len(peer.requests[2]) > without + 20


def test_general_info(pki: PKI, peer: Peer) -> None:
    """In the header of every message, until it is emptied."""
    context = new_context(pki)
    context.push_geninfo_itav(InfoTypeAndValue(KIND, b"\x04\x05hello"))
    context.push_geninfo_itav(InfoTypeAndValue(KIND, b"\x04\x05there"))
    sent(context, peer)
    assert all(b"\x04\x05hello" in request and b"\x04\x05there" in request for request in peer.requests)
    if osslcmp.features["reset_geninfo_itavs"]:
        context.reinit()
        context.reset_geninfo_itavs()
        context.exec_ir_ses()
        assert b"hello" not in peer.requests[-1]
    if osslcmp.features["geninfo_itavs"]:
        assert context.geninfo_itavs == []


def test_new_key(pki: PKI, peer: Peer) -> None:
    """The key to certify: private, public, or that of protection."""
    context = new_context(pki)
    assert context.new_public_key == pki.enrolled.key.public_key()
    assert context.new_pkey is not None
    assert context.new_pkey.private_numbers() == pki.enrolled.key.private_numbers()  # type: ignore[union-attr]
    public = pki.enrolled.key.public_key()
    context.set_new_pkey(public)
    context.set_option(Option.POPO_METHOD, POPOMethod.RAVERIFIED)
    assert context.new_public_key == public
    assert context.new_pkey is None
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    context.set_transfer_cb(peer)
    with pytest.raises(osslcmp.RejectedError):  # the server takes no word for it
        context.exec_ir_ses()
    assert point in peer.requests[0]
    context.set_new_pkey(None)
    assert context.new_public_key in (None, pki.client.key.public_key())


def test_public_key_and_signature(pki: PKI, peer: Peer) -> None:
    """Possession cannot be proved by a signature without the private key."""
    context = peer.attach(new_context(pki))
    context.set_new_pkey(pki.enrolled.key.public_key())
    with pytest.raises(osslcmp.OpenSSLError):
        context.exec_ir_ses()
    assert peer.calls == []


@pytest.mark.parametrize("method", POPOMethod)
def test_popo(method: POPOMethod, pki: PKI, peer: Peer) -> None:
    """What OpenSSL can prove; the rest it says it cannot."""
    lib = osslcmp.lib
    assert lib.OSSL_CMP_SRV_CTX_set_accept_raverified(peer.pointer, 1)
    context = peer.attach(new_context(pki))
    context.set_option(Option.POPO_METHOD, method)
    if method in (POPOMethod.SIGNATURE, POPOMethod.RAVERIFIED):
        assert context.exec_ir_ses() == pki.enrolled.certificate
        return
    with pytest.raises((osslcmp.OpenSSLError, osslcmp.RejectedError)):
        context.exec_ir_ses()


@pytest.mark.parametrize("reason", [r for r in RevocationReason if r >= 0])
def test_revocation_reason(reason: RevocationReason, pki: PKI, peer: Peer) -> None:
    """In the CRL entry details; certificate and issuer are named."""
    context = ready(new_context(pki), "rr", pki)
    context.set_option(Option.REVOCATION_REASON, reason)
    request = sent(context, peer, "rr")
    assert b"\x06\x03\x55\x1d\x15" in request
    assert bytes([10, 1, reason]) in request
    assert pki.enrolled.certificate.issuer.public_bytes() in request


def test_revocation_by_csr(pki: PKI, peer: Peer) -> None:
    """The certificate that a CSR was for."""
    context = new_context(pki)
    context.set_p10_csr(pki.enrolled.csr())
    point = pki.enrolled.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    context.set_transfer_cb(peer)
    try:
        context.exec_rr_ses()
    except osslcmp.CMPError:
        # The answer's certId has no issuer and serial number to be compared with.
        assert peer.requests
    assert point in peer.requests[0]
    context.set_p10_csr(None)
    context.reinit()
    with pytest.raises(osslcmp.OpenSSLError):
        context.exec_rr_ses()


def test_serial_number(pki: PKI, peer: Peer) -> None:
    """Named by issuer and serial number, from 3.2 on."""
    context = new_context(pki)
    if not osslcmp.features["serial_number"]:
        with pytest.raises(osslcmp.UnsupportedError):
            context.set_serial_number(5)
        return
    context.set_issuer(pki.issuing.subject)
    context.set_serial_number(0x1234567890ABCDEF1234)
    assert bytes.fromhex("1234567890ABCDEF1234") in sent(context, peer, "rr")


@pytest.mark.parametrize("serial", [0, 127, 128, -1, -128, -129, -32768, 2**159])
def test_serial_number_in_c(serial: int) -> None:
    """Of any sign and size: as short as DER wants it."""
    made = convert.integer_to_c(serial)
    assert convert.to_der(lib.i2d_ASN1_INTEGER, made, "encoding") == der.encode_integer(serial)


@pytest.mark.parametrize(
    "use",
    [
        lambda c, pki: c.set_untrusted([pki.issuing.certificate] * 3),
        lambda c, pki: c.set_untrusted(iter([pki.issuing.certificate])),
        lambda c, pki: c.set_trusted_store(x for x in [pki.root.certificate]),
    ],
)
def test_iterables(use: Callable[..., None], pki: PKI, peer: Peer) -> None:
    """Any iterable, once through; duplicates are no harm."""
    context = peer.attach(new_context(pki))
    use(context, pki)
    assert len(context.untrusted) == 1
    assert context.exec_certreq(IR) == pki.enrolled.certificate
