"""The installed ``openssl`` command: where it is, what it can do, and short helpers around it.

``OSSLCMP_TEST_OPENSSL`` names another command (split like a shell does), so that the same tests can be run
against the peer of another OpenSSL release than the one that osslcmp is linked to.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What must not reach a test or a peer from the user's environment.
ENVIRONMENT = (
    "OPENSSL_CONF",
    "OPENSSL_CONF_INCLUDE",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)

#: Seconds after which a spawned ``openssl`` is taken to hang.
TIME_LIMIT = 60.0

Value = str | bytes | int | bool | Path | Sequence[str | Path] | None


@dataclass(frozen=True)
class Run:
    """What a finished command left: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both outputs, the errors last."""
        return self.out + self.err

    def must(self, code: int = 0) -> Run:
        """This run, or an AssertionError with all output if the exit code is not `code`."""
        assert self.code == code, f"openssl exited with {self.code}, not {code}:\n{self.text}"
        return self


def command() -> list[str]:
    """The ``openssl`` command to use."""
    return shlex.split(os.environ.get("OSSLCMP_TEST_OPENSSL", "openssl"))


def clean_environment() -> dict[str, str]:
    """The environment without the user's own OpenSSL and proxy settings."""
    return {k: v for k, v in os.environ.items() if k not in ENVIRONMENT}


def arguments(options: Mapping[str, Value]) -> list[str]:
    """Keyword options as ``openssl`` takes them.

    ``True`` gives the bare flag, ``False`` and ``None`` give nothing, a sequence is joined with commas,
    bytes (the secrets) become a ``pass:`` source.
    """
    result: list[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        result.append(f"-{name.rstrip('_')}")
        if isinstance(value, bytes):
            result.append("pass:" + value.decode())
        elif isinstance(value, (list, tuple)):
            result.append(",".join(str(v) for v in value))
        elif value is not True:
            result.append(str(value))
    return result


def run(
    args: Iterable[str | Path],
    *,
    data: bytes | None = None,
    cwd: Path | None = None,
    time_limit: float = TIME_LIMIT,
) -> Run:
    """Run ``openssl ARGS`` to its end."""
    done = subprocess.run(
        [*command(), *map(str, args)],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        env=clean_environment(),
        cwd=cwd,
        timeout=time_limit,
        check=False,
    )
    return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


@functools.cache
def version() -> tuple[int, int, int]:
    """The release of the installed ``openssl``, as in ``(3, 0, 19)``."""
    text = run(["version"]).must().out
    found = re.match(r"OpenSSL (\d+)\.(\d+)\.(\d+)", text)
    assert found, f"not an OpenSSL that we know: {text!r}"
    return (int(found[1]), int(found[2]), int(found[3]))


@functools.cache
def cmp_options() -> frozenset[str]:
    """The options of its ``cmp`` command, without the dash; empty if it has no such command."""
    return frozenset(re.findall(r"^ -(\w+)", run(["cmp", "-help"]).text, re.MULTILINE))


def verify(certificate: Path, *, trusted: Path, untrusted: Path | None = None) -> Run:
    """``openssl verify`` of `certificate` up to `trusted`."""
    extra: list[str | Path] = ["-untrusted", untrusted] if untrusted else []
    return run(["verify", "-no-CApath", "-no-CAstore", "-CAfile", trusted, *extra, certificate])


def x509_text(certificate: Path) -> str:
    """``openssl x509 -text``."""
    return run(["x509", "-in", certificate, "-noout", "-text"]).must().out


def new_csr(directory: Path, subject: str, name: str = "csr") -> tuple[Path, Path]:
    """A P-256 key and a PKCS#10 request made by ``openssl req``: the paths of key and request."""
    key, csr = directory / f"{name}.key.pem", directory / f"{name}.pem"
    new = ["req", "-new", "-noenc", "-config", os.devnull, "-newkey", "ec"]
    run([*new, "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", subject, "-keyout", key, "-out", csr]).must()
    return key, csr
