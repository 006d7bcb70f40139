"""What must hold whatever a user's objects, signals and other threads do to a client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from support.clients import secret_context
from support.delays import client as delays_client
from support.delays import delaying
from support.inprocess import Peer, new_context
from support.lies import LyingTransport
from support.openssl import run as openssl
from support.pki import PKI, make_csr, make_key
from support.releases import from_3_3
from support.rogue import RECIP_NONCE, TRANSACTION_ID, with_header
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import IR, BodyType, Context, Message, Trace
from osslcmp._asn1 import der, x509_parts
from osslcmp._asn1.der import encode, encode_integer, explicit
from osslcmp.client.dump import load
from osslcmp.client.request import enveloped_only
from osslcmp.client.settings import ResumeConditions
from osslcmp.transport import FileTransport

OTHER = b"another value 16"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"owf": "null"}, "secret, owf, mac"),
        ({"owf": "hmac-sha256"}, "owf"),
        ({"owf": "AES-128-CBC"}, "owf"),
        ({"mac": "sha256"}, "secret, owf, mac"),
        pytest.param(
            {"mac": "hmac-sha3-256"},
            "secret, owf, mac",
            marks=pytest.mark.skipif(osslcmp.openssl_version >= (3, 2), reason="this OpenSSL can"),
        ),
        ({"mac": "AES-128-CBC"}, "secret, owf, mac"),
        ({"mac": "null"}, "secret, owf, mac"),
        ({"digest": "null"}, "key, digest"),
        ({"digest": "md5-sha1"}, "key, digest"),
    ],
)
def test_what_cannot_protect_is_told_at_once(
    options: dict[str, Any], told: str, site: Site, pki: PKI
) -> None:
    """Not when the first request is made; and what needs no protection needs nothing for it."""
    own: dict[str, Any] = {"secret": SECRET, "reference": "ref"}
    if "digest" in options:
        own = {"certificate": pki.client.certificate, "key": pki.client.key}
    with pytest.raises(ValueError, match=f"^{told}\\b.*: this OpenSSL ") as caught:
        osslcmp.Client(transport=site.server, **own, **options)
    assert isinstance(caught.value.__cause__, osslcmp.OpenSSLError)
    if told != "owf":
        assert osslcmp.Client(transport=site.server, unprotected_requests=True, **own, **options)


def test_nothing_is_sent_for_the_trial(site: Site) -> None:
    """Neither seen by the server nor in a trace."""
    trace = Trace()
    osslcmp.Client(transport=site.server, secret=SECRET, reference="ref", trace=trace)
    assert not trace.entries
    assert not site.server.open_transactions


# -- users' objects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [Mock, MagicMock, lambda **more: Mock(spec=FileTransport, **more)])
@pytest.mark.parametrize("field", [RECIP_NONCE, TRANSACTION_ID])
def test_a_mock_is_no_replay(field: int, wrapped: Callable[..., Any], site: Site) -> None:
    """Only FileTransport itself may present the answer to another request."""
    transport = wrapped(side_effect=lambda request: with_header(SECRET, {field: OTHER})(site.server(request)))
    transport.replayed = True
    cmp = osslcmp.Client(transport=transport, reference="ref", secret=SECRET)
    with pytest.raises(osslcmp.ResponseError, match="unmatched"):
        cmp.genm([])


def test_replay_must_be_true(site: Site, tmp_path: Path) -> None:
    """Nor what is merely truthy, even there."""

    class Odd(FileTransport):
        def __call__(self, request: bytes) -> bytes:
            self.replayed = "no"  # type: ignore[assignment]
            return with_header(SECRET, {RECIP_NONCE: OTHER})(site.server(request))

    cmp = osslcmp.Client(transport=Odd(tmp_path), reference="ref", secret=SECRET)
    with pytest.raises(osslcmp.ResponseError, match="unmatched"):
        cmp.genm([])


# -- what is left behind --------------------------------------------------------------------------------------


def test_abort_leaves_the_callback(site: Site) -> None:
    """After a lost first poll an abort refuses what comes, and then the context has the user's callback again."""
    lose = True

    def transport(request: bytes) -> bytes:
        if lose and Message.from_der(request).type is BodyType.POLLREQ:
            raise osslcmp.TransferError("lost")
        return site.server(request)

    asked = []

    def confirm(certificate: x509.Certificate, _found: osslcmp.FailureInfo) -> bool:
        asked.append(certificate)
        return True

    context = secret_context(transport, SECRET)
    context.set_subject_name("CN=x")
    context.set_new_pkey(site.new_key)
    context.set_cert_conf_cb(confirm)
    with pytest.raises(osslcmp.TransferError):
        context.try_certreq(IR)
    lose = False
    context.try_certreq(-1)
    assert context.cert_conf_cb is confirm
    site.released = True
    context.reinit()
    certificate = context.exec_ir_ses()
    assert asked == [certificate]


class OwnError(Exception):
    """What a transport of one's own raises."""


@from_3_3
def test_issued_certificate_stays_visible(site: Site) -> None:
    """What is raised while the confirmation is polled for has the certificate as its context, and no cause."""
    site.released = True
    transport = delaying(site, BodyType.CERTCONF, polls=3)

    def fail() -> None:
        raise OwnError

    transport.on_poll = fail
    with pytest.raises(OwnError) as caught:
        delays_client(transport).ir(site.new_key, subject="CN=x")
    assert caught.value.__cause__ is None
    assert isinstance(caught.value.__context__, osslcmp.ConfirmError)
    assert caught.value.__context__.enrollment.certificate


# -- signals --------------------------------------------------------------------------------------------------


def test_trace_in_a_signal_handler() -> None:
    """It may be read, and added to, while an entry is being written."""
    code = """
import signal, sys
from osslcmp import Trace
import osslcmp.trace as t
trace = Trace()
def look(*_):
    len(trace.entries); trace.failed(ValueError(), None); trace.of(None); str(trace)
signal.signal(signal.SIGALRM, look)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
real = t.TraceEntry
def slow(*args, **more):
    signal.raise_signal(signal.SIGALRM)
    return real(*args, **more)
t.TraceEntry = slow
depth = 0
def look(*_):
    global depth
    depth += 1
    if depth < 3:
        len(trace.entries); trace.failed(ValueError(), None); trace.of(None)
    depth -= 1
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, look)
for _ in range(20):
    trace.failed(KeyError(), None)
print(len(trace))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20


def test_interrupt_is_not_replaced(pki: PKI, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler that raises when C is done: also where the certificate that came cannot be read."""
    context = new_context(pki)
    context.set_transfer_cb(peer)

    def interrupted(*args: Any) -> int:
        result: int = run(*args)
        assert result == 1
        raise KeyboardInterrupt

    run = context.calls.run
    monkeypatch.setattr(context.calls, "run", interrupted)

    def malformed(_response: bytes | None) -> Any:
        raise osslcmp.ResponseError("a certificate in the answer is malformed")

    monkeypatch.setattr(context.results, "enrollment", malformed)
    with pytest.raises(KeyboardInterrupt) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__context__, osslcmp.ResponseError)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_interrupt_is_not_stored(raised: type[BaseException], site: Site) -> None:
    """It ended the call; the transaction ended in something that is an Exception."""

    def transport(request: bytes) -> bytes:
        raise raised

    transaction = osslcmp.Transaction(secret_context(transport, SECRET), IR)
    transaction.context.set_new_pkey(site.new_key)
    with pytest.raises(raised):
        transaction.poll()
    assert transaction.done
    for _ in range(2):
        with pytest.raises(osslcmp.TransferError, match=f"ended by {raised.__name__}"):
            _ = transaction.result


def test_interrupt_with_a_certificate_is_not_stored(site: Site) -> None:
    """The certificate that was there already is what the transaction has."""

    def confirm(*_: object) -> None:
        raise KeyboardInterrupt

    transaction = site.begin(confirm=confirm)
    site.released = True
    with pytest.raises(KeyboardInterrupt):
        transaction.poll()
    with pytest.raises(osslcmp.ConfirmError) as caught:
        _ = transaction.result
    assert caught.value.enrollment.certificate


# -- asyncio --------------------------------------------------------------------------------------------------


def test_cancelled_twice(site: Site) -> None:
    """The worker has ended when the task ends, however often it is cancelled."""
    entered, leave = threading.Event(), threading.Event()
    running = []

    def transport(request: bytes) -> bytes:
        running.append(True)
        entered.set()
        leave.wait(20)
        running.pop()
        return site.server(request)

    async def test() -> None:
        async with osslcmp.AsyncClient(transport=transport, reference="ref", secret=SECRET) as cmp:
            task = asyncio.create_task(cmp.ir(site.new_key, subject="CN=x"))
            while not entered.is_set():
                await asyncio.sleep(0.01)
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0.02)
            assert not task.done()
            leave.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not running

    asyncio.run(test())


# -- passwords ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PEM", "DER", "PKCS12"])
@pytest.mark.parametrize("right", [True, False])
def test_password_is_asked_once(form: str, right: bool) -> None:
    """A callable may be a person."""
    key = make_key()
    secret = serialization.BestAvailableEncryption(b"right")
    if form == "PKCS12":
        data = pkcs12.serialize_key_and_certificates(b"x", key, None, None, secret)
    else:
        data = key.private_bytes(
            getattr(serialization.Encoding, form), serialization.PrivateFormat.PKCS8, secret
        )
    asked = []

    def password() -> str:
        asked.append(1)
        return "right" if right else "wrong"

    context = Context()
    if right:
        context.set_pkey(data, password)
    else:
        with pytest.raises(ValueError, match="password"):
            context.set_pkey(data, password)
    assert len(asked) == 1


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_password_that_is_not_needed(form: str, site: Site, pki: PKI) -> None:
    """Beside a key that is not encrypted nobody is asked for it, and it is no error: so does openssl."""
    encoding, plain = getattr(serialization.Encoding, form), serialization.NoEncryption()
    key = pki.server.key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)

    def asked() -> str:
        raise AssertionError

    own: dict[str, Any] = {"certificate": pki.server.certificate, "key": key, "key_password": asked}
    assert osslcmp.Client(transport=site.server, trusted=pki.root.certificate, **own)
    assert osslcmp.server.Server(site.ca, **own)
    tls = osslcmp.server.ServerTLS(chain=pki.server.chain, **own)
    trust = osslcmp.TLS(trusted=pki.root.certificate, host=None, verify=False)
    with site.server.serve(tls=tls) as running:
        cmp = osslcmp.Client(running.url, tls=trust, reference="ref", secret=SECRET)
        assert cmp.genm([]) == []


# -- central key generation -----------------------------------------------------------------------------------


def _with_key(certificate: x509.Certificate, form: bytes) -> bytes:
    """An ip that brings the certificate with a private key in this form."""
    pair = encode(
        der.SEQUENCE,
        encode(explicit(0), certificate.public_bytes(serialization.Encoding.DER)),
        encode(explicit(0), form),
    )
    status = encode(der.SEQUENCE, encode_integer(0))
    response = encode(der.SEQUENCE, encode_integer(0), status, pair)
    return encode(explicit(BodyType.IP), encode(der.SEQUENCE, encode(der.SEQUENCE, response)))


#: EncryptedValue with nothing but the value.
OLD_FORM = encode(der.SEQUENCE, encode(der.BIT_STRING, b"\0secret"))


@pytest.mark.parametrize("shared", [False, True])
def test_the_old_form_is_looked_for_in_this_answer(shared: bool, site: Site) -> None:
    """Not in a trace, which may be cut, or have newer answers of others."""
    site.released = True
    trace = Trace(1)
    first = site.client().ir(site.new_key, subject="CN=x").certificate
    transport = LyingTransport(site.server, SECRET, [_with_key(first, OLD_FORM)])
    context = secret_context(transport, SECRET)
    context.set_new_pkey(site.new_key)
    context.set_subject_name("CN=x")
    if shared:
        context.set_trace(trace)

    def others(*_: object) -> None:
        assert osslcmp.Client(transport=site.server, reference="ref", secret=SECRET, trace=trace).ir(
            site.new_key, subject="CN=y"
        )

    others()
    context.set_cert_conf_cb(enveloped_only(context, None))
    if osslcmp.openssl_version >= (3, 5):
        # libcrypto knows itself that no key was asked for.
        with pytest.raises(osslcmp.ResponseError, match="unexpected central gen key"):
            context.exec_ir_ses()
        pytest.skip("this OpenSSL refuses the answer before the certificate is looked at")
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value
    sent = [Message.from_der(message) for message in transport.requests]
    assert sent[-1].type is BodyType.CERTCONF
    assert b"EncryptedValue" in sent[-1].der
    assert shared or context.trace is None


def test_a_dump_has_the_condition(site: Site) -> None:
    """encrypted_value=False counts in the process that takes the request up, and in the next one."""
    site.check_after = 1
    for encrypted_value in (False, True):
        conditions = ResumeConditions(central_key=True, encrypted_value=encrypted_value)
        transaction = osslcmp.Transaction(secret_context(site.server, SECRET), IR, None, conditions)
        transaction.context.set_new_pkey(site.new_key)
        transaction.context.set_subject_name("CN=x")
        assert transaction.poll() is None
        resumed = site.client().resume(transaction.dump())
        assert (resumed.context.cert_conf_cb is None) is encrypted_value
        assert load(resumed.dump()).terms == conditions


# -- threads --------------------------------------------------------------------------------------------------


def test_dump_from_another_thread(site: Site) -> None:
    """While a poll runs it is refused, as every other use of the context."""
    site.check_after = 1
    inside, leave = threading.Event(), threading.Event()
    hold = False

    def transport(request: bytes) -> bytes:
        if hold:
            inside.set()
            leave.wait(20)
        return site.server(request)

    transaction = osslcmp.Client(transport=transport, reference="ref", secret=SECRET).begin(
        IR, key=site.new_key, subject="CN=x"
    )
    assert transaction.dump()
    hold = True
    thread = threading.Thread(target=transaction.poll)
    thread.start()
    try:
        assert inside.wait(20)
        with pytest.raises(RuntimeError, match="another thread"):
            transaction.dump()
    finally:
        leave.set()
        thread.join()
    assert transaction.dump()


# -- CSRs that only OpenSSL knows -----------------------------------------------------------------------------


def test_csr_of_a_kind_that_only_openssl_knows(site: Site, tmp_path: Path) -> None:
    """Its signature is verified by libcrypto; a wrong one is refused."""
    key, request = tmp_path / "key.pem", tmp_path / "csr.der"
    openssl(
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP224r1", "-out", key]
    ).must()
    openssl(["req", "-new", "-key", key, "-subj", "/CN=x", "-outform", "DER", "-out", request]).must()
    data = request.read_bytes()
    csr = x509.load_der_x509_csr(data)
    cmp = site.client()
    site.released = True
    assert x509_parts.public_key_info(cmp.p10cr(csr).certificate_der) in data
    with pytest.raises(ValueError, match="csr: its signature does not verify"):
        cmp.p10cr(data[:-1] + bytes([data[-1] ^ 1]))


def test_csr_signatures(site: Site) -> None:
    """Right and wrong ones, ECDSA and RSA-PSS."""
    site.released = True
    key = ec.generate_private_key(ec.SECP256R1())
    csr = make_csr(key, "CN=x")
    assert site.client().p10cr(csr)
    wrong = bytearray(csr.public_bytes(serialization.Encoding.DER))
    wrong[-1] ^= 1
    with pytest.raises(ValueError, match="csr: its signature does not verify"):
        site.client().p10cr(bytes(wrong))
