"""Our client and our server in one process: the server is the client's transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from support.pki import make_key, make_name

import osslcmp
from osslcmp import FailureInfo, InfoTypeAndValue, PKIStatus, RejectedError
from osslcmp.message import ErrorMessage
from osslcmp.server import Authority, EmbeddedCA, GeneralRequest, Rejected, Server, waiting

Clients = Callable[..., osslcmp.Client]


@pytest.fixture
def by_mac(server: Server) -> osslcmp.Client:
    return osslcmp.Client(transport=server, reference="ref", secret="secret")


@pytest.fixture
def by_signature(server: Server, ca: EmbeddedCA, by_mac: osslcmp.Client) -> osslcmp.Client:
    key = make_key()
    mine = by_mac.ir(key, subject=make_name("in process"))
    return osslcmp.Client(
        transport=server, certificate=mine.certificate, key=key, chain=[ca.issuer], trusted=[ca.root]
    )


@pytest.fixture(params=["by_mac", "by_signature"])
def client(request: pytest.FixtureRequest) -> osslcmp.Client:
    found: osslcmp.Client = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("method", ["ir", "cr"])
def test_enrollment(client: osslcmp.Client, ca: EmbeddedCA, method: str, kind: Any) -> None:
    key = make_key(kind)
    result = getattr(client, method)(key, subject=make_name("x"), sans=["a.example"])
    assert result.certificate.public_key() == key.public_key()
    assert result.status == PKIStatus.accepted
    record = ca.record(result.certificate)
    assert record is not None
    assert record.confirmed


def test_polling(client: osslcmp.Client, ca: EmbeddedCA) -> None:
    ca.policy = waiting(2, check_after=0)
    assert client.ir(make_key(), subject=make_name("x")).certificate


def test_update_and_revocation(by_signature: osslcmp.Client, ca: EmbeddedCA) -> None:
    new = by_signature.kur(make_key())
    assert new.certificate.subject == make_name("in process")
    by_signature.rr(new.certificate)
    record = ca.record(new.certificate)
    assert record is not None
    assert record.revoked is not None
    with pytest.raises(RejectedError) as caught:
        by_signature.rr(new.certificate)
    assert caught.value.failure_info == FailureInfo.certRevoked


def test_general_message(client: osslcmp.Client) -> None:
    crl = InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.6"))
    answers = client.genm([crl])
    assert [answer.oid for answer in answers] == [crl.oid]
    assert answers[0].value is not None
    assert x509.load_der_x509_crl(answers[0].value).issuer


def test_refusals(client: osslcmp.Client, ca: EmbeddedCA) -> None:
    ca.policy = lambda _: Rejected(FailureInfo.unacceptedPolicy | FailureInfo.badTime, "not today")
    with pytest.raises(RejectedError) as caught:
        client.ir(make_key(), subject=make_name("x"))
    assert caught.value.status == PKIStatus.rejection
    assert caught.value.failure_info == FailureInfo.unacceptedPolicy | FailureInfo.badTime
    assert caught.value.text == "not today"


def test_our_own_error_messages() -> None:
    """Those that libcrypto has no function for are for libcrypto as good as its own."""

    class Stubborn(Authority):
        def shared_secret(self, reference: bytes) -> bytes | None:
            return b"secret"

        def general(self, request: GeneralRequest) -> Rejected:
            return Rejected(FailureInfo.addInfoNotAvailable, "ask somebody else")

    client = osslcmp.Client(transport=Server(Stubborn()), reference="ref", secret="secret")
    with pytest.raises(RejectedError) as caught:
        client.genm([])
    assert caught.value.failure_info == FailureInfo.addInfoNotAvailable
    assert caught.value.text == "ask somebody else"


def test_answer_that_nothing_vouches_for(server: Server) -> None:
    """A server that knows no secret of ours says so with whatever it has: told, but as what it is."""
    client = osslcmp.Client(transport=server, reference="nobody", secret="x")
    for ask in (lambda: client.cr(make_key(), subject="CN=x"), lambda: client.genm([])):
        with pytest.raises(osslcmp.ProtectionError, match="unproven answer: rejection ") as caught:
            ask()
        assert caught.value.answer is not None


def test_answer_that_writes_to_the_terminal() -> None:
    """It may be anybody's."""

    class Painter(Authority):
        def shared_secret(self, reference: bytes) -> bytes | None:
            return b"theirs"

        def general(self, request: GeneralRequest) -> Rejected:
            return Rejected(FailureInfo.badRequest, "red \x1b[31m\r\n")

    server, theirs = Server(Painter()), osslcmp.Context()
    theirs.set_secret_value(b"theirs")
    theirs.set_reference_value("ref")
    answers: list[bytes] = []

    def carry(request: bytes) -> bytes:
        answers.append(server.process(request))
        return answers[-1]

    theirs.set_transfer_cb(carry)
    with pytest.raises(RejectedError):
        theirs.exec_genm_ses()
    context = osslcmp.Context()
    context.set_transfer_cb(lambda _: answers[-1])
    context.set_secret_value(b"ours")
    context.set_reference_value("ref")
    with pytest.raises(osslcmp.ProtectionError) as caught:
        context.exec_genm_ses()
    assert r"red \x1b[31m\r" in str(caught.value)
    assert str(caught.value).isprintable()
    context.set_transfer_cb(None)
    context.set_server("127.0.0.1")
    context.set_server_port(1)
    with pytest.raises(osslcmp.TransferError):
        context.exec_genm_ses()


def test_nothing_of_the_server_gets_into_the_client(server: Server) -> None:
    """Both share the thread and with it OpenSSL's error queue."""
    client = osslcmp.Client(transport=server, reference="ref", secret="wrong")
    with pytest.raises(osslcmp.ProtectionError) as caught:
        client.ir(make_key(), subject=make_name("x"))
    answer = caught.value.answer
    assert answer is not None
    assert isinstance(osslcmp.Message.from_der(answer).body, ErrorMessage)
    assert "unproven answer: rejection (badMessageCheck): wrong pbm value" in str(caught.value)
    # It is the server that finds the secret wrong; its signed answer is nothing for this client.
    assert "wrong pbm value" not in [entry.text for entry in caught.value.errors]
