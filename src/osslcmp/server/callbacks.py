"""The callbacks of ``OSSL_CMP_SRV_CTX`` (3.0): from C to the :class:`Handler` of the message that is being
processed.

The path of a call: ``OSSL_CMP_SRV_CTX_init`` got these static functions and a handle of a Handler as custom
context; C calls back; the function finds the Handler through the handle and asks it; what it returns is
turned into C objects, which C owns from then on. What it raises is stored with :meth:`Handler.stash`, C
gets the value that means *reject*, and whoever called into C looks at what was stored.
"""

# ruff: noqa: ARG001  # C says what the arguments are
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple, Protocol, cast

from .._asn1.itav import InfoTypeAndValue
from .._openssl import convert
from .._openssl.callbacks import raised_before
from .._openssl.errorqueue import check
from .._openssl.lib import NULL, ffi, lib, require
from .._openssl.ownership import cert_stack, own, release


class StatusAnswer(NamedTuple):
    """A PKIStatusInfo: status, failure bits, text."""

    status: int
    failure_info: int = 0
    text: str = ""


class CertAnswer(NamedTuple):
    """A PKIStatusInfo, and handles of certificates and of the private key to go with it."""

    status: StatusAnswer
    certificate: Any = None
    chain: Sequence[Any] = ()
    ca_pubs: Sequence[Any] = ()
    private_key: Any = None
    """Sent encrypted for the client if that has asked for one (3.5)."""


class Handler(Protocol):
    """What Python does for one message; each method is called while C processes it."""

    def stash(self, error: BaseException) -> None:
        """Keep what one of the methods below raised."""

    def cert_request(self) -> CertAnswer:
        """Answer an ir, cr, p10cr or kur."""

    def revocation(self) -> StatusAnswer:
        """Answer an rr."""

    def general(self) -> Sequence[InfoTypeAndValue]:
        """Answer a genm."""

    def error(self) -> None:
        """Take note of an error message."""

    def cert_conf(self) -> bool:
        """Check a certConf; False refuses it."""

    def poll(self) -> int | Any:
        """The seconds to wait, or the handle of the request that can now be answered."""


class Delaying(Handler, Protocol):
    """A Handler that can delay the answer to any message, see :func:`init_delays`."""

    def delayed(self) -> bool:
        """Whether the client shall poll for the answer to this message, which is no pollReq.

        Asked before any other method; when it is, the message comes again by what ``poll`` returns."""


_CALLBACKS = [
    getattr(lib, f"osslcmp_srv_{name}")
    for name in ("cert_request", "rr", "genm", "error", "cert_conf", "poll_req")
]


def init(server: Any, handle: Any) -> None:
    """Set the callbacks on a server context (``OSSL_CMP_SRV_CTX_init``); ``handle`` is from
    ``ffi.new_handle(Handler)``."""
    check(lib.OSSL_CMP_SRV_CTX_init(server, handle, *_CALLBACKS), "setting up the server")


def init_delays(server: Any) -> None:
    """Let the Delaying of ``init`` delay the answer to any message (``OSSL_CMP_SRV_CTX_init_trans``, 3.3).

    Raises:
        UnsupportedError: OpenSSL before 3.3 delays nothing but certificates.
    """
    require("delayed_delivery", "a server that delays the answer to any message")
    check(lib.OSSL_CMP_SRV_CTX_init_trans(server, lib.osslcmp_srv_delayed, NULL), "setting up the server")


def _handler(server: Any) -> Handler:
    handler: Handler = ffi.from_handle(lib.OSSL_CMP_SRV_CTX_get0_custom_ctx(server))
    return handler


def _status_info(answer: StatusAnswer) -> Any:
    text = answer.text.replace("\0", "?").encode("utf-8", "replace")
    return own(
        lib.OSSL_CMP_STATUSINFO_new(answer.status, answer.failure_info, text or NULL),
        lib.OSSL_CMP_PKISI_free,
        "making a status",
    )


def _callback(refused: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for what C calls: what the function raises is stashed, and C gets ``refused``."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(server: Any, *arguments: Any) -> Any:
            try:
                return function(server, *arguments)
            except BaseException as error:
                _handler(server).stash(error)
                return refused

        extern: Callable[..., Any] = ffi.def_extern(onerror=raised_before, error=refused)(called)
        return extern

    return decorate


@_callback(NULL)
def osslcmp_srv_cert_request(
    server: Any,
    request: Any,
    request_id: int,
    crm: Any,
    csr: Any,
    cert_out: Any,
    chain_out: Any,
    ca_pubs_out: Any,
) -> Any:
    """A certificate with its chain, or a refusal: a PKIStatusInfo and what goes with it; NULL to fail."""
    answer = _handler(server).cert_request()
    status = _status_info(answer.status)
    chain = cert_stack(answer.chain) if answer.chain else None
    ca_pubs = cert_stack(answer.ca_pubs) if answer.ca_pubs else None
    if answer.private_key is not None:
        _hand_over_key(server, answer.private_key)
    # Nothing may fail from here on: what is handed over is C's to free. It is released first, because a signal
    # handler may raise at any moment: rather lost than freed twice.
    if answer.certificate is not None:
        check(lib.X509_up_ref(answer.certificate), "handing over the certificate")
        cert_out[0] = answer.certificate
    for stack, out in ((chain, chain_out), (ca_pubs, ca_pubs_out)):
        if stack is not None:
            release(stack)
            out[0] = stack
    release(status)
    return status


def _hand_over_key(server: Any, key: Any) -> None:
    """Where libcrypto looks for the private key that goes with the certificate."""
    check(lib.EVP_PKEY_up_ref(key), "handing over the private key")
    if lib.OSSL_CMP_CTX_set0_newPkey(lib.OSSL_CMP_SRV_CTX_get0_cmp_ctx(server), 1, key) <= 0:
        lib.EVP_PKEY_free(key)
        check(0, "handing over the private key")


@_callback(NULL)
def osslcmp_srv_rr(server: Any, request: Any, issuer: Any, serial: Any) -> Any:
    """Whether the certificate is revoked: a PKIStatusInfo, NULL to fail."""
    status_info = _status_info(_handler(server).revocation())
    release(status_info)
    return status_info


@_callback(0)
def osslcmp_srv_genm(server: Any, request: Any, infos: Any, out: Any) -> int:
    """The items of the answer in ``out``; 0 to fail."""
    # C hands in the address of a variable that it did not set, and reads it whatever happens.
    out[0] = NULL
    answer = [convert.itav_to_c(info) for info in _handler(server).general()]
    stack = own(lib.sk_OSSL_CMP_ITAV_new_null(), convert.free_itavs, "making a list of infos")
    for itav in answer:
        release(itav)
        if lib.sk_OSSL_CMP_ITAV_push(stack, itav) <= 0:
            check(0, "making a list of infos")
    release(stack)
    out[0] = stack
    return 1


@_callback(None)
def osslcmp_srv_error(server: Any, request: Any, status: Any, code: Any, details: Any) -> None:
    """The client gives up."""
    _handler(server).error()


@_callback(0)
def osslcmp_srv_cert_conf(server: Any, request: Any, request_id: int, cert_hash: Any, status: Any) -> int:
    """Whether the client's certConf is right."""
    return 1 if _handler(server).cert_conf() else 0


@_callback(0)
def osslcmp_srv_poll_req(server: Any, request: Any, request_id: int, original: Any, check_after: Any) -> int:
    """Seconds to wait in ``check_after``, or the request to answer now in ``original``; 0 to fail."""
    original[0] = NULL
    check_after[0] = 0
    answer = _handler(server).poll()
    if isinstance(answer, int):
        check_after[0] = answer
    else:
        copy = lib.OSSL_CMP_MSG_dup(answer)
        check(copy, "copying the request")
        original[0] = copy
    return 1


@_callback(-1)
def osslcmp_srv_delayed(server: Any, request: Any) -> int:
    """0: not delayed, 1: delayed, else: an error message saying systemFailure."""
    return int(cast(Delaying, _handler(server)).delayed())
