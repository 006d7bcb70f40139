"""The main job of osslcmp in front of your eyes, against a CA on this machine.

Starts the embedded CA over HTTP on 127.0.0.1 and enrols, polls, updates, revokes and asks. The certificates
stay behind as PEM files, checked by `openssl verify`.
"""

from __future__ import annotations

import argparse
import logging
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.table import Table

import osslcmp
from osslcmp.server import EmbeddedCA, waiting

console = Console(highlight=False)


class MessageLog(logging.Handler):
    """Shows OpenSSL's own words about each message that it sends and receives."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line for a message, nothing for the rest of the log."""
        found = re.match(r"\s*(sending|received) ([A-Z0-9]+)\Z", record.getMessage())
        if found and record.threadName == "MainThread":  # the server's side has threads of its own
            arrow, style = ("──▶", "cyan") if found[1] == "sending" else ("◀──", "green")
            console.print(f"    [{style}]{arrow} {found[2].lower()}[/]")


class Demo:
    """Runs the steps and remembers what each brought."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[tuple[str, str, str, float]] = []
        self.issued: list[Path] = []

    def step(self, title: str, action: Callable[[], str]) -> None:
        """One step with its outcome and time for the table."""
        console.print(f"\n[bold]{len(self.rows) + 1}. {title}[/]")
        start = time.perf_counter()
        outcome = action()
        self.rows.append((title, "ok", outcome, (time.perf_counter() - start) * 1000))
        console.print(f"    {outcome}")

    def save(self, name: str, certs: Iterable[x509.Certificate]) -> Path:
        """Certificates as a PEM file in the demo's folder."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(cert.public_bytes(Encoding.PEM) for cert in certs))
        return path

    def keep(self, name: str, enrollment: osslcmp.Enrollment) -> str:
        """Save what an enrolment brought and tell it in a line."""
        certificate = enrollment.certificate
        self.issued.append(self.save(name, [certificate]))
        return f"{certificate.subject.rfc4514_string()}, serial {certificate.serial_number:x}"


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


def make_csr(folder: Path) -> Path:
    """A CSR made by the installed `openssl`."""
    csr, key = folder / "csr.pem", folder / "csr-key.pem"
    options = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=demo/CN=p10cr.example"
    command = ["openssl", "req", "-new", *options.split(), "-keyout", str(key), "-out", str(csr)]
    subprocess.run(command, check=True, capture_output=True)
    return csr


def run(demo: Demo) -> None:
    """All steps."""
    reference, secret = "device-4711", secrets.token_hex(16)
    ca = EmbeddedCA({reference: secret})
    with ca.server().serve() as running:
        console.print(f"CMP server with an embedded CA at [bold]{running.url}[/]")
        demo.save("root", [ca.root])
        steps(demo, ca, running.url, reference, secret)


def steps(demo: Demo, ca: EmbeddedCA, url: str, reference: str, secret: str) -> None:
    """Each request type, a pending one, and a refusal."""
    by_secret = osslcmp.Client(url, reference=reference, secret=secret)
    key, second_key, next_key = new_key(), new_key(), new_key()
    got: dict[str, osslcmp.Enrollment] = {}

    def enroll(name: str, action: Callable[[], osslcmp.Enrollment]) -> Callable[[], str]:
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
    signed = osslcmp.Client(
        url, certificate=first.certificate, key=key, chain=first.chain, trusted=first.ca_pubs or ca.root
    )
    demo.step(
        "cr: another one, signed with the first",
        enroll("cr", lambda: signed.cr(second_key, subject="O=demo,CN=second")),
    )
    csr = make_csr(demo.folder)
    demo.step("p10cr: for a CSR made by openssl", enroll("p10cr", lambda: signed.p10cr(csr)))
    ca.policy = waiting(times=2, check_after=1)
    demo.step(
        "cr: the CA has to think, the client polls",
        enroll("pending", lambda: poll(signed.begin("cr", key=new_key(), subject="CN=patient"))),
    )
    ca.policy = None
    demo.step("kur: the first certificate gets a new key", enroll("kur", lambda: signed.kur(next_key)))
    second = got["cr"]
    holder = osslcmp.Client(
        url, certificate=second.certificate, key=second_key, chain=second.chain, trusted=ca.root
    )
    demo.step(
        "rr: the second certificate is revoked by its holder",
        lambda: f"{holder.rr(reason=osslcmp.RevocationReason.superseded).status.name}, in the CRL of the CA",
    )
    if not ca.crl().get_revoked_certificate_by_serial_number(second.certificate.serial_number):
        raise RuntimeError("the revoked certificate is not in the CRL")
    demo.step("genm: which CA certificates are there?", lambda: ask(demo, signed))
    thief = osslcmp.Client(url, reference=reference, secret="wrong")
    demo.step("ir with a wrong secret: refused", lambda: refusal(thief))


def poll(transaction: osslcmp.Transaction) -> osslcmp.Enrollment:
    """What an application does that has better things to do than to wait."""
    while not transaction.done:
        console.print(f"    waiting, to be asked again in {transaction.check_after} s")
        time.sleep(transaction.check_after or 0)
        transaction.poll()
    return transaction.result


def ask(demo: Demo, client: osslcmp.Client) -> str:
    """A general message for CA certificates."""
    certs = client.ca_certs()
    demo.save("cacerts", certs)
    return "; ".join(cert.subject.rfc4514_string() for cert in certs)


def refusal(client: osslcmp.Client) -> str:
    """A request that must not succeed; its error is the outcome."""
    try:
        client.ir(new_key(), subject="CN=thief")
    except osslcmp.CMPError as error:
        return f"{type(error).__name__}: {error}"
    raise RuntimeError("the CA accepted a wrong secret")


def verify(demo: Demo) -> None:
    """`openssl verify` has the last word on what was issued."""
    command = ["openssl", "verify", "-CAfile", str(demo.folder / "root.pem")]
    command += ["-untrusted", str(demo.folder / "chain.pem"), *map(str, demo.issued)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    console.print(f"\n[bold]openssl verify[/]\n{result.stdout.strip()}")
    if result.returncode:
        raise RuntimeError(result.stderr)


def main() -> int:
    """Run the demo; 0 if every step did what it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for the PEM files")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("osslcmp.openssl")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(MessageLog())
    version = ".".join(map(str, osslcmp.openssl_version))
    console.print(f"osslcmp on OpenSSL {version}")
    demo = Demo(folder)
    run(demo)
    verify(demo)
    table = Table("", "step", "outcome", "ms", title="\nWhat happened")
    for title, mark, outcome, milliseconds in demo.rows:
        table.add_row(f"[green]{mark}[/]", title, outcome, f"{milliseconds:.0f}")
    console.print(table)
    console.print(f"The certificates are in [bold]{folder.resolve()}[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
