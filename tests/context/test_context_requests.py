"""Certificate requests of a Context with a server in this process: what they return, raise and leave behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.inprocess import PROTECTIONS, Peer, execute, new_context, ready
from support.pki import PKI, make_key
from support.waiting import TYPES

import osslcmp
from osslcmp import (
    IR,
    BodyType,
    Context,
    FailureInfo,
    Option,
    PKIStatus,
    ffi,
    lib,
)

# -- the four certificate requests ----------------------------------------------------------------------


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("kind", TYPES)
def test_exec(kind: str, protection: str, pki: PKI, peer: Peer) -> None:
    """The new certificate, confirmed; C calling C."""
    context = peer.attach(ready(new_context(pki, protection), kind, pki))
    assert execute(context, kind) == pki.enrolled.certificate
    assert peer.calls == ["cert_request", "cert_conf"]
    assert context.status is PKIStatus.accepted
    assert context.new_cert == pki.enrolled.certificate
    assert context.fail_info == context.fail_info_code == FailureInfo(0)
    assert context.status_string == []
    assert context.snprint_pki_status() == "PKIStatus: accepted"


@pytest.mark.parametrize("kind", TYPES)
def test_exec_certreq(kind: str, pki: PKI, peer: Peer) -> None:
    """The general form takes the type, as a name or a number."""
    context = peer.attach(ready(new_context(pki), kind, pki))
    for req_type in (TYPES[kind], int(TYPES[kind])):
        context.reinit()
        assert context.exec_certreq(req_type) == pki.enrolled.certificate


@pytest.mark.parametrize("req_type", [BodyType.IP, BodyType.RR, BodyType.GENM, 99, "ir", None])
@pytest.mark.parametrize("method", ["exec_certreq", "try_certreq"])
def test_other_types(method: str, req_type: object, pki: PKI, peer: Peer) -> None:
    """What is no certificate request is refused before anything is sent."""
    context = peer.attach(new_context(pki))
    with pytest.raises(ValueError, match="req_type"):
        getattr(context, method)(req_type)
    assert peer.calls == []
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_results(pki: PKI, peer: Peer) -> None:
    """Everything that an answer can bring."""
    peer.script.ca_pubs = [pki.root.certificate]
    peer.script.status = PKIStatus.grantedWithMods
    peer.script.failure_info = FailureInfo.unacceptedPolicy | FailureInfo.badTime
    peer.script.text = "nearly: ä€𝄞"
    context = peer.attach(new_context(pki, "mac"))
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert context.status is PKIStatus.grantedWithMods
    assert context.fail_info == FailureInfo.unacceptedPolicy | FailureInfo.badTime
    assert context.status_string == ["nearly: ä€𝄞"]
    assert "nearly: ä€𝄞" in context.snprint_pki_status()
    assert context.ca_pubs == [pki.root.certificate]
    assert pki.issuing.certificate in context.extra_certs_in
    assert pki.issuing.certificate in context.new_chain
    if osslcmp.features["validated_server_certificate"]:
        assert context.validated_srv_cert is None


def test_results_of_a_signed_answer(pki: PKI, peer: Peer) -> None:
    """Where OpenSSL tells, whose signature it was."""
    context = peer.attach(new_context(pki))
    context.exec_ir_ses()
    assert pki.server.certificate in context.extra_certs_in
    assert pki.issuing.certificate in context.untrusted
    assert context.trusted_store == context.trusted == [pki.root.certificate]
    if osslcmp.features["validated_server_certificate"]:
        assert context.validated_srv_cert == pki.server.certificate


def test_before_anything(pki: PKI) -> None:
    """A new context has nothing to show."""
    context = Context()
    assert context.status is PKIStatus.unspecified
    assert context.fail_info == FailureInfo(0)
    assert context.new_cert is None
    assert context.new_pkey is None
    assert context.new_public_key is None
    assert context.check_after is None
    assert [context.new_chain, context.ca_pubs, context.extra_certs_in, context.status_string] == [[]] * 4
    assert [context.untrusted, context.trusted_store] == [[]] * 2
    assert not context.req_extensions_have_san()
    assert "no server" in repr(context)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("status", [2, 6])
def test_refused(kind: str, status: int, pki: PKI, peer: Peer) -> None:
    """Rejection, and keyUpdateWarning, which OpenSSL never takes: RejectedError with the whole answer."""
    peer.script.certificate, peer.script.chain = (None, ()) if status == 2 else (pki.enrolled.certificate, ())
    peer.script.status = status
    peer.script.failure_info = FailureInfo.badCertTemplate
    peer.script.text = "not that one"
    context = peer.attach(ready(new_context(pki), kind, pki))
    with pytest.raises(osslcmp.RejectedError, match="not that one") as caught:
        execute(context, kind)
    assert caught.value.status == status
    assert caught.value.failure_info == FailureInfo.badCertTemplate
    assert caught.value.text == "not that one"
    assert caught.value.errors
    assert context.status == status
    assert context.fail_info == FailureInfo.badCertTemplate
    assert context.status_string == ["not that one"]
    assert context.new_cert is None


def test_accepted_without_certificate(pki: PKI, peer: Peer) -> None:
    """Status accepted does not mean that there is a certificate."""
    peer.script.certificate = None
    peer.script.chain = ()
    context = peer.attach(new_context(pki))
    with pytest.raises(osslcmp.ResponseError, match="certificate not found"):
        context.exec_ir_ses()
    assert context.status is PKIStatus.accepted
    assert context.new_cert is None


def test_error_message(pki: PKI, peer: Peer) -> None:
    """What the server's library refuses comes as an error message."""
    context = peer.attach(new_context(pki, "mac"))
    context.set_secret_value(b"wrong")
    with pytest.raises(osslcmp.CMPError):
        context.exec_ir_ses()
    context.set_option(Option.UNPROTECTED_ERRORS, 1)
    context.reinit()
    with pytest.raises(osslcmp.RejectedError) as caught:
        context.exec_ir_ses()
    assert caught.value.status is PKIStatus.rejection
    assert caught.value.failure_info == FailureInfo.badRequest
    assert peer.calls == []


@pytest.mark.parametrize(
    "prepare",
    [
        lambda c, pki: c.set_cert(pki.client.certificate),
        lambda c, pki: c.set_secret_value(b"secret"),
        lambda c, pki: None,
    ],
)
def test_incomplete(prepare: Callable[..., None], pki: PKI, peer: Peer) -> None:
    """What is missing for a request is told, and nothing was sent."""
    context = peer.attach(Context())
    prepare(context, pki)
    with pytest.raises(osslcmp.RequestError) as caught:
        context.exec_ir_ses()
    assert caught.value.errors
    assert peer.calls == []


def test_certificate_for_another_key(pki: PKI, peer: Peer) -> None:
    """A certificate that is not for our key came: it is refused, and it is not lost."""
    context = peer.attach(new_context(pki))
    context.set_new_pkey(make_key())
    with pytest.raises(osslcmp.ConfirmError, match="does not match our enrollment key") as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert context.new_cert == pki.enrolled.certificate
    assert context.status < 0 or context.status is PKIStatus.rejection
    assert peer.calls == ["cert_request", "cert_conf"]


def test_confirmation_refused(pki: PKI, peer: Peer) -> None:
    """The server does not take the certConf: ConfirmError with the certificate and the refusal."""
    peer.script.confirms = False
    context = peer.attach(new_context(pki))
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert caught.value.rejected is caught.value.__cause__
    assert caught.value.rejected is not None
    assert caught.value.rejected.status is PKIStatus.rejection


@pytest.mark.parametrize("granted", [True, False])
def test_implicit_confirmation(granted: bool, pki: PKI, peer: Peer) -> None:
    """Asked for; the server decides."""
    assert lib.OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(peer.pointer, int(granted))
    context = peer.attach(new_context(pki))
    context.set_option(Option.IMPLICIT_CONFIRM, 1)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert ("cert_conf" in peer.calls) is not granted


def test_no_confirmation(pki: PKI, peer: Peer) -> None:
    """Against the protocol, none is sent."""
    context = peer.attach(new_context(pki))
    context.set_option(Option.DISABLE_CONFIRM, 1)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert peer.calls == ["cert_request"]


# -- reinit ---------------------------------------------------------------------------------------------


def test_reinit(pki: PKI, peer: Peer) -> None:
    """Clears the results, keeps who we are and whom we trust."""
    peer.script.ca_pubs = [pki.root.certificate]
    peer.script.text = "fine"
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.exec_ir_ses()
    context.reinit()
    assert context.status is PKIStatus.unspecified
    assert context.new_cert is None
    assert [context.new_chain, context.ca_pubs, context.extra_certs_in, context.status_string] == [[]] * 4
    if osslcmp.features["validated_server_certificate"]:
        assert context.validated_srv_cert is None
    assert context.trusted_store == [pki.root.certificate]
    assert pki.issuing.certificate in context.untrusted
    assert context.exec_ir_ses() == pki.enrolled.certificate
    ids = [osslcmp.Message.from_der(der).header.transaction_id for der in peer.requests]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_without_reinit(pki: PKI, peer: Peer) -> None:
    """As in C, the transactionID stays and the old certificate goes."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.exec_ir_ses()
    peer.script.certificate, peer.script.chain, peer.script.status = None, (), PKIStatus.rejection
    with pytest.raises(osslcmp.RejectedError):
        context.exec_ir_ses()
    assert context.new_cert is None
    ids = {osslcmp.Message.from_der(der).header.transaction_id for der in peer.requests}
    assert len(ids) == 1


def test_many_in_a_row(pki: PKI, peer: Peer) -> None:
    """All kinds after each other, good and bad, on one context."""
    context = peer.attach(new_context(pki))
    context.set_old_cert(pki.enrolled.certificate)
    context.set_p10_csr(pki.enrolled.csr())
    for kind in [*TYPES, "rr", "genm"] * 2:
        context.reinit()
        good = execute(context, kind)
        assert good in (pki.enrolled.certificate, None, [])
        context.reinit()
        context.set_subject_name("CN=other")
        peer.script.status = PKIStatus.rejection
        if kind != "genm":
            with pytest.raises(osslcmp.RejectedError):
                execute(context, kind)
        peer.script.status = PKIStatus.accepted


# -- ready CRMF messages --------------------------------------------------------------------------------


def test_crm(pki: PKI, peer: Peer) -> None:
    """A request message made before, by C or by us, goes out instead of a new one."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    crm = context.setup_crm()
    context.create_popo(crm)
    context.set_subject_name("CN=not in it")
    assert context.exec_certreq(IR, crm) == pki.enrolled.certificate
    assert b"not in it" not in peer.requests[0]


@pytest.mark.parametrize("crm", ["x", b"x", 1, object()])
def test_no_crm(crm: object, pki: PKI, peer: Peer) -> None:
    """Not one."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError, match="crm"):
        context.exec_certreq(IR, crm)
    assert peer.calls == []


def test_crm_of_another_c_type(pki: PKI, peer: Peer) -> None:
    """cffi refuses a pointer to something else."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError):
        context.exec_certreq(IR, ffi.new("int *"))
    assert context.exec_ir_ses() == pki.enrolled.certificate
