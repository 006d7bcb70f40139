"""Messages that one layer reads and another does not: refused, and never an exception of any other kind."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from support.clients import SECRET
from support.forge import HMAC_SHA256, SHA256, Forger, octets, read, refused, sequence
from support.pki import PKI

from osslcmp import FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids, x509_parts
from osslcmp._asn1.der import encode
from osslcmp.server import EmbeddedCA, MalformedMessageError, wire
from osslcmp.server.ca import issuing

CLIENT = Forger(secret=SECRET.encode() if isinstance(SECRET, str) else SECRET)
COMMON_NAME = der.encode_oid("2.5.4.3")


def directory(*value: bytes) -> bytes:
    """A GeneralName with this as the value of its common name."""
    return encode(wire.DIRECTORY_NAME, sequence(encode(0x31, sequence(COMMON_NAME, *value))))


@pytest.mark.parametrize(
    "value",
    [
        encode(0x0C, b"\xff\xfe"),  # UTF8String
        encode(0x1E, b"\0"),  # BMPString
    ],
)
@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_a_sender_that_cryptography_does_not_read(value: bytes, strictness: str) -> None:
    server = EmbeddedCA({"ref": SECRET}).server(strictness=strictness)
    client = Forger(secret=SECRET.encode() if isinstance(SECRET, str) else SECRET).but(
        sender=directory(value)
    )
    try:
        refused(server, client.request(), FailureInfo.badDataFormat)
    except MalformedMessageError:
        assert value[0] == 0x1E  # which libcrypto does not read, either
    assert server.open_transactions == 0


@pytest.mark.parametrize(
    "algorithm", [sequence(), sequence(encode(der.NULL)), sequence(octets(b"x")), SHA256]
)
@pytest.mark.parametrize("place", [1, 3])
def test_algorithms_of_a_mac_without_an_oid(algorithm: bytes, place: int) -> None:
    server = EmbeddedCA({"ref": SECRET}).server()
    parts = [octets(b"salt" * 4), SHA256, der.encode_integer(500), HMAC_SHA256]
    parts[place] = algorithm
    client = CLIENT.but(algorithm=sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), sequence(*parts)))
    try:
        server.process(client.request())
    except MalformedMessageError:
        assert algorithm != SHA256
    assert server.open_transactions == 0


BITS = encode(0x03, b"\0x")  # in a name it is a TypeError of cryptography's
RELATIVE_OID = encode(0x0D, b"\1\2")  # a KeyError in its release 48


def odd_certificate(certificate: x509.Certificate, found: bytes) -> bytes:
    """The same with its common name of another type."""
    return certificate.public_bytes(Encoding.DER).replace(b"\x0c" + found, b"\x03" + found)


@pytest.mark.parametrize("value", [BITS, RELATIVE_OID])
def test_a_sender_with_no_string(value: bytes) -> None:
    """It is read, and is not the reference of a secret."""
    server = EmbeddedCA({"ref": SECRET}).server()
    refused(server, CLIENT.but(sender=directory(value)).request(), FailureInfo.badMessageCheck)


@pytest.mark.parametrize("oid", ["2.5.4.3", "2.5.4.6", "2.5.4.45", "1.2.3"])
def test_names_with_values_of_every_type(oid: str) -> None:
    """Each is read, or a ValueError; also where warnings of cryptography's are errors, as in these tests."""
    read = set()
    for tag in (number for number in range(256) if number & 0x1F != 0x1F):
        for content in (b"", b"ab", b"\xff\xfe", b"\2\1\5"):
            attribute = sequence(der.encode_oid(oid), encode(tag, content))
            with contextlib.suppress(ValueError):
                x509_parts.read_name(sequence(encode(0x31, attribute)))
                read.add(tag)
    assert read >= ({der.BIT_STRING} if oid == "2.5.4.45" else {der.UTF8_STRING, 0x13})


@pytest.mark.parametrize("place", [0, 1])
def test_a_certificate_with_a_bit_string_in_its_name(pki: PKI, place: int) -> None:
    server = EmbeddedCA({"ref": SECRET}).server(trusted=[pki.root.certificate])
    client = Forger.signing(pki)
    message = der.sequence(client.request())
    certificates = [element.encoding for element in der.sequence(message[3].content)]
    name = pki.other_root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert isinstance(name, str)
    certificates[place] = odd_certificate(pki.other_root.certificate, bytes((len(name),)) + name.encode())
    extra = encode(der.explicit(1), sequence(*certificates))
    forged = sequence(*(part.encoding for part in message[:3]), extra)
    refused(server, forged, FailureInfo.badDataFormat)


def test_a_subject_alternative_name_with_a_bit_string() -> None:
    server = EmbeddedCA({"ref": SECRET}).server()
    value = octets(sequence(directory(BITS)))
    extensions = encode(der.explicit(9), sequence(der.encode_oid("2.5.29.17"), value))
    answer = read(server.process(CLIENT.request(template=extensions)))
    assert answer.status == PKIStatus.rejection
    assert answer.failure in (FailureInfo.badDataFormat, FailureInfo.badCertTemplate)
    assert server.open_transactions == 0


def test_the_key_of_a_certificate_that_cryptography_does_not_know(pki: PKI) -> None:
    certificate = pki.client.certificate
    key = issuing.public_key_info(certificate)
    curve, unknown = der.encode_oid("1.2.840.10045.3.1.7"), der.encode_oid("1.2.840.10045.3.1.8")
    encoded = certificate.public_bytes(Encoding.DER)
    assert key in encoded
    odd = x509.load_der_x509_certificate(encoded.replace(curve, unknown))
    with pytest.raises(UnsupportedAlgorithm):
        odd.public_key()
    assert issuing.public_key_info(odd) == key.replace(curve, unknown)
