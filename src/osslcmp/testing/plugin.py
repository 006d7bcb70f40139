"""The pytest plugin itself: settings and fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..client import Client
    from .server import CMPServer, ScriptedCA

_SCOPE, _TLS = "cmp_server_scope", "cmp_server_tls"
_SETTINGS = {
    _SCOPE: ("function", "class", "module", "package", "session"),
    _TLS: ("false", "true", "optional", "required"),
}
_MARKER = "cmp_server"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    texts = {
        _SCOPE: "how long a CMP server of the fixture cmp_server lasts",
        _TLS: "whether it speaks HTTPS, and whether with certificates of clients",
    }
    for name, known in _SETTINGS.items():
        parser.addini(name, f"{texts[name]}: {', '.join(known)}", default=known[0])


def pytest_configure(config: pytest.Config) -> None:
    """Look at the settings where pytest shows a UsageError in a line: in a scope it would be an internal error."""
    for name, known in _SETTINGS.items():
        found = config.getini(name)
        if found not in known:
            raise pytest.UsageError(f"{name}: one of {', '.join(known)}, not {found!r}")
    text = f"{_MARKER}(tls=..., strictness=..., ...): a server of its own with options of cmp_server_factory"
    config.addinivalue_line("markers", text)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show in the report of a failed test what its ``cmp_server`` was asked and has answered."""
    outcome: Any = yield
    report = outcome.get_result()
    server = getattr(item, "funcargs", {}).get("cmp_server")
    if server is not None and report.failed and len(server.trace):
        report.sections.append(("Messages at cmp_server", str(server.trace)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test that has passed, but not used all steps of its script. Being last, it runs after the test."""
    server = getattr(item, "funcargs", {}).get("cmp_server")
    if server is not None and server.steps_left:
        left = ", ".join(server.steps_left)
        pytest.fail(f"cmp_server: steps of the script were not used: {left}", pytrace=False)


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001  # pytest calls it by keyword
    return config.getini(_SCOPE)


@pytest.fixture(scope="session")
def cmp_server_factory() -> Iterator[Callable[..., CMPServer]]:
    """Makes CMP servers: ``cmp_server_factory(ca=None, tls=False, **options of osslcmp.server.Server)``.

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


def _tls(config: pytest.Config) -> Any:
    found = config.getini(_TLS)
    return {"false": False, "true": True}.get(found, found)


@pytest.fixture(scope=_scope)
def _cmp_server(request: pytest.FixtureRequest) -> Iterator[CMPServer]:
    from .server import CMPServer

    with CMPServer(tls=_tls(request.config)) as server:
        yield server


@pytest.fixture
def cmp_server(request: pytest.FixtureRequest) -> Iterator[CMPServer]:
    """A CMP server with a CA of its own: ``url``, ``reference``, ``secret``, ``root``, ``script()``, ``requests``.

    With a wider ``cmp_server_scope`` each test finds it without script and recorded messages of others; what the CA
    has issued stays. The marker ``cmp_server(tls=True)`` gives a test, a class or a module one with other options.
    """
    markers = [*request.node.iter_markers(_MARKER)]
    if not markers:
        server: CMPServer = request.getfixturevalue("_cmp_server")
        server.clear()
        yield server
        return
    from .server import CMPServer

    options: dict[str, Any] = {"tls": _tls(request.config)}
    for marker in reversed(markers):  # the closest counts most
        if marker.args:
            pytest.fail(f"marker {_MARKER}: options by name, not {marker.args[0]!r}", pytrace=False)
        options |= marker.kwargs
    with CMPServer(**options) as server:
        yield server


@pytest.fixture
def cmp_ca(cmp_server: CMPServer) -> ScriptedCA:
    """The CA of ``cmp_server``: what it issued and revoked."""
    return cmp_server.ca


@pytest.fixture
def cmp_client(cmp_server: CMPServer) -> Client:
    """An :class:`osslcmp.Client` that knows the secret of ``cmp_server``."""
    from ..client import Client

    tls = None if cmp_server.tls is None else cmp_server.tls.client
    return Client(cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret, tls=tls)
