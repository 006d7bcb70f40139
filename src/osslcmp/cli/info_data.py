"""The data of ``osslcmp info``: OpenSSL, Python, packages."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from .._openssl.errorqueue import clear, text_from_c
from .._openssl.lib import NEEDED, NULL, built_version, features, ffi, lib, openssl_version

_ROOM = 1 << 14
_DEVELOPMENT = ("adapters", "bench", "dev", "docs", "lint", "test")
"""Extras that nobody needs who uses the package."""
#: Shown as they are; of those that may hold a password only whether they are set.
_VARIABLES = [
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "no_proxy",
]
_PRIVATE = ("http_proxy", "https_proxy")


class _DLInfo(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _library() -> Path | None:
    """The file that libcrypto's functions are in, as the dynamic loader knows it; ``None`` if it does not."""
    module = Path(str(sys.modules["osslcmp._native"].__file__))
    try:
        function = ctypes.CDLL(str(module)).OpenSSL_version
        found = _DLInfo()
        if not ctypes.CDLL(None).dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(found)):
            return None
    except (OSError, AttributeError, TypeError):
        return module  # linked into it, its names hidden
    return Path(os.fsdecode(found.file)).resolve()


def _info(name: str) -> str:
    pointer = lib.OPENSSL_info(getattr(lib, name))
    return "" if pointer == NULL else text_from_c(pointer)


def _version(name: str) -> str:
    return text_from_c(lib.OpenSSL_version(getattr(lib, name)))


def _providers() -> list[dict[str, Any]]:
    clear()
    buffer = ffi.new("char[]", _ROOM)
    lib.osslcmp_provider_list(NULL, buffer, _ROOM)
    clear()
    rows = (line.split("\t") for line in text_from_c(buffer).splitlines())
    return [{"name": name, "version": number, "works": status == "1"} for name, number, status in rows]


def _modules(folder: str) -> list[str]:
    """Providers that could be loaded from the folder, by the names that ``-provider`` takes."""
    end = _info("OPENSSL_INFO_DSO_EXTENSION") or ".so"
    try:
        return sorted(
            path.name.removesuffix(end) for path in Path(folder).iterdir() if path.name.endswith(end)
        )
    except OSError:
        return []


def openssl_facts() -> dict[str, Any]:
    """The libcrypto that is loaded, its settings and what it can do."""
    library = _library()
    directory = _info("OPENSSL_INFO_CONFIG_DIR")
    modules = os.environ.get("OPENSSL_MODULES") or _info("OPENSSL_INFO_MODULES_DIR")
    config = os.environ.get("OPENSSL_CONF") or str(Path(directory, "openssl.cnf"))
    return {
        "version": _version("OPENSSL_VERSION"),
        "number": ".".join(map(str, openssl_version)) + text_from_c(lib.OPENSSL_version_pre_release()),
        "built against": ".".join(map(str, built_version)),
        "built on": _version("OPENSSL_BUILT_ON").partition(": ")[2],
        "platform": _version("OPENSSL_PLATFORM").partition(": ")[2],
        "compiler": _version("OPENSSL_CFLAGS").partition(": ")[2],
        "library": None if library is None else str(library),
        "library SHA-256": None if library is None else _digest(library),
        "directory": directory,
        "modules directory": _info("OPENSSL_INFO_MODULES_DIR"),
        "configuration": config + ("" if Path(config).exists() else " (absent)"),
        "CPU": _info("OPENSSL_INFO_CPU_SETTINGS"),
        "seed source": _info("OPENSSL_INFO_SEED_SOURCE"),
        "FIPS by default": bool(lib.EVP_default_properties_is_fips_enabled(NULL)),
        "TLS ciphers": text_from_c(lib.OSSL_default_ciphersuites()),
        "TLS 1.2 ciphers": text_from_c(lib.OSSL_default_cipher_list()),
        "providers loaded": _providers(),
        "providers to load": _modules(modules),
        "features": {
            name: {"available": there, "since": NEEDED[name][0]} for name, there in features.items()
        },
    }


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):  # where OpenSSL is to do what it cannot, hashlib cannot either
        return None


def _extras() -> dict[str, dict[str, str | None]]:
    """Optional packages: what is installed of those that each extra names."""
    found: dict[str, dict[str, str | None]] = {}
    for requirement in requires("osslcmp") or ():
        extra = re.search(r"""extra\s*==\s*["']([\w-]+)["']""", requirement)
        name = re.match(r"[\w.-]+", requirement)
        if extra and name and extra[1] not in _DEVELOPMENT and name[0] != "osslcmp":
            found.setdefault(extra[1], {})[name[0]] = _package(name[0])
    return found


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def python_facts() -> dict[str, Any]:
    """Python, the packages, and the environment as far as it matters."""
    facts: dict[str, Any] = {
        "osslcmp": _package("osslcmp"),
        "installed in": str(Path(__file__).parents[1]),
        "Python": f"{platform.python_implementation()} {sys.version}".replace("\n", " "),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cffi": _package("cffi"),
        "cryptography": _package("cryptography"),
        "cryptography's OpenSSL": _their_openssl(),
    }
    if (check := getattr(sys, "_is_gil_enabled", None)) is not None:
        facts["GIL"] = bool(check())
    facts["extras"] = _extras()
    facts["environment"] = {
        **{name: os.environ[name] for name in _VARIABLES if name in os.environ},
        **{name: "(set)" for name in _PRIVATE if name in os.environ or name.upper() in os.environ},
    }
    return facts


def _their_openssl() -> str:
    """Another one than ours, in its wheels."""
    from cryptography.hazmat.backends.openssl.backend import backend

    return backend.openssl_version_text()
