"""How much of an HTTP request has arrived: so that no thread is spent on one that has not come whole yet."""

from __future__ import annotations

import re

__all__ = ["Arriving"]

_LINE = re.compile(rb"(?:\r\n)?[A-Z]+ [^\s]+ HTTP/1\.[01]\r\n")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,18})[ \t]*\r$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:")
_EXPECT = re.compile(rb"(?im)^expect:[ \t]*100-continue[ \t]*\r\n")
_END, _LAST_CHUNK = b"\r\n\r\n", b"0\r\n\r\n"


class Arriving:
    """Bytes of a connection that are not yet worked on.

    Args:
        header_limit: the most bytes of a header.
        body_limit: the most bytes of a body.
    """

    def __init__(self, header_limit: int, body_limit: int) -> None:
        self.data = bytearray()
        self._header_limit, self._body_limit = header_limit, body_limit

    @property
    def full(self) -> bool:
        """There is more than any request may have."""
        return len(self.data) > self._header_limit + self._body_limit

    def continue_wanted(self) -> bool:
        """The client waits for ``100 Continue`` before it sends the body. Tells so once."""
        end = self.data.find(_END)
        found = None if end < 0 else _EXPECT.search(self.data, 0, end + 2)
        if found is None:
            return False
        del self.data[found.start() : found.end()]
        return True

    def take(self) -> bytes:
        """The first request, if it is there whole; or what will never become one, to be refused. Else nothing."""
        size = self._size()
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken

    def _size(self) -> int:
        data, everything = self.data, len(self.data)
        if b"\n" in data[2:] and not _LINE.match(data):
            return everything
        end = data.find(_END, 2)
        if end < 0 or end > self._header_limit:
            return everything if everything > self._header_limit else 0
        end += len(_END)
        if _CHUNKED.search(data, 0, end):
            return self._chunked(end)
        length = _LENGTH.search(data, 0, end)
        if length is None:
            return end
        size = int(length[1])
        if size > self._body_limit:
            return everything
        return end + size if everything >= end + size else 0

    def _chunked(self, start: int) -> int:
        """The same octets may stand in the body, too: then the rest is waited for by the thread that reads it."""
        last = self.data.find(_LAST_CHUNK, start)
        while last > start and self.data[last - 2 : last] != b"\r\n":
            last = self.data.find(_LAST_CHUNK, last + 1)
        if last >= 0:
            return last + len(_LAST_CHUNK)
        return len(self.data) if len(self.data) - start > self._body_limit else 0
