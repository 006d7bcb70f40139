"""CRLs that libcrypto takes and ``cryptography`` does not read."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from support.odd import KINDS, NAME, PLAIN, odd_crl
from support.pki import PKI, Identity, make_name

from osslcmp import CertificateCheck, InfoTypeAndValue, ResponseError, UnreadableCRLError, general
from osslcmp._asn1 import der as asn1
from osslcmp._files import pem_block
from osslcmp._openssl import convert
from osslcmp.cli.openssl_cmp.mock import Fixed, newer_crl
from osslcmp.message.bodies import RevRep
from osslcmp.server import ClientCRLs


@pytest.fixture(params=KINDS)
def issuer(request: pytest.FixtureRequest, pki: PKI) -> tuple[str, Identity]:
    """A CA whose CRLs are odd in a way."""
    name = PLAIN if request.param == "printable" else NAME
    return request.param, pki.issue("crl_issuer", subject=make_name(name), ca=True)


def test_it_is_passed_on(issuer: tuple[str, Identity]) -> None:
    """In a general message and in an rp: named, with its DER."""
    kind, ca = issuer
    der = odd_crl(kind, ca)
    items = [InfoTypeAndValue(general.CURRENT_CRL, der)]
    with pytest.raises(UnreadableCRLError, match="CRL of /O=osslcmp tests/CN=odd!") as caught:
        general.crl_of(items)
    assert caught.value.crl_der == der
    with pytest.raises(UnreadableCRLError, match="CN=odd!"):
        RevRep((), crls_der=(der,)).crls  # noqa: B018
    with pytest.raises(ResponseError, match="does not decode"):
        general.crl_of([InfoTypeAndValue(general.CURRENT_CRL, b"\x30\x00")])


@pytest.mark.parametrize(("days", "newer"), [(-2, True), (2, False)])
def test_mock_server_tells_whether_it_is_newer(days: int, newer: bool, issuer: tuple[str, Identity]) -> None:
    """Than the one that a client has."""
    kind, ca = issuer
    if kind == "seconds":
        pytest.skip("libcrypto compares no time without seconds")
    crl = odd_crl(kind, ca)
    fixed = Fixed(None, None, crl=convert.crl_to_c(crl))  # type: ignore[arg-type]
    names = asn1.encode(asn1.SEQUENCE, asn1.encode(asn1.explicit(4), odd_name(crl)))
    source = asn1.encode(asn1.explicit(1), names)
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    status = asn1.encode(asn1.SEQUENCE, source, asn1.encode_moment(moment))
    info = InfoTypeAndValue(general.CRL_STATUS_LIST, asn1.encode(asn1.SEQUENCE, status))
    assert newer_crl(info, fixed) == (crl if newer else None)


def odd_name(crl: bytes) -> bytes:
    """The issuer of a CRL."""
    return asn1.sequence(asn1.sequence(crl)[0].encoding)[2].encoding


def test_it_is_asked(issuer: tuple[str, Identity], pki: PKI, tmp_path: Path) -> None:
    """By a check and for the clients of a vendor: in PEM, DER, files; libcrypto takes no time without seconds then."""
    kind, ca = issuer
    good, bad = pki.issue("crl_good", ca), pki.issue("crl_bad", ca)
    der = odd_crl(kind, ca, bad)
    file = tmp_path / "crl.der"
    file.write_bytes(der)
    given: list[Any] = [der, pem_block(der, "X509 CRL"), [file]]
    for crls in given:
        check = CertificateCheck(trusted=ca.certificate, crls=crls)
        for who, expected in ((good, None), (bad, "certificate revoked")):
            failure = check.failure(who.certificate)
            if kind == "seconds":
                assert failure is not None
                assert "lastUpdate" in failure
            else:
                assert failure is expected if expected is None else expected in str(failure)
    below = ClientCRLs([file], [ca.certificate])
    refused = below.refuse(bad.certificate, [])
    assert refused is not None
    assert (below.refuse(good.certificate, []) is None) is (kind != "seconds")
    file.write_bytes(pem_block(der, "X509 CRL"))
    assert below.refuse(bad.certificate, [good.certificate]) is not None
