"""What ``osslcmp cmp`` tells: one JSON object, progress on a terminal, what to do next, what is pending."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support import openssl
from support.command import OSSLCMP, environment, on_a_terminal, osslcmp
from support.openssl import Value
from support.pki import PKI, key_pem
from support.raw_server import RawServer, hang

import osslcmp as api
from osslcmp.server import EmbeddedCA, RunningServer, Server, waiting

pytestmark = pytest.mark.peer

MEMBERS = [
    "ok", "exit", "failure", "status", "failInfo", "text", "transaction", "pending", "polls", "certificate", "files",
    "errors", "hint", "messages",
]  # fmt: skip


def words(pki: PKI, **options: Value) -> list[str]:
    """An ir with a shared secret, without the configuration of this machine."""
    given: dict[str, Value] = {
        "config": "",
        "batch": True,
        "cmd": "ir",
        "ref": "ref",
        "secret": b"secret",
        "newkey": pki.enrolled.key_file,
        "subject": "/CN=x",
        "certout": "new.pem",
        **options,
    }
    return ["cmp", *openssl.arguments(given)]


def mock(pki: PKI, **more: Value) -> dict[str, Value]:
    """A mock server in the same process."""
    return {
        "use_mock_srv": True,
        "srv_ref": "ref",
        "srv_secret": b"secret",
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "srv_untrusted": pki.issuing.cert_file,
        "srv_trusted": pki.root.cert_file,
        "rsp_cert": pki.enrolled.cert_file,
        "rsp_extracerts": pki.issuing.cert_file,
        **more,
    }


def asked(*arguments: str, cwd: Path, status: int) -> dict[str, Any]:
    """The object of -json: nothing else is on stdout, and its members are always the same."""
    told: dict[str, Any] = json.loads(osslcmp(*arguments, "-json", cwd=cwd, status=status).stdout)
    assert [name for name in told if name != "infos"] == MEMBERS
    assert (told["ok"], told["exit"]) == (status == 0, status)
    assert (told["failure"] is None) == (status == 0)
    return told


# -- the object -----------------------------------------------------------------------------------------


def test_success(pki: PKI, tmp_path: Path) -> None:
    """Certificate, files, transaction."""
    files: dict[str, Value] = {
        "certout": "new.pem",
        "chainout": "chain.pem",
        "extracertsout": "extra.pem",
        "trace": "t",
    }
    told = asked(*words(pki, **mock(pki), **files), cwd=tmp_path, status=0)
    assert told["status"] == "accepted"
    assert told["files"] == files
    assert told["certificate"]["subject"].endswith("/CN=enrolled")
    assert int(told["certificate"]["serial"], 16) == pki.enrolled.certificate.serial_number
    assert not told["pending"]
    assert told["errors"] == told["messages"]["errors"] == []
    trace = api.Trace.load((tmp_path / "t").read_bytes())
    assert [m.type.name for m in trace.messages] == ["IR", "IP", "CERTCONF", "PKICONF"]
    assert [key.hex() for key in trace.transactions if key] == [told["transaction"]]
    drawn = osslcmp("trace", "t", cwd=tmp_path).stdout
    assert told["transaction"] in drawn
    assert "certconf" in drawn


def test_genm_and_rr(pki: PKI, tmp_path: Path) -> None:
    """Without a certificate; the types of what came."""
    told = asked(*words(pki, **mock(pki), cmd="genm", infotype="signKeyPairTypes"), cwd=tmp_path, status=0)
    assert told["infos"] == ["id-it-signKeyPairTypes"]
    assert told["certificate"] is None
    rr = mock(pki, cmd="rr", oldcert=pki.enrolled.cert_file)
    assert asked(*words(pki, **rr), cwd=tmp_path, status=0)["status"] == "accepted"


def test_rejection(pki: PKI, tmp_path: Path) -> None:
    """Status, failInfo by name, the server's text, the chain of errors."""
    refusing = mock(pki, pkistatus=2, failurebits=0b1000000001, statusstring="no way")
    told = asked(*words(pki, **refusing, certout="new.pem"), cwd=tmp_path, status=1)
    assert told["failure"] == "RejectedError"
    assert (told["status"], told["failInfo"], told["text"]) == ("rejection", ["badAlg", "badPOP"], "no way")
    assert any("rejected" in error["reason"] for error in told["errors"])
    assert all(set(error) == {"library", "reason", "data", "function"} for error in told["errors"])
    assert told["files"] == {}
    assert not (tmp_path / "new.pem").exists()
    assert any("no way" in message for message in told["messages"]["errors"])


def test_no_answer(pki: PKI, tmp_path: Path) -> None:
    """Nobody is there: nothing is pending."""
    told = asked(*words(pki, server="127.0.0.1:1", trace="t"), cwd=tmp_path, status=1)
    assert told["failure"] == "TransferError"
    assert told["status"] is None
    assert not told["pending"]
    assert told["errors"]
    last = api.Trace.load((tmp_path / "t").read_bytes()).entries[-1]
    assert last.summary.startswith("TransferError")


def test_timeout(pki: PKI, tmp_path: Path) -> None:
    """The server may have the request."""
    with RawServer(hang) as server:
        told = asked(*words(pki, server=server.url, msg_timeout=1), cwd=tmp_path, status=1)
    assert told["failure"] == "TransferTimeout"
    assert told["pending"]
    assert f"transaction {told['transaction']} may be pending" in told["messages"]["errors"][-1]


def test_protection(pki: PKI, tmp_path: Path) -> None:
    """Errors of the library, one by one."""
    told = asked(*words(pki, **mock(pki, srv_secret=b"other")), cwd=tmp_path, status=1)
    assert told["failure"] in ("ProtectionError", "RejectedError")
    assert told["errors"]
    assert told["certificate"] is None


def test_certificate_that_is_not_accepted(pki: PKI, tmp_path: Path) -> None:
    """It exists: it is named."""
    (tmp_path / "key.pem").write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1())))
    told = asked(*words(pki, **mock(pki), newkey="key.pem", certout="new.pem"), cwd=tmp_path, status=1)
    assert told["failure"] == "ConfirmError"
    assert int(told["certificate"]["serial"], 16) == pki.enrolled.certificate.serial_number
    assert "revoke it" in told["messages"]["errors"][-1]
    assert told["files"] == {}
    assert not (tmp_path / "new.pem").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["-servr", "x"],
        ["-cmd", "xx"],
        ["-newkey", "absent.pem"],
        ["-trace", "no/such/folder"],
        ["-days", "x"],
    ],
)
def test_wrong_options(pki: PKI, tmp_path: Path, wrong: list[str]) -> None:
    """Before anything is sent."""
    told = asked(*words(pki, **mock(pki)), *wrong, cwd=tmp_path, status=1)
    assert told["failure"] == "Failure"
    assert told["transaction"] is None
    assert told["messages"]["errors"]


def test_interrupted(pki: PKI, tmp_path: Path) -> None:
    """130, and what is pending."""
    server = EmbeddedCA({"ref": "secret"}, policy=waiting(9, check_after=60)).server()
    with (
        server.serve() as running,
        subprocess.Popen(
            [*OSSLCMP, *words(pki, server=running.url), "-json"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            if "checkAfter" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
    assert process.returncode == told["exit"] == 130
    assert told["failure"] == "KeyboardInterrupt"
    assert told["pending"]
    assert f"interrupted; transaction {told['transaction']} may be pending" in told["messages"]["errors"][-1]


# -- an interrupt ends at once --------------------------------------------------------------------------


def test_interrupt_while_an_answer_is_awaited(pki: PKI) -> None:
    """Long before the timeout."""
    with (
        RawServer(hang) as server,
        subprocess.Popen(
            [*OSSLCMP, *words(pki, server=server.url, msg_timeout=300)],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        while not server.requests:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search("interrupted; transaction [0-9a-f]{32} may be pending at the server", told)


# -- progress -------------------------------------------------------------------------------------------


@pytest.fixture
def slow() -> Any:
    """A server that lets its clients wait for two seconds, once."""
    with EmbeddedCA({"ref": "secret"}, policy=waiting(2, check_after=2)).server().serve() as running:
        yield running


WITHOUT_RICH = "import sys\nsys.modules['rich'] = None\nfrom osslcmp.cli import main\nsys.exit(main())"


@pytest.mark.parametrize("how", ["rich", "no colour", "dumb", "without rich"])
def test_progress(pki: PKI, tmp_path: Path, slow: RunningServer, how: str) -> None:
    """A bar with rich, a line without; gone when the answer is there."""
    program = [sys.executable, "-c", WITHOUT_RICH] if how == "without rich" else OSSLCMP
    variables = {"no colour": {"NO_COLOR": "1"}, "dumb": {"TERM": "dumb"}}.get(how, {})
    told = on_a_terminal(
        [*program, *words(pki, server=slow.url)], cwd=tmp_path, stdout=subprocess.DEVNULL, **variables
    )
    assert "waiting for the server" in told
    assert re.search(r"next poll in [12] s", told)
    assert ("━" in told) == (how in ("rich", "no colour"))
    if how == "no colour":
        assert not re.search(r"\x1b\[[\d;]*3\d", told)
    if how == "dumb":
        assert "\x1b" not in told
    quiet = on_a_terminal(
        [*program, *words(pki, server=slow.url, verbosity=3)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        **variables,
    )
    assert "waiting" not in quiet


def test_no_progress_without_a_terminal(pki: PKI, tmp_path: Path, slow: RunningServer) -> None:
    """A log file is no place for it."""
    done = osslcmp(*words(pki, server=slow.url), cwd=tmp_path)
    assert "next poll" not in done.stderr + done.stdout


# -- secrets, and options -----------------------------------------------------------------------


def test_warning_of_secrets_that_others_see(pki: PKI, tmp_path: Path) -> None:
    """On the command line only, as pass: or bare."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "c.cnf").write_text("[cmp]\nsecret = pass:secret\n")
    for option, source, warned in (
        ("secret", "pass:secret", True),
        ("secret", "secret", True),
        ("secret", "file:secret", False),
        ("secret", "env:SECRET", False),
        ("config", "c.cnf", False),
    ):
        options: dict[str, Value] = {"secret": None, option: source}
        arguments = words(pki, **mock(pki, **options))
        told = osslcmp(*arguments, cwd=tmp_path, SECRET="secret")
        assert ("-secret on the command line can be seen by other users" in told.stdout) == warned
        assert "pass:secret" not in told.stdout


def test_hint_about_an_option(pki: PKI, tmp_path: Path) -> None:
    """What was meant, probably."""
    told = osslcmp("cmp", "-implicit_confrm", cwd=tmp_path, status=1).stderr
    assert "cmp: did you mean -implicit_confirm?\n" in told


def test_servers_of_the_library_are_understood(pki: PKI, tmp_path: Path) -> None:
    """A refusal of the embedded CA, by name."""
    server: Server = EmbeddedCA({"ref": "secret"}).server()
    with server.serve() as running:
        told = asked(*words(pki, server=running.url, popo=0), cwd=tmp_path, status=1)
    assert told["failure"] == "RejectedError"
    assert told["failInfo"] == ["notAuthorized"]
