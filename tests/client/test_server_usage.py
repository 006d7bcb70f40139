"""Who may answer as the server: any certificate below the anchor, one for CMP, one of a name, one alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from support.clients import certificate_request, client
from support.inprocess import Peer, new_context
from support.pki import PKI, Identity
from support.rogue import signed_by

import osslcmp
from osslcmp import AsyncClient, Client, Context, Option
from osslcmp._openssl import convert
from osslcmp._openssl.errorqueue import clear
from osslcmp.context.server_usage import ServerUsage

CMC_CA, CMC_RA, CMC_ARCHIVE = "1.3.6.1.5.5.7.3.27", "1.3.6.1.5.5.7.3.28", "1.3.6.1.5.5.7.3.29"
KGA, ANY = "1.3.6.1.5.5.7.3.32", "2.5.29.37.0"
TLS_SERVER, TLS_CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


@pytest.fixture(scope="module")
def signers(pki: PKI) -> dict[str, Identity]:
    """Servers of all kinds, below the same issuing CA."""
    return {
        "plain": pki.issue("plain signer", pki.issuing),
        "tls": pki.issue("tls signer", pki.issuing, purposes=[TLS_SERVER, TLS_CLIENT]),
        "device": pki.issue("device signer", pki.issuing, purposes=[TLS_CLIENT]),
        "ra": pki.issue("ra signer", pki.issuing, purposes=[CMC_RA]),
        "ca purpose": pki.issue("cmcCA signer", pki.issuing, purposes=[CMC_CA]),
        "archive": pki.issue("archive signer", pki.issuing, purposes=[CMC_ARCHIVE]),
        "both": pki.issue("tls and ra signer", pki.issuing, purposes=[TLS_SERVER, CMC_RA]),
        "key maker": pki.issue("key maker signer", pki.issuing, purposes=[KGA]),
        "any": pki.issue("any signer", pki.issuing, purposes=[ANY]),
        "ca": pki.issue("ca signer", pki.root, ca=True),
        "ca for tls": pki.issue("ca for tls signer", pki.root, ca=True, purposes=[TLS_SERVER]),
    }


#: What may answer, for each condition.
TABLE: dict[str, tuple[Any, set[str]]] = {
    "none": (None, {"*"}),
    "default": ("permitted", {"plain", "ra", "ca purpose", "both", "key maker", "any", "ca", "ca for tls"}),
    "RA": ("cmcRA", {"ra", "both"}),
    "CMP": (["cmcCA", "cmcRA"], {"ra", "both", "ca purpose"}),
    "CMP or CA": (["cmcCA", "cmcRA", "CA"], {"ra", "both", "ca purpose", "ca", "ca for tls"}),
    "CA": ("CA", {"ca", "ca for tls"}),
    "dotted": (TLS_SERVER, {"tls", "both", "ca for tls"}),
    "object": (x509.ObjectIdentifier(CMC_ARCHIVE), {"archive"}),
    "objects": ((x509.ObjectIdentifier(CMC_ARCHIVE), "cmcRA"), {"archive", "ra", "both"}),
}
ALL = [
    "plain",
    "tls",
    "device",
    "ra",
    "ca purpose",
    "archive",
    "both",
    "key maker",
    "any",
    "ca",
    "ca for tls",
]


def signing(peer: Peer, pki: PKI, **options: Any) -> Client:
    """A client that signs, below the same root; the CA's own certificate has no digitalSignature problem."""
    return Client(
        transport=peer,
        certificate=pki.enrolled.certificate,
        key=pki.enrolled.key,
        trusted=pki.root.certificate,
        untrusted=[pki.issuing.certificate],
        **options,
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("condition", TABLE)
def test_table(condition: str, name: str, pki: PKI, signers: dict[str, Identity]) -> None:
    """Each signer under each condition: believed, or nothing of it is."""
    usage, accepted = TABLE[condition]
    peer = Peer(pki, identity=signers[name], secret=None)
    seen: list[x509.Certificate] = []
    cmp = signing(peer, pki, server_usage=usage)

    def confirm(certificate: x509.Certificate, _found: osslcmp.FailureInfo) -> None:
        seen.append(certificate)

    if name in accepted or "*" in accepted:
        assert cmp.ir(**certificate_request("ir", pki), confirm=confirm).certificate in seen
        return
    with pytest.raises(osslcmp.ProtectionError, match="no suitable sender cert") as caught:
        cmp.ir(**certificate_request("ir", pki), confirm=confirm)
    assert not seen
    assert "cert_conf" not in peer.calls
    assert f"CN={signers[name].name}" in str(caught.value)
    assert "see server_usage" in str(caught.value)


@pytest.mark.parametrize("name", ["tls", "ra", "plain"])
@pytest.mark.parametrize("kind", ["rr", "genm", "kur", "p10cr"])
def test_every_request(kind: str, name: str, pki: PKI, signers: dict[str, Identity]) -> None:
    """The default counts for each kind of request."""
    peer = Peer(pki, identity=signers[name], secret=None)
    cmp = signing(peer, pki)
    ask: Callable[[], object] = {
        "rr": lambda: cmp.rr(pki.enrolled.certificate),
        "genm": lambda: cmp.genm([]),
        "kur": lambda: cmp.kur(**certificate_request("kur", pki)),
        "p10cr": lambda: cmp.p10cr(**certificate_request("p10cr", pki)),
    }[kind]
    if name == "tls":
        with pytest.raises(osslcmp.ProtectionError, match="is for clientAuth, serverAuth: see server_usage"):
            ask()
    else:
        ask()


def test_nothing_of_it_is_kept(pki: PKI, signers: dict[str, Identity]) -> None:
    """caPubs and the certificate of a server that may not be one are not there."""
    peer = Peer(pki, identity=signers["tls"], secret=None)
    peer.script.ca_pubs = [pki.root.certificate]
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_server_usage("permitted")
    with pytest.raises(osslcmp.ProtectionError):
        context.exec_ir_ses()
    assert context.ca_pubs == []
    assert context.new_cert is None


def test_later_messages_too(pki: PKI, signers: dict[str, Identity]) -> None:
    """The answer to a poll and that to the confirmation are signed by another: it is asked each time."""
    good = Peer(pki, identity=signers["ra"], secret=None)
    impostor = pki.issue("impostor", pki.issuing, subject=signers["ra"].subject, purposes=[TLS_CLIENT])
    count = 0

    def transport(request: bytes) -> bytes:
        nonlocal count
        count += 1
        answer = good(request)
        return answer if count < 2 else signed_by(impostor)(answer)

    cmp = client(None, pki, transport=transport, untrusted=[pki.issuing.certificate], recipient=None)
    with pytest.raises(osslcmp.ConfirmError, match="see server_usage"):
        cmp.ir(**certificate_request("ir", pki))


def test_asyncio_and_resume(pki: PKI, signers: dict[str, Identity]) -> None:
    """AsyncClient and a resumed transaction ask the same."""
    peer = Peer(pki, identity=signers["plain"], secret=None)
    peer.script.waits, peer.script.check_after = 5, 1
    dump = signing(peer, pki).begin("ir", **certificate_request("ir", pki)).dump()
    with pytest.raises(osslcmp.ProtectionError, match="has no extended key usage: see server_usage"):
        signing(peer, pki, server_usage="cmcRA").resume(dump)
    assert not signing(peer, pki, server_usage=None).resume(dump).done

    async def ask() -> None:
        peer = Peer(pki, identity=signers["tls"], secret=None)
        options = {
            "certificate": pki.enrolled.certificate,
            "key": pki.enrolled.key,
            "trusted": pki.root.certificate,
            "untrusted": pki.issuing.certificate,
        }
        async with AsyncClient(transport=peer, **options) as cmp:  # type: ignore[arg-type]
            with pytest.raises(osslcmp.ProtectionError, match="see server_usage"):
                await cmp.ir(**certificate_request("ir", pki))
        async with AsyncClient(transport=peer, server_usage=None, **options) as cmp:  # type: ignore[arg-type]
            assert await cmp.genm([]) == []

    asyncio.run(ask())


def test_an_anchor_itself(pki: PKI) -> None:
    """A certificate that is trusted as such may be for TLS: by default, not if a purpose is asked for."""
    own = pki.issue("self-signed tls", purposes=[TLS_SERVER])
    peer = Peer(pki, identity=own, secret=None)
    cmp = client(None, pki, transport=peer, trusted=[own.certificate, pki.root.certificate], recipient=None)
    assert cmp.ir(**certificate_request("ir", pki))
    strict = client(
        None,
        pki,
        transport=peer,
        trusted=[own.certificate, pki.root.certificate],
        recipient=None,
        server_usage="cmcRA",
    )
    with pytest.raises(osslcmp.ProtectionError, match="see server_usage"):
        strict.ir(**certificate_request("ir", pki))


def test_pinned_and_secret(pki: PKI, signers: dict[str, Identity]) -> None:
    """A pinned certificate and a MAC prove the server without it."""
    peer = Peer(pki, identity=signers["tls"], secret=None)
    cmp = signing(peer, pki, server_usage="cmcRA", server_certificate=signers["tls"].certificate)
    assert cmp.ir(**certificate_request("ir", pki))
    peer = Peer(pki, identity=signers["tls"])
    cmp = client(
        None, pki, "mac", transport=peer, trusted=pki.root.certificate, server_usage="cmcRA", recipient=None
    )
    assert cmp.ir(**certificate_request("ir", pki))


def test_expected_sender(pki: PKI, signers: dict[str, Identity]) -> None:
    """The name counts besides."""
    peer = Peer(pki, identity=signers["ra"], secret=None)
    assert signing(peer, pki, server_usage="cmcRA", expected_sender=signers["ra"].subject).genm([]) == []
    with pytest.raises(osslcmp.ProtectionError, match="unexpected sender"):
        signing(peer, pki, server_usage="cmcRA", expected_sender="CN=other").genm([])


def test_context_is_as_openssl(pki: PKI, signers: dict[str, Identity]) -> None:
    """Off unless set, before or after the trust store; and off again."""
    peer = Peer(pki, identity=signers["tls"], secret=None)
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    for usage, fine in (("cmcRA", False), (None, True), ("permitted", False), (TLS_SERVER, True)):
        context.reinit()
        context.set_server_usage(usage)
        if fine:
            assert context.exec_ir_ses() == pki.enrolled.certificate
        else:
            with pytest.raises(osslcmp.ProtectionError):
                context.exec_ir_ses()
    context = Context()
    context.set_server_usage("cmcRA")
    context.set_trusted_store([pki.root.certificate])
    assert context.trusted_store == [pki.root.certificate]


def test_wrong_arguments(pki: PKI) -> None:
    """Said at once."""
    for usage in ("cmcXY", "", "1.2.3.x", [], ["cmcRA", "nonsense"]):
        with pytest.raises(ValueError, match="server_usage"):
            client(None, pki, transport=bytes, server_usage=usage)
    for wrong in (5, [5], [b"cmcRA"]):
        with pytest.raises(TypeError):
            client(None, pki, transport=bytes, server_usage=wrong)


def test_3gpp(pki: PKI) -> None:
    """The option that trusts whoever answers does not go with it."""
    context = Context()
    context.set_server_usage("permitted")
    with pytest.raises((ValueError, osslcmp.UnsupportedError)):
        context.set_option(Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR, 1)
    assert pki


def test_a_purpose_that_cannot_be_read(pki: PKI) -> None:
    """Malformed is not permitted."""
    for value in (b"", b"\x05\x00", b"\x30\x03\x06\x01\x80", b"\x30\x00"):
        handle = convert.cert_to_c(_with_purpose(pki, value))
        usage = ServerUsage.of("permitted")
        assert usage is not None
        assert usage.refusal(handle, 2) is not None
        clear()


def _with_purpose(pki: PKI, value: bytes) -> x509.Certificate:
    template = pki.server.certificate
    builder = x509.CertificateBuilder(
        issuer_name=template.issuer,
        subject_name=x509.Name.from_rfc4514_string("CN=odd"),
        public_key=template.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=template.not_valid_before_utc,
        not_valid_after=template.not_valid_after_utc,
        extensions=list(template.extensions),
    )
    oid = x509.ObjectIdentifier("2.5.29.37")
    builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(pki.issuing.key, hashes.SHA256())
