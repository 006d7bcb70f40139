"""``osslcmp info``: what a bug report needs."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from .._text import json_text
from ._common import Parser, emit, heading

_EPILOG = """\
Nothing secret is in it: of proxies only that there are some. Paste it into a bug report as it is, best with --json.

Exit status: 0, 1 if OpenSSL cannot be loaded (the rest is printed all the same), 2 for wrong options.
"""
#: Long and rarely of interest: left to --json and --all.
_LONG = ("compiler", "TLS ciphers", "TLS 1.2 ciphers", "library SHA-256", "CPU", "seed source")


def parser() -> Parser:
    """The options."""
    made = Parser("info", "Tell which OpenSSL is used, what it can do, and all versions.", _EPILOG)
    how = made.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="everything as one JSON object")
    how.add_argument("--all", action="store_true", help="also compiler options, ciphers, CPU and checksum")
    return made


def run(options: Namespace) -> int:
    """Tell it. Returns the exit status: 0, 1 or 2."""
    info, status = _info()
    if options.json:
        print(json_text(info, indent=2))
        return status
    _print_openssl(info["OpenSSL"], everything=options.all)
    _print_python(info["Python"])
    return status


def _info() -> tuple[dict[str, Any], int]:
    """Everything, and the exit status. Without libcrypto the reports about its absence are the most welcome ones."""
    try:
        from .info_data import openssl_facts, python_facts
    except ImportError as error:
        import platform
        import sys
        from importlib.metadata import version

        python = {
            "osslcmp": version("osslcmp"),
            "Python": sys.version.replace("\n", " "),
            "platform": platform.platform(),
        }
        return {"OpenSSL": {"error": str(error)}, "Python": python}, 1
    return {"OpenSSL": openssl_facts(), "Python": python_facts()}, 0


def _row(name: str, value: str, style: str = "") -> None:
    emit((f"  {name:<24} ", "dim"), (value, style))


def _print_openssl(info: dict[str, Any], *, everything: bool) -> None:
    emit(("OpenSSL", "bold"))
    features = info.pop("features", {})
    for name, value in info.items():
        if name in _LONG and not everything:
            continue
        if name == "error":
            _row(name, value, "red")
        elif name == "providers loaded":
            for provider in value:
                works = "" if provider["works"] else " (does not work)"
                _row("provider loaded", f"{provider['name']} {provider['version']}{works}")
        else:
            _row(name, _text(value))
    if features:
        heading("Features")
        for name, one in sorted(features.items(), key=lambda item: (_release(item[1]["since"]), item[0])):
            there = one["available"]
            emit(
                (f"  {name:<30} ", ""),
                ("yes" if there else "no ", "green" if there else "red"),
                (f"   OpenSSL {one['since']}", "dim"),
            )


def _release(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _print_python(info: dict[str, Any]) -> None:
    heading("Python")
    extras, environment = info.pop("extras", {}), info.pop("environment", {})
    for name, value in info.items():
        _row(name, _text(value))
    for extra, packages in extras.items():
        _row(f"extra [{extra}]", ", ".join(f"{name} {found or 'absent'}" for name, found in packages.items()))
    for name, value in environment.items():
        _row(name, value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "unknown" if value is None else str(value)
