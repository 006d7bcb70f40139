"""Requests to the WSGI and the ASGI application, as some web server may hand them over."""

from __future__ import annotations

import asyncio
import io
from collections.abc import MutableMapping
from random import Random
from typing import Any

from osslcmp.server.http import app, events
from osslcmp.server.http.metrics import Metrics

from ..sessions import World
from .base import FindingError, Plan, Target, fresh_id, log_level

_METHODS = ("POST",) * 8 + ("GET", "HEAD", "PUT", "", "post", "\x1b[2J")
_PATHS = ("/.well-known/cmp",) * 4 + (
    "", "/", "/crl", "/root.pem", "/.well-known/cmp/p/x/initialization", "/.well-known/cmp/p/",
    "/.well-known/cmp/p/\xff\xfe/cr",
    "/" + "a" * 9_000, "\x00", "/\x1b]0;x\x07", "/.well-known/cmp/p/a\r\nb", "/..//../", "/.well-known/cmp/getcacerts",
)  # fmt: skip
_TYPES = ("application/pkixcmp",) * 8 + (
    "",
    "text/plain",
    "application/pkixcmp; a=\xff",
    ";",
    "\x00",
    "APPLICATION/PKIXCMP;",
)
_LENGTHS = (None,) * 10 + ("", "0", "-1", "5", "1e3", "9" * 5_000, "\xb2", "99999999", " 7", "0x7")


class Applications(Target):
    """Any request, to the applications that web servers mount; events and metrics are made of each."""

    name = "apps"
    share = 1
    renew_after = 1_500

    def renew(self) -> None:
        """A fresh CA, its applications and their threads."""
        self.close()
        super().renew()
        server = self.world.server
        observers = (*app.OBSERVERS, events.log, Metrics().observe)
        self._app = app.Application(
            server.process, server.max_message_size, self.world.ca, observers=observers
        )

    def close(self) -> None:
        """End the threads of the ASGI application."""
        world: World | None = getattr(self, "world", None)
        if world is not None:
            world.server.close()

    def plan(self, rng: Random) -> Plan:
        """A request in pieces."""
        return {
            "session": self.draw_session(rng),
            "message": self.draw_message(rng),
            "interface": rng.choice(("wsgi", "asgi")),
            "method": rng.choice(_METHODS),
            "path": rng.choice(_PATHS),
            "type": rng.choice(_TYPES),
            "length": rng.choice(_LENGTHS),
            "root": rng.choice(("", "", "/mounted", "/.well-known", "/")),
            "pieces": rng.choice((1, 1, 1, 2, 9)),
            "leaves": rng.random() < 0.05,
            "log": log_level(rng),
        }

    def run(self, plan: Plan) -> None:
        """Hand it over."""
        world = self.world
        session = world.sessions[plan["session"]]
        root = world.request_again(session.exchanges[0].request, fresh_id(), None, None)
        body = self.changed(root, plan["message"], world.credentials(session.protection))
        with self.log.watch(plan["log"]):
            status = (
                self._wsgi(plan, body) if plan["interface"] == "wsgi" else asyncio.run(self._asgi(plan, body))
            )
        if status is not None and not 200 <= status < 500:
            raise FindingError(f"status {status}")

    def _wsgi(self, plan: Plan, body: bytes) -> int:
        length = str(len(body)) if plan["length"] is None else plan["length"]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": plan["method"],
            "SCRIPT_NAME": plan["root"],
            "PATH_INFO": plan["path"],
            "CONTENT_TYPE": plan["type"],
            "CONTENT_LENGTH": length,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": io.BytesIO(body),
        }
        started: list[str] = []

        def start_response(status: str, _headers: object, _error: object = None) -> Any:
            started.append(status)

        list(app.wsgi(self._app, environ, start_response))
        return int(started[0].split(" ")[0])

    async def _asgi(self, plan: Plan, body: bytes) -> int | None:
        scope = {
            "type": "http",
            "method": plan["method"],
            "path": plan["path"],
            "root_path": plan["root"],
            "headers": [(b"content-type", plan["type"].encode("latin-1"))],
            "client": ("127.0.0.1", 1),
        }
        step = len(body) // plan["pieces"] + 1
        pieces = [body[start : start + step] for start in range(0, len(body), step)] or [b""]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if pieces and not (plan["leaves"] and len(pieces) == 1):
                piece = pieces.pop(0)
                return {"type": "http.request", "body": piece, "more_body": bool(pieces)}
            if not plan["leaves"]:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            sent.append(event)

        await asyncio.wait_for(self.world.server.asgi_app(scope, receive, send), 9)
        return int(sent[0]["status"]) if sent else None
