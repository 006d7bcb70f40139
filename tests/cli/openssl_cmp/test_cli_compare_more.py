"""``osslcmp cmp`` beside ``openssl cmp`` where processes are needed: TLS, terminals, providers, the server."""

from __future__ import annotations

import ipaddress
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl, openssl_cmp
from support.comparison import PASSWORD, Inputs, outcome
from support.https import Proxy, WebServer, server_context
from support.openssl import Value
from support.pki import PKI

from osslcmp import openssl_version
from osslcmp.server import EmbeddedCA

pytestmark = pytest.mark.peer

OURS = [sys.executable, "-m", "osslcmp", "cmp"]
THEIRS = [*openssl.command(), "cmp"]
BOTH = pytest.mark.parametrize("program", [THEIRS, OURS], ids=["openssl", "osslcmp"])


@pytest.fixture(scope="module")
def inputs(pki: PKI, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(tmp_path_factory.mktemp("inputs"), pki)


@pytest.fixture(scope="module")
def https(pki: PKI) -> Iterator[WebServer]:
    """A CA over HTTPS as 127.0.0.1 alone."""
    ca = EmbeddedCA({"ref": "secret"})
    identity = pki.issue(
        "web",
        pki.issuing,
        sans=[x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("web.example")],
    )
    with WebServer(ca.server().process, server_context(identity)) as server:
        yield server


def run(
    program: list[str], words: list[str], folder: Path, data: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*program, *words],
        cwd=folder,
        env={**openssl.clean_environment(), **environment},
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    return done


def both(
    inputs: Inputs, line: str, folder: Path, status: int | None, data: bytes = b"", **environment: str
) -> None:
    """Run a line with both programs: the same exit status and the same files."""
    words = inputs.expand(line)
    ends = {}
    for name, program in (("theirs", THEIRS), ("ours", OURS)):
        (folder / name).mkdir()
        ends[name] = run(program, words, folder / name, data, **environment)
    told = b"\n".join(end.stdout + end.stderr for end in ends.values()).decode(errors="replace")
    assert ends["ours"].returncode == ends["theirs"].returncode, told
    assert status is None or ends["ours"].returncode == status, told
    theirs, ours = outcome(folder / "theirs"), outcome(folder / "ours")
    assert ours.keys() == theirs.keys()


TLS = [
    (0, "-tls_used -tls_trusted {root}"),
    (1, "-tls_used -tls_trusted {other_root}"),
    (0, "-tls_used"),
    (1, "-tls_used -tls_trusted {root} -tls_host other.example"),
    (0, "-tls_used -tls_trusted {root} -tls_host web.example"),
    (0, "-tls_used -tls_trusted {root} -tls_cert {client} -tls_key {client_key} -tls_extra {issuing}"),
    (0, "-tls_used -tls_trusted {root} -tls_cert {client} -tls_key {encrypted} -tls_keypass pass:12345"),
    (1, "-tls_used -tls_trusted {root} -tls_cert {client} -tls_key {encrypted} -tls_keypass pass:1"),
    (1, "-tls_used -tls_trusted {root} -tls_cert {client} -tls_key {key}"),
    (1, "-tls_used -tls_trusted {root} -tls_cert {client}"),
    (1, "-tls_used -tls_trusted absent"),
    (1, ""),
]


@pytest.mark.parametrize(("status", "options"), TLS, ids=lambda value: str(value) or "none")
def test_tls(https: WebServer, inputs: Inputs, tmp_path: Path, status: int, options: str) -> None:
    line = (
        f"-server 127.0.0.1:{https.port}/pkix/ -no_proxy 127.0.0.1 {{mac}} {{ir}} -msg_timeout 20 {options}"
    )
    both(inputs, line, tmp_path, status)


def test_https_in_the_url(https: WebServer, inputs: Inputs, tmp_path: Path) -> None:
    """Since 3.2 it stands for -tls_used."""
    line = f"-server {https.url()} -no_proxy 127.0.0.1 {{mac}} {{ir}} -tls_trusted {{root}}"
    both(inputs, line, tmp_path, int(openssl.version() < (3, 2, 0)))


def test_https_of_a_proxy(inputs: Inputs, tmp_path: Path) -> None:
    """OpenSSL ignores it but for the default port; with a password, which it would send nobody, it is refused."""
    with Proxy() as proxy, WebServer(EmbeddedCA({"ref": "secret"}).server().process) as http:
        line = f"-server 127.0.0.1:{http.port}/pkix/ {{mac}} {{ir}} -proxy https://{{}}127.0.0.1:{proxy.port}"
        both(inputs, line.replace("{}", ""), tmp_path, 0)
        assert len(proxy.requests) == 2
        done = run(OURS, inputs.expand(line.replace("{}", "me:hunter2@")), tmp_path)
    assert done.returncode == 1
    assert b"hunter2" not in done.stdout + done.stderr
    assert len(proxy.requests) == 2


OTHERS = [
    (0, "-provider default"),
    (0, "-provider default -propquery provider=default"),
    (1, "-provider nonsense"),
    (1, "-provider-path {folder} -provider legacy"),
    (1, "-propquery fips=yes"),
    (0, "-rand {random} -writerand out.rnd"),
    (1, "-rand absent"),
]


@pytest.mark.parametrize(("status", "options"), OTHERS)
def test_providers_and_randomness(inputs: Inputs, tmp_path: Path, status: int, options: str) -> None:
    both(inputs, "{mock} {mac} {ir} " + options.replace("{folder}", str(tmp_path)), tmp_path, status)


def test_provider_parameters(inputs: Inputs, tmp_path: Path) -> None:
    """Since 3.5; before it the option is refused."""
    early = openssl_version < (3, 5, 0)
    line = "{mock} {mac} {ir} -provparam default:a=b -provider default"
    both(inputs, line, tmp_path, int(early))


def test_no_engines(tmp_path: Path) -> None:
    told = run(OURS, ["-config", "", "-engine", "x"], tmp_path)
    assert told.returncode == 1
    assert b"-engine is not supported: use a provider" in told.stderr


# -- passwords ------------------------------------------------------------------------------------------------

#: Needs the password once; that of -keypass is read for -key and for -cert, which a pipe does not survive.
NEW_KEY = "{mock} {mac} -cmd ir -subject /CN=x -certout new.pem -rsp_cert {client_only} -newkey {encrypted}"


@pytest.mark.parametrize("options", ["-newkeypass pass:none", "-keypass pass:none", "-otherpass pass:none"])
def test_passwords_that_are_not_needed(options: str, inputs: Inputs, tmp_path: Path) -> None:
    """Ignored."""
    both(inputs, "{mock} {mac} {ir} " + options, tmp_path, 0)


def test_password_from_stdin(inputs: Inputs, tmp_path: Path) -> None:
    both(inputs, f"{NEW_KEY} -newkeypass stdin", tmp_path, 0, b"12345\n")


def test_secret_from_stdin_or_environment(inputs: Inputs, tmp_path: Path) -> None:
    both(inputs, "{mock} {ir} -ref ref -secret stdin -srv_secret env:IT", tmp_path, 0, b"it\n", IT="it")


@BOTH
def test_password_from_a_descriptor(inputs: Inputs, tmp_path: Path, program: list[str]) -> None:
    out, into = os.pipe()
    os.write(into, b"12345\n")
    os.close(into)
    words = inputs.expand(f"{NEW_KEY} -newkeypass fd:{out}")
    try:
        done = subprocess.run(
            [*program, *words],
            cwd=tmp_path,
            env=openssl.clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=[out],
            timeout=60,
            check=False,
        )
    finally:
        os.close(out)
    assert done.returncode == 0, done.stderr


@BOTH
@pytest.mark.parametrize(("typed", "status"), [(PASSWORD, 0), ("something else", 1)])
def test_prompt(inputs: Inputs, tmp_path: Path, program: list[str], typed: str, status: int) -> None:
    words = inputs.expand("-config '' {mock} {sig} {ir} -key {encrypted}")
    code, told = at_terminal([*program, *words], tmp_path, typed)
    assert "pass phrase for" in told
    if program is OURS:
        assert typed not in told  # openssl asks first and stops the echo then
    assert (code, (tmp_path / "new.pem").exists()) == (status, status == 0), told


def test_no_prompt_in_batch(inputs: Inputs, tmp_path: Path) -> None:
    words = inputs.expand("{mock} {sig} {ir} -key {encrypted}")
    code, told = at_terminal([*OURS, *words], tmp_path, None)
    assert code == 1
    assert "pass phrase" not in told


#: Runs a command with the terminal that is its standard input as the controlling one.
_AT_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def at_terminal(words: list[str], folder: Path, typed: str | None) -> tuple[int, str]:
    """Run at a terminal where somebody types a pass phrase when asked for it; gives exit status and the screen."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:  # a folder tree without /dev/pts
        pytest.skip(f"no terminals here: {error}")
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *words],
        cwd=folder,
        env=openssl.clean_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    screen, deadline = "", time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    screen += os.read(ours, 4096).decode(errors="replace")
                except OSError:
                    break  # the last one has closed it
            if typed is not None and re.search(r"pass phrase for[^\n]*:", screen):
                os.write(ours, f"{typed}\n".encode())
                typed = None
        return process.wait(30), screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)


# -- the server -----------------------------------------------------------------------------------------------


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of a server, and its first line on stdout; it is killed in the end."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=openssl.clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            yield server, server.stdout.readline()
        finally:
            server.kill()


@BOTH
def test_server_ends_after_max_msgs(inputs: Inputs, tmp_path: Path, program: list[str]) -> None:
    """The first line on stdout tells port and PID; -max_msgs counts requests, whoever sent them."""
    command = [*program, *inputs.expand("{srv} -port 0 -max_msgs 3 -verbosity 3")]
    with serving(command, tmp_path) as (server, line):
        found = re.fullmatch(r"ACCEPT (\[::\]|0\.0\.0\.0):(\d+) PID=(\d+)\n", line)
        assert found is not None
        assert int(found[3]) == server.pid
        url = f"http://127.0.0.1:{found[2]}/pkix/"
        asked: dict[str, Value] = {"ref": "ref", "secret": b"secret", "infotype": "signKeyPairTypes"}
        for _ in range(3):
            assert server.poll() is None
            openssl_cmp.cmp("genm", url, cwd=tmp_path, **asked).must()
        assert server.wait(30) == 0


@BOTH
def test_server_knows_two_paths(inputs: Inputs, tmp_path: Path, program: list[str]) -> None:
    command = [*program, *inputs.expand("{srv} -port 0 -verbosity 3")]
    with serving(command, tmp_path) as (_, line):
        port = line.split(" PID")[0].rpartition(":")[2]
        asked: dict[str, Value] = {"ref": "ref", "secret": b"secret", "infotype": "signKeyPairTypes"}
        for path, code in (("", 0), ("pkix/", 0), ("pkix", 1), ("other", 1)):
            url = f"http://127.0.0.1:{port}/{path}"
            asked["keep_alive"] = 0
            openssl_cmp.cmp("genm", url, cwd=tmp_path, **asked).must(code)
