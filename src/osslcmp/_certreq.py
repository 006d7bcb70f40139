"""The arguments of a certificate request, checked and put into a context."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from . import _inputs
from ._inputs import CertificateInput, CertificatesInput, CSRInput, KeyInput
from ._settings import Settings
from .context import Context, certconf
from .enums import BodyType, FailureInfo, Option, POPOMethod

__all__ = ["CertificateRequest"]

NameLike = x509.Name | str
ConfirmCallback = Callable[[x509.Certificate, FailureInfo], object]


@dataclass(frozen=True, kw_only=True)
class CertificateRequest:
    """What to ask for in ir, cr, p10cr and kur.

    :param key: the key to certify: private key object, PEM/DER bytes or path; a public key object where
        possession is proved otherwise. Default: the client's own key (kur: needed unless the key stays).
    :param key_password: for an encrypted ``key``.
    :param subject: name to ask for. Default: that of the CSR, the certificate to update or the client's own.
    :param issuer: issuer to ask for.
    :param sans: subject alternative names, ``x509.GeneralName`` objects or str (a DNS name).
    :param sans_critical: ask for them as a critical extension.
    :param sans_default: take them from the reference certificate if none are given.
    :param extensions: ``x509.Extension`` objects to ask for.
    :param policies: ``x509.PolicyInformation`` objects or OIDs. :param policies_critical: as a critical extension.
    :param days: validity to ask for, in days.
    :param popo: an :class:`osslcmp.POPOMethod`; default: signature.
    :param csr: CSR: the request itself for p10cr, else a source of defaults.
    :param certificate: for kur: the certificate to update; else a reference for defaults.
    :param implicit_confirm: ask the server to do without confirmation.
    :param disable_confirm: send none even if the server wants it: breaks the protocol.
    :param confirm: decides about the new certificate: see :meth:`osslcmp.Context.set_cert_conf_cb`.
    :param confirm_trusted: certificates that the new one must chain to, checked by OpenSSL.
    """

    key: KeyInput | PublicKeyTypes | None = None
    key_password: bytes | str | Callable[[], bytes | str] | None = None
    subject: NameLike | None = None
    issuer: NameLike | None = None
    sans: Iterable[x509.GeneralName | str] = ()
    sans_critical: bool = False
    sans_default: bool = True
    extensions: Iterable[x509.Extension[Any]] = ()
    policies: Iterable[x509.PolicyInformation | x509.ObjectIdentifier | str] = ()
    policies_critical: bool = False
    days: int = 0
    popo: POPOMethod | int | None = None
    csr: CSRInput | None = None
    certificate: CertificateInput | None = None
    implicit_confirm: bool = False
    disable_confirm: bool = False
    confirm: ConfirmCallback | Any | None = None
    confirm_trusted: CertificatesInput | None = None

    def apply(self, context: Context, req_type: BodyType, settings: Settings) -> None:
        """Put it into ``context``. Raises ``TypeError`` or ``ValueError`` for what cannot work."""
        self._apply_keys(context, req_type, settings)
        if self.subject is not None:
            context.set_subject_name(self.subject)
        if self.issuer is not None:
            context.set_issuer(self.issuer)
        if isinstance(self.sans, (str, x509.GeneralName)):
            raise TypeError("sans: an iterable of names, not a single one")
        for san in self.sans:
            context.push_subject_alt_name(x509.DNSName(san) if isinstance(san, str) else san)
        extensions = list(self.extensions)
        if extensions:
            context.set_req_extensions(extensions)
        for policy in self.policies:
            context.push_policy(_policy(policy))
        for option, value, default in (
            (Option.SUBJECTALTNAME_CRITICAL, self.sans_critical, False),
            (Option.SUBJECTALTNAME_NODEFAULT, not self.sans_default, False),
            (Option.POLICIES_CRITICAL, self.policies_critical, False),
            (Option.VALIDITY_DAYS, self.days, 0),
            (Option.IMPLICIT_CONFIRM, self.implicit_confirm, False),
            (Option.DISABLE_CONFIRM, self.disable_confirm, False),
            (Option.POPO_METHOD, self.popo, None),
        ):
            if value != default and value is not None:
                context.set_option(option, value)
        self._apply_confirmation(context)

    def _apply_keys(self, context: Context, req_type: BodyType, settings: Settings) -> None:
        if req_type is BodyType.P10CR and self.csr is None:
            raise ValueError("csr: p10cr needs one")
        if self.csr is not None:
            request = _inputs.csr("csr", self.csr)
            if not request.is_signature_valid:
                raise ValueError("csr: its signature does not verify")
            context.set_p10_csr(request)
        if self.certificate is not None:
            context.set_old_cert(_inputs.certificate("certificate", self.certificate))
        elif req_type is BodyType.KUR:
            if settings.certificate is None:
                raise ValueError("certificate: kur needs the one to update")
            context.set_old_cert(settings.certificate)
        if self.key is not None:
            if hasattr(self.key, "private_bytes") or not hasattr(self.key, "public_bytes"):
                context.set_new_pkey(_inputs.private_key("key", self.key, self.key_password))  # type: ignore[arg-type]
            else:
                if self.popo not in (POPOMethod.NONE, POPOMethod.RAVERIFIED):
                    raise ValueError(
                        "key: a public key alone proves no possession: popo must be NONE or RAVERIFIED"
                    )
                context.set_new_pkey(self.key)
        elif req_type is not BodyType.P10CR and settings.key is None and self.csr is None:
            raise ValueError("key: none is given, and the client has none")

    def _apply_confirmation(self, context: Context) -> None:
        trusted = _inputs.certificates("confirm_trusted", self.confirm_trusted)
        if trusted:
            if self.confirm is not None and self.confirm is not certconf:
                raise ValueError("confirm_trusted: goes with OpenSSL's own check, not with a callback")
            context.set_cert_conf_cb(certconf)
            context.set_cert_conf_cb_arg(trusted)
        elif self.confirm is not None:
            context.set_cert_conf_cb(self.confirm)


def _policy(policy: x509.PolicyInformation | x509.ObjectIdentifier | str) -> x509.PolicyInformation:
    if isinstance(policy, x509.PolicyInformation):
        return policy
    if isinstance(policy, str):
        policy = x509.ObjectIdentifier(policy)
    if not isinstance(policy, x509.ObjectIdentifier):
        raise TypeError(f"policies: PolicyInformation or OID, not {type(policy).__name__}")
    return x509.PolicyInformation(policy, None)
