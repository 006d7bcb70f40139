"""What a key that stays in its token does not do. Its signatures are in tests/server/ca/test_key_octets.py and, by
tokens, in the guides (docs/guides/hsm.md, tpm.md)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from osslcmp.server import token_key

KEYS: dict[str, Any] = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
}


def stored(key: Any, directory: Path) -> str:
    """The URI of a file with the key, whose password is 1234."""
    file = directory / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"1234")))
    return f"file:{file}"


@pytest.mark.parametrize("kind", KEYS)
def test_stays(kind: str, tmp_path: Path) -> None:
    """Nothing but signatures comes out of it, and copies are the same key."""
    key: Any = token_key(stored(KEYS[kind], tmp_path), lambda: "1234")
    assert key.public_key() == KEYS[kind].public_key()
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
    for method in ("private_bytes", "private_bytes_raw", "private_numbers", "decrypt", "exchange"):
        with pytest.raises(ValueError, match="does not leave its token"):
            getattr(key, method)()


def test_what_is_signed(tmp_path: Path) -> None:
    """Any buffer, by a hash and a padding that are those of certificates; others are refused, and not taken for them."""
    data, sha256, pkcs1 = b"what is signed", hashes.SHA256(), padding.PKCS1v15()
    key: Any = token_key(stored(KEYS["RSA"], tmp_path), "1234")
    for form in (bytearray(data), memoryview(data)):
        key.public_key().verify(key.sign(form, pkcs1, sha256), data, pkcs1, sha256)
    uses: list[Callable[[], object]] = [
        lambda: key.sign(data, pkcs1, utils.Prehashed(sha256)),
        lambda: key.sign(data, padding.OAEP(padding.MGF1(sha256), sha256, None), sha256),
        lambda: key.sign("text", pkcs1, sha256),
    ]
    for wrong in uses:
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize(
    ("key", "password", "told"),
    [
        (KEYS["RSA"], "wrong", "uri: no private key found behind the file: URI"),
        (dsa.generate_private_key(2048), "1234", "uri: a key in a token that signs certificates is RSA, EC"),
    ],
)
def test_refused(key: Any, password: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        token_key(stored(key, tmp_path), password)
