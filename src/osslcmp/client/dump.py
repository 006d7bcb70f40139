"""A pending transaction as bytes, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509

from .._arguments import checked
from .._asn1 import x509_parts
from .._openssl import inputs
from .._openssl.convert import encoded
from .._openssl.public_keys import key_value
from .._text import visible
from ..context.crmf import CertReqMsg
from ..context.polling import WaitingMessages, message_ids
from ..enums import CR, IR, KUR, P10CR, BodyType, Option, POPOMethod
from ..errors import OpenSSLError
from .settings import ResumeConditions

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._openssl.inputs import KeyInput
    from .._openssl.keys import Password
    from ..context import Context

_T = TypeVar("_T")

FORMAT = "osslcmp.Transaction"
VERSION = 1

#: A CertTemplate that asks for nothing.
_EMPTY = b"\x30\x00"
#: Seconds of the epoch that a time is below, far behind the last year of a calendar.
_END_OF_TIME = 10**12


@checked
class _Conditions(ResumeConditions):
    """Those of a dump, whose types nobody has looked at."""


@checked
@dataclass(frozen=True, kw_only=True)
class Dump:
    """The contents of a dump. All messages and certificates are DER."""

    type: str
    begun: float
    due: float
    """When the server wants to be asked, in seconds of the epoch."""
    waiting: bytes
    poll: bytes | None
    response: bytes | None
    """The certificate, if its confirmation is what is delayed."""
    verdict: Any
    """What the caller's callback answered about it then."""
    public_key: bytes | None
    subject: bytes | None
    issuer: bytes | None
    csr: bytes | None
    old_certificate: bytes | None
    terms: ResumeConditions

    @property
    def req_type(self) -> BodyType:
        """The type of request."""
        return BodyType[self.type.upper()]

    @property
    def messages(self) -> WaitingMessages:
        """The server's messages that polling goes on from."""
        return WaitingMessages(self.waiting, self.poll, self.response, self.verdict)


_REQUEST_FIELDS = ("subject", "issuer", "csr", "old_certificate")
_BYTES = ("waiting", "poll", "response", "public_key", *_REQUEST_FIELDS)


def dump(
    context: Context, req_type: BodyType, conditions: ResumeConditions, begun: float, due: float
) -> bytes:
    """The transaction that is pending in ``context``."""
    messages, request = context.polling.messages(), context.request
    found = Dump(
        type=req_type.name.lower(),
        begun=begun,
        due=due,
        waiting=messages.waiting,
        poll=messages.poll,
        response=messages.response,
        verdict=_plain(messages.verdict),
        public_key=None if conditions.central_key or req_type is P10CR else request.public_key_info(),
        **{name: _der(getattr(request, name)) for name in _REQUEST_FIELDS},
        terms=conditions,
    )
    body = {
        name: b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in asdict(found).items()
    }
    text = {"format": FORMAT, "version": VERSION, "sha256": digest(body), "transaction": body}
    import json  # for whoever dumps alone, like hashlib: they take time to import

    return json.dumps(text, indent=1).encode() + b"\n"


def _der(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return bytes(value)
    return value.public_bytes() if isinstance(value, x509.Name) else encoded(value)


def _plain(verdict: object) -> Any:
    """A certConf callback's answer without the types of this module."""
    return int(verdict) if isinstance(verdict, int) and not isinstance(verdict, bool) else verdict


def digest(body: dict[str, Any]) -> str:
    """The checksum of a dump's contents, in hexadecimal."""
    import hashlib
    import json

    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def load(data: bytes) -> Dump:
    """Read a dump. Raises ``ValueError`` for one that is damaged or of a version that is not known here."""
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(f"dump: bytes, not {type(data).__name__}")
    import json

    try:
        text = json.loads(bytes(data).decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"dump: not a dump of a transaction: {error}") from None
    if not isinstance(text, dict) or text.get("format") != FORMAT:
        raise ValueError("dump: not a dump of a transaction")
    if text.get("version") != VERSION:
        raise ValueError(
            f"dump: version {visible(repr(text.get('version')), 40)} is not known here, only {VERSION}: "
            "it needs another osslcmp"
        )
    body = text.get("transaction")
    try:
        if not isinstance(body, dict) or text.get("sha256") != digest(body):
            raise ValueError("its contents do not fit its checksum")
        return _read(body)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"dump: damaged: {visible(str(error))}") from error


def _read(body: dict[str, Any]) -> Dump:
    if set(body) != {field.name for field in fields(Dump)}:
        raise ValueError("its fields are not those of a transaction")
    values = dict(body)
    for name in _BYTES:
        if values[name] is not None:
            values[name] = b64decode(values[name], validate=True)
    terms = ResumeConditions(**asdict(_Conditions(**values["terms"])))
    found = Dump(**values | {"terms": terms})
    if found.req_type not in (IR, CR, P10CR, KUR):
        raise ValueError("its type is no certificate request")
    if found.csr is None and found.req_type is P10CR:
        raise ValueError("its CSR is missing")
    if not all(0 <= moment < _END_OF_TIME for moment in (found.begun, found.due)):
        raise ValueError("a time is out of range")
    verdict = found.verdict
    if not (verdict is None or isinstance(verdict, (str, bool))) and not (
        isinstance(verdict, int) and 0 <= verdict < 1 << 31
    ):
        raise ValueError("its verdict is none that a callback can give")
    messages = [message for message in (found.waiting, found.poll, found.response) if message is not None]
    if len({message_ids(message)[0] for message in messages}) != 1:
        raise ValueError("its messages are of different transactions")
    return found


def _put(read: Callable[[bytes], _T], der: bytes, use: Callable[[_T], object]) -> None:
    """Give what ``read`` makes of a field to ``use``. ``cryptography`` and libcrypto refuse it in many ways."""
    try:
        use(read(der))
    except Exception as error:
        raise ValueError(f"dump: damaged: {visible(str(error))}") from error


def restore(
    found: Dump, context: Context, key: KeyInput | None = None, key_password: Password = None
) -> CertReqMsg | None:
    """Put the request of a dump into a ``context`` with credentials; returns the message to name in its calls.

    That message is not sent: it need not be the one that was. Raises ``ValueError`` for a ``key`` of another request.
    """
    if found.subject is not None:
        _put(x509_parts.read_name, found.subject, context.set_subject_name)
    if found.issuer is not None:
        _put(x509_parts.read_name, found.issuer, context.set_issuer)
    if found.csr is not None:
        _put(lambda data: inputs.csr("csr", data), found.csr, context.set_p10_csr)
    if found.old_certificate is not None:
        _put(
            lambda data: inputs.any_certificate("certificate", data),
            found.old_certificate,
            context.set_old_cert,
        )
    if key is not None:
        context.set_new_pkey(key, key_password)
        given = context.request.public_key_info()
        if found.public_key is None or given is None or key_value(given) != key_value(found.public_key):
            raise ValueError("key: is not the one that this request asks to certify")
    elif found.public_key is not None:
        try:
            context.request.set_public_key_info(found.public_key)
        except OpenSSLError as error:
            raise ValueError(f"dump: damaged: {error}") from error
    context.set_option(Option.DISABLE_CONFIRM, found.terms.disable_confirm)
    if found.req_type is P10CR:
        return None
    context.set_option(
        Option.POPO_METHOD, POPOMethod.NONE if found.terms.central_key else POPOMethod.RAVERIFIED
    )
    return CertReqMsg.from_template(_EMPTY)
