"""``build_cffi.py``: what it refuses and how, where it looks, that a wrong declaration does not compile."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from cffi import FFI

import build_cffi

OLD = (
    '#define OPENSSL_VERSION_NUMBER 0x1010117fL\n#define OPENSSL_VERSION_TEXT "OpenSSL 1.1.1w  11 Sep 2023"\n'
)
NEW = (
    "#define OPENSSL_VERSION_MAJOR 3\n#define OPENSSL_VERSION_MINOR 5\n#define OPENSSL_VERSION_PATCH 2\n"
    '#define OPENSSL_VERSION_TEXT "OpenSSL 3.5.2 5 Aug 2025"\n'
)
NO_CMP = "#define OPENSSL_NO_CMP\n"


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in the project's folder, without what the caller's environment says about OpenSSL."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("OPENSSL_DIR", "PKG_CONFIG", "CC")
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=build_cffi.ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def openssl_dir(folder: Path, headers: Mapping[str, str], lib: str | None = None) -> str:
    """A folder that looks like an OpenSSL."""
    include = folder / "include" / "openssl"
    include.mkdir(parents=True)
    for name, text in headers.items():
        (include / name).write_text(text)
    if lib:
        (folder / lib).mkdir(parents=True)
        (folder / lib / "libcrypto.so").touch()
    return str(folder)


REFUSALS = {
    "no headers": ({}, "", r"OPENSSL_DIR=\S+ has no include/openssl/opensslv\.h: set OPENSSL_DIR to .*"),
    "too old": (
        {"opensslv.h": OLD, "opensslconf.h": ""},
        "lib",
        r"OpenSSL 1\.1\.1w  11 Sep 2023 is too old: osslcmp needs OpenSSL 3\.0 or later, install it or .*",
    ),
    "no version": (
        {"opensslv.h": "", "opensslconf.h": ""},
        "lib",
        r"This OpenSSL is too old: .* install it or .*",
    ),
    "no CMP": (
        {"opensslv.h": NEW, "opensslconf.h": NO_CMP},
        "lib64",
        r"OpenSSL 3\.5\.2 5 Aug 2025 was built without CMP \(OPENSSL_NO_CMP\): set OPENSSL_DIR to .*",
    ),
    "no library": (
        {"opensslv.h": NEW, "opensslconf.h": ""},
        "",
        r"OPENSSL_DIR=\S+ has no libcrypto in lib or lib64: set OPENSSL_DIR to .*",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_is_one_sentence(case: str, tmp_path: Path) -> None:
    headers, lib, sentence = REFUSALS[case]
    code = "import build_cffi; build_cffi.ffibuilder()"
    result = run(["-c", code], OPENSSL_DIR=openssl_dir(tmp_path, headers, lib))
    assert result.returncode == 1
    assert result.stdout == ""
    assert re.fullmatch(sentence + r"\.\n", result.stderr), result.stderr


def test_setuptools_passes_the_sentence_on(tmp_path: Path) -> None:
    folder = openssl_dir(tmp_path, {"opensslv.h": NEW, "opensslconf.h": NO_CMP}, "lib")
    result = run(["setup.py", "--quiet", "--version"], OPENSSL_DIR=folder)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("OpenSSL 3.5.2 5 Aug 2025 was built without CMP")


def test_no_headers_anywhere() -> None:
    compiler = build_cffi.compiler()
    result = run(
        ["-c", "import build_cffi; build_cffi.find_openssl()"], CC=shlex.join([*compiler, "-nostdinc"])
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"OpenSSL's headers were not found: install them .*\n", result.stderr), result.stderr


def test_no_compiler() -> None:
    result = run(["-c", "import build_cffi; build_cffi.find_openssl()"], CC="no-such-compiler")
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"The C compiler no-such-compiler was not found: .*\n", result.stderr), result.stderr


@pytest.mark.parametrize("lib", ["lib", "lib64"])
def test_openssl_dir_comes_first(lib: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = openssl_dir(tmp_path, {"opensslv.h": NEW, "opensslconf.h": ""}, lib)
    monkeypatch.setenv("OPENSSL_DIR", folder)
    found = build_cffi.find_openssl()
    assert found == ([f"{folder}/include"], [f"{folder}/{lib}"], (3, 5, 2))


def test_pkg_config_comes_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = openssl_dir(tmp_path, {"opensslv.h": NEW, "opensslconf.h": ""})
    answer = tmp_path / "pkg-config"
    answer.write_text(f"#!/bin/sh\n[ \"$3\" = libssl ] && echo '-I{folder}/include -L{folder}/somewhere'\n")
    answer.chmod(0o755)
    monkeypatch.delenv("OPENSSL_DIR", raising=False)
    monkeypatch.setenv("PKG_CONFIG", str(answer))
    assert build_cffi.find_openssl() == ([f"{folder}/include"], [f"{folder}/somewhere"], (3, 5, 2))


@pytest.mark.parametrize("pkg_config", ["no-such-pkg-config", "false"])
def test_default_paths_come_last(pkg_config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENSSL_DIR", raising=False)
    monkeypatch.setenv("PKG_CONFIG", pkg_config)
    found = build_cffi.find_openssl()
    assert (found.include_dirs, found.library_dirs) == ([], [])
    assert found.version >= (3, 0, 0)


def compiles(source: Path) -> str:
    """What the compiler complains of, with the flags of the build."""
    found = build_cffi.find_openssl()
    includes = [*found.include_dirs, sysconfig.get_path("include")]
    command = [
        *build_cffi.compiler(),
        *(f"-I{path}" for path in includes),
        *build_cffi.COMPILE_ARGS,
        "-Werror",
    ]
    run = subprocess.run(
        [*command, "-fsyntax-only", str(source)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"} | os.environ,
    )
    assert (run.returncode == 0) == (run.stderr == "")
    return run.stderr


ALTERED = {
    "nothing": ("", "", ""),
    "a parameter more": (
        "int OSSL_CMP_CTX_reinit(OSSL_CMP_CTX *);",
        "int OSSL_CMP_CTX_reinit(OSSL_CMP_CTX *, int);",
        "OSSL_CMP_CTX_reinit",
    ),
    "another integer": (
        "int OSSL_CMP_CTX_get_status(const OSSL_CMP_CTX *);",
        "long OSSL_CMP_CTX_get_status(const OSSL_CMP_CTX *);",
        "OSSL_CMP_CTX_get_status",
    ),
    "const lost": (
        "int OSSL_CMP_CTX_get_status(const OSSL_CMP_CTX *);",
        "int OSSL_CMP_CTX_get_status(OSSL_CMP_CTX *);",
        "OSSL_CMP_CTX_get_status",
    ),
    "a callback's parameter": (
        "typedef OSSL_CMP_MSG *(*OSSL_CMP_transfer_cb_t)(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);",
        "typedef OSSL_CMP_MSG *(*OSSL_CMP_transfer_cb_t)(OSSL_CMP_CTX *, OSSL_CMP_MSG *);",
        "OSSL_CMP_transfer_cb_t",
    ),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_declaration_does_not_compile(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole tree, one line of it changed, compared with the real headers."""
    right, wrong, complaint = ALTERED[case]
    shutil.copytree(build_cffi.DECLARATIONS, tmp_path / "vendor-headers")
    header = tmp_path / "vendor-headers" / "openssl-3.0" / "cmp.h"
    text = header.read_text()
    assert right in text
    header.write_text(text.replace(right, wrong))
    monkeypatch.setattr(build_cffi, "DECLARATIONS", tmp_path / "vendor-headers")
    monkeypatch.setattr(build_cffi, "GLUE", tmp_path / "none")
    source = tmp_path / "source.c"
    source.write_text(build_cffi.c_source(build_cffi.find_openssl().version))
    assert complaint in compiles(source)
    assert bool(complaint) == bool(compiles(source))


WRITTEN = {
    "right": ("", ""),
    "a macro's parameter": (
        "MACRO int sk_X509_num(const struct stack_st_X509_CRL *);",
        "incompatible pointer",
    ),
    "a macro's result": (
        "MACRO X509_CRL *sk_X509_value(const struct stack_st_X509 *, int);",
        "incompatible pointer",
    ),
    "no such macro": ("MACRO int sk_X509_no_such(const struct stack_st_X509 *);", "sk_X509_no_such"),
    "no such constant": ("#define X509_NO_SUCH ...", "X509_NO_SUCH"),
    "a text for a number": ("#define X509_CRL_NO_SUCH ...", "X509_CRL_NO_SUCH"),
    "const lost": ("ASN1_TIME *X509_get0_notBefore(const X509 *);", "X509_get0_notBefore"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_a_wrong_declaration_does_not_compile(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few declarations, with all the code that cffi makes of them."""
    line, complaint = WRITTEN[case]
    folder = tmp_path / "openssl-3.0"
    folder.mkdir()
    (folder / "x509.h").write_text(
        "typedef struct x509_st X509;\n"
        "typedef struct X509_crl_st X509_CRL;\n"
        "typedef struct asn1_string_st ASN1_TIME;\n"
        "#define X509_VERSION_3 ...\n"
        "void X509_free(X509 *);\n"
        "MACRO int sk_X509_push(struct stack_st_X509 *, X509 *);\n"
        f"{line}\n"
    )
    monkeypatch.setattr(build_cffi, "DECLARATIONS", tmp_path)
    monkeypatch.setattr(build_cffi, "GLUE", tmp_path / "none")
    version = build_cffi.find_openssl().version
    ffi = FFI()
    ffi.cdef(build_cffi.cdef(version))
    ffi.set_source("_declared", build_cffi.c_source(version))
    source = tmp_path / "source.c"
    ffi.emit_c_code(str(source))
    assert complaint in compiles(source)
    assert bool(complaint) == bool(compiles(source))


def test_every_source_of_ours_has_its_place() -> None:
    """What is compiled, and in which order, is written down; a file without a place stops the build."""
    assert [path.name for path in build_cffi.glue_sources()] == build_cffi.GLUE_SOURCES


def test_source_distribution(tmp_path: Path) -> None:
    """It has all that the repository has: its tests read docs, benchmarks and adapters, and run there as well."""
    tree = build_cffi.ROOT
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=tree, capture_output=True, text=True, timeout=60, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a repository of git")
    copy = tmp_path / "tree"
    for name in listed.stdout.splitlines():
        if (tree / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / name, copy / name)
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "--formats=tar", "-d", str(tmp_path)],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar")
    with tarfile.open(archive) as found:
        inside = {name.partition("/")[2] for name in found.getnames()}
    left_out = set(listed.stdout.splitlines()) - inside
    assert {name for name in left_out if not name.startswith((".github/", ".gitignore"))} == set()
