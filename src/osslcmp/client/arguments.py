"""The keyword arguments of requests and clients, for type checkers and editors.

:class:`osslcmp.CertificateRequest` and :class:`osslcmp.Client` say what they mean; a test holds that these are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from .._asn1.itav import InfoTypeAndValue
from .._openssl.certificate_check import CertificateCheck
from .._openssl.inputs import CertificateInput, CertificatesInput, CSRInput, KeyInput
from .._openssl.keys import Password
from .._openssl.providers import LibraryContext
from .._openssl.tls import TLSInput
from ..context.crmf import CertReqMsg
from ..context.deadline import OnWait
from ..context.server_usage import ServerUsageInput
from ..enums import POPOMethod
from ..limits import Limits
from ..trace import Trace
from .request import Confirm, NameLike

if TYPE_CHECKING:
    from typing_extensions import Unpack
elif sys.version_info >= (3, 11):
    from typing import Unpack
else:

    class Unpack:
        """``typing.Unpack`` is not in Python 3.10, and typing_extensions no dependency."""

        def __class_getitem__(cls, item: object) -> object:
            return item


__all__ = [
    "BeginArguments",
    "ClientArguments",
    "EnrollArguments",
    "P10Arguments",
    "ResumeArguments",
    "Unpack",
]


class _Request(TypedDict, total=False):
    key_password: Password
    subject: NameLike | None
    issuer: NameLike | None
    sans: Iterable[x509.GeneralName | str]
    sans_critical: bool
    sans_default: bool
    extensions: Iterable[x509.Extension[Any]]
    policies: Iterable[x509.PolicyInformation | x509.ObjectIdentifier | str]
    policies_critical: bool
    carry_extensions: bool
    days: int
    not_before: datetime | None
    not_after: datetime | None
    popo: POPOMethod | int | None
    crm: CertReqMsg | None
    central_key: bool
    encrypted_value: bool
    profile: str | Iterable[str] | None
    general_info: Iterable[InfoTypeAndValue]
    certificate: CertificateInput | None
    implicit_confirm: bool
    disable_confirm: bool
    confirm: Confirm
    confirm_trusted: CertificatesInput | None
    check: CertificateCheck | None


class EnrollArguments(_Request, total=False):
    """What ``ir``, ``cr`` and ``kur`` take besides the key."""

    csr: CSRInput | None
    on_wait: OnWait | None


class P10Arguments(_Request, total=False):
    """What ``p10cr`` takes besides the CSR."""

    key: KeyInput | PublicKeyTypes | None
    on_wait: OnWait | None


class BeginArguments(_Request, total=False):
    """What ``begin`` takes besides the type of the request."""

    key: KeyInput | PublicKeyTypes | None
    csr: CSRInput | None


class ResumeArguments(TypedDict, total=False):
    """What ``resume`` takes besides the dump."""

    key: KeyInput | None
    key_password: Password
    confirm: Confirm
    confirm_trusted: CertificatesInput | None
    check: CertificateCheck | None


class ClientArguments(TypedDict, total=False):
    """What :class:`osslcmp.Client` takes besides ``server`` and ``transport``."""

    reference: bytes | str | None
    secret: bytes | str | None
    certificate: CertificateInput | None
    key: KeyInput | None
    key_password: Password
    chain: CertificatesInput | None
    trusted: CertificatesInput | CertificateCheck | None
    untrusted: CertificatesInput | None
    server_certificate: CertificateInput | None
    expected_sender: x509.Name | str | None
    server_usage: ServerUsageInput
    recipient: x509.Name | str | None
    sender: x509.Name | str | None
    extra_certs: CertificatesInput | None
    general_info: Iterable[InfoTypeAndValue]
    keep_alive: bool | int
    message_timeout: int
    total_timeout: float | None
    tls: TLSInput
    proxy: str | None
    no_proxy: str | None
    digest: str | None
    owf: str | None
    mac: str | None
    unprotected_errors: bool
    unprotected_requests: bool
    ignore_key_usage: bool
    max_response_length: int
    limits: Limits | None
    library: LibraryContext | None
    trace: Trace | None
