"""What the embedded CA knows of its certificates, and who may do what with them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from ..._openssl import inputs
from ..._openssl.convert import encoded, look_alike
from ...enums import BodyType, FailureInfo, RevocationReason
from .. import wire
from ..authority import CertificateId, CertificateRequest, Message, Rejected
from . import grants, issuing
from .client_crls import ClientCRLs
from .signing import Signing, key_value

DuplicateKeys = Literal["allow", "refuse"]


def octets(value: str | bytes) -> bytes:
    """A reference or a secret as it goes into messages; text is encoded as UTF-8."""
    return value.encode() if isinstance(value, str) else value


@dataclass
class Record:
    """A certificate that was issued, and what became of it."""

    certificate: x509.Certificate
    reference: bytes | None
    """The shared secret's reference it was asked for with, or that an ancestor was."""
    confirmed: bool = False
    """Its client has taken it."""
    revoked: RevocationReason | None = None
    """Why it is revoked, None while it is not."""
    revoked_at: datetime.datetime | None = None
    """Since when, in UTC."""
    owner: bytes = b""
    """Tells clients apart: whose names these are."""
    updates: int | None = None
    """The serial number of the certificate that was updated to it."""
    confirm_by: float = 0.0
    """When the client must have confirmed it, in seconds since 1970."""

    @property
    def is_pending(self) -> bool:
        """Whether it still waits for its confirmation."""
        return not self.confirmed and self.revoked is None and self.confirm_by >= time.time()


class Signer:
    """A CA certificate and its private key."""

    def __init__(self, certificate: inputs.CertificateInput, key: CertificateIssuerPrivateKeyTypes) -> None:
        self.given = inputs.any_certificate("certificate of the CA", certificate)
        """As it goes out."""
        try:
            self.certificate = look_alike(encoded(self.given))
        except ValueError as error:
            raise ValueError(f"certificate of the CA: {error}") from error
        """To be looked at, and to issue by."""
        self.key = key

    @cached_property
    def signing(self) -> Signing:
        """Makes its signatures. Raises ValueError if the key cannot."""
        return Signing(self.certificate, self.key)


class Records:
    """The part of the embedded CA that decides who may do what."""

    duplicate_keys: DuplicateKeys
    central_keys: bool
    client_crls: ClientCRLs | None

    @property
    def issuer(self) -> x509.Certificate:
        """The CA that signs what is issued."""
        raise NotImplementedError

    def record(self, certificate: x509.Certificate) -> Record | None:
        """What is known of a certificate, None when it was not issued here."""
        return self._find(certificate.issuer, certificate.serial_number)

    def _is_own_name(self, name: x509.Name) -> bool:
        """Whether it is that of the CA that issues, whatever its string types (RFC 5280, section 7.1)."""
        own = self.issuer.subject
        return name == own or grants.name_key(name) == grants.name_key(own)

    def _find(self, issuer: x509.Name, serial: int) -> Record | None:
        raise NotImplementedError

    def _with_key(self, public_key_info: bytes) -> list[Record]:
        """The certificates for a key, as ``key_value`` writes it."""
        raise NotImplementedError

    def _updates(self, record: Record) -> Collection[Record]:
        """What a certificate was updated to, confirmed or not."""
        raise NotImplementedError

    def _owners(self, names: Collection[str]) -> set[bytes]:
        """Who has valid certificates with these names, or some of them on hold."""
        raise NotImplementedError

    def _owner(self, request: CertificateRequest, old: Record | None) -> bytes:
        """Whose certificate it will be: who has the same reference, or the same certificate, or in whose name an RA
        asks."""
        if old is not None and request.type is BodyType.KUR:
            return old.owner
        if request.signer is None:
            return b"r" + (request.reference or b"")
        if issuing.is_ra(request.signer):
            subject, sans = grants.wanted(request, None)
            return b"n" + sha256(repr(sorted(grants.names_of(subject, sans))).encode()).digest()
        own = self.record(request.signer)
        if own is not None:
            return own.owner
        name = grants.name_key(request.signer.issuer) + grants.name_key(request.signer.subject)
        return b"s" + sha256(name.encode()).digest()

    def _refuse_taken(self, request: CertificateRequest, old: Record | None) -> Rejected | None:
        """An RA asks for everybody; others do not get what another client has."""
        if request.signer is not None and issuing.is_ra(request.signer):
            return None
        subject, sans = grants.wanted(request, None if old is None else old.certificate)
        if self._owners(grants.names_of(subject, sans)) - {self._owner(request, old)}:
            return Rejected(FailureInfo.badCertTemplate, "a name in a valid certificate of another client")
        return None

    def _find_id(self, name: CertificateId | None) -> Record | None:
        return None if name is None else self._find(name.issuer, name.serial)

    def _find_key(self, public_key_info: bytes | None) -> Record | None:
        """The one valid certificate for a key; None when it is not clear which."""
        if public_key_info is None:
            return None
        found = self._with_key(key_value(public_key_info))
        valid = [r for r in found if r.revoked is None] or found
        return valid[0] if len(valid) == 1 else None

    def _reference_of(self, signer: x509.Certificate | None) -> bytes | None:
        record = None if signer is None else self.record(signer)
        return None if record is None else record.reference

    def refuse_sender(self, message: Message) -> Rejected | None:
        """Why the certificate that signed a message authorises nothing: revoked or on hold, by whatever route it came
        here, or its key was compromised in another certificate. None when it does."""
        signer = message.signer
        if signer is None:
            return None
        record = self.record(signer)
        if record is not None and record.certificate == signer:
            self._rely_on(record)
            if record.revoked is RevocationReason.certificateHold:
                return Rejected(FailureInfo.certRevoked, "the certificate of the signer is on hold")
            if record.revoked is not None or self._is_overdue(record):
                return Rejected(FailureInfo.certRevoked, "the certificate of the signer is revoked")
        if self._is_compromised(issuing.public_key_info(signer)):
            return Rejected(FailureInfo.certRevoked, "the key of the signer is compromised")
        return self._refuse_sender(message)

    def _rely_on(self, record: Record) -> None:
        """What is decided now holds only if this record does not change before it is written."""

    def _is_overdue(self, record: Record) -> bool:  # noqa: ARG002
        """Whether a certificate is not confirmed, and will be revoked for that as soon as somebody looks."""
        return False

    def _is_compromised(self, public_key_info: bytes) -> bool:
        """Whether a certificate for this key was revoked because the key is compromised."""
        raise NotImplementedError

    def _refuse_sender(self, request: Message) -> Rejected | None:
        record = None if request.signer is None else self.record(request.signer)
        if record is not None and record.revoked is not None:
            return Rejected(FailureInfo.signerNotTrusted, "the certificate of the signer is revoked")
        if self.client_crls is None or request.signer is None or self._is_own_name(request.signer.issuer):
            return None
        assert request.signer_der is not None
        chain = dict.fromkeys((*wire.read_message(request.message).extra_certs, *request.request_certs))
        return self.client_crls.refuse(request.signer_der, tuple(chain))

    def _owns(self, request: Message, record: Record) -> bool:
        """The certificate itself, an RA, or who holds the reference it was issued for (and another
        certificate of that name)."""
        signer = request.signer
        if signer is None:
            return request.reference is not None and request.reference == record.reference
        if signer == record.certificate or issuing.is_ra(signer):
            return True
        own = self.record(signer)
        return (
            own is not None
            and own.reference == record.reference
            and grants.name_key(signer.subject) == grants.name_key(record.certificate.subject)
        )

    def _refuse_update(self, request: CertificateRequest) -> Rejected | None:
        if request.old_certificate is None:
            return Rejected(FailureInfo.badCertId, "the certificate to update is not named")
        old = self._find_id(request.old_certificate)
        if old is None:
            return Rejected(FailureInfo.badCertId, "no such certificate was issued here")
        self._rely_on(old)
        if old.revoked is not None:
            return Rejected(FailureInfo.certRevoked, "the certificate to update is revoked")
        if not self._owns(request, old):
            return Rejected(FailureInfo.notAuthorized, "not your certificate")
        refusal = self._refuse_updated(old)
        if refusal is None and any(update.is_pending for update in self._updates(old)):
            # The old certificate stays as it is until then.
            return Rejected(FailureInfo.badRequest, "another update waits for its confirmation")
        return refusal

    def _refuse_updated(self, record: Record | None) -> Rejected | None:
        """Why a certificate neither updates nor enrols any more."""
        if record is not None and any(update.confirmed for update in self._updates(record)):
            return Rejected(FailureInfo.certRevoked, "the certificate has been updated")
        return None

    def _refuse_key(self, request: CertificateRequest) -> Rejected | None:
        if request.central_key:
            refusal = Rejected(
                FailureInfo.badCertTemplate, "no public key in the template; none is made here"
            )
            return None if self.central_keys else refusal
        if self.duplicate_keys == "allow":
            return None
        now = datetime.datetime.now(datetime.timezone.utc)
        for record in self._with_key(key_value(request.public_key_info)):
            if record.revoked is RevocationReason.keyCompromise:
                return Rejected(FailureInfo.badCertTemplate, "the key is compromised")
            if record.revoked is None and record.certificate.not_valid_after_utc > now:
                return Rejected(FailureInfo.badCertTemplate, "there is a valid certificate for this key")
        return None
