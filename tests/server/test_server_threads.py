"""The server from many threads at once, without HTTP."""

from __future__ import annotations

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import Forger, read
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp.server import EmbeddedCA, Server, waiting


def finish(server: Server, client: Forger, response: bytes) -> bool:
    """Confirm the certificate of a response."""
    certificate = read(response).certificate
    assert certificate is not None
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    answer = read(server.process(client.answering(response).cert_conf(digest)))
    return answer.kind == BodyType.PKICONF


@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_many_transactions(protection: str, pki: PKI) -> None:
    """Many enrollments by eight threads, some of them disturbed by a forger, some polling."""
    ca = EmbeddedCA({f"ref{n}": f"secret{n}" for n in range(8)})
    server = ca.server(trusted=[ca.root, pki.root.certificate])
    ca.policy = lambda request: waiting(1)(request) if request.transaction_id[0] % 2 else None
    assert isinstance(pki.client.key, ec.EllipticCurvePrivateKey)
    good = threading.Lock()
    done = 0

    def client(number: int) -> Forger:
        if protection == "mac":
            return Forger(reference=b"ref%d" % number, secret=b"secret%d" % number)
        return Forger.signing(pki)

    def work(number: int) -> None:
        nonlocal done
        chance = random.Random(number)
        for turn in range(20):
            me = client(number)
            response = server.process(me.request(name=f"{number} {turn}"))
            if chance.random() < 0.3:
                answer = read(server.process(me.but(recip_nonce=bytes(16)).error()))
                assert FailureInfo(answer.failure) == FailureInfo.badRecipientNonce
            if read(response).status == PKIStatus.waiting:
                me = me.answering(response)
                response = server.process(me.poll())
            certificate = read(response).certificate
            assert certificate is not None
            assert certificate.subject.rfc4514_string() == f"CN={number} {turn}"
            assert finish(server, me, response)
            with good:
                done += 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert done == 160
    assert server.open_transactions == 0
    assert all(record.confirmed for record in ca.records)


def test_one_transaction_in_two_threads() -> None:
    """While one message of a transaction is being processed, the next one waits."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server()
    inside, go_on = threading.Event(), threading.Event()

    def policy(request: object) -> object:
        if not getattr(request, "polls", 0):
            return waiting(1)(request)  # type: ignore[arg-type]
        inside.set()
        assert go_on.wait(20)
        return None

    ca.policy = policy  # type: ignore[assignment]
    client = Forger()
    client = client.answering(server.process(client.request()))
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(server.process, client.poll())
        assert inside.wait(20)
        second = threads.submit(server.process, client.poll())
        # Another client of the same server is not held up.
        ca.policy = None
        other = Forger()
        assert finish(server, other, server.process(other.request()))
        go_on.set()
        assert read(first.result()).kind == BodyType.IP
        # It came with the nonce of before, so it asks for the same answer.
        assert read(second.result()).certificate == read(first.result()).certificate
    assert len(ca.records) == 2
    assert finish(server, client, first.result())


def test_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osslcmp.server.steps.BUSY_TIMEOUT", 0.01)
    ca = EmbeddedCA({"ref": "secret"}, policy=waiting(1))
    server = ca.server()
    client = Forger()
    client = client.answering(server.process(client.request()))
    transaction = server.transactions.table.get(client.transaction_id or b"")
    assert transaction is not None
    with transaction.lock:
        answer = read(server.process(client.poll()))
    assert FailureInfo(answer.failure) == FailureInfo.systemUnavail
    assert read(server.process(client.poll())).kind == BodyType.IP
