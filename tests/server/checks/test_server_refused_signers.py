"""Who signs and is not taken is told why: what is wrong, with which certificate, and since when."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import CR, GENM, Forger, now, read
from support.pki import make_name
from support.serving import post

from osslcmp import BodyType, FailureInfo
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca import issuing

DAY = datetime.timedelta(days=1)
CRITICAL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")
Pair = tuple[x509.Certificate, Any]


def certify(
    name: str,
    issuer: Pair,
    *,
    since: int = -2,
    until: int = 2,
    ca: bool | None = False,
    usage: dict[str, bool] | None = None,
    more: tuple[x509.ExtensionType, ...] = (),
) -> Pair:
    """A certificate and its key; valid from and to so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(make_name(name))
        .issuer_name(issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + since * DAY)
        .not_valid_after(now() + until * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuing.key_usage(**(usage or {"digital_signature": True})), critical=True)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    for extension in more:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer[1], hashes.SHA256()), key


CA_USAGE = {"key_cert_sign": True}
ROOT = issuing.make_ca("vendor root", None, None)
GOOD = certify("vendor CA", ROOT, ca=True, usage=CA_USAGE)
LATE = certify("late CA", ROOT, ca=True, usage=CA_USAGE, since=-9, until=-3)
NO_CA = certify("no CA", ROOT)
EXPIRED = certify("device", GOOD, until=-1)
EARLY = certify("device", GOOD, since=1)
NO_USAGE = certify("no signer", ROOT, ca=True, usage={"crl_sign": True})

CASES: dict[str, tuple[Pair, Pair, list[str]]] = {
    "expired": (
        EXPIRED,
        GOOD,
        ["certificate has expired for CN=device", f"valid until {EXPIRED[0].not_valid_after_utc:%Y-%m-%d}"],
    ),
    "not yet valid": (
        EARLY,
        GOOD,
        [
            "certificate is not yet valid ",
            "for CN=device",
            f"valid from {EARLY[0].not_valid_before_utc:%Y-%m-%d}",
        ],
    ),
    "issuer expired": (
        certify("device", LATE),
        LATE,
        ["certificate has expired for CN=late CA", "valid until"],
    ),
    "issuer no CA": (certify("device", NO_CA), NO_CA, ["for CN=no CA"]),
    "issuer without keyCertSign": (certify("device", NO_USAGE), NO_USAGE, ["CN=no signer"]),
    "critical extension": (
        certify("device", GOOD, more=(CRITICAL,)),
        GOOD,
        ["unhandled critical extension for CN=device"],
    ),
}


def signing(device: Pair, *chain: x509.Certificate) -> Forger:
    return Forger(None, None, device[0], device[1], chain)


@pytest.mark.parametrize("root_is_sent", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_reason(name: str, root_is_sent: bool) -> None:
    """For an enrolment and a general message."""
    device, issuer, words = CASES[name]
    ca = EmbeddedCA()
    server = ca.server(trusted=[ca.root, ROOT[0]])
    client = signing(device, issuer[0], *([ROOT[0]] if root_is_sent else []))
    for message in (client.request(CR), client.but(transaction_id=bytes(range(16))).message(GENM, b"\x30\0")):
        answer = read(server.process(message))
        assert (answer.kind, answer.failure) == (BodyType.ERROR, FailureInfo.signerNotTrusted)
        for word in words:
            assert word in answer.text


def test_unknown_root() -> None:
    """Whether it is sent or not."""
    device = certify("device", GOOD)
    server = EmbeddedCA().server()
    assert (
        "extraCerts ends below CN=vendor root"
        in read(server.process(signing(device, GOOD[0]).request(CR))).text
    )
    told = read(server.process(signing(device, GOOD[0], ROOT[0]).request(CR))).text
    assert "self-signed certificate in certificate chain for CN=vendor root" in told.replace(
        "self signed", "self-signed"
    )


def test_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads what the client is told."""
    pytest.importorskip("tornado")
    device, issuer, words = CASES["expired"]
    ca = EmbeddedCA()
    with caplog.at_level(logging.INFO, "osslcmp.server"), ca.server(trusted=[ROOT[0]]).serve() as running:
        message = signing(device, issuer[0]).request(CR)
        assert words[0] in read(post(running.url, message)).text
    assert words[0] in caplog.text
