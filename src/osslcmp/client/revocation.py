"""Revocation requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from .._asn1 import x509_parts
from .._openssl import inputs
from .._openssl.convert import encoded, look_alike
from .._openssl.lib import features
from .._openssl.name_texts import parse_name
from ..context import Context
from ..context.polling import Exchange
from ..enums import FailureInfo, Option, PKIStatus, RevocationReason


@dataclass(frozen=True)
class Revocation:
    """The server's answer to a revocation request that it did not refuse."""

    status: PKIStatus
    """``accepted``, ``grantedWithMods``, or a warning: ``revocationWarning``, ``revocationNotification``."""
    failure_info: FailureInfo
    """Failure bits that the server sent along."""
    text: str
    """The server's words."""

    @property
    def warning(self) -> bool:
        """Whether the status is a warning: revocation is imminent, or has been done before."""
        return self.status in (PKIStatus.revocationWarning, PKIStatus.revocationNotification)


def revoke(
    context: Context,
    own: inputs.AnyCertificate | None,
    certificate: inputs.CertificateInput | None,
    issuer: x509.Name | str | None,
    serial: int | None,
    csr: inputs.CSRInput | None,
    reason: RevocationReason | x509.ReasonFlags | str | int | None,
    sender: inputs.EncodedName | None = None,
) -> Exchange[Revocation]:
    """An rr on a prepared ``context``; the arguments are those of :meth:`osslcmp.Client.rr`, and the ``sender`` of a
    client under a shared secret."""
    if (issuer is None) != (serial is None):
        raise ValueError("issuer, serial: name a certificate only together")
    given = [certificate is not None, issuer is not None, csr is not None]
    if sum(given) > 1:
        raise ValueError("certificate, issuer and serial, csr: give one of them")
    named = own if certificate is None else inputs.any_certificate("certificate", certificate)
    if issuer is not None and serial is not None:
        _name_certificate(context, parse_name(issuer, "issuer"), serial, sender)
    elif csr is not None:
        context.set_p10_csr(inputs.csr("csr", csr))
    elif named is None:
        raise ValueError("certificate: none is given, and the client has none")
    elif sender is not None:
        known = look_alike(encoded(named))
        _name_certificate(context, known.issuer, known.serial_number, sender)
    else:
        context.set_old_cert(named)
    if reason is not None:
        try:
            known_reason = RevocationReason(reason)  # type: ignore[arg-type]  # its _missing_
        except ValueError:
            names = ", ".join(RevocationReason.__members__)
            raise ValueError(f"reason: {reason!r} is none of {names}") from None
        context.set_option(Option.REVOCATION_REASON, known_reason)

    def read(_: None) -> Revocation:
        return Revocation(context.status, context.fail_info, "\n".join(context.status_string))

    return context.polling.exchanges.rr().then(read)


def _name_certificate(
    context: Context, issuer: x509.Name, serial: int, sender: inputs.EncodedName | None
) -> None:
    """By issuer and serial number; before 3.2 through a certificate of which OpenSSL sends just these two, and the
    subject as the sender under a shared secret."""
    if features["serial_number"]:
        context.set_issuer(issuer)
        context.set_serial_number(serial)
        return
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    try:
        builder = x509.CertificateBuilder().serial_number(serial)
    except (TypeError, ValueError) as error:
        raise type(error)(f"serial: {error}") from None
    context.set_old_cert(
        builder.issuer_name(issuer)
        .subject_name(issuer if sender is None else x509_parts.read_name(sender))
        .public_key(key.public_key())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
