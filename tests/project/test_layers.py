"""The shape of the package: which module may import which, what it exports, and that all of it is documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from support import public

import osslcmp

ROOT = Path(osslcmp.__file__).parent
TESTS = Path(__file__).parents[1]
LIMIT = 800

#: From the ground up: packages, and the modules beside them. What is in one imports from it and those before it.
ROOMS = [
    "errors enums enrollment limits _arguments _files _lazy _text",
    "_asn1",
    "_openssl",
    "message general",
    "trace",
    "context",
    "transport",
    "client",
    "renewal",
    "server",
    "testing",
    "cli __main__",
]
#: What the server does not know, though it stands before it.
NOT_OF_THE_SERVER = {"context", "transport", "client", "renewal"}

#: Who may touch libcrypto itself. The command takes C objects as ``openssl cmp`` loads them.
TOUCH_C = [
    "_openssl", "_openssl.*", "context", "context.*", "message", "message.*", "server.engine", "server.callbacks",
    "cli.openssl_cmp.*", "cli.info_data",
]  # fmt: skip
RAW = {"ffi", "lib", "NULL"}


@dataclass(frozen=True)
class Import:
    """One import of a module of the package."""

    module: str
    name: str
    typing: bool
    """Only for type checkers."""
    top: bool
    """When the module is imported, not later in a function."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in ROOT.rglob("*.py")}
INNER = sorted(set(MODULES) - {""})


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


@cache
def imports(module: str) -> tuple[Import, ...]:
    package = list(MODULES[module].relative_to(ROOT).parts[:-1])

    def walk(node: ast.AST, typing: bool, top: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            here = typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            if isinstance(child, ast.ImportFrom) and child.level:
                base = package[: len(package) - child.level + 1] + (child.module or "").split(".")
                where = ".".join(part for part in base if part)
                for alias in child.names:
                    inner = f"{where}.{alias.name}".lstrip(".")
                    yield Import(inner if inner in MODULES else where, alias.name, here, top)
            yield from walk(child, here, top and not inside)

    return tuple(walk(tree(module), False, True))


def room(module: str) -> int:
    """The number of the room that a module is in."""
    name = module.partition(".")[0]
    (found,) = [number for number, names in enumerate(ROOMS) if name in names.split()]
    return found


def may_import(module: str, other: str) -> bool:
    """Whether the rule allows it."""
    kept_apart = module.partition(".")[0] == "server" and other.partition(".")[0] in NOT_OF_THE_SERVER
    return room(other) <= room(module) and not kept_apart


def test_every_module_has_a_room() -> None:
    """A package of its own, or a named place beside the packages."""
    assert {module.partition(".")[0] for module in INNER} == {
        name for names in ROOMS for name in names.split()
    }


def test_tests_in_the_same_rooms() -> None:
    """Each package has its tests in a folder of the same name."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {path.name for path in TESTS.iterdir()} == set()


def test_imports_between_rooms() -> None:
    """Only from those before, for type checkers and within functions as well: so there is no circle between rooms."""
    against = {
        f"{module} imports {found.module}"
        for module in INNER
        for found in imports(module)
        if found.module in MODULES and found.module and not may_import(module, found.module)
    }
    assert not against


def test_no_cycles() -> None:
    """Of what is imported when a module is; graphlib tells the cycle."""
    graph = {
        module: {f.module for f in imports(module) if f.top and not f.typing and f.module in MODULES}
        - {module}
        for module in MODULES
    }
    assert len(tuple(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_one_importer_of_the_compiled_module() -> None:
    """``_openssl.lib`` alone."""
    assert {module for module in MODULES for found in imports(module) if found.module == "_native"} == {
        "_openssl.lib"
    }
    assert [module for module, path in MODULES.items() if "_native import" in path.read_text()] == [
        "_openssl.lib"
    ]


def test_who_touches_c() -> None:
    """``ffi`` and ``lib`` stay in the rooms that are made for them."""
    users = []
    for module in INNER:
        if any(fnmatch(module, pattern) for pattern in TOUCH_C):
            continue
        names = {found.name for found in imports(module) if found.module == "_openssl.lib"}
        names |= {
            node.attr
            for node in ast.walk(tree(module))
            if isinstance(node, ast.Attribute)
            and ast.unparse(node.value).endswith(("_lib", "openssl.lib", "osslcmp"))
        }
        users += [(module, sorted(names & RAW))] if names & RAW else []
    assert not users


def test_one_place_for_destructors() -> None:
    """``ffi.gc`` stands in ``_openssl.ownership`` alone."""
    users = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "ffi.gc"
    }
    assert users == {"_openssl.ownership"}


def test_static_callbacks_only() -> None:
    """No ``ffi.callback``: it needs memory that is both writable and executable."""
    assert not [module for module, path in MODULES.items() if "ffi.callback" in path.read_text()]


def test_leaves_need_no_libcrypto() -> None:
    """Errors, enumerations, DER and the package itself are there without the compiled module."""
    without = (
        "errors",
        "enums",
        "enrollment",
        "limits",
        "_asn1",
        "_openssl.load_errors",
        "_openssl.interpreters",
    )
    leaves = [f"osslcmp.{name}" for name in INNER if name in without or name.startswith("_asn1.")]
    script = (
        f"import sys\nfor name in {leaves!r}: __import__(name)\nassert 'osslcmp._native' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


#: Imports each module in a fork of a process that has only what others provide.
_ALONE = """
import contextlib, importlib, json, os, sys, traceback
foreign, names = json.loads(sys.argv[1])
for name in foreign:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
assert "osslcmp" not in sys.modules
failed = {}
for name in names:
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.close(read)
        try:
            importlib.import_module(name)
        except BaseException:
            os.write(write, traceback.format_exc().encode()[-4000:])
        os._exit(0)
    os.close(write)
    with open(read) as file:
        text = file.read()
    os.waitpid(child, 0)
    if text:
        failed[name] = text
print(json.dumps(failed))
"""


def foreign_imports() -> list[str]:
    """What modules of the package import of others."""
    names = set()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module or "")
    return sorted(name for name in names if not name.startswith("osslcmp"))


def test_each_module_imports_alone() -> None:
    """In a process that has imported nothing else of the package: each imports what it needs."""
    names = [f"osslcmp.{module}" for module in INNER if module != "__main__"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ALONE, json.dumps([foreign_imports(), names])],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    failed: dict[str, str] = json.loads(done.stdout)
    assert not failed, "\n".join(f"{name}:\n{text}" for name, text in failed.items())


# -- what tests touch ---------------------------------------------------------------------------------------

#: Named like a private attribute, but documented.
DOCUMENTED = {"os._exit"}
OWN = ("self", "cls", "super()")


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.endswith("__") and name != "_"


def privates(node: ast.AST) -> Iterator[str]:
    """What a piece of a program takes of another's: attributes, imports, and names for ``setattr`` and its like."""
    if isinstance(node, ast.Attribute) and is_private(node.attr) and ast.unparse(node.value) not in OWN:
        yield ast.unparse(node)
    elif isinstance(node, ast.ImportFrom):
        inner = (node.module or "").removeprefix("osslcmp").lstrip(".")
        for alias in node.names:
            if is_private(alias.name) and f"{inner}.{alias.name}".lstrip(".") not in MODULES:
                yield f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("attr", "getattr_static", "patch")):
        names = [one.value for one in node.args if isinstance(one, ast.Constant)]
        yield from (name for name in map(str, names) if is_private(name.rpartition(".")[2]))


def test_tests_touch_no_privates() -> None:
    """Neither ours nor a dependency's: they use what users can, or what another module may import."""
    found = {
        f"{path.relative_to(TESTS)}:{getattr(node, 'lineno', 0)}: {what}"
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for what in privates(node)
        if what not in DOCUMENTED
    }
    assert not found


# -- what is public ---------------------------------------------------------------------------------------

PUBLIC = sorted(m for m in MODULES if not any(part.startswith("_") for part in m.split(".")))


def load(module: str) -> types.ModuleType:
    return importlib.import_module(f"osslcmp.{module}".rstrip("."))


def exported(module: str) -> list[str]:
    """What it says that it offers, else what it defines and does not call private."""
    found = load(module)
    own = [
        name
        for name, thing in vars(found).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == found.__name__
    ]
    return list(getattr(found, "__all__", own))


def test_names_at_the_top() -> None:
    """``__all__`` of the package is what there is, and the stub says the same."""
    stub = ast.parse((ROOT / "__init__.pyi").read_text())
    listed = next(ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    assert sorted(osslcmp.__all__) == sorted(listed)
    assert len(set(osslcmp.__all__)) == len(osslcmp.__all__)
    imported = {
        alias.asname or alias.name
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(listed)
    assert all(getattr(osslcmp, name) is not None for name in osslcmp.__all__)
    assert set(osslcmp.__all__) <= set(dir(osslcmp))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = osslcmp.no_such_name  # type: ignore[attr-defined]


def test_exports() -> None:
    """A module for users says what it offers; what a module says, it has, and only once."""
    assert not [name for name in public.MODULES if not hasattr(importlib.import_module(name), "__all__")]
    wrong = [
        f"{module}.{name}"
        for module in PUBLIC
        for name in exported(module)
        if not hasattr(load(module), name) or exported(module).count(name) > 1
    ]
    assert not wrong


@pytest.mark.parametrize("package", ["server", "transport"])
def test_exports_of_packages(package: str) -> None:
    """What a package's own file imports for its users is in its ``__all__``."""
    imported = {
        found.name
        for found in imports(package)
        if found.top and not found.typing and not found.name.startswith("_")
    }
    assert {name for name in imported if f"{package}.{name}" not in MODULES} <= set(exported(package))


def members(thing: object) -> Iterator[tuple[str, object]]:
    """A class's public methods and properties that it defines itself."""
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            kinds = (property, classmethod, staticmethod)
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds)):
                yield name, member


def test_docstrings() -> None:
    """Modules, functions, classes, methods and properties: whoever asks ``help()`` gets an answer."""
    silent = [module for module in MODULES if not ast.get_docstring(tree(module))]
    for module in PUBLIC:
        if module.partition(".")[0] in ("cli", "__main__"):  # a command, not an interface
            continue
        for name in exported(module):
            thing = getattr(load(module), name)
            # In Python 3.10 Callable[...] passes for a class.
            is_class = inspect.isclass(thing) and not isinstance(thing, types.GenericAlias)
            if is_class or inspect.isfunction(thing):
                silent += [f"{module}.{name}"] * (not inspect.getdoc(thing))
                silent += [
                    f"{module}.{name}.{inner}"
                    for inner, member in members(thing)
                    # getdoc of the attribute finds what a base class or protocol says.
                    if not (inspect.getdoc(getattr(thing, inner)) or inspect.getdoc(member))
                ]
    assert not silent


def test_members_of_the_context_are_documented() -> None:
    """Those that come from its parts as well."""
    silent = []
    for name in dir(osslcmp.Context):
        member = inspect.getattr_static(osslcmp.Context, name)
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            silent += [name] * (not inspect.getdoc(member))
    assert not silent


def defines(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name


def test_constants_are_documented() -> None:
    """Each that stands at the top has a string below it."""
    silent = []
    for name in set(osslcmp.__all__) - {"ffi", "lib"}:
        thing = getattr(osslcmp, name)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            bodies = [tree(module).body for module in INNER]
            told = [
                isinstance(after, ast.Expr)
                for body in bodies
                for node, after in zip(body, [*body[1:], None], strict=True)
                if defines(node, name)
            ]
            silent += [name] * (not any(told))
    assert not silent


def test_files_are_short() -> None:
    """A file that grows past the limit has two rooms in it."""
    lengths = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert not {module: count for module, count in lengths.items() if count >= LIMIT}


def test_future_annotations() -> None:
    """Every module with annotations delays them, for Python 3.10; the help has no time to load what does."""
    eager = []
    for module in {*INNER} - {"cli", "cli.openssl_cmp"}:
        code = [node for node in tree(module).body if not isinstance(node, ast.Expr)]
        annotated = any(isinstance(node, (ast.FunctionDef, ast.AnnAssign)) for node in ast.walk(tree(module)))
        if annotated and ast.unparse(code[0]) != "from __future__ import annotations":
            eager.append(module)
    assert not eager
