"""Debian folders to run in: made with debootstrap from this machine's own Debian mirror, entered with chroot.

A folder (*root*) is made once and kept below the cache; :func:`copy` makes another one of it. How this
machine reaches its mirror and package index (name servers, proxies, certificates, settings of apt and pip) is
taken over into each root, so that what works here works there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

CACHE = Path(os.environ.get("OSSLCMP_MATRIX") or Path.home() / ".cache" / "osslcmp-matrix").absolute()

#: Independent peers that some tests ask where they are installed.
PEERS = (
    "tshark", "libbcpkix-java", "default-jdk-headless", "curl", "git",
    "softhsm2", "opensc", "pkcs11-provider", "swtpm", "tpm2-openssl", "tpm2-tools", "libtss2-tcti-swtpm0",
)  # fmt: skip

#: Seconds that one command may take.
LIMIT = 2400

PLUMBING_CA = "/etc/osslcmp-matrix-ca.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NotRun(Exception):
    """The reason why something could not even be tried."""


class Failed(Exception):
    """What went wrong in something that could be tried."""


def execute(
    command: Sequence[str | Path], log: IO[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run a command with its output going to ``log``; its exit status. Nothing of it is left running.

    Raises:
        Failed: it took too long.
    """
    words = [str(word) for word in command]
    print("+", *words, file=log, flush=True)
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env, start_new_session=True
    ) as process:
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {LIMIT // 60} minutes: {' '.join(words[-4:])}") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _run(log: IO[str], *command: str, reason: str, env: Mapping[str, str] | None = None) -> None:
    if execute(command, log, env=env):
        raise NotRun(reason)


def _apt_install(log: IO[str], *packages: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    reason = f"apt-get could not install {' '.join(packages)}"
    try:
        _run(log, *install, reason=reason, env=environment)
    except NotRun:
        _run(log, "apt-get", "update", "-q", reason="apt-get update failed", env=environment)
        _run(log, *install, reason=reason, env=environment)


def mirror() -> str:
    """The Debian mirror of this machine: ``DEBIAN_MIRROR``, else what apt is set up with.

    Raises:
        NotRun: there is none.
    """
    if chosen := os.environ.get("DEBIAN_MIRROR"):
        return chosen
    if shutil.which("apt-get"):
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
            capture_output=True, text=True, check=False,
        ).stdout.split()  # fmt: skip
        for address in listed:
            if re.search(r"/debian/?$", address):
                return address
    raise NotRun("apt here has no Debian mirror, and DEBIAN_MIRROR names none")


def check_can_make(log: IO[str]) -> None:
    """See that roots can be made here; installs debootstrap where it is missing.

    Raises:
        NotRun: why they cannot.
    """
    if os.name != "posix" or not shutil.which("unshare") or not shutil.which("chroot"):
        raise NotRun("needs Linux")
    if os.geteuid() != 0:
        raise NotRun("needs root for debootstrap and chroot: run it with sudo")
    if not shutil.which("debootstrap"):
        if not shutil.which("apt-get"):
            raise NotRun("needs debootstrap")
        _apt_install(log, "debootstrap")


def _machine_ca() -> Path | None:
    places = [
        os.environ.get("PIP_CERT"),
        os.environ.get("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",
    ]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)


def _apt_settings() -> str:
    """What this machine tells apt about reaching its mirrors."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    wanted = r"Acquire::(?:https?|ftp|Retries|Check-|Max-|Force|By-Hash|PDiffs|Queue)"
    return "".join(f"{line}\n" for line in dump.splitlines() if re.match(wanted, line))


class Root:
    """A folder with a Debian in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def inside(self, path: str) -> Path:
        """Where an absolute path of the root is on this machine."""
        return self.path / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        """Put a file there."""
        place = self.inside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)  # it may be a link that leads out of the root
        place.write_text(text, encoding="utf-8")

    def take_plumbing(self) -> None:
        """Take over how this machine reaches its mirror and its package index."""
        for name in ["/etc/resolv.conf", "/etc/hosts"]:
            if Path(name).is_file():
                self.write(name, Path(name).read_text(encoding="utf-8"))
        ca = _machine_ca()
        if ca:
            self.write(PLUMBING_CA, ca.read_text(encoding="utf-8"))
        self.write("/etc/apt/apt.conf.d/99matrix", _apt_settings() if shutil.which("apt-config") else "")
        home = Path.home()
        for source, target in [
            (Path("/etc/pip.conf"), "/etc/pip.conf"),
            (home / ".pip/pip.conf", "/root/.pip/pip.conf"),
            (home / ".config/pip/pip.conf", "/root/.config/pip/pip.conf"),
        ]:
            if source.is_file():
                self.write(target, source.read_text(encoding="utf-8"))

    def environment(self) -> dict[str, str]:
        """What a command in the root gets to see: little, and not this machine's own settings."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if re.fullmatch(r"PIP_(?!CERT|CONFIG_FILE|CACHE_DIR)\w+|(?i:https?|no|all)_proxy", name)
        }
        if self.inside(PLUMBING_CA).exists():
            kept["PIP_CERT"] = PLUMBING_CA
        return {**kept, "PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}

    def command(self, *command: str) -> list[str]:
        """A command on this machine that runs ``command`` in the root; all that it starts and mounts ends."""
        script = (
            'root=$1; shift; mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&'
            ' exec chroot "$root" "$@"'
        )
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--",
            "sh", "-c", script, "sh", str(self.path), *command,
        ]  # fmt: skip

    def run(self, log: IO[str], *command: str, cwd: str = "/", env: Mapping[str, str] | None = None) -> int:
        """Run a command in the root; what it says goes to ``log``. Returns its exit status."""
        moved = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd, *command]
        return execute(self.command(*moved), log, env={**self.environment(), **(env or {})})

    def apt(self, log: IO[str], *arguments: str) -> None:
        """``apt-get`` in the root.

        Raises:
            NotRun: it failed.
        """
        if self.run(log, "apt-get", "-q", "-y", "--no-install-recommends", *arguments):
            raise NotRun(f"apt-get {' '.join(arguments)} failed in {self}")

    def remove(self) -> None:
        """Take the folder away, and nothing that should be mounted in it."""
        if self.path.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", str(self.path)], check=True)


def minimal(suite: str, log: IO[str]) -> Root:
    """The root with nothing but Python 3, a shell and apt; made if it is not there.

    Raises:
        NotRun: debootstrap failed.
    """
    root = Root(CACHE / "roots" / f"minimal-{suite}")
    if not root.path.exists():
        check_can_make(log)
        new = Root(root.path.with_suffix(".new"))
        new.remove()
        new.path.parent.mkdir(parents=True, exist_ok=True)
        _run(
            log, "debootstrap", "--variant=minbase", "--include=python3", suite, str(new), mirror(),
            reason=f"debootstrap could not make a Debian {suite}",
        )  # fmt: skip
        new.take_plumbing()
        new.path.rename(root.path)
    root.take_plumbing()
    return root


def copy(source: Root, name: str, finish: Sequence[Sequence[str]], log: IO[str]) -> Root:
    """A root made from another one if it is not there yet, for which ``apt-get`` does what ``finish`` says.

    Raises:
        NotRun: apt-get failed.
    """
    root = Root(CACHE / "roots" / name)
    if not root.path.exists():
        new = Root(root.path.with_suffix(".new"))
        new.remove()
        subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(new)], check=True)
        new.take_plumbing()
        for arguments in finish:
            new.apt(log, *arguments)
        new.path.rename(root.path)
    root.take_plumbing()
    return root


def debian13(log: IO[str]) -> Root:
    """Debian 13 with the peers of the tests, in which what else they need is installed by ``./dev`` itself.

    Raises:
        NotRun: it cannot be made.
    """
    check_can_make(log)
    return copy(minimal("trixie", log), "debian13-peers", [["update"], ["install", *PEERS]], log)


def throwaway(suite: str, log: IO[str]) -> Root:
    """A new minimal root of this suite, to be removed after use.

    Raises:
        NotRun: it cannot be made.
    """
    check_can_make(log)
    source = minimal(suite, log)
    name = f"throwaway-{suite}"
    Root(CACHE / "roots" / name).remove()
    return copy(source, name, [], log)
