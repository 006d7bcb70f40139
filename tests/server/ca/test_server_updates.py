"""Updates of certificates: one at a time, and nothing more from the old one afterwards (RFC 9483, section 4.1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import (
    CR,
    IMPLICIT_CONFIRM,
    IR,
    KUR,
    Answer,
    Forger,
    enroll,
    read,
    refused,
    sequence,
    sha256,
)
from support.persistent import ca_in, opened
from support.schemas import take_back

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Server


@pytest.fixture(params=["memory", "sqlite"])
def ca(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedCA]:
    with ca_in(request.param, tmp_path, request, secrets={"ref": "secret"}) as found:
        yield found


def member(server: Server, ca: EmbeddedCA) -> Forger:
    """A client with a certificate of this CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    client = Forger(info=(IMPLICIT_CONFIRM,))
    certificate = read(server.process(client.request(key=key))).certificate
    return Forger(secret=None, reference=None, certificate=certificate, key=key, chain=(ca.issuer,))


def again(client: Forger) -> Forger:
    """The same client in another transaction."""
    return client.but(transaction_id=Forger().transaction_id, recip_nonce=None)


def kur(client: Forger, *, issuer: bytes | None = None, further: int = 0, subject: str = "forged") -> bytes:
    """Asks for an update of the client's certificate, or of one with another issuer (DER), or with a serial number so much
    further."""
    certificate = client.certificate
    assert certificate is not None
    named = encode(explicit(4), issuer or certificate.issuer.public_bytes())
    value = sequence(named, der.encode_integer(certificate.serial_number + further))
    control = sequence(sequence(der.encode_oid(oids.OLD_CERT_ID), value))
    return client.request(KUR, controls=control, name=subject)


def updating(server: Server, client: Forger) -> tuple[Forger, Answer]:
    """A kur that waits for its confirmation."""
    response = server.process(kur(client))
    answer = read(response)
    assert (answer.kind, answer.status) == (BodyType.KUP, PKIStatus.accepted), answer
    return client.answering(response), answer


def test_one_at_a_time(ca: EmbeddedCA) -> None:
    """The second waits for the first; the old certificate is good until then, and good for nothing new afterwards."""
    server = ca.server()
    client = member(server, ca)
    first, answer = updating(server, client)
    refused(server, kur(again(client)), FailureInfo.badRequest, BodyType.KUP)
    enrolled = read(server.process(again(client).but(info=(IMPLICIT_CONFIRM,)).request(CR)))
    assert enrolled.status == PKIStatus.accepted
    assert read(server.process(first.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
    refused(server, kur(again(client)), FailureInfo.certRevoked, BodyType.KUP)
    refused(server, again(client).request(CR), FailureInfo.certRevoked, BodyType.CP)
    refused(server, again(client).request(IR), FailureInfo.certRevoked, BodyType.IP)
    certificate = client.certificate
    assert certificate is not None
    record = ca.record(certificate)
    assert record is not None
    assert record.revoked is None
    message = again(client).rr(certificate.issuer, certificate.serial_number)
    assert read(server.process(message)).status == PKIStatus.accepted  # who has it may still revoke it


def common_name(tag: int, text: str, encoding: str = "latin-1") -> bytes:
    attribute = sequence(der.encode_oid("2.5.4.3"), encode(tag, text.encode(encoding)))
    return sequence(encode(0x31, attribute))


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"issuer": common_name(0x0C, "osslcmp issuing CA")}, None),
        ({"issuer": common_name(0x13, "OSSLCMP  issuing ca")}, None),
        ({"issuer": common_name(0x0C, " osslcmp issuing CA ")}, None),
        ({"issuer": common_name(0x14, "osslcmp issuing CA")}, None),
        ({"issuer": common_name(0x1E, "osslcmp issuing CA", "utf-16-be")}, None),
        ({"subject": r"\ FORGED\ "}, None),
        ({"issuer": common_name(0x0C, "osslcmp root CA")}, FailureInfo.badCertId),
        ({"issuer": common_name(0x0C, "osslcmpissuing CA")}, FailureInfo.badCertId),
        ({"further": 1}, FailureInfo.badCertId),
        ({"further": 2**160}, FailureInfo.badCertId),
        ({"subject": "forger"}, FailureInfo.badCertTemplate),
    ],
)
@pytest.mark.parametrize("strictness", ["strict", "rfc9810"])
def test_certificate_and_subject_by_value(strictness: Any, changes: Any, failure: FailureInfo | None) -> None:
    """oldCertID and the subject are compared as RFC 5280 compares names and numbers."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness=strictness)
    message = kur(member(server, ca), **changes)
    if failure is None or (strictness, failure) == ("rfc9810", FailureInfo.badCertTemplate):
        assert read(server.process(message)).status == PKIStatus.accepted
    else:
        refused(server, message, failure, BodyType.KUP)


def test_refused_by_the_client(ca: EmbeddedCA) -> None:
    """The client does not want it: it is revoked, and the old certificate goes on."""
    server = ca.server()
    client = member(server, ca)
    first, answer = updating(server, client)
    rejection = sequence(der.encode_integer(2))
    response = server.process(first.cert_conf(sha256(answer.certificate), info=rejection))
    assert read(response).kind == BodyType.PKICONF
    assert answer.certificate is not None
    record = ca.record(answer.certificate)
    assert record is not None
    assert record.revoked is not None
    updating(server, again(client))


def test_never_confirmed(ca: EmbeddedCA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new certificate is revoked, and the old one goes on."""
    server = ca.server(transaction_timeout=0.001)
    client = member(server, ca)
    _, answer = updating(server, client)
    assert answer.certificate is not None
    for _ in range(1000):
        server.sweep()
        record = ca.record(answer.certificate)
        assert record is not None
        if record.revoked is not None:
            break
        monkeypatch.setattr(server.transactions.table, "next_sweep", 0.0)
        monkeypatch.setattr(server.transactions, "next_sweep", 0.0, raising=False)
    assert record is not None
    assert record.revoked is not None
    updating(ca.server(), again(client))


def test_other_enrolments_do_not_wait(ca: EmbeddedCA) -> None:
    server = ca.server()
    enroll(server, Forger())
    enroll(server, Forger())


def test_database_of_the_release_before(tmp_path: Path) -> None:
    """It gets the column and goes on."""
    with opened(tmp_path, secrets={"ref": "secret"}) as ca:
        client = member(ca.server(), ca)
    take_back(f"sqlite:///{tmp_path / 'ca.db'}", 4)
    with opened(tmp_path) as ca:
        server = ca.server()
        first, answer = updating(server, client)
        assert read(server.process(first.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF
        refused(server, kur(again(client)), FailureInfo.certRevoked, BodyType.KUP)
