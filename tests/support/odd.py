"""Certificates and CRLs that libcrypto reads and ``cryptography`` does not: made of good ones, signed again by their CA.

There are such roots and devices in the field, and CAs that go on issuing them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import osslcmp
from osslcmp._asn1 import der

from .pki import Identity, make_key

_SHA256 = hashes.SHA256()

#: What the common name of a certificate that is made odd must be.
NAME = "odd! \u00e4"
#: Or this, to keep its value.
PLAIN = "odd! a"


def _names(tag: int, value: bytes) -> Callable[[bytes], bytes]:
    """Common names in another type of string."""
    odd = der.encode(tag, value)
    oid = der.encode_oid("2.5.4.3")

    def change(field: bytes) -> bytes:
        goods = [der.encode(0x0C, name.encode()) for name in (NAME, PLAIN)]
        good = next((good for good in goods if oid + good in field), None)
        if good is None:
            return field
        attribute = der.encode(der.SEQUENCE, oid, odd)
        parts = [
            der.encode(0x31, attribute) if oid + good in part.encoding else part.encoding
            for part in der.sequence(field)
        ]
        return der.encode(der.SEQUENCE, *parts)

    return change


def _explicit_false(field: bytes) -> bytes:
    """An extension of a certificate or CRL with the default of its BOOLEAN written out."""
    if field[0] not in (der.explicit(3), der.explicit(0)) or der.read(field).content[0] != der.SEQUENCE:
        return field
    (extensions,) = der.children(der.read(field).content)
    changed = [_critical(extension.encoding) for extension in der.children(extensions.content)]
    return der.encode(field[0], der.encode(der.SEQUENCE, *changed))


def _critical(extension: bytes) -> bytes:
    parts = [part.encoding for part in der.sequence(extension)]
    if len(parts) == 2:
        parts.insert(1, b"\x01\x01\x00")
    return der.encode(der.SEQUENCE, *parts)


def _no_seconds(field: bytes) -> bytes:
    """A Validity, or the time of a CRL, without seconds."""
    if field[0] == der.UTC_TIME:
        return der.encode(der.UTC_TIME, field[2:12] + b"Z")
    parts = der.sequence(field) if field[0] == der.SEQUENCE else []
    if [part.tag for part in parts] != [der.UTC_TIME] * 2:
        return field
    times = [der.encode(der.UTC_TIME, part.content[:10] + b"Z") for part in parts]
    return der.encode(der.SEQUENCE, *times)


#: Certificates that libcrypto reads and ``cryptography`` does not, by what is odd in them.
KINDS: dict[str, Callable[[bytes], bytes]] = {
    "printable": _names(0x13, PLAIN.encode()),
    "t61": _names(0x14, NAME.encode("latin-1")),
    "false": _explicit_false,
    "seconds": _no_seconds,
}

if osslcmp.openssl_version >= (3, 5):
    del KINDS["seconds"]  # which libcrypto decodes no more


def odd(
    kind: str,
    good: x509.Certificate | x509.CertificateRevocationList,
    signer: ec.EllipticCurvePrivateKey,
) -> bytes:
    """DER of a certificate or CRL made odd in that way."""
    (tbs, algorithm, _) = der.sequence(good.public_bytes(Encoding.DER))
    changed = der.encode(der.SEQUENCE, *(KINDS[kind](field.encoding) for field in der.children(tbs.content)))
    assert changed != tbs.encoding
    signature = signer.sign(changed, ec.ECDSA(hashes.SHA256()))
    return der.encode(
        der.SEQUENCE, changed, algorithm.encoding, der.encode(der.BIT_STRING, b"\0" + signature)
    )


def odd_crl(kind: str, issuer: Identity, *revoked: Identity) -> bytes:
    """DER of a CRL of ``issuer`` made odd in that way, with an entry extension that nobody knows, and a negative number."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - datetime.timedelta(days=1)).next_update(
        now + datetime.timedelta(days=9)
    )
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00")
    for who in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(who.certificate.serial_number)
        entry = entry.revocation_date(now).add_extension(unknown, critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    return odd(kind, builder.sign(issuer.key, hashes.SHA256()), issuer.key)


def odd_identity(kind: str, who: Identity, signer: Identity) -> bytes:
    """DER of the certificate of ``who`` made odd in that way."""
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    return odd(kind, who.certificate, signer.key)


def odd_csr(me: Identity, algorithm: hashes.HashAlgorithm = _SHA256) -> bytes:
    """With its attributes in the other order than DER wants, as Windows makes them."""
    name = x509.ObjectIdentifier("1.3.6.1.4.1.311.13.2.3")
    builder = x509.CertificateSigningRequestBuilder().subject_name(me.subject).add_attribute(name, b"10.0.1")
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=False)
    good = builder.sign(make_key("rsa"), hashes.SHA256())  # only for its parts
    (info, _, _) = der.sequence(good.public_bytes(Encoding.DER))
    version, subject, _, attributes = der.children(info.content)
    key = me.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    reversed_ = [one.encoding for one in der.children(attributes.content)][::-1]
    changed = der.encode(
        der.SEQUENCE, version.encoding, subject.encoding, key, der.encode(attributes.tag, *reversed_)
    )
    assert isinstance(me.key, ec.EllipticCurvePrivateKey)
    oid = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2"}[algorithm.name]
    signature = me.key.sign(changed, ec.ECDSA(algorithm))
    return der.encode(
        der.SEQUENCE, changed, der.encode(der.SEQUENCE, der.encode_oid(oid)),
        der.encode(der.BIT_STRING, b"\0" + signature),
    )  # fmt: skip


def _validity(begin: bytes, end: bytes = b"20490101000000Z") -> tuple[int, bytes]:
    return 4, der.encode(der.SEQUENCE, *(der.encode(der.GENERALIZED_TIME, time) for time in (begin, end)))


def _subject(*attributes: bytes) -> tuple[int, bytes]:
    return 5, der.encode(der.SEQUENCE, der.encode(0x31, *attributes))


def _algorithm(oid: str, parameters: bytes = b"") -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), parameters)


def _extension(oid: str, *rest: bytes) -> tuple[int, bytes]:
    one = der.encode(der.SEQUENCE, der.encode_oid(oid), *rest)
    return 7, der.encode(der.explicit(3), der.encode(der.SEQUENCE, one))


_LONG_OID = "1.2.840." + "9" * 40
#: Fields of a certificate (its number in that of version 3, its DER) that libcrypto reads, and that make no sense.
FIELDS: dict[str, tuple[int, bytes]] = {
    "year 0": _validity(b"00000101000000Z"),
    "before the year 1": _validity(b"00010101000000+0100"),
    "year 1": _validity(b"00010101000000Z"),
    "after the year 9999": _validity(b"20250101000000Z", b"99991231235959-0100"),
    "no seconds": _validity(b"202501010000Z", b"204901010000+0100"),
    "fraction": _validity(b"20250101000000.25Z"),
    "30 February": _validity(b"20250230000000Z"),
    "leap second": _validity(b"20161231235960Z"),
    "no zone": _validity(b"20250101000000"),
    "no time": _validity(b"hello", b""),
    "empty RDN": _subject(),
    "OID of a name": _subject(der.encode(der.SEQUENCE, der.encode_oid(_LONG_OID), b"\x0c\1a")),
    "name that is a SEQUENCE": _subject(der.encode(der.SEQUENCE, der.encode_oid("2.5.4.3"), b"\x30\0")),
    "parameters of Ed25519": (2, _algorithm("1.3.101.112", b"\5\0")),
    "parameters of RSA": (2, _algorithm("1.2.840.113549.1.1.11", b"\x30\0")),
    "critical basicConstraints": _extension("2.5.29.19", b"\1\1\1", der.encode(der.OCTET_STRING, b"xx")),
    "OID of an extension": _extension(_LONG_OID, der.encode(der.OCTET_STRING, b"\5\0")),
}  # fmt: skip
if osslcmp.openssl_version >= (3, 5):  # which libcrypto decodes no more
    for _kind in ("no seconds", "no zone", "no time"):
        del FIELDS[_kind]


def with_field(kind: str, good: x509.Certificate) -> bytes:
    """DER of a certificate with one of ``FIELDS``; its signature does not fit any more."""
    number, field = FIELDS[kind]
    tbs, *rest = der.sequence(good.public_bytes(Encoding.DER))
    fields = [one.encoding for one in der.children(tbs.content)]
    fields[number] = field
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, *fields), *(one.encoding for one in rest))
