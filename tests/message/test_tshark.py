"""An independent decoder: tshark dissects every message that is sent here, without calling any of them malformed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.conformance import CASES, Scene, crm, revoke
from support.forge import CR, Forger, read
from support.messages import conversation

from osslcmp import BodyType
from osslcmp.server import wire

TSHARK, TEXT2PCAP = shutil.which("tshark"), shutil.which("text2pcap")

pytestmark = [
    pytest.mark.skipif(
        TSHARK is None or TEXT2PCAP is None,
        reason="NOT TESTED: tshark is not installed, so that nobody else has decoded our messages",
    ),
]

ODD = "_ws.malformed or _ws.expert.group == malformed or _ws.expert.severity == error"


def run(*words: str | Path) -> str:
    """The output of a program, which must end well."""
    done = subprocess.run(words, capture_output=True, timeout=120, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def capture(messages: list[bytes], path: Path) -> Path:
    """A capture file with these messages, each in a request by HTTP."""
    lines = []
    for message in messages:
        head = (
            f"POST / HTTP/1.1\r\nContent-Type: application/pkixcmp\r\nContent-Length: {len(message)}\r\n\r\n"
        )
        data = head.encode() + message
        lines += [f"{start:06x} {data[start : start + 16].hex(' ')}" for start in range(0, len(data), 16)]
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n")
    assert TEXT2PCAP is not None
    run(TEXT2PCAP, "-q", "-T", "50000,80", path.with_suffix(".txt"), path)
    return path


def dissected(messages: list[bytes], path: Path) -> list[str]:
    """The kinds of body that tshark has found, by number; none of the messages is odd to it."""
    assert TSHARK is not None
    pcap = capture(messages, path)
    odd = run(TSHARK, "-n", "-r", pcap, "-Y", ODD, "-V")
    assert not odd, odd[:3000]
    found = run(TSHARK, "-n", "-r", pcap, "-Y", "cmp", "-T", "fields", "-e", "cmp.body", "-E", "occurrence=f")
    return found.split()


def answers() -> Iterator[bytes]:
    """One of each kind of answer and refusal that the server gives, and nested messages."""
    for case in {(case.answer, case.failure): case for case in CASES}.values():
        scene = Scene()
        yield scene.server.process(case.make(scene, scene.client(case.by)))
    scene = Scene()
    request = scene.ra.nest(crm(Forger()), crm(Forger(), CR))
    yield from (request, scene.server.process(request))
    yield revoke(scene.member.but(transaction_id=os.urandom(16)))


def test_conversation(tmp_path: Path) -> None:
    """What client and server say to each other, with a poll."""
    messages = [message.der for message in conversation()]
    kinds = [str(wire.read_message(message).body_type) for message in messages]
    assert dissected(messages, tmp_path / "conversation.pcap") == kinds
    assert {str(int(kind)) for kind in (BodyType.IR, BodyType.POLLREQ, BodyType.PKICONF, BodyType.RP)} < set(
        kinds
    )


def test_answers(tmp_path: Path) -> None:
    messages = list(answers())
    kinds = [str(wire.read_message(message).body_type) for message in messages]
    assert dissected(messages, tmp_path / "answers.pcap") == kinds
    assert {str(int(kind)) for kind in (BodyType.ERROR, BodyType.NESTED, BodyType.GENP)} < set(kinds)


def test_it_would_be_told(tmp_path: Path) -> None:
    """A message that is malformed is so to tshark as well."""
    good = read(Scene().server.process(Forger().genm())).raw.encoding
    with pytest.raises(AssertionError):
        dissected([good[:-40] + b"\xff" * 40], tmp_path / "odd.pcap")
