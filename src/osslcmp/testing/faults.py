"""What a scripted server may do instead of answering as it should."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from ..enums import FailureInfo

__all__ = [
    "Delay",
    "Fault",
    "Reject",
    "Version",
    "Wait",
    "bad_protection",
    "cert_req_id",
    "delay",
    "drop_response",
    "html_503",
    "issue_other_key",
    "no_certificate",
    "no_extra_certs",
    "no_message_time",
    "no_recip_nonce",
    "no_sender_nonce",
    "ok",
    "old_message_time",
    "reject",
    "several_responses",
    "unprotected",
    "waiting",
    "wrong_body",
    "wrong_nonce",
    "wrong_pvno",
    "wrong_sender",
    "wrong_transaction_id",
]


@dataclass(frozen=True)
class Fault:
    """One step of a script: it takes effect on one message.

    Args:
        name: of the function that makes it.
    """

    name: str


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
class CertReqId(Fault):
    """Answer with this certReqId, ``number``."""

    number: int = 0


@dataclass(frozen=True)
class Version(Fault):
    """Answer with this pvno, ``number``."""

    number: int = 1


def ok() -> Fault:
    """Answer as it should be: a step that does nothing, to let one message pass."""
    return Fault("ok")


def waiting(times: int = 1, check_after: int = 1) -> Fault:
    """Answer with *waiting*; the client has to poll ``times`` times, ``check_after`` seconds apart.

    A client based on OpenSSL before 3.3 does so for ir, cr, p10cr and kur alone, and takes it for a failure elsewhere.

    Raises:
        ValueError: ``times`` is less than 1, or ``check_after`` less than 0.
    """
    if times < 1 or check_after < 0:
        raise ValueError("waiting: times must be positive and check_after not negative")
    return Wait("waiting", times, check_after)


def reject(failure: FailureInfo | str = FailureInfo.badRequest, text: str = "rejected by script") -> Fault:
    """Refuse with this failInfo and text.

    Args:
        failure: flags, or the name of one bit.
        text: for the client, may be empty.

    Raises:
        ValueError: there is no bit of that name, or no such flag.
    """
    return Reject("reject", _failure_info(failure), text)


def _failure_info(failure: FailureInfo | str) -> FailureInfo:
    if isinstance(failure, str):
        if failure in FailureInfo.__members__:
            return FailureInfo[failure]
        near = get_close_matches(failure, FailureInfo.__members__, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(FailureInfo.__members__)}"
        raise ValueError(f"reject: there is no failInfo {failure!r}; {hint}")
    if not 0 <= failure < 2 * max(FailureInfo):
        raise ValueError(f"reject: {failure!r} is no failInfo")
    return FailureInfo(failure)


def drop_response() -> Fault:
    """Process the message, then close the connection without an answer."""
    return Fault("drop_response")


def html_503() -> Fault:
    """Do not process the message; answer HTTP 503 with an HTML page, as a rate limiter does."""
    return Fault("html_503")


def wrong_nonce() -> Fault:
    """Answer with another recipNonce than the request's senderNonce, validly protected."""
    return Fault("wrong_nonce")


def bad_protection() -> Fault:
    """Answer with a damaged protection."""
    return Fault("bad_protection")


def no_extra_certs() -> Fault:
    """Leave extraCerts out of the answer: they are not protected."""
    return Fault("no_extra_certs")


def cert_req_id(number: int) -> Fault:
    """Put another certReqId into ip, cp or kup, validly protected: 0 to a p10cr is what many servers do.

    A certConf that repeats it is answered with a pkiConf.
    """
    return CertReqId("cert_req_id", number)


def delay(seconds: float) -> Fault:
    """Answer this many seconds late.

    Raises:
        ValueError: ``seconds`` is negative.
    """
    if seconds < 0:
        raise ValueError("delay: seconds must not be negative")
    return Delay("delay", seconds)


def issue_other_key() -> Fault:
    """Issue the certificate for another public key than was asked for."""
    return Fault("issue_other_key")


def no_recip_nonce() -> Fault:
    """Answer without recipNonce, validly protected."""
    return Fault("no_recip_nonce")


def no_sender_nonce() -> Fault:
    """Answer without senderNonce, validly protected."""
    return Fault("no_sender_nonce")


def wrong_transaction_id() -> Fault:
    """Answer with another transactionID than the request's, validly protected."""
    return Fault("wrong_transaction_id")


def wrong_sender() -> Fault:
    """Answer in the name of somebody else, validly protected."""
    return Fault("wrong_sender")


def old_message_time() -> Fault:
    """Answer with a messageTime of yesterday, validly protected."""
    return Fault("old_message_time")


def no_message_time() -> Fault:
    """Answer without messageTime, validly protected."""
    return Fault("no_message_time")


def unprotected() -> Fault:
    """Answer without protection."""
    return Fault("unprotected")


def several_responses() -> Fault:
    """Put the CertResponse of an ip, cp or kup there twice, validly protected."""
    return Fault("several_responses")


def no_certificate() -> Fault:
    """Say accepted in an ip, cp or kup, and send no certificate, validly protected."""
    return Fault("no_certificate")


def wrong_body() -> Fault:
    """Answer with an empty genp whatever was asked, a pkiConf's place too, validly protected."""
    return Fault("wrong_body")


def wrong_pvno(number: int = 1) -> Fault:
    """Answer with another protocol version, validly protected."""
    return Version("wrong_pvno", number)
