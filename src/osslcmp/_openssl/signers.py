"""Which certificates libcrypto may meet as the supposed signer of a message."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .._asn1 import der
from .._asn1.x509_parts import validity
from .._lazy import in_use, x509
from .._text import visible
from ..errors import OpenSSLError
from .convert import cert_to_c, certificate_cache, encoded_name_to_c, octets_from_c, to_der
from .errorqueue import clear
from .lib import NULL, lib
from .names import line_of, name_of

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
    ours = isinstance(certificate, bytes) or (in_use() and isinstance(certificate, x509.Certificate))
    longest = (_longest_line if ours else longest_line)(certificate)
    if longest > LINE_LIMIT:
        raise ValueError(
            f"{what}: a name, serial number or extension of a certificate is printed in a line of {longest} characters,"
            f" on which OpenSSL's error reports never end: at most {LINE_LIMIT}"
        )


@lru_cache(maxsize=64)
def key_identifier(certificate: x509.Certificate | bytes) -> bytes | None:
    """The subject key identifier of a certificate; ``None`` if it has none, or is none."""
    try:
        handle = cert_to_c(certificate)
    except OpenSSLError:
        return None
    return octets_from_c(lib.X509_get0_subject_key_id(handle))


def times(certificate: bytes, *, early: bool) -> str:
    """From when on a certificate (DER) is valid, or until when it was; empty if that cannot be read."""
    try:
        begin, end = validity(certificate)
    except ValueError:
        return ""
    when, moment = ("from", begin) if early else ("until", end)
    return f", valid {when} {moment:%Y-%m-%d %H:%M:%S} UTC"


def unsuitable(
    sender: bytes, identifier: bytes | None, certificates: Iterable[bytes], *, param: Any = NULL
) -> str | None:
    """Why libcrypto takes none of these certificates for the signer's: it says no more than that there is none.

    ``None`` if there is one that fits, and is valid by now.

    Args:
        sender: name in the header of the message, DER.
        identifier: key identifier in it (senderKID).
        certificates: those that may be the signer's, DER.
        param: ``X509_VERIFY_PARAM *`` with the time that counts; NULL: now.
    """
    clear()
    name = encoded_name_to_c(sender)
    reason, called = "no certificate came with it", visible(line_of(name), 200) or "(empty name)"
    for certificate in certificates:
        cert = cert_to_c(certificate)
        named = lib.X509_NAME_cmp(lib.X509_get_subject_name(cert), name) == 0
        found = octets_from_c(lib.X509_get0_subject_key_id(cert))
        if named and identifier in (None, found):
            late = lib.X509_cmp_timeframe(param, lib.X509_get0_notBefore(cert), lib.X509_get0_notAfter(cert))
            if not late:
                return None
            what = "has expired" if late > 0 else "is not yet valid"
            return f"the signer's certificate, {called}, {what}{times(certificate, early=late < 0)}"
        if found is not None and found == identifier:
            subject = to_der(lib.i2d_X509_NAME, lib.X509_get_subject_name(cert), "encoding a name")
            order = ", the same parts in another order" if _parts(subject) == _parts(sender) else ""
            other = visible(name_of(cert), 200)
            return (
                f"the sender is {called}, but the certificate with its key identifier is for {other}{order}"
            )
        if named:
            key = "has none" if found is None else f"has {found.hex(':').upper()}"
            reason = f"the certificate for {called} {key} as key identifier"
        elif reason.startswith("no"):
            reason = f"no certificate that came with it is for {called}"
    return reason


def _parts(name: bytes) -> list[bytes]:
    return sorted(part.encoding for part in der.sequence(name))
