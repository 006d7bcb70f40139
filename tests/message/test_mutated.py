"""Hostile messages, looked at: what can be read is shown, where it cannot be read that is said, and nothing is raised."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import osslcmp as command
from support.messages import conversation
from support.rogue import seq

from osslcmp import BodyType, Message, Trace, TraceEntry
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, explicit
from osslcmp.cli import message_files, show
from osslcmp.message.describe import summary, tree

COUNT = 4000


@pytest.fixture(scope="module")
def honest() -> list[bytes]:
    """Messages of all kinds that clients and servers exchange."""
    return [message.der for message in conversation()]


def _places(encoding: bytes) -> list[tuple[int, int, int]]:
    """Where each element begins, where its content does, where it ends."""
    found = []

    def walk(start: int, end: int, depth: int) -> None:
        while start < end:
            try:
                element, stop = der.read_at(encoding[:end], start)
            except der.DERError:
                return
            begin = stop - len(element.content)
            found.append((start, begin, stop))
            if encoding[start] & 0x20 and depth < 20:
                walk(begin, stop, depth + 1)
            start = stop

    walk(0, len(encoding), 0)
    return found


_VALUES = (
    encode(der.NULL),
    encode(der.SEQUENCE),
    encode(0x31),
    encode(der.OID, b"\x80"),
    encode(der.OID, b"\x2a" + b"\xff" * 30 + b"\x01"),
    encode(der.INTEGER, b"\x7f" * 3000),
    encode(der.INTEGER, b"\x80"),
    encode(der.INTEGER),
    encode(der.BIT_STRING, b"\x07"),
    encode(der.UTF8_STRING, b"\xff\xfe"),
    encode(der.UTF8_STRING, b"\x1b[2J" * 9),
    encode(der.GENERALIZED_TIME, b"99991231235960Z"),
    encode(der.GENERALIZED_TIME, b"20300101000000.5+0100"),
    encode(der.UTC_TIME, b"0001010000Z"),
    encode(0x16, b"\xe4"),
    encode(0x1E, b"\xd8\x00"),
    encode(explicit(1), encode(der.NULL)),
)


def mutated(honest: list[bytes], seed: int) -> Iterator[bytes]:
    """Elements replaced, removed, repeated, renamed, bent; the lengths around them are right again."""
    chance = random.Random(seed)
    places = [_places(encoding) for encoding in honest]
    for _ in range(COUNT):
        which = chance.randrange(len(honest))
        encoding = honest[which]
        start, begin, stop = chance.choice(places[which])
        old = encoding[start:stop]
        way = chance.randrange(6)
        if way == 0:
            new = chance.choice(_VALUES)
        elif way == 1:
            new = b""
        elif way == 2:
            new = old * chance.choice((2, 3, 20))
        elif way == 3:
            new = bytes([chance.randrange(256)]) + old[1:]
        elif way == 4 and stop > begin:
            content = bytearray(encoding[begin:stop])
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            new = encoding[start:begin] + bytes(content)
        else:
            other = chance.randrange(len(honest))
            a, _, b = chance.choice(places[other])
            new = honest[other][a:b]
        yield _put(encoding, start, stop, new)


def _put(encoding: bytes, start: int, stop: int, new: bytes) -> bytes:
    """Replace ``start:stop`` and mend the lengths of what is around."""
    element, _ = der.read_at(encoding, 0)
    begin = len(encoding) - len(element.content)
    if start < begin:
        return new
    content, position, made = element.content, 0, b""
    while position < len(content):
        inner, end = der.read_at(content, position)
        if position <= start - begin and stop - begin <= end:
            made += (
                new
                if (position, end) == (start - begin, stop - begin)
                else _put(inner.encoding, start - begin - position, stop - begin - position, new)
            )
        else:
            made += inner.encoding
        position = end
    return encode(element.tag, made)


@pytest.mark.parametrize("seed", range(4))
def test_mutated(seed: int, honest: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All views of thousands of messages."""
    file, one = tmp_path / "messages", tmp_path / "message"
    read = []
    for number, encoding in enumerate(mutated(honest, seed)):
        try:
            message = Message.from_der(encoding)
        except ValueError:
            continue
        read.append(encoding)
        assert summary(message).isprintable()
        assert {label for label, _ in tree(message)} >= {"header", "body"}
        if number % 10 == 0:
            message.text()
            one.write_bytes(encoding)
            trace, _ = message_files.assemble([str(one)])
            str(trace)
            trace.html()
            Trace.load(trace.dump())
    assert len(read) > COUNT / 10
    assert capsys.readouterr() == ("", "")
    for view, some in (("--json", read[::2]), ("--", read[1::4])):
        file.write_bytes(b"".join(some))
        assert show.run(show.parser().parse([view, str(file)])) == 0
        shown = capsys.readouterr()
        assert not shown.err
        assert len(json.loads(shown.out) if view == "--json" else shown.out.splitlines()) >= len(some)


def test_partial(honest: list[bytes], tmp_path: Path) -> None:
    """A body that cannot be read as what it should be is shown as DER, beside the header that can be read."""
    header = der.sequence(honest[0])[0].encoding
    deep = b""
    for _ in range(40):
        deep = encode(der.SEQUENCE, deep)
    body = seq(seq(encode_integer(5), encode(der.UTF8_STRING, b"words\x1b"), deep))
    genp = seq(
        header, encode(explicit(BodyType.GENP), seq(seq(der.encode_oid("1.2.3"), encode(0x1E, b"\xd8"))))
    )
    for encoding, told in ((genp, "genp"), (seq(header, encode(explicit(BodyType.CCR), body)), "")):
        (tmp_path / "x.der").write_bytes(encoding)
        try:
            Message.from_der(encoding)
        except ValueError:
            done = command("show", tmp_path / "x.der", status=1)
            assert "not a CMP message" in done.stdout
            continue
        for how in ([], ["--json"], ["--summary"], ["--text"]):
            done = command("show", *how, tmp_path / "x.der")
            assert "bug" not in done.stdout + done.stderr
            assert told in done.stdout


def test_extreme_numbers(honest: list[bytes], tmp_path: Path) -> None:
    """An INTEGER of thousands of digits is told by its size."""
    header, body, *rest = der.sequence(honest[0])
    fields = der.sequence(header.encoding)
    big = encode(der.INTEGER, b"\x7f" * 4000)
    changed = seq(seq(big, *(f.encoding for f in fields[1:])), body.encoding, *(r.encoding for r in rest))
    (tmp_path / "x.der").write_bytes(changed)
    assert "(31999 bits)" in command("show", tmp_path / "x.der").stdout
    command("trace", tmp_path / "x.der")


def _line(**changes: object) -> bytes:
    good = {
        "time": "2030-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "sent": True,
        "transaction": "00ff",
        "failure": "x",
    }
    return b'{"osslcmp": "trace", "version": 1}\n' + json.dumps({**good, **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    "damaged",
    [
        _line(seconds=10**400),
        _line(seconds=float("nan")),
        _line(seconds=float("inf")),
        _line(seconds=-1e308),
        _line(seconds="1"),
        _line(seconds=True),
        _line(seconds=None),
        _line(sent=5),
        _line(sent=None),
        _line(time="0001-01-01T00:00:00+14:00"),
        _line(time="9999-12-31T23:59:59-14:00"),
        _line(time=5),
        _line(time="2030-01-01T00:00:00"),
        _line(transaction=5),
        _line(transaction="xyz"),
        _line(transaction=["00"]),
        _line(failure=5),
        _line(failure=None),
        b'{"osslcmp": "trace", "version": 1}\n' + b"[" * 100_000 + b"\n",
        b'{"osslcmp": "trace", "version": 1}\n' + b"1" * 10_000 + b"\n",
        b'{"osslcmp": "trace", "version": 1}\n"x"\n',
        b'{"osslcmp": "trace", "version": 1}\nnull\n',
        b'{"osslcmp": "trace", "version": ' + b"9" * 9999 + b"}\n",
        b'{"osslcmp": "trace"}\n',
        b'{"osslcmp": "trace", "version": 1}\n\xff\xfe\n',
        _line(der=5).replace(b', "failure": "x"', b""),
        _line(der="\xe4").replace(b', "failure": "x"', b""),
    ],
)
def test_damaged_recordings(damaged: bytes, tmp_path: Path) -> None:
    """ValueError that names the line; the command says it in one line."""
    with pytest.raises(ValueError, match=r"line \d|entry \d"):
        Trace.load(damaged)
    (tmp_path / "x").write_bytes(damaged)
    done = command("trace", tmp_path / "x", status=1)
    assert done.stderr.count("\n") == 1
    assert "bug" not in done.stderr


def test_odd_moments() -> None:
    """Entries of the first and the last day of the calendar are drawn."""
    utc = datetime.timezone.utc
    for time in (datetime.datetime(1, 1, 1, tzinfo=utc), datetime.datetime(9999, 12, 31, tzinfo=utc)):
        trace = Trace.of_entries([TraceEntry(False, time, 0.0, None, None, None, "x")])
        assert str(trace)
        assert trace.html()
        assert Trace.load(trace.dump()).entries == trace.entries
