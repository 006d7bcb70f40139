"""What a server says, and what OpenSSL finds, reaches the user: refused answers, waiting, warnings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.clients import PROTECTIONS, SECRET, client, credentials, request
from support.command import osslcmp
from support.inprocess import Peer, new_context, ready
from support.pki import DAY, PKI, Identity, key_pem, make_key
from support.raw_server import RawServer, response
from support.rogue import SENDER_KID, Change, Rogue, cert_rep, parts, protect, seq, with_body, with_header

from osslcmp import (
    AsyncClient,
    BodyType,
    CertificateCheck,
    Client,
    CMPError,
    PKIStatus,
    ProtectionError,
    RejectedError,
    ResponseError,
    TransferTimeout,
    openssl_version,
)
from osslcmp._asn1 import der
from osslcmp.renewal import Renewal, renew
from osslcmp.server import EmbeddedCA, delayed, waiting

Signer = bytes | Identity


def reversed_name(name: x509.Name) -> x509.Name:
    return x509.Name(list(name)[::-1])


def sender(name: x509.Name, signer: Identity) -> Change:
    """Another name in the header, protected again."""

    def change(message: bytes) -> bytes:
        header, body, extra = parts(message)
        fields = [field.encoding for field in der.sequence(header)]
        fields[1] = der.encode(der.explicit(4), name.public_bytes())
        return protect(seq(*fields), body, signer, extra)

    return change


def identifier(who: Identity) -> bytes:
    return who.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


#: Who signs, what becomes of the answer, and what is said of it.
SIGNERS: dict[str, Callable[[PKI], tuple[Identity, Change | None, str]]] = {
    "expired": lambda pki: (
        pki.expired_server,
        None,
        f"CN=server, has expired, valid until {pki.expired_server.certificate.not_valid_after_utc:%Y-%m-%d}",
    ),
    "not yet valid": lambda pki: (
        pki.future_server,
        None,
        f"is not yet valid, valid from {pki.future_server.certificate.not_valid_before_utc:%Y-%m-%d}",
    ),
    "order of the name": lambda pki: (
        pki.server,
        sender(reversed_name(pki.server.subject), pki.server),
        (
            "the sender is /CN=server/O=osslcmp tests, but the certificate with its key identifier is for"
            " /O=osslcmp tests/CN=server, the same parts in another order"
        ),
    ),
    "no name": lambda pki: (
        pki.server,
        sender(x509.Name([]), pki.server),
        "the sender is (empty name), but the certificate with its key identifier is for",
    ),
    "reflected senderKID": lambda pki: (
        pki.server,
        with_header(pki.server, {SENDER_KID: identifier(pki.enrolled)}),
        "as key identifier; its senderKID is the one of the request",
    ),
    "an odd time, too": lambda pki: (
        pki.server,
        lambda message: with_header(pki.server, {SENDER_KID: b"abc"})(message).replace(b"Z", b"+", 1),
        f"the certificate for /O=osslcmp tests/CN=server has {identifier(pki.server).hex(':').upper()} as key",
    ),
    "other senderKID": lambda pki: (
        pki.server,
        with_header(pki.server, {SENDER_KID: b"abc"}),
        f"the certificate for /O=osslcmp tests/CN=server has {identifier(pki.server).hex(':').upper()} as key",
    ),
    "no certificate": lambda pki: (
        pki.server,
        lambda message: protect(*parts(message)[:2], pki.server),
        "no certificate that came with it is for /O=osslcmp tests/CN=server",
    ),
}


if openssl_version >= (3, 1, 0):
    del SIGNERS["an odd time, too"]  # such a message does not decode everywhere


@pytest.mark.parametrize("case", SIGNERS)
def test_refused_answer(case: str, pki: PKI) -> None:
    """OpenSSL says only that it has no suitable certificate of the sender."""
    signer, change, words = SIGNERS[case](pki)
    peer = Rogue(Peer(pki, identity=signer, secret=None), {} if change is None else {0: change})
    with pytest.raises(ProtectionError) as caught:
        request(client(None, pki, transport=peer), "ir", pki)
    assert words in str(caught.value)
    assert "no suitable sender cert" in str(caught.value)

    async def asynchronously() -> None:
        async with AsyncClient(transport=peer, **credentials(pki, "signature")) as cmp:
            await cmp.ir(pki.enrolled.key, subject=pki.enrolled.subject)

    peer.count = 0
    with pytest.raises(ProtectionError) as caught:
        asyncio.run(asynchronously())
    assert words in str(caught.value)
    context = new_context(pki, me=pki.enrolled)
    context.set_transfer_cb(peer)
    peer.count = 0
    with pytest.raises(ProtectionError) as caught:
        context.exec_ir_ses()
    assert words in str(caught.value)


def test_at_another_time(pki: PKI) -> None:
    """The time that a check asks for counts, not that of the clock."""
    end = pki.server.certificate.not_valid_after_utc
    trusted = CertificateCheck(trusted=pki.root.certificate, time=end + DAY)
    cmp = client(None, pki, transport=Peer(pki, secret=None), trusted=trusted)
    with pytest.raises(ProtectionError, match="CN=server, has expired, valid until"):
        request(cmp, "ir", pki)


def test_expected_sender_in_another_order(pki: PKI) -> None:
    expected = reversed_name(pki.server.subject)
    for protection in PROTECTIONS:
        peer = Peer(pki, secret=SECRET if protection == "mac" else None)
        for name, words in (
            (expected, "sender, whose name has the same parts in another order"),
            ("CN=x", "sender"),
        ):
            with pytest.raises(ProtectionError, match=f"unexpected {words} \\(unproven"):
                request(client(None, pki, protection, transport=peer, expected_sender=name), "ir", pki)


@pytest.mark.parametrize("found", [5, -1])
def test_certificate_request_id(found: int, pki: PKI) -> None:
    """Which one an answer has, besides the one that is expected."""
    change = with_body(pki.server, lambda _: cert_rep(BodyType.IP, pki.enrolled.certificate, found))
    peer = Rogue(Peer(pki, secret=None), {0: change})
    with pytest.raises(ResponseError, match=f"the answer has certReqId {found}.*expected certReqId = 0"):
        request(client(None, pki, transport=peer), "ir", pki)


def test_command_says_why(mock_server: Any, pki: PKI, tmp_path: Path) -> None:
    """An expired server, as the command tells it."""
    server = mock_server(srv_cert=pki.expired_server.cert_file, srv_key=pki.expired_server.key_file)
    options = openssl.arguments(
        {"config": "", "batch": True, "server": server.url, "cmd": "ir", "cert": pki.enrolled.cert_file,
         "key": pki.enrolled.key_file, "trusted": pki.root.cert_file, "untrusted": pki.issuing.cert_file,
         "newkey": pki.enrolled.key_file, "subject": pki.enrolled.slash_subject,
         "certout": tmp_path / "out.pem"}
    )  # fmt: skip
    assert "CN=server, has expired, valid until" in osslcmp("cmp", *options, status=1).stderr


# -- a certificate with a refusal ----------------------------------------------------------------------------


def soon_over(pki: PKI, signer: Signer) -> Change:
    """A kup with keyUpdateWarning and a certificate."""
    certificate = pki.enrolled.certificate.public_bytes(Encoding.DER)
    info = seq(der.encode_integer(PKIStatus.keyUpdateWarning), seq(der.encode_text("soon over")))
    response_ = seq(der.encode_integer(0), info, seq(der.encode(der.explicit(0), certificate)))
    return with_body(signer, lambda _: der.encode(der.explicit(BodyType.KUP), seq(seq(response_))))


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_certificate_that_came_with_a_warning(protection: str, pki: PKI) -> None:
    """OpenSSL takes keyUpdateWarning for a refusal; the certificate is not lost."""
    secret = SECRET if protection == "mac" else None
    peer = Rogue(Peer(pki, secret=secret), {0: soon_over(pki, secret or pki.server)})
    context = ready(new_context(pki, protection), "kur", pki)
    context.set_transfer_cb(peer)
    calls: list[Callable[[], Any]] = [
        lambda: request(client(None, pki, protection, transport=peer), "kur", pki),
        context.exec_kur_ses,
    ]
    for call in calls:
        peer.count = 0
        with pytest.raises(
            RejectedError, match=r"keyUpdateWarning: soon over \(a certificate came with it"
        ) as caught:
            call()
        enrollment = caught.value.enrollment
        assert enrollment is not None
        assert (enrollment.certificate, enrollment.text) == (pki.enrolled.certificate, "soon over")
        assert enrollment.status is PKIStatus.keyUpdateWarning
        assert enrollment.chain == [pki.issuing.certificate]


def test_refusal_without_a_certificate(pki: PKI) -> None:
    peer = Peer(pki, secret=None)
    peer.script.status = PKIStatus.rejection
    with pytest.raises(RejectedError) as caught:
        request(client(None, pki, transport=peer), "ir", pki)
    assert caught.value.enrollment is None


def test_command_saves_it(pki: PKI, tmp_path: Path) -> None:
    """And ends with an error, as OpenSSL does, which saves nothing."""
    peer = Rogue(Peer(pki), {0: soon_over(pki, SECRET)})

    def handler(connection: Any, message: bytes) -> None:
        connection.sendall(response(peer(message.partition(b"\r\n\r\n")[2])))

    with RawServer(handler) as server:
        options = openssl.arguments(
            {"config": "", "batch": True, "server": server.url, "cmd": "kur", "ref": "ref", "secret": b"secret",
             "oldcert": pki.enrolled.cert_file, "newkey": pki.enrolled.key_file, "certout": tmp_path / "out.pem"}
        )  # fmt: skip
        told = osslcmp("cmp", *options, status=1)
    assert "keyUpdateWarning: soon over" in told.stderr
    assert "saving the certificate that came with it, which is not confirmed" in told.stdout
    assert x509.load_pem_x509_certificate((tmp_path / "out.pem").read_bytes()) == pki.enrolled.certificate


# -- why it takes time ---------------------------------------------------------------------------------------

KEY = make_key()
WORDS = "a person\nhas to look at it"


def clerk() -> EmbeddedCA:
    """Lets everybody wait three times, for two polls after the first answer."""
    ca = EmbeddedCA({"ref": "secret"})
    ca.policy = waiting(3, 0, WORDS)
    return ca


def known(ca: EmbeddedCA) -> dict[str, Any]:
    """The arguments of a client."""
    return {"transport": ca.server(strictness="rfc9810"), "reference": "ref", "secret": "secret"}


def test_reason_of_a_wait() -> None:
    """The words of the first answer, until a pollRep has others; none when it is over."""
    transaction = Client(**known(clerk())).begin("ir", key=KEY, subject="CN=x")
    assert transaction.reason == WORDS
    assert transaction.poll() is None
    assert transaction.reason == transaction.context.reason == WORDS
    again = Client(**known(clerk())).begin("ir", key=KEY, subject="CN=x")
    assert transaction.poll()
    assert transaction.reason is None
    assert transaction.context.reason is None
    again.abort()
    assert again.reason is None


def test_reason_of_a_wait_in_another_process() -> None:
    ca = clerk()
    cmp = Client(**known(ca))
    transaction = cmp.begin("ir", key=KEY, subject="CN=x")
    resumed = cmp.resume(transaction.dump())
    assert resumed.reason == WORDS
    assert resumed.poll() is None
    assert cmp.resume(resumed.dump()).reason == WORDS


def polled(words: tuple[str, ...]) -> Change:
    """A pollRep with a reason."""
    reason = seq(*map(der.encode_text, words)) if words else b""
    entry = seq(der.encode_integer(0), der.encode_integer(0), reason)
    return with_body(b"secret", lambda _: der.encode(der.explicit(BodyType.POLLREP), seq(entry)))


@pytest.mark.parametrize(("words", "told"), [(("now", "a fax"), "now\na fax"), ((), WORDS)])
def test_reason_in_a_pollrep(words: tuple[str, ...], told: str) -> None:
    """The last thing that the server said."""
    site = known(clerk())
    transaction = Client(
        **{**site, "transport": Rogue(site["transport"], {1: polled(words), 2: polled(words)})}
    ).begin("ir", key=KEY, subject="CN=x")
    assert transaction.poll() is None
    assert transaction.reason == told


def test_reason_for_asyncio() -> None:
    async def run() -> tuple[str | None, list[str | None]]:
        told: list[str | None] = []
        async with AsyncClient(**known(clerk())) as cmp:
            transaction = await cmp.begin("ir", key=KEY, subject="CN=x")
            first = transaction.reason
            await transaction.wait(on_wait=lambda waiting_: told.append(waiting_.reason))
        return first, told

    assert asyncio.run(run()) == (WORDS, [WORDS, WORDS])


def test_reason_when_the_time_is_over() -> None:
    ca = clerk()
    ca.policy = waiting(1000, 60, WORDS)
    cmp = Client(**known(ca), total_timeout=1)
    with pytest.raises(TransferTimeout, match=r"after 1 seconds \(a person / has to look at it\)"):
        cmp.ir(KEY, subject="CN=x")


def test_reason_of_a_delayed_revocation() -> None:
    """``on_wait`` has it for what is no transaction, too."""
    ca = EmbeddedCA({"ref": "secret"})
    cmp, told = Client(**known(ca)), list[str]()
    certificate = cmp.ir(KEY, subject="CN=x").certificate
    ca.delay = delayed(2, 0, WORDS)
    if openssl_version < (3, 3):
        with pytest.raises(RejectedError, match="a person / has to look at it"):
            cmp.rr(certificate)
        return
    cmp.rr(certificate, on_wait=lambda progress: told.append(progress.reason))
    assert told == [WORDS]


# -- the same words, whoever asks ----------------------------------------------------------------------------


def refusing(content: bytes, kind: BodyType = BodyType.ERROR) -> Change:
    return with_body(SECRET, lambda _: der.encode(der.explicit(kind), content))


def status_info(status: int, words: tuple[str, ...], bits: bytes = b"") -> bytes:
    return seq(der.encode_integer(status), seq(*map(der.encode_text, words)), bits)


_BITS = der.encode(der.BIT_STRING, b"\x01\xa2\x02")  # bits 0, 2, 8 and 14
_PLACE = "ask at the desk", "спросите в окне", "窓口へ"
_REFUSED = status_info(2, _PLACE, _BITS)
#: What is answered, as CMP or as HTTP, and what everybody is told.
ANSWERS: dict[str, tuple[Change | bytes, tuple[str, ...]]] = {
    "ip, texts and bits": (
        refusing(seq(seq(seq(der.encode_integer(0), _REFUSED))), BodyType.IP),
        (*_PLACE, "badAlg", "badRequest", "wrongAuthority", "timeNotAvailable"),
    ),
    "error, code and details": (
        refusing(
            seq(_REFUSED, der.encode_integer(4711), seq(der.encode_text("form 7"), der.encode_text("room 3")))
        ),
        (*_PLACE, "badAlg", "badRequest", f"{4711:08x}", "form 7", "room 3"),
    ),
    "error without words": (refusing(seq(seq(der.encode_integer(2), _BITS))), ("badAlg", "badRequest")),
    "403, text": (
        response(b"the lab is closed", status="403 No way", content_type="text/plain"),
        ("HTTP status 403 No way", "the lab is closed"),
    ),
    "503, html": (
        response(b"<html><title>back at noon</title></html>", status="503 Later", content_type="text/html"),
        ("HTTP status 503 Later", "back at noon"),
    ),
    "422, json": (
        response(b'{"detail": "quota of 3"}', status="422 Odd", content_type="application/problem+json"),
        ("HTTP status 422 Odd", "quota of 3"),
    ),
    "500, empty": (response(b"", status="500 Oops", content_type=None), ("HTTP status 500 Oops",)),
}


def by_resuming(url: str) -> str:
    cmp = Client(url, reference="ref", secret=SECRET)
    dump = cmp.begin("ir", key=KEY, subject="CN=x").dump()
    return by_error(lambda: cmp.resume(dump).poll())


def by_error(ask: Callable[[], object]) -> str:
    with pytest.raises(CMPError) as caught:
        ask()
    return str(caught.value)


async def by_asyncio(url: str) -> None:
    async with AsyncClient(url, reference="ref", secret=SECRET) as cmp:
        await cmp.ir(KEY, subject="CN=x")


def by_command(url: str, path: Path) -> str:
    (path / "key.pem").write_bytes(key_pem(KEY))
    options = openssl.arguments(
        {"config": "", "batch": True, "server": url, "cmd": "ir", "ref": "ref", "secret": SECRET,
         "subject": "/CN=x", "newkey": path / "key.pem", "certout": path / "out.pem"}
    )  # fmt: skip
    return osslcmp("cmp", *options, status=1).stderr


def by_renewal(url: str, path: Path) -> str:
    (path / "secret").write_bytes(SECRET)
    asked = Renewal(
        name="x", server=url, state=path / "state", key=path / "k.pem", certificate=path / "c.pem",
        reference="ref", secret_file=path / "secret", request="ir", expired="ir", subject="CN=x",
    )  # fmt: skip
    return str(renew(asked).error)


#: By who asks: how many answers come before (libcrypto polls at once), and how the failure is told.
ASKING: dict[str, tuple[int, Callable[[str, Path], str]]] = {
    "Client": (0, lambda url, _: by_error(lambda: Client(url, reference="ref", secret=SECRET).ir(KEY, subject="CN=x"))),
    "asyncio": (0, lambda url, _: by_error(lambda: asyncio.run(by_asyncio(url)))),
    "command": (0, by_command),
    "resume": (2, lambda url, _: by_resuming(url)),
    "renewal": (0, by_renewal),
}  # fmt: skip


@pytest.mark.parametrize("who", ASKING)
@pytest.mark.parametrize("case", ANSWERS)
def test_words_of_a_refusal(case: str, who: str, tmp_path: Path) -> None:
    """They reach the user whole, whichever way was asked."""
    (answer, words), (before, ask) = ANSWERS[case], ASKING[who]
    server = EmbeddedCA({"ref": SECRET})
    server.policy = waiting(9, 0) if before else None
    honest = Rogue(server.server(), {} if isinstance(answer, bytes) else {before: answer})

    def handler(connection: Any, request_: bytes) -> None:
        number, der_answer = honest.count, honest(request_.partition(b"\r\n\r\n")[2])
        raw = isinstance(answer, bytes) and number == before
        connection.sendall(answer if raw else response(der_answer))

    with RawServer(handler) as site:
        told = ask(site.url, tmp_path)
    assert [word for word in words if word not in told] == [], told


def test_words_of_several_statuses() -> None:
    """In an rp that libcrypto refuses for their number."""
    answer = refusing(seq(seq(status_info(0, ()), status_info(2, _PLACE))), BodyType.RP)
    cmp = Client(
        transport=Rogue(EmbeddedCA({"ref": SECRET}).server(), {2: answer}), reference="ref", secret=SECRET
    )
    certificate = cmp.ir(KEY, subject="CN=x").certificate
    with pytest.raises(ResponseError, match="wrong rp component count") as caught:
        cmp.rr(certificate)
    assert [word for word in _PLACE if word not in str(caught.value)] == []
