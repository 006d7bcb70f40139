"""The examples of docs/server.md do what they say, and its table is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

import osslcmp

GUIDE = (Path(__file__).parents[2] / "docs/server.md").read_text()


def test_examples() -> None:
    """One after the other, as they stand there."""
    found = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(found) >= 5
    space: dict[str, object] = {}
    for number, code in enumerate(found):
        exec(compile(code, f"docs/server.md, example {number}", "exec"), space)


def test_every_failure_is_one() -> None:
    for name in re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE):
        assert hasattr(osslcmp.FailureInfo, name)
