"""An rr or genm whose answer the server delays: waited for, bounded, interruptible, forged."""

from __future__ import annotations

import time

import pytest
from support.alarm import LIMIT, AlarmError, alarm
from support.clients import HARMLESS, secret_context
from support.delays import QUESTIONS, WAITING, answering, ask, client, delaying, error, poll_rep
from support.descriptors import open_descriptors
from support.releases import CLIENT_WAITS_FOR_ALL, CROSSED, from_3_3
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import BodyType, Client, Message, PKIStatus
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit


@pytest.mark.parametrize("first_nonce", [False, True])
@pytest.mark.parametrize("polls", [0, 1, 3])
@pytest.mark.parametrize("kind", QUESTIONS)
def test_delayed(kind: str, polls: int, first_nonce: bool, open_site: Site) -> None:
    """Their answers are waited for from 3.3 on; before, that the server delays them is a typed error."""
    transport = delaying(open_site, QUESTIONS[kind], polls=polls, first_nonce=first_nonce)
    told: list[osslcmp.Progress] = []
    if not CLIENT_WAITS_FOR_ALL:
        with pytest.raises(osslcmp.CMPError):
            ask(client(transport), kind, open_site)
        return
    answer = ask(client(transport), kind, open_site, on_wait=told.append)
    if kind == "genm":
        assert answer == Client(transport=open_site.server, reference="ref", secret=SECRET).genm([HARMLESS])
    else:
        assert answer.status is PKIStatus.accepted
    assert transport.seen == [QUESTIONS[kind], *[BodyType.POLLREQ] * (polls + 1)]
    assert [(p.type, p.check_after, p.polls) for p in told] == [
        (QUESTIONS[kind], 0, n + 1) for n in range(polls)
    ]
    assert all(p.elapsed >= 0 for p in told)


def test_delayed_helpers(open_site: Site) -> None:
    """The typed general messages, and those for which C has functions."""
    transport = delaying(open_site, BodyType.GENM)
    cmp = client(transport)
    context = secret_context(transport, SECRET)
    told: list[osslcmp.Progress] = []
    if not CLIENT_WAITS_FOR_ALL:
        with pytest.raises(osslcmp.CMPError):
            cmp.ca_certs()
        return
    assert open_site.ca.root in cmp.ca_certs(on_wait=told.append)
    assert len(told) == 2
    if CROSSED:
        return
    assert open_site.ca.root in context.get_ca_certs()
    assert len(told) == 2


@from_3_3
def test_requests_of_one_context_in_turn(open_site: Site) -> None:
    """Nothing of a delayed answer is left in the context."""
    transport = delaying(open_site, BodyType.RR)
    context = secret_context(transport, SECRET)
    context.set_subject_name("CN=new")
    for delayed in (BodyType.RR, BodyType.GENM, BodyType.RR):
        transport.delayed = ()
        context.reinit()
        context.set_old_cert(None)
        context.set_new_pkey(open_site.new_key)
        context.set_old_cert(context.exec_ir_ses())
        transport.delayed = {delayed}
        context.reinit()
        context.push_genm_itav(HARMLESS)
        assert isinstance(context.exec_genm_ses(), list)
        context.reinit()
        context.exec_rr_ses()
    context.reinit()
    context.set_new_pkey(open_site.new_key)
    context.set_old_cert(None)
    assert context.exec_ir_ses()


@from_3_3
@pytest.mark.parametrize("kind", QUESTIONS)
def test_signal_in_a_delayed_call(kind: str, open_site: Site) -> None:
    """It ends at once, with nothing left behind, and the client does the next request."""
    transport = delaying(open_site, QUESTIONS[kind], check_after=3600)
    cmp = client(transport)
    start = time.monotonic()
    with pytest.raises(AlarmError), alarm():
        ask(cmp, kind, open_site)
    assert time.monotonic() - start < LIMIT
    transport.delayed = ()
    assert ask(cmp, kind, open_site)


@from_3_3
def test_signal_in_a_delayed_call_over_http(open_site: Site) -> None:
    """The connection is closed."""
    from support.served import Served

    with Served(delaying(open_site, BodyType.GENM, check_after=3600)) as server:
        cmp = Client(server.url, reference="ref", secret=SECRET)
        before = open_descriptors()
        with pytest.raises(AlarmError), alarm():
            cmp.genm()
        deadline = time.monotonic() + LIMIT
        while open_descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.01)  # the server closes its end
        assert open_descriptors() <= before


@from_3_3
@pytest.mark.parametrize("kind", QUESTIONS)
def test_total_timeout_of_a_delayed_call(kind: str, open_site: Site) -> None:
    """It is a TransferTimeout; one last poll was made."""
    transport = delaying(open_site, QUESTIONS[kind], polls=100, check_after=3600)
    with pytest.raises(osslcmp.TransferTimeout, match="still waiting after 1 seconds"):
        ask(client(transport, total_timeout=1), kind, open_site)
    assert transport.seen == [QUESTIONS[kind], BodyType.POLLREQ, BodyType.POLLREQ]


@from_3_3
@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize(
    ("final", "expected"),
    [
        (error(2, b"thought about it"), osslcmp.RejectedError),
        (WAITING, osslcmp.CMPError),
        (encode(explicit(BodyType.PKICONF), encode(der.NULL)), osslcmp.CMPError),
        (encode(explicit(BodyType.IP), encode(der.SEQUENCE, encode(der.SEQUENCE))), osslcmp.CMPError),
        (poll_rep(2**40), osslcmp.CMPError),
        (poll_rep(-1), osslcmp.CMPError),
    ],
    ids=["rejection", "waiting again", "pkiConf", "ip", "huge", "negative"],
)
def test_odd_ends(kind: str, final: bytes, expected: type[Exception], open_site: Site) -> None:
    """A typed error, and the client works on."""
    transport = delaying(open_site, QUESTIONS[kind], finals=[final])
    cmp = client(transport)
    with pytest.raises(expected) as caught:
        ask(cmp, kind, open_site)
    if expected is osslcmp.RejectedError:
        assert "thought about it" in str(caught.value)
    transport.delayed = ()
    assert ask(cmp, kind, open_site)


@from_3_3
@pytest.mark.parametrize("kind", QUESTIONS)
def test_forged_final_answer(kind: str, open_site: Site) -> None:
    """The answer after waiting is verified as any other."""
    honest = delaying(open_site, QUESTIONS[kind], polls=1)

    def transport(request: bytes) -> bytes:
        answer = honest(request)
        if Message.from_der(answer).type in (BodyType.RP, BodyType.GENP):
            return answering(request, answer, b"another secret")
        return answer

    with pytest.raises(osslcmp.ProtectionError):
        ask(client(transport), kind, open_site)


@from_3_3
def test_replayed_final_answer(open_site: Site) -> None:
    """One that belongs to another request does not pass for this one."""
    honest = delaying(open_site, BodyType.GENM, polls=1)
    old: list[bytes] = []

    def transport(request: bytes) -> bytes:
        answer = honest(request)
        if Message.from_der(answer).type is BodyType.GENP:
            old.append(answer)
            return old[0]
        return answer

    cmp = client(transport)
    assert isinstance(cmp.genm([HARMLESS]), list)
    with pytest.raises(osslcmp.ResponseError):
        cmp.genm([HARMLESS])


@from_3_3
def test_connection_lost_while_a_delayed_call_polls(open_site: Site) -> None:
    """It is told, and nothing of it is left in the context."""
    broken = False

    def fail() -> None:
        if broken:
            raise ConnectionError("lost")

    transport = delaying(open_site, BodyType.GENM, on_poll=fail)
    context = secret_context(transport, SECRET)
    broken = True
    with pytest.raises(ConnectionError):
        context.exec_genm_ses()
    assert not context.pending
    broken = False
    context.reinit()
    assert isinstance(context.exec_genm_ses(), list)
