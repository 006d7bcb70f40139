"""The rules of RFC 9483 and RFC 9810 for what a server takes and refuses, each with the messages that show it.

``CASES`` is one table: a message that keeps or breaks a rule, built field by field, and what the answer has to be.
``tests/server/checks/test_conformance.py`` sends them, ``tools/conformance.py`` makes ``docs/conformance.md`` of them.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit, implicit
from osslcmp._openssl.lib import features
from osslcmp.server import EmbeddedCA, wire
from osslcmp.server.ca import issuing
from osslcmp.server.checks.rules import Strictness
from osslcmp.server.engine import PVNOS

from .forge import (
    CR,
    ECDSA_SHA256,
    GENM,
    IMPLICIT_CONFIRM,
    IR,
    KUR,
    NESTED,
    P10CR,
    RR,
    SHA256,
    Answer,
    Forger,
    now,
    octets,
    read,
    sequence,
    sha256,
)

F = FailureInfo
Protection = Literal["MAC", "signature"]
ERROR = BodyType.ERROR
RSA_SHA256 = sequence(der.encode_oid("1.2.840.113549.1.1.11"), encode(der.NULL))
UNKNOWN = "1.3.6.1.4.1.99999.1"
NONE = b""
_ID_IT = "1.3.6.1.5.5.7.4."


@dataclass(frozen=True)
class Untimed(Forger):
    """Leaves messageTime out."""

    def _header(self) -> bytes:
        parts = der.sequence(super()._header())
        return sequence(*(part.encoding for part in parts if part.tag != explicit(0)))


@dataclass(frozen=True)
class WithoutAlgorithm(Forger):
    """Has a protection but no protectionAlg."""

    def _header(self) -> bytes:
        parts = der.sequence(super()._header())
        return sequence(*(part.encoding for part in parts if part.tag != explicit(1)))


@dataclass(frozen=True)
class WithoutProtection(Forger):
    """Has a protectionAlg but no protection."""

    def message(self, kind: int, content: bytes) -> bytes:
        parts = der.sequence(super().message(kind, content))
        return sequence(*(part.encoding for part in parts if part.tag != explicit(0)))


@dataclass(frozen=True)
class WithoutCertificates(Forger):
    """Leaves extraCerts out."""

    def message(self, kind: int, content: bytes) -> bytes:
        parts = der.sequence(super().message(kind, content))
        return sequence(*(part.encoding for part in parts if part.tag != explicit(1)))


@dataclass(frozen=True)
class Unidentified(Forger):
    """Leaves senderKID out."""

    def _header(self) -> bytes:
        parts = der.sequence(super()._header())
        return sequence(*(part.encoding for part in parts if part.tag != explicit(2)))


def certify(
    subject: x509.Name,
    public: Any,
    issuer: issuing.Pair,
    *usages: x509.ObjectIdentifier,
    usage: x509.KeyUsage | None = None,
) -> x509.Certificate:
    """The certificate of an end entity, made without a request."""
    certificate, key = issuer
    moment = now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - datetime.timedelta(days=1))
        .not_valid_after(moment + datetime.timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(usage or issuing.key_usage(digital_signature=True), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(key, hashes.SHA256())


class Scene:
    """A fresh CA, its server, and clients."""

    def __init__(self, strictness: Strictness = "strict", directory: Path | None = None) -> None:
        root = issuing.make_ca("conformance root", None, path_length=None)
        self._issuer = issuing.make_ca("conformance CA", root, path_length=None)
        make = EmbeddedCA if directory is None else partial(EmbeddedCA.open, directory)
        self.ca = make({"ref": "secret"}, root=root, issuer=self._issuer)
        self.server = self.ca.server(strictness=strictness)
        self.names = 0

    def client(self, protection: Protection) -> Forger:
        """A client: one with a shared secret, or ``member``."""
        return Forger() if protection == "MAC" else self.member.but(transaction_id=os.urandom(16))

    @cached_property
    def member(self) -> Forger:
        """Has a certificate of this CA."""
        return self.new_member("member")

    def new_member(self, name: str) -> Forger:
        """A client that has just got a certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        client = Forger(info=(IMPLICIT_CONFIRM,))
        answer = read(self.server.process(crm(client, subject=name, key=key)))
        assert answer.certificate is not None, answer.text
        return Forger(None, None, answer.certificate, key, self.ca.chain)

    def certified(
        self,
        name: str,
        *usages: x509.ObjectIdentifier,
        usage: x509.KeyUsage | None = None,
        issuer: issuing.Pair | None = None,
    ) -> Forger:
        """A client whose certificate the CA, or another issuer, has made without a request."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self._issuer
        subject = x509.Name.from_rfc4514_string(f"CN={name}")
        made = certify(subject, key.public_key(), signer, *usages, usage=usage)
        above = () if issuer is None else (signer[0],)
        return Forger(None, None, made, key, (*above, *self.ca.chain))

    def below(self, name: str, *usages: x509.ObjectIdentifier) -> Forger:
        """A client of a CA whose certificate this CA has issued."""
        return self.certified(
            name, *usages, issuer=issuing.make_ca("a CA below", self._issuer, path_length=0)
        )

    @property
    def ra(self) -> Forger:
        """A registration authority."""
        return self.certified("ra", issuing.CMC_RA)

    def enroll(self, client: Forger, request: bytes | None = None) -> tuple[Forger, bytes]:
        """The client after the answer to its request, and what its certConf has to contain."""
        response = self.server.process(request or crm(client))
        answer = read(response)
        assert answer.certificate is not None, answer.text
        return client.answering(response), sha256(answer.certificate)


# -- bodies ----------------------------------------------------------------------------------------------------


def name(text: str) -> bytes:
    """A Name with this common name."""
    return x509.Name.from_rfc4514_string(f"CN={text}").public_bytes() if text else sequence()


def extension(oid: str, value: bytes) -> bytes:
    """An Extension that is not critical."""
    return sequence(der.encode_oid(oid), octets(value))


SAN = extension("2.5.29.17", sequence(encode(0x82, b"conformance.example")))


def crm(
    client: Forger,
    kind: int = IR,
    *,
    subject: str | None = "conformance",
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    public: bool = True,
    version: int | None = None,
    extensions: bytes = b"",
    request_id: int = 0,
    controls: bytes = b"",
    popo: bytes | None = None,
    algorithm: bytes | None = None,
    count: int = 1,
    damage: bool = False,
) -> bytes:
    """An ir, cr or kur."""
    if kind == KUR and subject == "conformance" and client.certificate is not None:
        names = client.certificate.subject
        subject_der: bytes | None = names.public_bytes()
    else:
        subject_der = None if subject is None else name(subject)
    key = key or ec.generate_private_key(ec.SECP256R1())
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = sequence(
        b"" if version is None else encode(implicit(0), der.read(der.encode_integer(version)).content),
        b"" if subject_der is None else encode(explicit(5), subject_der),
        encode(explicit(6), der.read(info).content) if public else b"",
        encode(explicit(9), extensions) if extensions else b"",
    )
    request = sequence(der.encode_integer(request_id), template, sequence(controls) if controls else b"")
    if popo is None:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = _sign_rsa(key, request)
            algorithm = algorithm or RSA_SHA256
        else:
            signature = key.sign(request, ec.ECDSA(hashes.SHA256()))
        if damage:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        popo = encode(explicit(1), algorithm or ECDSA_SHA256, encode(der.BIT_STRING, b"\0" + signature))
    return client.message(kind, sequence(sequence(request, popo) * count))


def _sign_rsa(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def old_cert_id(issuer: x509.Name, serial: int) -> bytes:
    """The control that names the certificate to update."""
    general = encode(wire.DIRECTORY_NAME, issuer.public_bytes())
    return sequence(der.encode_oid(oids.OLD_CERT_ID), sequence(general, der.encode_integer(serial)))


def csr(client: Forger, *, subject: str = "conformance", damage: bool = False, version: int = 0) -> bytes:
    """A p10cr."""
    key = ec.generate_private_key(ec.SECP256R1())
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = sequence(der.encode_integer(version), name(subject), info, encode(explicit(0)))
    signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    if damage:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return client.message(P10CR, sequence(content, ECDSA_SHA256, encode(der.BIT_STRING, b"\0" + signature)))


def reason(*numbers: int) -> tuple[bytes, ...]:
    """CRLReason extensions."""
    return tuple(extension(oids.CRL_REASON, encode(der.ENUMERATED, bytes([n]))) for n in numbers)


def revoke(
    client: Forger,
    certificate: x509.Certificate | None = None,
    *,
    issuer: x509.Name | Literal["own"] | None = "own",
    serial: int | Literal["own"] | None = "own",
    subject: bytes | None = None,
    public: bytes | None = None,
    version: int | None = None,
    extensions: bytes = b"",
    details: tuple[bytes, ...] = reason(4),
    count: int = 1,
) -> bytes:
    """An rr for a certificate, the client's own if None."""
    certificate = certificate or client.certificate
    assert certificate is not None
    issuer = certificate.issuer if issuer == "own" else issuer
    serial = certificate.serial_number if serial == "own" else serial
    template = sequence(
        b"" if version is None else encode(implicit(0), der.read(der.encode_integer(version)).content),
        b"" if serial is None else encode(implicit(1), der.read(der.encode_integer(serial)).content),
        b"" if issuer is None else encode(explicit(3), issuer.public_bytes()),
        b"" if subject is None else encode(explicit(5), subject),
        b"" if public is None else encode(explicit(6), der.read(public).content),
        encode(explicit(9), extensions) if extensions else b"",
    )
    one = sequence(template, sequence(*details) if details else b"")
    return client.message(RR, sequence(one * count))


def info(number: int, value: bytes = b"") -> bytes:
    """An InfoTypeAndValue of RFC 9810."""
    return sequence(der.encode_oid(f"{_ID_IT}{number}"), value)


# -- the table -------------------------------------------------------------------------------------------------

_UNKNOWN_ALGORITHM = sequence(der.encode_oid(UNKNOWN))
_ENVELOPE = der.encode_integer(2) + encode(0x31) + sequence(der.encode_oid("1.2.840.113549.1.7.1"), SHA256)
"""The content of an EnvelopedData."""

Make = Callable[[Scene, Forger], bytes]


@dataclass(frozen=True)
class Case:
    """A message and its answer.

    Args:
        rule: what is asked of the message.
        section: where.
        what: how this message keeps or breaks the rule.
        make: the message of a client.
        answer: the body of the answer.
        failure: the failInfo; None if the message is accepted.
        by: how it is protected.
    """

    rule: str
    section: str
    what: str
    make: Make
    answer: BodyType
    failure: FailureInfo | None = None
    by: Protection = "MAC"

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.rule}: {self.what} ({self.by})".replace(" ", "-")


CASES: list[Case] = []
_REQUESTS = {"ir": (IR, BodyType.IP), "cr": (CR, BodyType.CP)}


def _both(
    rule: str, section: str, what: str, make: Make, answer: BodyType, failure: FailureInfo | None = None
) -> None:
    ways: tuple[Protection, ...] = ("MAC", "signature")
    CASES.extend(Case(rule, section, what, make, answer, failure, by) for by in ways)


def _one(
    by: Protection,
    rule: str,
    section: str,
    what: str,
    make: Make,
    answer: BodyType,
    failure: FailureInfo | None = None,
) -> None:
    CASES.append(Case(rule, section, what, make, answer, failure, by))


def _with(**changes: object) -> Make:
    """A cr by the client with something changed."""
    return lambda _, client: crm(client.but(**changes), CR)


def _as(cls: type[Forger], kind: int = CR) -> Make:
    """A cr by a client of another class."""
    return lambda _, client: crm(cls(**vars(client)), kind)


def _later(make: Callable[[Forger, bytes], bytes], **changes: object) -> Make:
    """What follows the answer to an ir."""

    def message(scene: Scene, client: Forger) -> bytes:
        client, cert_hash = scene.enroll(client)
        return make(client.but(**changes), cert_hash)

    return message


def _minutes(count: int) -> Make:
    return lambda _, client: crm(client.but(time=now() + datetime.timedelta(minutes=count)), CR)


def _empty(kind: int) -> Make:
    return lambda _, client: client.message(kind, encode(der.NULL))


def _header() -> None:
    cp, conf = BodyType.CP, BodyType.PKICONF
    text = "9483, 3.1"
    _both("pvno", text, "2", _with(pvno=2), cp)
    third = (cp, None) if 3 in PVNOS else (ERROR, F.unsupportedVersion)
    _both("pvno", text, "3, from OpenSSL 3.5 on", _with(pvno=3), *third)
    for number in (0, 1, 4):
        _both("pvno", text, str(number), _with(pvno=number), ERROR, F.unsupportedVersion)
    _one("signature", "sender", text, "the subject of the certificate", _with(), cp)
    _one("MAC", "sender", text, "nobody", _with(), cp)
    same = encode(wire.DIRECTORY_NAME, name("ref"))
    _one("MAC", "sender", text, "the senderKID as common name", _with(sender=same), cp)
    same = encode(wire.DIRECTORY_NAME, name("conformance"))
    _one("MAC", "sender", text, "the subject that is asked for, as OpenSSL has it", _with(sender=same), cp)
    mail = encode(0x81, b"a@b.example")
    _both("sender", text, "an e-mail address", _with(sender=mail), ERROR, F.badMessageCheck)
    other = encode(wire.DIRECTORY_NAME, name("another"))
    _both("sender", text, "another name", _with(sender=other), ERROR, F.badMessageCheck)
    _both("messageTime", text, "3 minutes ago", _minutes(-3), cp)
    _both("messageTime", text, "an hour ago", _minutes(-60), ERROR, F.badTime)
    _both("messageTime", text, "in an hour", _minutes(60), ERROR, F.badTime)
    _both("messageTime", text, "absent", _as(Untimed), ERROR, F.badTime)
    _both("senderKID", text, "absent", _as(Unidentified), ERROR, F.badMessageCheck)
    _one("MAC", "senderKID", text, "of no secret", _with(reference=b"nobody"), ERROR, F.badMessageCheck)
    _both("transactionID", text, "128 bits", _with(transaction_id=bytes(range(16))), cp)
    _both("transactionID", text, "absent", _with(transaction_id=None), ERROR, F.badDataFormat)
    _both("transactionID", text, "120 bits", _with(transaction_id=bytes(15)), ERROR, F.badDataFormat)
    _both("senderNonce", text, "128 bits", _with(nonce=bytes(range(16))), cp)
    _both("senderNonce", text, "absent", _with(nonce=None), ERROR, F.badSenderNonce)
    _both("senderNonce", text, "120 bits", _with(nonce=bytes(15)), ERROR, F.badSenderNonce)
    nonce = bytes(16)
    _both("recipNonce", text, "in a first message", _with(recip_nonce=nonce), ERROR, F.badRecipientNonce)
    wait = info(14, der.encode_moment(now()))
    _both("generalInfo", text, "implicitConfirm", _with(info=(IMPLICIT_CONFIRM,)), cp)
    _both("generalInfo", text, "confirmWaitTime", _with(info=(wait,)), cp)
    _both("generalInfo", text, "both", _with(info=(IMPLICIT_CONFIRM, wait)), ERROR, F.badRequest)
    odd = (info(13, der.encode_integer(1)),)
    _both("generalInfo", text, "implicitConfirm with a number", _with(info=odd), ERROR, F.badRequest)
    utc = (info(14, encode(der.UTC_TIME, b"300101000000Z")),)
    _both("generalInfo", text, "confirmWaitTime as UTCTime", _with(info=utc), ERROR, F.badRequest)
    odd = (info(21, der.encode_integer(1)),)
    _both("generalInfo", text, "certProfile with a number", _with(info=odd), ERROR, F.badRequest)
    _both(
        "generalInfo",
        text,
        "of a type that nobody knows",
        _with(info=(sequence(der.encode_oid(UNKNOWN)),)),
        cp,
    )
    text = "9483, 3.2"
    _both("protection", text, "right", _with(), cp)
    _both("protection", text, "none at all", _with(protected=False), ERROR, F.badMessageCheck)
    _both("protection", text, "without protectionAlg", _as(WithoutAlgorithm), ERROR, F.badMessageCheck)
    _both("protection", text, "protectionAlg alone", _as(WithoutProtection), ERROR, F.badMessageCheck)
    _one("MAC", "protection", text, "another secret", _with(secret=b"guess"), ERROR, F.badMessageCheck)
    stranger = ec.generate_private_key(ec.SECP256R1())
    _one("signature", "protection", text, "another key", _with(key=stranger), ERROR, F.badMessageCheck)
    odd_alg = sequence(der.encode_oid(UNKNOWN))
    _both("protectionAlg", text, "unknown", _with(algorithm=odd_alg), ERROR, F.badAlg)
    pbmac1 = sequence(der.encode_oid("1.2.840.113549.1.5.14"), sequence())
    _one("MAC", "protectionAlg", text, "PBMAC1", _with(algorithm=pbmac1), ERROR, F.badAlg)
    dh_mac = sequence(der.encode_oid("1.2.840.113533.7.66.30"), sequence(SHA256, SHA256))
    _one("MAC", "protectionAlg", text, "DHBasedMac", _with(algorithm=dh_mac), ERROR, F.badAlg)
    kem_mac = sequence(
        der.encode_oid("1.2.840.113533.7.66.16"), sequence(SHA256, SHA256, der.encode_integer(32), SHA256)
    )
    _one("MAC", "protectionAlg", text, "KemBasedMac", _with(algorithm=kem_mac), ERROR, F.badAlg)
    text = "9483, 3.3"
    _one(
        "signature",
        "signer",
        text,
        "without digitalSignature",
        lambda s, _: crm(s.certified("agrees", usage=issuing.key_usage(key_agreement=True)), CR),
        ERROR,
        F.badMessageCheck,
    )
    _one("signature", "extraCerts", text, "absent", _as(WithoutCertificates), ERROR, F.badMessageCheck)
    _one(
        "signature",
        "extraCerts",
        text,
        "of a CA that nobody trusts",
        lambda _, __: crm(Scene().member.but(transaction_id=os.urandom(16)), CR),
        ERROR,
        F.signerNotTrusted,
    )
    text = "9483, 3.5"
    foreign = "of a CA below this one, "
    for what, make in (
        ("cr", lambda s, _: crm(s.below("device"), CR)),
        ("kur", lambda s, _: crm(s.below("device"), KUR)),
        ("rr for its own certificate", lambda s, _: revoke(s.below("device"))),
        ("rr for a certificate of this one", lambda s, _: revoke(s.below("member"), s.member.certificate)),
        ("rr, as an RA", lambda s, _: revoke(s.below("ra", issuing.CMC_RA), s.member.certificate)),
        ("cr, as an RA", lambda s, _: crm(s.below("ra", issuing.CMC_RA), CR)),
        ("genm", lambda s, _: s.below("device").genm(info(17))),
    ):
        _one("signature", "signer", text, f"{foreign}{what}", make, ERROR, F.signerNotTrusted)
    _both("order", text, "certConf after ip", _later(Forger.cert_conf), conf)
    _both("order", text, "certConf out of nothing", lambda _, c: c.cert_conf(bytes(32)), ERROR, F.badRequest)
    _both("order", text, "pollReq out of nothing", lambda _, c: c.poll(), ERROR, F.badRequest)
    _both("order", text, "an answer", lambda _, c: c.message(1, sequence()), ERROR, F.badRequest)
    _both("order", text, "pollReq after ip", _later(lambda c, _: c.poll()), ERROR, F.badRequest)
    _both(
        "transactionID",
        text,
        "of an open transaction",
        lambda s, c: crm(s.enroll(c)[0].but(recip_nonce=None)),
        ERROR,
        F.transactionIdInUse,
    )
    later = _later(Forger.cert_conf, transaction_id=None)
    _both("transactionID", text, "absent in a certConf", later, ERROR, F.badRequest)
    later = _later(Forger.cert_conf, transaction_id=bytes(range(16)))
    _both("transactionID", text, "another in a certConf", later, ERROR, F.badRequest)
    later = _later(Forger.cert_conf, recip_nonce=None)
    _both("recipNonce", text, "absent in a certConf", later, ERROR, F.badRecipientNonce)
    later = _later(Forger.cert_conf, recip_nonce=bytes(16))
    _both("recipNonce", text, "another in a certConf", later, ERROR, F.badRecipientNonce)
    later = _later(Forger.cert_conf, nonce=None)
    _both("senderNonce", text, "absent in a certConf", later, ERROR, F.badSenderNonce)
    later = _later(Forger.cert_conf, protected=False)
    _both("protection", text, "none of a certConf", later, ERROR, F.badMessageCheck)
    later = _later(Forger.cert_conf, reference=b"other")
    _one("MAC", "protection", text, "certConf with another reference", later, ERROR, F.badMessageCheck)
    _one(
        "signature",
        "protection",
        text,
        "certConf under MAC after a signed ir",
        _later(lambda c, h: Forger(transaction_id=c.transaction_id, recip_nonce=c.recip_nonce).cert_conf(h)),
        ERROR,
        F.badMessageCheck,
    )

    def ended(make: Callable[[Forger, bytes], bytes], *before: Callable[[Forger, bytes], bytes]) -> Make:
        """A message after others have ended the transaction."""

        def message(scene: Scene, client: Forger) -> bytes:
            client, cert_hash = scene.enroll(client)
            for one in before:
                scene.server.process(one(client, cert_hash))
            return make(client, cert_hash)

        return message

    confirm = Forger.cert_conf
    _both(
        "order",
        text,
        "certConf after an error message",
        ended(confirm, lambda c, _: c.error()),
        ERROR,
        F.badRequest,
    )
    wrong = ended(confirm, lambda c, _: c.cert_conf(bytes(32)))
    _both("order", text, "certConf after one that was refused", wrong, ERROR, F.badRequest)
    again = ended(lambda c, _: crm(c.but(recip_nonce=None), CR), confirm)
    _both("transactionID", text, "of a transaction that has ended", again, ERROR, F.transactionIdInUse)

    def used_nonce(scene: Scene, client: Forger) -> bytes:
        nonce = os.urandom(16)
        client, cert_hash = scene.enroll(client.but(nonce=nonce))
        return client.cert_conf(cert_hash)

    _both("senderNonce", text, "used before", used_nonce, ERROR, F.badSenderNonce)
    for kind in (IR, CR, P10CR, GENM):
        what = f"{BodyType(kind).name.lower()} that does not decode"
        _both("body", text, what, _empty(kind), ERROR, F.badDataFormat)


def _enrollment() -> None:
    cp, kup = BodyType.CP, BodyType.KUP
    text = "9483, 4.1"
    for label, (kind, answer) in _REQUESTS.items():

        def case(
            rule: str,
            what: str,
            failure: FailureInfo | None = None,
            kind: int = kind,
            answer: BodyType = answer,
            label: str = label,
            **fields: object,
        ) -> None:
            make: Make = lambda _, client: crm(client, kind, **fields)  # type: ignore[arg-type]  # noqa: E731
            _both(rule, text, f"{label}: {what}", make, answer, failure)

        case("one CertReqMsg", "one")
        case("one CertReqMsg", "two", F.badRequest, count=2)
        case("certReqId", "1", F.badRequest, request_id=1)
        case("certReqId", "-1", F.badRequest, request_id=-1)
        case("proof of possession", "wrong", F.badPOP, damage=True)
        case("proof of possession", "absent", F.badPOP, popo=NONE)
        case("proof of possession", "raVerified by no RA", F.notAuthorized, popo=b"\x80\x00")
        case("proof of possession", "of another kind of key", F.badCertTemplate, algorithm=RSA_SHA256)
        case("proof of possession", "thisMessage", F.badPOP, popo=encode(0xA2, encode(0x80, b"\0\1")))
        case(
            "proof of possession",
            "encrCert, as KEM keys need",
            F.badPOP,
            popo=encode(0xA2, encode(0x81, b"\0")),
        )
        case("proof of possession", "challengeResp", F.badPOP, popo=encode(0xA2, encode(0x81, b"\1")))
        case("proof of possession", "encryptedKey", F.badPOP, popo=encode(0xA2, encode(0xA4, _ENVELOPE)))
        small = rsa.generate_private_key(65537, 1024)
        case("certTemplate", "a key that is too small", F.badCertTemplate, key=small)
        case(
            "proof of possession",
            "with an algorithm that nobody knows",
            F.badAlg,
            algorithm=_UNKNOWN_ALGORITHM,
        )
        case("certTemplate", "version 2", version=2)
        case("certTemplate", "version 0", F.badCertTemplate, version=0)
        case("certTemplate", "version 1", F.badCertTemplate, version=1)
        case("certTemplate", "no name at all", F.badCertTemplate, subject=None)
        case("certTemplate", "NULL-DN", F.badCertTemplate, subject="")
        case("certTemplate", "subjectAltName alone", F.badCertTemplate, subject=None, extensions=SAN)
        case("certTemplate", "NULL-DN and subjectAltName", subject="", extensions=SAN)
        length = extension("2.5.29.19", sequence(der.encode_integer(1)))
        case("certTemplate", "pathLen without CA", F.badCertTemplate, extensions=length)
        authority = extension("2.5.29.19", sequence(encode(0x01, b"\xff")))
        case("certTemplate", "CA", F.badCertTemplate, extensions=authority)

    def certified_already(scene: Scene, client: Forger) -> bytes:
        scene.ca.duplicate_keys = "refuse"
        key = ec.generate_private_key(ec.SECP256R1())
        scene.server.process(crm(Forger(), key=key))
        return crm(client, CR, key=key)

    what = "a key that is certified already, where that is refused"
    _both("certTemplate", text, what, certified_already, cp, F.badCertTemplate)
    _both("one CSR", text, "p10cr", lambda _, client: csr(client), cp)
    _both("proof of possession", text, "p10cr: wrong", lambda _, c: csr(c, damage=True), cp, F.badPOP)
    _both("certTemplate", text, "p10cr: NULL-DN", lambda _, c: csr(c, subject=""), cp, F.badCertTemplate)
    _both("certTemplate", text, "p10cr: version 1", lambda _, c: csr(c, version=1), cp, F.badCertTemplate)
    text = "9483, 4.1.6"
    want: Make = lambda _, c: crm(c, CR, public=False, popo=NONE)  # noqa: E731
    _one("signature", "key made by the CA", text, "if the CA makes none", want, cp, F.badCertTemplate)
    without = F.badRequest if features["central_key_generation"] else F.badCertTemplate
    what = "for a secret (PWRI): badRequest from OpenSSL 3.5 on"
    _one("MAC", "key made by the CA", text, what, want, cp, without)
    text = "9483, 4.1.3"

    def update(what: str, make: Make, failure: FailureInfo | None = None) -> None:
        _one("signature", "kur", text, what, make, kup, failure)

    def named(scene: Scene, client: Forger, **fields: object) -> bytes:
        return crm(client, KUR, controls=_named(client), **fields)  # type: ignore[arg-type]

    update("its own certificate", named)
    update("no oldCertID", lambda _, c: crm(c, KUR))
    update(
        "another serial number",
        lambda s, c: crm(c, KUR, controls=old_cert_id(s.ca.issuer.subject, 5)),
        F.badCertId,
    )
    update(
        "another issuer",
        lambda _, c: crm(c, KUR, controls=old_cert_id(x509.Name.from_rfc4514_string("CN=x"), 5)),
        F.badCertId,
    )

    def anothers(scene: Scene, client: Forger) -> bytes:
        other = scene.new_member("other").certificate
        assert other is not None
        return crm(client, KUR, controls=old_cert_id(other.issuer, other.serial_number))

    update("somebody else's certificate", anothers, F.badCertId)
    update("another subject", lambda s, c: named(s, c, subject="another"), F.badCertTemplate)
    update("certReqId 1", lambda s, c: named(s, c, request_id=1), F.badRequest)
    _one(
        "MAC",
        "kur",
        text,
        "under MAC",
        lambda s, c: crm(c, KUR, controls=_named(s.member)),
        ERROR,
        F.wrongIntegrity,
    )
    update("while another update waits for its confirmation", _updating, F.badRequest)
    update("of a certificate that has been updated", _updated, F.certRevoked)
    what = "with a certificate that has been updated"
    _one("signature", "signer", text, what, lambda s, c: _updated(s, c, CR), cp, F.certRevoked)
    update("wrong proof", lambda s, c: named(s, c, damage=True), F.badPOP)


def _named(client: Forger) -> bytes:
    """The control that names the certificate of a client."""
    own = client.certificate
    assert own is not None
    return old_cert_id(own.issuer, own.serial_number)


def _updating(scene: Scene, client: Forger) -> bytes:
    scene.server.process(crm(client, KUR))
    return crm(client.but(transaction_id=os.urandom(16)), KUR)


def _updated(scene: Scene, client: Forger, kind: int = KUR) -> bytes:
    later, cert_hash = scene.enroll(client, crm(client, KUR))
    scene.server.process(later.cert_conf(cert_hash))
    own = "member" if client.certificate is None else client.certificate.subject.rfc4514_string()[3:]
    return crm(client.but(transaction_id=os.urandom(16)), kind, subject=own)


def _confirm_csr(scene: Scene, client: Forger, request_id: int) -> bytes:
    client, cert_hash = scene.enroll(client, csr(client))
    return client.cert_conf(cert_hash, request_id)


def _confirmation() -> None:
    text, conf = "9483, 4.1.1", BodyType.PKICONF
    no = sequence(der.encode_integer(PKIStatus.rejection))
    yes = sequence(der.encode_integer(PKIStatus.accepted))
    odd = sequence(der.encode_integer(PKIStatus.accepted), encode(der.BIT_STRING, b"\x05\x20"))
    algorithm = encode(explicit(0), SHA256)

    def case(what: str, make: Callable[[Forger, bytes], bytes], failure: FailureInfo | None = None) -> None:
        _both("certConf", text, what, _later(make), conf if failure is None else ERROR, failure)

    case("accepted without a status", Forger.cert_conf)
    case("accepted", lambda c, h: c.cert_conf(h, info=yes))
    case("rejected", lambda c, h: c.cert_conf(h, info=no))
    case("accepted and a failInfo", lambda c, h: c.cert_conf(h, info=odd), F.badRequest)
    case("two CertStatus", lambda c, h: c.cert_conf(h, count=2), F.badRequest)
    case("certReqId 1", lambda c, h: c.cert_conf(h, 1), F.badRequest)
    case("another hash", lambda c, _: c.cert_conf(bytes(32)), F.badCertId)
    case("hashAlg and pvno 2", lambda c, h: c.cert_conf(h, hash_alg=algorithm), F.badRequest)

    def again(scene: Scene, client: Forger) -> bytes:
        client, cert_hash = scene.enroll(client)
        scene.server.process(client.cert_conf(cert_hash))
        return client.cert_conf(cert_hash, info=no)

    _both("certConf", text, "once more after pkiConf", again, ERROR, F.certConfirmed)

    def implicit_first(scene: Scene, client: Forger) -> bytes:
        client, cert_hash = scene.enroll(client.but(info=(IMPLICIT_CONFIRM,)))
        return client.but(info=()).cert_conf(cert_hash)

    _both("certConf", text, "after implicit confirmation", implicit_first, ERROR, F.badRequest)
    _both(
        "certConf",
        text,
        "certReqId 0 for a p10cr",
        lambda s, c: _confirm_csr(s, c, 0),
        ERROR,
        F.badRequest,
    )
    _both(
        "certConf",
        text,
        "certReqId -1 for a p10cr",
        lambda s, c: _confirm_csr(s, c, -1),
        conf,
    )


def _revocation() -> None:
    text, rp = "9483, 4.2", BodyType.RP

    def case(what: str, make: Make, failure: FailureInfo | None = None) -> None:
        _one("signature", "rr", text, what, make, rp, failure)

    def own(what: str, failure: FailureInfo | None = None, **fields: object) -> None:
        case(what, lambda _, c: revoke(c, **fields), failure)  # type: ignore[arg-type]

    def described(scene: Scene, client: Forger) -> bytes:
        certificate = client.certificate
        assert certificate is not None
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return revoke(client, subject=certificate.subject.public_bytes(), public=public, version=2)

    own("its own certificate")
    case("subject, key and version as they are", described)
    own("no reason", details=())
    own("no issuer", F.addInfoNotAvailable, issuer=None)
    own("no serial number", F.addInfoNotAvailable, serial=None)
    own("another serial number", F.badCertId, serial=5)
    own("another issuer", F.badCertId, issuer=x509.Name.from_rfc4514_string("CN=x"))
    own("another subject", F.badCertId, subject=name("another"))
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = stranger.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own("another key", F.badCertId, public=other)
    own("an extension that is not in the certificate", F.badCertId, extensions=SAN)
    unknown = extension(UNKNOWN, encode(der.NULL))
    own("an extension that nobody knows", F.badRequest, extensions=unknown)
    own("version 1", F.badRequest, version=1)
    own("two reasons", F.badRequest, details=reason(1, 4))
    own("revoke and release", F.badRequest, details=reason(4, 8))
    own("an unknown reason", F.badRequest, details=reason(99))
    own("an extension that nobody knows, for the CRL", F.badRequest, details=(*reason(4), unknown))
    own("two RevDetails", F.badRequest, count=2)
    own("release of what is not on hold", F.badCertId, details=reason(8))
    case("somebody else's", lambda s, c: revoke(c, s.new_member("other").certificate), F.notAuthorized)
    case("somebody else's, by an RA", lambda s, _: revoke(s.ra, s.member.certificate))

    def again(scene: Scene, client: Forger) -> bytes:
        ra = scene.ra
        scene.server.process(revoke(ra, client.certificate))
        return revoke(ra.but(transaction_id=os.urandom(16)), client.certificate)

    case("revoked already", again, F.certRevoked)
    _one(
        "MAC",
        "rr",
        text,
        "under MAC",
        lambda s, c: revoke(c, s.member.certificate),
        ERROR,
        F.wrongIntegrity,
    )

    def released(scene: Scene, client: Forger) -> bytes:
        ra = scene.ra
        scene.server.process(revoke(ra, client.certificate, details=reason(6)))
        return revoke(ra.but(transaction_id=os.urandom(16)), client.certificate, details=reason(8))

    case("release of what is on hold", released)

    def revoked_sender(scene: Scene, client: Forger) -> bytes:
        scene.server.process(revoke(scene.ra, client.certificate))
        return crm(client, CR)

    _one("signature", "signer", "9483, 3.5", "revoked", revoked_sender, ERROR, F.certRevoked)


_NAMES = {
    1: "protocolEncrCert",
    2: "signKeyPairTypes",
    3: "encKeyPairTypes",
    4: "preferredSymmAlg",
    5: "caKeyUpdateInfo",
    6: "currentCRL",
    10: "keyPairParamReq",
    16: "suppLangTags",
    17: "caCerts",
    19: "certReqTemplate",
    20: "rootCaCert",
    22: "crlStatusList",
}


def _general() -> None:
    text, genp = "9810, 5.3.19", BodyType.GENP

    def ask(what: str, item: bytes, failure: FailureInfo | None = None) -> None:
        _both("genm", text, what, lambda _, c: c.genm(item), genp if failure is None else ERROR, failure)

    number = der.encode_integer(1)
    for kind in (1, 2, 3, 4, 5, 6, 17, 19, 20):
        ask(_NAMES[kind], info(kind))
        if kind != 20:
            ask(f"{_NAMES[kind]} with a value", info(kind, number), F.badRequest)
    ask("keyPairParamReq", info(10, der.encode_oid("1.2.840.10045.2.1")))
    ask("keyPairParamReq without a value", info(10), F.badRequest)
    ask("suppLangTags", info(16, sequence(der.encode_text("de"), der.encode_text("en-GB"))))
    ask("suppLangTags without a value", info(16), F.badRequest)
    ask("suppLangTags that are none", info(16, sequence(der.encode_text("not a tag"))), F.badRequest)
    _both(
        "genm",
        text,
        "crlStatusList",
        lambda s, c: c.genm(
            info(
                22,
                sequence(
                    sequence(
                        encode(
                            explicit(1),
                            sequence(encode(wire.DIRECTORY_NAME, s.ca.issuer.subject.public_bytes())),
                        )
                    )
                ),
            )
        ),
        genp,
    )
    ask("crlStatusList without a value", info(22), F.badRequest)
    for kind, label in ((13, "implicitConfirm"), (14, "confirmWaitTime"), (15, "origPKIMessage")):
        ask(f"{label}, which belongs into the header", info(kind), F.badRequest)
    ask("a type that nobody knows", sequence(der.encode_oid(UNKNOWN)))


def _nested() -> None:
    text = "9483, 5.2.2"

    def case(
        what: str,
        make: Make,
        answer: BodyType = ERROR,
        failure: FailureInfo | None = None,
        by: Protection = "MAC",
    ) -> None:
        _one(by, "nested", text, what, make, answer, failure)

    for by in ("MAC", "signature"):
        case("an ir", lambda s, c: s.ra.nest(crm(c)), BodyType.IP, by=by)
        case("a certConf", _later_nested, BodyType.PKICONF, by=by)
        case("a batch", lambda s, c: s.ra.nest(crm(c), crm(s.member)), BodyType.NESTED, by=by)
    case("by no RA", lambda s, c: s.member.nest(crm(c)), failure=F.notAuthorized)
    case("under MAC", lambda _, c: Forger().nest(crm(c)), failure=F.wrongIntegrity)
    case("unprotected", lambda s, c: s.ra.but(protected=False).nest(crm(c)), failure=F.badMessageCheck)
    stranger = ec.generate_private_key(ec.SECP256R1())
    case("with another key", lambda s, c: s.ra.but(key=stranger).nest(crm(c)), failure=F.badMessageCheck)
    case(
        "by the RA of a CA that nobody trusts",
        lambda _, c: Scene().ra.nest(crm(c)),
        failure=F.signerNotTrusted,
    )
    case(
        "by the RA of a CA below this one",
        lambda s, c: s.below("ra", issuing.CMC_RA).nest(crm(c)),
        failure=F.signerNotTrusted,
    )
    other = bytes(range(16))
    case(
        "transactionID of no message in it",
        lambda s, c: s.ra.nest(crm(c), transaction_id=other),
        failure=F.badRequest,
    )
    case(
        "senderNonce of no message in it",
        lambda s, c: s.ra.nest(crm(c), nonce=other),
        failure=F.badSenderNonce,
    )
    case(
        "a batch with the transactionID of one of it",
        lambda s, c: s.ra.nest(crm(c), crm(s.member), transaction_id=c.transaction_id),
        failure=F.badRequest,
    )
    case("nested in nested", lambda s, c: s.ra.nest(s.ra.nest(crm(c))), failure=F.badRequest)
    case("nothing", lambda s, _: s.ra.message(NESTED, sequence()), failure=F.badDataFormat)
    case(
        "what is no message", lambda s, _: s.ra.message(NESTED, sequence(sequence())), failure=F.badDataFormat
    )


def _later_nested(scene: Scene, client: Forger) -> bytes:
    client, cert_hash = scene.enroll(client)
    return scene.ra.nest(client.cert_conf(cert_hash))


for _fill in (_header, _enrollment, _confirmation, _revocation, _general, _nested):
    _fill()


def answer_to(case: Case, strictness: Strictness = "strict") -> Answer:
    """What a server says to the message of a case."""
    scene = Scene(strictness)
    return read(scene.server.process(case.make(scene, scene.client(case.by))))


def told(answer: Answer) -> str:
    """An answer in a word: ``accepted``, or the failInfo."""
    if answer.status in (None, PKIStatus.accepted, PKIStatus.grantedWithMods):
        return "accepted"
    return " ".join(flag.name or "" for flag in FailureInfo if flag & answer.failure) or "no failInfo"
