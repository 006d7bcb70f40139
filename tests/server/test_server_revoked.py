"""Who is revoked or on hold authorises nothing, by whatever route."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import revocation
from support.forge import (
    CR,
    IR,
    KUR,
    Forger,
    enroll,
    read,
    refused,
    sequence,
    sha256,
)
from support.persistent import Worker, ca_in, opened

from osslcmp import BodyType, FailureInfo, PKIStatus, RevocationReason
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Revoked, Waiting, waiting

SECRETS = {"ref": "secret", "other": "another secret"}
HOLD, RELEASE = RevocationReason.certificateHold, RevocationReason.removeFromCRL
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
COMPROMISED = RevocationReason.keyCompromise
STATES = [HOLD, COMPROMISED, RevocationReason.superseded, RevocationReason.cessationOfOperation]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ca(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedCA]:
    with ca_in(request.param, tmp_path, request, secrets=SECRETS) as found:
        yield found


def member(ca: EmbeddedCA, server: Any, name: str = "forged", **options: Any) -> Forger:
    """A client that has enrolled and signs from now on."""
    key = options.pop("key", None) or ec.generate_private_key(ec.SECP256R1())
    client = Forger(**options)
    response = server(client.request(key=key, name=name))
    certificate = read(response).certificate
    assert certificate is not None
    done = server(client.answering(response).cert_conf(sha256(certificate)))
    assert read(done).kind == BodyType.PKICONF
    return Forger(secret=None, reference=None, certificate=certificate, key=key, chain=ca.chain)


def fresh(client: Forger) -> Forger:
    """For another transaction."""
    return client.but(transaction_id=Forger().transaction_id, recip_nonce=None)


def put(ca: EmbeddedCA, client: Forger, reason: RevocationReason | None) -> None:
    """Revoke its certificate, or release it, by its reference."""
    certificate = client.certificate
    assert certificate is not None
    record = ca.record(certificate)
    assert record is not None
    request = revocation(certificate, reason or RELEASE, reference=record.reference, polls=1)
    assert ca.revoke(request) == Revoked()


def state(ca: EmbeddedCA, client: Forger) -> RevocationReason | None:
    assert client.certificate is not None
    record = ca.record(client.certificate)
    assert record is not None
    return record.revoked


def rr(client: Forger, about: Forger, reason: RevocationReason) -> bytes:
    certificate = about.certificate
    assert certificate is not None
    return fresh(client).rr(certificate.issuer, certificate.serial_number, reason)


def old_cert_id(client: Forger) -> bytes:
    """The control of a kur."""
    certificate = client.certificate
    assert certificate is not None
    issuer = encode(explicit(4), certificate.issuer.public_bytes())
    identifier = sequence(issuer, der.encode_integer(certificate.serial_number))
    return sequence(sequence(der.encode_oid(oids.OLD_CERT_ID), identifier))


@pytest.mark.parametrize("reason", STATES)
def test_every_request(ca: EmbeddedCA, reason: RevocationReason) -> None:
    server = ca.server()
    client = member(ca, server.process)
    put(ca, client, reason)
    count = len(ca.records)
    for message in (
        fresh(client).request(IR),
        fresh(client).request(CR),
        fresh(client).request(KUR, controls=old_cert_id(client)),
        fresh(client).genm(),
        rr(client, client, RELEASE),
        rr(client, client, COMPROMISED),
    ):
        refused(server, message, FailureInfo.certRevoked)
    assert len(ca.records) == count
    assert state(ca, client) is reason
    assert server.open_transactions == 0


@pytest.mark.parametrize("reason", [HOLD, COMPROMISED])
def test_others_of_the_same_client(ca: EmbeddedCA, reason: RevocationReason) -> None:
    """A revoked certificate neither revokes nor releases nor updates the client's other one."""
    server = ca.server(strictness="rfc9810")
    bad, good = member(ca, server.process), member(ca, server.process)
    put(ca, bad, reason)
    refused(server, rr(bad, good, COMPROMISED), FailureInfo.certRevoked)
    refused(server, fresh(bad).request(KUR, controls=old_cert_id(good)), FailureInfo.certRevoked)
    assert state(ca, good) is None
    put(ca, good, HOLD)
    refused(server, rr(bad, good, RELEASE), FailureInfo.certRevoked)
    assert state(ca, good) is HOLD
    # Who is entitled does both: the reference for which they were issued.
    assert read(server.process(rr(Forger(), good, RELEASE))).status == PKIStatus.accepted
    assert state(ca, good) is None
    if reason is HOLD:
        assert read(server.process(rr(good, bad, RELEASE))).status == PKIStatus.accepted
        assert read(server.process(fresh(bad).genm())).kind == BodyType.GENP


def test_a_signature_written_another_way(ca: EmbeddedCA) -> None:
    """ECDSA has two for each message, (r, s) and (r, -s): it is the same certificate."""
    server = ca.server(strictness="rfc9810").process
    client = member(ca, server)
    assert client.certificate is not None
    put(ca, client, HOLD)
    tbs, algorithm, _ = der.sequence(client.certificate.public_bytes(Encoding.DER))
    r, s = decode_dss_signature(client.certificate.signature)
    other = encode(der.BIT_STRING, b"\0" + encode_dss_signature(r, ORDER_P256 - s))
    written = x509.load_der_x509_certificate(encode(der.SEQUENCE, tbs.encoding, algorithm.encoding, other))
    assert written != client.certificate
    answer = read(server(fresh(client.but(certificate=written)).request(CR)))
    assert (FailureInfo(answer.failure), "hold" in answer.text) == (FailureInfo.certRevoked, True)


def test_update_of_a_revoked_one(ca: EmbeddedCA) -> None:
    """oldCertID names what is on hold or revoked: nobody gets a successor of it."""
    server = ca.server(strictness="rfc9810")
    old, good = member(ca, server.process), member(ca, server.process)
    for reason in (HOLD, COMPROMISED):
        put(ca, old, reason)
        message = fresh(Forger()).request(KUR, controls=old_cert_id(old))
        refused(server, message, FailureInfo.certRevoked, BodyType.KUP)
        message = fresh(good).request(KUR, controls=old_cert_id(old))
        refused(ca.server(), message, FailureInfo.badCertId, BodyType.KUP)


def test_same_key_in_another_certificate(ca: EmbeddedCA) -> None:
    """A key that is compromised is so in each of its certificates; one on hold or superseded is not."""
    server = ca.server()
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = (member(ca, server.process, name, key=key) for name in ("first", "second"))
    put(ca, first, HOLD)
    assert read(server.process(fresh(second).genm())).kind == BodyType.GENP
    put(ca, first, COMPROMISED)
    refused(server, fresh(second).genm(), FailureInfo.certRevoked)


def test_certconf(ca: EmbeddedCA) -> None:
    """Revoked between ir and certConf: nothing is confirmed, nor is the transaction lost to who is released again."""
    server = ca.server()
    client = member(ca, server.process)
    opened_, answer = enroll(server, fresh(client))
    put(ca, client, HOLD)
    good = sha256(answer.certificate)
    rejection = sequence(der.encode_integer(PKIStatus.rejection))
    for message in (opened_.cert_conf(good), opened_.cert_conf(good, info=rejection), opened_.error()):
        refused(server, message, FailureInfo.certRevoked)
    assert answer.certificate is not None
    record = ca.record(answer.certificate)
    assert record is not None
    assert not record.confirmed
    assert record.revoked is None
    assert server.open_transactions == 1
    put(ca, client, None)
    assert read(server.process(opened_.cert_conf(good))).kind == BodyType.PKICONF


@pytest.mark.parametrize("restart", [False, True])
def test_poll(ca: EmbeddedCA, restart: bool) -> None:
    server = ca.server()
    client = member(ca, server.process)
    ca.policy = waiting(1, 0)
    asking = fresh(client)
    asking = asking.answering(server.process(asking.request()))
    put(ca, client, HOLD)
    count = len(ca.records)
    if restart and type(ca) is not EmbeddedCA:
        server = ca.server()
    refused(server, asking.poll(), FailureInfo.certRevoked)
    assert len(ca.records) == count
    put(ca, client, None)
    assert read(server.process(asking.poll())).certificate is not None


def test_poll_by_another_certificate_with_the_same_key(ca: EmbeddedCA) -> None:
    """What was asked by who is revoked now is not given to who looks the same."""
    server = ca.server()
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = member(ca, server.process, key=key), member(ca, server.process, key=key)
    ca.policy = waiting(1, 0)
    asking = fresh(first)
    asking = asking.answering(server.process(asking.request()))
    put(ca, first, HOLD)
    count = len(ca.records)
    answer = read(server.process(asking.but(certificate=second.certificate).poll()))
    assert answer.certificate is None
    assert len(ca.records) == count


def test_delayed_revocation(ca: EmbeddedCA) -> None:
    """An rr that waits is not done once its signer is revoked."""
    server = ca.server()
    client, other = member(ca, server.process), member(ca, server.process)
    ca.delay = lambda request: Waiting(0) if request.polls < 1 else None
    asking = fresh(client)
    certificate = other.certificate
    assert certificate is not None
    waiting_ = server.process(asking.rr(certificate.issuer, certificate.serial_number, COMPROMISED))
    asking = asking.answering(waiting_)
    put(ca, client, HOLD)
    refused(server, asking.poll(-1), FailureInfo.certRevoked)
    assert state(ca, other) is None


def test_rejected_by_its_client(ca: EmbeddedCA) -> None:
    """A certificate that its client did not want, or did not confirm in time, signs nothing."""
    server = ca.server()
    key = ec.generate_private_key(ec.SECP256R1())
    client = Forger()
    response = server.process(client.request(key=key))
    certificate = read(response).certificate
    rejection = sequence(der.encode_integer(PKIStatus.rejection))
    server.process(client.answering(response).cert_conf(sha256(certificate), info=rejection))
    signing = Forger(secret=None, reference=None, certificate=certificate, key=key, chain=ca.chain)
    refused(server, signing.genm(), FailureInfo.certRevoked)


def test_not_confirmed_in_time(tmp_path: Path) -> None:
    """Before anybody has tidied up."""
    with opened(tmp_path, secrets=SECRETS, confirm_within=0.01) as ca:
        server = ca.server(tidy=None, transaction_timeout=100.0)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = read(server.process(Forger().request(key=key))).certificate
        signing = Forger(secret=None, reference=None, certificate=certificate, key=key, chain=ca.chain)
        time.sleep(0.02)
        refused(server, signing.genm(), FailureInfo.certRevoked)


def test_nested(ca: EmbeddedCA) -> None:
    """What an RA wraps is not unwrapped here."""
    server = ca.server()
    client = member(ca, server.process)
    refused(server, fresh(client).message(20, sequence(Forger().request())), FailureInfo.badRequest)


def test_look_up_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Who cannot be looked up may nothing."""

    class Failing(EmbeddedCA):
        broken = False

        def refuse_sender(self, message: Any) -> Any:
            if self.broken:
                raise OSError("the disk is gone")
            return super().refuse_sender(message)

    ca = Failing(SECRETS)
    server = ca.server()
    client = member(ca, server.process)
    ca.broken = True
    refused(server, fresh(client).request(), FailureInfo.systemFailure)
    assert "failed to say whether" in caplog.text


def test_other_process(tmp_path: Path) -> None:
    """Revoked by one process, refused by the others at once."""
    with Worker(tmp_path, secrets=SECRETS) as one, Worker(tmp_path) as two, opened(tmp_path) as ca:
        client = member(ca, one)
        assert read(two(fresh(client).genm())).kind == BodyType.GENP
        put(ca, client, HOLD)
        for worker in (one, two):
            assert FailureInfo(read(worker(fresh(client).request())).failure) == FailureInfo.certRevoked


def test_revoked_while_it_is_decided(tmp_path: Path) -> None:
    """A revocation that another process commits between the look-up and the commit counts."""
    with opened(tmp_path, secrets=SECRETS) as ca, opened(tmp_path) as other:
        server = ca.server()
        client = member(ca, server.process)
        count = len(ca.records)

        def policy(_: Any) -> None:
            if state(other, client) is None:
                put(other, client, COMPROMISED)

        ca.policy = policy
        refused(server, fresh(client).request(), FailureInfo.certRevoked)
        assert len(ca.records) == count
