"""Checks of requests for certificates and for revocation, whoever decides about them."""

from __future__ import annotations

from ..._openssl.lib import features
from .. import bodies
from ..authority import CertificateRequest
from ..ca.issuing import is_ra
from . import costs
from .protection import same_name
from .subject import Subject


def _wants_key(subject: Subject) -> bool:
    if subject.request is None:
        return bodies.wants_key(subject.message)
    return isinstance(subject.request, CertificateRequest) and subject.request.central_key


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
    if not isinstance(asked, CertificateRequest):
        return None
    old, signer = asked.old_certificate, asked.signer
    if old is None or signer is None or is_ra(signer):
        return None
    same = old.serial == signer.serial_number and same_name(old.issuer, signer.issuer)
    return None if same else "oldCertID is not the certificate that signs"


def update_subject(subject: Subject) -> str | None:
    """A kur asks for the name that is in the certificate that signs it; an RA speaks for others."""
    asked = subject.request
    if not isinstance(asked, CertificateRequest) or asked.subject is None:
        return None
    signer = asked.signer
    if signer is None or is_ra(signer) or same_name(asked.subject, signer.subject):
        return None
    return "not the subject of the certificate that is updated"


def key_size(subject: Subject) -> str | None:
    """The key is as large as the server certifies."""
    asked = subject.request
    if not isinstance(asked, CertificateRequest) or asked.central_key:
        return None
    return costs.check_key(subject.limits.key_sizes, asked.public_key_info)
