"""The arguments of a certificate request, checked and put into a context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Union

from .._arguments import several
from .._asn1 import oids, x509_parts
from .._asn1.itav import InfoTypeAndValue, object_identifier
from .._asn1.publication import PublicationInfo
from .._lazy import key_types, x509
from .._openssl import inputs
from .._openssl.certificate_check import CertificateCheck
from .._openssl.convert import csr_verifies, encoded
from .._openssl.inputs import CertificateInput, CertificatesInput, CSRInput, KeyInput
from .._openssl.keys import Password, is_public
from .._openssl.lib import CData, openssl_version, require
from .._openssl.name_texts import encode_general_name, encode_name
from .._openssl.providers import made_in
from ..context import CertConf, Context, certconf
from ..context.confirmation import ConfirmCallback, OnDER, on_der
from ..context.crmf import CertReqMsg
from ..enums import BodyType, FailureInfo, Option, POPOMethod
from .settings import Settings, itavs, optional

if TYPE_CHECKING:
    from ..message.bodies import CertResponse

NameLike = Union["x509.Name", str]
Sans = Iterable[Union["x509.GeneralName", str]]
Extensions = Iterable[Union["x509.Extension[Any]"]]
Policies = Iterable[Union["x509.PolicyInformation", "x509.ObjectIdentifier", str]]
Profiles = str | Iterable[str]
InfoItems = Iterable[InfoTypeAndValue]

#: Extensions that describe the issuing, not the subject: the CA makes them anew. SANs have an option of their own.
_ISSUERS_OWN = (
    "AUTHORITY_KEY_IDENTIFIER",
    "SUBJECT_KEY_IDENTIFIER",
    "CRL_DISTRIBUTION_POINTS",
    "FRESHEST_CRL",
    "AUTHORITY_INFORMATION_ACCESS",
    "PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS",
    "PRECERT_POISON",
    "SUBJECT_ALTERNATIVE_NAME",
)
#: Arguments that become controls or regInfo.
_REGISTRATION = (
    "registration_token",
    "authenticator",
    "publication_info",
    "protocol_encryption_key",
    "utf8_pairs",
)
Confirm = ConfirmCallback | CertConf | CData | None


@dataclass(frozen=True, kw_only=True)
class CertificateRequest:
    """What to ask for in ir, cr, p10cr and kur; what an authority gets is :class:`osslcmp.server.CertificateRequest`.

    Args:
        key: the key to certify: private key object, PEM/DER bytes or path; a public key object where
            possession is proved otherwise. Default: the client's own key (kur: needed unless the key stays).
        key_password: for an encrypted ``key``.
        subject: name to ask for. Default: that of the CSR, the certificate to update or the client's own.
        issuer: issuer to ask for.
        sans: subject alternative names, ``x509.GeneralName`` objects or texts in the syntax of OpenSSL's
            ``subjectAltName`` (``DNS:x.example``, ``IP:10.0.0.1``); a bare text is what it looks like: an address, a URI,
            a mail address or a host name.
        sans_critical: ask for them as a critical extension.
        sans_default: take them from the reference certificate if none are given.
        extensions: ``x509.Extension`` objects to ask for.
        policies: ``x509.PolicyInformation`` objects or OIDs.
        policies_critical: as a critical extension.
        carry_extensions: take over those of the certificate to update that are not the issuer's to set.
        days: validity to ask for, in days from now.
        not_before: start of the validity to ask for; a time without a zone is UTC.
        not_after: end of the validity to ask for; a time without a zone is UTC.
        popo: an :class:`osslcmp.POPOMethod`; default: signature. An RA that has checked possession itself gives
            a ``csr`` (or a public ``key``) and RAVERIFIED.
        csr: CSR: the request itself for p10cr, else a source of defaults, public key included.
        registration_token: regToken, a secret for one use that says who asks: EJBCA's *RegTokenPwd*. It travels as it
            is: protect the way (https).
        authenticator: a lasting secret that says who asks; it travels as it is, too.
        publication_info: an :class:`osslcmp.PublicationInfo`: whether and where to publish the certificate.
        protocol_encryption_key: public key object to encrypt the answer with.
        utf8_pairs: names and values for the CA or RA, as regInfo.
        crm: a ready :class:`osslcmp.CertReqMsg`: it replaces all that the template would be made of. With ``key``
            the certificate that comes is checked to be for it.
        central_key: let the CA make the key (3.5); it is ``Enrollment.key``.
        encrypted_value: ``False``: refuse a key that the CA made if it comes in the old EncryptedValue form and
            not as EnvelopedData (RFC 9810 section 5.2.2).
        profile: name of a certificate profile, or several, for the header.
        general_info: further :class:`osslcmp.InfoTypeAndValue` items for the header.
        certificate: for kur: the certificate to update; else a reference for defaults.
        implicit_confirm: ask the server to do without confirmation.
        disable_confirm: send none even if the server wants it: breaks the protocol.
        confirm: decides about the new certificate: a callable that gets it and what OpenSSL found wrong, and returns
            ``None`` to leave it at that, ``True`` to accept, ``False``, a FailureInfo or a text to refuse: see
            :meth:`osslcmp.Context.set_cert_conf_cb`.
        confirm_trusted: certificates that the new one must chain to, checked by OpenSSL's own callback.
        check: a :class:`osslcmp.CertificateCheck`: more conditions that the new one must meet.
    """

    key: KeyInput | key_types.PublicKeyTypes | None = None
    key_password: Password = field(default=None, repr=False)
    subject: NameLike | None = None
    issuer: NameLike | None = None
    sans: Sans = ()
    sans_critical: bool = False
    sans_default: bool = True
    extensions: Extensions = ()
    policies: Policies = ()
    policies_critical: bool = False
    carry_extensions: bool = False
    days: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    popo: POPOMethod | int | None = None
    csr: CSRInput | None = None
    registration_token: str | None = field(default=None, repr=False)
    authenticator: str | None = field(default=None, repr=False)
    publication_info: PublicationInfo | None = None
    protocol_encryption_key: key_types.PublicKeyTypes | None = None
    utf8_pairs: Mapping[str, str] | None = None
    crm: CertReqMsg | None = None
    central_key: bool = False
    encrypted_value: bool = True
    profile: Profiles | None = None
    general_info: InfoItems = ()
    certificate: CertificateInput | None = None
    implicit_confirm: bool = False
    disable_confirm: bool = False
    confirm: Confirm = None
    confirm_trusted: CertificatesInput | None = None
    check: CertificateCheck | None = None

    def apply(self, context: Context, req_type: BodyType, settings: Settings) -> CertReqMsg | None:
        """Put it into ``context``. Raises ``TypeError`` or ``ValueError`` for what cannot work.

        Returns the message to send instead of what the context makes by itself, if there is one.
        """
        if self.crm is not None and req_type is BodyType.P10CR:
            raise ValueError("crm: p10cr has none")
        self._apply_keys(context, req_type, settings)
        if self.subject is not None or settings.sender is not None:
            context.request.set_subject(optional(partial(encode_name, what="subject"), self.subject))
        if self.issuer is not None:
            context.request.set_issuer(encode_name(self.issuer, "issuer"))
        names = [encode_general_name("sans", san) for san in several("sans", self.sans)]
        policies = [_policy(policy) for policy in several("policies", self.policies)]
        extensions = self._extensions(context)
        given, defaults = vars(self), self.sans_default
        csr = context.request.csr
        if csr is not None and req_type is not BodyType.P10CR:
            extensions += self._over_csr(extensions, names, policies)
            defaults = defaults and not _has_sans(csr)
            names, policies = [], []
        for name in names:
            context.push_subject_alt_name(name)
        if extensions:
            context.set_req_extensions(extensions)
        for policy in policies:
            context.push_policy(policy)
        if not defaults:
            context.set_option(Option.SUBJECTALTNAME_NODEFAULT, True)
        for option, argument, default in (
            (Option.SUBJECTALTNAME_CRITICAL, "sans_critical", False),
            (Option.POLICIES_CRITICAL, "policies_critical", False),
            (Option.VALIDITY_DAYS, "days", 0),
            (Option.IMPLICIT_CONFIRM, "implicit_confirm", False),
            (Option.DISABLE_CONFIRM, "disable_confirm", False),
            (Option.POPO_METHOD, "popo", None),
        ):
            value = given[argument]
            if value != default and value is not None:
                context.options.set(option, value, argument)
        for itav in itavs("general_info", self.general_info):
            context.push_geninfo_itav(itav)
        if self.profile is not None:
            from ..general import CERT_PROFILE, texts

            context.push_geninfo_itav(InfoTypeAndValue(CERT_PROFILE, texts("profile", self.profile)))
        self.apply_confirmation(context)
        made = self._message(context, req_type, settings.sender is not None)
        if settings.sender is not None:
            # From here on they go into the header alone, where the name of an old certificate would come first.
            context.request.set_subject(settings.sender)
            context.set_old_cert(None)
        return made

    def _message(self, context: Context, req_type: BodyType, other_sender: bool) -> CertReqMsg | None:
        """The setters know days from now only, and one name for the sender and the subject: the rest goes into a message
        of our own."""
        given = vars(self)
        registration = {name: value for name in _REGISTRATION if (value := given[name]) is not None}
        if registration and (self.crm is not None or req_type is BodyType.P10CR):
            goes = "p10cr has none" if self.crm is None else "goes not with crm, which has its own"
            raise ValueError(f"{', '.join(registration)}: {goes}")
        if self.crm is not None:
            if self.key is None and self.popo is None:
                # OpenSSL misses a private key otherwise, though the proof is in the message already.
                context.set_option(Option.POPO_METHOD, POPOMethod.RAVERIFIED)
            return self.crm
        timed = self.not_before is not None or self.not_after is not None
        if timed and self.days:
            raise ValueError("days: goes with neither not_before nor not_after")
        if timed and req_type is BodyType.P10CR:
            raise ValueError("not_before, not_after: a CSR says nothing about validity")
        if not timed and not registration and (not other_sender or req_type is BodyType.P10CR):
            return None
        made = context.setup_crm(for_kur=req_type is BodyType.KUR)
        if timed:
            made.set_validity(self.not_before, self.not_after)
        for name, value in registration.items():
            getattr(made, f"set_{name}")(value)
        context.create_popo(made)
        return made

    def _old(self, req_type: BodyType, settings: Settings) -> inputs.AnyCertificate | None:
        if self.certificate is not None:
            return inputs.any_certificate("certificate", self.certificate)
        return settings.certificate if req_type is BodyType.KUR else None

    def _extensions(self, context: Context) -> list[x509.Extension[Any]]:
        given = several("extensions", self.extensions)
        if not self.carry_extensions:
            return given
        old = context.request.old_certificate
        if old is None:
            raise ValueError("carry_extensions: there is no certificate to take them from")
        named = {extension.oid for extension in given}
        named |= {getattr(x509.oid.ExtensionOID, name) for name in _ISSUERS_OWN}
        carried = x509_parts.unread_extensions(x509_parts.extensions_of(old))
        return given + [extension for extension in carried if extension.oid not in named]

    def _over_csr(
        self,
        extensions: list[x509.Extension[Any]],
        names: list[inputs.EncodedGeneralName],
        policies: list[x509.PolicyInformation],
    ) -> list[x509.Extension[Any]]:
        """Names and policies as extensions, which replace those of the CSR.

        OpenSSL's setters for them would let it ask for both, which no certificate may have (openssl/openssl#23725).
        """
        given = {extension.oid for extension in extensions}
        made: list[x509.Extension[Any]] = []
        if names:
            san = x509.SubjectAlternativeName(map(x509_parts.read_general_name, names))
            made.append(x509.Extension(san.oid, self.sans_critical, san))
        if policies:
            wanted = x509.CertificatePolicies(policies)
            made.append(x509.Extension(wanted.oid, self.policies_critical, wanted))
        for extension in made:
            if extension.oid in given:
                raise ValueError(f"extensions: {extension.oid._name} is given twice")
        return made

    def _apply_keys(self, context: Context, req_type: BodyType, settings: Settings) -> None:
        if req_type is BodyType.P10CR and self.csr is None:
            raise ValueError("csr: p10cr needs one")
        if self.csr is not None:
            request = inputs.csr("csr", self.csr)
            with made_in(settings.library):
                if not csr_verifies(request):
                    raise ValueError(
                        "csr: its signature does not verify, or its version is not 1, as OpenSSL 3.5 and later demand"
                    )
            context.set_p10_csr(request)
        old = self._old(req_type, settings)
        if old is not None:
            context.set_old_cert(old)
        elif req_type is BodyType.KUR:
            raise ValueError("certificate: kur needs the one to update")
        if self.central_key:
            require("central_key_generation", "central_key")
            if self.key is not None or self.csr is not None:
                raise ValueError("central_key: goes with neither key nor csr")
            context.set_option(Option.POPO_METHOD, POPOMethod.NONE)
        elif self.key is not None:
            if is_public(self.key) and self.popo not in (POPOMethod.NONE, POPOMethod.RAVERIFIED):
                raise ValueError(
                    "key: a public key alone proves no possession: popo must be NONE or RAVERIFIED"
                )
            with made_in(settings.library):
                context.set_new_pkey(self.key, self.key_password)
        elif (
            req_type is not BodyType.P10CR and settings.key is None and self.csr is None and self.crm is None
        ):
            raise ValueError("key: none is given, and the client has none")

    def apply_confirmation(self, context: Context) -> None:
        """Put the conditions for the new certificate into ``context``."""
        trusted = inputs.any_certificates("confirm_trusted", self.confirm_trusted)
        if self.confirm is not None and not isinstance(self.confirm, Callable | CertConf | CData):  # type: ignore[arg-type]
            raise TypeError(f"confirm: a callback or C function, not {type(self.confirm).__name__}")
        if self.check is not None:
            if not isinstance(self.check, CertificateCheck):
                raise TypeError(f"check: an osslcmp.CertificateCheck, not {type(self.check).__name__}")
            if self.confirm is not None or trusted:
                raise ValueError("check: goes with neither confirm nor confirm_trusted")
            context.set_cert_conf_cb(_checking(context, self.check))
        elif trusted:
            if self.confirm is not None and self.confirm is not certconf:
                raise ValueError("confirm_trusted: goes with OpenSSL's own check, not with a callback")
            if openssl_version < (3, 0, 9):
                # Its own check builds a chain by names, and does not verify it (openssl/openssl#20160).
                context.set_cert_conf_cb(_checking(context, CertificateCheck(trusted=trusted)))
            else:
                context.set_cert_conf_cb(certconf)
                context.set_cert_conf_cb_arg(trusted)
        elif self.confirm is not None:
            context.set_cert_conf_cb(self.confirm)
        if self.central_key and not self.encrypted_value:
            context.set_cert_conf_cb(enveloped_only(context, context.cert_conf_cb))


def enveloped_only(context: Context, further: Any) -> OnDER:
    """libcrypto takes both forms and tells neither: the answer itself is looked at."""
    from ..message import CertRepMessage, Message

    def verdict(certificate: bytes, found: FailureInfo) -> object:
        message = context.polling.response
        try:
            body = None if message is None else Message.from_der(message).body
        except ValueError:
            body = None
        if not isinstance(body, CertRepMessage):
            return "the form of the private key cannot be read"
        if any(uses_encrypted_value(answer) for answer in body.responses):
            return "the private key came in an EncryptedValue"
        return on_der(further)(certificate, found) if callable(further) else found or None

    return OnDER(verdict)


def uses_encrypted_value(answer: CertResponse) -> bool:
    """Whether a certificate or key in it is encrypted in the old form: a SEQUENCE instead of a tagged choice."""
    return any(
        form is not None and form[:1] == b"\x30"
        for form in (answer.private_key, answer.encrypted_certificate)
    )


def _checking(context: Context, check: CertificateCheck) -> OnDER:
    def verdict(certificate: bytes, found: FailureInfo) -> object:
        return found or check.failure(certificate, context.results.helping())

    return OnDER(verdict)


def _has_sans(csr: inputs.AnyCSR) -> bool:
    asked = x509_parts.unread_extensions(x509_parts.requested_extensions(encoded(csr)))
    return any(extension.oid.dotted_string == oids.SUBJECT_ALT_NAME for extension in asked)


def _policy(policy: x509.PolicyInformation | x509.ObjectIdentifier | str) -> x509.PolicyInformation:
    if isinstance(policy, x509.PolicyInformation):
        return policy
    return x509.PolicyInformation(object_identifier("policies", policy), None)
