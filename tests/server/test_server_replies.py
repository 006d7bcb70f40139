"""A message that comes twice: the answer that was lost is sent again, if it is the same message."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from support.forge import (
    GENM,
    IMPLICIT_CONFIRM,
    Forger,
    read,
    refused,
    sequence,
    sha256,
)

from osslcmp import BodyType, FailureInfo
from osslcmp.server import EmbeddedCA, Server
from osslcmp.server.reply_cache import Replies, Reply


def test_sent_again(server: Server, ca: EmbeddedCA) -> None:
    """Each message of a transaction is answered again as it was, without being decided again."""
    client = Forger()
    message = client.request()
    response = server.process(message)
    assert server.process(message) == response
    assert len(ca.records) == 1
    client = client.answering(response)
    confirmation = client.cert_conf(sha256(read(response).certificate))
    confirmed = server.process(confirmation)
    assert read(confirmed).kind == BodyType.PKICONF
    assert server.process(confirmation) == confirmed
    assert server.open_transactions == 0


def test_whole_transaction_sent_again(server: Server, ca: EmbeddedCA) -> None:
    for message in (
        Forger(info=(IMPLICIT_CONFIRM,)).request(),
        Forger().genm(),
        Forger().message(GENM, sequence()),
    ):
        assert server.process(message) == server.process(message)
    assert len(ca.records) == 1


def test_sent_again_too_early(ca: EmbeddedCA) -> None:
    """The first message is still being decided: the second waits for the same answer."""
    begun, go_on = threading.Event(), threading.Event()

    def policy(_: object) -> None:
        begun.set()
        assert go_on.wait(20)

    ca.policy = policy
    server = ca.server()
    message = Forger().request()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(server.process, message)
        assert begun.wait(20)
        second = threads.submit(server.process, message)
        go_on.set()
        assert first.result(20) == second.result(20)
    assert len(ca.records) == 1


def test_few_replies_are_kept() -> None:
    now = [0.0]
    replies = Replies(limit=2, max_size=100, seconds=10, clock=lambda: now[0])
    made = {name: Reply(name, b"!" + name) for name in (b"a", b"b", b"c")}
    for name, reply in made.items():
        replies.keep(name, reply)
    assert [replies.get(name) for name in (b"a", b"b", b"c", b"x")] == [None, made[b"b"], made[b"c"], None]
    replies.keep(b"d", Reply(b"d", bytes(99)))
    assert len(replies) == 1
    replies.keep(b"e", Reply(b"e", bytes(101)))
    assert len(replies) == 0
    replies.keep(b"f", Reply(b"f", b"!f"))
    now[0] = 11
    assert replies.get(b"f") is None


def test_refusals_are_not_kept(server: Server) -> None:
    message = Forger(secret=b"guess").request()
    first, second = server.process(message), server.process(message)
    assert first != second
    assert read(second).failure == FailureInfo.badMessageCheck


def test_not_the_same_message(server: Server) -> None:
    client = Forger()
    server.process(client.request())
    refused(server, client.request(), FailureInfo.transactionIdInUse)
