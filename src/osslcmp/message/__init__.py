"""``OSSL_CMP_MSG`` for Python: a CMP message taken apart, to be looked at."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography import x509

from .._arguments import checked
from .._asn1 import oids, schema
from .._asn1.der import Element, leading
from .._asn1.itav import InfoTypeAndValue
from .._asn1.schema import encoded
from .._asn1.x509_parts import read_general_name
from .._openssl import convert
from .._openssl.convert import cert_from_der
from .._openssl.errorqueue import clear, drain
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import own
from .._openssl.received import message_from_der
from .._text import lines
from ..enums import BodyType
from ..limits import Limits
from . import bodies, bodyparts
from .bodies import *  # noqa: F403
from .bodies import Body, read_body
from .bodyparts import *  # noqa: F403
from .bodyparts import AlgorithmIdentifier, PBMParameter, made

__all__ = ["Header", "Message"]
__all__ += bodies.__all__
__all__ += bodyparts.__all__

#: Characters of a printed line.
_LINE = 10000


@dataclass(frozen=True)
class Header:
    """PKIHeader (RFC 9810 section 5.1.1). ``None``: not there."""

    pvno: int
    sender_der: bytes = field(repr=False)
    """A GeneralName."""
    recipient_der: bytes = field(repr=False)
    """A GeneralName."""
    message_time: datetime.datetime | None
    protection_alg: AlgorithmIdentifier | None
    sender_kid: bytes | None
    """Which key the sender uses: the reference of a shared secret, or a subject key identifier."""
    recip_kid: bytes | None
    transaction_id: bytes | None
    sender_nonce: bytes | None
    recip_nonce: bytes | None
    free_text: tuple[str, ...]
    general_info: tuple[InfoTypeAndValue, ...]

    @cached_property
    def sender(self) -> x509.GeneralName:
        """Who sends it. Raises ``ValueError`` for a name that ``cryptography`` does not read."""
        return read_general_name(self.sender_der)

    @cached_property
    def recipient(self) -> x509.GeneralName:
        """Whom it is for. Raises ``ValueError``."""
        return read_general_name(self.recipient_der)

    @property
    def pbm(self) -> PBMParameter | None:
        """How the MAC was made, if a shared secret protects the message. Raises ``ValueError``."""
        algorithm = self.protection_alg
        if (
            algorithm is None
            or algorithm.oid.dotted_string != oids.PASSWORD_BASED_MAC
            or algorithm.parameters is None
        ):
            return None
        return PBMParameter.from_der(algorithm.parameters)

    @property
    def implicit_confirm(self) -> bool:
        """Whether implicit confirmation is asked for (or granted)."""
        return any(item.oid.dotted_string == oids.IMPLICIT_CONFIRM for item in self.general_info)


class Message:
    """A CMP message (PKIMessage). Immutable; holds its DER only, and may be shared between threads.

    Comes from :meth:`from_der` or from a :class:`osslcmp.Trace`. Nothing about it has been verified.
    """

    def __init__(self, der: bytes, kind: BodyType) -> None:
        """Use :meth:`from_der`: this trusts ``der`` to be what libcrypto has encoded."""
        self._der = der
        self._type = kind

    @classmethod
    @checked
    def from_der(cls, der: bytes | bytearray | memoryview, limits: Limits | None = None) -> Message:
        """Decode a message (``d2i_OSSL_CMP_MSG``, 3.0).

        Args:
            der: the message.
            limits: what it may carry, before libcrypto sees it; the defaults of :class:`osslcmp.Limits` when ``None``.

        Raises:
            TypeError: ``der`` is not bytes.
            ValueError: it is no CMP message, is followed by other bytes, or is beyond the limits.
        """
        return cls._from_c(_decode(bytes(der), limits))

    @classmethod
    def _from_c(cls, pointer: Any) -> Message:
        """A copy of an ``OSSL_CMP_MSG``."""
        kind = BodyType(lib.OSSL_CMP_MSG_get_bodytype(pointer))
        return cls(convert.to_der(lib.i2d_OSSL_CMP_MSG, pointer, "encoding a CMP message"), kind)

    @property
    def der(self) -> bytes:
        """The message as libcrypto encodes it (``i2d_OSSL_CMP_MSG``, 3.0): what came in, if that was DER."""
        return self._der

    def __repr__(self) -> str:
        return f"<osslcmp.Message {self.type.name.lower()}, {len(self._der)} octets>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._der == other._der

    def __hash__(self) -> int:
        return hash(self._der)

    @cached_property
    def _read(self) -> schema.PKIMessage:
        return schema.decode(schema.PKIMessage, self._der)

    @property
    def type(self) -> BodyType:
        """What kind of message it is (``OSSL_CMP_MSG_get_bodytype``, 3.0)."""
        return self._type

    @cached_property
    def header(self) -> Header:
        """The header. ``ValueError`` if ``cryptography`` does not read a field, such as an odd time."""
        return made(Header, vars(schema.decode(schema.PKIHeader, self._part(0).encoding)))

    @cached_property
    def body(self) -> Body:
        """The body, as the dataclass of this module that fits :attr:`type`. Raises ``ValueError``."""
        return read_body(self.type, self._part(1).content)

    def _part(self, number: int) -> Element:
        """The header or the body, whatever the rest is like."""
        parts, _ = leading(self._der, 2)
        if number >= len(parts):
            raise ValueError("truncated, or no DER")
        return parts[number]

    @cached_property
    def protection(self) -> bytes | None:
        """The MAC or signature; ``None`` if the message is not protected."""
        bits = self._read.protection
        return None if bits is None else bits.as_bytes()

    @cached_property
    def extra_certs_der(self) -> tuple[bytes, ...]:
        """The certificates that help to verify the protection, as DER."""
        return tuple(map(encoded, self._read.extra_certs or ()))

    @cached_property
    def extra_certs(self) -> tuple[x509.Certificate, ...]:
        """The certificates in extraCerts as objects. Raises ``ValueError`` if ``cryptography`` cannot read one."""
        return tuple(map(cert_from_der, self.extra_certs_der))

    def text(self) -> str:
        """All of it as libcrypto prints it (``ASN1_item_print``, 3.0); tells where that cannot go on.

        Control characters and the like are escapes.
        """
        try:
            pointer = _decode(self._der)
        except ValueError as error:  # in a trace, secrets may be overwritten with what is none of their type
            return f"(libcrypto cannot read it: {error})\n"
        clear()
        out = own(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free, "printing a CMP message")
        value = ffi.cast("const ASN1_VALUE *", pointer)
        done = lib.ASN1_item_print(out, value, 0, lib.OSSL_CMP_MSG_it(), NULL)
        clear()
        data = ffi.new("char **")
        length = lib.BIO_get_mem_data(out, data)
        printed = bytes(ffi.buffer(data[0], length)).decode("utf-8", "backslashreplace")
        printed = lines(printed, _LINE)
        return printed if done > 0 else f"{printed}\n(libcrypto cannot print what follows)\n"


def _decode(der: bytes, limits: Limits | None = None) -> Any:
    clear()
    pointer = message_from_der(der, limits)
    if pointer == NULL:
        story = "; ".join(str(entry) for entry in reversed(drain()))
        raise ValueError(f"der: not a CMP message: {story}")
    return own(pointer, lib.OSSL_CMP_MSG_free, "decoding a CMP message")
