"""``strictness="rfc9810"``: CMP without what only the Lightweight profile asks for; and the rules as a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from support.forge import CR, Forger, enroll, read, refused, sha256
from support.persistent import ca_in
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Server, waiting, wire
from osslcmp.server.checks.rules import RULES, Stage, Strictness


@pytest.fixture(params=["memory", "sqlite"])
def ca(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedCA]:
    with ca_in(request.param, tmp_path, request, secrets={"ref": "secret"}) as found:
        yield found


def given(answer: bytes) -> bytes:
    """The transactionID of an answer."""
    found = wire.read_message(answer).header.transaction_id
    assert found
    return found


@pytest.mark.parametrize("strictness", ["rfc9810", "openssl"])
def test_server_makes_the_transaction_id(ca: EmbeddedCA, strictness: str) -> None:
    """RFC 9810, section 5.1.1; another process with the same database goes on with it."""
    server = ca.server(strictness=strictness)
    client = Forger(transaction_id=None)
    request = client.request()
    answer = server.process(request)
    found = read(answer)
    assert (found.kind, found.status) == (BodyType.IP, PKIStatus.accepted)
    assert len(given(answer)) == 16
    assert server.process(request) == answer
    assert given(server.process(Forger(transaction_id=None).request())) != given(answer)
    if server.open_transactions and "persistent" in type(ca).__module__:
        server = ca.server(strictness=strictness)
    client = client.but(transaction_id=given(answer)).answering(answer)
    confirmed = server.process(client.cert_conf(sha256(found.certificate)))
    assert read(confirmed).kind == BodyType.PKICONF
    assert given(confirmed) == given(answer)


def test_polling_with_a_transaction_id_of_the_server(ca: EmbeddedCA) -> None:
    ca.policy = waiting(1, 0)
    server = ca.server(strictness="rfc9810")
    client = Forger(transaction_id=None)
    answer = server.process(client.request())
    client = client.but(transaction_id=given(answer)).answering(answer)
    assert read(server.process(client.poll())).status == PKIStatus.accepted


def test_a_refusal_has_one_too(ca: EmbeddedCA) -> None:
    server = ca.server(strictness="rfc9810")
    answer = server.process(Forger(transaction_id=None, secret=b"guess").request())
    assert read(answer).kind == BodyType.ERROR
    assert given(answer)
    refused(ca.server(), Forger(transaction_id=None).request(), FailureInfo.badDataFormat)


@pytest.mark.parametrize("fields", [{"transaction_id": b"x"}, {"nonce": None}, {"recip_nonce": bytes(16)}])
def test_what_only_the_profile_forbids(ca: EmbeddedCA, fields: dict[str, Any]) -> None:
    enroll(ca.server(strictness="rfc9810"), Forger(**fields))
    assert read(ca.server().process(Forger(**fields).request())).kind == BodyType.ERROR


def test_failure_infos(ca: EmbeddedCA) -> None:
    """What CMP itself asks for is told as specifically as with ``strict``."""
    server = ca.server(strictness="rfc9810")
    refused(server, Forger(secret=b"guess").request(), FailureInfo.badMessageCheck)
    refused(server, Forger(pvno=7).request(), FailureInfo.unsupportedVersion)
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    refused(server, client.but(recip_nonce=bytes(16)).cert_conf(good), FailureInfo.badRecipientNonce)
    first = client.cert_conf(good)
    assert read(server.process(first)).kind == BodyType.PKICONF
    assert read(server.process(client.cert_conf(good))).kind == BodyType.PKICONF


def test_sender_nonce_of_an_earlier_message(ca: EmbeddedCA) -> None:
    """It counts across processes, too; ``rfc9810`` takes it."""
    for strictness in get_args(Strictness):
        client = Forger(nonce=bytes(range(16)))
        client, answer = enroll(ca.server(strictness=strictness), client)
        server: Server = ca.server(strictness=strictness)
        if "persistent" not in type(ca).__module__:
            server = ca.server(strictness=strictness)
            client, answer = enroll(
                server, client.but(transaction_id=Forger().transaction_id, recip_nonce=None)
            )
        message = client.cert_conf(sha256(answer.certificate))
        if strictness == "strict":
            refused(server, message, FailureInfo.badSenderNonce)
            message = client.but(nonce=b"").cert_conf(sha256(answer.certificate))
        assert read(server.process(message)).kind == BodyType.PKICONF


def test_confirmed_again(ca: EmbeddedCA) -> None:
    """The same message gets the same answer; another one is told that nothing is left to confirm."""
    server = ca.server()
    client, answer = enroll(server, Forger())
    good = sha256(answer.certificate)
    message = client.cert_conf(good)
    pki_conf = server.process(message)
    assert read(pki_conf).kind == BodyType.PKICONF
    assert server.process(message) == pki_conf
    refused(server, client.cert_conf(good), FailureInfo.certConfirmed)
    refused(server, client.answering(pki_conf).cert_conf(good), FailureInfo.certConfirmed)


@pytest.mark.parametrize("chain", [False, True])
def test_sender_that_is_not_the_signer(pki: PKI, chain: bool) -> None:
    """Is what is told, not a chain that is missing."""
    server = EmbeddedCA().server(strictness="rfc9810", trusted=pki.root.certificate)
    client = Forger.signing(pki).but(sender=der.encode(der.explicit(4), pki.server.subject.public_bytes()))
    answer = read(server.process((client if chain else client.but(chain=())).request(CR)))
    assert answer.failure == FailureInfo.signerNotTrusted
    assert (
        "the sender is /O=osslcmp tests/CN=server, but the certificate with its key identifier" in answer.text
    )


def test_table() -> None:
    """Each rule has a name and a section of its own, and the stages follow each other."""
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(rule.section.startswith("RFC ") and rule.check.__doc__ for rule in RULES)
    stages = list(Stage)
    assert [stages.index(rule.stage) for rule in RULES] == sorted(stages.index(rule.stage) for rule in RULES)
    assert all(rule.levels for rule in RULES)
    assert {field.name for field in dataclasses.fields(RULES[0])} >= {"name", "section", "stage", "failure"}
