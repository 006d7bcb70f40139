"""Reads a trace from files: recordings, and messages that were saved one by one."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..enums import BodyType
from ..message import Header, Message
from ..trace import Trace, TraceEntry, without_secrets
from ..trace.recording import is_recording
from .message_files import NotCMPError, content, messages

_REQUESTS = frozenset(
    kind
    for kind in BodyType
    if kind.name in ("IR", "CR", "P10CR", "KUR", "KRR", "RR", "CCR", "CERTCONF", "POLLREQ", "GENM", "POPDECR")
)
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)


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


def _header(message: Message) -> Header | None:
    try:
        return message.header
    except (
        Exception
    ):  # cryptography's are of many kinds: a message whose header it does not read is still drawn
        return None


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
    times = [_EPOCH if h is None or h.message_time is None else h.message_time for h in headers]
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
