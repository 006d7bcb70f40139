"""A real ``osslcmp serve`` under load that is killed, whose disk is full, or whose database dies: nothing is lost.

``OSSLCMP_KILLS=50 ./dev test tests/cli/test_serve_outages.py`` kills it as often as that.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support import postgresql
from support.disk import full_disk, tmpfs
from support.load import Load
from support.pki import PKI, Identity
from support.raw_server import free_port
from support.serving import Serving

import osslcmp

KILLS = int(os.environ.get("OSSLCMP_KILLS", "2"))


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest, pki: PKI, web: Identity) -> tuple[list[Any], dict[str, Any]]:
    """Options for the server and for the clients."""
    if request.param == "http":
        return [], {}
    options = ["--tls-cert", web.full_chain_file, "--tls-key", web.key_file]
    return options, {"tls": osslcmp.TLS(trusted=pki.root.certificate)}


@pytest.mark.timeout(60 + 30 * KILLS)
def test_killed_under_load(serve: Serving, tls: tuple[list[Any], dict[str, Any]]) -> None:
    """By SIGKILL, at any moment."""
    port, chance = free_port(), random.Random(12)
    served = serve(*tls[0], port=port)
    with Load(served, options=tls[1]) as load:
        for _ in range(KILLS):
            load.wait(1)
            time.sleep(chance.random() / 5)
            assert served.end(signal.SIGKILL) == -signal.SIGKILL
            served = serve(*tls[0], port=port)
        load.wait(3)
    assert served.end() == 0
    print(f"{KILLS} kills: {len(load.got)} got, {len(load.revoked)} revoked, {load.failed} failed")
    load.nothing_is_lost(serve.directory)


@pytest.mark.parametrize("kind", ["disk", "limit"])
def test_full_disk(kind: str, tmp_path: Path) -> None:
    """Requests are refused while it is full, without a restart; and when there is space again, all goes on."""
    with tmpfs(2 << 20) if kind == "disk" else nullcontext(tmp_path) as path, Serving(path) as serve:
        served = serve(log=tmp_path / "log")
        with Load(served) as load:
            for _ in range(2):
                load.wait(3)
                with full_disk(kind, serve.directory, served.process.pid):
                    load.wait_for_failures(4)
            load.wait(3)
        assert served.end() == 0
        load.nothing_is_lost(serve.directory)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.skipif(postgresql.missing() is not None, reason=str(postgresql.missing()))
def test_postgresql_killed(serve: Serving, tmp_path: Path) -> None:
    """Three times, by SIGKILL; each time it comes back."""
    with postgresql.Cluster() as cluster:
        url = postgresql.create(cluster.url)
        served = serve("--database", url, log=tmp_path / "log")
        with Load(served) as load:
            for _ in range(3):
                load.wait(3)
                cluster.kill()
                load.wait_for_failures(3)
                cluster.start()
            load.wait(3)
        assert served.end() == 0
        load.nothing_is_lost(serve.directory, database=url)
    assert "Traceback" not in (tmp_path / "log").read_text()
