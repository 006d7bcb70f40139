"""What an operator does with the certificates of a persistent CA, on its database alone, while servers run or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from ...enums import RevocationReason
from .database import ConflictError
from .store import Store
from .tables import CertificateRow, State

_ATTEMPTS = 10
_HOLD = int(RevocationReason.certificateHold)


class NotPossibleError(Exception):
    """The certificate is not there, or not such that it can be done."""


def state_of(row: CertificateRow) -> State:
    """What a certificate is now."""
    if row.revoked is not None:
        return "held" if row.revoked == _HOLD else "revoked"
    if row.not_after <= time.time():
        return "expired"
    return "valid" if row.confirmed else "unconfirmed"


def find(store: Store, serial: int) -> CertificateRow:
    """The certificate with this serial number. Raises NotPossibleError when there is none."""
    row = store.certificate(serial)
    if row is None:
        raise NotPossibleError(f"no certificate with serial number {serial:x} was issued")
    return row


def revoke(store: Store, serial: int, reason: RevocationReason) -> CertificateRow:
    """Revoke a certificate, or put it on hold (``certificateHold``); the next CRL, whoever makes it, has it.

    The reason is not ``none`` or ``removeFromCRL``. A certificate on hold can be revoked for another one, and keeps its
    date. Returns the certificate as it is then; raises NotPossibleError when there is none, or it is revoked already.
    """

    def change(row: CertificateRow) -> None:
        state = state_of(row)
        if state == "revoked" or (state == "held" and reason is RevocationReason.certificateHold):
            done = "on hold" if state == "held" else "revoked"
            raise NotPossibleError(f"the certificate with serial number {serial:x} is already {done}")
        store.revoke(row, int(reason), row.revoked_at or time.time())

    return _changed(store, serial, change)


def release(store: Store, serial: int) -> CertificateRow:
    """Release a certificate from hold: it is valid again, and off the CRL. Raises NotPossibleError when it is not there, or
    not on hold."""

    def change(row: CertificateRow) -> None:
        if state_of(row) != "held":
            raise NotPossibleError(f"the certificate with serial number {serial:x} is not on hold")
        store.revoke(row, None, None)

    return _changed(store, serial, change)


def _changed(store: Store, serial: int, change: Callable[[CertificateRow], None]) -> CertificateRow:
    """The certificate after ``change``, which is decided again when a server changes it meanwhile."""
    for _ in range(_ATTEMPTS):
        with suppress(ConflictError):
            change(find(store, serial))
            return find(store, serial)
    raise NotPossibleError(f"others change the certificate with serial number {serial:x} all the time")
