"""The server's own DER reader and the outer structure of messages."""

from __future__ import annotations

import datetime
import random
from contextlib import suppress

import pytest
from cryptography import x509
from support.forge import IMPLICIT_CONFIRM, Forger, sequence

from osslcmp._asn1 import der, oids, x509_parts
from osslcmp.errors import CMPError
from osslcmp.server import MalformedMessageError, MessageTooLargeError, wire

LIMIT = 1 << 16


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 1 << 159, -(1 << 64)])
def test_integers(value: int) -> None:
    encoded = der.encode_integer(value)
    assert der.integer(der.read(encoded)) == value


@pytest.mark.parametrize(
    ("encoded", "value"), [("020100", 0), ("02020080", 128), ("0201ff", -1), ("0a0105", 5)]
)
def test_integers_known(encoded: str, value: int) -> None:
    assert der.integer(der.read(bytes.fromhex(encoded))) == value


@pytest.mark.parametrize("encoded", ["0200", "02020001", "0202ff80", "040101"])
def test_integers_refused(encoded: str) -> None:
    with pytest.raises(der.DERError):
        der.integer(der.read(bytes.fromhex(encoded)))


@pytest.mark.parametrize(
    "dotted",
    ["1.2.840.113549.1.1.11", "2.5.29.17", "0.9.2342.19200300.100.1.25", "2.999.1", "1.3.6.1.5.5.7.4.13"],
)
def test_oids(dotted: str) -> None:
    assert der.dotted(der.read(der.encode_oid(dotted))) == dotted


@pytest.mark.parametrize("encoded", ["0600", "060180", "06022a80", "0603808001", "020101"])
def test_oids_refused(encoded: str) -> None:
    with pytest.raises(der.DERError):
        der.dotted(der.read(bytes.fromhex(encoded)))


@pytest.mark.parametrize("value", [0, 1, 1 << 2, 1 << 7, 1 << 8, 1 << 25, 0b10011, (1 << 27) - 1])
def test_named_bits(value: int) -> None:
    assert der.bits(der.read(der.encode_bits(value))) == value


def test_named_bits_known() -> None:
    # systemFailure alone, as RFC 9810 numbers it: bit 25.
    assert der.encode_bits(1 << 25).hex() == "03050600000040"


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths(length: int) -> None:
    content = bytes(length)
    encoded = der.encode(der.OCTET_STRING, content)
    assert der.octets(encoded) == content
    assert der.read(encoded).encoding == encoded


@pytest.mark.parametrize(
    "encoded",
    [
        "",  # nothing
        "04",  # no length
        "0402aa",  # too short
        "0401aabb",  # something behind
        "048101aa",  # length not in its shortest form
        "04820001aa",
        "3080020100" + "0000",  # indefinite
        "0485ffffffffff",  # length of more than four octets
        "04ff",
        "1fffffffffffff01",  # endless tag
    ],
)
def test_refused(encoded: str) -> None:
    with pytest.raises(der.DERError):
        der.read(bytes.fromhex(encoded))


def test_too_many_elements() -> None:
    assert len(der.children(b"\x05\x00" * 1000)) == 1000
    with pytest.raises(der.DERError, match="too many"):
        der.children(b"\x05\x00" * 1001)


def test_times() -> None:
    moment = datetime.datetime(2026, 7, 1, 12, 30, 5, tzinfo=datetime.timezone.utc)
    assert der.moment(der.read(der.encode_moment(moment))) == moment
    assert der.moment(der.Element(der.GENERALIZED_TIME, b"20260701123005.123Z", b"")) == moment
    assert der.moment(der.Element(der.UTC_TIME, b"260701123005Z", b"")) == moment
    assert der.moment(der.Element(der.UTC_TIME, b"500701123005Z", b"")).year == 1950
    for bad in (b"20261301123005Z", b"20260701123005", b"2026070112300\xd9\xa5Z", b"", b"+0260701123005Z"):
        with pytest.raises(der.DERError):
            der.moment(der.Element(der.GENERALIZED_TIME, bad, b""))


def test_message() -> None:
    client = Forger(info=(IMPLICIT_CONFIRM,))
    encoded = client.request()
    message = wire.read_message(encoded)
    header = message.header
    assert message.body_type == 0
    assert message.protected
    assert header.uses_mac
    assert (header.sender_kid, header.transaction_id, header.recip_nonce) == (
        b"ref",
        client.transaction_id,
        None,
    )
    assert header.sender_nonce is not None
    assert len(header.sender_nonce) == 16
    assert header.implicit_confirm
    assert header.profile is None
    assert message.encoding == encoded
    assert message.extra_certs == ()


def test_profile() -> None:
    profile = sequence(der.encode_oid(oids.CERT_PROFILE), sequence(der.encode_text("tls")))
    assert wire.read_message(Forger(info=(profile,)).request()).header.profile == "tls"


def test_too_large() -> None:
    encoded = Forger().request()
    with pytest.raises(MessageTooLargeError, match=f"at most {len(encoded) - 1}"):
        wire.receive_message(encoded, len(encoded) - 1)


@pytest.mark.parametrize(
    "garbage", [b"", b"hello", b"\x30\x00", b"\x30\x80" + bytes(40), bytes(1000), b"\x30\x82\xff\xff"]
)
def test_garbage(garbage: bytes) -> None:
    with pytest.raises(MalformedMessageError, match="not a CMP message") as caught:
        wire.read_message(garbage)
    assert isinstance(caught.value, CMPError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "parameters", [b"", b"\x05\x00", b"\x30\x00", b"\x04\x01a", sequence(b"\x04\x01a", b"\x02\x01\x05")]
)
def test_crafted_protection_algorithm(parameters: bytes) -> None:
    """A password-based MAC whose parameters have the wrong type never reaches libcrypto."""

    class Crafted(Forger):
        def _algorithm(self) -> bytes:
            return sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), parameters)

    with pytest.raises(MalformedMessageError):
        wire.receive_message(Crafted().request(), LIMIT)


def test_transaction_id_too_long() -> None:
    with pytest.raises(MalformedMessageError, match="too long"):
        wire.read_message(Forger(transaction_id=bytes(129)).request())


def test_damaged_messages() -> None:
    """Whatever happens to a message on its way, it is read or refused with the one exception."""
    chance = random.Random(4210)
    original = Forger(info=(IMPLICIT_CONFIRM,)).request()
    refused = 0
    for _ in range(3000):
        damaged = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged)) :]
        try:
            header = wire.read_message(bytes(damaged)).header
        except MalformedMessageError:
            refused += 1
            with suppress(MalformedMessageError):
                wire.read_answer(bytes(damaged))
        else:
            answer = wire.read_answer(bytes(damaged))
            assert answer[1:] == (header.protection_alg, header.sender_nonce, header.implicit_confirm)
            assert header.known_name == name_in(header.sender)
            assert header.mac == (mac_in(header.protection_alg) if header.uses_mac else None)
    assert 0 < refused < 3000


def name_in(sender: bytes) -> bytes | None:
    """The Name in a sender, None if there is none or it cannot be read."""
    try:
        return wire.directory_name(sender)
    except der.DERError:
        return None


def mac_in(algorithm: bytes | None) -> wire.MacParameters | None:
    """The parameters of a MAC, None if they are no DER."""
    try:
        salt, owf, count, mac = der.sequence(der.sequence(algorithm or b"")[1].encoding)
        rest = b"".join(one.encoding for one in (owf, count, mac))
        names = (x509_parts.algorithm(one.encoding) for one in (owf, mac))
        return wire.MacParameters(
            der.octets(salt.encoding), next(names), der.integer(count), next(names), rest
        )
    except (ValueError, IndexError):
        return None


def test_names() -> None:
    name = x509.Name.from_rfc4514_string("CN=\u00e9t\u00e9,O=x\\,y,C=DE")
    assert x509_parts.read_name(name.public_bytes()) == name
    with pytest.raises(ValueError, match=r"."):
        x509_parts.read_name(b"\x30\x02\x05\x00")
