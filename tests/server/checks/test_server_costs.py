"""What a client may make the server compute: MACs within a policy, keys of bounded sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from support import openssl_cmp
from support.forge import HMAC_SHA256, SHA256, Forger, octets, read, refused, sequence
from support.persistent import opened
from support.pki import make_key

import osslcmp
from osslcmp import BodyType, FailureInfo
from osslcmp._asn1 import der, oids
from osslcmp.cli.serve_options import read as read_options
from osslcmp.server import EmbeddedCA
from osslcmp.server.checks.costs import MacPolicy, read_key_sizes

SHA1 = sequence(der.encode_oid("1.3.14.3.2.26"))
MD5 = sequence(der.encode_oid("1.2.840.113549.2.5"))
HMAC_SHA1 = sequence(der.encode_oid("1.3.6.1.5.5.8.1.2"))
HMAC_MD5 = sequence(der.encode_oid("1.3.6.1.5.5.8.1.1"))


@dataclass(frozen=True)
class Asking(Forger):
    """A client that knows no secret and says how its MAC is to be computed."""

    salt: bytes = bytes(16)
    owf: bytes = SHA256
    iterations: int = 1000
    mac: bytes = HMAC_SHA256

    def _algorithm(self) -> bytes:
        parameters = sequence(octets(self.salt), self.owf, der.encode_integer(self.iterations), self.mac)
        return sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), parameters)


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        ("default", {"iterations": 10_001}),
        ("default", {"iterations": 99}),
        ("default", {"iterations": 2**70}),
        ("default", {"iterations": -1}),
        ("default", {"owf": MD5}),
        ("default", {"mac": HMAC_MD5}),
        ("strict", {"iterations": 999}),
        ("strict", {"owf": SHA1}),
        ("strict", {"mac": HMAC_SHA1}),
        ("strict", {"salt": b""}),
        (MacPolicy(max_iterations=500), {}),
        (MacPolicy(min_salt=17), {}),
    ],
)
@pytest.mark.parametrize("reference", [b"ref", b"nobody"])
@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_refused_before_it_is_computed(policy: Any, fields: Any, reference: bytes, strictness: Any) -> None:
    server = EmbeddedCA({"ref": "secret"}).server(mac_policy=policy, strictness=strictness)
    client = Asking(reference=reference, **fields)
    for message in (client.request(), client.genm(), client.poll()):
        told = FailureInfo.badAlg if strictness == "strict" else FailureInfo.badRequest
        answer = refused(server, message, told)
        assert not answer.raw.header.uses_mac


@pytest.mark.parametrize("fields", [{}, {"iterations": 10_000}, {"mac": HMAC_SHA1}, {"salt": b""}])
def test_taken(fields: Any) -> None:
    """The MAC is looked at, and wrong."""
    server = EmbeddedCA({"ref": "secret"}).server()
    refused(server, Asking(**fields).request(), FailureInfo.badMessageCheck)


def test_openssl_client(tmp_path: Path) -> None:
    """What OpenSSL's client does without being told is taken by default, and refused by ``strict``."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = tmp_path / "key.pem"
    key.write_bytes(make_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for policy, code in (("default", 0), ("strict", 1)):
        with (
            opened(tmp_path / policy, secrets={"ref": "secret"}) as ca,
            ca.server(mac_policy=policy).serve() as running,
        ):
            done = openssl_cmp.cmp(
                "ir",
                running.url,
                ref="ref",
                secret=b"secret",
                newkey=key,
                subject="/CN=me",
                certout=tmp_path / "c",
            )
            assert done.code == code, done


@pytest.mark.parametrize(
    ("key", "good"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), True),
        (lambda: ec.generate_private_key(ec.SECP384R1()), True),
        (lambda: ec.generate_private_key(ec.SECP192R1()), False),
        (lambda: rsa.generate_private_key(65537, 1024), False),
    ],
)
def test_key_to_certify(key: Any, good: bool) -> None:
    client = osslcmp.Client(
        transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret"
    )
    if good:
        client.ir(key(), subject="CN=me")
        return
    with pytest.raises(osslcmp.RejectedError) as caught:
        client.ir(key(), subject="CN=me")
    assert caught.value.failure_info == FailureInfo.badCertTemplate


def test_key_sizes_as_settings() -> None:
    server = EmbeddedCA({"ref": "secret"}).server(key_sizes=read_key_sizes(["EC=300..400"]))
    answer = read(server.process(Forger().request()))
    assert answer.kind == BodyType.IP
    assert FailureInfo(answer.failure) == FailureInfo.badCertTemplate
    bigger = Forger().request(key=ec.generate_private_key(ec.SECP384R1()))
    assert read(server.process(bigger)).certificate is not None


def test_certificates_that_come_along() -> None:
    """A key that is too large is not verified with, whoever sends it."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(key_sizes={"EC": (224, 256)})
    key = ec.generate_private_key(ec.SECP384R1())
    lenient = ca.server()
    certificate = read(lenient.process(Forger().request(key=key))).certificate
    signing = Forger(secret=None, reference=None, certificate=certificate, key=key, chain=ca.chain)
    refused(server, signing.genm(), FailureInfo.badAlg)
    assert read(lenient.process(signing.but(transaction_id=bytes(16)).genm())).kind == BodyType.GENP


def test_options() -> None:
    found = read_options(["--directory", "x", "--mac-policy", "strict", "--key-size", "RSA=3072..4096"])
    assert found["mac_policy"] == "strict"
    assert read_key_sizes(found["key_size"]) == {"RSA": (3072, 4096)}
    for wrong in ("RSA", "RSA=1..0", "XYZ=1..2", "RSA=1-2"):
        with pytest.raises(ValueError, match="size of keys"):
            read_key_sizes([wrong])
    with pytest.raises(ValueError, match="mac_policy"):
        EmbeddedCA().server(mac_policy="lax")
