"""CMP over HTTP (RFC 9811) without a web server: a whole request in, a response out; and the same as WSGI."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..._files import pem_block
from ..._openssl.convert import encoded
from ..._text import get_logger, one_line
from ..failures import is_outage, log_failure
from ..wire import MalformedMessageError, MessageTooLargeError
from . import journal, paths
from .events import Answered, Observer, Repeats

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

CONTENT_TYPE = "application/pkixcmp"
THREADS = 16
REQUEST_TIME = 60.0
_MAX_AGE = 60
_FETCH = ("GET", "HEAD")

logger = get_logger("osslcmp.server")

Process = Callable[[bytes, paths.Place], bytes]
OBSERVERS: tuple[Observer, ...] = (journal.note,)
"""A line in the log for each message, see ``journal``."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    """Below the mount point, unquoted, each character an octet (as WSGI's ``PATH_INFO``)."""
    content_type: str = ""
    body: bytes = b""
    address: str = ""
    """Of the client."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...]
    """Without ``Content-Length``."""

    @property
    def line(self) -> str:
        """The status with its phrase."""
        return f"{self.status.value} {self.status.phrase}"


def refuse(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Response:
    """A response that says in plain text why there is nothing else."""
    return Response(status, f"{text}\n".encode(), (("Content-Type", "text/plain; charset=utf-8"), *headers))


Page = Callable[[], Response]
"""What answers a GET."""


def healthy(check: Callable[[], object]) -> Page:
    """What answers whether all is well: ``ok``, or an error if ``check`` raises one."""

    def page() -> Response:
        check()
        headers = (("Content-Type", "text/plain"), ("Cache-Control", "no-store"))
        return Response(HTTPStatus.OK, b"ok\n", headers)

    return page


def busy() -> Response:
    """The refusal of a request because too many others wait."""
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests", ("Retry-After", "1"))


@runtime_checkable
class _Publisher(Protocol):
    """A CA that has something to publish."""

    @property
    def root(self) -> x509.Certificate: ...
    @property
    def issuer(self) -> x509.Certificate: ...
    def crl(self) -> x509.CertificateRevocationList: ...


def _as_given(ca: _Publisher, name: str) -> bytes:
    """What only OpenSSL reads, as an EmbeddedCA has it."""
    return encoded(getattr(ca, f"{name}_der", None) or getattr(ca, name))


_Published = bytes | x509.CertificateRevocationList
_DOWNLOADS: dict[str, tuple[str, Encoding, Callable[[_Publisher], _Published]]] = {
    "/crl": ("application/pkix-crl", Encoding.DER, lambda ca: ca.crl()),
    "/crl.pem": ("application/x-pem-file", Encoding.PEM, lambda ca: ca.crl()),
    "/root": ("application/pkix-cert", Encoding.DER, lambda ca: _as_given(ca, "root")),
    "/root.pem": ("application/x-pem-file", Encoding.PEM, lambda ca: _as_given(ca, "root")),
    "/issuer": ("application/pkix-cert", Encoding.DER, lambda ca: _as_given(ca, "issuer")),
}


class _Download:
    """A page with what is published, encoded once: a large CRL takes long, and is the same for all."""

    _last: tuple[_Published | None, bytes] = (None, b"")

    def __init__(self, content_type: str, encoding: Encoding, find: Callable[[], _Published]) -> None:
        self._type, self._encoding, self._find = content_type, encoding, find

    def __call__(self) -> Response:
        found, (last, body) = self._find(), self._last
        if found is not last:
            if isinstance(found, bytes):
                body = found if self._encoding is Encoding.DER else pem_block(found)
            else:
                body = found.public_bytes(self._encoding)
            self._last = found, body
        headers = (("Content-Type", self._type), ("Cache-Control", f"max-age={_MAX_AGE}"))
        return Response(HTTPStatus.OK, body, headers)


class Application:
    """Answers HTTP requests. May be used from many threads at once.

    Args:
        process: takes a CMP message as DER and what the path says, and returns the answer.
        limit: the most bytes of a message.
        authority: if it is a CA, ``/crl`` (DER), ``/crl.pem``, ``/root`` (DER), ``/root.pem`` and ``/issuer`` (DER)
            can be downloaded.
        observers: are told of each message and its answer, in the thread that answers; by default the log is.
        pages: by path, what else answers a GET.
    """

    def __init__(
        self,
        process: Process,
        limit: int,
        authority: object = None,
        *,
        observers: Sequence[Observer] = OBSERVERS,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self.process = process
        self.limit = limit
        self._observers = tuple(observers)
        self._repeats = Repeats()
        self._pages = dict(pages or {})
        if isinstance(authority, _Publisher):
            for path, (kind, encoding, find) in _DOWNLOADS.items():
                self._pages[path] = _Download(kind, encoding, partial(find, authority))

    def early(self, request: Request) -> Response | None:
        """The refusal of a request whose body need not be read, because of its method, path or content type."""
        if self._page(request) is not None:
            return None
        if paths.parse(request.path) is None:
            return refuse(HTTPStatus.NOT_FOUND, "no such CMP operation")
        if request.method != "POST":
            allowed = "GET, HEAD, POST" if request.path in self._pages else "POST"
            return refuse(HTTPStatus.METHOD_NOT_ALLOWED, "CMP messages come by POST", ("Allow", allowed))
        # Proxies put a field that comes twice into one line.
        given = {one.partition(";")[0].strip().lower() for one in request.content_type.split(",")}
        if given != {CONTENT_TYPE}:
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content type must be {CONTENT_TYPE}")
        return None

    def too_large(self) -> Response:
        """The refusal of a body of more than ``limit`` bytes."""
        return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {self.limit} bytes are accepted")

    def answer(self, request: Request) -> Response | None:
        """Answer a whole request. ``None`` closes the connection without a word, which is for tests.

        Nothing is raised by what a client sends; an exception of the authority is logged and answered with 500.
        """
        refusal = self.early(request)
        if refusal is not None:
            return refusal
        page = self._page(request)
        if page is not None:
            try:
                return page()
            except Exception as error:
                return _failed(request.path, error)
        begin = time.monotonic()
        answer, response = self._process(request)
        if response is not None:
            seconds = time.monotonic() - begin
            repeated = answer is not None and self._repeats.note(answer)
            sent = answer, response.status, response.body
            self._tell(Answered(request.address, request.body, *sent, seconds, repeated))
        return response

    def _process(self, request: Request) -> tuple[bytes | None, Response | None]:
        """The answer of CMP, if there is one, and of HTTP."""
        if not request.body:
            return None, refuse(HTTPStatus.BAD_REQUEST, "the body is empty")
        if len(request.body) > self.limit:
            return None, self.too_large()
        place = paths.parse(request.path) or paths.Place()
        try:
            answer = self.process(request.body, place)
        except MessageTooLargeError:
            return None, self.too_large()
        except MalformedMessageError as error:
            return None, refuse(HTTPStatus.BAD_REQUEST, one_line(str(error))[:200])
        except Exception as error:
            return None, _failed("a CMP message", error)
        headers = (("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-cache"))
        return answer, Response(HTTPStatus.OK, answer, headers)

    def _tell(self, answered: Answered) -> None:
        for observe in self._observers:
            try:
                observe(answered)
            except Exception as error:  # noqa: PERF203 - the answer goes out, and the other observers hear of it
                log_failure(logger, "a message and its answer could not be recorded", error)

    def _page(self, request: Request) -> Page | None:
        return self._pages.get(request.path) if request.method in _FETCH else None


def _failed(what: str, error: Exception) -> Response:
    """Log why something could not be answered, and say whether it can be later."""
    log_failure(logger, f"{what} could not be answered", error)
    if is_outage(error):
        return refuse(HTTPStatus.SERVICE_UNAVAILABLE, "try again later", ("Retry-After", "5"))
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")


# -- WSGI ------------------------------------------------------------------------------------------------------


def wsgi(app: Application, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request as WSGI has it (PEP 3333)."""
    method = environ["REQUEST_METHOD"]
    request = Request(
        method,
        environ.get("PATH_INFO", ""),
        environ.get("CONTENT_TYPE", ""),
        address=environ.get("REMOTE_ADDR", ""),
    )
    response = app.early(request)
    if response is None:
        try:
            body = _body(app, environ) if method not in _FETCH else b""
        except (OSError, ValueError):  # of the web server: the client has gone, or its chunks are none
            body = refuse(HTTPStatus.BAD_REQUEST, "the body cannot be read")
        response = body if isinstance(body, Response) else app.answer(replace(request, body=body))
    if response is None:
        raise ConnectionAbortedError("no response")
    start_response(response.line, [*response.headers, ("Content-Length", str(len(response.body)))])
    return [] if method == "HEAD" else [response.body]


def _body(app: Application, environ: WSGIEnvironment) -> bytes | Response:
    source = environ["wsgi.input"]
    if not isinstance(source, io.RawIOBase):
        return _read(app, environ, source)
    # CPython takes what is behind the buffer for data where readinto() returns more than it has put there, as Werkzeug's
    # does for a chunk that is cut off (python/cpython#140607); a BufferedReader looks.
    buffered = io.BufferedReader(source)
    try:
        return _read(app, environ, buffered)
    finally:
        buffered.detach()


def _read(app: Application, environ: WSGIEnvironment, source: InputStream) -> bytes | Response:
    declared = environ.get("CONTENT_LENGTH", "")
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            return refuse(HTTPStatus.BAD_REQUEST, "malformed Content-Length")
        # int() takes no more than some thousand digits.
        length = int(declared) if len(declared) < 20 else app.limit + 1
        if length > app.limit:
            return app.too_large()
        body = source.read(length)
        if len(body) != length:
            return refuse(HTTPStatus.BAD_REQUEST, "the body is shorter than its Content-Length")
        return body
    if environ.get("wsgi.input_terminated"):
        return source.read(app.limit + 1)
    return refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
