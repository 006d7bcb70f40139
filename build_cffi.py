"""Compile ``osslcmp._native``: find OpenSSL, take the declarations of its release, and build them.

The declarations in ``vendor-headers/openssl-X.Y[.Z]/`` are plain C that cffi reads, one to a line, with three
words of ours in them:

``MACRO``
    The name is a macro of OpenSSL, not a function: only cffi's call of it is compiled, there is nothing to redeclare.
``CONST_SINCE_X_Y``, ``CONST_BEFORE_X_Y``
    ``const`` in OpenSSL X.Y and later, or in releases before it.
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
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cffi import FFI

# Names of OpenSSL's parts: a CMP library of its own would be added here, and nowhere else.
LIBRARIES = ["ssl", "crypto"]
PKG_CONFIG_MODULES = ["libssl", "libcrypto"]
PROBED_HEADERS = ["openssl/opensslv.h", "openssl/opensslconf.h"]

OLDEST = (3, 0, 0)

# A patch release's additions are fixes: where they are in later minor releases, and since which patch of each.
# Minor releases that are not listed never had them before their own folder's time.
BACKPORTS: dict[str, dict[tuple[int, int], int]] = {}

# Headers whose types the others use come first; the rest follows by name.
FIRST_HEADERS = [
    "e_os2.h", "types.h", "core.h", "stack.h", "safestack.h", "crypto.h", "bio.h", "asn1.h", "conf.h", "evp.h",
    "pkcs7.h", "cms.h", "x509.h", "x509v3.h", "x509_vfy.h", "cmp_util.h", "crmf.h", "http.h", "cmp.h",
]  # fmt: skip

Version = tuple[int, int, int]

NATIVE = "osslcmp._native"
ROOT = Path(__file__).resolve().parent
DECLARATIONS = ROOT / "vendor-headers"
GLUE = DECLARATIONS / "glue"

# cffi's generated code leaves parameters unused and casts function types; everything else is an error.
STRICT = [
    "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-missing-field-initializers", "-Wno-cast-function-type",
]  # fmt: skip


class Refused(SystemExit):
    """OpenSSL cannot be used; the one sentence says why and what to do."""


class OpenSSL(NamedTuple):
    """Where the OpenSSL to build against is, and its release."""

    include_dirs: list[str] = []
    library_dirs: list[str] = []
    runtime_dirs: list[str] = []
    version: Version = OLDEST


def _dot(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")


def _from_openssl_dir(folder: Path) -> OpenSSL:
    include = folder / "include"
    missing = [header for header in PROBED_HEADERS if not (include / header).is_file()]
    if missing == PROBED_HEADERS or missing[:1] == PROBED_HEADERS[:1]:
        raise Refused(
            f"OPENSSL_DIR={folder} has no include/{PROBED_HEADERS[0]}: set OPENSSL_DIR to the folder of an OpenSSL"
            f" {_dot(OLDEST[:2])} or later with its headers, or unset it to use the system's OpenSSL."
        )
    names = ["lib64", "lib", f"lib/{sysconfig.get_config_var('MULTIARCH') or ''}", "."]
    lib = next((folder / name for name in names if any((folder / name).glob("*crypto*"))), folder / "lib")
    return OpenSSL([str(include)], [str(lib)], [] if sys.platform == "win32" else [str(lib)])


def _from_pkg_config() -> OpenSSL | None:
    command = shlex.split(os.environ.get("PKG_CONFIG", "pkg-config"))
    if shutil.which(command[0]) is None:
        return None
    run = subprocess.run(
        [*command, "--cflags-only-I", "--libs-only-L", *PKG_CONFIG_MODULES], capture_output=True, text=True, check=False
    )
    if run.returncode:
        return None
    flags = shlex.split(run.stdout)
    return OpenSSL([f[2:] for f in flags if f.startswith("-I")], [f[2:] for f in flags if f.startswith("-L")])


def _probe(found: OpenSSL) -> Version:
    """The release that the C compiler sees; refuses what cannot be used."""
    text = "".join(f"#include <{header}>\n" for header in PROBED_HEADERS) + (
        "osslcmp_version OPENSSL_VERSION_MAJOR OPENSSL_VERSION_MINOR OPENSSL_VERSION_PATCH\n"
        "osslcmp_text OPENSSL_VERSION_TEXT\n"
        "#ifdef OPENSSL_NO_CMP\nosslcmp_no_cmp\n#endif\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text(text, encoding="ascii")
        command = [*_compiler(), *(f"-I{path}" for path in found.include_dirs), "-E", str(source)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            raise Refused(
                f"No C compiler was found ({command[0]}): install one (Debian: apt-get install gcc libc6-dev),"
                " or name yours in the environment variable CC."
            ) from None
    if run.returncode:
        raise Refused(
            "OpenSSL's headers were not found: install them (Debian: apt-get install libssl-dev, Fedora: dnf install"
            " openssl-devel), or set OPENSSL_DIR to the folder of an OpenSSL that has include and lib."
        )
    seen = re.sub(r"^#.*$", "", run.stdout, flags=re.MULTILINE)
    numbers = re.search(r"osslcmp_version\s+(\d+)\s+(\d+)\s+(\d+)", seen)
    name = re.search(r'osslcmp_text\s+"([^"]*)"', seen)
    version = (int(numbers[1]), int(numbers[2]), int(numbers[3])) if numbers else (0, 0, 0)
    if version < OLDEST:
        raise Refused(
            f"{name[1] if name else 'This OpenSSL'} is too old: osslcmp needs OpenSSL {_dot(OLDEST[:2])} or later,"
            " install it or set OPENSSL_DIR to the folder of one."
        )
    if "osslcmp_no_cmp" in seen:
        raise Refused(
            f"{name[1] if name else 'This OpenSSL'} was built without CMP (OPENSSL_NO_CMP): set OPENSSL_DIR to the"
            " folder of an OpenSSL with CMP, or build one without the option no-cmp."
        )
    return version


def find_openssl() -> OpenSSL:
    """The OpenSSL of ``OPENSSL_DIR``, else of pkg-config, else of the compiler's default paths.

    Raises:
        Refused: there is none that can be used.
    """
    folder = os.environ.get("OPENSSL_DIR")
    found = _from_openssl_dir(Path(folder)) if folder else _from_pkg_config() or OpenSSL()
    return found._replace(version=_probe(found))


def in_release(folder: str, version: Version) -> bool:
    """Whether an OpenSSL of this version has the symbols of ``openssl-<folder>``.

    A minor release's folder counts from that release on. A patch release's folder counts from that patch on within its
    own minor release, and in later ones as far as ``BACKPORTS`` says.
    """
    first = tuple(map(int, folder.split(".")))
    minor, patch = version[:2], version[2]
    if len(first) == 2:
        return first <= minor
    if first[:2] == minor:
        return patch >= first[2]
    since = BACKPORTS.get(folder, {})
    if minor < first[:2]:
        return False
    return patch >= since[minor] if minor in since else bool(since) and minor > max(since)


def release_folders() -> list[Path]:
    """All folders of declarations, oldest release first."""
    return sorted(
        DECLARATIONS.glob("openssl-*"), key=lambda path: [int(number) for number in path.name.split("-")[1].split(".")]
    )


def files_for(version: Version) -> list[Path]:
    """The declaration files of one release, in the order in which cffi must read them."""

    def place(path: Path) -> tuple[int, str]:
        return (FIRST_HEADERS.index(path.name) if path.name in FIRST_HEADERS else len(FIRST_HEADERS), path.name)

    folders = [folder for folder in release_folders() if in_release(folder.name.split("-")[1], version)]
    return [path for folder in folders for path in sorted(folder.glob("*.h"), key=place)]


def plain_c(text: str, version: Version) -> str:
    """Declarations with the ``CONST_*`` words replaced for this release."""

    def const(match: re.Match[str]) -> str:
        since = version[:2] >= (int(match[2]), int(match[3]))
        return "const " if since == (match[1] == "SINCE") else ""

    return re.sub(r"\bCONST_(SINCE|BEFORE)_(\d+)_(\d+)\b ?", const, text)


def cdef(version: Version) -> str:
    """What cffi reads for this release, our glue included."""
    files = [*files_for(version), *sorted(GLUE.glob("*.h"))]
    text = "\n".join(path.read_text(encoding="ascii") for path in files)
    return re.sub(r"^MACRO ", "", plain_c(text, version), flags=re.MULTILINE)


def redeclarations(version: Version) -> Iterator[str]:
    """Each function and callback type once more, for the C compiler to compare with OpenSSL's own header."""
    for path in files_for(version):
        for line in plain_c(path.read_text(encoding="ascii"), version).splitlines():
            if line.startswith("typedef") and "..." not in line and "{" not in line:
                yield line
            elif match := re.fullmatch(r"(?!typedef|static|MACRO|struct \w+;)(\w[^()]*?)\b(\w+)(\(.*\);)", line):
                yield f"{match[1]}({match[2]}){match[3]}"


def c_source(version: Version) -> str:
    """The C text that stands before cffi's own: the real headers, our declarations again, our glue."""
    headers = sorted({path.name for path in files_for(version)})
    return "\n".join(
        [
            "#define OPENSSL_SUPPRESS_DEPRECATED",
            *(f"#include <openssl/{name}>" for name in headers),
            *redeclarations(version),
            *(f'#include "{path.name}"' for path in sorted(GLUE.glob("*.c"))),
            "",
        ]
    )


def ffibuilder() -> FFI:
    """The builder that setuptools runs; the generated C file goes to its build folder."""
    found = find_openssl()
    ffi = FFI()
    ffi.cdef(cdef(found.version))
    ffi.set_source(
        NATIVE,
        c_source(found.version),
        include_dirs=[*found.include_dirs, str(GLUE)],
        library_dirs=found.library_dirs,
        runtime_library_dirs=found.runtime_dirs,
        libraries=LIBRARIES,
        extra_compile_args=[] if sys.platform == "win32" else STRICT,
        depends=[str(path) for path in sorted(DECLARATIONS.rglob("*.[ch]"))],
    )
    return ffi
