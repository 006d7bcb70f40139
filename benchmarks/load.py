"""Enrolments per second over HTTP: our server with 1, 8 and 64 concurrent clients, beside `openssl cmp -port`.

The clients are processes of `osslcmp.Client` in both cases, so that only the servers differ; requests that are made before
the clock starts show the servers alone. OpenSSL's mock server returns one fixed certificate and serves one connection at a
time; ours really issues.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from http.client import parse_headers
from typing import Any
from urllib.parse import urlsplit

from support import serving
from support.mock_server import MockServer

import osslcmp
from osslcmp.message import CertRepMessage, Message
from osslcmp.server import EmbeddedCA

from .rounds import Run

REFERENCE, SECRET = b"load", b"load-secret"
LOAD = (REFERENCE, SECRET)
PREPARED = 300
"""Requests that are made before the clock starts."""
CLIENTS = {1: 1.0, 8: 2.0, 64: 2.0}
"""How many at once, and the goal."""
SERVED = (serving.REFERENCE.encode(), serving.SECRET)


def _clients(url: str, count: int, seconds: float, key_pem: bytes, ready: Any, queue: Any) -> None:
    """One process with ``count`` threads that enrol until the time is over, once at least; reports their rate, and the
    processor's seconds that they spend for each.

    The clock starts when each has enrolled once: what a client imports at its first enrolment is not the server's work.
    """
    done = [0] * count

    def enrol(number: int) -> None:
        client = osslcmp.Client(url, reference=REFERENCE, secret=SECRET, message_timeout=60)
        subject = f"CN=load {number}"
        try:
            client.ir(key_pem, subject=subject)
        finally:
            ready.wait()
        until = time.monotonic() + seconds
        while not done[number] or time.monotonic() < until:
            client.ir(key_pem, subject=subject)
            done[number] += 1

    threads = [threading.Thread(target=enrol, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun, spent = time.monotonic(), time.process_time()
    for thread in threads:
        thread.join()
    queue.put((sum(done) / (time.monotonic() - begun), (time.process_time() - spent) / sum(done)))


def rate(url: str, count: int, seconds: float, key_pem: bytes) -> tuple[float, float]:
    """Enrolments per second by ``count`` clients at once, and the processor's seconds that these spend for each. They are
    in as many processes as there are processors: in one they would wait for each other more than for the server."""
    number = min(count, len(os.sched_getaffinity(0)))
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count + number)
    shares = [len(range(first, count, number)) for first in range(number)]
    found = _in_processes(_clients, [(url, share, seconds, key_pem, ready) for share in shares])
    rates, spent = zip(*found, strict=True)
    return sum(rates), statistics.mean(spent)


def served_rate(url: str, count: int, number: int, key_pem: bytes, who: tuple[bytes, bytes]) -> float:
    """Certificates per second that the server issues to ``count`` clients at once when the requests are there already."""
    (found,) = _in_processes(_prepared, [(url, count, number, key_pem, who)])
    return float(found)


def _in_processes(work: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What it reports in a process for each of these arguments, all at once."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=work, args=(*one, queue)) for one in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(600)
        assert process.exitcode == 0, "the clients failed"
    return [queue.get() for _ in processes]


def _prepared(
    url: str, count: int, number: int, key_pem: bytes, who: tuple[bytes, bytes], queue: Any
) -> None:
    """One process with ``count`` threads that send so many irs, each made before the clock starts and confirmed implicitly,
    so that the server has the processors for itself; reports their rate."""
    found: list[bytes] = []

    def keep(message: bytes) -> bytes:
        found.append(message)
        raise ConnectionError("it is sent later")

    client = osslcmp.Client(transport=keep, reference=who[0], secret=who[1])
    for one in range(number):
        with suppress(ConnectionError):
            client.ir(key_pem, subject=f"CN=load {one}", implicit_confirm=True)
    place = urlsplit(url)
    ready = threading.Barrier(count + 1)

    def send(messages: list[bytes]) -> bytes:
        answer = b""
        ready.wait()
        for (
            message
        ) in messages:  # over a connection for each, as devices come; the mock server closes it in any case
            with socket.create_connection((place.hostname or "", place.port or 80)) as connection:
                stream = connection.makefile("rb")
                head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/pkixcmp\r\n"
                connection.sendall(f"{head}Content-Length: {len(message)}\r\n\r\n".encode() + message)
                assert b" 200 " in stream.readline()
                answer = stream.read(int(parse_headers(stream)["Content-Length"]))
        return answer

    with ThreadPoolExecutor(count) as threads:
        answers = [threads.submit(send, found[first::count]) for first in range(count)]
        ready.wait()
        begun = time.monotonic()
        wait(answers)
        queue.put(number / (time.monotonic() - begun))
    for answer in answers:
        body = Message.from_der(answer.result()).body
        assert isinstance(body, CertRepMessage)
        assert body.responses[0].certificate_der


def _name(clients: int) -> str:
    return f"{clients} client" + "s" * (clients > 1)


def bench_load(run: Run) -> None:
    """Enrolments over HTTP by 1, 8 and 64 clients at once, beside OpenSSL's mock server with one; and the servers alone."""
    key_pem = run.pki.enrolled.key_file.read_bytes()
    options: dict[str, Any] = {
        "srv_ref": REFERENCE.decode(),
        "srv_secret": SECRET,
        "srv_cert": run.pki.server.cert_file,
        "srv_key": run.pki.server.key_file,
        "rsp_cert": run.pki.enrolled.cert_file,
        "grant_implicitconf": True,
        "verbosity": 3,
    }
    title = "enrolments over HTTP by many clients, rate of osslcmp's server"
    run.report.title(f"{title}, MAC")
    found: dict[int, list[float]] = {count: [] for count in CLIENTS}
    served: dict[int, list[float]] = {count: [] for count in CLIENTS}
    alone, processors = [], len(os.sched_getaffinity(0))
    seconds = 3 * run.seconds
    with MockServer(**options) as mock, EmbeddedCA({REFERENCE: SECRET}).server().serve() as running:
        for _ in range(min(run.rounds, 3)):
            base, _ = rate(mock.url, 1, seconds, key_pem)
            least = []
            for count, ratios in found.items():
                reached, spent = rate(running.url, count, seconds, key_pem)
                ratios.append(reached / base)
                least.append(spent)
            alone.append(processors / min(least) / base)
            base = served_rate(mock.url, 1, PREPARED, key_pem, LOAD)
            for count, ratios in served.items():
                ratios.append(served_rate(running.url, count, PREPARED, key_pem, LOAD) / base)
    to = "openssl cmp -port, 1 client"
    for count, ratios in found.items():
        run.report.ratio(title, _name(count), ratios, to, goal=CLIENTS[count], more_is_better=True)
    run.report.ratio(title, "what its clients alone could", alone, to, more_is_better=True)
    for count, ratios in served.items():
        name = f"{_name(count)}, requests made before"
        run.report.ratio(title, name, ratios, f"{to}, requests made before", more_is_better=True)
    points = [(float(count), statistics.median(ratios)) for count, ratios in found.items()]
    run.report.line("throughput", "Server with EmbeddedCA", points)
