"""Answers to a client: over a callable transport, and over HTTP with the transfer in C."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import osslcmp

from .. import mutate
from ..sessions import REFERENCE, SECRET
from ..tree import read
from .base import FindingError, Plan, Target, log_level, visible

_REQUESTS = ("ir", "cr", "p10cr", "kur", "rr", "genm", "waits", "aborted", "refused")
_POLLS = 4


class Answers(Target):
    """Any answer, to a client with a callable transport."""

    name = "client"
    share = 5

    def plan(self, rng: Random) -> Plan:
        """A request and what answers it."""
        protection = rng.choice(("mac", "mac", "signature"))
        # The profile has kur and rr signed alone.
        session = rng.choice(
            [f"{protection} {call}" for call in _REQUESTS if f"{protection} {call}" in self.world.sessions]
        )
        count = len(self.world.sessions[session].exchanges)
        others = [name for name in self.world.sessions if name.startswith(protection)]
        return {
            "session": session,
            "at": rng.randrange(count),
            "instead": rng.choice(others) if rng.random() < 0.3 else None,
            "message": self.draw_message(rng),
            "arguments": {name: rng.random() < 0.2 for name in ("unprotected_errors", "ignore_key_usage")},
            "log": log_level(rng),
        }

    def run(self, plan: Plan) -> None:
        """The client gets what is planned."""
        count = 0

        def transport(request: bytes) -> bytes:
            nonlocal count
            count += 1
            return self.answer(plan, request, count - 1)

        with self.log.watch(plan["log"]):
            self.ask(plan, transport=transport)

    def answer(self, plan: Plan, request: bytes, number: int) -> bytes:
        """What is answered to the client's request of this number."""
        session = self.world.sessions[plan["session"]]
        here = number == plan["at"]
        exchanges = (
            self.world.sessions[plan["instead"]].exchanges if here and plan["instead"] else session.exchanges
        )
        root = self.world.answer_again(exchanges[min(number, len(exchanges) - 1)].answer, request)
        credentials = self.world.credentials(session.protection, of_server=True)
        if here:
            return self.changed(root, plan["message"], credentials)
        self.world.finish(root, credentials, inner=False)
        return root.encode()

    def ask(self, plan: Plan, **where: Any) -> None:
        """A request by a client."""
        protection, call = plan["session"].split(" ", 1)
        client = osslcmp.Client(
            **self.world.arguments(protection),
            **plan["arguments"],
            **where,
            message_timeout=1,
            total_timeout=1,
        )
        try:
            self._call(client, call)
        except osslcmp.CMPError as error:
            look_at_error(error)

    def _call(self, client: osslcmp.Client, call: str) -> None:
        world = self.world
        if call == "rr":
            repr(client.rr(world.other, reason=osslcmp.RevocationReason.certificateHold))
            return
        if call == "genm":
            repr(client.genm([osslcmp.InfoTypeAndValue("1.3.6.1.5.5.7.4.17")]))
            return
        if call == "p10cr":
            transaction = client.begin("p10cr", csr=world.csr)
        elif call == "kur":
            transaction = client.begin("kur", key=world.request_key, certificate=world.client.certificate)
        else:
            transaction = client.begin(
                "cr" if call == "cr" else "ir", key=world.request_key, subject="CN=new"
            )
        for _ in range(_POLLS):
            if transaction.done or call == "aborted":
                break
            transaction.poll()
        if not transaction.done:
            transaction.abort()
            return
        result = transaction.result
        for _ in (repr(result), str(result), result.chain, result.ca_pubs, result.extra_certs, result.status):
            pass


def look_at_error(error: osslcmp.CMPError) -> None:
    """All that an exception tells can be looked at."""
    str(error)
    repr(error)
    answer = getattr(error, "answer", None)
    if answer is not None:
        # It may be what was refused.
        with contextlib.suppress(ValueError):
            osslcmp.Message.from_der(answer)


STATUS_LINES = (
    "HTTP/1.0 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 500 Internal Server Error", "HTTP/1.0 404 Not Found",
    "HTTP/1.1 301 Moved", "HTTP/1.1 204 No Content", "HTTP/1.1 100 Continue", "HTTP/1.1 999 \x1b[31mred",
    "HTTP/1.1 -1 x",
    "HTTP/1.1 99999999999999999999 x", "HTTP/2 200", "HTTP/1.1", "HTTP/1.1 ", "ICY 200 OK", "", "\0", "HTTP/1.x 200 OK",
    "HTTP/1.1 200" + " " * 5_000, "HTTP/1.1 503 " + "a" * 40_000, "\x15\x03\x01\0\x02\x02\x28",
)  # fmt: skip
HEADERS = (
    "Content-Type: application/pkixcmp", "Content-Type: application/pkixcmp", "Content-Type: application/pkixcmp;x=y",
    "Content-Type: text/html", "Content-type:application/pkixcmp", "Content-Type:", "Connection: close",
    "Connection: keep-alive",
    "Connection: Keep-Alive, \x1b[2J", "Transfer-Encoding: chunked", "Transfer-Encoding: identity",
    "Location: http://127.0.0.1:1/",
    "Location: http://a/\x1b]0;x\x07" + "b" * 300, "X: " + "y" * 9_000, ": no name", "no colon", "\tfolded",
    "Content-Length: 5",
    "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 0x10", "Content-Length:",
    "Content-Length: 5, 5",
    "Content-Length: 100000000", "\0: \0", "Set-Cookie: a=b",
)  # fmt: skip


def draw_envelope(rng: Random) -> Plan:
    """What is around the answer."""
    odd = rng.random() < 0.6
    return {
        "interim": rng.choice((0, 0, 0, 1, 3, 50)),
        "status": rng.choice(STATUS_LINES if odd else STATUS_LINES[:3]),
        "headers": rng.sample(HEADERS, rng.randrange(6)) if odd else ["Content-Type: application/pkixcmp"],
        "length": rng.random() < 0.8,
        "end": rng.choice(("\r\n", "\r\n", "\n", "\r\r\n")),
        "raw": [mutate.draw_raw(rng) for _ in range(rng.choice((0, 0, 1, 3)))],
        "pieces": rng.choice((1, 1, 1, 2, 7)),
        "hold": rng.random() < 0.01,
    }


def envelope(plan: Plan, body: bytes) -> bytes:
    """The answer over HTTP."""
    lines = [*("HTTP/1.1 100 Continue\r\n",) * plan["interim"], plan["status"], *plan["headers"]]
    if plan["length"]:
        lines.append(f"Content-Length: {len(body)}")
    head = plan["end"].join([*lines, "", ""]).encode("latin-1", "replace")
    return mutate.change_bytes(head + body, plan["raw"])


class Listener:
    """An HTTP server that answers whatever it is told to."""

    def __init__(self, respond: Callable[[bytes], tuple[bytes, int, bool]]) -> None:
        self._respond = respond
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.trouble: list[BaseException] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(3)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65_536)
            if not more:
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += connection.recv(65_536)
        try:
            answer, pieces, hold = self._respond(body)
        except BaseException as error:
            self.trouble.append(error)
            return
        step = len(answer) // pieces + 1
        for start in range(0, len(answer), step):
            connection.sendall(answer[start : start + step])
        if hold:
            connection.recv(1)

    def close(self) -> None:
        """Take no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Transfer(Answers):
    """Any answer, to a client that reads HTTP."""

    name = "http-client"
    share = 3

    def __init__(self, folder: Path) -> None:
        self._plan: Plan = {}
        self._count = 0
        self.listener = Listener(self._respond)
        super().__init__(folder)

    def _respond(self, request: bytes) -> tuple[bytes, int, bool]:
        number, self._count = self._count, self._count + 1
        plan = self._plan
        body = self.answer(plan, request, number)
        if number != plan["at"]:
            return envelope({**_HONEST}, body), 1, False
        self.sent = envelope(plan["http"], body)
        return self.sent, plan["http"]["pieces"], plan["http"]["hold"]

    def plan(self, rng: Random) -> Plan:
        """An answer, and what is around it."""
        return {**super().plan(rng), "http": draw_envelope(rng)}

    def run(self, plan: Plan) -> None:
        """The client gets it through a socket."""
        self._plan, self._count = plan, 0
        with self.log.watch(plan["log"]):
            self.ask(plan, server=f"http://127.0.0.1:{self.listener.port}/cmp", proxy="")
        if self.listener.trouble:
            raise self.listener.trouble.pop()

    def close(self) -> None:
        """Close the socket."""
        self.listener.close()


_HONEST: Plan = {
    "interim": 0, "status": "HTTP/1.0 200 OK", "headers": ["Content-Type: application/pkixcmp"], "length": True,
    "end": "\r\n", "raw": [],
}  # fmt: skip


class Command(Transfer):
    """Any answer, to ``osslcmp cmp``, whose output goes to a terminal."""

    name = "command"
    share = 2

    def renew(self) -> None:
        """Write the files that it reads."""
        super().renew()
        pem = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        world = self.world
        for name, data in {
            "root": world.root.certificate.public_bytes(Encoding.PEM),
            "client": world.client.certificate.public_bytes(Encoding.PEM),
            "issuer": world.issuer.certificate.public_bytes(Encoding.PEM),
            "other": world.other.public_bytes(Encoding.PEM),
            "csr": world.csr.public_bytes(Encoding.PEM),
            "key": world.client.key.private_bytes(*pem),
            "new": world.request_key.private_bytes(*pem),
        }.items():
            (self.folder / f"{name}.pem").write_bytes(data)

    def ask(self, plan: Plan, **_where: Any) -> None:
        """The command, in this process."""
        run_command([*self.words(plan), "-server", f"127.0.0.1:{self.listener.port}", "-path", "cmp"])

    def words(self, plan: Plan) -> list[str]:
        """What it is called with, but for the server."""
        protection, call = plan["session"].split(" ", 1)
        words = ["cmp", "-trusted", self._file("root"), "-msg_timeout", "1", "-total_timeout", "2", "-certout",
                 str(self.folder / "out.pem")]  # fmt: skip
        if protection == "mac":
            words += ["-ref", REFERENCE.decode(), "-secret", f"pass:{SECRET.decode()}"]
        else:
            words += [
                "-cert",
                self._file("client"),
                "-key",
                self._file("key"),
                "-untrusted",
                self._file("issuer"),
            ]
        words += ["-cmd", call if call in ("ir", "cr", "p10cr", "kur", "rr", "genm") else "ir"]
        match call:
            case "rr":
                words += ["-oldcert", self._file("other")]
            case "genm":
                words += ["-infotype", "caCerts"]
            case "p10cr":
                words += ["-csr", self._file("csr")]
            case "kur":
                words += ["-oldcert", self._file("client"), "-newkey", self._file("new")]
            case _:
                words += ["-newkey", self._file("new"), "-subject", "/CN=new"]
        words += [
            f"-{name.replace('key_usage', 'keyusage')}"
            for name, is_set in plan["arguments"].items()
            if is_set
        ]
        return [*words, "-verbosity", str(plan["verbosity"])]

    def _file(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def plan(self, rng: Random) -> Plan:
        """An answer, and how much the command tells."""
        return {**super().plan(rng), "verbosity": rng.choice((3, 6, 6, 7, 8))}


class Operator(Command):
    """Any answer, to ``osslcmp probe`` and ``osslcmp renew``."""

    name = "operator"
    share = 1

    def plan(self, rng: Random) -> Plan:
        """An answer, and who gets it."""
        return {**super().plan(rng), "tool": rng.choice(("probe", "renew")), "json": rng.random() < 0.5}

    def words(self, plan: Plan) -> list[str]:
        """What it is called with."""
        secret = self.folder / "secret"
        secret.write_bytes(SECRET)
        url = f"http://127.0.0.1:{self.listener.port}/cmp"
        by_mac = plan["session"].startswith("mac")
        more = ["--json"] if plan["json"] else []
        if plan["tool"] == "probe":
            known = (
                ["--ref", REFERENCE.decode(), "--secret-file", str(secret)]
                if by_mac
                else ["--cert", self._file("client"), "--key", self._file("key")]
            )
            return ["probe", url, *known, "--trusted", self._file("root"), "--timeout", "1", *more]
        shutil.rmtree(self.folder / "renewal", ignore_errors=True)
        for name in ("renewed.pem", "renewed.key"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.copy(self._file("client"), self.folder / "renewed.pem")
        shutil.copy(self._file("key"), self.folder / "renewed.key")
        config = self.folder / "renew.toml"
        config.write_text(
            f"state-directory = 'renewal'\n[certificates.x]\nserver = '{url}'\n"
            "key = 'renewed.key'\ncertificate = 'renewed.pem'\n"
            "trusted = ['root.pem']\nuntrusted = ['issuer.pem']\nmessage-timeout = 1\nwait = 1\n"
            f"new-key = false\nrequest = '{'ir' if by_mac else 'kur'}'\n"
            + (f"reference = '{REFERENCE.decode()}'\nsecret-file = 'secret'\n" if by_mac else "")
        )
        return ["renew", str(config), "--force", *more]

    def ask(self, plan: Plan, **_where: Any) -> None:
        """The command, in this process; its third exit status says that the server lets it wait."""
        run_command(self.words(plan), statuses=(0, 1, 3))


class CommandFiles(Command):
    """Messages in files, to ``osslcmp cmp``: answers with ``-rspin``, requests to its own mock server with ``-reqin``."""

    name = "command-files"
    share = 2

    def plan(self, rng: Random) -> Plan:
        """A message of a session."""
        return {**super().plan(rng), "option": rng.choice(("rspin", "reqin"))}

    def run(self, plan: Plan) -> None:
        """Write the files, and have them read."""
        world, session = self.world, self.world.sessions[plan["session"]]
        of_answer = plan["option"] == "rspin"
        files = []
        for number, exchange in enumerate(session.exchanges):
            message = exchange.answer if of_answer else exchange.request
            if number == plan["at"]:
                credentials = world.credentials(session.protection, of_server=of_answer)
                message = self.changed(read(message), plan["message"], credentials)
            path = self.folder / f"message-{number}"
            path.write_bytes(message)
            files.append(str(path))
        words = [*self.words(plan), f"-{plan['option']}", ",".join(files)]
        if not of_answer:
            secret = f"pass:{SECRET.decode()}"
            words += [
                "-reqin_new_tid",
                "-use_mock_srv",
                "-srv_ref",
                REFERENCE.decode(),
                "-srv_secret",
                secret,
            ]
            words += ["-srv_trusted", self._file("root"), "-rsp_cert", self._file("client")]
        run_command(words)


def run_command(words: list[str], statuses: Collection[int] = (0, 1)) -> str:
    """Run ``osslcmp`` in this process; what it prints. Raises ``FindingError``."""
    from osslcmp.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    told = err.getvalue()
    if "bug in osslcmp" in told or "Traceback" in told:
        raise FindingError(f"the command calls it a bug: {told[-2_000:]}")
    if status not in statuses:
        raise FindingError(f"exit status {status}: {told[-2_000:]}")
    visible(out.getvalue(), "the output")
    visible(told, "stderr")
    return out.getvalue()
