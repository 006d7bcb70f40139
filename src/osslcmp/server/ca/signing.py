"""What the CA's signatures are made with, and the keys that it certifies octet by octet."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from ..._asn1 import der, oids, x509_parts
from ..._asn1.der import explicit
from ..._openssl.convert import public_key_info
from ..._openssl.public_keys import key_value

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    oids.SHA256: hashes.SHA256,
    oids.SHA384: hashes.SHA384,
    oids.SHA512: hashes.SHA512,
    oids.SHA224: hashes.SHA224,
}


class Signing:
    """Signs as the key of a CA is certified: one that is for RSA-PSS alone with its parameters.

    Args:
        certificate: of the CA.
        key: its private key, which may be of RSA without a word of PSS: ``cryptography`` forgets that.

    Raises:
        ValueError: the key does not fit the certificate, or its parameters are of no use.
    """

    def __init__(self, certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> None:
        info = x509_parts.public_key_info(certificate)
        if key_value(info) != public_key_info(key.public_key()):
            raise ValueError("the private key of the CA does not match its certificate")
        self._prepare(key, info)

    @classmethod
    def with_key(cls, key: CertificateIssuerPrivateKeyTypes) -> Signing:
        """Of a key that is certified as what it is here."""
        signing = cls.__new__(cls)
        signing._prepare(key, public_key_info(key.public_key()))
        return signing

    def _prepare(self, key: CertificateIssuerPrivateKeyTypes, info: bytes) -> None:
        self._key = key
        self.info = info
        """The SubjectPublicKeyInfo of the CA."""
        self._hash: Any = None
        self._padding: padding.PSS | None = None
        if isinstance(key, ec.EllipticCurvePrivateKey):
            bits = key.key_size
            self._hash = (
                hashes.SHA256() if bits <= 256 else hashes.SHA384() if bits <= 384 else hashes.SHA512()
            )
        elif isinstance(key, (rsa.RSAPrivateKey, dsa.DSAPrivateKey)):
            self._hash = hashes.SHA256()
        algorithm = der.sequence(der.sequence(info)[0].encoding)
        if der.dotted(algorithm[0]) == oids.RSA_PSS:
            self._hash, salt = _pss_parameters(algorithm[1:])
            self._padding = padding.PSS(padding.MGF1(self._hash), salt)

    def certificate(self, builder: x509.CertificateBuilder, info: bytes | None = None) -> x509.Certificate:
        """Sign a certificate, for exactly the SubjectPublicKeyInfo ``info`` if it is given.

        ``cryptography`` writes what ``key_value`` gives: another algorithm for RSA-PSS, points of curves uncompressed.
        """
        made = builder.sign(self._key, self._hash, rsa_padding=self._padding)
        if info is None:
            return made
        _, algorithm, _ = der.sequence(made.public_bytes(serialization.Encoding.DER))
        fields = [field.encoding for field in der.sequence(made.tbs_certificate_bytes)]
        fields[6] = info
        tbs = der.encode(der.SEQUENCE, *fields)
        signature = der.encode(der.BIT_STRING, b"\0", self._sign(tbs))
        return x509.load_der_x509_certificate(der.encode(der.SEQUENCE, tbs, algorithm.encoding, signature))

    def crl(self, builder: x509.CertificateRevocationListBuilder) -> x509.CertificateRevocationList:
        """Sign a CRL."""
        return builder.sign(self._key, self._hash, rsa_padding=self._padding)

    def _sign(self, data: bytes) -> bytes:
        key: Any = self._key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, self._padding or padding.PKCS1v15(), self._hash)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(self._hash))
        signature: bytes = key.sign(data) if self._hash is None else key.sign(data, self._hash)
        return signature


def key_identifier(info: bytes) -> x509.SubjectKeyIdentifier:
    """SHA-1 of the key's octets (RFC 5280, section 4.2.1.2)."""
    digest = hashes.Hash(hashes.SHA1())
    digest.update(x509_parts.key_parts(info)[1])
    return x509.SubjectKeyIdentifier(digest.finalize())


def algorithm(info: bytes) -> str:
    """The OID of a key's algorithm."""
    return x509_parts.algorithm(x509_parts.key_parts(info)[0])


@lru_cache(maxsize=32)
def names_curve(algorithm: bytes) -> bool:
    """Whether the AlgorithmIdentifier of a key for elliptic curves names its curve, as RFC 5480 wants it and libcrypto's
    path validation, too."""
    if x509_parts.algorithm(algorithm) != oids.EC:
        return True
    parameters = der.sequence(algorithm)[1:]
    return len(parameters) == 1 and parameters[0].tag == der.OID


def _pss_parameters(parameters: list[der.Element]) -> tuple[hashes.HashAlgorithm, int]:
    """The hash of RSASSA-PSS-params (RFC 4055, section 3.1) and the length of the salt."""
    if not parameters:
        return hashes.SHA256(), 32
    fields = der.Fields(der.children(der.read(parameters[0].encoding, der.SEQUENCE).content))
    hashing, mask, salt = fields.maybe(explicit(0)), fields.maybe(explicit(1)), fields.maybe(explicit(2))
    name = oids.SHA1 if hashing is None else x509_parts.algorithm(hashing.content)
    masked = oids.SHA1
    if mask is not None:
        generator = der.sequence(mask.content)
        if der.dotted(generator[0]) != oids.MGF1 or len(generator) != 2:
            raise ValueError("the CA's key: RSA-PSS with another mask generation function than MGF1")
        masked = x509_parts.algorithm(generator[1].encoding)
    if name not in _HASHES or masked != name:
        raise ValueError("the CA's key: RSA-PSS with SHA-1, an unknown hash, or two different ones")
    return _HASHES[name](), 20 if salt is None else der.integer(der.read(salt.content, der.INTEGER))
