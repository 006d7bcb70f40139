"""Callbacks: certConf, transfer, HTTP and log, in Python and in C; what they return and what they raise."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context
from support.mock_server import MockServer
from support.pki import PKI, make_key
from support.raising import OwnError, raiser
from support.rogue import Rogue, signed_by
from support.served import Served

import osslcmp
from osslcmp import Context, FailureInfo, Option, Severity, certconf, ffi, lib
from osslcmp import _callbacks as callbacks

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")

NOTHING = FailureInfo(0)


# -- certConf -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [None, True, NOTHING, 0])
def test_accepted(verdict: object, pki: PKI, peer: Peer) -> None:
    """It gets the certificate and what is wrong so far: nothing."""
    seen: list[tuple[x509.Certificate, FailureInfo]] = []

    def decide(certificate: x509.Certificate, failure_info: FailureInfo) -> object:
        seen.append((certificate, failure_info))
        return verdict

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert seen == [(pki.enrolled.certificate, NOTHING)]
    assert isinstance(seen[0][1], FailureInfo)
    assert pki.issuing.certificate in context.new_chain


@pytest.mark.parametrize(
    ("verdict", "bits", "text"),
    [
        (False, FailureInfo.incorrectData, b"CMP client did not accept it"),
        ("", FailureInfo.incorrectData, b"CMP client did not accept it"),
        ("not mine", FailureInfo.incorrectData, b"not mine"),
        (FailureInfo.badTime, FailureInfo.badTime, b"CMP client did not accept it"),
        (FailureInfo.badAlg | FailureInfo.duplicateCertReq, None, b"CMP client did not accept it"),
        (FailureInfo((1 << 27) - 1), None, b"CMP client did not accept it"),
    ],
)
def test_refused(verdict: object, bits: FailureInfo | None, text: bytes, pki: PKI, peer: Peer) -> None:
    """The server hears why, the caller gets the certificate with the exception."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_cert_conf_cb(lambda *_: verdict)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert caught.value.rejected is None
    assert text.decode() in str(caught.value)
    assert text in peer.requests[-1]
    if bits is not None:
        length = (int(bits).bit_length() + 7) // 8
        assert bytes([3, length + 1]) in peer.requests[-1], "PKIFailureInfo is a BIT STRING"
    assert context.new_cert == pki.enrolled.certificate


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("ä€𝄞", "ä€𝄞".encode()),
        ("a\0b", b"ab"),
        ("€" * 1000, ("€" * 333).encode()),
        ("x" * 5000, b"x" * 1000),
        ("lone \udc80", b"lone ?"),
    ],
)
def test_texts(text: str, arrives: bytes, pki: PKI, peer: Peer) -> None:
    """Whatever the text is, the server gets valid UTF-8 of a sensible length."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    for callback in (lambda *_: text, raiser(OwnError(text))):
        context.set_cert_conf_cb(callback)
        with pytest.raises((osslcmp.ConfirmError, OwnError)):
            context.exec_ir_ses()
        assert arrives in peer.requests[-1]
        assert arrives + arrives[-1:] not in peer.requests[-1], "longer"
        context.reinit()


@pytest.mark.parametrize("verdict", ["accept", b"no", 1.5, [], 1 << 27, -1, FailureInfo(1 << 30), object()])
def test_no_verdict(verdict: Any, pki: PKI, peer: Peer) -> None:
    """What is neither yes nor no refuses, and is told as a TypeError."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(lambda *_: verdict)
    expected = osslcmp.ConfirmError if isinstance(verdict, str) else TypeError
    with pytest.raises(expected) as caught:
        context.exec_ir_ses()
    confirm = caught.value if isinstance(verdict, str) else caught.value.__context__
    assert isinstance(confirm, osslcmp.ConfirmError)
    assert confirm.enrollment.certificate == pki.enrolled.certificate


def test_cert_conf_raises(exception: BaseException, pki: PKI, peer: Peer) -> None:
    """The very exception comes out, the certificate is on its context, its text reached the server."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_cert_conf_cb(raiser(exception))
    for _ in range(2):  # the same object again: the certificate is that of the second time
        with pytest.raises(type(exception)) as caught:
            context.exec_ir_ses()
        assert caught.value is exception
        confirm = exception.__context__
        assert isinstance(confirm, osslcmp.ConfirmError)
        assert confirm.enrollment.certificate == pki.enrolled.certificate
        assert str(exception).encode() in peer.requests[-1]
        assert peer.calls[-1] == "cert_conf"
        context.reinit()
    context.set_cert_conf_cb(None)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_cert_conf_raises_from_another(pki: PKI, peer: Peer) -> None:
    """An exception that has a context of its own keeps it, behind ours."""

    def decide(*_: object) -> None:
        try:
            raise LookupError("first")
        except LookupError:
            raise OwnError("second")  # noqa: B904

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    confirm = caught.value.__context__
    assert isinstance(confirm, osslcmp.ConfirmError)
    assert isinstance(confirm.__context__, LookupError)


def test_errors_attribute_of_another(pki: PKI, peer: Peer) -> None:
    """An exception that happens to have ``errors`` is not taken for one of ours."""

    class ValidationError(Exception):
        errors = ("wrong field",)

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(raiser(ValidationError("no")))
    with pytest.raises(ValidationError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__context__, osslcmp.ConfirmError)


def test_notes(pki: PKI, peer: Peer) -> None:
    """OpenSSL's errors stand on the exception as notes, where Python has them (3.11)."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(raiser(OwnError("no")))
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    notes = getattr(caught.value, "__notes__", ())
    assert any(note.startswith("OpenSSL: ") for note in notes) is hasattr(BaseException, "add_note")


def test_wrong_key_is_told(pki: PKI, peer: Peer) -> None:
    """What OpenSSL found wrong is there. None leaves it at that, True has the last word."""
    told: list[FailureInfo] = []
    context = peer.attach(new_context(pki))
    context.set_new_pkey(make_key())

    def look_on(_certificate: x509.Certificate, info: FailureInfo) -> None:
        told.append(info)

    for callback in (look_on, lambda _certificate, info: info, lambda *_: False, lambda *_: "no"):
        context.set_cert_conf_cb(callback)
        with pytest.raises(osslcmp.ConfirmError) as caught:
            context.exec_ir_ses()
        assert caught.value.enrollment.certificate == pki.enrolled.certificate
        context.reinit()
    for verdict in (True, 0, NOTHING):
        context.set_cert_conf_cb(lambda *_, verdict=verdict: verdict)
        assert context.exec_ir_ses() == pki.enrolled.certificate
        context.reinit()
    assert told == [FailureInfo.incorrectData]


def test_untrusted_certificate_is_told(pki: PKI, peer: Peer) -> None:
    """The same for what OpenSSL's own check of the new certificate finds."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb_arg([pki.other_root.certificate])
    context.set_cert_conf_cb(lambda *_: None)
    with pytest.raises(osslcmp.ConfirmError):
        context.exec_ir_ses()
    context.reinit()
    context.set_cert_conf_cb(lambda *_: True)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_results_within_the_callback(pki: PKI, peer: Peer) -> None:
    """The context can be read there."""
    peer.script.ca_pubs = [pki.root.certificate]
    context = peer.attach(new_context(pki))
    seen: list[object] = []

    def look(certificate: x509.Certificate, _info: FailureInfo) -> None:
        seen.extend(
            [context.new_cert == certificate, context.ca_pubs, context.status, context.untrusted != []]
        )

    context.set_cert_conf_cb(look)
    context.exec_ir_ses()
    assert seen == [True, [pki.root.certificate], osslcmp.PKIStatus.accepted, True]


MEDDLING: dict[str, Callable[[Context, PKI], object]] = {
    "reinit": lambda c, _: c.reinit(),
    "disconnect": lambda c, _: c.disconnect(),
    "set_server": lambda c, _: c.set_server("127.0.0.1"),
    "set_server_port": lambda c, _: c.set_server_port(80),
    "set_proxy": lambda c, _: c.set_proxy(None),
    "set_http_cb": lambda c, _: c.set_http_cb(None),
    "set_transfer_cb": lambda c, _: c.set_transfer_cb(None),
    "set_srv_cert": lambda c, pki: c.set_srv_cert(pki.server.certificate),
    "set_trusted_store": lambda c, pki: c.set_trusted_store([pki.root.certificate]),
    "set_pkey": lambda c, pki: c.set_pkey(pki.client.key),
    "set_new_pkey": lambda c, pki: c.set_new_pkey(None),
    "digest": lambda c, _: c.set_option(Option.DIGEST_ALGNID, lib.NID_sha384),
    "exec": lambda c, _: c.exec_genm_ses(),
    "try": lambda c, _: c.try_certreq(osslcmp.IR),
}


@pytest.mark.parametrize("where", ["transfer", "cert_conf", "log"])
@pytest.mark.parametrize("what", MEDDLING)
def test_meddling(what: str, where: str, pki: PKI, peer: Peer) -> None:
    """What would free or replace that which C is working with is refused while it works."""
    context = peer.attach(new_context(pki))

    def meddle(*arguments: Any) -> Any:
        with pytest.raises(RuntimeError, match="while a transaction runs"):
            MEDDLING[what](context, pki)
        return peer(arguments[0]) if where == "transfer" else None

    if where == "log":
        context.set_log_verbosity(Severity.INFO)
    {
        "transfer": context.set_transfer_cb,
        "cert_conf": context.set_cert_conf_cb,
        "log": context.set_log_cb,
    }[where](meddle)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_harmless_settings_within_callbacks(pki: PKI, peer: Peer) -> None:
    """Numbers and nonces may be set."""
    context = new_context(pki)

    def transfer(request: bytes) -> bytes:
        context.set_option(Option.DISABLE_CONFIRM, 1)
        return peer(request)

    context.set_transfer_cb(transfer)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert "cert_conf" not in peer.calls


def test_another_context_within_a_callback(pki: PKI, peer: Peer) -> None:
    """A callback may use other contexts; each keeps its own callbacks."""
    second = Peer(pki)
    outer, inner = new_context(pki), second.attach(new_context(pki, "mac"))
    order: list[str] = []

    def transfer(request: bytes) -> bytes:
        order.append("outer sends")
        assert inner.exec_ir_ses() == pki.enrolled.certificate
        inner.reinit()
        return peer(request)

    outer.set_transfer_cb(transfer)
    outer.set_cert_conf_cb(lambda *_: order.append("outer confirms"))
    inner.set_cert_conf_cb(lambda *_: order.append("inner confirms"))
    assert outer.exec_ir_ses() == pki.enrolled.certificate
    assert order == ["outer sends", "inner confirms", "outer confirms", "outer sends", "inner confirms"]


# -- OpenSSL's own certConf check, and C functions ------------------------------------------------------


def test_certconf(pki: PKI, peer: Peer) -> None:
    """OpenSSL's check takes what chains to the given anchors, and refuses the rest."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(certconf)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert context.cert_conf_cb_arg is None
    context.reinit()
    context.set_cert_conf_cb_arg([pki.root.certificate])
    assert context.cert_conf_cb_arg == [pki.root.certificate]
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert context.new_chain[-1] == pki.root.certificate or pki.issuing.certificate in context.new_chain
    context.reinit()
    context.set_cert_conf_cb_arg([pki.other_root.certificate])
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    context.reinit()
    context.set_cert_conf_cb_arg(None)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert repr(certconf) == "osslcmp.certconf"


def test_anchors_and_a_callable(pki: PKI, peer: Peer) -> None:
    """With anchors the callable is told what OpenSSL's check says."""
    told: list[FailureInfo] = []

    def decide(_certificate: x509.Certificate, info: FailureInfo) -> bool:
        told.append(info)
        return True

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    for anchor in (pki.root, pki.other_root):
        context.set_cert_conf_cb_arg([anchor.certificate])
        context.exec_ir_ses()
        context.reinit()
    assert told == [NOTHING, FailureInfo.incorrectData]


def test_c_function(pki: PKI, peer: Peer) -> None:
    """A C function by its pointer, with a C argument."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(ffi.addressof(lib, "OSSL_CMP_certConf_cb"))
    assert context.exec_ir_ses() == pki.enrolled.certificate
    store = ffi.gc(lib.X509_STORE_new(), lib.X509_STORE_free)
    context.set_cert_conf_cb_arg(store)
    assert context.cert_conf_cb_arg == store
    context.reinit()
    with pytest.raises(osslcmp.ConfirmError):  # an empty store trusts nothing
        context.exec_ir_ses()


def test_c_argument_and_a_callable(pki: PKI, peer: Peer) -> None:
    """A C argument may be anything: OpenSSL's check, which takes it for a trust store, is not asked then."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb_arg(ffi.new("char[]", b"no trust store"))
    context.set_cert_conf_cb(lambda *_: None)
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_cert_conf_cb", "set_transfer_cb", "set_http_cb", "set_log_cb"])
@pytest.mark.parametrize("callback", [1, "x", b"x", object()])
def test_no_callback(setter: str, callback: object, pki: PKI, peer: Peer) -> None:
    """What cannot be called is refused at once."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError, match="callback"):
        getattr(context, setter)(callback)
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_cert_conf_cb", "set_transfer_cb", "set_http_cb", "set_log_cb"])
def test_c_function_of_another_type(setter: str, pki: PKI, peer: Peer) -> None:
    """cffi knows the types of functions."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError):
        getattr(context, setter)(ffi.addressof(lib, "ERR_clear_error"))
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_transfer_cb_arg", "set_http_cb_arg"])
def test_arguments(setter: str, pki: PKI) -> None:
    """C pointers, or None."""
    context = Context()
    pointer = ffi.new("int[4]")
    getattr(context, setter)(pointer)
    assert getattr(context, setter[len("set_") :]) == pointer
    getattr(context, setter)(None)
    assert getattr(context, setter[len("set_") :]) is None
    with pytest.raises(TypeError, match="pointer"):
        getattr(context, setter)(b"bytes")


# -- transfer -------------------------------------------------------------------------------------------


def test_transfer(pki: PKI, peer: Peer) -> None:
    """Bytes to bytes; a bytearray or memory of one's own is taken as well."""
    context = new_context(pki)
    kinds: list[type] = []

    def carry(request: bytes) -> bytearray:
        kinds.append(type(request))
        return bytearray(peer(request))

    context.set_transfer_cb(carry)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert kinds == [bytes, bytes]


@pytest.mark.parametrize("answer", [None, "text", 5, [b"x"], memoryview(b"x"), object()])
def test_transfer_returns_something_else(answer: object, pki: PKI, peer: Peer) -> None:
    """A TypeError that says what was wanted."""
    context = new_context(pki)
    context.set_transfer_cb(lambda _: answer)  # type: ignore[return-value]
    with pytest.raises(TypeError, match="transport: must return the response as bytes"):
        context.exec_ir_ses()
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\0",
        lambda _: b"garbage",
        lambda _: b"\x30\x80\x00\x00",
        lambda _: b"\x30\x84\xff\xff\xff\xff",
        lambda answer: answer[:-1],
        lambda answer: answer[:40],
        lambda answer: answer + b"\0",
        lambda answer: answer + answer,
        lambda answer: b"\x30\x03" + answer,
    ],
)
def test_garbage(damage: Callable[[bytes], bytes], pki: PKI, peer: Peer) -> None:
    """What does not decode is a TransferError with OpenSSL's reasons; so is something behind the message."""
    context = new_context(pki)
    context.set_transfer_cb(lambda request: damage(peer(request)))
    with pytest.raises(osslcmp.TransferError) as caught:
        context.exec_ir_ses()
    assert caught.value.errors
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_transfer_raises(kind: str, exception: BaseException, pki: PKI, peer: Peer) -> None:
    """The very exception comes out of any request."""
    context = new_context(pki)
    context.set_old_cert(pki.enrolled.certificate)
    context.set_transfer_cb(raiser(exception))
    with pytest.raises(type(exception)) as caught:
        getattr(context, f"exec_{kind}_ses")()
    assert caught.value is exception
    assert exception.__context__ is None
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_transfer_raises_in_the_confirmation(pki: PKI, peer: Peer) -> None:
    """Then the certificate is there."""
    context = new_context(pki)

    def once(request: bytes) -> bytes:
        if peer.requests:
            raise OwnError("cable cut")
        return peer(request)

    context.set_transfer_cb(once)
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__context__, osslcmp.ConfirmError)
    assert caught.value.__context__.enrollment.certificate == pki.enrolled.certificate


def test_transfer_garbage_in_the_confirmation(pki: PKI, peer: Peer) -> None:
    """Here it is OpenSSL that complains: ConfirmError, the TransferError behind it."""
    context = new_context(pki)
    context.set_transfer_cb(lambda request: b"junk" if peer.requests else peer(request))
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__cause__, osslcmp.TransferError)


def test_transfer_in_c(pki: PKI, peer: Peer) -> None:
    """OpenSSL's own function between client and server, and back to a callable and to none."""
    context = peer.attach(new_context(pki))
    assert context.transfer_cb_arg == peer.pointer
    context.exec_ir_ses()
    context.set_transfer_cb(peer)
    context.set_transfer_cb_arg(None)
    context.reinit()
    context.exec_ir_ses()
    context.set_transfer_cb(None)
    context.reinit()
    with pytest.raises(osslcmp.TransferError, match="no server is set"):
        context.exec_ir_ses()
    context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_CTX_server_perform"))
    context.reinit()
    with pytest.raises(osslcmp.TransferError):  # its argument is gone
        context.exec_ir_ses()


def test_transfer_by_openssl_itself(pki: PKI, mock_server: Callable[..., MockServer]) -> None:
    """OpenSSL's HTTP client can be set as well."""
    server = mock_server()
    context = new_context(pki)
    context.set_server("127.0.0.1")
    context.set_server_port(server.port)
    context.set_server_path("pkix/")
    context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_MSG_http_perform"))
    assert context.exec_ir_ses() == pki.enrolled.certificate


# -- HTTP -----------------------------------------------------------------------------------------------


@pytest.fixture
def over_http(pki: PKI, peer: Peer) -> Iterator[Context]:
    with Served(peer) as server:
        context = server.point(new_context(pki))
        yield context
        context.set_http_cb(None)


Event = tuple[bool, bool]


def test_http(over_http: Context, pki: PKI) -> None:
    """Told of each connection and of its end, with the real BIO."""
    events: list[Event] = []

    def wrap(bio: Any, connect: bool, detail: bool) -> Any:
        assert ffi.typeof(bio) is ffi.typeof("BIO *")
        assert bio != ffi.NULL
        events.append((connect, detail))
        return bio if len(events) == 1 else None

    over_http.set_http_cb(wrap)
    assert over_http.exec_ir_ses() == pki.enrolled.certificate
    over_http.disconnect()
    connects = [e for e in events if e[0]]
    assert connects
    assert [e for e, _ in events] == [True, False] * len(connects)
    assert all(detail is False for connect, detail in events if connect), "no TLS"
    assert all(detail for connect, detail in events if not connect), "ended well"


@pytest.mark.parametrize("end", ["disconnect", "reinit", "set_server", "set_http_cb"])
def test_http_is_told_of_the_end(end: str, over_http: Context) -> None:
    """Whatever closes a connection that is kept."""
    events: list[bool] = []
    over_http.set_http_cb(lambda _bio, connect, _detail: events.append(connect))
    over_http.set_option(Option.KEEP_ALIVE, 2)
    over_http.set_option(Option.DISABLE_CONFIRM, 1)
    over_http.exec_ir_ses()
    assert events == [True], "kept open"
    arguments: dict[str, list[Any]] = {"set_server": ["127.0.0.1"], "set_http_cb": [None]}
    getattr(over_http, end)(*arguments.get(end, []))
    assert events == [True, False]


def test_http_raises(exception: BaseException, over_http: Context, pki: PKI) -> None:
    """At the connection: no request goes out. The context works again without it."""
    over_http.set_http_cb(raiser(exception))
    with pytest.raises(type(exception)) as caught:
        over_http.exec_ir_ses()
    assert caught.value is exception
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


def test_http_raises_at_the_end(over_http: Context, pki: PKI) -> None:
    """When the connection ends: told to whoever ends it, and it is closed all the same."""

    def wrap(_bio: Any, connect: bool, _detail: bool) -> None:
        if not connect:
            raise OwnError("cannot unwrap")

    over_http.set_option(Option.KEEP_ALIVE, 2)
    over_http.set_option(Option.DISABLE_CONFIRM, 1)
    over_http.set_http_cb(wrap)
    over_http.exec_ir_ses()
    with pytest.raises(OwnError):
        over_http.disconnect()
    over_http.disconnect()
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("answer", [5, "bio", b"bio", False, ffi.new("int *")])
def test_http_returns_something_else(answer: object, over_http: Context, pki: PKI) -> None:
    """A TypeError, not a crash."""
    over_http.set_http_cb(lambda *_: answer)
    with pytest.raises(TypeError, match="HTTP callback"):
        over_http.exec_ir_ses()
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


def test_http_wraps(over_http: Context, pki: PKI) -> None:
    """A filter BIO around the connection carries everything."""
    pushed: list[int] = []

    def wrap(bio: Any, connect: bool, _detail: bool) -> Any:
        if not connect:
            return None  # freed as a chain
        pushed.append(1)
        return lib.BIO_push(lib.BIO_new(lib.BIO_f_buffer()), bio) if hasattr(lib, "BIO_f_buffer") else bio

    over_http.set_http_cb(wrap)
    assert over_http.exec_ir_ses() == pki.enrolled.certificate
    assert pushed


# -- log ------------------------------------------------------------------------------------------------


def test_log(pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """Into logging, under ``osslcmp.openssl``, with the C function that speaks."""
    context = peer.attach(new_context(pki))
    context.set_log_verbosity(Severity.TRACE)
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.exec_ir_ses()
    texts = [record.getMessage() for record in caplog.records]
    assert any("sending IR" in text for text in texts)
    assert any("received IP" in text for text in texts)
    assert {record.name for record in caplog.records} == {"osslcmp.openssl"}
    assert {record.levelno for record in caplog.records} <= {logging.DEBUG, logging.INFO}
    assert all(record.openssl_function for record in caplog.records)  # type: ignore[attr-defined]
    assert not any("secret" in text for text in texts)


def test_log_warning(pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """OpenSSL's warnings are warnings."""
    peer.script.status = osslcmp.PKIStatus.grantedWithMods
    context = peer.attach(new_context(pki))
    with caplog.at_level(logging.WARNING, "osslcmp.openssl"):
        context.exec_ir_ses()
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "grantedWithMods" in caplog.text


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the log comes from C to Python."""
    levels: list[int] = []
    original = vars(callbacks)["text"]

    def counting(chars: object) -> str:
        levels.append(1)
        return str(original(chars))

    monkeypatch.setattr(callbacks, "text", counting)
    return levels


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_log_costs_nothing(
    level: int, pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture, entered: list[int]
) -> None:
    """Where nobody listens, Python is never called and OpenSSL formats nothing."""
    context = peer.attach(new_context(pki))
    context.set_log_verbosity(Severity.TRACE)
    with caplog.at_level(level, "osslcmp.openssl"):
        context.exec_ir_ses()
        assert entered == []
        assert lib.OSSL_CMP_CTX_get_option(context._ptr, Option.LOG_VERBOSITY) <= Severity.WARNING
    assert context.get_option(Option.LOG_VERBOSITY) == Severity.TRACE
    context.reinit()
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.exec_ir_ses()
    assert entered, "the level counts anew at each call"


def test_log_verbosity(pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """The context's own level counts as well."""
    context = peer.attach(new_context(pki))
    context.set_option(Option.LOG_VERBOSITY, Severity.WARNING)
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.exec_ir_ses()
    assert caplog.records == []


@pytest.mark.parametrize("verbosity", [Severity.EMERG, Severity.ERR, Severity.TRACE])
def test_errors_are_told_at_any_verbosity(verbosity: Severity, pki: PKI, peer: Peer) -> None:
    """The exception has its story whatever is logged."""
    context = peer.attach(new_context(pki))
    context.set_log_verbosity(verbosity)
    context.set_trusted_store([pki.other_root.certificate])
    with pytest.raises(osslcmp.ProtectionError) as caught:
        context.exec_ir_ses()
    assert caught.value.errors


def test_log_callback(pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """A callable instead of logging."""
    lines: list[tuple[str, str, int, Severity, str]] = []
    context = peer.attach(new_context(pki))
    context.set_log_cb(lambda *line: lines.append(line))
    context.set_log_verbosity(Severity.INFO)
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.exec_ir_ses()
        assert [line[4] for line in lines if line[4] == "sending IR"] == ["sending IR"]
        function, file, number, severity, _text = lines[0]
        assert isinstance(severity, Severity)
        assert isinstance(number, int)
        assert function
        assert file
        count = len(lines)
        context.set_log_cb(None)
        context.reinit()
        context.exec_ir_ses()
    assert len(lines) == count
    assert caplog.records


def test_log_callback_in_c(pki: PKI, peer: Peer) -> None:
    """A C function, called with what C said."""
    lines: list[tuple[bytes, int, bytes]] = []

    def log(function: bytes, _file: bytes, _line: int, level: int, text: bytes) -> int:
        lines.append((function, level, text))
        return 1

    text, number = ctypes.c_char_p, ctypes.c_int
    c_function = ctypes.CFUNCTYPE(number, text, text, number, number, text)(log)
    context = peer.attach(new_context(pki))
    context.set_log_cb(ffi.cast("OSSL_CMP_log_cb_t", ctypes.cast(c_function, ctypes.c_void_p).value))
    context.set_log_verbosity(Severity.TRACE)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert any(level == Severity.INFO and text == b"sending IR" for _, level, text in lines)


def test_log_callback_of_our_own(pki: PKI, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """The default by its C name is the default."""
    context = peer.attach(new_context(pki))
    context.set_log_cb(ffi.addressof(lib, "osslcmp_log"))
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.exec_ir_ses()
    assert "sending IR" in caplog.text


def test_log_raises(exception: BaseException, pki: PKI, peer: Peer) -> None:
    """What a log callback or handler raises is raised; the certificate that came is not lost."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_log_verbosity(Severity.INFO)

    def log(_function: str, _file: str, _line: int, _severity: Severity, text: str) -> None:
        if "received IP" in text:
            raise exception

    context.set_log_cb(log)
    with pytest.raises(type(exception)) as caught:
        context.exec_ir_ses()
    assert caught.value is exception
    assert isinstance(exception.__context__, osslcmp.ConfirmError)
    assert exception.__context__.enrollment.certificate == pki.enrolled.certificate
    assert peer.calls == ["cert_request"], "nothing more was sent"
    context.set_log_cb(None)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_logging_handler_raises(pki: PKI, peer: Peer) -> None:
    """logging's own handlers may raise, too."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OwnError(record.getMessage())

    logger = logging.getLogger("osslcmp.openssl")
    handler = Handler()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(OwnError):
            peer.attach(new_context(pki)).exec_ir_ses()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_print_errors(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    """What a raw call left on the queue goes to the log, not to stderr."""
    context = Context()
    assert lib.OSSL_CMP_CTX_reinit(ffi.NULL) == 0
    with caplog.at_level(logging.DEBUG, "osslcmp.openssl"):
        context.print_errors()
    assert "null argument" in caplog.text
    assert lib.ERR_peek_error() == 0
    context.print_errors()


def test_print_errors_raises() -> None:
    """The callback's exception comes out."""
    context = Context()
    context.set_log_cb(raiser(OwnError("full disk")))
    assert lib.OSSL_CMP_CTX_reinit(ffi.NULL) == 0
    with pytest.raises(OwnError):
        context.print_errors()
    lib.ERR_clear_error()


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING, logging.CRITICAL])
def test_a_failure_prints_nothing(
    level: int, pki: PKI, peer: Peer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Also when nobody configured logging. The exception tells which certificate is not trusted, and why."""
    context = peer.attach(new_context(pki))
    context.set_trusted_store([pki.other_root.certificate])
    with caplog.at_level(level, "osslcmp.openssl"):
        for _ in range(3):
            with pytest.raises(osslcmp.ProtectionError) as caught:
                context.exec_ir_ses()
            told = " ".join(map(str, caught.value.errors))
            assert "unable to get local issuer certificate" in told
            assert "CN=issuing" in told
            context.reinit()
    del context
    assert capfd.readouterr() == ("", "")


def test_another_signer_prints_nothing(
    pki: PKI, peer: Peer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The second message is signed by another than the first, whose certificate is tried before: trusted or not."""
    caplog.set_level(logging.DEBUG, "osslcmp.openssl")
    context = new_context(pki)
    twin = pki.issue("twin", pki.issuing, subject=pki.server.subject)
    context.set_transfer_cb(Rogue(peer, {1: signed_by(twin)}))
    assert context.exec_ir_ses() == pki.enrolled.certificate
    context = new_context(pki)
    context.set_transfer_cb(Rogue(peer, {1: signed_by(pki.other_server)}))
    with pytest.raises(osslcmp.ConfirmError, match="no suitable sender cert"):
        context.exec_ir_ses()
    assert capfd.readouterr() == ("", "")
