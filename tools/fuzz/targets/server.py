"""Requests to a server: ``Server.process``, with a CA in memory and with one in a database, and raw bytes over HTTP."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from osslcmp.server import EmbeddedCA, MalformedMessageError, Server

from .. import mutate
from ..protect import Credentials, protect
from ..sessions import REFERENCE, SECRET, issued
from ..tree import parse
from .base import FindingError, Plan, Target, fresh_id, log_level, visible

_WARM, _GROWTH = 400, 64 << 20
_CHECK_AFTER = 40
"""Forged messages after which the transaction that they are about must still go on."""


@dataclass
class Bystander:
    """A transaction of somebody else, which waits for its client."""

    transaction_id: bytes
    answer: bytes
    forged: int = 0


class Requests(Target):
    """Any request, to a server whose CA is in memory."""

    name = "server"
    share = 5
    renew_after = 1_500

    def renew(self) -> None:
        """A fresh CA, whose records would grow else."""
        super().renew()
        self.ca: EmbeddedCA = self.world.ca
        self.server: Server = self.world.server
        self._bystander: Bystander | None = None

    def plan(self, rng: Random) -> Plan:
        """A message of a session, from its client or from somebody who knows nobody's key."""
        session = self.draw_session(rng)
        count = len(self.world.sessions[session].exchanges)
        message = self.draw_message(rng)
        forged = rng.random() < 0.3
        if forged:
            message["protect"] = "wrong"
        return {
            "session": session,
            "at": rng.randrange(count),
            "of_answer": rng.random() < 0.05,
            "message": message,
            "forged": forged,
            "bystander": rng.random() < 0.7,
            "log": log_level(rng),
        }

    def run(self, plan: Plan) -> None:
        """The messages of the session before it as they are, then the changed one."""
        with self.log.watch(plan["log"]):
            if plan["forged"]:
                self._forged(plan)
            else:
                self._session(plan)

    def process(self, message: bytes, plan: Plan) -> None:  # noqa: ARG002
        """Give it the message."""
        with contextlib.suppress(MalformedMessageError):
            parse(self.server.process(message))

    def _session(self, plan: Plan) -> None:
        session = self.world.sessions[plan["session"]]
        credentials = self.world.credentials(session.protection)
        transaction_id, answer, certificate = fresh_id(), None, None
        for exchange in session.exchanges[: plan["at"]]:
            root = self.world.request_again(exchange.request, transaction_id, answer, certificate)
            protect(root, credentials)
            answer = self.server.process(root.encode())
            certificate = issued(answer) or certificate
        self.process(self._changed(plan, transaction_id, answer, certificate, credentials), plan)

    def _changed(
        self,
        plan: Plan,
        transaction_id: bytes,
        answer: bytes | None,
        certificate: bytes | None,
        credentials: Credentials,
    ) -> bytes:
        exchange = self.world.sessions[plan["session"]].exchanges[plan["at"]]
        template = exchange.answer if plan["of_answer"] else exchange.request
        root = self.world.request_again(template, transaction_id, answer, certificate)
        return self.changed(root, plan["message"], credentials)

    # -- who has proved nothing changes nothing -----------------------------------------------------------

    def _forged(self, plan: Plan) -> None:
        session = self.world.sessions[plan["session"]]
        waiting = self._bystander
        if waiting is None:
            waiting = self._bystander = self._begin()
        credentials = self.world.credentials(session.protection)
        identity = waiting.transaction_id if plan["bystander"] else fresh_id()
        answer = waiting.answer if plan["at"] or plan["bystander"] else None
        message = self._changed(plan, identity, answer, issued(waiting.answer), credentials)
        before = self._state()
        self.process(message, plan)
        if self._state() != before:
            self._bystander = None
            raise FindingError(
                f"a message of nobody changed (open, issued, revoked) {before} to {self._state()}"
            )
        waiting.forged += 1
        if waiting.forged == _CHECK_AFTER:
            self._go_on()

    def _state(self) -> tuple[int, int, int]:
        records = self.ca.records
        return (
            self.server.open_transactions,
            len(records),
            sum(record.revoked is not None for record in records),
        )

    def _begin(self) -> Bystander:
        transaction_id = fresh_id()
        template = self.world.sessions["mac ir"].exchanges[0].request
        root = self.world.request_again(template, transaction_id, None, None)
        protect(root, self.world.credentials("mac"))
        return Bystander(transaction_id, self.server.process(root.encode()))

    def _go_on(self) -> None:
        """The client of the other transaction confirms, and it counts."""
        waiting, self._bystander = self._bystander, None
        assert waiting is not None
        template = self.world.sessions["mac ir"].exchanges[1].request
        root = self.world.request_again(
            template, waiting.transaction_id, waiting.answer, issued(waiting.answer)
        )
        protect(root, self.world.credentials("mac"))
        kind = parse(self.server.process(root.encode()))[0].kids[1].tag[0] - 0xA0
        if kind != 19:
            raise FindingError(
                f"after {_CHECK_AFTER} messages of nobody, a certConf is answered with body {kind}"
            )


class Persistent(Requests):
    """Any request, to a server whose CA is in a database."""

    name = "persistent"
    share = 2

    def __init__(self, folder: Path) -> None:
        self._stored: Any = None
        super().__init__(folder)

    def renew(self) -> None:
        """A fresh database."""
        super().renew()
        self.close()
        place = self.folder / "ca"
        shutil.rmtree(place, ignore_errors=True)
        self._stored = self.ca = EmbeddedCA.open(place, {REFERENCE: SECRET}, **self.world.ca_pairs)
        self.server = self.world.make_server(self.ca)

    def close(self) -> None:
        """Close the database."""
        if self._stored is not None:
            self._stored.close()
            self._stored = None


_LINES = (
    "POST /.well-known/cmp HTTP/1.1", "POST /.well-known/cmp HTTP/1.0", "POST / HTTP/1.1", "GET / HTTP/1.1",
    "HEAD /crl HTTP/1.1",
    "GET /root.pem HTTP/1.1", "POST /.well-known/cmp/p/%00%ff/initialization HTTP/1.1", "POST * HTTP/1.1",
    "PRI * HTTP/2.0",
    "POST /.well-known/cmp/p/" + "a" * 9_000 + " HTTP/1.1", "POST http://a/.well-known/cmp HTTP/1.1",
    "POST /\x1b[2J HTTP/1.1",
    "POST /.well-known/cmp HTTP/9.9", "POST", "", "\0", "CONNECT a:1 HTTP/1.1", "OPTIONS * HTTP/1.1",
    "POST //../../x HTTP/1.1",
    "POST /.well-known/cmp/p/x/y/z?q=%0d%0a HTTP/1.1",
)  # fmt: skip
_HEADERS = (
    "Content-Type: application/pkixcmp", "Content-Type: application/pkixcmp", "Content-Type: text/plain",
    "Content-Type:",
    "Content-Type: application/pkixcmp; charset=\x80", "Content-Length: -5", "Content-Length: " + "9" * 5_000,
    "Content-Length: 1e3",
    "Content-Length: 0", "Content-Length: 5", "Content-Length: \u0665".encode().decode("latin-1"),
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked", "Expect: 100-continue", "Connection: keep-alive",
    "Connection: upgrade", "Upgrade: h2c",
    "Host: \x1b]0;x\x07", "Host: a\r\n b", "X-Forwarded-For: " + "1" * 20_000, "no colon", ": empty",
    "Cookie: " + "a=b;" * 500,
)  # fmt: skip


class Web(Target):
    """Raw bytes, to the HTTP server of ``Server.serve``."""

    name = "http-server"
    share = 2
    lines: ClassVar[tuple[str, ...]] = _LINES

    def __init__(self, folder: Path) -> None:
        self._running: Any = None
        super().__init__(folder)

    def renew(self) -> None:
        """Serve anew."""
        self.close()
        super().renew()
        self._running = self.serve()

    def serve(self) -> Any:
        """What serves: its ``host`` and ``port``, and ``stop()``."""
        return self.world.server.serve(threads=2, timeout=3, request_time=4)

    def close(self) -> None:
        """Stop serving."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def plan(self, rng: Random) -> Plan:
        """An HTTP request, and the message in it."""
        odd = rng.random() < 0.6
        return {
            "session": self.draw_session(rng),
            "message": self.draw_message(rng),
            "line": rng.choice(self.lines if odd else self.lines[:3]),
            "headers": rng.sample(_HEADERS, rng.randrange(6)) if odd else [_HEADERS[0]],
            "framing": rng.choice(("length", "length", "length", "length", "chunked", "none", "longer")),
            "raw": [mutate.draw_raw(rng) for _ in range(rng.choice((0, 0, 1, 3)))],
            "pieces": rng.choice((1, 1, 1, 3)),
            "log": log_level(rng),
        }

    def run(self, plan: Plan) -> None:
        """Send it, and read until the server closes."""
        world = self.world
        session = world.sessions[plan["session"]]
        root = world.request_again(session.exchanges[0].request, fresh_id(), None, None)
        body = self.changed(root, plan["message"], world.credentials(session.protection))
        self.sent = mutate.change_bytes(_request(plan, body), plan["raw"])
        with self.log.watch(max(plan["log"], logging.INFO)):
            answer = self._exchange(self.sent, plan["pieces"])
        if answer and not answer.startswith(b"HTTP/1."):
            raise FindingError(f"no answer in HTTP: {answer[:200]!r}")
        if answer.split(b" ", 2)[1:2] == [b"500"]:
            raise FindingError(f"status 500: {answer[:500]!r}")

    def _exchange(self, data: bytes, pieces: int) -> bytes:
        answer = b""
        with socket.create_connection((self._running.host, self._running.port), timeout=9) as connection:
            with contextlib.suppress(OSError):  # it may have heard enough
                step = len(data) // pieces + 1
                for start in range(0, len(data), step):
                    connection.sendall(data[start : start + step])
                connection.shutdown(socket.SHUT_WR)
            try:
                while more := connection.recv(65_536):
                    answer += more
            except ConnectionError:
                pass
            except TimeoutError:
                raise FindingError(
                    f"the server keeps the connection of a client that has left: {answer[:300]!r}"
                ) from None
        return answer


def _request(plan: Plan, body: bytes) -> bytes:
    lines = [plan["line"], *plan["headers"]]
    if plan["framing"] in ("length", "longer"):
        lines.append(f"Content-Length: {len(body) + 9 * (plan['framing'] == 'longer')}")
    if plan["framing"] == "chunked":
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + body


class _Command:
    """A running ``osslcmp cmp -port`` and what it has written."""

    host = "127.0.0.1"

    def __init__(self, words: list[str], log: Path) -> None:
        self._log = log.open("w+b")
        command = [
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            "osslcmp",
            "cmp",
            "-config",
            "",
            "-port",
            "127.0.0.1:0",
        ]
        self._process = subprocess.Popen([*command, *words], stdout=self._log, stderr=self._log)
        self._read, told = 0, ""
        while not (found := re.search(r"ACCEPT 127\.0\.0\.1:(\d+)", told)):
            if self._process.poll() is not None:
                raise RuntimeError(told)
            time.sleep(0.01)
            told += self.told()
        self.port = int(found[1])

    def told(self) -> str:
        """What it has written since the last time."""
        data = os.pread(self._log.fileno(), 1 << 20, self._read)
        self._read += len(data)
        return data.decode(errors="backslashreplace")

    def check(self) -> None:
        """Raises ``FindingError`` if it has ended, or has written what it must not."""
        told = self.told()
        if self._process.poll() is not None:
            raise FindingError(f"the mock server has ended with {self._process.returncode}: {told[-6_000:]}")
        if "Traceback" in told or "bug in osslcmp" in told:
            raise FindingError(f"the mock server calls it a bug:\n{told[-6_000:]}")
        visible(told, "the mock server's output")

    def resident(self) -> int:
        """Octets of memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._log.close()


class Mock(Web):
    """Requests to ``osslcmp cmp -port``, a process of its own, with sessions of several messages and raw bytes around."""

    name = "mock"
    share = 3
    renew_after = 2_000
    lines = (
        "POST / HTTP/1.1", "POST /pkix/ HTTP/1.1", "POST /pkix/ HTTP/1.0",
        *(line.replace("/.well-known/cmp", "/pkix/") for line in _LINES),
    )  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self._served = 0
        super().__init__(folder)

    def serve(self) -> _Command:
        """Start it; every other one lets its clients poll."""
        world, self._count, self._served = self.world, 0, self._served + 1
        pem = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files = {
            "rsp_cert": world.client.certificate.public_bytes(Encoding.PEM),
            "rsp_capubs": world.root.certificate.public_bytes(Encoding.PEM),
            "srv_trusted": world.root.certificate.public_bytes(Encoding.PEM),
            "srv_untrusted": world.issuer.certificate.public_bytes(Encoding.PEM),
            "srv_cert": world.server_signer.certificate.public_bytes(Encoding.PEM),
            "srv_key": world.server_signer.key.private_bytes(*pem),
        }
        words = ["-srv_ref", REFERENCE.decode(), "-srv_secret", f"pass:{SECRET.decode()}", "-verbosity", "7"]
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
            words += [f"-{name}", str(self.folder / name)]
        if self._served % 2 == 0:
            words += ["-poll_count", "2", "-check_after", "0", "-grant_implicitconf"]
        return _Command(words, self.folder / "mock.log")

    def plan(self, rng: Random) -> Plan:
        """A message of a session, which comes after those before it."""
        plan = super().plan(rng)
        plan["at"] = rng.randrange(len(self.world.sessions[plan["session"]].exchanges))
        if plan["at"] or rng.random() < 0.5:
            plan.update(line=self.lines[0], headers=[_HEADERS[0]], framing="length", raw=[])
        return plan

    def run(self, plan: Plan) -> None:
        """Send them, and look whether it is well."""
        world, session = self.world, self.world.sessions[plan["session"]]
        credentials = world.credentials(session.protection)
        transaction_id, answer, certificate = fresh_id(), None, None
        plain = {"line": self.lines[0], "headers": [_HEADERS[0]], "framing": "length"}
        for exchange in session.exchanges[: plan["at"]]:
            root = world.request_again(exchange.request, transaction_id, answer, certificate)
            protect(root, credentials)
            whole = self._exchange(_request(plain, root.encode()), 1)
            answer = whole.partition(b"\r\n\r\n")[2] or None
            if answer is None:
                return  # it has said no
            certificate = issued(answer) or certificate
        root = world.request_again(session.exchanges[plan["at"]].request, transaction_id, answer, certificate)
        body = self.changed(root, plan["message"], credentials)
        self.sent = mutate.change_bytes(_request(plan, body), plan["raw"])
        answer = self._exchange(self.sent, plan["pieces"])
        self._running.check()
        if answer and not answer.startswith((b"HTTP/1.", b"<!DOCTYPE")):
            raise FindingError(f"no answer in HTTP: {answer[:200]!r}")
        self._count += 1
        if self._count == _WARM:
            self._resident = self._running.resident()
        elif self._count % _WARM == 0 and self._running.resident() > self._resident + _GROWTH:
            raise FindingError(
                f"the mock server's memory grows: {self._resident} to {self._running.resident()}"
            )
