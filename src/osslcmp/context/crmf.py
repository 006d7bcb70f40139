"""A certificate request message (CRMF, RFC 4211) of one's own, for what the context's setters cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._arguments import checked, text_fault
from .._asn1 import der, oids
from .._asn1.publication import PublicationInfo, PublicationPlace
from .._lazy import key_types, x509
from .._openssl import convert
from .._openssl.errorqueue import check, clear, drain
from .._openssl.keys import is_public
from .._openssl.lib import NULL, ffi, lib
from .._openssl.name_texts import encode_name
from .._openssl.ownership import own, release
from ..enums import POPOMethod, PublicationMethod
from ..errors import RequestError

if TYPE_CHECKING:
    from ..message.bodyparts import CertRequest

#: Octets of a text in a control, more than anybody needs.
_LONGEST_TEXT = 1 << 16


class CertReqMsg:
    """``OSSL_CRMF_MSG``: a certificate template with its proof of possession.

    Comes from :meth:`osslcmp.Context.setup_crm`, from DER (:meth:`from_der`), or from a template alone
    (:meth:`from_template`), and goes to :meth:`osslcmp.Context.exec_certreq` or ``Client.ir(crm=...)``.

    Its controls and regInfo are set each by a method, once, and before the proof of possession, which is over the controls,
    too. What they are is read from :attr:`request`.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @classmethod
    def from_der(cls, der: bytes) -> CertReqMsg:
        """From the DER of a CertReqMsg (``d2i_OSSL_CRMF_MSG``, 3.0). ``ValueError`` if it is none."""
        if not isinstance(der, (bytes, bytearray)):
            raise TypeError(f"certificate request message: DER as bytes, not {type(der).__name__}")
        clear()
        data = ffi.from_buffer("unsigned char[]", der)
        cursor = ffi.new("const unsigned char **", data)
        pointer = lib.d2i_OSSL_CRMF_MSG(NULL, cursor, len(der))
        clear()
        if pointer == NULL:
            raise ValueError("certificate request message: does not decode")
        made = from_c(pointer)
        if cursor[0] != data + len(der):
            raise ValueError("certificate request message: there is data after it")
        return made

    @classmethod
    @checked
    def from_template(cls, template: bytes) -> CertReqMsg:
        """From the DER of a CertTemplate; needs :meth:`create_popo`. ``ValueError`` if it is none."""
        request = der.encode(der.SEQUENCE, der.encode_integer(0), template)
        return cls.from_der(der.encode(der.SEQUENCE, request))

    @property
    def der(self) -> bytes:
        """Its DER encoding (``i2d_OSSL_CRMF_MSG``, 3.0)."""
        return convert.to_der(lib.i2d_OSSL_CRMF_MSG, self._handle, "encoding a certificate request message")

    @property
    def handle(self) -> Any:
        """The raw ``OSSL_CRMF_MSG *``, valid as long as this object."""
        return self._handle

    @property
    def request(self) -> CertRequest:
        """What it says, controls and regInfo included. Raises ``ValueError`` for what cannot be read."""
        from .._asn1 import schema
        from ..message.bodyparts import CertRequest  # only here: it takes time to import

        return CertRequest.of(schema.decode(schema.CertReqMsg, self.der))

    # -- registration controls and registration info --------------------------------------------------------

    def set_registration_token(self, token: str) -> None:
        """regToken, a secret for one use (``OSSL_CRMF_MSG_set1_regCtrl_regToken``, 3.0). Raises ``ValueError``."""
        self._set_text("registration_token", lib.OSSL_CRMF_MSG_set1_regCtrl_regToken, token)

    def set_authenticator(self, authenticator: str) -> None:
        """authenticator, a lasting secret (``OSSL_CRMF_MSG_set1_regCtrl_authenticator``, 3.0). Raises ``ValueError``."""
        self._set_text("authenticator", lib.OSSL_CRMF_MSG_set1_regCtrl_authenticator, authenticator)

    def set_publication_info(self, info: PublicationInfo) -> None:
        """Whether and where to publish the certificate (``OSSL_CRMF_MSG_set1_regCtrl_pkiPublicationInfo``, 3.0).

        Raises ``ValueError`` for places of what is not to be published, and for a place without location: libcrypto has
        none of these.
        """
        setter = lib.OSSL_CRMF_MSG_set1_regCtrl_pkiPublicationInfo
        self._set_once("publication_info", setter, _publication_to_c(info))

    def set_protocol_encryption_key(self, key: key_types.PublicKeyTypes) -> None:
        """protocolEncrKey: encrypt the answer with it (``OSSL_CRMF_MSG_set1_regCtrl_protocolEncrKey``, 3.0).

        Raises ``ValueError`` if there is one already, :class:`osslcmp.OpenSSLError` for what OpenSSL knows no such key of.
        """
        if not is_public(key):
            raise TypeError(f"protocol_encryption_key: a public key object, not {type(key).__name__}")
        info = ffi.from_buffer("unsigned char[]", convert.public_key_info(key))
        setter = lib.OSSL_CRMF_MSG_set1_regCtrl_protocolEncrKey
        free = lib.X509_PUBKEY_free

        def decode(into: Any) -> Any:
            return lib.d2i_X509_PUBKEY(into, ffi.new("const unsigned char **", info), len(info))

        made = own(decode(NULL), free, "encoding a public key")
        self._set_once("protocol_encryption_key", setter, made)
        # X509_PUBKEY_dup (3.0 to 4.0) takes zero bits at the end of a key for unused ones: decoded again in its place.
        found = lib.OSSL_CRMF_MSG_get0_regCtrl_protocolEncrKey(self._handle)
        check(decode(ffi.new("X509_PUBKEY **", found)), "encoding a public key")

    def set_old_cert_id(self, issuer: x509.Name | str, serial: int) -> None:
        """oldCertID: the certificate to update (``OSSL_CRMF_MSG_set1_regCtrl_oldCertID``, 3.0).

        Raises ``ValueError`` if there is one already, as in what ``setup_crm(for_kur=True)`` makes.
        """
        name, number = convert.encoded_name_to_c(encode_name(issuer, "issuer")), convert.integer_to_c(serial)
        made = own(lib.OSSL_CRMF_CERTID_gen(name, number), lib.OSSL_CRMF_CERTID_free, "naming a certificate")
        self._set_once("old_cert_id", lib.OSSL_CRMF_MSG_set1_regCtrl_oldCertID, made)

    def set_utf8_pairs(self, pairs: Mapping[str, str]) -> None:
        """utf8Pairs in regInfo: names and values (``OSSL_CRMF_MSG_set1_regInfo_utf8Pairs``, 3.0).

        Raises ``ValueError`` for an empty name, and for one that its form has no escape for.
        """
        from ..message.bodyparts import write_pairs

        self._set_text("utf8_pairs", lib.OSSL_CRMF_MSG_set1_regInfo_utf8Pairs, write_pairs(pairs))

    @checked
    def set_cert_request(self, other: CertReqMsg) -> None:
        """certReq in regInfo: what an RA was asked with (``OSSL_CRMF_MSG_set1_regInfo_certReq``, 3.0).

        It is taken without its proof of possession and its own regInfo.
        """
        # There is no public decoder of a CertRequest. libcrypto finds a regInfo among the controls (up to 4.0), and where
        # it belongs if that is ever mended.
        request = der.sequence(other.der)[0].encoding
        attribute = der.encode(der.SEQUENCE, der.encode_oid(oids.CERT_REQ), request)
        attributes = der.encode(der.SEQUENCE, attribute)
        around = der.encode(der.SEQUENCE, der.encode_integer(0), der.encode(der.SEQUENCE), attributes)
        holder = CertReqMsg.from_der(der.encode(der.SEQUENCE, around, attributes))
        found = lib.OSSL_CRMF_MSG_get0_regInfo_certReq(holder.handle)
        self._set_once("cert_request", lib.OSSL_CRMF_MSG_set1_regInfo_certReq, found)

    def _set_text(self, what: str, setter: Callable[[Any, Any], int], value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{what}: a str, not {type(value).__name__}")
        if fault := text_fault(value):
            raise ValueError(f"{what}: {fault}")
        data = value.encode()
        if not 0 < len(data) <= _LONGEST_TEXT:
            raise ValueError(f"{what}: 1 to {_LONGEST_TEXT} octets, not {len(data)}")
        string = own(lib.ASN1_UTF8STRING_new(), lib.ASN1_UTF8STRING_free, "making a text")
        check(lib.ASN1_STRING_set(string, data, len(data)), "making a text")
        self._set_once(what, setter, string)

    def _set_once(self, what: str, setter: Callable[[Any, Any], int], value: Any) -> None:
        """C adds another one."""
        if getattr(self.request, what) is not None:
            raise ValueError(f"{what}: there is one already")
        clear()
        check(setter(self._handle, value), f"setting {what}")

    # -- what else is not in the context ----------------------------------------------------------------------

    def set_validity(self, not_before: datetime | None, not_after: datetime | None) -> None:
        """Ask for a validity period; ``None`` leaves an end open (``OSSL_CRMF_MSG_set0_validity``, 3.0).

        Times without a zone are UTC. The proof of possession must be created after it.
        """
        first, last = _time("not_before", not_before), _time("not_after", not_after)
        if not_before is not None and not_after is not None and not_after <= not_before:
            raise ValueError("not_after: is not after not_before")
        clear()
        for time in (first, last):
            if time != NULL:
                # Before: a signal handler may raise when C has them. It fails only without memory.
                release(time)
        check(lib.OSSL_CRMF_MSG_set0_validity(self._handle, first, last), "setting the validity")

    @checked
    def create_popo(
        self, method: POPOMethod | int, key: key_types.PrivateKeyTypes | None = None, digest: str = "sha256"
    ) -> None:
        """Prove possession of ``key`` (``OSSL_CRMF_MSG_create_popo``, 3.0).

        ``key`` is needed for a signature only. Raises :class:`osslcmp.RequestError` if the proof cannot be made,
        which from 3.2 on includes a key that does not fit the template; OpenSSL 3.0 leaves that to the server.
        """
        if method not in POPOMethod.__members__.values():
            raise ValueError(f"method: a POPOMethod, not {method!r}")
        handle = NULL if key is None else convert.key_to_c(key)
        create_popo(self._handle, method, handle, digest)


def from_c(pointer: Any) -> CertReqMsg:
    """Of a new ``OSSL_CRMF_MSG *``, which it owns."""
    return CertReqMsg(own(pointer, lib.OSSL_CRMF_MSG_free, "making a certificate request message"))


def create_popo(crm: Any, method: int, key: Any, digest: str) -> None:
    """Put the proof of possession of an ``EVP_PKEY *`` (or NULL) into an ``OSSL_CRMF_MSG *``."""
    clear()
    md = lib.EVP_get_digestbyname(digest.encode())
    if md == NULL:
        raise ValueError(f"digest: OpenSSL knows no {digest!r}")
    if lib.OSSL_CRMF_MSG_create_popo(method, crm, key, md, NULL, NULL) != 1:
        raise RequestError("creating the proof of possession", drain())


def _publication_to_c(info: PublicationInfo) -> Any:
    """An ``OSSL_CRMF_PKIPUBLICATIONINFO *``."""
    if not isinstance(info, PublicationInfo):
        raise TypeError(f"publication_info: an osslcmp.PublicationInfo, not {type(info).__name__}")
    if info.places and not info.publish:
        raise ValueError("publication_info: what is not to be published has no places")
    free = lib.OSSL_CRMF_PKIPUBLICATIONINFO_free
    made = own(lib.OSSL_CRMF_PKIPUBLICATIONINFO_new(), free, "making a publication info")
    check(lib.OSSL_CRMF_MSG_set_PKIPublicationInfo_action(made, int(info.publish)), "setting its action")
    for place in info.places:
        one = _place_to_c(place)
        release(one)  # before: a signal handler may raise when C has it
        check(lib.OSSL_CRMF_MSG_PKIPublicationInfo_push0_SinglePubInfo(made, one), "adding a place")
    return made


def _place_to_c(place: PublicationPlace) -> Any:
    """An ``OSSL_CRMF_SINGLEPUBINFO *``."""
    if place.location is None:
        raise ValueError("publication_info: a place needs a location in OpenSSL")
    method = int(PublicationMethod(place.method))
    location = convert.general_name_to_c(place.location)
    one = own(lib.OSSL_CRMF_SINGLEPUBINFO_new(), lib.OSSL_CRMF_SINGLEPUBINFO_free, "making a place")
    release(location)
    check(lib.OSSL_CRMF_MSG_set0_SinglePubInfo(one, method, location), "setting a place")
    return one


def _time(what: str, moment: datetime | None) -> Any:
    """An ``ASN1_TIME *``, NULL for ``None``."""
    if moment is None:
        return NULL
    if not isinstance(moment, datetime):
        raise TypeError(f"{what}: a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return own(lib.ASN1_TIME_set(NULL, int(moment.timestamp())), lib.ASN1_TIME_free, f"setting {what}")
