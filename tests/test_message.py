"""Message: DER in and out, the header, every kind of body, and OpenSSL's text."""

from __future__ import annotations

import datetime
import hashlib
import random
import re
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.clients import SECRET
from support.pki import PKI, make_key

import osslcmp
from osslcmp import BodyType, FailureInfo, InfoTypeAndValue, PKIStatus, POPOMethod, message
from osslcmp import _der as der
from osslcmp._der import encode, encode_integer, encode_oid, explicit, implicit
from osslcmp.message import Message
from osslcmp.server import EmbeddedCA, waiting

HMAC_SHA1 = "1.3.6.1.5.5.8.1.2"
CA_CERTS = "1.3.6.1.5.5.7.4.17"
ENVELOPED = encode(explicit(0), b"\x30\x00")


def seq(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(der.SEQUENCE, *parts)


def octets(data: bytes) -> bytes:
    """An OCTET STRING."""
    return encode(der.OCTET_STRING, data)


def directory(name: str) -> bytes:
    """A GeneralName."""
    return encode(explicit(4), x509.Name.from_rfc4514_string(name).public_bytes())


def texts(*strings: str) -> bytes:
    """PKIFreeText."""
    return seq(*map(der.encode_text, strings))


def made(kind: BodyType, content: bytes, *header: bytes) -> Message:
    """An unprotected message with this body and further header fields."""
    head = seq(encode_integer(2), directory("CN=sender"), directory("CN=recipient"), *header)
    return Message.from_der(seq(head, encode(explicit(kind), content)))


@pytest.fixture(scope="module")
def conversation() -> list[Message]:
    """What goes over the wire in ir, kur, rr and genm, with one poll."""
    ca = EmbeddedCA({"ref": SECRET}, policy=waiting(1, check_after=0))
    server, messages = ca.server(), []

    def transport(request: bytes) -> bytes:
        answer = server.process(request)
        for encoding in (request, answer):
            messages.append(Message.from_der(encoding))
            assert messages[-1].der == encoding
        return answer

    key = make_key()
    cmp = osslcmp.Client(transport=transport, reference="ref", secret=SECRET, trusted=ca.root)
    result = cmp.ir(key, subject="CN=me,O=here", sans=["me.example"], days=30)
    mine: dict[str, Any] = {
        "certificate": result.certificate,
        "key": key,
        "chain": result.chain,
        "trusted": ca.root,
    }
    cmp = osslcmp.Client(transport=transport, **mine)
    cmp.kur(make_key())
    cmp.genm(InfoTypeAndValue(x509.ObjectIdentifier(CA_CERTS)))
    cmp.rr(reason=osslcmp.RevocationReason.superseded)
    return messages


def only(messages: list[Message], kind: BodyType) -> Message:
    """The first message of that kind."""
    return next(m for m in messages if m.type is kind)


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


def test_certificate_request(conversation: list[Message]) -> None:
    """ir: template, extensions, proof of possession."""
    body = only(conversation, BodyType.IR).body
    assert isinstance(body, message.CertReqMessages)
    (request,) = body.requests
    template = request.template
    assert request.request_id == 0
    assert template.subject == x509.Name.from_rfc4514_string("CN=me,O=here")
    assert template.issuer is None
    assert isinstance(template.public_key, ec.EllipticCurvePublicKey)
    assert template.extensions is not None
    names = template.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["me.example"]
    assert template.not_before is not None
    assert template.not_after is not None
    assert template.not_after - template.not_before == datetime.timedelta(days=30)
    assert request.popo.method is POPOMethod.SIGNATURE
    assert request.popo.algorithm is not None
    assert request.popo.algorithm.name == "ecdsa-with-SHA256"
    assert request.popo.value
    assert request.controls == request.reg_info == ()


def test_key_update_request(conversation: list[Message]) -> None:
    """kur: the certificate to update."""
    issued = only(conversation, BodyType.IP).body
    assert isinstance(issued, message.CertRepMessage)
    body = only(conversation, BodyType.KUR).body
    assert isinstance(body, message.CertReqMessages)
    (control,) = body.requests[0].controls
    assert control.name == "oldCertID"
    assert not control.secret
    old = control.old_certificate
    certificate = first_certificate(conversation)
    assert old is not None
    assert old.serial_number == certificate.serial_number
    assert old.issuer == x509.DirectoryName(certificate.issuer)


def first_certificate(conversation: list[Message]) -> x509.Certificate:
    """The first one that was issued."""
    for each in conversation:
        if isinstance(each.body, message.CertRepMessage):
            for response in each.body.responses:
                if response.certificate is not None:
                    return response.certificate
    raise AssertionError("none was issued")


def test_waiting_and_polling(conversation: list[Message]) -> None:
    """ip with waiting, pollReq, pollRep or the certificate."""
    first = only(conversation, BodyType.IP).body
    assert isinstance(first, message.CertRepMessage)
    assert first.responses[0].status == message.PKIStatusInfo(
        PKIStatus.waiting, FailureInfo(0), ("the authority is thinking",)
    )
    assert first.responses[0].certificate is None
    poll = only(conversation, BodyType.POLLREQ).body
    assert poll == message.PollReq((0,))


def test_confirmation(conversation: list[Message]) -> None:
    """certConf and pkiconf."""
    confirm = only(conversation, BodyType.CERTCONF).body
    assert isinstance(confirm, message.CertConfirm)
    (status,) = confirm.statuses
    certificate = first_certificate(conversation)
    assert status.cert_hash == hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    assert status.request_id == 0
    assert status.status is None or status.status.status is PKIStatus.accepted
    assert status.hash_algorithm is None
    assert only(conversation, BodyType.PKICONF).body == message.PKIConfirm()


def test_general_messages(conversation: list[Message]) -> None:
    """genm and genp."""
    asked, told = only(conversation, BodyType.GENM).body, only(conversation, BodyType.GENP).body
    assert asked == message.GeneralMessage((InfoTypeAndValue(x509.ObjectIdentifier(CA_CERTS)),))
    assert isinstance(told, message.GeneralMessage)
    assert told.items[0].value is not None


def test_revocation(conversation: list[Message]) -> None:
    """rr and rp."""
    request, answer = only(conversation, BodyType.RR).body, only(conversation, BodyType.RP).body
    assert isinstance(request, message.RevReq)
    (details,) = request.details
    assert details.reason is osslcmp.RevocationReason.superseded
    assert details.template.serial_number
    assert isinstance(answer, message.RevRep)
    assert answer.statuses[0].status is PKIStatus.accepted
    assert [c.serial_number for c in answer.certificates] == [details.template.serial_number]
    assert isinstance(answer.certificates[0].issuer, x509.DirectoryName)
    assert answer.crls == ()


def test_revocation_answer_with_everything() -> None:
    """Several statuses, a CertId and a CRL."""
    ca = EmbeddedCA({"ref": SECRET})
    crl = ca.crl().public_bytes(Encoding.DER)
    certificate_id = seq(directory("CN=ca"), encode_integer(5))
    body = made(
        BodyType.RP,
        seq(
            seq(seq(encode_integer(0)), seq(encode_integer(2), texts("no"), der.encode_bits(1 << 4))),
            encode(explicit(0), seq(certificate_id)),
            encode(explicit(1), seq(crl)),
        ),
    ).body
    assert isinstance(body, message.RevRep)
    assert [s.status for s in body.statuses] == [PKIStatus.accepted, PKIStatus.rejection]
    assert body.statuses[1].text == ("no",)
    assert body.statuses[1].failure_info == FailureInfo.badCertId
    assert body.crls[0].public_bytes(Encoding.DER) == crl


def test_revocation_without_reason() -> None:
    """crlEntryDetails may be missing."""
    template = seq(encode(implicit(1), b"\x05"), encode(explicit(3), x509.Name([]).public_bytes()))
    body = made(BodyType.RR, seq(seq(template))).body
    assert isinstance(body, message.RevReq)
    assert body.details[0].reason is None
    assert body.details[0].template.serial_number == 5
    assert body.details[0].template.issuer == x509.Name([])


def certificate_request(popo: bytes, *, controls: bytes = b"", reg_info: bytes = b"") -> message.CertRequest:
    """The request in a cr with this proof of possession."""
    spki = make_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = seq(
        encode(implicit(0), b"\x02"),
        encode(implicit(2) | 0x20, encode_oid("1.2.840.10045.4.3.2")),
        encode(explicit(3), x509.Name.from_rfc4514_string("CN=issuer").public_bytes()),
        encode(explicit(4), encode(explicit(1), encode(der.UTC_TIME, b"300101000000Z"))),
        encode(explicit(6), der.read(spki).content),
        encode(implicit(7), b"\x00\x01"),
    )
    body = made(BodyType.CR, seq(seq(seq(encode_integer(7), template, controls), popo, reg_info))).body
    assert isinstance(body, message.CertReqMessages)
    (request,) = body.requests
    assert request.request_id == 7
    assert request.template.version == 2
    assert request.template.signing_algorithm is not None
    assert request.template.signing_algorithm.name == "ecdsa-with-SHA256"
    assert request.template.not_before is None
    assert request.template.not_after == datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
    assert request.template.public_key_der == spki
    return request


@pytest.mark.parametrize(
    ("popo", "method", "value"),
    [
        (b"", POPOMethod.NONE, None),
        (encode(implicit(0)), POPOMethod.RAVERIFIED, None),
        (encode(explicit(2), encode(implicit(1), b"\x00")), POPOMethod.KEYENC, encode(implicit(1), b"\x00")),
        (
            encode(explicit(3), encode(implicit(1), b"\x01")),
            POPOMethod.KEYAGREE,
            encode(implicit(1), b"\x01"),
        ),
    ],
)
def test_proof_of_possession(popo: bytes, method: POPOMethod, value: bytes | None) -> None:
    """Other than a signature."""
    found = certificate_request(popo).popo
    assert (found.method, found.algorithm, found.value) == (method, None, value)


def test_signature_over_input() -> None:
    """POPOSigningKey with poposkInput."""
    spki = make_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signing = encode(explicit(0), encode(explicit(0), directory("CN=x")), spki)
    algorithm = seq(encode_oid("1.2.840.10045.4.3.2"))
    popo = encode(explicit(1), signing, algorithm, encode(der.BIT_STRING, b"\0sig"))
    assert certificate_request(popo).popo.value == b"sig"


def test_controls() -> None:
    """A registration token is never shown."""
    token, pairs = der.encode_text("token-of-mine"), der.encode_text("a?b%")
    request = certificate_request(
        b"",
        controls=seq(seq(encode_oid("1.3.6.1.5.5.7.5.1.1"), token)),
        reg_info=seq(seq(encode_oid("1.3.6.1.5.5.7.5.2.1"), pairs)),
    )
    assert [(c.name, c.value, c.secret) for c in request.controls] == [("regToken", token, True)]
    assert [(c.name, c.value, c.secret) for c in request.reg_info] == [("utf8Pairs", pairs, False)]
    assert request.controls[0].old_certificate is None
    assert "token-of-mine" not in repr(request)


def test_p10cr(pki: PKI) -> None:
    """A CSR."""
    encoding = pki.enrolled.csr().public_bytes(Encoding.DER)
    body = made(BodyType.P10CR, encoding).body
    assert isinstance(body, message.PKCS10Request)
    assert body.csr_der == encoding
    assert body.csr.subject == pki.enrolled.subject


def test_certificate_responses(pki: PKI) -> None:
    """caPubs, a certificate, an encrypted one with its key, publication info, rspInfo."""
    certificate = pki.enrolled.certificate.public_bytes(Encoding.DER)
    plain = seq(
        encode_integer(0), seq(encode_integer(1)), seq(encode(explicit(0), certificate)), octets(b"rsp")
    )
    enveloped = encode(explicit(1), ENCRYPTED_VALUE)
    publication = encode(explicit(1), seq(encode_integer(0)))
    hidden = seq(
        encode_integer(-1),
        seq(encode_integer(0)),
        seq(enveloped, encode(explicit(0), ENCRYPTED_VALUE), publication),
    )
    body = made(BodyType.CP, seq(encode(explicit(1), seq(certificate)), seq(plain, hidden))).body
    assert isinstance(body, message.CertRepMessage)
    assert body.ca_pubs == (pki.enrolled.certificate,)
    first, second = body.responses
    assert first.certificate == pki.enrolled.certificate
    assert first.status.status is PKIStatus.grantedWithMods
    assert first.rsp_info == b"rsp"
    assert (second.request_id, second.certificate, second.rsp_info) == (-1, None, None)
    assert second.encrypted_certificate == second.private_key == ENCRYPTED_VALUE
    assert second.publication_info == seq(encode_integer(0))


ENCRYPTED_VALUE = seq(encode(der.BIT_STRING, b"\0cipher"))


def test_error_message() -> None:
    """Status, code, details."""
    info = seq(encode_integer(2), texts("bad", "worse"), der.encode_bits(1 << 9 | 1 << 26))
    body = made(BodyType.ERROR, seq(info, encode_integer(2**80), texts("more"))).body
    assert body == message.ErrorMessage(
        message.PKIStatusInfo(
            PKIStatus.rejection, FailureInfo.badPOP | FailureInfo.duplicateCertReq, ("bad", "worse")
        ),
        2**80,
        ("more",),
    )
    assert made(BodyType.ERROR, seq(seq(encode_integer(9)))).body == message.ErrorMessage(
        message.PKIStatusInfo(PKIStatus(9), FailureInfo(0), ())
    )


def test_poll_answer() -> None:
    """pollRep."""
    body = made(BodyType.POLLREP, seq(seq(encode_integer(-1), encode_integer(3600), texts("busy")))).body
    assert body == message.PollRep((message.PollAnswer(-1, 3600, ("busy",)),))


def test_cert_status_with_hash_algorithm() -> None:
    """certConf of CMP version 3, and a refusal."""
    algorithm = encode(explicit(0), seq(encode_oid("2.16.840.1.101.3.4.2.3")))
    refusal = seq(encode_integer(2), texts("not mine"), der.encode_bits(1 << 7))
    content = seq(seq(octets(b"h" * 64), encode_integer(0), refusal, algorithm))
    if osslcmp.openssl_version < (3, 2, 0):  # CMP version 3 is not known there
        with pytest.raises(ValueError, match="certConf"):
            made(BodyType.CERTCONF, content)
        return
    body = made(BodyType.CERTCONF, content).body
    assert isinstance(body, message.CertConfirm)
    (status,) = body.statuses
    assert status.status is not None
    assert status.status.text == ("not mine",)
    assert status.hash_algorithm is not None
    assert status.hash_algorithm.name == "sha512"


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
    with pytest.raises(ValueError, match=r"PKIMessage|messageTime"):
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
