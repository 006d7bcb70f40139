"""Answers that break one rule of RFC 9483 each, and what our client makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp import Client
from osslcmp.testing import (
    Fault,
    no_certificate,
    no_message_time,
    no_recip_nonce,
    no_sender_nonce,
    old_message_time,
    several_responses,
    unprotected,
    wrong_body,
    wrong_nonce,
    wrong_pvno,
    wrong_sender,
    wrong_transaction_id,
)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(params=["mac", "signature"])
def client(request: pytest.FixtureRequest, cmp_server: Any, cmp_client: Client) -> Client:
    """With either protection."""
    if request.param == "mac":
        return Client(
            cmp_server.url,
            reference=cmp_server.reference,
            secret=cmp_server.secret,
            expected_sender=cmp_server.server.certificate.subject,
        )
    key = new_key()
    got = cmp_client.ir(key, subject="CN=x")
    cmp_server.clear()
    return Client(
        cmp_server.url, certificate=got.certificate, key=key, chain=got.chain, trusted=cmp_server.root
    )


#: What the exception is, in answer to a request and to its certConf, and its words.
REFUSED: dict[str, tuple[Fault, type[Exception], str]] = {
    "wrong recipNonce": (wrong_nonce(), osslcmp.ResponseError, "recipnonce"),
    "no recipNonce": (no_recip_nonce(), osslcmp.ResponseError, "recipnonce"),
    "wrong transactionID": (wrong_transaction_id(), osslcmp.ResponseError, "transactionid"),
    "no protection": (unprotected(), osslcmp.ProtectionError, "protection"),
    "pvno 1": (wrong_pvno(), osslcmp.ResponseError, "pvno"),
    "pvno 9": (wrong_pvno(9), osslcmp.ResponseError, "pvno"),
    "another body": (wrong_body(), osslcmp.ResponseError, "pkibody"),
    "wrong sender": (wrong_sender(), osslcmp.ProtectionError, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, client: Client, cmp_server: Any) -> None:
    """Nothing in such an answer counts."""
    fault, kind, words = REFUSED[name]
    cmp_server.script(cr=fault)
    with pytest.raises(kind) as caught:
        client.cr(new_key(), subject="CN=x")
    assert words in str(caught.value).lower()
    assert cmp_server.script_left == 0
    if name != "another body":
        cmp_server.script(genm=fault)
        with pytest.raises(kind):
            client.genm()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_confirmation(name: str, client: Client, cmp_server: Any) -> None:
    """The certificate is there, but nobody knows whether it counts."""
    fault, kind, _ = REFUSED[name]
    cmp_server.script(certconf=fault)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client.cr(new_key(), subject="CN=x")
    assert caught.value.enrollment.certificate.subject.rfc4514_string() == "CN=x"
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    ("fault", "words"),
    [(several_responses(), "multiple responses"), (no_certificate(), "certificate not found")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_odd_bodies(fault: Fault, words: str, client: Client, cmp_server: Any) -> None:
    cmp_server.script(fault)
    with pytest.raises(osslcmp.ResponseError) as caught:
        client.cr(new_key(), subject="CN=x")
    assert words in str(caught.value)


@pytest.mark.parametrize("fault", [old_message_time(), no_message_time()], ids=lambda fault: fault.name)
def test_time(fault: Fault, client: Client, cmp_server: Any) -> None:
    """OpenSSL's client looks at no clock."""
    cmp_server.script(fault, fault)
    assert client.cr(new_key(), subject="CN=x").certificate


def test_no_sender_nonce(client: Client, cmp_server: Any) -> None:
    """OpenSSL's client goes on, and what it then sends cannot be an answer: the server refuses it."""
    cmp_server.script(no_sender_nonce())
    with pytest.raises(osslcmp.ConfirmError):
        client.cr(new_key(), subject="CN=x")
