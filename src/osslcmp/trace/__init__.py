"""What went over the wire: recorded, drawn as a ladder, saved as a page."""

from __future__ import annotations

import datetime
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .._arguments import checked
from .._asn1 import der, oids
from .._text import get_logger, visible
from ..enums import BodyType
from ..errors import CMPError, TransferError
from ..message import Message
from ..message.bodyparts import SECRET_CONTROLS
from ..message.describe import summary
from .recording import HEAD, entry_line, read_entries

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

logger = get_logger("osslcmp")

#: What a requester knows and nobody else should, by the type that it follows in a message.
_SECRETS = tuple(
    der.encode_oid(oid)
    for oid in (
        *SECRET_CONTROLS,
        oids.CHALLENGE_PASSWORD,
    )
)
_DEEP = 8
_CONSTRUCTED = 0x20
#: Octets of what is no message that a summary shows.
_SHOWN = 48


@dataclass(frozen=True)
class TraceEntry:
    """A message, what came instead of one, or the end of a transaction that failed."""

    sent: bool
    """Whether the client sent it; else it received it."""
    time: datetime.datetime
    """When, in UTC."""
    seconds: float
    """When, after the trace's first entry."""
    transaction_id: bytes | None
    """The transaction that it belongs to; ``None`` if it has none."""
    der: bytes | None = None
    """The message, secrets in it overwritten; ``None`` if there is none."""
    type: BodyType | None = None
    """What kind of message; ``None`` if there is none."""
    failure: str = ""
    """The exception that ended the call, or how what is no message came: method, path, HTTP status, content type."""
    octets: bytes | None = None
    """What came instead of a message, secrets in it overwritten."""

    @cached_property
    def message(self) -> Message | None:
        """The message, to be looked at; ``None`` if there is none."""
        return None if self.der is None or self.type is None else Message(self.der, self.type)

    @property
    def summary(self) -> str:
        """What it is about, in a few words."""
        if self.message is not None:
            return summary(self.message)
        if not self.octets:
            return self.failure
        return f"{self.failure}: {len(self.octets)} octets, {visible(repr(self.octets[:_SHOWN])[2:-1])}"


class Trace:
    """Records the messages of a client: ``Client(..., trace=Trace())``.

    Prints as a ladder diagram (``print(trace)``, or in colour ``trace.print()`` and ``rich.print(trace)``)
    and saves as a page (:meth:`save`). Holds no secret: keys and shared secrets are in no message, and
    registration tokens and challenge passwords, which are, are overwritten before anything is kept.

    May be shared by many clients and threads. It keeps the last ``limit`` entries, all of them if ``None``.

    ``file``: path of a file that is written anew; each entry goes there as well, at once and whatever the limit,
    so that the record outlives the process however that ends. It holds what :meth:`dump` gives; ``osslcmp trace FILE``
    draws it. Raises ``OSError`` if it cannot be made; what fails later is logged.
    """

    @checked
    def __init__(self, limit: int | None = 10000, *, file: str | os.PathLike[str] | None = None) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f"limit: a number of entries or None, not {limit}")
        self._entries: deque[TraceEntry] = deque(maxlen=limit)
        # Held while an entry is written: a signal handler may come then, and look at the trace or add to it.
        self._lock = threading.RLock()
        self._start: float | None = None
        self._file: Path | None = None
        if file is not None:
            self._file = Path(file)
            self._file.write_bytes(HEAD)

    # -- recording ----------------------------------------------------------------------------------------

    @checked
    def seen(self, sent: bool, encoding: bytes, kind: int, transaction_id: bytes | None) -> None:
        """Record a message. Called while a transaction runs."""
        self._add(sent, transaction_id, der=without_secrets(encoding), type=BodyType(kind))

    def failed(self, error: BaseException, transaction_id: bytes | None) -> None:
        """Record that a call ended in an exception. Its text only where it is ours."""
        kind = type(error).__name__
        failure = f"{kind}: {error}" if isinstance(error, CMPError) else kind
        body = error.body if isinstance(error, TransferError) else b""
        self._add(False, transaction_id, failure=failure, octets=without_secrets(body) or None)

    @checked
    def odd(self, sent: bool, octets: bytes, how: str, transaction_id: bytes | None = None) -> None:
        """Record what is no CMP message: the client ``sent`` it, or it was the answer; ``how`` it came by HTTP."""
        self._add(sent, transaction_id, failure=how, octets=without_secrets(octets))

    def _add(self, sent: bool, transaction_id: bytes | None, **fields: Any) -> None:
        now, clock = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
        with self._lock:
            if self._start is None:
                self._start = clock
            entry = TraceEntry(sent, now, clock - self._start, transaction_id, **fields)
            self._entries.append(entry)
            if self._file is not None:
                self._write(self._file, entry_line(entry))

    def _write(self, path: Path, line: bytes) -> None:
        # Opened each time: a forked child and a log rotation do no harm, and no descriptor is left open.
        try:
            with path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            # A full disk is no reason to lose a certificate.
            self._file = None
            logger.warning("the trace %s is written no further: %s", path, error.strerror)

    # -- looking ------------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[TraceEntry, ...]:
        """What was recorded, in order."""
        with self._lock:
            return tuple(self._entries)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, in order."""
        return tuple(entry.message for entry in self.entries if entry.message is not None)

    @property
    def transactions(self) -> dict[bytes | None, list[TraceEntry]]:
        """The entries by transaction, the first one first."""
        found: dict[bytes | None, list[TraceEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.transaction_id, []).append(entry)
        return found

    @checked
    def of(self, transaction_id: bytes | None) -> Trace:
        """A trace of one transaction alone: what has been recorded of it until now."""
        part = Trace(self._entries.maxlen)
        part._start = self._start
        part._entries.extend(entry for entry in self.entries if entry.transaction_id == transaction_id)
        return part

    def clear(self) -> None:
        """Forget what was recorded. What has been written to ``file`` stays there."""
        with self._lock:
            self._entries.clear()
            self._start = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[TraceEntry]:
        return iter(self.entries)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<osslcmp.Trace of {len(self)} entries>"

    # -- showing ------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self.ladder()

    @checked
    def ladder(self, width: int = 88, *, ascii_only: bool = False) -> str:
        """A ladder diagram in plain text, ``width`` columns wide; ``ascii_only``: no line drawing."""
        from .ladder import draw

        return "\n".join(line.text for line in draw(self, width, ascii_only=ascii_only))

    @checked
    def print(self, file: TextIO | None = None) -> None:
        """Print the ladder diagram to ``file`` (default: standard output), in colour if rich is installed."""
        file = sys.stdout if file is None else file
        try:
            from rich.console import Console
        except ImportError:
            from .ladder import draws_lines

            print(self.ladder(ascii_only=not draws_lines(file)), file=file)
            return
        Console(file=file, highlight=False).print(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        from .ladder import draw

        for line in draw(self, options.max_width, ascii_only=options.ascii_only):
            yield Text.assemble(*line.spans, no_wrap=True, overflow="crop")

    @checked
    def html(self, title: str = "CMP trace") -> str:
        """One self-contained HTML page: the ladder diagram with the decoded messages beside it."""
        from .html import page

        return page(self, title)

    @checked
    def svg(self, width: int = 88, *, dark: bool = False) -> str:
        """The ladder diagram as a picture for a page, ``width`` columns wide, on a light or a dark ground.

        It names no font of a web site. Raises ``ImportError`` without rich (``osslcmp[cli]``).
        """
        from .ladder import picture

        return picture(self, width, dark=dark)

    @checked
    def save(self, path: str | os.PathLike[str], title: str = "CMP trace") -> None:
        """Write :meth:`html` to a file, or :meth:`svg` if its name ends with ``.svg``. Raises ``OSError``."""
        path = Path(path)
        text = self.svg() if path.suffix.lower() == ".svg" else self.html(title)
        path.write_text(text, encoding="utf-8")

    # -- keeping ------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """All entries as text, to be kept in a file: JSON lines, see :meth:`load`."""
        return b"".join([HEAD, *map(entry_line, self.entries)])

    @classmethod
    @checked
    def load(cls, recording: bytes | str) -> Trace:
        """A trace out of what :meth:`dump` gave, or of the content of a ``file``.

        The text has one JSON object on each line: first ``{"osslcmp": "trace", "version": 1}``, then for each entry
        ``time`` (UTC, ISO 8601), ``seconds``, ``sent``, ``transaction`` (hexadecimal or null) and either ``type`` and
        ``der`` (base64) or ``failure`` and, of what is no message, ``octets`` (base64). Several recordings may follow
        one another. Raises ``ValueError`` that names the line.
        """
        entries = []
        data = recording.encode() if isinstance(recording, str) else bytes(recording)
        for number, fields in enumerate(read_entries(data), 1):
            if "der" in fields:
                try:
                    fields["type"] = Message.from_der(fields["der"]).type
                except ValueError as error:
                    raise ValueError(f"entry {number}: {error}") from None
                fields["der"] = without_secrets(fields["der"])
            entries.append(TraceEntry(**fields))
        return cls.of_entries(entries)

    @classmethod
    @checked
    def of_entries(cls, entries: Iterable[TraceEntry]) -> Trace:
        """A trace of these entries, without a limit."""
        trace = cls(None)
        trace._entries.extend(entries)
        return trace


def without_secrets(encoding: bytes) -> bytes:
    """A message with what is secret in it overwritten: of equal length, still DER."""
    if not any(oid in encoding for oid in _SECRETS):
        return encoding
    data = bytearray(encoding)
    for oid in _SECRETS:
        start = encoding.find(oid)
        while start >= 0:
            value = start + len(oid)
            try:
                stop = der.read_at(encoding, value)[1]
            except der.DERError:
                stop = len(encoding)
            _overwrite(data, value, stop, _DEEP)
            start = encoding.find(oid, value)
    return bytes(data)


def _overwrite(data: bytearray, start: int, end: int, depth: int) -> None:
    """Overwrite what the elements from ``start`` to ``end`` hold, but not their structure."""
    while start < end:
        try:
            element, stop = der.read_at(bytes(data[:end]), start)
        except der.DERError:
            data[start:end] = b"x" * (end - start)
            return
        begin = stop - len(element.content)
        if data[start] & _CONSTRUCTED and depth:
            _overwrite(data, begin, stop, depth - 1)
        else:
            data[begin:stop] = b"x" * (stop - begin)
        start = stop
