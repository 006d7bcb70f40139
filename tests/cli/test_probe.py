"""``osslcmp probe`` at servers of several kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import osslcmp
from support.forge import Forger, sequence
from support.mock_server import MockServer
from support.odd import NAME, odd_identity
from support.pki import PKI, cert_pem, make_key, make_name
from support.raw_server import RawServer, response, say
from support.served import Served

import osslcmp as package
from osslcmp import FailureInfo
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Rejected
from osslcmp.testing.rewriting import with_header

Findings = dict[str, dict[str, Any]]


@pytest.fixture
def secret(tmp_path: Path) -> list[str]:
    """Options for the secret."""
    (tmp_path / "secret").write_text("secret\n")
    return ["--ref", "ref", "--secret-file", str(tmp_path / "secret")]


def probe(url: str, *options: str, status: int = 0) -> Findings:
    told = json.loads(osslcmp("probe", url, "--timeout", "10", "--json", *options, status=status).stdout)
    assert told["url"] == url
    assert told["cmp"] == (status == 0)
    return {finding["tried"]: finding for finding in told["findings"]}


@pytest.fixture
def url(ca: EmbeddedCA) -> Iterator[str]:
    with ca.server().serve() as running:
        yield running.url


def test_a_stranger(url: str, ca: EmbeddedCA) -> None:
    """Learns that it is a CMP server, how it refuses, and who it says it is."""
    found = probe(url)
    assert list(found) == ["genm without protection", "genm under an unknown secret"]
    for finding in found.values():
        assert finding["result"] == "refused"
        assert finding["status"] == "rejection"
        assert finding["failure_info"]
        assert finding["answer"]["pvno"] == 2
        assert finding["answer"]["type"] == "ERROR"
    assert found["genm under an unknown secret"]["answer"]["sender"] == "CN=osslcmp CMP server"
    assert ca.records == ()


def test_under_a_secret(url: str, ca: EmbeddedCA, secret: list[str]) -> None:
    """Which general messages it answers; no certificate is asked for."""
    found = probe(url, *secret)
    results = {name: finding["result"] for name, finding in found.items()}
    assert results["caCerts"] == results["currentCRL"] == "yes"
    assert results["rootCaCert"] == "no"
    assert results["genm under a wrong secret"] == "refused"
    assert {results[kind] for kind in ("ir", "cr", "p10cr", "kur")} == {"not tried"}
    assert found["rr (of no certificate)"]["failure_info"]
    assert ca.records == ()


@pytest.mark.parametrize("kinds", [("ir",), ("cr", "p10cr")])
def test_requests(url: str, ca: EmbeddedCA, secret: list[str], kinds: tuple[str, ...]) -> None:
    """Those that are asked for, one certificate each."""
    found = probe(url, *secret, *(word for kind in kinds for word in ("--request", kind)))
    assert {kind for kind in ("ir", "cr", "p10cr") if found[kind]["result"] == "yes"} == set(kinds)
    assert len(ca.records) == len(kinds)
    assert all(record.confirmed for record in ca.records)


def test_signed(url: str, ca: EmbeddedCA, tmp_path: Path) -> None:
    """With a certificate, which a kur updates if that is asked for."""
    key = make_key()
    mine = package.Client(url, reference="ref", secret="secret").ir(key, subject="CN=me")
    mine.save(tmp_path, key)
    (tmp_path / "root.pem").write_bytes(cert_pem([ca.root]))
    options = ["--cert", str(tmp_path / "fullchain.pem"), "--key", str(tmp_path / "privkey.pem")]
    options += ["--trusted", str(tmp_path / "root.pem")]
    found = probe(url, *options)
    assert found["caCerts"]["result"] == "yes"
    assert found["rr (of no certificate)"]["failure_info"] == ["badCertId"]
    assert len(ca.records) == 1
    assert probe(url, *options, "--request", "kur")["kur"]["result"] == "yes"
    assert len(ca.records) == 2


@pytest.mark.peer
def test_the_mock_server_of_openssl(mock_server: Callable[..., MockServer], secret: list[str]) -> None:
    """Another implementation."""
    found = probe(mock_server().url, *secret)
    assert found["genm under a wrong secret"]["result"] == "refused"
    assert found["caCerts"]["answer"] is not None


def test_nobody_there(secret: list[str]) -> None:
    """One message is tried, and the status says it."""
    found = probe("http://127.0.0.1:1/", *secret, status=1)
    (finding,) = found.values()
    assert finding["result"] == "no answer"


def test_a_web_server() -> None:
    """Something else than CMP answers."""
    with Served(lambda _: b"<html>") as served:
        found = probe(served.url, status=1)
    assert {finding["answer"] is None for finding in found.values()} == {True}


def test_hostile_texts(ca: EmbeddedCA, secret: list[str], url: str) -> None:
    """What the server says is shown, not obeyed."""
    ca.policy = lambda _: Rejected(FailureInfo.badCertTemplate, "\x1b[31mred\n\u202e")
    done = osslcmp("probe", url, *secret, "--request", "ir")
    assert "badCertTemplate \\x1b[31mred / \\u202e" in done.stdout
    assert "\x1b" not in done.stdout
    assert "not tried" in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ref", "x"], "--ref and --secret-file go together"),
        (["--cert", "x"], "--cert and --key go together"),
        (["--request", "kur"], "--request kur: needs --cert"),
        (["--request", "rr"], "invalid choice"),
        (["--ref", "x", "--secret-file", "/nowhere"], "/nowhere"),
        (["--timeout", "-1"], "timeout"),
    ],
)
def test_wrong_options(options: list[str], told: str) -> None:
    """Status 2, before anything is sent."""
    assert told in osslcmp("probe", "http://127.0.0.1:1/", *options, status=2).stderr


def odd_time(message: bytes, _: PKI) -> bytes:
    """With a month that there is not."""
    year = message.index(b"\x18\x0f") + 2
    return message[: year + 4] + b"13" + message[year + 6 :]


def odd_certificate(message: bytes, pki: PKI) -> bytes:
    """With a certificate that only libcrypto reads."""
    device = pki.issue("odd", pki.issuing, subject=make_name(NAME))
    certificates = encode(explicit(1), sequence(odd_identity("false", device, pki.issuing)))
    return sequence(der.read(message).content, certificates)


def vast_version(message: bytes, _: PKI) -> bytes:
    """With a pvno that Python does not print in decimal."""
    return with_header(message, first={0: der.encode_integer(1 << 32_000)})


@pytest.mark.parametrize(
    ("change", "member", "shown"),
    [
        (odd_time, "pvno", None),
        (odd_certificate, "certificates", 1),
        (vast_version, "pvno", None),
    ],
)
def test_an_answer_that_cannot_be_read_is_shown_as_far_as_it_can(
    pki: PKI, change: Callable[[bytes, PKI], bytes], member: str, shown: object
) -> None:
    """A server that answers oddly is one all the same."""
    with RawServer(say(response(change(Forger(protected=False).error(), pki)))) as server:
        found = probe(server.url)
    for finding in found.values():
        assert finding["answer"]["type"] == "ERROR"
        assert finding["answer"][member] == shown


@pytest.mark.parametrize("seconds", ["0", "-1", "x"])
def test_no_end_of_time(seconds: str) -> None:
    """libcrypto takes 0 for that."""
    told = osslcmp("probe", "http://127.0.0.1:1/", f"--timeout={seconds}", status=2).stderr
    assert "--timeout" in told
    assert seconds in told
