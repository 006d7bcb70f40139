"""Looking at a certificate, renewing it when it is due, and what is done when the process was killed before."""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from .._arguments import checked
from .._asn1.x509_parts import validity
from .._files import pem_block
from .._openssl import inputs as _inputs
from .._openssl.certificate_check import CertificateCheck
from .._openssl.convert import cert_to_c, encoded, look_alike
from .._openssl.keys import check_pair, private_key
from .._text import get_logger, one_line
from ..client import Client
from ..client.transaction import Transaction
from ..context import Context
from ..context.confirmation import OnDER
from ..enrollment import key_encryption
from ..enums import FailureInfo
from ..errors import CMPError, ConfirmError, RejectedError, TransferError
from .config import Renewal
from .store import Store

logger = get_logger("osslcmp.renewal")

_UTC = datetime.timezone.utc
_OVER = (
    FailureInfo.certRevoked
    | FailureInfo.signerNotTrusted
    | FailureInfo.notAuthorized
    | FailureInfo.certConfirmed
)
"""How a server refuses credentials that it has replaced: the certificate that came before was confirmed."""
_CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
_MAKE: dict[str, Callable[[], PrivateKeyTypes]] = {
    **{f"P-{curve.key_size}": partial(ec.generate_private_key, curve) for curve in _CURVES},
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    **{f"RSA-{bits}": partial(rsa.generate_private_key, 65537, bits) for bits in (2048, 3072, 4096)},
}
"""By ``key_type``."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one certificate."""

    name: str
    action: str
    """``current``: not due; ``due``: would be renewed (dry run); ``renewed``; ``waiting``: the server has not decided;
    ``busy``: another process is at it; ``failed``."""
    request: str | None = None
    """The type of request that is due, pending or was answered."""
    not_after: datetime.datetime | None = None
    """End of the validity of the certificate that is there now."""
    renew_after: datetime.datetime | None = None
    """When it is due."""
    serial: str | None = None
    """Its serial number, in hexadecimal."""
    check_after: int | None = None
    """Seconds that the server wants us to wait."""
    error: str | None = None
    """What went wrong: also with ``renewed``, if the reload command failed."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, moments as ISO 8601."""
        return {
            name: value.isoformat() if isinstance(value, datetime.datetime) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class _Current:
    """The files of a certificate as they are."""

    certificate_der: bytes | None
    chain_der: list[bytes]
    key: Any
    """For a client: PEM, a URI, or None."""

    @property
    def certificate(self) -> x509.Certificate | None:
        """To be looked at."""
        return None if self.certificate_der is None else look_alike(self.certificate_der)


@checked
def renew(renewal: Renewal, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Look at a certificate, renew it if it is due, and run its reload command if its files were replaced.

    Args:
        renewal: which, and how.
        force: renew it although it is not due.
        dry_run: only tell what would be done; nothing is sent or written.

    Returns:
        What became of it. Failures of files, servers and commands are told there, not raised.
    """
    return renew_all([renewal], force=force, dry_run=dry_run)[0]


@checked
def renew_all(renewals: Iterable[Renewal], *, force: bool = False, dry_run: bool = False) -> list[Outcome]:
    """As :func:`renew` for each of them; a reload command that several have runs once, at the end."""
    all_ = list(renewals)
    outcomes = [_one(renewal, force, dry_run) for renewal in all_]
    with_command = [one for one in all_ if one.reload_command]
    commands = {
        one.reload_command: one.reload_timeout for one in with_command if not dry_run and _is_due(one)
    }
    # That there is none shows at once, not when the first certificate has been replaced.
    errors: dict[tuple[str, ...], str | None] = {
        one.reload_command: f"{one.reload_command[0]}: no program that can be run"
        for one in with_command
        if shutil.which(one.reload_command[0]) is None
    }
    errors |= {command: _run(command, timeout) for command, timeout in commands.items()}
    for place, one in enumerate(all_):
        error = errors.get(one.reload_command)
        try:
            if error is not None:
                raise OSError(f"reload-command: {error}")
            if not dry_run and (one.reload_command in commands or not one.reload_command):
                Store(one.state, one.files).reloaded()
        except OSError as failure:
            outcomes[place] = replace(outcomes[place], error=outcomes[place].error or one_line(str(failure)))
    return outcomes


def _is_due(renewal: Renewal) -> bool:
    """Whether its reload command has to run; not if its state cannot be read, which is told already."""
    try:
        return Store(renewal.state, renewal.files).reload_pending
    except OSError:
        return False


def _run(command: tuple[str, ...], timeout: float) -> str | None:
    """What went wrong."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]}: not done after {timeout:g} seconds"
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if done.returncode == 0:
        return None
    last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"{command[0]}: exit status {done.returncode}" + (f": {one_line(last_line)}" if last_line else "")


def _one(renewal: Renewal, force: bool, dry_run: bool) -> Outcome:
    work = _Work(renewal)
    try:
        if dry_run:
            return work.look(force)
        with work.store.locked():
            return work.do(force)
    except BlockingIOError:
        return work.outcome("busy")
    except (CMPError, OSError, ValueError, ImportError, UnsupportedAlgorithm) as error:
        logger.debug("%s: %s", renewal.name, error)
        return work.outcome("failed", error=one_line(str(error)))


class _Work:
    """What is done for one certificate."""

    def __init__(self, renewal: Renewal) -> None:
        self.renewal = renewal
        self.store = Store(renewal.state, renewal.files)
        self.current = _Current(None, [], None)
        self.request: str | None = None

    def outcome(self, action: str, **more: Any) -> Outcome:
        certificate = self.current.certificate
        if certificate is not None:
            more |= {
                "not_after": certificate.not_valid_after_utc,
                "renew_after": due(self.renewal, certificate),
                "serial": f"{certificate.serial_number:x}",
            }
        return Outcome(name=self.renewal.name, action=action, request=self.request, **more)

    # -- what there is, and what is due -----------------------------------------------------------------------

    def look(self, force: bool) -> Outcome:
        """What is to be done."""
        self._is_complete()
        if self.store.read("transaction") is not None:
            self.request = _type(self.store)
            return self.outcome("due")
        self.request = self._due(force)
        return self.outcome("current" if self.request is None else "due")

    def _is_complete(self) -> bool:
        """Read the files, and try the settings, also those not needed today. Whether there are a certificate and its
        key."""
        renewal, self.current = self.renewal, self._read()
        password = self._password()
        if renewal.secret_file is not None:
            _inputs.read_secret("secret-file", renewal.secret_file)
        certificate, key = self.current.certificate_der, self.current.key
        complete = False
        if certificate is not None and key is not None:
            complete = True
            own = _inputs.any_certificate("certificate", certificate)
            check_pair(cert_to_c(own), private_key("key", key, password))
        request = renewal.request if complete else renewal.expired
        if request is not None:
            self._client(request, password)
        if renewal.key_type in ("Ed25519", "Ed448") and (
            renewal.request == "kur" or renewal.secret_file is None
        ):
            _try_to_sign_with(renewal.key_type)
        return complete

    def _read(self) -> _Current:
        files, renewal = self.store.contents(), self.renewal
        found = {
            kind: list(map(encoded, _inputs.any_certificates(str(renewal.files[kind]), files[kind])))
            for kind in ("certificate", "fullchain", "combined", "chain")
            if files.get(kind, b"").strip()
        }
        chain = found.pop("chain", [])
        for _, *above in found.values():
            chain = above or chain
        key = renewal.key if renewal.in_token else files.get("key", files.get("combined"))
        certificate = next((leaf for leaf, *_ in found.values()), None)
        if certificate is not None:
            validity(certificate)  # it can be read
        return _Current(certificate, chain, key)

    def _due(self, force: bool) -> str | None:
        """The type of request; None if nothing is due."""
        certificate, renewal = self.current.certificate, self.renewal
        now = datetime.datetime.now(_UTC)
        if certificate is not None and now < certificate.not_valid_after_utc:
            return renewal.request if force or now >= due(renewal, certificate) else None
        if renewal.expired is None:
            state = "there is no certificate" if certificate is None else "the certificate has expired"
            raise ValueError(f"{state}, and no expired = 'ir' with a secret-file is configured")
        if certificate is None and renewal.subject is None:
            raise ValueError("subject: is needed for the first certificate")
        return renewal.expired

    # -- doing it ---------------------------------------------------------------------------------------------

    def do(self, force: bool) -> Outcome:
        """Do it. Call with the store locked."""
        self.store.tidy()
        if self._is_complete():
            self.store.adopt()
        if self._is_current(self.store.read("certificate.der")):
            self.store.forget()  # the files were replaced, and then the process was killed
        if self.current.certificate_der is not None and set(self.store.contents()) < set(self.renewal.files):
            self._publish(self.current.certificate_der, self.current.chain_der, None)
        transaction = self._resumed()
        if transaction is None:
            self.request = self._due(force)
            if self.request is None:
                return self.outcome("current")
            self.store.begin()
            transaction = self._begun(self.request)
            if transaction is None:
                return self.outcome("renewed")
        return self._finish(transaction)

    def _is_current(self, certificate: bytes | None) -> bool:
        return certificate is not None and certificate == self.current.certificate_der

    def _client(self, request: str, password: bytes | None) -> Client:
        renewal, options = self.renewal, dict[str, Any]()
        by_secret = renewal.secret_file is not None and request != "kur"
        if by_secret:
            assert renewal.secret_file is not None
            secret, _ = _inputs.read_secret("secret-file", renewal.secret_file)
            options |= {"reference": renewal.reference, "secret": secret}
        elif self.current.certificate_der is not None:
            options |= {
                "certificate": self.current.certificate_der,
                "key": self.current.key,
                "key_password": self._password() if password is None else password,
                "chain": self.current.chain_der or None,
            }
        if renewal.tls_trusted or renewal.tls_certificate is not None:
            from .._openssl.tls import TLS

            options["tls"] = TLS(
                trusted=renewal.tls_trusted or None,
                certificate=renewal.tls_certificate,
                key=renewal.tls_key,
            )
        trusted: Any = renewal.trusted or None
        if renewal.crls or renewal.partial_chain:
            trusted = CertificateCheck(
                trusted=renewal.trusted,
                crls=renewal.crls,
                crl_check=renewal.crl_check if renewal.crls else "none",
                partial_chain=renewal.partial_chain,
            )
        return Client(
            renewal.server,
            trusted=trusted,
            untrusted=renewal.untrusted or None,
            server_certificate=renewal.server_certificate,
            expected_sender=renewal.expected_sender,
            recipient=renewal.recipient,
            proxy=renewal.proxy,
            message_timeout=renewal.message_timeout,
            **options,
        )

    def _password(self) -> bytes | None:
        file = self.renewal.key_password_file
        return None if file is None else _inputs.read_secret("key-password-file", file)[0]

    def _begun(self, request: str) -> Transaction | None:
        """Send a request. None if a certificate that came before counts instead."""
        renewal, password = self.renewal, self._password()
        client = self._client(request, password)
        self.store.keep("request", request.encode())
        key: Any = self.current.key
        if renewal.new_key:
            key = _new_key(renewal.key_type, self.current.certificate)
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, key_encryption(password))
            self.store.keep("key.pem", pem)
        elif key is None:
            raise ValueError("key: there is none yet, and new_key is false")
        try:
            return client.begin(
                request,
                key=key,
                key_password=None if renewal.new_key else password,
                certificate=self.current.certificate_der,
                subject=renewal.subject,
                sans=renewal.sans,
                profile=renewal.profile,
                days=renewal.days,
                implicit_confirm=renewal.implicit_confirm,
                confirm=OnDER(self._came),
            )
        except RejectedError as error:
            if error.failure_info & _OVER and self._install_saved():
                return None
            self.store.forget(saved=False)
            raise
        except (TransferError, ConfirmError) as error:
            pending = _transaction_of(error)
            if pending is None:
                raise
            self.store.keep("transaction", pending.dump())
            return pending

    def _came(self, certificate: bytes, found: FailureInfo) -> object:
        """Called with a new certificate before it is confirmed: then it must be on the disk. One that the next run could
        not read is refused."""
        if found:
            return found
        try:
            validity(certificate)
        except ValueError as error:
            return f"the certificate cannot be read: {error}"
        self.store.keep("certificate.der", certificate)
        return None

    def _resumed(self) -> Transaction | None:
        """The request that waits at the server."""
        dump = self.store.read("transaction")
        if dump is None:
            return None
        try:
            self.request = _type(self.store)
            return self._client(self.request, None).resume(dump, confirm=OnDER(self._came))
        except (CMPError, ValueError) as error:
            logger.warning("%s: the pending request is given up: %s", self.renewal.name, error)
            return None

    def _finish(self, transaction: Transaction) -> Outcome:
        """Wait for its end, but not too long."""
        try:
            enrollment = transaction.wait(
                self.renewal.wait,
                on_wait=lambda _: self.store.keep("transaction", transaction.dump()),
            )
        except RejectedError:
            self.store.forget(saved=False)
            raise
        except (TransferError, ConfirmError) as error:
            if _transaction_of(error) is None:
                raise
            self.store.keep("transaction", transaction.dump())
            return self.outcome("waiting", check_after=transaction.check_after)
        self._install(enrollment.certificate_der, enrollment.chain_der, self.store.read("key.pem"))
        return self.outcome("renewed")

    def _install_saved(self) -> bool:
        """The certificate that came for an earlier request, whose process was killed before it knew of the confirmation."""
        path = self.store.saved
        try:
            certificate = (path / "certificate.der").read_bytes()
            key = (path / "key.pem").read_bytes() if self.renewal.new_key else None
            found = look_alike(certificate)
        except (OSError, ValueError):
            return False
        if found.not_valid_after_utc <= datetime.datetime.now(_UTC):
            return False
        before = self.current.certificate
        same_issuer = before is not None and before.issuer == found.issuer
        self._install(certificate, self.current.chain_der if same_issuer else [], key)
        return True

    def _install(self, certificate: bytes, chain: list[bytes], new_key: bytes | None) -> None:
        """Replace the files, and forget how the certificate came."""
        self._publish(certificate, chain, new_key)
        self.store.forget()

    def _publish(self, certificate: bytes, chain: list[bytes], new_key: bytes | None) -> None:
        leaf, above = pem_block(certificate), b"".join(map(pem_block, chain))
        files = {"certificate": leaf, "chain": above, "fullchain": leaf + above}
        key = new_key if self.renewal.in_token else new_key or self.current.key
        if isinstance(key, bytes):
            files["key"] = key
            if self.renewal.combined is not None:
                files["combined"] = _key_block(key) + leaf + above
        self.store.publish({kind: files[kind] for kind in self.renewal.files})
        self.current = self._read()


@checked
def due(renewal: Renewal, certificate: x509.Certificate) -> datetime.datetime:
    """When a certificate is to be renewed: always the same moment for the same one, another one for each.

    Raises ``ValueError`` if its dates cannot be read.
    """
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return begin + (end - begin) * max(0.0, renewal.renew_at - renewal.jitter * share)


def _transaction_of(error: BaseException) -> Transaction | None:
    """The transaction that can go on, of a TransferError or of a ConfirmError that it caused."""
    for failure in (error, error.__cause__):
        found = failure.transaction if isinstance(failure, TransferError) else None
        if isinstance(found, Transaction) and not found.done:
            return found
    return None


def _type(store: Store) -> str:
    """The kind of request that is under way. Raises ``ValueError`` if the file is not as it was written."""
    found = (store.read("request") or b"kur").decode()
    if found not in ("kur", "cr", "ir"):
        raise ValueError("its kind is none")
    return found


def _key_block(pem: bytes) -> bytes:
    """The private key in a file that may have certificates, too."""
    found = re.search(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----\n?", pem, re.DOTALL)
    if found is None:
        raise ValueError("combined: the private key is not PEM")
    return found[0].rstrip(b"\n") + b"\n"


def _try_to_sign_with(kind: str) -> None:
    """Raises ``ValueError`` if a certificate with such a key, once it is there, could not sign the next request."""
    key, name, now = _MAKE[kind](), x509.Name.from_rfc4514_string("CN=x"), datetime.datetime.now(_UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)  # type: ignore[arg-type]
    context = Context()
    context.set_cert(builder.sign(key, None))  # type: ignore[arg-type]
    context.set_pkey(key)
    try:
        context.try_protection()
    except ValueError as error:
        raise ValueError(
            f"key-type: the next request could not be signed with an {kind} key ({error}): take P-256 or "
            "RSA-2048, or request = 'ir' with a secret-file, or a newer OpenSSL"
        ) from None


def _new_key(kind: str | None, certificate: x509.Certificate | None) -> PrivateKeyTypes:
    """A key of the kind, or like that of the certificate."""
    if kind is not None or certificate is None:
        return _MAKE[kind or "P-256"]()
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return rsa.generate_private_key(65537, key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {curve.name for curve in _CURVES}:
        return ec.generate_private_key(key.curve)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return _MAKE["Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"]()
    raise ValueError("key-type: is needed: no key of the old kind can be made")
