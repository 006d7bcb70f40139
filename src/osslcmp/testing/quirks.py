"""Habits of CMP servers in the field that RFC 9810 does not foresee, as settings of the scripted server."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .._asn1 import der, oids
from .._openssl.inputs import check_text
from ..enums import BodyType
from ..server import wire
from .faults import known
from .rewriting import (
    CERTIFICATE_ANSWERS,
    extra_certs,
    octets,
    rebuilt,
    replaced,
    unprotected,
    with_extra_certs,
    with_header,
    with_request_id,
)

_IMPLICIT_CONFIRM = der.encode(
    der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_oid(oids.IMPLICIT_CONFIRM), der.encode(der.NULL))
)


@dataclass(frozen=True, kw_only=True)
class Quirks:
    """How a server differs. All are off by default, and hold for every answer until they are changed."""

    sign_always: bool = False
    """Answers are signed although the request had a MAC."""
    signer_is_issuer: bool = False
    """The issuing CA itself signs the answers, not a certificate of the server's own."""
    sender_is_issuer: bool = False
    """The sender in the header is the issuing CA, whoever signs."""
    other_sender_kid: bool = False
    """Signed answers have the key identifier of another certificate (the root's) as senderKID."""
    reflected_sender_kid: bool = False
    """Signed answers have the senderKID of the request."""
    no_sender_kid: bool = False
    """Signed answers have no senderKID."""
    p10cr_request_id_0: bool = False
    """A p10cr is answered with certReqId 0 instead of -1."""
    errors_pvno_1: bool = False
    """Error messages say that they are of version cmp1999 (1)."""
    empty_sender: bool = False
    """The sender in the header is the empty name."""
    reversed_extra_certs: bool = False
    """The extraCerts begin with what stands highest."""
    errors_without_transaction_id: bool = False
    """Error messages have neither transactionID nor recipNonce nor protection, as of who could not read the request."""
    implicit_confirm: bool = False
    """Every certificate is confirmed implicitly, also if the client did not ask for that."""
    no_confirmation: bool = False
    """A certConf is answered with an error. The CA here keeps the certificate as not confirmed."""
    root_in_extra_certs: bool = False
    """The root is among the extraCerts of ip, cp and kup."""
    bare_pkiconf: bool = False
    """A pkiConf has neither extraCerts nor, if it is signed, a senderKID."""
    registration_token: str | None = None
    """Requests without a MAC and a signature are taken, and must have this regToken."""

    @property
    def resigned(self) -> bool:
        """Whether libcrypto would not sign what this changes."""
        return self.other_sender_kid or self.reflected_sender_kid or self.no_sender_kid or self.bare_pkiconf

    def change(self, answer: bytes, request: BodyType, issuer: x509.Certificate) -> bytes:
        """An answer to a ``request``, before it is protected again."""
        kind = _kind(answer)
        if self.sender_is_issuer or self.empty_sender:
            sender = x509.Name([]) if self.empty_sender else issuer.subject
            name = der.encode(wire.DIRECTORY_NAME, sender.public_bytes())
            answer = with_header(answer, first={1: name})
        if self.errors_pvno_1 and kind is BodyType.ERROR:
            answer = with_header(answer, first={0: der.encode_integer(1)})
        if self.p10cr_request_id_0 and request is BodyType.P10CR:
            answer = with_request_id(answer, 0)
        if self.implicit_confirm and kind in CERTIFICATE_ANSWERS:
            answer = with_header(answer, tagged={8: _IMPLICIT_CONFIRM})
        return answer

    def finish(self, answer: bytes, asked: bytes | None, root: x509.Certificate, key: Any) -> bytes:
        """A protected answer with its quirks; ``key`` signs it again where libcrypto would not.

        ``asked`` is the senderKID of the request.
        """
        kind = _kind(answer)
        if self.errors_without_transaction_id and kind is BodyType.ERROR:
            return with_header(unprotected(answer), tagged={4: b"", 6: b""})
        bare = self.bare_pkiconf and kind is BodyType.PKICONF
        if bare:
            answer = with_extra_certs(answer, [])
        if self.root_in_extra_certs and kind in CERTIFICATE_ANSWERS:
            answer = with_extra_certs(answer, [*extra_certs(answer), root.public_bytes(Encoding.DER)])
        if self.reversed_extra_certs:
            answer = with_extra_certs(answer, extra_certs(answer)[::-1])
        header = wire.read_message(answer).header
        if self.resigned and header.protection_alg is not None and not header.uses_mac:
            if self.no_sender_kid or bare:
                answer = _signed(with_header(answer, tagged={2: b""}), key)
            elif self.other_sender_kid:
                other = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
                answer = _signed(with_header(answer, tagged={2: octets(other)}), key)
            elif self.reflected_sender_kid and asked is not None:
                answer = _signed(with_header(answer, tagged={2: octets(asked)}), key)
        return answer


def _kind(answer: bytes) -> BodyType:
    return BodyType(wire.read_message(answer).body_type)


def _signed(answer: bytes, key: Any) -> bytes:
    """Signed again with SHA-256, as its header says."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("quirks: this one needs a CA with an EC key")
    protected = rebuilt(part.encoding for part in der.sequence(answer)[:2])
    signature = der.encode(der.BIT_STRING, b"\0" + key.sign(protected, ec.ECDSA(hashes.SHA256())))
    return replaced(answer, 2, tagged={0: signature})


PROFILES: dict[str, Quirks] = {
    "3gpp": Quirks(signer_is_issuer=True, root_in_extra_certs=True),
    "ejbca-hmac": Quirks(sign_always=True, signer_is_issuer=True, bare_pkiconf=True),
    "ejbca-regtoken": Quirks(
        sign_always=True, signer_is_issuer=True, registration_token="foo123", bare_pkiconf=True
    ),
    "issuer-as-sender": Quirks(
        sign_always=True, sender_is_issuer=True, other_sender_kid=True, p10cr_request_id_0=True
    ),
    "no-confirmation": Quirks(no_confirmation=True, errors_without_transaction_id=True),
    "reflecting": Quirks(signer_is_issuer=True, reflected_sender_kid=True, errors_pvno_1=True),
    "subset-137": Quirks(no_sender_kid=True),
    "unasked-implicit": Quirks(sign_always=True, no_sender_kid=True, implicit_confirm=True),
}
"""By name, what servers of a kind do: docs/interoperability.md has a configuration for each."""


def quirks(profile: str | None, settings: dict[str, Any]) -> Quirks:
    """Those of a profile with further settings. Raises ``ValueError`` for a name or a setting that there is not."""
    if profile is not None:
        known("quirks: there is no profile", profile, PROFILES)
    for name, value in settings.items():
        known("quirks: there is no setting", name, [field.name for field in fields(Quirks)])
        wanted = (str, type(None)) if name == "registration_token" else (bool,)
        if not isinstance(value, wanted):
            raise TypeError(f"quirks: {name}: {' or '.join(kind.__name__ for kind in wanted)}, not {value!r}")
        if isinstance(value, str):
            check_text(f"quirks: {name}", value)
    return replace(Quirks() if profile is None else PROFILES[profile], **settings)
