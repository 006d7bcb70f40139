"""nginx and Apache httpd, where they are installed: started with a configuration of one's own, as any user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from .processes import until
from .raw_server import free_port

_FOLDERS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
NGINX = shutil.which("nginx", path=_FOLDERS)
APACHE = shutil.which("apache2", path=_FOLDERS) or shutil.which("httpd", path=_FOLDERS)
APACHE_MODULES = next(
    (
        folder
        for folder in map(
            Path, ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")
        )
        if folder.is_dir()
    ),
    None,
)

needs_both = pytest.mark.skipif(
    NGINX is None or APACHE is None or APACHE_MODULES is None,
    reason="NOT TESTED: nginx or Apache httpd is not installed, so that no proxy of theirs stood before the server",
)


@contextmanager
def _running(folder: Path, command: list[str], ports: tuple[int, ...]) -> Iterator[None]:
    """A web server in the foreground, which is ready when it takes connections at all of its ports."""
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or all(map(_takes_connections, ports)), 30)
        assert process.poll() is None, log.read_text(errors="replace")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def nginx(folder: Path, servers: str, ports: tuple[int, ...]) -> AbstractContextManager[None]:
    """nginx with these ``server`` blocks, in a folder of its own."""
    folder.mkdir()
    temporary = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\n  access_log off;\n{temporary}{servers}}}\n"
    )
    assert NGINX is not None
    command = [NGINX, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    return _running(folder, command, ports)


def apache(
    folder: Path, modules: list[str], settings: str, ports: tuple[int, ...]
) -> AbstractContextManager[None]:
    """Apache httpd with these modules and settings, in a folder of its own."""
    folder.mkdir()
    folder.chmod(0o755)
    lines = [f"ServerRoot {folder}", f"PidFile {folder}/pid", "ServerName localhost", "ErrorLog |/bin/cat"]
    assert APACHE is not None
    assert APACHE_MODULES is not None
    found = {name: APACHE_MODULES / f"mod_{name}.so" for name in ("mpm_event", "authz_core", *modules)}
    lines += [
        f"LoadModule {name}_module {path}" for name, path in found.items() if path.exists()
    ]  # or built in
    lines += [f"Listen 127.0.0.1:{port}" for port in ports]
    if os.geteuid() == 0:
        lines += ["User nobody", "Group nogroup"]
    (folder / "httpd.conf").write_text("\n".join([*lines, settings]))
    command = [APACHE, "-d", str(folder), "-f", str(folder / "httpd.conf"), "-D", "FOREGROUND"]
    return _running(folder, command, ports)


def ports(number: int) -> tuple[int, ...]:
    """So many free ones."""
    found: set[int] = set()
    while len(found) < number:
        found.add(free_port())
    return tuple(found)
