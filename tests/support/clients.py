"""osslcmp clients that fit the ``mock_server`` fixture, and one call for each request type."""

from __future__ import annotations

from typing import Any

from cryptography import x509

import osslcmp
from osslcmp.server import Authority, Server

from .pki import PKI

PROTECTIONS = ("mac", "signature")
CERTIFICATE_REQUESTS = ("ir", "cr", "p10cr", "kur")
ALL_REQUESTS = (*CERTIFICATE_REQUESTS, "rr", "genm")

REFERENCE, SECRET = b"ref", b"secret"

#: signKeyPairTypes: a general message that every mock server returns as it came.
HARMLESS = osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.2"))


def credentials(pki: PKI, protection: str) -> dict[str, Any]:
    """How such a client protects its messages and whom it trusts."""
    if protection == "mac":
        return {"reference": REFERENCE, "secret": SECRET, "recipient": pki.server.subject}
    # The mock server of OpenSSL 3.0 updates and revokes only the certificate that it hands out.
    return {
        "certificate": pki.enrolled.certificate,
        "key": pki.enrolled.key,
        "chain": list(pki.enrolled.chain[:1]),
        "trusted": pki.root.certificate,
        "recipient": pki.server.subject,
    }


def client(url: str | None, pki: PKI, protection: str = "signature", **options: Any) -> osslcmp.Client:
    """A client for `url`, or for ``transport=``; an option that is ``None`` takes a default away."""
    given = {"message_timeout": 20, "total_timeout": 40, **credentials(pki, protection), **options}
    return osslcmp.Client(url, **{name: value for name, value in given.items() if value is not None})


def vendor_client(pki: PKI, secret: bytes | None = None, **options: Any) -> osslcmp.Client:
    """A client with this shared secret, or else with the certificate that it has from somebody else."""
    if secret is not None:
        return osslcmp.Client(reference=REFERENCE, secret=secret, **options)
    me = pki.client
    mine = {"certificate": me.certificate, "key": me.key, "chain": me.chain[:1]}
    return osslcmp.Client(**{**mine, "trusted": pki.root.certificate, **options})


def vendor_server(pki: PKI, authority: Authority) -> Server:
    """A server for both, which signs with a certificate of the same origin."""
    signer = pki.server
    return Server(
        authority,
        trusted=[pki.root.certificate],
        certificate=signer.certificate,
        key=signer.key,
        chain=signer.chain[:1],
    )


def secret_context(transport: Any = None, secret: bytes = SECRET) -> osslcmp.Context:
    """A context that shares a secret with the server that ``transport`` leads to."""
    context = osslcmp.Context()
    context.set_reference_value(REFERENCE)
    context.set_secret_value(secret)
    if transport is not None:
        context.set_transfer_cb(transport)
    return context


def request(cmp: osslcmp.Client, kind: str, pki: PKI, **options: Any) -> Any:
    """Send a request of that kind for what the mock server hands out; what the client's method returns."""
    if kind in CERTIFICATE_REQUESTS:
        return getattr(cmp, kind)(**certificate_request(kind, pki), **options)
    if kind == "rr":
        return cmp.rr(pki.enrolled.certificate, **options)
    assert kind == "genm"
    return cmp.genm([HARMLESS], **options)


def certificate_request(kind: str, pki: PKI) -> dict[str, Any]:
    """The arguments of a certificate request for what the mock server hands out."""
    me = pki.enrolled
    if kind == "p10cr":
        return {"csr": me.csr()}
    if kind == "kur":
        return {"key": me.key, "certificate": me.certificate}
    return {"key": me.key, "subject": me.subject}
