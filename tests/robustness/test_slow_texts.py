"""Texts that keep a careless reader busy for hours: each is read, or refused, in a moment. A test that hangs is ended."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import hostile
from support.command import osslcmp
from support.oversized import certificate_der
from support.pki import PKI, cert_pem

import osslcmp as package
from osslcmp._asn1 import pem
from osslcmp._openssl.inputs import crls

COUNT = 100_000
BEGINNINGS = {
    "one label": b"-----BEGIN X509 CRL-----\n" * COUNT,
    "within a label": b"-----BEGIN " * COUNT,
    "each its own": b"".join(b"-----BEGIN %d-----\n" % number for number in range(COUNT)),
    "ends": b"-----END CMP-----" * COUNT,
    "dashes": b"-" * 10 * COUNT,
    "crossed": b"-----BEGIN A-----" * COUNT + b"-----END B-----" * COUNT,
}


@pytest.mark.parametrize("text", BEGINNINGS.values(), ids=BEGINNINGS)
def test_pem_that_only_begins(text: bytes, pki: PKI, tmp_path: Path) -> None:
    """Certificates, CSRs, CRLs and messages are looked for in vain, and found behind it."""
    with pytest.raises(ValueError, match="trusted"):
        package.Client("http://127.0.0.1/", reference="r", secret="s", trusted=text)
    client = package.Client("http://127.0.0.1/", reference="r", secret="s")
    with pytest.raises(ValueError, match="csr"):
        client.p10cr(text)
    file = tmp_path / "text.pem"
    file.write_bytes(text)
    with pytest.raises(ValueError, match="no CRL"):
        crls("CRLs", file)
    assert "no CMP message" in osslcmp("show", file, status=1).stderr
    whole = text + b"\n" + cert_pem(pki.root.certificate)
    package.Client("http://127.0.0.1/", reference="r", secret="s", trusted=whole)


def test_blocks() -> None:
    """A block goes from its beginning to the next end of the same label; what is within belongs to it."""
    text = b"a-----BEGIN A-----b-----BEGIN B-----c-----END B-----d-----END A-----e-----BEGIN A-----\n-----END A-----"
    assert list(pem.blocks(text)) == [("A", b"b-----BEGIN B-----c-----END B-----d"), ("A", b"\n")]
    assert list(pem.blocks(b"-----BEGIN A-----x-----BEGIN B-----y-----END B-----")) == [("B", b"y")]
    assert list(pem.blocks(b"-----END A-----x-----BEGIN A-----y")) == []
    der = certificate_der()
    written = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    assert [label for label, _ in pem.blocks(written * 3)] == ["CERTIFICATE"] * 3


def test_path_of_slashes() -> None:
    """The mock server refuses it, and answers the next client."""
    with hostile.mock() as (url, _):
        request = urllib.request.Request(url + "x" + "/" * 60_000 + "x", b"x", method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == 404
        refused.value.close()
        assert hostile.client(url=url).genm([package.InfoTypeAndValue("1.2.3")]) is not None
