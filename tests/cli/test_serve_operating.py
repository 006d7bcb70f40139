"""``osslcmp serve`` while it runs: SIGHUP, ``/healthz``, ``/metrics`` and the events in its log."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import ssl
import sys
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from support import postgresql
from support.pki import PKI, cert_pem, key_pem, make_key
from support.processes import until
from support.serving import Served, Serving, client, get, post, signing

import osslcmp


def write_config(tmp_path: Path, secret: str, **more: str) -> Path:
    """The file of ``--config``."""
    (tmp_path / "secret").write_text(f"{secret}\n")
    config = tmp_path / "serve.toml"
    options = "".join(f'{name.replace("_", "-")} = "{value}"\n' for name, value in more.items())
    config.write_text(
        f'port = 0\ndirectory = "{tmp_path}/ca"\n{options}\n[secrets]\nref = "{tmp_path}/secret"\n'
    )
    return config


def reload(
    served: Served, log: Path, processes: int = 1, told: str = "the configuration was reloaded"
) -> None:
    """Send SIGHUP, and wait until all have said what they say then."""
    before = log.read_text().count(told)
    served.process.send_signal(signal.SIGHUP)
    until(lambda: log.read_text().count(told) == before + processes)


@pytest.mark.parametrize("processes", [1, 2])
def test_reload(processes: int, tmp_path: Path) -> None:
    """New secrets and options count from the next request on, transactions go on, and what is wrong changes nothing."""
    config, log = write_config(tmp_path, "first"), tmp_path / "log"
    served = Served("--config", config, "--processes", str(processes), "--polls", "2", log=log)
    try:
        before = client(served.url, secret="first", trusted=served.anchor)
        transaction = before.begin("cr", key=make_key(), subject="CN=x")
        assert not transaction.done
        write_config(tmp_path, "second", validity="1d")
        reload(served, log, processes)
        after = client(served.url, secret="second", trusted=served.anchor)
        lifetime = after.cr(make_key(), subject="CN=y").certificate
        assert (lifetime.not_valid_after_utc - lifetime.not_valid_before_utc).days == 1
        with pytest.raises(osslcmp.RejectedError):
            before.cr(make_key(), subject="CN=z")

        config.write_text("frobnicate = 1\n")
        reload(served, log, told="the configuration is not reloaded")
        after.cr(make_key(), subject="CN=y")
        assert "frobnicate" in log.read_text()
        write_config(tmp_path, "first")
        reload(served, log, processes)
        assert transaction.wait().certificate is not None
    finally:
        assert served.end() == 0


def test_reload_of_https(tmp_path: Path, pki: PKI) -> None:
    """A new certificate is shown to the next client; HTTPS does not become HTTP."""
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"

    def write(identity: Any) -> str:
        certificate.write_bytes(cert_pem(identity.certificate))
        key.write_bytes(key_pem(identity.key))
        return cert_pem(identity.certificate).decode()

    first = write(pki.server)
    config, log = write_config(tmp_path, "x", tls_cert=str(certificate), tls_key=str(key)), tmp_path / "log"
    served = Served("--config", config, log=log)
    try:
        address = ("127.0.0.1", int(re.findall(r":(\d+)/", served.url)[0]))
        assert ssl.get_server_certificate(address, timeout=20) == first
        second = write(pki.second_server)
        reload(served, log)
        assert ssl.get_server_certificate(address, timeout=20) == second != first
        write_config(tmp_path, "x")
        reload(served, log, told="cannot be exchanged while the server runs")
        assert ssl.get_server_certificate(address, timeout=20) == second
    finally:
        assert served.end() == 0


def lines(log: Path, event: str) -> list[dict[str, Any]]:
    """The events of a kind in the log, which is JSON in each line."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    return [one for one in found if one.get("event") == event]


def refuse(served: Served, subject: str) -> None:
    """Ask with a wrong secret."""
    with pytest.raises(osslcmp.RejectedError):
        client(served.url, secret="wrong", reference="no\x1b[31m\nbody", trusted=served.anchor).cr(
            make_key(), subject=subject
        )


def test_events_are_json_in_the_log(tmp_path: Path) -> None:
    """One for each issue, confirmation, revocation and refusal: who, what and why; nothing of a peer is raw in it."""
    log = tmp_path / "log"
    served = Served("--config", write_config(tmp_path, "secret"), "--log-format", "json", log=log)
    try:
        key = make_key()
        enrolled = client(served.url, secret="secret").ir(key, subject="CN=d\u202ex")
        signing(served.url, enrolled, key, served.anchor).rr(enrolled.certificate, reason="superseded")
        refuse(served, "CN=y")
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(served.url, b"no message")
        caught.value.close()
        until(lambda: len(lines(log, "refused")) == 2)
    finally:
        assert served.end() == 0
    text = log.read_text()
    assert text.isprintable() or set(text) - {"\n"} == {one for one in text if one.isprintable()}
    serial = f"{enrolled.certificate.serial_number:x}"
    (issued,) = lines(log, "issued")
    assert (issued["sender"], issued["serial"], issued["request"]) == ("ref", serial, "ir")
    assert issued["subject"] == "CN=d\u202ex"
    (confirmed,) = lines(log, "confirmed")
    assert confirmed["transaction"] == issued["transaction"]
    (revoked,) = lines(log, "revoked")
    assert (revoked["serial"], revoked["reason"], revoked["sender"]) == (serial, "superseded", "CN=d\u202ex")
    unproven, malformed = lines(log, "refused")
    assert unproven["failure"] == ["badMessageCheck"]
    assert unproven["sender"] == "no\x1b[31m\nbody"
    assert unproven["address"] == malformed["address"] == "127.0.0.1"
    assert "request" not in malformed


@pytest.mark.parametrize("processes", [1, 2])
def test_metrics_and_health(processes: int, tmp_path: Path) -> None:
    """Whoever is asked tells what all processes have done, and that the database answers."""
    config = write_config(tmp_path, "secret")
    served = Served("--config", config, "--metrics", "--processes", str(processes), log=tmp_path / "log")
    try:
        for number in range(6):
            client(served.url, secret="secret").ir(make_key(), subject=f"CN=x{number}")
        refuse(served, "CN=x")
        assert get(f"{served.base}/healthz") == b"ok\n"
        for _ in range(4):
            text = get(f"{served.base}/metrics").decode()
            assert 'osslcmp_events_total{event="issued"} 6.0\n' in text
            assert 'osslcmp_messages_total{answer="ip",request="ir"} 6.0\n' in text
            assert 'osslcmp_refusals_total{failure="badMessageCheck"} 1.0\n' in text
            assert 'osslcmp_http_responses_total{status="200"} 13.0\n' in text
            assert "osslcmp_answer_seconds_count 13.0\n" in text
            assert "osslcmp_open_transactions 0.0\n" in text
    finally:
        assert served.end() == 0


@pytest.mark.skipif(postgresql.missing() is not None, reason=str(postgresql.missing()))
def test_health_of_a_database_that_is_away(serve: Serving, tmp_path: Path) -> None:
    """503, without a word of why, until it is back; metrics are there only when they are asked for."""
    with postgresql.Cluster() as cluster:
        served = serve("--database", postgresql.create(cluster.url), log=tmp_path / "log")
        with pytest.raises(urllib.error.HTTPError) as missing:
            get(f"{served.base}/metrics")
        assert missing.value.code == 405
        missing.value.close()
        cluster.kill()
        with pytest.raises(urllib.error.HTTPError) as away:
            get(f"{served.base}/healthz")
        assert away.value.code == 503
        assert away.value.read() == b"try again later\n"
        away.value.close()
        cluster.start()
        assert get(f"{served.base}/healthz") == b"ok\n"
        assert served.end() == 0


def test_metrics_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what to install."""
    from osslcmp.server.http.metrics import Metrics

    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImportError, match=r"pip install 'osslcmp\[metrics\]'"):
        Metrics()


@pytest.mark.parametrize("processes", [1, 2])
def test_closed_terminal_ends_the_server(processes: int, tmp_path: Path) -> None:
    """SIGHUP of a terminal that is gone is no wish to reload."""
    config = write_config(tmp_path, "secret")
    command = [
        sys.executable,
        "-m",
        "osslcmp",
        "serve",
        "--config",
        str(config),
        "--processes",
        str(processes),
    ]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    told = b""
    while b"trust anchor" not in told or not told.endswith(b"\n"):
        told += os.read(terminal, 1000)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
