"""The fleet enrolment of ``adapters/celery``, with Redis and workers that are killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography import x509
from support.pki import PKI, cert_pem
from support.processes import until
from support.raw_server import free_port

from osslcmp.server import EmbeddedCA, Waiting

ADAPTER = Path(__file__).resolve().parents[2] / "adapters" / "celery"
pytestmark = [
    pytest.mark.skipif(find_spec("celery") is None, reason="celery is not installed (adapters)"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
]

ASK = """
import sys, enrolment
result = enrolment.enrol.delay(open(sys.argv[1]).read())
print(result.id)
"""
ANSWER = """
import sys, enrolment
print(enrolment.app.AsyncResult(sys.argv[1]).get(timeout=120), end="")
"""
STATE = "import sys, enrolment; print(enrolment.app.AsyncResult(sys.argv[1]).state, end='')"


class Fleet:
    """Redis, and the environment of the adapter."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, port = path, free_port()
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(port), "--save", "", "--dir", str(path)],
            stdout=subprocess.DEVNULL,
        )
        self.environment = {
            **os.environ, "PYTHONPATH": str(ADAPTER), "CELERY_BROKER": f"redis://127.0.0.1:{port}/0",
            "CELERY_BACKEND": f"redis://127.0.0.1:{port}/1", "CELERY_VISIBILITY": "5", "CMP_SERVER": url,
            "CMP_TRUSTED": f"{path}/root.pem", "CMP_REFERENCE": "fleet", "CMP_SECRET_FILE": f"{path}/secret",
        }  # fmt: skip
        until(
            lambda: (
                subprocess.run(
                    ["redis-cli", "-p", str(port), "ping"], capture_output=True, check=False
                ).returncode
                == 0
            )
        )

    def run(self, script: str, argument: str | Path, *, fails: bool = False) -> str:
        """A script of somebody who has the adapter."""
        done = subprocess.run(
            [sys.executable, "-c", script, str(argument)],
            env=self.environment, cwd=self.path, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    @contextmanager
    def worker(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """One, with a process for its tasks."""
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "enrolment",
            "worker",
            "-c",
            "1",
            "-n",
            name,
            "-l",
            "WARNING",
        ]
        with (self.path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.path, stdout=log, stderr=log, start_new_session=True
            )
            try:
                yield process
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def authority() -> EmbeddedCA:
    return EmbeddedCA({"fleet": "secret"})


@pytest.fixture
def fleet(tmp_path: Path, authority: EmbeddedCA) -> Iterator[Fleet]:
    (tmp_path / "root.pem").write_bytes(cert_pem(authority.root))
    (tmp_path / "secret").write_text("secret\n")
    with ExitStack() as stack:
        running = stack.enter_context(authority.server(strictness="rfc9810").serve())
        found = Fleet(tmp_path, running.url)
        stack.callback(found.redis.wait)
        stack.callback(found.redis.kill)
        yield found


def test_any_worker_goes_on_where_a_killed_one_was(fleet: Fleet, authority: EmbeddedCA, pki: PKI) -> None:
    """While the CA waits for a person, the worker that has asked is killed; another one gets the certificate."""
    authority.policy = lambda _: Waiting(check_after=1)
    with fleet.worker("first"):
        task = fleet.run(ASK, pki.enrolled.csr_file()).strip()
        until(lambda: fleet.run(STATE, task) == "WAITING")
    assert not authority.records
    authority.policy = None
    with fleet.worker("second"):
        got = x509.load_pem_x509_certificates(fleet.run(ANSWER, task).encode())
    assert [record.certificate for record in authority.records] == got[:1]  # asked for once
    assert got[1:] == list(authority.chain)


def test_words_of_a_refusal_are_in_the_result(fleet: Fleet, authority: EmbeddedCA, pki: PKI) -> None:
    """As the exception of the task."""
    (fleet.path / "secret").write_text("wrong\n")
    with fleet.worker("only"):
        task = fleet.run(ASK, pki.enrolled.csr_file()).strip()
        assert "EnrolmentError" in fleet.run(ANSWER, task, fails=True)
