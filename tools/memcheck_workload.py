"""What ``./dev memcheck`` runs under valgrind: every way through C, once or a few times, in one process."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support import replays, resigned
from support.enrol import LOCAL
from support.https import WebServer, server_context
from support.inprocess import PROTECTIONS, Peer, new_context, ready
from support.pki import PKI, make_key, make_name
from support.served import Served
from support.silence import mute

import osslcmp
from osslcmp import IR, Context, FailureInfo, InfoTypeAndValue, Option, Severity
from osslcmp.server import EmbeddedCA, token_key, waiting

OID = x509.ObjectIdentifier("1.2.3.4")
CREDENTIALS = {"ref": "secret"}


class InterruptError(BaseException):
    """What the signal handler raises."""


def expect(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], object]) -> None:
    """Something that has to fail."""
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind}")


def boom(*_arguments: object) -> NoReturn:
    """A callback that raises."""
    raise KeyError("boom")


def requests(pki: PKI) -> None:
    """Each request, with either protection, C to C and through DER; and all that a context tells afterwards."""
    for protection in PROTECTIONS:
        for kind in ("ir", "cr", "p10cr", "kur", "rr", "genm"):
            peer = Peer(pki)
            peer.script.ca_pubs = [pki.root.certificate]
            peer.script.text = "text"
            peer.script.infos = [InfoTypeAndValue(OID, b"\5\0")]
            context = ready(new_context(pki, protection), kind, pki)
            context.set_log_cb(lambda *_: None)
            context.set_log_verbosity(Severity.TRACE)
            if kind == "cr":
                context.set_transfer_cb(peer)
            else:
                peer.attach(context)
            context.push_genm_itav(InfoTypeAndValue(OID))
            context.push_geninfo_itav(InfoTypeAndValue(OID, b"\5\0"))
            getattr(context, f"exec_{kind}_ses")()
            for name in ("new_cert", "new_chain", "ca_pubs", "extra_certs_in", "status_string", "untrusted"):
                getattr(context, name)
            for name in ("trusted_store", "new_pkey", "new_public_key"):
                getattr(context, name)
            context.snprint_pki_status()
            context.reinit()


def polls(pki: PKI) -> None:
    """Waiting, aborted and borne with."""
    peer = Peer(pki)
    peer.script.waits = 3
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.try_certreq(IR)
    context.try_certreq(-1)
    context.reinit()
    peer.script.waits = 2
    context.exec_ir_ses()


def refusals(pki: PKI) -> None:
    """Both sides say no, lie, or raise."""
    for verdict in (False, "no ä", FailureInfo.badAlg, 1 << 28):
        context = Peer(pki).attach(new_context(pki))
        context.set_cert_conf_cb(lambda *_, verdict=verdict: verdict)
        expect((osslcmp.ConfirmError, TypeError), context.exec_ir_ses)
    for name in ("set_cert_conf_cb", "set_transfer_cb"):
        context = Peer(pki).attach(new_context(pki))
        getattr(context, name)(boom)
        expect(KeyError, context.exec_ir_ses)
    for called, request in (
        ("cert_request", "ir"),
        ("cert_conf", "ir"),
        ("general", "genm"),
        ("revocation", "rr"),
    ):

        def raises(name: str, called: str = called) -> None:
            if name == called:
                boom()

        peer = Peer(pki)
        peer.script.on_call = raises
        context = peer.attach(ready(new_context(pki), request, pki))
        expect(osslcmp.CMPError, getattr(context, f"exec_{request}_ses"))
    peer = Peer(pki)
    peer.script.status, peer.script.certificate, peer.script.chain = 2, None, ()
    expect(osslcmp.RejectedError, peer.attach(new_context(pki)).exec_ir_ses)
    for answer in (b"", b"junk", b"\x30\x84\xff\xff\xff\xff"):

        def junk(_request: bytes, answer: bytes = answer) -> bytes:
            return answer

        context = new_context(pki)
        context.set_transfer_cb(junk)
        expect(osslcmp.TransferError, context.exec_ir_ses)
    context = Peer(pki).attach(new_context(pki))
    context.set_trusted_store([pki.other_root.certificate])
    expect(osslcmp.ProtectionError, context.exec_ir_ses)


def setters(pki: PKI) -> None:
    """Whatever a context takes over, set again and taken back."""
    for _ in range(3):
        context = Context()
        for name in ("set_subject_name", "set_issuer", "set_recipient", "set_expected_sender"):
            getattr(context, name)("CN=x")
            getattr(context, name)(None)
        context.set_srv_cert(pki.server.certificate)
        context.set_old_cert(pki.client.certificate)
        context.set_p10_csr(pki.client.csr())
        context.set_cert(pki.client.certificate)
        context.set_pkey(pki.client.key)
        context.set_new_pkey(pki.client.key)
        context.set_new_pkey(pki.client.key.public_key())
        context.set_new_pkey(None)
        context.set_trusted_store([pki.root.certificate])
        context.set_untrusted([pki.issuing.certificate])
        context.set_extra_certs_out([pki.issuing.certificate])
        context.build_cert_chain(None, [pki.issuing.certificate])
        context.push_policy(x509.PolicyInformation(OID, None))
        san = x509.SubjectAlternativeName([x509.DNSName("a")])
        context.set_req_extensions([x509.Extension(san.oid, False, san)])
        context.set_transaction_id(b"x" * 16)
        context.set_sender_nonce(b"y" * 16)
        context.set_server("127.0.0.1")
        context.set_server_path("x")
        context.set_proxy("")
        context.set_no_proxy("*")
        expect(ValueError, partial(context.push_genm_itav, InfoTypeAndValue(OID, b"junk")))
        expect(ValueError, partial(context.set_pkey, b"junk"))


def http(pki: PKI) -> None:
    """Connections: kept, shared among threads, cancelled, and interrupted by a signal."""
    with Served(Peer(pki)) as server:
        for keep in (0, 1, 2):
            context = server.point(new_context(pki))
            context.set_option(Option.KEEP_ALIVE, keep)
            context.set_http_cb(lambda _bio, _connect, _detail: None)
            context.exec_ir_ses()
            context.reinit()
            context.exec_ir_ses()
            context.disconnect()
        contexts = [server.point(new_context(pki, "mac")) for _ in range(3)]
        threads = [threading.Thread(target=context.exec_genm_ses) for context in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with mute() as port:
        context = new_context(pki)
        context.set_server("127.0.0.1")
        context.set_server_port(port)
        context.set_server_path("/")
        timer = threading.Timer(1.0, context.cancel)
        timer.start()
        expect(osslcmp.TransferError, context.exec_ir_ses)
        timer.join()

        def ring(_signal: int, _frame: types.FrameType | None) -> None:
            raise InterruptError

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 2.0)
        expect(InterruptError, context.exec_ir_ses)


def tls(pki: PKI) -> None:
    """HTTPS: trusted, not trusted, with a certificate of the client's own."""
    web = pki.issue("web", pki.issuing, sans=LOCAL)
    ca = EmbeddedCA(CREDENTIALS)
    with WebServer(ca.server(), server_context(web)) as server:
        for trusted in (pki.root.certificate, pki.other_root.certificate):
            settings = osslcmp.TLS(trusted=trusted, certificate=pki.client.certificate, key=pki.client.key)
            client = osslcmp.Client(server.url(), reference="ref", secret="secret", tls=settings)
            if trusted is pki.root.certificate:
                client.ir(pki.client.key, subject="CN=me")
            else:
                expect(osslcmp.TransferError, partial(client.ir, pki.client.key, subject="CN=me"))
        for limits in (osslcmp.Limits(certificates=1), osslcmp.Limits(tls_certificates=100)):
            settings = osslcmp.TLS(trusted=pki.root.certificate)
            client = osslcmp.Client(
                server.url(), reference="ref", secret="secret", tls=settings, limits=limits
            )
            expect(osslcmp.TransferError, partial(client.ir, pki.client.key, subject="CN=me"))


def paths(pki: PKI) -> None:
    """A certificate below a CA that two roots have certified: one path is good, or none."""
    key, name = make_key(), make_name("crossed")
    roots = [pki.issue(f"root-{which}", ca=True) for which in "ab"]
    crossed = [pki.issue(f"below-{root.name}", root, ca=True, subject=name, key=key) for root in roots]
    device = pki.issue("crossed-device", crossed[0]).certificate
    sent = [one.certificate for one in crossed]
    for root in roots:
        assert osslcmp.CertificateCheck(trusted=root.certificate).failure(device, sent) is None
    assert osslcmp.CertificateCheck(trusted=pki.other_root.certificate).failure(device, sent) is not None


def clients(pki: PKI) -> None:
    """The client with the package's own server: everything, with a trace, dumped and resumed."""
    ca = EmbeddedCA(CREDENTIALS)
    server = ca.server()
    mac = osslcmp.Client(transport=server, reference="ref", secret="secret", trace=osslcmp.Trace())
    enrollment = mac.ir(pki.client.key, subject="CN=me", sans=["a.example"])
    whoever: dict[str, Any] = {"transport": server, "chain": enrollment.chain, "trusted": ca.root}
    first = osslcmp.Client(certificate=enrollment.certificate, key=pki.client.key, **whoever)
    updated = first.kur(pki.server.key, check=osslcmp.CertificateCheck(trusted=ca.root)).certificate
    own = osslcmp.Client(certificate=updated, key=pki.server.key, **whoever)
    own.ca_certs()
    own.current_crl()
    own.genm(InfoTypeAndValue(OID, b"\5\0"))
    own.p10cr(pki.client.csr())
    own.rr(updated)
    for entry in mac.trace or ():
        assert entry.message is not None
        entry.message.text()
    ca.policy = waiting(2, 0)
    mac.begin("ir", key=pki.client.key, subject="CN=aborted").abort()
    dump = mac.begin("ir", key=pki.client.key, subject="CN=resumed").dump()
    mac.resume(dump, key=pki.client.key).wait(60)
    ca.policy = boom
    expect(osslcmp.RejectedError, lambda: mac.ir(pki.client.key, subject="CN=me"))
    expect(osslcmp.RejectedError, lambda: own.rr(updated))
    stranger = osslcmp.Client(transport=server, reference="ref", secret="wrong")
    expect(osslcmp.CMPError, lambda: stranger.ir(pki.client.key, subject="CN=me"))
    choosy = ca.server(trusted=[pki.root.certificate])
    untrusted = pki.issue("untrusted", pki.other_root)
    for who in (untrusted, untrusted):
        signer = osslcmp.Client(transport=choosy, certificate=who.certificate, key=who.key, trusted=ca.root)
        expect(osslcmp.CMPError, signer.ca_certs)


def keys(pki: PKI) -> None:
    """Private keys however they come, those behind URIs, which sign with what OpenSSL has, and one that refuses."""
    file = pki.client.key_file
    pem = file.read_bytes()
    one_line = pem.replace(b"\n", b" ")
    der = pki.client.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    context = Context()
    for key in (pem, one_line, der, file, f"file:{file}"):
        context.set_pkey(key)
    expect(ValueError, partial(context.set_pkey, pem[:200] + pem[210:]))
    rsa_key = rsa.generate_private_key(65537, 2048)
    signer = Path(tempfile.mkdtemp()) / "rsa.pem"
    signer.write_bytes(rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    found: Any = token_key(f"file:{signer}")
    sha256 = hashes.SHA256()
    for mode in (padding.PKCS1v15(), padding.PSS(padding.MGF1(sha256), 32)):
        signature = found.sign(b"data", mode, sha256)
        rsa_key.public_key().verify(signature, b"data", mode, sha256)
    members = {"name": "no-such-digest", "digest_size": 32, "block_size": None}
    unknown: Any = type("Unknown", (hashes.HashAlgorithm,), members)()
    expect(osslcmp.OpenSSLError, lambda: found.sign(b"data", padding.PKCS1v15(), unknown))
    expect(ValueError, lambda: token_key(f"file:{signer}x"))
    osslcmp.CertificateCheck(trusted=[], policies=["1.2.3", "anyPolicy"], verify_name="ssl_server", host="a")
    expect(ValueError, lambda: osslcmp.CertificateCheck(trusted=[], policies=["no policy"]))


def coroutines(pki: PKI) -> None:
    """asyncio, with a task that is cancelled."""
    ca = EmbeddedCA(CREDENTIALS)
    server = ca.server()

    async def carry(request: bytes) -> bytes:
        return server.process(request)

    async def run() -> None:
        async with osslcmp.AsyncClient(transport=carry, reference="ref", secret="secret") as client:
            await client.ir(pki.client.key, subject="CN=async")
            ca.policy = waiting(1000, 1)
            task = asyncio.create_task(client.ir(pki.client.key, subject="CN=cancelled"))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def replayed(_pki: PKI) -> None:
    """Answers that are kept in C: given out again, dropped, refused; after a lost one, too."""
    replays.once()


def foreign(_pki: PKI) -> None:
    """A message that the signer of the one before has not signed."""
    resigned.at_client()
    resigned.at_server()


def main() -> None:
    """Everything; what is garbage then is collected, so that what remains is a leak."""
    pki = PKI(Path(tempfile.mkdtemp()))
    for part in (
        requests,
        polls,
        refusals,
        setters,
        http,
        tls,
        paths,
        clients,
        keys,
        coroutines,
        replayed,
        foreign,
    ):
        part(pki)
        gc.collect()
        print(part.__name__, flush=True)
    osslcmp.lib.ERR_clear_error()
    print("done", flush=True)


if __name__ == "__main__":
    main()
