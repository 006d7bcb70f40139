"""Memory over many enrolments: it has to stay where it was.

Two processes are watched. In one, clients and a server whose CA forgets what it has issued share the process, so that all
of osslcmp's and libcrypto's memory on both sides is counted. The other is ``osslcmp serve`` with its SQLite database,
under clients that come by HTTP. Linux: what is read is the resident set in ``/proc``.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp.server import Confirmation, EmbeddedCA

REFERENCE, SECRET = b"memory", b"memory-secret"
CLIENTS = 4
STEPS = (0.02, 0.1, 0.25, 0.5, 0.75, 1.0)
"""At which part of the way to look; the first time caches and pools have filled."""


class Forgetting(EmbeddedCA):
    """Forgets each certificate as soon as its client has it: what is kept on purpose is not to be measured."""

    def confirm(self, confirmation: Confirmation) -> None:
        """Take note, and forget."""
        super().confirm(confirmation)
        with self._lock:
            self._records.pop(confirmation.certificate.serial_number, None)


def resident(process: int) -> int:
    """KiB of a process that are in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def enrol(
    make: Callable[[], osslcmp.Client], count: int, process: int, clients: int
) -> list[tuple[int, int]]:
    """Enrol ``count`` times, by some clients at once; what the process had in memory on the way (number, KiB)."""
    key = ec.generate_private_key(ec.SECP256R1())
    seen: list[tuple[int, int]] = []
    numbers = itertools.count(1)
    steps = {max(1, int(count * step)) for step in STEPS}
    failures: list[BaseException] = []

    def work() -> None:
        client = make()
        try:
            while (number := next(numbers)) <= count and not failures:
                client.ir(key, subject=f"CN=device {number}")
                if number in steps:
                    seen.append((number, resident(process)))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(seen)


def in_process(_directory: Path, count: int) -> list[tuple[int, int]]:
    """Clients and server in this process, one after the other."""
    server = Forgetting({REFERENCE: SECRET}).server()

    def client() -> osslcmp.Client:
        return osslcmp.Client(transport=server, reference=REFERENCE, secret=SECRET)

    return enrol(client, count, os.getpid(), 1)


def serving(directory: Path, count: int) -> list[tuple[int, int]]:
    """``osslcmp serve`` with SQLite; its clients are in this process."""
    directory.mkdir(exist_ok=True)
    secret = directory / "secret"
    secret.write_bytes(SECRET)
    command = [sys.executable, "-m", "osslcmp", "serve", "--port", "0", "--directory", str(directory / "ca")]
    command += ["--reference", REFERENCE.decode(), "--secret-file", str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+(?=,)", process.stdout.readline())
            assert found, "the server does not start"
            url = found[0]

            def client() -> osslcmp.Client:
                return osslcmp.Client(url, reference=REFERENCE, secret=SECRET)

            return enrol(client, count, process.pid, CLIENTS)
        finally:
            process.terminate()


KINDS: dict[str, Callable[[Path, int], list[tuple[int, int]]]] = {
    "client and server in one process": in_process,
    "osslcmp serve with SQLite": serving,
}


def growth(seen: list[tuple[int, int]]) -> int:
    """KiB between the first look and the last."""
    return seen[-1][1] - seen[0][1]


def bench_memory(directory: Path, _pki: Any, enrolments: int) -> None:
    """Memory after 2, 10, 25, 50, 75 and 100 % of so many enrolments."""
    print(f"\nmemory over {enrolments} enrolments with certConf, MAC protection: KiB in memory")
    for name, run in KINDS.items():
        seen = run(directory / "memory", enrolments)
        print(f"  {name}: grows by {growth(seen)} KiB from enrolment {seen[0][0]} on")
        for number, kib in seen:
            print(f"    {number:>9,} {kib:>9,}", flush=True)
