"""Who a Context says it is and whom it trusts: certificates, identifiers, protection in its requests."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.inprocess import Peer, new_context, sent
from support.pki import PKI

import osslcmp
from osslcmp import Context, Option


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_pinned_server(pki: PKI, peer: Peer) -> None:
    """Without any trust anchor; the same certificate only."""
    context = peer.attach(new_context(pki))
    context.set_trusted_store(None)
    assert context.trusted_store == []
    context.set_srv_cert(pki.server.certificate)
    context.exec_ir_ses()
    context.reinit()
    context.set_srv_cert(pki.second_server.certificate)
    with pytest.raises(osslcmp.ProtectionError):
        context.exec_ir_ses()
    context.reinit()
    context.set_srv_cert(None)
    context.set_trusted([pki.root.certificate])
    context.exec_ir_ses()


def test_trust_withdrawn(pki: PKI, peer: Peer) -> None:
    """Another trust store replaces the first."""
    context = peer.attach(new_context(pki))
    context.exec_ir_ses()
    context.reinit()
    context.set_trusted_store([pki.other_root.certificate])
    assert context.trusted_store == [pki.other_root.certificate]
    with pytest.raises(osslcmp.ProtectionError):
        context.exec_ir_ses()


def test_extra_certs(pki: PKI, peer: Peer) -> None:
    """Sent besides our own chain."""
    context = new_context(pki)
    context.set_extra_certs_out([pki.second_server.certificate])
    request = sent(context, peer)
    assert der(pki.second_server.certificate) in request
    context.reinit()
    context.set_extra_certs_out([])
    context.exec_ir_ses()
    assert der(pki.second_server.certificate) not in peer.requests[-1]


def test_own_chain(pki: PKI, peer: Peer) -> None:
    """Built from candidates, and then sent along."""
    context = new_context(pki)
    context.set_untrusted([])
    context.build_cert_chain(None, [pki.issuing.certificate])
    assert der(pki.issuing.certificate) in sent(context, peer)


@pytest.mark.parametrize("before", [False, True])
def test_no_untrusted_certificates(before: bool, pki: PKI, peer: Peer) -> None:
    """An empty list empties it; certificates of answers still come to it."""
    context = peer.attach(new_context(pki))
    if before:
        context.set_untrusted([pki.issuing.certificate, pki.other_root.certificate])
    context.set_untrusted([])
    assert context.untrusted == []
    context.exec_ir_ses()
    assert context.untrusted


def test_own_chain_to_an_anchor(pki: PKI) -> None:
    """It must end where it is told to."""
    context = new_context(pki)
    context.build_cert_chain([pki.root.certificate], [pki.issuing.certificate])
    with pytest.raises(osslcmp.OpenSSLError):
        context.build_cert_chain([pki.other_root.certificate], [pki.issuing.certificate])


@pytest.mark.parametrize("identifier", [b"0123456789abcdef", b"x", bytes(64)])
def test_transaction_id(identifier: bytes, pki: PKI, peer: Peer) -> None:
    """Ours, or a random one."""
    context = new_context(pki)
    context.set_transaction_id(identifier)
    assert osslcmp.Message.from_der(sent(context, peer)).header.transaction_id == identifier
    context.reinit()
    context.set_transaction_id(identifier)
    context.set_transaction_id(None)
    context.exec_ir_ses()
    assert osslcmp.Message.from_der(peer.requests[-1]).header.transaction_id != identifier


def test_sender_nonce(pki: PKI, peer: Peer) -> None:
    """What is set while an answer is on its way is what the answer must carry."""
    context = new_context(pki)

    def forget_the_nonce(request: bytes) -> bytes:
        answer = peer(request)
        context.set_sender_nonce(b"another one 1234")
        return answer

    context.set_transfer_cb(forget_the_nonce)
    with pytest.raises(osslcmp.ResponseError, match="nonce"):
        context.exec_ir_ses()


@pytest.mark.parametrize("value", [b"ref", "ref", bytearray(b"ref")])
def test_reference(value: Any, pki: PKI, peer: Peer) -> None:
    """It is the senderKID."""
    context = new_context(pki, "mac")
    context.set_reference_value(value)
    assert osslcmp.Message.from_der(sent(context, peer)).header.sender_kid == b"ref"


@pytest.mark.parametrize("value", [b"secret", "secret", bytearray(b"secret"), "gehäim", b"\xff\x00\xfe"])
def test_secret(value: Any, pki: PKI) -> None:
    """Bytes as they are, text as UTF-8; it stands in no message."""
    raw = value.encode() if isinstance(value, str) else bytes(value)
    peer = Peer(pki, secret=raw)
    context = new_context(pki, "mac")
    context.set_secret_value(value)
    request = sent(context, peer)
    assert raw not in request or len(raw) < 4
    assert repr(raw) not in repr(vars(context))


def test_digest(pki: PKI, peer: Peer) -> None:
    """The hash of our signatures."""
    context = new_context(pki)
    context.set_option(Option.DIGEST_ALGNID, osslcmp.lib.NID_sha384)
    ecdsa_with_sha384 = bytes.fromhex("06082a8648ce3d040303")
    assert ecdsa_with_sha384 in sent(context, peer)


def test_mac_algorithms(pki: PKI, peer: Peer) -> None:
    """Hash and MAC of password-based protection."""
    context = new_context(pki, "mac")
    context.set_option(Option.OWF_ALGNID, osslcmp.lib.NID_sha512)
    context.set_option(Option.MAC_ALGNID, osslcmp.lib.NID_hmacWithSHA256)
    pbm = osslcmp.Message.from_der(sent(context, peer)).header.pbm
    assert pbm is not None
    assert "2.16.840.1.101.3.4.2.3" in str(pbm)
    assert "1.2.840.113549.2.9" in str(pbm)


def test_unprotected(pki: PKI, peer: Peer) -> None:
    """Nothing is protected, and the server does not like it."""
    context = new_context(pki)
    context.set_option(Option.UNPROTECTED_SEND, 1)
    context.set_transfer_cb(peer)
    with pytest.raises(osslcmp.RejectedError):
        context.exec_ir_ses()
    assert osslcmp.Message.from_der(peer.requests[0]).protection is None


def test_key_usage(pki: PKI) -> None:
    """A server whose key may not sign, unless that is ignored."""
    peer = Peer(pki, identity=pki.unusable_server)
    context = new_context(pki)
    context.set_transfer_cb(peer)
    with pytest.raises(osslcmp.ProtectionError):
        context.exec_ir_ses()
    context.set_option(Option.IGNORE_KEYUSAGE, 1)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_libctx_and_propq() -> None:
    """The default library context is NULL, without a property query."""
    if osslcmp.features["libctx"]:
        assert Context().propq is None
        assert Context().libctx == osslcmp.ffi.NULL
