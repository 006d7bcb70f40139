"""Message: DER in and out, the header, general messages, what is no message, and OpenSSL's text."""

from __future__ import annotations

import datetime
import random
import re
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support.forge import octets
from support.forge import sequence as seq
from support.messages import CA_CERTS, directory, made, only, texts
from support.pki import PKI

import osslcmp
from osslcmp import BodyType, InfoTypeAndValue, message
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, encode_oid, explicit, implicit
from osslcmp.message import Message

HMAC_SHA1 = "1.3.6.1.5.5.8.1.2"


def test_header_with_mac(conversation: list[Message]) -> None:
    """All fields, and how the MAC was made."""
    request, answer = conversation[0].header, conversation[1].header
    assert request.pvno == 2
    assert isinstance(request.sender, x509.DirectoryName)
    assert request.sender.value == x509.Name.from_rfc4514_string("CN=me,O=here")
    assert isinstance(answer.sender, x509.DirectoryName)
    assert answer.recipient == request.sender
    assert request.sender_kid == b"ref"
    assert request.recip_kid is None
    assert request.transaction_id == answer.transaction_id
    assert len(request.transaction_id or b"") == 16
    assert answer.recip_nonce == request.sender_nonce != answer.sender_nonce
    assert request.recip_nonce is None
    assert request.free_text == ()
    assert request.message_time is not None
    assert abs(datetime.datetime.now(datetime.timezone.utc) - request.message_time) < datetime.timedelta(
        hours=1
    )
    assert request.protection_alg is not None
    assert request.protection_alg.name == "password based MAC"
    assert request.pbm is not None
    assert len(request.pbm.salt) == 16
    assert request.pbm.iteration_count == (500 if osslcmp.openssl_version < (4, 0, 0) else 1024)
    assert request.pbm.owf.name == "sha256"
    assert request.pbm.mac.oid.dotted_string == HMAC_SHA1
    assert not request.implicit_confirm
    assert len(conversation[0].protection or b"") == 20
    assert conversation[0].extra_certs == ()


def test_header_with_signature(conversation: list[Message]) -> None:
    """The signature's algorithm, the signer's certificate and key identifier."""
    signed = only(conversation, BodyType.KUR)
    assert signed.header.protection_alg is not None
    assert signed.header.protection_alg.name == "ecdsa-with-SHA256"
    assert signed.header.pbm is None
    assert signed.header.sender == x509.DirectoryName(signed.extra_certs[0].subject)
    extension = signed.extra_certs[0].extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert signed.header.sender_kid == extension.value.digest
    body = seq(*(element.encoding for element in der.sequence(signed.der)[:2]))
    key = signed.extra_certs[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signed.protection or b"", body, ec.ECDSA(hashes.SHA256()))


def test_header_with_everything() -> None:
    """Optional fields that OpenSSL's client does not send."""
    info = seq(seq(encode_oid("1.3.6.1.5.5.7.4.13"), encode(der.NULL)), seq(encode_oid("1.2.3")))
    when = datetime.datetime(2026, 7, 1, 12, 30, 5, tzinfo=datetime.timezone.utc)
    header = made(
        BodyType.PKICONF,
        encode(der.NULL),
        encode(explicit(0), der.encode_moment(when)),
        encode(explicit(3), octets(b"kid")),
        encode(explicit(7), texts("hello", "wörld")),
        encode(explicit(8), info),
    ).header
    assert header.message_time == when
    assert (header.sender_kid, header.recip_kid, header.transaction_id) == (None, b"kid", None)
    assert header.free_text == ("hello", "wörld")
    assert header.implicit_confirm
    assert [(i.oid.dotted_string, i.value) for i in header.general_info] == [
        ("1.3.6.1.5.5.7.4.13", b"\x05\x00"),
        ("1.2.3", None),
    ]
    assert header.protection_alg is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (encode(implicit(2), b"host.example"), x509.DNSName("host.example")),
        (encode(implicit(7), bytes([127, 0, 0, 1])), None),
        (encode(explicit(4), b"\x30\x00"), x509.DirectoryName(x509.Name([]))),
    ],
)
def test_sender_that_is_no_directory_name(name: bytes, expected: x509.GeneralName | None) -> None:
    """Any GeneralName."""
    head = seq(encode_integer(2), name, directory("CN=r"))
    header = Message.from_der(seq(head, encode(explicit(19), encode(der.NULL)))).header
    assert header.sender == expected or isinstance(header.sender, x509.IPAddress)


def test_general_messages(conversation: list[Message]) -> None:
    """genm and genp."""
    asked, told = only(conversation, BodyType.GENM).body, only(conversation, BodyType.GENP).body
    assert asked == message.GeneralMessage((InfoTypeAndValue(x509.ObjectIdentifier(CA_CERTS)),))
    assert isinstance(told, message.GeneralMessage)
    assert told.items[0].value is not None


def test_nested(conversation: list[Message]) -> None:
    """nested: messages in a message."""
    inner = conversation[0].der
    body = made(BodyType.NESTED, seq(inner, conversation[1].der)).body
    assert isinstance(body, message.NestedMessage)
    assert [Message.from_der(d) for d in body.messages_der] == conversation[:2]


def test_other_bodies(pki: PKI) -> None:
    """What nobody uses stays DER."""
    certificate = pki.enrolled.certificate.public_bytes(Encoding.DER)
    body = made(BodyType.CANN, certificate).body
    assert body == message.OtherBody(certificate)


def test_texts_that_are_not_utf8() -> None:
    """They are told with escapes."""
    status = seq(encode_integer(2), seq(encode(der.UTF8_STRING, b"a\xff\x00")))
    body = made(BodyType.ERROR, seq(status)).body
    assert isinstance(body, message.ErrorMessage)
    assert body.status.text == ("a\\xff\x00",)


def test_malformed_certificate_does_not_hide_the_rest(pki: PKI) -> None:
    """What only libcrypto reads is there as DER; the object is a ValueError."""
    good = pki.enrolled.certificate.public_bytes(Encoding.DER)
    bad = re.sub(rb"\d{3}Z", b"12xZ", good, count=1)
    response = seq(encode_integer(0), seq(encode_integer(0)), seq(encode(explicit(0), bad)))
    body = made(BodyType.IP, seq(seq(response))).body
    assert isinstance(body, message.CertRepMessage)
    assert body.responses[0].certificate_der == bad
    with pytest.raises(ValueError, match="asn1"):
        body.responses[0].certificate  # noqa: B018


def test_odd_time_is_a_value_error() -> None:
    """libcrypto 3.0 does not look into messageTime, 3.5 does."""
    time = encode(explicit(0), encode(der.GENERALIZED_TIME, b"noon"))
    with pytest.raises(ValueError, match=r"PKIHeader|messageTime"):
        made(BodyType.PKICONF, encode(der.NULL), time).header  # noqa: B018
    if osslcmp.openssl_version < (3, 1, 0):
        odd = made(BodyType.PKICONF, encode(der.NULL), time)
        assert odd.type is BodyType.PKICONF
        assert "noon" in odd.text() or "Bad time" in odd.text()


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00",
        b"\x30",
        b"\x30\x00",
        b"garbage",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x05\x00" * 50,
    ],
)
def test_garbage(garbage: bytes) -> None:
    """What is no message is a ValueError that says so."""
    with pytest.raises(ValueError, match="not a CMP message"):
        Message.from_der(garbage)


def test_trailing_bytes_and_cuts(conversation: list[Message]) -> None:
    """Nothing may follow or be missing."""
    encoding = conversation[0].der
    for wrong in (encoding + b"\0", encoding + encoding, encoding[:-1], encoding[: len(encoding) // 2]):
        with pytest.raises(ValueError, match="not a CMP message"):
            Message.from_der(wrong)


@pytest.mark.parametrize("wrong", [None, "text", 5, object()])
def test_wrong_type(wrong: Any) -> None:
    """Only bytes."""
    with pytest.raises(TypeError, match="bytes"):
        Message.from_der(wrong)


def outcome(whole: Message, part: str) -> str:
    """Whether that part can be read."""
    with suppress(ValueError):
        getattr(whole, part)
        return "read"
    return "odd"


def test_flipped_bits(conversation: list[Message]) -> None:
    """A damaged message is a message or a ValueError, in all its parts, and its text never fails."""
    chance = random.Random(5)
    kinds = set()
    for number in range(600):
        encoding = bytearray(conversation[number % len(conversation)].der)
        encoding[chance.randrange(len(encoding))] ^= 1 << chance.randrange(8)
        try:
            damaged = Message.from_der(bytes(encoding))
        except ValueError:
            kinds.add("refused")
            continue
        for part in ("header", "body", "protection", "extra_certs"):
            kinds.add(outcome(damaged, part))
        assert damaged.text()
        assert repr(damaged)
    assert kinds == {"refused", "read", "odd"}


def test_text_and_repr(conversation: list[Message]) -> None:
    """OpenSSL's own dump, and one line."""
    told = conversation[0].text()
    assert told.startswith("OSSL_CMP_MSG")
    assert "transactionID" in told
    assert "CN=me" in told
    assert repr(conversation[0]) == f"<osslcmp.Message ir, {len(conversation[0].der)} octets>"


def test_equality(conversation: list[Message]) -> None:
    """By content."""
    first, second = conversation[:2]
    again = Message.from_der(bytearray(first.der))
    assert again == first != second
    assert hash(again) == hash(first)
    assert first != first.der
