"""A CMP server in a Django site: everything below ``/ca`` is CMP, so clients use ``/ca/.well-known/cmp``.

In the site's ``wsgi.py``: ``application = with_cmp(get_wsgi_application(), server)``. CMP messages pass none of Django's
middleware: they have no cookies, and their protection is their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from osslcmp.server import Server


def with_cmp(application: Callable[..., Any], server: Server) -> Callable[..., Any]:
    """The site's WSGI application with the server in it."""
    return DispatcherMiddleware(application, {"/ca": server.wsgi_app})
