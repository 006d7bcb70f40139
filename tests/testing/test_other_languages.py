"""The scripted server without pytest: as a context manager, as a process, as ``osslcmp serve --script``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from support.command import osslcmp as command
from support.pki import make_key
from support.serving import Served

import osslcmp
from osslcmp import FailureInfo, RejectedError
from osslcmp.testing import CMPServer, script

SCRIPT = """
# what happens
waiting times=1 check_after=0   # once

kur: reject failure=badCertTemplate text="not you"
certconf: ok
KUR: ok
"""


def test_without_pytest() -> None:
    """Where pytest is not installed the server, and the steps, are there."""
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import osslcmp.testing as testing\n"
        "with testing.CMPServer(reference=b'r', secret=b's') as server:\n"
        "    server.script(testing.ok())\n"
        "    import osslcmp\n"
        "    osslcmp.Client(server.url, reference='r', secret='s').genm()\n"
        "    assert server.script_left == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_script_as_text() -> None:
    """Each line is a step, some for one type of message."""
    with CMPServer() as server:
        script.load(server, SCRIPT)
        assert server.script_left == 4
        client = osslcmp.Client(server.url, reference=server.reference, secret=server.secret)
        assert client.ir(make_key(), subject="CN=x").certificate
        assert server.script_left == 2


def test_function_in_a_script() -> None:
    """A line may name a function of a module, and its arguments."""
    with CMPServer() as server:
        script.load(server, "genm: support.faults:cut octets=9 protect=no")
        client = osslcmp.Client(server.url, reference=server.reference, secret=server.secret)
        with pytest.raises(osslcmp.TransferError):
            client.genm()
        (exchange,) = server.exchanges
        assert exchange.response is not None
        assert len(exchange.response.body) == 9
        assert server.script_left == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("waitin", "line 1: 'waitin' is no step; known: bad_protection"),
        ("\nok\nwaiting times=x", "line 3: waiting: times: a number, not 'x'"),
        ("waiting time=1", "line 1: waiting: no argument 'time'; known: times=, check_after="),
        ("waiting 1", "line 1: waiting: no argument '1'"),
        ("ok x=1", "line 1: ok: no argument 'x'; known: none"),
        ("waiting times=0", "line 1: times: must be positive, not 0"),
        ("cert_req_id", "line 1: .*number"),
        ("irr: ok", "line 1: script: there is no type of message 'irr'; did you mean 'rr'"),
        ("ir:", "line 1: '' is no step"),
        ('reject text="x', "line 1: No closing quotation"),
        ("reject failure=bad", "line 1: reject: there is no failInfo 'bad'"),
        ("\x1b[31m", r"line 1: '\\\\x1b\[31m' is no step"),
        ("Fault name=x", "line 1: 'Fault' is no step"),
        ("change function=x", "line 1: 'change' is no step"),
        ("rr: issue_other_key", r"issue_other_key\(\) is not for rr, but for cr, ir, kur, p10cr"),
        ("http_answer status=999", "line 1: 999 is not a valid HTTPStatus"),
        ("nosuch.module:x", "line 1: nosuch.module:x: No module named"),
        ("support.faults:nosuch", "line 1: support.faults:nosuch: .*no attribute 'nosuch'"),
        (
            "support.faults:cut octet=1",
            "line 1: support.faults:cut: no argument 'octet'; known: octets=, protect=",
        ),
        ("[{step:ok}]", "No module named"),
        (".".join("a" * 50_000) + ":x", "line 1: .*recursion"),
        ("ok\nreject text=" + "x" * 5_000_000, "line 2: has 5000012 characters, at most"),
        ("delay seconds=nan", "line 1: (delay: )?seconds: "),
        ("delay seconds=1e300", "line 1: (delay: )?seconds: "),
        ("waiting check_after=99999999999999999999", "line 1: .*check_after"),
        ("http_answer content_type=\u20ac", "line 1: .*content_type: printable ASCII"),
        ("support.faults:cut octets=x", "line 1: support.faults:cut: octets: a number, not 'x'"),
        ("support.faults:cut octets=1 protect=1", "protect: yes or no, not '1'"),
        ("support.faults:cut", "line 1: change: cut: missing a required argument: 'octets'"),
    ],
)
def test_wrong_scripts(text: str, told: str) -> None:
    """The line is named."""
    with CMPServer() as server, pytest.raises(ValueError, match=told):
        script.load(server, text)


def test_encodings(tmp_path: Path) -> None:
    """What editors write: a byte order mark does not count, and what is no UTF-8 is told with the file."""
    file = tmp_path / "script"
    file.write_bytes(b"\xef\xbb\xbfok\n")
    assert script.read(file) == "ok\n"
    file.write_bytes("reject text=\xe9".encode("latin-1"))
    run = command("serve", "--script", str(file), "--directory", str(tmp_path), status=2)
    assert f"--script {file}: no text in UTF-8" in run.stderr


def test_process(tmp_path: Path) -> None:
    """It says where it is, ends with its standard input, and tells what came."""
    (tmp_path / "script").write_text("ir: ok\ncr: ok\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "osslcmp.testing", "--script", str(tmp_path / "script")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert x509.load_pem_x509_certificate(told["root"].encode())
        osslcmp.Client(told["url"], reference=told["reference"], secret=told["secret"]).ir(
            make_key(), subject="CN=x"
        )
        out, _ = process.communicate("", 60)
    assert json.loads(out) == {"requests": ["ir", "certconf"], "script_left": 1}
    assert process.returncode == 1


def test_process_with_wrong_script(tmp_path: Path) -> None:
    """Status 2, and the line."""
    (tmp_path / "script").write_text("x\n")
    for file in ("script", "nowhere"):
        done = subprocess.run(
            [sys.executable, "-m", "osslcmp.testing", "--script", str(tmp_path / file)],
            input="", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "osslcmp.testing: " in done.stderr


def test_serve_script(tmp_path: Path) -> None:
    """``osslcmp serve`` does what a script says; its status tells whether all of it was used."""
    (tmp_path / "secret").write_text("mine\n")
    (tmp_path / "script").write_text("reject failure=badTime\nok\n")
    options: list[str | Path] = [
        "--script",
        tmp_path / "script",
        "--port",
        "0",
        "--directory",
        tmp_path / "lab",
    ]
    options += ["--reference", "me", "--secret-file", tmp_path / "secret"]
    for requests, status in ((1, 1), (2, 0)):
        served = Served(*options)
        client = osslcmp.Client(served.url, reference="me", secret="mine")
        with pytest.raises(RejectedError) as caught:
            client.genm()
        assert caught.value.failure_info == FailureInfo.badTime
        for _ in range(requests - 1):
            client.genm()
        assert served.anchor.subject.rfc4514_string() == "CN=osslcmp root CA"
        assert served.end(signal.SIGTERM) == status


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--polls", "1"], "--polls: does not go with --script"),
        (
            ["--reference", "a", "--secret-file", "s", "--reference", "b", "--secret-file", "s"],
            "one --reference",
        ),
        ([], "'x' is no step"),
    ],
)
def test_serve_script_wrong(tmp_path: Path, options: list[str], told: str) -> None:
    """Usage errors, before it serves."""
    (tmp_path / "script").write_text("x\n")
    words = ["serve", "--script", "script", "--port", "0", "--directory", "lab", *options]
    assert told in command(*words, cwd=tmp_path, status=2).stderr
