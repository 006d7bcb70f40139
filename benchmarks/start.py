"""Whole processes, from their start to their end: ``osslcmp cmp`` beside ``openssl cmp``, and what an import takes.

The time is the processor's, of the process and its children: the machine's other work matters little. The installation is
what a user has, osslcmp and what it needs: each further package may have the interpreter do more.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import venv
from pathlib import Path

from support import openssl
from support.mock_server import MockServer

from .rounds import Round, Run, compare

#: As pip and uv make it.
_SCRIPT = """\
#!{python}
# -*- coding: utf-8 -*-
{imports}import sys
from osslcmp.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""


def _installed(directory: Path) -> Path:
    """The folder with the programs of a virtual environment that has osslcmp and what it needs."""
    home = directory / "installed"
    if not home.exists():
        venv.create(home, symlinks=True)
        (packages,) = home.glob("lib/python*/site-packages")
        for name in ("osslcmp", "cryptography", "cffi", "_cffi_backend", "typing_extensions"):
            if (spec := importlib.util.find_spec(name)) is not None and spec.origin is not None:
                found = Path(spec.origin)
                found = found.parent if found.name == "__init__.py" else found
                (packages / found.name).symlink_to(found)
        for script, imports in (("osslcmp", ""), ("osslcmp-older", "import re\n")):
            path = home / "bin" / script
            path.write_text(_SCRIPT.format(python=home / "bin" / "python", imports=imports))
            path.chmod(0o755)
    return home / "bin"


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _process(command: list[str], directory: Path) -> Round:
    # As in an installation, where the bytecode of all modules is there from the first start on.
    environment = {**openssl.clean_environment(), "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(count: int) -> float:
        start = _spent()
        for _ in range(count):
            subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=True)
        return (_spent() - start) * 1e9 / count

    return run


def _python(code: str, directory: Path) -> Round:
    return _process([str(_installed(directory) / "python"), "-c", code], directory)


def bench_imports(run: Run) -> None:
    """What the first use of the library takes, beside that of the library under it; an empty interpreter included."""
    base, ours = "import cryptography.x509", "import osslcmp; osslcmp.Client"
    runs = {code: _python(code, run.directory) for code in (base, ours, "pass")}
    compare(run, "imports", runs, base=base, what="processes", goals={ours: 1.5})


def bench_start(run: Run) -> None:
    """``cmp -help``, and an ir with certConf against one running ``openssl cmp -port``."""
    nothing, programs = {"python -c pass": _python("pass", run.directory)}, _installed(run.directory)
    runs = {
        "openssl cmp -help": _process([*openssl.command(), "cmp", "-config", "", "-help"], run.directory),
        "osslcmp cmp -help": _process([str(programs / "osslcmp"), "cmp", "-help"], run.directory),
        **nothing,
        # Its script begins with an import of re (pypa/pip#13166).
        "by the script of an older pip": _process(
            [str(programs / "osslcmp-older"), "cmp", "-help"], run.directory
        ),
    }
    compare(run, "cmp -help", runs, what="processes", base="openssl", goals={"osslcmp cmp -help": 4})
    server = MockServer(srv_ref="ref", srv_secret=b"secret", rsp_cert=run.pki.enrolled.cert_file, verbosity=3)
    with server:
        options: dict[str, openssl.Value] = {
            "config": "",
            "cmd": "ir",
            "server": server.url,
            "ref": "ref",
            "secret": b"secret",
            "subject": "/CN=x",
            "newkey": run.pki.enrolled.key_file,
            "certout": run.directory / "new.pem",
        }
        words = openssl.arguments(options)
        runs = {
            "openssl cmp -cmd ir": _process([*openssl.command(), "cmp", *words], run.directory),
            "osslcmp cmp -cmd ir": _process([str(programs / "osslcmp"), "cmp", *words], run.directory),
            **nothing,
            "python -c 'import cryptography.x509'": _python("import cryptography.x509", run.directory),
        }
        compare(
            run,
            "ir by the command",
            runs,
            what="processes",
            base="openssl",
            goals={"osslcmp cmp -cmd ir": 6},
        )
