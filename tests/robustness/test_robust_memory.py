"""A client that runs for months against servers that misbehave: no memory is lost, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support import remains, rogue
from support.clients import vendor_client, vendor_server
from support.malloc import allocated
from support.pki import PKI
from support.raw_server import Handler, RawServer
from support.rogue import Change, Rogue, cut, faulty, http, nothing, say, with_header

import osslcmp
from osslcmp.server import Authority, CertificateRequest, GeneralRequest, Issued, Server, Waiting

SECRET = b"correct horse"
WARM_UP, REPEATS, ROUNDS = 20, 80, 4
#: Bytes for each repetition. A leaked certificate is hundreds, a leaked context thousands; an allocator's noise is 0.
ALLOWED = 64


class Fixed(Authority):
    """Hands out one certificate and remembers nothing."""

    def __init__(self, pki: PKI, *, waits: bool = False) -> None:
        self.pki = pki
        self.waits = waits

    def shared_secret(self, reference: bytes) -> bytes:
        return SECRET

    def issue(self, request: CertificateRequest) -> Issued | Waiting:
        if self.waits:
            return Waiting(0)
        return Issued(self.pki.enrolled.certificate, chain=self.pki.enrolled.chain)

    def general(self, request: GeneralRequest) -> list[osslcmp.InfoTypeAndValue]:
        return list(request.infos)


class Site:
    """A new server for each request, so that the server's open transactions are not counted."""

    def __init__(self, pki: PKI) -> None:
        self.pki = pki

    def server(self, *, waits: bool = False) -> Server:
        return vendor_server(self.pki, Fixed(self.pki, waits=waits))

    def client(self, mac: bool, **options: Any) -> osslcmp.Client:
        return vendor_client(self.pki, SECRET if mac else None, **options)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """pytest would keep every log record."""
    caplog.set_level(logging.CRITICAL, "osslcmp")


@pytest.fixture(scope="module")
def site(pki: PKI) -> Site:
    """One for all tests here."""
    return Site(pki)


def check(once: Callable[[], object], expected: type[BaseException] | None) -> None:
    """`once` raises that, again and again, and memory does not grow: a table that doubles does so once, a leak always."""
    for _ in range(WARM_UP):
        attempt(once, expected)
    grown = []
    for _ in range(ROUNDS):
        before = allocated()
        for _ in range(REPEATS):
            attempt(once, expected)
        after = allocated()
        if before is None or after is None:
            pytest.skip("this libc does not tell how much is allocated")
        grown.append((after - before) / REPEATS)
        if grown[-1] <= ALLOWED:
            return
    pytest.fail(f"bytes for each repetition, round by round: {grown}")


def attempt(once: Callable[[], object], expected: type[BaseException] | None) -> None:
    """Once."""
    if expected is None:
        once()
        return
    with pytest.raises(expected):
        once()


REQUESTS: dict[str, Callable[[osslcmp.Client, PKI], object]] = {
    "ir": lambda cmp, pki: cmp.ir(pki.enrolled.key, subject=pki.enrolled.subject, sans=["a.example"]),
    "p10cr": lambda cmp, pki: cmp.p10cr(pki.enrolled.csr()),
    "genm": lambda cmp, _: cmp.genm(osslcmp.InfoTypeAndValue(osslcmp.general.CA_CERTS)),
    "rr": lambda cmp, pki: cmp.rr(pki.enrolled.certificate),
}


@pytest.mark.parametrize("mac", [True, False], ids=["mac", "signature"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_what_goes_well(kind: str, mac: bool, site: Site) -> None:
    """Results leave nothing behind, recorded or not; neither does a refusal (rr)."""

    def once() -> None:
        trace = osslcmp.Trace()
        REQUESTS[kind](site.client(mac, transport=site.server(), trace=trace), site.pki)
        assert len(str(trace)) > 100

    check(once, osslcmp.RejectedError if kind == "rr" else None)


def changes(pki: PKI) -> dict[str, tuple[int, Change, type[BaseException]]]:
    """What becomes of an answer, and of the request."""
    return {
        "other transaction": (0, with_header(SECRET, {rogue.TRANSACTION_ID: b"x"}), osslcmp.ResponseError),
        "other nonce": (1, with_header(SECRET, {rogue.RECIP_NONCE: b"x"}), osslcmp.ConfirmError),
        "unprotected": (0, rogue.unprotected, osslcmp.ProtectionError),
        "unprotected confirmation": (1, rogue.unprotected, osslcmp.ConfirmError),
        "impostor": (0, rogue.signed_by(pki.other_server), osslcmp.ProtectionError),
        "garbage": (0, lambda _: b"\x30\x03\x02\x01\x05", osslcmp.TransferError),
        "truncated": (1, lambda answer: answer[:-5], osslcmp.ConfirmError),
        "trailing": (0, lambda answer: answer + b"\0", osslcmp.TransferError),
        "malformed certificate": (
            0,
            lambda answer: answer.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12"),
            osslcmp.ProtectionError,
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        "other transaction",
        "other nonce",
        "unprotected",
        "unprotected confirmation",
        "impostor",
        "garbage",
        "truncated",
        "trailing",
        "malformed certificate",
    ],
)
def test_wrong_answers(name: str, site: Site) -> None:
    """Whatever arrives."""
    phase, change, expected = changes(site.pki)[name]
    mac = name.startswith("other")

    def once() -> None:
        cmp = site.client(mac, transport=Rogue(site.server(), {phase: change}))
        cmp.ir(site.pki.enrolled.key, subject=site.pki.enrolled.subject)

    check(once, expected)


def test_callbacks_that_raise(site: Site) -> None:
    """In the transport, and about the certificate."""

    def broken(_request: bytes) -> bytes:
        raise KeyError("no line")

    def refuse(*_: object) -> None:
        raise KeyError("not this one")

    def once() -> None:
        with suppress(KeyError):
            site.client(True, transport=broken).genm()
        site.client(True, transport=site.server()).ir(
            site.pki.enrolled.key, subject=site.pki.enrolled.subject, confirm=refuse
        )

    check(once, KeyError)


def test_transactions_that_are_left_alone(site: Site) -> None:
    """Begun, polled, and never ended."""

    def once() -> None:
        transaction = site.client(True, transport=site.server(waits=True)).begin(
            "ir", key=site.pki.enrolled.key, subject=site.pki.enrolled.subject
        )
        assert transaction.poll() is None
        assert not transaction.done

    check(once, None)


@contextmanager
def listening(site: Site, fault: Handler) -> Iterator[RawServer]:
    """A server over HTTP whose every answer goes wrong."""
    with RawServer(faulty(site.server(), dict.fromkeys(range(10000), fault), reached=False)) as server:
        yield server


@pytest.mark.parametrize(
    "fault",
    [
        nothing,
        cut(0.5),
        say(lambda _: http(b"<html>", kind="text/html")),
        say(lambda _: http(b"\x30\x03\x02\x01")),
        say(lambda _: http(b"x" * 200_000)),
        say(lambda _: b"HTTP/1.0 503 Busy\r\n\r\n"),
    ],
    ids=["closed", "cut", "HTML", "truncated", "large", "503"],
)
def test_transfer_over_http(fault: Handler, site: Site) -> None:
    """Connections that break."""
    with listening(site, fault) as server:

        def once() -> None:
            server.requests.clear()
            site.client(True, server=server.url).genm()

        check(once, osslcmp.TransferError)


#: What C keeps as long as it is held; the others are gone by then.
KEPT = ("secret", "key", "proxy's")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("case", remains.CASES)
def test_secrets_are_wiped(case: str, tmp_path: Path) -> None:
    """When the objects with them are gone, private keys, secrets and passwords are in no freed memory of C.

    That they are there before shows that they would be found.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "support.remains", case, str(tmp_path)],
        cwd=Path(remains.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    for name, (held, gone) in json.loads(done.stdout).items():
        assert held or name not in KEPT
        assert gone == 0, name
