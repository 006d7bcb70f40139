"""Whole processes: ``osslcmp cmp`` beside ``openssl cmp``, from the start of the process to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from support import openssl
from support.mock_server import MockServer

from .rounds import Round, compare

_CONSOLE_SCRIPT = Path(sys.executable).with_name("osslcmp")


def _ours() -> list[str]:
    """The command as it is installed."""
    return [str(_CONSOLE_SCRIPT)] if _CONSOLE_SCRIPT.exists() else [sys.executable, "-m", "osslcmp"]


def _process(command: list[str], directory: Path) -> Round:
    environment = openssl.clean_environment()

    def run(count: int) -> float:
        start = perf_counter_ns()
        for _ in range(count):
            subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=True)
        return (perf_counter_ns() - start) / count

    return run


def bench_start(directory: Path, pki: Any, rounds: int, seconds: float) -> None:
    """``cmp -help``, and an ir with certConf against one running ``openssl cmp -port``."""
    nothing = {"python -c pass": _process([sys.executable, "-c", "pass"], directory)}
    runs = {
        "openssl cmp -help": _process([*openssl.command(), "cmp", "-config", "", "-help"], directory),
        "osslcmp cmp -help": _process([*_ours(), "cmp", "-help"], directory),
        **nothing,
    }
    compare("cmp -help", runs, rounds, seconds, what="processes", base="openssl")
    with MockServer(
        srv_ref="ref", srv_secret=b"secret", rsp_cert=pki.enrolled.cert_file, verbosity=3
    ) as server:
        options = openssl.arguments(
            {
                "config": "",
                "cmd": "ir",
                "server": server.url,
                "ref": "ref",
                "secret": b"secret",
                "subject": "/CN=x",
                "newkey": pki.enrolled.key_file,
                "certout": directory / "new.pem",
            }
        )
        runs = {
            "openssl cmp -cmd ir": _process([*openssl.command(), "cmp", *options], directory),
            "osslcmp cmp -cmd ir": _process([*_ours(), "cmp", *options], directory),
            **nothing,
        }
        compare("ir", runs, rounds, seconds, what="processes", base="openssl")
