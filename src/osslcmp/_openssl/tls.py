"""What HTTPS needs: whom to trust, who we are, and which TLS."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from .._arguments import checked
from .._lazy import key_types, x509  # noqa: F401  # the aliases below name them
from .certificate_check import CertificateCheck
from .inputs import CertificateInput, CertificatesInput, KeyInput, check_text
from .keys import Password

_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


@checked
@dataclass(frozen=True, kw_only=True)
class TLS:
    """Settings of HTTPS, for ``Client(tls=...)``; it is done by the libssl that belongs to our libcrypto.

    The server's certificate must chain to ``trusted`` and be for the host in the URL, a name or an IP
    address.

    Args:
        trusted: trust anchors: certificates, PEM/DER bytes, the path of a file or of a folder made by
            ``openssl rehash``; ``None``: those of the system (``SSL_CTX_set_default_verify_paths``, 3.0, so
            ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` count).
        check: a :class:`osslcmp.CertificateCheck` instead of ``trusted``: CRLs, policies, depth, security
            level, and whatever else ``X509_VERIFY_PARAM`` offers.
        certificate: our certificate, for a server that asks for one; what follows it in a file is its
            chain.
        key: its private key, in any form that ``Client(key=...)`` takes.
        key_password: for that.
        chain: certificates between ours and its trust anchor; default: what ``trusted`` gives.
        verify: ``False`` takes any server: whoever is on the path can then read and change what is not
            protected by CMP itself.
        host: name or IP address that the certificate must be for, if not the one in the URL.
        sni: name to ask for (SNI); ``True``: ``host`` or the host in the URL, unless it is an address;
            ``False``: none.
        minimum_version: ``"TLSv1.2"`` or another of TLSv1, TLSv1.1, TLSv1.3; a higher minimum in OpenSSL's
            configuration stays.
        maximum_version: another of these; default: no limit.
        ciphers: cipher list up to TLS 1.2 (``SSL_CTX_set_cipher_list``).
        ciphersuites: of TLS 1.3.
        context: for experts, a raw ``SSL_CTX *`` of :data:`osslcmp.lib` with all of the above set; only
            ``verify``, ``host`` and ``sni`` still count. Its message callback and its limit for certificates do not: what a
            server shows is held against :class:`osslcmp.Limits`.

    An ``ssl.SSLContext`` of Python cannot be used: it belongs to another OpenSSL.
    """

    trusted: CertificatesInput | None = None
    check: CertificateCheck | None = None
    certificate: CertificateInput | None = None
    key: KeyInput | None = field(default=None, repr=False)
    key_password: Password = field(default=None, repr=False)
    chain: CertificatesInput | None = None
    verify: bool = True
    host: str | None = None
    sni: bool | str = True
    minimum_version: str = "TLSv1.2"
    maximum_version: str | None = None
    ciphers: str | None = None
    ciphersuites: str | None = None
    context: Any = None

    def __post_init__(self) -> None:
        if self.trusted is not None and self.check is not None:
            raise ValueError("trusted, check: give one of the two")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate, key: TLS needs both")
        if self.chain is not None and self.certificate is None:
            raise ValueError("chain: is of no use without certificate")
        for name in ("host", "ciphers", "ciphersuites"):
            if check_text(name, getattr(self, name)) == "":
                raise ValueError(f"{name}: is empty")
        if not isinstance(self.sni, bool) and not check_text("sni", self.sni):
            raise ValueError("sni: is empty; False for none")
        for name in ("minimum_version", "maximum_version"):
            value = getattr(self, name)
            if value not in _VERSIONS and (value is not None or name == "minimum_version"):
                raise ValueError(f"{name}: one of {', '.join(_VERSIONS)}, not {value!r}")
        if self.context is not None and any(
            getattr(self, item.name) != item.default
            for item in fields(self)
            if item.name not in ("context", "verify", "host", "sni")
        ):
            raise ValueError("context: brings its own settings; only verify, host and sni go with it")


TLSInput = TLS | bool | CertificatesInput | None
"""A :class:`TLS`, ``True`` for its defaults, or what to trust, for a :class:`TLS` of no other settings."""


def tls_settings(tls: TLSInput) -> TLS | None:
    """``tls`` as :class:`TLS`; ``None`` for ``None`` and ``False``."""
    if tls is None or tls is False:
        return None
    if tls is True:
        return TLS()
    if isinstance(tls, TLS):
        return tls
    if type(tls).__module__ in ("ssl", "OpenSSL.SSL"):
        raise TypeError("tls: a context of Python's ssl belongs to another OpenSSL: use osslcmp.TLS")
    if isinstance(tls, (bytes, bytearray, str, os.PathLike, Iterable)) or hasattr(tls, "public_bytes"):
        try:
            return TLS(trusted=tls)
        except (TypeError, ValueError) as error:
            raise type(error)(f"tls: {error}") from None
    raise TypeError(f"tls: an osslcmp.TLS, True, certificates or a path, not {type(tls).__name__}")
