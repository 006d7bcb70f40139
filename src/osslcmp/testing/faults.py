"""What a scripted server may do instead of answering as it should."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from http import HTTPStatus
from threading import TIMEOUT_MAX
from typing import Any

from .._arguments import checked, positive
from .._asn1 import der
from ..enums import BodyType, FailureInfo
from . import rewriting

__all__ = [
    "Fault", "bad_protection", "cert_req_id", "change", "delay", "drop_response", "html_503",
    "http_answer", "issue_other_key", "no_certificate", "no_extra_certs", "no_message_time",
    "no_recip_nonce", "no_sender_nonce", "ok", "old_message_time", "reject", "several_responses",
    "unprotected", "waiting", "wrong_body", "wrong_nonce", "wrong_pvno", "wrong_sender",
    "wrong_transaction_id",
]  # fmt: skip

_ENROLMENTS = frozenset({BodyType.IR, BodyType.CR, BodyType.P10CR, BodyType.KUR})
_OTHERS = {BodyType.ERROR, BodyType.NESTED, BodyType.CCR, BodyType.KRR, BodyType.POPDECR}
_DELAYABLE = _ENROLMENTS | {BodyType.RR, BodyType.GENM, BodyType.CERTCONF}
REQUESTS = _DELAYABLE | {BodyType.POLLREQ, *_OTHERS}
"""What clients send."""

_CERTIFIED = _ENROLMENTS | {BodyType.POLLREQ}
"""What is answered with an ip, cp or kup."""
_PAGE = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


def known(what: str, name: str, names: Iterable[str]) -> None:
    """Raise a ``ValueError`` that begins with ``what`` unless ``name`` is one of ``names``."""
    names = list(names)
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        raise ValueError(f"{what} {name!r}; {hint}")


@dataclass(frozen=True)
class Fault:
    """One step of a script: it takes effect on one message.

    Args:
        name: of the function that makes it.
        requests: the messages that it can be for.
    """

    name: str
    requests: frozenset[BodyType] = field(default=REQUESTS, repr=False)


@dataclass(frozen=True)
class Wait(Fault):
    """Let the client poll.

    Args:
        times: how often it has to ask.
        check_after: seconds from one time to the next.
    """

    times: int = 1
    check_after: int = 1


@dataclass(frozen=True)
class Reject(Fault):
    """Refuse the request.

    Args:
        failure_info: why, as flags.
        text: why, in words.
    """

    failure_info: FailureInfo = FailureInfo.badRequest
    text: str = ""


@dataclass(frozen=True)
class Delay(Fault):
    """Answer late, by so many ``seconds``."""

    seconds: float = 0.0


@dataclass(frozen=True)
class HTTPAnswer(Fault):
    """Answer by HTTP alone, without processing the message.

    Args:
        status: of HTTP.
        body: what is sent.
        content_type: of that.
    """

    status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Change(Fault):
    """Send what a function makes of the answer.

    Args:
        function: takes the answer as DER and returns another.
        protect: whether that is protected anew.
        must: whether it is told of an answer in which there was nothing to change.
    """

    function: Callable[[bytes], object] = field(default=bytes, repr=False)
    protect: bool = True
    must: bool = False

    def made_of(self, answer: bytes) -> bytes:
        """What the function makes of it. Raises ``TypeError`` if that is no bytes."""
        made = self.function(answer)
        if not isinstance(made, bytes):
            raise TypeError(f"it returned {type(made).__name__}, not bytes")
        return made


class CertReqId(Change):
    """Answer with another certReqId."""


def _header(name: str, **fields: Any) -> Fault:
    return Change(name, function=partial(rewriting.with_header, **fields))


def _responses(name: str, change: Callable[[bytes], bytes]) -> Fault:
    return Change(name, _CERTIFIED, partial(rewriting.with_responses, change=change), must=True)


def ok() -> Fault:
    """Answer as it should be: a step that does nothing, to let one message pass."""
    return Fault("ok")


@checked
def waiting(times: int = 1, check_after: int = 1) -> Fault:
    """Answer with *waiting*; the client has to poll ``times`` times, ``check_after`` seconds apart.

    A client based on OpenSSL before 3.3 does so for ir, cr, p10cr and kur alone, and takes it for a failure elsewhere.

    Raises:
        ValueError: ``times`` is less than 1, or ``check_after`` is not from 0 to 2**31 - 1.
    """
    positive(times=times)
    positive(or_zero=True, check_after=check_after)
    if check_after >= 1 << 31:
        raise ValueError("check_after: 2147483647 at most")
    return Wait("waiting", _DELAYABLE, times, check_after)


@checked
def reject(failure: FailureInfo | str = FailureInfo.badRequest, text: str = "rejected by script") -> Fault:
    """Refuse with this failInfo and text.

    Args:
        failure: flags, or the name of one bit.
        text: for the client, may be empty.

    Raises:
        ValueError: there is no bit of that name, or no such flag.
    """
    return Reject("reject", failure_info=_failure_info(failure), text=text)


def _failure_info(failure: FailureInfo | str) -> FailureInfo:
    if isinstance(failure, str):
        known("reject: there is no failInfo", failure, FailureInfo.__members__)
        return FailureInfo[failure]
    if not 0 <= failure < 2 * max(FailureInfo):
        raise ValueError(f"reject: {failure!r} is no failInfo")
    return FailureInfo(failure)


def drop_response() -> Fault:
    """Process the message, then close the connection without an answer."""
    return Fault("drop_response")


def html_503() -> Fault:
    """Do not process the message; answer HTTP 503 with an HTML page, as a rate limiter does."""
    return HTTPAnswer("html_503", body=_PAGE, content_type="text/html")


@checked
def http_answer(
    status: int = 200, body: bytes | str = b"", content_type: str = "application/pkixcmp"
) -> Fault:
    """Do not process the message; answer by HTTP with this.

    Args:
        status: of HTTP.
        body: what is sent: no CMP message, or an old one.
        content_type: of that.

    Raises:
        ValueError: HTTP has no such status, or no answer to a POST can have it; or no header can have ``content_type``.
    """
    if status < 200 or status in (204, 304):
        raise ValueError(f"http_answer: status: one of an answer with a body, not {status}")
    if not all(" " <= char <= "~" for char in content_type):
        raise ValueError("content_type: printable ASCII alone")
    body = body.encode() if isinstance(body, str) else body
    return HTTPAnswer("http_answer", status=HTTPStatus(status), body=body, content_type=content_type)


@checked
def change(
    function: Callable[..., bytes], *arguments: object, protect: bool = True, **named: object
) -> Fault:
    """Send what a function of your own makes of the answer.

    Args:
        function: is called with the answer as DER and the further arguments, and returns what is sent.
        arguments: for it, after the answer.
        protect: protect what it returns as the answer was protected; False: it goes out as it is, and need not even be
            a CMP message.
        named: arguments for it by name.

    Raises:
        TypeError: it is no function, or does not take these arguments.
    """
    name = getattr(function, "__name__", type(function).__name__)
    try:
        inspect.signature(function).bind(b"", *arguments, **named)
    except TypeError as error:
        raise TypeError(f"change: {name}: {error}") from None
    return Change(name, function=lambda answer: function(answer, *arguments, **named), protect=protect)


def wrong_nonce() -> Fault:
    """Answer with another recipNonce than the request's senderNonce, validly protected."""
    return _header("wrong_nonce", tagged={6: rewriting.octets(os.urandom(16))})


def bad_protection() -> Fault:
    """Answer with a damaged protection."""
    return Change("bad_protection", function=rewriting.damaged, protect=False, must=True)


def no_extra_certs() -> Fault:
    """Leave extraCerts out of the answer: they are not protected."""
    return Change(
        "no_extra_certs", function=partial(rewriting.with_extra_certs, certificates=[]), protect=False
    )


@checked
def cert_req_id(number: int) -> Fault:
    """Put another certReqId into ip, cp or kup, validly protected: 0 to a p10cr is what many servers do.

    A certConf that repeats it is answered with a pkiConf.
    """
    return CertReqId("cert_req_id", _CERTIFIED, partial(rewriting.with_request_id, number=number))


@checked
def delay(seconds: float) -> Fault:
    """Answer this many seconds late.

    Raises:
        ValueError: ``seconds`` is negative, or more than a sleep can last.
    """
    positive(or_zero=True, seconds=seconds)
    if seconds > TIMEOUT_MAX:
        raise ValueError(f"seconds: {TIMEOUT_MAX:g} at most")
    return Delay("delay", seconds=seconds)


def issue_other_key() -> Fault:
    """Issue the certificate for another public key than was asked for."""
    return Fault("issue_other_key", _ENROLMENTS)


def no_recip_nonce() -> Fault:
    """Answer without recipNonce, validly protected."""
    return _header("no_recip_nonce", tagged={6: b""})


def no_sender_nonce() -> Fault:
    """Answer without senderNonce, validly protected."""
    return _header("no_sender_nonce", tagged={5: b""})


def wrong_transaction_id() -> Fault:
    """Answer with another transactionID than the request's, validly protected."""
    return _header("wrong_transaction_id", tagged={4: rewriting.octets(os.urandom(16))})


def wrong_sender() -> Fault:
    """Answer in the name of somebody else, validly protected."""
    from cryptography import x509

    name = x509.Name.from_rfc4514_string("CN=somebody else").public_bytes()
    return _header("wrong_sender", first={1: der.encode(der.explicit(4), name)})


def old_message_time() -> Fault:
    """Answer with a messageTime of yesterday, validly protected."""
    return Change("old_message_time", function=rewriting.yesterday)


def no_message_time() -> Fault:
    """Answer without messageTime, validly protected."""
    return _header("no_message_time", tagged={0: b""})


def unprotected() -> Fault:
    """Answer without protection."""
    return Change("unprotected", function=rewriting.unprotected, protect=False)


def several_responses() -> Fault:
    """Put the CertResponse of an ip, cp or kup there twice, validly protected."""
    return _responses("several_responses", lambda response: response * 2)


def no_certificate() -> Fault:
    """Say accepted in an ip, cp or kup, and send no certificate, validly protected."""
    return _responses(
        "no_certificate",
        lambda response: rewriting.rebuilt(part.encoding for part in der.sequence(response)[:2]),
    )


def wrong_body() -> Fault:
    """Answer with an empty genp whatever was asked, a pkiConf's place too, validly protected."""
    genp = der.encode(der.explicit(BodyType.GENP), rewriting.rebuilt([]))
    return Change("wrong_body", function=partial(rewriting.with_body, body=genp))


@checked
def wrong_pvno(number: int = 1) -> Fault:
    """Answer with another protocol version, validly protected."""
    return _header("wrong_pvno", first={0: der.encode_integer(number)})
