"""Waiting for the server: told about, bounded, interruptible, whatever it is that the server delays."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from support.alarm import LIMIT, AlarmError, alarm
from support.clients import CERTIFICATE_REQUESTS, HARMLESS
from support.delays import WAITING, Delaying, answering, poll_rep
from support.descriptors import open_descriptors
from support.waiting import SECRET, TYPES, Site

import osslcmp
from osslcmp import BodyType, Client, Context, Message, Option, PKIStatus
from osslcmp import _der as der
from osslcmp._der import encode, encode_integer, explicit
from osslcmp._waiting import Patience

#: Whether this OpenSSL waits for answers other than certificates; else *waiting* is an error.
DELAYS = osslcmp.features["delayed_delivery"]


@pytest.fixture
def open_site(site: Site) -> Site:
    """It, issuing at once."""
    site.released = True
    return site


def delaying(site: Site, *delayed: BodyType, **options: Any) -> Delaying:
    """A transport to its server that delays the answers to these messages."""
    return Delaying(site.server, SECRET, delayed, **options)


def client(transport: Callable[[bytes], bytes], **options: Any) -> Client:
    """A client of such a server."""
    return Client(transport=transport, reference="ref", secret=SECRET, **options)


def ask(cmp: Client, kind: str, site: Site, **options: Any) -> Any:
    """An rr for a certificate that is issued for it, or a genm."""
    if kind == "genm":
        return cmp.genm([HARMLESS], **options)
    certificate = Client(transport=site.server, reference="ref", secret=SECRET).ir(
        site.new_key, subject="CN=to be revoked"
    )
    return cmp.rr(certificate.certificate, **options)


QUESTIONS = {"rr": BodyType.RR, "genm": BodyType.GENM}


# -- certificates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_on_wait(kind: str, site: Site) -> None:
    """It is called before each sleep with the transaction, which can be dumped there."""
    told: list[tuple[Any, ...]] = []
    dumps: list[bytes] = []

    def on_wait(transaction: osslcmp.Transaction) -> None:
        told.append((transaction.type, transaction.check_after, transaction.polls))
        assert transaction.elapsed >= 0
        dumps.append(transaction.dump())
        site.released = len(told) == 3

    result = getattr(site.client(), kind)(**site.request(kind), on_wait=on_wait)
    assert result.certificate.public_key() == site.new_key.public_key()
    assert told == [(TYPES[kind], 0, 1), (TYPES[kind], 0, 2), (TYPES[kind], 0, 3)]
    assert len(set(dumps)) == 3


def test_on_wait_that_raises(site: Site) -> None:
    """What it raises ends the call, unchanged."""

    class EnoughError(Exception):
        pass

    def enough(_: object) -> None:
        raise EnoughError("enough")

    with pytest.raises(EnoughError, match="enough"):
        site.client().ir(**site.request("ir"), on_wait=enough)


def test_begun_then_waited_for(site: Site) -> None:
    """wait() lets the time pass that begin() was told."""
    site.check_after = 3600
    transaction = site.begin()
    polls = site.polls
    with pytest.raises(osslcmp.TransferTimeout):
        transaction.wait(3)
    assert site.polls == polls + 1, "only the last one, when the time was nearly over"


def test_last_poll(site: Site) -> None:
    """A server that wants to be asked later than there is time is asked once more, a tenth of the time before its end."""
    site.check_after = 3600
    transaction = site.begin()
    site.released = True
    assert transaction.wait(6).certificate


def test_total_timeout_bounds_a_message(site: Site) -> None:
    """Also one that is under way when the time is over, here by HTTP, without a message timeout."""
    from support.silence import mute

    with mute() as port:
        cmp = site.client(url=f"http://127.0.0.1:{port}/", message_timeout=0, total_timeout=0.3)
        for kind in CERTIFICATE_REQUESTS:
            with pytest.raises(osslcmp.TransferTimeout) as caught:
                getattr(cmp, kind)(**site.request(kind))
            assert caught.value.transaction is None
        for call in (cmp.genm, cmp.ca_certs, lambda: cmp.rr(site.own.certificate)):
            with pytest.raises(osslcmp.TransferTimeout):
                call()


def test_context_waits(site: Site) -> None:
    """exec_*_ses() of a context calls its own on_wait, and keeps to the option."""
    told: list[osslcmp.Progress] = []

    def on_wait(progress: osslcmp.Progress) -> None:
        told.append(progress)
        site.released = len(told) == 2

    context = site.client()._untimed_context()
    context.set_new_pkey(site.new_key)
    context.set_subject_name("CN=new")
    context.on_wait = on_wait
    assert context.exec_ir_ses().public_key() == site.new_key.public_key()
    assert [(p.type, p.check_after, p.polls) for p in told] == [(BodyType.IR, 0, 1), (BodyType.IR, 0, 2)]
    context.reinit()
    site.released, site.check_after = False, 3600
    context.set_option(Option.TOTAL_TIMEOUT, 1)
    with pytest.raises(osslcmp.TransferTimeout):
        context.exec_ir_ses()
    assert context.pending
    assert context.get_option(Option.TOTAL_TIMEOUT) == 1
    site.released = True
    assert context.try_certreq(osslcmp.IR)


# -- rr and genm ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_nonce", [False, True])
@pytest.mark.parametrize("polls", [0, 1, 3])
@pytest.mark.parametrize("kind", QUESTIONS)
def test_delayed(kind: str, polls: int, first_nonce: bool, open_site: Site) -> None:
    """Their answers are waited for from 3.3 on; before, that the server delays them is a typed error."""
    transport = delaying(open_site, QUESTIONS[kind], polls=polls, first_nonce=first_nonce)
    told: list[osslcmp.Progress] = []
    if not DELAYS:
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
    context = cmp._context()
    told: list[osslcmp.Progress] = []
    if not DELAYS:
        with pytest.raises(osslcmp.CMPError):
            cmp.ca_certs()
        return
    assert open_site.ca.root in cmp.ca_certs(on_wait=told.append)
    assert open_site.ca.root in context.get_ca_certs()
    assert len(told) == 2


def test_requests_of_one_context_in_turn(open_site: Site) -> None:
    """Nothing of a delayed answer is left in the context."""
    transport = delaying(open_site, BodyType.RR)
    context = client(transport)._context()
    if not DELAYS:
        return
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


@pytest.mark.parametrize("kind", QUESTIONS)
def test_signal_in_a_delayed_call(kind: str, open_site: Site) -> None:
    """It ends at once, with nothing left behind, and the client does the next request."""
    transport = delaying(open_site, QUESTIONS[kind], check_after=3600)
    cmp = client(transport)
    if not DELAYS:
        return
    start = time.monotonic()
    with pytest.raises(AlarmError), alarm():
        ask(cmp, kind, open_site)
    assert time.monotonic() - start < LIMIT
    transport.delayed = ()
    assert ask(cmp, kind, open_site)


def test_signal_in_a_delayed_call_over_http(open_site: Site) -> None:
    """The connection is closed."""
    from support.served import Served

    if not DELAYS:
        return
    with Served(delaying(open_site, BodyType.GENM, check_after=3600)) as server:
        cmp = Client(server.url, reference="ref", secret=SECRET)
        before = open_descriptors()
        with pytest.raises(AlarmError), alarm():
            cmp.genm()
        deadline = time.monotonic() + LIMIT
        while open_descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.01)  # the server closes its end
        assert open_descriptors() <= before


@pytest.mark.parametrize("kind", QUESTIONS)
def test_total_timeout_of_a_delayed_call(kind: str, open_site: Site) -> None:
    """It is a TransferTimeout; one last poll was made."""
    transport = delaying(open_site, QUESTIONS[kind], polls=100, check_after=3600)
    if not DELAYS:
        return
    with pytest.raises(osslcmp.TransferTimeout, match="still waiting after 1 seconds"):
        ask(client(transport, total_timeout=1), kind, open_site)
    assert transport.seen == [QUESTIONS[kind], BodyType.POLLREQ, BodyType.POLLREQ]


def error(status: int, text: bytes) -> bytes:
    """The body of an error message."""
    words = encode(der.SEQUENCE, encode(der.UTF8_STRING, text))
    return encode(
        explicit(BodyType.ERROR),
        encode(der.SEQUENCE, encode(der.SEQUENCE, encode_integer(status), words)),
    )


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
    if not DELAYS:
        return
    with pytest.raises(expected) as caught:
        ask(cmp, kind, open_site)
    if expected is osslcmp.RejectedError:
        assert "thought about it" in str(caught.value)
    transport.delayed = ()
    assert ask(cmp, kind, open_site)


@pytest.mark.parametrize("kind", QUESTIONS)
def test_forged_final_answer(kind: str, open_site: Site) -> None:
    """The answer after waiting is verified as any other."""
    honest = delaying(open_site, QUESTIONS[kind], polls=1)

    def transport(request: bytes) -> bytes:
        answer = honest(request)
        if Message.from_der(answer).type in (BodyType.RP, BodyType.GENP):
            return answering(request, answer, b"another secret")
        return answer

    if not DELAYS:
        return
    with pytest.raises(osslcmp.ProtectionError):
        ask(client(transport), kind, open_site)


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
    if not DELAYS:
        return
    assert isinstance(cmp.genm([HARMLESS]), list)
    with pytest.raises(osslcmp.ResponseError):
        cmp.genm([HARMLESS])


def test_connection_lost_while_a_delayed_call_polls(open_site: Site) -> None:
    """It is told, and nothing of it is left in the context."""
    broken = False

    def fail() -> None:
        if broken:
            raise ConnectionError("lost")

    transport = delaying(open_site, BodyType.GENM, on_poll=fail)
    context = client(transport)._context()
    if not DELAYS:
        return
    broken = True
    with pytest.raises(ConnectionError):
        context.exec_genm_ses()
    assert not context.pending
    broken = False
    context.reinit()
    assert isinstance(context.exec_genm_ses(), list)


# -- confirmation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after waiting"])
@pytest.mark.parametrize("polls", [0, 2])
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_delayed_confirmation(kind: str, polls: int, waits: bool, site: Site) -> None:
    """The answer to a certConf may be late as well; the certificate is looked at only once."""
    transport = delaying(site, BodyType.CERTCONF, polls=polls)
    looked_at: list[x509.Certificate] = []
    told: list[BodyType] = []

    def on_wait(transaction: osslcmp.Transaction) -> None:
        told.append(transaction.type)
        site.released = True

    def request() -> osslcmp.Enrollment:
        site.released = not waits
        enrollment: osslcmp.Enrollment = getattr(client(transport), kind)(
            **site.request(kind), on_wait=on_wait, confirm=lambda cert, _found: looked_at.append(cert)
        )
        return enrollment

    if not DELAYS:
        with pytest.raises(osslcmp.ConfirmError) as caught:
            request()
        assert caught.value.enrollment.certificate.public_key() == site.new_key.public_key()
        return
    result = request()
    assert looked_at == [result.certificate]
    assert result.certificate.public_key() == site.new_key.public_key()
    assert result.status is PKIStatus.accepted
    assert len(told) == polls + waits
    assert transport.seen.count(BodyType.CERTCONF) == 1
    record = site.ca.record(result.certificate)
    assert record is not None
    assert record.confirmed


def test_delayed_confirmation_with_the_default_check(open_site: Site) -> None:
    """OpenSSL's own callback may be asked again: the chain is there."""
    if not DELAYS:
        return
    for options in ({}, {"confirm_trusted": open_site.ca.root}, {"confirm": osslcmp.certconf}):
        transport = delaying(open_site, BodyType.CERTCONF)
        result = client(transport).ir(**open_site.request("ir"), **options)
        assert result.chain[0] == open_site.ca.issuer


def test_refusal_with_a_delayed_answer(open_site: Site) -> None:
    """A certificate that is refused here: the server's answer to that is waited for."""
    transport = delaying(open_site, BodyType.CERTCONF)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport).ir(**open_site.request("ir"), confirm=lambda *_: "not this one")
    assert caught.value.enrollment.certificate.public_key() == open_site.new_key.public_key()
    if DELAYS:
        assert "not this one" in str(caught.value)
        assert transport.seen.count(BodyType.POLLREQ) == 3


def test_rejected_confirmation_after_a_delay(open_site: Site) -> None:
    """The server says no to the certConf, late."""
    transport = delaying(open_site, BodyType.CERTCONF, finals=[error(2, b"no")])
    if not DELAYS:
        return
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport).ir(**open_site.request("ir"))
    assert isinstance(caught.value.rejected, osslcmp.RejectedError)
    assert caught.value.rejected.text == "no"
    assert caught.value.enrollment.certificate.public_key() == open_site.new_key.public_key()


def test_timeout_of_a_delayed_confirmation(open_site: Site) -> None:
    """The certificate is not lost, and neither is the transaction: it can be dumped and taken up elsewhere."""
    transport = delaying(open_site, BodyType.CERTCONF, polls=3, check_after=1)
    looked_at: list[x509.Certificate] = []
    if not DELAYS:
        return
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport, total_timeout=0.2).ir(
            **open_site.request("ir"), confirm=lambda cert, _found: looked_at.append(cert)
        )
    certificate = caught.value.enrollment.certificate
    cause = caught.value.__cause__
    assert isinstance(cause, osslcmp.TransferTimeout)
    assert cause.transaction is not None
    dump = cause.transaction.dump()
    with pytest.raises(ValueError, match=r"^confirm: "):
        client(transport).resume(dump)
    resumed = client(transport).resume(dump, confirm=lambda cert, _found: looked_at.append(cert))
    assert resumed.poll() is None
    again = client(transport).resume(resumed.dump(), confirm=lambda *_: "asked again")
    result = again.wait()
    assert result.certificate == certificate
    assert looked_at == [certificate], "it was decided once and for all"
    assert transport.seen.count(BodyType.CERTCONF) == 1


def test_lost_polls_for_a_confirmation(open_site: Site) -> None:
    """Each failure has the certificate; polling can go on."""
    broken = True

    def fail() -> None:
        if broken:
            raise ConnectionError("lost")

    transport = delaying(open_site, BodyType.CERTCONF, on_poll=fail)
    if not DELAYS:
        return
    prepared = client(transport)._prepare(osslcmp.IR, **open_site.request("ir"))
    for _ in range(3):
        with pytest.raises(ConnectionError) as caught:
            prepared.poll()
        confirm = caught.value.__context__
        assert isinstance(confirm, osslcmp.ConfirmError)
        certificate = confirm.enrollment.certificate
        assert certificate.public_key() == open_site.new_key.public_key()
        assert not prepared.done
    broken = False
    assert prepared.poll() is None
    assert prepared.wait().certificate == certificate
    assert transport.seen.count(BodyType.CERTCONF) == 1


def test_signal_in_a_delayed_confirmation(open_site: Site) -> None:
    """The transaction can go on."""
    transport = delaying(open_site, BodyType.CERTCONF, check_after=3600)
    if not DELAYS:
        return
    transaction = client(transport).begin("ir", **open_site.request("ir"))
    start = time.monotonic()
    with pytest.raises(AlarmError), alarm():
        transaction.wait()
    assert time.monotonic() - start < LIMIT
    assert not transaction.done
    while not transaction.done:
        transaction.poll()
    assert transaction.result.certificate


def test_abort_of_a_delayed_confirmation(open_site: Site) -> None:
    """The server is told."""
    transport = delaying(open_site, BodyType.CERTCONF)
    if not DELAYS:
        return
    transaction = client(transport).begin("ir", **open_site.request("ir"))
    transaction.abort()
    assert transport.seen[-1] is BodyType.ERROR


def test_abort_whose_answer_is_delayed(site: Site) -> None:
    """A server that wants to think about an error message has been told all the same."""
    transport = delaying(site, BodyType.ERROR)
    transaction = client(transport).begin("ir", **site.request("ir"))
    if DELAYS:
        transaction.abort()
    else:
        with pytest.raises(osslcmp.CMPError):
            transaction.abort()
    assert transaction.done
    assert transport.seen[-1] is BodyType.ERROR


# -- how long -------------------------------------------------------------------------------------------------


def test_patience() -> None:
    """No limit: what the server says. A limit: no longer than there is time, but for one last poll."""
    for total in (None, 0):
        endless = Patience(total)
        assert endless.left is None
        assert endless.sleep(5) == 5
        assert endless.sleep(2**31 - 1) == 2**31 - 1
        assert 0 < endless.sleep(0) < 0.1  # type: ignore[operator]
        assert 0 < endless.sleep(-5) < 0.1  # type: ignore[operator]
        assert endless.sleep(1e300) is not None
    patience = Patience(100)
    assert patience.sleep(5) == 5
    cut = patience.sleep(3600)
    assert cut is not None
    assert 90 < cut <= 95
    assert patience.sleep(3600) is None
    assert patience.elapsed >= 0
    late = Patience(3600)
    late._begun -= 3599
    assert late.sleep(5) is not None, (
        "the last poll is not left out because the sleep before it took too long"
    )
    assert late.sleep(5) is None
    over = Patience(1e-9)
    assert over.sleep(0) is None


def test_pending_context_refuses_another_request(site: Site) -> None:
    """What waits must be finished, aborted or given up first."""
    context: Context = site.begin().context
    with pytest.raises(ValueError, match="still waits for an ir"):
        context.try_certreq(osslcmp.CR)
    context.reinit()
    assert not context.pending
    with pytest.raises(ValueError, match="nothing is waiting"):
        context.try_certreq(-1)
