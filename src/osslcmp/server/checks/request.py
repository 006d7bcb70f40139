"""Checks of requests for certificates and for revocation, whoever decides about them."""

from __future__ import annotations

from ..._openssl.lib import features
from ...enums import BodyType
from .. import bodies
from ..authority import CertificateRequest, RevocationRequest
from . import costs
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
    unable = _wants_key(subject) and subject.message.header.uses_mac
    return "a key is only made for a request that is signed" if unable else None


def old_cert_id(subject: Subject) -> str | None:
    """A kur says which certificate is updated."""
    asked = subject.request
    missing = (
        isinstance(asked, CertificateRequest) and asked.type is BodyType.KUR and asked.old_certificate is None
    )
    return "a kur without oldCertID" if missing else None


def revoked_named(subject: Subject) -> str | None:
    """An rr says which certificate is revoked."""
    asked = subject.request
    if not isinstance(asked, RevocationRequest) or asked.public_key_info is not None:
        return None
    return "an rr without issuer and serial number" if asked.issuer is None or asked.serial is None else None


def key_size(subject: Subject) -> str | None:
    """The key is as large as the server certifies."""
    asked = subject.request
    if not isinstance(asked, CertificateRequest):
        return None
    return costs.check_key(subject.limits.key_sizes, asked.public_key)
