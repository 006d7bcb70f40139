"""HTTPS for a server: ``ServerTLS`` and what becomes of it, an ``ssl.SSLContext`` of Python."""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization

from ..._arguments import checked
from ..._files import pem_block
from ..._lazy import key_types, x509  # noqa: F401  # aliases name them
from ..._openssl import inputs
from ..._openssl.convert import cert_to_c, encoded, key_from_c
from ..._openssl.inputs import is_uri
from ..._openssl.keys import Password, check_pair, private_key

ClientCertificates = Literal["none", "optional", "required"]


@checked
@dataclass(frozen=True, kw_only=True)
class ServerTLS:
    """Settings of HTTPS, for ``Server.serve(tls=...)``; it is done by Python's ``ssl``.

    Args:
        certificate: of the server, in any form that ``Server(certificate=...)`` takes; what follows it in a file is
            its chain.
        key: its private key: an object of ``cryptography``, PEM, DER, PKCS#12 or a path. A key in a token needs an
            ``ssl.SSLContext`` of your own instead.
        key_password: decrypts the key.
        chain: certificates between that certificate and its root.
        trusted: roots of the clients' certificates. Python's ``ssl`` verifies the path with its defaults: purpose
            sslclient, the time, no CRLs, no policies, no partial chain; for more give an ``ssl.SSLContext`` with
            ``verify_flags`` and CRLs of your own. Who signs CMP messages is verified besides, as ``Server(trusted=)`` says.
        client: whether clients need a certificate: ``none``, ``optional`` (the default with ``trusted``) or
            ``required``.
        minimum_version: of TLS.

    Raises:
        ValueError: client certificates without ``trusted``, or the reverse.
    """

    certificate: inputs.CertificateInput
    key: inputs.KeyInput = field(repr=False)
    key_password: Password = field(default=None, repr=False)
    chain: inputs.CertificatesInput | None = None
    trusted: inputs.CertificatesInput | None = None
    client: ClientCertificates | None = None
    minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2

    def __post_init__(self) -> None:
        if (self.client in ("optional", "required")) and self.trusted is None:
            raise ValueError("client: certificates of clients need trusted")
        if self.client == "none" and self.trusted is not None:
            raise ValueError("trusted: is of no use when clients show no certificates")


ServerTLSInput = ServerTLS | ssl.SSLContext


def context(tls: ServerTLSInput) -> ssl.SSLContext:
    """The ``ssl.SSLContext`` for a server.

    Raises:
        TypeError: it is neither a ServerTLS nor an ``ssl.SSLContext``.
        ValueError: certificate or key cannot be read, or do not belong together.
    """
    if isinstance(tls, ssl.SSLContext):
        return tls
    if not isinstance(tls, ServerTLS):
        raise TypeError(f"tls: a ServerTLS or an ssl.SSLContext, not {type(tls).__name__}")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = tls.minimum_version
    certificates = [
        *inputs.any_certificates("certificate", tls.certificate),
        *inputs.any_certificates("chain", tls.chain),
    ]
    if not certificates:
        raise ValueError("certificate: is empty")
    if isinstance(tls.key, str) and is_uri(tls.key):
        raise ValueError("key: Python's ssl reads no key URIs; give an ssl.SSLContext that has the key")
    key = private_key("key", tls.key, tls.key_password)
    check_pair(cert_to_c(certificates[0]), key)  # ssl has other words for each kind of key
    _load(made, certificates, key_from_c(key))
    if tls.trusted is not None:
        made.load_verify_locations(cadata=_pem(inputs.any_certificates("trusted", tls.trusted)).decode())
        made.verify_mode = ssl.CERT_REQUIRED if tls.client == "required" else ssl.CERT_OPTIONAL
    return made


def _pem(certificates: list[inputs.AnyCertificate]) -> bytes:
    return b"".join(pem_block(encoded(one)) for one in certificates)


def _load(made: ssl.SSLContext, certificates: list[inputs.AnyCertificate], key: Any) -> None:
    """``ssl`` takes keys from files only: it gets one that is encrypted, and gone at once."""
    password = secrets.token_bytes(24).hex().encode()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    handle, path = tempfile.mkstemp(prefix="osslcmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem + _pem(certificates))
        made.load_cert_chain(path, password=password)
    except ssl.SSLError as error:
        raise ValueError(f"certificate, key: {error.reason or error}") from error
    finally:
        Path(path).unlink(missing_ok=True)
