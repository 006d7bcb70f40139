"""A server that answers as it should, except where a test says otherwise.

`Rogue` changes the messages of an honest server, validly protected again where it knows the keys; `faulty` breaks
their transfer, on sockets of its own.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit

from .lies import mac
from .pki import Identity
from .raw_server import Handler

_DER = Encoding.DER
Signer = bytes | Identity
"""What protects a message: a shared secret, or a key with its certificate."""
Change = Callable[[bytes], bytes]
"""From one message to another."""

SENDER, RECIPIENT = 1, 2  # positions in the header
SENDER_KID, TRANSACTION_ID, SENDER_NONCE, RECIP_NONCE = explicit(2), explicit(4), explicit(5), explicit(6)


def seq(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(der.SEQUENCE, *parts)


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return encode(der.OCTET_STRING, value)


# -- messages ---------------------------------------------------------------------------------------------


def protect(header: bytes, body: bytes, signer: Signer, extra: bytes = b"") -> bytes:
    """A message of these parts, protected."""
    covered = seq(header, body)
    if isinstance(signer, bytes):
        value = mac(der.read(header), signer, covered)
    else:
        assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
        value = signer.key.sign(covered, ec.ECDSA(hashes.SHA256()))
    return seq(header, body, encode(explicit(0), encode(der.BIT_STRING, b"\0" + value)), extra)


def parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, body and extraCerts (empty if there are none)."""
    header, body, *rest = der.sequence(message)
    extra = b"".join(part.encoding for part in rest if part.tag == explicit(1))
    return header.encoding, body.encoding, extra


def with_header(signer: Signer, fields: Mapping[int, bytes | None], *, pvno: int = 2) -> Change:
    """Header fields replaced by OCTET STRINGs of these octets, or (``None``) left out; protected again."""

    def change(message: bytes) -> bytes:
        header, body, extra = parts(message)
        elements = {element.tag: element.encoding for element in der.sequence(header)[3:]}
        for tag, value in fields.items():
            elements.pop(tag, None)
            if value is not None:
                elements[tag] = encode(tag, octets(value))
        names = (element.encoding for element in der.sequence(header)[1:3])
        rest = (encoding for _, encoding in sorted(elements.items()))
        return protect(seq(der.encode_integer(pvno), *names, *rest), body, signer, extra)

    return change


def with_body(signer: Signer, change: Callable[[der.Element], bytes]) -> Change:
    """Another body (a whole encoding), protected again."""

    def changed(message: bytes) -> bytes:
        header, _, extra = parts(message)
        return protect(header, change(der.sequence(message)[1]), signer, extra)

    return changed


def signed_by(signer: Identity) -> Change:
    """The same, signed by another, whose certificate and key identifier replace those of the server."""

    def change(message: bytes) -> bytes:
        identifier = signer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        chain = (signer.certificate, *signer.chain)
        extra = encode(explicit(1), seq(*(c.public_bytes(_DER) for c in chain)))
        header, body, _ = parts(with_header(signer, {SENDER_KID: identifier.value.digest})(message))
        return protect(header, body, signer, extra)

    return change


def unprotected(message: bytes) -> bytes:
    """The same without protection."""
    header, body, extra = parts(message)
    return seq(header, body, extra)


def damaged_protection(message: bytes) -> bytes:
    """One bit of the protection flipped."""
    header, body, protection, *rest = der.sequence(message)
    wrong = protection.encoding[:-1] + bytes([protection.encoding[-1] ^ 1])
    return seq(header.encoding, body.encoding, wrong, *(part.encoding for part in rest))


def cert_rep(kind: int, certificate: x509.Certificate, request_id: int = 0, ca_pubs: bytes = b"") -> bytes:
    """An ip, cp or kup that grants this certificate."""
    pair = seq(encode(explicit(0), certificate.public_bytes(_DER)))
    response = seq(der.encode_integer(request_id), seq(der.encode_integer(0)), pair)
    return encode(explicit(kind), seq(ca_pubs, seq(response)))


@dataclass
class Rogue:
    """A client's transport: an honest server, some of whose answers (counted from 0) are changed."""

    honest: Callable[[bytes], bytes]
    changes: Mapping[int, Change] = field(default_factory=dict)
    count: int = 0

    def __call__(self, request: bytes) -> bytes:
        answer = self.honest(request)
        change = self.changes.get(self.count)
        self.count += 1
        return answer if change is None else change(answer)


# -- transfer ---------------------------------------------------------------------------------------------


def faulty(
    honest: Callable[[bytes], bytes], faults: Mapping[int, Handler], *, reached: bool = True
) -> Handler:
    """A handler for `RawServer`: honest answers, but for some (counted from 0), whose handler gets the right one.

    With ``reached=False`` such a request does not reach the server; the handler gets the answer before it.
    """
    count, answer = 0, b""

    def handle(connection: socket.socket, request: bytes) -> None:
        nonlocal count, answer
        fault = faults.get(count, send)
        if reached or fault is send:
            answer = honest(request.partition(b"\r\n\r\n")[2])
        count += 1
        fault(connection, answer)

    return handle


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/pkixcmp") -> bytes:
    """An HTTP response."""
    return f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def send(connection: socket.socket, answer: bytes) -> None:
    """As it should be."""
    connection.sendall(http(answer))


def nothing(_connection: socket.socket, _answer: bytes) -> None:
    """Closes without a word."""


def cut(share: float) -> Handler:
    """Closes when that share of the response is sent."""

    def handle(connection: socket.socket, answer: bytes) -> None:
        data = http(answer)
        connection.sendall(data[: int(len(data) * share)])

    return handle


def silent(connection: socket.socket, _answer: bytes) -> None:
    """Says nothing until the client has gone."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def drip(start: int) -> Handler:
    """The first `start` bytes, then one byte each second, until the client has gone."""

    def handle(connection: socket.socket, answer: bytes) -> None:
        data = http(answer)
        connection.sendall(data[:start])
        connection.settimeout(1)
        for position in range(start, len(data)):
            connection.sendall(data[position : position + 1])
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                continue

    return handle


def flood(head: bytes, chunk: bytes = b"\0" * 65536, size: int = 200_000_000) -> Handler:
    """`head`, then 200 MB, as long as the client takes them. ``taken`` is how many it took."""

    def handle(connection: socket.socket, _answer: bytes) -> None:
        connection.sendall(head)
        handle.taken = 0  # type: ignore[attr-defined]
        while handle.taken < size:  # type: ignore[attr-defined]
            connection.sendall(chunk)
            handle.taken += len(chunk)  # type: ignore[attr-defined]

    return handle


def say(change: Callable[[bytes], bytes]) -> Handler:
    """Whatever `change` makes of the right answer."""
    return lambda connection, answer: connection.sendall(change(answer))
