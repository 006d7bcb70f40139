"""A CMP server over OpenSSL's own engine, and a certification authority to go with it.

::

    from osslcmp.server import EmbeddedCA

    ca = EmbeddedCA({"reference": "secret"})
    with ca.server().serve() as running:
        print(running.url)
"""

from __future__ import annotations

from .._openssl.token_keys import token_key
from .authority import (
    Authority,
    CertificateId,
    CertificateRequest,
    Confirmation,
    ErrorNotice,
    GeneralRequest,
    Issued,
    Message,
    Rejected,
    RevocationRequest,
    Revoked,
    Waiting,
)
from .ca.client_crls import ClientCRLs
from .ca.grants import Binding, Grants
from .ca.memory import EmbeddedCA, delayed, waiting
from .ca.profiles import Profile
from .ca.records import Record
from .http.serving import RunningServer
from .http.tls import ServerTLS
from .server import Server
from .wire import MalformedMessageError, MessageTooLargeError

__all__ = [
    "Authority",
    "Binding",
    "CertificateId",
    "CertificateRequest",
    "ClientCRLs",
    "Confirmation",
    "EmbeddedCA",
    "ErrorNotice",
    "GeneralRequest",
    "Grants",
    "Issued",
    "MalformedMessageError",
    "Message",
    "MessageTooLargeError",
    "Profile",
    "Record",
    "Rejected",
    "RevocationRequest",
    "Revoked",
    "RunningServer",
    "Server",
    "ServerTLS",
    "Waiting",
    "delayed",
    "token_key",
    "waiting",
]
