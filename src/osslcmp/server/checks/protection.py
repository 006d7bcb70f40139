"""Checks whether a first message says who protects it, before libcrypto verifies that.

Nothing here decides about trust. An unprotected message is libcrypto's to refuse: it can be allowed.
"""

from __future__ import annotations

from cryptography import x509

from ..._asn1 import oids, x509_parts
from ..._openssl.inputs import is_certificate
from ..._openssl.names import is_signature
from ..._openssl.signers import key_identifier
from .. import bodies, wire
from ..ca.grants import name_key
from . import costs
from .subject import Subject

_OTHER_MACS = {oids.PBMAC1: "PBMAC1", oids.DH_BASED_MAC: "DHBasedMac", oids.KEM_BASED_MAC: "KemBasedMac"}


def _certificate(message: wire.RawMessage) -> bytes | None:
    """The first of extraCerts of a signed message, if it has any, DER."""
    return message.extra_certs[0] if message.header.is_signed and message.extra_certs else None


def mac_readable(subject: Subject) -> str | None:
    """The parameters of the MAC are DER."""
    header = subject.header
    return "malformed PBMParameter" if header.uses_mac and header.mac is None else None


def mac_policy(subject: Subject) -> str | None:
    """The MAC is not weaker, and does not cost more, than the server allows."""
    return subject.limits.mac_policy.check(subject.message)


def readable(subject: Subject) -> str | None:
    """libcrypto can read the certificates in extraCerts."""
    good = all(map(_is_readable, subject.message.extra_certs))
    return None if good else "a certificate in extraCerts cannot be read"


def _is_readable(certificate: bytes) -> bool:
    try:
        x509_parts.read_certificate(certificate)
    except ValueError:
        return is_certificate(certificate)
    return True


def key_cost(subject: Subject) -> str | None:
    """No key in extraCerts is larger than the server verifies with."""
    return costs.check_certificates(subject.limits.key_sizes, subject.message)


def sender_form(subject: Subject) -> str | None:
    """The sender can be read; libcrypto may read what ``cryptography`` does not."""
    try:
        bodies.name(subject.header.sender_name)
    except bodies.MALFORMED:
        return "malformed sender"
    return None


def sender_kind(subject: Subject) -> str | None:
    """The sender is a directoryName."""
    return "the sender is no directoryName" if subject.header.sender_name is None else None


def present(subject: Subject) -> str | None:
    """Where there is a protectionAlg, there is a protection."""
    missing = subject.header.protection_oid is not None and not subject.message.protected
    return "the protection is missing" if missing else None


def mac_reference(subject: Subject) -> str | None:
    """senderKID names the shared secret."""
    header = subject.header
    nameless = header.uses_mac and not header.sender_kid
    return "senderKID does not name a shared secret" if nameless else None


def mac_sender(subject: Subject) -> str | None:
    """The sender's common name is what senderKID says, or it is as OpenSSL's clients have it: nobody, or the subject that
    is asked for."""
    name, kid = subject.header.sender_name, subject.header.sender_kid
    if not (subject.header.uses_mac and name and kid):
        return None
    sender, asked = bodies.name(name), bodies.template_subject(subject.message)
    if sender is None or (asked is not None and same_name(sender, asked)):
        return None
    common = sender.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if any(part.value in (kid, kid.decode(errors="replace")) for part in common):
        return None
    return "the common name of the sender is not the senderKID"


def signed(subject: Subject) -> str | None:
    """A kur and an rr are signed, with the key of the certificate that they are about; a nested message by who forwards."""
    return f"{subject.message.body_type.name} has to be signed" if subject.header.uses_mac else None


def algorithm(subject: Subject) -> str | None:
    """protectionAlg is a password-based MAC or a signature."""
    oid = subject.header.protection_oid
    if oid is None or subject.header.uses_mac or is_signature(oid):
        return None
    return f"protectionAlg {_OTHER_MACS.get(oid, oid)} is not one that libcrypto verifies"


def extra_certs(subject: Subject) -> str | None:
    """A signed message carries the certificate that verifies it."""
    missing = subject.header.is_signed and not subject.message.extra_certs
    return "extraCerts lacks the protection certificate" if missing else None


def sender_kid(subject: Subject) -> str | None:
    """senderKID is the key identifier of the first of extraCerts."""
    certificate = _certificate(subject.message)
    identifier = None if certificate is None else key_identifier(certificate)
    found = subject.header.sender_kid
    if identifier is None or found == identifier:
        return None
    wrong = "senderKID is not the key identifier of the first certificate in extraCerts"
    return "senderKID is missing" if found is None else wrong


def sender_name(subject: Subject) -> str | None:
    """The sender is the subject of the first of extraCerts."""
    name, certificate = subject.header.sender_name, _certificate(subject.message)
    if name is None or certificate is None:
        return None
    try:
        subject_of_it = x509_parts.read_certificate(certificate).subject
    except ValueError:
        subject_of_it = x509_parts.read_name(x509_parts.subject_of(certificate))
    if same_name(x509_parts.read_name(name), subject_of_it):
        return None
    return "sender is not the subject of the first certificate in extraCerts"


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Whether two names are the same (RFC 5280, section 7.1)."""
    return name_key(one) == name_key(other)
