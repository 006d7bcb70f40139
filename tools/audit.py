"""``./dev lint``: asks an advisory service for known vulnerabilities of what is installed in .venv (pip-audit).

Where no service answers, nothing is checked, and that is said: it is no failure, and no success either.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

#: Seconds for all of it.
LIMIT = 120
_NOT_RUN = "pip-audit: DID NOT RUN: {}: no dependency was checked for known vulnerabilities"


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, str]:
    """The exit status and what to say.

    Args:
        dependencies: those of pip-audit's JSON.
    """
    checked = [one for one in dependencies if "skip_reason" not in one]
    if not checked:
        return 0, _NOT_RUN.format("no advisory service knows any of them here")
    lines = [
        f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no release'}"
        for one in checked
        for found in one["vulns"]
    ]
    left = len(dependencies) - len(checked)
    lines.append(
        f"pip-audit: {len(checked)} dependencies checked" + (f", {left} NOT CHECKED" if left else "")
    )
    return int(len(lines) > 1), "\n".join(lines)


def main() -> int:
    """Run pip-audit. Returns 1 if something is known."""
    command = [
        sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off", "--timeout",
        "5", "--format", "json",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        dependencies = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        status, text = 0, _NOT_RUN.format(f"no answer in {LIMIT} seconds")
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or ["it printed nothing"]
        status, text = 0, _NOT_RUN.format(lines[-1])
    else:
        status, text = verdict(dependencies)
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
