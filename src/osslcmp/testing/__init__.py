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

from .faults import (
    Fault,
    bad_protection,
    cert_req_id,
    change,
    delay,
    drop_response,
    html_503,
    http_answer,
    issue_other_key,
    no_certificate,
    no_extra_certs,
    no_message_time,
    no_recip_nonce,
    no_sender_nonce,
    ok,
    old_message_time,
    reject,
    several_responses,
    unprotected,
    waiting,
    wrong_body,
    wrong_nonce,
    wrong_pvno,
    wrong_sender,
    wrong_transaction_id,
)

if TYPE_CHECKING:
    from .server import CMPServer

__all__ = [
    "CMPServer",
    "Fault",
    "bad_protection",
    "cert_req_id",
    "change",
    "cmp_ca",
    "cmp_client",
    "cmp_server",
    "cmp_server_factory",
    "delay",
    "drop_response",
    "html_503",
    "http_answer",
    "issue_other_key",
    "no_certificate",
    "no_extra_certs",
    "no_message_time",
    "no_recip_nonce",
    "no_sender_nonce",
    "ok",
    "old_message_time",
    "reject",
    "several_responses",
    "unprotected",
    "waiting",
    "wrong_body",
    "wrong_nonce",
    "wrong_pvno",
    "wrong_sender",
    "wrong_transaction_id",
]

with suppress(ModuleNotFoundError):  # without pytest, the server is there
    from .plugin import (
        _cmp_server as _cmp_server,
    )
    from .plugin import (
        cmp_ca,
        cmp_client,
        cmp_server,
        cmp_server_factory,
    )
    from .plugin import (
        pytest_addoption as pytest_addoption,
    )
    from .plugin import (
        pytest_configure as pytest_configure,
    )
    from .plugin import (
        pytest_runtest_call as pytest_runtest_call,
    )
    from .plugin import (
        pytest_runtest_makereport as pytest_runtest_makereport,
    )


def __getattr__(name: str) -> object:
    # With pytest every run imports this: the server costs more.
    if name == "CMPServer":
        from .server import CMPServer

        return CMPServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
