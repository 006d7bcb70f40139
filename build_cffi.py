"""Compile ``osslcmp._native``: find OpenSSL, take the declarations of its release, and build them.

``vendor-headers/openssl-X.Y[.Z]/HEADER.h`` declares what OpenSSL X.Y[.Z] added to ``<openssl/HEADER.h>``:
plain C that cffi reads, one declaration to a line, with three words of ours in it:

``MACRO``
    OpenSSL defines a macro of that name, not a function: cffi's call of it is compiled, there is nothing else
    to compare.
``CONST_SINCE_X_Y``, ``CONST_BEFORE_X_Y``
    ``const`` in OpenSSL X.Y and later, or in releases before it.

``vendor-headers/glue/`` holds C of our own: every ``*.h`` is read by cffi, every ``*.c`` is compiled in.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cffi import FFI

# Names of OpenSSL's parts: a CMP library of its own would be added here, and nowhere else.
LIBRARIES = ["ssl", "crypto"]
PKG_CONFIG_MODULES = ["libssl", "libcrypto"]
VERSION_HEADER = "openssl/opensslv.h"
OPTIONS_HEADER = "openssl/opensslconf.h"

OLDEST = (3, 0, 0)

# A patch release's additions are fixes. Minor releases that were out by then got them in a patch of their
# own, the first of which stands here. Every minor release after those has them from its start.
ALSO_SINCE = {
    "3.0.9": ["3.1.1"],
    "3.0.16": ["3.1.8", "3.2.4", "3.3.3"],
    "3.5.7": ["3.6.3"],
}

# Headers whose types the others use come first; the rest follows by name.
FIRST_HEADERS = [
    "e_os2.h", "types.h", "core.h", "stack.h", "safestack.h", "crypto.h", "bio.h", "asn1.h", "conf.h",
    "evp.h", "pkcs7.h", "cms.h", "x509.h", "x509v3.h", "x509_vfy.h", "cmp_util.h", "crmf.h", "http.h",
    "cmp.h",
]  # fmt: skip

# Our C is one translation unit: what others stand on comes first.
GLUE_SOURCES = [
    "precheck.c", "outline.c", "decode.c", "certtext.c", "received.c", "session.c", "keys.c", "purpose.c", "path.c",
    "verify.c", "tls.c", "trace.c",
    "transfer.c", "transfer_answer.c", "transfer_connect.c", "transfer_http.c", "replay.c",
]  # fmt: skip

# More optimisation makes the many small wrappers no faster, only the build slower.
# cffi's generated code leaves parameters unused and casts function types; any other warning is an error for those who
# develop osslcmp (./dev and the matrix set OSSLCMP_WERROR), but a compiler that is not born yet may warn of more.
# For a free-threaded CPython, which has no limited API, cffi says so twice: on the command line and in the code.
COMPILE_ARGS = [
    "-O1", "-g0", "-Wall", "-Wextra", "-U_CFFI_NO_LIMITED_API",
    "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Wno-cast-function-type",
]  # fmt: skip

if os.environ.get("OSSLCMP_WERROR", "") not in {"", "0"}:
    COMPILE_ARGS.append("-Werror")

ROOT = Path(__file__).resolve().parent
DECLARATIONS = ROOT / "vendor-headers"
GLUE = DECLARATIONS / "glue"

Version = tuple[int, int, int]


class Refused(SystemExit):
    """OpenSSL cannot be used; the one sentence says why and what to do."""


class OpenSSL(NamedTuple):
    """Where the OpenSSL to build against is, and its release."""

    include_dirs: list[str]
    library_dirs: list[str]
    version: Version = OLDEST


class Declaration(NamedTuple):
    """One line of a declaration file."""

    kind: str
    """``constant``, ``string``, ``type``, ``function`` or ``macro``."""
    name: str
    text: str


_FORMS = {
    "constant": re.compile(r"#define (\w+) \.\.\."),
    "string": re.compile(r"static const char \*const (\w+);"),
    "type": re.compile(
        r"typedef [^(]*?(\w+);|typedef [^(]*(?:\(\*)?\b(\w+)\)?\([^;]*\);|typedef .*\} (\w+);"
    ),
    "macro": re.compile(r"MACRO \w[^()]*?(\w+)\([^;]*\);"),
    "function": re.compile(r"(?!typedef |static |MACRO )\w[^()]*?(\w+)\([^;]*\);"),
}


def read_declarations(path: Path) -> Iterator[Declaration]:
    """What a declaration file declares, line by line.

    Raises:
        ValueError: a line is neither a declaration, nor a comment, nor empty.
    """
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if not line or re.fullmatch(r"/\* .* \*/", line):
            continue
        for kind, form in _FORMS.items():
            if match := form.fullmatch(line):
                yield Declaration(kind, next(filter(None, match.groups())), line)
                break
        else:
            raise ValueError(f"{path}:{number}: not a declaration on one line: {line}")


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def release_of(folder: Path) -> str:
    """``X.Y`` or ``X.Y.Z`` of a folder of declarations."""
    return folder.name.removeprefix("openssl-")


def in_release(release: str, version: Version) -> bool:
    """Whether an OpenSSL of this version has the symbols of the folder ``openssl-<release>``.

    A minor release's folder counts from that release on. A patch release's folder counts from that patch on
    within its own minor release, in those of ``ALSO_SINCE`` from the patch named there, and in all later
    ones.
    """
    first = _numbers(release)
    if len(first) == 2:
        return first <= version[:2]
    since = {number[:2]: number for number in [first, *map(_numbers, ALSO_SINCE.get(release, []))]}
    return version >= since.get(version[:2], max(since.values()))


def release_folders() -> list[Path]:
    """All folders of declarations, oldest release first."""
    return sorted(DECLARATIONS.glob("openssl-*"), key=lambda folder: _numbers(release_of(folder)))


def declaration_files(folders: Iterable[Path]) -> list[Path]:
    """The files of these folders, in the order in which cffi must read them."""

    def place(path: Path) -> tuple[int, str]:
        first = path.name in FIRST_HEADERS
        return (FIRST_HEADERS.index(path.name) if first else len(FIRST_HEADERS), path.name)

    return [path for folder in folders for path in sorted(folder.glob("*.h"), key=place)]


def files_for(version: Version) -> list[Path]:
    """The declaration files that count for an OpenSSL of this version."""
    return declaration_files(
        folder for folder in release_folders() if in_release(release_of(folder), version)
    )


def plain_c(text: str, version: Version) -> str:
    """Declarations without our own words, as they are in this release."""

    def const(match: re.Match[str]) -> str:
        since = version[:2] >= (int(match[2]), int(match[3]))
        return "const " if since == (match[1] == "SINCE") else ""

    text = re.sub(r"\bCONST_(SINCE|BEFORE)_(\d+)_(\d+)\b ?", const, text)
    return re.sub(r"^MACRO ", "", text, flags=re.MULTILINE)


def cdef(version: Version) -> str:
    """What cffi reads for this release, our glue included."""
    files = [*files_for(version), *sorted(GLUE.glob("*.h"))]
    return plain_c("\n".join(path.read_text(encoding="ascii") for path in files), version)


def redeclarations(version: Version) -> Iterator[str]:
    """Functions and types once more, for the compiler to compare exactly with OpenSSL's own.

    The parentheses around the name keep a macro of that name from being expanded.
    """
    for path in files_for(version):
        for kind, name, text in read_declarations(path):
            if kind == "type" and "..." not in text and "{" not in text:
                yield plain_c(text, version)
            elif kind == "function":
                yield plain_c(text.replace(f"{name}(", f"({name})(", 1), version)


def glue_sources() -> list[Path]:
    """Our C, in the order in which it is compiled.

    Raises:
        ValueError: a file has no place in that order.
    """
    return sorted(GLUE.glob("*.c"), key=lambda path: GLUE_SOURCES.index(path.name))


def c_source(version: Version) -> str:
    """The C that stands before cffi's own: the real headers, our declarations again, our glue."""
    headers = sorted({path.name for path in files_for(version)})
    return "\n".join(
        [
            "#define OPENSSL_SUPPRESS_DEPRECATED",
            *(f"#include <openssl/{name}>" for name in headers),
            *redeclarations(version),
            *(f'#include "{path.name}"' for path in glue_sources()),
            "",
        ]
    )


def _from_openssl_dir(folder: Path) -> OpenSSL:
    if not (folder / "include" / VERSION_HEADER).is_file():
        raise Refused(
            f"OPENSSL_DIR={folder} has no include/{VERSION_HEADER}: set OPENSSL_DIR to the folder of an"
            " OpenSSL 3.0 or later with its headers, or unset it to use the system's OpenSSL."
        )
    names = ["lib64", "lib", f"lib/{sysconfig.get_config_var('MULTIARCH')}"]
    libs = [str(folder / name) for name in names if any((folder / name).glob("*crypto*"))]
    return OpenSSL([str(folder / "include")], libs[:1])


def _from_pkg_config() -> OpenSSL:
    command = shlex.split(os.environ.get("PKG_CONFIG") or "pkg-config")
    flags: list[str] = []
    if shutil.which(command[0]):
        query = [*command, "--cflags-only-I", "--libs-only-L", *PKG_CONFIG_MODULES]
        run = subprocess.run(query, capture_output=True, text=True, check=False)
        flags = shlex.split(run.stdout) if run.returncode == 0 else []
    return OpenSSL([f[2:] for f in flags if f[:2] == "-I"], [f[2:] for f in flags if f[:2] == "-L"])


def compiler() -> list[str]:
    """The C compiler that setuptools will call."""
    return shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")


def _preprocess(source: str, include_dirs: list[str]) -> str | None:
    """What the C preprocessor makes of ``source``; ``None`` if it does not find a header."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "probe.c")
        file.write_text(source, encoding="ascii")
        command = [*compiler(), *(f"-I{path}" for path in include_dirs), "-E", str(file)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            raise Refused(
                f"The C compiler {command[0]} was not found: install it (Debian: apt-get install gcc"
                " libc6-dev), or name yours in the environment variable CC."
            ) from None
    return None if run.returncode else re.sub(r"^#.*$", "", run.stdout, flags=re.MULTILINE)


def probe_version(include_dirs: list[str]) -> Version:
    """The release of the headers that the C compiler finds.

    Raises:
        Refused: there are none, or they are of an OpenSSL that cannot be used.
    """
    seen = _preprocess(
        f"#include <{VERSION_HEADER}>\n#include <{OPTIONS_HEADER}>\n"
        "osslcmp_name OPENSSL_VERSION_TEXT\n"
        "osslcmp_version OPENSSL_VERSION_MAJOR OPENSSL_VERSION_MINOR OPENSSL_VERSION_PATCH\n"
        "#ifdef OPENSSL_NO_CMP\nosslcmp_no_cmp\n#endif\n",
        include_dirs,
    )
    if seen is None:
        raise Refused(
            "OpenSSL's headers were not found: install them (Debian: apt-get install libssl-dev, Fedora: dnf"
            " install openssl-devel), or set OPENSSL_DIR to the folder of an OpenSSL with include and lib."
        )
    text = re.search(r'osslcmp_name\s+"([^"]*)"', seen)
    name = text[1] if text else "This OpenSSL"
    numbers = re.search(r"osslcmp_version\s+(\d+)\s+(\d+)\s+(\d+)", seen)
    if not numbers or int(numbers[1]) < OLDEST[0]:
        raise Refused(
            f"{name} is too old: osslcmp needs OpenSSL 3.0 or later, install it or set OPENSSL_DIR to the"
            " folder of one."
        )
    if "osslcmp_no_cmp" in seen:
        raise Refused(
            f"{name} was built without CMP (OPENSSL_NO_CMP): set OPENSSL_DIR to the folder of an OpenSSL with"
            " CMP, or build one without the option no-cmp."
        )
    return int(numbers[1]), int(numbers[2]), int(numbers[3])


def find_openssl() -> OpenSSL:
    """The OpenSSL of ``OPENSSL_DIR``, else of pkg-config, else of the compiler's default paths.

    Raises:
        Refused: there is none that can be used.
    """
    folder = os.environ.get("OPENSSL_DIR")
    found = _from_openssl_dir(Path(folder).absolute()) if folder else _from_pkg_config()
    version = probe_version(found.include_dirs)
    if folder and not found.library_dirs:
        raise Refused(
            f"OPENSSL_DIR={folder} has no libcrypto in lib or lib64: set OPENSSL_DIR to the folder of an"
            " OpenSSL that is built and installed."
        )
    return found._replace(version=version)


def static_link_args() -> list[str]:
    """Link OpenSSL's archives, and what they need in turn, in such a way that no symbol of them is visible.

    For wheels: whatever else a process loads, this OpenSSL and others never get at each other's symbols.
    """
    command = shlex.split(os.environ.get("PKG_CONFIG") or "pkg-config")
    words = [f"-l{name}" for name in LIBRARIES]
    if "OPENSSL_DIR" not in os.environ and shutil.which(command[0]):
        query = [*command, "--static", "--libs-only-l", *PKG_CONFIG_MODULES]
        run = subprocess.run(query, capture_output=True, text=True, check=False)
        words = shlex.split(run.stdout) if run.returncode == 0 else words
    of_libc = {"-lc", "-lm", "-ldl", "-lpthread", "-lrt"}
    archives = [word for word in words if word not in of_libc]
    return ["-Wl,-Bstatic", *archives, "-Wl,-Bdynamic", "-Wl,--exclude-libs,ALL", "-ldl", "-lpthread"]


def sanitizer_args() -> list[str]:
    """For ``./dev sanitize``: what ``OSSLCMP_SANITIZE`` (``address,undefined``) asks of the compiler."""
    kinds = os.environ.get("OSSLCMP_SANITIZE")
    return (
        [f"-fsanitize={kinds}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"] if kinds else []
    )


def ffibuilder() -> FFI:
    """The builder that setuptools runs; the generated C file goes to its build folder."""
    found = find_openssl()
    windows = sys.platform == "win32"
    static = sys.platform == "linux" and os.environ.get("OPENSSL_STATIC", "") not in {"", "0"}
    ffi = FFI()
    ffi.cdef(cdef(found.version))
    ffi.set_source(
        "osslcmp._native",
        c_source(found.version),
        include_dirs=[*found.include_dirs, str(GLUE)],
        library_dirs=found.library_dirs,
        runtime_library_dirs=found.library_dirs if "OPENSSL_DIR" in os.environ and not windows else [],
        libraries=[] if static else [f"lib{name}" for name in LIBRARIES] if windows else LIBRARIES,
        extra_link_args=[*(static_link_args() if static else []), *sanitizer_args()],
        extra_compile_args=[] if windows else [*COMPILE_ARGS, *sanitizer_args()],
        depends=[str(path.relative_to(ROOT)) for path in sorted(DECLARATIONS.rglob("*.[ch]"))],
    )
    return ffi
