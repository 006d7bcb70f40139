"""The steps of the demo, and how they are shown."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .._openssl.lib import openssl_version
from ..client import Client
from ..client.transaction import Transaction
from ..enrollment import Enrollment
from ..enums import BodyType, RevocationReason
from ..errors import CMPError
from ..server import EmbeddedCA, waiting
from ..trace import Trace
from ._common import emit, heading


class DemoError(Exception):
    """A step did not do what it should."""


class _ShownTrace(Trace):
    """Shows each message when it goes and comes."""

    def seen(self, sent: bool, encoding: bytes, kind: int, transaction_id: bytes | None) -> None:
        """One line for a message."""
        super().seen(sent, encoding, kind, transaction_id)
        arrow, style = ("--> ", "cyan") if sent else ("<-- ", "green")
        emit((f"    {arrow}{BodyType(kind).name.lower()}", style))


class _Demo:
    """Runs the steps and remembers what each brought."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[tuple[str, float]] = []
        self.issued: list[Path] = []
        self.trace = _ShownTrace()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step, and its time for the table."""
        heading(f"{len(self.rows) + 1}. {title}")
        start = time.perf_counter()
        yield
        self.rows.append((title, (time.perf_counter() - start) * 1000))

    def save(self, name: str, certs: Iterable[x509.Certificate]) -> Path:
        """Certificates as a PEM file in the demo's folder."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(cert.public_bytes(Encoding.PEM) for cert in certs))
        return path

    def keep(self, name: str, enrollment: Enrollment) -> Enrollment:
        """Save and tell what an enrolment brought."""
        certificate = enrollment.certificate
        self.issued.append(self.save(name, [certificate]))
        _tell(f"{certificate.subject.rfc4514_string()}, serial {certificate.serial_number:x}")
        return enrollment


def _tell(outcome: str, style: str = "") -> None:
    emit((f"    {outcome}", style))


def show(folder: Path, *, quick: bool) -> None:
    """All steps, and what came of them. Raises DemoError, CMPError, OSError."""
    demo = _Demo(folder)
    emit((f"osslcmp on OpenSSL {'.'.join(map(str, openssl_version))}", ""))
    reference, secret = "device-4711", secrets.token_hex(16)
    ca = EmbeddedCA({reference: secret})
    with ca.server().serve() as running:
        emit(("CMP server with an embedded CA at ", ""), (running.url, "bold"))
        demo.save("root", [ca.root])
        _steps(demo, ca, running.url, reference, secret, 0 if quick else 1)
    _verify(demo)
    demo.trace.save(demo.folder / "trace.html", "osslcmp demo")
    heading("What happened")
    for number, (title, milliseconds) in enumerate(demo.rows, 1):
        emit((f"  {number}. {title:<66}", ""), ("ok", "green"), (f"{milliseconds:7.0f} ms", "dim"))


def _new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


def _steps(demo: _Demo, ca: EmbeddedCA, url: str, reference: str, secret: str, thinking: int) -> None:
    """Each request type, a pending one, and a refusal."""
    key, second_key = _new_key(), _new_key()
    with demo.step("ir: a first certificate, with a shared secret and a confirmation"):
        by_secret = Client(url, reference=reference, secret=secret, trace=demo.trace)
        first = demo.keep("ir", by_secret.ir(key, subject="O=demo,CN=device", sans=["device.example"]))
    demo.save("chain", first.chain)

    def signing(own: Enrollment, own_key: ec.EllipticCurvePrivateKey) -> Client:
        return Client(
            url,
            certificate=own.certificate,
            key=own_key,
            chain=own.chain,
            trusted=ca.root,
            trace=demo.trace,
        )

    signed = signing(first, key)
    with demo.step("cr: another one, signed with the first"):
        second = demo.keep("cr", signed.cr(second_key, subject="O=demo,CN=second"))
    with demo.step("p10cr: for a CSR"):
        demo.keep("p10cr", signed.p10cr(_csr()))
    ca.policy = waiting(times=2, check_after=thinking)
    with demo.step("cr: the CA has to think, the client polls"):
        demo.keep("pending", _poll(signed.begin("cr", key=_new_key(), subject="CN=patient")))
    ca.policy = None
    with demo.step("kur: the first certificate gets a new key"):
        demo.keep("kur", signed.kur(_new_key()))
    with demo.step("rr: the second certificate is revoked by its holder"):
        status = signing(second, second_key).rr(reason=RevocationReason.superseded).status
        _tell(f"{status.name}, in the CRL of the CA")
    if not ca.crl().get_revoked_certificate_by_serial_number(second.certificate.serial_number):
        raise DemoError("the revoked certificate is not in the CRL")
    with demo.step("genm: which CA certificates are there?"):
        certs = signed.ca_certs()
        demo.save("cacerts", certs)
        _tell("; ".join(cert.subject.rfc4514_string() for cert in certs))
    with demo.step("ir with a wrong secret: refused"):
        thief = Client(url, reference=reference, secret="wrong", trace=demo.trace)
        try:
            thief.ir(_new_key(), subject="CN=thief")
        except CMPError as error:
            _tell(f"{type(error).__name__}: {error}")
        else:
            raise DemoError("the CA accepted a wrong secret")


def _csr() -> x509.CertificateSigningRequest:
    """A CSR with a key of its own."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "p10cr.example")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(_new_key(), hashes.SHA256())


def _poll(transaction: Transaction) -> Enrollment:
    """What an application does that has better things to do than to wait."""
    while not transaction.done:
        _tell(f"waiting, to be asked again in {transaction.check_after} s", "dim")
        time.sleep(transaction.check_after or 0)
        transaction.poll()
    return transaction.result


def _verify(demo: _Demo) -> None:
    """``openssl verify`` has the last word on what was issued."""
    program = shutil.which("openssl")
    if program is None:
        heading("The command openssl is not installed: nobody else has verified what was issued.", "dim")
        return
    command = [program, "verify", "-CAfile", str(demo.folder / "root.pem")]
    command += ["-untrusted", str(demo.folder / "chain.pem"), *map(str, demo.issued)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    heading("openssl verify")
    for line in result.stdout.splitlines():
        _tell(Path(line).name)
    if result.returncode:
        raise DemoError(f"openssl verify: {result.stderr.strip()}")
