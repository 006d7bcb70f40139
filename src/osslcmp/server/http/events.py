"""What came of each message, as values: certificates issued, confirmed, revoked, held and released, and refusals."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Literal

from cryptography import x509

from ..._openssl.convert import look_alike
from ..._openssl.received import Violation, outline
from ..._text import get_logger
from ...enums import BodyType, FailureInfo, PKIStatus, RevocationReason
from ...errors import CMPError
from ...message import CertRepMessage, ErrorMessage, Header, Message, NestedMessage, RevRep, RevReq
from ...message.bodyparts import PKIStatusInfo
from ...message.describe import name_text

LOGGER = "osslcmp.server.events"
logger = get_logger(LOGGER)

_GRANTED = (PKIStatus.accepted, PKIStatus.grantedWithMods)
_UNREADABLE = (CMPError, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_REMEMBERED = 4_096

Kind = Literal["issued", "confirmed", "revoked", "held", "released", "refused"]

_REVOCATIONS: dict[RevocationReason | None, Kind] = {
    RevocationReason.certificateHold: "held",
    RevocationReason.removeFromCRL: "released",
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a message has brought about. All texts are as the peer wrote them: escape them where they are shown."""

    event: Kind
    address: str
    """Of the client."""
    request: str | None = None
    """Type of its message: ``ir``, ``certConf`` and so on; None for what is no message."""
    transaction: str | None = None
    """The transactionID in hexadecimal."""
    sender: str | None = None
    """Who it is: the reference of its secret, or the name in its certificate. Of what is refused: who it says it is."""
    serial: str | None = None
    """Serial number of the certificate, in hexadecimal."""
    subject: str | None = None
    not_after: str | None = None
    reason: str | None = None
    """Why it was revoked."""
    failure: tuple[str, ...] = ()
    """Why it is refused: the failInfo bits by name."""
    text: str | None = None
    """Why it is refused, in words."""


@dataclass(frozen=True)
class Answered:
    """A request by HTTP that was there whole, and its answer."""

    address: str
    """Of the client."""
    request: bytes
    """The message as DER; it need not be one."""
    answer: bytes | None
    """The answer as DER; None if HTTP alone answered."""
    status: HTTPStatus
    body: bytes
    """Of the answer."""
    seconds: float
    """That it took."""
    repeated: bool = False
    """The answer was sent before: nothing new has come of the message."""

    @cached_property
    def request_message(self) -> Message:
        """``request``, decoded for all observers once. Raises CMPError or ValueError for what is no message."""
        return _message(self.request)

    @cached_property
    def answer_message(self) -> Message:
        """``answer``, decoded for all observers once. Raises CMPError or ValueError for what is no message."""
        return _message(self.answer or b"")

    @property
    def types(self) -> tuple[str, str]:
        """The types of the message and of its answer, ``none`` for what is none."""
        return _type(self, "request_message"), _type(self, "answer_message")

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What has come of it."""
        if self.repeated:
            return ()
        if self.answer is None:
            text = self.body.decode("utf-8", "replace").strip()
            return (Event(event="refused", address=self.address, text=text),) if self.request else ()
        try:
            return tuple(self._events())
        except _UNREADABLE as error:
            return (Event(event="refused", address=self.address, text=f"does not decode: {error}"),)

    def _events(self) -> Iterator[Event]:
        answers = {one.header.transaction_id: one for one in _flat(self.answer_message)}
        for asked in _flat(self.request_message):
            answer = answers.get(asked.header.transaction_id) or next(iter(answers.values()))
            common = {
                "address": self.address,
                "request": asked.type.name.lower(),
                "transaction": (asked.header.transaction_id or b"").hex(),
                "sender": sender(asked.header),
            }
            for found in _outcomes(asked, answer):
                yield Event(**{**common, **found})


Observer = Callable[[Answered], None]


class Repeats:
    """Knows the last answers again. May be used from many threads at once."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, answer: bytes) -> bool:
        """Whether an answer was noted before: each new one has a nonce of its own."""
        digest = sha256(answer).digest()
        with self._lock:
            if digest in self._known:
                return True
            self._known[digest] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return False


def _message(der: bytes) -> Message:
    """A message that libcrypto has read or made already: decoding it again would take a third as long as answering it."""
    found = outline(der)
    if isinstance(found, Violation):
        raise ValueError(str(found))
    return Message(der, BodyType(found[0]))


def log(answered: Answered) -> None:
    """Log each event at level INFO, with its fields as the attribute ``event`` of the record."""
    if not logger.isEnabledFor(logging.INFO):
        return
    for event in answered.events:
        fields = {name: value for name, value in asdict(event).items() if value not in (None, ())}
        text = ", ".join(f"{name} {value}" for name, value in fields.items() if name != "event")
        logger.info("%s: %s", event.event, text, extra={"event": fields})


def sender(header: Header) -> str:
    """The reference of the shared secret, or the sender's name."""
    if header.pbm is not None:
        return (header.sender_kid or b"").decode("utf-8", "backslashreplace")
    try:
        found = header.sender
    except ValueError:
        return "somebody"
    return name_text(found.value) if isinstance(found, x509.DirectoryName) else str(found.value)


def _flat(message: Message) -> list[Message]:
    """The message, or those that are nested in it."""
    body = message.body
    return list(map(Message.from_der, body.messages_der)) if isinstance(body, NestedMessage) else [message]


def _type(answered: Answered, which: str) -> str:
    try:
        name: str = getattr(answered, which).type.name
    except _UNREADABLE:
        return "none"
    return name.lower()


def _outcomes(asked: Message, answer: Message) -> Iterator[dict[str, Any]]:
    body = answer.body
    if isinstance(body, ErrorMessage):
        if body.status.status is not PKIStatus.waiting:
            yield _refused(body.status)
    elif isinstance(body, CertRepMessage):
        for response in body.responses:
            if response.certificate_der is not None:
                certificate = look_alike(response.certificate_der)
                yield {
                    "event": "issued",
                    "serial": f"{certificate.serial_number:x}",
                    "subject": name_text(certificate.subject),
                    "not_after": certificate.not_valid_after_utc.isoformat(),
                }
            elif response.status.status is PKIStatus.rejection:
                yield _refused(response.status)
    elif isinstance(body, RevRep):
        yield from _revocations(asked, body)
    elif asked.type is BodyType.CERTCONF and answer.type is BodyType.PKICONF:
        yield {"event": "confirmed"}


def _revocations(asked: Message, body: RevRep) -> Iterator[dict[str, Any]]:
    # A request that had to wait is answered to a pollReq: the transactionID tells which it was.
    details = asked.body.details if isinstance(asked.body, RevReq) else ()
    for number, status in enumerate(body.statuses):
        if status.status is PKIStatus.rejection:
            yield _refused(status)
        elif status.status is not PKIStatus.waiting:
            detail = details[number] if number < len(details) else None
            reason = None if detail is None else detail.reason
            serial = None if detail is None else detail.template.serial_number
            yield {
                "event": _REVOCATIONS.get(reason, "revoked"),
                "reason": None if reason is None else reason.name,
                "serial": None if serial is None else f"{serial:x}",
            }


def _refused(status: PKIStatusInfo) -> dict[str, Any]:
    names = (bit.name for bit in FailureInfo if bit in status.failure_info and bit.name)
    return {"event": "refused", "failure": tuple(names), "text": "; ".join(status.text) or None}
