"""EmbeddedCA: a small certification authority that lives in memory and really issues. For tests and
demonstrations."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from cryptography import x509

from ..._arguments import checked, positive
from ..._asn1 import oids
from ..._asn1.itav import InfoTypeAndValue
from ..._openssl.convert import encoded
from ..._openssl.public_keys import key_value
from ...enums import BodyType, FailureInfo, PKIStatus, RevocationReason
from ...message.bodyparts import CertTemplate
from .. import bodies, wire
from ..authority import (
    Authority,
    CertificateRequest,
    Confirmation,
    GeneralRequest,
    Issued,
    Rejected,
    RevocationRequest,
    Revoked,
    Waiting,
    issued,
)
from ..server import Server
from . import crls, general, grants, issuing
from .client_crls import ClientCRLs
from .general import RootUpdate
from .grants import Binding, Grants
from .profiles import Profile, choose, length_needed
from .records import DuplicateKeys, Record, Records, Signer
from .signing import Signing

if TYPE_CHECKING:
    from .persistent import PersistentCA

Policy = Callable[[CertificateRequest], Waiting | Rejected | None]
Unconfirmed = Literal["revoke", "keep"]
_OPEN = (None, RevocationReason.certificateHold)
"""What a certificate is revoked for that can still be revoked."""
CONFIRM_WITHIN = 300.0
"""Seconds that another update of a certificate waits for the confirmation of the last one, if no server says before that
it does not come."""
# From str or bytes; but a Mapping is invariant in its keys, and dict[str, str] would be no Mapping[str | bytes, ...].
Secrets = Mapping[Any, str | bytes | tuple[str | bytes, Binding]]
Delay = Callable[[RevocationRequest | GeneralRequest | Confirmation], Waiting | None]


@checked
def waiting(times: int, check_after: int = 1, reason: str = "the authority is thinking") -> Policy:
    """A policy that lets the client ask again before it gets an answer.

    Args:
        times: how often.
        check_after: seconds from one time to the next.
        reason: text for the client, may be empty.
    """
    return _wait(times, Waiting(check_after, reason))


@checked
def delayed(times: int, check_after: int = 1, reason: str = "the authority is thinking") -> Delay:
    """Lets the client ask again before it gets the answer to an rr, genm or certConf.

    The arguments are those of ``waiting``.
    """
    return _wait(times, Waiting(check_after, reason))


def _wait(
    times: int, answer: Waiting
) -> Callable[[CertificateRequest | RevocationRequest | GeneralRequest | Confirmation], Waiting | None]:
    positive(or_zero=True, times=times)
    return lambda request: answer if request.polls < times else None


class EmbeddedCA(Records, Authority):
    """A root and an issuing CA in memory.

    Args:
        secrets: shared secrets by reference, or each with its Binding; text is encoded as UTF-8.
        root: root certificate (an object, PEM, DER or a path) and key; made when not given. In what is issued below a CA
            whose name only OpenSSL reads, not ``cryptography``, that name is in UTF-8.
        issuer: certificate and key of the CA that issues, under that root; made when not given.
        name: goes into the names of the CAs that are made.
        validity: of a certificate whose request asks for none.
        policy: asked before a certificate is issued; what it returns, if not None, is the answer (see
            ``waiting``). May be replaced at any time.
        delay: asked before an rr, genm or certConf is answered (see ``delayed``); OpenSSL's clients
            wait for these from 3.3 on.
        duplicate_keys: ``refuse`` a request for a key that has a valid certificate already (kur included), or that was
            compromised.
        central_keys: make keys for clients that ask for it (3.5).
        unconfirmed: ``revoke`` or ``keep`` a certificate that its client has not confirmed in time.
        ca_pubs: send the root in the ``caPubs`` of an ip under a shared secret, so that a client learns to
            trust it.
        profiles: by name, what certificates there are; a request names one in its header or by its path, else it
            gets the one named ``default`` if there is one. None: names do not matter.
        grants: what clients may have although no profile says so; by default everything but what makes a CMP
            authority.
        crl_grace: how long an expired certificate stays on the CRL.
        client_crls: revocation of clients' certificates from elsewhere.
    """

    @checked
    def __init__(
        self,
        secrets: Secrets | None = None,
        *,
        root: issuing.PairInput | None = None,
        issuer: issuing.PairInput | None = None,
        name: str = "osslcmp",
        validity: datetime.timedelta = datetime.timedelta(days=365),
        policy: Policy | None = None,
        delay: Delay | None = None,
        duplicate_keys: DuplicateKeys = "allow",
        central_keys: bool = False,
        unconfirmed: Unconfirmed = "keep",
        ca_pubs: bool = True,
        profiles: Mapping[str, Profile] | None = None,
        grants: Grants | None = None,
        crl_grace: datetime.timedelta = crls.CRL_VALIDITY,
        client_crls: ClientCRLs | None = None,
    ) -> None:
        positive(validity=validity)
        positive(or_zero=True, crl_grace=crl_grace)
        if issuer is not None and root is None:
            raise ValueError("an issuer needs the root it stands under")
        self.name = name
        self.validity = validity
        self.policy = policy
        self.delay = delay
        self.duplicate_keys = duplicate_keys
        self.central_keys = central_keys
        self.unconfirmed = unconfirmed
        self.ca_pubs = ca_pubs
        self.profiles = None if profiles is None else dict(profiles)
        self.crl_grace = crl_grace
        self.client_crls = client_crls
        self.grants = Grants.all() if grants is None else grants
        super().__init__()
        self._revoking = threading.RLock()
        """Held while a revocation is decided upon and done: none undoes another one that it has not seen."""
        self._crl: tuple[x509.CertificateRevocationList, list[crls.Entry]] | None = None
        self._crl_entries: dict[crls.Entry, x509.RevokedCertificate] = {}
        self._last_crl = crls.LastCRL(self._renewed_crl)
        for reference, secret in (secrets or {}).items():
            self.add_secret(reference, *(secret if isinstance(secret, tuple) else (secret,)))
        self._root = Signer(*(root or issuing.make_ca(f"{name} root CA", None, path_length=None)))
        if issuer is None:
            above = self._root.certificate, self._root.key
            issuer = issuing.make_ca(f"{name} issuing CA", above, path_length=length_needed(self.profiles))
        self._issuer = Signer(*issuer)
        self._check_path_lengths()
        if root is not None:
            try:
                issuing.try_issuing(self._root.given, self._issuer.given, self._issuer.signing)
            except ValueError as error:
                raise ValueError(f"root, issuer: {error}") from error
        self._servers: tuple[x509.Certificate, ...] = ()

    @staticmethod
    def open(
        directory: str | os.PathLike[str],
        secrets: Secrets | None = None,
        **options: Any,
    ) -> PersistentCA:
        """A CA whose keys are in a directory and whose records are in a database, made at the first start.

        The arguments are those of osslcmp.server.ca.persistent.PersistentCA.
        """
        try:
            from .persistent import PersistentCA
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "sqlalchemy":
                raise
            raise ImportError(
                "a CA with a database needs SQLAlchemy: pip install 'osslcmp[server]'"
            ) from error
        return PersistentCA(directory, secrets, **options)

    @property
    def root(self) -> x509.Certificate:
        """The trust anchor."""
        return self._root.certificate

    @property
    def issuer(self) -> x509.Certificate:
        """The CA that signs what is issued."""
        return self._issuer.certificate

    @property
    def root_der(self) -> bytes:
        """``root`` as it was given: of what only OpenSSL reads, ``root`` is one to look at."""
        return encoded(self._root.given)

    @property
    def issuer_der(self) -> bytes:
        """``issuer`` as it was given, likewise."""
        return encoded(self._issuer.given)

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Its CA certificates, the root included. Of the certificates below them, a server takes as a signer none but
        those that they have issued themselves, or that are trusted otherwise."""
        return (self.issuer, self.root)

    def _check_path_lengths(self) -> None:
        """Raise ValueError if a profile has CA certificates that could not be verified."""
        above = self._path_length()
        for name, profile in (self.profiles or {}).items():
            wanted = profile.ca_path_length
            if wanted is not None and above is not None and above <= wanted:
                raise ValueError(
                    f"profile {name}: ca_path_length {wanted} needs a pathLenConstraint of {wanted + 1} above, and "
                    f"{self.issuer.subject.rfc4514_string()} leaves {above}"
                )

    def _path_length(self) -> int | None:
        """How many CAs may stand below the issuing CA; None: any number."""
        lengths = [issuing.path_length(self.issuer)]
        above = issuing.path_length(self.root)
        if self.issuer != self.root and above is not None:
            lengths.append(above - 1)
        return min((length for length in lengths if length is not None), default=None)

    @property
    def chain(self) -> tuple[x509.Certificate | bytes, ...]:
        """What stands between an issued certificate and the root; what only OpenSSL reads, as DER."""
        return () if self.issuer == self.root else (self._issuer.given,)

    def root_update(self, known: x509.Certificate | None) -> RootUpdate | None:  # noqa: ARG002
        """What a client needs that trusts the root ``known`` (or has not said which); None when there is nothing
        newer."""
        return None

    def crl(self) -> x509.CertificateRevocationList:
        """The CRL of the issuing CA: the last one, or a new one when something has changed or it is a day old.

        One that takes long to make, because it has thousands of entries, is up to a second old. Certificates leave it
        some time (``crl_grace``) after they have expired.
        """
        return self._last_crl.get()

    def refresh_crl(self) -> None:
        """Make the next CRL if the last one, which somebody has asked for, has thousands of entries and something has
        changed: then nobody waits for it. A server over HTTP does so once a second."""
        self._last_crl.refresh()

    def _renewed_crl(self) -> x509.CertificateRevocationList:
        now = issuing.now()
        with self._lock:
            revoked = [
                (record.certificate.serial_number, record.revoked_at, record.revoked)
                for record in self._records.values()
                if record.revoked is not None
                and record.revoked_at is not None
                and now - record.certificate.not_valid_after_utc < self.crl_grace
            ]
        if self._crl is None or self._crl[1] != revoked or crls.is_old(self._crl[0]):
            last = None if self._crl is None else self._crl[0]
            self._crl = crls.make_crl(self._issuer, revoked, last, self._crl_entries), revoked
        return self._crl[0]

    def server(self, **options: Any) -> Server:
        """A CMP server for this authority; ``options`` are those of Server.

        It signs with a certificate of its own from the issuing CA, and trusts the clients that have one
        below the root.
        """
        if options.keys().isdisjoint({"certificate", "key"}):
            certificate, key = issuing.make_server_certificate(
                f"{self.name} CMP server", self._issuer.certificate, self._issuer.signing
            )
            options |= {"certificate": certificate, "key": key, "chain": self.chain}
            self._servers = (certificate,)
        return Server(self, **{"trusted": [self.root], **options})

    # -- what the server asks --------------------------------------------------------------------------------

    def issue(self, request: CertificateRequest) -> Issued | Waiting | Rejected:
        """Issue what is asked for, as far as its sender may have it, ``policy`` has no other answer and the profile
        allows it; what differs from the request is told with ``grantedWithMods``.

        A kur is for who holds the certificate, an RA, or the client whose reference it was issued for.
        """
        reference = request.reference or self._reference_of(request.signer)
        binding = self._binding(reference)
        refusal = (
            _refuse_expired(request, binding)
            or self._refuse_sender(request)
            or self._refuse_updated(None if request.signer is None else self.record(request.signer))
            or self.grants.refuse_vouching(request)
            or (self._refuse_update(request) if request.type is BodyType.KUR else None)
            or self._refuse_key(request)
        )
        if refusal is not None:
            return refusal
        old = self._find_id(request.old_certificate)
        counted = None if binding.uses is None else request.reference
        if counted is not None and (refusal := binding.refuse_use(self._uses_of(counted))) is not None:
            return refusal
        profile = choose(self.profiles, request.profile, binding.profile)
        if isinstance(profile, Rejected):
            return profile
        answer = self._refuse_grant(request, profile, binding, old) or (
            None if self.policy is None else self.policy(request)
        )
        if answer is not None:
            return answer
        private_key = None
        if request.central_key:
            made = issuing.make_key(request.public_key_info)
            if isinstance(made, Rejected):
                return made
            private_key = made
            info = Signing.with_key(made).info
            request = replace(request, public_key=made.public_key(), public_key_info=info)
        result = self._make(request, None if old is None else old.certificate, profile)
        if isinstance(result, Rejected):
            return result
        certificate, changes = result
        updated = old if request.type is BodyType.KUR else None
        record = Record(
            certificate,
            reference,
            owner=self._owner(request, old),
            updates=None if updated is None else updated.certificate.serial_number,
            confirm_by=time.time() + CONFIRM_WITHIN,
        )
        refusal = self._add(
            record,
            grants.names_of(*grants.wanted(request, None if old is None else old.certificate)),
            key_value(request.public_key_info),
            exclusive=not self._may_share_names(request),
            counted=counted,
        )
        if refusal is not None:
            return refusal
        trust = request.type is BodyType.IR and request.reference is not None and self.ca_pubs
        return issued(
            certificate=certificate,
            chain=self.chain,
            ca_pubs=(self._root.given,) if trust else (),
            status=PKIStatus.grantedWithMods if changes else PKIStatus.accepted,
            text="; ".join(changes),
            private_key=private_key,
        )

    def confirm(self, confirmation: Confirmation) -> Waiting | None:
        """Note that a certificate was taken, or revoke what its client does not want, unless ``delay`` says to wait
        (which is not asked when the confirmation is ``implicit``)."""
        answer = None if confirmation.implicit else self._delayed(confirmation)
        if answer is not None:
            return answer
        record = self.record(confirmation.certificate)
        if record is not None and confirmation.accepted:
            self._confirm(record)
        elif record is not None and record.revoked in _OPEN:
            # Nobody wants it, so nobody may use it.
            self._revoke(record, RevocationReason.cessationOfOperation)
        return None

    def expired(self, request: CertificateRequest, certificate: x509.Certificate | None) -> None:  # noqa: ARG002
        """Revoke a certificate that its client has not confirmed in time, if it is an update (the one before goes on) or
        ``unconfirmed`` says so."""
        record = None if certificate is None else self.record(certificate)
        if record is None:
            return
        record.confirm_by = 0.0
        if (self.unconfirmed == "revoke" or record.updates is not None) and record.revoked in _OPEN:
            self._revoke(record, RevocationReason.cessationOfOperation)

    def revoke(self, request: RevocationRequest) -> Revoked | Waiting | Rejected:
        """Revoke a certificate, put it on hold, or release it from there (``removeFromCRL``), unless ``delay`` says to
        wait.

        That is for who holds the certificate, an RA, or the client whose reference it was issued for.
        """
        answer = _refuse_expired(request, self._binding(request.reference)) or self._delayed(request)
        if answer is not None:
            return answer
        with self._revoking:
            return self._decide_revocation(request)

    def _decide_revocation(self, request: RevocationRequest) -> Revoked | Rejected:
        if request.issuer is None or request.serial is None:
            record = self._find_key(request.public_key_info)
        else:
            record = self._find(request.issuer, request.serial)
        if record is None:
            return Rejected(FailureInfo.badCertId, "no such certificate was issued here")
        refusal = _refuse_details(record.certificate, request)
        if refusal is not None:
            return refusal
        if not self._owns(request, record):
            return Rejected(FailureInfo.notAuthorized, "not your certificate")
        held = record.revoked is RevocationReason.certificateHold
        release = request.reason is RevocationReason.removeFromCRL
        if record.revoked is not None and not held and not release:
            return Rejected(FailureInfo.certRevoked, "the certificate is already revoked")
        refusal = self._refuse_sender(request)
        if refusal is not None:
            return refusal
        if release:
            if not held:
                return Rejected(FailureInfo.badCertId, "the certificate is not on hold")
            self._revoke(record, None)
            return Revoked()
        self._revoke(record, request.reason or RevocationReason.unspecified)
        asked = (one.oid.dotted_string for one in request.entry_extensions)
        left_out = [f"extension {oid} of the CRL entry left out" for oid in asked if oid != oids.CRL_REASON]
        return Revoked(PKIStatus.grantedWithMods if left_out else PKIStatus.accepted, "; ".join(left_out))

    def general(self, request: GeneralRequest) -> Sequence[InfoTypeAndValue] | Waiting | Rejected:
        """Tell CA certificates, CRLs, an update of the root, the template of a profile, and what keys are certified,
        unless ``delay`` says to wait."""
        answer = (
            _refuse_expired(request, self._binding(request.reference))
            or self._refuse_sender(request)
            or self._delayed(request)
        )
        if answer is not None:
            return answer
        profile: Profile | Rejected | None = None
        if self.profiles is not None:
            header = wire.read_message(request.message).header
            binding = self._binding(request.reference or self._reference_of(request.signer))
            profile = choose(self.profiles, header.profile or request.label, binding.profile)
        if isinstance(profile, Rejected):
            return profile
        try:
            return general.answers(self, request.infos, profile)
        except general.BadValueError as error:
            return Rejected(FailureInfo.badRequest, str(error))
        except bodies.MALFORMED:
            return Rejected(FailureInfo.badDataFormat, "malformed general message")

    def _delayed(self, request: RevocationRequest | GeneralRequest | Confirmation) -> Waiting | None:
        return None if self.delay is None else self.delay(request)

    def _own_certificates(self) -> tuple[x509.Certificate, ...]:
        """Those whose names nobody else gets."""
        return (self.root, self.issuer, *self._servers)

    def _is_name_of_ours(self, name: x509.Name) -> bool:
        own = (*self._own_certificates(), *self.authorities)
        return grants.name_key(name) in {grants.name_key(one.subject) for one in own}

    def _may_share_names(self, request: CertificateRequest) -> bool:
        """Whether it does not matter who else has the same names."""
        return self.grants.names_of_others or (request.signer is not None and issuing.is_ra(request.signer))

    def _refuse_grant(
        self, request: CertificateRequest, profile: Profile, binding: Binding, old: Record | None
    ) -> Rejected | None:
        """Why this client may not have the names and usages that it asks for."""
        certificate = None if old is None else old.certificate
        refusal = (
            self.grants.refuse_usages(request, profile)
            or binding.refuse(*grants.wanted(request, certificate))
            or self.grants.refuse_names(request, profile, certificate, self._own_certificates())
        )
        if refusal is None and not self._may_share_names(request):
            refusal = self._refuse_taken(request, old)
        return refusal

    def _make(
        self, request: CertificateRequest, old: x509.Certificate | None, profile: Profile
    ) -> tuple[x509.Certificate, list[str]] | Rejected:
        """The certificate, and in words what differs from the request."""
        refusal = profile.check(request)
        if refusal is not None:
            return refusal
        request, adapted = profile.adapt(request)
        result = issuing.issue(
            request,
            self._issuer.certificate,
            self._issuer.signing,
            profile.default_validity(self.validity),
            old,
            profile.own_extensions(),
            freely=self.grants.any_extension,
            ca_path_length=profile.ca_path_length,
            is_own=self._is_name_of_ours,
        )
        if isinstance(result, Rejected):
            return result
        not_so = grants.not_as_asked(request.template, result[0], self._issuer.certificate)
        changes = [*not_so, *grants.not_heeded(request)]
        return result[0], [*changes, *adapted, *result[1]]


def _refuse_expired(
    request: CertificateRequest | RevocationRequest | GeneralRequest, binding: Binding
) -> Rejected | None:
    """Why the secret that protects a new request is good for none; what it began while it was is polled for."""
    return None if request.reference is None or request.polls else binding.refuse_expired()


def _refuse_details(certificate: x509.Certificate, request: RevocationRequest) -> Rejected | None:
    """Why a request that says something of the certificate to revoke is refused; None if that is true."""
    own = {extension.oid: extension.value for extension in certificate.extensions}
    for extension in request.extensions:
        if extension.oid not in own and isinstance(extension.value, x509.UnrecognizedExtension):
            return Rejected(FailureInfo.badRequest, f"extension {extension.oid.dotted_string} in certDetails")
    name, key = request.subject, request.public_key_info
    template = bodies.template_of(wire.read_message(request.message)) if request.message else None
    template = template or CertTemplate()
    algorithm = template.signing_algorithm
    if (
        template.not_before not in (None, certificate.not_valid_before_utc)
        or template.not_after not in (None, certificate.not_valid_after_utc)
        or (algorithm is not None and algorithm.oid != certificate.signature_algorithm_oid)
        or (name is not None and grants.name_key(name) != grants.name_key(certificate.subject))
        or (key is not None and key_value(key) != issuing.public_key_info(certificate))
        or any(own.get(extension.oid) != extension.value for extension in request.extensions)
    ):
        return Rejected(FailureInfo.badCertId, "certDetails are not those of the certificate")
    return None
