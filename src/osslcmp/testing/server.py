"""A CMP server that really issues, does what a script says, and remembers what it was asked."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .._asn1 import der
from .._asn1.der import explicit
from .._asn1.itav import InfoTypeAndValue
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
    messages,
    wire,
)
from ..server.http.app import Application, Request, Response
from ..server.http.paths import Place
from ..server.http.serving import serve
from ..server.server import Server
from .faults import CertReqId, Delay, Fault, Reject, Version, Wait

__all__ = ["CMPServer", "ScriptedCA"]

REFERENCE, SECRET = b"osslcmp-test", b"osslcmp-test-secret"
_ANSWERS = (BodyType.IP, BodyType.CP, BodyType.KUP)
_PAGE = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


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

    def issue(self, request: CertificateRequest) -> Issued | Waiting | Rejected:
        """Issue, wait or refuse as planned for this transaction."""
        planned = _planned(self.plans, request)
        if planned is not None:
            return planned
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


def _planned(
    plans: dict[bytes, Fault],
    request: CertificateRequest | RevocationRequest | GeneralRequest | Confirmation,
) -> Waiting | Rejected | None:
    plan = plans.get(request.transaction_id)
    if isinstance(plan, Wait) and request.polls < plan.times:
        return Waiting(plan.check_after, "waiting by script")
    return Rejected(plan.failure_info, plan.text) if isinstance(plan, Reject) else None


class CMPServer:
    """A CMP server for tests: ``url``, ``reference``, ``secret``, ``root``, ``script(...)``, ``requests``.

    It answers over HTTP on 127.0.0.1 and, called with DER, in the process.

    Args:
        ca: its CA, a new one by default.
        options: those of :class:`osslcmp.server.Server`.
    """

    def __init__(self, ca: ScriptedCA | None = None, **options: Any) -> None:
        self.ca = ca if ca is not None else ScriptedCA()
        self.reference, self.secret = REFERENCE, SECRET
        self.ca.add_secret(self.reference, self.secret)
        self.requests: list[Message] = []
        """Every message that came, decoded; without those that cannot be."""
        self.responses: list[Message] = []
        """Every answer that went out and that is a CMP message."""
        self._lock = threading.RLock()
        self._any: deque[Fault] = deque()
        self._by_type: dict[BodyType, deque[Fault]] = {}
        self._renumbered: set[bytes] = set()
        self._server: Server = self.ca.server(**options)
        application = _Application(self._answer, self._server.max_message_size)
        self._running = serve(application, "127.0.0.1", 0, threads=8, timeout=10.0)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._running.url

    @property
    def root(self) -> x509.Certificate:
        """The trust anchor of the CA and of the server's signatures."""
        return self.ca.root

    @property
    def server(self) -> Server:
        """The server behind it."""
        return self._server

    def script(self, *faults: Fault, **by_type: Fault | Iterable[Fault]) -> None:
        """What to do with the next messages, one step each, in order.

        By keyword, steps for one type of message only: ``script(certconf=drop_response(), ir=[ok(), reject()])``;
        these go first. Polls of a transaction that waits use no step of the general order. Replaces what is left of an
        earlier script.

        Args:
            faults: steps for messages of any type.
            by_type: one step or several, by the name of a BodyType (``ir``, ``certconf``).

        Raises:
            TypeError: a step is none.
            ValueError: there is no such type of message.
        """
        plans: dict[BodyType, deque[Fault]] = {}
        for name, steps in by_type.items():
            try:
                kind = BodyType[name.upper()]
            except KeyError:
                raise ValueError(f"script: {name!r} is no type of message") from None
            plans[kind] = deque([steps] if isinstance(steps, Fault) else steps)
        for fault in (*faults, *(step for steps in plans.values() for step in steps)):
            if not isinstance(fault, Fault):
                raise TypeError(f"script: a step such as waiting(), not {fault!r}")
        with self._lock:
            self._any, self._by_type = deque(faults), plans

    def clear(self) -> None:
        """Forget the script, and the messages recorded so far. What the CA has issued stays."""
        self.script()
        self.requests.clear()
        self.responses.clear()

    @property
    def script_left(self) -> int:
        """How many steps were not used yet."""
        with self._lock:
            return len(self._any) + sum(map(len, self._by_type.values()))

    def _step(self, kind: BodyType, transaction_id: bytes) -> Fault | None:
        with self._lock:
            if self._by_type.get(kind):
                return self._by_type[kind].popleft()
            plans = (self.ca.plans, self.ca.confirmations)
            if kind is BodyType.POLLREQ and any(isinstance(p.get(transaction_id), Wait) for p in plans):
                return None
            return self._any.popleft() if self._any else None

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
        fault = self._step(kind, raw.transaction_id)
        if kind is BodyType.CERTCONF and fault is None and raw.transaction_id in self._renumbered:
            return self._send(self._confirmed(raw))
        if fault is None:
            return self._send(self._server.process(request, place))
        if fault.name == "html_503":
            raise _HTTPFault(fault)
        if isinstance(fault, Delay):
            time.sleep(fault.seconds)
        if isinstance(fault, (Wait, Reject)) or fault.name == "issue_other_key":
            plans = self.ca.confirmations if kind is BodyType.CERTCONF else self.ca.plans
            plans[raw.transaction_id] = fault
        answer = self._server.process(request, place)
        if fault.name == "drop_response":
            raise _HTTPFault(fault)
        return self._send(self._spoil(fault, raw, answer))

    def _send(self, answer: bytes) -> bytes:
        self.responses.append(Message.from_der(answer))
        return answer

    def _spoil(self, fault: Fault, request: wire.RawMessage, answer: bytes) -> bytes:
        if fault.name == "no_extra_certs":
            return _without_extra_certs(answer)
        if fault.name == "bad_protection":
            return _damaged(answer)
        if fault.name == "unprotected":
            return messages.unprotected(answer)
        if fault.name == "wrong_transaction_id":
            other = replace(request, header=replace(request.header, transaction_id=os.urandom(16)))
            return self._server._protected(other, answer)
        if fault.name in _BROKEN:
            return self._server._protected(request, _BROKEN[fault.name](answer))
        if isinstance(fault, Version):
            return self._server._protected(
                request, _with_header(answer, first={0: der.encode_integer(fault.number)})
            )
        if isinstance(fault, CertReqId):
            self._renumbered.add(request.transaction_id)
            return self._server._protected(request, _with_request_id(answer, fault.number))
        return answer

    def _confirmed(self, request: wire.RawMessage) -> bytes:
        """A pkiConf for a certConf with a certReqId that we made up: libcrypto would refuse it."""
        refusal = self._server._refuse(request, FailureInfo.badRequest, "")
        answer = _with_body(refusal, der.encode(explicit(BodyType.PKICONF), der.encode(der.NULL)))
        return self._server._protected(request, answer)

    def __call__(self, request: bytes) -> bytes:
        """Answer in the process: ``Client(transport=cmp_server)``."""
        try:
            return self.answer(request)
        except _HTTPFault as fault:
            if fault.fault.name == "html_503":
                raise TransferError("HTTP status 503, text/html") from None
            raise ConnectionResetError("the response was dropped by script") from None

    def close(self) -> None:
        """Stop serving."""
        self._running.stop()
        self._server.close()

    def __enter__(self) -> CMPServer:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Application(Application):
    """With the faults that only HTTP can show."""

    def answer(self, request: Request) -> Response | None:
        try:
            return super().answer(request)
        except _HTTPFault as fault:
            if fault.fault.name == "html_503":
                return Response(HTTPStatus.SERVICE_UNAVAILABLE, _PAGE, (("Content-Type", "text/html"),))
            return None


def _rebuilt(parts: Iterable[bytes]) -> bytes:
    return der.encode(der.SEQUENCE, *parts)


def _without_extra_certs(message: bytes) -> bytes:
    header, body, *rest = der.sequence(message)
    kept = (field.encoding for field in rest if field.tag != explicit(1))
    return _rebuilt([header.encoding, body.encoding, *kept])


def _damaged(message: bytes) -> bytes:
    """With the last octet of the protection changed."""
    header, body, *rest = der.sequence(message)
    parts = [header.encoding, body.encoding]
    for field in rest:
        encoding = field.encoding
        parts.append(encoding[:-1] + bytes([encoding[-1] ^ 1]) if field.tag == explicit(0) else encoding)
    return _rebuilt(parts)


def _with_header(
    message: bytes, *, first: dict[int, bytes] | None = None, tagged: dict[int, bytes] | None = None
) -> bytes:
    """With other fields in the header: ``first`` are pvno, sender and recipient, ``tagged`` the others by their number; an
    empty one is left out."""
    header, *rest = der.sequence(message)
    fields = der.sequence(header.encoding)
    start = [field.encoding for field in fields[:3]]
    for place, new in (first or {}).items():
        start[place] = new
    others = {field.tag: field.encoding for field in fields[3:]}
    for number, value in (tagged or {}).items():
        others[explicit(number)] = der.encode(explicit(number), value) if value else b""
    rebuilt = _rebuilt([*start, *(others[tag] for tag in sorted(others))])
    return _rebuilt([rebuilt, *(field.encoding for field in rest)])


def _with_body(message: bytes, body: bytes) -> bytes:
    header, _, *rest = der.sequence(message)
    return _rebuilt([header.encoding, body, *(field.encoding for field in rest)])


def _with_responses(message: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """With the one CertResponse of ip, cp or kup changed; other messages stay as they are."""
    body = der.sequence(message)[1]
    if body.tag not in map(explicit, _ANSWERS):
        return message
    *pubs, responses = der.sequence(body.content)
    (response,) = der.sequence(responses.encoding)
    content = _rebuilt([*(pub.encoding for pub in pubs), _rebuilt([change(response.encoding)])])
    return _with_body(message, der.encode(body.tag, content))


def _yesterday(message: bytes) -> bytes:
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    return _with_header(message, tagged={0: der.encode_moment(moment)})


def _octets(value: bytes) -> bytes:
    return der.encode(der.OCTET_STRING, value)


_SOMEBODY = der.encode(wire.DIRECTORY_NAME, x509.Name.from_rfc4514_string("CN=somebody else").public_bytes())
_BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "wrong_nonce": lambda answer: _with_header(answer, tagged={6: _octets(os.urandom(16))}),
    "no_recip_nonce": lambda answer: _with_header(answer, tagged={6: b""}),
    "no_sender_nonce": lambda answer: _with_header(answer, tagged={5: b""}),
    "wrong_sender": lambda answer: _with_header(answer, first={1: _SOMEBODY}),
    "old_message_time": _yesterday,
    "no_message_time": lambda answer: _with_header(answer, tagged={0: b""}),
    "several_responses": lambda answer: _with_responses(answer, lambda one: one * 2),
    "no_certificate": lambda answer: _with_responses(
        answer, lambda one: _rebuilt(part.encoding for part in der.sequence(one)[:2])
    ),
    "wrong_body": lambda answer: _with_body(answer, der.encode(explicit(BodyType.GENP), _rebuilt([]))),
}
"""By the name of a fault, what it does to an answer before that is protected again."""


def _with_request_id(message: bytes, number: int) -> bytes:
    """With another certReqId in the one CertResponse of ip, cp or kup; others stay as they are."""

    def change(response: bytes) -> bytes:
        _, *others = der.sequence(response)
        return _rebuilt([der.encode_integer(number), *(other.encoding for other in others)])

    return _with_responses(message, change)
