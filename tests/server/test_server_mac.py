"""Answers under a shared secret are protected with the hash, its iterations, and the MAC of the request."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import pytest
from support.forge import Answer, Forger, read, sequence, sha256

import osslcmp
from osslcmp import BodyType, FailureInfo
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode
from osslcmp.server import EmbeddedCA

OWF = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha512": "2.16.840.1.101.3.4.2.3"}
MAC = {"sha1": "1.3.6.1.5.5.8.1.2", "sha256": "1.2.840.113549.2.9", "sha512": "1.2.840.113549.2.11"}


@dataclass(frozen=True)
class Choosy(Forger):
    """A client that knows no other hash than its own."""

    owf: str = "sha256"
    mac: str = "sha256"
    iterations: int = 100

    def _algorithm(self) -> bytes:
        parts = [sequence(der.encode_oid(oid)) for oid in (OWF[self.owf], MAC[self.mac])]
        salt, count = encode(der.OCTET_STRING, b"salt" * 4), der.encode_integer(self.iterations)
        return sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), sequence(salt, parts[0], count, parts[1]))

    def _protect(self, data: bytes) -> bytes:
        return self.protection(b"salt" * 4, data)

    def protection(self, salt: bytes, data: bytes) -> bytes:
        """The MAC of a message with this salt."""
        assert self.secret is not None
        key = self.secret + salt
        for _ in range(self.iterations):
            key = hashlib.new(self.owf, key).digest()
        return hmac.digest(key, data, self.mac)

    def can_read(self, response: bytes) -> Answer:
        """The answer, whose protection is right and as this client makes it."""
        answer = read(response)
        used = answer.raw.header.mac
        assert used is not None
        assert (used.owf, used.iterations, used.mac) == (OWF[self.owf], self.iterations, MAC[self.mac])
        header, body, protection, *_ = der.sequence(response)
        bits = der.read(protection.content, der.BIT_STRING).content
        assert bits[1:] == self.protection(used.salt, sequence(header.encoding, body.encoding))
        return answer


@pytest.mark.parametrize(
    ("owf", "mac", "iterations"),
    [
        ("sha256", "sha256", 100),
        ("sha512", "sha512", 500),
        ("sha1", "sha256", 1024),
        ("sha256", "sha1", 9_999),
    ],
)
def test_every_answer(owf: str, mac: str, iterations: int) -> None:
    """libcrypto's own, and those that are made here."""
    server = EmbeddedCA({"ref": "secret"}).server()
    client = Choosy(owf=owf, mac=mac, iterations=iterations)
    response = server.process(client.request())
    answer = client.can_read(response)
    assert answer.certificate is not None
    later = client.answering(response)
    refusal = client.can_read(server.process(later.but(recip_nonce=bytes(16)).cert_conf(bytes(32))))
    assert FailureInfo(refusal.failure) == FailureInfo.badRecipientNonce
    done = client.can_read(server.process(later.cert_conf(sha256(answer.certificate))))
    assert done.kind == BodyType.PKICONF
    genm = client.but(transaction_id=bytes(range(16)))
    assert client.can_read(server.process(genm.genm())).kind == BodyType.GENP


def test_within_the_policy() -> None:
    """What is not allowed is not answered so, either."""
    server = EmbeddedCA({"ref": "secret"}).server(mac_policy="strict")
    answer = read(server.process(Choosy(owf="sha1").request()))
    assert FailureInfo(answer.failure) == FailureInfo.badAlg
    assert not answer.raw.header.uses_mac


@pytest.mark.parametrize(("owf", "mac"), [("sha512", "hmac-sha512"), ("sha384", "hmac-sha256")])
def test_clients_of_openssl(owf: str, mac: str) -> None:
    """They verify what comes."""
    client = osslcmp.Client(
        transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret", owf=owf, mac=mac
    )
    assert client.ca_certs()
