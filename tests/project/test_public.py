"""The public names: public-names.txt has what docs/stability.md promises, and a test holds the code to it.

``python tests/project/test_public.py`` writes the file anew: what that changes is what the changelog has to tell.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from importlib.metadata import version
from pathlib import Path

import pytest
from support.public import MODULES

import osslcmp

LIST = Path(__file__).with_name("public-names.txt")
ROOT = Path(__file__).resolve().parent.parent.parent
#: Of these OpenSSL's documentation promises the names, and which there are is up to its release.
FOREIGN = {"osslcmp.ffi", "osslcmp.lib"}


def arguments(thing: object) -> str:
    """Names, kinds and presence of defaults of its parameters; types and values are no part of the promise."""
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    plain = [
        p.replace(annotation=p.empty, default=... if p.default is not p.empty else p.empty)
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    return str(inspect.Signature(plain)).replace("Ellipsis", "...")


def members(name: str, thing: type) -> Iterator[str]:
    """The public members that it or a class of ours above it defines; fields and members of enumerations, too."""
    found: set[str] = set()
    for owner in thing.__mro__:
        if owner.__module__.startswith("osslcmp"):
            found |= {*vars(owner), *inspect.get_annotations(owner)}
            found |= set(owner.__members__) if issubclass(owner, Enum) else set()
    for attribute in sorted(attribute for attribute in found if not attribute.startswith("_")):
        member = inspect.getattr_static(thing, attribute, None)
        function = getattr(member, "__func__", member)
        yield f"{name}.{attribute}{arguments(function) if inspect.isfunction(function) else ''}"


def names() -> Iterator[str]:
    """All of them, a line each."""
    for module in MODULES:
        found = importlib.import_module(module)
        for name in sorted(getattr(found, "__all__", ())):
            thing = getattr(found, name)
            full = f"{module}.{name}"
            own = inspect.isclass(thing) and thing.__module__.startswith("osslcmp")
            yield full + (arguments(thing) if inspect.isfunction(thing) else "")
            if own and full not in FOREIGN:
                yield from members(full, thing)


def test_public_names() -> None:
    """None comes, goes or changes its arguments unnoticed."""
    promised, there = LIST.read_text(encoding="utf-8").splitlines(), list(names())
    assert sorted(set(promised) - set(there)) == [], "gone or changed"
    assert sorted(set(there) - set(promised)) == [], "new"


@pytest.mark.parametrize("name", MODULES)
def test_submodules(name: str) -> None:
    """The modules for users are attributes of the package, whatever was used before."""
    run = subprocess.run(
        [sys.executable, "-c", f"import osslcmp; print({name}.__name__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == (f"{name}\n", "")


def test_version() -> None:
    """It stands in pyproject.toml; what else tells it agrees."""
    assert osslcmp.__version__ == version("osslcmp")
    assert f'version = "{osslcmp.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {osslcmp.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


if __name__ == "__main__":
    LIST.write_text("\n".join(names()) + "\n", encoding="utf-8")
