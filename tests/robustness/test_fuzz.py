"""The fuzzer of ``./dev fuzz``: what it makes of messages, and that it notices each way to misbehave."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import osslcmp
from fuzz import mutate, runner, tree
from fuzz.protect import protect, sign_within
from fuzz.runner import Finding, Totals, Trial
from fuzz.sessions import WRONG_SECRET, World, issued
from osslcmp import BodyType, Message

ROOT = Path(__file__).resolve().parents[2]
TARGET = "support.fuzz_targets:Misbehaving"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    found = Trial(TARGET)
    yield found
    found.close()


def messages(world: World) -> list[bytes]:
    exchanges = [exchange for session in world.sessions.values() for exchange in session.exchanges]
    return [message for exchange in exchanges for message in (exchange.request, exchange.answer)]


def walk(node: tree.Node) -> None:
    for kid in node.kids:
        walk(kid)


def test_there_is_a_message_of_every_body_in_both_directions(world: World) -> None:
    for of_answer in (False, True):
        kinds = set()
        for session in world.sessions.values():
            for exchange in session.exchanges:
                kinds.add(Message.from_der(exchange.answer if of_answer else exchange.request).type)
        assert kinds | ({1, 3, 8} if not of_answer else {0, 2, 4, 7, 11, 21}) == set(range(27))


def test_what_is_not_changed_stays_as_it_was(world: World) -> None:
    for message in messages(world):
        root = tree.read(message)
        walk(root)
        assert root.encode() == message


def test_the_same_seed_makes_the_same_changes(world: World) -> None:
    pool = [b"\5\0", b"\x30\0"]
    for number in range(200):
        first, second = (mutate.draw(Random(number), pool) for _ in range(2))
        assert first == second
        one, two = (tree.read(world.sessions["mac ir"].exchanges[0].request) for _ in range(2))
        mutate.change(one, first)
        mutate.change(two, second)
        assert mutate.change_bytes(one.encode(), first) == mutate.change_bytes(two.encode(), second)


@pytest.mark.parametrize("protection", ["mac", "signature"])
@pytest.mark.parametrize("right", [True, False])
def test_changed_messages_get_behind_the_protection(world: World, protection: str, right: bool) -> None:
    template = world.sessions[f"{protection} ir"].exchanges[0].request
    root = world.request_again(template, f"{protection:>15}{right:d}".encode(), None, None)
    template_subject = tree.find(root, [1, 0, 0, 0, 1, "a5", 0])[2]
    template_subject.content = template_subject.content.replace(b"new", b"odd")
    if protection == "mac":  # the sender is the subject
        sender = tree.find(root, [0, 1, 0])[2]
        sender.content = sender.content.replace(b"new", b"odd")
    sign_within(root.kids[1], world.signer_of)
    wrong = WRONG_SECRET if protection == "mac" else world.forger
    assert protect(root, world.credentials(protection) if right else wrong)
    answer = world.server.process(root.encode())
    assert (Message.from_der(answer).type is BodyType.IP) is right
    assert (b"odd" in (issued(answer) or b"")) is right


def test_a_session_can_be_had_again(world: World) -> None:
    transaction_id, answer = b"again" * 4, None
    for exchange in world.sessions["mac ir"].exchanges:
        certificate = None if answer is None else issued(answer)
        root = world.request_again(exchange.request, transaction_id, answer, certificate)
        protect(root, world.credentials("mac"))
        answer = world.server.process(root.encode())
    assert answer is not None
    assert Message.from_der(answer).type is BodyType.PKICONF


def test_an_answer_can_be_had_again(world: World) -> None:
    def transport(request: bytes) -> bytes:
        root = world.answer_again(world.sessions["signature rr"].exchanges[0].answer, request)
        protect(root, world.credentials("signature", of_server=True))
        return root.encode()

    client = osslcmp.Client(transport=transport, **world.arguments("signature"))
    assert client.rr(world.other).status is osslcmp.PKIStatus.accepted


def test_a_worker_has_a_peak_of_its_own() -> None:
    """That of the process which started it does not hide what it takes."""
    large = b"x" * (400 << 20)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from fuzz.worker import _peak; print(_peak() >> 20)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "tools")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < len(large) >> 21


@pytest.mark.parametrize(
    ("op", "told"),
    [
        ("crash", "crash SIGSEGV"),
        ("hang", "hang no end after 2 s fuzz_targets.py:run"),
        ("spin", "hang no end after 2 s fuzz_targets.py:run"),
        ("print", "stderr: told nobody asked"),
        ("raise", "RuntimeError  fuzz_targets.py:run"),
        ("exit", "SystemExit  fuzz_targets.py:run"),
        ("eat", "memory"),
        ("documented", "ValueError  "),
    ],
)
def test_each_way_to_misbehave_is_noticed(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, op: str, told: str
) -> None:
    monkeypatch.setattr(runner, "HANG", 2.0)
    signature, what, _ = trial.run({"ops": [[op]]})
    assert signature.startswith(told), what
    assert trial.run({"ops": [["nothing"]]}) == ("", "", "c2VudA==")


def test_a_finding_is_minimised_and_replayed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    plan = {"ops": [["nothing"], ["raise"], ["nothing"]], "flag": True}
    finding = Finding(TARGET, 1, 5, "RuntimeError  fuzz_targets.py:run", "", plan)
    small = runner.minimise(finding)
    assert small.plan == {"ops": [["raise"]], "flag": False}
    assert small.sent == "c2VudA=="
    path = small.save(tmp_path)
    assert runner.replay(path) == 1
    assert "not documented" in capsys.readouterr().out
    assert small.plan is not None
    small.plan["ops"] = []
    assert runner.replay(small.save(tmp_path)) == 0


def test_it_goes_on_after_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    totals = Totals()
    assert runner.run(TARGET, 1, 0, 2_000, 100, totals) == 2_000
    assert totals.cases == 2_000
    assert list(totals.findings) == ["RuntimeError  fuzz_targets.py:run"]


def test_the_command(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fuzz",
        "--seed",
        "1",
        "--count",
        "5",
        "--target",
        "message",
        "--out",
        str(tmp_path),
    ]
    run = subprocess.run(command, cwd=ROOT / "tools", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "fuzz: 5 cases, 0 findings, seed 1\n" in run.stdout


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_libfuzzer_on_the_header_of_an_answer(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fuzz",
        "--c",
        "--seed",
        "1",
        "--count",
        "500",
        "--target",
        "answer-head",
    ]
    run = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT / "tools", capture_output=True, text=True, check=False
    )
    if "libclang_rt" in run.stderr:
        pytest.skip("clang is installed without libFuzzer")
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(
        r"^fuzz: answer-head: \d{3,} executions, \d+ s, nothing found$", run.stdout, re.MULTILINE
    )
