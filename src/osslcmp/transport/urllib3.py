"""Requests by urllib3, which speaks HTTP/1.1."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .._arguments import checked
from .base import HEADERS, MAX_RESPONSE, Answer, LibraryTransport, Watchdog

if TYPE_CHECKING:
    import urllib3

_PART = 16 * 1024
_INTERIM_MAX = 100
_SWITCHING_PROTOCOLS = 101


class _Using(threading.local):
    connections: list[Any] | None = None
    made = False


_using = _Using()


def _watched(connection_class: Any) -> Any:
    """A class of connections that tell the thread's list of being used, and pass over interim answers."""

    class Final(connection_class.response_class):  # type: ignore[misc]
        def begin(self) -> None:
            # http.client passes over 100 alone.
            for _ in range(_INTERIM_MAX):
                super().begin()
                if self.status >= 200 or self.status == _SWITCHING_PROTOCOLS:
                    break
                self.headers = None  # else it has begun

    class Watched(connection_class):  # type: ignore[misc]
        response_class = Final
        osslcmp_used = True

        def connect(self) -> None:
            self._note_use()
            _using.made = True
            super().connect()

        def request(self, *args: Any, **kwargs: Any) -> Any:
            self._note_use()
            return super().request(*args, **kwargs)

        def _note_use(self) -> None:
            if _using.connections is not None and self not in _using.connections:
                _using.connections.append(self)

    return Watched


def _try_files(options: dict[str, Any]) -> None:
    """Read the files of TLS as urllib3 does at the first request. Raises ``OSError``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    key, password = options.get("key_file"), options.get("key_password") or ""  # else ssl asks for it
    loading: dict[str, Callable[[Any], None]] = {
        "ca_certs": context.load_verify_locations,
        "cert_file": lambda file: context.load_cert_chain(file, key, password),
    }
    for name, load in loading.items():
        if file := options.get(name):
            try:
                load(file)
            except OSError as error:
                raise OSError(error.errno, f"{name}: {error.strerror or error}", file) from error


class Urllib3Transport(LibraryTransport, AbstractContextManager["Urllib3Transport"]):
    """Carries requests with a ``urllib3.PoolManager``; a context manager. Many threads may use it at once.

    Args:
        url: where the server answers.
        pool: a ``PoolManager`` of your own, which stays open; otherwise one is made from ``options``.
        proxy: ``http[s]://[user:password@]host:port``; https servers are reached through a tunnel.
        timeout: seconds for a response.
        max_response_length: longest response in octets.
        redirects: how many redirects are followed: 307 and 308 to the same host, not from https to http.
        options: for ``urllib3.PoolManager``: ``ssl_context``, ``ca_certs``, ``cert_file``, ... (TLS is
            then that of Python's ``ssl``).

    Raises ``ImportError`` without urllib3, :class:`osslcmp.TransferError` when called and no CMP message
    comes back: its text names the HTTP status and content type. :class:`osslcmp.TransferTimeout` when it
    takes too long.
    """

    @checked
    def __init__(
        self,
        url: str,
        *,
        pool: urllib3.PoolManager | None = None,
        proxy: str | None = None,
        timeout: float = 60.0,
        max_response_length: int = MAX_RESPONSE,
        redirects: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(url, timeout, max_response_length, redirects, proxy)
        if pool is not None and (options or proxy):
            raise TypeError(f"pool: brings its own {', '.join([*options, *(['proxy'] if proxy else [])])}")
        try:
            import urllib3
        except ImportError as error:
            raise ImportError("this transport needs urllib3: pip install 'osslcmp[urllib3]'") from error
        if not isinstance(pool, urllib3.PoolManager | None):
            raise TypeError(f"pool: a urllib3.PoolManager or None, not {type(pool).__name__}")
        _try_files(options)
        self._urllib3: Any = urllib3
        self._owned = pool is None
        self._pool: Any = pool
        if pool is None:
            self._pool = urllib3.PoolManager(**options) if proxy is None else self._by(proxy, options)
            self._watch(url)  # it does not know some of the options

    def _by(self, proxy: str, options: dict[str, Any]) -> Any:
        try:
            parts = urlsplit(proxy)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # it may repeat a part of the password
            good = False
        if not good:
            raise ValueError("proxy: not of the form http[s]://[user:password@]host[:port]")
        headers = None
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = self._urllib3.make_headers(proxy_basic_auth=user.encode().decode("latin-1"))
        bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return self._urllib3.ProxyManager(bare, proxy_headers=headers, **options)

    def __call__(self, request: bytes) -> bytes:
        answer = self._answer()
        used: list[Any] = []
        _using.connections = used
        with Watchdog(self._timeout, lambda: [connection.sock for connection in used]):
            while not self._exchange(answer, request):
                pass
        return answer.result()

    def _watch(self, url: str) -> None:
        """Let the connections that are used for this URL tell it."""
        pool = self._pool.connection_from_url(url)
        if not hasattr(pool.ConnectionCls, "osslcmp_used"):
            pool.ConnectionCls = _watched(pool.ConnectionCls)

    def _exchange(self, answer: Answer, request: bytes) -> bool:
        """Whether the answer has come; else there is another place to ask."""
        self._watch(answer.url)
        _using.made = False
        try:
            response = self._pool.request(
                "POST",
                answer.url,
                body=request,
                headers={**self._pool.headers, **HEADERS},
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                timeout=self._urllib3.Timeout(total=self._timeout),
            )
            try:
                if not answer.expect(response.status, response.reason or "", response.headers):
                    response.close()
                    return False
                while part := response.read1(_PART):
                    answer.add(part)
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except self._urllib3.exceptions.NewConnectionError as error:  # a TimeoutError, too
            raise answer.failed(error) from error
        except self._urllib3.exceptions.TimeoutError as error:
            raise answer.late() from error
        except self._urllib3.exceptions.HTTPError as error:
            if answer.was_dropped(error, fresh=_using.made):
                return False
            raise answer.failed(error) from error
        return True

    def close(self) -> None:
        """Close the connections, unless the pool is yours."""
        if self._owned:
            # clear() alone leaves that to the garbage collector.
            for key in self._pool.pools.keys():  # noqa: SIM118  (no mapping: it cannot be iterated)
                self._pool.pools[key].close()
            self._pool.clear()

    def __exit__(self, *_exception: object) -> None:
        self.close()
