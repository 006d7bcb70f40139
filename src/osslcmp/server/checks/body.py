"""Checks of the body of a request that need nothing but the message, before it is read for the authority.

They keep what they cannot read: reading it for the authority fails with ``badDataFormat``.
"""

from __future__ import annotations

from ...enums import BodyType
from .. import bodies
from .subject import Subject

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
    """Likewise in the details of a certificate to revoke."""
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


def _reasons(subject: Subject) -> list[int]:
    message = subject.message
    return bodies.crl_reasons(message) if message.body_type == BodyType.RR else []
