"""Shared secrets that expire, or are good for some certificates only."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.persistent import REFERENCE, SECRET, Reviving, ca_in, client, opened
from support.pki import make_key
from support.schemas import take_back
from support.threads import at_once

import osslcmp
from osslcmp import FailureInfo, RejectedError
from osslcmp.server import EmbeddedCA, Waiting
from osslcmp.server.ca.grants import Binding

NOW = datetime.datetime.now(datetime.timezone.utc)
LATER, BEFORE = NOW + datetime.timedelta(days=1), NOW - datetime.timedelta(seconds=2)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ca(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedCA]:
    """A CA of each kind, without a secret."""
    with ca_in(request.param, tmp_path / "ca", request) as found:
        yield found


def enroll(server: Any, name: str = "x", **options: Any) -> osslcmp.Enrollment:
    return client(server, **options).ir(make_key(), subject=f"CN={name}")


def refused(call: Any, text: str) -> None:
    with pytest.raises(RejectedError, match=text) as caught:
        call()
    assert caught.value.failure_info == FailureInfo.notAuthorized


def test_uses(ca: EmbeddedCA) -> None:
    """So many certificates and no more, updates counted; the secret still asks and revokes, and its transactions end."""
    ca.add_secret(REFERENCE, SECRET, Binding(uses=3))
    server = ca.server(strictness="rfc9810")
    first = enroll(server)
    by_mac = client(server)
    by_mac.kur(make_key(), certificate=first.certificate)
    last = by_mac.cr(make_key(), subject="CN=x")
    refused(lambda: enroll(server), "used up")
    refused(lambda: by_mac.kur(make_key(), certificate=last.certificate), "used up")
    assert by_mac.ca_certs()
    by_mac.rr(last.certificate)
    assert [record.confirmed for record in ca.records] == [True] * 3


def test_uses_of_anybody(ca: EmbeddedCA) -> None:
    """They are those of all references that share the secret; a reference of its own has its own."""
    ca.add_secret("*", SECRET, Binding(uses=1))
    ca.add_secret("own", SECRET, Binding(uses=1))
    server = ca.server()

    def ask(reference: str) -> None:
        osslcmp.Client(transport=server, reference=reference, secret=SECRET).ir(
            make_key(), subject=f"CN={reference}"
        )

    ask("one")
    refused(lambda: ask("two"), "used up")
    ask("own")
    refused(lambda: ask("own"), "used up")


def test_a_signed_request_is_no_use(ca: EmbeddedCA) -> None:
    """Only what the secret protects."""
    ca.add_secret(REFERENCE, SECRET, Binding(uses=1))
    server, key = ca.server(), make_key()
    first = client(server).ir(key, subject="CN=x")
    signing = osslcmp.Client(
        transport=server, certificate=first.certificate, key=key, chain=first.chain, trusted=[ca.root]
    )
    signing.kur(make_key())
    assert len(ca.records) == 2


def test_what_is_refused_is_no_use(ca: EmbeddedCA) -> None:
    """A request that no certificate is issued for leaves what there is."""
    ca.add_secret(REFERENCE, SECRET, Binding(uses=1))
    server = ca.server()
    ca.policy = lambda _: osslcmp.server.Rejected(FailureInfo.badTime, "not today")
    with pytest.raises(RejectedError, match="not today"):
        enroll(server)
    ca.policy = None
    enroll(server)


def test_expiry(ca: EmbeddedCA) -> None:
    """Nothing is begun afterwards; what was begun before is issued, confirmed and polled for."""
    ca.add_secret(REFERENCE, SECRET, Binding(expires=LATER))
    server = ca.server(strictness="rfc9810")
    certificate = enroll(server).certificate
    ca.policy = lambda request: None if request.polls else Waiting(0)
    pending = client(server).begin("cr", key=make_key(), subject="CN=x")
    ca.policy = lambda request: None if request.polls > 1 else Waiting(0)
    ca.add_secret(REFERENCE, SECRET, Binding(expires=BEFORE))
    assert pending.wait(20).certificate
    ca.policy = None
    by_mac = client(server)
    refused(lambda: enroll(server), "expired")
    refused(lambda: by_mac.kur(make_key(), certificate=certificate), "expired")
    refused(lambda: by_mac.rr(certificate), "expired")
    refused(by_mac.ca_certs, "expired")
    assert [record.confirmed for record in ca.records] == [True, True]


def test_counted_over_changes(ca: EmbeddedCA) -> None:
    """The same secret given again goes on counting, with the new limit; another one begins anew."""
    for secret, uses, left in (
        (SECRET, 1, 1),
        (SECRET, 1, 0),
        (SECRET, 3, 2),
        ("other", 1, 1),
        (SECRET, 1, 1),
    ):
        ca.add_secret(REFERENCE, secret, Binding(uses=uses))
        server = ca.server()
        cmp = osslcmp.Client(transport=server, reference=REFERENCE, secret=secret)
        for _ in range(left):
            cmp.ir(make_key(), subject="CN=x")
        refused(lambda cmp=cmp: cmp.ir(make_key(), subject="CN=x"), "used up")


def test_race(database_url: str, tmp_path: Path) -> None:
    """Of many clients of many servers at once, as many get a certificate as there are uses."""
    secrets = {REFERENCE: (SECRET, Binding(uses=3))}
    with ExitStack() as stack:
        cas = [
            stack.enter_context(opened(tmp_path / "ca", secrets=secrets, database=database_url))
            for _ in range(3)
        ]
        servers = [ca.server() for ca in cas]
        issued, errors = [], []

        def ask(number: int) -> None:
            try:
                issued.append(enroll(servers[number % 3], f"x{number}"))
            except RejectedError as error:
                errors.append(error)

        at_once(ask, range(12))
        assert (len(issued), len(errors)) == (3, 9)
        assert {error.failure_info for error in errors} == {FailureInfo.notAuthorized}
        assert len(cas[0].records) == 3


@pytest.mark.parametrize("point", ["before the commit", "within the commit", "after the commit"])
def test_killed(tmp_path: Path, point: str) -> None:
    """The client of a server that dies gets its one certificate from the next one."""
    with opened(tmp_path, secrets={REFERENCE: (SECRET, Binding(uses=1))}):
        pass
    with Reviving(tmp_path, (point, 1)) as transport:
        enroll(transport)
        assert transport.deaths == 1
        refused(lambda: enroll(transport), "used up")


def test_database_of_the_release_before(tmp_path: Path) -> None:
    """Its secrets are without limits, until they get one."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        enroll(ca.server())
    take_back(f"sqlite:///{tmp_path / 'ca.db'}", 5)
    with opened(tmp_path) as ca:
        server = ca.server()
        enroll(server)
        ca.add_secret(REFERENCE, SECRET, Binding(uses=1))
        enroll(server)
        refused(lambda: enroll(server), "used up")


@pytest.mark.parametrize("uses", [0, -1, 2**31])
def test_no_number_of_uses(uses: int) -> None:
    """One at least."""
    with pytest.raises(ValueError, match="uses: 1 to"):
        Binding(uses=uses)


def test_time_without_a_zone() -> None:
    """It is UTC."""
    assert Binding(expires=datetime.datetime(2027, 1, 31)).expires == datetime.datetime(  # noqa: DTZ001
        2027, 1, 31, tzinfo=datetime.timezone.utc
    )
