"""HTTPS for a scripted server: certificates of a TLS CA of its own, as files and as what a client takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from .._openssl.tls import TLS
from ..server.ca.issuing import make_ca, make_server_certificate
from ..server.ca.signing import Signing
from ..server.http.tls import ClientCertificates, ServerTLS

_Wanted = Literal["optional", "required"]


@dataclass(frozen=True)
class ClientTLS:
    """What a client needs for HTTPS; the files are there until the server is closed."""

    root: x509.Certificate
    """The trust anchor of the TLS server; it has nothing to do with that of CMP."""
    root_file: Path
    """In PEM."""
    certificate_file: Path | None
    """A certificate for the client, in PEM; None if the server asks for none."""
    key_file: Path | None = field(repr=False)
    """Its private key, in PEM, not encrypted."""
    client: TLS
    """All of it for ``osslcmp.Client(tls=...)``."""


def make_tls(directory: Path, host: str, clients: bool | ClientCertificates) -> tuple[ServerTLS, ClientTLS]:
    """The settings of a server at ``host``, and of its clients, whose files go to ``directory``, which is for us alone.

    Raises:
        ValueError: ``clients`` is neither True, "optional" nor "required".
    """
    if clients is not True and clients not in get_args(_Wanted):
        raise ValueError(f"tls: True, 'optional' or 'required', not {clients!r}")
    ca = make_ca("osslcmp test TLS CA", None, 0)
    signing, usages = Signing(*ca), ExtendedKeyUsageOID
    certificate, key = make_server_certificate(
        "osslcmp test server", ca[0], signing, [usages.SERVER_AUTH], _names(host)
    )
    root_file = directory / "tls-root.pem"
    root_file.write_bytes(ca[0].public_bytes(Encoding.PEM))
    if clients is True:
        server = ServerTLS(certificate=certificate, key=key)
        return server, ClientTLS(ca[0], root_file, None, None, TLS(trusted=ca[0]))
    own = make_server_certificate("osslcmp test client", ca[0], signing, [usages.CLIENT_AUTH])
    certificate_file, key_file = directory / "tls-client.pem", directory / "tls-client-key.pem"
    certificate_file.write_bytes(own[0].public_bytes(Encoding.PEM))
    key_file.write_bytes(own[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    client = TLS(trusted=ca[0], certificate=own[0], key=own[1])
    server = ServerTLS(
        certificate=certificate,
        key=key,
        trusted=ca[0],
        client="required" if clients == "required" else "optional",
    )
    return server, ClientTLS(ca[0], root_file, certificate_file, key_file, client)


def _names(host: str) -> list[x509.GeneralName]:
    """What clients on this machine call the server, and the address that it listens on."""
    addresses = dict.fromkeys(["127.0.0.1", "::1"])
    names = dict.fromkeys(["localhost"])
    try:
        addresses[str(ipaddress.ip_address(host))] = None
    except ValueError:
        names[host] = None
    return [
        *map(x509.DNSName, names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
