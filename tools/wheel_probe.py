"""Run by the interpreter that a wheel was installed for: does its OpenSSL work, and only where it should?

``enrol``        against osslcmp's own server
``enrol URL``    against one that runs elsewhere, in a place without any OpenSSL library
``serve``        is that one
``orders DIR``   in every order of importing what carries an OpenSSL of its own; files go to DIR
``told DIR``     OpenSSL's environment variables are heeded; DIR has a certificate, its key, and ``certs`` for SSL_CERT_DIR
``second DIR``   after another OpenSSL of the process took the legacy provider; DIR has a copy of it in ``modules``

The modules under test are imported late, by name, because their order is what is tested.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OTHERS = ["ssl", "cryptography.hazmat.bindings._rust", "psycopg", "OpenSSL.SSL"]
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def loaded() -> set[str]:
    """The OpenSSL libraries of this process."""
    words = Path("/proc/self/maps").read_text(encoding="utf-8").split()
    return {word for word in words if "libcrypto" in word or "libssl" in word}


def enrol() -> None:
    """Enrol, update and revoke over HTTP, at a server of one's own."""
    server: Any = importlib.import_module("osslcmp.server")
    with server.EmbeddedCA({"ref": "secret"}).server().serve() as running:
        enrol_at(running.url)


def enrol_at(url: str) -> None:
    """The same at a server that runs elsewhere."""
    osslcmp: Any = importlib.import_module("osslcmp")
    ec: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
    client = osslcmp.Client(url, reference="ref", secret="secret")
    key = ec.generate_private_key(ec.SECP256R1())
    first = client.ir(key, subject="CN=wheel")
    assert first.certificate.public_key() == key.public_key()
    client = osslcmp.Client(
        url, certificate=first.certificate, key=key, chain=first.chain, trusted=first.ca_pubs
    )
    second = client.kur(ec.generate_private_key(ec.SECP256R1()))
    client.rr(second.certificate)


def serve() -> None:
    """Be that server until the caller closes our standard input; tells the URL."""
    server: Any = importlib.import_module("osslcmp.server")
    with server.EmbeddedCA({"ref": "secret"}).server().serve() as running:
        print(running.url, flush=True)
        sys.stdin.read()


def hashes() -> None:
    """The same digest from everyone."""
    hashlib: Any = importlib.import_module("hashlib")
    crypto: Any = importlib.import_module("cryptography.hazmat.primitives.hashes")
    theirs = crypto.Hash(crypto.SHA256())
    theirs.update(b"abc")
    assert theirs.finalize().hex() == hashlib.sha256(b"abc").hexdigest() == DIGEST
    assert hashlib.new("sha512_256", b"abc").hexdigest().startswith("53048e2681941ef9")


def handshake(folder: Path) -> None:
    """TLS by the standard library, both ends in memory."""
    ssl: Any = importlib.import_module("ssl")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    client = ssl.create_default_context(cafile=folder / "cert.pem")
    wires = [ssl.MemoryBIO(), ssl.MemoryBIO()]
    ends = [
        client.wrap_bio(wires[0], wires[1], server_hostname="localhost"),
        server.wrap_bio(wires[1], wires[0], server_side=True),
    ]
    for _ in range(6):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    ends[0].write(b"hello")
    assert ends[1].read(5) == b"hello"


def pyopenssl_handshake(folder: Path) -> None:
    """TLS by pyOpenSSL, both ends in memory."""
    tls: Any = importlib.import_module("OpenSSL.SSL")
    context = tls.Context(tls.TLS_METHOD)
    context.use_certificate_file(str(folder / "cert.pem"))
    context.use_privatekey_file(str(folder / "key.pem"))
    server, client = tls.Connection(context, None), tls.Connection(tls.Context(tls.TLS_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(6):
        for end, other in [(client, server), (server, client)]:
            with contextlib.suppress(tls.WantReadError):
                end.do_handshake()
            with contextlib.suppress(tls.WantReadError):
                other.bio_write(end.bio_read(65536))
    client.send(b"hello")
    server.bio_write(client.bio_read(65536))
    assert server.recv(5) == b"hello"


def postgresql_handshake(folder: Path) -> None:
    """TLS by libpq, with a server that knows no more of PostgreSQL than its request for TLS."""
    psycopg: Any = importlib.import_module("psycopg")
    ssl: Any = importlib.import_module("ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    done: list[str] = []

    def serve() -> None:
        connection = listener.accept()[0]
        assert len(connection.recv(8, socket.MSG_WAITALL)) == 8
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as tls:
            assert tls.recv(4)
            done.append(tls.version())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"host=127.0.0.1 port={port} user=x sslmode=require gssencmode=disable")
        thread.join()
    assert done


def one_order(order: Sequence[str], folder: Path) -> None:
    """Import in this order, then use everything."""
    for name in order:
        importlib.import_module(name)
    for _ in range(2):
        enrol()
        hashes()
        handshake(folder)
        if "OpenSSL.SSL" in order:
            pyopenssl_handshake(folder)
        if "psycopg" in order:
            postgresql_handshake(folder)


def in_child(order: Sequence[str], folder: Path, flags: int) -> bool:
    """One order in a process of its own; whether it went well."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.setdlopenflags(flags)
            one_order(order, folder)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    if status:
        print(
            "failed:", *order, "global" if flags & os.RTLD_GLOBAL else "", "status", status, file=sys.stderr
        )
    return status == 0


def orders(folder: Path) -> None:
    """Every order; and with symbols open to all, every order of what is certain to bear that."""
    assert not loaded(), loaded()
    usual = sys.getdlopenflags()
    runs = [(order, usual) for order in itertools.permutations(["osslcmp", *OTHERS])]
    runs += [(order, usual | os.RTLD_GLOBAL) for order in itertools.permutations(["osslcmp", *OTHERS[:2]])]
    good = [in_child(order, folder, flags) for order, flags in runs]
    if not all(good):
        sys.exit(f"{good.count(False)} of {len(good)} orders failed")
    print(f"{len(good)} orders of import passed")


def told(folder: Path) -> None:
    """``OPENSSL_CONF`` and ``OPENSSL_MODULES`` were set by the caller."""
    osslcmp: Any = importlib.import_module("osslcmp")
    lib, ffi = osslcmp.lib, osslcmp.ffi
    # First of all: from 3.2 on the module refuses a second libcrypto, and hashlib would have it for its own.
    assert lib.OSSL_PROVIDER_available(ffi.NULL, b"legacy") == 1, "OPENSSL_CONF, OPENSSL_MODULES"
    assert lib.EVP_MD_fetch(ffi.NULL, b"MD4", ffi.NULL) != ffi.NULL, "MD4 of the legacy provider"
    nothing = str(folder / "nothing")
    assert trusts(folder, nothing, str(folder / "certs")), "SSL_CERT_DIR"
    assert trusts(folder, str(folder / "cert.pem"), nothing), "SSL_CERT_FILE"
    assert not trusts(folder, nothing, nothing)
    enrol()


def second(folder: Path) -> None:
    """The legacy provider's module serves Python's OpenSSL already; a copy of it serves ours."""
    hashlib: Any = importlib.import_module("hashlib")
    assert hashlib.new("md4", b"").hexdigest() == "31d6cfe0d16ae931b73c59d7e0c089c0"
    osslcmp: Any = importlib.import_module("osslcmp")
    lib, ffi = osslcmp.lib, osslcmp.ffi
    osslcmp.load_provider("legacy", path=folder / "modules")
    assert lib.EVP_MD_fetch(ffi.NULL, b"MD4", ffi.NULL) != ffi.NULL
    enrol()


def trusts(folder: Path, file: str, directory: str) -> bool:
    """Whether the client trusts the HTTPS server of a certificate when the system's trust anchors are these."""
    osslcmp: Any = importlib.import_module("osslcmp")
    server: Any = importlib.import_module("osslcmp.server")
    os.environ.update(SSL_CERT_FILE=file, SSL_CERT_DIR=directory)
    tls = server.ServerTLS(certificate=folder / "cert.pem", key=folder / "key.pem")
    refusal = ""
    with server.EmbeddedCA({"ref": "secret"}).server().serve(tls=tls) as running:
        try:
            enrol_at(running.url.replace("127.0.0.1", "localhost"))
        except osslcmp.TransferError as error:
            refusal = str(error)
    assert not refusal or "self-signed certificate" in refusal, refusal
    return not refusal


def main() -> None:
    """The command."""
    what, *arguments = sys.argv[1:]
    if what == "serve":
        serve()
    elif what == "enrol":
        if arguments:
            enrol_at(arguments[0])
            assert not loaded(), loaded()
        else:
            enrol()
        print("enrolled with", importlib.import_module("osslcmp").openssl_version)
    else:
        {"orders": orders, "told": told, "second": second}[what](Path(arguments[0]))


if __name__ == "__main__":
    main()
