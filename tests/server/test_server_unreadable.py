"""Messages that one layer reads and another does not: refused, and never an exception of any other kind."""

from __future__ import annotations

import pytest
from support.clients import SECRET
from support.forge import HMAC_SHA256, SHA256, Forger, octets, refused, sequence

from osslcmp import FailureInfo
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode
from osslcmp.server import EmbeddedCA, MalformedMessageError, wire

COMMON_NAME = der.encode_oid("2.5.4.3")


def directory(*value: bytes) -> bytes:
    """A GeneralName with this as the value of its common name."""
    return encode(wire.DIRECTORY_NAME, sequence(encode(0x31, sequence(COMMON_NAME, *value))))


@pytest.mark.parametrize(
    "value",
    [
        encode(0x13, b"\xff\xfe"),  # PrintableString
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
    client = Forger(algorithm=sequence(der.encode_oid(wire.PBM_OID), sequence(*parts)))
    try:
        server.process(client.request())
    except MalformedMessageError:
        assert algorithm != SHA256
    assert server.open_transactions == 0
