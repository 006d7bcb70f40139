"""A throw-away PKI for the tests, made with ``cryptography``.

Everything is made when it is first asked for and kept for the session. Files (PEM) appear in the PKI's
directory when their path is asked for, so that ``openssl`` can read them::

    pki.client.certificate      # cryptography object
    pki.client.key_file         # Path of the private key as PEM
    pki.server.chain_file       # issuing CA, then root

The layout: ``root`` signs ``issuing``; ``issuing`` signs ``server`` (the CMP server's protection
certificate), ``client`` (a client that already has a certificate) and ``enrolled`` (what a mock server
hands out). The ``other_*`` family has the same names under a root that nobody trusts.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

KeyType = Literal["ec", "rsa", "ed25519"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

DAY = datetime.timedelta(days=1)


def make_key(kind: KeyType = "ec") -> PrivateKey:
    """A fresh private key: P-256, RSA-2048 or Ed25519."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def make_name(common_name: str, organization: str = "osslcmp tests") -> x509.Name:
    """``O=organization, CN=common_name``."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def slash_name(name: x509.Name) -> str:
    """A name the way ``openssl cmp -subject`` reads it: ``/O=osslcmp tests/CN=x``."""
    return "".join(f"/{a.rfc4514_attribute_name}={a.value!s}" for a in name)


def key_pem(key: PrivateKey) -> bytes:
    """The key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def cert_pem(certificates: x509.Certificate | Iterable[x509.Certificate]) -> bytes:
    """One or many certificates as PEM."""
    if isinstance(certificates, x509.Certificate):
        certificates = [certificates]
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def make_csr(
    key: PrivateKey, subject: x509.Name | str, sans: Sequence[x509.GeneralName] = ()
) -> x509.CertificateSigningRequest:
    """A PKCS#10 request for this key."""
    name = x509.Name.from_rfc4514_string(subject) if isinstance(subject, str) else subject
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(key, _hash(key))


def make_crl(
    issuer: Identity, *revoked: int, age: datetime.timedelta = DAY, ends: datetime.timedelta = DAY
) -> x509.CertificateRevocationList:
    """A CRL with these serial numbers, made so long ago; ``ends`` counts from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - age).next_update(now + ends)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - age)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, _hash(issuer.key))


@dataclass(eq=False)
class Identity:
    """A private key with its certificate and the certificates above it."""

    name: str
    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    directory: Path = field(repr=False)

    @property
    def subject(self) -> x509.Name:
        """The certificate's subject."""
        return self.certificate.subject

    @property
    def slash_subject(self) -> str:
        """The subject in OpenSSL's ``/O=../CN=..`` form."""
        return slash_name(self.subject)

    @cached_property
    def key_file(self) -> Path:
        """The private key in a PEM file."""
        return self._write("key", key_pem(self.key))

    @cached_property
    def cert_file(self) -> Path:
        """The certificate alone in a PEM file."""
        return self._write("cert", cert_pem(self.certificate))

    @cached_property
    def chain_file(self) -> Path:
        """The certificates above, without this one, in a PEM file."""
        return self._write("chain", cert_pem(self.chain))

    @cached_property
    def full_chain_file(self) -> Path:
        """The certificate followed by those above it, in a PEM file."""
        return self._write("fullchain", cert_pem([self.certificate, *self.chain]))

    def csr(
        self, *, subject: x509.Name | None = None, sans: Sequence[x509.GeneralName] = ()
    ) -> x509.CertificateSigningRequest:
        """A PKCS#10 request for this key, by default with this subject."""
        return make_csr(self.key, subject or self.subject, sans)

    def csr_file(self) -> Path:
        """That request in a PEM file."""
        return self._write("csr", self.csr().public_bytes(serialization.Encoding.PEM))

    def _write(self, kind: str, pem: bytes) -> Path:
        path = self.directory / f"{self.name}.{kind}.pem"
        path.write_bytes(pem)
        path.chmod(0o600)
        return path


def _hash(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


class PKI:
    """The identities of a test session; see the module's docstring."""

    def __init__(self, directory: Path, key_type: KeyType = "ec") -> None:
        self.directory = directory
        self.key_type: KeyType = key_type

    def issue(
        self,
        name: str,
        issuer: Identity | None = None,
        *,
        subject: x509.Name | None = None,
        key: PrivateKey | None = None,
        ca: bool = False,
        digital_signature: bool = True,
        sans: Sequence[x509.GeneralName] = (),
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = 30 * DAY,
        path_length: int | None = None,
        purposes: Sequence[str] = (),
        more: Sequence[x509.ExtensionType] = (),
    ) -> Identity:
        """Make a key (unless given) and its certificate, signed by `issuer` or by itself.

        `name` is the file name stem and, unless `subject` is given, the common name; `starts` and `ends`
        count from now; ``more`` are further extensions.
        """
        key = key or make_key(self.key_type)
        subject = subject or make_name(name)
        now = datetime.datetime.now(datetime.timezone.utc)
        signer = issuer.key if issuer else key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=digital_signature,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=not ca and not digital_signature,
                    key_cert_sign=ca,
                    crl_sign=ca,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        if purposes:
            usages = [x509.ObjectIdentifier(purpose) for purpose in purposes]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        for extension in more:
            builder = builder.add_extension(extension, critical=False)
        chain = (issuer.certificate, *issuer.chain) if issuer else ()
        return Identity(name, key, builder.sign(signer, _hash(signer)), chain, self.directory)

    # -- the trusted family ---------------------------------------------------------------------------------

    @cached_property
    def root(self) -> Identity:
        """The trust anchor."""
        return self.issue("root", ca=True, ends=365 * DAY)

    @cached_property
    def issuing(self) -> Identity:
        """The CA below the root that issues everything."""
        return self.issue("issuing", self.root, ca=True, ends=180 * DAY, path_length=0)

    @cached_property
    def server(self) -> Identity:
        """The CMP server that signs its messages."""
        return self.issue("server", self.issuing)

    @cached_property
    def client(self) -> Identity:
        """A client that signs its messages."""
        return self.issue("client", self.issuing)

    @cached_property
    def enrolled(self) -> Identity:
        """What a mock server hands out; whoever enrols with it needs its key."""
        return self.issue("enrolled", self.issuing, sans=[x509.DNSName("enrolled.example")])

    @cached_property
    def rsa_server(self) -> Identity:
        """A CMP server with an RSA key under the same CA."""
        return self.issue("rsa_server", self.issuing, key=make_key("rsa"))

    @cached_property
    def key_maker(self) -> Identity:
        """A CMP server that may make keys for its clients (id-kp-cmKGA)."""
        return self.issue("key_maker", self.issuing, purposes=["1.3.6.1.5.5.7.3.32"])

    @cached_property
    def rsa_client(self) -> Identity:
        """A client with an RSA key under the same CA."""
        return self.issue("rsa_client", self.issuing, key=make_key("rsa"))

    # -- the faulty ones ------------------------------------------------------------------------------------

    @cached_property
    def expired_server(self) -> Identity:
        """The server's name, in a certificate that ended yesterday."""
        return self.issue(
            "expired_server", self.issuing, subject=self.server.subject, starts=-20 * DAY, ends=-DAY
        )

    @cached_property
    def expired_client(self) -> Identity:
        """The client's name, in a certificate that ended yesterday."""
        return self.issue(
            "expired_client", self.issuing, subject=self.client.subject, starts=-20 * DAY, ends=-DAY
        )

    @cached_property
    def future_server(self) -> Identity:
        """The server's name, in a certificate that starts tomorrow."""
        return self.issue("future_server", self.issuing, subject=self.server.subject, starts=DAY)

    @cached_property
    def unusable_server(self) -> Identity:
        """The server's name, but its key usage does not allow signing."""
        return self.issue(
            "unusable_server", self.issuing, subject=self.server.subject, digital_signature=False
        )

    @cached_property
    def second_server(self) -> Identity:
        """A trusted certificate that belongs to another server."""
        return self.issue("second_server", self.issuing)

    @cached_property
    def other_root(self) -> Identity:
        """A root with the trusted root's name, which nobody trusts."""
        return self.issue("other_root", ca=True, subject=self.root.subject)

    @cached_property
    def other_issuing(self) -> Identity:
        """The CA below it."""
        return self.issue("other_issuing", self.other_root, ca=True, subject=self.issuing.subject)

    @cached_property
    def other_server(self) -> Identity:
        """The server's name under the untrusted root."""
        return self.issue("other_server", self.other_issuing, subject=self.server.subject)

    @cached_property
    def other_client(self) -> Identity:
        """The client's name under the untrusted root."""
        return self.issue("other_client", self.other_issuing, subject=self.client.subject)
