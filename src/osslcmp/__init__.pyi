# Types of the package; __init__.py imports each name when it is first used.

from ._bodyparts import AlgorithmIdentifier
from ._certreq import CertificateRequest
from ._ctx_genm import CertReqTemplate, RootCAUpdate
from ._lib import features, ffi, lib, openssl_version
from ._providers import LibraryContext, Provider, load_provider
from ._waiting import Progress
from .aio import AsyncClient, AsyncTransaction
from .check import CertificateCheck
from .client import Client
from .context import Context, certconf
from .crm import CertReqMsg
from .enrollment import Enrollment
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
    UnsupportedError,
)
from .itav import InfoTypeAndValue
from .message import Message
from .revocation import Revocation
from .tls import TLS
from .trace import Trace, TraceEntry
from .transaction import Transaction

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
    "Message",
    "OpenSSLError",
    "Option",
    "PKIStatus",
    "POPOMethod",
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
    "UnsupportedError",
    "certconf",
    "features",
    "ffi",
    "lib",
    "load_provider",
    "openssl_version",
]
