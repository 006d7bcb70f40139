"""A CMP server that really issues, does what a script says, and remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .._arguments import checked
from .._asn1 import der
from .._asn1.der import explicit
from .._asn1.itav import InfoTypeAndValue
from .._text import one_line
from ..enums import BodyType, FailureInfo
from ..errors import TransferError
from ..message import Message
from ..server import (
    CertificateRequest,
    Confirmation,
    EmbeddedCA,
    GeneralRequest,
    Issued,
    Rejected,
    RevocationRequest,
    Revoked,
    Waiting,
    wire,
)
from ..server.ca.issuing import make_server_certificate
from ..server.ca.signing import Signing
from ..server.http.app import CONTENT_TYPE, Application, Request, Response
from ..server.http.paths import Place
from ..server.http.serving import serve
from ..server.http.tls import ClientCertificates, ServerTLSInput
from ..server.server import Server
from ..trace import Trace
from .faults import REQUESTS, CertReqId, Change, Delay, Fault, HTTPAnswer, Reject, Wait, known, ok
from .quirks import Quirks, quirks
from .rewriting import with_body
from .tls import ClientTLS, make_tls

REFERENCE, SECRET = b"osslcmp-test", b"osslcmp-test-secret"


class _HTTPFault(BaseException):
    """Passes by the handlers of errors: it is what was wanted."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


class ScriptedCA(EmbeddedCA):
    """An embedded CA that obeys a plan for a transaction."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: By transactionID, what to do instead of answering its request as it should be.
        self.plans: dict[bytes, Fault] = {}
        #: The same for the certConf of a transaction.
        self.confirmations: dict[bytes, Fault] = {}
        #: The regToken that every request must have.
        self.registration_token: str | None = None

    def signer(self) -> tuple[x509.Certificate, Any]:
        """The issuing CA's certificate and key, to sign answers with."""
        return self._issuer.certificate, self._issuer.key

    def issue(self, request: CertificateRequest) -> Issued | Waiting | Rejected:
        """Issue, wait or refuse as planned for this transaction."""
        planned = _planned(self.plans, request)
        if planned is not None:
            return planned
        if self.registration_token not in (None, request.registration_token):
            return Rejected(FailureInfo.notAuthorized, "the registration token is wrong or missing")
        if self.registration_token is not None:  # it is heeded
            request = replace(
                request, controls=tuple(one for one in request.controls if one.name != "regToken")
            )
        plan = self.plans.get(request.transaction_id)
        if plan is not None and plan.name == "issue_other_key":
            other = ec.generate_private_key(ec.SECP256R1()).public_key()
            info = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            request = replace(request, public_key=other, public_key_info=info)
        return super().issue(request)

    def revoke(self, request: RevocationRequest) -> Revoked | Waiting | Rejected:
        """Revoke, wait or refuse as planned for this transaction."""
        return _planned(self.plans, request) or super().revoke(request)

    def general(self, request: GeneralRequest) -> Sequence[InfoTypeAndValue] | Waiting | Rejected:
        """Answer, wait or refuse as planned for this transaction."""
        return _planned(self.plans, request) or super().general(request)

    def confirm(self, confirmation: Confirmation) -> Waiting | None:
        """Take note, or wait as planned for this certConf."""
        planned = _planned(self.confirmations, confirmation)
        return planned if isinstance(planned, Waiting) else super().confirm(confirmation)


def body_type(name: str) -> BodyType:
    """That of a name as it is in scripts, such as ``ir``. Raises ``ValueError`` if clients send no such message."""
    wanted = name.upper()
    if wanted in BodyType.__members__ and BodyType[wanted] not in REQUESTS:
        raise ValueError(
            f"script: clients send no {name.lower()}; a step goes by the request that it answers"
        )
    known("script: there is no type of message", name.lower(), sorted(kind.name.lower() for kind in REQUESTS))
    return BodyType[wanted]


def _planned(
    plans: dict[bytes, Fault],
    request: CertificateRequest | RevocationRequest | GeneralRequest | Confirmation,
) -> Waiting | Rejected | None:
    plan = plans.get(request.transaction_id)
    if isinstance(plan, Wait) and request.polls < plan.times:
        return Waiting(plan.check_after, "waiting by script")
    return Rejected(plan.failure_info, plan.text) if isinstance(plan, Reject) else None


class CMPServer(AbstractContextManager["CMPServer"]):
    """A CMP server for tests: ``url``, ``reference``, ``secret``, ``root``, ``script(...)``, ``requests``.

    It answers over HTTP on 127.0.0.1 and, called with DER, in the process.

    Args:
        ca: its CA, a new one by default.
        reference: names the shared secret that it knows.
        secret: the shared secret.
        host: address to listen on.
        port: TCP port; 0: a free one.
        tls: True for HTTPS with a certificate of a TLS CA of its own; ``"optional"`` or ``"required"``: with certificates
            of clients, too; all that clients need is ``tls`` of the server then. Or settings with certificates of yours.
        options: those of :class:`osslcmp.server.Server`.
    """

    @checked
    def __init__(
        self,
        ca: ScriptedCA | None = None,
        *,
        reference: bytes | str = REFERENCE,
        secret: bytes | str = SECRET,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool | ClientCertificates | ServerTLSInput = False,
        **options: Any,
    ) -> None:
        self.ca = ca if ca is not None else ScriptedCA()
        self.reference = reference.encode() if isinstance(reference, str) else reference
        self.secret = secret.encode() if isinstance(secret, str) else secret
        self.ca.add_secret(self.reference, self.secret)
        self.requests: list[Message] = []
        """Every message that came, decoded; without those that cannot be."""
        self.responses: list[Message] = []
        """Every answer that went out and that is a CMP message."""
        self.trace = Trace()
        """Both, and what is no message, as they went: a failed test shows it as a ladder."""
        self.exchanges: list[Exchange] = []
        """All that came by HTTP, as octets, with what went back."""
        self.tls: ClientTLS | None = None
        """What clients need for HTTPS: None without it, and with certificates that were given."""
        self._lock = threading.RLock()
        self._any: deque[Fault] = deque()
        self._by_type: dict[BodyType, deque[Fault]] = {}
        self._failed: list[str] = []
        self._renumbered: set[bytes] = set()
        self._options = options
        self._quirks = Quirks()
        self._key: Any = None
        self._server: Server = self.ca.server(**options)
        with ExitStack() as stack:
            stack.callback(self._close_server)
            secure: ServerTLSInput | None = None
            if isinstance(tls, (bool, str)):
                if tls is not False:
                    directory = stack.enter_context(TemporaryDirectory(prefix="osslcmp-testing-"))
                    secure, self.tls = make_tls(Path(directory), host, tls)
            else:
                secure = tls
            application = _Application(self, self._server.max_message_size)
            self._running = serve(application, host, port, threads=8, timeout=10.0, tls=secure)
            self._files = stack.pop_all()

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._running.url

    @property
    def root(self) -> x509.Certificate:
        """The trust anchor of the CA and of the server's signatures."""
        return self.ca.root

    @property
    def signer(self) -> x509.Certificate | None:
        """The certificate that signs its answers, where they are signed."""
        return self._server.certificate

    @property
    def server(self) -> Server:
        """The server behind it."""
        return self._server

    def script(self, *faults: Fault, **by_type: Fault | Iterable[Fault]) -> None:
        """What to do with the next messages, one step each, in order.

        By keyword, steps for one type of message only: ``script(certconf=drop_response(), ir=[ok(), reject()])``;
        these go first. Polls of a transaction that waits use no step of the general order, and a step that is not for a
        message (:func:`several_responses` for a genm) waits for one that it is for. Replaces what is left of an earlier
        script.

        Args:
            faults: steps for messages of any type.
            by_type: one step or several, by the name of a BodyType (``ir``, ``certconf``).

        Raises:
            TypeError: a step is none.
            ValueError: clients send no such message, or the step is not for it.
        """
        plans: dict[BodyType, deque[Fault]] = {}
        for name, steps in by_type.items():
            written: Any = steps
            several = isinstance(written, Iterable) and not isinstance(written, str)
            plans[body_type(name)] = deque(written if several else [written])
        for fault in (*faults, *(step for steps in plans.values() for step in steps)):
            if not isinstance(fault, Fault):
                name = getattr(fault, "__name__", repr(fault))
                raise TypeError(f"script: a step such as waiting(), not {name}")
        for kind, steps in plans.items():
            for fault in steps:
                if kind not in fault.requests:
                    able = ", ".join(sorted(one.name.lower() for one in fault.requests))
                    raise ValueError(f"script: {fault.name}() is not for {kind.name.lower()}, but for {able}")
        with self._lock:
            self._any, self._by_type = deque(faults), plans
            self._failed.clear()

    @checked
    def quirks(self, profile: str | None = None, **settings: Any) -> None:
        """Behave from now on as servers in the field do, until the next call or :meth:`clear`; transactions end here.

        Args:
            profile: ``3gpp``, ``ejbca-hmac``, ``ejbca-regtoken``, ``issuer-as-sender``, ``no-confirmation``,
                ``reflecting``, ``subset-137`` or ``unasked-implicit``: see docs/interoperability.md.
            settings: the attributes of :class:`osslcmp.testing.quirks.Quirks`, over those of the profile.

        Raises:
            ValueError: there is no such profile or setting.
        """
        found = quirks(profile, settings)
        options = dict(self._options)
        key: Any = None
        if found.signer_is_issuer:
            certificate, key = self.ca.signer()
            options |= {"certificate": certificate, "key": key, "chain": []}
        elif found.resigned:
            issuer, issuing = self.ca.signer()
            certificate, key = make_server_certificate("CMP server", issuer, Signing(issuer, issuing))
            options |= {"certificate": certificate, "key": key, "chain": self.ca.chain}
        options |= {"sign_always": True} if found.sign_always else {}
        options |= {"accept_unprotected": True} if found.registration_token is not None else {}
        with self._lock:
            old, self._server = self._server, self.ca.server(**options)
            self._quirks, self._key, self.ca.registration_token = found, key, found.registration_token
        old.close()

    def clear(self) -> None:
        """Forget the script, the quirks and the messages recorded so far. What the CA has issued stays."""
        self.script()
        if self._quirks != Quirks():
            self.quirks()
        self.requests.clear()
        self.responses.clear()
        self.exchanges.clear()
        self.trace.clear()

    @property
    def script_left(self) -> int:
        """How many steps were not used yet."""
        return len(self.steps_left)

    @property
    def steps_left(self) -> list[str]:
        """These steps, as they are written, and before them those that could not do what they are for, with the reason."""
        with self._lock:
            named = [
                f"{kind.name.lower()}={step.name}()"
                for kind, steps in self._by_type.items()
                for step in steps
            ]
            return [*self._failed, *(f"{step.name}()" for step in self._any), *named]

    def _step(self, kind: BodyType, transaction_id: bytes) -> Fault | None:
        with self._lock:
            if self._by_type.get(kind):
                return self._by_type[kind].popleft()
            plans = (self.ca.plans, self.ca.confirmations)
            if kind is BodyType.POLLREQ and any(isinstance(p.get(transaction_id), Wait) for p in plans):
                return None
            # A step waits for a message that it is for.
            return self._any.popleft() if self._any and kind in self._any[0].requests else None

    def answer(self, request: bytes) -> bytes:
        """The answer to one message, after the script.

        Args:
            request: the PKIMessage, as DER.

        Returns:
            The answer, as DER.

        Raises:
            MalformedMessageError: it is no PKIMessage with a readable header.
            BaseException: one of its own, for a step that only HTTP can show; ``__call__`` makes what a transport
                raises of it.
        """
        return self._answer(request, Place())

    def _answer(self, request: bytes, place: Place) -> bytes:
        raw = wire.receive_message(request, self._server.max_message_size, self._server.limits)
        kind = BodyType(raw.body_type)
        with suppress(ValueError):  # what the server answers need not be as RFC 9810 has it
            self.requests.append(Message.from_der(request))
            self.trace.seen(True, request, kind, raw.transaction_id)
        fault = self._step(kind, raw.transaction_id) or _OK
        if isinstance(fault, HTTPAnswer):
            raise _HTTPFault(fault)
        if isinstance(fault, Delay):
            time.sleep(fault.seconds)
        if isinstance(fault, (Wait, Reject)) or fault.name == "issue_other_key":
            plans = self.ca.confirmations if kind is BodyType.CERTCONF else self.ca.plans
            plans[raw.transaction_id] = fault
        answer = self._normal(request, raw, place, fault)
        if fault.name == "drop_response":
            raise _HTTPFault(fault)
        try:
            sent = self._finish(self._spoil(answer, raw, fault), raw, fault)
        except Exception as error:
            self._failed.append(f"{fault.name}() raised {type(error).__name__}: {one_line(str(error))}")
            raise
        with suppress(ValueError):  # a function of the user's may have made anything of it
            message = Message.from_der(sent)
            self.responses.append(message)
            self.trace.seen(False, sent, message.type, message.header.transaction_id)
        return sent

    def _normal(self, request: bytes, raw: wire.RawMessage, place: Place, fault: Fault) -> bytes:
        """What the server answers, with its quirks as far as they are protected."""
        kind, found = BodyType(raw.body_type), self._quirks
        if isinstance(fault, Reject) and kind not in wire.STARTS:  # of which the CA refuses each
            answer = self._server.answers.refuse(raw, fault.failure_info, fault.text)
        elif found.no_confirmation and kind is BodyType.CERTCONF:
            answer = self._server.answers.refuse(raw, FailureInfo.badRequest, "no confirmation is expected")
        elif kind is BodyType.CERTCONF and raw.transaction_id in self._renumbered:
            # libcrypto would refuse a certReqId that was made up here, and so asks nobody whether to wait.
            if isinstance(fault, Wait):
                self._failed.append("waiting(): not for the certConf of a certReqId that was made up")
            refusal = self._server.answers.refuse(raw, FailureInfo.badRequest, "")
            pki_conf = with_body(refusal, der.encode(explicit(BodyType.PKICONF), der.encode(der.NULL)))
            answer = self._server.answers.protect(raw, pki_conf)
        else:
            answer = self._server.process(request, place)
        changed = found.change(answer, kind, self.ca.issuer)
        if changed == answer:
            return answer
        if found.p10cr_request_id_0 and kind is BodyType.P10CR:
            self._renumbered.add(raw.transaction_id)
        return self._server.answers.protect(raw, changed)

    def _spoil(self, answer: bytes, request: wire.RawMessage, fault: Fault) -> bytes:
        """The answer with a fault that is protected."""
        if not isinstance(fault, Change) or not fault.protect:
            return answer
        if isinstance(fault, CertReqId):
            self._renumbered.add(request.transaction_id)
        changed = self._changed(answer, fault)
        transaction_id = wire.read_message(changed).header.transaction_id
        if transaction_id is None:
            raise ValueError("libcrypto protects nothing that has no transactionID: protect=False")
        other = replace(request, header=replace(request.header, transaction_id=transaction_id))
        return self._server.answers.protect(other, changed)

    def _finish(self, answer: bytes, request: wire.RawMessage, fault: Fault) -> bytes:
        """The answer with the quirks and the fault that break the protection, or are made without it."""
        answer = self._quirks.finish(answer, request.header.sender_kid, self.ca.root, self._key)
        return self._changed(answer, fault) if isinstance(fault, Change) and not fault.protect else answer

    def _changed(self, answer: bytes, fault: Change) -> bytes:
        changed = fault.made_of(answer)
        if changed == answer and fault.must:
            self._failed.append(f"{fault.name}(): it changed nothing in the {_type_of(answer)}")
        return changed

    def __call__(self, request: bytes) -> bytes:
        """Answer in the process: ``Client(transport=cmp_server)``."""
        try:
            return self.answer(request)
        except _HTTPFault as found:
            fault = found.fault
            if not isinstance(fault, HTTPAnswer):
                raise ConnectionResetError("the response was dropped by script") from None
            if fault.status is HTTPStatus.OK and fault.content_type == CONTENT_TYPE:
                return fault.body
            failure = TransferError(f"HTTP status {fault.status.value}, {fault.content_type}")
            failure.http_status, failure.body = fault.status.value, fault.body
            raise failure from None

    def _close_server(self) -> None:
        self._server.close()  # that of now: quirks make another

    def close(self) -> None:
        """Stop serving."""
        self._running.stop()
        self._files.close()

    def __exit__(self, *_exception: object) -> None:
        self.close()


@dataclass(frozen=True)
class Exchange:
    """What came by HTTP, whatever it was, and what went back."""

    request: Request
    """``method``, ``path``, ``content_type``, ``body`` (octets) and ``address`` of the client."""
    response: Response | None
    """``status``, ``body`` (octets) and ``headers``; None if the connection was closed instead."""

    @property
    def is_cmp(self) -> bool:
        """Whether a CMP message came."""
        return _message(self.request.body) is not None


class _Application(Application):
    """With the faults that only HTTP can show; it remembers what came, also what the server answers without reading it."""

    def __init__(self, owner: CMPServer, limit: int) -> None:
        super().__init__(owner._answer, limit)
        self._owner = owner

    def early(self, request: Request) -> Response | None:  # noqa: ARG002 - the body is of interest
        return None

    def answer(self, request: Request) -> Response | None:
        refusal, trace, message = super().early(request), self._owner.trace, _message(request.body)
        transaction_id = None if message is None else message.header.transaction_id
        if refusal is not None or message is None:
            came = f"{request.method} {request.path}, {request.content_type or 'no content type'}"
            trace.odd(True, request.body, came, transaction_id)
        response = refusal or self._answered(request)
        self._owner.exchanges.append(Exchange(request, response))
        if response is None:
            trace.odd(False, b"", "the connection is closed without an answer", transaction_id)
        elif _message(response.body) is None:
            kind = dict(response.headers).get("Content-Type", "no content type")
            trace.odd(False, response.body, f"HTTP status {response.line}, {kind}", transaction_id)
        return response

    def _answered(self, request: Request) -> Response | None:
        try:
            return super().answer(request)
        except _HTTPFault as found:
            fault = found.fault
            if isinstance(fault, HTTPAnswer):
                return Response(fault.status, fault.body, (("Content-Type", fault.content_type),))
            return None


def _message(octets: bytes) -> Message | None:
    try:
        return Message.from_der(octets)
    except ValueError:
        return None


def _type_of(answer: bytes) -> str:
    return BodyType(wire.read_message(answer).body_type).name.lower()


_OK = ok()
