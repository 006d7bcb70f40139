"""Each step of a script against somebody else's client, the installed ``openssl cmp``: it fails as it should, in the place
where it should, and gets its certificate when the script is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support import openssl, openssl_cmp
from support.openssl import Run
from support.pki import cert_pem, key_pem, make_key

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp.testing import (
    Fault,
    bad_protection,
    cert_req_id,
    delay,
    drop_response,
    html_503,
    issue_other_key,
    no_extra_certs,
    ok,
    reject,
    waiting,
    wrong_nonce,
)

pytestmark = pytest.mark.peer


class Peer:
    """``openssl cmp`` with the shared secret of a server, in a folder of its own."""

    def __init__(self, server: Any, path: Path) -> None:
        self.server, self.path = server, path
        self.certificate = path / "cert.pem"
        (path / "key.pem").write_bytes(key_pem(make_key()))
        (path / "root.pem").write_bytes(cert_pem(server.root))
        (path / "issuer.pem").write_bytes(cert_pem(server.ca.issuer))
        self.mac: dict[str, Any] = {"ref": server.reference.decode(), "secret": server.secret}
        self.signed: dict[str, Any] = {
            "cert": "cert.pem",
            "key": "key.pem",
            "trusted": "root.pem",
            "extracerts": "issuer.pem",
        }

    def __call__(self, cmd: str = "ir", **options: Any) -> Run:
        defaults: dict[str, Any] = {"msg_timeout": 20}
        if not {"cert", "ref"} & set(options):
            defaults |= self.mac
        if cmd in ("ir", "cr", "kur", "p10cr"):
            defaults["certout"] = self.certificate
        if cmd in ("ir", "cr"):
            defaults["subject"] = "/CN=peer"
        if cmd in ("ir", "cr", "kur"):
            defaults["newkey"] = "key.pem"
        if cmd == "p10cr":
            defaults["csr"] = openssl.new_csr(self.path, "/CN=peer")[1]
        return openssl_cmp.cmp(cmd, self.server.url, cwd=self.path, **{**defaults, **options})

    def kinds(self) -> list[str]:
        """Types of the messages that came since the last time."""
        found = [message.type.name for message in self.server.requests]
        self.server.requests.clear()
        return found

    def works_again(self) -> None:
        """Nothing is left of the script, and an enrolment goes well."""
        assert self.server.script_left == 0
        self.server.requests.clear()
        self.certificate.unlink(missing_ok=True)
        self().must()
        assert self.kinds() == ["IR", "CERTCONF"]
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        assert self.server.ca.record(certificate).confirmed


@pytest.fixture
def peer(cmp_server: Any, tmp_path: Path) -> Peer:
    return Peer(cmp_server, tmp_path)


@pytest.mark.parametrize("cmd", ["ir", "cr", "p10cr"])
def test_waiting(cmd: str, peer: Peer, cmp_server: Any) -> None:
    cmp_server.script(waiting(times=3, check_after=0))
    peer(cmd).must()
    assert peer.kinds() == [cmd.upper(), "POLLREQ", "POLLREQ", "POLLREQ", "CERTCONF"]
    assert cmp_server.responses[0].body.responses[0].status.status is PKIStatus.waiting
    peer.works_again()


@pytest.mark.parametrize("cmd", ["ir", "cr", "p10cr", "kur", "rr", "genm"])
def test_reject(cmd: str, peer: Peer, cmp_server: Any) -> None:
    options: dict[str, Any] = {}
    if cmd in ("kur", "rr"):
        peer().must()
        options = {**peer.signed, **({"oldcert": "cert.pem"} if cmd == "rr" else {})}
        peer.kinds()
    cmp_server.script(reject(FailureInfo.badTime, "come back on Monday"))
    told = peer(cmd, **options).must(1).text
    assert "come back on Monday" in told
    assert "badTime" in told
    assert peer.kinds() == [cmd.upper()]
    peer.works_again()


FAILS: list[tuple[Fault, list[str], str]] = [
    (drop_response(), ["IR"], ""),
    (html_503(), ["IR"], ""),
    (wrong_nonce(), ["IR"], "nonce"),
    (bad_protection(), ["IR"], "pbm value"),
    (cert_req_id(7), ["IR"], "certresponse not found"),
    (issue_other_key(), ["IR", "CERTCONF"], "not accepted"),
]


@pytest.mark.parametrize(("fault", "kinds", "told"), FAILS, ids=[fault.name for fault, *_ in FAILS])
def test_fault(fault: Fault, kinds: list[str], told: str, peer: Peer, cmp_server: Any) -> None:
    """It ends with an error that fits. A client that refuses an answer says so in an error message or certConf."""
    cmp_server.script(fault)
    done = peer().must(1)
    assert told in done.text
    found = peer.kinds()
    assert found[: len(kinds)] == kinds
    assert set(found[len(kinds) :]) <= {"ERROR"}
    assert not peer.certificate.exists()
    peer.works_again()


@pytest.mark.parametrize(
    "fault", [drop_response(), html_503(), wrong_nonce(), bad_protection()], ids=lambda f: f.name
)
def test_fault_of_a_confirmation(fault: Fault, peer: Peer, cmp_server: Any) -> None:
    """By type of message: the ir goes well, the certConf does not."""
    cmp_server.script(certconf=fault)
    peer().must(1)
    assert peer.kinds()[:2] == ["IR", "CERTCONF"]
    peer.works_again()


def test_fault_of_a_poll(peer: Peer, cmp_server: Any) -> None:
    """Two scripts at once: the ir waits, the second poll is dropped."""
    cmp_server.script(waiting(times=5, check_after=0), pollreq=[ok(), drop_response()])
    peer().must(1)
    assert peer.kinds()[:3] == ["IR", "POLLREQ", "POLLREQ"]
    peer.works_again()


@pytest.mark.parametrize(
    "fault", [drop_response(), html_503(), wrong_nonce(), bad_protection()], ids=lambda f: f.name
)
@pytest.mark.parametrize("cmd", ["genm", "rr"])
def test_fault_of_other_requests(cmd: str, fault: Fault, peer: Peer, cmp_server: Any) -> None:
    peer().must()
    options = {**peer.signed, "oldcert": "cert.pem"} if cmd == "rr" else {}
    cmp_server.script(**{cmd: fault})
    peer(cmd, **options).must(1)
    assert cmd.upper() in peer.kinds()
    peer.works_again()


def test_lost_confirmation_is_known(peer: Peer, cmp_server: Any, cmp_ca: Any) -> None:
    """Processed, not answered: the CA has it confirmed, the client does not know."""
    cmp_server.script(certconf=drop_response())
    peer().must(1)
    (record,) = cmp_ca.records
    assert record.confirmed


def test_no_extra_certs(peer: Peer, cmp_server: Any) -> None:
    """Nobody misses them under a shared secret; whoever knows only the root cannot verify a signature without."""
    cmp_server.script(no_extra_certs(), no_extra_certs())
    peer().must()
    assert all(response.extra_certs == () for response in cmp_server.responses)
    cmp_server.script(no_extra_certs())
    peer("cr", **peer.signed, certout=peer.path / "other.pem").must(1)
    cmp_server.script()
    peer("cr", **peer.signed, certout=peer.path / "other.pem").must()
    peer.works_again()


def test_cert_req_id_of_a_p10cr(peer: Peer, cmp_server: Any) -> None:
    """0 instead of -1 is what many servers send; openssl takes it and confirms with it."""
    cmp_server.script(cert_req_id(0))
    peer("p10cr").must()
    answer, confirmation = cmp_server.responses[0], cmp_server.requests[1]
    assert answer.type is BodyType.CP
    assert answer.body.responses[0].request_id == 0
    assert confirmation.body.statuses[0].request_id in (0, -1)
    peer.works_again()


def test_delay(peer: Peer, cmp_server: Any) -> None:
    cmp_server.script(delay(0.3))
    peer().must()
    cmp_server.script(delay(3))
    assert "timeout" in peer(msg_timeout=1).must(1).text
    peer.works_again()


def test_one_after_the_other(peer: Peer, cmp_server: Any) -> None:
    """A whole bad day, in order."""
    cmp_server.script(html_503(), reject("systemUnavail"), drop_response(), waiting(check_after=0))
    for code in (1, 1, 1, 0):
        peer().must(code)
    names = [kind for kind in peer.kinds() if kind != "ERROR"]
    assert names == ["IR", "IR", "IR", "IR", "POLLREQ", "CERTCONF"]
    peer.works_again()


def test_requests_are_decoded(peer: Peer, cmp_server: Any) -> None:
    """What somebody else's client has sent, down to its template."""
    peer(sans=["a.example"], subject="/O=osslcmp/CN=seen").must()
    request, confirmation = cmp_server.requests
    assert len(request.header.sender_nonce) == 16
    assert request.header.sender_kid == cmp_server.reference
    assert request.header.transaction_id == confirmation.header.transaction_id
    template = request.body.requests[0].template
    assert template.subject.rfc4514_string() == "CN=seen,O=osslcmp"
    names = template.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    assert confirmation.body.statuses[0].cert_hash
