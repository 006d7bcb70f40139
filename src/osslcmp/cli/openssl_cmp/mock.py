"""The mock server of ``osslcmp cmp``: ``OSSL_CMP_SRV_CTX`` (3.0) with fixed answers.

The original serves one transaction at a time. Here each has a server context of its own, so that several clients
can be served, and none sees what another left behind.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ... import general
from ..._asn1 import der, oids
from ..._asn1.itav import InfoTypeAndValue
from ..._openssl import convert
from ..._openssl.errorqueue import clear, drain
from ..._openssl.lib import NULL, features, ffi, lib, usable_version
from ..._openssl.ownership import cert_stack, own, up_ref
from ..._openssl.received import message_from_der
from ...enums import BodyType, Option, PKIStatus
from ...errors import OpenSSLError
from ...message import Message
from ...message.bodies import CertReqMessages
from ...server.callbacks import CertAnswer, StatusAnswer, init, init_delays
from ...server.engine import default_hash
from ...server.wire import STARTS
from .console import Console, Failure
from .context import CommandContext
from .load import Loader, check_signers
from .output import shared

if TYPE_CHECKING:
    from .context import Run

_OPEN_LIMIT = 1000
_KNOWN_LIMIT = 100
_NO_FAILURE, _MAX_FAILURE_BIT = -1, 26


class MockServer:
    """Made from the options; raises Failure and CMPError if they do not fit."""

    def __init__(self, run: Run) -> None:
        self._s = run.opt
        self._console = run.console
        self._lock = threading.Lock()
        self._open: OrderedDict[bytes, _Transaction] = OrderedDict()
        self._setters: list[tuple[str, tuple[Any, ...]]] = []
        self._credentials(run.load)
        self.fixed = Fixed.of(run, self._failure_bits())

    def _credentials(self, loader: Loader) -> None:
        s, warn = self._s, self._console.warn
        ref, cert, key = s.text("srv_ref"), s.text("srv_cert"), s.text("srv_key")
        if ref is not None:
            encoded = ref.encode("utf-8", "surrogateescape")
            self._setters.append(("OSSL_CMP_CTX_set1_referenceValue", (encoded, len(encoded))))
        elif cert is None:
            raise Failure("must give -srv_ref for mock server if no -srv_cert given")
        if s.given("srv_secret"):
            encoded = loader.secret("srv_secret", "PBMAC secret of mock server")
            self._setters.append(("OSSL_CMP_CTX_set1_secretValue", (encoded, len(encoded))))
        elif cert is None:
            raise Failure(
                "server credentials (-srv_secret or -srv_cert) must be given if -use_mock_srv or -port is used"
            )
        else:
            warn("server will not be able to handle PBM-protected requests since -srv_secret is not given")
            if key is None:
                raise Failure("must give both -srv_cert and -srv_key options or neither")
        if cert is not None:
            handle = loader.cert(cert, "srv_keypass", "certificate of the mock server")
            self._setters.append(("OSSL_CMP_CTX_set1_cert", (handle,)))
        if key is not None:
            handle = loader.private_key(key, "srv_keypass", "private key for mock server cert")
            self._setters.append(("OSSL_CMP_CTX_set1_pkey", (handle,)))
        self._store = loader.optional(loader.store, "srv_trusted", "certs trusted by mock server")
        if self._store is None:
            warn(
                "mock server will not be able to handle signature-protected requests since -srv_trusted is not given"
            )
        what = "untrusted certificates for mock server"
        #: Untrusted certificates that may complete chains: as in the original, also what earlier clients sent.
        self._known = loader.optional(loader.certs, "srv_untrusted", what) or []
        check_signers(self._known, what)

    def _failure_bits(self) -> int:
        s, bits = self._s, self._s.number("failurebits")
        if (bit := s.number("failure")) != _NO_FAILURE:
            if not 0 <= bit <= _MAX_FAILURE_BIT:
                raise Failure(f"-failure out of range, should be >= 0 and <= {_MAX_FAILURE_BIT}")
            if bits:
                self._console.warn("-failurebits overrides -failure")
            else:
                bits = 1 << bit
        if not 0 <= bits < 1 << (_MAX_FAILURE_BIT + 1):
            raise Failure("-failurebits out of range")
        return bits

    def context(self, server: Any) -> CommandContext:
        """Set up the ``OSSL_CMP_CTX`` of a new server context."""
        s = self._s
        ctx: CommandContext = CommandContext._borrowed(lib.OSSL_CMP_SRV_CTX_get0_cmp_ctx(server), server)
        ctx.set_log_verbosity(s.number("verbosity"))
        ctx.set_log_cb(self._console.from_server)
        for function, args in self._setters:
            ctx.put(function, *args)
        if self._known:
            ctx.put("OSSL_CMP_CTX_set1_untrusted", cert_stack(self._known))
        if self._store is not None:
            store = up_ref(self._store, lib.X509_STORE_up_ref, lib.X509_STORE_free, "sharing the trust store")
            ctx.give_trusted(store)
        for option, setter in (
            ("grant_implicitconf", lib.OSSL_CMP_SRV_CTX_set_grant_implicit_confirm),
            ("send_unprot_err", lib.OSSL_CMP_SRV_CTX_set_send_unprotected_errors),
            ("accept_unprotected", lib.OSSL_CMP_SRV_CTX_set_accept_unprotected),
            ("accept_raverified", lib.OSSL_CMP_SRV_CTX_set_accept_raverified),
        ):
            if s.flag(option):
                setter(server, 1)
        if s.flag("send_unprotected"):
            ctx.set_option(Option.UNPROTECTED_SEND, 1)
        if s.flag("accept_unprot_err"):
            ctx.set_option(Option.UNPROTECTED_ERRORS, 1)
        return ctx

    def _learn(self, certs: list[Any]) -> None:
        for cert in certs:
            if not any(lib.X509_cmp(cert, known) == 0 for known in self._known):
                self._known.append(cert)
        del self._known[:-_KNOWN_LIMIT]

    def process(self, request: bytes) -> bytes:
        """Answer a message, both DER. Raises ValueError if it is none, OpenSSLError if there is no answer to it."""
        clear()
        pointer = message_from_der(request)
        if pointer == NULL:
            reasons = "; ".join(map(str, drain()))
            raise ValueError(f"not a CMP message: {reasons}")
        message = own(pointer, lib.OSSL_CMP_MSG_free, "decoding a request")
        header = lib.OSSL_CMP_MSG_get0_header(message)
        number = convert.octets_from_c(lib.OSSL_CMP_HDR_get0_transactionID(header)) or b""
        with self._lock:
            kind = lib.OSSL_CMP_MSG_get_bodytype(message)
            transaction = self._open.pop(number, None)
            if transaction is None or (kind in STARTS and not transaction.polled):
                transaction = _Transaction(self)
            try:
                answer = transaction.process(message, request)
            finally:
                self._learn(transaction.untrusted())
                if transaction.is_open:
                    self._open[number] = transaction
                while len(self._open) > _OPEN_LIMIT:
                    self._open.popitem(last=False)
            return answer


# -- the answers, the same for everybody ------------------------------------------------------------------

#: Before 3.2 the certificate that is returned is also the only one that can be updated and revoked.
_ONE_FOR_ALL = usable_version < (3, 2, 0)
_NO_KEY = b"\0"
"""A BIT STRING without bits: the server is to make the key."""
_PROFILE = "profile1"
"""The only one that mock servers know."""
_OWN_DELAY = frozenset({BodyType.IR, BodyType.CR, BodyType.P10CR, BodyType.KUR, BodyType.ERROR})


@dataclass(frozen=True)
class Fixed:
    """The answer's parts, as the options gave them."""

    console: Console
    status: StatusAnswer
    certificate: Any = None
    reference: Any = None
    key: Any = None
    chain: Sequence[Any] = ()
    ca_pubs: Sequence[Any] = ()
    crl: Any = None
    roots: Sequence[Any] = (None, None, None)
    poll_count: int = 0
    check_after: int = 1
    send_error: bool = False

    @classmethod
    def of(cls, run: Run, failure_bits: int) -> Fixed:
        """Load what the options name. Raises Failure."""
        s, console, load = run.opt, run.console, run.load
        pass_option = "rsp_keypass" if s.given("rsp_keypass") else "keypass"
        what = "cert to be returned by the mock server"
        certificate = load.optional(load.cert, "rsp_cert", pass_option, what)
        if certificate is None:
            console.warn("no -rsp_cert given for mock server")
        what = "reference cert to be expected by the mock server"
        reference = load.optional(load.cert, "ref_cert", "otherpass", what)
        extra = load.optional(load.certs, "rsp_extracerts", "CMP extra certificates for mock server")
        return cls(
            console=console,
            status=StatusAnswer(s.number("pkistatus"), failure_bits, s.text("statusstring") or ""),
            certificate=certificate,
            reference=certificate if reference is None and _ONE_FOR_ALL else reference,
            key=load.optional(load.private_key, "rsp_key", "rsp_keypass", "private key for enrollment cert"),
            chain=extra or (),
            ca_pubs=load.optional(load.certs, "rsp_capubs", "caPubs for mock server") or (),
            crl=load.optional(load.crl, "rsp_crl", "CRL to be returned by the mock server"),
            roots=[
                load.optional(load.cert, f"rsp_{name}", "otherpass", f"{name} cert")
                for name in ("newwithnew", "newwithold", "oldwithnew")
            ],
            poll_count=s.number("poll_count"),
            check_after=s.number("check_after"),
            send_error=s.flag("send_error"),
        )


class _Transaction:
    """A server context for one transaction, and the ``server.callbacks.Handler`` for its messages."""

    def __init__(self, mock: MockServer) -> None:
        clear()
        self._server = own(
            lib.OSSL_CMP_SRV_CTX_new(NULL, NULL), lib.OSSL_CMP_SRV_CTX_free, "making a server context"
        )
        self._ctx = mock.context(self._server)
        self._fixed = mock.fixed
        self._message: Any = None
        self._der = b""
        self._request: Any = None
        self._polls = 0

    @property
    def is_open(self) -> bool:
        """Whether another message of the client is expected."""
        return bool(lib.OSSL_CMP_CTX_get_status(self._ctx.raw) == lib.OSSL_CMP_PKISTATUS_trans)

    @property
    def polled(self) -> bool:
        """Whether a request waits for its client to poll."""
        return self._request is not None

    def untrusted(self) -> list[Any]:
        """The certificates that helped to verify messages, or could have."""
        return shared(lib.OSSL_CMP_CTX_get0_untrusted(self._ctx.raw))

    def process(self, message: Any, der: bytes) -> bytes:
        """Let libcrypto answer."""
        self._message, self._der = message, der
        handle = ffi.new_handle(self)
        init(self._server, handle)
        if features["delayed_delivery"]:
            init_delays(self._server)
        self._ctx.calls.state.begin()
        self._ctx.calls.apply_verbosity()
        answer = self._ctx.calls.inside(lib.OSSL_CMP_SRV_process_request, self._server, message)
        errors = drain()
        if answer == NULL:
            raise OpenSSLError("the mock server has no answer", errors)
        owned = own(answer, lib.OSSL_CMP_MSG_free, "answering")
        return convert.to_der(lib.i2d_OSSL_CMP_MSG, owned, "encoding the answer")

    def stash(self, error: BaseException) -> None:
        """Report what went wrong, unless it is a Refusal, which is in the answer."""
        if not isinstance(error, Refusal):
            self._fixed.console.error(f"mock server: {error}")

    def delayed(self) -> bool:
        """From 3.3 on a client can be made to poll for any answer; requests for certificates say so themselves."""
        kind = lib.OSSL_CMP_MSG_get_bodytype(self._message)
        if kind in _OWN_DELAY or self._fixed.poll_count <= 0 or self._polls:
            return False
        self._hold()
        return True

    def _hold(self) -> None:
        self._request = own(lib.OSSL_CMP_MSG_dup(self._message), lib.OSSL_CMP_MSG_free, "keeping a request")

    def cert_request(self) -> CertAnswer:
        """What ``-rsp_cert`` and its like say, after as many polls as ``-poll_count`` does. Raises Refusal."""
        fixed = self._fixed
        self._refuse_if_asked()
        if fixed.poll_count > 0 and self._polls == 0:
            if self._request is not None:
                raise Refusal("UNEXPECTED_PKIBODY")
            self._hold()
            return CertAnswer(StatusAnswer(PKIStatus.waiting))
        if self._polls >= fixed.poll_count:
            self._polls = 0
        message = Message.from_der(self._der)
        if message.type is BodyType.CR and features["cert_profile"]:
            _check_profile(message)
        # While polling it is the pollReq that is being processed; the request was checked with it.
        body, key = message.body, None
        if isinstance(body, CertReqMessages):
            request = body.requests[0]
            if message.type is BodyType.KUR and fixed.reference is not None:
                self._check_old_cert(request)
            wants_key = features["central_key_generation"] and _wants_key(request.template.public_key_der)
            if wants_key and (key := fixed.key) is None:
                raise Refusal("ERROR_PROCESSING_MESSAGE")
        return CertAnswer(fixed.status, fixed.certificate, fixed.chain, fixed.ca_pubs, key)

    def _check_old_cert(self, request: Any) -> None:
        named = (control.old_certificate for control in request.controls)
        old = next((cert_id for cert_id in named if cert_id is not None), None)
        if old is None:
            raise Refusal("MISSING_CERTID")
        # A GeneralName: the directoryName is explicitly tagged.
        if not self._is_reference(der.read(old.issuer_der).content, old.serial_number):
            raise Refusal("WRONG_CERTID")

    def _is_reference(self, issuer_der: bytes, serial: int) -> bool:
        cert = self._fixed.reference
        issuer = convert.encoded_name_to_c(issuer_der)
        number = convert.integer_to_c(serial)
        return bool(
            lib.X509_NAME_cmp(issuer, lib.X509_get_issuer_name(cert)) == 0
            and lib.ASN1_INTEGER_cmp(number, lib.X509_get0_serialNumber(cert)) == 0
        )

    def revocation(self) -> StatusAnswer:
        """The status of the options; if there is a reference certificate, for that alone. Raises Refusal."""
        fixed = self._fixed
        if _ONE_FOR_ALL and fixed.certificate is None:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        self._refuse_if_asked()
        template = self._body.details[0].template
        if template.issuer_der is None or template.serial_number is None:
            return fixed.status  # it was made from a CSR
        if fixed.reference and not self._is_reference(template.issuer_der, template.serial_number):
            raise Refusal("REQUEST_NOT_ACCEPTED", "wrong certificate to revoke")
        return fixed.status

    def general(self) -> Sequence[InfoTypeAndValue]:
        """The answer to the one item that may be asked for. Raises Refusal."""
        self._refuse_if_asked()
        items = self._body.items
        if len(items) > 1:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        return [_general_answer(item, self._fixed) for item in items]

    def error(self) -> None:
        """Tell on stderr what the client complains of."""
        say, body = self._fixed.console.plain, self._body
        say("mock server received error:")
        say(f"pkiStatusInfo: {body.status}")
        say("errorCode absent" if body.error_code is None else f"errorCode: {body.error_code}")
        details = ", ".join(f'"{text}"' for text in body.error_details)
        say(f"errorDetails: {details}" if details else "errorDetails absent")

    def cert_conf(self) -> bool:
        """Whether the client confirms the certificate that it was given. Raises Refusal."""
        fixed = self._fixed
        if fixed.certificate is None:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        self._refuse_if_asked()
        statuses = self._body.statuses
        if statuses and statuses[0].cert_hash != default_hash(fixed.certificate):
            raise Refusal("CERTHASH_UNMATCHED")
        return True

    def poll(self) -> int | Any:
        """The seconds of ``-check_after``, or at the last poll the request (``OSSL_CMP_MSG *``). Raises Refusal."""
        self._refuse_if_asked()
        if self._request is None:
            raise Refusal("UNEXPECTED_POLLREQ")
        self._polls += 1
        if self._polls < self._fixed.poll_count:
            return self._fixed.check_after
        request, self._request = self._request, None
        self._der = convert.to_der(lib.i2d_OSSL_CMP_MSG, request, "encoding a request")
        return request

    @property
    def _body(self) -> Any:
        """That of the message, which libcrypto has looked at."""
        return Message.from_der(self._der).body

    def _refuse_if_asked(self) -> None:
        if self._fixed.send_error:
            raise Refusal("ERROR_PROCESSING_MESSAGE")


def _wants_key(public_key: bytes | None) -> bool:
    """Whether a template leaves the key to the server."""
    return public_key is None or der.sequence(public_key)[1].content == _NO_KEY


def _check_profile(message: Message) -> None:
    for item in message.header.general_info:
        if item.oid.dotted_string == oids.CERT_PROFILE:
            names = [] if item.value is None else der.sequence(item.value)
            if not names or der.text(names[0]) != _PROFILE:
                raise Refusal("UNEXPECTED_CERTPROFILE")
            return


# -- answers to general messages ---------------------------------------------------------------------------

_ISSUER = 3
"""The issuer in a CertTemplate."""
_EC_KEYS = der.encode(
    der.SEQUENCE,
    der.encode_oid(oids.ALG_ID),
    der.encode(der.SEQUENCE, der.encode_oid(oids.EC)),
)
_RSA_KEYS = der.encode(der.SEQUENCE, der.encode_oid(oids.RSA_KEY_LEN), der.encode_integer(4096))


class Refusal(Exception):
    """The client gets the reason that this queues, by libcrypto. ``reason`` is the name after ``CMP_R_``."""

    def __init__(self, reason: str, data: str = "") -> None:
        super().__init__(reason)
        number = getattr(lib, f"CMP_R_{reason}", lib.CMP_R_UNEXPECTED_PKIBODY)  # that was all before 3.3
        lib.ERR_raise(lib.ERR_LIB_CMP, number)
        if data:
            lib.ERR_add_error_txt(NULL, data.encode())


def _general_answer(info: InfoTypeAndValue, fixed: Fixed) -> InfoTypeAndValue:
    """The answer to an item; what is not known comes back as it is. Raises Refusal."""
    kind, release = info.oid, usable_version[:2]
    if kind == general.CA_CERTS and release >= (3, 2):
        certs = [convert.cert_to_der(cert) for cert in fixed.ca_pubs]
        return general.ca_certs_info(certs) if certs else InfoTypeAndValue(kind, None)
    if kind == general.ROOT_CA_CERT and release >= (3, 2):
        new = fixed.roots[0]
        known = None if info.value is None or new is None else convert.cert_to_c(info.value)
        if known and lib.X509_NAME_cmp(lib.X509_get_subject_name(known), lib.X509_get_subject_name(new)):
            new = None
        roots = (new, *fixed.roots[1:])
        return general.root_ca_key_update_info(*(cert and convert.cert_to_der(cert) for cert in roots))
    if kind == general.CRL_STATUS_LIST and release >= (3, 4):
        newer = newer_crl(info, fixed)
        return general.crls_info([] if newer is None else [newer])
    if kind == general.CERT_REQ_TEMPLATE and release >= (3, 4):
        return general.cert_req_template_info(_template(fixed))
    return info


def newer_crl(info: InfoTypeAndValue, fixed: Fixed) -> bytes | None:
    """The CRL, unless the client knows one as new."""
    statuses = [] if info.value is None else der.sequence(info.value)
    if len(statuses) != 1:
        raise Refusal("UNEXPECTED_CRLSTATUSLIST")
    if fixed.crl is None:
        return None
    encoded = convert.to_der(lib.i2d_X509_CRL, fixed.crl, "encoding a CRL")
    fields = der.Fields(der.sequence(statuses[0].encoding))
    source = fields.take()
    if source.tag == der.explicit(1):  # issuer [1] GeneralNames
        names = der.sequence(source.content)
        if not names or names[0].tag != der.explicit(4):
            raise Refusal("SENDER_GENERALNAME_TYPE_NOT_SUPPORTED")
        name = convert.encoded_name_to_c(names[0].content)
        if lib.X509_NAME_cmp(name, lib.X509_CRL_get_issuer(fixed.crl)):
            raise Refusal("UNKNOWN_CRL_ISSUER")
    if fields.done:
        return encoded
    known = ffi.new("time_t *", int(der.moment(fields.take()).timestamp()))
    return encoded if lib.X509_cmp_time(lib.X509_CRL_get0_lastUpdate(fixed.crl), known) > 0 else None


def _template(fixed: Fixed) -> bytes:
    if fixed.reference is None:
        raise Refusal("ERROR_PROCESSING_MESSAGE")
    issuer = convert.to_der(lib.i2d_X509_NAME, lib.X509_get_issuer_name(fixed.reference), "encoding a name")
    template = der.encode(der.SEQUENCE, der.encode(der.explicit(_ISSUER), issuer))
    return der.encode(der.SEQUENCE, template, der.encode(der.SEQUENCE, _EC_KEYS, _RSA_KEYS))
