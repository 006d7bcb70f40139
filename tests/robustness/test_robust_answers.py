"""Answers that arrive whole and are wrong: for another transaction, wrongly protected, with the wrong certificate.

In the answer to the request nothing is obtained; in the answer to the confirmation the certificate is on the exception.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import rogue
from support.clients import vendor_client, vendor_server
from support.pki import PKI, Identity, make_csr, make_key
from support.rogue import (
    RECIP_NONCE,
    SENDER_NONCE,
    TRANSACTION_ID,
    Change,
    Rogue,
    cert_rep,
    with_body,
    with_header,
)

import osslcmp
from osslcmp import BodyType
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA

SECRET = b"correct horse"
MAC, SIGNATURE = "mac", "signature"
OTHER = b"other" * 4


class Site:
    """A server that signs or uses the shared secret as its client does, and who that is."""

    def __init__(self, pki: PKI) -> None:
        self.pki = pki
        self.ca = EmbeddedCA({"ref": SECRET})
        self.server = vendor_server(pki, self.ca)

    def signer(self, protection: str) -> rogue.Signer:
        """What the server protects its answers with."""
        return SECRET if protection == MAC else self.pki.server

    def client(self, protection: str, transport: Callable[[bytes], bytes], **options: Any) -> osslcmp.Client:
        """A client for it."""
        secret = SECRET if protection == MAC else None
        return vendor_client(self.pki, secret, transport=transport, **options)


@pytest.fixture(scope="module")
def site(pki: PKI) -> Site:
    """One for all tests here."""
    return Site(pki)


def enrol(site: Site, protection: str, change: Change, phase: int) -> BaseException:
    """A cr that goes wrong in that answer; what it raises. Checks that the certificate is kept."""
    key = make_key()
    cmp = site.client(protection, Rogue(site.server, {phase: change}))
    with pytest.raises(osslcmp.CMPError) as caught:
        cmp.cr(key, subject="CN=x")
    error: BaseException = caught.value
    if phase == 0:
        assert not isinstance(error, osslcmp.ConfirmError)
    else:
        assert isinstance(error, osslcmp.ConfirmError)
        assert error.enrollment.certificate.public_key() == key.public_key()
        assert error.__cause__ is not None
        error = error.__cause__
    assert getattr(error, "errors", None), "no story"
    # The client is fine: this transport is honest from here on.
    assert cmp.cr(make_key(), subject="CN=x").certificate
    return error


# -- another transaction ------------------------------------------------------------------------------------

HEADERS: dict[str, tuple[dict[int, bytes | None], int, str]] = {
    "other transactionID": ({TRANSACTION_ID: OTHER}, 2, "transactionid unmatched"),
    "empty transactionID": ({TRANSACTION_ID: b""}, 2, "transactionid unmatched"),
    "no transactionID": ({TRANSACTION_ID: None}, 2, "transactionid unmatched"),
    "other recipNonce": ({RECIP_NONCE: OTHER}, 2, "recipnonce unmatched"),
    "empty recipNonce": ({RECIP_NONCE: b""}, 2, "recipnonce unmatched"),
    "no recipNonce": ({RECIP_NONCE: None}, 2, "recipnonce unmatched"),
    "pvno 0": ({}, 0, "unexpected pvno"),
    "pvno 1": ({}, 1, "unexpected pvno"),
    "pvno 99": ({}, 99, "unexpected pvno"),
    "pvno -1": ({}, -1, "unexpected pvno"),
}


@pytest.mark.parametrize("phase", [0, 1], ids=["request", "confirmation"])
@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
@pytest.mark.parametrize("name", HEADERS)
def test_header(name: str, protection: str, phase: int, site: Site) -> None:
    """Validly protected, and not the answer to this message."""
    fields, pvno, told = HEADERS[name]
    change = with_header(site.signer(protection), fields, pvno=pvno)
    error = enrol(site, protection, change, phase)
    assert isinstance(error, osslcmp.ResponseError)
    assert told in str(error)


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
def test_no_sender_nonce(protection: str, site: Site) -> None:
    """What the server leaves out for itself does no harm."""
    change = with_header(site.signer(protection), {SENDER_NONCE: None})
    cmp = site.client(protection, Rogue(site.server, {1: change}))
    assert cmp.cr(make_key(), subject="CN=x").certificate


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
def test_replay(protection: str, site: Site) -> None:
    """The answer to an earlier request, as it was."""
    kept: list[bytes] = []

    def keep(message: bytes) -> bytes:
        kept.append(message)
        return message

    site.client(protection, Rogue(site.server, {0: keep})).cr(make_key(), subject="CN=x")
    error = enrol(site, protection, lambda _: kept[0], 0)
    assert isinstance(error, osslcmp.ResponseError)
    assert "transactionid unmatched" in str(error)


# -- wrong protection ---------------------------------------------------------------------------------------


def protections(site: Site, protection: str) -> dict[str, Change]:
    """Answers that the server did not make."""
    pki, signer = site.pki, site.signer(protection)
    mine = pki.issue("impostor", pki.other_issuing, subject=pki.server.subject)
    changes: dict[str, Change] = {
        "none": rogue.unprotected,
        "damaged": rogue.damaged_protection,
        "of another message": lambda message: rogue.seq(
            *rogue.parts(with_header(signer, {SENDER_NONCE: OTHER})(message))[:2],
            *(part.encoding for part in der.sequence(message)[2:]),
        ),
        "body exchanged": lambda message: rogue.seq(
            rogue.parts(message)[0],
            encode(explicit(BodyType.GENP), rogue.seq()),
            *(part.encoding for part in der.sequence(message)[2:]),
        ),
    }
    if protection == MAC:
        changes["with another secret"] = with_header(b"wrong horse", {})
    else:
        changes["by an impostor"] = rogue.signed_by(mine)
        changes["by an expired server"] = rogue.signed_by(pki.expired_server)
        changes["by a server for tomorrow"] = rogue.signed_by(pki.future_server)
        changes["by another key"] = lambda message: rogue.protect(
            *rogue.parts(message)[:2], mine, rogue.parts(message)[2]
        )
    return changes


NAMES = {
    MAC: ["none", "damaged", "of another message", "body exchanged", "with another secret"],
    SIGNATURE: [
        "none",
        "damaged",
        "of another message",
        "body exchanged",
        "by an impostor",
        "by an expired server",
        "by a server for tomorrow",
        "by another key",
    ],
}


@pytest.mark.parametrize("phase", [0, 1], ids=["request", "confirmation"])
@pytest.mark.parametrize(("protection", "name"), [(p, n) for p, names in NAMES.items() for n in names])
def test_protection(protection: str, name: str, phase: int, site: Site) -> None:
    """Nothing of such an answer is taken."""
    error = enrol(site, protection, protections(site, protection)[name], phase)
    assert isinstance(error, osslcmp.ProtectionError)


# -- certificates -------------------------------------------------------------------------------------------


def granting(site: Site, protection: str, kind: int, *args: Any) -> Rogue:
    """A server that hands out this certificate."""
    body = cert_rep(kind, *args)
    return Rogue(site.server, {0: with_body(site.signer(protection), lambda _: body)})


def issued(site: Site, key: Any, *, starts: int = -1, ends: int = 30) -> x509.Certificate:
    """A certificate for `key`, valid from and to these days from now."""
    day = datetime.timedelta(days=1)
    return site.pki.issue("x", site.pki.issuing, key=key, starts=starts * day, ends=ends * day).certificate


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
@pytest.mark.parametrize("kind", ["ir", "cr", "kur", "p10cr"])
def test_certificate_for_another_key(kind: str, protection: str, site: Site) -> None:
    """Refused, and told to the server; it is on the exception all the same."""
    certificate = issued(site, make_key())
    body_type = {"ir": BodyType.IP, "kur": BodyType.KUP}.get(kind, BodyType.CP)
    cmp = site.client(
        protection, granting(site, protection, body_type, certificate, -1 if kind == "p10cr" else 0)
    )
    with pytest.raises(osslcmp.ConfirmError) as caught:
        request(cmp, kind, site)
    assert caught.value.enrollment.certificate == certificate
    assert "does not match our enrollment key" in str(caught.value)


def request(
    cmp: osslcmp.Client, kind: str, site: Site, key: Any = None, **options: Any
) -> osslcmp.Enrollment:
    """A certificate request of that kind."""
    key = key or make_key()
    if kind == "p10cr":
        return cmp.p10cr(make_csr(key, site.pki.enrolled.subject), **options)
    if kind == "kur":
        return cmp.kur(key, certificate=site.pki.client.certificate, **options)
    result: osslcmp.Enrollment = getattr(cmp, kind)(key, subject="CN=x", **options)
    return result


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
@pytest.mark.parametrize(("starts", "ends", "why"), [(-9, -1, "expired"), (1, 9, "not yet valid")])
def test_certificate_out_of_its_time(starts: int, ends: int, why: str, protection: str, site: Site) -> None:
    """Refused where the new certificate is checked against trust anchors."""
    key = make_key()
    certificate = issued(site, key, starts=starts, ends=ends)
    root = site.pki.root.certificate
    cmp = site.client(
        protection,
        granting(site, protection, BodyType.IP, certificate),
        untrusted=site.pki.issuing.certificate,
    )
    with pytest.raises(osslcmp.ConfirmError) as caught:
        cmp.ir(key, subject="CN=x", confirm_trusted=root)
    assert caught.value.enrollment.certificate == certificate
    assert why in str(caught.value)


def renumbered(number: int) -> Callable[[der.Element], bytes]:
    """The certReqId of a cp or a certConf replaced."""

    def change(body: der.Element) -> bytes:
        old = der.encode_integer(-1 if number == 0 else 0)
        where = body.encoding.index(old)
        return body.encoding[:where] + der.encode_integer(number) + body.encoding[where + len(old) :]

    return change


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
def test_p10cr_answered_with_zero(protection: str, site: Site) -> None:
    """certReqId of the answer to a p10cr is -1, but some servers say 0, and want that in the certConf."""
    server = site.signer(protection)
    me = SECRET if protection == MAC else site.pki.client

    def transport(message: bytes) -> bytes:
        if osslcmp.Message.from_der(message).type is BodyType.P10CR:
            return with_body(server, renumbered(0))(site.server(message))
        confirm = osslcmp.Message.from_der(message).body
        assert isinstance(confirm, osslcmp.message.CertConfirm)
        assert confirm.statuses[0].request_id == 0
        return site.server(with_body(me, renumbered(-1))(message))

    key = make_key()
    result = request(site.client(protection, transport), "p10cr", site, key)
    assert result.certificate.public_key() == key.public_key()


@pytest.mark.parametrize(
    ("kind", "request_id"), [("ir", -1), ("ir", 5), ("kur", 1), ("p10cr", -2), ("p10cr", 2**70)]
)
def test_wrong_request_id(kind: str, request_id: int, site: Site) -> None:
    """The answer to another request than ours."""
    key = make_key()
    body_type = {"ir": BodyType.IP, "kur": BodyType.KUP}.get(kind, BodyType.CP)
    cmp = site.client(SIGNATURE, granting(site, SIGNATURE, body_type, issued(site, key), request_id))
    with pytest.raises(osslcmp.ResponseError):
        request(cmp, kind, site, key)


def test_two_certificates(site: Site) -> None:
    """Only one was asked for."""
    key = make_key()
    one = der.sequence(der.sequence(der.read(cert_rep(1, issued(site, key))).content)[0].encoding)[0].encoding
    body = encode(explicit(BodyType.IP), rogue.seq(rogue.seq(one, one)))
    transport = Rogue(site.server, {0: with_body(SECRET, lambda _: body)})
    with pytest.raises(osslcmp.ResponseError, match="multiple responses"):
        site.client(MAC, transport).ir(key, subject="CN=x")


# -- caPubs -------------------------------------------------------------------------------------------------


def with_ca_pubs(site: Site, protection: str, root: Identity) -> Change:
    """The genuine ip, its caPubs replaced."""
    pubs = encode(explicit(1), rogue.seq(root.certificate.public_bytes(Encoding.DER)))

    def change(body: der.Element) -> bytes:
        responses = der.sequence(body.content)[-1].encoding
        return encode(body.tag, rogue.seq(pubs, responses))

    return with_body(site.signer(protection), change)


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
def test_ca_pubs_are_handed_over(protection: str, site: Site) -> None:
    """They are in the result, for the application to decide about."""
    change = with_ca_pubs(site, protection, site.pki.other_root)
    result = site.client(protection, Rogue(site.server, {0: change})).ir(make_key(), subject="CN=x")
    assert result.ca_pubs == [site.pki.other_root.certificate]


def test_ca_pubs_of_a_signed_answer_are_not_trusted(site: Site) -> None:
    """A signer below a CA that only caPubs names is nobody."""
    pki = site.pki
    change = with_ca_pubs(site, SIGNATURE, pki.other_root)
    impostor = pki.issue("impostor", pki.other_issuing, subject=pki.server.subject)
    transport = Rogue(site.server, {0: change, 1: rogue.signed_by(impostor)})
    with pytest.raises(osslcmp.ConfirmError) as caught:
        site.client(SIGNATURE, transport).ir(make_key(), subject="CN=x")
    assert isinstance(caught.value.__cause__, osslcmp.ProtectionError)
    assert caught.value.enrollment.ca_pubs == [pki.other_root.certificate]


@pytest.mark.parametrize("protection", [MAC, SIGNATURE])
def test_ca_pubs_are_forgotten(protection: str, site: Site) -> None:
    """Whatever the first transaction brought, the next one of this client starts with the trust that it was given."""
    pki = site.pki
    impostor = pki.issue("impostor", pki.other_issuing, subject=pki.server.subject)
    change = with_ca_pubs(site, protection, pki.other_root)
    cmp = site.client(protection, Rogue(site.server, {0: change, 2: rogue.signed_by(impostor)}))
    assert cmp.ir(make_key(), subject="CN=x").ca_pubs
    with pytest.raises(osslcmp.ProtectionError):
        cmp.genm()


def test_extra_certs_are_not_trusted(site: Site) -> None:
    """A self-signed certificate in extraCerts makes nobody trusted."""
    pki = site.pki
    impostor = pki.issue("impostor", pki.other_root, subject=pki.server.subject)
    with pytest.raises(osslcmp.ProtectionError):
        site.client(SIGNATURE, Rogue(site.server, {0: rogue.signed_by(impostor)})).genm()
