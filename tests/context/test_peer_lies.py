"""Answers that are validly protected and make no sense: every one ends in a typed error, or does no harm.

The server knows the secret, so that all checks of the protection pass and the contents reach OpenSSL and us.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.clients import ALL_REQUESTS, SECRET, client, request
from support.lies import LyingTransport
from support.mock_server import MockServer
from support.pki import PKI
from support.raw_server import Recording
from support.releases import CLIENT_WAITS_FOR_ALL

import osslcmp
from osslcmp import PKIStatus
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, encode_oid, explicit

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]

IP, CP, KUP, RP, PKICONF, GENP, ERROR, POLLREP = 1, 3, 8, 12, 19, 22, 23, 26
RESPONSE = {"ir": IP, "cr": CP, "p10cr": CP, "kur": KUP, "rr": RP, "genm": GENP}
NULL = encode(der.NULL)


def seq(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(der.SEQUENCE, *parts)


def texts(*strings: bytes) -> bytes:
    """PKIFreeText."""
    return seq(*(encode(der.UTF8_STRING, s) for s in strings))


def status(number: int, *rest: bytes) -> bytes:
    """PKIStatusInfo."""
    return seq(encode_integer(number), *rest)


def bits(value: bytes, unused: int = 0) -> bytes:
    """A BIT STRING."""
    return encode(der.BIT_STRING, bytes([unused]), value)


def cert_rep(kind: int, *responses: bytes) -> bytes:
    """An ip, cp or kup with these CertResponses."""
    return encode(explicit(kind), seq(seq(*responses)))


def response(info: bytes, certificate: bytes | None = None, request_id: int = 0) -> bytes:
    """A CertResponse."""
    pair = b"" if certificate is None else seq(encode(explicit(0), certificate))
    return seq(encode_integer(request_id), info, pair)


def error(*parts: bytes) -> bytes:
    """An error message."""
    return encode(explicit(ERROR), seq(*parts))


def poll_rep(check_after: int, request_id: int = 0, *reason: bytes) -> bytes:
    """A pollRep."""
    return encode(
        explicit(POLLREP), seq(seq(encode_integer(request_id), encode_integer(check_after), *reason))
    )


def ask(kind: str, pki: PKI, mock_server: Mock, *changes: Any, **options: Any) -> Any:
    """Send a request whose answers are `changes`, in that order."""
    honest = Recording(mock_server().url)
    transport = LyingTransport(honest, SECRET, list(changes))
    return request(client(None, pki, "mac", transport=transport, **options), kind, pki)


def test_the_truth(pki: PKI, mock_server: Mock) -> None:
    """The same body protected again is accepted: what follows fails for its contents."""
    for kind in ALL_REQUESTS:
        assert ask(kind, pki, mock_server, lambda body: body.encoding, lambda body: body.encoding)


@pytest.mark.parametrize("number", [*range(27), 27, 30])
@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_another_body(kind: str, number: int, pki: PKI, mock_server: Mock) -> None:
    """Each body type with NULL or an empty sequence in it is no answer to anything."""
    for content in (NULL, seq(), b""):
        if number == GENP and kind == "genm" and content == seq():
            assert ask(kind, pki, mock_server, encode(explicit(number), content)) == []
            continue
        with pytest.raises(osslcmp.CMPError):
            ask(kind, pki, mock_server, encode(explicit(number), content))


@pytest.mark.parametrize("kind", ["ir", "cr", "p10cr", "kur"])
def test_no_certificate(kind: str, pki: PKI, mock_server: Mock) -> None:
    """Granted, but there is none."""
    for number in (0, 1, 4, 5):
        body = cert_rep(RESPONSE[kind], response(status(number), request_id=-1 if kind == "p10cr" else 0))
        with pytest.raises(osslcmp.ResponseError, match="certificate not found"):
            ask(kind, pki, mock_server, body)


@pytest.mark.parametrize("junk", [NULL, seq(), seq(seq(), seq(), bits(b"")), b"", encode_integer(5)])
def test_junk_for_a_certificate(junk: bytes, pki: PKI, mock_server: Mock) -> None:
    """Something else in its place."""
    with pytest.raises(osslcmp.CMPError):
        ask("ir", pki, mock_server, cert_rep(IP, response(status(0), junk)))


def odd_certificates(certificate: x509.Certificate) -> dict[str, bytes]:
    """Changes that OpenSSL reads over and cryptography refuses: a wrong time, no such version."""
    good = certificate.public_bytes(Encoding.DER)
    end = good.index(certificate.not_valid_before_utc.strftime("%y%m%d%H%M%SZ").encode()) + 12  # of notBefore
    version = good.index(bytes.fromhex("a003020102")) + 4
    return {
        "time": good[: end - 1] + b"?" + good[end:],
        "version": good[:version] + b"\x22" + good[version + 1 :],
    }


@pytest.mark.parametrize("what", ["time", "version"])
def test_certificate_that_only_openssl_reads(what: str, pki: PKI, mock_server: Mock) -> None:
    """As the new certificate: a ResponseError or ConfirmError, nothing untyped."""
    odd = odd_certificates(pki.enrolled.certificate)[what]
    with pytest.raises((osslcmp.ResponseError, osslcmp.ConfirmError)):
        ask("ir", pki, mock_server, cert_rep(IP, response(status(0), odd)))


@pytest.mark.parametrize("what", ["time", "version"])
def test_extra_certificate_that_only_openssl_reads(what: str, pki: PKI, mock_server: Mock) -> None:
    """In extraCerts, which nothing protects: it costs nothing but itself."""
    good = pki.issuing.certificate.public_bytes(Encoding.DER)
    odd = odd_certificates(pki.issuing.certificate)[what]
    recording = Recording(mock_server().url, change=lambda answer: answer.replace(good, odd))
    for kind in ("ir", "rr", "genm"):
        result = request(client(None, pki, "mac", transport=recording), kind, pki)
        if kind == "ir":
            assert result.certificate == pki.enrolled.certificate
            assert pki.issuing.certificate not in result.extra_certs


def test_several_responses(pki: PKI, mock_server: Mock) -> None:
    """Two answers to one request, or none."""
    for count in (0, 2, 100):
        with pytest.raises(osslcmp.ResponseError):
            ask("ir", pki, mock_server, cert_rep(IP, *[response(status(2))] * count))


@pytest.mark.parametrize("number", [1, -1, -2, 2**31, 2**64, -(2**64)])
def test_wrong_request_id(number: int, pki: PKI, mock_server: Mock) -> None:
    """An answer to a request that was not sent."""
    for kind in ("ir", "p10cr"):
        good = pki.enrolled.certificate.public_bytes(Encoding.DER)
        body = cert_rep(RESPONSE[kind], response(status(0), good, number))
        if kind == "p10cr" and number in (-1, 1, 2**31):
            continue  # taken by OpenSSL, for servers that number p10cr as they like
        with pytest.raises(osslcmp.CMPError):
            ask(kind, pki, mock_server, body)


@pytest.mark.parametrize(
    "number", [-1, -2, -3, -4, -5, -6, 7, 127, 128, 2**31 - 1, 2**31, 2**63, 2**70, -(2**70)]
)
@pytest.mark.parametrize("kind", ["ir", "kur", "rr", "error"])
def test_impossible_status(kind: str, number: int, pki: PKI, mock_server: Mock) -> None:
    """Numbers outside of PKIStatus."""
    body = {
        "ir": cert_rep(IP, response(status(number))),
        "kur": cert_rep(KUP, response(status(number))),
        "rr": encode(explicit(RP), seq(seq(status(number)))),
        "error": error(status(number)),
    }[kind]
    with pytest.raises((osslcmp.ResponseError, osslcmp.RejectedError, osslcmp.TransferError)):
        ask("ir" if kind == "error" else kind, pki, mock_server, body)


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("kind", ALL_REQUESTS)
def test_error_with_any_status(kind: str, number: int, pki: PKI, mock_server: Mock) -> None:
    """An error message is an error whatever status it names; its text is told.

    But from 3.3 "waiting" in it announces a delayed answer: we poll, which this server does not know.
    """
    delayed = number == PKIStatus.waiting and CLIENT_WAITS_FOR_ALL
    with pytest.raises(osslcmp.CMPError, match="unexpected p" if delayed else "odd one out"):
        ask(kind, pki, mock_server, error(status(number, texts(b"odd one out"))))


@pytest.mark.parametrize(
    "field",
    [
        bits(b""),
        bits(b"\x00"),
        bits(b"\x00\x00\x00\x00\x01"),
        bits(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        bits(b"\x00\x00\x00\x10"),
        bits(b"\x80", 7),
        bits(b"\x00" * 5000),
    ],
)
@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_odd_failure_bits(kind: str, field: bytes, pki: PKI, mock_server: Mock) -> None:
    """No bits, more than the 27, and far too many."""
    body = {
        "ir": cert_rep(IP, response(status(2, field))),
        "rr": encode(explicit(RP), seq(seq(status(2, field)))),
        "genm": error(status(2, field)),
    }[kind]
    with pytest.raises(osslcmp.CMPError) as caught:
        ask(kind, pki, mock_server, body)
    if isinstance(caught.value, osslcmp.RejectedError):
        assert 0 <= int(caught.value.failure_info) < 1 << 27


@pytest.mark.parametrize(
    ("strings", "told"),
    [
        ((), ""),
        ((b"",), ""),
        ((b"one", b"two"), "one\ntwo"),
        ((b"a\x00b",), "a\x00b"),
        ((b"\xff\xfe",), "\\xff\\xfe"),
        ((b"%s%n%d",), "%s%n%d"),
        ((b"line\r\nline\x1b[31m",), "line\r\nline\x1b[31m"),
        ((b"long" * 4000,), "long" * 4000),
        ((b"many",) * 3000, "\n".join(["many"] * 3000)),
    ],
)
@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_odd_texts(kind: str, strings: tuple[bytes, ...], told: str, pki: PKI, mock_server: Mock) -> None:
    """Several, empty, long, with NUL, not UTF-8: all arrive whole, without harm."""
    field = texts(*strings)
    body = {
        "ir": cert_rep(IP, response(status(2, field))),
        "rr": encode(explicit(RP), seq(seq(status(2, field)))),
        "genm": error(status(2, field)),
    }[kind]
    with pytest.raises(osslcmp.RejectedError) as caught:
        ask(kind, pki, mock_server, body)
    assert caught.value.text == told
    assert str(caught.value)


@pytest.mark.parametrize("code", [0, -1, 2**31, 2**63, 2**100, -(2**100)])
def test_odd_error_code(code: int, pki: PKI, mock_server: Mock) -> None:
    """errorCode is any INTEGER; errorDetails anything."""
    with pytest.raises(osslcmp.RejectedError):
        ask("ir", pki, mock_server, error(status(2), encode_integer(code), texts(b"", b"%s", b"x" * 5000)))


WAITING = cert_rep(IP, response(status(3)))


@pytest.mark.parametrize("seconds", [-1, -(2**31), 2**31, 2**63 - 1, 2**63, 2**64, 2**100, -(2**100)])
def test_impossible_wait(seconds: int, pki: PKI, mock_server: Mock) -> None:
    """A checkAfter that is negative or no int is refused, not slept for."""
    with pytest.raises(osslcmp.CMPError):
        ask("ir", pki, mock_server, WAITING, poll_rep(seconds))


def test_odd_poll_answers(pki: PKI, mock_server: Mock) -> None:
    """Answers to a poll that are none."""
    empty = encode(explicit(POLLREP), seq())
    two = encode(explicit(POLLREP), seq(*[seq(encode_integer(0), encode_integer(0))] * 2))
    for answer in (empty, two, poll_rep(0, 7), encode(explicit(PKICONF), NULL), error(status(3))):
        with pytest.raises(osslcmp.CMPError):
            ask("ir", pki, mock_server, WAITING, answer)


@pytest.mark.parametrize("answer", [poll_rep(0), WAITING], ids=["pollRep", "ip"])
def test_waiting_for_ever(answer: bytes, pki: PKI, mock_server: Mock) -> None:
    """A server that only ever says "ask again now" is left when the total time is over."""
    honest = Recording(mock_server().url)

    def slowly(request: bytes) -> bytes:
        time.sleep(0.01)
        return honest(request)

    transport = LyingTransport(slowly, SECRET, [WAITING, *[answer] * 1000])
    # From 3.3 an ip that says "waiting" once more is no answer to a poll.
    expected = (
        osslcmp.ResponseError if answer == WAITING and CLIENT_WAITS_FOR_ALL else osslcmp.TransferTimeout
    )
    with pytest.raises(expected):
        request(client(None, pki, "mac", transport=transport, total_timeout=1), "ir", pki)
    assert transport.changes, "every lie was believed"


def test_long_wait_is_cut(pki: PKI, mock_server: Mock) -> None:
    """So is one that asks for more time than there is; the reason that it gives does no harm."""
    later = poll_rep(2**31 - 1, 0, texts(b"%s%n" * 300))
    with pytest.raises(osslcmp.TransferTimeout):  # after one last poll, shortly before the time is over
        ask("ir", pki, mock_server, WAITING, later, later, total_timeout=1)


def test_odd_revocation_answers(pki: PKI, mock_server: Mock) -> None:
    """No status, two, or another certificate than the one to revoke."""
    other = seq(encode(explicit(4), pki.client.subject.public_bytes()), encode_integer(5))
    for body in (
        seq(seq()),
        seq(seq(status(0), status(0))),
        seq(seq(status(0)), encode(explicit(0), seq(other))),
        seq(seq(status(0)), encode(explicit(0), seq(other, other))),
    ):
        with pytest.raises(osslcmp.CMPError):
            ask("rr", pki, mock_server, encode(explicit(RP), body))


KNOWN = [f"1.3.6.1.5.5.7.4.{n}" for n in range(1, 25)]
VALUES = [
    b"",
    NULL,
    seq(),
    seq(NULL),
    encode_integer(1),
    encode(der.OCTET_STRING, b"x"),
    bits(b"\x01"),
    seq(seq()),
]


@pytest.mark.parametrize("oid", [*KNOWN, "1.2.3.4", "2.999.1", "1.3.6.1.5.5.7.4"])
def test_any_general_answer(oid: str, pki: PKI, mock_server: Mock) -> None:
    """Each known kind of item with values of all types: it comes back as it was, or a typed error does."""
    for value in VALUES:
        body = encode(explicit(GENP), seq(seq(encode_oid(oid), value)))
        try:
            items = ask("genm", pki, mock_server, body)
        except osslcmp.CMPError:
            continue
        assert [(i.oid.dotted_string, i.value or b"") for i in items] == [(oid, value)]


def test_confirmation_answered_by_anything(pki: PKI, mock_server: Mock) -> None:
    """Whatever answers the certConf, the certificate is not lost."""
    answers = [
        error(status(2, texts(b"not confirmed"), bits(b"\x00\x10", 4))),
        error(status(3)),
        error(status(0)),
        WAITING,
        poll_rep(5),
        encode(explicit(GENP), seq()),
        encode(explicit(14), NULL),
    ]
    for answer in answers:
        with pytest.raises(osslcmp.ConfirmError) as caught:
            ask("ir", pki, mock_server, lambda body: body.encoding, answer)
        assert caught.value.enrollment.certificate == pki.enrolled.certificate
    with pytest.raises(osslcmp.ConfirmError) as caught:
        ask("ir", pki, mock_server, lambda body: body.encoding, answers[0])
    assert caught.value.rejected is not None
    assert caught.value.rejected.text == "not confirmed"
    assert caught.value.rejected.failure_info == osslcmp.FailureInfo.certConfirmed
