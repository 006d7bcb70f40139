"""How the embedded CA makes CRLs, with ``cryptography``."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterable

from cryptography import x509

from ...enums import RevocationReason
from .issuing import BACKDATE, authority_key, now
from .records import Signer

Entry = tuple[int, datetime.datetime, RevocationReason]
"""Serial number, time and reason of a revocation."""

CRL_VALIDITY = datetime.timedelta(days=7)
CRL_RENEWAL = datetime.timedelta(days=1)
CRL_INTERVAL = 1.0
REFRESH_INTERVAL = 5.0
"""Seconds after which those who ask for a CRL do not rely on it that the next one is made for them."""
FEW_ENTRIES = 1_000
"""Of a CRL that has no more, each change is shown at once."""


def make_crl(
    issuer: Signer,
    revoked: Iterable[Entry],
    last: x509.CertificateRevocationList | None,
    made: dict[Entry, x509.RevokedCertificate] | None = None,
) -> x509.CertificateRevocationList:
    """The CRL that follows ``last``, with the next number and, as far as that is not in the future, a later thisUpdate.
    ``made`` are entries of ``last``, which need not be made again; those of this one afterwards."""
    moment = now()
    number, start = 1, moment - BACKDATE
    if last is not None:
        number += last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        start = min(max(start, last.last_update_utc + datetime.timedelta(seconds=1)), moment)
    before = {} if made is None else made
    entries = {entry: before.get(entry) or _entry(*entry) for entry in revoked}
    if made is not None:
        made.clear()
        made.update(entries)
    # All at once: one after the other takes time in the square of their number.
    builder = x509.CertificateRevocationListBuilder(revoked_certificates=list(entries.values()))
    builder = (
        builder.issuer_name(issuer.certificate.subject)
        .last_update(start)
        .next_update(moment + CRL_VALIDITY)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(authority_key(issuer.certificate), critical=False)
    )
    return issuer.signing.crl(builder)


def _entry(serial: int, moment: datetime.datetime, reason: RevocationReason) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
    if reason > RevocationReason.unspecified:
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(reason.name)), critical=False)
    return entry.build()


class LastCRL:
    """The last CRL, at hand for everybody who asks; a new one is made when somebody does, by one thread at a time.

    One with many entries, which takes long to make, is good for a second, whatever is revoked meanwhile. Where ``refresh``
    is called once a second it makes the next one, and nobody who asks waits for that.

    Args:
        renew: returns the CRL as it has to be now, which may be the last one again.
    """

    def __init__(self, renew: Callable[[], x509.CertificateRevocationList]) -> None:
        self._renew = renew
        self._lock = threading.RLock()
        self._last: x509.CertificateRevocationList | None = None
        self._good_until = 0.0
        self._is_refreshing = False

    def get(self) -> x509.CertificateRevocationList:
        """The CRL."""
        last = self._last
        if last is not None and self._is_refreshing:
            return last
        with self._lock:
            begin = time.monotonic()
            if self._last is None or begin >= self._good_until:
                self._last = self._renew()
                self._good_until = begin + CRL_INTERVAL if len(self._last) > FEW_ENTRIES else begin
            return self._last

    def refresh(self) -> None:
        """Make the next one, if somebody has asked for one of many entries. To be called once a second."""
        if self._last is None or len(self._last) <= FEW_ENTRIES:
            return
        with self._lock:
            self._is_refreshing = True
            try:
                self._last = self._renew()
                self._good_until = time.monotonic() + REFRESH_INTERVAL
            finally:
                self._is_refreshing = False


def is_old(crl: x509.CertificateRevocationList) -> bool:
    """Whether a CRL is to be renewed, although nothing has changed."""
    return now() - crl.last_update_utc > CRL_RENEWAL
