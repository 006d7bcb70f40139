"""Fields of a CertTemplate that the CA alone decides: told, never dropped without a word."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.forge import ECDSA_SHA256, Answer, Forger, now, read
from support.pki import make_key

import osslcmp
from osslcmp import FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca.grants import not_as_asked
from osslcmp.server.ca.issuing import key_usage
from osslcmp.server.checks.rules import Strictness

CA = EmbeddedCA({}, name="A CA").root
BASIC = x509.BasicConstraints.oid


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
        (field(der.explicit(2), der.encode_oid(oids.ECDSA_WITH_SHA256)), []),
        (field(der.explicit(3), CA.subject.public_bytes()), []),
        (field(der.explicit(3), x509.Name.from_rfc4514_string("CN=a  ca  root ca").public_bytes()), []),
        (field(der.explicit(3), x509.Name([]).public_bytes()), []),
        (field(der.explicit(3), x509.Name.from_rfc4514_string("CN=B").public_bytes()), ["issuer of the CA"]),
        (field(der.implicit(7), b"\0\1"), ["issuerUniqueID left out"]),
        (field(der.implicit(8), b"\0\1"), ["subjectUniqueID left out"]),
    ],
)
def test_fields(template: bytes | None, told: list[str]) -> None:
    assert not_as_asked(template, CA, CA) == told


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


def asked(
    first: bytes = b"",
    second: bytes = b"",
    *,
    public: bool = True,
    strictness: Strictness = "strict",
) -> Answer:
    """The answer to an ir whose template has these fields before the subject (``second``: between it and the key)."""
    client, key = Forger(), make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = der.encode(
        der.SEQUENCE,
        first,
        der.encode(der.explicit(5), x509.Name.from_rfc4514_string("CN=x").public_bytes()),
        der.encode(der.explicit(6), der.read(info).content) if public else b"",
        second,
    )
    request = der.encode(der.SEQUENCE, der.encode_integer(0), template)
    popo = der.encode(
        der.explicit(1),
        ECDSA_SHA256,
        der.encode(der.BIT_STRING, b"\0" + key.sign(request, ec.ECDSA(hashes.SHA256()))),
    )
    body = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, request, popo))
    server = EmbeddedCA({"ref": "secret"}).server(strictness=strictness)
    return read(server.process(client.message(0, body)))


def validity(start: datetime.datetime | None, end: datetime.datetime | None) -> bytes:
    """The field of a template."""
    ends = ((0, start), (1, end))
    return der.encode(
        der.explicit(4),
        *(der.encode(der.explicit(n), der.encode_moment(moment)) for n, moment in ends if moment is not None),
    )


TODAY = now()
PAST, LATER, NEVER = (TODAY + datetime.timedelta(days=days) for days in (-9, 9, 36_500))


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (der.encode(der.implicit(1), b"\5"), "serial number of the CA"),
        (der.encode(der.explicit(2), der.encode_oid("1.3.101.112")), "signature algorithm of the CA"),
        (
            der.encode(der.explicit(3), x509.Name.from_rfc4514_string("CN=B").public_bytes()),
            "issuer of the CA",
        ),
        (validity(None, NEVER), "validity shortened"),
        (validity(None, LATER), ""),
    ],
    ids=["serialNumber", "signingAlg", "issuer", "too long", "as asked"],
)
def test_granted_with_mods(first: bytes, told: str) -> None:
    answer = asked(first)
    assert answer.status == (PKIStatus.grantedWithMods if told else PKIStatus.accepted)
    assert answer.text == told
    assert answer.certificate is not None
    assert answer.certificate.serial_number != 5


@pytest.mark.parametrize(
    "fields",
    [
        {"first": der.encode(der.implicit(0), b"\0")},
        {"first": validity(PAST, PAST)},
        {"first": validity(LATER, TODAY)},
        {"public": False},
    ],
    ids=["version", "past", "ends before it starts", "no key"],
)
@pytest.mark.parametrize("strictness", ["strict", "rfc9810"])
def test_refused_fields(fields: dict[str, Any], strictness: Strictness) -> None:
    answer = asked(**fields, strictness=strictness)
    assert (answer.status, answer.certificate) == (PKIStatus.rejection, None)
    expected = {FailureInfo.badCertTemplate}
    if not fields.get("public", True):
        expected.add(FailureInfo.badPOP)  # from OpenSSL 3.5 on the proof is what is odd: it proves nothing
    assert FailureInfo(answer.failure) in expected
    assert answer.text


def extension(oid: str, value: bytes, critical: bytes = b"") -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), critical, der.encode(der.OCTET_STRING, value))


def named(tag: int, content: bytes) -> bytes:
    """The extension for alternative names, with one."""
    return extension(oids.SUBJECT_ALT_NAME, der.encode(der.SEQUENCE, der.encode(tag, content)))


def control(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_oid(oid), value))


#: A default written out: later releases encode the message without it to verify its protection, which fails.
FALSE = b"\1\1\0" if osslcmp.openssl_version < (3, 1) else b""


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"template": extension("2.5.29.14", b"\4\2ab")}, "extension 2.5.29.14 of the CA"),
        ({"template": extension("2.5.29.35", b"\x30\4\x80\2ab", FALSE)}, "extension 2.5.29.35 of the CA"),
        ({"controls": control(oids.REG_TOKEN, der.encode_text("x"))}, ""),
        ({"controls": control(oids.AUTHENTICATOR, der.encode_text("x"))}, ""),
        ({"controls": control(oids.PKI_PUBLICATION_INFO, b"\x30\3\2\1\1")}, "pkiPublicationInfo not heeded"),
        ({"controls": control(oids.PKI_PUBLICATION_INFO, b"\x30\3\2\1\0")}, ""),
        ({"controls": control(oids.PKI_ARCHIVE_OPTIONS, b"\x82\1\xff")}, "pkiArchiveOptions not heeded"),
        ({"controls": control("1.2.3.4", b"\5\0")}, "1.2.3.4 not heeded"),
    ],
)
def test_what_is_not_done_is_told(asked: Any, told: str) -> None:
    if "template" in asked:
        asked = {"template": der.encode(der.explicit(9), asked["template"])}
    answer = read(
        EmbeddedCA({"ref": "secret"}).server(strictness="rfc9810").process(Forger().request(**asked))
    )
    assert (answer.status, answer.text) == (
        PKIStatus.grantedWithMods if told else PKIStatus.accepted,
        told,
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"template": named(0xA3, b"")}, "extension 2.5.29.17: x400Address/EDIPartyName"),
        ({"template": named(0x82, b"\xe4.example")}, "extension 2.5.29.17: error parsing"),
        ({"template": named(0x82, b"a") * 2}, "extensions: Duplicate 2.5.29.17"),
        ({"template": extension("2.5.29.15", b"")}, "extension 2.5.29.15: error parsing"),
        (
            {
                "name": der.encode(
                    0x30, der.encode(0x31, der.encode(0x30, der.encode_oid("1.2.3"), b"\x30\0"))
                )
            },
            "subject: attribute 1.2.3 is no string",
        ),
    ],
)
def test_the_field_is_named(asked: Any, told: str) -> None:
    """Of what is asked for and cannot be certified."""
    if "template" in asked:
        asked = {"template": der.encode(der.explicit(9), asked["template"])}
    answer = read(EmbeddedCA({"ref": "secret"}).server().process(Forger().request(**asked)))
    assert FailureInfo(answer.failure) == FailureInfo.badCertTemplate
    assert answer.text.startswith(f"malformed template: {told}")


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize(
    ("asked", "got", "told"),
    [
        ("key_agreement", "key_agreement", ""),
        ("key_cert_sign", "digital_signature", "key usage of a CA left out"),
        ("", "digital_signature", "key usage that there is none"),
    ],
)
def test_key_usages(asked: str, got: str, told: str, critical: bool) -> None:
    """As asked for, critical or not, and never one without a usage (RFC 5280, section 4.2.1.3)."""
    client = osslcmp.Client(
        transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret"
    )
    wanted = key_usage(**({asked: True} if asked else {}))
    extensions = [
        x509.Extension(wanted.oid, critical, wanted),
        x509.Extension(BASIC, critical, x509.BasicConstraints(False, None)),
    ]
    found = client.ir(make_key(), subject="CN=x", extensions=extensions)
    assert (found.text, found.status is PKIStatus.accepted) == (told, not told)
    issued = found.certificate.extensions
    usage, constraints = issued.get_extension_for_oid(wanted.oid), issued.get_extension_for_oid(BASIC)
    assert usage.value == key_usage(**{got: True})
    assert (usage.critical, constraints.critical) == (critical, critical)


@pytest.mark.parametrize(("tag", "text"), [(0x13, "a!@"), (0x14, "\u00e4")])
def test_directory_names_that_only_openssl_reads(tag: int, text: str) -> None:
    """Alternative names are taken like subjects: the same texts as UTF-8."""
    attribute = der.encode(0x30, der.encode_oid("2.5.4.3"), der.encode(tag, text.encode("latin-1")))
    asked = named(der.explicit(4), der.encode(0x30, der.encode(0x31, attribute)))
    message = Forger().request(template=der.encode(der.explicit(9), asked))
    certificate = read(EmbeddedCA({"ref": "secret"}).server().process(message)).certificate
    assert certificate is not None
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DirectoryName) == [x509.Name.from_rfc4514_string(f"CN={text}")]


@pytest.mark.parametrize("critical", [b"", FALSE])
def test_extensions_of_a_crl_entry(critical: bytes) -> None:
    """What the CRL will not say of a revocation is told."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    certificate = read(server.process(Forger().request())).certificate
    assert certificate is not None
    invalid = extension("2.5.29.24", der.encode_moment(TODAY), critical)
    answer = read(
        server.process(Forger().rr(certificate.issuer, certificate.serial_number, 1, extensions=(invalid,)))
    )
    assert (answer.status, answer.text) == (
        PKIStatus.grantedWithMods,
        "extension 2.5.29.24 of the CRL entry left out",
    )
    record = ca.record(certificate)
    assert record is not None
    assert record.revoked is osslcmp.RevocationReason.keyCompromise
