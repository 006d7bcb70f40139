"""Live sessions of a client and the embedded CA, and the means to have them again with a message changed."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp.server import EmbeddedCA, Rejected, Server, waiting

from .protect import Credentials, Signer, get_field, octets, protect, set_field, sign_within
from .tree import Node, encode, integer, oid, parse, read, seq
from .values import INFO_TYPES

REFERENCE, SECRET, WRONG_SECRET = b"ref", b"the shared secret", b"a guess"
TRANSACTION, SENDER_NONCE, RECIP_NONCE, TIME = 0xA4, 0xA5, 0xA6, 0xA0
CERT_CONF = 24
_DAY = datetime.timedelta(days=1)


def key(number: int) -> ec.EllipticCurvePrivateKey:
    """Always the same key for a number."""
    return ec.derive_private_key(0x1234567890 + number, ec.SECP256R1())


def certify(subject: str, number: int, issuer: Signer | None = None, *, ca: bool = False) -> Signer:
    """A certificate; self-signed without an issuer."""
    own = key(number)
    name = x509.Name.from_rfc4514_string(subject)
    now = datetime.datetime.now(datetime.timezone.utc)
    public = own.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(public)
        .serial_number(1_000 + number)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 365 * _DAY)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return Signer(builder.sign(own if issuer is None else issuer.key, hashes.SHA256()), own)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    request: bytes
    answer: bytes


@dataclass(frozen=True)
class Session:
    """What went over the wire between a client and an honest server."""

    name: str
    protection: str
    """``mac`` or ``signature``."""
    exchanges: tuple[Exchange, ...]


@dataclass
class World:
    """Everybody's keys, a CA, and sessions with it."""

    root: Signer = field(default_factory=lambda: certify("CN=fuzz root", 1, ca=True))
    request_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: key(7))

    def __post_init__(self) -> None:
        self.issuer = certify("CN=fuzz issuing", 2, self.root, ca=True)
        self.server_signer = certify("CN=fuzz server", 3, self.issuer)
        self.forger = certify("CN=me", 5, certify("CN=fuzz root", 6, ca=True))
        self.ca = self.make_ca()
        self.server: Server = self.make_server(self.ca)
        first = osslcmp.Client(transport=self.server, **self.arguments("mac"))
        self.client = Signer(first.cr(key(4), subject="CN=me", sans=["me.example"]).certificate, key(4))
        self.other = first.cr(key(8), subject="CN=me").certificate
        self.sessions = self._record()

    def make_ca(self) -> EmbeddedCA:
        """An embedded CA with the world's keys."""
        return EmbeddedCA({REFERENCE: SECRET}, **self.ca_pairs)

    @property
    def ca_pairs(self) -> dict[str, Any]:
        """The keys of the CA."""
        return {
            "root": (self.root.certificate, self.root.key),
            "issuer": (self.issuer.certificate, self.issuer.key),
        }

    def make_server(self, ca: EmbeddedCA) -> Server:
        """Its server."""
        own = self.server_signer
        return ca.server(certificate=own.certificate, key=own.key, chain=[self.issuer.certificate])

    def arguments(self, protection: str) -> dict[str, Any]:
        """What a client is made with."""
        if protection == "mac":
            return {"reference": REFERENCE, "secret": SECRET, "trusted": self.root.certificate}
        return {
            "certificate": self.client.certificate,
            "key": self.client.key,
            "chain": [self.issuer.certificate],
            "trusted": self.root.certificate,
        }

    def credentials(self, protection: str, *, of_server: bool = False) -> Credentials:
        """What protects a message."""
        if protection == "mac":
            return SECRET
        return self.server_signer if of_server else self.client

    @cached_property
    def csr(self) -> x509.CertificateSigningRequest:
        """A CSR for the key that is certified."""
        name = x509.Name.from_rfc4514_string("CN=csr")
        san = x509.SubjectAlternativeName([x509.DNSName("csr.example")])
        builder = (
            x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(san, critical=False)
        )
        return builder.sign(self.request_key, hashes.SHA256())

    def signer_of(self, content: Node) -> Signer:
        """Who has to sign what is found in a message: the CA a certificate, the client its request."""
        kids = content.kids
        if len(kids) >= 6 and kids[0].tag == b"\xa0":
            return self.issuer
        return Signer(self.client.certificate, self.request_key)

    # -- recording ----------------------------------------------------------------------------------------

    def _record(self) -> dict[str, Session]:
        made = [session for protection in ("mac", "signature") for session in self._sessions(protection)]
        return {session.name: session for session in made}

    def _sessions(self, protection: str) -> list[Session]:
        exchanges: list[Exchange] = []

        def transport(request: bytes) -> bytes:
            answer = self.server.process(request)
            exchanges.append(Exchange(request, answer))
            return answer

        client = osslcmp.Client(transport=transport, **self.arguments(protection))
        found: list[Session] = []

        def take(kind: str, call: Callable[[], object]) -> None:
            try:
                call()
            except osslcmp.CMPError:
                if kind not in ("refused", "aborted"):
                    raise
            found.append(Session(f"{protection} {kind}", protection, tuple(exchanges)))
            exchanges.clear()

        take("ir", lambda: client.ir(self.request_key, subject="CN=new,O=here", sans=["a.example"], days=30))
        take("cr", lambda: client.cr(self.request_key, subject="CN=new", implicit_confirm=True))
        take("p10cr", lambda: client.p10cr(self.csr))
        if protection == "signature":  # as RFC 9483 wants these two
            take("kur", lambda: client.kur(self.request_key, certificate=self.client.certificate))
        self.ca._updated.clear()  # what has been updated would ask for nothing more
        if protection == "signature":
            take("rr", lambda: client.rr(self.other, reason=osslcmp.RevocationReason.certificateHold))
        take("genm", lambda: client.genm([_itav(number) for number in (17, 19, 20, 2, 6)]))
        self.ca.policy = waiting(2, 0, "wait")
        take("waits", lambda: client.ir(self.request_key, subject="CN=new"))
        take("aborted", lambda: client.begin("ir", key=self.request_key, subject="CN=new").abort())
        self.ca.policy = lambda _request: Rejected(osslcmp.FailureInfo.badCertTemplate, "no")
        take("refused", lambda: client.ir(self.request_key, subject="CN=new"))
        self.ca.policy = None
        take("error", lambda: self._error(protection, transport))
        ir = found[0].exchanges[0]
        found += [
            Session(
                f"{protection} body {number}", protection, (self._with_body(ir, number, content, protection),)
            )
            for number, content in _bodies(self.root.der).items()
        ]
        return found

    def _error(self, protection: str, transport: Callable[[bytes], bytes]) -> None:
        """A request in a transaction that was never begun: an error message comes."""
        sent: list[bytes] = []

        def keep(request: bytes) -> bytes:
            sent.append(request)
            return self.server.process(request)

        client = osslcmp.Client(transport=keep, **self.arguments(protection))
        client.ir(self.request_key, subject="CN=new")
        root = self.request_again(sent[1], os.urandom(16), None, None)
        protect(root, self.credentials(protection))
        transport(root.encode())

    def _with_body(self, exchange: Exchange, number: int, content: bytes, protection: str) -> Exchange:
        made = []
        for message, of_server in ((exchange.request, False), (exchange.answer, True)):
            root = read(message)
            root.kids[1] = read(encode(0xA0 + number, content or seq(message)))
            protect(root, self.credentials(protection, of_server=of_server))
            made.append(root.encode())
        return Exchange(*made)

    # -- having them again --------------------------------------------------------------------------------

    def request_again(
        self, template: bytes, transaction_id: bytes, answer: bytes | None, certificate: bytes | None
    ) -> Node:
        """A request of a session as it would be in another transaction, not protected yet.

        Args:
            template: the request.
            transaction_id: of the new transaction.
            answer: what the server has said before it.
            certificate: what was issued there, as DER.
        """
        root = read(template)
        header = root.kids[0]
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d%H%M%SZ").encode()
        set_field(header, Node(bytes((TIME,)), encode(0x18, now)))
        set_field(header, octets(TRANSACTION, transaction_id))
        set_field(header, octets(SENDER_NONCE, os.urandom(16)))
        nonce = None if answer is None else get_field(answer, SENDER_NONCE)
        if nonce is not None:
            set_field(header, octets(RECIP_NONCE, nonce))
        if root.kids[1].tag[0] == 0xA0 + CERT_CONF and certificate is not None:
            root.kids[1].kids[0].kids[0].kids[0].content = hashlib.sha256(certificate).digest()
        return root

    def answer_again(self, template: bytes, request: bytes) -> Node:
        """An answer of a session, to this request."""
        root = read(template)
        header = root.kids[0]
        for tag, found in (
            (TRANSACTION, get_field(request, TRANSACTION)),
            (RECIP_NONCE, get_field(request, SENDER_NONCE)),
        ):
            if found is not None:
                set_field(header, octets(tag, found))
        return root

    def finish(self, root: Node, credentials: Credentials, *, inner: bool) -> None:
        """Protect; with ``inner`` certificates, CSRs and proofs of possession are signed before."""
        if inner:
            for kid in root.kids[1:]:
                sign_within(kid, self.signer_of)
        protect(root, credentials)

    @cached_property
    def pool(self) -> tuple[bytes, ...]:
        """Elements of messages, to be put into others."""
        found: dict[bytes, None] = {}

        def gather(node: Node, depth: int) -> None:
            for kid in node.kids:
                encoding = kid.encode()
                if kid.kids and len(encoding) < 1_500:
                    found[encoding] = None
                if depth:
                    gather(kid, depth - 1)

        for session in self.sessions.values():
            for exchange in session.exchanges:
                for message in (exchange.request, exchange.answer):
                    gather(read(message), 6)
        return tuple(found)[:3_000]


def _itav(number: int) -> osslcmp.InfoTypeAndValue:
    return osslcmp.InfoTypeAndValue(x509.ObjectIdentifier(f"1.3.6.1.5.5.7.4.{number}"))


def issued(answer: bytes) -> bytes | None:
    """The certificate in an ip, cp or kup."""
    try:
        body = parse(answer)[0].kids[1]
        if body.tag[0] - 0xA0 not in (1, 3, 8):
            return None
        responses = next(kid for kid in body.kids[0].kids if kid.tag == b"\x30")
        return responses.kids[0].kids[2].kids[0].content
    except (ValueError, IndexError, StopIteration):
        return None


def _text(value: str) -> bytes:
    return encode(0x0C, value.encode())


_STATUS = seq(integer(2), seq(_text("no")), encode(3, b"\x05\x20"))
_NAME = seq(encode(0x31, seq(oid("2.5.4.3"), _text("x"))))
_CERT_ID = seq(encode(0xA4, _NAME), integer(5))
_TIME = encode(0x18, b"20261127120000Z")

_REQUESTS = seq(seq(seq(integer(0), seq(encode(0xA5, _NAME)))))


def _bodies(certificate: bytes) -> dict[int, bytes]:
    """Contents of bodies that no session has, and of some that are rare."""
    return {
        5: seq(seq(encode(4, b"x" * 32), encode(4, b"y" * 64))),
        6: seq(integer(5)),
        9: _REQUESTS,
        10: seq(_STATUS),
        12: seq(seq(_STATUS), encode(0xA0, seq(_CERT_ID))),
        13: _REQUESTS,
        14: seq(seq(seq(integer(0), _STATUS))),
        15: seq(certificate, certificate, certificate),
        16: certificate,
        17: seq(integer(0), _CERT_ID, _TIME, _TIME),
        18: seq(),
        19: encode(5),
        20: b"",  # nested: the message itself
        22: seq(*(seq(oid(kind)) for kind in INFO_TYPES)),
        23: seq(_STATUS, integer(1_234_567), seq(_text("details"))),
        24: seq(seq(encode(4, b"h" * 32), integer(0), seq(integer(2), seq(_text("bad"))))),
        25: seq(seq(integer(0))),
        26: seq(seq(integer(0), integer(0), seq(_text("wait")))),
    }
