"""What all requests of a client have in common: parsed once, applied to a fresh context for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography import x509

from .._asn1.itav import InfoTypeAndValue
from .._openssl.certificate_check import CertificateCheck
from .._openssl.convert import certificate_cache
from .._openssl.names import parse_name
from .._openssl.providers import LibraryContext
from ..context import Context
from ..context.server_usage import ServerUsageInput
from ..enums import Option
from ..limits import Limits
from ..trace import Trace
from ..transport import Address, Transport

__all__ = ["Settings"]


_MOST_IDLE = 64


@dataclass
class Settings:
    """Credentials, trust and transfer of a :class:`osslcmp.Client`."""

    address: Address | None = None
    transport: Transport | None = None
    reference: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)
    certificate: x509.Certificate | None = None
    key: Any = field(default=None, repr=False)
    chain: list[x509.Certificate] = field(default_factory=list)
    trusted: list[x509.Certificate] | CertificateCheck = field(default_factory=list)
    untrusted: list[x509.Certificate] = field(default_factory=list)
    server_certificate: x509.Certificate | None = None
    expected_sender: x509.Name | None = None
    server_usage: ServerUsageInput = None
    recipient: x509.Name | None = None
    sender: x509.Name | None = None
    extra_certs: list[x509.Certificate] = field(default_factory=list)
    general_info: list[InfoTypeAndValue] = field(default_factory=list)
    #: What :func:`osslcmp._openssl.tls_context.tls_to_c` made: all contexts share it.
    tls: Any = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    max_response_length: int = 0
    limits: Limits = field(default_factory=Limits)
    options: dict[Option, int] = field(default_factory=dict)
    library: LibraryContext | None = None
    trace: Trace | None = None
    _idle: deque[dict[int, tuple[x509.Certificate, Any]]] = field(
        default_factory=lambda: deque(maxlen=_MOST_IDLE), repr=False
    )
    #: What contexts are using now. Known here as well, so that the garbage collector, which finalizes all of a cycle
    #: at once, does not free the certificates together with a context that then gives them back.
    _in_use: dict[int, dict[int, tuple[x509.Certificate, Any]]] = field(default_factory=dict, repr=False)

    def context(self) -> Context:
        """A new context with all of it.

        The certificates in C are used by one context after the other: to decode them costs more than the rest.
        """
        try:
            certs = self._idle.pop()
        except IndexError:
            certs = {}
        self._in_use[id(certs)] = certs
        context = Context(self.library, _after=partial(self._give_back, id(certs)))
        with certificate_cache(certs):
            self._apply(context)
        return context

    def _give_back(self, which: int) -> None:
        self._idle.append(self._in_use.pop(which))

    def _apply(self, context: Context) -> None:
        self._apply_transfer(context)
        context.set_limits(self.limits)
        context.set_trace(self.trace)
        for option, value in self.options.items():
            context.set_option(option, value)
        if self.secret is not None:
            context.set_secret_value(self.secret)
        if self.reference is not None:
            context.set_reference_value(self.reference)
        if self.certificate is not None:
            context.set_cert(self.certificate)
        if self.key is not None:
            context.set_pkey(self.key)
        helping = [*self.untrusted, *self.chain]
        if helping:
            context.set_untrusted(helping)
        if self.certificate is not None and self.chain:
            context.build_cert_chain(None, self.chain)
        context.set_server_usage(self.server_usage)
        if self.trusted:
            context.set_trusted_store(self.trusted)
        if self.server_certificate is not None:
            context.set_srv_cert(self.server_certificate)
        if self.expected_sender is not None:
            context.set_expected_sender(self.expected_sender)
        if self.recipient is not None:
            context.set_recipient(self.recipient)
        if self.sender is not None:
            # Without a certificate, OpenSSL takes the sender from there.
            context.set_subject_name(self.sender)
        if self.extra_certs:
            context.set_extra_certs_out(self.extra_certs)
        for itav in self.general_info:
            context.push_geninfo_itav(itav)

    def _apply_transfer(self, context: Context) -> None:
        if self.transport is not None:
            context.set_transfer_cb(self.transport)
            return
        assert self.address is not None
        self.address.apply(context)
        if self.tls is not None:
            context.set_tls(self.tls)
        if self.proxy is not None:
            context.set_proxy(self.proxy)
        if self.no_proxy is not None:
            context.set_no_proxy(self.no_proxy)
        if self.max_response_length:
            context.set_max_response_length(self.max_response_length)


def itavs(what: str, items: Iterable[InfoTypeAndValue] | InfoTypeAndValue) -> list[InfoTypeAndValue]:
    """``items`` as a list, with the types checked."""
    if isinstance(items, InfoTypeAndValue):
        return [items]
    found = list(items)
    for item in found:
        if not isinstance(item, InfoTypeAndValue):
            raise TypeError(f"{what}: osslcmp.InfoTypeAndValue, not {type(item).__name__}")
    return found


def name_or_none(name: x509.Name | str | None) -> x509.Name | None:
    """A name that may be left out."""
    return None if name is None else parse_name(name)
