"""What every test gets: a neutral environment, an empty error queue, no thread left over, shared fixtures."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cryptography
import pytest
from cryptography.hazmat.backends.openssl import backend
from support import openssl, postgresql
from support.mock_server import MockServer, mock_of
from support.openssl import Value
from support.pki import PKI, Identity, make_name

# Before libcrypto is loaded, because it reads its configuration then.
for _name in openssl.ENVIRONMENT:
    os.environ.pop(_name, None)

from support import messages  # noqa: E402
from support.enrol import LOCAL  # noqa: E402
from support.https import WebServer, server_context  # noqa: E402
from support.inprocess import Peer  # noqa: E402
from support.raising import RAISED  # noqa: E402
from support.serving import Serving  # noqa: E402
from support.waiting import Site  # noqa: E402

import osslcmp  # noqa: E402
from osslcmp._openssl.lib import built_version  # noqa: E402
from osslcmp.message import Message  # noqa: E402
from osslcmp.server import EmbeddedCA, Server  # noqa: E402

#: Seconds that a thread of a test may take to end.
THREAD_GRACE = 5.0


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "peer: talks to the installed openssl command")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C; the tests need it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    """Which OpenSSL is loaded, which one was compiled against, and what the peers are."""
    lib, ffi = osslcmp.lib, osslcmp.ffi
    loaded = ffi.string(lib.OpenSSL_version(lib.OPENSSL_VERSION)).decode()
    built = ".".join(map(str, built_version))
    peer = openssl.run(["version"]).out.strip()
    return [
        f"osslcmp: loaded {loaded}; built against OpenSSL {built}",
        f"peer command: {' '.join(openssl.command())}: {peer}",
        f"cryptography {cryptography.__version__} with {backend.openssl_version_text()}",
    ]


def _queued_error() -> str | None:
    lib, ffi = osslcmp.lib, osslcmp.ffi
    code = lib.ERR_peek_error()
    if code == 0:
        return None
    buffer = ffi.new("char[256]")
    lib.ERR_error_string_n(code, buffer, 256)
    lib.ERR_clear_error()
    text: str = ffi.string(buffer).decode(errors="replace")
    return text


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves an OpenSSL error on this thread's queue or a running thread.

    The level of libcrypto's log, which ``osslcmp serve`` sets for its process, becomes again what it was.
    """
    before = set(threading.enumerate())
    log = logging.getLogger("osslcmp.openssl")
    level = log.level
    assert _queued_error() is None, "an error was queued before the test"
    yield
    log.setLevel(level)
    error = _queued_error()
    deadline = time.monotonic() + THREAD_GRACE
    while (left := [t for t in threading.enumerate() if t not in before and t.is_alive()]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.01)
    assert error is None, f"the test left an error on the OpenSSL queue: {error}"
    assert not left, f"the test left threads: {left}"


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PKI:
    """The session's test PKI; its files go to a folder of its own."""
    directory: Path = tmp_path_factory.mktemp("pki")
    return PKI(directory)


@pytest.fixture
def mock_server(pki: PKI) -> Iterator[Callable[..., MockServer]]:
    """Start mock servers that end with the test: ``server = mock_server(poll_count=1)``.

    Without further options they are as ``mock_of`` makes them.
    """
    with ExitStack() as stack:

        def start(**options: Value) -> MockServer:
            return stack.enter_context(mock_of(pki, **options))

        yield start


@pytest.fixture
def peer(pki: PKI) -> Peer:
    """A CMP server within the process, whose answers the test writes."""
    return Peer(pki)


@pytest.fixture(scope="module")
def shared_site() -> Site:
    """One for all tests of a file: nothing in it is changed for good."""
    return Site()


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """A CA that waits for a person, and its server."""
    yield shared_site
    shared_site.reset()


@pytest.fixture
def open_site(site: Site) -> Site:
    """It, issuing at once."""
    site.released = True
    return site


@pytest.fixture(params=RAISED, ids=lambda make: type(make()).__name__)
def exception(request: pytest.FixtureRequest) -> BaseException:
    """A fresh exception of each kind."""
    made: BaseException = request.param()
    return made


@pytest.fixture
def nothing_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Neither OpenSSL nor cffi writes anything; cffi would print the exception that it lost."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def conversation() -> list[Message]:
    """What goes over the wire in ir, kur, rr and genm, with one poll."""
    return messages.conversation()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session; its URL, without the database."""
    reason = postgresql.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgresql.Cluster() as cluster:
        yield cluster.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return postgresql.create(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serving]:
    """Start ``osslcmp serve`` with one shared secret; the servers end with the test."""
    with Serving(tmp_path) as serving:
        yield serving


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> list[str]:
    """Options of ``osslcmp serve`` for the database."""
    if request.param == "sqlite":
        return []
    return ["--database", postgresql.create(request.getfixturevalue("postgresql_url"))]


@pytest.fixture
def ca() -> EmbeddedCA:
    """A fresh CA that knows one secret."""
    return EmbeddedCA({"ref": "secret"})


@pytest.fixture
def server(ca: EmbeddedCA) -> Server:
    """Its server."""
    return ca.server()


@pytest.fixture
def cmp(ca: EmbeddedCA) -> Server:
    """Its server, which takes every request under the secret."""
    return ca.server(strictness="rfc9810")


@pytest.fixture(scope="session")
def web(pki: PKI) -> Identity:
    """A web server's certificate for localhost and 127.0.0.1."""
    # Files of its own: there are tests that issue others as "web".
    return pki.issue("web-local", pki.issuing, subject=make_name("web"), sans=LOCAL)


@pytest.fixture
def https(cmp: Server, web: Identity) -> Iterator[WebServer]:
    """That server over HTTPS, with that certificate."""
    with WebServer(cmp, server_context(web)) as server:
        yield server
