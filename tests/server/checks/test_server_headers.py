"""Odd fields of a PKIHeader: what our server makes of them, in each strictness, beside OpenSSL's mock server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from support.forge import HMAC_SHA256, Forger, octets, read, sequence
from support.mock_server import MockServer, mock_of
from support.pki import PKI
from support.rogue import parts, protect

import osslcmp
from osslcmp import BodyType
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA
from osslcmp.server.checks.rules import Strictness
from osslcmp.testing.rewriting import replaced

pytestmark = pytest.mark.peer

STRICTNESSES: tuple[Strictness, ...] = ("strict", "rfc9810", "openssl")

_TEXT = encode(der.UTF8_STRING, b"words")


def _time(text: bytes) -> dict[int, bytes]:
    return {0: encode(0x18, text)}


def _info(oid: str, value: bytes = b"") -> bytes:
    return sequence(der.encode_oid(oid), value)


#: By what is odd: pvno, sender or recipient by position, the others by the number of their tag; empty: left out. Then who
#: answers by genp: the strictnesses by their first letters, and OpenSSL (m).
CASES: dict[str, tuple[dict[int, bytes], dict[int, bytes], str]] = {
    "as usual": ({}, {}, "srom"),
    "pvno 1": ({0: der.encode_integer(1)}, {}, ""),
    "pvno 4": ({0: der.encode_integer(4)}, {}, ""),
    "sender is empty": ({1: encode(explicit(4), sequence())}, {}, "srom"),
    "sender is a URI": ({1: encode(0x86, b"http://x.example")}, {}, ""),
    "sender is a registeredID": ({1: encode(0x88, b"\x2a\x03")}, {}, ""),
    "sender is an x400Address": ({1: encode(0xA3, sequence())}, {}, ""),
    "recipient is a URI": ({2: encode(0x86, b"http://x.example")}, {}, "srom"),
    "messageTime with an offset": ({}, _time(b"20260101120000+0100"), "om"),
    "messageTime without seconds": ({}, _time(b"202601011200Z"), "om"),
    "messageTime is left out": ({}, {0: b""}, "rom"),
    "senderKID is empty": ({}, {2: octets(b"")}, "m"),
    "senderKID is another": ({}, {2: octets(b"other")}, "m"),
    "recipKID": ({}, {3: octets(b"x")}, "srom"),
    "transactionID is left out": ({}, {4: b""}, "rom"),
    "transactionID is empty": ({}, {4: octets(b"")}, "rom"),
    "transactionID of 15 octets": ({}, {4: octets(bytes(range(15)))}, "rom"),
    "transactionID of 17 octets": ({}, {4: octets(bytes(range(17)))}, "srom"),
    "senderNonce is empty": ({}, {5: octets(b"")}, "rom"),
    "recipNonce is empty": ({}, {6: octets(b"")}, "rom"),
    "recipNonce of 16 octets": ({}, {6: octets(bytes(16))}, "rom"),
    "freeText of no text": ({}, {7: sequence()}, "srom"),
    "freeText is empty": ({}, {7: sequence(encode(der.UTF8_STRING, b""))}, "srom"),
    "freeText of two": ({}, {7: sequence(_TEXT, _TEXT)}, "srom"),
    "generalInfo of nothing": ({}, {8: sequence()}, "srom"),
    "generalInfo is unknown": ({}, {8: sequence(_info("1.2.3", HMAC_SHA256))}, "srom"),
    "generalInfo twice": ({}, {8: sequence(_info("1.2.3"), _info("1.2.3"))}, "srom"),
    "implicitConfirm with a value": ({}, {8: sequence(_info("1.3.6.1.5.5.7.4.13", _TEXT))}, ""),
}

if osslcmp.openssl_version >= (3, 1):
    CASES["messageTime without seconds"] = (
        *CASES["messageTime without seconds"][:2],
        "",
    )  # it does not decode


@pytest.fixture(scope="module")
def mock(pki: PKI) -> Iterator[MockServer]:
    with mock_of(pki) as server:
        yield server


def asked(first: dict[int, bytes], tagged: dict[int, bytes]) -> bytes:
    """A genm with such a header, protected by the secret."""
    header, body, _ = parts(Forger().genm(_info("1.3.6.1.5.5.7.4.17")))
    return protect(replaced(header, 3, first, tagged), body, b"secret")


@pytest.mark.parametrize("case", CASES)
def test_odd_header(case: str, mock: MockServer) -> None:
    first, tagged, takers = CASES[case]
    message = asked(first, tagged)
    request = urllib.request.Request(mock.url, message, {"Content-Type": "application/pkixcmp"})
    answers: dict[str, bytes] = {
        name[0]: EmbeddedCA({"ref": "secret"}).server(strictness=name).process(message)
        for name in STRICTNESSES
    }
    try:
        with urllib.request.urlopen(request) as response:
            answers["m"] = response.read()
    except urllib.error.HTTPError as error:
        error.close()
    assert {name for name, answer in answers.items() if read(answer).kind == BodyType.GENP} == set(takers)
