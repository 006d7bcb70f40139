"""Keys and certificates as they are in the field."""

from __future__ import annotations

import codecs
import functools
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from support.openssl import new_csr, run
from support.pki import PKI

import osslcmp
from osslcmp._files import pem_block
from osslcmp._openssl import convert, inputs, keys

PASSWORD = "pass:pw"


def made(name: str) -> bytes:
    """What the installed `openssl` makes of the same key and certificate."""
    return _all()[name]


@functools.cache
def _all() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key, csr = new_csr(folder, "/CN=x")
        cert, out = folder / "cert", folder / "out"
        run(["x509", "-req", "-in", csr, "-signkey", key, "-out", cert, "-days", "2"]).must()

        def by(*args: str | Path) -> bytes:
            run([*args, "-out", out]).must()
            return out.read_bytes()

        pkcs8 = ("pkcs8", "-topk8", "-in", key, "-passout", PASSWORD)
        pkcs12 = ("pkcs12", "-export", "-in", cert, "-inkey", key, "-passout", PASSWORD)
        old = ("-provider", "legacy", "-provider", "default")
        return {
            "key": key.read_bytes(),
            "key der": by("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER"),
            "csr": csr.read_bytes(),
            "csr der": by("req", "-in", csr, "-outform", "DER"),
            "cert": cert.read_bytes(),
            "cert der": by("x509", "-in", cert, "-outform", "DER"),
            "trusted": by("x509", "-in", cert, "-trustout", "-addtrust", "clientAuth"),
            "text": by("x509", "-in", cert, "-text"),
            "p7": by("crl2pkcs7", "-nocrl", "-certfile", cert),
            "p7 der": by("crl2pkcs7", "-nocrl", "-certfile", cert, "-outform", "DER"),
            "params": by("ecparam", "-name", "prime256v1"),
            "scrypt": by(*pkcs8, "-scrypt"),
            "scrypt der": by(*pkcs8, "-scrypt", "-outform", "DER"),
            "aes": by("ec", "-in", key, "-aes128", "-passout", PASSWORD),
            "p12": by(*pkcs12),
            "p12 old": by(*pkcs12, "-legacy"),
            "p12 rc2": by(*pkcs12, "-legacy", "-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40"),
            "des": by(*pkcs8, *old, "-v1", "PBE-MD5-DES"),
            "des der": by(*pkcs8, *old, "-v1", "PBE-MD5-DES", "-outform", "DER"),
        }


CERTIFICATES: dict[str, Callable[[], bytes]] = {
    "PEM": lambda: made("cert"),
    "CR LF": lambda: made("cert").replace(b"\n", b"\r\n"),
    "CR": lambda: made("cert").replace(b"\n", b"\r"),
    "byte order mark": lambda: codecs.BOM_UTF8 + made("cert"),
    "UTF-16": lambda: made("cert").decode().encode("utf-16"),
    "UTF-16, no byte order mark": lambda: made("cert").replace(b"\n", b"\r\n").decode().encode("utf-16-le"),
    "UTF-16, big endian": lambda: b"\0\r\0\n" + made("cert").decode().encode("utf-16-be"),
    "base64 without wrap, CR LF": lambda: b"\r\n".join(
        (b"-----BEGIN CERTIFICATE-----", b64encode(made("cert der")), b"-----END CERTIFICATE-----", b"")
    ),
    "indented": lambda: b"ca: |\n  " + made("cert").replace(b"\n", b"\n  "),
    "openssl x509 -text": lambda: made("text") + b"and after it\n",
    "after a key": lambda: made("key") + made("csr") + made("cert"),
    "no newline at the end": lambda: made("cert").rstrip(),
    "trust settings": lambda: made("trusted"),
    "DER": lambda: made("cert der"),
    "DER and a newline": lambda: made("cert der") + b"\r\n",
    "DER and NUL": lambda: made("cert der") + b"\0",
    "PKCS#7": lambda: made("p7"),
    "PKCS#7 in DER": lambda: made("p7 der"),
    "PKCS#7 in DER and a newline": lambda: made("p7 der") + b"\n",
    "PKCS#7, called CERTIFICATE": lambda: made("p7").replace(b"PKCS7", b"CERTIFICATE"),
    "PKCS#7, called CMS": lambda: made("p7").replace(b"PKCS7", b"CMS"),
}
KEYS: dict[str, Callable[[], bytes]] = {
    "PEM": lambda: made("key"),
    "CR LF": lambda: made("key").replace(b"\n", b"\r\n"),
    "CR": lambda: made("key").replace(b"\n", b"\r"),
    "byte order mark": lambda: codecs.BOM_UTF8 + made("key"),
    "UTF-16, no byte order mark": lambda: made("key").decode().encode("utf-16-le"),
    "PKCS#12 in armour": lambda: pem_block(made("p12"), "PKCS12"),
    "UTF-16": lambda: made("key").decode().encode("utf-16"),
    "indented": lambda: made("key").replace(b"\n", b"\n    "),
    "one line": lambda: made("key").replace(b"\n", b" "),
    "blank lines": lambda: made("key").replace(b"\n", b"\n\n"),
    "quoted": lambda: b'"' + made("key").strip() + b'"',
    "texts around": lambda: b"Bag Attributes\n    friendlyName: x\n" + made("key") + b"and after it\n",
    "after other objects": lambda: made("params") + made("cert") + made("key") + made("csr"),
    "DER": lambda: made("key der"),
    "DER and a newline": lambda: made("key der") + b"\n",
    "PKCS#8, scrypt": lambda: made("scrypt"),
    "PKCS#8, scrypt in DER and a newline": lambda: made("scrypt der") + b"\n",
    "Proc-Type": lambda: made("aes"),
    "PKCS#12": lambda: made("p12"),
    "PKCS#12 and a newline": lambda: made("p12") + b"\r\n",
    "PKCS#12, 3DES": lambda: made("p12 old"),
    "PKCS#12, RC2": lambda: made("p12 rc2"),
}


@pytest.mark.parametrize("source", CERTIFICATES)
def test_certificates(source: str, tmp_path: Path) -> None:
    """As bytes and by path."""
    data = CERTIFICATES[source]()
    (tmp_path / "file").write_bytes(data)
    expected = x509.load_pem_x509_certificate(made("cert"))
    for given in (data, tmp_path / "file", str(tmp_path / "file")):
        assert inputs.any_certificates("trusted", given) == [expected.public_bytes(Encoding.DER)]
        assert inputs.certificates("trusted", given) == [expected]
    assert "trusted=[<EncodedCertificate of " in repr(osslcmp.CertificateCheck(trusted=data))


def test_der_one_after_another(pki: PKI) -> None:
    """As of ``cat *.der``: all of them."""
    several = [pki.root.certificate, pki.issuing.certificate, pki.root.certificate]
    for between in (b"", b"\r\n"):
        data = between.join(one.public_bytes(Encoding.DER) for one in several)
        assert inputs.certificates("trusted", data) == several
    with pytest.raises(ValueError, match=r"trusted: no certificate.*found neither"):
        inputs.any_certificates("trusted", data + b"x")
    with pytest.raises(ValueError, match=r"csr: no .*found CERTIFICATE in DER"):
        inputs.csr("csr", data)


def test_pkcs7_in_any_order(pki: PKI, tmp_path: Path) -> None:
    """Certificates need not be in the order of DER, about which cryptography warns: here that is an error."""
    two = [pki.root.cert_file, pki.issuing.cert_file]
    for files in (two, two[::-1]):
        (tmp_path / "both").write_bytes(b"".join(Path(file).read_bytes() for file in files))
        bundle = tmp_path / "bundle.p7b"
        run(["crl2pkcs7", "-nocrl", "-certfile", tmp_path / "both", "-out", bundle]).must()
        assert set(inputs.certificates("trusted", bundle)) == {
            pki.root.certificate,
            pki.issuing.certificate,
        }


def test_texts() -> None:
    """PEM in a str is no path."""
    assert inputs.any_certificates("trusted", made("cert").decode() * 2)[1:]
    assert inputs.csr("csr", made("csr").decode())
    assert keys.private_key("key", made("key").decode())


@pytest.mark.parametrize("source", KEYS)
def test_keys(source: str, tmp_path: Path) -> None:
    """As bytes and by path."""
    data = KEYS[source]()
    (tmp_path / "file").write_bytes(data)
    expected = load_pem_private_key(made("key"), None).public_key()
    for given in (data, tmp_path / "file", str(tmp_path / "file")):
        assert convert.public_key_from_c(keys.private_key("key", given, "pw")) == expected


@pytest.mark.parametrize(
    "data",
    [
        lambda: made("csr").replace(b"BEGIN CERT", b"BEGIN NEW CERT").replace(b"END CERT", b"END NEW CERT"),
        lambda: made("key") + made("cert") + made("csr"),
        lambda: made("csr der") + b"\n",
    ],
)
def test_csrs(data: Callable[[], bytes]) -> None:
    """Microsoft's label, the one among others, DER with a newline."""
    csr = inputs.csr("csr", data())
    assert csr == x509.load_pem_x509_csr(made("csr")).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("key", "found PRIVATE KEY in PEM"),
        ("key der", "found PRIVATE KEY in DER"),
        ("scrypt der", "found ENCRYPTED PRIVATE KEY in DER"),
        ("csr der", "found CERTIFICATE REQUEST in DER"),
        ("p12", "found PKCS12 in DER; take them out with openssl pkcs12 -nokeys"),
    ],
)
def test_no_certificate(name: str, found: str, tmp_path: Path) -> None:
    """The error names the argument, the file, and what was found in it."""
    file = tmp_path / "file"
    file.write_bytes(made(name))
    with pytest.raises(ValueError, match="no certificate") as caught:
        osslcmp.Client("http://127.0.0.1:9", secret="x", trusted=file)
    assert str(caught.value) == f"trusted: {file}: no certificate in PEM, DER or PKCS#7; {found}"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"\x00\x01", "found neither PEM nor DER of a known kind"),
        (b"<!DOCTYPE html>", "found HTML or XML"),
        (b'{"cert": "x"}', "found JSON"),
        (
            bytes.fromhex("feedfeed00000002"),
            "found a Java keystore: keytool -importkeystore -deststoretype pkcs12",
        ),
        (b"PuTTY-User-Key-File-3: ssh-rsa\n", "found a key of PuTTY"),
        (b"ssh-rsa AAAA me@here\n", "found a public key of OpenSSH"),
        (b"\x1f\x8b\x08", "found something compressed"),
        (b"MIIB\nAgIE", "found base64 without the BEGIN and END lines of PEM"),
        (b"MIIB_g-w", "found base64 without the BEGIN and END lines of PEM"),
        (b"LS0tLS1CRUdJTiBDRVJU", "found base64 of PEM: base64 -d"),
        (b"----BEGIN CERTIFICATE----\nMIIB", "found a BEGIN line of PEM that is damaged"),
        ("\u2014BEGIN CERTIFICATE\u2014\nMIIB".encode(), "found a BEGIN line of PEM that is damaged"),
        (b"30 82 01 0a\n0f", "found hexadecimal digits"),
        (b"Certificate:\n    Data:\n", "found the text of openssl x509 -text without PEM below it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "found a pointer of Git LFS"),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "ssh-keygen -p -m PKCS8",
        ),
        (
            b'"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n"',
            r"its line ends are written as \n, as in JSON",
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\\r\\nAAAA\\r\\n-----END PRIVATE KEY-----",
            r"its line ends are written as \n",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB",
            "found a BEGIN line of PEM without the END that belongs to it",
        ),
        (b"-----BEGIN X-----\n=\n-----END X-----\n" * 2, "found X in PEM"),
    ],
)
def test_nothing(data: bytes, found: str) -> None:
    """Nor anything else."""
    reading: list[Callable[[], Any]] = [
        lambda: inputs.any_certificates("arg", data),
        lambda: inputs.csr("arg", data),
        lambda: keys.private_key("arg", data),
    ]
    for read in reading:
        with pytest.raises(ValueError, match=r"^arg: no ") as caught:
            read()
        assert found in str(caught.value)


@pytest.mark.parametrize("damage", [b"MII!", b"MIIB", b""])
def test_damaged(damage: bytes) -> None:
    """PEM whose contents are none."""
    for label, read in (("CERTIFICATE", inputs.any_certificates), ("CERTIFICATE REQUEST", inputs.csr)):
        pem = b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label.encode(), damage, label.encode())
        with pytest.raises(ValueError, match=f"^arg: .* {label} in it does not decode"):
            read("arg", pem)


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("cert", None, "no private key in PEM, DER or PKCS#12; found CERTIFICATE in PEM"),
        ("scrypt", None, "the private key is encrypted and no password was given; see key_password"),
        (
            "scrypt",
            "no",
            "a wrong password, or the private key is damaged; found ENCRYPTED PRIVATE KEY in PEM",
        ),
        (
            "p12",
            None,
            "no private key was taken from the PKCS#12 data: it is encrypted and no password was given; see key_password",
        ),
        ("p12", "no", "no private key was taken from the PKCS#12 data: a wrong password, or it is damaged"),
    ],
)
def test_no_key(name: str, password: str | None, why: str, tmp_path: Path) -> None:
    """The error names the argument, the file, and what is missing."""
    file = tmp_path / "file"
    file.write_bytes(made(name))
    with pytest.raises(ValueError, match="key") as caught:
        keys.private_key("key", file, password)
    assert str(caught.value) == f"key: {file}: {why}"


@pytest.mark.parametrize("name", ["des", "des der"])
def test_provider_is_missing(name: str) -> None:
    """An algorithm of the legacy provider is taken once that is loaded; until then the error names it."""
    with pytest.raises(ValueError, match=r'(PBKDF1|DES-CBC), which .* osslcmp\.load_provider\("legacy"\)'):
        keys.private_key("key", made(name), "pw")
    provider = osslcmp.load_provider("legacy")
    try:
        assert keys.private_key("key", made(name), "pw")
    finally:
        provider.unload()


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("handle:0x81000001", 'load one with osslcmp.load_provider("tpm2")'),
        ("pkcs11:object=x?pin-value=4711", 'load one with osslcmp.load_provider("pkcs11")'),
        ("PKCS11:object=x", 'load one with osslcmp.load_provider("pkcs11")'),
        ("vault:x", "load one with osslcmp.load_provider(NAME)"),
    ],
)
def test_scheme_of_no_provider(uri: str, hint: str) -> None:
    """One sentence, and no PIN."""
    with pytest.raises(ValueError, match="no private key") as caught:
        keys.private_key("key", uri)
    scheme = uri.partition(":")[0]
    assert str(caught.value) == (
        f"key: no private key found behind the {scheme}: URI: no provider that is loaded knows this scheme; {hint}"
    )


def test_no_file(tmp_path: Path) -> None:
    """The error of the system, with the argument and the file."""
    for use in (inputs.any_certificates, inputs.csr, keys.private_key):
        with pytest.raises(FileNotFoundError, match=r"trusted: .*nowhere"):
            use("trusted", tmp_path / "nowhere")
        with pytest.raises(IsADirectoryError, match=r"trusted: "):
            use("trusted", tmp_path)


@pytest.mark.parametrize("path", ["~/cert.pem", "$HOME/cert.pem", "'cert.pem'", '"cert.pem"'])
def test_written_for_a_shell(path: str) -> None:
    """Which alone knows what that means."""
    with pytest.raises(FileNotFoundError, match=r"trusted: .*only a shell knows"):
        inputs.any_certificates("trusted", path)
