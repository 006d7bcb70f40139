"""docs/operations.md: its commands, run from top to bottom, and the unit for systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import guides
from support.raw_server import free_port

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOOLS = [name for name in ("bash", "curl", "sqlite3") if shutil.which(name) is None]


@pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {', '.join(TOOLS)}")
def test_each_step_does_what_the_guide_says(tmp_path: Path) -> None:
    """A server is set up, watched, reloaded, backed up, restored, rotated, updated and loses its database."""
    blocks = guides.blocks((DOCS / "operations.md").read_text(encoding="utf-8"), "sh")
    assert len(blocks) > 10
    script = "\n".join([
        "set -o pipefail", "trap 'kill $server || :; cat log >&2' EXIT", *(block.code for block in blocks), "trap - EXIT",
    ])  # fmt: skip
    told = guides.Shell(tmp_path).run(script.replace("8080", str(free_port())), time_limit=280)
    log = (tmp_path / "log").read_text()
    assert told.count("ok\n") == 5
    assert "Traceback" not in log
    assert re.search(r"device-2  used=0  names=CN=device-2  uses=1", told)
    assert not told.endswith("CN=device-1\n")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_unit(tmp_path: Path) -> None:
    """systemd understands all of it, and finds it hardened."""
    unit = tmp_path / "osslcmp.service"
    unit.write_text((DOCS / "osslcmp.service").read_text().replace("/opt/osslcmp/bin/osslcmp", "/bin/true"))
    for command in (["verify"], ["security", "--offline=true", "--threshold=15"]):
        done = subprocess.run(
            ["systemd-analyze", *command, str(unit)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Unknown" not in done.stderr
