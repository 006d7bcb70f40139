"""What the application provides: an authority that decides, and the plain data that goes in and out.

The server has done the checking before it asks: protection, proof of possession, nonces, hashes. The
authority only decides. What it raises becomes ``systemFailure`` for the client, without a word of it, and a
logged traceback for the operator (logger ``osslcmp.server``).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PrivateKeyTypes

from .._arguments import checked
from .._asn1.itav import InfoTypeAndValue
from .._openssl import inputs
from .._openssl.convert import encoded, look_alike
from ..enums import BodyType, FailureInfo, PKIStatus, RevocationReason
from ..message import Control, RegistrationControls

NO_FAILURE = FailureInfo(0)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What every verified message of a client tells about itself."""

    type: BodyType
    """The kind of message that started the transaction (for an ErrorNotice: ERROR)."""
    transaction_id: bytes
    sender: x509.Name | None
    """The name the client gives itself; vouched for only by ``signer``."""
    reference: bytes | None
    """The senderKID of a message protected by a shared secret (where there is none, the sender's common name): whose secret
    verified it. Else None."""
    signer: x509.Certificate | None
    """The certificate that verified the signature of the message, path validated. None under a shared
    secret. For one that only OpenSSL reads, not ``cryptography``: a certificate with the same contents, encoded as DER
    wants and its names as UTF-8, to be looked at; its signature does not fit."""
    message: bytes
    """The whole message as DER."""
    label: str | None = None
    """What the path names that the first message of the transaction was sent to: LABEL in
    ``/.well-known/cmp/p/LABEL``."""
    request_certs: tuple[bytes, ...] = ()
    """The certificates that came with the first message of the transaction as DER, not verified: they may stand above
    ``signer``, and a client need not send them again."""
    signer_der: bytes | None = None
    """``signer`` as it came, DER."""

    def __post_init__(self) -> None:
        if self.signer is not None and self.signer_der is None:
            object.__setattr__(self, "signer_der", encoded(self.signer))


@dataclass(frozen=True)
class CertificateId:
    """A certificate named by its issuer and serial number."""

    issuer: x509.Name
    serial: int


@dataclass(frozen=True, kw_only=True)
class CertificateRequest(Message, RegistrationControls):
    """A request for one certificate (ir, cr, p10cr, kur); proof of possession has been verified.

    ``registration_token``, ``authenticator`` and the like (see :class:`osslcmp.message.RegistrationControls`) are what the
    client says: it is the authority that checks them. What a client is told to ask for is another class,
    :class:`osslcmp.CertificateRequest`.
    """

    request_id: int
    """The certReqId: 0, or -1 in a p10cr."""
    subject: x509.Name | None
    """The subject asked for; None when the client leaves it to the authority."""
    public_key: CertificatePublicKeyTypes | None
    """The key to certify; None when ``cryptography`` does not know its kind (see ``public_key_info``)."""
    public_key_info: bytes
    """The key to certify as a DER SubjectPublicKeyInfo; for ``central_key`` empty, or without a key in it when the
    client says which algorithm it wants."""
    extensions: x509.Extensions
    """The extensions asked for, possibly none."""
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    template: bytes | None = None
    """The CertTemplate as DER; None in a p10cr."""
    csr: x509.CertificateSigningRequest | None = None
    """The CSR of a p10cr, else None."""
    old_certificate: CertificateId | None = None
    """The certificate that a kur updates: that which signs it when it names none."""
    ra_verified: bool = False
    """Proof of possession was not given here but vouched for by the sender (raVerified)."""
    implicit_confirm: bool
    """The client asks to skip the certConf."""
    profile: str | None
    """The certificate profile named in the header, else the label in the path."""
    extra_certs: tuple[bytes, ...]
    """The certificates that came with the message as DER, not verified."""
    polls: int = 0
    """How often the client has come back for the answer."""
    central_key: bool = False
    """The authority is to make the key, too, and to return it in ``Issued``. Only in a signed request, and from
    OpenSSL 3.5 on."""
    controls: tuple[Control, ...] = ()
    """The registration controls of the request; none in a p10cr."""
    reg_info: tuple[Control, ...] = ()
    """Its registration info; none in a p10cr."""


@dataclass(frozen=True)
class Issued:
    """A certificate. It and the others are objects, or PEM or DER: what only OpenSSL reads, not ``cryptography``, goes
    out as it is.

    Args:
        certificate: the new certificate.
        chain: its issuer and so on upwards; goes into the message's extraCerts.
        ca_pubs: CA certificates to be trusted by the client; only sent in answer to an ir.
        status: ``accepted`` or ``grantedWithMods``.
        text: for the status, may be empty.
        private_key: of the certificate, for a request with ``central_key``. It is sent encrypted for the certificate
            that signed the request, and signed with the server's, which needs the extended key usage id-kp-cmKGA.
    """

    certificate: x509.Certificate | bytes
    chain: Sequence[x509.Certificate | bytes] = ()
    ca_pubs: Sequence[x509.Certificate | bytes] = ()
    status: PKIStatus = PKIStatus.accepted
    text: str = ""
    private_key: PrivateKeyTypes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what is no certificate."""
        (issued,) = inputs.certificates(
            "certificate", inputs.any_certificate("certificate", self.certificate)
        )
        try:
            if isinstance(issued, bytes):
                look_alike(issued)
        except ValueError as error:
            raise ValueError(f"certificate: {error}") from error
        object.__setattr__(self, "certificate", issued)
        for name in ("chain", "ca_pubs"):
            object.__setattr__(self, name, tuple(inputs.certificates(name, getattr(self, name))))
        if not isinstance(self.status, PKIStatus):
            raise TypeError(f"status: PKIStatus, not {type(self.status).__name__}")
        if not (self.private_key is None or hasattr(self.private_key, "private_bytes")):
            raise TypeError(f"private_key: a private key or None, not {type(self.private_key).__name__}")
        if inputs.check_text("text", self.text) is None:
            raise TypeError("text: str, not None")


def issued(**values: Any) -> Issued:
    """An Issued with these fields, none of which needs to be looked at: what a CA has made itself."""
    made = object.__new__(Issued)
    vars(made).update(values)
    return made


@checked
@dataclass(frozen=True)
class Waiting:
    """Not decided yet. The client is told to ask again, and the authority is asked again when it does.

    Args:
        check_after: seconds until the client may ask, 0 to 2**31 - 1.
        reason: text for the client, may be empty.
    """

    check_after: int
    reason: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.check_after < 1 << 31:
            raise ValueError(f"check_after: 0 to 2**31 - 1, not {self.check_after}")


@checked
@dataclass(frozen=True)
class Rejected:
    """No.

    Args:
        failure_info: why, as bits.
        text: why, in words for the client.
    """

    failure_info: FailureInfo
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class RevocationRequest(Message):
    """A request to revoke one certificate (rr)."""

    issuer: x509.Name | None
    """The issuer of the certificate."""
    serial: int | None
    """Its serial number."""
    subject: x509.Name | None
    """Given instead of issuer and serial by a client that has only its CSR."""
    public_key_info: bytes | None
    """A DER SubjectPublicKeyInfo, given by such a client, too."""
    reason: RevocationReason | None
    """None when the client gives none."""
    extensions: x509.Extensions = field(default_factory=lambda: x509.Extensions([]))
    """Those that the certificate has, as far as the client says."""
    entry_extensions: x509.Extensions = field(default_factory=lambda: x509.Extensions([]))
    """Those that the client asks for in the entry of the CRL, the reason among them."""
    polls: int = 0
    """How often the client has come back for the answer."""


@checked
@dataclass(frozen=True)
class Revoked:
    """The certificate is revoked (status ``accepted``), or soon will be (``revocationWarning``...).

    Args:
        status: for the client.
        text: for the status, may be empty.
    """

    status: PKIStatus = PKIStatus.accepted
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Confirmation(Message):
    """What became of a certificate that was issued (certConf, or implicit confirmation).

    The hash was checked by the server. When the hash did not fit, ``accepted`` is False and
    ``failure_info`` is ``badCertId``; the client gets that as an error.
    """

    certificate: x509.Certificate
    """What was issued; of what only OpenSSL reads, one to look at, as ``signer``."""
    accepted: bool
    """The client takes it."""
    implicit: bool = False
    """Confirmed without a certConf, because the client asked and the server granted it."""
    failure_info: FailureInfo = NO_FAILURE
    """Why it is not accepted, as bits."""
    text: str = ""
    """Why, in words, may be empty."""
    polls: int = 0
    """How often the client has come back for the answer."""


@dataclass(frozen=True, kw_only=True)
class GeneralRequest(Message):
    """A general message (genm)."""

    infos: tuple[InfoTypeAndValue, ...]
    """What it asks and tells."""
    polls: int = 0
    """How often the client has come back for the answer."""


@dataclass(frozen=True, kw_only=True)
class ErrorNotice(Message):
    """The client reports an error, usually to end a transaction that it gives up."""

    status: PKIStatus
    failure_info: FailureInfo
    text: str
    request: CertificateRequest | None
    """The request of the transaction that it gives up."""
    certificate: x509.Certificate | None
    """What was issued in that transaction, and is not wanted then; to look at."""


class Authority(Protocol):
    """Decides what the server answers. Called from many threads at once, for one transaction by one at a
    time.

    A class that inherits from this gets methods that refuse politely, and needs to write only what it offers.
    """

    def shared_secret(self, reference: bytes) -> bytes | None:  # noqa: ARG002
        """The secret that is shared with the client of this reference, None when there is none.

        Called before anything about the message is known to be true, so it must be cheap.
        """
        return None

    def refuse_sender(self, message: Message) -> Rejected | None:  # noqa: ARG002
        """Why the certificate that signed a message may authorise nothing now, whatever the message says; None when it
        may. Called for each signed message, a certConf, pollReq or error message, too, before anything else; what is
        refused changes nothing.
        """
        return None

    def issue(self, request: CertificateRequest) -> Issued | Waiting | Rejected:  # noqa: ARG002
        """Answer an ir, cr, p10cr or kur; asked again, with ``polls`` counted up, after each ``Waiting``."""
        return Rejected(FailureInfo.badRequest, "no certificates are issued here")

    def confirm(self, confirmation: Confirmation) -> Waiting | None:  # noqa: ARG002
        """Take note of what the client says of its new certificate.

        ``Waiting`` delays the answer to a certConf, see ``revoke``; it makes no sense when ``implicit``.
        """
        return None

    def expired(self, request: CertificateRequest, certificate: x509.Certificate | None) -> None:  # noqa: ARG002
        """Take note that a client did not come back in time.

        Called by whichever thread finds out, so it should be quick.

        Args:
            request: opened the transaction.
            certificate: was sent, and is neither confirmed nor rejected; None if there was none yet.
        """
        return

    def revoke(self, request: RevocationRequest) -> Revoked | Waiting | Rejected:  # noqa: ARG002
        """Answer an rr; asked again, with ``polls`` counted up, after each ``Waiting``.

        OpenSSL's clients wait for what is no certificate from 3.3 on; to older ones, and to others that do not
        expect it, ``Waiting`` is an error.
        """
        return Rejected(FailureInfo.badRequest, "no certificates are revoked here")

    def general(self, request: GeneralRequest) -> Sequence[InfoTypeAndValue] | Waiting | Rejected:  # noqa: ARG002
        """Answer a genm; what is not known is left out of the answer. For ``Waiting`` see ``revoke``."""
        return ()

    def error(self, notice: ErrorNotice) -> None:  # noqa: ARG002
        """Take note of an error that the client reports."""
        return
