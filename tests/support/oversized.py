"""Certificates beyond limits, which anybody can make."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from osslcmp._asn1 import der
from osslcmp._asn1.der import encode

from .forge import sequence
from .pki import make_name


def certificate(
    *,
    serial: int = 5,
    issuer: x509.Name | None = None,
    extensions: tuple[x509.ExtensionType, ...] = (),
    key: ec.EllipticCurvePrivateKey | None = None,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate that anybody can make."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(make_name("self-made"))
        .issuer_name(issuer or make_name("self-made"))
        .serial_number(serial)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256()), key


def long_serial(octets_: int) -> bytes:
    """A certificate whose serial number is that long, without a valid signature."""
    whole = der.sequence(certificate()[0].public_bytes(Encoding.DER))
    fields = der.sequence(whole[0].encoding)
    serial = encode(der.INTEGER, b"\x11" * octets_)
    tbs = sequence(*(serial if field.tag == der.INTEGER else field.encoding for field in fields))
    return sequence(tbs, *(field.encoding for field in whole[1:]))


def names(count: int) -> x509.SubjectAlternativeName:
    """A list of that many DNS names of 25 characters."""
    return x509.SubjectAlternativeName([x509.DNSName(f"host-{n:06}.example.test.") for n in range(count)])


def big_name(attributes: int) -> x509.Name:
    """A name of that many attributes of 64 characters."""
    return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "x" * 64)] * attributes)


def certificate_der(**arguments: object) -> bytes:
    """A self-made certificate, DER."""
    return certificate(**arguments)[0].public_bytes(Encoding.DER)  # type: ignore[arg-type]
