"""The log callback and ``logging``: what arrives there, what it costs, and that nothing is printed."""

from __future__ import annotations

import ctypes
import logging

import pytest
from support.inprocess import Peer, new_context
from support.pki import PKI
from support.raising import OwnError, raiser
from support.rogue import Rogue, signed_by

import osslcmp
from osslcmp import Context, Option, Severity, ffi, lib
from osslcmp._openssl import callbacks

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")


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
    original = vars(callbacks)["text_from_c"]

    def counting(chars: object) -> str:
        levels.append(1)
        return str(original(chars))

    monkeypatch.setattr(callbacks, "text_from_c", counting)
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
        assert lib.OSSL_CMP_CTX_get_option(context.calls.pointer, Option.LOG_VERBOSITY) <= Severity.WARNING
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
