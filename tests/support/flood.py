"""Clients that never make a request whole: hundreds in one process of their own, which send a little again and again."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Flood"]


class Flood:
    """Connections that begin in one of some ways, and then send ``more`` again and again.

    When the block begins, all are open and have sent what is sent first. Who is sent away comes again in the next round.

    Args:
        url: of the server.
        firsts: what is sent first, by turns.
        more: what is sent then.
        connections: how many there are.
        tick: seconds between two rounds.
        tls: a file with the server's root, for connections that do the TLS handshake first.
    """

    dropped: int
    """How many connections the server has closed; known when the block has ended."""

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
            [sys.executable, "-S", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(self._told), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        told, errors = self._process.communicate("\n", timeout=60)
        assert self._process.returncode == 0, errors
        self.dropped = int(told)


class _Attacker:
    """A connection on its way: it connects, does its handshake, sends what comes first."""

    def __init__(self, address: tuple[str, int], first: bytes, tls: ssl.SSLContext | None) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self._tls, self._wrapped, self.first, self.ready = tls, False, first, False

    def go_on(self) -> int:
        """Do what can be done now; what to wait for.

        Raises:
            OSError: the server has closed it.
        """
        if self.ready:
            if self.socket.recv(65536) == b"":
                raise ConnectionResetError
            return selectors.EVENT_READ
        if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, "connect")
        if self._tls is not None:
            if not self._wrapped:
                self.socket = self._tls.wrap_socket(self.socket, do_handshake_on_connect=False)
                self._wrapped = True
            assert isinstance(self.socket, ssl.SSLSocket)
            self.socket.do_handshake()
        self.send(self.first)
        self.ready = True
        return selectors.EVENT_READ

    def send(self, data: bytes) -> None:
        """Send of it what can be sent now."""
        if data:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.socket.send(data)


def _flood(told: dict[str, Any]) -> int:
    where = urlsplit(told["url"])
    address = where.hostname or "", where.port or 0
    firsts, more = [bytes.fromhex(first) for first in told["firsts"]], bytes.fromhex(told["more"])
    tls = None
    if told["tls"] is not None:
        tls = ssl.create_default_context(cafile=told["tls"])
        tls.check_hostname = False
    selector, attackers, dropped = selectors.DefaultSelector(), set[_Attacker](), 0
    away: list[int] = []
    missing = set(range(told["connections"]))  # have not been there yet

    def come(number: int) -> None:
        attacker = _Attacker(address, firsts[number % len(firsts)], tls)
        attackers.add(attacker)
        selector.register(attacker.socket, selectors.EVENT_WRITE, (attacker, number))

    def watch(attacker: _Attacker, number: int) -> None:
        nonlocal dropped
        before = attacker.socket
        try:
            events = attacker.go_on()
        except (BlockingIOError, ssl.SSLWantReadError):
            events = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            events = selectors.EVENT_WRITE
        except OSError:
            selector.unregister(before)
            attacker.socket.close()
            attackers.remove(attacker)
            dropped += 1
            away.append(number)
            return
        if attacker.ready and number in missing:
            missing.remove(number)
            if not missing:
                print("ready", flush=True)
        if attacker.socket is before:
            selector.modify(before, events, (attacker, number))
        else:  # TLS has another object for it
            selector.unregister(before)
            selector.register(attacker.socket, events, (attacker, number))

    selector.register(sys.stdin, selectors.EVENT_READ, None)
    for number in range(told["connections"]):
        come(number)
    due = time.monotonic() + told["tick"]
    while True:
        for key, _ in selector.select(max(due - time.monotonic(), 0)):
            if key.data is None:
                return dropped
            watch(*key.data)
        if time.monotonic() >= due:
            due = time.monotonic() + told["tick"]
            for number in away:
                come(number)
            away.clear()
            for attacker in attackers:
                if attacker.ready:
                    with contextlib.suppress(OSError):  # it is found closed when it is read
                        attacker.send(more)


def main() -> None:
    print(_flood(json.loads(sys.stdin.readline())))


if __name__ == "__main__":
    main()
