"""Command lines of ``osslcmp cmp`` beside ``openssl cmp``: the same exit status, the same files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import openssl
from support.cmp_rows import ROWS, Row
from support.comparison import PASSWORD, Inputs, outcome, unfold
from support.pki import PKI

from osslcmp.cli import main
from osslcmp.cli.openssl_cmp.options import BY_NAME

pytestmark = pytest.mark.peer

#: Options that are compared, or tested by themselves, in other tests.
ELSEWHERE = {
    "test_cli_cmp.py": {"help", "json", "port", "trace"},
    "test_cli_compare_more.py": {
        "max_msgs", "provider", "provider-path", "provparam", "propquery", "rand", "writerand",
        "tls_used", "tls_cert", "tls_key", "tls_keypass", "tls_extra", "tls_trusted", "tls_host",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(pki: PKI, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    made = Inputs(tmp_path_factory.mktemp("inputs"), pki)
    made.messages()
    return made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_same(
    row: Row,
    inputs: Inputs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    monkeypatch.setenv("NOWHERE", "nowhere")
    words = inputs.expand(row.line)
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    peer = openssl.run(["cmp", *words], cwd=theirs)
    # A crash is no refusal.
    assert peer.code in (0, 1), peer.text
    expected = row.expected(openssl.version())
    assert expected is None or peer.code == expected, peer.text
    monkeypatch.chdir(ours)
    status = main(["cmp", *words])
    told = capsys.readouterr()
    assert "a bug in osslcmp" not in told.err
    assert status == peer.code, f"{told.out}{told.err}\n-- openssl:\n{peer.text}"
    assert outcome(ours) == outcome(theirs)


def test_every_option_is_compared() -> None:
    here = {word for row in ROWS for word in re.findall(r"(?<=-)[a-zA-Z][\w-]*", unfold(row.line))}
    missing = set(BY_NAME) - here - set().union(*ELSEWHERE.values())
    assert not missing, f"no row has {sorted(missing)}"
