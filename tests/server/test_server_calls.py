"""How many functions an enrolment calls, at the client and at the server together, and a web server's loop for a request:
counted, not timed."""

from __future__ import annotations

import cProfile
import http.client
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import Forger
from support.pki import PKI

import osslcmp
from osslcmp.server import EmbeddedCA

#: Measured with CPython 3.11, and a hundred more: versions of Python and of cryptography differ. Lower them when it can be
#: done.
MOST = {"mac": 1_940, "signature": 2_740, "SQLite": 4_450}
MOST_OF_THE_LOOP = 750


@pytest.mark.parametrize("protection", MOST)
def test_an_enrolment_calls_no_more_functions_than_it_did(
    protection: str, pki: PKI, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Neither side reads a message, or makes an object, more often than it needs to; nor does a CA build a statement
    of SQL for each client."""
    secrets = {b"ref": b"secret"}
    ca = EmbeddedCA(secrets)
    if protection == "SQLite":
        ca = opened = EmbeddedCA.open(tmp_path, secrets)
        request.addfinalizer(opened.close)
    server = ca.server(trusted=[ca.root, pki.root.certificate])
    if protection != "signature":
        client = osslcmp.Client(transport=server, reference=b"ref", secret=b"secret")
    else:
        me, chain = pki.client, [pki.issuing.certificate]
        client = osslcmp.Client(
            transport=server, certificate=me.certificate, key=me.key, chain=chain, trusted=ca.root
        )
    key = ec.generate_private_key(ec.SECP256R1())
    for number in range(3):  # what is remembered is remembered after these
        client.ir(key, subject=f"CN=before {number}")
    profile = cProfile.Profile()
    profile.runcall(client.ir, key, subject="CN=counted")
    assert sum(entry.callcount for entry in profile.getstats()) <= MOST[protection]


def test_the_loop_calls_no_more_functions_for_a_request_than_it_did() -> None:
    """No timers of its own for each, and no more turns than it needs."""
    message = Forger(reference=b"r", secret=b"s")
    called: Counter[int] = Counter()

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        if event in {"call", "c_call"}:
            called[threading.get_ident()] += 1

    threading.setprofile(note)
    try:
        running = EmbeddedCA({b"r": b"s"}).server().serve()
    finally:
        threading.setprofile(None)
    with running:
        loop = next(thread.ident for thread in threading.enumerate() if thread.name == "osslcmp-server")
        connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
        numbers = []
        for _ in range(20):
            connection.request("POST", "/", message.request(), {"Content-Type": "application/pkixcmp"})
            assert connection.getresponse().read()
            numbers.append(called[loop or 0])
        connection.close()
    assert (numbers[-1] - numbers[4]) / 15 <= MOST_OF_THE_LOOP
