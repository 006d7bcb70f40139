"""The matrix's own machinery, as far as it needs no Debian: what it runs, and how it reads an outcome."""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import build_cffi
import matrix
import matrix_tree
import wheels
from matrix_roots import Failed, NotRun

HEAD = """\
platform linux -- Python 3.13.5, pytest-9.0, pluggy-1.6 -- /x
osslcmp: loaded OpenSSL 3.5.9 1 Sep 2026; built against OpenSSL 3.5.9
"""


def outcome(tmp_path: Path, text: str) -> str:
    log = tmp_path / "log"
    log.write_text(text, encoding="utf-8")
    return matrix.outcome(log)


@pytest.mark.parametrize(
    ("end", "read"),
    [
        ("==== 812 passed in 40.02s ====", "812 passed"),
        ("812 passed, 1 skipped in 140.02s (0:02:20)", "812 passed, 1 skipped"),
    ],
)
def test_outcome(tmp_path: Path, end: str, read: str) -> None:
    assert outcome(tmp_path, f"{HEAD}{end}\n") == f"OpenSSL 3.5.9, Python 3.13.5: {read}"


@pytest.mark.parametrize(
    "end",
    [
        "1 failed, 811 passed in 1.0s",
        "811 passed, 2 errors in 1.0s",
        "no tests ran in 0.1s",
        "3 skipped in 1.0s",
        "",
    ],
)
def test_what_is_no_pass(tmp_path: Path, end: str) -> None:
    with pytest.raises(Failed):
        outcome(tmp_path, f"{HEAD}==== {end} ====\n")


def test_a_pass_needs_the_versions_and_exit_status_0(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="did not get to their end"):
        outcome(tmp_path, "==== 812 passed in 40.02s ====\n")
    path = tmp_path / "log"
    path.write_text(f"{HEAD}812 passed in 1.0s\n", encoding="utf-8")
    with path.open() as log, pytest.raises(Failed, match="exit status 1"):
        matrix.checked(1, log)


def test_this_python_is_among_the_pythons() -> None:
    t = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    assert f"python3.{sys.version_info[1]}{t}" in matrix.pythons()


def test_floors_are_those_of_the_project() -> None:
    names = {floor.split("==")[0] for floor in matrix.floors()}
    assert {"cffi", "cryptography", "tornado", "rich"} <= names


def test_the_readme_starts_with_demo_and_test() -> None:
    assert matrix.readme_commands() == ["./dev demo", "./dev test"]


@pytest.mark.parametrize(
    ("entry", "options", "status"),
    [
        (lambda log: "fine", [], 0),
        (lambda log: missing(), [], 1),
        (lambda log: failing(), [], 1),
        (lambda log: missing(), ["one"], 0),
        (lambda log: missing(), ["one", "--must", "one"], 1),
        (lambda log: failing(), ["one"], 1),
    ],
)
def test_exit_status(
    entry: object,
    options: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run of nothing is no success; one entry that did not run counts only when it must."""
    one = matrix.Entry("first", "", entry)  # type: ignore[arg-type]
    two = matrix.Entry("one", "", entry)  # type: ignore[arg-type]
    fine = matrix.Entry("fine", "", lambda log: "fine")
    known = [two, fine] if options else [one]
    monkeypatch.setattr(matrix, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(matrix, "entries", lambda: iter(known))
    monkeypatch.setattr(sys, "argv", ["matrix", *(["fine"] if options else []), *options])
    assert matrix.main() == status
    line = capsys.readouterr().out.splitlines()[-2 if options else -1]
    assert ("DID NOT RUN: no luck" in line) or ("FAILED: bad" in line) or line.endswith("fine")


def missing() -> str:
    raise NotRun("no luck")


def failing() -> str:
    raise Failed("bad")


def test_trees_follow_the_source_and_keep_what_was_built(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    for path in ["src/x.py", "src/y.py", ".venv/z", "src/_native.so"]:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("1")
    matrix_tree.synchronize(source, target)
    assert {str(path) for path in matrix_tree.files(target)} == {"src/x.py", "src/y.py"}
    (target / ".venv").mkdir()
    (target / "src" / "_native.so").touch()
    (source / "src" / "y.py").unlink()
    (source / "src" / "x.py").write_text("2")
    matrix_tree.synchronize(source, target)
    assert (target / "src" / "x.py").read_text() == "2"
    assert not (target / "src" / "y.py").exists()
    assert (target / ".venv").exists()
    assert (target / "src" / "_native.so").exists()


def test_static_linking_hides_and_orders_the_archives() -> None:
    words = build_cffi.static_link_args()
    start, end = words.index("-Wl,-Bstatic"), words.index("-Wl,-Bdynamic")
    assert words.index("-Wl,--exclude-libs,ALL") > end
    assert {"-lssl", "-lcrypto"} <= set(words[start:end])
    assert not {"-lpthread", "-ldl", "-lc"} & set(words[start:end])


def test_openssl_inside_a_wheel_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("osslcmp/_native.abi3.so", b"\0OpenSSL 3.5.9 1 Sep 2026\0")
    assert wheels.openssl_inside(path) == "3.5"
