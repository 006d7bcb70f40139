"""A client whose answer was lost makes its message anew, and gets the same answer once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.forge import IMPLICIT_CONFIRM, Forger, enroll, read, refused, sequence, sha256
from support.persistent import opened
from support.pki import PKI, make_key
from support.replays import Losing

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Server, delayed, waiting, wire

Make = Callable[..., Server]


@pytest.fixture(params=["memory", "database"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make a server with a CA of these options; ``server.authority`` is the CA.

    With a database each message is answered by a server that knows the ones before only from there.
    """
    if request.param == "memory":
        yield lambda signed=None, **options: EmbeddedCA({"ref": "secret"}, **options).server(**signed or {})
        return
    with opened(tmp_path, secrets={"ref": "secret"}) as ca:

        def start(signed: Any = None, **options: Any) -> Server:
            for name, value in options.items():
                setattr(ca, name, value)

            class Forgetful:
                authority = ca

                def process(self, message: bytes) -> bytes:
                    return ca.server(**signed or {}).process(message)

                @property
                def open_transactions(self) -> int:
                    return ca.server().open_transactions

            return Forgetful()  # type: ignore[return-value]

        yield start


def same(first: bytes, second: bytes, poll: bytes) -> wire.RawMessage:
    """The second answer is the first as one to another message."""
    one, two = (wire.read_message(answer) for answer in (first, second))
    assert (one.body_type, one.body, one.extra_certs) == (two.body_type, two.body, two.extra_certs)
    assert one.header.sender_nonce == two.header.sender_nonce
    assert two.header.recip_nonce == wire.read_message(poll).header.sender_nonce
    assert two.header.general_info == one.header.general_info
    assert two.protected
    return two


@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_poll(make: Make, protection: str, pki: PKI) -> None:
    """The pollRep, then the certificate, then the confirmation are lost."""
    polls: list[int] = []

    def policy(request: Any) -> Any:
        polls.append(request.polls)
        return waiting(2, 0)(request)

    server = make({"trusted": [pki.root.certificate]}, policy=policy)
    client = Forger()
    if protection == "signature":
        client = Forger.signing(pki)
    response = server.process(client.request())
    for kind in (BodyType.POLLREP, BodyType.IP):
        client = client.answering(response)
        response = server.process(client.poll())
        assert read(response).kind == kind
        for _ in range(2):
            again = client.poll()
            answer = server.process(again)
            same(response, answer, again)
    client = client.answering(response)
    good = sha256(read(response).certificate)
    response = server.process(client.cert_conf(good))
    refused(server, client.cert_conf(good), FailureInfo.certConfirmed)
    assert read(response).kind == BodyType.PKICONF
    assert polls == [0, 1, 2]
    assert len(server.authority.records) == 1  # type: ignore[attr-defined]
    assert server.authority.records[0].confirmed  # type: ignore[attr-defined]
    assert server.open_transactions == 0


@pytest.mark.parametrize("signed", [{"sign_always": True}, {"strictness": "openssl"}])
def test_other_servers(make: Make, signed: dict[str, Any]) -> None:
    server = make(signed, policy=waiting(1, 0))
    client = Forger()
    client = client.answering(server.process(client.request()))
    response = server.process(client.poll())
    again = client.poll()
    answer = same(response, server.process(again), again)
    assert answer.header.uses_mac != ("sign_always" in signed)


def test_whichever_answer_arrives(make: Make) -> None:
    """The client may go on from the first answer or from the repeated one."""
    server = make(policy=waiting(2, 0))
    client = Forger()
    client = client.answering(server.process(client.request()))
    first, second = server.process(client.poll()), server.process(client.poll())
    assert read(server.process(client.answering(first).poll())).kind == BodyType.IP
    assert read(server.process(client.answering(second).poll())).kind == BodyType.IP


def test_implicit_confirmation(make: Make) -> None:
    """The transaction is over for the server when the answer is lost."""
    server = make(policy=waiting(1, 0))
    client = Forger(info=(IMPLICIT_CONFIRM,))
    client = client.answering(server.process(client.request()))
    response = server.process(client.poll())
    assert server.open_transactions == 0
    again = client.poll()
    assert same(response, server.process(again), again).header.implicit_confirm


def test_delayed_answer(make: Make) -> None:
    server = make(delay=delayed(1, 0))
    client = Forger()
    client = client.answering(server.process(client.genm()))
    response = server.process(client.poll(-1))
    assert read(response).kind == BodyType.GENP
    again = client.poll(-1)
    same(response, server.process(again), again)


def test_what_is_no_repetition(make: Make) -> None:
    """Whoever cannot protect it as the client does gets nothing, and what says something else is refused."""
    server = make(policy=waiting(1, 0))
    client = Forger()
    client = client.answering(server.process(client.request()))
    response = server.process(client.poll())
    for other, failure in (
        (client.but(secret=b"guess"), FailureInfo.badMessageCheck),
        (client.but(protected=False), FailureInfo.badMessageCheck),
        (client.but(reference=b"other"), FailureInfo.badMessageCheck),
        (client.but(recip_nonce=bytes(16)), FailureInfo.badRecipientNonce),
    ):
        refused(server, other.poll(), failure)
    client = client.answering(response)
    good = sha256(read(response).certificate)
    assert read(server.process(client.cert_conf(good))).kind == BodyType.PKICONF
    rejection = sequence(der.encode_integer(PKIStatus.rejection))
    refused(server, client.cert_conf(good, info=rejection), FailureInfo.certConfirmed)
    refused(server, client.but(secret=b"guess").cert_conf(good), FailureInfo.badMessageCheck)
    answer = read(server.process(client.but(protected=False).cert_conf(good)))
    assert FailureInfo(answer.failure) == FailureInfo.badMessageCheck


def test_a_refused_confirmation(make: Make) -> None:
    """It stays refused."""
    server = make()
    client, _ = enroll(server, Forger())
    first = server.process(client.cert_conf(bytes(32)))
    assert read(first).kind == BodyType.ERROR
    again = client.cert_conf(bytes(32))
    assert FailureInfo(read(server.process(again)).failure) == FailureInfo.badCertId


def test_our_client() -> None:
    """A transaction of ours goes on after its poll has failed."""
    ca = EmbeddedCA({"ref": "secret"}, policy=waiting(3, 0))
    transport = Losing(ca.server())
    client = osslcmp.Client(transport=transport, reference="ref", secret="secret")
    transaction = client.begin("ir", key=make_key(), subject="CN=unlucky")
    lost = 0
    while not transaction.done:
        transport.types = [BodyType.POLLREQ] if lost < 2 else []
        try:
            transaction.poll()
        except (osslcmp.TransferError, ConnectionResetError):
            lost += 1
    assert lost == 2
    assert transaction.result.certificate == ca.records[0].certificate
    assert len(ca.records) == 1
    assert ca.records[0].confirmed
