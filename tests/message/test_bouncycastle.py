"""Bouncy Castle as a peer: it enrols, confirms, updates and revokes at our server, and reads what our client sends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.clients import SECRET
from support.messages import conversation

from osslcmp import BodyType, RevocationReason
from osslcmp.server import EmbeddedCA

JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcpkix", "bcutil")]
SOURCE = Path(__file__).parents[1] / "support" / "bouncycastle" / "Peer.java"
JAVA, JAVAC = shutil.which("java"), shutil.which("javac")
FOUND = JAVA is not None and JAVAC is not None and all(jar.exists() for jar in JARS)

pytestmark = pytest.mark.skipif(
    not FOUND,
    reason="NOT TESTED: Bouncy Castle (libbcpkix-java) or a JDK is not installed, so that it was no peer of ours",
)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """Runs the program in Java; returns the lines that it prints."""
    classes = tmp_path_factory.mktemp("classes")
    path = ":".join(map(str, [*JARS, classes]))

    def run(*words: str | Path | None) -> list[str]:
        told = [str(word) for word in words]
        done = subprocess.run(told, capture_output=True, timeout=120, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    run(JAVAC, "-nowarn", "-cp", path, "-d", classes, SOURCE)
    return lambda *words: run(JAVA, "-cp", path, "Peer", *words)


def test_session(peer: Callable[..., list[str]]) -> None:
    """Under a MAC with Bouncy Castle's own parameters, and signed; its kur names no certificate, so that it is the one
    that signs."""
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server(strictness="strict").serve() as running:
        told = peer("session", running.url, "ref", "secret")
    assert [line.rpartition(" ")[0] for line in told] == ["ir confirmed", "kur confirmed", "rr accepted"]
    first, second = ca.records
    assert first.certificate.subject == second.certificate.subject
    assert (first.confirmed, second.confirmed) == (True, True)
    assert second.updates == first.certificate.serial_number
    assert second.revoked is RevocationReason.superseded
    assert [int(line.rpartition(" ")[2]) for line in told] == [
        record.certificate.serial_number for record in (first, second, second)
    ]


def test_what_our_client_sends(peer: Callable[..., list[str]], tmp_path: Path) -> None:
    """And our server. Encoded again it is the same; MACs and signatures are right."""
    messages = conversation()
    files = [tmp_path / f"{number}.der" for number in range(len(messages))]
    for file, message in zip(files, messages, strict=True):
        file.write_bytes(message.der)
    told = peer("parse", SECRET if isinstance(SECRET, str) else SECRET.decode(), *files)
    assert [int(line.split()[0]) for line in told] == [int(message.type) for message in messages]
    assert {line.split(" ", 1)[1] for line in told} == {"MAC true", "signed true"}
    assert BodyType.RP in {message.type for message in messages}
