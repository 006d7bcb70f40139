"""Entries of the matrix about what is built elsewhere than where it runs: wheels, and OpenSSL's libraries."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
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

#: Makes a folder of certificates as ``SSL_CERT_DIR`` wants it, names the system's own modules, and copies one.
TELL = """
rm -rf certs && mkdir certs && cp cert.pem "certs/$(openssl x509 -in cert.pem -noout -hash).0" || exit
OPENSSL_MODULES=$(openssl version -m | sed 's/.*"\\(.*\\)".*/\\1/')
export OPENSSL_MODULES
mkdir -p modules && cp "$OPENSSL_MODULES/legacy.so" modules || exit
exec "$@"
"""

#: Tests of the source tree and of what was built in it.
NOT_OF_THE_SOURCE = [
    f"--ignore-glob=*/test_{name}.py" for name in ("declarations", "dev", "matrix", "pinned", "typing", "versions")
]  # fmt: skip

#: Tests that compare the command with the loaded OpenSSL's own: a build against an older one has that one's options.
NOT_OF_THE_BUILD = [f"--ignore-glob=*/test_{name}.py" for name in ("cli_compare", "cli_compare_more")]


class Place:
    """A folder of this machine, or of a root, and commands there that have to succeed."""

    def __init__(self, root: Root | None, folder: Path) -> None:
        self.root = root
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def inside(self) -> Path:
        """The folder as the commands see it."""
        return Path("/", self.folder.relative_to(self.root.path)) if self.root else self.folder

    @property
    def python(self) -> Path:
        """The interpreter of the environment there."""
        return self.inside / "venv" / "bin" / "python"

    def run(self, log: IO[str], *command: str | Path, **environment: str) -> int:
        """Run a command in the folder; its exit status."""
        words = [str(word) for word in command]
        if self.root:
            return self.root.run(log, *words, cwd=str(self.inside), env=environment)
        return execute(words, log, cwd=self.folder, env={**os.environ, **environment})

    def must(self, log: IO[str], *command: str | Path, **environment: str) -> None:
        """Run a command that has to succeed.

        Raises:
            Failed: it did not.
        """
        status = self.run(log, *command, **environment)
        if status:
            raise Failed(f"{' '.join(map(str, command))[:200]} ended with exit status {status}")


@contextlib.contextmanager
def _serving(place: Place, log: IO[str]) -> Iterator[str]:
    """The URL of a server in the environment of ``place``, which must be there."""
    words = [str(place.python), str(place.inside / PROBE.name), "serve"]
    command = place.root.command(*words) if place.root else words
    environment = place.root.environment() if place.root else dict(os.environ)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def _in_minimal_root(place: Place, built: Path, log: IO[str]) -> None:
    """Enrol with the wheel where there is no compiler, no header, no pip and no OpenSSL at all.

    Python's own ``ssl`` does not work there, so the server, which may serve HTTPS by it, runs in ``place``.
    """
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
        machine = platform.machine()
        platforms = [word for n in range(17, 42) for word in ("--platform", f"manylinux_2_{n}_{machine}")]
        Place(None, CACHE / "logs").must(
            log, sys.executable, "-m", "pip", "install", "-q", "--target", site, "--python-version", version,
            *platforms, "--only-binary", ":all:", str(built),
        )  # fmt: skip
        shutil.copy(PROBE, root.inside("/opt/probe.py"))
        with _serving(place, log) as url:
            if root.run(log, "python3", "/opt/probe.py", "enrol", url, env={"PYTHONPATH": "/opt/site"}):
                raise Failed(f"{built.name} does not enrol in a minimal Debian")
    finally:
        root.remove()


def _install(place: Place, built: Path, log: IO[str]) -> None:
    """An environment with the wheel, its neighbours, and what the tests need."""
    shutil.copy(built, place.folder)
    shutil.copy(PROBE, place.folder)
    if not (place.folder / "venv" / "bin").exists():
        place.must(log, "python3" if place.root else sys.executable, "-m", "venv", "--clear", "venv")
    pip: list[str | Path] = [place.python, "-m", "pip", "install", "-q"]
    place.must(log, *pip, f"./{built.name}[test]", *NEIGHBOURS)
    place.must(log, *pip, "--no-deps", "--force-reinstall", f"./{built.name}")


def check_wheel(place: Place, built: Path, log: IO[str]) -> str:
    """All that is expected of a wheel but the tests; what came of it."""
    _install(place, built, log)
    _in_minimal_root(place, built, log)
    place.must(log, place.python, "-c", CERTIFICATE, ".")
    place.must(log, place.python, "wheel_probe.py", "orders", place.inside)
    (place.folder / "told.cnf").write_text(CONFIGURATION, encoding="ascii")
    for what in ("told", "second"):
        place.must(
            log, "sh", "-c", TELL, "sh", place.python, "wheel_probe.py", what, place.inside,
            OPENSSL_CONF=str(place.inside / "told.cnf"),
        )  # fmt: skip
    _check_types(place, log)
    log.flush()
    (orders,) = re.findall(
        r"^\d+ orders of import passed$", Path(log.name).read_text(encoding="utf-8"), re.MULTILINE
    )[-1:]
    return str(orders)


def _check_types(place: Place, log: IO[str]) -> None:
    """The API as its users type it, against what the wheel installed."""
    place.must(log, place.python, "-m", "pip", "install", "-q", "mypy")
    (place.folder / "typing").mkdir(exist_ok=True)
    shutil.copy(TREE / "tests" / "typing" / "api.py", place.folder / "typing")
    script = 'cd typing && exec "$@"'
    place.must(log, "sh", "-c", script, "sh", place.python, "-m", "mypy", "--strict", "api.py")


def run_tests(place: Place, log: IO[str]) -> int:
    """The tests with the installed wheel, but for those of the source tree; their exit status."""
    synchronize(CACHE / "source", place.folder / "tree")
    script = 'cd tree && exec "$@"'
    return place.run(
        log, "sh", "-c", script, "sh", place.python, "-m", "pytest", "-n", "auto", *NOT_OF_THE_SOURCE
    )


def build_here(log: IO[str]) -> tuple[Place, Path]:
    """A wheel of the source distribution with this machine's OpenSSL inside, and where to test it."""
    try:
        built = wheels.build(wheels.source_distribution(log), log)
    except subprocess.CalledProcessError as failure:
        raise Failed(f"building failed: {failure}") from failure
    return Place(None, CACHE / "wheels"), built


def build_in_debian13(log: IO[str]) -> tuple[Place, Path]:
    """The same with Debian 13's OpenSSL."""
    root = matrix_roots.debian13(log)
    try:
        built = wheels.build_in_debian13(wheels.source_distribution(log), log)
    except subprocess.CalledProcessError as failure:
        raise Failed(f"building failed: {failure}") from failure
    return Place(root, root.inside("/root/wheels")), built


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
    script = f"{python} -c 'from osslcmp import lib' 2>&1 | tail -n 1 >/tmp/refusal"
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
    return root.run(
        log, python, "-m", "pytest", "-n", "auto", *NOT_OF_THE_SOURCE, *NOT_OF_THE_BUILD, cwd=place,
        env={"PYTHONPATH": "/opt/crossed"},
    )  # fmt: skip
