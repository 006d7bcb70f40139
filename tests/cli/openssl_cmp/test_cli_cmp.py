"""``osslcmp cmp`` as client and as mock server, beside ``openssl cmp``."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from support import openssl, openssl_cmp
from support.mock_server import MockServer
from support.openssl import Value
from support.pki import PKI

from osslcmp import openssl_version
from osslcmp.cli.openssl_cmp.options import BY_NAME

pytestmark = pytest.mark.peer

OURS = [sys.executable, "-m", "osslcmp", "cmp"]
MAC: dict[str, Value] = {"ref": "ref", "secret": b"secret"}


def run(
    *words: str, cwd: Path, status: int | None = 0, program: list[str] = OURS
) -> subprocess.CompletedProcess[str]:
    """Run a command that must not crash; ``status`` is what it must end with."""
    done = subprocess.run(
        [*program, *words],
        cwd=cwd,
        env=openssl.clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return done


def words(**options: Value) -> list[str]:
    """Options without the configuration of this machine."""
    return ["-config", "", "-batch", *openssl.arguments(options)]


@contextmanager
def our_mock(cwd: Path, **options: Value) -> Iterator[str]:
    """Our mock server; gives its URL."""
    with subprocess.Popen(
        [*OURS, *words(port="127.0.0.1:0", **options)],
        cwd=cwd,
        env=openssl.clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.fullmatch(r"ACCEPT 127\.0\.0\.1:(\d+) PID=(\d+)\n", line):
                    assert int(found[2]) == process.pid
                    yield f"http://127.0.0.1:{found[1]}/pkix/"
                    return
            raise AssertionError("the mock server did not start")
        finally:
            process.kill()


def mock_options(pki: PKI) -> dict[str, Value]:
    """A mock server with both kinds of credentials."""
    return {
        "srv_ref": "ref",
        "srv_secret": b"secret",
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "srv_trusted": pki.root.cert_file,
        "srv_untrusted": pki.issuing.cert_file,
        "rsp_cert": pki.enrolled.cert_file,
        "rsp_extracerts": pki.issuing.cert_file,
        "rsp_capubs": pki.root.cert_file,
    }


def request(pki: PKI, **more: Value) -> dict[str, Value]:
    """An ir."""
    return {
        "cmd": "ir",
        "newkey": pki.enrolled.key_file,
        "subject": "/CN=x",
        "certout": Path("new.pem"),
        **more,
    }


def read(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


#: What releases added, by their manual and source.
ADDED: dict[tuple[int, int], str] = {
    (3, 2): "serial srvcertout oldwithold newwithnew newwithold oldwithnew ref_cert "
    "rsp_newwithnew rsp_newwithold rsp_oldwithnew",
    (3, 3): "profile no_cache_extracerts reqout_only",
    (3, 4): "template keyspec oldcrl crlcert crlout crlform rsp_crl",
    (3, 5): "centralkeygen newkeyout rsp_key rsp_keypass provparam",
    (4, 0): "ta_in_ip_extracerts",
}
#: Not of OpenSSL.
OWN = {"json", "trace"}


def test_every_option_of_the_installed_openssl() -> None:
    told = re.findall(r"^ -([\w-]+)", openssl.run(["cmp", "-help"]).text, re.MULTILINE)
    known = {option.name for option in BY_NAME.values() if option.since <= openssl.version()[:2]}
    assert known - OWN == set(told) - {"engine"}


def test_releases_of_options() -> None:
    later: dict[tuple[int, ...], set[str]] = {}
    for option in BY_NAME.values():
        later.setdefault(option.since, set()).add(option.name)
    del later[3, 0]
    assert later == {release: set(names.split()) for release, names in ADDED.items()}


def test_client_of_openssl(pki: PKI, tmp_path: Path) -> None:
    with MockServer(**mock_options(pki)) as server:
        outputs: dict[str, Value] = {
            name: Path(f"{name}.pem") for name in ("chainout", "cacertsout", "extracertsout")
        }
        options = words(server=server.url, **MAC, **request(pki), **outputs)
        told = json.loads(run(*options, "-json", cwd=tmp_path).stdout)
    assert read(tmp_path / "new.pem") == [pki.enrolled.certificate]
    assert read(tmp_path / "cacertsout.pem") == [pki.root.certificate]
    assert pki.issuing.certificate in read(tmp_path / "extracertsout.pem")
    assert told["ok"]
    assert told["status"] == "accepted"
    assert told["certificate"]["subject"].endswith("CN=enrolled")
    assert told["files"] == {"certout": "new.pem", **{name: f"{name}.pem" for name in outputs}}


def test_signature_and_revocation(pki: PKI, tmp_path: Path) -> None:
    identity: dict[str, Value] = {
        "cert": pki.client.full_chain_file,
        "key": pki.client.key_file,
        "trusted": pki.root.cert_file,
        "untrusted": pki.issuing.cert_file,
    }
    with MockServer(**mock_options(pki)) as server:
        run(
            *words(server=server.url, **identity, **request(pki, out_trusted=pki.root.cert_file)),
            cwd=tmp_path,
        )
        revocation = words(
            server=server.url, **identity, cmd="rr", oldcert=pki.enrolled.cert_file, revreason=1
        )
        run(*revocation, cwd=tmp_path)
        run(*words(server=server.url, **identity, cmd="genm", infotype="signKeyPairTypes"), cwd=tmp_path)


@pytest.mark.parametrize("polls", [0, 2])
def test_openssl_as_client_of_our_mock_server(pki: PKI, tmp_path: Path, polls: int) -> None:
    with our_mock(tmp_path, **mock_options(pki), poll_count=polls, check_after=0) as url:
        openssl_cmp.cmp(
            "ir", url, cwd=tmp_path, **MAC, **{k: v for k, v in request(pki).items() if k != "cmd"}
        ).must()
        assert read(tmp_path / "new.pem") == [pki.enrolled.certificate]
        openssl_cmp.cmp("genm", url, cwd=tmp_path, **MAC, infotype="signKeyPairTypes").must()
        openssl_cmp.cmp("rr", url, cwd=tmp_path, **MAC, oldcert=pki.enrolled.cert_file).must()


def test_two_clients_poll_at_once(pki: PKI, tmp_path: Path) -> None:
    with our_mock(tmp_path, **mock_options(pki), poll_count=2, check_after=1) as url:
        clients = [
            subprocess.Popen(
                [*OURS, *words(server=url, **MAC, **request(pki, certout=Path(f"{name}.pem")))],
                cwd=tmp_path,
                env=openssl.clean_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in "ab"
        ]
        assert [client.wait(60) for client in clients] == [0, 0]
    assert read(tmp_path / "a.pem") == read(tmp_path / "b.pem") == [pki.enrolled.certificate]


@pytest.mark.parametrize("length", ["", "-1", "x", "\xb2", "1" * 5000, "1048577"])
def test_mock_server_refuses_a_length(length: str, pki: PKI, tmp_path: Path) -> None:
    """It says so instead of dropping the connection."""
    with our_mock(tmp_path, **mock_options(pki)) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        connection.putrequest("POST", "/pkix/")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()


def test_refusal(pki: PKI, tmp_path: Path) -> None:
    refusing: dict[str, Value] = {
        **mock_options(pki),
        "pkistatus": 2,
        "failurebits": 9,
        "statusstring": "no way",
    }
    done = run(*words(use_mock_srv=True, **refusing, **MAC, **request(pki)), "-json", cwd=tmp_path, status=1)
    told = json.loads(done.stdout)
    assert (told["status"], told["text"]) == ("rejection", "no way")
    assert told["failInfo"] == ["badAlg", "badTime"]
    assert told["errors"]
    assert not (tmp_path / "new.pem").exists()


def test_recorded_messages(pki: PKI, tmp_path: Path) -> None:
    mock: dict[str, Value] = {"use_mock_srv": True, **mock_options(pki)}
    files: dict[str, Value] = {"reqout": "a.der,b.der", "rspout": "c.der,d.der"}
    run(*words(**mock, **MAC, **request(pki), **files), cwd=tmp_path)
    (tmp_path / "new.pem").unlink()
    run(*words(rspin="c.der d.der", **MAC, **request(pki)), cwd=tmp_path)
    assert read(tmp_path / "new.pem") == [pki.enrolled.certificate]
    run(*words(**mock, reqin="a.der b.der", reqin_new_tid=True, **MAC, **request(pki)), cwd=tmp_path)


def test_recorded_trace(pki: PKI, tmp_path: Path) -> None:
    run(*words(use_mock_srv=True, **mock_options(pki), **MAC, **request(pki), trace="it.trace"), cwd=tmp_path)
    told = run("it.trace", cwd=tmp_path, program=[*OURS[:-1], "trace"]).stdout
    assert re.search("(?s)ir.*ip.*certConf.*pkiconf", told, re.IGNORECASE)


@pytest.mark.parametrize(
    "wrong",
    [
        ["-nonsense"],
        ["-cmd"],
        ["-cmd", "xx", "-server", "127.0.0.1"],
        ["-cmd", "ir", "extra"],
        ["-batch=1"],
        ["-days", "-1"],
        ["-days", "x"],
        ["-repeat", "0"],
        ["-popo", "-3"],
        ["-revreason", "7"],
        ["-keep_alive", "3"],
        ["-verbosity", "9"],
        ["-section", "none", "-config", "test.cnf"],
        ["-config", "absent.cnf"],
        ["-cmd", "ir"],
        ["-cmd", "ir", "-server", "127.0.0.1"],
        ["-cmd", "ir", "-server", "127.0.0.1:x"],
        ["-cmd", "ir", "-server", "https://127.0.0.1"],
        ["-cmd", "ir", "-server", "127.0.0.1", "-use_mock_srv"],
        ["-port", "0", "-server", "127.0.0.1"],
        ["-port", "0"],
        ["-cmd", "ir", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x"],
        ["-cmd", "p10cr", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x"],
        ["-cmd", "rr", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x"],
        ["-cmd", "genm", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x", "-infotype", "none"],
        ["-cmd", "genm", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x", "-recipient", "CN=x"],
        ["-cmd", "genm", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x", "-geninfo", "1.2.3:int:x"],
        ["-cmd", "genm", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x", "-digest", "none"],
        ["-cmd", "genm", "-server", "127.0.0.1", "-secret", "pass:x", "-ref", "x", "-trusted", "absent.pem"],
        [
            "-cmd",
            "genm",
            "-server",
            "127.0.0.1",
            "-secret",
            "pass:x",
            "-msg_timeout",
            "9",
            "-total_timeout",
            "8",
        ],
    ],
    ids=" ".join,
)
def test_refused_like_openssl(wrong: list[str], tmp_path: Path) -> None:
    (tmp_path / "test.cnf").write_text("[cmp]\n")
    given = wrong if "-config" in wrong else ["-config", "", *wrong]
    run(*given, cwd=tmp_path, status=1, program=[*openssl.command(), "cmp"])
    done = run(*given, cwd=tmp_path, status=1)
    assert "error" in done.stderr or "cmp: " in done.stderr


def test_configuration(pki: PKI, tmp_path: Path) -> None:
    (tmp_path / "c.cnf").write_text(
        "name = /CN=x\n[default]\ncmd = ir\nbatch = 1\n"
        "[base]\nref = wrong\nsubject = $name\ncertout = $ENV::OUT\nserver = 192.0.2.1\n"
        f"[more]\nref = ref\nserver =\nsecret = env:SECRET\nnewkey = {pki.enrolled.key_file}\nuse_mock_srv = 1\n"
        f"srv_ref = ref\nsrv_secret = env:SECRET\nrsp_cert = {pki.enrolled.cert_file}\n"
    )
    environment = {**openssl.clean_environment(), "OUT": "here.pem", "SECRET": "secret"}
    for program in ([*openssl.command(), "cmp"], OURS):
        done = subprocess.run(
            [*program, "-config", "c.cnf", "-section", "base, more"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert read(tmp_path / "here.pem") == [pki.enrolled.certificate]
        (tmp_path / "here.pem").unlink()


def test_secret_on_the_command_line_is_worth_a_warning(pki: PKI, tmp_path: Path) -> None:
    mock: dict[str, Value] = {"use_mock_srv": True, **mock_options(pki)}
    done = run(*words(**mock, ref="ref", secret="pass:secret", cmd="genm"), cwd=tmp_path)
    assert "-secret on the command line can be seen" in done.stdout


def test_interrupt_names_the_transaction(pki: PKI, tmp_path: Path) -> None:
    with our_mock(tmp_path, **mock_options(pki), poll_count=3, check_after=60) as url:
        client = subprocess.Popen(
            [*OURS, *words(server=url, **MAC, **request(pki))],
            cwd=tmp_path,
            env=openssl.clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        try:
            for line in client.stdout:
                if "checkAfter" in line:
                    break
            client.send_signal(signal.SIGINT)
            _, told = client.communicate(timeout=30)
        finally:
            client.kill()
            client.communicate()
    assert client.returncode == 130
    assert re.search("transaction [0-9a-f]{32} may be pending", told)


def test_what_a_release_lacks_is_named(tmp_path: Path) -> None:
    later: list[Any] = [option for option in BY_NAME.values() if openssl_version[:2] < option.since]
    for option in later:
        value = [] if option.kind == "-" else ["1"]
        told = run("-config", "", f"-{option.name}", *value, cwd=tmp_path, status=1).stderr
        assert f"-{option.name} needs OpenSSL {option.since[0]}.{option.since[1]} or later, found" in told
        if len(later) > 5 and option is later[2]:
            break  # the others go the same way; each is a process


def test_without_options(tmp_path: Path) -> None:
    run(cwd=tmp_path, status=1)
