"""Answers that are refused before what they say counts: it is not lost, in every reason and on every way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.clients import secret_context
from support.command import osslcmp as command
from support.raw_server import RawServer
from support.rogue import (
    RECIP_NONCE,
    TRANSACTION_ID,
    Change,
    Rogue,
    Signer,
    damaged_protection,
    faulty,
    http,
    parts,
    protect,
    seq,
    unprotected,
    with_header,
)
from support.rogue import say as say_http
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import BodyType, Message
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, explicit

WORDS = "come back on Monday"
OTHER = b"another value 16"


def error(signer: Signer) -> Change:
    """The body becomes a refusal."""
    info = seq(encode_integer(2), seq(der.encode_text(WORDS)))

    def change(message: bytes) -> bytes:
        header, _, extra = parts(message)
        return protect(header, encode(explicit(BodyType.ERROR), seq(info)), signer, extra)

    return change


def body(signer: Signer, kind: BodyType) -> Change:
    """The body becomes an answer to something else that says the same."""
    info = seq(encode_integer(2), seq(der.encode_text(WORDS)))
    contents = {
        BodyType.KUP: seq(seq(seq(encode_integer(0), info))),
        BodyType.RP: seq(seq(info)),
        BodyType.POLLREP: seq(seq(encode_integer(0), encode_integer(1), seq(der.encode_text(WORDS)))),
    }

    def change(message: bytes) -> bytes:
        header, _, extra = parts(message)
        return protect(header, encode(explicit(kind), contents[kind]), signer, extra)

    return change


def algorithm(value: bytes) -> Change:
    """Another protectionAlg; the protection no longer fits."""

    def change(message: bytes) -> bytes:
        header, content, *rest = der.sequence(message)
        fields = [
            encode(explicit(1), value) if part.tag == explicit(1) else part.encoding
            for part in der.children(header.content)
        ]
        return seq(seq(*fields), content.encoding, *(part.encoding for part in rest))

    return change


def sender(signer: Signer, name: bytes) -> Change:
    """Another GeneralName as the sender, protected again."""

    def change(message: bytes) -> bytes:
        header, content, extra = parts(message)
        first, _, *others = (part.encoding for part in der.sequence(header))
        return protect(seq(first, name, *others), content, signer, extra)

    return change


def oid(dotted: str, parameters: bytes = b"") -> bytes:
    return seq(der.encode_oid(dotted), parameters)


#: For each way to spoil an answer: the exception, and the words of the reason.
HEADER: dict[str, tuple[Change, type[osslcmp.OpenSSLError], str]] = {
    "pvno 1": (with_header(SECRET, {}, pvno=1), osslcmp.ResponseError, "unexpected pvno"),
    "pvno 4": (with_header(SECRET, {}, pvno=4), osslcmp.ResponseError, "unexpected pvno"),
    "pvno huge": (with_header(SECRET, {}, pvno=1 << 70), osslcmp.ResponseError, "unexpected pvno"),
    "other transactionID": (
        with_header(SECRET, {TRANSACTION_ID: OTHER}),
        osslcmp.ResponseError,
        "transactionid unmatched",
    ),
    "no transactionID": (
        with_header(SECRET, {TRANSACTION_ID: None}),
        osslcmp.ResponseError,
        "transactionid unmatched",
    ),
    "other nonce": (with_header(SECRET, {RECIP_NONCE: OTHER}), osslcmp.ResponseError, "recipnonce unmatched"),
    "no nonce": (with_header(SECRET, {RECIP_NONCE: None}), osslcmp.ResponseError, "recipnonce unmatched"),
    "unprotected": (unprotected, osslcmp.ProtectionError, "missing protection"),
    "damaged": (damaged_protection, osslcmp.ProtectionError, "wrong pbm value"),
    "no such protection": (
        algorithm(oid("1.2.3.4")),
        osslcmp.ProtectionError,
        "error validating protection",
    ),
    "Diffie-Hellman MAC": (
        algorithm(oid("1.2.840.113533.7.66.30")),
        osslcmp.ProtectionError,
        "dhbasedmac",
    ),
    "other secret": (with_header(b"other secret", {}), osslcmp.ProtectionError, "wrong pbm value"),
}
if osslcmp.openssl_version < (3, 1, 0):
    # Later ones, 3.5 at any rate, look at the sender only if a certain one is expected.
    HEADER["sender is a mail address"] = (
        sender(SECRET, encode(0x81, b"a@b.example")),
        osslcmp.ProtectionError,
        "sender generalname type not supported",
    )


def is_told(failure: BaseException, kind: type[BaseException], reason: str, words: str = WORDS) -> None:
    """The exception has the answer, and its text repeats it."""
    assert isinstance(failure, kind), repr(failure)
    assert isinstance(failure, (osslcmp.ProtectionError, osslcmp.ResponseError))
    assert reason in str(failure)
    assert f"(unproven answer: rejection: {words})" in str(failure)
    assert failure.answer is not None
    assert words.encode() in failure.answer
    Message.from_der(failure.answer)


def spoilt(site: Site, change: Change, number: int = 0) -> Rogue:
    """A transport: an answer is a refusal, and spoilt."""
    return Rogue(site.server, {number: lambda answer: change(error(SECRET)(answer))})


def client(transport: Callable[[bytes], bytes], **options: Any) -> osslcmp.Client:
    return osslcmp.Client(transport=transport, reference="ref", secret=SECRET, **options)


ASKING: dict[str, Callable[[osslcmp.Client, Site], object]] = {
    "ir": lambda cmp, site: cmp.ir(**site.request("ir")),
    "p10cr": lambda cmp, site: cmp.p10cr(**site.request("p10cr")),
    "kur": lambda cmp, site: cmp.kur(**site.request("kur")),
    "rr": lambda cmp, site: cmp.rr(site.own.certificate),
    "genm": lambda cmp, _: cmp.genm([]),
}


@pytest.mark.parametrize("asked", ASKING)
@pytest.mark.parametrize("name", HEADER)
def test_client(name: str, asked: str, site: Site) -> None:
    """Each reason, for each kind of request."""
    change, kind, reason = HEADER[name]
    with pytest.raises(osslcmp.CMPError) as caught:
        ASKING[asked](client(spoilt(site, change)), site)
    is_told(caught.value, kind, reason)


@pytest.mark.parametrize("name", HEADER)
def test_context(name: str, site: Site) -> None:
    """By the raw interface."""
    change, kind, reason = HEADER[name]
    context = secret_context(spoilt(site, change), SECRET)
    for call in (context.exec_genm_ses, context.exec_ir_ses):
        context.reinit()
        context.set_transfer_cb(spoilt(site, change))
        context.set_subject_name("CN=x")
        context.set_new_pkey(site.new_key)
        with pytest.raises(osslcmp.CMPError) as caught:
            call()
        is_told(caught.value, kind, reason)


@pytest.mark.parametrize("name", HEADER)
def test_asyncio(name: str, site: Site) -> None:
    """By AsyncClient."""
    change, kind, reason = HEADER[name]

    async def test() -> None:
        transport = spoilt(site, change)
        async with osslcmp.AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            for ask in (cmp.ir(**site.request("ir")), cmp.genm([])):
                with pytest.raises(osslcmp.CMPError) as caught:
                    await ask
                is_told(caught.value, kind, reason)
                transport.count = 0

    asyncio.run(test())


@pytest.mark.parametrize("name", HEADER)
def test_answer_to_a_poll(name: str, site: Site) -> None:
    """While it waits, in the process that began it and in one that takes it up."""
    change, kind, reason = HEADER[name]
    transport = spoilt(site, change, 2)  # libcrypto polls at once when it is told to wait
    transaction = client(transport).begin("ir", **site.request("ir"))
    dump = transaction.dump()
    with pytest.raises(osslcmp.CMPError) as caught:
        transaction.poll()
    is_told(caught.value, kind, reason)
    resumed = client(spoilt(site, change)).resume(dump)
    with pytest.raises(osslcmp.CMPError) as caught:
        resumed.poll()
    is_told(caught.value, kind, reason)


@pytest.mark.parametrize("name", HEADER)
def test_answer_to_the_confirmation(name: str, site: Site) -> None:
    """The certificate is not lost either."""
    change, kind, reason = HEADER[name]
    site.released = True
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(spoilt(site, change, 1)).ir(**site.request("ir"))
    assert caught.value.enrollment.certificate
    assert f"(unproven answer: rejection: {WORDS})" in str(caught.value)
    assert caught.value.__cause__ is not None
    is_told(caught.value.__cause__, kind, reason)


@pytest.mark.parametrize(
    ("asked", "came", "words"),
    [
        ("ir", BodyType.KUP, f"rejection: {WORDS}"),
        ("ir", BodyType.RP, f"rejection: {WORDS}"),
        ("ir", BodyType.POLLREP, f"ask again in 1 s; {WORDS}"),
        ("rr", BodyType.KUP, f"rejection: {WORDS}"),
        ("genm", BodyType.RP, f"rejection: {WORDS}"),
    ],
)
def test_unexpected_body(asked: str, came: BodyType, words: str, site: Site) -> None:
    """An answer to something else."""
    with pytest.raises(osslcmp.ResponseError, match="unexpected pkibody") as caught:
        ASKING[asked](client(Rogue(site.server, {0: body(SECRET, came)})), site)
    assert f"(unproven answer: {words})" in str(caught.value)
    assert caught.value.answer is not None
    assert Message.from_der(caught.value.answer).type is came


@pytest.mark.parametrize("asked", ["ir", "rr", "genm"])
def test_unexpected_sender(asked: str, site: Site) -> None:
    """Somebody else, who has something to say."""
    cmp = client(spoilt(site, lambda message: message), expected_sender="CN=somebody else")
    with pytest.raises(osslcmp.CMPError) as caught:
        ASKING[asked](cmp, site)
    is_told(caught.value, osslcmp.ProtectionError, "unexpected sender")


def test_signatures(site: Site) -> None:
    """No trust in the signer, none at all, another who is pinned, and a MAC without a secret."""
    signer = site.ca.server()
    for options, reason in (
        ({"trusted": site.own.certificate}, "no suitable sender cert"),
        ({"trusted": None}, "missing trust store"),
        ({"trusted": None, "server_certificate": site.own.certificate}, "sender"),
        ({"trusted": None, "server_certificate": site.ca.root}, ""),
    ):
        cmp = site.client("signature", transport=signer, **options)
        with pytest.raises(osslcmp.ProtectionError) as caught:
            cmp.rr(serial=5, issuer="CN=nobody")
        assert reason in str(caught.value)
        assert "(unproven answer: " in str(caught.value)
        assert caught.value.answer is not None
    cmp = site.client("signature", transport=Rogue(client_secret(site), {}))
    with pytest.raises(osslcmp.ProtectionError, match="missing secret") as caught:
        cmp.genm([])
    is_told(caught.value, osslcmp.ProtectionError, "missing secret")


def client_secret(site: Site) -> Callable[[bytes], bytes]:
    """Answers every message by a refusal under a MAC."""
    seen: list[bytes] = []

    def keep(message: bytes) -> bytes:
        seen.append(error(SECRET)(message))
        return seen[0]

    with pytest.raises(osslcmp.CMPError):
        client(Rogue(site.server, {0: keep})).genm([])
    return lambda _: seen[0]


def test_kept_messages_of_a_dump(site: Site) -> None:
    """A client with another secret does not believe the waiting response, and says what it says."""
    site.check_after = 7
    transaction = client(site.server).begin("ir", **site.request("ir"))
    transaction.poll()
    with pytest.raises(osslcmp.ProtectionError, match=r"unproven answer: waiting") as caught:
        osslcmp.Client(transport=site.server, reference="ref", secret="other").resume(transaction.dump())
    assert caught.value.answer is not None


def test_what_counts_is_not_called_unproven(site: Site) -> None:
    """An answer that makes no sense in itself is there, too, and its words are not repeated."""
    two = seq(encode_integer(0), seq(encode_integer(0)))

    def no_certificate(message: bytes) -> bytes:
        header, _, extra = parts(message)
        return protect(header, encode(explicit(BodyType.IP), seq(seq(two))), SECRET, extra)

    with pytest.raises(osslcmp.ResponseError, match="certificate not found") as caught:
        client(Rogue(site.server, {0: no_certificate})).ir(**site.request("ir"))
    assert "unproven" not in str(caught.value)
    assert caught.value.answer is not None
    assert Message.from_der(caught.value.answer).type is BodyType.IP


@pytest.mark.parametrize("name", HEADER)
def test_command(name: str, site: Site, tmp_path: Path) -> None:
    """osslcmp cmp tells it, too."""
    change, _, reason = HEADER[name]
    spoil = say_http(lambda answer: http(change(error(SECRET)(answer))))
    with RawServer(faulty(site.server, {0: spoil})) as server:
        done = command(
            "cmp", "-cmd", "genm", "-server", server.url, "-ref", "ref", "-secret", f"pass:{SECRET.decode()}",
            cwd=tmp_path, status=1,
        )  # fmt: skip
    assert reason in done.stderr
    assert f"(unproven answer: rejection: {WORDS})" in done.stderr


def test_no_answer_no_words(site: Site) -> None:
    """Where nothing came there is nothing of an earlier call."""
    context = secret_context(spoilt(site, HEADER["pvno 1"][0]), SECRET)
    with pytest.raises(osslcmp.ResponseError):
        context.exec_genm_ses()
    context.reinit()
    context.set_transfer_cb(lambda _: b"")
    with pytest.raises(osslcmp.CMPError) as caught:
        context.exec_genm_ses()
    assert getattr(caught.value, "answer", None) is None
