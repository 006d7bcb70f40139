"""What the command imports: start-up is most of what a script waits for. Not timed here; see benchmarks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import openssl
from support.command import environment
from support.mock_server import MockServer
from support.pki import PKI

#: Beside what every Python process has imported before it runs anything.
HELP = {"gc", "osslcmp", "osslcmp.cli"}
#: What a request does without, though the library or the other commands use it.
HEAVY = [
    "argparse",
    "asyncio",
    "base64",
    "cryptography",
    "tornado",
    "ctypes",
    "dataclasses",
    "datetime",
    "email",
    "getpass",
    "httpx",
    "inspect",
    "ipaddress",
    "json",
    "logging",
    "pathlib",
    "pytest",
    "queue",
    "requests",
    "rich",
    "socket",
    "sqlalchemy",
    "tomllib",
    "unittest",
    "urllib",
    "urllib3",
    "osslcmp.client.aio",
    "osslcmp.client",
    "osslcmp.server",
    "osslcmp.trace",
    "osslcmp.context.crmf",
    "osslcmp.context.general",
    "osslcmp.context.hints",
    "osslcmp.message",
    "osslcmp._asn1.schema",
    "osslcmp._openssl.certificate_check",
    "osslcmp._openssl.name_texts",
    "osslcmp._openssl.tls",
    "osslcmp._openssl.verify",
    "osslcmp.client.transaction",
    "osslcmp.cli.serve",
    "osslcmp.cli.openssl_cmp.mock",
    "osslcmp.cli.openssl_cmp.genm",
]
MODULES = 54
"""Of ours, that an enrolment by the command loads. The fewer the better: lower it when it can be."""


def imported(code: str, *words: str, cwd: Path | None = None) -> set[str]:
    """Modules that a process imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *words],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^import time:[\s\d]+\|[\s\d]+\| +(\S+)$", done.stderr, re.MULTILINE))


RUN = "import sys\nfrom osslcmp.cli import main\nsys.exit(main(['cmp', *sys.argv[1:]]))"


def test_help_imports_next_to_nothing() -> None:
    """The table of the options, and what shows it."""
    bare = imported("import sys")
    assert imported("from osslcmp.cli import main\nmain(['help'])") - bare == HELP
    assert imported(RUN, "-help") - bare == {*HELP, "osslcmp.cli.openssl_cmp"}


@pytest.mark.peer
def test_an_ir_imports_what_it_needs(pki: PKI, tmp_path: Path) -> None:
    """Against a real server."""
    with MockServer(srv_ref="ref", srv_secret=b"secret", rsp_cert=pki.enrolled.cert_file) as server:
        options: dict[str, openssl.Value] = {
            "config": "",
            "cmd": "ir",
            "server": server.url,
            "ref": "ref",
            "secret": b"secret",
            "subject": "/CN=x",
            "newkey": pki.enrolled.key_file,
            "certout": tmp_path / "new.pem",
        }
        seen = imported(RUN, *openssl.arguments(options), cwd=tmp_path)
    assert (tmp_path / "new.pem").exists()
    assert "osslcmp.context" in seen
    heavy = {
        module for module in seen if any(module == name or module.startswith(f"{name}.") for name in HEAVY)
    }
    assert not heavy
    assert len({module for module in seen if module.partition(".")[0] == "osslcmp"}) <= MODULES
