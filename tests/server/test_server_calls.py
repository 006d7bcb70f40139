"""How many functions an enrolment calls, at the client and at the server together: counted, not timed."""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import PKI

import osslcmp
from osslcmp.server import EmbeddedCA

#: Measured with CPython 3.11, and a hundred more: versions of Python and of cryptography differ. Lower them when it can be
#: done.
MOST = {"mac": 2_850, "signature": 3_850, "SQLite": 5_500}


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
