"""Certificates in a TLS handshake that would keep libssl busy: they have the limits that a message has, before it decodes
them. Whoever shows them has proved nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl, tls_certificates, work
from support.enrol import client, enroll, refusal
from support.forge import octets, sequence
from support.https import WebServer, server_context
from support.oversized import big_name, certificate_der, long_serial, names
from support.pki import PKI, Identity
from support.processes import importing
from support.raw_server import RawServer, free_port

import osslcmp
from osslcmp import Limits, lib
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode
from osslcmp.server import Server

TESTS = Path(__file__).parents[1]


def nested(depth: int) -> bytes:
    """A "key" of so many SEQUENCEs in each other."""
    value = encode(der.NULL)
    for _ in range(depth):
        value = sequence(value)
    return work.with_key(sequence(sequence(der.encode_oid("1.2.3"), value), encode(der.BIT_STRING, b"\0")), 1)


def key(parameters: bytes) -> bytes:
    """A certificate for a key of an algorithm that nobody knows, with these parameters."""
    return work.with_key(
        sequence(sequence(der.encode_oid("1.2.3"), parameters), encode(der.BIT_STRING, b"\0")), 1
    )


#: What a server shows that exceeds each limit.
EXCEEDING: dict[str, Callable[[], list[bytes]]] = {
    "depth": lambda: [nested(70)],
    "elements": lambda: [key(sequence(encode(der.NULL) * 100))],
    "certificates": lambda: [certificate_der()] * 101,
    "oid_length": lambda: [key(encode(der.OID, b"\x2a" * 129))],
    "integer_length": lambda: [key(encode(der.INTEGER, b"\x11" * 4097))],
    "serial_number_length": lambda: [long_serial(129)],
    "name_length": lambda: [certificate_der(issuer=big_name(110))],
    "extension_length": lambda: [certificate_der(extensions=(names(3000),))],
    "text_length": lambda: [key(encode(der.UTF8_STRING, b"x" * 16385))],
    "iterations": lambda: [
        key(
            sequence(
                der.encode_oid("1.2.840.113549.1.5.12"),
                sequence(octets(b"salt" * 4), der.encode_integer(2_000_001)),
            )
        )
    ],
    "explicit_curves": lambda: [certificate_der(), work.with_key(work.own_curve(), 2)],
    "exponent_bits": lambda: [work.with_key(work.rsa_key(2048, (1 << 256) + 1), 2)],
}
#: A message has them, the list of certificates not; nothing of it is printed in lines.
OTHERS = {"message_size", "printed_line", "tls_certificates"}
LOWER = {"elements": Limits(elements=90)}


def shown(chain: list[bytes]) -> RawServer:
    """A server that shows these certificates, without a key for any."""
    return RawServer(lambda connection, _: tls_certificates.show_as_server(connection, chain), read=False)


def test_all_limits_are_tried() -> None:
    """A new limit needs a test."""
    assert set(EXCEEDING) | OTHERS == set(vars(Limits()))


@pytest.mark.parametrize("name", EXCEEDING)
def test_limit(name: str, pki: PKI) -> None:
    """A server's certificates beyond a limit end the handshake with an error that names it."""
    with shown(EXCEEDING[name]()) as server:
        told = refusal(
            f"https://127.0.0.1:{server.port}/", pki.root.certificate, limits=LOWER.get(name, Limits())
        )
    assert f"exceeds the limit {name}=" in told


def test_how_many_octets(pki: PKI) -> None:
    """What is larger in all than ``tls_certificates`` is not even read."""
    with shown([certificate_der(extensions=(names(50),))]) as server:
        url = f"https://127.0.0.1:{server.port}/"
        told = refusal(url, pki.root.certificate, limits=Limits(tls_certificates=1000))
        assert "excessive message size" in told
        assert "self-signed certificate" in refusal(url, pki.root.certificate)


@pytest.mark.parametrize("settings", ["verify=False", "context"])
def test_whoever_is_trusted(settings: str, pki: PKI) -> None:
    """They hold where the certificate is not verified, and for an ``SSL_CTX`` of the caller's own."""
    raw = lib.SSL_CTX_new(lib.TLS_client_method())
    tls = osslcmp.TLS(verify=False) if settings == "verify=False" else osslcmp.TLS(context=raw)
    with shown(EXCEEDING["explicit_curves"]()) as server:
        told = refusal(f"https://127.0.0.1:{server.port}/", tls)
    assert "exceeds the limit explicit_curves=0" in told
    lib.SSL_CTX_free(raw)


@pytest.fixture
def peculiar(web: Identity, tmp_path: Path) -> Path:
    """The certificates of an honest server, and one more for a key on a curve of its own."""
    der_file, pem = tmp_path / "own.der", tmp_path / "chain.pem"
    der_file.write_bytes(work.with_key(work.own_curve(), 2))
    own = openssl.run(["x509", "-inform", "DER", "-in", der_file]).must().out
    pem.write_text(web.full_chain_file.read_text() + own)
    return pem


@pytest.mark.skipif(
    openssl.version() >= (4, 0, 0), reason="openssl s_server 4.0 shows no key on a curve of its own"
)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_s_server(version: str, peculiar: Path, web: Identity, pki: PKI) -> None:
    """OpenSSL's own server, in each version of TLS."""
    port = free_port()
    words = [
        "-accept",
        str(port),
        "-cert",
        web.cert_file,
        "-key",
        web.key_file,
        "-cert_chain",
        peculiar,
        "-www",
    ]
    command = [*openssl.command(), "s_server", *map(str, words)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        while b"ACCEPT" not in process.stdout.readline():
            assert process.poll() is None
        tls = osslcmp.TLS(trusted=pki.root.certificate, minimum_version=version, maximum_version=version)
        assert "exceeds the limit explicit_curves=0" in refusal(f"https://127.0.0.1:{port}/", tls)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_adjustable(version: str, peculiar: Path, web: Identity, cmp: Server, pki: PKI) -> None:
    """Who must take such a certificate can."""
    context = server_context(web)
    context.load_cert_chain(peculiar, web.key_file)
    tls = osslcmp.TLS(trusted=pki.root.certificate, minimum_version=version, maximum_version=version)
    with WebServer(cmp, context) as server:
        assert "explicit_curves" in refusal(server.url(), tls)
        enroll(server.url(), tls, limits=Limits(explicit_curves=1))
        assert client(server.url(), tls, limits=Limits(explicit_curves=1)).genm() == []


def test_as_many_as_there_is_room_for(pki: PKI, tmp_path: Path) -> None:
    """A list full of them would keep a client for a minute, whatever its timeouts: it ends."""
    chain = [work.with_key(work.own_curve(), 2)] * 120
    root = tmp_path / "root.pem"
    root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    program = (
        "import sys, osslcmp\n"
        "client = osslcmp.Client(sys.argv[1], reference='r', secret='s', tls=osslcmp.TLS(trusted=sys.argv[2]))\n"
        "try:\n    client.genm()\nexcept osslcmp.TransferError as error:\n    print(error)\n"
    )
    with shown(chain) as server:
        run = subprocess.run(
            [sys.executable, "-c", program, f"https://127.0.0.1:{server.port}/", str(root)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env=importing(TESTS),
        )
    assert "exceeds the limit explicit_curves=0" in run.stdout
