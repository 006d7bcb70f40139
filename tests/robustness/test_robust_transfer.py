"""A server whose transfer breaks: before the certificate, while it is polled for, and after it.

Every fault ends in the right exception, nothing waits longer than the message timeout, and what was obtained is not
lost: a pending request can go on, a certificate is on the exception.
"""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import make_key
from support.raw_server import Handler, RawServer, reset
from support.rogue import cut, drip, faulty, flood, http, nothing, say, send, silent

import osslcmp
from osslcmp.server import EmbeddedCA, Server, waiting

SECRET = b"correct horse"
HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/pkixcmp\r\n"
TIMEOUT = 2
FLOOD = 200_000_000


def chunked(answer: bytes) -> bytes:
    """As HTTP/1.1 allows and OpenSSL's HTTP/1.0 client does not."""
    size = f"{len(answer):x}".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + size + b"\r\n" + answer + b"\r\n0\r\n\r\n"


QUICK: dict[str, Handler] = {
    "closes without a word": nothing,
    "reset": reset,
    "closes in the status line": cut(0.01),
    "closes in the header": say(lambda answer: http(answer)[:60]),
    "closes in the body": cut(0.9),
    "closes before the last byte": say(lambda answer: http(answer)[:-1]),
    "wrong content type": say(lambda answer: http(answer, kind="application/octet-stream")),
    "HTML 503": say(lambda _: http(HTML, status="503 Service Unavailable", kind="text/html")),
    "HTML 200": say(lambda _: http(HTML, kind="text/html")),
    "HTML said to be CMP": say(lambda _: http(HTML)),
    "chunked": say(chunked),
    "truncated DER": say(lambda answer: http(answer[:-20])),
    "trailing DER": say(lambda answer: http(answer + b"\x05\x00")),
    "two messages": say(lambda answer: http(answer * 2)),
    "no body": say(lambda _: http(b"")),
}
SLOW: dict[str, Handler] = {
    "silent": silent,
    "drips from the start": drip(0),
    "drips the header": drip(30),
    "drips the body": drip(120),
}
FLOODS: dict[str, Callable[[], Handler]] = {
    "with its length": lambda: flood(HEAD + f"Content-Length: {FLOOD}\r\n\r\n".encode()),
    "without a length": lambda: flood(HEAD + b"\r\n"),
    "of DER": lambda: flood(HEAD + b"\r\n\x30\x84\x0b\xeb\xc2\x00"),
    "of header lines": lambda: flood(HEAD, b"X: y\r\n" * 10000),
    "in one header line": lambda: flood(HEAD + b"X: ", b"y" * 65536),
    "of status": lambda: flood(b"HTTP/1.0 200 ", b"O" * 65536),
}
FAULTS = {**QUICK, **SLOW}


class Site:
    """A CA behind a server of which some answers go wrong."""

    def __init__(self) -> None:
        self.ca = EmbeddedCA({"ref": SECRET})
        self.server: Server = self.ca.server()

    def waiting(self) -> Server:
        """A server that lets clients poll twice."""
        return EmbeddedCA({"ref": SECRET}, policy=waiting(2, check_after=0)).server()


@pytest.fixture(scope="module")
def site() -> Site:
    """One for all tests here: the honest part of the server."""
    return Site()


def client(server: RawServer, **options: object) -> osslcmp.Client:
    """A client with a short message timeout."""
    given = {"reference": "ref", "secret": SECRET, "message_timeout": TIMEOUT, "total_timeout": 60}
    return osslcmp.Client(server.url, **{**given, **options})  # type: ignore[arg-type]


def kind_of(name: str) -> type[osslcmp.TransferError]:
    """What that fault ends in."""
    return osslcmp.TransferTimeout if name in SLOW else osslcmp.TransferError


@pytest.mark.parametrize("name", FAULTS)
def test_first_answer(name: str, site: Site) -> None:
    """Nothing was obtained; the client works again afterwards."""
    with RawServer(faulty(site.server, {0: FAULTS[name]})) as server:
        cmp = client(server)
        with pytest.raises(kind_of(name)) as caught:
            cmp.ir(make_key(), subject="CN=x")
        assert "request sent: IR" in str(caught.value)
        assert caught.value.errors
        assert caught.value.transaction is None
        assert cmp.ir(make_key(), subject="CN=x").certificate


@pytest.mark.parametrize("name", FAULTS)
def test_confirmation(name: str, site: Site) -> None:
    """pkiConf is lost: the certificate is on the exception, with its chain and the cause."""
    key = make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with RawServer(faulty(site.server, {1: FAULTS[name]})) as server:
        cmp = client(server)
        with pytest.raises(osslcmp.ConfirmError) as caught:
            cmp.ir(key, subject="CN=x")
        assert isinstance(caught.value.__cause__, kind_of(name))
        assert "CERTCONF" in str(caught.value)
        assert caught.value.rejected is None
        enrollment = caught.value.enrollment
        assert enrollment.certificate.public_key() == key.public_key()
        assert enrollment.status is osslcmp.PKIStatus.accepted
        assert site.ca.root in enrollment.ca_pubs
        assert cmp.ir(make_key(), subject="CN=x").certificate


@pytest.mark.parametrize("name", FAULTS)
def test_first_poll(name: str, site: Site) -> None:
    """libcrypto sends the first poll at once, within begin(): its loss does not lose the request.

    The exception has the transaction, which goes on, and lives on in a dump.
    """
    key = make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with RawServer(faulty(site.waiting(), {1: FAULTS[name]}, reached=False)) as server:
        cmp = client(server)
        with pytest.raises(kind_of(name)) as caught:
            cmp.begin("ir", key=key, subject="CN=x")
        transaction = caught.value.transaction
        assert transaction is not None
        assert not transaction.done
        assert "waiting" in repr(transaction)
        assert transaction.poll() is None
        resumed = cmp.resume(transaction.dump(), key=key)
        assert resumed.wait(30).certificate.public_key() == key.public_key()


@pytest.mark.parametrize("name", ["reset", "HTML 503", "silent", "truncated DER"])
def test_first_poll_of_a_whole_request(name: str, site: Site) -> None:
    """In ir() and its like, too; the dump may be made before anything has come to a poll, and aborting works."""
    key = make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    for end in ("wait", "resume", "abort"):
        with RawServer(faulty(site.waiting(), {1: FAULTS[name]}, reached=False)) as server:
            cmp = client(server)
            with pytest.raises(kind_of(name)) as caught:
                cmp.cr(key, subject="CN=x")
            transaction = caught.value.transaction
            assert transaction is not None
            if end == "abort":
                transaction.abort()
                assert osslcmp.Message.from_der(bodies(server)[-1]).type is osslcmp.BodyType.ERROR
                continue
            if end == "resume":
                transaction = cmp.resume(transaction.dump(), key=key)
            assert transaction.wait(30).certificate.public_key() == key.public_key()


def bodies(server: RawServer) -> list[bytes]:
    """The CMP messages that reached it."""
    return [request.partition(b"\r\n\r\n")[2] for request in server.requests]


@pytest.mark.parametrize("reached", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_poll(name: str, reached: bool, site: Site) -> None:
    """The request is pending: the transaction goes on where it was, whether the poll was lost or its answer.

    What was lost is the certificate itself. The same poll is sent once more, to a server that answers it again.
    """
    key = make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    # libcrypto sends the first poll at once: the fault meets the second.
    with RawServer(faulty(site.waiting(), {2: FAULTS[name]}, reached=reached)) as server:
        transaction = client(server).begin("ir", key=key, subject="CN=x")
        assert not transaction.done
        with pytest.raises(kind_of(name)) as caught:
            transaction.poll()
        assert caught.value.transaction is transaction
        assert not transaction.done
        assert transaction.wait(30).certificate.public_key() == key.public_key()
        assert bodies(server)[2] == bodies(server)[3]


@pytest.mark.parametrize("kind", ["rr", "genm"])
@pytest.mark.parametrize("name", ["closes in the body", "HTML 503", "drips the body", "trailing DER"])
def test_other_requests(name: str, kind: str, site: Site) -> None:
    """rr and genm as well."""
    with RawServer(faulty(site.server, {0: FAULTS[name]})) as server:
        cmp = client(server)
        with pytest.raises(kind_of(name), match=f"request sent: {kind.upper()}"):
            cmp.genm() if kind == "genm" else cmp.rr(site.ca.root)


def peak() -> int:
    """The most memory that this process has had at once, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("name", FLOODS)
def test_flood(name: str, phase: int, site: Site) -> None:
    """200 MB are not read: the client hangs up early, and its memory has not grown by them."""
    handler = FLOODS[name]()
    before = peak()
    with RawServer(faulty(site.server, {phase: handler})) as server:
        with pytest.raises((osslcmp.TransferError, osslcmp.ConfirmError)) as caught:
            client(server, message_timeout=30).ir(make_key(), subject="CN=x")
        assert isinstance(caught.value, osslcmp.ConfirmError) == (phase == 1)
        assert not isinstance(caught.value.__cause__ or caught.value, osslcmp.TransferTimeout)
    # What the kernel buffers on the way is not the client's.
    assert handler.taken < FLOOD / 4  # type: ignore[attr-defined]
    assert peak() - before < FLOOD / 10


def test_answer_that_is_large_but_allowed(site: Site) -> None:
    """max_response_length allows more than OpenSSL's 100 KiB, and less."""
    with RawServer(faulty(site.server, {})) as server:
        assert client(server, max_response_length=1_000_000).genm() == []
        with pytest.raises(osslcmp.TransferError, match="max resp"):
            client(server, max_response_length=100).genm()


def test_connection_closed_between_messages(site: Site) -> None:
    """A server that says keep-alive and closes: certConf goes over a new connection."""

    def keep(answer: bytes) -> bytes:
        return http(answer).replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1)

    with RawServer(faulty(site.server, {0: say(keep), 1: send})) as server:
        assert client(server).ir(make_key(), subject="CN=x").certificate
        assert len(server.requests) == 2
