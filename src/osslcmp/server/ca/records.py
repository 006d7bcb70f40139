"""What the embedded CA knows of its certificates, and who may do what with them."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from ..._arguments import checked
from ..._openssl import inputs
from ..._openssl.convert import encoded, look_alike
from ..._openssl.public_keys import key_value
from ...enums import BodyType, FailureInfo, RevocationReason
from .. import wire
from ..authority import CertificateId, CertificateRequest, Message, Rejected
from . import grants, issuing
from .client_crls import ClientCRLs
from .grants import Binding
from .profiles import Profile, no
from .signing import Signing

DuplicateKeys = Literal["allow", "refuse"]
_TAKEN = "a name in a valid certificate of another client"
_FREE = Binding()
ANYBODY = b"*"
"""The reference of clients that have none of their own."""


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
    """The part of the embedded CA that knows its certificates and shared secrets, in memory, and who may do what."""

    duplicate_keys: DuplicateKeys
    central_keys: bool
    client_crls: ClientCRLs | None
    profiles: Mapping[str, Profile] | None
    _issuer: Signer

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: dict[bytes, bytes] = {}
        self._bindings: dict[bytes, Binding] = {}
        self._used: dict[bytes, int] = {}
        """By reference of a secret, how many certificates were issued under it."""
        self._records: dict[int, Record] = {}
        self._by_key: dict[bytes, list[Record]] = {}
        self._by_name: dict[str, set[int]] = {}
        self._updated: dict[int, list[Record]] = {}
        """By serial number, what a certificate was updated to."""

    # -- shared secrets --------------------------------------------------------------------------------------

    @checked
    def add_secret(self, reference: str | bytes, secret: str | bytes, binding: Binding | None = None) -> None:
        """Share a secret with one more client, or change it.

        Args:
            reference: names the secret; text is encoded as UTF-8. ``*`` is any that has no secret of its own.
            secret: the shared secret; text is encoded as UTF-8.
            binding: what it is good for: names, profile, how long and how often; None for all. The certificates that were
                issued under the same secret before count.

        Raises:
            ValueError: one of them is empty, or there is no such profile.
        """
        if not reference or not secret:
            raise ValueError("a reference and its secret must not be empty")
        if binding is not None and binding.profile not in (None, *(self.profiles or ())):
            raise ValueError(f"binding: there is no profile {binding.profile!r}")
        self._keep_secret(octets(reference), octets(secret), binding or Binding())

    def _keep_secret(self, reference: bytes, secret: bytes, binding: Binding) -> None:
        with self._lock:
            if self._secrets.get(reference) != secret:
                self._used[reference] = 0
            self._secrets[reference] = secret
            self._bindings[reference] = binding

    def _binding(self, reference: bytes | None) -> Binding:
        """What the secret of this reference is good for."""
        if reference is None:
            return _FREE
        return self._bindings.get(reference) or self._bindings.get(ANYBODY) or _FREE

    def _uses_of(self, reference: bytes) -> int:
        """How many certificates were issued under the secret of this reference."""
        return self._used.get(reference if reference in self._secrets else ANYBODY, 0)

    def shared_secret(self, reference: bytes) -> bytes | None:
        """The secret that ``add_secret`` has shared with the client of this reference, None when there is none."""
        return self._secrets.get(reference) or self._secrets.get(ANYBODY)

    # -- certificates ----------------------------------------------------------------------------------------

    @property
    def records(self) -> tuple[Record, ...]:
        """What was issued so far."""
        with self._lock:
            return tuple(self._records.values())

    def record(self, certificate: x509.Certificate) -> Record | None:
        """What is known of a certificate, None when it was not issued here."""
        known = self._records.get(certificate.serial_number)
        if known is not None and known.certificate is certificate:
            return known
        return self._find(certificate.issuer, certificate.serial_number)

    def _is_own_name(self, name: x509.Name) -> bool:
        """Whether it is that of the CA that issues, whatever its string types (RFC 5280, section 7.1)."""
        own = self._issuer.certificate.subject
        return name == own or grants.name_key(name) == grants.name_key(own)

    def _find(self, issuer: x509.Name, serial: int) -> Record | None:
        found = self._records.get(serial)
        return found if found is not None and self._is_own_name(issuer) else None

    def _with_key(self, public_key_info: bytes) -> list[Record]:
        """The certificates for a key, as ``key_value`` writes it."""
        with self._lock:
            return list(self._by_key.get(public_key_info, ()))

    def _updates(self, record: Record) -> Collection[Record]:
        """What a certificate was updated to, confirmed or not."""
        with self._lock:
            return tuple(self._updated.get(record.certificate.serial_number, ()))

    def _owners(self, names: Collection[str]) -> set[bytes]:
        """Who has valid certificates with these names, or some of them on hold."""
        now = datetime.datetime.now(datetime.timezone.utc)
        with self._lock:
            serials = {serial for name in names for serial in self._by_name.get(name, ())}
            records = [self._records[serial] for serial in serials]
        return {
            record.owner
            for record in records
            if record.revoked in (None, RevocationReason.certificateHold)
            and record.certificate.not_valid_after_utc > now
        }

    def _add(
        self, record: Record, names: Collection[str], key: bytes, *, exclusive: bool, counted: bytes | None
    ) -> Rejected | None:
        """Keep what was issued with these names for this key (``names_of``, ``key_value``), or tell why not: meanwhile
        another client has got one of its names and it is to be ``exclusive``, or the secret of the reference whose uses are
        ``counted`` is used up."""
        with self._lock:
            if exclusive and self._owners(names) - {record.owner}:
                return no(_TAKEN)
            if counted is not None:
                used = self._uses_of(counted)
                if (refusal := self._binding(counted).refuse_use(used)) is not None:
                    return refusal
                self._used[counted if counted in self._secrets else ANYBODY] = used + 1
            if record.updates is not None:
                self._updated.setdefault(record.updates, []).append(record)
            self._records[record.certificate.serial_number] = record
            self._by_key.setdefault(key, []).append(record)
            for name in names:
                self._by_name.setdefault(name, set()).add(record.certificate.serial_number)
        return None

    def _confirm(self, record: Record) -> None:
        """The client has taken the certificate."""
        with self._lock:
            record.confirmed = True

    def _revoke(self, record: Record, reason: RevocationReason | None) -> None:
        """Revoke a certificate; None releases one from hold."""
        with self._lock:
            if reason is None:
                record.revoked_at = None
            elif record.revoked_at is None:
                record.revoked_at = datetime.datetime.now(datetime.timezone.utc)
            record.revoked = reason

    def _is_compromised(self, public_key_info: bytes) -> bool:
        """Whether a certificate for this key was revoked because the key is compromised."""
        return any(one.revoked is RevocationReason.keyCompromise for one in self._with_key(public_key_info))

    # -- who may do what -------------------------------------------------------------------------------------

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
            return no(_TAKEN)
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
        # Anybody can write an ECDSA signature in a second way.
        if record is not None and record.certificate.tbs_certificate_bytes == signer.tbs_certificate_bytes:
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
            return None if self.central_keys else no("no public key in the template; none is made here")
        if self.duplicate_keys == "allow":
            return None
        now = datetime.datetime.now(datetime.timezone.utc)
        for record in self._with_key(key_value(request.public_key_info)):
            if record.revoked is RevocationReason.keyCompromise:
                return no("the key is compromised")
            if record.revoked is None and record.certificate.not_valid_after_utc > now:
                return no("there is a valid certificate for this key")
        return None
