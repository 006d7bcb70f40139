"""Numbers out of range, in what a user gives and in dumps: an error that says so, at once."""

from __future__ import annotations

import datetime
import json
import math
import random
from base64 import b64decode, b64encode
from typing import Any

import pytest
from support.pending import damaged
from support.waiting import SECRET, Site

import osslcmp
from osslcmp import IR

EXTREMES: list[Any] = [
    10**400, -(10**400), 2**63, -1, float("nan"), float("inf"), -math.inf, 1e308, 10**12, True, "1", [], {}, None,
]  # fmt: skip


@pytest.mark.parametrize("field", ["begun", "due"])
@pytest.mark.parametrize("value", EXTREMES, ids=lambda value: repr(value)[:20])
def test_times_of_a_dump(field: str, value: Any, site: Site) -> None:
    """Out of range."""
    with pytest.raises(ValueError, match=r"^dump: "):
        site.client().resume(damaged(site.begin().dump(), **{field: value}))


def test_text_of_a_dump(site: Site) -> None:
    """Deep, endless, huge: the message is short and says that it is the dump."""
    good = site.begin().dump()
    whole = json.loads(good)
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    for damage in (
        good.replace(b'"version": 1', b'"version": ' + b"9" * 4000),
        good.replace(b'"version": 1', b'"version": "' + b"\\u202e" * 4000 + b'"'),
        json.dumps({**whole, "transaction": {"a": deep}}).encode(),
        json.dumps({**whole, "transaction": {**whole["transaction"], "verdict": deep}}).encode(),
        good.replace(b'"begun": ', b'"begun": ' + b"1" * 5000),
        b"[" * 10**6,
    ):
        with pytest.raises(ValueError, match=r"^dump: ") as caught:
            site.client().resume(damage)
        assert len(str(caught.value)) < 2000
        assert str(caught.value).isprintable()
    with pytest.raises(ValueError, match="verdict"):
        site.client().resume(damaged(good, verdict={"a": 1}))
    for verdict in (-1, 2**31, 10**400):
        with pytest.raises(ValueError, match="verdict"):
            site.client().resume(damaged(good, verdict=verdict))


def test_mutated_dumps(site: Site) -> None:
    """Bits of the messages and other fields flipped, the checksum right: ValueError, or what the messages are worth."""
    chance = random.Random(7)
    good = site.client().begin(IR, key=site.new_key, subject="CN=x", issuer="CN=y").dump()
    fields = json.loads(good)["transaction"]
    texts = [name for name, value in fields.items() if isinstance(value, str) and name != "type"]
    for _ in range(300):
        name = chance.choice(texts)
        data = bytearray(b64decode(fields[name]))
        for _ in range(chance.choice((1, 1, 3))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        other = chance.choice((bytes(data), bytes(data[:-1]), bytes(data) * 2, b""))
        try:
            site.client().resume(damaged(good, **{name: b64encode(other).decode()}))
        except ValueError as error:
            assert str(error).startswith("dump: ")  # noqa: PT017
        except osslcmp.CMPError:
            pass


@pytest.mark.parametrize("value", [float("nan"), -1, -math.inf, 2**63, 10**400, 1e300])
def test_total_timeout(value: float) -> None:
    """No number of seconds."""
    with pytest.raises(ValueError, match="total_timeout"):
        osslcmp.Client(transport=bytes, secret="x", total_timeout=value)


def test_endless(site: Site) -> None:
    """Infinity is no limit, for each way to wait."""
    site.released = True
    cmp = osslcmp.Client(transport=site.server, reference="ref", secret=SECRET, total_timeout=math.inf)
    assert cmp.genm([]) == []
    assert cmp.ir(site.new_key, subject="CN=x")
    assert cmp.begin(IR, key=site.new_key, subject="CN=x").wait(math.inf)
    site.released = False
    with pytest.raises(ValueError, match="no number"):
        cmp.begin(IR, key=site.new_key, subject="CN=x").wait(math.nan)
    with pytest.raises(ValueError, match="no number of seconds"):
        cmp.begin(IR, key=site.new_key, subject="CN=x").wait(10**400)


def test_dates(site: Site) -> None:
    """Of a check: what is no moment here."""
    with pytest.raises(ValueError, match="time"):
        osslcmp.CertificateCheck(trusted=site.ca.root, time=datetime.datetime.min)  # noqa: DTZ901


@pytest.mark.parametrize("name", ["depth", "auth_level"])
@pytest.mark.parametrize("value", [-2, 2**31, 10**400])
def test_numbers_of_a_check(name: str, value: int, site: Site) -> None:
    """More than C has an int for."""
    wrong: Any = {name: value}
    with pytest.raises(ValueError, match=f"{name}: .* out of range"):
        osslcmp.CertificateCheck(trusted=site.ca.root, **wrong)
