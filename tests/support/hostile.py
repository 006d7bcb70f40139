"""Hostile messages through every way into libcrypto, for a child process: a crash ends only that.

``python -m support.hostile SURFACE`` plays all cases of that surface, and prints the number of each before it is played
and what came of it after: a crash or a hang is seen by what is missing.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, MalformedMessageError, Server, wire

from .forge import HMAC_SHA256, SHA256, Forger, octets, sequence
from .pki import cert_pem, key_pem, make_key

SECRET = b"secret"
ALGORITHMS = {
    "PBM": oids.PASSWORD_BASED_MAC,
    "DHBasedMac": "1.2.840.113533.7.66.30",
    "KEMBasedMac": "1.2.840.113533.7.66.16",
    "PBMAC1": "1.2.840.113549.1.5.14",
    "PSS": "1.2.840.113549.1.1.10",
    "ecdsa-with-SHA256": "1.2.840.10045.4.3.2",
    "Ed25519": "1.3.101.112",
    "unknown": "1.2.3.4.5",
}


def values() -> Iterator[bytes]:
    """One of each kind of ASN.1 value, well-formed and not."""
    yield b""
    for tag in range(32):
        number = bytes([tag]) if tag < 31 else b"\x1f\x81\x01"
        for cls in (0x00, 0x80):
            for form in (0x00, 0x20):
                head = bytes([number[0] | cls | form]) + number[1:]
                for content in (b"", b"\xff", b"\x02\x01\x05"):
                    yield head + bytes([len(content)]) + content
                yield head + b"\x80\x02\x01\x05\0\0"
                yield head + b"\x84\xff\xff\xff\xff\x01"
    for depth in (2, 10, 60, 64, 70, 3000):
        value = b"\x05\0"
        for _ in range(depth):
            value = encode(0x30, value)
        yield value
        yield b"\x30\x80" * depth + b"\0\0" * depth
        yield b"\x24\x80" * depth + b"\0\0" * depth


def parameters() -> Iterator[bytes]:
    """PBMParameter with each field replaced."""
    fields = [octets(b"salt" * 4), SHA256, der.encode_integer(100), HMAC_SHA256]
    for index in range(4):
        for value in values():
            yield sequence(*fields[:index], value, *fields[index + 1 :])
    for number in (-1, 0, 99, 100_001, 2**31, 2**64, 2**4000):
        yield sequence(*fields[:2], der.encode_integer(number), fields[3])


def algorithms() -> Iterator[bytes]:
    """AlgorithmIdentifiers."""
    for oid in ALGORITHMS.values():
        for value in values():
            yield sequence(der.encode_oid(oid), value)
    for value in parameters():
        yield sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), value)
    for value in values():
        yield sequence(value)
        yield value


def answer(request: bytes, algorithm: bytes) -> bytes:
    """An error message in answer to a request, with this protectionAlg."""
    header = wire.read_message(request).header
    forger = Forger(
        transaction_id=header.transaction_id, recip_nonce=header.sender_nonce, algorithm=algorithm
    )
    return forger.error()


def client(transport: Callable[[bytes], bytes] | None = None, url: str | None = None) -> osslcmp.Client:
    """A client with a shared secret."""
    return osslcmp.Client(url, transport=transport, reference="ref", secret=SECRET)


KEY = ec.generate_private_key(ec.SECP256R1())


def play(number: int, act: Callable[[], object]) -> None:
    """One case."""
    print(number, end=" ", flush=True)
    try:
        act()
        print("fine", flush=True)
    except osslcmp.CMPError as error:
        print(type(error).__name__, flush=True)
    except Exception as error:
        print("UNDOCUMENTED", type(error).__name__, str(error)[:200].replace("\n", " "), flush=True)


@contextlib.contextmanager
def documented(name: str, *errors: type[Exception]) -> Iterator[None]:
    """Tells an exception that is none of these."""
    print(name, end=" ", flush=True)
    try:
        with contextlib.suppress(*errors):
            yield
        print(flush=True)
    except Exception as error:
        print("UNDOCUMENTED", type(error).__name__, str(error)[:200].replace("\n", " "), flush=True)


def over_transport() -> None:
    """A client with a callable."""
    for number, algorithm in enumerate(algorithms()):
        cmp = client(partial(answer, algorithm=algorithm))
        play(number, partial(cmp.cr, KEY, subject="CN=x"))


def over_http() -> None:
    """A client with our HTTP transfer."""
    current = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])), current[0])
            self.send_response(200)
            self.send_header("Content-Type", "application/pkixcmp")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cmp = client(url=f"http://127.0.0.1:{server.server_port}/")
    for number, algorithm in enumerate(algorithms()):
        current[0] = algorithm
        play(number, lambda: cmp.cr(KEY, subject="CN=x"))


def from_dump() -> None:
    """A dump whose message is one of these."""
    import json

    from osslcmp.client import dump
    from osslcmp.server import Waiting

    class Slow(EmbeddedCA):
        def issue(self, request: object) -> Waiting:
            return Waiting(0)

    pending = client(Server(Slow({"ref": SECRET}))).begin(osslcmp.IR, key=KEY, subject="CN=x")
    text = json.loads(pending.dump())
    for number, algorithm in enumerate(algorithms()):
        body = dict(text["transaction"])
        waiting = b64decode(body["waiting"])
        body["waiting"] = b64encode(_with_algorithm(waiting, algorithm)).decode()
        whole = {**text, "transaction": body, "sha256": dump.digest(body)}
        cmp = client(Server(Slow({"ref": SECRET})))

        def go(cmp: osslcmp.Client = cmp, whole: dict[str, object] = whole) -> None:
            try:
                taken = cmp.resume(json.dumps(whole).encode(), key=KEY)
            except ValueError:
                return  # documented
            taken.poll()

        play(number, go)


def _with_algorithm(message: bytes, algorithm: bytes) -> bytes:
    fields = der.sequence(message)
    header = b"".join(
        encode(explicit(1), algorithm) if field.tag == explicit(1) else field.encoding
        for field in der.sequence(fields[0].encoding)
    )
    return sequence(sequence(header), *(field.encoding for field in fields[1:]))


def into_server() -> None:
    """Server.process."""
    server = Server(EmbeddedCA({"ref": SECRET}))
    for number, algorithm in enumerate(algorithms()):
        message = Forger(algorithm=algorithm).request()

        def go(message: bytes = message) -> None:
            with contextlib.suppress(MalformedMessageError):
                server.process(message)

        play(number, go)


def decoded() -> None:
    """Message.from_der, text and all fields; contexts of answers that are read from traces."""
    for number, algorithm in enumerate(algorithms()):
        message = Forger(algorithm=algorithm).request()

        def go(message: bytes = message) -> None:
            try:
                read = osslcmp.Message.from_der(message)
                read.text()
                _ = read.header.pbm
            except ValueError:
                pass  # documented

        play(number, go)


def _command(*args: str) -> None:
    from osslcmp.cli import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = main(["cmp", *args])
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
    if code not in (0, 1, 2):
        raise RuntimeError(f"exit code {code}")


def from_rspin() -> None:
    """``osslcmp cmp -rspin``."""
    _files("-rspin")


def from_reqin() -> None:
    """``osslcmp cmp -reqin`` with a mock server inside."""
    _files("-reqin")


def _files(option: str) -> None:
    folder = Path(tempfile.mkdtemp())
    key = folder / "key.pem"
    key.write_bytes(key_pem(make_key()))
    ca = EmbeddedCA({"ref": SECRET})
    certificate = folder / "cert.pem"
    certificate.write_bytes(cert_pem(ca.root))
    common = ["-cmd", "ir", "-secret", "pass:secret", "-ref", "ref", "-newkey", str(key), "-subject", "/CN=x",
              "-certout", str(folder / "out.pem"), "-batch"]  # fmt: skip
    for number, algorithm in enumerate(list(algorithms())[::7]):
        path = folder / "message.der"
        if option == "-rspin":
            forger = Forger(algorithm=algorithm, recip_nonce=os.urandom(16))
            path.write_bytes(forger.error())
            play(number, partial(_command, *common, "-rspin", str(path)))
        else:
            path.write_bytes(Forger(algorithm=algorithm).request())
            mock = [
                "-use_mock_srv",
                "-srv_secret",
                "pass:secret",
                "-srv_ref",
                "ref",
                "-rsp_cert",
                str(certificate),
            ]
            play(number, partial(_command, *common, *mock, "-reqin", str(path)))


@contextlib.contextmanager
def mock(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``osslcmp cmp -port`` with a shared secret, and these options."""
    folder = Path(tempfile.mkdtemp())
    certificate = folder / "cert.pem"
    certificate.write_bytes(cert_pem(EmbeddedCA({"ref": SECRET}).root))
    command = [
        *(sys.executable, "-m", "osslcmp", "cmp", "-config", "", "-batch", "-port", "127.0.0.1:0"),
        *("-srv_ref", "ref", "-srv_secret", "pass:secret", "-rsp_cert", str(certificate), *options),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            found = next(m for line in server.stdout if (m := re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", line)))
            yield f"http://127.0.0.1:{found[1]}/pkix/", server
        finally:
            server.kill()


def into_mock() -> None:
    """``osslcmp cmp -port``: it answers or refuses each, and serves the next client."""
    with mock() as (url, server):
        for number, algorithm in enumerate(list(algorithms())[::9]):
            play(number, partial(post, url, Forger(algorithm=algorithm).genm()))
        print(client(url=url).genm([osslcmp.InfoTypeAndValue("1.2.3")]), flush=True)
        assert server.poll() is None


def post(url: str, message: bytes) -> bytes:
    """The answer to a message over HTTP; nothing if it has another status than 200."""
    request = urllib.request.Request(url, message, {"Content-Type": "application/pkixcmp"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as error:
        error.close()
        return b""


SURFACES = {
    "transport": over_transport,
    "http": over_http,
    "resume": from_dump,
    "server": into_server,
    "from_der": decoded,
    "rspin": from_rspin,
    "reqin": from_reqin,
    "mock": into_mock,
}

if __name__ == "__main__":
    SURFACES[sys.argv[1]]()
    print("END", flush=True)
