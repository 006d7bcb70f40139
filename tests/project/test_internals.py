"""docs/internals.md says what the code does: the names are those in the code, and each state is entered in one place."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

from osslcmp.context.polling import State

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "osslcmp"
TEXT = (ROOT / "docs" / "internals.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", TEXT.replace("```", ""))))
MODULES = [
    importlib.import_module(f"osslcmp.{name}")
    for name in (
        "client", "client.aio", "client.transaction", "context", "context.calls", "context.deadline", "context.guard",
        "context.polling", "server", "server.answers", "server.configuration", "server.engine", "server.handler",
        "server.persistent", "server.steps", "server.transaction_store", "server.wire",
    )
]  # fmt: skip
GLUE = "\n".join(path.read_text(encoding="ascii") for path in (ROOT / "vendor-headers" / "glue").glob("*.c"))


def exists(name: str) -> bool:
    """Whether the code has it: a file, a word of the C code, a state, or a class or function and what it has."""
    if "/" in name:
        return (PACKAGE / name).is_file() or (ROOT / name).is_file()
    if re.match(r"(?i)ossl_?cmp_", name):
        return re.search(rf"\b{name}\b", GLUE) is not None
    if name in {"None", *State.__members__}:
        return True
    first, *rest = name.split(".")
    found = next((getattr(module, first) for module in MODULES if hasattr(module, first)), None)
    return found is not None and all(
        hasattr(found, attribute) or attribute in set_by(found) for attribute in rest
    )


def set_by(thing: object) -> set[str]:
    """What a class declares, and the attributes that its ``__init__`` sets."""
    code = getattr(getattr(thing, "__init__", None), "__code__", None)
    return {*getattr(thing, "__annotations__", {}), *(code.co_names if code is not None else ())}


def test_names() -> None:
    """What the page sets as code is in the code."""
    assert len(NAMES) > 40
    assert [name for name in NAMES if not exists(name)] == []
    assert not exists("Polling.no_such_name")


def test_states() -> None:
    """All are told, and each is entered in one method, the one that is told."""
    told = dict(re.findall(r"^\| `([A-Z]+)` \|.*\| `Polling\.(\w+)` \|$", TEXT, re.MULTILINE))
    entered: dict[str, str] = {}
    (polling,) = (
        node
        for node in ast.parse((PACKAGE / "context" / "polling.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "Polling"
    )
    for method in polling.body:
        if not isinstance(method, ast.FunctionDef) or method.name == "__init__":
            continue
        for node in ast.walk(method):
            if isinstance(node, ast.Assign) and "self._state" in ast.unparse(node.targets[0]):
                states = re.findall(r"State\.([A-Z]+)", ast.unparse(node.value))
                assert states
                for state in states:
                    assert state not in entered, f"{state}: in {entered[state]} and in {method.name}"
                    entered[state] = method.name
    assert entered == told
    assert set(told) == set(State.__members__)
