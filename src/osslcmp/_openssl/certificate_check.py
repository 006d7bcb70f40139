"""Conditions that a new certificate must meet before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .._arguments import several
from .._lazy import x509
from . import inputs, verify


@dataclass(frozen=True, kw_only=True)
class CertificateCheck:
    """A verification by OpenSSL (``X509_verify_cert``), for ``Client.ir(check=...)`` and its like.

    It takes all that ``openssl cmp`` offers for ``-out_trusted``, and CRLs, which that ignores.

    Args:
        trusted: what the new certificate must chain to: certificates, PEM/DER bytes, paths.
        untrusted: further certificates that help to build the chain, besides those in the answer.
        crls: CRLs: ``x509.CertificateRevocationList`` objects, PEM/DER bytes, paths.
        crl_check: ``"none"``, ``"leaf"`` or ``"all"``; default: ``"leaf"`` if there are CRLs.
        purpose: ``"sslserver"``, ``"sslclient"``, ``"smimesign"``, ... as OpenSSL names them.
        host: host name that the certificate must be for.
        email: e-mail address that it must be for.
        ip: IP address that it must be for.
        time: verify as of this ``datetime`` instead of now; one without a zone is local time.
        depth: most intermediate certificates.
        auth_level: OpenSSL's security level, 0 to 5.
        policies: acceptable policies: OIDs, or names that OpenSSL knows.
        suite_b: ``"128"``, ``"128_only"`` or ``"192"``: RFC 6460 alone.
        verify_name: what to begin with: OpenSSL's ``"ssl_server"``, ``"smime_sign"`` and so on.

    The others are flags of ``X509_VERIFY_PARAM``. Raises ``TypeError`` or ``ValueError`` for wrong arguments.
    """

    trusted: inputs.CertificatesInput
    untrusted: inputs.CertificatesInput | None = None
    crls: inputs.CRLsInput = ()
    crl_check: str = ""
    purpose: str | None = None
    host: str | None = None
    email: str | None = None
    ip: str | None = None
    time: datetime | None = None
    depth: int | None = None
    auth_level: int | None = None
    policies: Iterable[str] = ()
    suite_b: str | None = None
    verify_name: str | None = None
    partial_chain: bool = False
    strict: bool = False
    policy_check: bool = False
    explicit_policy: bool = False
    inhibit_any: bool = False
    inhibit_map: bool = False
    allow_proxy_certs: bool = False
    ignore_critical: bool = False
    use_deltas: bool = False
    extended_crl: bool = False
    check_ss_signature: bool = False
    no_check_time: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted", inputs.any_certificates("trusted", self.trusted))
        object.__setattr__(self, "untrusted", inputs.any_certificates("untrusted", self.untrusted))
        object.__setattr__(self, "crls", inputs.crls("crls", self.crls))
        policies = [
            inputs.check_text("policies", policy) for policy in several("policies", self.policies, str)
        ]
        object.__setattr__(self, "policies", policies)
        object.__setattr__(self, "crl_check", self.crl_check or ("leaf" if self.crls else "none"))
        if self.crl_check not in ("none", "leaf", "all"):
            raise ValueError(f"crl_check: none, leaf or all, not {self.crl_check!r}")
        if self.suite_b not in (None, *verify.SUITES):
            raise ValueError(f"suite_b: 128, 128_only or 192, not {self.suite_b!r}")
        if self.time is not None:
            if not isinstance(self.time, datetime):
                raise TypeError(f"time: a datetime, not {type(self.time).__name__}")
            try:
                self.time.timestamp()
            except (OverflowError, OSError, ValueError) as error:
                raise ValueError(f"time: {self.time} is out of range: {error}") from error
        for name in ("depth", "auth_level"):
            number = getattr(self, name)
            if not isinstance(number, int | None):
                raise TypeError(f"{name}: an int, not {type(number).__name__}")
            if number is not None and not -1 <= number <= 0x7FFFFFFF:
                raise ValueError(f"{name}: {number} is out of range")
        names = ("host", "email", "ip", "purpose", "verify_name")
        texts = [inputs.check_text(name, getattr(self, name)) for name in names]
        if policies or any(text is not None for text in texts):
            verify.try_settings(self)

    def failure(
        self, certificate: x509.Certificate | bytes, untrusted: Iterable[x509.Certificate | bytes] = ()
    ) -> str | None:
        """What is wrong with ``certificate`` (``X509_verify_cert``, 3.0), ``None`` if nothing is.

        ``untrusted`` are further certificates that help to build the chain. Bytes are DER. Raises
        :class:`osslcmp.OpenSSLError` if the verification cannot be set up.
        """
        known = [*inputs.any_certificates("untrusted", self.untrusted), *several("untrusted", untrusted)]
        for one in (certificate, *known):
            if not isinstance(one, bytes) and not isinstance(one, x509.Certificate):
                raise TypeError(f"certificate, untrusted: x509.Certificate or DER, not {type(one).__name__}")
        return verify.verify(certificate, self, known)
