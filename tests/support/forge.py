"""CMP messages made by hand, without libcrypto: a client that can do everything wrong.

Protection is computed in Python, by shared secret (PBM with SHA-256) or by ECDSA, so that any field can be
changed before it is protected, or after.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp._openssl.convert import encoded
from osslcmp.message.bodies import CertRepMessage, ErrorMessage, RevRep, read_body
from osslcmp.server import Server, wire

from .pki import PKI

IR, CR, P10CR, KUR, RR, NESTED, GENM, ERROR, CERTCONF, POLLREQ = 0, 2, 4, 7, 11, 20, 21, 23, 24, 25

SHA256 = encode(0x30, der.encode_oid("2.16.840.1.101.3.4.2.1"))
HMAC_SHA256 = encode(0x30, der.encode_oid("1.2.840.113549.2.9"))
ECDSA_SHA256 = encode(0x30, der.encode_oid("1.2.840.10045.4.3.2"))
ITERATIONS = 100


def now() -> datetime.datetime:
    """The time at the test, which may run long after it was collected, and may set the clock."""
    return datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(der.SEQUENCE, *parts)


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return encode(der.OCTET_STRING, value)


NOBODY = encode(wire.DIRECTORY_NAME, sequence())


@dataclass(frozen=True)
class Forger:
    """A client and the state of its transaction; ``replace`` makes a variant of it."""

    secret: bytes | None = b"secret"
    reference: bytes | None = b"ref"
    certificate: x509.Certificate | None = None
    key: ec.EllipticCurvePrivateKey | None = None
    chain: tuple[x509.Certificate | bytes, ...] = ()
    transaction_id: bytes | None = field(default_factory=lambda: os.urandom(16))
    recip_nonce: bytes | None = None
    pvno: int = 2
    sender: bytes = NOBODY
    """A GeneralName; nobody means the subject of the certificate, if there is one."""
    info: tuple[bytes, ...] = ()
    protected: bool = True
    time: datetime.datetime | None = None
    """The messageTime, now if None."""
    nonce: bytes | None = b""
    """The senderNonce, a fresh one for each message if empty."""
    algorithm: bytes | None = None
    """Another protectionAlg than the one that is used."""

    @classmethod
    def signing(cls, pki: PKI) -> Forger:
        """A client with a certificate of the tests' PKI, which signs with its key."""
        assert isinstance(pki.client.key, ec.EllipticCurvePrivateKey)
        return cls(
            secret=None,
            reference=None,
            certificate=pki.client.certificate,
            key=pki.client.key,
            chain=(pki.issuing.certificate,),
        )

    def but(self, **changes: Any) -> Forger:
        """The same client with something changed."""
        return replace(self, **changes)

    def answering(self, response: bytes) -> Forger:
        """The same client after this response."""
        return replace(self, recip_nonce=wire.read_message(response).header.sender_nonce)

    # -- messages --------------------------------------------------------------------------------------------

    def message(self, kind: int, content: bytes) -> bytes:
        """A protected message with this body."""
        body = encode(explicit(kind), content)
        header = self._header()
        message = header + body
        if self.protected:
            protection = encode(der.BIT_STRING, b"\0" + self._protect(sequence(header, body)))
            message += encode(explicit(0), protection)
        if self.certificate is not None:
            certificates = (self.certificate, *self.chain)
            message += encode(explicit(1), sequence(*map(encoded, certificates)))
        return sequence(message)

    def _algorithm(self) -> bytes:
        if self.algorithm is not None:
            return self.algorithm
        if self.key is not None:
            return ECDSA_SHA256
        parameters = sequence(octets(b"salt" * 4), SHA256, der.encode_integer(ITERATIONS), HMAC_SHA256)
        return sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), parameters)

    def _protect(self, data: bytes) -> bytes:
        if self.key is not None:
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        assert self.secret is not None
        mac_key = self.secret + b"salt" * 4
        for _ in range(ITERATIONS):
            mac_key = hashlib.sha256(mac_key).digest()
        return hmac.digest(mac_key, data, "sha256")

    def _header(self) -> bytes:
        sender, kid = self.sender, self.reference
        if self.certificate is not None:
            if self.sender == NOBODY:
                sender = encode(wire.DIRECTORY_NAME, self.certificate.subject.public_bytes())
            extension = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            kid = extension.value.digest
        time = self.time or now()
        nonce = os.urandom(16) if self.nonce == b"" else self.nonce
        fields = [
            der.encode_integer(self.pvno),
            sender,
            encode(wire.DIRECTORY_NAME, sequence()),
            encode(explicit(0), der.encode_moment(time)),
        ]
        if self.protected:
            fields.append(encode(explicit(1), self._algorithm()))
        for number, value in ((2, kid), (4, self.transaction_id), (5, nonce), (6, self.recip_nonce)):
            if value is not None:
                fields.append(encode(explicit(number), octets(value)))
        if self.info:
            fields.append(encode(explicit(8), sequence(*self.info)))
        return sequence(*fields)

    # -- bodies ----------------------------------------------------------------------------------------------

    def request(
        self,
        kind: int = IR,
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        request_id: int = 0,
        name: str | bytes = "forged",
        template: bytes = b"",
        controls: bytes = b"",
        popo: bytes | None = None,
    ) -> bytes:
        """An ir, cr or kur for a fresh key. ``name`` is a CN, or DER; ``template`` what follows the public key in it."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = (
            name if isinstance(name, bytes) else x509.Name.from_rfc4514_string(f"CN={name}").public_bytes()
        )
        info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public = encode(explicit(6), der.read(info).content)
        request = sequence(
            der.encode_integer(request_id), sequence(encode(explicit(5), subject), public, template), controls
        )
        if popo is None:
            signature = key.sign(request, ec.ECDSA(hashes.SHA256()))
            popo = encode(explicit(1), ECDSA_SHA256, encode(der.BIT_STRING, b"\0" + signature))
        return self.message(kind, sequence(sequence(request, popo)))

    def cert_conf(
        self,
        cert_hash: bytes,
        request_id: int = 0,
        *,
        info: bytes = b"",
        hash_alg: bytes = b"",
        count: int = 1,
    ) -> bytes:
        """A certConf with so many equal entries."""
        status = sequence(octets(cert_hash), der.encode_integer(request_id), info, hash_alg)
        return self.message(CERTCONF, sequence(status * count))

    def poll(self, request_id: int = 0, count: int = 1) -> bytes:
        """A pollReq."""
        return self.message(POLLREQ, sequence(sequence(der.encode_integer(request_id)) * count))

    def genm(self, *infos: bytes) -> bytes:
        """A genm with these InfoTypeAndValue."""
        return self.message(GENM, sequence(*infos))

    def nest(self, *messages: bytes, **changes: Any) -> bytes:
        """A nested message: one with the transactionID and the nonces of the one that is in it, or a batch."""
        header = wire.read_message(messages[0]).header
        fields: dict[str, bytes | None] = {"transaction_id": os.urandom(16)}
        if len(messages) == 1:
            fields = {
                "transaction_id": header.transaction_id,
                "nonce": header.sender_nonce,
                "recip_nonce": header.recip_nonce,
            }
        return self.but(**(fields | changes)).message(NESTED, sequence(*messages))

    def error(self, text: str = "enough") -> bytes:
        """An error message."""
        status = sequence(der.encode_integer(2), sequence(der.encode_text(text)))
        return self.message(ERROR, sequence(status))

    def rr(
        self, issuer: x509.Name, serial: int, reason: int | None = None, *, extensions: tuple[bytes, ...] = ()
    ) -> bytes:
        """An rr; ``extensions`` are for the CRL entry besides the reason."""
        number = der.read(der.encode_integer(serial)).content
        template = sequence(encode(0x81, number), encode(explicit(3), issuer.public_bytes()))
        details = b""
        if reason is not None:
            value = octets(encode(der.ENUMERATED, bytes([reason])))
            extensions = (sequence(der.encode_oid(oids.CRL_REASON), value), *extensions)
        if extensions:
            details = sequence(*extensions)
        return self.message(RR, sequence(sequence(template, details)))


IMPLICIT_CONFIRM = sequence(der.encode_oid(oids.IMPLICIT_CONFIRM), encode(der.NULL))


@dataclass(frozen=True)
class Answer:
    """A response taken apart."""

    kind: int
    status: int | None
    failure: int
    text: str
    certificate: x509.Certificate | None
    raw: wire.RawMessage


def read(response: bytes) -> Answer:
    """Take a response apart: status of the error, of the first certificate response, or of the revocation."""
    raw = wire.read_message(response)
    body = read_body(BodyType(raw.body_type), raw.body)
    if isinstance(body, CertRepMessage):
        info, certificate = body.responses[0].status, body.responses[0].certificate
    elif isinstance(body, (ErrorMessage, RevRep)):
        info = body.status if isinstance(body, ErrorMessage) else body.statuses[0]
        certificate = None
    else:
        return Answer(raw.body_type, None, 0, "", None, raw)
    return Answer(
        raw.body_type, int(info.status), int(info.failure_info), "; ".join(info.text), certificate, raw
    )


def sha256(certificate: x509.Certificate | None) -> bytes:
    """What a certConf for it must contain."""
    assert certificate is not None
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def enroll(server: Server, client: Forger) -> tuple[Forger, Answer]:
    """An ir, answered with a certificate that is still to be confirmed."""
    response = server.process(client.request())
    answer = read(response)
    assert (answer.kind, answer.status) == (BodyType.IP, PKIStatus.accepted), answer
    return client.answering(response), answer


def refused(server: Server, message: bytes, failure: FailureInfo, kind: BodyType = BodyType.ERROR) -> Answer:
    """The message is answered with a protected error message (or ip, cp...) that says why."""
    answer = read(server.process(message))
    assert answer.kind == kind
    assert answer.status == PKIStatus.rejection
    assert FailureInfo(answer.failure) == failure
    assert answer.raw.protected
    return answer
