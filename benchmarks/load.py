"""Enrolments per second over HTTP: our server with 1, 8 and 64 concurrent clients, and ``osslcmp serve`` with one and two
processes, beside `openssl cmp -port`.

The clients are processes of `osslcmp.Client` in both cases, so that only the servers differ. OpenSSL's mock server
returns one fixed certificate and serves one connection at a time; ours really issues. Printed are ratios to the mock
server with one client, and the share of the server's time that goes into public-key operations.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support import serving
from support.mock_server import MockServer
from support.serving import Serving

import osslcmp
from osslcmp.server import EmbeddedCA

REFERENCE, SECRET = b"load", b"load-secret"
LOAD = (REFERENCE, SECRET)
SERVED = (serving.REFERENCE.encode(), serving.SECRET)


def _clients(
    url: str, count: int, seconds: float, key_pem: bytes, who: tuple[bytes, bytes], queue: Any
) -> None:
    """One process with ``count`` threads that enrol until the time is over; reports how many enrolments."""
    done = [0] * count
    end = time.monotonic() + seconds

    def enrol(number: int) -> None:
        client = osslcmp.Client(url, reference=who[0], secret=who[1], message_timeout=30)
        while time.monotonic() < end:
            client.ir(key_pem, subject=f"CN=load {number}")
            done[number] += 1

    threads = [threading.Thread(target=enrol, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(sum(done))


def rate(url: str, count: int, seconds: float, key_pem: bytes, who: tuple[bytes, bytes] = LOAD) -> float:
    """Enrolments per second by ``count`` concurrent clients in one other process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_clients, args=(url, count, seconds, key_pem, who, queue))
    process.start()
    enrolments: int = queue.get(timeout=seconds + 120)
    process.join()
    return enrolments / seconds


def public_key_share(per_second: float) -> float:
    """Share of the server's second that one signature (the new certificate's) for each enrolment takes."""
    key = ec.generate_private_key(ec.SECP256R1())
    rounds = 500
    start = time.perf_counter()
    for _ in range(rounds):
        key.sign(b"x" * 500, ec.ECDSA(hashes.SHA256()))
    signing = (time.perf_counter() - start) / rounds
    start = time.perf_counter()
    signature = key.sign(b"x" * 500, ec.ECDSA(hashes.SHA256()))
    for _ in range(rounds):
        key.public_key().verify(signature, b"x" * 500, ec.ECDSA(hashes.SHA256()))
    verifying = (time.perf_counter() - start) / rounds
    # MAC protection: the certificate is signed, the proof of possession verified.
    return per_second * (signing + verifying)


def bench_load(_directory: Path, pki: Any, _rounds: int, seconds: float) -> None:
    """Enrolments over HTTP by 1, 8 and 64 clients at once, beside OpenSSL's mock server with one."""
    key_pem = pki.enrolled.key_file.read_bytes()
    options: dict[str, Any] = {
        "srv_ref": REFERENCE.decode(),
        "srv_secret": SECRET,
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "rsp_cert": pki.enrolled.cert_file,
        "verbosity": 3,
    }
    with MockServer(**options) as mock:
        base = rate(mock.url, 1, 3 * seconds, key_pem)
    print("\nenrolments over HTTP with certConf, MAC protection: rates as a ratio to openssl cmp -port")
    print(f"  {'openssl cmp -port, 1 client':<32}  1.00")
    with EmbeddedCA({REFERENCE: SECRET}).server().serve() as running:
        for count in (1, 8, 64):
            found = rate(running.url, count, 3 * seconds, key_pem)
            share = public_key_share(found)
            name = f"osslcmp server, {count} client" + "s" * (count > 1)
            print(f"  {name:<32} {found / base:5.2f}   public-key operations: {share:.0%} of a core")
    for processes in (1, 2):
        with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as path, Serving(Path(path)) as serve:
            served = serve("--processes", str(processes))
            found = rate(served.url, 8, 3 * seconds, key_pem, SERVED)
            name = f"osslcmp serve, {processes} process" + "es" * (processes > 1)
            print(f"  {name + ', 8 clients':<32} {found / base:5.2f}   with SQLite on the disk of {path}")
