"""The steps of the demo, and how they are shown."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .._openssl.lib import openssl_version
from ..client import Client
from ..client.transaction import Transaction
from ..enrollment import Enrollment
from ..enums import RevocationReason
from ..errors import CMPError
from ..server import EmbeddedCA, waiting
from ..trace import Trace
from ._common import emit, heading

_MESSAGE = re.compile(r"\s*(sending|received) ([A-Z0-9]+)\Z")


class DemoError(Exception):
    """A step did not do what it should."""


class _MessageLog(logging.Handler):
    """Shows OpenSSL's own words about each message that it sends and receives."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()  # the server's side has threads of its own

    def emit(self, record: logging.LogRecord) -> None:
        """One line for a message, nothing for the rest of the log."""
        found = _MESSAGE.match(record.getMessage())
        if found and record.thread == self._thread:
            arrow, style = ("--> ", "cyan") if found[1] == "sending" else ("<-- ", "green")
            emit((f"    {arrow}{found[2].lower()}", style))


class _Demo:
    """Runs the steps and remembers what each brought."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[tuple[str, float]] = []
        self.issued: list[Path] = []
        self.trace = Trace()

    def step(self, title: str, action: Callable[[], str]) -> None:
        """One step with its outcome, and its time for the table."""
        heading(f"{len(self.rows) + 1}. {title}")
        start = time.perf_counter()
        outcome = action()
        self.rows.append((title, (time.perf_counter() - start) * 1000))
        emit((f"    {outcome}", ""))

    def save(self, name: str, certs: Iterable[x509.Certificate]) -> Path:
        """Certificates as a PEM file in the demo's folder."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(cert.public_bytes(Encoding.PEM) for cert in certs))
        return path

    def keep(self, name: str, enrollment: Enrollment) -> str:
        """Save what an enrolment brought and return it as a line."""
        certificate = enrollment.certificate
        self.issued.append(self.save(name, [certificate]))
        return f"{certificate.subject.rfc4514_string()}, serial {certificate.serial_number:x}"


def show(folder: Path, *, quick: bool) -> None:
    """All steps, and what came of them. Raises DemoError, CMPError, OSError."""
    log = logging.getLogger("osslcmp.openssl")
    level, propagate, handler = log.level, log.propagate, _MessageLog()
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    try:
        _show(_Demo(folder), quick=quick)
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


def _show(demo: _Demo, *, quick: bool) -> None:
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
    by_secret = Client(url, reference=reference, secret=secret, trace=demo.trace)
    key, second_key, next_key = _new_key(), _new_key(), _new_key()
    got: dict[str, Enrollment] = {}

    def enroll(name: str, action: Callable[[], Enrollment]) -> Callable[[], str]:
        def enrolled() -> str:
            got[name] = action()
            return demo.keep(name, got[name])

        return enrolled

    demo.step(
        "ir: a first certificate, with a shared secret and a confirmation",
        enroll("ir", lambda: by_secret.ir(key, subject="O=demo,CN=device", sans=["device.example"])),
    )
    first = got["ir"]
    demo.save("chain", first.chain)
    signed = Client(
        url,
        certificate=first.certificate,
        key=key,
        chain=first.chain,
        trusted=first.ca_pubs or ca.root,
        trace=demo.trace,
    )
    demo.step(
        "cr: another one, signed with the first",
        enroll("cr", lambda: signed.cr(second_key, subject="O=demo,CN=second")),
    )
    demo.step("p10cr: for a CSR", enroll("p10cr", lambda: signed.p10cr(_csr())))
    ca.policy = waiting(times=2, check_after=thinking)
    demo.step(
        "cr: the CA has to think, the client polls",
        enroll("pending", lambda: _poll(signed.begin("cr", key=_new_key(), subject="CN=patient"))),
    )
    ca.policy = None
    demo.step("kur: the first certificate gets a new key", enroll("kur", lambda: signed.kur(next_key)))
    second = got["cr"]
    holder = Client(
        url,
        certificate=second.certificate,
        key=second_key,
        chain=second.chain,
        trusted=ca.root,
        trace=demo.trace,
    )
    demo.step(
        "rr: the second certificate is revoked by its holder",
        lambda: f"{holder.rr(reason=RevocationReason.superseded).status.name}, in the CRL of the CA",
    )
    if not ca.crl().get_revoked_certificate_by_serial_number(second.certificate.serial_number):
        raise DemoError("the revoked certificate is not in the CRL")
    demo.step("genm: which CA certificates are there?", lambda: _ask(demo, signed))
    thief = Client(url, reference=reference, secret="wrong", trace=demo.trace)
    demo.step("ir with a wrong secret: refused", lambda: _refusal(thief))


def _csr() -> x509.CertificateSigningRequest:
    """A CSR with a key of its own."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "p10cr.example")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(_new_key(), hashes.SHA256())


def _poll(transaction: Transaction) -> Enrollment:
    """What an application does that has better things to do than to wait."""
    while not transaction.done:
        emit((f"    waiting, to be asked again in {transaction.check_after} s", "dim"))
        time.sleep(transaction.check_after or 0)
        transaction.poll()
    return transaction.result


def _ask(demo: _Demo, client: Client) -> str:
    """A general message for CA certificates."""
    certs = client.ca_certs()
    demo.save("cacerts", certs)
    return "; ".join(cert.subject.rfc4514_string() for cert in certs)


def _refusal(client: Client) -> str:
    """A request that must not succeed; its error is the outcome."""
    try:
        client.ir(_new_key(), subject="CN=thief")
    except CMPError as error:
        return f"{type(error).__name__}: {error}"
    raise DemoError("the CA accepted a wrong secret")


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
        emit((f"    {Path(line).name}", ""))
    if result.returncode:
        raise DemoError(f"openssl verify: {result.stderr.strip()}")
