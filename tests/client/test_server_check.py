"""What ``X509_VERIFY_PARAM`` asks of the path to the server's certificate: ``trusted`` as a ``CertificateCheck``."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from support.clients import certificate_request
from support.inprocess import Peer, new_context
from support.pki import PKI, make_crl

import osslcmp
from osslcmp import CertificateCheck, Client

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


TABLE: dict[str, tuple[Any, str]] = {
    "nothing": (lambda pki: {}, ""),
    "an anchor below the root": (lambda pki: {"trusted": pki.issuing.certificate}, "unable to get issuer"),
    "that, as partial chain": (
        lambda pki: {"trusted": pki.issuing.certificate, "partial_chain": True},
        "",
    ),
    "a CRL": (lambda pki: {"crls": [make_crl(pki.issuing, 1)]}, ""),
    "a CRL with it": (
        lambda pki: {"crls": [make_crl(pki.issuing, pki.server.certificate.serial_number)]},
        "certificate revoked",
    ),
    "no CRL": (lambda pki: {"crl_check": "leaf"}, "unable to get certificate CRL"),
    "CRLs of all": (
        lambda pki: {"crls": [make_crl(pki.issuing, 1)], "crl_check": "all"},
        "unable to get certificate CRL",
    ),
    "a policy": (lambda pki: {"policies": ["1.2.3.4"], "explicit_policy": True}, "no explicit policy"),
    "a policy by name": (
        lambda pki: {"policies": "anyPolicy", "explicit_policy": True},
        "no explicit policy",
    ),
    "Suite B": (lambda pki: {"suite_b": "128"}, ""),
    "Suite B, P-384": (lambda pki: {"suite_b": "192"}, "Suite B"),
    "as a TLS server": (lambda pki: {"verify_name": "ssl_server"}, ""),
    "before its time": (lambda pki: {"time": NOW - 400 * DAY}, "no suitable sender cert"),
    "at its time": (lambda pki: {"time": NOW}, ""),
    "a purpose": (lambda pki: {"purpose": "timestampsign"}, "(unsuitable|unsupported) certificate purpose"),
    "a host": (lambda pki: {"host": "cmp.example"}, "[hH]ostname mismatch"),
    "a depth": (lambda pki: {"depth": 0}, "certificate chain too long|unable to get local issuer"),
    "a security level": (lambda pki: {"auth_level": 5}, "too weak"),
}


def made(case: str, pki: PKI, **more: Any) -> tuple[CertificateCheck, str]:
    """The check of a case, and what is said."""
    arguments, message = TABLE[case]
    return CertificateCheck(**{"trusted": pki.root.certificate, **arguments(pki), **more}), message


@pytest.mark.parametrize("case", TABLE)
def test_client(case: str, pki: PKI) -> None:
    """An answer signed by a server whose path is not as asked is not believed."""
    check, message = made(case, pki, untrusted=pki.issuing.certificate)
    client = Client(
        transport=Peer(pki, secret=None),
        certificate=pki.enrolled.certificate,
        key=pki.enrolled.key,
        trusted=check,
        server_usage=None,
    )
    if not message:
        assert client.ir(**certificate_request("ir", pki)).certificate
        return
    with pytest.raises(osslcmp.ProtectionError, match=message):
        client.ir(**certificate_request("ir", pki))


@pytest.mark.parametrize("case", TABLE)
def test_context(case: str, pki: PKI) -> None:
    """The same by ``set_trusted_store``."""
    check, message = made(case, pki)
    context = new_context(pki)
    context.set_transfer_cb(Peer(pki, secret=None))
    context.set_trusted_store(check)
    if not message:
        assert context.exec_ir_ses()
        return
    with pytest.raises(osslcmp.ProtectionError, match=message):
        context.exec_ir_ses()


def test_of_a_new_certificate_and_the_own_chain(pki: PKI) -> None:
    """``set_cert_conf_cb_arg`` and ``build_cert_chain`` take a check, too."""
    lax, strict = made("that, as partial chain", pki)[0], made("an anchor below the root", pki)[0]
    context = new_context(pki)
    context.set_transfer_cb(Peer(pki, secret=None))
    context.set_cert_conf_cb(osslcmp.certconf)
    context.set_cert_conf_cb_arg(strict)
    with pytest.raises(osslcmp.ConfirmError, match="unable to get issuer"):
        context.exec_ir_ses()
    context.reinit()
    context.set_cert_conf_cb_arg(lax)
    assert context.exec_ir_ses()
    context.build_cert_chain(lax, [])
    with pytest.raises(osslcmp.OpenSSLError):
        context.build_cert_chain(strict, [])


def test_refused() -> None:
    """A check whose helping certificates would be left out, or that trusts nobody."""
    check = CertificateCheck(trusted=[])
    with pytest.raises(ValueError, match="trusted: the CertificateCheck has no trust anchor"):
        Client("http://localhost", secret="x", trusted=check)


def test_helping_certificates_of_a_check(pki: PKI) -> None:
    """A context has another place for them."""
    check = CertificateCheck(trusted=pki.root.certificate, untrusted=pki.issuing.certificate)
    with pytest.raises(ValueError, match="belong to set_untrusted"):
        osslcmp.Context().set_trusted_store(check)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"policies": ["no policy"]}, "policies: OpenSSL knows no 'no policy'"),
        ({"ip": "1.2"}, "ip: OpenSSL knows no '1.2'"),
        ({"purpose": "none"}, "purpose: OpenSSL knows no 'none'"),
        ({"verify_name": "none"}, "verify_name: OpenSSL knows no 'none'"),
        ({"suite_b": "256"}, "suite_b: 128, 128_only or 192, not '256'"),
        ({"time": 5}, "time: a datetime, not int"),
    ],
)
def test_wrong_settings(arguments: Any, error: str, pki: PKI) -> None:
    """Are told when the check is made, by their names."""
    with pytest.raises((ValueError, TypeError), match=error):
        CertificateCheck(trusted=pki.root.certificate, **arguments)
