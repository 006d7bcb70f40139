"""Values that are well-formed and that Python or ``cryptography`` would not take: only ``ValueError`` is raised."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.forge import Forger, octets, sequence
from support.odd import KINDS, NAME, PLAIN, odd_identity
from support.pki import PKI, make_name

import osslcmp
from fuzz.targets.files import look
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode
from osslcmp.message import CertReqMessages, RevReq, data, describe

SPKI = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


def with_number(number: int) -> dict[str, bytes]:
    """Messages with this where a number belongs."""
    forger, value = Forger(), der.encode_integer(number)
    content = der.read(value).content
    accepted = sequence(der.encode_integer(0))
    revoked = sequence(encode(0xA4, sequence()), value)
    return {
        "rr": forger.message(11, sequence(sequence(sequence(encode(0x81, content))))),
        "ir": forger.message(0, sequence(sequence(sequence(value, sequence(encode(0x81, content)))))),
        "version": forger.message(0, sequence(sequence(sequence(value, sequence(encode(0x80, content)))))),
        "ip": forger.message(1, sequence(sequence(sequence(value, accepted)))),
        "status": forger.message(1, sequence(sequence(sequence(der.encode_integer(0), sequence(value))))),
        "error": forger.message(23, sequence(accepted, value)),
        "certConf": forger.message(24, sequence(sequence(octets(b"h" * 32), value))),
        "pollReq": forger.message(25, sequence(sequence(value))),
        "pollRep": forger.message(26, sequence(sequence(value, value))),
        "rp": forger.message(12, sequence(sequence(accepted), encode(0xA0, sequence(revoked)))),
        "pvno": forger.but(pvno=number).genm(),
    }


@pytest.mark.parametrize("bits", [13_000, 32_000])
@pytest.mark.parametrize("name", with_number(0))
def test_numbers_of_any_length(name: str, bits: int) -> None:
    """What can be read can be printed, if need be in hexadecimal; a status of so many bits cannot be read."""
    message = osslcmp.Message.from_der(with_number(1 << bits)[name])
    look(message)
    repr(message.header)
    if name == "status":
        with pytest.raises(ValueError, match="PKIStatus"):
            _ = message.body
    else:
        repr(message.body)


def test_repeated_extensions() -> None:
    """``cryptography`` has an exception of its own for them, which is no ValueError."""
    reason = sequence(der.encode_oid("2.5.29.21"), octets(b"\x0a\x01\x01"))
    details = sequence(sequence(), sequence(reason, reason))
    rr = osslcmp.Message.from_der(Forger().message(11, sequence(details))).body
    assert isinstance(rr, RevReq)
    with pytest.raises(ValueError, match="Duplicate"):
        _ = rr.details[0].crl_entry_extensions
    with pytest.raises(ValueError, match="Duplicate"):
        _ = rr.details[0].reason
    ir = osslcmp.Message.from_der(Forger().request(template=encode(0xA9, reason, reason))).body
    assert isinstance(ir, CertReqMessages)
    with pytest.raises(ValueError, match="Duplicate"):
        _ = ir.requests[0].template.extensions


@pytest.mark.parametrize("kind", KINDS)
def test_certificates_that_only_libcrypto_reads(kind: str, pki: PKI) -> None:
    """They are shown in words and as data; what cannot be is shown as DER."""
    name = make_name(PLAIN if kind == "printable" else NAME)
    odd = odd_identity(kind, pki.issue("shown_odd", pki.issuing, subject=name), pki.issuing)
    body = sequence(
        sequence(
            sequence(der.encode_integer(0), sequence(der.encode_integer(0)), sequence(encode(0xA0, odd)))
        )
    )
    message = osslcmp.Message.from_der(Forger().message(3, body))
    shown, told = str(describe.tree(message)), data.data(message)
    certificate = told["body"]["responses"][0]["certificate"]
    assert certificate["der"] == base64.b64encode(odd).decode()
    assert name.rfc4514_string() in shown
    assert name.rfc4514_string() in describe.summary(message)
    assert certificate["subject"] == name.rfc4514_string()
    assert sha256(odd).digest()[:4].hex(" ", 1) in shown


def test_one_odd_extension_hides_no_other() -> None:
    """In a template and in a CSR: it is shown in octets beside the others."""
    oid = der.encode_oid("2.5.29.17")
    odd, good = (
        sequence(oid, octets(sequence(encode(0x80 | 7, b"abc")))),
        sequence(der.encode_oid("2.5.29.19"), octets(sequence())),
    )
    ir = osslcmp.Message.from_der(Forger().request(template=encode(0xA9, odd, good)))
    attribute = sequence(der.encode_oid("1.2.840.113549.1.9.14"), encode(0x31, sequence(odd, good)))
    csr = sequence(
        sequence(der.encode_integer(0), sequence(), SPKI, encode(0xA0, attribute)),
        sequence(der.encode_oid("1.2.840.10045.4.3.2")), encode(der.BIT_STRING, b"\0"),
    )  # fmt: skip
    p10cr = osslcmp.Message.from_der(Forger().message(4, csr))
    for message in (ir, p10cr):
        shown = str(describe.tree(message))
        assert "87 03 61 62 63" in shown
        assert "no CA" in shown
    assert len(data.data(ir)["body"]["requests"][0]["template"]["extensions"]) == 2
