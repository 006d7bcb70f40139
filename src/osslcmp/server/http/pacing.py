"""Streams that are read the more seldom, the more work their clients make of a request.

Each arrival costs the server a turn of its loop, of one octet or of many: small pieces count, and what they deliver
counts against that. Each chunk of a chunked body costs about as much as a small request, however many come at once: a
body in many small ones is refused, and a few of them are the turn of a connection. So are requests that come many at once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable

from tornado.httputil import HTTPInputError
from tornado.ioloop import IOLoop
from tornado.iostream import BaseIOStream, IOStream, SSLIOStream

_FREE = 16.0  # arrivals of a request before its client has to wait
_PAUSE = 0.25  # seconds for each one more
_LONGEST = 60.0
_GOOD = 512  # octets that make an arrival worth its turn
_CHUNKS = 32  # of a body, of any size
_CHUNK = 256  # octets for each chunk more
_CHUNKS_AT_ONCE = 8
_PIPELINED = 3  # requests after the first that come with it


class _Paced(BaseIOStream):
    """Reads what has come at most so often as the request is worth."""

    _work = 0.0
    _most: int | None = None
    """Of what is read at once of a header; ``None`` for a body."""
    _chunks = 0
    _chunked = 0
    """Octets that the chunks have announced."""
    _begins = False
    """Whether the octets that are read next are the first of a chunk."""
    _arrived = False
    """Whether anything has been read since the last header."""
    _pipelined = 0
    _paused: object = None
    _unseen = False
    """Whether the loop has been told not to look for what comes."""

    def reading(self) -> bool:
        """Whether something is awaited: that goes on while a header waits to be looked at, or the loop would be told not to
        look for more, and to look again."""
        return self._most is not None or super().reading()

    def set_nodelay(self, value: bool) -> None:
        """It is on for good; Tornado would turn it on and off with each answer."""

    def begin(self) -> None:
        """Another request is expected: it has done nothing yet."""
        self._work, self._most = 0.0, _GOOD
        self._chunks = self._chunked = 0
        self._resume()

    def expect_body(self) -> None:
        """The header is there, and the body may come.

        Raises:
            HTTPInputError: too many requests have come at once.
        """
        self._pipelined = 0 if self._arrived else self._pipelined + 1
        self._arrived = False
        if self._pipelined > _PIPELINED:
            raise HTTPInputError("too many requests at once")
        self.begin()
        self._most = None

    def credit(self, size: int) -> None:
        """So many octets of the body have arrived."""
        self._work = max(0.0, self._work - size / _GOOD)
        if self._work <= _FREE:
            self._resume()

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the line before a chunk, the only thing that Tornado's server reads so.

        Raises:
            HTTPInputError: there are too many small chunks.
        """
        self._chunks += 1
        self._begins = True
        if self._chunks > _CHUNKS + self._chunked / _CHUNK:
            raise HTTPInputError("too many small chunks")
        if self._chunks % _CHUNKS_AT_ONCE == 0:
            return asyncio.ensure_future(self._after_others(delimiter, max_bytes))
        return super().read_until(delimiter, max_bytes)

    async def _after_others(self, delimiter: bytes, max_bytes: int | None) -> bytes:
        await asyncio.sleep(0)
        return await super().read_until(delimiter, max_bytes)

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Awaitable[bytes]:
        """Read some of a body."""
        if self._begins:
            self._begins = False
            self._chunked += num_bytes
        return super().read_bytes(num_bytes, partial)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read, or say that there is nothing yet."""
        if self._paused is not None and not self._hidden():
            self._unseen = False  # Tornado has told the loop to look
            self.io_loop.add_callback(self._listen)
            return None
        if self._most is not None and self._work > _FREE:
            buf = memoryview(buf)[: self._most]
        size = super().read_from_fd(buf)
        if size:
            self._arrived = True
            self._work += 1
            if self._work > _FREE and self._paused is None:
                pause = min(_PAUSE * (self._work - _FREE), _LONGEST)
                self._paused = self.io_loop.call_later(pause, self._resume)
                self.io_loop.add_callback(self._listen)
        return size

    def _hidden(self) -> bool:
        """Whether there is something to read that the loop cannot see."""
        return False

    def _resume(self) -> None:
        if self._paused is not None:
            self.io_loop.remove_timeout(self._paused)
            self._paused = None
            self._listen()

    def _listen(self) -> None:
        """Tell the loop to look for what comes, or not to."""
        pause = self._paused is not None
        # Tornado has the stream in its loop from the first read on that has to wait.
        if self.closed() or pause == self._unseen or (pause and not self.reading()):
            return
        self._unseen = pause
        events = IOLoop.ERROR if pause else IOLoop.ERROR | IOLoop.READ
        self.io_loop.update_handler(self.fileno(), events | IOLoop.WRITE if self.writing() else events)


class PacedStream(_Paced, IOStream):
    """Of HTTP."""


class PacedSSLStream(_Paced, SSLIOStream):
    """Of HTTPS."""

    def _hidden(self) -> bool:
        assert isinstance(self.socket, ssl.SSLSocket)
        return self.socket.pending() > 0
