"""``vendor-headers`` against the OpenSSL that was built against: its exports and the text of its headers."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from pycparser import c_ast

import build_cffi
import make_stubs
from osslcmp import lib

BUILT: build_cffi.Version = (
    lib.OPENSSL_VERSION_MAJOR,
    lib.OPENSSL_VERSION_MINOR,
    lib.OPENSSL_VERSION_PATCH,
)

#: The headers of which everything is declared, and where their constants are.
COMPLETE = ["cmp.h", "cmp_util.h", "crmf.h", "http.h", "cmperr.h", "crmferr.h", "httperr.h"]

#: What macros there are for one type of stack; the rest of a stack's macros is declared for no type.
STACK = "num|value|new_null|push|insert|set|pop|shift|delete|free|pop_free|dup|deep_copy"

CMP_FUNCTION = re.compile(r"(?:d2i_|i2d_)?OSSL_(?:CMP|CRMF|HTTP)_\w+|OSSL_parse_url")


def declared(version: build_cffi.Version) -> list[build_cffi.Declaration]:
    return [found for path in build_cffi.files_for(version) for found in build_cffi.read_declarations(path)]


def glue_names() -> set[str]:
    text = "\n".join(path.read_text() for path in sorted(build_cffi.GLUE.glob("*.h")))
    return {node.name for node in make_stubs.parse(declarations_before(text)) if isinstance(node, c_ast.Decl)}


def declarations_before(text: str) -> str:
    """Glue with the types that it uses, so that it can be parsed alone."""
    types = [found.text for found in declared(make_stubs.NEWEST) if found.kind == "type"]
    return build_cffi.plain_c("\n".join([*types, make_stubs.without_comments(text)]), make_stubs.NEWEST)


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """The functions that our libcrypto and libssl export; Python's own may be of another release."""
    ours = rf"\S*/lib(?:crypto|ssl)\.so\.{lib.OPENSSL_SHLIB_VERSION}\b"
    loaded = set(re.findall(ours, Path("/proc/self/maps").read_text()))
    assert len(loaded) == 2, loaded
    names = set()
    for path in loaded:
        table = subprocess.run(["objdump", "-T", path], capture_output=True, text=True, check=True).stdout
        names |= set(re.findall(r" DF \.text\s.* (\w+)$", table, re.MULTILINE))
    return names


@pytest.fixture(scope="module")
def headers() -> dict[str, str]:
    """The text of each OpenSSL header that the C compiler finds, without comments, one definition a line."""
    names = sorted({path.name for path in build_cffi.files_for(BUILT)} | set(COMPLETE))
    found = build_cffi.find_openssl()
    dependencies = subprocess.run(
        [*build_cffi.compiler(), *(f"-I{path}" for path in found.include_dirs), "-M", "-x", "c", "-"],
        input="".join(f"#include <openssl/{name}>\n" for name in names),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    texts = {}
    for path in re.findall(r"\S+/openssl/\w+\.h", dependencies):
        text = Path(path).read_text(encoding="utf-8").replace("\\\n", " ")
        texts[Path(path).name] = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return texts


def macros(text: str) -> Iterator[tuple[str, bool, str]]:
    """Name, whether it takes arguments, and value of each macro that a header defines."""
    for name, call, value in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\(?)(.*)$", text, re.MULTILINE):
        yield name, bool(call), value.strip()


def test_lib_is_what_is_declared_for_this_release() -> None:
    names = {found.name for found in declared(BUILT) if found.kind != "type"}
    assert set(dir(lib)) == names | glue_names()


def test_headers_and_library_are_of_one_release() -> None:
    loaded = (lib.OPENSSL_version_major(), lib.OPENSSL_version_minor(), lib.OPENSSL_version_patch())
    assert (loaded, build_cffi.find_openssl().version) == (BUILT, BUILT), (
        "OpenSSL has changed: build osslcmp again"
    )


def test_every_exported_cmp_function_is_on_lib(exported: set[str]) -> None:
    cmp = {name for name in exported if CMP_FUNCTION.fullmatch(name)}
    assert len(cmp) > 190
    assert sorted(name for name in cmp if not hasattr(lib, name)) == []


def test_every_declared_function_is_exported_or_inline(exported: set[str], headers: dict[str, str]) -> None:
    functions = {found.name for found in declared(BUILT) if found.kind == "function"}
    inline = set(re.findall(r"static (?:ossl_\w+ )*\w[\w\s*]*?\b(\w+)\(", "\n".join(headers.values())))
    assert sorted(functions - exported - inline) == []


def test_no_declared_macro_is_a_function_in_every_release(
    exported: set[str], headers: dict[str, str]
) -> None:
    """``MACRO`` takes the comparison with the header away: only a macro may have it."""
    defined = {name for text in headers.values() for name, _, _ in macros(text)}
    marked = {found.name for found in declared(BUILT) if found.kind == "macro"}
    assert sorted(marked - defined - exported) == []
    # BIO_eof() became a function in 4.0.
    assert sorted(marked & exported) == (["BIO_eof"] if BUILT >= (4, 0, 0) else [])


@pytest.mark.parametrize("header", COMPLETE)
def test_every_constant_and_macro_is_on_lib(header: str, headers: dict[str, str]) -> None:
    missing = []
    for name, call, value in macros(headers[header]):
        stack = name.startswith("sk_") and not re.fullmatch(rf"sk_\w+?_(?:{STACK})", name)
        guard = name == f"OPENSSL_{header[:-2].upper()}_H" or name.startswith(("HEADER_", "OPENSSL_NO_"))
        another_type = name.startswith("stack_st_")
        if not (stack or guard or another_type or hasattr(lib, name)):
            missing.append((name, call, value))
    assert missing == []


@pytest.mark.parametrize("header", ["cmp.h", "cmp_util.h", "crmf.h", "http.h"])
def test_every_named_type_is_declared(header: str, headers: dict[str, str]) -> None:
    text = headers[header]
    plain = re.findall(r"typedef\s+(?:struct\s+)?\w+\s+\*?(\w+);", text)
    callbacks = re.findall(r"typedef\s+[\w\s]+\*?\(\*(\w+)\)", text)
    known = {found.name for found in declared(BUILT) if found.kind == "type"}
    used = set(re.findall(r"\w+", "\n".join(found.text for found in declared(BUILT))))
    assert sorted(name for name in {*plain, *callbacks} - known if name in used or name in callbacks) == []


def test_result_constants_that_callers_compare_with_are_on_lib(headers: dict[str, str]) -> None:
    wanted = {
        "x509_vfy.h": r"X509_V_(?:OK|ERR_\w+|FLAG_\w+)",
        "bioerr.h": r"BIO_R_\w+",
        "x509v3.h": r"GEN_\w+|CRL_REASON_\w+|KU_\w+",
        "ssl.h": r"SSL_(?:ERROR|VERIFY)_\w+",
        "err.h": r"ERR_LIB_\w+",
    }
    for header, pattern in wanted.items():
        names = {
            name for name, call, _ in macros(headers[header]) if not call and re.fullmatch(pattern, name)
        }
        assert names, header
        assert sorted(name for name in names if not hasattr(lib, name)) == [], header


def test_each_symbol_lives_once() -> None:
    places = defaultdict(list)
    for path in build_cffi.declaration_files(build_cffi.release_folders()):
        for found in build_cffi.read_declarations(path):
            places[found.name].append(f"{path.parent.name}/{path.name}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_parameters_have_no_names() -> None:
    files = build_cffi.declaration_files(build_cffi.release_folders())
    text = build_cffi.plain_c("\n".join(path.read_text() for path in files), make_stubs.NEWEST)
    named = []
    for node in make_stubs.parse(make_stubs.without_comments(text)):
        if isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
            assert node.type.args is not None, f"{node.name}: write (void)"
            named += [node.name for parameter in node.type.args.params if isinstance(parameter, c_ast.Decl)]
    assert named == []


@pytest.mark.parametrize(
    ("release", "has", "lacks"),
    [
        ("3.0", ["3.0.0", "3.0.22", "3.1.0", "4.0.0"], []),
        ("3.2", ["3.2.0", "3.5.0", "4.0.0"], ["3.0.22", "3.1.8"]),
        ("4.0", ["4.0.0", "4.0.3", "4.1.0"], ["3.0.22", "3.6.5"]),
        ("3.0.8", ["3.0.8", "3.0.22", "3.1.0", "3.2.0", "4.0.0"], ["3.0.7"]),
        ("3.0.9", ["3.0.9", "3.1.1", "3.2.0", "4.0.0"], ["3.0.8", "3.1.0"]),
        ("3.0.16", ["3.0.16", "3.1.8", "3.2.4", "3.3.3", "3.4.0"], ["3.0.15", "3.1.7", "3.2.3", "3.3.2"]),
        ("3.5.7", ["3.5.7", "3.6.3", "4.0.0"], ["3.0.22", "3.4.3", "3.5.4", "3.6.0"]),
    ],
)
def test_which_folders_count_for_a_release(release: str, has: list[str], lacks: list[str]) -> None:
    def counts(version: str) -> bool:
        major, minor, patch = map(int, version.split("."))
        return build_cffi.in_release(release, (major, minor, patch))

    assert [version for version in has if not counts(version)] == []
    assert [version for version in lacks if counts(version)] == []


def test_every_backport_belongs_to_a_folder() -> None:
    assert set(build_cffi.ALSO_SINCE) <= {
        build_cffi.release_of(folder) for folder in build_cffi.release_folders()
    }


def test_const_words_are_replaced_by_release() -> None:
    text = "MACRO int f(CONST_SINCE_4_0 X *, CONST_BEFORE_3_2 X *);"
    assert build_cffi.plain_c(text, (3, 0, 0)) == "int f(X *, const X *);"
    assert build_cffi.plain_c(text, (3, 5, 0)) == "int f(X *, X *);"
    assert build_cffi.plain_c(text, (4, 0, 0)) == "int f(const X *, X *);"


@pytest.mark.parametrize(
    "line", ["int f(int a", "#define X 1", "struct s { int a; };", "int x;", "int f(int); int g(int);"]
)
def test_a_line_that_is_no_declaration_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.h"
    path.write_text(f"/* comment */\n\n{line}\n")
    with pytest.raises(ValueError, match=r"x\.h:3: not a declaration"):
        list(build_cffi.read_declarations(path))


def test_the_types_of_the_native_module_are_fresh() -> None:
    assert make_stubs.STUB.read_text() == make_stubs.make(), "stale: run python tools/make_stubs.py"
