"""Entries of the matrix about what is built elsewhere than where it runs: wheels, and OpenSSL's libraries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import matrix_roots
import wheels
from matrix_roots import CACHE, Failed, NotRun, Root, execute
from matrix_tree import TREE, synchronize

PROBE = TREE / "tools" / "wheel_probe.py"

#: Each carries an OpenSSL of its own.
NEIGHBOURS = ["psycopg[binary]", "pyopenssl"]

CERTIFICATE = """
import datetime, ipaddress, pathlib, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
folder, key = pathlib.Path(sys.argv[1]), ec.generate_private_key(ec.SECP256R1())
name = x509.Name.from_rfc4514_string("CN=localhost")
now = datetime.datetime.now(datetime.timezone.utc)
cert = (
    x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=2))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
)
(folder / "cert.pem").write_bytes(cert.public_bytes(Encoding.PEM))
(folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
"""

CONFIGURATION = """\
openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
"""


def _must(log: IO[str], *command: str | Path, cwd: Path = TREE, **environment: str) -> str:
    """Run a command that has to succeed; what it printed."""
    words = [str(word) for word in command]
    print("+", *words, file=log, flush=True)
    run = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=cwd,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    print(run.stdout, file=log, flush=True)
    if run.returncode:
        raise Failed(f"{' '.join(words[:4])} ... ended with exit status {run.returncode}")
    return run.stdout


def _in_minimal_root(built: Path, log: IO[str]) -> None:
    """Enrol with the wheel where there is no compiler, no header, no pip and no OpenSSL at all."""
    root = matrix_roots.throwaway("trixie", log)
    try:
        libraries = [*root.path.glob("usr/lib/**/libcrypto*"), *root.path.glob("usr/lib/**/libssl*")]
        for path in libraries:
            path.unlink()
        version = subprocess.run(
            root.command("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"),
            capture_output=True, text=True, check=True, env=root.environment(),
        ).stdout.strip()  # fmt: skip
        site = root.inside("/opt/site")
        _must(
            log, sys.executable, "-m", "pip", "install", "-q", "--target", site, "--python-version", version,
            "--only-binary", ":all:", f"{built}[server]",
        )  # fmt: skip
        shutil.copy(PROBE, root.inside("/opt/probe.py"))
        if root.run(log, "python3", "/opt/probe.py", "enrol", env={"PYTHONPATH": "/opt/site"}):
            raise Failed(f"{built.name} does not enrol in a minimal Debian")
    finally:
        root.remove()


def _environment(built: Path, log: IO[str]) -> Path:
    """The Python of an environment here with the wheel, its neighbours, and what the tests need."""
    folder = CACHE / "venvs" / built.parent.name
    python = folder / "bin" / "python"
    if not python.exists():
        _must(log, sys.executable, "-m", "venv", "--clear", folder)
    _must(log, python, "-m", "pip", "install", "-q", f"{built}[test]", *NEIGHBOURS)
    _must(log, python, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", built)
    return python


def _told(python: Path, folder: Path, log: IO[str]) -> None:
    """OpenSSL's environment variables, with the system's provider modules."""
    said = _must(log, "openssl", "version", "-m")
    modules = re.search(r'"(.*)"', said)
    if not modules:
        raise Failed(f"openssl version -m said {said}")
    (folder / "told.cnf").write_text(CONFIGURATION, encoding="ascii")
    _must(
        log, python, PROBE, "told", folder, cwd=folder, OPENSSL_CONF=str(folder / "told.cnf"),
        OPENSSL_MODULES=modules[1], SSL_CERT_FILE=str(folder / "cert.pem"),
    )  # fmt: skip


def check_wheel(built: Path, log: IO[str]) -> str:
    """All that is expected of a wheel; what came of it."""
    _in_minimal_root(built, log)
    python = _environment(built, log)
    folder = CACHE / "certificates"
    folder.mkdir(exist_ok=True)
    _must(log, python, "-c", CERTIFICATE, folder)
    orders = _must(log, python, PROBE, "orders", folder, cwd=folder).strip()
    _told(python, folder, log)
    return orders


def run_tests(built: Path, log: IO[str]) -> int:
    """The tests with the installed wheel, but for those of the source tree; their exit status."""
    tree = synchronize(CACHE / "source", CACHE / "trees" / "wheel")
    python = CACHE / "venvs" / built.parent.name / "bin" / "python"
    not_of_the_wheel = [f"--ignore=tests/test_{name}.py" for name in ("declarations", "dev", "versions")]
    command: Sequence[str] = [str(python), "-m", "pytest", "-n", "auto", *not_of_the_wheel]
    return execute(command, log, cwd=tree)


def build_all(log: IO[str]) -> list[Path]:
    """The source distribution, and a wheel of it with each OpenSSL."""
    wheels.WORK.mkdir(parents=True, exist_ok=True)
    wheels.DIST.mkdir(exist_ok=True)
    try:
        sdist = wheels.source_distribution(log)
        return [wheels.build(sdist, log), wheels.build_in_debian13(sdist, log)]
    except subprocess.CalledProcessError as failure:
        raise Failed(f"building failed: {failure}") from failure


def crossed(here: Path, root: Root, place: str, log: IO[str]) -> int:
    """In a root with a newer OpenSSL: the tests with this machine's extension; their exit status.

    And the other way round: the root's extension with this machine's OpenSSL must refuse, naming both.

    Args:
        here: a tree that is set up on this machine.
        root: the root.
        place: where in the root the tree is set up.
        log: gets all that is said.

    Raises:
        NotRun: this machine's OpenSSL is not an older one.
        Failed: there was no refusal, or it was not clear.
    """
    built_here = here / "src" / "osslcmp" / "_native.abi3.so"
    if not re.search(rb"OpenSSL 3\.0\.\d+ ", built_here.read_bytes()):
        raise NotRun("this machine has another OpenSSL than 3.0")
    libraries = root.inside("/opt/older-openssl")
    libraries.mkdir(parents=True, exist_ok=True)
    maps = subprocess.run(["ldd", str(built_here)], capture_output=True, text=True, check=True).stdout
    for path in re.findall(r"=> (\S*/lib(?:ssl|crypto)\S*)", maps):
        shutil.copy(path, libraries)
    python = f"{place}/.venv/bin/python"
    environment = {"LD_LIBRARY_PATH": "/opt/older-openssl"}
    said = root.inside("/tmp/refusal")
    script = f"{python} -c 'import osslcmp' 2>&1 | tail -n 1 >/tmp/refusal"
    root.run(log, "sh", "-c", script, env=environment)
    text = said.read_text(encoding="utf-8").strip()
    print(text, file=log, flush=True)
    expected = (
        r"ImportError: osslcmp was built against OpenSSL 3\.5\.\d+, but this process loads OpenSSL 3\.0\."
    )
    if not re.match(expected, text):
        raise Failed(f"no clear refusal of an older OpenSSL, but: {text}")
    site = root.inside("/opt/crossed")
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(built_here.parent.parent, site)
    not_of_the_build = [f"--ignore=tests/test_{name}.py" for name in ("declarations", "dev", "versions")]
    return root.run(
        log, python, "-m", "pytest", "-n", "auto", *not_of_the_build, cwd=place,
        env={"PYTHONPATH": "/opt/crossed"},
    )  # fmt: skip
