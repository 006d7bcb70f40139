"""How ``./dev sanitize`` judges what LeakSanitizer tells; running it takes a build and minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

import build_cffi
import sanitize

ROOT = Path(__file__).resolve().parents[2]
OURS = "    #1 0x7f in osslcmp_session_new (/x/build/sanitized/osslcmp/_native.abi3.so+0x1)\n"
IMPORT = "    #2 0x7f in PyInit__native (/x/build/sanitized/osslcmp/_native.abi3.so+0x2)\n"
OTHERS = "    #1 0x7f in _PyObject_Malloc (/usr/lib/libpython3.11.so.1.0+0x3)\n"


@pytest.mark.parametrize(("frames", "count"), [(OURS, 1), (OURS + IMPORT, 0), (OTHERS, 0)])
def test_which_leaks_count(frames: str, count: int) -> None:
    block = f"Direct leak of 5 byte(s) in 1 object(s) allocated from:\n    #0 0x7f in malloc\n{frames}"
    report = f"==1==ERROR: LeakSanitizer: detected memory leaks\n\n{block}\n{block}\nSUMMARY: AddressSanitizer: 10 bytes\n"
    assert len(sanitize.ours(report)) == 2 * count


def test_what_is_left_out_is_there() -> None:
    assert all((ROOT / name).exists() for name in sanitize.NOT_RUN)


def test_sanitizers_are_asked_for_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSSLCMP_SANITIZE", raising=False)
    assert build_cffi.sanitizer_args() == []
    monkeypatch.setenv("OSSLCMP_SANITIZE", "address,undefined")
    assert "-fsanitize=address,undefined" in build_cffi.sanitizer_args()
