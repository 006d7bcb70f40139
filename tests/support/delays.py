"""A server that delays its answer to any message, as OpenSSL's does from 3.3 on, for clients of all releases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from osslcmp import BodyType, Client
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, encode_integer, explicit

from .clients import HARMLESS
from .lies import mac
from .waiting import SECRET, Site

#: What :func:`ask` asks, and the message that asks it.
QUESTIONS = {"rr": BodyType.RR, "genm": BodyType.GENM}
SENDER_NONCE, RECIP_NONCE = explicit(5), explicit(6)
NULL = encode(der.NULL)
WAITING = encode(explicit(BodyType.ERROR), encode(der.SEQUENCE, encode(der.SEQUENCE, encode_integer(3))))
PKICONF = encode(explicit(BodyType.PKICONF), NULL)


def poll_rep(check_after: int) -> bytes:
    """The body of a pollRep for a whole answer."""
    one = encode(der.SEQUENCE, encode_integer(-1), encode_integer(check_after))
    return encode(explicit(BodyType.POLLREP), encode(der.SEQUENCE, one))


def error(status: int, text: bytes) -> bytes:
    """The body of an error message."""
    words = encode(der.SEQUENCE, encode(der.UTF8_STRING, text))
    return encode(
        explicit(BodyType.ERROR),
        encode(der.SEQUENCE, encode(der.SEQUENCE, encode_integer(status), words)),
    )


def body_type(message: bytes) -> BodyType:
    """The kind of a message."""
    return BodyType(der.sequence(message)[1].tag & 0x1F)


def _field(message: bytes, tag: int) -> bytes:
    header = der.sequence(message)[0]
    return next(part.encoding for part in der.children(header.content) if part.tag == tag)


def answering(request: bytes, model: bytes, secret: bytes, body: bytes | None = None) -> bytes:
    """An answer like ``model``, perhaps with another body, but to this request."""
    header, old_body, *rest = der.sequence(model)
    nonce = der.read(_field(request, SENDER_NONCE)).content
    changes = {
        SENDER_NONCE: encode(SENDER_NONCE, encode(der.OCTET_STRING, os.urandom(16))),
        RECIP_NONCE: encode(RECIP_NONCE, nonce),
    }
    parts = [changes.get(part.tag, part.encoding) for part in der.children(header.content)]
    new_header = der.read(encode(der.SEQUENCE, *parts))
    new_body = old_body.encoding if body is None else body
    protection = mac(new_header, secret, encode(der.SEQUENCE, new_header.encoding, new_body))
    extra = [part.encoding for part in rest if part.tag == explicit(1)]
    bits = encode(explicit(0), encode(der.BIT_STRING, b"\x00" + protection))
    return encode(der.SEQUENCE, new_header.encoding, new_body, bits, *extra)


@dataclass
class Delaying:
    """A transport: says *waiting* to messages of these types, and gives the server's answer after some polls.

    Client and server share a secret.
    """

    honest: Callable[[bytes], bytes]
    secret: bytes
    delayed: Iterable[BodyType]
    polls: int = 2
    """How many polls are answered by a pollRep."""
    check_after: int = 0
    first_nonce: bool = False
    """The final answer names the nonce of the request, as RFC 9483 has it, not that of the last poll."""
    finals: list[bytes] = field(default_factory=list)
    """Bodies to send instead of the final answers."""
    seen: list[BodyType] = field(default_factory=list)
    on_poll: Callable[[], object] = lambda: None
    _held: bytes = b""
    _left: int = 0

    def __call__(self, request: bytes) -> bytes:
        kind = body_type(request)
        self.seen.append(kind)
        if kind is BodyType.POLLREQ and self._held:
            return self._poll(request)
        if kind is BodyType.ERROR and self._held:
            held, self._held = self._held, b""
            return answering(request, held, self.secret, PKICONF)
        answer = self.honest(request)
        if kind not in self.delayed:
            return answer
        self._held, self._left = answer, self.polls
        return answering(request, answer, self.secret, WAITING)

    def _poll(self, request: bytes) -> bytes:
        self.on_poll()
        if self._left > 0:
            self._left -= 1
            return answering(request, self._held, self.secret, poll_rep(self.check_after))
        held, self._held = self._held, b""
        if self.finals:
            return answering(request, held, self.secret, self.finals.pop(0))
        return held if self.first_nonce else answering(request, held, self.secret)


def delaying(site: Site, *delayed: BodyType, **options: Any) -> Delaying:
    """A transport to its server that delays the answers to these messages."""
    return Delaying(site.server, SECRET, delayed, **options)


def client(transport: Callable[[bytes], bytes], **options: Any) -> Client:
    """A client of such a server."""
    return Client(transport=transport, reference="ref", secret=SECRET, **options)


def ask(cmp: Client, kind: str, site: Site, **options: Any) -> Any:
    """An rr for a certificate that is issued for it, or a genm."""
    if kind == "genm":
        return cmp.genm([HARMLESS], **options)
    certificate = Client(transport=site.server, reference="ref", secret=SECRET).ir(
        site.new_key, subject="CN=to be revoked"
    )
    return cmp.rr(certificate.certificate, **options)
