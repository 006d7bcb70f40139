"""``./dev sanitize``: the extension compiled with AddressSanitizer and UBSan, and something run with it.

Without arguments, or with others than these, the tests; arguments go to pytest. ``leaks``: the workload of ./dev memcheck
with LeakSanitizer. ``fuzz ...``: what ``./dev fuzz ...`` does. The build is in ``build/sanitized``, beside the usual one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "sanitized"
SANITIZERS = "address,undefined"

#: Tests that are of no use with it: they build, install, start interpreters without our environment, or count memory.
NOT_RUN = ("tests/project", "tests/robustness/test_robust_memory.py", "tests/robustness/test_lifetimes_leaks.py",
           "tests/robustness/test_fuzz.py", "tests/server/test_server_memory.py")  # fmt: skip

#: Seconds for a test: it takes several times as long as usual.
TIMEOUT = 3600

_OURS = re.compile(r"_native\.[^/ ]*\.so|osslcmp_\w+")


def build() -> None:
    """Compile, unless nothing has changed, and put the package's Python beside it."""
    sources = [*(ROOT / "vendor-headers").rglob("*.[ch]"), ROOT / "build_cffi.py", ROOT / "setup.py"]
    built = next(BUILD.glob("osslcmp/_native*.so"), None)
    if built is None or any(path.stat().st_mtime > built.stat().st_mtime for path in sources):
        print("sanitize: compiling", file=sys.stderr, flush=True)
        command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", str(BUILD),
                   "--build-temp", str(ROOT / "build" / "sanitized-temp")]  # fmt: skip
        subprocess.run(command, cwd=ROOT, env={**os.environ, "OSSLCMP_SANITIZE": SANITIZERS}, check=True)
    ignored = shutil.ignore_patterns("_native*.so", "__pycache__")
    shutil.copytree(ROOT / "src" / "osslcmp", BUILD / "osslcmp", ignore=ignored, dirs_exist_ok=True)


def environment(*, leaks: bool = False, growth: bool = False) -> dict[str, str]:
    """What the sanitized extension needs: the sanitizer's library first, and Python's memory from malloc().

    With ``growth`` what is resident says how much is in use: what is freed is not kept for long (256 MiB else), and of each
    allocation few calls are written down, which is never given back.
    """
    command = ["gcc", "-print-file-name=libasan.so"]
    library = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    options = (
        f"detect_leaks={leaks:d}",
        "abort_on_error=1",
        "allocator_may_return_null=1",
        f"fast_unwind_on_malloc={not leaks:d}",
        *(
            ("quarantine_size_mb=8", "thread_local_quarantine_size_kb=64", "malloc_context_size=4")
            if growth
            else ()
        ),
    )
    return {
        **os.environ,
        "LD_PRELOAD": str(Path(library).resolve()),
        "PYTHONPATH": os.pathsep.join((str(BUILD), str(ROOT / "tools"))),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": ":".join(options),
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1",
        "LSAN_OPTIONS": "exitcode=0:max_leaks=0:report_objects=0",
    }


def check_in_use() -> None:
    """Whatever is imported must be that build, and its sanitizers at work."""
    probe = "import osslcmp, ctypes; print(osslcmp.lib, osslcmp.__file__); ctypes.CDLL(None).__asan_init"
    run = subprocess.run(
        [sys.executable, "-c", probe], env=environment(), capture_output=True, text=True, check=False
    )
    if run.returncode or str(BUILD) not in run.stdout:
        raise SystemExit(
            f"sanitize: the sanitized extension is not the one in use:\n{run.stdout}{run.stderr}"
        )


def leaks() -> int:
    """The workload, and what nobody can free any more that the extension took part in allocating."""
    workload = ROOT / "tools" / "memcheck_workload.py"
    run = subprocess.run(
        [sys.executable, str(workload)], env=environment(leaks=True), stderr=subprocess.PIPE, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    found = ours(run.stderr)
    print(*found, sep="\n\n")
    if run.returncode:
        print(run.stderr[-5_000:], file=sys.stderr)
    print(f"sanitize: {len(found)} leaks, exit status {run.returncode}")
    return 1 if found or run.returncode else 0


def ours(report: str) -> list[str]:
    """The leaks in LeakSanitizer's report that count: not what importing allocates, nor what is the interpreter's."""
    blocks = re.findall(r"^(?:Direct|Indirect) leak of .*?(?=\n\n|\Z)", report, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if _OURS.search(block) and "PyInit_" not in block]


def main() -> int:
    """The command."""
    arguments = sys.argv[1:]
    build()
    check_in_use()
    if arguments[:1] == ["leaks"]:
        return leaks()
    if arguments[:1] == ["fuzz"]:
        words, growth = ["fuzz", *arguments[1:]], True
    else:
        settings = ["-p", "no:cacheprovider", "-o", f"timeout={TIMEOUT}"]
        words, growth = ["pytest", *settings, *(f"--ignore={name}" for name in NOT_RUN), *arguments], False
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, env=environment(growth=growth), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
