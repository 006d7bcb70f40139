"""How ``./dev memcheck`` judges what valgrind tells; running it needs valgrind and minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

import memcheck

OURS = ("f", "/x/src/osslcmp/_native.abi3.so")
OPENSSL = ("g", "/usr/lib/libcrypto.so.3")
PYTHON = ("h", "/usr/lib/libpython3.11.so.1.0")
VALGRIND = ("malloc", "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so")
IMPORT = ("PyInit__native", OURS[1])


@pytest.mark.parametrize(
    ("kind", "frames", "counts"),
    [
        ("InvalidRead", [PYTHON], True),
        ("InvalidWrite", [VALGRIND, OURS], True),
        ("InvalidFree", [OPENSSL], True),
        ("UninitCondition", [VALGRIND, OPENSSL, OURS], True),
        ("UninitCondition", [OURS], True),
        ("UninitCondition", [PYTHON, OURS], False),
        ("Leak_DefinitelyLost", [VALGRIND, OPENSSL, OURS, PYTHON], True),
        ("Leak_DefinitelyLost", [VALGRIND, PYTHON], False),
        ("Leak_DefinitelyLost", [VALGRIND, PYTHON, IMPORT], False),
        ("Leak_StillReachable", [VALGRIND, OPENSSL, OURS], False),
    ],
)
def test_what_counts(kind: str, frames: list[tuple[str, str]], counts: bool) -> None:
    assert memcheck.Finding(kind, "", frames).counts() is counts


REPORT = """<?xml version="1.0"?>
<valgrindoutput>
<error><kind>Leak_DefinitelyLost</kind><xwhat><text>5 bytes are lost</text></xwhat>
<stack><frame><obj>/x/_native.abi3.so</obj><fn>osslcmp_now_ms</fn></frame></stack></error>
<error><kind>InvalidRead</kind><what>Invalid read</what>
<stack><frame><obj>/x/libcrypto.so.3</obj></frame></stack>
<auxwhat>freed</auxwhat><stack><frame><obj>/x/_native.abi3.so</obj><fn>f</fn></frame></stack></error>
</valgrindoutput>
"""


def test_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    first, second = memcheck.findings(report)
    assert first == ("Leak_DefinitelyLost", "5 bytes are lost", [("osslcmp_now_ms", "/x/_native.abi3.so")])
    assert second == ("InvalidRead", "Invalid read", [("", "/x/libcrypto.so.3")])
    assert str(second) == "InvalidRead: Invalid read\n    ? (libcrypto.so.3)"
