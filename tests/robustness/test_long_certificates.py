"""Certificates whose names, numbers or extensions print in very long lines, on which OpenSSL's error reports never end."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from support.pki import cert_pem, make_key, make_name
from support.processes import importing

import osslcmp
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Server

#: Seconds after which a child process hangs.
HANG = 60
LONG_NAME = x509.Name(
    [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "\x1b[31m" + "x" * 59) for _ in range(62)]
)


def certificate(
    subject: x509.Name, issuer: x509.Name, *, san: x509.SubjectAlternativeName | None = None
) -> x509.Certificate:
    """A certificate that nobody vouches for."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    if san is not None:
        builder = builder.add_extension(san, critical=False)
    return builder.sign(key, hashes.SHA256())


def long_serial() -> bytes:
    """With a serial number of 5,000 octets, which ``cryptography`` would not make."""
    whole = certificate(make_name("x"), make_name("y")).public_bytes(Encoding.DER)
    tbs, algorithm, signature = der.children(der.read(whole).content)
    version, _, *rest = der.children(tbs.content)
    changed = der.encode(
        0x30, version.encoding, der.encode(der.INTEGER, b"\x01" * 5000), *(part.encoding for part in rest)
    )
    return der.encode(0x30, changed, algorithm.encoding, signature.encoding)


def long_san() -> x509.Certificate:
    """With many names in one line."""
    names = [x509.DNSName(f"host-{number}.example.org") for number in range(250)]
    return certificate(make_name("x"), make_name("y"), san=x509.SubjectAlternativeName(names))


LONG: dict[str, Callable[[], bytes]] = {
    "subject": lambda: certificate(LONG_NAME, make_name("y")).public_bytes(Encoding.DER),
    "issuer": lambda: certificate(make_name("x"), LONG_NAME).public_bytes(Encoding.DER),
    "both": lambda: certificate(LONG_NAME, LONG_NAME).public_bytes(Encoding.DER),
    "serial number": long_serial,
    "subjectAltName": lambda: long_san().public_bytes(Encoding.DER),
}

VERIFY = """
import sys
from osslcmp import ffi, lib
from osslcmp._openssl import convert
from osslcmp._openssl.errorqueue import drain
store = convert.store_to_c([])
lib.X509_STORE_set_verify_cb(store, ffi.addressof(lib, sys.argv[2]))
leaf = lib.X509_new()
data = open(sys.argv[1], "rb").read()
leaf = lib.d2i_X509(ffi.NULL, ffi.new("const unsigned char **", ffi.from_buffer("unsigned char[]", data)), len(data))
run = lib.X509_STORE_CTX_new()
assert lib.X509_STORE_CTX_init(run, store, leaf, ffi.NULL)
assert lib.X509_verify_cert(run) == 0
for entry in drain():
    print(entry)
lib.X509_STORE_CTX_free(run)
lib.X509_free(leaf)
"""


@pytest.mark.parametrize("callback", ["osslcmp_verify_cb", "osslcmp_validate_cb"])
@pytest.mark.parametrize("what", LONG)
def test_what_a_verification_tells(what: str, callback: str, tmp_path: Path) -> None:
    """It ends, and says in a bounded line without control characters what is wrong with which certificate."""
    file = tmp_path / "long.der"
    file.write_bytes(LONG[what]())
    run = subprocess.run(
        [sys.executable, "-c", VERIFY, str(file), callback],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG,
    )
    told = run.stdout.rstrip("\n")
    assert told.startswith("certificate verification failed: ")
    assert (
        "(20), certificate at depth 0, subject " in told or "(18), certificate at depth 0, subject " in told
    )
    assert ", issuer " in told
    assert ", serial number " in told
    assert ", notAfter " in told
    assert len(told) < 1000
    assert told.isprintable()


@pytest.mark.parametrize("what", ["issuer", "subject", "subjectAltName"])
def test_an_answer_signed_with_it(what: str, tmp_path: Path) -> None:
    """Ends the client's call: refused by whatever looks at it first."""
    script = tmp_path / "client.py"
    script.write_text(
        "import sys\n"
        "from cryptography import x509\n"
        "import osslcmp, test_long_certificates as t\n"
        f"t.enrol_at_a_server_with({what!r})\n"
    )
    subprocess.run(
        [sys.executable, str(script)],
        check=True,
        timeout=HANG,
        env=importing(Path(__file__).parent, Path(__file__).parents[1]),
    )


def enrol_at_a_server_with(what: str) -> None:
    """In the child process."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    model = x509.load_der_x509_certificate(LONG[what]())
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(model.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension in model.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    own = builder.sign(key, hashes.SHA256())
    root = certificate(make_name("root"), make_name("root"))

    def enrol() -> None:
        server = Server(EmbeddedCA({"r": b"s"}), certificate=own, key=key, sign_always=True)
        client = osslcmp.Client(transport=server.process, certificate=own, key=key, trusted=[root])
        client.ir(make_key(), subject="CN=x")

    with pytest.raises((osslcmp.CMPError, ValueError)):
        enrol()


@pytest.mark.parametrize("what", [what for what in LONG if what != "serial number"])
@pytest.mark.parametrize("option", ["trusted", "untrusted", "server_certificate"])
def test_not_taken_for_a_signer(what: str, option: str) -> None:
    """A wrong signature in the name of such a certificate would lead there: it is refused before C gets it."""
    long = x509.load_der_x509_certificate(LONG[what]())
    trust = {"trusted": [certificate(make_name("root"), make_name("root"))], option: [long]}
    if option == "server_certificate":
        trust = {option: long}  # type: ignore[dict-item]
    server = EmbeddedCA({"r": b"s"}).server()
    with pytest.raises(ValueError, match=r"in a line of [0-9]+ characters"):
        osslcmp.Client(transport=server.process, reference=b"r", secret=b"s", **trust).ca_certs()  # type: ignore[arg-type]


def test_not_taken_by_a_server() -> None:
    """At once, and later too."""
    ca = EmbeddedCA({"r": b"s"})
    with pytest.raises(ValueError, match=r"trusted: .* in a line of"):
        ca.server(trusted=[long_san()])
    server = ca.server()
    with pytest.raises(ValueError, match=r"trusted: .* in a line of"):
        server.trusted = [long_san()]


@pytest.mark.parametrize("option", ["-trusted", "-untrusted", "-srvcert"])
def test_not_taken_by_the_command(option: str, tmp_path: Path) -> None:
    """It names the option's file and the limit."""
    file = tmp_path / "long.pem"
    file.write_bytes(cert_pem(long_san()))
    command = [sys.executable, "-m", "osslcmp", "cmp", "-cmd", "ir", "-server", "127.0.0.1:1", "-ref", "r"]
    run = subprocess.run(
        [*command, "-secret", "pass:s", option, str(file), "-subject", "/CN=x"],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    assert run.returncode == 1
    assert "in a line of" in run.stderr + run.stdout
