"""Clients that never make a request whole, in a process of their own: hundreds that send a little again and again."""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Flood"]


class Flood:
    """Connections that begin in one of some ways, and then send ``more`` again and again.

    Args:
        url: of the server.
        firsts: what is sent first, by turns.
        more: what is sent then.
        connections: how many there are. Who is sent away comes again.
        tick: seconds between two rounds.
        tls: a file with the server's root, for connections that do the TLS handshake first.
    """

    def __init__(
        self,
        url: str,
        firsts: list[bytes],
        more: bytes,
        *,
        connections: int,
        tick: float = 0.5,
        tls: Path | None = None,
    ) -> None:
        self._told = {
            "url": url,
            "firsts": [first.hex() for first in firsts],
            "more": more.hex(),
            "connections": connections,
            "tick": tick,
            "tls": None if tls is None else str(tls),
        }

    def __enter__(self) -> Flood:  # noqa: PYI034
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(self._told), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate("\n", timeout=60)
        assert self._process.returncode == 0


class _Attackers:
    def __init__(self, told: argparse.Namespace) -> None:
        where = urlsplit(told.url)
        self._address = where.hostname, where.port
        self._firsts = [bytes.fromhex(first) for first in told.firsts]
        self._more, self._count, self._tick = bytes.fromhex(told.more), told.connections, told.tick
        self._tls = None
        if told.tls is not None:
            self._tls = ssl.create_default_context(cafile=told.tls)
            self._tls.check_hostname = False
        self.over = threading.Event()

    def run(self) -> None:
        connections = [self._connect(number) for number in range(self._count)]
        print("ready", flush=True)
        while not self.over.wait(self._tick):
            for number, connection in enumerate(connections):
                if connection is None or not self._go_on(connection):
                    if connection is not None:
                        connection.close()
                    connections[number] = self._connect(number)  # who was sent away comes again

    def _connect(self, number: int) -> socket.socket | None:
        try:
            made = socket.create_connection(self._address, timeout=20)
            if self._tls is not None:
                made = self._tls.wrap_socket(made)
            made.setblocking(False)
            made.send(self._firsts[number % len(self._firsts)])
        except OSError:
            return None
        return made

    def _go_on(self, connection: socket.socket) -> bool:
        try:
            if self._more:
                connection.send(self._more)
            return connection.recv(4096) != b""
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        except OSError:
            return False


def main() -> None:
    attackers = _Attackers(argparse.Namespace(**json.loads(sys.stdin.readline())))

    def wait() -> None:
        sys.stdin.readline()
        attackers.over.set()

    threading.Thread(target=wait, daemon=True).start()
    attackers.run()


if __name__ == "__main__":
    main()
