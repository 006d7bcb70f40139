"""A sample of ``./dev faults``: memory that libcrypto does not get, and signals, at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import faults

FLOWS = ["ir-mac", "ir-signature", "kur-signature", "rr-signature", "genm-mac", "https"]
NEVER = ["https-wrong-name", "https-wrong-address"]


@pytest.mark.parametrize("flow", [*FLOWS, *NEVER])
def test_allocation_fails(flow: str) -> None:
    """An exception or the right result; and never a server whose name does not fit."""
    try:
        (outcome,) = faults.search(faults.Plan(seconds=2, seed=1), [flow])
    except faults.NotReachedError:
        pytest.skip("the extension has an OpenSSL of its own inside, which cannot be made to fail")
    assert outcome.findings == []
    assert outcome.tried > 0


@pytest.mark.parametrize("flow", ["ir-mac", "ir-signature", "https"])
def test_signal_strikes(flow: str) -> None:
    """The same for a signal handler that raises."""
    (outcome,) = faults.search(faults.Plan(signals=True, count=150, seconds=5, seed=1), [flow])
    assert outcome.findings == []
    assert outcome.tried > 0


def test_what_counts(tmp_path: Path) -> None:
    """A crash, a wrong result and a flow that does not even work are told."""
    outcome = faults.Outcome("x")
    script = tmp_path / "child.py"
    script.write_text(
        "import os, sys\nos.write(int(sys.argv[2]), b'count 7\\nat 3\\nwrong 3: why\\nat 4\\n')\nos.abort()\n"
    )
    real = faults.__file__
    faults.__file__ = str(script)
    try:
        assert faults.run_child(tmp_path, faults.Plan(), outcome) == 4
    finally:
        faults.__file__ = real
    assert (outcome.tried, outcome.total) == (2, 7)
    assert [finding.partition(" with")[0] for finding in outcome.findings] == ["3: why", "4: ends"]


STACK = """/tmp/x/faults.so(+0x12cd)[0x7f5eda5cb2cd]
/lib/x86_64-linux-gnu/libc.so.6(+0x3c050)[0x7f5edac5a050]
/lib/x86_64-linux-gnu/libcrypto.so.3({}+0x6f)[0x7f5eda0ec2af]
/lib/x86_64-linux-gnu/libcrypto.so.3(+0x2edbd1)[0x7f5eda0edbd1]
/lib/x86_64-linux-gnu/libcrypto.so.3(ASN1_item_dup+0x175)[0x7f5ed9ee7185]
/lib/x86_64-linux-gnu/libcrypto.so.3(OSSL_CMP_CTX_set1_p10CSR+0x1e)[0x7f5ed9f3ed1e]
"""


def test_known_crashes() -> None:
    """A crash of libcrypto's own is known by where it is, and hides no other."""
    known = faults.known_crash(STACK.format("X509_PUBKEY_set"))
    assert known is not None
    assert known.startswith("X509_PUBKEY_set < ASN1_item_dup")
    assert faults.known_crash(STACK.format("X509_PUBKEY_get0")) is None
    assert faults.known_crash("") is None


def test_command() -> None:
    """It knows its options and all of its flows."""
    command = [sys.executable, faults.__file__, "--help"]
    wide = {**os.environ, "COLUMNS": "1000"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=wide)
    assert all(flow in run.stdout for flow in faults.names())
