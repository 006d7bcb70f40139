"""What was not verified is refused without the client's secret, and known references look like unknown ones."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support import openssl_cmp
from support.authorities import Odd
from support.forge import ECDSA_SHA256, IR, Forger, enroll, read, sequence, sha256
from support.persistent import listening, opened
from support.pki import PKI, make_key, make_name

import osslcmp
from osslcmp import BodyType, PKIStatus
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import (
    Authority,
    EmbeddedCA,
    Issued,
    Rejected,
    Server,
    configuration,
    engine,
    waiting,
    wire,
)
from osslcmp.testing import cert_req_id, wrong_nonce
from osslcmp.testing.server import CMPServer

OLD = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)

FIRST: dict[str, Callable[[Forger], bytes]] = {
    "ir": lambda client: client.request(),
    "cr": lambda client: client.request(2),
    "kur": lambda client: client.request(7),
    "rr": lambda client: client.rr(make_name("nobody"), 1),
    "genm": lambda client: client.genm(),
    "malformed": lambda client: client.message(IR, b"\x04\x00"),
    "poll for nothing": lambda client: client.poll(),
    "certConf for nothing": lambda client: client.cert_conf(bytes(32)),
    "error": lambda client: client.error(),
    "no message for a server": lambda client: client.message(1, sequence()),
    "old": lambda client: client.but(time=OLD).request(),
    "short nonce": lambda client: client.but(nonce=b"x").request(),
    "short transactionID": lambda client: client.but(transaction_id=b"x").request(),
    "no transactionID": lambda client: client.but(transaction_id=None).request(),
    "future pvno": lambda client: client.but(pvno=7).request(),
}


def shape(answer: bytes) -> tuple[Any, ...]:
    """All of an answer but what differs between any two: times, nonces, IDs, signature."""
    raw = wire.read_message(answer)
    header = raw.header
    return (
        header.pvno,
        header.sender,
        header.recipient,
        header.message_time is None,
        header.protection_alg,
        header.sender_kid,
        len(header.sender_nonce or b""),
        header.recip_nonce is None,
        header.general_info,
        raw.body_type,
        raw.body,
        raw.extra_certs,
        raw.protected,
    )


def unproven(server: Server, answer: bytes) -> wire.RawMessage:
    """The answer does not use a shared secret: it is signed, or unprotected when nothing can sign."""
    raw = wire.read_message(answer)
    assert not raw.header.uses_mac
    signed = server.certificate is not None
    assert raw.protected == signed
    assert (raw.header.protection_alg is not None) == signed
    if not signed:
        assert raw.header.sender_kid is None
    return raw


@pytest.fixture(params=["memory", "database", "no certificate", "openssl", "accept unprotected"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "database":
        with opened(tmp_path, secrets={"ref": "secret"}) as ca:
            yield ca.server()
        return
    in_memory = EmbeddedCA({"ref": "secret"})
    if request.param == "no certificate":
        yield Server(in_memory)
    elif request.param == "openssl":
        yield in_memory.server(strictness="openssl")
    elif request.param == "accept unprotected":
        yield in_memory.server(accept_unprotected=True)
    else:
        yield in_memory.server()


@pytest.fixture
def takes_all(request: pytest.FixtureRequest) -> bool:
    """Whether the server takes messages without valid protection."""
    return bool(request.node.callspec.params["server"] == "accept unprotected")


@pytest.fixture
def takes_proof_alone(takes_all: bool) -> None:
    if takes_all:
        pytest.skip("it takes every message for the client's")


@pytest.mark.parametrize("kind", FIRST)
def test_first_message(server: Server, kind: str, takes_all: bool) -> None:
    """Whatever is wrong with it, and whatever the server accepts: no proof without proof, no hint at references."""
    shapes = set()
    for reference in (b"ref", b"nobody", b"\x00", b"r" * 500):
        # The sender is not part of what may differ.
        client = Forger(secret=b"guess", reference=reference)
        answer = server.process(FIRST[kind](client))
        unproven(server, answer)
        certificate = read(answer).certificate
        shapes.add(shape(answer) if certificate is None else certificate.issuer)
    assert len(shapes) == 1
    assert server.open_transactions == 0 or takes_all


@pytest.mark.usefixtures("takes_proof_alone")
@pytest.mark.parametrize("kind", ["poll", "certConf", "error", "rejecting certConf"])
@pytest.mark.parametrize("state", ["issued", "waiting"])
def test_forged_next_message(server: Server, kind: str, state: str) -> None:
    """Neither the transaction nor the secret is given away to who can read the wire."""
    ca = server.authority
    assert isinstance(ca, EmbeddedCA)
    if state == "waiting":
        ca.policy = waiting(1, 0)
    client = Forger()
    answer = server.process(client.request())
    client = client.answering(answer)
    good = sha256(read(answer).certificate) if state == "issued" else bytes(32)
    messages: dict[str, Callable[[Forger], bytes]] = {
        "poll": lambda client: client.poll(),
        "certConf": lambda client: client.cert_conf(good),
        "error": lambda client: client.error(),
        "rejecting certConf": lambda client: client.cert_conf(
            good, info=sequence(der.encode_integer(PKIStatus.rejection))
        ),
    }
    for forged in (client.but(secret=b"guess"), client.but(protected=False), client.but(reference=b"nobody")):
        unproven(server, server.process(messages[kind](forged)))
    assert server.open_transactions == 1
    if state == "waiting":
        answer = server.process(client.poll())
        client, good = client.answering(answer), sha256(read(answer).certificate)
    done = read(server.process(client.cert_conf(good)))
    assert done.kind == BodyType.PKICONF
    assert done.raw.header.uses_mac
    assert ca.records[0].confirmed


@pytest.mark.usefixtures("takes_proof_alone")
def test_repeated_answer_is_not_for_others(server: Server) -> None:
    """An answer that ended its transaction is said again only to who proves to be its client."""
    client, answer = enroll(server, Forger())
    confirmation = client.cert_conf(sha256(answer.certificate))
    assert read(server.process(confirmation)).kind == BodyType.PKICONF
    for forged in (client.but(secret=b"guess"), client.but(reference=b"nobody")):
        raw = unproven(server, server.process(forged.cert_conf(sha256(answer.certificate))))
        assert raw.body_type == BodyType.ERROR
    assert read(server.process(client.cert_conf(sha256(answer.certificate)))).raw.header.uses_mac


@pytest.mark.usefixtures("takes_proof_alone")
def test_forged_poll_for_a_delayed_answer(server: Server) -> None:
    ca = server.authority
    assert isinstance(ca, EmbeddedCA)
    ca.delay = lambda request: osslcmp.server.Waiting(0) if request.polls < 1 else None
    client = Forger()
    client = client.answering(server.process(client.genm()))
    unproven(server, server.process(client.but(secret=b"guess").poll(-1)))
    assert read(server.process(client.poll(-1))).kind == BodyType.GENP


@pytest.mark.parametrize("kind", ["old", "short nonce", "future pvno", "malformed", "poll for nothing"])
def test_who_knows_the_secret_gets_a_proof(kind: str) -> None:
    """A refusal of what is validly protected is protected in the same way."""
    ca = EmbeddedCA({"ref": "secret"})
    answer = read(ca.server().process(FIRST[kind](Forger())))
    assert answer.kind == BodyType.ERROR
    # libcrypto reads the whole message before it looks at the protection.
    assert answer.raw.header.uses_mac == (kind != "malformed")


@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_bad_proof_of_possession_under_a_good_mac(strictness: Any) -> None:
    server = EmbeddedCA({"ref": "secret"}).server(strictness=strictness)
    wrong = encode(explicit(1), ECDSA_SHA256, encode(der.BIT_STRING, b"\0" + bytes(70)))
    answer = read(server.process(Forger().request(popo=wrong)))
    assert answer.raw.header.uses_mac
    other = read(server.process(Forger(secret=b"guess").request(popo=wrong)))
    assert not other.raw.header.uses_mac


@pytest.mark.parametrize("accept", [False, True])
def test_reference_beside_another_protection(pki: PKI, accept: bool) -> None:
    """A senderKID that names a secret makes nobody its owner: not of an unprotected message, nor of a signed one."""

    class Naming(Authority):
        def shared_secret(self, reference: bytes) -> bytes:
            return b"secret"

        def issue(self, request: Any) -> Issued | Rejected:
            assert request.reference is None
            return Issued(pki.enrolled.certificate)

    server = Server(Naming(), accept_unprotected=accept, strictness="openssl")
    unprotected = Forger(protected=False)
    signed = Forger.signing(pki)
    for message in (unprotected.request(), unprotected.genm(), signed.request()):
        unproven(server, server.process(message))


def test_secret_that_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A look-up that fails for a known reference looks like an unknown one."""

    class Failing(Odd):
        def shared_secret(self, reference: bytes) -> bytes | None:
            if reference == b"ref":
                raise OSError("the disk is gone")
            return None

    server = Server(Failing())
    shapes = {shape(server.process(Forger(reference=name).request())) for name in (b"ref", b"other")}
    assert len(shapes) == 1
    assert "failed to look up" in caplog.text


def test_as_much_work_for_unknown_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal computes the same MACs, whether there is a secret or not."""
    counts = []
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server()

    class Counting(engine.Engine):
        used: ClassVar[list[bool]] = []

        def __init__(self, pool: Any, reference: Any, secret: Any, *rest: Any) -> None:
            self.used.append(secret is not None)
            super().__init__(pool, reference, secret, *rest)

    monkeypatch.setattr(configuration, "Engine", Counting)
    for reference in (b"ref", b"nobody"):
        Counting.used = []
        server.process(Forger(secret=b"guess", reference=reference).request())
        counts.append(Counting.used)
    assert counts[0] == counts[1]
    assert counts[0].count(True) == 2


def test_as_many_queries_for_unknown_references(tmp_path: Path) -> None:
    """A database may be far away: whoever measures the time counts the questions."""
    asked: list[str] = []
    with (
        listening("before_cursor_execute", lambda *about: asked.append(about[2])),
        opened(tmp_path, secrets={"ref": "secret"}) as ca,
    ):
        server = ca.server()
        counts = []
        for reference in (b"ref", b"nobody"):
            server.process(Forger(secret=b"guess").request())  # what is asked for once a second
            asked.clear()
            server.process(Forger(secret=b"guess", reference=reference).request())
            counts.append([statement for statement in asked if "secrets" in statement])
        assert counts[0] == counts[1] != []


@pytest.mark.parametrize("trust", [False, True])
def test_our_client_tells_the_words(trust: bool) -> None:
    """A client with a wrong secret learns what the server says, and that nothing proves it."""
    ca = EmbeddedCA({"ref": "secret"})
    client = osslcmp.Client(
        transport=ca.server(), reference="ref", secret="wrong", trusted=ca.root if trust else None
    )
    with pytest.raises(osslcmp.CMPError, match="wrong pbm value") as caught:
        client.ir(make_key(), subject="CN=me")
    assert isinstance(caught.value, (osslcmp.ProtectionError, osslcmp.RejectedError))


def test_openssl_client(tmp_path: Path) -> None:
    ca = EmbeddedCA({"ref": "secret"})
    key = tmp_path / "key.pem"
    key.write_bytes(make_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with ca.server().serve() as running:
        options: dict[str, Any] = {
            "ref": "ref",
            "newkey": key,
            "subject": "/CN=me",
            "certout": tmp_path / "c",
        }
        wrong = openssl_cmp.cmp("ir", running.url, secret="pass:wrong", **options)
        assert wrong.code != 0
        right = openssl_cmp.cmp("ir", running.url, secret="pass:secret", **options)
        assert right.code == 0, right


def test_pytest_server_proves_nothing_by_script() -> None:
    """A step of a script that protects the answer again does not do it for who has proved nothing."""
    with CMPServer() as server:
        forger = Forger(reference=server.reference, secret=b"guess")
        for step in (wrong_nonce(), cert_req_id(7)):
            server.script(step)
            answer = server(forger.but(transaction_id=os.urandom(16)).request())
            assert not wire.read_message(answer).header.uses_mac
