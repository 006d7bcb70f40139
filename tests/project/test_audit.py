"""What ``./dev lint`` makes of pip-audit's report: tools/audit.py."""

from __future__ import annotations

from typing import Any

import audit

SKIPPED: dict[str, Any] = {
    "name": "a",
    "skip_reason": "Dependency not found on PyPI and could not be audited: a (1.0)",
}
GOOD: dict[str, Any] = {"name": "b", "version": "2.0", "vulns": []}
BAD: dict[str, Any] = {
    "name": "c",
    "version": "3.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.1"]}],
}


def test_nothing_checked_is_no_pass() -> None:
    """A service that knows nothing, as a mirror of packages alone, has checked nothing."""
    for report in ([], [SKIPPED, SKIPPED]):
        status, text = audit.verdict(report)
        assert status == 0
        assert "DID NOT RUN" in text
        assert "no dependency was checked" in text


def test_known_vulnerabilities_fail() -> None:
    """Each is named with the release that mends it; what was left out is counted."""
    assert audit.verdict([GOOD, GOOD]) == (0, "pip-audit: 2 dependencies checked")
    assert audit.verdict([GOOD, SKIPPED]) == (0, "pip-audit: 1 dependencies checked, 1 NOT CHECKED")
    status, text = audit.verdict([GOOD, BAD])
    assert status == 1
    assert text.splitlines()[0] == "c 3.0: PYSEC-2026-1, mended in 3.1"
