"""A CMP server in a Flask site: everything below ``/ca`` is CMP, so clients use ``/ca/.well-known/cmp``."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from osslcmp.server import Server


def create_app(server: Server) -> Flask:
    """The site, for any WSGI server."""
    app = Flask(__name__)

    @app.get("/")
    def index() -> str:
        return "a site"

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/ca": server.wsgi_app})  # type: ignore[method-assign]
    return app
