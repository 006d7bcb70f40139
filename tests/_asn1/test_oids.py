"""Object identifiers: each once, in ``_asn1/oids.py``."""

from __future__ import annotations

import re
from pathlib import Path

import osslcmp
from osslcmp._asn1 import oids

ROOT = Path(osslcmp.__file__).parent


def test_no_other_module_writes_one() -> None:
    """A dotted string of four numbers or more stands in the table alone."""
    dotted = re.compile(r'["\'][012](\.\d+){3,}\.?["\']')
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in ROOT.rglob("*.py")
        if path.name != "oids.py"
        for match in dotted.finditer(path.read_text())
    }
    addresses = {one for one in found if "127.0.0" in one or "0.0.0.0" in one}
    assert not found - addresses


def test_each_stands_once() -> None:
    """Two names for one identifier would be two ways to say it."""
    values = [one for name, value in vars(oids).items() if name.isupper() and name[0] != "_"
              for one in ([value] if isinstance(value, str) else value)]  # fmt: skip
    assert len(values) == len(set(values))
