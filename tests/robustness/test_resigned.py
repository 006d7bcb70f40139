"""A message with a wrong signature, after one of the same transaction whose signature was right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import resigned
from support.processes import importing

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("who", ["client", "server", "mock"])
def test_its_signer_is_still_there(who: str) -> None:
    """libcrypto looks at the certificate of the signer before, which must not be gone: it was, where the context knew a
    copy of it, so that anybody could end a client with one answer."""
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "support.resigned", who],
        capture_output=True,
        text=True,
        timeout=300,
        env=importing(TESTS, **resigned.OVERWRITING),
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.endswith("END\n")
