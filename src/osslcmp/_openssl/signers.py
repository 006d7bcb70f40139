"""Which certificates libcrypto may meet as the supposed signer of a message."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography import x509

from .convert import cert_to_c, certificate_cache
from .lib import lib

__all__ = ["check_signer"]

#: OpenSSL's ``ERR_add_error_txt`` never ends on a line of more than some 4,000 characters (3.0 to 4.0).
LINE_LIMIT = 3800


def longest_line(handle: Any) -> int:
    """Of what OpenSSL prints of an ``X509 *``, in characters."""
    longest: int = lib.osslcmp_longest_line(handle)
    if longest < 0:
        raise MemoryError
    return longest


@lru_cache(maxsize=1024)
def _longest_line(certificate: x509.Certificate | bytes) -> int:
    with certificate_cache({}):  # made for this alone: what OpenSSL keeps in it is not for other threads
        return longest_line(cert_to_c(certificate))


def check_signer(what: str, certificate: x509.Certificate | bytes | Any) -> None:
    """``ValueError`` for a certificate of which OpenSSL prints a line that is too long for itself.

    It prints that of the supposed signer when a signature turns out wrong: whoever sends a wrong one in the name of
    such a certificate would make the process hang. Takes an ``X509 *``, too.
    """
    ours = isinstance(certificate, (x509.Certificate, bytes))
    longest = (_longest_line if ours else longest_line)(certificate)
    if longest > LINE_LIMIT:
        raise ValueError(
            f"{what}: a name, serial number or extension of a certificate is printed in a line of {longest} characters,"
            f" on which OpenSSL's error reports never end: at most {LINE_LIMIT}"
        )
