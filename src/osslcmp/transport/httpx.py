"""Requests by httpx, which speaks HTTP/1.1 and 2."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

from .._arguments import checked
from ..errors import TransferTimeout
from .base import HEADERS, MAX_RESPONSE, Answer, LibraryTransport, Watchdog

if TYPE_CHECKING:
    import httpx

_C = TypeVar("_C", "httpx.Client", "httpx.AsyncClient")


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise ImportError("this transport needs httpx: pip install 'osslcmp[httpx]'") from error
    return httpx


def _proxy(url: str, options: dict[str, Any]) -> str | None:
    """The proxy that httpx takes, for an exception to name it."""
    given = options.get("proxy")
    parts = urlsplit(url)
    if given is None and options.get("trust_env", True) and not proxy_bypass(parts.hostname or ""):
        known = getproxies()
        given = known.get(parts.scheme, known.get("all"))
    text = None if given is None else str(getattr(given, "url", given))
    return text if text is None or "://" in text else f"http://{text}"


class _Base(LibraryTransport, Generic[_C]):
    """What both have in common; ``_kind`` is the class of a client that is made here."""

    _kind: str

    @checked
    def __init__(
        self,
        url: str,
        *,
        client: _C | None = None,
        timeout: float = 60.0,
        max_response_length: int = MAX_RESPONSE,
        redirects: int = 0,
        **options: Any,
    ) -> None:
        if client is not None and options:
            raise TypeError(f"client: brings its own {', '.join(options)}")
        proxy = _proxy(url, options) if client is None else None
        super().__init__(url, timeout, max_response_length, redirects, proxy)
        self._httpx = _httpx()
        kind = getattr(self._httpx, self._kind)
        if not isinstance(client, kind | None):
            raise TypeError(f"client: an httpx.{self._kind} or None, not {type(client).__name__}")
        self._owned = client is None
        self._client: _C = kind(**options) if client is None else client
        self._streams: WeakSet[Any] = WeakSet()

    def _call(self, url: str, request: bytes) -> dict[str, Any]:
        """The arguments of ``stream``."""
        return {
            "method": "POST",
            "url": url,
            "content": request,
            "headers": HEADERS,
            "timeout": self._timeout,
            "follow_redirects": False,
        }

    @contextmanager
    def _failing(self, answer: Answer, made: list[Any]) -> Iterator[None]:
        """Within this, what httpx raises becomes ours; nothing, if the request is to be sent again: of the connections that
        were ``made`` for it there is none."""
        try:
            yield
        except self._httpx.TimeoutException as error:
            raise answer.late() from error
        # An alert that comes late passes httpx by under asyncio, and so do some URLs of redirects, followed or not.
        except (self._httpx.HTTPError, self._httpx.InvalidURL, UnicodeError, ssl.SSLError) as error:
            if not answer.was_dropped(error, fresh=bool(made)):
                raise answer.failed(error) from error

    @staticmethod
    def _expect(answer: Answer, response: httpx.Response) -> bool:
        return answer.expect(response.status_code, response.reason_phrase, response.headers)


class HttpxTransport(_Base["httpx.Client"], AbstractContextManager["HttpxTransport"]):
    """Carries requests with ``httpx.Client``; a context manager. It may be used from many threads at once.

    Args:
        url: where the server answers.
        client: an ``httpx.Client`` of your own, which stays open; otherwise one is made from ``options``.
        timeout: seconds for a response.
        max_response_length: longest response in octets.
        redirects: how many redirects are followed: 307 and 308 to the same host, not from https to http.
        options: for ``httpx.Client``: ``proxy="http://user:password@host:port"``,
            ``verify=ssl.SSLContext``, ``auth``, ``http2``, ... (TLS is then that of Python's ``ssl``).

    Raises ``ImportError`` without httpx, :class:`osslcmp.TransferError` when called and no CMP message comes
    back: its text names the HTTP status and content type. :class:`osslcmp.TransferTimeout` when it takes too
    long.
    """

    _kind = "Client"

    def __call__(self, request: bytes) -> bytes:
        answer = self._answer()
        mine: list[Any] = []

        def trace(_event: str, info: dict[str, Any]) -> None:
            stream = info.get("return_value")
            if hasattr(stream, "get_extra_info"):
                mine.append(stream)

        def sockets() -> list[Any]:
            # Which of the kept connections it is cannot be known before its answer has come.
            return [stream.get_extra_info("socket") for stream in (mine or list(self._streams))]

        def exchanged() -> bool:
            mine.clear()
            call = {**self._call(answer.url, request), "extensions": {"trace": trace}}
            with self._client.stream(**call) as response:
                stream = response.extensions.get("network_stream")
                if stream is not None:
                    self._streams.add(stream)
                    mine.append(stream)
                if not self._expect(answer, response):
                    return False
                for part in response.iter_raw():
                    answer.add(part)
                return True

        with Watchdog(self._timeout, sockets):
            done = False
            while not done:
                with self._failing(answer, mine):
                    done = exchanged()
        return answer.result()

    def close(self) -> None:
        """Close the connections, unless the client is yours."""
        if self._owned:
            self._client.close()

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncHttpxTransport(_Base["httpx.AsyncClient"], AbstractAsyncContextManager["AsyncHttpxTransport"]):
    """Requests by ``httpx.AsyncClient``, to be awaited: for :class:`osslcmp.AsyncClient`."""

    _kind = "AsyncClient"

    async def __call__(self, request: bytes) -> bytes:
        answer = self._answer()
        try:
            # httpx counts its timeout anew with each octet.
            await asyncio.wait_for(self._exchange(request, answer), self._timeout)
        except asyncio.TimeoutError as error:
            if isinstance(error, TransferTimeout):
                raise
            raise answer.late() from error
        return answer.result()

    async def _exchange(self, request: bytes, answer: Answer) -> None:
        made: list[Any] = []

        async def trace(event: str, _info: dict[str, Any]) -> None:
            if event.endswith("connect_tcp.complete"):
                made.append(event)

        expected = False
        while not expected:
            made.clear()
            call = {**self._call(answer.url, request), "extensions": {"trace": trace}}
            with self._failing(answer, made):
                async with self._client.stream(**call) as response:
                    if expected := self._expect(answer, response):
                        async for part in response.aiter_raw():
                            answer.add(part)

    async def aclose(self) -> None:
        """Close the connections, unless the client is yours."""
        if self._owned:
            await self._client.aclose()

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
