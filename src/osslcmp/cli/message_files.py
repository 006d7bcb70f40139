"""Reads CMP messages and traces from files: DER, PEM, base64, hexadecimal, recordings; several in one file."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._asn1 import der, pem
from .._openssl import inputs
from .._openssl.received import Outline, outline_of
from ..enums import BodyType
from ..message import Header, Message
from ..trace import Trace, TraceEntry, without_secrets
from ..trace.recording import is_recording

_REQUESTS = frozenset(
    kind
    for kind in BodyType
    if kind.name in ("IR", "CR", "P10CR", "KUR", "KRR", "RR", "CCR", "CERTCONF", "POLLREQ", "GENM", "POPDECR")
)
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}[\s:]*)+")
_SEQUENCE = 0x30
_STDIN = "-"


class NotCMPError(ValueError):
    """A file that holds something else."""


@dataclass(frozen=True)
class Found:
    """A message and where it was."""

    file: str
    place: str
    """Which one in the file; empty if it is the only one."""
    message: Message
    decode_error: str = ""
    """Why libcrypto does not decode it; then ``message`` is what came, of which parts may be read."""


def content(name: str) -> bytes:
    """What is in a file; ``-`` is standard input. Raises OSError."""
    return sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()


def messages(name: str, data: bytes) -> list[Found]:
    """All messages in ``data``, that came from ``name``. Raises NotCMPError."""
    shown = "standard input" if name == _STDIN else name
    found: list[tuple[str, Message, str]] = []
    try:
        if is_recording(data):
            trace = Trace.load(data)
            found = [(f"entry {n}", e.message, "") for n, e in enumerate(trace, 1) if e.message is not None]
        else:
            for where, block in _blocks(data):
                found += _sequences(where, block)
    except ValueError as error:
        raise NotCMPError(f"{shown}: {error}") from None
    if not found:
        raise NotCMPError(f"{shown}: no CMP message is in it")
    return [Found(shown, place if len(found) > 1 else "", message, error) for place, message, error in found]


def _blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The DER parts, each with where it is."""
    if not data.strip():
        raise ValueError("empty")
    if blocks := list(pem.blocks(data)):
        for number, (label, text) in enumerate(blocks, 1):
            where = f"PEM block {number}" if len(blocks) > 1 else ""
            try:
                decoded = base64.b64decode(b"".join(text.split()), validate=True)
            except binascii.Error as error:
                raise ValueError(f"PEM block {number} ({label}): {error}") from None
            try:
                Message.from_der(decoded[: _length(decoded)])
            except ValueError:
                if _kind(decoded) is None:
                    raise ValueError(f"PEM block {number} is no CMP message but {label}") from None
            yield where, decoded
        return
    if data[0] == _SEQUENCE and not _HEXADECIMAL.fullmatch(data):
        yield "", data
        return
    text = data.strip()
    if _HEXADECIMAL.fullmatch(text):
        yield "", bytes.fromhex(re.sub(rb"[\s:]", b"", text).decode())
        return
    try:
        # Lines that end with padding are messages of their own.
        parts = re.sub(rb"(=)\s*\n", rb"\1 ", text).split(b" ")
        decoded_parts = [base64.b64decode(b"".join(part.split()), validate=True) for part in parts]
    except binascii.Error:
        raise ValueError(f"no CMP message: {inputs.found(data)}") from None
    yield from (("", decoded) for decoded in decoded_parts)


def _length(data: bytes) -> int:
    """Octets of the first element."""
    try:
        return der.read_at(data, 0)[1]
    except der.DERError:
        return len(data)


def _sequences(where: str, data: bytes) -> Iterator[tuple[str, Message, str]]:
    """Messages one after the other, and why one does not decode."""
    start = 0
    while start < len(data):
        rest = data[start:]
        place = " ".join(part for part in (where, f"octet {start}") if part)
        if rest[0] != _SEQUENCE and start:
            if not rest.strip():  # a newline that an editor put there
                return
            raise ValueError(f"{place}: {len(rest)} octets after the message are none")
        size = _length(rest)
        try:
            yield place, Message.from_der(rest[:size]), ""
        except ValueError as error:
            reason = str(error).removeprefix("der: ")
            kind = _kind(rest[:size])
            if kind is None:
                what = inputs.found(rest[:size])
                reason = f"no CMP message: {what}" if what.endswith("in DER") else reason
                raise ValueError(f"{place}: {reason}" if start or where else reason) from None
            yield place, Message(rest[:size], kind), reason
        start += size


def _kind(encoding: bytes) -> BodyType | None:
    """What kind of message this would be; ``None`` if it does not begin like one."""
    header, rest = der.leading(encoding, 1)
    if not header or header[0].tag != _SEQUENCE or header[0].content[:1] != bytes([der.INTEGER]) or not rest:
        return None
    try:
        return BodyType(rest[0] - der.explicit(0))
    except ValueError:
        return None


# -- a trace ---------------------------------------------------------------------------------------------------


def assemble(files: Sequence[str]) -> tuple[Trace, list[str]]:
    """All that is in the files, and why some of it does not decode. Raises OSError, NotCMPError."""
    stops: list[str] = []
    entries: list[TraceEntry] = []
    loose: list[Message] = []
    for name in files:
        data = content(name)
        if is_recording(data):
            try:
                entries += Trace.load(data)
            except ValueError as error:
                raise NotCMPError(f"{name}: {error}") from None
        else:
            for found in messages(name, data):
                loose.append(found.message)
                if found.decode_error:
                    stops.append(f"{found.file}: libcrypto does not decode it: {found.decode_error}")
    if not entries and not loose:
        raise NotCMPError(f"{', '.join(files)}: nothing was recorded")
    entries += _entries(_in_order(loose))
    return Trace.of_entries(entries), stops


def _header(message: Message) -> Header | Outline | None:
    try:
        return message.header
    except (
        Exception
    ):  # cryptography's are of many kinds: a message with a field that it does not read is still drawn
        return outline_of(message.der)


def _in_order(found: list[Message]) -> list[Message]:
    """Each answer after the request that has its nonce; else as they came."""
    requests = [message for message in found if message.type in _REQUESTS]
    answers = [message for message in found if message.type not in _REQUESTS]
    ordered: list[Message] = []
    for request in requests:
        ordered.append(request)
        header = _header(request)
        if header is None or header.sender_nonce is None:
            continue
        mine = [a for a in answers if (h := _header(a)) is not None and h.recip_nonce == header.sender_nonce]
        ordered += mine
        answers = [answer for answer in answers if answer not in mine]
    if not answers:
        return ordered
    # What answers nothing that is here stays where it was.
    return found


def _entries(found: list[Message]) -> list[TraceEntry]:
    headers = [_header(message) for message in found]
    times = [(h.message_time if isinstance(h, Header) else None) or _EPOCH for h in headers]
    known = [time for time in times if time != _EPOCH]
    start = min(known) if known else _EPOCH
    return [
        TraceEntry(
            sent=message.type in _REQUESTS,
            time=time,
            seconds=max(0.0, (time - start).total_seconds()),
            transaction_id=None if header is None else header.transaction_id,
            der=without_secrets(message.der),
            type=message.type,
        )
        for message, header, time in zip(found, headers, times, strict=True)
    ]
