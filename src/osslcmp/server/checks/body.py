"""Checks of the body of a request that need nothing but the message, before it is read for the authority.

They keep what they cannot read: reading it for the authority fails with ``badDataFormat``.
"""

from __future__ import annotations

from ...enums import BodyType, RevocationReason
from .. import bodies
from .subject import Subject

_REASONS = frozenset(reason for reason in RevocationReason if reason >= 0)
_ENTRY_EXTENSIONS = frozenset(f"2.5.29.{number}" for number in (21, 23, 24, 29))
"""reasonCode, instructionCode, invalidityDate, certificateIssuer."""
VERSION = 2
"""The version number of a v3 certificate."""


def csr_version(subject: Subject) -> str | None:
    """A CSR has version 0."""
    message = subject.message
    if message.body_type != BodyType.P10CR:
        return None
    return None if bodies.csr_version(message) in (0, None) else "the version of the CSR is not 0"


def request_version(subject: Subject) -> str | None:
    """The version in the template of a certificate is 2, if there is one."""
    return None if subject.message.body_type == BodyType.RR else _version(subject)


def revoked_version(subject: Subject) -> str | None:
    """The version in the template of a certificate to revoke is 2, if there is one."""
    return _version(subject) if subject.message.body_type == BodyType.RR else None


def _version(subject: Subject) -> str | None:
    found = bodies.template_version(subject.message)
    return None if found in (None, VERSION) else "the version in the template is not 2"


def revoked_named(subject: Subject) -> str | None:
    """An rr names a certificate by issuer and serial number, or by what is in its CSR."""
    if subject.message.body_type != BodyType.RR:
        return None
    named = bodies.revoked_named(subject.message)
    return None if named is not False else "an rr without issuer or serial number"


def one_reason(subject: Subject) -> str | None:
    """An rr has at most one reason, so it does not revoke and release at once."""
    return "more than one CRLReason" if len(_reasons(subject)) > 1 else None


def known_reason(subject: Subject) -> str | None:
    """That is one of RFC 5280."""
    return "an unknown CRLReason" if any(one not in _REASONS for one in _reasons(subject)) else None


def entry_extensions(subject: Subject) -> str | None:
    """An rr asks for nothing in its entry of the CRL that RFC 5280 does not know."""
    message = subject.message
    found = bodies.entry_extensions(message) if message.body_type == BodyType.RR else []
    odd = [oid for oid, _ in found if oid not in _ENTRY_EXTENSIONS]
    return f"extension {odd[0]} for the CRL" if odd else None


def _reasons(subject: Subject) -> list[int]:
    message = subject.message
    return bodies.crl_reasons(message) if message.body_type == BodyType.RR else []
