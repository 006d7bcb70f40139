"""A CMP server within the process whose answers a test writes: ``OSSL_CMP_SRV_CTX`` without a network.

::

    peer = Peer(pki)
    peer.script.status = PKIStatus.rejection
    peer.attach(context)            # C calls C: OSSL_CMP_CTX_server_perform
    context.set_transfer_cb(peer)   # or: through DER, which keeps the messages and can poll
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography import x509

import osslcmp
from osslcmp import ffi, lib
from osslcmp._openssl import convert
from osslcmp._openssl.callbacks import current
from osslcmp.server import callbacks
from osslcmp.server.callbacks import CertAnswer, StatusAnswer

from .pki import PKI, Identity

REFERENCE, SECRET = b"ref", b"secret"
PROTECTIONS = ("mac", "signature")


@dataclass
class Script:
    """What the server answers, and what it was asked."""

    certificate: x509.Certificate | None = None
    status: int = 0
    failure_info: int = 0
    text: str = ""
    chain: Sequence[x509.Certificate] = ()
    ca_pubs: Sequence[x509.Certificate] = ()
    waits: int = 0
    """How often the client has to ask again; only through DER."""
    check_after: int = 0
    infos: Sequence[osslcmp.InfoTypeAndValue] = ()
    confirms: bool = True
    """Whether a certConf is accepted."""
    on_call: Callable[[str], object] | None = None
    """Is called with the name of each callback."""
    calls: list[str] = field(default_factory=list)
    stashed: list[BaseException] = field(default_factory=list)
    request: Any = None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.on_call is not None:
            self.on_call(name)

    def stash(self, error: BaseException) -> None:
        self.stashed.append(error)
        # A signal handler may raise here as well; that is for the client, whose thread it is.
        if not isinstance(error, Exception) and current.state is not None:
            current.state.store(error)

    def cert_request(self) -> CertAnswer:
        self._called("cert_request")
        if self.waits > 0:
            return CertAnswer(StatusAnswer(osslcmp.PKIStatus.waiting))
        certificate = None if self.certificate is None else convert.cert_to_c(self.certificate)
        return CertAnswer(
            self._status(),
            certificate,
            [convert.cert_to_c(c) for c in self.chain],
            [convert.cert_to_c(c) for c in self.ca_pubs],
        )

    def revocation(self) -> StatusAnswer:
        self._called("revocation")
        return self._status()

    def _status(self) -> StatusAnswer:
        return StatusAnswer(int(self.status), int(self.failure_info), self.text)

    def general(self) -> Sequence[osslcmp.InfoTypeAndValue]:
        self._called("general")
        return self.infos

    def error(self) -> None:
        self._called("error")

    def cert_conf(self) -> bool:
        self._called("cert_conf")
        return self.confirms

    def poll(self) -> int | Any:
        self._called("poll")
        self.waits -= 1
        return self.check_after if self.waits > 0 else self.request


def _free(_handle: Any, pointer: Any) -> None:
    lib.OSSL_CMP_SRV_CTX_free(pointer)


_BODIES_TO_KEEP = (osslcmp.IR, osslcmp.CR, osslcmp.P10CR, osslcmp.KUR)


class Peer:
    """A server context that follows a :class:`Script`."""

    def __init__(self, pki: PKI, *, identity: Identity | None = None, secret: bytes | None = SECRET) -> None:
        identity = identity or pki.server
        self.script = Script(certificate=pki.enrolled.certificate, chain=[pki.issuing.certificate])
        handle = ffi.new_handle(self.script)
        self.requests: list[bytes] = []
        self.responses: list[bytes] = []
        # Whoever keeps the pointer keeps the script alive, too.
        self.pointer = ffi.gc(lib.OSSL_CMP_SRV_CTX_new(ffi.NULL, ffi.NULL), partial(_free, handle))
        ctx = lib.OSSL_CMP_SRV_CTX_get0_cmp_ctx(self.pointer)
        assert lib.OSSL_CMP_CTX_set_log_cb(ctx, ffi.addressof(lib, "osslcmp_log"))
        assert lib.OSSL_CMP_CTX_set1_cert(ctx, convert.cert_to_c(identity.certificate))
        assert lib.OSSL_CMP_CTX_set1_pkey(ctx, convert.key_to_c(identity.key))
        assert lib.OSSL_CMP_CTX_set1_untrusted(ctx, convert.certs_to_c([pki.issuing.certificate]))
        store = convert.store_to_c([pki.root.certificate])
        assert lib.X509_STORE_up_ref(store)
        assert lib.OSSL_CMP_CTX_set0_trustedStore(ctx, store)
        if secret is not None:
            assert lib.OSSL_CMP_CTX_set1_secretValue(ctx, secret, len(secret))
            assert lib.OSSL_CMP_CTX_set1_referenceValue(ctx, REFERENCE, len(REFERENCE))
        callbacks.init(self.pointer, handle)

    @property
    def calls(self) -> list[str]:
        """Which callbacks were called."""
        return self.script.calls

    def attach(self, context: osslcmp.Context) -> osslcmp.Context:
        """Make this the server of ``context``, within C. Returns the context."""
        context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_CTX_server_perform"))
        context.set_transfer_cb_arg(self.pointer)
        return context

    def __call__(self, request: bytes) -> bytes:
        """The answer to a message, DER to DER."""
        self.requests.append(request)
        message = ffi.gc(lib.osslcmp_own_msg(request, len(request)), lib.OSSL_CMP_MSG_free)
        assert message != ffi.NULL
        if lib.OSSL_CMP_MSG_get_bodytype(message) in _BODIES_TO_KEEP:
            self.script.request = message
        answer = lib.OSSL_CMP_SRV_process_request(self.pointer, message)
        assert answer != ffi.NULL
        try:
            self.responses.append(convert.to_der(lib.i2d_OSSL_CMP_MSG, answer, "encoding the answer"))
        finally:
            lib.OSSL_CMP_MSG_free(answer)
        return self.responses[-1]


def new_context(pki: PKI, protection: str = "signature", *, me: Identity | None = None) -> osslcmp.Context:
    """A client that is ready to ask for the certificate that a :class:`Peer` hands out."""
    context = osslcmp.Context()
    me = me or pki.client
    if protection == "mac":
        context.set_reference_value(REFERENCE)
        context.set_secret_value(SECRET)
        context.set_recipient(pki.server.subject)
    else:
        context.set_cert(me.certificate)
        context.set_pkey(me.key)
        context.set_untrusted([pki.issuing.certificate])
        context.set_trusted_store([pki.root.certificate])
    context.set_subject_name(pki.enrolled.subject)
    context.set_new_pkey(pki.enrolled.key)
    return context


def ready(context: osslcmp.Context, kind: str, pki: PKI) -> osslcmp.Context:
    """Give ``context`` what that kind of request needs besides."""
    if kind == "p10cr":
        context.set_p10_csr(pki.enrolled.csr())
    elif kind in ("kur", "rr"):
        context.set_old_cert(pki.enrolled.certificate)
    return context


def execute(context: osslcmp.Context, kind: str) -> Any:
    """Do a request of that kind; what the method returns."""
    return getattr(context, f"exec_{kind}_ses")()


def queued() -> Iterable[int]:
    """The codes on this thread's error queue, which is empty afterwards."""
    while code := lib.ERR_get_error():
        yield code


def sent(context: osslcmp.Context, peer: Peer, kind: str = "ir") -> bytes:
    """The first request of that kind."""
    context.set_transfer_cb(peer)
    execute(context, kind)
    return peer.requests[0]
