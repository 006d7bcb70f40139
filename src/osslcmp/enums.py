"""The named numbers of RFC 9810 and of OpenSSL's CMP API. Pure Python: imports nothing of ours."""

from __future__ import annotations

import enum


class PKIStatus(enum.IntEnum):
    """Status of a request: RFC 9810 from 0 up, below it where OpenSSL stands (``OSSL_CMP_PKISTATUS_*``, 3.0).

    ``rejected_by_client`` and ``checking_response`` exist from OpenSSL 3.5. A number that is not listed is
    accepted and named ``unknown_<n>``.
    """

    rejected_by_client = -5
    checking_response = -4
    request = -3
    trans = -2
    unspecified = -1
    accepted = 0
    grantedWithMods = 1
    rejection = 2
    waiting = 3
    revocationWarning = 4
    revocationNotification = 5
    keyUpdateWarning = 6

    @classmethod
    def _missing_(cls, value: object) -> PKIStatus | None:
        if not isinstance(value, int) or value.bit_length() > 64:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"unknown_{value}"
        member._value_ = value
        return member


class FailureInfo(enum.IntFlag):
    """PKIFailureInfo, RFC 9810 section 5.2.3 (``OSSL_CMP_CTX_FAILINFO_*``, 3.0). Bits combine."""

    badAlg = 1 << 0
    badMessageCheck = 1 << 1
    badRequest = 1 << 2
    badTime = 1 << 3
    badCertId = 1 << 4
    badDataFormat = 1 << 5
    wrongAuthority = 1 << 6
    incorrectData = 1 << 7
    missingTimeStamp = 1 << 8
    badPOP = 1 << 9
    certRevoked = 1 << 10
    certConfirmed = 1 << 11
    wrongIntegrity = 1 << 12
    badRecipientNonce = 1 << 13
    timeNotAvailable = 1 << 14
    unacceptedPolicy = 1 << 15
    unacceptedExtension = 1 << 16
    addInfoNotAvailable = 1 << 17
    badSenderNonce = 1 << 18
    badCertTemplate = 1 << 19
    signerNotTrusted = 1 << 20
    transactionIdInUse = 1 << 21
    unsupportedVersion = 1 << 22
    notAuthorized = 1 << 23
    systemUnavail = 1 << 24
    systemFailure = 1 << 25
    duplicateCertReq = 1 << 26

    def __str__(self) -> str:
        names = [bit.name or "" for bit in FailureInfo if self & bit]
        rest = int(self) & ~((1 << 27) - 1)
        if rest:
            names.append(hex(rest))
        return ", ".join(names) or "none"


class BodyType(enum.IntEnum):
    """Type of a PKIMessage body (``OSSL_CMP_PKIBODY_*``, 3.0)."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    POPDECC = 5
    POPDECR = 6
    KUR = 7
    KUP = 8
    KRR = 9
    KRP = 10
    RR = 11
    RP = 12
    CCR = 13
    CCP = 14
    CKUANN = 15
    CANN = 16
    RANN = 17
    CRLANN = 18
    PKICONF = 19
    NESTED = 20
    GENM = 21
    GENP = 22
    ERROR = 23
    CERTCONF = 24
    POLLREQ = 25
    POLLREP = 26


IR = BodyType.IR
"""Initialization request: an end entity's first."""
CR = BodyType.CR
"""Certification request: a further certificate."""
P10CR = BodyType.P10CR
"""Certification request by a PKCS#10 CSR."""
KUR = BodyType.KUR
"""Key update request: renew a certificate."""


class Option(enum.IntEnum):
    """Options of ``OSSL_CMP_CTX_set_option`` (3.0 unless noted)."""

    LOG_VERBOSITY = 0
    """A :class:`Severity`; beyond it nothing is logged."""
    KEEP_ALIVE = 10
    """HTTP connection: 0 close after each message, 1 keep if the server agrees, 2 require."""
    MSG_TIMEOUT = 11
    """Seconds for one message and its answer; 0: no limit."""
    TOTAL_TIMEOUT = 12
    """Seconds for a whole transaction; 0: no limit."""
    USE_TLS = 13
    """Use the HTTP callback for TLS (3.2)."""
    VALIDITY_DAYS = 20
    """Days of validity asked for; 0: not asked."""
    SUBJECTALTNAME_NODEFAULT = 21
    """Do not take SANs from the reference certificate."""
    SUBJECTALTNAME_CRITICAL = 22
    """Ask for SANs as a critical extension."""
    POLICIES_CRITICAL = 23
    """Ask for certificate policies as a critical extension."""
    POPO_METHOD = 24
    """A :class:`POPOMethod`."""
    IMPLICIT_CONFIRM = 25
    """Ask the server for implicit confirmation."""
    DISABLE_CONFIRM = 26
    """Send no confirmation even if the server did not grant it: breaks the protocol."""
    REVOCATION_REASON = 27
    """A :class:`RevocationReason`."""
    UNPROTECTED_SEND = 30
    """Send messages without protection."""
    UNPROTECTED_ERRORS = 31
    """Accept negative answers without or with wrong protection."""
    OWF_ALGNID = 32
    """NID of the hash in password-based MAC."""
    MAC_ALGNID = 33
    """NID of the MAC in password-based MAC."""
    DIGEST_ALGNID = 34
    """NID of the hash for signatures."""
    IGNORE_KEYUSAGE = 35
    """Do not ask for digitalSignature in the key usage of the answer's signer."""
    PERMIT_TA_IN_EXTRACERTS_FOR_IR = 36
    """Trust a self-signed certificate in the answer to a MAC-protected ir: 3GPP TS 33.310."""
    NO_CACHE_EXTRACERTS = 37
    """Do not keep received extraCerts for later messages (3.3)."""


class POPOMethod(enum.IntEnum):
    """How possession of the new private key is proved (``OSSL_CRMF_POPO_*``, 3.0)."""

    NONE = -1
    RAVERIFIED = 0
    SIGNATURE = 1
    KEYENC = 2
    KEYAGREE = 3


class PublicationMethod(enum.IntEnum):
    """By what a certificate is to be published (``OSSL_CRMF_PUB_METHOD_*``, 3.0)."""

    dontCare = 0
    x500 = 1
    web = 2
    ldap = 3


class RevocationReason(enum.IntEnum):
    """CRL reason (RFC 5280); ``none`` leaves it out of the request (``CRL_REASON_*``, 3.0)."""

    none = -1
    unspecified = 0
    keyCompromise = 1
    cACompromise = 2
    affiliationChanged = 3
    superseded = 4
    cessationOfOperation = 5
    certificateHold = 6
    removeFromCRL = 8
    privilegeWithdrawn = 9
    aACompromise = 10

    @classmethod
    def _missing_(cls, value: object) -> RevocationReason | None:
        """``x509.ReasonFlags`` of ``cryptography`` and names, such as ``"superseded"``, mean the member of that name."""
        name = value.value if isinstance(value, enum.Enum) else value
        return cls.__members__.get(name) if isinstance(name, str) else None


class Severity(enum.IntEnum):
    """Level of a log message (``OSSL_CMP_LOG_*``, 3.0); lower is more severe."""

    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7
    TRACE = 8
