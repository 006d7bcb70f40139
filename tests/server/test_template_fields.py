"""Fields of a CertTemplate that the CA alone decides: told, never dropped without a word."""

from __future__ import annotations

import pytest
from cryptography import x509
from support.forge import Forger, read
from support.pki import make_key

import osslcmp
from osslcmp import PKIStatus
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca.grants import not_as_asked

CA = x509.Name.from_rfc4514_string("CN=A CA")


def field(tag: int, content: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode(tag, content))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (None, []),
        (field(der.implicit(0), b"\2"), []),
        (field(der.implicit(0), b"\0"), ["version 3"]),
        (field(der.implicit(1), b"\5"), ["serial number of the CA"]),
        (field(der.explicit(2), der.encode_oid("1.3.101.112")), ["signature algorithm of the CA"]),
        (field(der.explicit(3), CA.public_bytes()), []),
        (field(der.explicit(3), x509.Name.from_rfc4514_string("CN=a  ca").public_bytes()), []),
        (field(der.explicit(3), x509.Name([]).public_bytes()), []),
        (field(der.explicit(3), x509.Name.from_rfc4514_string("CN=B").public_bytes()), ["issuer of the CA"]),
        (field(der.implicit(7), b"\0\1"), ["issuerUniqueID left out"]),
        (field(der.implicit(8), b"\0\1"), ["subjectUniqueID left out"]),
    ],
)
def test_fields(template: bytes | None, told: list[str]) -> None:
    assert not_as_asked(template, CA) == told


def test_another_issuer_is_told_to_the_client() -> None:
    client = osslcmp.Client(
        transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret"
    )
    enrollment = client.ir(make_key(), subject="CN=x", issuer="CN=somebody else")
    assert enrollment.status is PKIStatus.grantedWithMods
    assert enrollment.text == "issuer of the CA"


def test_who_names_nothing_of_that_is_told_nothing() -> None:
    assert (
        read(EmbeddedCA({"ref": "secret"}).server().process(Forger().request())).status == PKIStatus.accepted
    )
