"""CMP messages to read: a conversation of a client and a server, and bodies made by hand."""

from __future__ import annotations

from typing import Any

from cryptography import x509

import osslcmp
from osslcmp import BodyType, InfoTypeAndValue, message
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, explicit
from osslcmp.message import Message
from osslcmp.server import EmbeddedCA, waiting

from .clients import SECRET
from .forge import sequence as seq
from .pki import make_key

CA_CERTS = "1.3.6.1.5.5.7.4.17"


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


def first_certificate(conversation: list[Message]) -> x509.Certificate:
    """The first one that was issued."""
    for each in conversation:
        if isinstance(each.body, message.CertRepMessage):
            for response in each.body.responses:
                if response.certificate is not None:
                    return response.certificate
    raise AssertionError("none was issued")
