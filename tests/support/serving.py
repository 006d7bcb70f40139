"""``osslcmp serve`` as processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509

import osslcmp

from . import openssl, openssl_cmp
from .openssl import Run, Value
from .pki import PrivateKey, cert_pem, key_pem, make_key

REFERENCE, SECRET = "ref", b"pass word"
MAC: dict[str, Any] = {"ref": REFERENCE, "secret": SECRET}
"""For ``openssl cmp``."""
LIMIT = 20.0


class Served:
    """A running ``osslcmp serve``, in a folder ``cwd``. What it says on stderr goes to ``log``, if that is given."""

    def __init__(self, *arguments: str | Path, log: Path | None = None, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "osslcmp", "serve", *map(str, arguments)]
        self._log = None if log is None else log.open("wb")
        self.process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.match(r"serving CMP at (https?://\S+), trust anchor (.*)\n", self.line)
        if found is None:
            self.end(signal.SIGKILL)
        assert found, self.line
        self.url, self.root = found[1], Path(found[2])

    @property
    def base(self) -> str:
        """The URL without its path."""
        return self.url.removesuffix("/.well-known/cmp")

    @property
    def anchor(self) -> x509.Certificate:
        """The trust anchor that it has written."""
        return x509.load_pem_x509_certificate(self.root.read_bytes())

    def work(self) -> float:
        """Seconds of a processor that it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self._log is not None:
            self._log.close()
        return status


class Serving:
    """Starts servers that end with the ``with`` block; they share a directory in ``path``.

    Called with options it starts one more: with one shared secret, and on a free port unless one is given.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.directory = path, path / "ca"
        self.secret = path / "secret"
        self.secret.write_bytes(SECRET + b"\n")
        self._running: list[Served] = []

    def __call__(self, *arguments: str | Path, port: int = 0, log: Path | None = None) -> Served:
        where: list[str | Path] = ["--port", str(port), "--directory", self.directory]
        who: list[str | Path] = ["--reference", REFERENCE, "--secret-file", self.secret]
        self._running.append(Served(*where, *who, *arguments, log=log))
        return self._running[-1]

    def __enter__(self) -> Serving:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for served in self._running:
            if served.process.poll() is None:
                served.end(signal.SIGKILL)


class Peer:
    """``openssl cmp`` as a client of a server, with a key, in a folder of its own."""

    def __init__(self, served: Served, path: Path, **always: Value) -> None:
        path.mkdir(exist_ok=True)
        self.served, self.path, self.always = served, path, always
        self.key = path / "key.pem"
        self.key.write_bytes(key_pem(make_key()))
        self.issuer = path / "issuer.pem"
        self.files = 0

    def cmp(self, cmd: str, *, label: str = "", **options: Value) -> Run:
        """Run it to its end."""
        given = {"msg_timeout": 20, **self.always, **options}
        return openssl_cmp.cmp(cmd, self.served.url + label, cwd=self.path, **given)

    def enroll(self, cmd: str = "ir", name: str = "new", **options: Any) -> Path:
        """A certificate that ``openssl verify`` accepts under the trust anchor that the server has written."""
        self.files += 1
        path = self.path / f"{name}{self.files}.pem"
        if cmd != "p10cr":
            options = {"newkey": self.key, **options}
        if cmd in ("ir", "cr"):
            options = {"subject": f"/O=osslcmp tests/CN={name}", **options}
        self.cmp(cmd, certout=path, chainout=self.issuer, **options).must()
        openssl.verify(path, trusted=self.served.root, untrusted=self.issuer).must()
        return path

    def signed_with(self, certificate: Path) -> dict[str, Any]:
        """Credentials that were enrolled for the key of this client."""
        return {
            "cert": certificate,
            "key": self.key,
            "trusted": self.served.root,
            "untrusted": self.issuer,
            "extracerts": self.issuer,
        }


def load(path: Path) -> x509.Certificate:
    """A certificate in a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def client(url: str, **options: object) -> osslcmp.Client:
    """Our client, with the shared secret."""
    given = {"reference": REFERENCE, "secret": SECRET, "message_timeout": 20, **options}
    return osslcmp.Client(url, **given)  # type: ignore[arg-type]


def signing(
    url: str, enrolled: osslcmp.Enrollment, key: PrivateKey, anchor: x509.Certificate, **options: object
) -> osslcmp.Client:
    """Our client, with a certificate that was enrolled for that key."""
    return client(
        url, reference=None, secret=None, certificate=enrolled.certificate, key=key, chain=enrolled.chain,
        trusted=anchor, **options,
    )  # fmt: skip


def get(url: str, **options: Any) -> bytes:
    """Download it."""
    with urllib.request.urlopen(url, timeout=LIMIT, **options) as response:
        return bytes(response.read())


def post(url: str, message: bytes, **options: Any) -> bytes:
    """Send a message by HTTP; the answer."""
    kind = {"Content-Type": "application/pkixcmp"}
    request = urllib.request.Request(url, message, kind, method="POST")
    with urllib.request.urlopen(request, timeout=LIMIT, **options) as response:
        return bytes(response.read())


def write_certificates(path: Path, *certificates: x509.Certificate) -> Path:
    """Write them as PEM."""
    path.write_bytes(cert_pem(certificates))
    return path
