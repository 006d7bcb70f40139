"""Compiles the benchmarks' C sources against the OpenSSL that osslcmp is linked to, and talks to them."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
from pathlib import Path
from types import TracebackType
from typing import final

import build_cffi

SOURCES = Path(__file__).parent
MAC, SIGNATURE = "mac", "signature"


def _flags() -> tuple[list[str], list[str]]:
    """Compiler and linker flags of the OpenSSL that the build of osslcmp finds."""
    found = build_cffi.find_openssl()
    paths = [flag for d in found.library_dirs for flag in (f"-L{d}", f"-Wl,-rpath,{d}")]
    return [f"-I{d}" for d in found.include_dirs], [*paths, "-lcrypto"]


def _compile(output: Path, sources: list[str], *options: str) -> Path:
    compiler = shlex.split(os.environ.get("CC", "cc"))
    include, link = _flags()
    warnings = ["-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    files = [str(SOURCES / name) for name in sources]
    subprocess.run([*compiler, *warnings, *options, *include, "-o", str(output), *files, *link], check=True)
    return output


def program(directory: Path) -> Path:
    """The C program, ``ir.c``."""
    return _compile(directory / "ir", ["ir.c", "client.c", "server.c", "issuing.c"])


class Helper:
    """The same C code as a shared object in this process: server, its transfer callback, client.

    All pointers are plain addresses, to be cast by whoever uses them.
    """

    def __init__(self, directory: Path) -> None:
        shared = _compile(directory / "libbench.so", ["client.c", "server.c"], "-shared", "-fPIC")
        # RTLD_LOCAL, and libcrypto is found loaded already: the one of osslcmp.
        self._lib = ctypes.CDLL(str(shared))
        self._lib.bench_server_new.restype = ctypes.c_void_p
        self._lib.bench_server_new.argtypes = [ctypes.c_char_p]
        self._lib.bench_client_new.restype = ctypes.c_void_p
        self._lib.bench_client_new.argtypes = [ctypes.c_char_p, ctypes.c_int]
        self._lib.bench_enrol_times.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self._lib.bench_client_use_server.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    def server(self, files: Path) -> int:
        """A new ``OSSL_CMP_SRV_CTX *``; it lives as long as the process."""
        address = self._lib.bench_server_new(os.fsencode(files))
        assert address, "the C-side server could not be set up"
        return int(address)

    def client(self, files: Path, protection: str, server: int) -> int:
        """A new ``OSSL_CMP_CTX *`` set up by C that talks to `server`; it lives as long as the process."""
        address = self._lib.bench_client_new(os.fsencode(files), int(protection == SIGNATURE))
        assert address, "the C-side client could not be set up"
        assert self._lib.bench_client_use_server(address, server)
        return int(address)

    def enrol(self, client: int, count: int) -> None:
        """So many transactions by that client, without a lock of Python's."""
        assert self._lib.bench_enrol_times(client, count)

    @property
    def transfer(self) -> int:
        """The address of the transfer callback that takes a server as its argument."""
        return int(ctypes.cast(self._lib.bench_transfer, ctypes.c_void_p).value or 0)


@final
class CProgram:
    """The running C program: `run` has it do a number of transactions."""

    def __init__(self, path: Path, files: Path, protection: str, *more: str) -> None:
        self._process = subprocess.Popen(
            [str(path), str(files), protection, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, count: int) -> float:
        """Nanoseconds for each of `count` transactions."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the C program ended with {self._process.wait()}")
        return int(answer) / count

    def __enter__(self) -> CProgram:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
