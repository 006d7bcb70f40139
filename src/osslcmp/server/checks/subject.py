"""What a rule looks at: a message, what is known of it so far, and the limits of the server."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509

from ..._openssl.certificate_check import CertificateCheck
from ...message.bodies import CertStatus
from .. import bodies, wire
from ..authority import CertificateRequest
from ..ca.client_crls import ClientCRLs
from ..http.paths import Place
from ..transactions import Transaction
from .costs import KEY_SIZES, KeySizes, MacPolicy

CLOCK_TOLERANCE = 300.0


@dataclass(frozen=True)
class SenderTrust:
    """Whose certificates may sign messages.

    Args:
        own: CA certificates of the authority, roots included; empty if it does not say.
        others: trust anchors besides, with the conditions of the server; None if there are none.
    """

    own: tuple[x509.Certificate, ...] = ()
    others: CertificateCheck | None = None


@dataclass(frozen=True)
class CheckLimits:
    """The settings of a server that rules, and what comes after them, need.

    Args:
        tolerance: seconds that messageTime may differ from the server's clock.
        mac_policy: what a password-based MAC must be like.
        key_sizes: by kind of key the least and the most bits.
        client_crls: revocation of clients' certificates from elsewhere.
        sender_trust: tells whose certificates may sign messages.
    """

    tolerance: float = CLOCK_TOLERANCE
    mac_policy: MacPolicy = field(default_factory=MacPolicy)
    key_sizes: KeySizes = field(default_factory=lambda: dict(KEY_SIZES))
    client_crls: ClientCRLs | None = None
    sender_trust: Callable[[], SenderTrust] = field(default=SenderTrust, repr=False)

    def is_now(self, stated: datetime.datetime) -> bool:
        """Whether a messageTime is near the time here."""
        return abs(time.time() - stated.timestamp()) <= self.tolerance

    def fresh_until(self, stated_time: datetime.datetime | None) -> float:
        """When a message of this messageTime that is fresh now will be so no longer, in seconds since 1970.

        None: whatever its messageTime is.
        """
        now = time.time()
        stated = now + self.tolerance if stated_time is None else stated_time.timestamp()
        return min(max(stated, now), now + self.tolerance) + self.tolerance


@dataclass(eq=False)  # not frozen, which takes longer to make
class Subject:
    """What a rule looks at.

    Args:
        message: the message, taken apart one level deep.
        limits: the server's.
        place: where it was sent to.
        transaction: the open transaction that it belongs to, from Stage.TRANSACTION on.
        request: what it asks for, in Stage.REQUEST; None as long as possession of its key is not proved.
        status: what it says of the certificate, in Stage.CONFIRMATION.
        signer: the certificate that has signed it, DER, in Stage.SENDER.
        chain: DER certificates of its transaction that may stand above that one.
    """

    message: wire.RawMessage
    limits: CheckLimits
    place: Place = Place()  # noqa: RUF009  # immutable
    transaction: Transaction | None = None
    request: CertificateRequest | None = None
    status: CertStatus | None = None
    signer: bytes | None = None
    chain: tuple[bytes, ...] = ()
    header: wire.Header = field(init=False)

    def __post_init__(self) -> None:
        self.header = self.message.header

    @property
    def statuses(self) -> tuple[CertStatus, ...] | None:
        """What a certConf says; None if it cannot be read."""
        return bodies.cert_statuses(self.message.body)

    @cached_property
    def nested(self) -> list[wire.RawMessage] | None:
        """The messages in a nested one; None when they cannot be read."""
        try:
            return list(map(wire.read_message, bodies.nested_messages(self.message)))
        except ValueError:
            return None
