"""Another OpenSSL at run time than at build time, and what is known to be dangerous in some releases."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from support.pki import make_key, make_name

import osslcmp
from osslcmp import Context, Option
from osslcmp._asn1 import der
from osslcmp._openssl import lib, load_errors
from osslcmp.server import EmbeddedCA, waiting

OLD_LIBRARY = 'const char *OpenSSL_version(int what) { (void)what; return "OpenSSL 3.0.1 14 Dec 2021"; }\n'


def built_version() -> str:
    """What stands in the headers that were built against."""
    return str(osslcmp.ffi.string(osslcmp.lib.OPENSSL_VERSION_STR).decode())


@pytest.fixture
def old_library(tmp_path: Path) -> Path:
    """A folder with a libcrypto and libssl of the right name that lack all but their version."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    mapped = {Path(path).name for path in re.findall(r"\S*/lib(?:crypto|ssl)\.so\S*", maps)}
    names = {
        name for name in mapped if name.endswith(f".{osslcmp.openssl_version[0]}")
    }  # Python's may be another
    assert len(names) == 2, names
    source = tmp_path / "old.c"
    source.write_text(OLD_LIBRARY, encoding="ascii")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    for name in names:
        command = [*compiler, "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", name, str(source)]
        subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path


def test_older_openssl_is_refused_in_one_sentence(old_library: Path) -> None:
    """The dynamic loader's complaint becomes an ImportError that names both releases."""
    path = os.pathsep.join(sys.path)
    run = subprocess.run(
        [sys.executable, "-c", "from osslcmp import lib"],
        env={**os.environ, "LD_LIBRARY_PATH": str(old_library), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    (last,) = run.stderr.splitlines()[-1:]
    assert last.startswith(
        f"ImportError: osslcmp was built against OpenSSL {built_version()}, "
        "but this process loads OpenSSL 3.0.1 ("
    )
    assert last.endswith("load the newer one, or rebuild osslcmp here")


def test_absent_openssl_is_named() -> None:
    """No libcrypto of the right name at all."""
    text = "libcrypto.so.3: cannot open shared object file: No such file or directory"
    sentence = load_errors.explain(ImportError(text))
    assert sentence is not None
    assert f"built against OpenSSL {built_version()}, but this process loads none" in sentence


def test_other_import_errors_are_left_alone() -> None:
    """A complaint that is not about OpenSSL is not explained."""
    assert load_errors.explain(ImportError("No module named 'osslcmp._native'")) is None


def stripped(message: bytes) -> bytes:
    """A PKIMessage without its extraCerts."""
    parts = der.sequence(message)
    return der.encode(der.SEQUENCE, *(part.encoding for part in parts[:3]))


def crash_of_28973() -> None:
    """Let the cached server certificate be the only one, and then not verify an answer any more.

    Releases without the fix of OpenSSL's issue 28973 read that certificate after they freed it.
    """
    mine, other = EmbeddedCA({"ref": "secret"}), EmbeddedCA({"ref": "secret"})
    key = make_key()
    first = osslcmp.Client(transport=mine.server(), reference="ref", secret="secret").ir(key, subject="CN=a")
    mine.policy = waiting(1, check_after=0)
    server, stranger = mine.server(), other.server()
    requests = 0

    def transport(request: bytes) -> bytes:
        nonlocal requests
        requests += 1
        if requests == 3:
            return stranger.process(request)
        answer = server.process(request)
        return answer if requests == 1 else stripped(answer)

    context = Context()
    context.set_option(Option.NO_CACHE_EXTRACERTS, 1)
    context.set_transfer_cb(transport)
    context.set_cert(first.certificate)
    context.set_pkey(key)
    context.set_untrusted([mine.issuer])
    context.set_trusted_store([mine.root, mine.issuer])
    context.set_new_pkey(make_key())
    context.set_subject_name(make_name("b"))
    context.exec_ir_ses()


def test_no_cache_extracerts_does_not_crash() -> None:
    """In a process of its own, with freed memory overwritten: a clear error or no such option, never a crash."""
    script = "import sys; sys.path[:0] = sys.argv[1:]; import test_versions; test_versions.crash_of_28973()"
    run = subprocess.run(
        [sys.executable, "-c", script, *sys.path, str(Path(__file__).parent)],
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        check=False,
    )
    there = osslcmp.features["no_cache_extracerts"]
    assert run.returncode == 1, run.stderr
    assert ("osslcmp.errors.ConfirmError" if there else "osslcmp.errors.UnsupportedError") in run.stderr


@pytest.mark.parametrize(
    ("feature", "version", "needed"),
    [
        ("root_ca_update", (3, 0, 22), "3.2"),
        ("root_ca_update", (3, 2, 0), "3.2.2"),
        ("root_ca_update", (3, 2, 1), "3.2.2"),
        ("root_ca_update", (3, 2, 2), None),
        ("root_ca_update", (3, 3, 0), "3.3.1"),
        ("root_ca_update", (3, 3, 1), None),
        ("root_ca_update", (4, 0, 0), None),
        ("no_cache_extracerts", (3, 2, 0), "3.3"),
        ("no_cache_extracerts", (3, 3, 0), "3.5.7"),
        ("no_cache_extracerts", (3, 4, 9), "3.5.7"),
        ("no_cache_extracerts", (3, 5, 6), "3.5.7"),
        ("no_cache_extracerts", (3, 5, 7), None),
        ("no_cache_extracerts", (3, 6, 2), "3.6.3"),
        ("no_cache_extracerts", (3, 6, 3), None),
        ("no_cache_extracerts", (4, 0, 0), None),
        ("serial_number", (3, 2, 0), None),
    ],
)
def test_what_lets_a_peer_crash_the_process_is_refused(
    feature: str, version: tuple[int, int, int], needed: str | None
) -> None:
    """Seen: no root CA update with 3.2.0, a certificate that is freed too early with 3.3.0."""
    assert lib.is_usable(feature, version) == (needed is None)
    if needed is not None:
        assert lib.needed_release(feature, version) == needed
