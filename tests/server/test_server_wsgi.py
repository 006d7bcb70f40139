"""``Server.wsgi_app`` under other WSGI servers than our own: Python's ``wsgiref`` and cheroot as it comes."""

from __future__ import annotations

import io
import threading
import wsgiref.simple_server
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.validate import validator

import pytest
from cheroot import wsgi
from support import openssl_cmp
from support.pki import cert_pem, key_pem, make_key, make_name
from support.serving import get, load

import osslcmp
from osslcmp.server import EmbeddedCA

Start = Callable[[Any], AbstractContextManager[str]]


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


class _Threaded(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


@contextmanager
def under_wsgiref(app: Any) -> Iterator[str]:
    """The standard library's, which checks what the standard says."""
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, validator(app), _Threaded, _Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def under_cheroot(app: Any) -> Iterator[str]:
    """Without our changes."""
    server = wsgi.Server(("127.0.0.1", 0), app)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join()


@pytest.fixture(params=[under_wsgiref, under_cheroot], ids=lambda start: start.__name__.partition("_")[2])
def start(request: pytest.FixtureRequest) -> Start:
    found: Start = request.param
    return found


@pytest.mark.peer
def test_openssl_and_ours(start: Start, tmp_path: Path) -> None:
    """Both clients get on, with and without a connection that stays.

    But for one case: cheroot as it comes answers HTTP/1.0 with a status line of 1.1 and does not say that it closes the
    connection, so that OpenSSL's client must be told not to keep it. ``Server.serve`` says so.
    """
    ca = EmbeddedCA({"ref": "secret"})
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))
    (tmp_path / "root.pem").write_bytes(cert_pem(ca.root))
    options: dict[str, Any] = {"ref": "ref", "secret": b"secret", "cwd": tmp_path, "msg_timeout": 20}
    with start(ca.server().wsgi_app) as base:
        url = f"{base}/.well-known/cmp/p/any/initialization"
        for keep in (0, 1) if start is under_wsgiref else (0,):
            openssl_cmp.cmp(
                "ir", url, newkey="key.pem", subject="/CN=x", certout="new.pem", keep_alive=keep, **options
            ).must()
            mine = osslcmp.Client(
                url, reference="ref", secret="secret", keep_alive=bool(keep), message_timeout=20
            )
            assert mine.ir(make_key(), subject=make_name("y")).certificate
        with pytest.raises(osslcmp.RejectedError):
            mine.cr(make_key(), subject=make_name("y"))  # not what the path names
        record = ca.record(load(tmp_path / "new.pem"))
        assert record is not None
        assert record.confirmed


def test_downloads(start: Start, tmp_path: Path) -> None:
    """A persistent CA offers them under any server."""
    ca = EmbeddedCA.open(tmp_path / "ca")
    try:
        with start(ca.server().wsgi_app) as base:
            assert get(f"{base}/root.pem") == (tmp_path / "ca/root.pem").read_bytes()
            assert get(f"{base}/crl")
    finally:
        ca.close()


def test_mounted(start: Start) -> None:
    """Below a path of a larger application: what the server sees is what comes after it."""
    server = EmbeddedCA({"ref": "secret"}).server()

    def application(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/ca/"):
            environ["SCRIPT_NAME"] += "/ca"
            environ["PATH_INFO"] = environ["PATH_INFO"][3:]
            return server.wsgi_app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return io.BytesIO()

    options: dict[str, Any] = {
        "reference": "ref",
        "secret": "secret",
        "message_timeout": 20,
        "keep_alive": False,
    }
    with start(application) as base:
        mine = osslcmp.Client(f"{base}/ca/.well-known/cmp/initialization", **options)
        assert mine.ir(make_key(), subject=make_name("y")).certificate
        elsewhere = osslcmp.Client(f"{base}/cmp", **options)
        with pytest.raises(osslcmp.TransferError, match="404"):
            elsewhere.ir(make_key(), subject=make_name("y"))
