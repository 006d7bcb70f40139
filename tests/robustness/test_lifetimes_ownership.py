"""Who frees what is handed to C: taken over, copied or shared, and what becomes of it on failure."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.inprocess import Peer, new_context, queued
from support.pki import PKI, make_key

import osslcmp
from osslcmp import Context, InfoTypeAndValue, ffi, lib
from osslcmp._openssl import convert, ownership
from osslcmp.context import crmf
from osslcmp.context.calls import Calls

NULL = ffi.NULL
OID = x509.ObjectIdentifier("1.2.3.4")
ITAV = InfoTypeAndValue(OID, b"\x04\x01x")
EXTENSION = x509.Extension(x509.BasicConstraints.oid, False, x509.BasicConstraints(False, None))
POLICY = x509.PolicyInformation(OID, None)


class Frees:
    """Counts what our side frees, by C type."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}

    def of(self, kind: str) -> int:
        """How often since it was last asked; garbage is collected before."""
        gc.collect()
        return self.count.pop(kind, 0)


@pytest.fixture
def frees(monkeypatch: pytest.MonkeyPatch) -> Frees:
    frees = Frees()
    original = vars(convert)["own"]

    def counting(pointer: Any, free: Callable[[Any], Any], what: str) -> Any:
        kind = ffi.typeof(pointer).cname

        def counted(freed: Any) -> None:
            frees.count[kind] = frees.count.get(kind, 0) + 1
            free(freed)

        return original(pointer, counted, what)

    monkeypatch.setattr(convert, "own", counting)
    monkeypatch.setattr(ownership, "own", counting)
    return frees


# -- set0 and push0: C takes it over, but only if it succeeds ---------------------------------------------


def _key(c: Context) -> None:
    c.set_new_pkey(make_key())


def _public_key(c: Context) -> None:
    c.set_new_pkey(make_key().public_key())


def _store(pki: PKI) -> Callable[[Context], None]:
    return lambda c: c.set_trusted_store([pki.root.certificate])


TAKEN: dict[str, tuple[str, str, Callable[[Context], None]]] = {
    "key": ("set0_newPkey", "EVP_PKEY *", _key),
    "public key": ("set0_newPkey", "EVP_PKEY *", _public_key),
    "extensions": (
        "set0_reqExtensions",
        "struct stack_st_X509_EXTENSION *",
        lambda c: c.set_req_extensions([EXTENSION, EXTENSION]),
    ),
    "policy": ("push0_policy", "POLICYINFO *", lambda c: c.push_policy(POLICY)),
    "header item": ("push0_geninfo_ITAV", "OSSL_CMP_ITAV *", lambda c: c.push_geninfo_itav(ITAV)),
    "message item": ("push0_genm_ITAV", "OSSL_CMP_ITAV *", lambda c: c.push_genm_itav(ITAV)),
    "store": ("set0_trustedStore", "X509_STORE *", lambda c: None),
}


def prepared(what: str, pki: PKI) -> tuple[str, str, Callable[[Context], None]]:
    function, kind, use = TAKEN[what]
    return f"OSSL_CMP_CTX_{function}", ffi.typeof(kind).cname, _store(pki) if what == "store" else use


def test_all_of_them() -> None:
    """Each set0 and push0 of the loaded release is in the table above."""
    prefix = "OSSL_CMP_CTX_"
    names = {n[len(prefix) :] for n in dir(lib) if n.startswith((prefix + "set0", prefix + "push0"))}
    assert names - {"set0_trusted"} == {function for function, _, _ in TAKEN.values()}


@pytest.mark.parametrize("what", TAKEN)
def test_taken(what: str, pki: PKI, frees: Frees) -> None:
    """Success: C frees it, we do not; also when it is replaced or added to."""
    _, kind, use = prepared(what, pki)
    context = Context()
    for _ in range(3):
        use(context)
    assert frees.of(kind) == 0
    del context
    assert frees.of(kind) == 0


@pytest.mark.parametrize("what", TAKEN)
def test_not_taken(what: str, pki: PKI, frees: Frees, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failure: it stays ours, and we free it once."""
    function, kind, use = prepared(what, pki)
    context = Context()
    real = Calls.set

    def failing(self: Calls, called: Any, *args: Any, **kwargs: Any) -> None:
        real(self, lambda *_: 0 if called == getattr(lib, function) else called(*_), *args, **kwargs)

    monkeypatch.setattr(Calls, "set", failing)
    with pytest.raises(osslcmp.OpenSSLError):
        use(context)
    assert frees.of(kind) == 1
    monkeypatch.undo()
    use(context)


@pytest.mark.parametrize("what", TAKEN)
def test_interrupted_when_it_is_taken(
    what: str, pki: PKI, frees: Frees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler raises when C has it already: it is not freed twice."""
    function, kind, use = prepared(what, pki)
    context = Context()
    real = Calls.set

    def interrupted(self: Calls, called: Any, *args: Any, **kwargs: Any) -> None:
        real(self, called, *args, **kwargs)
        if called == getattr(lib, function):
            raise KeyboardInterrupt

    monkeypatch.setattr(Calls, "set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        use(context)
    assert frees.of(kind) == 0
    del context
    assert frees.of(kind) == 0


def test_interrupted_when_it_is_taken_elsewhere(
    pki: PKI, frees: Frees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for what no context takes over: times of a request, policies of a check."""
    crm = new_context(pki).setup_crm()
    check = osslcmp.CertificateCheck(trusted=pki.root.certificate, policies=["1.2.3.4"])
    monkeypatch.setattr(crmf, "own", vars(ownership)["own"])

    def then_interrupted(real: Callable[..., None]) -> Callable[..., None]:
        def interrupted(*args: Any) -> None:
            real(*args)
            raise KeyboardInterrupt

        return interrupted

    monkeypatch.setattr(crmf, "check", then_interrupted(vars(crmf)["check"]))
    monkeypatch.setattr(ownership, "check", then_interrupted(vars(ownership)["check"]))
    with pytest.raises(KeyboardInterrupt):
        crm.set_validity(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(KeyboardInterrupt):
        check.failure(pki.client.certificate)
    for kind in ("ASN1_TIME *", "ASN1_OBJECT *"):
        assert frees.of(ffi.typeof(kind).cname) == 0, kind


@pytest.mark.parametrize("what", TAKEN)
def test_what_c_does_when_it_fails(what: str, pki: PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real failure, for a NULL context: C has not freed it, so that our free is the only one."""
    function, _, use = prepared(what, pki)
    context = Context()
    real = Calls.set

    def without_context(self: Calls, called: Any, *args: Any, **kwargs: Any) -> None:
        if called == getattr(lib, function):
            real(self, lambda _, *rest: called(NULL, *rest), *args, **kwargs)
        else:
            real(self, called, *args, **kwargs)

    monkeypatch.setattr(Calls, "set", without_context)
    with pytest.raises(osslcmp.RequestError, match="null argument"):
        use(context)
    gc.collect()


def test_ref_counted_keep_our_reference(pki: PKI) -> None:
    """What is ref-counted and shared with C survives the context."""
    key, store = convert.key_to_c(pki.client.key), convert.store_to_c([pki.root.certificate])
    for _ in range(3):
        context = Context()
        assert lib.EVP_PKEY_up_ref(key)
        assert lib.OSSL_CMP_CTX_set0_newPkey(context.calls.pointer, 1, key)
        assert lib.X509_STORE_up_ref(store)
        assert lib.OSSL_CMP_CTX_set0_trustedStore(context.calls.pointer, store)
        del context
        gc.collect()
    assert convert.key_from_c(key).public_key() == pki.client.key.public_key()
    stack = convert.own_certs(lib.X509_STORE_get1_all_certs(store))
    assert convert.certs_from_c(stack) == [pki.root.certificate]


# -- set1: C copies or takes a reference of its own -------------------------------------------------------

Encode = Callable[[Any], bytes]


def _der(encode: Any) -> Encode:
    return lambda pointer: convert.to_der(encode, pointer, "encoding")


def _shared(pki: PKI) -> dict[str, tuple[Any, Encode]]:
    certificate = convert.cert_to_c(pki.client.certificate)
    name = convert.name_to_c(pki.client.subject)
    return {
        "set1_cert": (certificate, _der(lib.i2d_X509)),
        "set1_srvCert": (certificate, _der(lib.i2d_X509)),
        "set1_oldCert": (certificate, _der(lib.i2d_X509)),
        "set1_pkey": (convert.key_to_c(pki.client.key), _der(lib.i2d_PrivateKey)),
        "set1_subjectName": (name, _der(lib.i2d_X509_NAME)),
        "set1_issuer": (name, _der(lib.i2d_X509_NAME)),
        "set1_recipient": (name, _der(lib.i2d_X509_NAME)),
        "set1_expected_sender": (name, _der(lib.i2d_X509_NAME)),
        "set1_p10CSR": (convert.csr_to_c(pki.client.csr()), _der(lib.i2d_X509_REQ)),
        "set1_untrusted": (convert.certs_to_c([pki.issuing.certificate]), _first),
        "set1_extraCertsOut": (convert.certs_to_c([pki.issuing.certificate]), _first),
        "set1_transactionID": (convert.octets_to_c(b"0123456789abcdef"), _octets),
        "set1_senderNonce": (convert.octets_to_c(b"0123456789abcdef"), _octets),
        "push1_subjectAltName": (
            convert.general_name_to_c(x509.DNSName("a.example")),
            _der(lib.i2d_GENERAL_NAME),
        ),
    }


def _first(stack: Any) -> bytes:
    return convert.certs_from_c(stack)[0].public_bytes(Encoding.DER)


def _octets(string: Any) -> bytes:
    return convert.octets_from_c(string) or b""


def test_set1_leaves_ours_alone(pki: PKI) -> None:
    """Ours is the same after the context is gone, and the context is fine after ours is gone."""
    for function, (handle, encode) in _shared(pki).items():
        before = encode(handle)
        context = Context()
        assert getattr(lib, f"OSSL_CMP_CTX_{function}")(context.calls.pointer, handle) == 1, function
        del context
        gc.collect()
        assert encode(handle) == before, function


def test_ours_may_go(pki: PKI, peer: Peer) -> None:
    """Nothing that was set depends on the Python objects that it came from."""
    context = peer.attach(new_context(pki))
    for function, (handle, _) in _shared(pki).items():
        if function not in ("set1_srvCert", "set1_expected_sender", "set1_transactionID"):
            assert getattr(lib, f"OSSL_CMP_CTX_{function}")(context.calls.pointer, handle) == 1
    gc.collect()
    assert context.exec_ir_ses() == pki.enrolled.certificate


# -- contexts ---------------------------------------------------------------------------------------------


def test_destructors_leave_the_error_queue_alone(pki: PKI) -> None:
    """Garbage is collected at any moment, also between a failure and the look at its reasons."""
    context = new_context(pki)
    stuff = [
        convert.cert_to_c(pki.client.certificate),
        convert.key_to_c(pki.client.key),
        *_shared(pki).items(),
    ]
    assert lib.OSSL_CMP_CTX_reinit(NULL) == 0
    del context, stuff
    gc.collect()
    assert len(list(queued())) == 1
