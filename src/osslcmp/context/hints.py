"""What to do about a failure: one table, for the exceptions and for the command.

Where a hint names an argument of :class:`osslcmp.Client`, it names the option of ``osslcmp cmp`` beside it, as in
``{secret=|-secret}``. docs/troubleshooting.md has all of them, with what leads to each.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from .. import errors
from .._openssl.errorqueue import has_reason
from ..enums import FailureInfo
from ..errors import CMPError, ConfirmError, RejectedError

_E = TypeVar("_E", bound=BaseException)
_NAMES = re.compile(r"\{([^|}]*)\|([^}]*)\}")


@dataclass(frozen=True)
class _Failure:
    """A failure as the conditions of the hints see it."""

    error: CMPError
    text: str
    by_secret: bool
    """Whether a shared secret protects the requests."""

    def queued(self, *reasons: str) -> bool:
        """Whether libcrypto has queued one of these reasons of its CMP library."""
        return has_reason(getattr(self.error, "errors", ()), *reasons)

    def says(self, pattern: str) -> bool:
        """Whether the text has it; case does not count."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None

    def failed(self, *names: str) -> bool:
        """Whether the server has named one of these failures."""
        error = self.error.rejected if isinstance(self.error, ConfirmError) else self.error
        return isinstance(error, RejectedError) and any(
            FailureInfo[name] in error.failure_info for name in names
        )


@dataclass(frozen=True)
class Hint:
    """What to do about one kind of failure."""

    name: str
    """That of the section in docs/troubleshooting.md."""
    kind: type[CMPError]
    when: Callable[[_Failure], bool]
    text: str
    """A sentence for people."""

    def render(self, *, options: bool) -> str:
        """The sentence with the names of arguments, or of the command's options."""
        return _NAMES.sub(r"\2" if options else r"\1", self.text).replace("{clock}", _clock())


def _clock() -> str:
    return f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


_NO_HOST = r"lookup returned nothing|name or service not known|name resolution|nodename nor servname"
_NO_WAY = rf"connection refused|unreachable|no route to host|{_NO_HOST}"
_PROXY = r"proxy=\S+, server=|by the proxy \S+: "
_REFUSED_US = (
    r"unproven answer: rejection[^;]*"
    r"(badMessageCheck|signerNotTrusted|wrongIntegrity|wrong pbm|missing secret|no suitable)"
)
#: What web servers, and libraries that read an alert, say to who comes without TLS.
_TLS_WANTED = (
    r"does the server want https|use https|plain HTTP|HTTP request to an HTTPS|requires TLS|illegal request line|"
    r"BadStatusLine\('\\x15"
)
#: By the name of a hint, when it fits, where the table does not say it.
_CONDITIONS: dict[str, Callable[[_Failure], bool]] = {
    "no-such-host": lambda failure: failure.says(_NO_HOST) and not failure.says(_PROXY),
    "proxy-unreachable": lambda failure: failure.says(_NO_WAY) and failure.says(_PROXY),
    "https-wanted": lambda failure: (
        failure.says(_TLS_WANTED)
        or re.search(_TLS_WANTED.encode(), getattr(failure.error, "body", b""), re.IGNORECASE) is not None
    ),
    "wrong-secret": lambda failure: (
        failure.queued("WRONG_PBM_VALUE") or (failure.by_secret and failure.says(_REFUSED_US))
    ),
    "signature-refused": lambda failure: not failure.by_secret and failure.says(_REFUSED_US),
    "damaged": lambda failure: (
        failure.queued("ERROR_VALIDATING_SIGNATURE") and not failure.says(r"unknown .*algorithm")
    ),
    "not-confirmed": lambda failure: getattr(failure.error, "rejected", None) is not None,
    "wants-signature": lambda failure: failure.by_secret and failure.failed("wrongIntegrity"),
    "secret-refused": lambda failure: failure.by_secret and failure.failed("badMessageCheck"),
    "signer-refused": lambda failure: (
        failure.failed("badMessageCheck", "wrongIntegrity", "signerNotTrusted")
        or failure.says("no suitable sender cert")
    ),
}

#: By exception, each hint's name and when it fits, and below that what to do: the first that fits is taken. ``says``: the
#: text of the exception has this regular expression; ``queued``: libcrypto has queued one of these reasons of its CMP
#: library; ``failed``: the server has named one of these failures. Without any: ``_CONDITIONS`` says it, or it always fits.
_TABLE = r"""
= CMPError: our certificate
own-certificate-time: says rejection[^;]*certificate (has expired|is not yet valid)
    Our certificate, or one above it, is not valid as the server sees it; the clock here says {clock}: if that is
    right, renew {certificate=|-cert}, or enrol anew under a shared secret
= TransferError: no connection
no-such-host:
    No address is known for that host: check its spelling in {server|-server} and the DNS here; behind a firewall
    give {proxy=|-proxy}
proxy-unreachable:
    It is the proxy that is not there, not the server: check {proxy=|-proxy} and the variables http_proxy and
    https_proxy; a server that needs no proxy is named in {no_proxy=|-no_proxy}
connection-refused: says connection refused
    Nothing listens there: check host and port of {server|-server} and of {proxy=|-proxy}, and whether the server is
    running
unreachable: says unreachable|no route to host|cannot assign requested address
    There is no way to that address from here: check {server|-server} and the network; behind a firewall give
    {proxy=|-proxy}
proxy-login: says HTTP status 407
    The proxy wants a login: {proxy='http://USER:PASSWORD@HOST:PORT'|-proxy http://USER:PASSWORD@HOST:PORT}; a
    server that needs no proxy is named in {no_proxy=|-no_proxy}
proxy-refuses: says the proxy answers HTTP status|proxy=\S+, server=|by the proxy \S+: (\d\d\d |.*tunnel connection failed)
    The proxy does not lead there: check {proxy=|-proxy}; a server that needs none is named in {no_proxy=|-no_proxy}
= TransferError: TLS
https-wanted:
    If the server speaks HTTPS, say so: {an https:// URL|-tls_used}
http-wanted: says wrong version number|packet length too long|record layer failure
    What answers there speaks no TLS: check the port, or take {an http:// URL|away -tls_used}
tls-name: says (hostname|IP address) mismatch
    The TLS certificate is for other names than the one that was asked for: write {server|-server} as the
    certificate says, or name the one that it must have: {tls=TLS(host=)|-tls_host}
tls-time: says certificate verif.*(has expired|not yet valid)
    The clock here says {clock}: if that is right, the server needs a new TLS certificate
tls-issuer: says certificate verif.*(unable to get (local )?issuer|self.signed|unable to verify the first)
    Its TLS certificate leads to no root that is trusted for TLS: give that in {tls=|-tls_trusted};
    {trusted=|-trusted} is for CMP messages alone. A server that does not send its whole chain needs the CA
    certificates between, too
tls-certificate: says certificate verif
    Its TLS certificate does not meet what is asked of it: see {tls=|-tls_trusted}
tls-client-unknown: says alert unknown ca|alert number 48|alert bad certificate|alert number 42
    The server does not know who issued our TLS certificate: send the CA certificates between it and the server's
    root, too: {tls=TLS(chain=)|-tls_extra}
tls-client-time: says alert certificate expired|alert number 45
    Our TLS certificate has expired, as the server sees it: {tls=TLS(certificate=, key=)|-tls_cert and -tls_key};
    the clock here says {clock}
tls-client-needed: says alert certificate required|alert number 116|handshake failure|alert number 40\b
    The server wants a TLS certificate of ours: {tls=TLS(certificate=, key=)|-tls_cert and -tls_key}; if there is
    one, the two sides have no cipher or signature algorithm in common
tls-version: says protocol version|alert number 70|unsupported protocol
    The two sides have no version of TLS in common: {see minimum_version of tls=TLS()|TLS 1.2 is the least}
= TransferError: HTTP
redirect: says HTTP status 3\d\d
    The server sends the request elsewhere, which is not followed: if that address is right, give it as {server;
    transport=HttpxTransport(url, redirects=1) follows 307 and 308 on the same host|-server}
not-found: says HTTP status (404|405|410)
    The server knows no CMP by that path: the usual one is /.well-known/cmp, that of EJBCA
    /ejbca/publicweb/cmp/ALIAS; see {the path of server|-path and -server}
http-login: says HTTP status 40[013]
    The web server does not let the request pass; it may want a login, or a TLS certificate: {tls=TLS(certificate=,
    key=), or a transport that sends what it wants: transport=HttpxTransport(url, auth=)|-tls_cert and -tls_key}
too-large: says HTTP status 413
    The request is too large for the web server: send fewer certificates in {extra_certs= and chain=|-extracerts and
    -untrusted}, or raise the limit there
busy: says HTTP status (429|5\d\d)
    The server, or a proxy before it, cannot answer now: try again later, and look into its log
chunked: says Transfer-Encoding.*HTTP/1.0 client
    OpenSSL's HTTP client reads no chunks: {transport=HttpxTransport(url) does|let the server, or the proxy before
    it, send a Content-Length}
compressed: says Content-Encoding (x-)?gzip(?!, (?!which))
    OpenSSL's HTTP client reads nothing that is compressed: {transport=HttpxTransport(url) does|let the server, or
    the proxy before it, send it as it is}
coding: says (Content|Transfer)-Encoding
    No client here reads that coding: let the server, or the proxy before it, send the answer as it is
content-type: says content type|header parse error|missing asn1|asn1 parse|not HTTP|status ?line|bad object header|no DER
    What answers there is no CMP server, but perhaps a web page or a proxy: check host, port and path of
    {server|-server}, and {proxy=|-proxy}
too-long: says max resp len exceeded|response is longer
    The answer is longer than what is taken: {allow more by max_response_length=|100 KiB, as in OpenSSL}
bad-http: says content.length|(header|response) line|multiple unmatching|without a pending|more than \d+ headers
    What comes breaks the rules of HTTP, so that nobody knows where it ends: look at the server, and what is between.
    {Client(trace=osslcmp.Trace())|-trace FILE} shows it
closed: says closed while|connection (reset|broken)|broken pipe|response is empty|disconnected|(remote|peer).* closed
    The server has hung up without an answer: look into its log, and check the port of {server|-server}
= TransferTimeout: time
still-waiting: says still waiting|while the server said 'waiting'|POLLREQ.*total timeout
    The server has the request and needs longer: {go on with .transaction, or keep its dump() for later;
    total_timeout= is what was waited|give it more -total_timeout}
timeout:
    No answer came in time: check {server|-server} and {proxy=|-proxy}, whether a firewall swallows what is sent,
    and {message_timeout=|-msg_timeout}
= ProtectionError: who has answered
wrong-secret:
    Both sides must have the same secret under the same reference: check {reference= and secret=|-ref and -secret},
    also for a line end or space that belongs to neither
signature-refused:
    The server does not take our signature: check {certificate= and key=|-cert and -key}, and send the CA
    certificates above it: {chain=|-untrusted or -extracerts}
mac-refused: says unproven answer: rejection[^;]*badAlg
    The server does not take an algorithm of our protection: see {digest=, mac= and owf=|-digest and -mac}
sender-kind: queued SENDER_GENERALNAME_TYPE_NOT_SUPPORTED
    The sender in the answer's header is no distinguished name (directoryName) but an e-mail address, URI or the
    like, which OpenSSL does not take there: the server has to name itself by the subject of its CMP certificate
unproven-refusal: says unproven answer: rejection
    What the server says is not proven, but mostly true; its signature proves it with {trusted=|-trusted}
missing-trust-anchor: queued MISSING_TRUST_ANCHOR MISSING_TRUST_STORE
    The answer is signed, and nobody is trusted for that: give the root above the server's certificate in
    {trusted=|-trusted}; what comes in extraCerts is no trust
missing-secret: queued MISSING_SECRET
    The answer is protected by a shared secret, and none is given: {secret= and reference=|-secret and -ref}
missing-protection: queued MISSING_PROTECTION
    Nothing proves whom the answer is from; error messages alone are taken like that, with
    {unprotected_errors=True|-unprotected_errors}
unexpected-sender: says unexpected sender
    Somebody else has answered than {expected_sender= or server_certificate= says|-expect_sender, -recipient or
    -srvcert says}: the name must be that of the server's CMP certificate, part by part in its order
pinned-certificate: queued SRVCERT_DOES_NOT_VALIDATE_MSG
    The answer is not signed with {server_certificate=|-srvcert}: if the server has a new certificate, give that, or
    the root above it in {trusted=|-trusted} instead
signer-purpose: says see server_usage
    If its owner may answer as the server, say so by {server_usage=|another certificate there}
signer-key-usage: says missing key usage digitalsignature
    The server needs a certificate for signatures; to take this one all the same:
    {ignore_key_usage=True|-ignore_keyusage}
signer-revoked: says certificate revoked|certificate CRL|CRL has expired|CRL is not yet valid
    Revocation is looked at because CRLs are given: each certificate that is checked needs a current one of its
    issuer, and must not be on it
signer-time: says has expired|not yet valid
    The clock here says {clock}: if that is right, the server needs a new certificate
signer-unknown: says unable to get (local )?issuer|self.signed|unable to verify the first|issuer certificate
    The server's certificate leads to no root in {trusted=|-trusted}: give the root above it there, and what lies
    between in {untrusted=|-untrusted}; or pin the server by {server_certificate=|-srvcert}
sender-differs: says no certificate (that )?came with it|but the certificate with its key identifier is for
    The certificate of who signed is not at hand: give it in {untrusted= or server_certificate=|-untrusted or
    -srvcert}, or let the server send it in extraCerts, under the very name that it has there
sender-kid-differs: says the certificate for .* has .* as key identifier
    The server names another key than that of its certificates: give the one that it signs with in {untrusted= or
    server_certificate=|-untrusted or -srvcert}; it may have got a new one
damaged:
    The answer has been changed on its way, or is not signed with the key of the certificate that it names
no-signer:
    Check {trusted= and untrusted=|-trusted and -untrusted}, or give the server's certificate by
    {server_certificate=|-srvcert}; OpenSSL verifies signatures and password-based MACs alone
= ResponseError: what the answer is
not-to-this-request: queued TRANSACTIONID_UNMATCHED RECIPNONCE_UNMATCHED
    This is the answer to another request: a cache or proxy may have kept it, or the server mixes up its
    transactions
other-version: queued UNEXPECTED_PVNO
    The server answers in a version of CMP that this OpenSSL does not read: it reads 2 (cmp2000) and, from OpenSSL
    3.2 on, 3 (cmp2021)
limit: says exceeds the limit
    The answer carries more than is taken from a server{: allow more by limits=Limits()|}
unexpected-answer:
    The server does not keep to the protocol here, or answers another kind of request by this path: its operator has
    to see to it; {Client(trace=osslcmp.Trace())|-trace FILE} shows what came
= ConfirmError: the server refuses
not-confirmed:
    The certificate exists at the CA, which has taken the confirmation for wrong: do not use it, and ask anew
other-key: says key values mismatch|does not match our enrollment key
    The CA has certified another key than ours. The certificate exists there: revoke it, and check {key=|-newkey}
    and the CA
not-accepted:
    The certificate exists at the CA: revoke it if it is not wanted; what it had to meet is {check=, confirm= and
    confirm_trusted=|-out_trusted and -newkey}
= RejectedError
wants-protection: says missing protection
    The server takes no requests without protection: give {reference= and secret=, or certificate= and key=|-ref and
    -secret, or -cert and -key}
own-certificate-usage: says not for digital signatures
    The key usage of our certificate lacks digitalSignature: it signs no CMP messages; use another {certificate=|-cert}
wants-signature:
    The server wants a signature: use {certificate= and key=|-cert and -key} instead of {secret=|-secret}
secret-refused:
    Both sides must have the same secret under the same reference: check {reference= and secret=|-ref and -secret}
signer-refused:
    The server does not take our certificate: check {certificate=, and send the CA certificates above it by
    chain=|-cert, and send the CA certificates above it by -untrusted or -extracerts}; the root of it must be
    trusted there
bad-time: failed badTime
    The clocks of both sides differ too much: the one here says {clock}
missing-subject: says popo missing subject
    The request has no subject: give {subject=|-subject}
bad-popo: failed badPOP
    The server wants proof that we have the private key: {key= must be the private key, and popo= what the server
    takes|-newkey must be the private key, and -popo what the server takes}
bad-algorithm: failed badAlg
    The server does not take an algorithm of the request: see {digest=, mac= and owf=|-digest and -mac}, and the
    kind and size of the key
bad-template: failed badCertTemplate unacceptedPolicy unacceptedExtension
    This certificate is not to be had there: ask for another {subject=, sans=, key, validity or profile=|-subject,
    -sans, -newkey, -days or -profile}
not-authorized: failed notAuthorized
    The server knows us, but does not let us have this: ask its operator, or use other credentials
unknown-certificate: failed badCertId certRevoked
    The certificate to update or revoke is not known to this server, or it or the signer's is revoked: check
    {certificate=|-oldcert} and the path of {server|-server}
try-later: failed systemUnavail systemFailure transactionIdInUse
    Try again later
refused:
    The server's words say why, and its log may say more; the same request gets the same answer
= RequestError: the request
key-of-another-certificate: queued CERT_AND_KEY_DO_NOT_MATCH
    {key=|-key} must be the private key of {certificate=|-cert}
request-algorithm:
    This OpenSSL cannot build or protect the request: check {the kind of the keys, digest= and mac=|-newkey, -key,
    -digest and -mac}
"""


def _read() -> Iterator[Hint]:
    kind: type[CMPError] = CMPError
    for name, rest in re.findall(r"^(= \w+|[\w-]+)(:.*\n(?: .*\n)*|\n)", _TABLE, re.MULTILINE):
        if name.startswith("= "):
            kind = getattr(errors, name[2:])
            continue
        condition, *text = (line.strip() for line in rest[1:].splitlines())
        yield Hint(
            name, kind, _CONDITIONS.get(name) or _condition(*condition.partition(" ")[::2]), " ".join(text)
        )


def _condition(what: str, words: str) -> Callable[[_Failure], bool]:
    if what == "says":
        return lambda failure: failure.says(words)
    if what == "queued":
        return lambda failure: failure.queued(*words.split())
    return lambda failure: not what or failure.failed(*words.split())


HINTS = tuple(_read())


def advise(error: _E, *, by_secret: bool = False, options: bool = False) -> _E:
    """Give a failure its hint, and return it.

    Args:
        error: the failure; others than :class:`osslcmp.CMPError` get none.
        by_secret: a shared secret protects the requests.
        options: name options of the command, not arguments.
    """
    if isinstance(error, CMPError):
        failure = _Failure(error, str(error.args[0]) if error.args else "", by_secret)
        hint = next((one for one in HINTS if isinstance(error, one.kind) and one.when(failure)), None)
        error.hint = "" if hint is None else hint.render(options=options)
    return error
