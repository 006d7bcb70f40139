"""``mypy --strict`` on the API as its users type it, with the package as an installation leaves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import get_type_hints

import pytest

import make_arguments
import osslcmp
from osslcmp import CertificateRequest
from osslcmp.client import arguments as _arguments
from osslcmp.context.deadline import OnWait
from osslcmp.server import ServerTLS

HERE = Path(__file__).parents[1]
ROOT = HERE.parent


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment into which the package is installed, without its compiled part."""
    folder = tmp_path_factory.mktemp("typed")
    venv.create(folder / "venv", symlinks=True)
    interpreter = folder / "venv" / "bin" / "python"
    said = subprocess.run(
        [interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True, env=_environment(),
    )  # fmt: skip
    site = Path(said.stdout.strip())
    build = ["setup.py", "-q", "egg_info", "--egg-base", str(folder), "build_py", "--build-lib", str(site)]
    subprocess.run([sys.executable, *build], cwd=ROOT, check=True, timeout=300)
    assert {"py.typed", "__init__.pyi", "_native.pyi"} <= {path.name for path in (site / "osslcmp").iterdir()}
    # What osslcmp needs is taken from where this runs.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return interpreter


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}}


def test_api(python: Path, tmp_path: Path) -> None:
    """All of tests/typing/api.py is right, and what is wrong in it on purpose is noticed."""
    shutil.copy(HERE / "typing" / "api.py", tmp_path)
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--no-error-summary",
            "--python-executable", python, "api.py",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False, env=_environment(),
    )  # fmt: skip
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_types_of_arguments_are_fresh() -> None:
    """The stub that type checkers read is made of CertificateRequest and Client."""
    assert make_arguments.STUB.read_text(encoding="utf-8") == make_arguments.make(), (
        "stale: run python tools/make_arguments.py"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (_arguments.EnrollArguments, {"key"}),
        (_arguments.P10Arguments, {"csr"}),
        (_arguments.BeginArguments, set()),
    ],
    ids=["enroll", "p10cr", "begin"],
)
def test_arguments_of_requests(arguments: type, named: set[str]) -> None:
    """At run time they are the fields of CertificateRequest; ``named`` are parameters by themselves."""
    fields = get_type_hints(CertificateRequest)
    waits = {"on_wait": OnWait | None} if named else {}
    assert get_type_hints(arguments) == {
        **{name: kind for name, kind in fields.items() if name not in named}, **waits
    }  # fmt: skip


def test_annotations_can_be_read_at_run_time() -> None:
    """By editors and documentation tools; typing_extensions is no dependency."""
    for client in (osslcmp.Client, osslcmp.AsyncClient):
        for name in ("ir", "cr", "p10cr", "kur", "begin"):
            assert get_type_hints(getattr(client, name))["request"]
    for one in (osslcmp.CertificateCheck, osslcmp.Enrollment, osslcmp.TLS, ServerTLS):
        assert get_type_hints(one)
