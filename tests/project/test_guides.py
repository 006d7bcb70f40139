"""The guides: every block of them runs, from top to bottom, in an empty folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support import guides
from support.guides import DOCS

import osslcmp.renewal.config as renewal_config

pytestmark = pytest.mark.peer

#: What some need: programs, and a provider of OpenSSL.
NEEDED = {
    "tpm": (["swtpm", "tpm2_create"], "tpm2"),
    "hsm": (["softhsm2-util", "pkcs11-tool"], "pkcs11"),
}


@pytest.mark.parametrize("page", guides.GUIDES, ids=lambda page: page.stem)
def test_guide_runs(page: Path, tmp_path: Path) -> None:
    """As it stands, with another port."""
    programs, provider = NEEDED.get(page.stem, ([], ""))
    missing = [program for program in ("curl", *programs) if shutil.which(program) is None]
    if provider and not list(Path("/usr/lib").glob(f"*/ossl-modules/{provider}.so")):
        missing.append(f"the provider {provider}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert guides.blocks(page.read_text(encoding="utf-8"), *guides.RUN)
    print(guides.run(page, tmp_path))


def test_units_of_systemd(tmp_path: Path) -> None:
    """systemd finds nothing wrong with the service and the timer."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    units = guides.blocks((DOCS / "renewal.md").read_text(encoding="utf-8"), "ini")
    assert len(units) == 2
    for unit in units:
        assert unit.file is not None
        (tmp_path / unit.file).write_text(unit.code)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / str(unit.file)) for unit in units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_services(tmp_path: Path) -> None:
    """systemd misses nothing but the program in the services of serve.md and of operations.md."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (unit,) = guides.blocks((DOCS / "serve.md").read_text(encoding="utf-8"), "ini")
    for number, text in enumerate((unit.code, (DOCS / "osslcmp.service").read_text(encoding="utf-8"))):
        file = tmp_path / f"osslcmp{number}.service"
        file.write_text(text)
        command = ["systemd-analyze", "verify", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        told = [line for line in done.stderr.splitlines() if "osslcmp is not executable" not in line]
        assert told == []


def test_all_keys_of_renewal_are_told() -> None:
    """Each in the table of its guide."""
    table = (DOCS / "renewal.md").read_text(encoding="utf-8").partition("## All keys")[2]
    for key in renewal_config.KEYS:
        assert f"`{key}`" in table, key
