"""CMP over HTTP as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from .app import REQUEST_TIME, THREADS, Application, Request, Response, busy, refuse
from .workers import Workers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ASGI:
    """A server's HTTP side as an ASGI application (3.0), to be mounted in another one or run by any ASGI server.

    Messages are worked on in threads, a bounded number at once; when too many wait they are refused with 503.

    Args:
        app: answers.
        threads: how many messages are worked on at once.
        request_time: seconds for a body to come whole; else 408.
    """

    def __init__(self, app: Application, threads: int = THREADS, request_time: float = REQUEST_TIME) -> None:
        self._app = app
        self._workers = Workers(threads)
        self._request_time = request_time

    def close(self) -> None:
        """End its threads when they have done what they work on."""
        self._workers.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] == "websocket":  # anybody may ask for one: the web server answers 403
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        headers = {name.lower(): value for name, value in scope["headers"]}
        path, root = scope["path"], scope.get("root_path", "")
        if root and (path == root or path.startswith(f"{root.rstrip('/')}/")):
            path = path[len(root.rstrip("/")) :]
        request = Request(
            scope["method"],
            path.encode("utf-8", "surrogateescape").decode("latin-1"),
            headers.get(b"content-type", b"").decode("latin-1"),
            address=str((scope.get("client") or ("",))[0]),
        )
        response = self._app.early(request)
        if response is None:
            try:
                body = await asyncio.wait_for(self._body(receive), self._request_time)
            except (asyncio.TimeoutError, TimeoutError):
                response = refuse(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time")
            else:
                if body is None:
                    return
                if len(body) > self._app.limit:
                    response = self._app.too_large()
                else:
                    response = await self._work(replace(request, body=bytes(body)), receive)
        if response is None:
            return
        sent = [*response.headers, ("Content-Length", str(len(response.body)))]
        await send(
            {
                "type": "http.response.start",
                "status": response.status.value,
                "headers": [(name.lower().encode(), value.encode()) for name, value in sent],
            }
        )
        told = b"" if request.method == "HEAD" else response.body
        await send({"type": "http.response.body", "body": told})

    async def _body(self, receive: Receive) -> bytearray | None:
        """The whole body, or its beginning that is already too long; ``None`` when the client has gone."""
        body = bytearray()  # it may come in as many pieces as it has octets
        more = True
        while more and len(body) <= self._app.limit:
            event = await receive()
            if event["type"] == "http.disconnect":
                return None
            body += event.get("body", b"")
            more = event.get("more_body", False)
        return body

    async def _work(self, request: Request, receive: Receive) -> Response | None:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Response | None] = loop.create_future()

        def take(response: Response | None) -> None:
            if not answered.done():
                answered.set_result(response)

        def done(response: Response | None) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(take, response)

        cancel = self._workers.submit(partial(self._app.answer, request), done)
        if cancel is None:
            return busy()
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: take(None))
        try:
            return await answered
        finally:
            cancel()  # nobody waits for its answer any more; what has begun goes on
            gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
