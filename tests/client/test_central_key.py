"""Keys made by the CA: who may make them, how they come, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support import openssl, work
from support.inprocess import Peer
from support.mock_server import MockServer
from support.pki import PKI, Identity
from support.releases import FOUND
from support.rogue import Rogue, Signer, seq, with_body

import osslcmp
from osslcmp import Client
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit

SUPPORTED = osslcmp.features["central_key_generation"]

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"

#: Before 3.5 there is nothing to test but the refusal.
from_3_5 = pytest.mark.skipif(not SUPPORTED, reason="OpenSSL 3.5 brought it: see test_older_releases")


def signing(where: Any, pki: PKI, me: Identity, **options: Any) -> Client:
    """A client that signs."""
    if isinstance(where, str):
        options["server"] = where
    else:
        options["transport"] = where
    return Client(
        certificate=me.certificate,
        key=me.key,
        chain=me.chain[:1],
        trusted=pki.root.certificate,
        untrusted=pki.issuing.certificate,
        **options,
    )


@pytest.fixture
def key_maker(pki: PKI, mock_server: Callable[..., MockServer]) -> MockServer:
    """OpenSSL's own server, which hands out a key with its certificate."""
    return serving(pki, mock_server, pki.key_maker)


def serving(pki: PKI, mock_server: Callable[..., MockServer], server: Identity) -> MockServer:
    """That server with this certificate of its own."""
    return mock_server(
        srv_cert=server.cert_file, srv_key=server.key_file, rsp_key=pki.enrolled.key_file, ref_cert=None
    )


def check(enrollment: osslcmp.Enrollment, pki: PKI) -> None:
    """It has the key and the certificate of `enrolled`."""
    assert enrollment.certificate == pki.enrolled.certificate
    assert enrollment.key is not None
    assert enrollment.key.public_key() == enrollment.certificate.public_key()
    assert enrollment.key.private_numbers() == pki.enrolled.key.private_numbers()  # type: ignore[union-attr]


def test_older_releases() -> None:
    """Before 3.5 it is UnsupportedError; the arguments are checked everywhere."""
    client = Client("http://127.0.0.1:1", reference="ref", secret="secret")
    if not SUPPORTED:
        with pytest.raises(osslcmp.UnsupportedError) as caught:
            client.cr(subject="CN=x", central_key=True)
        assert (caught.value.needed, caught.value.found) == ("3.5", FOUND)
        return
    with pytest.raises(ValueError, match="central_key"):
        client.cr(rsa.generate_private_key(65537, 2048), subject="CN=x", central_key=True)


@from_3_5
@pytest.mark.peer
@pytest.mark.parametrize("kind", ["ir", "cr"])
@pytest.mark.parametrize("recipient", ["client", "rsa_client"])
def test_openssl_makes_the_key(kind: str, recipient: str, pki: PKI, key_maker: MockServer) -> None:
    """It comes as a key object that fits the certificate, encrypted for an EC or an RSA key, again and again.

    libcrypto alone accepts only the first such key of a process.
    """
    client = signing(key_maker.url, pki, getattr(pki, recipient))
    for encrypted_value in (True, False):
        enrollment = getattr(client, kind)(subject="CN=x", central_key=True, encrypted_value=encrypted_value)
        check(enrollment, pki)
        assert "private" not in repr(enrollment).lower()


@from_3_5
@pytest.mark.peer
@pytest.mark.parametrize("purposes", [(), (CODE_SIGNING,)])
def test_others_make_no_keys(
    purposes: tuple[str, ...], pki: PKI, mock_server: Callable[..., MockServer]
) -> None:
    """A trusted server without the extended key usage cmKGA is refused, before a good one and after it.

    libcrypto alone takes keys of whoever may sign code, from the second one in a process on.
    """
    server = pki.issue("no_key_maker", pki.issuing, purposes=purposes)
    for _ in range(2):
        client = signing(serving(pki, mock_server, server).url, pki, pki.client, server_usage=None)
        with pytest.raises(osslcmp.ResponseError, match="unsuitable certificate purpose"):
            client.cr(subject="CN=x", central_key=True)
        good = signing(serving(pki, mock_server, pki.key_maker).url, pki, pki.client)
        check(good.cr(subject="CN=x", central_key=True), pki)


@from_3_5
@pytest.mark.peer
def test_waiting_for_a_key(pki: PKI, mock_server: Callable[..., MockServer]) -> None:
    """The key comes to a transaction, too, and to one that was taken up again."""
    options = {"srv_cert": pki.key_maker.cert_file, "srv_key": pki.key_maker.key_file, "ref_cert": None}
    server = mock_server(rsp_key=pki.enrolled.key_file, poll_count=2, **options)
    client = signing(server.url, pki, pki.client, keep_alive=False)
    transaction = client.begin("cr", subject="CN=x", central_key=True)
    assert not transaction.done
    resumed = client.resume(transaction.dump())
    check(resumed.wait(20), pki)


@from_3_5
@pytest.mark.peer
def test_openssl_has_no_key_for_a_secret(pki: PKI, key_maker: MockServer) -> None:
    """OpenSSL's server encrypts for the certificate of the client: a request by shared secret is refused."""
    client = Client(
        key_maker.url,
        reference="ref",
        secret="secret",
        trusted=pki.root.certificate,
        recipient=pki.key_maker.subject,
    )
    with pytest.raises(osslcmp.RejectedError, match="error creating certrep"):
        client.cr(subject="CN=x", central_key=True)


# -- keys that other servers send ---------------------------------------------------------------------------


def key_der(identity: Identity) -> bytes:
    """Its private key as PKCS#8."""
    return identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def enveloped(
    folder: Path,
    maker: Identity,
    key: bytes,
    recipient: list[str | Path],
    change: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """`key`, signed by its maker and, as `change` makes it, encrypted, by ``openssl cms``: EncryptedKey with
    EnvelopedData."""
    plain, signed, encrypted = (folder / name for name in ("key.der", "signed.der", "encrypted.der"))
    plain.write_bytes(key)
    form: list[str | Path] = ["-binary", "-outform", "DER"]
    signer: list[str | Path] = [
        "-signer",
        maker.cert_file,
        "-inkey",
        maker.key_file,
        "-certfile",
        maker.chain_file,
    ]
    openssl.run(["cms", "-sign", "-nodetach", *form, *signer, "-in", plain, "-out", signed]).must()
    signed.write_bytes(change(_content(signed.read_bytes())))
    openssl.run(["cms", "-encrypt", "-aes256", *form, "-in", signed, "-out", encrypted, *recipient]).must()
    return encode(explicit(0), der.read(_content(encrypted.read_bytes())).content)


def _content(info: bytes) -> bytes:
    """What is in a ContentInfo."""
    return der.sequence(info)[1].content


def encrypted_value(recipient: Identity, key: bytes) -> bytes:
    """The old form: EncryptedValue, a symmetric key encrypted with RSA."""
    assert isinstance(recipient.key, rsa.RSAPrivateKey)
    symmetric, start = os.urandom(32), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(symmetric), modes.CBC(start)).encryptor()
    secret = encryptor.update(padder.update(key) + padder.finalize()) + encryptor.finalize()
    wrapped = recipient.key.public_key().encrypt(symmetric, asymmetric.PKCS1v15())
    aes_256_cbc = der.encode_oid("2.16.840.1.101.3.4.1.42") + encode(der.OCTET_STRING, start)
    return seq(
        encode(explicit(1), aes_256_cbc),
        encode(der.implicit(2), b"\0" + wrapped),
        encode(der.BIT_STRING, b"\0" + secret),
    )


def with_key(peer: Peer, signer: Signer, pki: PKI, key: bytes) -> Rogue:
    """An honest server whose first answer gets a private key (an EncryptedKey) besides the certificate."""
    certificate = encode(explicit(0), pki.enrolled.certificate.public_bytes(Encoding.DER))
    pair = seq(certificate, encode(explicit(0), key))
    response = seq(der.encode_integer(0), seq(der.encode_integer(0)), pair)
    body = seq(seq(response))
    return Rogue(peer, {0: with_body(signer, lambda old: encode(old.tag, body))})


@from_3_5
@pytest.mark.peer
def test_a_key_encrypted_with_the_secret(pki: PKI, tmp_path: Path) -> None:
    """Protection by shared secret: the key comes encrypted with the secret as a password."""
    key = enveloped(tmp_path, pki.key_maker, key_der(pki.enrolled), ["-pwri_password", "secret"])
    transport = with_key(Peer(pki, identity=pki.key_maker), b"secret", pki, key)
    client = Client(transport=transport, reference="ref", secret="secret", trusted=pki.root.certificate)
    check(client.ir(subject="CN=x", central_key=True, encrypted_value=False), pki)


@from_3_5
@pytest.mark.peer
def test_a_key_for_nobody(pki: PKI, tmp_path: Path) -> None:
    """No key, a key encrypted for another, a key signed by a stranger, a key of another certificate."""

    def client(transport: Any) -> Client:
        return signing(transport, pki, pki.client)

    def refusal(maker: Identity, made: Identity, reader: Identity) -> osslcmp.CMPError:
        key = enveloped(tmp_path, maker, key_der(made), ["-recip", reader.cert_file])
        with pytest.raises(osslcmp.CMPError) as caught:
            client(with_key(Peer(pki, identity=pki.key_maker), pki.key_maker, pki, key)).ir(
                subject="CN=x", central_key=True
            )
        return caught.value

    with pytest.raises(osslcmp.ResponseError, match="missing central gen key"):
        client(Peer(pki, identity=pki.key_maker)).ir(subject="CN=x", central_key=True)
    assert "error decrypting encryptedkey" in str(refusal(pki.key_maker, pki.enrolled, pki.server))
    assert "error verifying encryptedkey" in str(refusal(pki.other_server, pki.enrolled, pki.client))
    other = refusal(pki.key_maker, pki.server, pki.client)
    assert isinstance(other, osslcmp.ConfirmError)
    assert other.enrollment.certificate == pki.enrolled.certificate
    assert other.enrollment.key is None


def with_certificate(certificate: bytes) -> Callable[[bytes], bytes]:
    """SignedData with one more certificate."""

    def change(signed: bytes) -> bytes:
        parts = {part.tag: part for part in der.sequence(signed)}
        rest = b"".join(
            p.encoding if t != explicit(0) else encode(t, certificate + p.content) for t, p in parts.items()
        )
        return seq(rest)

    return change


def pkcs8(public_key: bytes, key: bytes) -> bytes:
    """A private key with the algorithm of a SubjectPublicKeyInfo."""
    return seq(der.encode_integer(0), der.sequence(public_key)[0].encoding, encode(der.OCTET_STRING, key))


def as_it_is(signed: bytes) -> bytes:
    return signed


def instead(*, by: bytes) -> Callable[[bytes], bytes]:
    return lambda _: by


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda signed: signed[: int(len(signed) * share)]


def flipped(share: float) -> Callable[[bytes], bytes]:
    """An octet is another."""

    def change(signed: bytes) -> bytes:
        place = int(len(signed) * share)
        return signed[:place] + bytes([signed[place] ^ 0x21]) + signed[place + 1 :]

    return change


_SCALAR = seq(der.encode_integer(1), encode(der.OCTET_STRING, b"\1" * 64))
HIDDEN: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "nothing": (b"", as_it_is),
    "no key": (b"\x30\x80", as_it_is),
    "a million zeros": (bytes(60_000), as_it_is),
    "nested": (b"\x30\x80" * 20_000, as_it_is),
    "key on a curve of its own": (pkcs8(work.own_curve(), _SCALAR), as_it_is),
    "RSA key that is none": (
        pkcs8(
            work.rsa_key(2048, 3),
            seq(*(der.encode_integer((1 << 16_000) + number) for number in (0, *range(1, 17, 2)))),
        ),
        as_it_is,
    ),
    "certificate with a curve of its own": (b"x", with_certificate(work.with_key(work.own_curve(), 7))),
    "certificate with a long exponent": (
        b"x",
        with_certificate(work.with_key(work.rsa_key(16_384, (1 << 16_383) + 1), 7)),
    ),
    "no SignedData": (b"x", instead(by=b"\x05\x00")),
    "nested SignedData": (b"x", instead(by=b"\x30\x80" * 20_000)),
    **{f"cut at {share}": (b"x", cut(share)) for share in (0, 0.01, 0.3, 0.9)},
    **{f"changed at {share}": (b"x", flipped(share)) for share in (0, 0.002, 0.01, 0.02, 0.1, 0.4, 0.7, 0.9)},
}


@from_3_5
@pytest.mark.peer
@pytest.mark.parametrize("what", HIDDEN)
def test_what_was_encrypted_is_hostile(what: str, pki: PKI, tmp_path: Path) -> None:
    """Nobody but the client sees it before it is decrypted, by libcrypto: the key is refused, and the next one taken."""
    key, change = HIDDEN[what]
    recipient: list[str | Path] = ["-recip", pki.client.cert_file]
    hostile = enveloped(tmp_path, pki.key_maker, key, recipient, change)
    good = enveloped(tmp_path, pki.key_maker, key_der(pki.enrolled), recipient)
    with pytest.raises(osslcmp.CMPError):
        signing(with_key(Peer(pki, identity=pki.key_maker), pki.key_maker, pki, hostile), pki, pki.client).ir(
            subject="CN=x", central_key=True
        )
    transport = with_key(Peer(pki, identity=pki.key_maker), pki.key_maker, pki, good)
    check(signing(transport, pki, pki.client).ir(subject="CN=x", central_key=True), pki)


@from_3_5
def test_the_old_form_is_refused(pki: PKI) -> None:
    """A key that came as EncryptedValue is taken by default and refused with ``encrypted_value=False``.

    The server learns it by the certConf, and the certificate is not lost.
    """
    me, maker = pki.rsa_client, pki.key_maker
    key = encrypted_value(me, key_der(pki.enrolled))
    peer = Peer(pki, identity=maker)
    check(signing(with_key(peer, maker, pki, key), pki, me).ir(subject="CN=x", central_key=True), pki)
    assert peer.calls[-1] == "cert_conf"
    peer = Peer(pki, identity=maker)
    client = signing(with_key(peer, maker, pki, key), pki, me)
    with pytest.raises(osslcmp.ConfirmError, match="EncryptedValue") as caught:
        client.ir(subject="CN=x", central_key=True, encrypted_value=False)
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    confirmation = osslcmp.Message.from_der(peer.requests[-1])
    assert confirmation.type is osslcmp.BodyType.CERTCONF
    assert "the private key came in an EncryptedValue" in str(confirmation.body)
