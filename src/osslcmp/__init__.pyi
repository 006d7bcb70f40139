# Types of the package; __init__.py imports each name when it is first used.

from ._asn1.itav import InfoTypeAndValue
from ._asn1.publication import PublicationInfo, PublicationPlace
from ._asn1.x509_parts import find_extension
from ._openssl.certificate_check import CertificateCheck
from ._openssl.convert import look_alike
from ._openssl.lib import features, ffi, lib, openssl_version
from ._openssl.providers import LibraryContext, Provider, load_provider
from ._openssl.tls import TLS
from .client import Client
from .client.aio import AsyncClient, AsyncTransaction
from .client.request import CertificateRequest
from .client.revocation import Revocation
from .client.transaction import Transaction
from .context import Context, certconf
from .context.crmf import CertReqMsg
from .context.deadline import Progress
from .enrollment import Enrollment
from .context.general import CertReqTemplate, RootCAUpdate
from .enums import (
    CR,
    IR,
    KUR,
    P10CR,
    BodyType,
    FailureInfo,
    Option,
    PKIStatus,
    POPOMethod,
    PublicationMethod,
    RevocationReason,
    Severity,
)
from .errors import (
    CMPError,
    ConfirmError,
    ErrorEntry,
    OpenSSLError,
    ProtectionError,
    RejectedError,
    RequestError,
    ResponseError,
    TransferError,
    TransferTimeout,
    UnreadableCertificateError,
    UnreadableCRLError,
    UnsupportedError,
)
from .limits import Limits
from .message import Message
from .message.bodyparts import AlgorithmIdentifier
from .trace import Trace, TraceEntry

__version__: str
"""The release of this package, from the installed metadata."""

__all__ = [
    "CR",
    "IR",
    "KUR",
    "P10CR",
    "TLS",
    "AlgorithmIdentifier",
    "AsyncClient",
    "AsyncTransaction",
    "BodyType",
    "CMPError",
    "CertReqMsg",
    "CertReqTemplate",
    "CertificateCheck",
    "CertificateRequest",
    "Client",
    "ConfirmError",
    "Context",
    "Enrollment",
    "ErrorEntry",
    "FailureInfo",
    "InfoTypeAndValue",
    "LibraryContext",
    "Limits",
    "Message",
    "OpenSSLError",
    "Option",
    "PKIStatus",
    "POPOMethod",
    "PublicationInfo",
    "PublicationMethod",
    "PublicationPlace",
    "ProtectionError",
    "Progress",
    "Provider",
    "RejectedError",
    "RequestError",
    "ResponseError",
    "Revocation",
    "RevocationReason",
    "RootCAUpdate",
    "Severity",
    "Trace",
    "TraceEntry",
    "Transaction",
    "TransferError",
    "TransferTimeout",
    "UnreadableCRLError",
    "UnreadableCertificateError",
    "UnsupportedError",
    "certconf",
    "features",
    "ffi",
    "find_extension",
    "lib",
    "load_provider",
    "look_alike",
    "openssl_version",
]
