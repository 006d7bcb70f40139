"""Registration controls and registration info of certificate requests (RFC 4211, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support import openssl
from support.clients import certificate_request, client
from support.mock_server import MockServer
from support.pki import PKI, make_key

import osslcmp
from osslcmp import (
    CertReqMsg,
    Client,
    Context,
    FailureInfo,
    PublicationInfo,
    PublicationMethod,
    PublicationPlace,
)
from osslcmp.message import CertReqMessages, describe
from osslcmp.server import CertificateRequest, EmbeddedCA, Rejected

TOKEN, AUTHENTICATOR = "token-ü-4711", "mother's maiden name"
WEB = x509.UniformResourceIdentifier("https://certs.example/")
PUBLICATION = PublicationInfo(True, (PublicationPlace(PublicationMethod.web, WEB),))
PAIRS = {"version": "1.0", "what?": "50 % of it", "empty": ""}
# It ends in a zero bit, which OpenSSL's X509_PUBKEY_dup takes for an unused one.
ENCRYPTION_KEY = next(
    key
    for key in (ec.generate_private_key(ec.SECP384R1()).public_key() for _ in count())
    if key.public_numbers().y % 2 == 0
)
ALL: dict[str, Any] = {
    "registration_token": TOKEN,
    "authenticator": AUTHENTICATOR,
    "publication_info": PUBLICATION,
    "protocol_encryption_key": ENCRYPTION_KEY,
    "utf8_pairs": PAIRS,
}


class TokenCA(EmbeddedCA):
    """Issues to who knows the token, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__({"ref": "secret"}, policy=self._judge)
        self.asked: list[CertificateRequest] = []

    def _judge(self, request: CertificateRequest) -> Rejected | None:
        self.asked.append(request)
        if request.registration_token in (None, TOKEN):
            return None
        return Rejected(FailureInfo.notAuthorized, "no such token")


@pytest.fixture
def ca() -> TokenCA:
    return TokenCA()


@pytest.fixture(params=["mac", "signature"])
def cmp(request: pytest.FixtureRequest, ca: TokenCA) -> Iterator[Client]:
    """A client of ``ca`` with either protection."""
    server = ca.server()
    mac: dict[str, Any] = {"transport": server.process, "reference": "ref", "secret": "secret"}
    if request.param == "mac":
        yield Client(**mac, trace=osslcmp.Trace())
        return
    key = make_key()
    mine = Client(**mac).ir(key, subject="CN=me")
    ca.asked.clear()
    yield Client(
        transport=server.process,
        certificate=mine.certificate,
        key=key,
        chain=mine.chain,
        trusted=ca.root,
        trace=osslcmp.Trace(),
    )


@pytest.mark.parametrize("kind", ["ir", "cr"])
def test_requests_carry_them(kind: str, cmp: Client, ca: TokenCA) -> None:
    """All of them reach the authority under either protection, and the proof of possession is over the controls."""
    getattr(cmp, kind)(make_key(), subject="CN=me", **ALL)
    (asked,) = ca.asked
    for name, value in ALL.items():
        assert getattr(asked, name) == value, name
    assert [one.name for one in asked.controls] == [
        "regToken",
        "authenticator",
        "pkiPublicationInfo",
        "protocolEncrKey",
    ]
    assert [one.name for one in asked.reg_info] == ["utf8Pairs"]
    assert asked.cert_request is None
    assert not any(secret in repr(asked) for secret in (TOKEN, AUTHENTICATOR))


def test_messages_show_them_but_no_secret(cmp: Client, ca: TokenCA) -> None:
    """What the authority got is read from the message as well; traces and descriptions leave the secrets out."""
    cmp.cr(make_key(), subject="CN=me", **ALL)
    request = osslcmp.Message.from_der(ca.asked[0].message)
    assert isinstance(request.body, CertReqMessages)
    (asked,) = request.body.requests
    for name, value in ALL.items():
        assert getattr(asked, name) == value, name
    shown = repr(describe.tree(request))
    for part in ("web", "https://certs.example/", "EC secp384r1", "what%3f?50 %25 of it%"):
        assert part in shown, part
    assert cmp.trace is not None
    for secret in (TOKEN, AUTHENTICATOR):
        assert secret not in shown + repr(request)
        assert secret.encode().hex(" ", 1) not in shown
        assert not any(secret.encode() in (entry.der or b"") for entry in cmp.trace)


def test_kur_names_the_certificate_too(cmp: Client, ca: TokenCA) -> None:
    """libcrypto's oldCertID stays beside the controls of one's own."""
    key = make_key()
    issued = cmp.cr(key, subject="CN=me").certificate
    own = Client(
        transport=ca.server().process, certificate=issued, key=key, trusted=ca.root, untrusted=ca.issuer
    )
    own.kur(make_key(), registration_token=TOKEN)
    asked = ca.asked[-1]
    assert asked.registration_token == TOKEN
    assert asked.old_cert_id is not None
    assert asked.old_cert_id.serial_number == issued.serial_number


def test_a_wrong_token_is_refused(cmp: Client) -> None:
    """The authority decides: EJBCA's RegTokenPwd."""
    with pytest.raises(osslcmp.RejectedError, match="no such token"):
        cmp.cr(make_key(), subject="CN=me", registration_token="guessed")


def test_beside_a_validity(cmp: Client, ca: TokenCA) -> None:
    """They go with what else libcrypto has no setter for."""
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=3)
    cmp.cr(make_key(), subject="CN=me", not_after=end, authenticator=AUTHENTICATOR)
    assert (ca.asked[0].not_after, ca.asked[0].authenticator) == (end, AUTHENTICATOR)


def test_where_there_are_none(cmp: Client, pki: PKI) -> None:
    """A CSR has no controls, and a message of one's own has its own."""
    with pytest.raises(ValueError, match="registration_token: p10cr has none"):
        cmp.p10cr(pki.enrolled.csr(), registration_token=TOKEN)
    crm = CertReqMsg.from_template(b"\x30\x00")
    with pytest.raises(ValueError, match="registration_token, utf8_pairs: goes not with crm"):
        cmp.cr(make_key(), crm=crm, registration_token=TOKEN, utf8_pairs=PAIRS)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("registration_token", "", ValueError),
        ("registration_token", b"bytes", TypeError),
        ("authenticator", "x" * 70_000, ValueError),
        ("authenticator", "\ud800", ValueError),
        ("registration_token", "a\0b", ValueError),
        ("utf8_pairs", {"a": "b\0"}, ValueError),
        ("utf8_pairs", {"\ud800": "b"}, ValueError),
        ("utf8_pairs", {5: "b"}, TypeError),
        ("protocol_encryption_key", "RSA", TypeError),
        ("publication_info", "please", TypeError),
        ("publication_info", PublicationInfo(False, PUBLICATION.places), ValueError),
        ("publication_info", PublicationInfo(True, (PublicationPlace(PublicationMethod.web),)), ValueError),
        ("utf8_pairs", {"": "x"}, ValueError),
        ("utf8_pairs", {"a": "b", "25": "x"}, ValueError),
        ("utf8_pairs", {}, ValueError),
    ],
)
def test_values_that_cannot_be(
    name: str, value: Any, error: type[Exception], cmp: Client, ca: TokenCA
) -> None:
    """What cannot be encoded is refused by name before anything is sent."""
    with pytest.raises(error, match=name) as caught:
        cmp.cr(make_key(), subject="CN=me", **{name: value})
    assert "xxx" not in str(caught.value)
    assert ca.asked == []
    with pytest.raises(error) as by_itself:
        getattr(CertReqMsg.from_template(b"\x30\x00"), f"set_{name}")(value)
    assert str(by_itself.value) == str(caught.value)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda crm: PublicationInfo(cast("Any", 5)), "publish"),
        (lambda crm: PublicationInfo(True, (cast("Any", 5),)), "places"),
        (lambda crm: PublicationPlace(cast("Any", 99)), "method"),
        (lambda crm: PublicationPlace(PublicationMethod.web, cast("Any", "http://x/")), "location"),
        (lambda crm: crm.set_old_cert_id("x", 1), "issuer"),
        (lambda crm: crm.set_old_cert_id("CN=x", cast("Any", "1")), "serial"),
        (lambda crm: crm.set_cert_request(cast("Any", b"x")), "other"),
        (lambda crm: CertReqMsg.from_template(cast("Any", "x")), "template"),
        (lambda crm: crm.create_popo(99), "method"),
        (lambda crm: crm.create_popo(1, cast("Any", 5)), "key"),
        (lambda crm: crm.create_popo(1, make_key(), "\ud800"), "digest"),
    ],
)
def test_arguments_that_cannot_be(call: Callable[[CertReqMsg], object], told: str) -> None:
    """The same of the message's own arguments, and of what they are made of."""
    with pytest.raises((TypeError, ValueError), match=rf"^{told}: "):
        call(CertReqMsg.from_template(b"\x30\x00"))


# -- the message itself -------------------------------------------------------------------------------------


@pytest.fixture
def crm() -> CertReqMsg:
    """A request without proof of possession."""
    context = Context()
    context.set_new_pkey(make_key())
    context.set_subject_name("CN=me")
    return context.setup_crm()


def test_everything_in_a_message(crm: CertReqMsg) -> None:
    """What is set is read again, also from the DER; none is set twice."""
    for name, value in ALL.items():
        getattr(crm, f"set_{name}")(value)
    crm.set_old_cert_id("CN=issuer", 1 << 100)
    for read in (crm.request, CertReqMsg.from_der(crm.der).request):
        for name, value in ALL.items():
            assert getattr(read, name) == value, name
        assert read.old_cert_id is not None
        assert read.old_cert_id.serial_number == 1 << 100
        assert read.old_cert_id.issuer == x509.DirectoryName(x509.Name.from_rfc4514_string("CN=issuer"))
    for name, value in ALL.items():
        with pytest.raises(ValueError, match=f"{name}: there is one already"):
            getattr(crm, f"set_{name}")(value)
    with pytest.raises(ValueError, match="old_cert_id"):
        crm.set_old_cert_id("CN=issuer", 1)


def test_the_request_that_an_ra_got(crm: CertReqMsg) -> None:
    """An RA forwards what it was asked for in regInfo, controls included."""
    asked = CertReqMsg.from_der(crm.der)
    asked.set_registration_token(TOKEN)
    asked.create_popo(osslcmp.POPOMethod.RAVERIFIED)
    crm.set_cert_request(asked)
    assert CertReqMsg.from_der(crm.der).der == crm.der
    found = crm.request.cert_request
    assert found is not None
    assert found.template.subject == x509.Name.from_rfc4514_string("CN=me")
    assert found.registration_token == TOKEN
    assert found.popo.method is osslcmp.POPOMethod.NONE
    assert crm.request.controls == ()
    with pytest.raises(ValueError, match="cert_request"):
        crm.set_cert_request(asked)


def test_do_not_publish(crm: CertReqMsg) -> None:
    """dontPublish has no places."""
    crm.set_publication_info(PublicationInfo(False))
    assert CertReqMsg.from_der(crm.der).request.publication_info == PublicationInfo(False)


def test_openssl_reads_them(crm: CertReqMsg, tmp_path: Path) -> None:
    """``openssl asn1parse`` finds each attribute under its name, with the type that RFC 4211 gives it."""
    for name, value in ALL.items():
        getattr(crm, f"set_{name}")(value)
    (tmp_path / "crm").write_bytes(crm.der)
    told = openssl.run(["asn1parse", "-inform", "DER", "-in", tmp_path / "crm"]).must().out.splitlines()
    values = {
        line.rpartition(":")[2]: told[at + 1].split("prim:")[-1].split("cons:")[-1].split()[0]
        for at, line in enumerate(told)
        if "OBJECT" in line and "reg" in line.rpartition(":")[2]
    }
    assert values == {
        "id-regCtrl-regToken": "UTF8STRING",
        "id-regCtrl-authenticator": "UTF8STRING",
        "id-regCtrl-pkiPublicationInfo": "SEQUENCE",
        "id-regCtrl-protocolEncrKey": "SEQUENCE",
        "id-regInfo-utf8Pairs": "UTF8STRING",
    }


@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_openssl_takes_them(
    protection: str, pki: PKI, mock_server: Callable[..., MockServer], tmp_path: Path
) -> None:
    """OpenSSL's own server verifies a request with all of them, its proof of possession included."""
    server = mock_server()
    cmp = client(server.url, pki, protection)
    enrollment = cmp.ir(**certificate_request("ir", pki), **ALL)
    assert enrollment.certificate == pki.enrolled.certificate


def test_hostile_values(crm: CertReqMsg) -> None:
    """A value of another type, or pairs that are none, are a ValueError where they are read, not where they come."""
    crm.set_registration_token(TOKEN)
    crm.set_utf8_pairs({"a": "b"})
    for old, new in ((b"a?b%", b"a?b%"[::-1]), (b"a?b%", b"a%b%"), (b"a?b%", b"\xff?b%")):
        damaged = osslcmp.CertReqMsg.from_der(crm.der.replace(old, new)).request
        assert damaged.registration_token == TOKEN
        with pytest.raises(ValueError, match=r"utf8Pairs|UTF-8"):
            _ = damaged.utf8_pairs
