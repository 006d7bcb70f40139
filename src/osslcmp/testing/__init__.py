"""A CMP server with a really signing CA, and scripted faults.

A pytest plugin, which needs no import in your tests; a context manager, :class:`CMPServer`, for unittest and others; and
``python -m osslcmp.testing`` for tests in other languages.

::

    def test_my_client(cmp_server):
        cmp_server.script(waiting(times=2), drop_response())
        run_my_client(cmp_server.url, cmp_server.reference, cmp_server.secret)
        assert cmp_server.requests[0].type is osslcmp.BodyType.IR

Fixtures: ``cmp_server``, ``cmp_client`` (an :class:`osslcmp.Client` for it), ``cmp_ca`` (its CA), ``cmp_server_factory``
(makes further ones, also for a wider scope: it is session-scoped). They are fresh for each test, unless the setting
``cmp_server_scope`` of pytest says ``class``, ``module``, ``package`` or ``session``. Steps of a script come from
this module: :func:`waiting`, :func:`reject`, :func:`drop_response`, :func:`html_503`, :func:`wrong_nonce`,
:func:`bad_protection`, :func:`no_extra_certs`, :func:`cert_req_id`, :func:`delay`, :func:`issue_other_key`, :func:`ok`,
others that break one rule for answers each (:func:`no_recip_nonce`, :func:`unprotected`, :func:`several_responses`, ...),
and :func:`change` and :func:`http_answer` for whatever else. The marker ``cmp_server(tls="required")`` and the setting
``cmp_server_tls`` make it HTTPS; ``cmp_server.tls`` is what clients need then.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from . import faults
from .faults import *  # noqa: F403

if TYPE_CHECKING:
    from .server import CMPServer

__all__ = ["CMPServer", "cmp_ca", "cmp_client", "cmp_server", "cmp_server_factory"]
__all__ += faults.__all__

with suppress(ModuleNotFoundError):  # without pytest, the server is there
    from .plugin import (  # noqa: F401  # pytest looks for them here
        _cmp_server,
        cmp_ca,
        cmp_client,
        cmp_server,
        cmp_server_factory,
        pytest_addoption,
        pytest_configure,
        pytest_runtest_call,
        pytest_runtest_makereport,
    )


def __getattr__(name: str) -> object:
    # With pytest every run imports this: the server costs more.
    if name == "CMPServer":
        from .server import CMPServer

        return CMPServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
