"""What a CA offers over HTTP besides CMP: its root certificate and its CRL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

from ..._text import get_logger

__all__ = ["app"]

logger = get_logger("osslcmp.server")

_MAX_AGE = 60


@runtime_checkable
class _Publisher(Protocol):
    """A CA that has something to publish."""

    @property
    def root(self) -> x509.Certificate: ...
    @property
    def issuer(self) -> x509.Certificate: ...
    def crl(self) -> x509.CertificateRevocationList: ...


_DOWNLOADS: dict[str, tuple[str, Callable[[_Publisher], bytes]]] = {
    "/crl": ("application/pkix-crl", lambda ca: ca.crl().public_bytes(Encoding.DER)),
    "/crl.pem": ("application/x-pem-file", lambda ca: ca.crl().public_bytes(Encoding.PEM)),
    "/root": ("application/pkix-cert", lambda ca: ca.root.public_bytes(Encoding.DER)),
    "/root.pem": ("application/x-pem-file", lambda ca: ca.root.public_bytes(Encoding.PEM)),
    "/issuer": ("application/pkix-cert", lambda ca: ca.issuer.public_bytes(Encoding.DER)),
}


def app(
    authority: object, cmp: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer one HTTP request.

    Args:
        authority: offers ``/crl`` (DER), ``/crl.pem``, ``/root`` (DER), ``/root.pem`` and ``/issuer`` (DER) if it
            is a CA.
        cmp: answers all else.
    """
    path = environ.get("PATH_INFO", "")
    download = _DOWNLOADS.get(path)
    fetched = download is not None and environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if download is not None and fetched and isinstance(authority, _Publisher):
        return _publish(authority, *download, environ, start_response)
    return cmp(environ, start_response)


def _publish(
    ca: _Publisher,
    content_type: str,
    make: Callable[[_Publisher], bytes],
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> list[bytes]:
    status = "200 OK"
    try:
        body = make(ca)
    except Exception:
        logger.exception("%s could not be made", environ.get("PATH_INFO"))
        status, content_type, body = "500 Internal Server Error", "text/plain", b"internal error\n"
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", f"max-age={_MAX_AGE}"),
    ]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
