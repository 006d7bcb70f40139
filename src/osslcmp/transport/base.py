"""What the transports over HTTP libraries have in common: where to, the header, and whether an answer is CMP."""

from __future__ import annotations

import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from .._arguments import positive
from .._text import body_words
from ..context.hints import advise
from ..errors import TransferError, TransferTimeout
from .address import parse_url

CONTENT_TYPE = "application/pkixcmp"
#: With parameters, or given twice; in several lines, if it was folded.
_IS_CMP = re.compile(rf"\s*{CONTENT_TYPE}\s*(;.*|,\s*{CONTENT_TYPE}\s*)?", re.IGNORECASE | re.DOTALL)
HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "Accept": CONTENT_TYPE,
    "Cache-Control": "no-cache",
    "Accept-Encoding": "gzip",
}
MAX_RESPONSE = 100 * 1024
"""Octets of a response, as in OpenSSL's HTTP client."""
_MOST_REDIRECTS = 20
_MAX_BODY = 16 * 1024
"""Octets that an exception has of a response that is no CMP message."""
_SEQUENCE = 0x30
_PIECE = 64 * 1024
"""Octets that are inflated at once."""


class LibraryTransport:
    """Where requests go and what is taken in answer.

    Raises ``ValueError`` for a URL, a timeout or a number of redirects that cannot work.
    """

    def __init__(
        self, url: str, timeout: float, max_response_length: int, redirects: int, proxy: str | None = None
    ) -> None:
        parse_url(url, "url")
        positive(timeout=timeout, max_response_length=max_response_length)
        if not 0 <= redirects <= _MOST_REDIRECTS:
            raise ValueError(f"redirects: from 0 to {_MOST_REDIRECTS}, not {redirects}")
        self._url = url
        self._where = _without_query(url)
        self._timeout = timeout
        self._limit = max_response_length
        self._redirects = redirects
        self._proxy = None if proxy is None else urlsplit(proxy).netloc.rpartition("@")[2]

    def __repr__(self) -> str:
        return f"<osslcmp.transport.{type(self).__name__} to {self._where}>"

    def _answer(self) -> Answer:
        """What collects the response to a request that is sent now."""
        return Answer(self)


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


class Watchdog:
    """Ends connections when time is over, within a ``with`` block.

    The timeouts of HTTP libraries count anew with each octet that comes: who sends one now and then outlasts them.
    """

    def __init__(self, seconds: float, sockets: Callable[[], Iterable[socket.socket | None]]) -> None:
        self._seconds = seconds
        self._sockets = sockets
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="osslcmp-watchdog", daemon=True)

    def _watch(self) -> None:
        wait = self._seconds
        while not self._over.wait(wait):
            wait = 0.1  # another connection may be made meanwhile, or this one wrapped into TLS
            for found in self._sockets():
                if found is not None:
                    with suppress(OSError):
                        found.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Watchdog:  # noqa: PYI034
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Answer:
    """Collects a response and judges it. ``where`` is its URL without what may be secret."""

    def __init__(self, transport: LibraryTransport) -> None:
        self._transport = transport
        self.url, self.where, self.redirects = transport._url, transport._where, transport._redirects
        self.deadline = time.monotonic() + transport._timeout
        self.body = bytearray()
        self.status: int | None = None
        #: What to say of it if it is no CMP message.
        self._refusal = ""
        self._inflate: Any = None  # of zlib, which does not name the class
        self._again = False

    def _follow(self, status: int, location: str | None) -> bool:
        """Whether to send the request again, now to ``url``: a 307 or 308 to the same host, if it may be followed.

        With a 301, 302 or 303 an HTTP client would ask by GET, and so lose the message. From https it never goes to http.
        """
        if status not in (307, 308) or not location or not self.redirects:
            return False
        try:
            url = urldefrag(urljoin(self.url, location)).url
            address, last = parse_url(url), parse_url(self.url)
        except ValueError:
            return False
        if address.host.lower() != last.host.lower() or (last.tls and not address.tls):
            return False
        self.url, self.redirects = url, self.redirects - 1
        self.where = f"{self.where}, redirected to {_without_query(url)}"
        return True

    def expect(self, status: int, reason: str, header: Mapping[str, str]) -> bool:
        """Take the header, a mapping that minds no case. ``False``: there is another place to ask, now ``url``; else the
        body is to be read.

        Unless it is a CMP message, what comes is for an exception, and only its beginning. The status of a CMP message
        may be 400 and above: RFC 9811 sends error messages like that.
        """
        content_type, location = header.get("Content-Type"), header.get("Location")
        coding = (header.get("Content-Encoding") or "identity").strip().lower()
        if self._follow(status, location):
            return False
        self.status = status
        # The libraries inflate all that is there, one coding after the other: kilobytes become gigabytes.
        if coding in ("gzip", "x-gzip"):
            self._inflate = zlib.decompressobj(wbits=31)
        elif coding != "identity":
            self._refusal = f"{self.where}: HTTP status {status} {reason}, Content-Encoding {coding}"
            return True
        if _IS_CMP.fullmatch(content_type or "") and not 300 <= status < 400:
            return True
        message = f"{self.where}: HTTP status {status} {reason}".rstrip()
        message += f", content type {content_type or 'missing'}"
        self._refusal = message + (f", location {location}" if location else "")
        return True

    def add(self, data: bytes) -> None:
        """Take the next part of the body as it came. Raises :class:`osslcmp.TransferError` if no more is to come."""
        if self._inflate is None:
            self._add(data)
        while self._inflate is not None and data:
            if self._inflate.eof:  # another member follows
                self._inflate = zlib.decompressobj(wbits=31)
            try:
                self._add(self._inflate.decompress(data, _PIECE))
            except zlib.error as error:
                raise self.failed(error) from error
            data = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _add(self, data: bytes) -> None:
        self.body += data
        if self._refusal and len(self.body) >= min(_MAX_BODY, self._transport._limit):
            raise self._with_body(TransferError, self._refusal)
        if len(self.body) > self._transport._limit:
            raise advise(
                TransferError(f"{self.where}: the response is longer than {self._transport._limit} octets")
            )
        if time.monotonic() > self.deadline:
            raise self.late()

    def result(self) -> bytes:
        """The whole body. Raises :class:`osslcmp.TransferError` if it is no CMP message."""
        if self._refusal:
            raise self._with_body(TransferError, self._refusal)
        if not self.body:
            raise self._with_body(TransferError, f"{self.where}: the response is empty")
        if self.body[0] != _SEQUENCE:
            raise self._with_body(TransferError, f"{self.where}: HTTP status {self.status}, but no DER")
        return bytes(self.body)

    def late(self) -> TransferError:
        """What to raise when time is over."""
        if self._refusal:
            return self._with_body(TransferError, self._refusal)
        return advise(
            TransferTimeout(f"{self.where}: no response within {self._transport._timeout:g} seconds")
        )

    def _with_body(self, kind: type[TransferError], message: str) -> TransferError:
        """The exception with what came by HTTP."""
        body = bytes(self.body[:_MAX_BODY])
        failure = kind(message + body_words(body))
        failure.http_status, failure.body = self.status, body
        return advise(failure)

    def was_dropped(self, error: Exception, *, fresh: bool) -> bool:
        """Whether to send the request once more: a kept connection, not a ``fresh`` one, has been reset before an answer,
        by a server that closed it when the request was on its way. OpenSSL's client here does the same."""
        if fresh or self._again or self.status is not None or time.monotonic() >= self.deadline:
            return False
        self._again = any(type(one) in (ConnectionResetError, BrokenPipeError) for one in _causes(error))
        return self._again

    def failed(self, error: Exception) -> TransferError:
        """What to raise for an exception of the HTTP library."""
        # When time is over, it is the watchdog who has ended the connection.
        if self._refusal or time.monotonic() >= self.deadline:
            return self.late()
        message = str(error).rstrip(".") or type(error).__name__
        for cause in _causes(error):
            if isinstance(cause, OSError) and str(cause) not in message:
                message += f": {cause}"
        way = "" if self._transport._proxy is None else f" by the proxy {self._transport._proxy}"
        return advise(TransferError(f"{self.where}{way}: {message}"))
