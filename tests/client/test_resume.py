"""A request that waits outlives the process, the context and the connection that it was begun with."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support import pending
from support.clients import CERTIFICATE_REQUESTS, PROTECTIONS, certificate_request, client
from support.pending import damaged
from support.pki import PKI
from support.waiting import SECRET, TYPES, Site

import osslcmp
from osslcmp.client.dump import load
from osslcmp.server import Rejected


@pytest.mark.parametrize("keep_alive", [False, True])
@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_in_another_process(kind: str, protection: str, keep_alive: bool, site: Site) -> None:
    """Begun here, finished and confirmed there, which has the client's credentials but not the new key."""
    with site.server.serve() as running:
        cmp = site.client(protection, running.url, keep_alive=keep_alive)
        transaction = cmp.begin(TYPES[kind], **site.request(kind))
        transaction.poll()
        dump = transaction.dump()
        transaction.context.disconnect()
        site.released = True
        got = pending.in_another_process(
            dump,
            running.url,
            own_transport=kind == "cr",
            keep_alive=keep_alive,
            **site.credentials(protection),
        )
    assert got["certificate"].public_key() == site.new_key.public_key()
    record = site.ca.record(got["certificate"])
    assert record is not None
    assert record.confirmed
    assert got["chain"] == 1


@pytest.mark.peer
@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_at_the_mock_server(kind: str, protection: str, pki: PKI, mock_server: Any) -> None:
    """OpenSSL's own server does not notice either; without keep-alive, or it forgets."""
    server = mock_server(poll_count=3, check_after=0, grant_implicitconf=True)
    first = client(server.url, pki, protection, keep_alive=0)
    transaction = first.begin(TYPES[kind], **certificate_request(kind, pki), implicit_confirm=True)
    dump = transaction.dump()
    del transaction, first
    result = client(server.url, pki, protection, keep_alive=0).resume(dump).wait(20)
    assert result.certificate == pki.enrolled.certificate
    assert "error" not in server.log


def test_nothing_is_sent_by_resume(site: Site) -> None:
    """The kept messages are verified, and the next poll is the first to go out."""
    dump = site.begin().dump()
    sent: list[bytes] = []

    def transport(request: bytes) -> bytes:
        sent.append(request)
        return site.server(request)

    second = osslcmp.Client(transport=transport, reference="ref", secret=SECRET)
    transaction = second.resume(dump)
    assert not sent
    assert not transaction.done
    assert transaction.type is osslcmp.IR
    assert transaction.poll() is None
    message = osslcmp.Message.from_der(sent[0])
    assert message.type is osslcmp.BodyType.POLLREQ
    assert message.header.protection_alg is not None
    site.released = True
    assert transaction.poll() is not None
    assert len(sent) == 3  # and the certConf


def test_again_and_again(site: Site) -> None:
    """Each poll may be in another place."""
    dump = site.begin("cr", "signature").dump()
    polls = site.polls
    for _ in range(3):
        transaction = site.client("signature").resume(dump)
        assert transaction.poll() is None
        dump = transaction.dump()
    assert site.polls == polls + 3
    site.released = True
    assert site.client("signature").resume(dump).wait().certificate.subject.rfc4514_string() == "CN=new"


def test_no_poll_answered_yet(site: Site) -> None:
    """The connection breaks right after *waiting*: there is no pollRep to go on from, but it does go on."""
    broken = True

    def transport(request: bytes) -> bytes:
        if broken and osslcmp.Message.from_der(request).type is osslcmp.BodyType.POLLREQ:
            raise osslcmp.TransferError("gone")
        return site.server(request)

    cmp = osslcmp.Client(transport=transport, reference="ref", secret=SECRET)
    with pytest.raises(osslcmp.TransferError) as caught:
        cmp.begin(osslcmp.IR, key=site.new_key, subject="CN=new")
    begun = caught.value.transaction
    assert begun is not None
    assert not begun.done
    resumed = cmp.resume(begun.dump())
    for _ in range(2):
        with pytest.raises(osslcmp.TransferError):
            resumed.poll()
    assert resumed.dump() != b""
    broken = False
    assert resumed.poll() is None
    site.released = True
    assert resumed.wait().certificate.public_key() == site.new_key.public_key()


def test_lost_polls_do_not_end_it(site: Site) -> None:
    """A poll that does not arrive is made again; what was told before it is enough to go on."""
    transaction = site.begin("kur", "signature")
    context = transaction.context
    lost: list[bytes] = []

    def flaky(request: bytes) -> bytes:
        if len(lost) < 3:
            lost.append(request)
            raise ConnectionError("lost")
        return site.server(request)

    context.set_transfer_cb(flaky)
    for number in range(3):
        with pytest.raises(ConnectionError):
            transaction.poll()
        assert not transaction.done
        assert transaction.context.pending
        assert len(lost) == number + 1
    assert transaction.poll() is None
    site.released = True
    assert transaction.wait().certificate.public_key() == site.new_key.public_key()


def test_abort_after_a_lost_poll(site: Site) -> None:
    """Also then the server can be told."""
    transaction = site.begin()
    context = transaction.context

    def nobody(_request: bytes) -> bytes:
        raise ConnectionError("lost")

    context.set_transfer_cb(nobody)
    with pytest.raises(ConnectionError):
        transaction.poll()
    before = site.server.open_transactions
    context.set_transfer_cb(site.server)
    transaction.abort()
    assert site.server.open_transactions == before - 1


def test_abort_what_was_resumed(site: Site) -> None:
    """The server closes the transaction."""
    dump = site.begin("p10cr").dump()
    transaction = site.client().resume(dump)
    before = site.server.open_transactions
    transaction.abort()
    assert site.server.open_transactions == before - 1
    assert transaction.done


def test_refused_in_the_end(site: Site) -> None:
    """The answer can be a no there, too."""
    dump = site.begin().dump()
    site.released, site.refusal = True, Rejected(osslcmp.FailureInfo.notAuthorized, "no")
    with pytest.raises(osslcmp.RejectedError, match="no") as caught:
        site.client().resume(dump).wait()
    assert caught.value.failure_info is osslcmp.FailureInfo.notAuthorized


def test_when_it_is_due(site: Site) -> None:
    """What is left of the server's checkAfter is told, and waited for."""
    site.check_after = 3600
    transaction = site.begin()
    dump = transaction.dump()
    resumed = site.client().resume(dump)
    assert resumed.check_after is not None
    assert 3590 < resumed.check_after <= 3600
    assert resumed.elapsed >= 0
    whole = json.loads(dump)["transaction"]
    assert abs(whole["due"] - time.time() - 3600) < 60
    later = damaged(dump, due=whole["due"] - 7200, begun=whole["begun"] - 7200)
    resumed = site.client().resume(later)
    assert resumed.check_after == 0
    assert resumed.elapsed >= 7200
    with pytest.raises(osslcmp.TransferTimeout) as caught:
        site.client().resume(dump).wait(0.5)
    assert isinstance(caught.value.transaction, osslcmp.Transaction)
    assert not caught.value.transaction.done


def test_timeout_leaves_something_to_dump(site: Site) -> None:
    """A call that runs out of time hands over what to go on with."""
    site.check_after = 1
    with pytest.raises(osslcmp.TransferTimeout) as caught:
        site.client(total_timeout=0.5).ir(site.new_key, subject="CN=new")
    transaction = caught.value.transaction
    assert transaction is not None
    dump = transaction.dump()
    site.released = True
    assert site.client().resume(dump).wait().certificate.public_key() == site.new_key.public_key()


# -- the new key and conditions for the certificate --------------------------------------------------------


def test_key_is_checked(site: Site) -> None:
    """The key need not be given, but if it is, it must be the one."""
    dump = site.begin().dump()
    with pytest.raises(ValueError, match=r"^key: "):
        site.client().resume(dump, key=ec.generate_private_key(ec.SECP256R1()))
    site.released = True
    assert site.client().resume(dump, key=site.new_key).wait().certificate


def test_certificate_for_another_key(site: Site) -> None:
    """OpenSSL refuses a certificate that is not for the key that was asked for: the dump knows which."""
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    dump = site.begin().dump()
    assert load(dump).public_key == site.new_key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    info = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    site.released = True
    changed = damaged(dump, public_key=base64.b64encode(info).decode())
    with pytest.raises(osslcmp.ConfirmError) as caught:
        site.client().resume(changed).wait()
    assert caught.value.enrollment.certificate.public_key() == site.new_key.public_key()


def test_conditions_must_be_given_again(site: Site) -> None:
    """A check of the new certificate does not vanish on the way."""
    asked = []

    def confirm(certificate: x509.Certificate, _found: osslcmp.FailureInfo) -> None:
        asked.append(certificate)

    dump = site.begin(confirm=confirm).dump()
    with pytest.raises(ValueError, match=r"^confirm: "):
        site.client().resume(dump)
    resumed = site.client().resume(dump, confirm=confirm)
    assert not asked
    site.released = True
    assert asked == [resumed.wait().certificate]
    site.released = False
    dump = site.begin(confirm_trusted=site.ca.root).dump()
    site.released = True
    with pytest.raises(osslcmp.ConfirmError):
        site.client().resume(dump, confirm=lambda *_: "not this one").wait()


def test_disabled_confirmation_stays_so(site: Site) -> None:
    """What was decided about the confirmation counts there."""
    dump = site.begin(disable_confirm=True).dump()
    site.released = True
    result = site.client().resume(dump).wait()
    record = site.ca.record(result.certificate)
    assert record is not None
    assert not record.confirmed


def test_request_by_a_csr_without_its_key(site: Site) -> None:
    """An RA's request: public key only."""
    csr = site.request("p10cr")["csr"]
    server = site.ca.server(accept_raverified=True)
    cmp = osslcmp.Client(transport=server, reference="ref", secret=SECRET)
    dump = cmp.begin("ir", csr=csr, popo=osslcmp.POPOMethod.RAVERIFIED).dump()
    site.released = True
    assert cmp.resume(dump).wait().certificate.public_key() == site.new_key.public_key()
