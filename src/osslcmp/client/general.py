"""The general messages of :class:`osslcmp.Client`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .._asn1.itav import InfoTypeAndValue
from .._lazy import x509
from .._openssl.convert import crl_from_der
from .._openssl.inputs import CertificateInput, CRLInput, any_certificate, crls
from ..context import Context
from ..context.deadline import OnWait
from ..context.polling import Exchange
from ..errors import ProtectionError
from . import settings
from .settings import optional

if TYPE_CHECKING:
    from ..context.general import CertReqTemplate, RootCAUpdate
    from ..message.bodyparts import AlgorithmIdentifier

_T = TypeVar("_T")


def _genm(
    itavs: Iterable[InfoTypeAndValue] | InfoTypeAndValue, context: Context
) -> Exchange[list[InfoTypeAndValue]]:
    for itav in settings.itavs("itavs", itavs):
        context.push_genm_itav(itav)
    return context.polling.exchanges.genm()


class GeneralMessages:
    """What a client may ask for besides certificates.

    All raise what :meth:`osslcmp.Client.ir` raises, and take ``on_wait`` as :meth:`genm` does.
    """

    def _ask(self, send: Callable[[Context], Exchange[_T]], on_wait: OnWait | None) -> _T:
        raise NotImplementedError

    def _question(
        self, itav: InfoTypeAndValue, read: Callable[[list[InfoTypeAndValue]], _T], on_wait: OnWait | None
    ) -> _T:
        """Send one item and read the answer."""
        return self._ask(lambda context: _genm(itav, context).then(read), on_wait)

    def genm(
        self, itavs: Iterable[InfoTypeAndValue] | InfoTypeAndValue = (), *, on_wait: OnWait | None = None
    ) -> list[InfoTypeAndValue]:
        """General message (``OSSL_CMP_exec_GENM_ses``, 3.0): sends items, returns those of the answer.

        Takes :class:`osslcmp.InfoTypeAndValue` items of any kind. If the server delays its answer, this polls, at most
        ``total_timeout`` seconds, and calls ``on_wait`` with an :class:`osslcmp.Progress` before each sleep (OpenSSL 3.3
        or later: before, a delayed answer is an error).
        """
        return self._ask(partial(_genm, itavs), on_wait)

    def ca_certs(self, *, on_wait: OnWait | None = None) -> list[x509.Certificate]:
        """CA certificates that the server hands out: ``caCerts``, on any release.

        Trust them only as far as the protection of the answer and your own decision go.
        """
        from .. import general

        return self._question(InfoTypeAndValue(general.CA_CERTS), general.ca_certs_of, on_wait)

    def root_ca_update(
        self,
        old: CertificateInput | None,
        *,
        accept: Callable[[RootCAUpdate], object],
        on_wait: OnWait | None = None,
    ) -> RootCAUpdate | None:
        """The root CA certificate that follows ``old`` (``OSSL_CMP_get1_rootCaKeyUpdate``, 3.2).

        OpenSSL verifies it with ``old`` as far as the transition certificates that came with it allow; whether to
        trust it is your decision: ``accept`` gets the :class:`osslcmp.RootCAUpdate` and must return true. Returns the
        update, ``None`` if the server has none. Raises :class:`osslcmp.ProtectionError` if it is not accepted,
        :class:`osslcmp.UnsupportedError` before 3.2.
        """
        if not callable(accept):
            raise TypeError(f"accept: a callable, not {type(accept).__name__}")

        def accepted(update: RootCAUpdate | None) -> RootCAUpdate | None:
            if update is not None and not accept(update):
                raise ProtectionError("root_ca_update: the new root CA certificate was not accepted")
            return update

        from ..context.general import root_ca_update

        known = optional(partial(any_certificate, "old"), old)
        return self._ask(
            lambda context: (
                context.polling.exchanges.root_ca_key_update(known).then(root_ca_update).then(accepted)
            ),
            on_wait,
        )

    def crl_update(
        self,
        *,
        certificate: CertificateInput | None = None,
        last_crl: CRLInput | None = None,
        on_wait: OnWait | None = None,
    ) -> x509.CertificateRevocationList | None:
        """A CRL newer than ``last_crl``, or the one for ``certificate`` (``OSSL_CMP_get1_crlUpdate``, 3.4).

        ``None`` if there is none. Verify it before use: OpenSSL does not. Raises :class:`osslcmp.UnreadableCRLError`
        for one that only OpenSSL reads.
        """
        known = optional(partial(any_certificate, "certificate"), certificate)
        last = None if last_crl is None else next(iter(crls("last_crl", last_crl)), None)
        return self._ask(
            lambda context: context.polling.exchanges.crl_update(known, last).then(
                lambda found: None if found is None else crl_from_der(found)
            ),
            on_wait,
        )

    def cert_req_template(self, *, on_wait: OnWait | None = None) -> CertReqTemplate | None:
        """What the server wants in certificate requests (``OSSL_CMP_get1_certReqTemplate``, 3.4).

        ``None`` if it has no wishes.
        """
        return self._ask(lambda context: context.polling.exchanges.cert_req_template(), on_wait)

    def sign_key_pair_types(self, *, on_wait: OnWait | None = None) -> list[AlgorithmIdentifier]:
        """Algorithms of signature keys that the CA certifies: ``signKeyPairTypes``."""
        from .. import general

        kind = general.SIGN_KEY_PAIR_TYPES
        return self._question(InfoTypeAndValue(kind), partial(general.algorithms_of, kind=kind), on_wait)

    def enc_key_pair_types(self, *, on_wait: OnWait | None = None) -> list[AlgorithmIdentifier]:
        """Algorithms of encryption keys that the CA certifies: ``encKeyPairTypes``."""
        from .. import general

        kind = general.ENC_KEY_PAIR_TYPES
        return self._question(InfoTypeAndValue(kind), partial(general.algorithms_of, kind=kind), on_wait)

    def preferred_symm_alg(self, *, on_wait: OnWait | None = None) -> AlgorithmIdentifier | None:
        """Symmetric algorithm that the server prefers: ``preferredSymmAlg``."""
        from .. import general

        kind = general.PREFERRED_SYMM_ALG
        return self._question(InfoTypeAndValue(kind), partial(general.algorithm_of, kind=kind), on_wait)

    def key_pair_params(
        self, algorithm: x509.ObjectIdentifier | str, *, on_wait: OnWait | None = None
    ) -> AlgorithmIdentifier | None:
        """Parameters that keys of ``algorithm`` (an OID) shall have: ``keyPairParamReq``."""
        from .. import general

        read = partial(general.algorithm_of, kind=general.KEY_PAIR_PARAM_REP)
        return self._question(general.key_pair_param_request(algorithm), read, on_wait)

    def ca_prot_enc_cert(self, *, on_wait: OnWait | None = None) -> x509.Certificate | None:
        """Certificate to encrypt for the CA: ``caProtEncCert``."""
        from .. import general

        kind = general.CA_PROT_ENC_CERT
        return self._question(InfoTypeAndValue(kind), partial(general.certificate_of, kind=kind), on_wait)

    def ca_key_update_info(self, *, on_wait: OnWait | None = None) -> tuple[x509.Certificate, ...] | None:
        """The CA's key update as RFC 4210 had it: old with new, new with old, new with new. Not verified."""
        from .. import general

        return self._question(InfoTypeAndValue(general.CA_KEY_UPDATE_INFO), general.ca_key_update_of, on_wait)

    def current_crl(self, *, on_wait: OnWait | None = None) -> x509.CertificateRevocationList | None:
        """The CA's CRL: ``currentCRL``. Verify it before use."""
        from .. import general

        return self._question(InfoTypeAndValue(general.CURRENT_CRL), general.crl_of, on_wait)

    def supported_languages(self, tags: str | Iterable[str], *, on_wait: OnWait | None = None) -> list[str]:
        """Tell the languages one understands (RFC 5646 tags); returns what the server chose: ``suppLangTags``."""
        from .. import general

        return self._question(general.lang_tags(tags), general.lang_tags_of, on_wait)
