"""A trace as text that outlives the process: JSON lines, one for each entry.

The first line is ``{"osslcmp": "trace", "version": 1}``; it may come again, so that recordings may be put one after the
other. Each other line is an object with

==============  =====================================================================================
``time``        when, in UTC, as ISO 8601
``seconds``     when, after the first entry
``sent``        true: the client sent it; false: it received it
``transaction``  transactionID in hexadecimal, null if there is none
``type``        kind of message, such as ``"ir"``; only of a message
``der``         the message in base64, secrets overwritten; only of a message
``failure``     the exception that ended the call, or how what is no message came; only in these two
``octets``      what came instead of a message in base64, secrets overwritten; only there
==============  =====================================================================================

Other members are skipped.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._text import visible

if TYPE_CHECKING:
    from . import TraceEntry

_VERSION = 1
#: Seconds of all years that a date can have.
_END_OF_TIME = 10**12
HEAD = json.dumps({"osslcmp": "trace", "version": _VERSION}).encode() + b"\n"
"""The first line."""


def entry_line(entry: TraceEntry) -> bytes:
    """The line of an entry."""
    members: dict[str, Any] = {
        "time": entry.time.isoformat(),
        "seconds": round(entry.seconds, 6),
        "sent": entry.sent,
        "transaction": None if entry.transaction_id is None else entry.transaction_id.hex(),
    }
    if entry.type is None or entry.der is None:
        members["failure"] = entry.failure
        if entry.octets is not None:
            members["octets"] = base64.b64encode(entry.octets).decode()
    else:
        members["type"] = entry.type.name.lower()
        members["der"] = base64.b64encode(entry.der).decode()
    return json.dumps(members).encode() + b"\n"


def is_recording(data: bytes) -> bool:
    """Whether ``data`` begins like one."""
    return data.lstrip()[:64].replace(b" ", b"").startswith(b'{"osslcmp":"trace"')


def read_entries(data: bytes) -> Iterator[dict[str, Any]]:
    """The entries' fields as :class:`osslcmp.TraceEntry` names them, without its ``type``, as far as they are there.

    Raises ``ValueError`` that names the line. The last line may be incomplete: its writer may have been killed.
    """
    if not is_recording(data):
        raise ValueError("not a recorded trace: it begins otherwise")
    for number, text in enumerate(data.splitlines(keepends=True), 1):
        if not text.strip():
            continue
        try:
            members = json.loads(text)
        except (ValueError, RecursionError) as error:
            if not text.endswith(b"\n") and number > 1:
                return
            raise ValueError(f"line {number}: {visible(str(error))}") from None
        try:
            if not isinstance(members, dict):
                raise TypeError("no JSON object")
            if "osslcmp" in members:
                _check_version(members)
            else:
                yield _fields(members)
        except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
            why = f"no {error} in it" if isinstance(error, KeyError) else error
            raise ValueError(f"line {number}: {visible(str(why))}") from None


def _check_version(members: dict[str, Any]) -> None:
    if members["osslcmp"] != "trace" or members["version"] != _VERSION:
        raise ValueError(f"{members!r}: this osslcmp reads traces of version {_VERSION}")


def _fields(members: dict[str, Any]) -> dict[str, Any]:
    time, seconds, sent, transaction = map(members.__getitem__, ("time", "seconds", "sent", "transaction"))
    if not isinstance(time, str):
        raise TypeError("the time is no text")
    time = datetime.datetime.fromisoformat(time)
    if time.tzinfo is None:
        raise ValueError("the time is without a time zone")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < _END_OF_TIME:
        raise ValueError("the seconds are no number, or out of range")
    if not isinstance(sent, bool):
        raise TypeError("sent is neither true nor false")
    if not isinstance(members.get("failure", ""), str):
        raise TypeError("the failure is no text")
    fields: dict[str, Any] = {
        "sent": sent,
        "time": time.astimezone(datetime.timezone.utc),
        "seconds": float(seconds),
        "transaction_id": None if transaction is None else bytes.fromhex(transaction),
        "failure": members.get("failure", ""),
    }
    name = "octets" if "failure" in members else "der"
    if name == "der" or name in members:
        try:
            fields[name] = base64.b64decode(members[name], validate=True)
        except binascii.Error as error:
            raise ValueError(f"{name}: {error}") from None
    return fields
