"""A CMP server in a FastAPI site: everything below ``/ca`` is CMP, so clients use ``/ca/.well-known/cmp``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from osslcmp.server import Server


def create_app(server: Server) -> FastAPI:
    """The site, for any ASGI server. Messages are worked on in threads of the CMP server, which end with the site."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        server.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    def index() -> str:
        return "a site"

    app.mount("/ca", server.asgi_app)
    return app
