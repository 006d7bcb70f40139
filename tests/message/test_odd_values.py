"""Values that are well-formed and that Python or ``cryptography`` would not take: only ``ValueError`` is raised."""

from __future__ import annotations

import pytest
from support.forge import Forger, octets, sequence

import osslcmp
from fuzz.targets.files import look
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode
from osslcmp.message import CertReqMessages, RevReq


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
