"""A pytest plugin: a CMP server with a really signing CA, and scripted faults. Needs no import in your tests.

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
and others that break one rule for answers each: :func:`no_recip_nonce`, :func:`unprotected`, :func:`several_responses`, ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .faults import (
    Fault,
    bad_protection,
    cert_req_id,
    delay,
    drop_response,
    html_503,
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
    from ..client import Client
    from .server import CMPServer, ScriptedCA

__all__ = [
    "Fault",
    "bad_protection",
    "cert_req_id",
    "cmp_ca",
    "cmp_client",
    "cmp_server",
    "cmp_server_factory",
    "delay",
    "drop_response",
    "html_503",
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


_SETTING = "cmp_server_scope"
_SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    text = f"how long a CMP server of the fixture cmp_server lasts: {', '.join(_SCOPES)}"
    parser.addini(_SETTING, text, default=_SCOPES[0])


def pytest_configure(config: pytest.Config) -> None:
    """Look at the setting where pytest shows a UsageError in a line: in a scope it would be an internal error."""
    found = config.getini(_SETTING)
    if found not in _SCOPES:
        raise pytest.UsageError(f"{_SETTING}: one of {', '.join(_SCOPES)}, not {found!r}")


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001  # pytest calls it by keyword
    return config.getini(_SETTING)


@pytest.fixture(scope="session")
def cmp_server_factory() -> Iterator[Callable[..., CMPServer]]:
    """Makes CMP servers: ``cmp_server_factory(ca=None, **options of osslcmp.server.Server)``.

    They last until the session ends, or until their ``close()``. Each listens on a port of its own, so that parallel
    test processes do not meet.
    """
    from .server import CMPServer

    made: list[CMPServer] = []

    def make(ca: ScriptedCA | None = None, **options: Any) -> CMPServer:
        made.append(CMPServer(ca, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope=_scope)
def _cmp_server() -> Iterator[CMPServer]:
    from .server import CMPServer

    with CMPServer() as server:
        yield server


@pytest.fixture
def cmp_server(_cmp_server: CMPServer) -> CMPServer:
    """A CMP server with a CA of its own: ``url``, ``reference``, ``secret``, ``root``, ``script()``, ``requests``.

    With a wider ``cmp_server_scope`` each test finds it without script and recorded messages of others; what the CA
    has issued stays.
    """
    _cmp_server.clear()
    return _cmp_server


@pytest.fixture
def cmp_ca(cmp_server: CMPServer) -> ScriptedCA:
    """The CA of ``cmp_server``: what it issued and revoked."""
    return cmp_server.ca


@pytest.fixture
def cmp_client(cmp_server: CMPServer) -> Client:
    """An :class:`osslcmp.Client` that knows the secret of ``cmp_server``."""
    from ..client import Client

    return Client(cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret)
