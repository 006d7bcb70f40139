"""How the embedded CA answers general messages (RFC 9810, section 5.3.19), on the level of DER."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509

from ... import general
from ..._asn1 import der, oids, x509_parts
from ..._asn1.der import explicit
from ..._asn1.itav import InfoTypeAndValue
from ...errors import ResponseError
from .. import wire
from .grants import name_key
from .profiles import Profile

_HEADER_ONLY = {oids.IMPLICIT_CONFIRM, oids.CONFIRM_WAIT_TIME, oids.ORIG_PKI_MESSAGE, oids.CERT_PROFILE}
"""InfoTypes that belong into a header."""
_EC_P256 = der.encode(der.SEQUENCE, der.encode_oid(oids.EC), der.encode_oid(oids.P256))
_RSA = der.encode(der.SEQUENCE, der.encode_oid(oids.RSA), der.encode(der.NULL))
_ED25519 = der.encode(der.SEQUENCE, der.encode_oid(oids.ED25519))
_X25519 = der.encode(der.SEQUENCE, der.encode_oid(oids.X25519))
_AES256_CBC = der.encode(der.SEQUENCE, der.encode_oid(oids.AES256_CBC))
#: Questions of one message: each may be for the CRL, which may be large.
_MOST = 32
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""A language tag (RFC 5646)."""


class _CA(Protocol):
    """What is asked of the CA here."""

    @property
    def root_der(self) -> bytes: ...
    @property
    def chain(self) -> tuple[x509.Certificate | bytes, ...]: ...
    def crl(self) -> x509.CertificateRevocationList: ...
    def root_update(self, known: x509.Certificate | None) -> RootUpdate | None: ...


@dataclass(frozen=True)
class RootUpdate:
    """A new root CA certificate, and what connects it to the one before."""

    new_with_new: x509.Certificate
    new_with_old: x509.Certificate | None = None
    """The new key, certified by the old one."""
    old_with_new: x509.Certificate | None = None
    """The old key, certified by the new one."""


class BadValueError(Exception):
    """A question has a value where it may have none, or none where it needs one; or there are too many."""


def answers(
    ca: _CA, infos: Iterable[InfoTypeAndValue], profile: Profile | None = None
) -> list[InfoTypeAndValue]:
    """The answers to the questions of one message; ``unsupportedOIDs`` names those that are not understood (RFC 9810,
    section 5.3.19.7). For the arguments and what it raises see ``answer``."""
    # Each once: a CRL may be large, and be asked for thousands of times.
    found: dict[InfoTypeAndValue, None] = {}
    unknown: list[x509.ObjectIdentifier] = []
    questions = dict.fromkeys(infos)
    if len(questions) > _MOST:
        raise BadValueError(f"{len(questions)} questions, at most {_MOST} are answered")
    for info in questions:
        item = answer(ca, info, profile)
        if item is not None:
            found[item] = None
        elif info.oid not in (general.UNSUPPORTED_OIDS, *unknown):
            unknown.append(info.oid)
    return [*found, general.unsupported_oids_info(unknown)] if unknown else list(found)


def answer(ca: _CA, info: InfoTypeAndValue, profile: Profile | None = None) -> InfoTypeAndValue | None:
    """The answer to one question; None when it is not understood.

    Args:
        ca: knows the answers.
        info: the question.
        profile: whose template is wanted, if there is any.

    Raises:
        BadValueError: it has a value where it may have none, or none where it needs one.
        ValueError: the question is malformed.

    An answer without a value says that there is nothing to tell.
    """
    if info.oid.dotted_string in _HEADER_ONLY:
        raise BadValueError("an infoType that belongs into the header")
    if info.oid not in _TYPES:
        return None
    has_value, make = _TYPES[info.oid]
    if has_value not in (None, info.value is not None):
        raise BadValueError("an infoValue is missing" if has_value else "an infoValue where none belongs")
    try:
        return make(ca, info, profile)
    except ResponseError as error:
        raise ValueError(str(error)) from error


def _crls(ca: _CA, asked: InfoTypeAndValue, _: Profile | None) -> InfoTypeAndValue:
    crl = ca.crl()
    return general.crls_info([crl] if _wants(crl, asked.value) else [])


def _newer_root(ca: _CA, asked: InfoTypeAndValue, _: Profile | None) -> InfoTypeAndValue:
    update = ca.root_update(general.root_ca_cert_of([asked]))
    if update is None:
        return general.root_ca_key_update_info(None)
    return general.root_ca_key_update_info(update.new_with_new, update.new_with_old, update.old_with_new)


def _announced(ca: _CA, _: InfoTypeAndValue, __: Profile | None) -> InfoTypeAndValue:
    """A CAKeyUpdAnnContent, which has all three certificates."""
    update = ca.root_update(None)
    if update is None or update.old_with_new is None or update.new_with_old is None:
        return general.ca_key_update_info(None)
    return general.ca_key_update_info((update.old_with_new, update.new_with_old, update.new_with_new))


def _parameters(_: _CA, asked: InfoTypeAndValue, __: Profile | None) -> InfoTypeAndValue:
    """What parameters keys of an algorithm are to have."""
    algorithm = general.key_pair_param_request_of([asked])
    known = {oids.EC: _EC_P256, oids.RSA: _RSA}
    found = None if algorithm is None else known.get(algorithm.dotted_string)
    return general.algorithm_info(general.KEY_PAIR_PARAM_REP, found)


def _language(_: _CA, asked: InfoTypeAndValue, __: Profile | None) -> InfoTypeAndValue:
    """The first English tag: texts are English here."""
    tags = general.lang_tags_of([asked])
    if not tags or not all(map(_TAG.fullmatch, tags)):
        raise BadValueError("no language tags")
    english = [tag for tag in tags if tag.lower().split("-")[0] == "en"]
    return general.lang_tags(english[:1]) if english else InfoTypeAndValue(general.SUPP_LANG_TAGS, None)


def _template(_: _CA, __: InfoTypeAndValue, profile: Profile | None) -> InfoTypeAndValue:
    return general.cert_req_template_info(None if profile is None else profile.template())


_ALWAYS = (
    general.certificate_info(general.CA_PROT_ENC_CERT, None),
    general.algorithms_info(general.SIGN_KEY_PAIR_TYPES, (_EC_P256, _RSA, _ED25519)),
    general.algorithms_info(general.ENC_KEY_PAIR_TYPES, (_RSA, _EC_P256, _X25519)),
    general.algorithm_info(general.PREFERRED_SYMM_ALG, _AES256_CBC),
)
_TYPES: dict[
    x509.ObjectIdentifier,
    tuple[bool | None, Callable[[_CA, InfoTypeAndValue, Profile | None], InfoTypeAndValue]],
] = {
    **{item.oid: (False, lambda *_, item=item: item) for item in _ALWAYS},
    general.CA_KEY_UPDATE_INFO: (False, _announced),
    general.CURRENT_CRL: (False, lambda ca, *_: general.crl_info(ca.crl())),
    general.KEY_PAIR_PARAM_REQ: (True, _parameters),
    general.SUPP_LANG_TAGS: (True, _language),
    general.CA_CERTS: (False, lambda ca, *_: general.ca_certs_info((*ca.chain, ca.root_der))),
    general.CERT_REQ_TEMPLATE: (False, _template),
    general.ROOT_CA_CERT: (None, _newer_root),
    general.CRL_STATUS_LIST: (True, _crls),
}
"""By InfoType, whether a question has a value (None: it may), and what makes the answer."""


def _wants(crl: x509.CertificateRevocationList, statuses: bytes | None) -> bool:
    """Whether a client that tells in a CRLStatusListValue what it has would learn something from this CRL."""
    known = []
    for status in der.sequence(statuses or b""):
        fields = der.Fields(der.sequence(status.encoding))
        source = fields.take()
        moment = None if fields.done else der.moment(fields.take())
        if _is_source(source, crl.issuer):
            known.append(moment)
    return any(moment is None or moment < crl.last_update_utc for moment in known)


def _is_source(source: der.Element, issuer: x509.Name) -> bool:
    """Whether a CRLSource can mean the CRL of this issuer: it is named, or a distribution point is, and there are no
    others here."""
    if source.tag != explicit(1):
        return True
    names = map(wire.directory_name, (name.encoding for name in der.sequence(source.content)))
    own = name_key(issuer)
    return any(name is not None and name_key(x509_parts.read_name(name)) == own for name in names)
