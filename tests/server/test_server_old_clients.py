"""Header fields that RFC 9810 does not have so, and that need not keep a message from its answer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support.conformance import Scene, Unidentified, name
from support.forge import Answer, Forger, read

from osslcmp import BodyType, FailureInfo
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, wire
from osslcmp.server.ca.grants import Binding
from osslcmp.server.ca.profiles import Profile
from osslcmp.server.checks.rules import Strictness


@dataclass(frozen=True)
class Timed(Forger):
    """Writes its messageTime as it likes."""

    stamp: bytes = b""

    def _header(self) -> bytes:
        parts = der.sequence(super()._header())
        time = encode(explicit(0), encode(der.GENERALIZED_TIME, self.stamp))
        return encode(der.SEQUENCE, *(time if p.tag == explicit(0) else p.encoding for p in parts))


STAMPS = [
    b"20260101120000+0100",
    b"202601011200Z",
    b"2026010112Z",
    b"20260101120000",
    b"20260101120000.5-0130",
]


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("strictness", ["strict", "rfc9810", "openssl"])
def test_time(strictness: Strictness, stamp: bytes) -> None:
    """Where a time is looked at, it is a CMP message that says what is wrong; libcrypto looks at none, but newer releases
    do not decode each of these."""
    answer = read(Scene(strictness).server.process(Timed(stamp=stamp).request()))
    if strictness == "openssl" and answer.kind == BodyType.IP:
        assert answer.certificate is not None
    elif strictness == "openssl":
        assert FailureInfo(answer.failure) == FailureInfo.badDataFormat
        assert "OSSL_CMP_PKIHEADER" in answer.text
    else:
        assert (answer.kind, FailureInfo(answer.failure)) == (BodyType.ERROR, FailureInfo.badTime)
        assert "UTC" in answer.text


def by_name(common_name: str, strictness: Strictness, ca: EmbeddedCA) -> Answer:
    """The answer to a client that says by its name alone which secret it has."""
    sender = encode(wire.DIRECTORY_NAME, name(common_name) if common_name else name(""))
    client = Unidentified(sender=sender)
    return read(ca.server(strictness=strictness).process(client.request()))


@pytest.mark.parametrize("strictness", ["rfc9810", "openssl"])
def test_secret_by_name(strictness: Strictness) -> None:
    """As clients of RFC 4210 have it. What is issued belongs to that name's secret, and so do its limits."""
    ca = EmbeddedCA({"ref": "secret", "other": "another"})
    answer = by_name("ref", strictness, ca)
    assert answer.certificate is not None
    record = ca.record(answer.certificate)
    assert record is not None
    assert record.reference == b"ref"
    for stranger in ("other", "nobody", ""):
        assert by_name(stranger, strictness, ca).certificate is None
    ca.profiles = {"gone": Profile()}
    ca.add_secret("ref", "secret", Binding(profile="gone"))
    ca.profiles = {}
    assert by_name("ref", strictness, ca).certificate is None


def test_strict() -> None:
    """RFC 9483 wants a senderKID."""
    answer = by_name("ref", "strict", EmbeddedCA({"ref": "secret"}))
    assert FailureInfo(answer.failure) == FailureInfo.badMessageCheck
