"""Recordings of a Trace: written as it goes or at once, loaded as they were, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.pki import make_key
from support.traced import ENROLMENT, SECRET, client, kinds, two_requests

from osslcmp import Trace
from osslcmp.server import EmbeddedCA


@pytest.fixture(scope="module")
def ca() -> EmbeddedCA:
    """A CA that knows one secret."""
    return EmbeddedCA({"ref": SECRET})


@pytest.fixture
def recorded(ca: EmbeddedCA) -> Trace:
    return two_requests(ca)


def test_recording_is_loaded_as_it_was(recorded: Trace) -> None:
    """What was dumped comes back: entries, times, failures."""
    again = Trace.load(recorded.dump())
    assert len(again) == len(recorded) == 7
    for mine, theirs in zip(again, recorded, strict=True):
        assert (mine.sent, mine.time, mine.transaction_id) == (
            theirs.sent,
            theirs.time,
            theirs.transaction_id,
        )
        assert (mine.der, mine.type, mine.failure) == (theirs.der, theirs.type, theirs.failure)
        assert abs(mine.seconds - theirs.seconds) < 1e-6
    assert str(again) == str(recorded)
    assert again.html() == recorded.html()
    assert again.dump() == recorded.dump() == Trace.load(recorded.dump().decode()).dump()
    assert SECRET not in recorded.dump()
    assert len(Trace.load(recorded.dump() + recorded.dump())) == 14
    assert len(Trace.load(Trace().dump())) == 0


def test_recording_to_a_file(ca: EmbeddedCA, tmp_path: Path) -> None:
    """Each entry is there at once; the limit and clear are about memory; a second trace begins anew."""
    path = tmp_path / "trace.jsonl"
    trace, server, lengths = Trace(1, file=path), ca.server(), []

    def transport(request: bytes) -> bytes:
        lengths.append(len(Trace.load(path.read_bytes())))
        return server.process(request)

    client(trace, transport=transport).ir(make_key(), subject="CN=x")
    trace.clear()
    assert lengths == [1, 3]
    assert kinds(Trace.load(path.read_bytes())) == ENROLMENT
    Trace(file=str(path))
    assert len(Trace.load(path.read_bytes())) == 0
    with pytest.raises(OSError, match="absent"):
        Trace(file=tmp_path / "absent" / "trace")


def test_recording_to_a_full_disk(ca: EmbeddedCA, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The transaction goes on."""
    path = tmp_path / "trace.jsonl"
    trace = Trace(file=path)
    path.unlink()
    path.symlink_to("/dev/full")
    client(trace, transport=ca.server()).genm()
    assert kinds(trace) == ["GENM", "GENP"]
    assert [r.getMessage() for r in caplog.records if "written no further" in r.getMessage()]


def test_recording_of_a_killed_process(recorded: Trace) -> None:
    """Its last line may be cut anywhere."""
    whole = recorded.dump()
    last = whole[:-1].rindex(b"\n") + 1
    for end in range(last + 1, len(whole) - 1, 97):
        assert len(Trace.load(whole[:end])) == 6
    with pytest.raises(ValueError, match="line 3: "):
        Trace.load(whole[: whole.index(b"\n", whole.index(b"\n", 50) + 1) - 5] + b"\n" + whole[last:])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "begins otherwise"),
        (b'{"osslcmp": "trace", "version": 2}', "version 1"),
        (b'{"osslcmp": "trace", "version": 1}\n[]\n', "line 2"),
        (b'{"osslcmp": "trace", "version": 1}\n{}\n', "line 2: no 'time'"),
        (b'{"osslcmp": "trace", "version": 1}\n\xff\n{}', "line 2"),
        (b'{"osslcmp": "trace", "version": 1}\n7\n', "line 2"),
    ],
)
def test_what_is_no_recording(line: bytes, told: str) -> None:
    """A ValueError that tells the place."""
    with pytest.raises(ValueError, match=told):
        Trace.load(line)


@pytest.mark.parametrize(
    "change",
    [
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"time": 5},
        {"seconds": "x"},
        {"seconds": None},
        {"transaction": "xyz"},
        {"transaction": 5},
        {"der": "%"},
        {"der": None},
        {"der": "MAA="},
    ],
    ids=str,
)
def test_odd_entries(recorded: Trace, change: dict[str, Any]) -> None:
    """Each wrong member is refused."""
    head, first, *_ = recorded.dump().splitlines()
    entry = json.dumps({**json.loads(first), **change}).encode()
    with pytest.raises(ValueError, match=r"line 2|entry 1"):
        Trace.load(head + b"\n" + entry + b"\n")
