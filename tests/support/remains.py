"""What stays of secrets in the memory of a process: ``python -m support.remains CASE DIRECTORY`` tells, as JSON.

A secret is kept here as two random strings whose difference it is. What is looked through is the heap, from which libcrypto
and the extension have their memory: Python's own objects of 512 octets and less are elsewhere.
"""

from __future__ import annotations

import gc
import json
import re
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import osslcmp
from osslcmp import Context, ffi, lib
from osslcmp.server import EmbeddedCA, token_key

from .raw_server import free_port


class Secret:
    """Octets to look for; without any, a random word."""

    def __init__(self, octets: bytes | None = None) -> None:
        if octets is None:
            octets = secrets.token_hex(12).encode()
        self._mask = secrets.token_bytes(len(octets))
        self._masked = bytes(one ^ other for one, other in zip(octets, self._mask, strict=True))

    def __bytes__(self) -> bytes:
        return bytes(self._made())

    def _made(self) -> Iterator[int]:
        return (one ^ other for one, other in zip(self._mask, self._masked, strict=True))

    def places(self) -> int:
        """In how many places of the heap it is."""
        gc.collect()
        maps = Path("/proc/self/maps").read_text()
        begin, end = (
            int(one, 16) for one in re.findall(r"^(\w+)-(\w+) rw.*\[heap\]$", maps, re.MULTILINE)[0]
        )
        mark, count, place = bytes(self), 0, -1
        # A copy that is no part of the heap itself, as large bytes may be.
        with mmap(-1, end - begin) as copy, open("/proc/self/mem", "rb", buffering=0) as memory:  # noqa: PTH123
            memory.seek(begin)
            memory.readinto(copy)
            while (place := copy.find(mark, place + 1)) >= 0:
                count += 1
        return count


def _prime(key: rsa.RSAPrivateKey) -> Secret:
    """One of its primes as libcrypto has it: the least octet first."""
    return Secret(key.private_numbers().p.to_bytes(128, "little"))


def _mac() -> tuple[Any, dict[str, Secret]]:
    secret = Secret()
    context = Context()
    context.set_secret_value(bytes(secret))
    return context, {"secret": secret}


def _client() -> tuple[Any, dict[str, Secret]]:
    """A client and a server that have used it."""
    secret, key = Secret(), rsa.generate_private_key(65537, 2048)
    ca = EmbeddedCA({"r": bytes(secret)})
    client = osslcmp.Client(transport=ca.server(), reference="r", secret=bytes(secret))
    client.ir(key, subject="CN=x")
    return client, {"used": secret}


def _key() -> tuple[Any, dict[str, Secret]]:
    key = rsa.generate_private_key(65537, 2048)
    octets = Secret(key.private_numbers().p.to_bytes(128, "big"))
    encoding = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    lib.OPENSSL_cleanse(ffi.from_buffer(encoding), len(encoding))
    by_cryptography = octets.places()  # 50.0 leaves copies when it encodes
    context = Context()
    context.set_pkey(key)
    return context, {"key": _prime(key), **({} if by_cryptography else {"octets": octets})}


def _ec(encoding: Encoding) -> tuple[Any, dict[str, Secret]]:
    """On an elliptic curve, in the form that has it at its beginning."""
    key = ec.generate_private_key(ec.SECP256R1())
    octets = key.private_numbers().private_value.to_bytes(32, "big")
    context = Context()
    context.set_pkey(key.private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return context, {"key": Secret(octets[::-1]), "octets": Secret(octets)}


def _encrypted(encoding: Encoding | None) -> tuple[Any, dict[str, Secret]]:
    """In PEM, DER or behind a URI."""
    password, key = Secret(), rsa.generate_private_key(65537, 2048)
    given: Any = key.private_bytes(
        encoding or Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(bytes(password))
    )
    if encoding is None:
        file = Path(sys.argv[2], "key.pem")
        file.write_bytes(given)
        given = f"file:{file}"
        token_key(given, bytes(password))
    context = Context()
    context.set_pkey(given, bytes(password))
    return context, {"key": _prime(key), "password": password}


def _proxy(scheme: str) -> tuple[Any, dict[str, Secret]]:
    """The password of a proxy, as it is and as it goes into HTTP."""
    password = Secret()
    context = Context()
    context.set_server("cmp.invalid")
    context.set_proxy(f"http://me:{bytes(password).decode()}@127.0.0.1:{free_port()}")
    context.set_secret_value(b"s")
    context.set_reference_value(b"r")
    if scheme == "https":
        context.set_tls(osslcmp.TLS())
    with suppress(osslcmp.CMPError):
        context.exec_genm_ses()
    return context, {"proxy's": password, "base64": Secret(b64encode(b"me:" + bytes(password))[4:-4])}


CASES: dict[str, Callable[[], tuple[Any, dict[str, Secret]]]] = {
    "secret": _mac,
    "client": _client,
    "key": _key,
    "EC in PEM": lambda: _ec(Encoding.PEM),
    "EC in DER": lambda: _ec(Encoding.DER),
    "PEM": lambda: _encrypted(Encoding.PEM),
    "DER": lambda: _encrypted(Encoding.DER),
    "URI": lambda: _encrypted(None),
    "proxy": lambda: _proxy("http"),
    "proxy for TLS": lambda: _proxy("https"),
}

if __name__ == "__main__":
    held, found = CASES[sys.argv[1]]()
    meanwhile = {name: secret.places() for name, secret in found.items()}
    del held
    print(json.dumps({name: [meanwhile[name], secret.places()] for name, secret in found.items()}))
