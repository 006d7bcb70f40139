"""What all requests of a client have in common: parsed once, applied to a fresh context for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._arguments import several
from .._asn1.itav import InfoTypeAndValue
from .._openssl.convert import CertificateCache, certificate_cache
from .._openssl.inputs import AnyCertificate, EncodedName
from .._openssl.providers import LibraryContext
from ..context import Context
from ..enums import Option
from ..transport.address import Address, Transport

if TYPE_CHECKING:
    from ..trace import Trace

_T = TypeVar("_T")

_MOST_IDLE = 64


Setter = Callable[[Context, Any], object]


def option(which: Option, argument: str) -> Setter:
    """The setter of an option, whose errors name the argument."""
    return lambda context, value: context.options.set(which, value, argument)


def unless(default: object, value: object) -> object:
    """``value``, ``None`` for what a new context has by itself."""
    return None if type(value) is type(default) and value == default else value


@dataclass(frozen=True)
class ResumeConditions:
    """What the caller decided about the new certificate, and must decide again when the request is resumed."""

    confirm: bool = False
    """There is a callback or a check that has to accept it."""
    disable_confirm: bool = False
    """It is not to be confirmed."""
    central_key: bool = False
    """The CA makes the key."""
    encrypted_value: bool = True
    """It may come in an EncryptedValue."""
    server: str | None = None
    """Where the request went, for people to read: a client knows its server."""


@dataclass
class Settings:
    """What a :class:`osslcmp.Client` puts into each context, and what it has to know of that by itself."""

    #: Methods of the context and what each is called with, in this order; not called with ``None``.
    setters: list[tuple[Setter, Any]] = field(repr=False)
    address: Address | None
    transport: Transport | None
    certificate: AnyCertificate | None
    key: Any = field(repr=False)
    sender: EncodedName | None
    message_timeout: int
    library: LibraryContext | None
    trace: Trace | None
    idle: deque[CertificateCache] = field(default_factory=lambda: deque(maxlen=_MOST_IDLE), repr=False)
    #: What contexts are using now. Known here as well, so that the garbage collector, which finalizes all of a cycle
    #: at once, does not free the certificates together with a context that then gives them back.
    in_use: dict[int, CertificateCache] = field(default_factory=dict, repr=False)

    closed: bool = False

    def close(self) -> None:
        """Forget credentials and certificates. Contexts that were made keep what they have."""
        self.closed = True
        self.setters = []
        self.key = self.certificate = None
        self.idle.clear()

    def context(self) -> Context:
        """A new context with all of it. Raises RuntimeError when closed.

        The certificates in C are used by one context after the other: to decode them costs more than the rest.
        """
        if self.closed:
            raise RuntimeError("the client is closed")
        try:
            certs = self.idle.pop()
        except IndexError:
            certs = {}
        self.in_use[id(certs)] = certs
        context = Context(self.library, _after=partial(self._give_back, id(certs)))
        context.calls.alone(partial(self._fill, context, certs))
        return context

    def _fill(self, context: Context, certs: CertificateCache) -> None:
        with certificate_cache(certs):
            for setter, value in self.setters:
                if value is not None:
                    setter(context, value)

    def _give_back(self, which: int) -> None:
        certs = self.in_use.pop(which)
        if not self.closed:
            self.idle.append(certs)


def itavs(what: str, items: Iterable[InfoTypeAndValue] | InfoTypeAndValue) -> list[InfoTypeAndValue]:
    """``items`` as a list, with the types checked."""
    found = several(what, items, InfoTypeAndValue)
    for item in found:
        if not isinstance(item, InfoTypeAndValue):
            raise TypeError(f"{what}: osslcmp.InfoTypeAndValue, not {type(item).__name__}")
    return found


def optional(parse: Callable[[Any], _T], value: object) -> _T | None:
    """``parse(value)`` of an argument that may be left out."""
    return None if value is None else parse(value)
