"""Checks of requests for certificates and for revocation, whoever decides about them.

Those of the body keep what they cannot read: reading it for the authority fails with ``badDataFormat``.
"""

from __future__ import annotations

from ..._asn1 import der
from ..._openssl.lib import features
from ...enums import RevocationReason
from .. import bodies
from ..ca.issuing import is_ra
from . import costs
from .protection import same_name
from .subject import Subject

_REASONS = frozenset(reason for reason in RevocationReason if reason >= 0)
_ENTRY_EXTENSIONS = frozenset(f"2.5.29.{number}" for number in (21, 23, 24, 29))
"""reasonCode, instructionCode, invalidityDate, certificateIssuer."""
VERSION = 2
"""The version number of a v3 certificate."""


def csr_version(subject: Subject) -> str | None:
    """A CSR has version 0."""
    try:
        found = der.integer(bodies.first(bodies.first(subject.message.body).encoding))
    except der.DERError:
        return None
    return None if found == 0 else "the version of the CSR is not 0"


def version(subject: Subject) -> str | None:
    """The version in the template of a certificate, or of one to revoke, is 2, if there is one."""
    template = bodies.template_of(subject.message)
    found = None if template is None else template.version
    return None if found in (None, VERSION) else "the version in the template is not 2"


def revoked_named(subject: Subject) -> str | None:
    """An rr names a certificate by issuer and serial number, or by what is in its CSR."""
    template = bodies.template_of(subject.message)
    if template is None:
        return None
    absent = template.issuer_der is None, template.serial_number is None
    named = absent == (False, False) or (absent == (True, True) and template.public_key_der is not None)
    return None if named else "an rr without issuer or serial number"


def reason(subject: Subject) -> str | None:
    """An rr has at most one reason, so it does not revoke and release at once; that is one of RFC 5280."""
    found = bodies.crl_reasons(subject.message)
    if len(found) > 1:
        return "more than one CRLReason"
    return None if _REASONS.issuperset(found) else "an unknown CRLReason"


def entry_extensions(subject: Subject) -> str | None:
    """An rr asks for nothing in its entry of the CRL that RFC 5280 does not know."""
    found = bodies.entry_extensions(subject.message)
    odd = [oid for oid, _ in found if oid not in _ENTRY_EXTENSIONS]
    return f"extension {odd[0]} for the CRL" if odd else None


def _wants_key(subject: Subject) -> bool:
    asked = subject.request
    return bodies.wants_key(subject.message) if asked is None else asked.central_key


def central_key_release(subject: Subject) -> str | None:
    """A key is made here only with a libcrypto that can send it."""
    unable = _wants_key(subject) and not features["central_key_generation"]
    return "no public key in the template; none is made here" if unable else None


def central_key_signed(subject: Subject) -> str | None:
    """A key is made here only for a client that has signed its request, so that it can be encrypted for that."""
    unable = _wants_key(subject) and subject.header.uses_mac
    return "a key is only made for a request that is signed" if unable else None


def old_cert_id(subject: Subject) -> str | None:
    """A kur is signed with the certificate that it updates, if it names one; an RA updates those of others."""
    asked = subject.request
    old, signer = (None, None) if asked is None else (asked.old_certificate, asked.signer)
    if old is None or signer is None or is_ra(signer):
        return None
    same = old.serial == signer.serial_number and same_name(old.issuer, signer.issuer)
    return None if same else "oldCertID is not the certificate that signs"


def update_subject(subject: Subject) -> str | None:
    """A kur asks for the name that is in the certificate that signs it; an RA speaks for others."""
    asked = subject.request
    if asked is None or asked.subject is None or asked.signer is None or is_ra(asked.signer):
        return None
    same = same_name(asked.subject, asked.signer.subject)
    return None if same else "not the subject of the certificate that is updated"


def key_size(subject: Subject) -> str | None:
    """The key is as large as the server certifies."""
    asked = subject.request
    if asked is None or asked.central_key:
        return None
    return costs.check_key(subject.limits.key_sizes, asked.public_key_info)
