"""What one message of somebody who has proved nothing makes libcrypto work: bounded, and in proportion to its length."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import work

import osslcmp
from osslcmp import Limits
from osslcmp._openssl.received import violation

#: In honest messages. The most is some 700 (docs/security-testing.md); what was not bounded took 9,000 and more.
MOST = 3_000


@pytest.fixture(scope="module")
def honest() -> dict[str, float]:
    """The cost of an honest message, by side."""
    return {side: work.cost(side, work.CASES[work.HONEST], 10) for side in work.SIDES}


@pytest.mark.parametrize("side", work.SIDES)
@pytest.mark.parametrize("name", [name for name in work.CASES if name != work.HONEST])
def test_work(name: str, side: str, honest: dict[str, float]) -> None:
    """No message costs what thousands of honest ones do. CPU time is compared, which other processes take little of."""
    assert work.cost(side, work.CASES[name], 1) < MOST * honest[side]


def growth(make: Callable[..., bytes], side: str) -> float:
    """How much more work four times the certificates are."""
    few, many = (work.cost(side, lambda forge, n=n: make(forge, n)) for n in (24, 96))  # type: ignore[misc]
    return many / few


@pytest.mark.parametrize("side", work.SIDES)
def test_long_paths_grow_in_proportion(side: str) -> None:
    """Four times the certificates are about four times the work, not sixteen."""
    assert growth(work.long_path, side) < 10


@pytest.mark.parametrize("side", work.SIDES)
def test_look_alikes(side: str) -> None:
    """In proportion before 3.5. Since then libcrypto compares them with each other; ``Limits.certificates`` bounds that.

    Measured were 14 times the work with 3.5.9, and 36 times with 4.0.3.
    """
    assert growth(work.look_alikes, side) < (10 if osslcmp.openssl_version < (3, 5) else 100)


@pytest.mark.parametrize("name", work.REFUSED)
def test_refused(name: str) -> None:
    """What would cost more is refused before libcrypto decodes it, by a limit that can be raised."""
    limit, case = work.REFUSED[name]
    message = case(lambda forger: forger.error())
    found = violation(message)
    assert found is not None
    assert found.limit == limit
    assert violation(message, Limits(**{limit: 2**31 - 1})) is None


def test_iterations_count_together() -> None:
    """libcrypto tries one recipient after the other: what counts is what all of them ask for."""

    def derivations(iterations: int, count: int) -> bytes:
        return work.key_derivations(lambda forger: forger.error(), iterations, count)

    assert violation(derivations(400_000, 5)) is None
    for iterations, count in ((400_000, 6), (2**70, 1), (2**31, 2)):
        found = violation(derivations(iterations, count))
        assert found is not None
        assert found.limit == "iterations"


def test_keys_that_pass() -> None:
    """Usual exponents do, and what is no key at all is libcrypto's to judge."""
    for exponent in (3, 65537, (1 << 256) - 1):
        assert violation(work.rsa_keys(lambda forger: forger.error(), 2048, exponent, 2)) is None
    message = work.rsa_keys(lambda forger: forger.error(), 2048, 65537, 1)
    key = message.index(b"\x03\x82\x01\x0f\x00\x30\x82\x01\x0a")
    for broken in (b"\x30\x82\xff\xff", b"\x30\x82\x00\x00", b"\x02\x82\x01\x0a"):
        assert violation(message[: key + 5] + broken + message[key + 9 :]) is None
