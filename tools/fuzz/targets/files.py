"""What is read from files and databases: messages, traces, dumps of transactions; ``osslcmp show`` and ``trace``."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
from random import Random
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm

import osslcmp
from osslcmp.server import waiting

from .. import mutate, values
from ..protect import Credentials
from ..tree import Node, read
from .base import FindingError, Plan, Target, draw_json, to_json
from .client import look_at_error, run_command

_DEEP = 12


class Messages(Target):
    """``Message.from_der``, and whatever can be asked of a message."""

    name = "message"
    share = 4

    def plan(self, rng: Random) -> Plan:
        """Any message, not protected again: nobody verifies it."""
        session = self.draw_session(rng)
        return {
            "session": session,
            "at": rng.randrange(len(self.world.sessions[session].exchanges)),
            "of_answer": rng.random() < 0.5,
            "message": {**self.draw_message(rng), "protect": "none"},
        }

    def message(self, plan: Plan) -> bytes:
        """The message of the plan."""
        exchange = self.world.sessions[plan["session"]].exchanges[plan["at"]]
        root = read(exchange.answer if plan["of_answer"] else exchange.request)
        return self.changed(root, plan["message"], b"")

    def run(self, plan: Plan) -> None:
        """Decode it and look at all of it."""
        try:
            message = osslcmp.Message.from_der(self.message(plan))
        except ValueError:
            return
        message.text()
        look(message)


def look(thing: object, depth: int = _DEEP) -> None:
    """Read every attribute of our objects; ``ValueError``, and ``UnsupportedAlgorithm`` of keys, may be raised."""
    if isinstance(thing, (tuple, list)):
        for part in thing:
            look(part, depth)
        return
    if depth == 0 or not type(thing).__module__.startswith("osslcmp"):
        return
    repr(thing)
    names = [field.name for field in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else []
    for name, attribute in [(n, a) for kind in type(thing).__mro__ for n, a in vars(kind).items()]:
        if isinstance(attribute, (property, functools.cached_property)) and not name.startswith("_"):
            names.append(name)
    for name in names:
        try:
            part = getattr(thing, name)
        except (ValueError, UnsupportedAlgorithm):
            continue
        look(part, depth - 1)


class Show(Messages):
    """``osslcmp show`` and ``osslcmp trace`` of files with messages."""

    name = "show"
    share = 3

    def plan(self, rng: Random) -> Plan:
        """A message in a file of some form."""
        return {
            **super().plan(rng),
            "form": rng.choice(("der", "der", "pem", "base64", "hex", "twice", "trace")),
            "raw": [mutate.draw_raw(rng) for _ in range(rng.choice((0, 0, 0, 1)))],
            "command": rng.choice((["show"], ["show"], ["show", "--text"], ["show", "--json"], ["show", "--summary"],
                                   ["trace"], ["trace", "--ascii", "--width", "40"])),
        }  # fmt: skip

    def run(self, plan: Plan) -> None:
        """Write the file and show it."""
        der = self.message(plan)
        text = base64.b64encode(der)
        data = {
            "der": der,
            "twice": der + der,
            "base64": text,
            "hex": der.hex().encode(),
            "pem": b"-----BEGIN CMP-----\n" + text + b"\n-----END CMP-----\n",
            "trace": to_json({"osslcmp": "trace", "version": 1})
            + b"\n"
            + to_json(trace_line(text.decode()))
            + b"\n",
        }[plan["form"]]
        self.sent = mutate.change_bytes(data, plan["raw"])
        path = self.folder / "message"
        path.write_bytes(self.sent)
        run_command([*plan["command"], str(path)])


def trace_line(der: str) -> dict[str, Any]:
    """A line of a recorded trace."""
    return {
        "time": "2026-11-27T12:00:00+00:00",
        "seconds": 0.5,
        "sent": True,
        "transaction": "00" * 16,
        "type": "ir",
        "der": der,
    }


class Traces(Target):
    """Recorded traces."""

    name = "trace"
    share = 2

    def renew(self) -> None:
        """Record one."""
        super().renew()
        trace = osslcmp.Trace()
        client = osslcmp.Client(transport=self.world.server, trace=trace, **self.world.arguments("mac"))
        client.ir(self.world.request_key, subject="CN=new")
        client.genm()
        self._lines = [json.loads(line) for line in trace.dump().splitlines()]

    def plan(self, rng: Random) -> Plan:
        """Some of its members changed, or its bytes."""
        members = ("time", "seconds", "sent", "transaction", "type", "failure", "version", "x")
        changes = [
            [rng.randrange(len(self._lines)), rng.choice(members), json.dumps(draw_json(rng))]
            for _ in range(rng.choice((0, 1, 1, 3)))
        ]
        message = {**self.draw_message(rng), "protect": "none"}
        return {
            "changes": changes,
            "message": message if rng.random() < 0.7 else None,
            "line": rng.randrange(1, len(self._lines)),
            "raw": [mutate.draw_raw(rng) for _ in range(rng.choice((0, 0, 0, 2)))],
        }

    def run(self, plan: Plan) -> None:
        """Load it, draw it, make a page of it."""
        lines = [dict(line) for line in self._lines]
        for number, name, value in plan["changes"]:
            lines[number][name] = json.loads(value)
        if plan["message"] is not None:
            line = lines[plan["line"]]
            message = self.changed(read(base64.b64decode(line["der"])), plan["message"], b"")
            line["der"] = base64.b64encode(message).decode()
        self.sent = mutate.change_bytes(b"".join(to_json(line) + b"\n" for line in lines), plan["raw"])
        try:
            trace = osslcmp.Trace.load(self.sent)
        except ValueError:
            return
        trace.ladder(60)
        trace.ladder(30, ascii_only=True)
        trace.html()
        for transaction in trace.transactions:
            trace.of(transaction).dump()
        for entry in trace.entries:
            look(entry, 2)


_ENCODED = ("waiting", "poll", "response", "public_key", "subject", "issuer", "csr", "old_certificate")


class Resumed(Target):
    """Dumps of transactions, which an attacker may have written, and what the server says then."""

    name = "resume"
    share = 2

    def renew(self) -> None:
        """Dump some."""
        super().renew()
        world = self.world
        world.ca.policy = waiting(9, 0)
        self._dumps: dict[str, list[dict[str, Any]]] = {}
        for protection in ("mac", "signature"):
            client = osslcmp.Client(transport=world.server, **world.arguments(protection))
            first = client.begin("ir", key=world.request_key, subject="CN=new")
            second = client.begin("p10cr", csr=world.csr)
            second.poll()
            self._dumps[protection] = [json.loads(first.dump()), json.loads(second.dump())]
        world.ca.policy = None

    def plan(self, rng: Random) -> Plan:
        """Some members changed; the checksum may be right again."""
        members = rng.choice(("type", "begun", "due", "verdict", "terms", *_ENCODED))
        return {
            "protection": rng.choice(("mac", "mac", "signature")),
            "dump": rng.randrange(2),
            "field": rng.choice(("waiting", "waiting", "poll", *_ENCODED)),
            "message": self.draw_message(rng),
            "changes": [[members, json.dumps(draw_json(rng))]] if rng.random() < 0.3 else [],
            "sum": rng.random() < 0.95,
            "raw": [mutate.draw_raw(rng) for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1)))],
            "other": rng.choice(values.TEXTS).decode("latin-1"),
        }

    def run(self, plan: Plan) -> None:
        """Resume, and poll once."""
        world, protection = self.world, plan["protection"]
        dump = dict(self._dumps[protection][plan["dump"]])
        body = dump["transaction"] = dict(dump["transaction"])
        if isinstance(body.get(plan["field"]), str):
            credentials: Credentials = world.credentials(protection, of_server=True)
            changed = self.changed(read(base64.b64decode(body[plan["field"]])), plan["message"], credentials)
            body[plan["field"]] = base64.b64encode(changed).decode()
        for name, value in plan["changes"]:
            body[name] = json.loads(value)
        if plan["sum"]:
            text = json.dumps(body, sort_keys=True, separators=(",", ":"))
            dump["sha256"] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self.sent = mutate.change_bytes(to_json(dump, indent=1), plan["raw"])
        polls = world.sessions[f"{protection} waits"].exchanges[1:]
        count = 0

        def transport(request: bytes) -> bytes:
            nonlocal count
            count += 1
            root: Node = world.answer_again(polls[min(count, len(polls)) - 1].answer, request)
            world.finish(root, world.credentials(protection, of_server=True), inner=False)
            return root.encode()

        client = osslcmp.Client(transport=transport, **world.arguments(protection), total_timeout=1)
        try:
            transaction = client.resume(self.sent)
        except osslcmp.CMPError as error:
            look_at_error(error)
            return
        except ValueError:
            return
        try:
            if count:
                raise FindingError("resume() has sent something")
            transaction.poll()
            if not transaction.done:
                transaction.dump()
        except osslcmp.CMPError as error:
            look_at_error(error)
