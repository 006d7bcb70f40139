"""What a registration authority puts into a nested message: one that it vouches for, or a batch (RFC 9483, 5.2.2)."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from support.conformance import Scene, crm
from support.forge import IR, NESTED, Answer, Forger, read, refused, sha256

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import bodies, wire
from osslcmp.server.checks.rules import Strictness
from osslcmp.server.http.paths import parse


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A CA and its server."""
    return Scene()


def answers(response: bytes) -> list[Answer]:
    """What is in a nested answer."""
    raw = wire.read_message(response)
    assert raw.body_type == NESTED
    return list(map(read, bodies.nested_messages(raw)))


def test_batch(scene: Scene) -> None:
    """Each message is answered in its place as if it had come by itself, whatever becomes of the others."""
    bad = Forger(secret=b"guess")
    first, last = Forger(), scene.member.but(transaction_id=os.urandom(16))
    ra = scene.ra.but(transaction_id=os.urandom(16), nonce=os.urandom(16))
    request = ra.nest(crm(first), crm(bad), crm(last, IR), transaction_id=ra.transaction_id)
    response = scene.server.process(request)
    one, two, three = answers(response)
    assert (one.kind, three.kind) == (BodyType.IP, BodyType.IP)
    assert one.certificate is not None
    assert three.certificate is not None
    assert (two.kind, FailureInfo(two.failure)) == (BodyType.ERROR, FailureInfo.badMessageCheck)
    header = wire.read_message(response).header
    assert (header.transaction_id, header.recip_nonce) == (ra.transaction_id, ra.nonce)
    assert wire.read_message(response).protected
    assert not header.uses_mac
    for answer, client in ((one, first), (three, last)):
        assert answer.raw.header.transaction_id == client.transaction_id
    assert scene.server.open_transactions == 2


def test_batch_again(scene: Scene) -> None:
    """A batch that comes again, because its answer was lost, is answered the same."""
    request = scene.ra.nest(crm(Forger()), crm(Forger()))
    found = [[one.certificate for one in answers(scene.server.process(request))] for _ in range(2)]
    assert found[0] == found[1]


def test_whole_transaction(scene: Scene) -> None:
    """A client whose messages all come by an RA enrols and confirms."""
    client, ra = Forger(), scene.ra
    response = scene.server.process(ra.nest(crm(client)))
    certificate = read(response).certificate
    assert certificate is not None
    done = scene.server.process(ra.nest(client.answering(response).cert_conf(sha256(certificate))))
    assert read(done).kind == BodyType.PKICONF
    record = scene.ca.record(certificate)
    assert record is not None
    assert record.confirmed


def test_forged(scene: Scene) -> None:
    """Nothing in a nested message is looked at before its signature and its signer are known."""
    by_member, damaged = scene.member.nest(crm(Forger())), scene.ra.nest(crm(Forger()))
    before = len(scene.ca.records)
    refused(scene.server, by_member, FailureInfo.notAuthorized)
    parts = der.sequence(damaged)
    protection = parts[2].encoding[:-1] + bytes([parts[2].encoding[-1] ^ 1])
    damaged = der.encode(der.SEQUENCE, *(p.encoding for p in parts[:2]), protection, parts[3].encoding)
    refused(scene.server, damaged, FailureInfo.badMessageCheck)
    assert len(scene.ca.records) == before


def test_unprotected_is_never_opened() -> None:
    """Not even by a server that takes everything."""
    scene = Scene()
    server = scene.ca.server(accept_unprotected=True)
    refused(server, scene.ra.but(protected=False).nest(crm(Forger())), FailureInfo.badMessageCheck)


@pytest.mark.parametrize("strictness", ["strict", "rfc9810"])
def test_trust_withdrawn(strictness: Strictness) -> None:
    """An RA that is no longer trusted sends nothing more."""
    scene = Scene(strictness)
    ra = scene.ra
    assert read(scene.server.process(ra.nest(crm(Forger())))).kind == BodyType.IP
    scene.server.trusted = ()
    answer = read(scene.server.process(ra.nest(crm(Forger()))))
    assert FailureInfo(answer.failure) == FailureInfo.signerNotTrusted


def test_left_to_libcrypto() -> None:
    """Which takes none."""
    scene = Scene("openssl")
    answer = read(scene.server.process(scene.ra.nest(crm(Forger()))))
    assert (answer.status, FailureInfo(answer.failure)) == (PKIStatus.rejection, FailureInfo.badRequest)
    assert "nested" in answer.text


def test_path(scene: Scene) -> None:
    """There is one for nested messages (RFC 9483, 6.1), whatever is in them."""
    place = parse("/.well-known/cmp/nested")
    assert place is not None
    assert read(scene.server.process(scene.ra.nest(crm(Forger())), place)).kind == BodyType.IP
    answer = read(scene.server.process(crm(Forger()), place))
    assert FailureInfo(answer.failure) == FailureInfo.badRequest
    place = parse("/.well-known/cmp/initialization")
    assert place is not None
    answer = read(scene.server.process(scene.ra.nest(crm(Forger())), place))
    assert FailureInfo(answer.failure) == FailureInfo.badRequest


def test_persistent(tmp_path: Path) -> None:
    """A CA with a database keeps each transaction of a batch."""
    scene = Scene(directory=tmp_path)
    with closing(scene.ca):  # type: ignore[type-var]
        request = scene.ra.nest(crm(Forger()), crm(Forger(), subject="second"))
        found = answers(scene.server.process(request))
        assert [answer.kind for answer in found] == [BodyType.IP, BodyType.IP], [a.text for a in found]
        assert scene.server.open_transactions == 2
