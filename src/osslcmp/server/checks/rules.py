"""The rules that a client's message must keep, in the order in which they are checked: that of RFC 9483, section 3.5.

One table, ``RULES``: in comes a message (and, from ``Stage.TRANSACTION`` on, the transaction that it belongs to), out
comes the first rule that it breaks. ``Stage`` says when a rule is checked; libcrypto verifies the protection between
``TRANSACTION`` and ``REQUEST``. To add a rule: one entry here, its check in the module of its stage, and its test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Literal

from ..._text import get_logger
from ...enums import BodyType, FailureInfo
from .. import wire
from ..authority import Rejected
from . import confirmation, header, protection, request, sender
from . import transaction as later
from .subject import CheckLimits, Subject

logger = get_logger("osslcmp.server")

Strictness = Literal["strict", "rfc9810", "openssl"]


class Stage(Enum):
    """When a rule is checked."""

    __hash__ = object.__hash__  # that of Enum is a function in Python

    HEADER = "the message alone, before libcrypto verifies it"
    TRANSACTION = "a later message of an open transaction, before libcrypto verifies it"
    SENDER = "the signer, its signature verified, before it may authorise anything"
    BODY = "the body, its protection verified, before it is read for the authority"
    REQUEST = "the request, its protection verified, before the authority is asked"
    CONFIRMATION = "the certConf, its protection verified, before the authority is told"


@dataclass(frozen=True)
class Rule:
    """A rule.

    Args:
        name: identifies it in logs and in the documentation.
        section: where it stands.
        stage: when it is checked.
        failure: what the client gets.
        levels: the values of ``strictness`` in which it counts.
        check: what is wrong, in words for the client; None if nothing is.
        bodies: types of the messages that it is about; None: of all.
    """

    name: str
    section: str
    stage: Stage
    failure: FailureInfo
    levels: frozenset[Strictness]
    check: Callable[[Subject], str | None]
    bodies: frozenset[BodyType] | None = None


_STRICT: frozenset[Strictness] = frozenset({"strict"})
_RFC: frozenset[Strictness] = frozenset({"strict", "rfc9810"})
_ALL: frozenset[Strictness] = frozenset({"strict", "rfc9810", "openssl"})

_H, _T, _S, _B, _R, _C = Stage
_F = FailureInfo
_RR = frozenset({BodyType.RR})
_KUR = frozenset({BodyType.KUR})
_CSR = frozenset({BodyType.P10CR})
_CERT = frozenset({BodyType.IR, BodyType.CR, BodyType.KUR})
_GENM = frozenset({BodyType.GENM})
_NEST = frozenset({BodyType.NESTED})
_POLL = frozenset({BodyType.POLLREQ})
_CONF = frozenset({BodyType.CERTCONF})
_ERROR = frozenset({BodyType.ERROR})
_LATER = _POLL | _CONF | _ERROR
_EARLIER = frozenset(BodyType) - _LATER
_FIRST, _STARTS = wire.FIRST, wire.STARTS

RULES: tuple[Rule, ...] = (
    # -- the header of any message
    Rule("pvno", "RFC 9810, 5.1.1", _H, _F.unsupportedVersion, _RFC, header.pvno),
    Rule("sender-form", "RFC 9483, 3.1", _H, _F.badDataFormat, _ALL, protection.sender_form),
    Rule("sender-kind", "RFC 9483, 3.1", _H, _F.badMessageCheck, _STRICT, protection.sender_kind),
    Rule("message-time-present", "RFC 9483, 3.1", _H, _F.badTime, _STRICT, header.time_present),
    Rule("message-time-form", "RFC 9810, 5.1.1", _H, _F.badTime, _RFC, header.time_form),
    Rule("message-time", "RFC 9483, 3.5", _H, _F.badTime, _RFC, header.time),
    Rule("mac-readable", "RFC 9810, 5.1.3.1", _H, _F.badDataFormat, _ALL, protection.mac_readable),
    Rule("mac-policy", "RFC 9810, 8.9", _H, _F.badAlg, _ALL, protection.mac_policy),
    Rule("extra-certs-readable", "RFC 9810, 5.1", _H, _F.badDataFormat, _ALL, protection.readable),
    Rule("extra-certs-cost", "RFC 9810, 8", _H, _F.badAlg, _ALL, protection.key_cost),
    Rule("later-transaction-id", "RFC 9483, 3.5", _H, _F.badRequest, _ALL, header.transaction_id, _LATER),
    Rule("new-transaction-id", "RFC 9483, 3.1", _H, _F.badDataFormat, _STRICT, header.new_id, _EARLIER),
    Rule("sender-nonce", "RFC 9483, 3.1", _H, _F.badSenderNonce, _STRICT, header.sender_nonce),
    Rule("recip-nonce-absent", "RFC 9483, 3.1", _H, _F.badRecipientNonce, _STRICT, header.opens, _STARTS),
    Rule("info-values", "RFC 9483, 3.1", _H, _F.badRequest, _RFC, header.info_values),
    Rule("one-confirmation", "RFC 9483, 3.1", _H, _F.badRequest, _RFC, header.one_confirmation),
    # -- who protects a first message
    Rule("protection-present", "RFC 9810, 5.1.3", _H, _F.badMessageCheck, _RFC, protection.present, _FIRST),
    Rule("mac-reference", "RFC 9483, 3.1", _H, _F.badMessageCheck, _STRICT, protection.mac_reference, _FIRST),
    Rule("mac-sender", "RFC 9483, 3.1", _H, _F.badMessageCheck, _STRICT, protection.mac_sender, _CERT - _KUR),
    Rule("protection-alg", "RFC 9483, 3.1", _H, _F.badAlg, _RFC, protection.algorithm, _FIRST),
    Rule("signed", "RFC 9483, 4.1.3 and 4.2", _H, _F.wrongIntegrity, _STRICT, protection.signed, _RR | _KUR),
    Rule("extra-certs", "RFC 9483, 3.3", _H, _F.badMessageCheck, _STRICT, protection.extra_certs, _FIRST),
    Rule("sender-kid", "RFC 9483, 3.1", _H, _F.badMessageCheck, _STRICT, protection.sender_kid, _FIRST),
    Rule("sender-name", "RFC 9483, 3.1", _H, _F.badMessageCheck, _STRICT, protection.sender_name, _FIRST),
    # -- what kind of message it is
    Rule("path", "RFC 9483, 6.1", _H, _F.badRequest, _RFC, header.path, _FIRST),
    Rule("body-type", "RFC 9483, 3.5", _H, _F.badRequest, _ALL, header.body_type),
    Rule("general-values", "RFC 9810, 5.3.19", _H, _F.badRequest, _RFC, header.general_values, _GENM),
    Rule("nested-readable", "RFC 9810, 5.3.22", _H, _F.badDataFormat, _RFC, header.nested_readable, _NEST),
    Rule("nested-signed", "RFC 9483, 5.2.2", _H, _F.wrongIntegrity, _RFC, protection.signed, _NEST),
    Rule("nested-depth", "RFC 9483, 5.2.2", _H, _F.badRequest, _RFC, header.nested_depth, _NEST),
    Rule("nested-transaction-id", "RFC 9483, 5.2.2", _H, _F.badRequest, _STRICT, header.nested_ids, _NEST),
    Rule("nested-nonce", "RFC 9483, 5.2.2", _H, _F.badSenderNonce, _STRICT, header.nested_nonces, _NEST),
    # -- whether it is the next one of its transaction
    Rule("same-protection", "RFC 9483, 3.5", _T, _F.badMessageCheck, _ALL, later.same_protection),
    Rule("same-algorithm", "RFC 9483, 3.5", _T, _F.badMessageCheck, _STRICT, later.same_algorithm),
    Rule("same-sender", "RFC 9483, 3.5", _T, _F.badMessageCheck, _ALL, later.same_sender),
    Rule("fresh-sender-nonce", "RFC 9483, 3.5", _T, _F.badSenderNonce, _STRICT, later.fresh_sender_nonce),
    Rule("recip-nonce", "RFC 9483, 3.5", _T, _F.badRecipientNonce, _RFC, later.recip_nonce),
    # libcrypto takes an error message for a new transaction, so it does not look at the nonce.
    Rule("error-recip-nonce", "RFC 9483, 3.5", _T, _F.badRecipientNonce, _ALL, later.recip_nonce, _ERROR),
    Rule("poll-expected", "RFC 9483, 4.4", _T, _F.badRequest, _ALL, later.poll_expected, _POLL),
    Rule("poll-readable", "RFC 9483, 4.4", _T, _F.badDataFormat, _RFC, later.poll_readable, _POLL),
    Rule("poll-request-id", "RFC 9483, 4.4", _T, _F.badRequest, _RFC, later.poll_request_id, _POLL),
    Rule("confirm-expected", "RFC 9483, 4.1.1", _T, _F.badRequest, _ALL, later.confirm_expected, _CONF),
    Rule("confirm-readable", "RFC 9810, 5.3.18", _T, _F.badDataFormat, _ALL, later.confirm_readable, _CONF),
    Rule("one-cert-status", "RFC 9483, 4.1.1", _T, _F.badRequest, _RFC, later.one_status, _CONF),
    Rule("confirm-request-id", "RFC 9483, 4.1.1", _T, _F.badRequest, _RFC, later.confirm_request_id, _CONF),
    Rule("confirm-hash-alg-version", "RFC 9810, 5.3.18", _T, _F.badRequest, _RFC, later.hash_alg, _CONF),
    # -- libcrypto verifies the protection and the proof of possession; then who has signed
    Rule("signer-issued-here", "RFC 9483, 3.5", _S, _F.signerNotTrusted, _ALL, sender.issued_here),
    # -- the body
    Rule("csr-version", "RFC 2986, 4.1", _B, _F.badCertTemplate, _RFC, request.csr_version, _CSR),
    Rule("template-version", "RFC 9483, 4.1.1", _B, _F.badCertTemplate, _RFC, request.version, _CERT),
    Rule("revoked-version", "RFC 9483, 4.2", _B, _F.badRequest, _RFC, request.version, _RR),
    Rule("revoked-named", "RFC 9483, 4.2", _B, _F.addInfoNotAvailable, _RFC, request.revoked_named, _RR),
    Rule("reason", "RFC 9483, 4.2", _B, _F.badRequest, _RFC, request.reason, _RR),
    Rule("entry-extensions", "RFC 9483, 4.2", _B, _F.badRequest, _STRICT, request.entry_extensions, _RR),
    # -- the request itself
    Rule("central-key-release", "RFC 9483, 4.1.6", _R, _F.badCertTemplate, _ALL, request.central_key_release),
    Rule("central-key-signed", "RFC 9483, 4.1.6", _R, _F.badRequest, _ALL, request.central_key_signed),
    Rule("old-cert-id", "RFC 9483, 4.1.3", _R, _F.badCertId, _STRICT, request.old_cert_id, _KUR),
    Rule("update-subject", "RFC 9483, 4.1.3", _R, _F.badCertTemplate, _STRICT, request.update_subject, _KUR),
    Rule("key-size", "RFC 9483, 3.5", _R, _F.badCertTemplate, _ALL, request.key_size),
    # -- the confirmation
    Rule("confirm-failure", "RFC 9483, 4.1.1", _C, _F.badRequest, _RFC, confirmation.accepted_failure),
    Rule("confirm-hash-alg", "RFC 9810, 5.3.18", _C, _F.badAlg, _ALL, confirmation.hash_alg),
    Rule("confirm-hash", "RFC 9810, 5.3.18", _C, _F.badCertId, _ALL, confirmation.cert_hash),
)


@lru_cache(maxsize=512)
def _rules(stage: Stage, level: Strictness, body_type: int) -> tuple[Rule, ...]:
    """Those that count at a stage for a type of message."""
    return tuple(
        rule
        for rule in RULES
        if rule.stage is stage and level in rule.levels and (rule.bodies is None or body_type in rule.bodies)
    )


@dataclass(frozen=True)
class Checker:
    """The rules as one server asks for them."""

    strictness: Strictness = "strict"
    limits: CheckLimits = field(default_factory=CheckLimits)

    @property
    def explains(self) -> bool:
        """Whether a specific failInfo replaces libcrypto's ``badRequest``."""
        return self.strictness != "openssl"

    @property
    def is_strict(self) -> bool:
        """Whether what the Lightweight profile restricts is restricted."""
        return self.strictness == "strict"

    def broken(
        self,
        stage: Stage,
        message: wire.RawMessage,
        **known: Any,
    ) -> Rejected | None:
        """The first rule of a stage that a message breaks, as what its client is told; None when it keeps them all.
        ``known`` are the other fields of Subject.

        With ``openssl`` what libcrypto would refuse without a specific failInfo is ``badRequest``, as it says; what
        cannot be read is ``badDataFormat`` always.
        """
        subject = Subject(message, self.limits, **known)
        for rule in _rules(stage, self.strictness, message.body_type):
            text = rule.check(subject)
            if text is not None:
                logger.info("a message breaks the rule %s (%s): %s", rule.name, rule.section, text)
                specific = self.explains or stage in (_S, _B, _R) or rule.failure is _F.badDataFormat
                return Rejected(rule.failure if specific else _F.badRequest, text)
        return None
