"""Checks of the body of a request that need nothing but the message, before it is read for the authority.

They keep what they cannot read: reading it for the authority fails with ``badDataFormat``.
"""

from __future__ import annotations

from ..._asn1 import der
from ...enums import RevocationReason
from .. import bodies
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
