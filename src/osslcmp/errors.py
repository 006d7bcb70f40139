"""Everything that osslcmp raises on purpose.

::

    CMPError
     ├── OpenSSLError            .errors: OpenSSL's error queue, oldest first
     │    ├── RequestError       the request could not be built or protected
     │    ├── TransferError      no answer came
     │    │    └── TransferTimeout   ... in time (also a TimeoutError); .transaction if it can go on
     │    ├── ProtectionError    the answer is not (validly) protected by whom we trust
     │    └── ResponseError      the answer does not fit the request
     │         ├── UnreadableCertificateError   only OpenSSL reads a certificate: .certificate_der (also a ValueError)
     │         └── UnreadableCRLError           only OpenSSL reads a CRL: .crl_der (also a ValueError)
     ├── RejectedError           the server said no: .status, .failure_info, .text
     ├── ConfirmError            a certificate came but was not accepted or confirmed: .enrollment
     └── UnsupportedError        needs a newer OpenSSL: .needed, .found (also a NotImplementedError)

Wrong arguments are ``TypeError`` or ``ValueError``, raised before C is entered.

What a peer said is exact in the attributes. In the texts of exceptions it is on one line, of bounded length, and control
characters and the like are escapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._text import one_line, visible
from .enums import FailureInfo, PKIStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .enrollment import Enrollment

#: Characters of an exception's text.
_LONGEST = 8000
#: A certificate as ``X509_print_ex`` dumps it, at the end of what OpenSSL adds to an error.
_DUMP = r"(?s)\s*certificate\n\s*Subject: ([^\n]*)\n\s*Issuer: ([^\n]*)\n.*"


class ErrorEntry(NamedTuple):
    """One entry of OpenSSL's error queue (``ERR_get_error_all``, 3.0)."""

    library: int
    """Number of the library, ``ERR_GET_LIB``; 0 if only the text is known."""
    reason: int
    """Number of the reason within the library, ``ERR_GET_REASON``."""
    library_name: str
    """Its name, for instance ``CMP routines``."""
    text: str
    """The reason as text, for instance ``error validating protection``."""
    data: str = ""
    """What OpenSSL added to it, for instance ``request sent: IR, expected response: IP``."""
    function: str = ""
    """The C function that raised it; empty if OpenSSL does not tell."""
    file: str = ""
    """The C source file."""
    line: int = 0
    """The line in it."""

    def __str__(self) -> str:
        data = re.sub(_DUMP, r"certificate of \1, issued by \2", self.data).strip()
        return one_line(f"{self.text}: {data}" if data else self.text, _LONGEST)


def _story(entries: Iterable[ErrorEntry]) -> str:
    """The entries, outermost failure first, without repetitions."""
    return "; ".join(dict.fromkeys(map(str, reversed(tuple(entries)))))


class CMPError(Exception):
    """Base of all exceptions of osslcmp. ``hint`` says what to do, and ends the text; empty if nothing is known."""

    hint: str = ""

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}. {self.hint}" if self.hint else message


class OpenSSLError(CMPError):
    """A call into libcrypto failed.

    ``errors`` is the drained error queue as a tuple of :class:`ErrorEntry`, oldest (the cause) first.
    """

    def __init__(self, message: str = "", errors: Iterable[ErrorEntry] = ()) -> None:
        self.errors: tuple[ErrorEntry, ...] = tuple(errors)
        self._unproven = ""
        story = _story(self.errors)
        message = ": ".join(part for part in (message, story) if part) or "unknown failure in OpenSSL"
        super().__init__(one_line(message, _LONGEST))


class RequestError(OpenSSLError):
    """The request could not be built or protected: something is missing in it or does not fit."""


class PendingTransaction(Protocol):
    """What :attr:`TransferError.transaction` offers of an :class:`osslcmp.Transaction`."""

    @property
    def done(self) -> bool:
        """Whether nothing is to be polled any more."""

    @property
    def check_after(self) -> int | None:
        """Seconds to wait before the next poll; ``None`` when done."""

    @property
    def result(self) -> Enrollment:
        """The result, or the transaction's exception."""

    def poll(self) -> Enrollment | None:
        """Ask once. Returns ``None`` while it is waiting."""

    def wait(
        self, timeout: float | None = None, on_wait: Callable[[Any], object] | None = None
    ) -> Enrollment:
        """Poll until there is a result."""

    def abort(self) -> None:
        """Tell the server that it is off."""

    def cancel(self) -> None:
        """End a poll or wait that runs in another thread."""

    def dump(self) -> bytes:
        """All that :meth:`osslcmp.Client.resume` needs to go on."""


class TransferError(OpenSSLError):
    """The request could not be sent, or no CMP message came back.

    ``transaction`` is the pending :class:`osslcmp.Transaction` when the server has had the request before: it can
    go on being polled. Otherwise ``None``.
    ``http_status`` is the number that the server (or a proxy) answered by HTTP, ``None`` if it did not, and ``body`` what
    came with it instead of a CMP message, the first 16 KiB at most.
    """

    transaction: PendingTransaction | None = None
    http_status: int | None = None
    body: bytes = b""


class TransferTimeout(TransferError, TimeoutError):
    """No answer came in time. ``transaction`` as in :class:`TransferError`."""


class ProtectionError(OpenSSLError):
    """The answer is unprotected, its protection is wrong, or its signer is not trusted.

    ``answer`` is that answer (DER, for :meth:`osslcmp.Message.from_der`), ``None`` if there is none. Nothing vouches for
    what it says; the text of the exception repeats it as *unproven answer*.
    """

    answer: bytes | None = None


class ResponseError(OpenSSLError):
    """The answer is a CMP message, but not one that fits the request, or malformed.

    ``answer`` is that answer (DER, for :meth:`osslcmp.Message.from_der`), ``None`` if there is none. If it was refused
    before its contents counted (another transaction, nonce, version or kind of message), the text of the exception
    repeats what it says as *unproven answer*: it may be an answer to something else. One that is beyond the
    :class:`osslcmp.Limits` is not decoded at all.
    ``certificate_der`` holds a certificate that came and that ``cryptography`` does not decode, else ``None``.
    """

    answer: bytes | None = None
    certificate_der: bytes | None = None


class UnreadableCertificateError(ResponseError, ValueError):
    """OpenSSL reads a certificate, but ``cryptography`` does not.

    ``certificate_der`` is that certificate, ``serial`` its serial number in hexadecimal; the text names its subject, too.
    """

    certificate_der: bytes
    serial: str


class UnreadableCRLError(ResponseError, ValueError):
    """OpenSSL reads a CRL, but ``cryptography`` does not.

    ``crl_der`` is that CRL; the text names its issuer.
    """

    crl_der: bytes


_NOTHING = FailureInfo(0)


class RejectedError(CMPError):
    """The server refused.

    ``status`` is the :class:`osslcmp.PKIStatus`, ``failure_info`` the :class:`osslcmp.FailureInfo` flags,
    ``text`` the server's status strings joined by newlines, ``errors`` what OpenSSL had to say.
    ``enrollment`` is the :class:`osslcmp.Enrollment` of a certificate that came all the same, as with
    ``keyUpdateWarning``: it is not confirmed. Otherwise ``None``.
    """

    def __init__(
        self,
        status: PKIStatus,
        failure_info: FailureInfo = _NOTHING,
        text: str = "",
        errors: Iterable[ErrorEntry] = (),
        enrollment: Enrollment | None = None,
    ) -> None:
        self.enrollment = enrollment
        self.status = status
        self.failure_info = failure_info
        self.text = text
        self.errors: tuple[ErrorEntry, ...] = tuple(errors)
        message = f"the server answered {status.name}"
        if failure_info:
            message += f" ({failure_info})"
        if text:
            message += f": {one_line(text)}"
        if enrollment is not None:
            message += " (a certificate came with it)"
        details = _story(entry for entry in self.errors if "errorDetails" in entry.data)
        super().__init__(visible(f"{message} [{details}]" if details else message, _LONGEST))


class ConfirmError(OpenSSLError):
    """A certificate was issued, but it was not accepted here or its confirmation failed.

    ``enrollment`` is the :class:`osslcmp.Enrollment` with the certificate: it exists at the CA, so that it
    must be used or revoked. ``rejected`` holds the server's refusal of the confirmation, if it sent one.
    """

    def __init__(
        self,
        message: str,
        enrollment: Enrollment,
        errors: Iterable[ErrorEntry] = (),
        rejected: RejectedError | None = None,
    ) -> None:
        self.enrollment = enrollment
        self.rejected = rejected
        super().__init__(message, errors)


class UnsupportedError(CMPError, NotImplementedError):
    """The loaded OpenSSL is too old (or built without it).

    ``needed`` is the first release that has it (``"3.2"``), ``found`` the one that is loaded.
    """

    def __init__(self, what: str, needed: str, found: str) -> None:
        self.needed = needed
        self.found = found
        super().__init__(f"{what} needs OpenSSL {needed} or later, found {found}")
