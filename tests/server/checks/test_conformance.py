"""Each rule of RFC 9483 and RFC 9810 for a server, kept and broken (see support.conformance)."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.conformance import CASES, Case, answer_to, told

import conformance
from osslcmp import FailureInfo
from osslcmp._openssl.lib import openssl_version


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case) -> None:
    answer = answer_to(case)
    expected = "accepted" if case.failure is None else FailureInfo(case.failure).name
    assert (answer.kind, told(answer)) == (case.answer, expected), answer.text


def test_page() -> None:
    """docs/conformance.md is what the tool makes; what libcrypto does by itself is that of 3.0."""
    alone = openssl_version < (3, 1, 0)
    found = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
    made = conformance.page(libcrypto=alone)
    if alone:
        assert found == made
    else:
        assert _without_libcrypto(found) == _without_libcrypto(made)


def _without_libcrypto(text: str) -> list[list[str]]:
    lines = [line.split(" | ") for line in text.splitlines() if "from OpenSSL 3.5" not in line]
    return [[*line[:3], *line[4:]] for line in lines]
