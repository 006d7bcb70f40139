"""Servers that a message keeps busy for ever: a signal ends them all the same."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.pki import PKI

#: Seconds in which a process ends, on a busy machine too.
LIMIT = 60

SERVE = """
import sys, threading
from osslcmp.cli import main, serve
from osslcmp.server.server import Server
from osslcmp.server.persistent import PersistentServer
serve._GRACE = 1.0

def never(self, *message):
    print("busy", flush=True)
    threading.Event().wait()

Server.process = PersistentServer.process = never
sys.exit(main(["serve", "--port", "0", "--directory", sys.argv[1], "--reference", "r", "--secret-file", sys.argv[2]]))
"""

MOCK = """
import sys, threading
from osslcmp.cli import main
from osslcmp.cli.openssl_cmp.mock import MockServer

def never(self, der):
    print("busy", flush=True)
    threading.Event().wait()

MockServer.process = never
sys.exit(main(["cmp", "-port", "127.0.0.1:0", "-srv_secret", "pass:s", "-srv_ref", "r", "-rsp_cert", sys.argv[1]]))
"""


class Stuck:
    """A server in a process of its own that has a message which it never answers."""

    def __init__(self, script: str, *arguments: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        late = threading.Timer(LIMIT, self.process.kill)
        late.start()
        for line in self.process.stdout:
            if found := re.search(r"http://127.0.0.1:[0-9]+/|ACCEPT (127.0.0.1:[0-9]+)", line):
                break
        else:
            raise AssertionError(self.process.stderr)
        self.url = f"http://{found[1]}/" if found[1] else found[0]
        self._client = threading.Thread(target=self._ask)
        self._client.start()
        assert "busy\n" in self.process.stdout
        late.cancel()

    def _ask(self) -> None:
        request = urllib.request.Request(self.url, b"\x30\x00", {"Content-Type": "application/pkixcmp"})
        with suppress(OSError):
            urllib.request.urlopen(request, timeout=LIMIT).close()

    def end(self, *numbers: int) -> tuple[int, str]:
        """Send these signals; exit status and what was said last."""
        for number in numbers:
            self.process.send_signal(number)
        try:
            _, errors = self.process.communicate(timeout=LIMIT)
        finally:
            self.process.kill()
            self._client.join()
        return self.process.returncode, errors


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Stuck]:
    """``osslcmp serve``."""
    secret = tmp_path / "secret"
    secret.write_text("s")
    stuck = Stuck(SERVE, tmp_path / "ca", secret)
    yield stuck
    stuck.process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve(serve: Stuck, number: int) -> None:
    """The answer in progress gets its time, not more."""
    status, errors = serve.end(number)
    assert status == 1
    assert "an answer is not ready after 1 more seconds" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_mock_server(number: int, pki: PKI) -> None:
    """``osslcmp cmp -port``: at once."""
    status, _ = Stuck(MOCK, pki.enrolled.cert_file).end(number)
    assert status in (-number, 1, 128 + number)
