"""What the failures and senseless answers of an authority become."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from support.authorities import Odd, Scripted, confirm
from support.forge import IMPLICIT_CONFIRM, Forger, read, sequence
from support.pki import PKI

from osslcmp import BodyType, FailureInfo, InfoTypeAndValue, PKIStatus
from osslcmp.server import (
    CertificateRequest,
    Confirmation,
    EmbeddedCA,
    ErrorNotice,
    GeneralRequest,
    Issued,
    Message,
    RevocationRequest,
    Revoked,
    Server,
    Waiting,
)

NAME = x509.Name.from_rfc4514_string("CN=somebody")


SECRET_TEXT = "password of the database is hunter2"


def failed(response: bytes) -> None:
    """The client learns that something went wrong, and nothing else."""
    answer = read(response)
    assert answer.status == PKIStatus.rejection
    assert FailureInfo(answer.failure) == FailureInfo.systemFailure
    assert b"hunter2" not in response
    assert answer.raw.protected


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError(SECRET_TEXT),
        KeyError(SECRET_TEXT),
        SECRET_TEXT,
        None,
        Revoked(),
    ],
)
def test_issue_fails(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(Scripted(issue=answer))
    with caplog.at_level(logging.ERROR, "osslcmp.server"):
        failed(server.process(Forger().request()))
    assert caplog.records
    assert server.open_transactions == 0


def test_traceback_for_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "osslcmp.server"):
        failed(Server(Scripted(issue=RuntimeError(SECRET_TEXT))).process(Forger().request()))
    assert "RuntimeError: " + SECRET_TEXT in caplog.text
    assert "Traceback" in caplog.text


def test_certificate_with_wrong_status(pki: PKI) -> None:
    for status in (PKIStatus.rejection, PKIStatus.waiting, PKIStatus.keyUpdateWarning):
        failed(
            Server(Scripted(issue=Issued(pki.client.certificate, status=status))).process(Forger().request())
        )


@pytest.mark.parametrize("answer", [RuntimeError(SECRET_TEXT), None, True])
def test_revoke_fails(answer: object) -> None:
    failed(Server(Scripted(revoke=answer), strictness="rfc9810").process(Forger().rr(NAME, 5)))


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError(SECRET_TEXT),
        None,
        ["no info"],
        [InfoTypeAndValue(x509.ObjectIdentifier("1.2.3"), b"no DER")],
        [InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17"), b"\x04\x01a")],
    ],
)
def test_general_fails(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(Scripted(general=answer))
    if isinstance(answer, list) and answer[-1] != "no info" and answer[0].value == b"\x04\x01a":
        # Only an OpenSSL that knows caCerts can tell that this is none.
        response = server.process(Forger().genm())
        if read(response).kind == BodyType.GENP:
            return
        failed(response)
    else:
        failed(server.process(Forger().genm()))
    assert caplog.records


def test_confirm_fails() -> None:
    ca = EmbeddedCA()
    server = Server(Scripted(issue=ca.issue, confirm=RuntimeError(SECRET_TEXT)))
    client = Forger()
    response = server.process(client.request())
    failed(server.process(confirm(client, response)))
    assert server.open_transactions == 0


def test_implicit_confirm_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is made by then, and goes out."""
    ca = EmbeddedCA()
    server = Server(Scripted(issue=ca.issue, confirm=RuntimeError(SECRET_TEXT)))
    assert read(server.process(Forger(info=(IMPLICIT_CONFIRM,)).request())).status == PKIStatus.accepted
    assert SECRET_TEXT in caplog.text


def test_error_fails() -> None:
    server = Server(Scripted(issue=Waiting(1), error=RuntimeError(SECRET_TEXT)))
    client = Forger()
    client = client.answering(server.process(client.request()))
    failed(server.process(client.error()))
    assert server.open_transactions == 0


def test_poll_fails() -> None:
    def decide(request: CertificateRequest) -> Any:
        if request.polls:
            raise RuntimeError(SECRET_TEXT)
        return Waiting(1)

    server = Server(Scripted(issue=decide))
    client = Forger()
    client = client.answering(server.process(client.request()))
    failed(server.process(client.poll()))


@pytest.mark.parametrize("answer", [RuntimeError(SECRET_TEXT), None, b""])
def test_no_secret(answer: object) -> None:
    """No secret, no protection: the server cannot do better here, having no certificate either."""
    response = Server(Scripted(shared_secret=answer)).process(Forger().request())
    assert read(response).kind == BodyType.ERROR
    assert b"hunter2" not in response


@pytest.mark.parametrize("method", ["issue", "revoke", "general"])
def test_interrupt(method: str) -> None:
    """What is not an Exception is not for the client but for the caller."""
    server = Server(Scripted(**{method: KeyboardInterrupt()}), strictness="rfc9810")
    message = {"issue": Forger().request(), "revoke": Forger().rr(NAME, 5), "general": Forger().genm()}[
        method
    ]
    with pytest.raises(KeyboardInterrupt):
        server.process(message)
    assert server.open_transactions == 0


def test_what_is_not_written_is_refused() -> None:
    server = Server(Odd())
    assert read(server.process(Forger().request())).status == PKIStatus.rejection
    assert read(server.process(Forger().rr(NAME, 5))).status == PKIStatus.rejection
    assert read(server.process(Forger().genm())).raw.body == sequence()


def test_wrong_arguments(pki: PKI) -> None:
    with pytest.raises(ValueError, match="go together"):
        Server(Odd(), certificate=pki.server.certificate)
    with pytest.raises(ValueError, match="does not match"):
        Server(Odd(), certificate=pki.server.certificate, key=pki.client.key)
    for name in ("max_message_size", "max_transactions", "transaction_timeout"):
        limits: Any = {name: 0}
        with pytest.raises(ValueError, match="positive"):
            Server(Odd(), **limits)


def test_files_and_bytes(pki: PKI) -> None:
    """Credentials come as what people have."""
    server = Server(
        Odd(),
        certificate=pki.server.cert_file,
        key=pki.server.key_file.read_bytes(),
        chain=pki.server.chain_file,
        trusted=[pki.root.cert_file],
    )
    assert server.certificate == pki.server.certificate
    assert server.trusted == (pki.root.certificate,)


def test_encrypted_key(pki: PKI) -> None:
    """The password is asked for when it is needed; a key behind a URI stays where it is."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    pem = pki.server.key.private_bytes(*form)
    server = Server(Odd(), certificate=pki.server.certificate, key=pem, key_password=lambda: "hunter2")
    assert read(server.process(Forger(protected=False).request())).raw.protected
    with pytest.raises(ValueError, match="password"):
        Server(Odd(), certificate=pki.server.certificate, key=pem)
    uri = pki.server.key_file.as_uri()
    server = Server(Odd(), certificate=pki.server.certificate, key=uri)
    assert read(server.process(Forger(protected=False).request())).raw.protected


def test_message_is_the_common_part() -> None:
    for kind in (CertificateRequest, RevocationRequest, GeneralRequest, Confirmation, ErrorNotice):
        assert issubclass(kind, Message)
