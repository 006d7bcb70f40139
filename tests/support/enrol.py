"""One enrolment at a server of our own over HTTP or HTTPS, and what its refusal says."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509

import osslcmp

from .pki import make_key

KEY = make_key()

#: What a web server on this machine is called.
LOCAL = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def client(url: str, tls: Any = None, **options: Any) -> osslcmp.Client:
    """A client of ``EmbeddedCA({"ref": "secret"})``."""
    return osslcmp.Client(
        url, reference="ref", secret="secret", tls=tls, **{"message_timeout": 20, **options}
    )


def enroll(url: str, tls: Any = None, **options: Any) -> x509.Certificate:
    """An ir for CN=me, confirmed."""
    return client(url, tls, **options).ir(KEY, subject="CN=me").certificate


def refusal(url: str, tls: Any = None, **options: Any) -> str:
    """What the TransferError says, whose `.errors` say it, too."""
    with pytest.raises(osslcmp.TransferError) as caught:
        enroll(url, tls, **options)
    assert caught.value.errors
    assert "request sent: IR" in str(caught.value)
    return str(caught.value)
