"""Every object identifier that this package names, once, as a dotted string."""

from __future__ import annotations

# -- arcs

ID_IT = "1.3.6.1.5.5.7.4"
"""InfoTypes (RFC 9810, section 5.3.19)."""
ID_KP = "1.3.6.1.5.5.7.3"
"""Purposes of a key (RFC 5280, section 4.2.1.12)."""
_REG_CTRL = "1.3.6.1.5.5.7.5.1"
_REG_INFO = "1.3.6.1.5.5.7.5.2"
_AES = "2.16.840.1.101.3.4.1"
_HASHES = "2.16.840.1.101.3.4.2"
_PKCS1 = "1.2.840.113549.1.1"
_PKCS9 = "1.2.840.113549.1.9"
_RSA_DIGESTS = "1.2.840.113549.2"
_ENTRUST = "1.2.840.113533.7.66"
_MICROSOFT = "1.3.6.1.4.1.311"

# -- InfoTypes

CA_PROT_ENC_CERT = f"{ID_IT}.1"
SIGN_KEY_PAIR_TYPES = f"{ID_IT}.2"
ENC_KEY_PAIR_TYPES = f"{ID_IT}.3"
PREFERRED_SYMM_ALG = f"{ID_IT}.4"
CA_KEY_UPDATE_INFO = f"{ID_IT}.5"
CURRENT_CRL = f"{ID_IT}.6"
UNSUPPORTED_OIDS = f"{ID_IT}.7"
KEY_PAIR_PARAM_REQ = f"{ID_IT}.10"
KEY_PAIR_PARAM_REP = f"{ID_IT}.11"
REV_PASSPHRASE = f"{ID_IT}.12"
IMPLICIT_CONFIRM = f"{ID_IT}.13"
CONFIRM_WAIT_TIME = f"{ID_IT}.14"
ORIG_PKI_MESSAGE = f"{ID_IT}.15"
SUPP_LANG_TAGS = f"{ID_IT}.16"
CA_CERTS = f"{ID_IT}.17"
ROOT_CA_KEY_UPDATE = f"{ID_IT}.18"
CERT_REQ_TEMPLATE = f"{ID_IT}.19"
ROOT_CA_CERT = f"{ID_IT}.20"
CERT_PROFILE = f"{ID_IT}.21"
CRL_STATUS_LIST = f"{ID_IT}.22"
CRLS = f"{ID_IT}.23"

# -- registration controls and registration info (RFC 4211, sections 6 and 7; RFC 9810, appendix)

REG_TOKEN = f"{_REG_CTRL}.1"
AUTHENTICATOR = f"{_REG_CTRL}.2"
PKI_PUBLICATION_INFO = f"{_REG_CTRL}.3"
PKI_ARCHIVE_OPTIONS = f"{_REG_CTRL}.4"
OLD_CERT_ID = f"{_REG_CTRL}.5"
PROTOCOL_ENCR_KEY = f"{_REG_CTRL}.6"
ALT_CERT_TEMPLATE = f"{_REG_CTRL}.7"
ALG_ID = f"{_REG_CTRL}.11"
RSA_KEY_LEN = f"{_REG_CTRL}.12"
UTF8_PAIRS = f"{_REG_INFO}.1"
CERT_REQ = f"{_REG_INFO}.2"

# -- purposes of a key

SERVER_AUTH = f"{ID_KP}.1"
CLIENT_AUTH = f"{ID_KP}.2"
IPSEC = tuple(f"{ID_KP}.{number}" for number in (5, 6, 7, 17))
SSH = tuple(f"{ID_KP}.{number}" for number in (21, 22))
CMC_CA = f"{ID_KP}.27"
CMC_RA = f"{ID_KP}.28"
CMC_ARCHIVE = f"{ID_KP}.29"
CM_KGA = f"{ID_KP}.32"
ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
KERBEROS_KDC = "1.3.6.1.5.2.3.5"
MICROSOFT_PURPOSES = tuple(
    f"{_MICROSOFT}.{number}"
    for number in (
        "10.3.1",  # trust lists, and so on in Windows
        "10.3.5",
        "10.3.6",
        "10.3.13",
        "20.2.1",  # requests in other people's names
        "20.2.2",  # logon
        "21.5",
        "21.6",
        "61.1.1",
    )
)

# -- names, extensions, attributes

UNIQUE_IDENTIFIER = "2.5.4.45"
SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_REASON = "2.5.29.21"
ATTRIBUTE_TYPES = (
    "2.5.4.",
    f"{_PKCS9}.",
    "0.9.2342.19200300.100.1.",
    f"{_MICROSOFT}.60.2.1.",
    "1.3.6.1.5.5.7.9.",
)
"""What the types of attributes of names begin with."""
CHALLENGE_PASSWORD = f"{_PKCS9}.7"
EXTENSION_REQUEST = f"{_PKCS9}.14"
MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14"
"""The same of Microsoft's."""
SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
MICROSOFT_UPN = f"{_MICROSOFT}.20.2.3"
MICROSOFT_NTDS_REPLICATION = f"{_MICROSOFT}.25.1"
KERBEROS_PRINCIPAL = "1.3.6.1.5.2.2"

# -- public keys, curves, signatures, ciphers

RSA = f"{_PKCS1}.1"
MGF1 = f"{_PKCS1}.8"
RSA_PSS = f"{_PKCS1}.10"
EC = "1.2.840.10045.2.1"
P256 = "1.2.840.10045.3.1.7"
P384 = "1.3.132.0.34"
P521 = "1.3.132.0.35"
"""Where their arc begins."""
ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
X25519 = "1.3.101.110"
KEY_AGREEMENTS = ("1.3.101.111", "1.2.840.113549.1.3.1", "1.2.840.10046.2.1")
"""Besides that: X448, DH of PKCS #3 and of X9.42."""
ML_KEM = tuple(f"2.16.840.1.101.3.4.4.{number}" for number in (1, 2, 3))
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"
AES256_CBC = f"{_AES}.42"

# -- hashes and MACs

MD5 = f"{_RSA_DIGESTS}.5"
HMAC_MD5 = f"{_RSA_DIGESTS}.6"
HMAC_SHA1 = f"{_RSA_DIGESTS}.7"
HMAC_SHA2 = tuple(f"{_RSA_DIGESTS}.{number}" for number in range(8, 12))
"""With SHA-224, SHA-256, SHA-384 and SHA-512."""
IPSEC_HMAC_MD5 = "1.3.6.1.5.5.8.1.1"
IPSEC_HMAC_SHA1 = "1.3.6.1.5.5.8.1.2"
SHA1 = "1.3.14.3.2.26"
SHA256 = f"{_HASHES}.1"
SHA384 = f"{_HASHES}.2"
SHA512 = f"{_HASHES}.3"
SHA224 = f"{_HASHES}.4"
SHA3_256 = f"{_HASHES}.8"
SHA3_384 = f"{_HASHES}.9"
SHA3_512 = f"{_HASHES}.10"
SHAKE256 = f"{_HASHES}.12"
PASSWORD_BASED_MAC = f"{_ENTRUST}.13"
KEM_BASED_MAC = f"{_ENTRUST}.16"
DH_BASED_MAC = f"{_ENTRUST}.30"
PBMAC1 = "1.2.840.113549.1.5.14"

EXAMPLE = "2.999"
"""Of no meaning (X.660)."""
