"""Whether and where a certificate is to be published: nothing else, since every request can say so."""

from __future__ import annotations

from dataclasses import dataclass

from .._arguments import checked
from .._lazy import x509
from ..enums import PublicationMethod


@checked
@dataclass(frozen=True)
class PublicationPlace:
    """Where a certificate is to be published (SinglePubInfo, RFC 4211 section 6.3)."""

    method: PublicationMethod
    location: x509.GeneralName | None = None


@checked
@dataclass(frozen=True)
class PublicationInfo:
    """Whether and where a certificate is to be published (PKIPublicationInfo, RFC 4211 section 6.3)."""

    publish: bool
    """pleasePublish, else dontPublish."""
    places: tuple[PublicationPlace, ...] = ()
    """None: wherever the CA wants to."""
