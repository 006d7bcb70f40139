"""Private keys wherever they live, and which kinds work on which release."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from support import openssl
from support.releases import USABLE

import osslcmp
from osslcmp import Client, ffi, lib
from osslcmp._openssl.keys import private_key
from osslcmp.server import EmbeddedCA, Server

#: How ``openssl genpkey`` makes it; the first release that has it; the first tried one that protects with it.
KINDS = {
    "RSA": (["-algorithm", "RSA"], (3, 0), (3, 0)),
    "P-256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], (3, 0), (3, 0)),
    "P-521": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], (3, 0), (3, 0)),
    "brainpoolP256r1": (
        ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
        (3, 0),
        (3, 0),
    ),
    "Ed25519": (["-algorithm", "ED25519"], (3, 0), (3, 5)),
    "Ed448": (["-algorithm", "ED448"], (3, 0), (3, 5)),
    "ML-DSA-44": (["-algorithm", "ML-DSA-44"], (3, 5), (3, 5)),
    "ML-DSA-65": (["-algorithm", "ML-DSA-65"], (3, 5), (3, 5)),
    "ML-DSA-87": (["-algorithm", "ML-DSA-87"], (3, 5), (3, 5)),
}
RELEASE = osslcmp.openssl_version[:2]


@pytest.fixture
def client(server: Server) -> Client:
    """A client that knows the secret, too."""
    return Client(transport=server.process, reference="ref", secret="secret")


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    """A key in memory."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.peer
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str, client: Client, ca: EmbeddedCA, server: Server) -> None:
    """Proof of possession by each kind of key, and protection by it from the release that can."""
    arguments, exists, protects = KINDS[kind]
    made = subprocess.run([*openssl.command(), "genpkey", *arguments], capture_output=True, check=False)
    if exists > RELEASE:
        pem = subprocess.run(
            [*openssl.command(), "genpkey", "-algorithm", "RSA"], capture_output=True, check=True
        ).stdout
        assert made.returncode != 0, "the installed openssl is of another release than the library"
        assert client.ir(pem, subject="CN=instead").certificate
        return
    assert made.returncode == 0, made.stderr
    enrollment = client.ir(made.stdout, subject="CN=kinds")
    own: dict[str, Any] = {
        "certificate": enrollment.certificate,
        "key": made.stdout,
        "chain": enrollment.chain,
    }
    if protects <= RELEASE:
        signing = Client(transport=server.process, trusted=ca.root, **own)
        assert signing.cr(made.stdout, subject="CN=kinds 2").certificate
    elif RELEASE == (3, 0):  # what lies between was never tried
        with pytest.raises(ValueError, match=r"key, digest: this OpenSSL cannot.* unsupported key type"):
            Client(transport=server.process, trusted=ca.root, **own)


@pytest.mark.peer
@pytest.mark.skipif(RELEASE < (3, 5), reason="libcrypto signs no messages with them before")
@pytest.mark.parametrize("kind", ["SM2", "SLH-DSA-SHA2-128f", "SLH-DSA-SHAKE-192s"])
def test_messages_signed_with_what_only_openssl_knows(
    kind: str, client: Client, ca: EmbeddedCA, server: Server, tmp_path: Path
) -> None:
    """The server leaves the verdict to libcrypto."""
    key, csr = tmp_path / "device.key", tmp_path / "csr.pem"
    openssl.run(["genpkey", "-algorithm", kind, "-out", key]).must()
    openssl.run(["req", "-new", "-key", key, "-subj", "/CN=x", "-out", csr]).must()
    first = client.p10cr(csr)
    digest = "sm3" if kind == "SM2" else "sha256"
    signing = Client(
        transport=server,
        certificate=first.certificate,
        key=key,
        chain=first.chain,
        trusted=ca.root,
        digest=digest,
    )
    assert signing.kur(key).certificate != first.certificate


@pytest.mark.parametrize("options", ["EC", "SM2", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519"])
@pytest.mark.parametrize("form", ["PEM", "DER", "a certificate before it", "two keys", "nonsense before it"])
def test_decoded_by_kind(options: str, form: str) -> None:
    """The decoder that is taken for a key's OID makes of it what libcrypto makes that is told nothing."""
    curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if options == "EC" else []
    command = [*openssl.command(), "genpkey", "-algorithm", options, *curve]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    der = b"".join(map(b64decode, re.findall(rb"KEY-----\n([^-]+)-----END", made)))
    given = {
        "PEM": made,
        "DER": der,
        "two keys": made + made,
        "a certificate before it": b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" + made,
        "nonsense before it": b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n" + made,
    }[form]
    source = ffi.from_buffer("unsigned char[]", der)
    told_nothing = lib.d2i_AutoPrivateKey(ffi.NULL, ffi.new("unsigned char const **", source), len(der))
    found = private_key("key", given)
    assert lib.EVP_PKEY_eq(found, told_nothing) == 1
    assert lib.EVP_PKEY_get_id(found) == lib.EVP_PKEY_get_id(told_nothing)
    lib.EVP_PKEY_free(told_nothing)


@pytest.mark.parametrize("form", ["pem", "der", "encrypted pem", "encrypted der", "pkcs12", "path", "uri"])
@pytest.mark.parametrize("how", ["bytes", "str", "callable"])
def test_forms(form: str, how: str, client: Client, key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    """The same key in every wrapping, with the password given in every way."""
    encoding = Encoding.DER if "der" in form else Encoding.PEM
    locked = form not in ("pem", "der", "uri")
    lock = BestAvailableEncryption(b"pass") if locked else NoEncryption()
    wrapped: bytes | str | Path = key.private_bytes(encoding, PrivateFormat.PKCS8, lock)
    if form == "pkcs12":
        wrapped = pkcs12.serialize_key_and_certificates(b"me", key, None, None, lock)
    elif form in ("path", "uri"):
        assert isinstance(wrapped, bytes)
        path = tmp_path / "key.pem"
        path.write_bytes(wrapped)
        wrapped = path if form == "path" else f"file:{path}"
    password: Any = {"bytes": b"pass", "str": "pass", "callable": lambda: b"pass"}[how]
    enrollment = client.ir(wrapped, key_password=password if locked else None, subject="CN=forms")
    assert enrollment.certificate.public_key() == key.public_key()


def test_encrypted_uri(client: Client, key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    """OSSL_STORE asks for the password through the same callback."""
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")))
    assert client.ir(f"file:{path}", key_password="pass", subject="CN=uri").certificate
    with pytest.raises(ValueError, match="file: URI"):
        client.ir(f"file:{path}", key_password="wrong", subject="CN=uri")


def test_password_is_missing_or_wrong(client: Client, key: ec.EllipticCurvePrivateKey) -> None:
    """Each says what it is."""
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))
    with pytest.raises(ValueError, match="encrypted and no password was given"):
        client.ir(locked, subject="CN=x")
    with pytest.raises(ValueError, match="wrong password") as caught:
        client.ir(locked, key_password="sesame", subject="CN=x")
    assert "sesame" not in str(caught.value)


def test_password_callback_raises(client: Client, key: ec.EllipticCurvePrivateKey) -> None:
    """Its exception comes through C unchanged."""
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))

    def ask() -> bytes:
        raise LookupError("the vault is closed")

    with pytest.raises(LookupError, match="the vault is closed"):
        client.ir(locked, key_password=ask, subject="CN=x")


@pytest.mark.parametrize(
    "nothing", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"]
)
def test_garbage(client: Client, nothing: bytes) -> None:
    """No key in it is a ValueError."""
    with pytest.raises(ValueError, match="no private key"):
        client.ir(nothing, subject="CN=x")


def test_uri_without_a_key(client: Client, tmp_path: Path) -> None:
    """The message names the scheme, not the URI: it may hold a PIN."""
    with pytest.raises(ValueError, match="file: URI") as caught:
        client.ir(f"file:{tmp_path}/nowhere?pin=1234", subject="CN=x")
    assert "pin=1234;" not in str(caught.value)
    with pytest.raises(ValueError, match="nosuchscheme: URI"):
        client.ir("nosuchscheme:object=x", subject="CN=x")


def test_raw_pointer(client: Client, key: ec.EllipticCurvePrivateKey) -> None:
    """An EVP_PKEY of one's own stays one's own."""
    lib, ffi = osslcmp.lib, osslcmp.ffi
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    data = ffi.from_buffer("unsigned char[]", der)
    pointer = lib.d2i_AutoPrivateKey(ffi.NULL, ffi.new("const unsigned char **", data), len(der))
    try:
        context = osslcmp.Context()
        context.set_pkey(pointer)
        del context
        assert lib.EVP_PKEY_get_bits(pointer) == 256
        with pytest.raises(TypeError, match="EVP_PKEY pointer"):
            osslcmp.Context().set_pkey(ffi.new("int *"))
    finally:
        lib.EVP_PKEY_free(pointer)


def test_library_context(server: Server, key: ec.EllipticCurvePrivateKey) -> None:
    """All of a request works in a library context of its own, with its own providers."""
    library = osslcmp.LibraryContext(propq="provider=default")
    library.load_provider("default")
    client = Client(transport=server.process, reference="ref", secret="secret", library=library)
    assert client.ir(key, subject="CN=library").certificate
    empty = osslcmp.LibraryContext(propq="provider=nosuch")
    with pytest.raises(osslcmp.CMPError):
        Client(transport=server.process, reference="ref", secret="secret", library=empty).ir(
            key, subject="CN=x"
        )


def test_load_provider() -> None:
    """The default provider stays; a missing one is told by name."""
    provider = osslcmp.load_provider("legacy")
    assert osslcmp.lib.OSSL_PROVIDER_available(osslcmp.ffi.NULL, b"legacy")
    assert osslcmp.lib.OSSL_PROVIDER_available(osslcmp.ffi.NULL, b"default")
    provider.unload()
    provider.unload()
    with pytest.raises(osslcmp.OpenSSLError, match="nosuch"):
        osslcmp.load_provider("nosuch")
    with pytest.raises(ValueError, match="NUL"):
        osslcmp.load_provider("a\0b")
    if USABLE < (3, 2):
        with pytest.raises(osslcmp.UnsupportedError) as caught:
            osslcmp.load_provider("legacy", params={"a": "b"})
        assert caught.value.needed == "3.2"
    else:
        osslcmp.load_provider("legacy", params={"a": "b"}).unload()
