"""docs/client.md: its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

from osslcmp.server import EmbeddedCA, waiting

GUIDE = (Path(__file__).parents[2] / "docs/client.md").read_text()
EXAMPLES = [
    dedent(code) for code in re.findall(r"^ *```python\n(.*?)^ *```$", GUIDE, re.MULTILINE | re.DOTALL)
]


def test_examples() -> None:
    """One after the other, in one namespace, at a server that makes clients wait now and then."""
    assert len(EXAMPLES) > 8
    ca = EmbeddedCA({"4711": "from the envelope"})
    with ca.server().serve() as running:
        namespace: dict[str, Any] = {"url": running.url, "root": ca.root}
        for number, example in enumerate(EXAMPLES):
            ca.policy = waiting(3, check_after=0) if "begin(" in example else None
            exec(compile(example, f"docs/client.md, example {number}", "exec"), namespace)
    assert namespace["pending"].result.certificate in [record.certificate for record in ca.records]


def test_every_method_is_mentioned() -> None:
    """What the client can do can be found."""
    from osslcmp import Client

    public = [name for name in vars(Client) if not name.startswith("_")]
    public += [name for base in Client.__bases__ for name in vars(base) if not name.startswith("_")]
    assert [name for name in public if name not in GUIDE] == []
