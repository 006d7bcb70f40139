"""Answers that are signed whatever protects the request, for clients that trust the root."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import (
    Forger,
    enroll,
    read,
    refused,
    sha256,
)
from support.pki import make_key, make_name

import osslcmp
from osslcmp import BodyType, FailureInfo
from osslcmp.server import EmbeddedCA


def test_signed_answers(ca: EmbeddedCA) -> None:
    """The client knows a secret and trusts the root."""
    server = ca.server(sign_always=True)
    client, answer = enroll(server, Forger())
    assert not answer.raw.header.uses_mac
    assert server.certificate is not None
    assert answer.raw.extra_certs[0] == server.certificate.public_bytes(Encoding.DER)
    confirmed = read(server.process(client.cert_conf(sha256(answer.certificate))))
    assert (confirmed.kind, confirmed.raw.header.uses_mac) == (BodyType.PKICONF, False)
    bad = refused(server, Forger(secret=b"guess").request(), FailureInfo.badMessageCheck)
    assert not bad.raw.header.uses_mac
    with pytest.raises(ValueError, match="sign_always"):
        ca.server(sign_always=True, certificate=None, key=None)


def test_signed_answers_are_good(ca: EmbeddedCA) -> None:
    server = ca.server(sign_always=True)
    client = osslcmp.Client(transport=server, reference="ref", secret="secret", trusted=[ca.root])
    assert client.ir(make_key(), subject=make_name("new")).certificate
    assert ca.records[0].confirmed
    stranger = osslcmp.Client(transport=server, reference="ref", secret="secret", trusted=[EmbeddedCA().root])
    with pytest.raises(osslcmp.ProtectionError):
        stranger.ir(make_key(), subject=make_name("new"))
