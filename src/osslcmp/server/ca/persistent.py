"""PersistentCA: the embedded CA with its keys in a directory and its records in a database."""

from __future__ import annotations

import datetime
import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.exc import DataError

from ..._arguments import checked, positive
from ..._text import get_logger
from ...enums import RevocationReason
from ..persistent import PersistentServer
from . import crls, issuing
from .database import ConflictError
from .directory import Directory
from .general import RootUpdate
from .grants import Binding
from .issuing import Generation, PairInput
from .memory import EmbeddedCA, Secrets, Unconfirmed
from .profiles import Profile, length_needed
from .records import ANYBODY, Record, Signer, octets
from .store import Store, name_hash, read_certificate
from .tables import CERTIFICATES, CRLS, CertificateRow, SecretRow, damaged

logger = get_logger("osslcmp.server")

_NONCE_LENGTH = 12
_ON_HOLD = x509.CRLReason(x509.ReasonFlags.certificate_hold)
_ATTEMPTS = 10
_MAX_TIDY_INTERVAL = 10.0
_WRONG_SEAL = "does not fit the secrets in the database"


class StoredRecord(Record):
    """A certificate that was issued, as it was in the database when it was read."""

    def __init__(self, row: CertificateRow) -> None:
        super().__init__(
            read_certificate(row),
            row.reference,
            row.confirmed,
            None if row.revoked is None else RevocationReason(row.revoked),
            None if row.revoked_at is None else _moment(row.revoked_at),
            row.owner,
            None if row.updates is None else int(row.updates, 16),
            row.confirm_by,
        )
        self.row = row


class PersistentCA(EmbeddedCA):
    """A root and an issuing CA whose state survives the process, made with ``EmbeddedCA.open``.

    Args:
        directory: holds the keys; made at the first start. See osslcmp.server.ca.directory for its files.
        secrets: shared secrets by reference, added to those in the database.
        database: an SQLAlchemy URL, or ``postgresql://...``; by default SQLite in the directory. Several
            processes may share a database when they have the same directory, or copies of it.
        unconfirmed: what becomes of a certificate that its client has not confirmed in time: ``revoke`` or
            ``keep``.
        confirm_within: seconds that a client has for that, and for each next message of its transaction.
        root, issuer: certificates and keys, to be given at each start then; by default made at the first
            start.
        remove_secrets: references of secrets in the database that are to be forgotten first.
        key_password: encrypts the private keys in the directory, also those that are there already.
        options: the others of EmbeddedCA.

    Raises:
        ImportError: SQLAlchemy (the extra ``server``) or the driver of the database is not installed.
        ValueError: the directory or the database does not fit, or ``seal.key`` is missing or of another database.
    """

    @checked
    def __init__(
        self,
        directory: str | os.PathLike[str],
        secrets: Secrets | None = None,
        *,
        database: str | None = None,
        unconfirmed: Unconfirmed = "revoke",
        confirm_within: float = 300.0,
        root: PairInput | None = None,
        issuer: PairInput | None = None,
        name: str = "osslcmp",
        remove_secrets: Iterable[str | bytes] = (),
        key_password: str | bytes | None = None,
        **options: Any,
    ) -> None:
        positive(confirm_within=confirm_within)
        if "" in (database, key_password) or key_password == b"":
            raise ValueError("database, key_password: must not be empty")
        if issuer is None and root is not None:
            raise ValueError("a root needs its issuing CA, whose key is not kept here")
        self.directory = Directory(Path(directory), None if key_password is None else octets(key_password))
        self.confirm_within = confirm_within
        self._tidy_lock = threading.Lock()
        self._next_tidy = 0.0
        self._known_crl: tuple[int, x509.CertificateRevocationList, int] | None = None
        with self.directory.locked():
            self._generations = [] if root is not None else self._generate(name, options.get("profiles"))
            current = self._generations[-1] if self._generations else None
            if current is not None:
                # A root whose key was taken away can do everything here but be updated.
                root = (current.root, current.root_key or current.issuer_key)
                issuer = (current.issuer, current.issuer_key)
            assert root is not None
            assert issuer is not None
            if database is None:
                self.store = Store.in_file(self.directory.database_file)
            else:
                self.store = Store(database)
            try:
                for reference in remove_secrets:
                    self.remove_secret(reference)
                given = {octets(reference) for reference in secrets or {}}
                self._seal = AESGCM(self._seal_key(given))
                super().__init__(
                    secrets, root=root, issuer=issuer, name=name, unconfirmed=unconfirmed, **options
                )
                self._server_pair = self.directory.server_credentials(
                    f"{name} CMP server", self.issuer, self._issuer.key
                )
                self._servers = (self._server_pair[0],)
                self.directory.publish_root(self.root_der)
            except BaseException:
                self.store.close()
                raise

    def _generate(self, name: str, profiles: Mapping[str, Profile] | None) -> list[Generation]:
        """The CAs in the directory, made at the first start."""
        found = self.directory.generations()
        if not found:
            root = issuing.make_ca(f"{name} root CA", None, path_length=None)
            issuer = issuing.make_ca(f"{name} issuing CA", root, path_length=length_needed(profiles))
            self.directory.add_generation(Generation(*root, *issuer))
            found = self.directory.generations()
        return found

    def close(self) -> None:
        """Close the connections to the database."""
        self.store.close()

    def check(self) -> None:
        """Ask the database for something, as each message does. Raises what SQLAlchemy raises when it is away."""
        self.store.revocations()

    def server(self, **options: Any) -> PersistentServer:
        """A CMP server for this authority; ``options`` are those of Server."""
        if options.keys().isdisjoint({"certificate", "key"}):
            certificate, key = self._server_pair
            options |= {"certificate": certificate, "key": key, "chain": self.chain}
        defaults: dict[str, Any] = {
            "trusted": self.roots,
            "transaction_timeout": self.confirm_within,
            "tidy": self.tidy,
        }
        return PersistentServer(self, self.store, **{**defaults, **options})

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The root and those before it."""
        before = (generation.root for generation in reversed(self._generations[:-1]))
        return (self.root, *before)

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Its CA certificates, roots and those before them included."""
        before = self._generations[:-1]
        return (*super().authorities, *(one for old in reversed(before) for one in (old.issuer, old.root)))

    def update_root(self) -> None:
        """Make a new root with a new key, in a new generation of the directory; it certifies the issuing CA, too.

        Clients that trust the old root learn of the new one by ``rootCaCert``, and until then find their way by
        the new root's certificate from the old one, which comes with every answer. Servers that are already
        running, here or elsewhere, go on with the old root until they are made again.

        Raises ValueError when the root's key is not in the directory.
        """
        with self.directory.locked():
            current = self.directory.generations()[-1:] if self._generations else []
            if not current or current[0].root_key is None:
                raise ValueError("the root cannot be updated without its key")
            self.directory.add_generation(issuing.update_root(current[0]))
            self._generations = self.directory.generations()
            new = self._generations[-1]
            assert new.root_key is not None
            self._root, self._issuer = Signer(new.root, new.root_key), Signer(new.issuer, new.issuer_key)
            self.directory.publish_root(self.root_der)

    @property
    def chain(self) -> tuple[x509.Certificate | bytes, ...]:
        """What stands between an issued certificate and the root, or a root before it, which a client may still
        trust."""
        links = [generation.new_with_old for generation in reversed(self._generations)]
        return (*super().chain, *(link for link in links if link is not None))

    def root_update(self, known: x509.Certificate | None) -> RootUpdate | None:
        """What a client needs to trust the root after the one that it knows.

        Args:
            known: a root of this CA; None for the one before the current root.

        Returns:
            One step, so that a client that is several roots behind asks again with what it has got; None when there is
            no newer root, or ``known`` is not of this CA.
        """
        roots = [generation.root for generation in self._generations]
        place = roots.index(known) if known in roots else len(roots) - 2 if known is None else -1
        if not 0 <= place < len(roots) - 1:
            return None
        # One step after the other: the link certificates lead from each root to the next one.
        step = self._generations[place + 1]
        return RootUpdate(step.root, step.new_with_old, step.old_with_new)

    # -- secrets ---------------------------------------------------------------------------------------------

    def _seal_key(self, given: Collection[bytes]) -> bytes:
        """The key that seals secrets: that in the directory, or a new one if no secret needs the old one."""
        sealed: list[SecretRow] = []
        damage = None
        try:
            for row in self.store.secrets():
                if row.reference not in given:
                    sealed.append(row)  # noqa: PERF401 - those before an exception stay
        except DataError as error:
            damage = error
            logger.error("a shared secret is of no use: %s", error.orig)
        key = self.directory.seal_key(make=not sealed and damage is None)
        if key is None:
            raise ValueError(
                f"{self.directory.seal_file} is missing, and the database has {len(sealed)} shared secrets sealed with "
                "it: restore the file, or give their secrets anew (or remove their references)"
            )
        seal = AESGCM(key)
        if sealed and all(_unseal(seal, row) is None for row in sealed):
            raise ValueError(f"{self.directory.seal_file}: {_WRONG_SEAL}")
        return key

    def _keep_secret(self, reference: bytes, secret: bytes, binding: Binding) -> None:
        nonce = os.urandom(_NONCE_LENGTH)
        row = SecretRow(
            reference,
            nonce + self._seal.encrypt(nonce, secret, reference),
            None if binding.names is None else binding.names.pattern,
            binding.profile,
            None if binding.expires is None else binding.expires.timestamp(),
            binding.uses,
        )
        for attempt in range(_ATTEMPTS):
            try:
                known = self.store.secret(reference)
            except DataError:  # it is replaced
                known = None
            try:
                if known is not None and _unseal(self._seal, known) == secret:
                    self.store.bind_secret(replace(row, sealed=known.sealed))
                else:
                    self.store.set_secret(row)
                break
            except ConflictError:  # another process adds the same one
                if attempt == _ATTEMPTS - 1:
                    raise

    @checked
    def remove_secret(self, reference: str | bytes) -> None:
        """Stop sharing a secret with a client; nothing happens when there is none.

        Args:
            reference: names the secret; text is encoded as UTF-8.
        """
        self.store.remove_secret(octets(reference))

    def _secret_row(self, reference: bytes) -> SecretRow | None:
        return self.store.secret(reference, ANYBODY)

    def shared_secret(self, reference: bytes) -> bytes | None:
        """The secret that is shared with the client of this reference, None when there is none.

        Raises:
            ValueError: it was sealed with another ``seal.key`` than that in the directory.
        """
        row = self._secret_row(reference)
        secret = None if row is None else _unseal(self._seal, row)
        if row is not None and secret is None:
            raise ValueError(f"seal.key {_WRONG_SEAL}")
        return secret

    def _binding(self, reference: bytes | None) -> Binding:
        row = None if reference is None else self._secret_row(reference)
        if row is None:
            return Binding()
        return Binding(
            None if row.names is None else re.compile(row.names),
            row.profile,
            None if row.expires is None else _moment(row.expires),
            row.uses,
        )

    def _uses_of(self, reference: bytes) -> int:
        row = self._secret_row(reference)
        return 0 if row is None else row.used

    # -- records ---------------------------------------------------------------------------------------------

    @property
    def records(self) -> tuple[Record, ...]:
        """What was issued so far, by all processes, as it is in the database now."""
        return tuple(map(StoredRecord, self.store.certificates()))

    def _find(self, issuer: x509.Name, serial: int) -> Record | None:
        row = self.store.certificate(serial) if self._is_own_name(issuer) else None
        return None if row is None else StoredRecord(row)

    def _with_key(self, public_key_info: bytes) -> list[Record]:
        return list(map(StoredRecord, self.store.certificates(sha256(public_key_info).digest())))

    def _updates(self, record: Record) -> Collection[Record]:
        return list(map(StoredRecord, self.store.updates(record.certificate.serial_number)))

    def _owners(self, names: Collection[str]) -> set[bytes]:
        return self.store.owners(list(map(name_hash, names)), time.time())

    def _own_certificates(self) -> tuple[x509.Certificate, ...]:
        return (*super()._own_certificates(), *self.roots)

    def _add(
        self, record: Record, names: Collection[str], key: bytes, *, exclusive: bool, counted: bytes | None
    ) -> None:
        certificate = record.certificate
        secret = None if counted is None else self._secret_row(counted)
        self.store.add_certificate(
            CertificateRow(
                serial=certificate.serial_number,
                der=certificate.public_bytes(Encoding.DER),
                key_hash=sha256(key).digest(),
                reference=record.reference,
                confirmed=False,
                confirm_by=time.time() + self.confirm_within,
                owner=record.owner,
                not_after=certificate.not_valid_after_utc.timestamp(),
                updates=None if record.updates is None else f"{record.updates:x}",
            ),
            list(map(name_hash, names)),
            exclusive=exclusive,
            counted=None if secret is None else secret.reference,
        )

    def _rely_on(self, record: Record) -> None:
        assert isinstance(record, StoredRecord)
        self.store.rely_on(record.row)

    def _is_overdue(self, record: Record) -> bool:
        assert isinstance(record, StoredRecord)
        late = not record.confirmed and record.row.confirm_by < time.time()
        return late and self.unconfirmed == "revoke"

    def _is_compromised(self, public_key_info: bytes) -> bool:
        return self.store.is_revoked(sha256(public_key_info).digest(), int(RevocationReason.keyCompromise))

    def _confirm(self, record: Record) -> None:
        if record.revoked is not None:
            raise RuntimeError("a certificate was confirmed after it had been revoked")
        self.store.confirm(record.certificate.serial_number)

    def _revoke(self, record: Record, reason: RevocationReason | None) -> None:
        assert isinstance(record, StoredRecord)
        moment = None if reason is None else record.row.revoked_at or time.time()
        self.store.revoke(record.row, None if reason is None else int(reason), moment)

    # -- CRL -------------------------------------------------------------------------------------------------

    def _renewed_crl(self) -> x509.CertificateRevocationList:
        self.tidy()
        for _ in range(_ATTEMPTS):
            changes = self.store.revocations()
            last = self._stored_crl()
            old = None if last is None else last[1]
            if last is not None and old is not None and last[2] == changes and not self._is_old(old):
                return old
            earliest = time.time() - self.crl_grace.total_seconds()
            revoked = [
                (serial, _moment(moment), RevocationReason(reason))
                for serial, moment, reason in self.store.revoked(earliest)
            ]
            shown = {entry[0] for entry in revoked}
            for entry in old or ():
                if entry.serial_number not in shown:
                    self._check_left(entry, last, earliest)
            number = 1 if last is None else last[0] + 1
            crl = crls.make_crl(self._issuer, revoked, old, self._crl_entries)
            try:
                self.store.add_crl(number, crl.public_bytes(Encoding.DER), changes)
            except ConflictError:
                continue
            return crl
        raise ConflictError("other processes are always faster with a CRL")

    def _check_left(self, entry: x509.RevokedCertificate, last: Any, earliest: float) -> None:
        """Raise DataError unless what was on the last CRL has expired, or was released from hold since. Of a revocation
        that no CRL has shown, nothing but its row tells."""
        row = self.store.certificate(entry.serial_number)
        if row is not None:
            read_certificate(row)  # its end is the right one
        held = any(one.value == _ON_HOLD for one in entry.extensions)
        released = held and self.store.revocations() != last[2]
        if row is None or (row.not_after > earliest and not released):
            raise damaged(CERTIFICATES.name, f"row with serial {entry.serial_number:x}: revoked, revoked_at")

    def _stored_crl(self) -> tuple[int, x509.CertificateRevocationList, int] | None:
        """The last CRL of all processes: its number, itself, and the count of revocations that it shows."""
        newest = self.store.crl_number()
        if newest is not None and (self._known_crl is None or self._known_crl[0] != newest):
            row = self.store.crl()
            try:
                self._known_crl = None if row is None else (row[0], x509.load_der_x509_crl(row[1]), row[2])
            except ValueError:
                raise damaged(CRLS.name, f"row with number {newest}: der") from None
        return self._known_crl if newest is not None else None

    def _is_old(self, crl: x509.CertificateRevocationList) -> bool:
        return crls.is_old(crl) or crl.issuer != self.issuer.subject

    # -- housekeeping ----------------------------------------------------------------------------------------

    def tidy(self, *, now: bool = False) -> None:
        """Forget transactions that are over, deal with what was not confirmed in time. Cheap when done
        often.

        Args:
            now: do it even if it was done a moment ago.
        """
        moment = time.monotonic()
        if not now and moment < self._next_tidy:
            return
        if not self._tidy_lock.acquire(blocking=False):
            return  # another thread is at it
        try:
            self._next_tidy = moment + min(self.confirm_within / 4, _MAX_TIDY_INTERVAL)
            reason = RevocationReason.cessationOfOperation if self.unconfirmed == "revoke" else None
            count = self.store.sweep(time.time(), None if reason is None else int(reason))
        except ConflictError as error:
            logger.info("tidying up is put off: %s", error)
        else:
            if count:
                logger.warning("%d certificates were revoked because nobody confirmed them", count)
        finally:
            self._tidy_lock.release()


def _unseal(seal: AESGCM, row: SecretRow) -> bytes | None:
    """A secret as it was before it was sealed; None if that was done with another key."""
    try:
        return seal.decrypt(row.sealed[:_NONCE_LENGTH], row.sealed[_NONCE_LENGTH:], row.reference)
    except (InvalidTag, ValueError):  # the nonce is too short
        return None


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
