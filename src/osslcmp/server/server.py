"""Server: OpenSSL's CMP server engine for many clients at once.

The way of a message, each step a module or package that says what comes in and what goes out: ``http`` (a whole request) ->
``wire`` (its outer structure) -> ``checks`` (may it be, by the RFC?) -> ``steps`` (of which transaction, and which step of
it?) -> ``engine`` (libcrypto verifies, and calls back) -> ``handler`` (asks the ``authority``, which decides) ->
``answers`` -> ``transaction_store`` (what is to be remembered) -> ``http``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from cryptography import x509

from .._arguments import checked, positive
from .._asn1.x509_parts import public_key_info
from .._openssl import convert, inputs
from .._openssl.certificate_check import CertificateCheck
from .._openssl.keys import Password, check_pair, private_key
from .._openssl.public_keys import key_value
from .._text import get_logger
from ..enums import BodyType, FailureInfo
from ..limits import Limits
from . import bodies, messages, wire
from .answers import Answers
from .authority import Authority, Rejected
from .ca.client_crls import ClientCRLs
from .checks import costs
from .checks.rules import Checker, Stage, Strictness
from .checks.subject import CLOCK_TOLERANCE, CheckLimits, SenderTrust
from .configuration import Configuration
from .engine import Pool, Settings, try_protection
from .http import app, events, paths, serving
from .http.tls import ServerTLSInput
from .steps import TransactionSteps
from .transaction_store import MAX_TRANSACTIONS, TransactionStore
from .transactions import MAX_REMEMBERED
from .verification import refuse_unverified

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .http.asgi import ASGI

logger = get_logger("osslcmp.server")

MAX_MESSAGE_SIZE = 256 * 1024
TRANSACTION_TIMEOUT = 300.0


def _trust(clients: CertificateCheck, own: tuple[x509.Certificate, ...]) -> SenderTrust:
    """Whose certificates may sign messages. The authority's own CAs are no anchors for others."""
    keys = {key_value(public_key_info(certificate)) for certificate in own}
    anchors = inputs.any_certificates("trusted", clients.trusted)
    others = [one for one in anchors if key_value(public_key_info(one)) not in keys]
    return SenderTrust(own, replace(clients, trusted=others, partial_chain=True) if others else None)


def _conditions(
    trusted: inputs.CertificatesInput | CertificateCheck | None, before: CertificateCheck
) -> CertificateCheck:
    """Trust anchors, which may bring conditions; else they have those that there were before."""
    if isinstance(trusted, CertificateCheck):
        return trusted
    return replace(before, trusted=() if trusted is None else trusted)


class Server:
    """A CMP server (RFC 9810) over ``OSSL_CMP_SRV_CTX`` (3.0). May be used from many threads at once.

    An instance takes a message and returns the answer, both DER, so it can be a client's transport as it is.

    Args:
        authority: decides; see osslcmp.server.Authority.
        certificate: signs the server's messages. Without one, only clients with a shared secret are served.
        key: private key of the certificate; a key URI (``pkcs11:...``) too.
        key_password: decrypts the key or opens its token; a callable is asked for it.
        chain: certificates between that certificate and the root, sent along.
        trusted: roots below which a client's certificate must stand for its signature to count. An osslcmp.CertificateCheck
            brings them with conditions for the path: CRLs, policies, purpose, time, depth, partial chains and the like, and
            certificates that help to build it.
        send_unprotected_errors: do not protect refusals.
        accept_unprotected: process messages without valid protection. Dangerous.
        accept_raverified: accept that a registration authority vouches for proof of possession.
        sign_always: sign the answers to messages under a shared secret, too, so that a client which trusts the
            root need not trust everybody who knows the secret.
        grant_implicit_confirm: let clients skip the certConf that ask for it.
        max_message_size: bytes; more is not looked at.
        limits: what a message may carry, before anything of it is decoded or verified.
        max_transactions: that may be open at once, 3/4 of them of one client; more get ``systemUnavail``.
        max_remembered: requests that are remembered as long as they would be taken as fresh, so that none is taken
            twice, 3/4 of them of one client; more get ``systemUnavail``.
        transaction_timeout: seconds that an open transaction waits for its client, beyond the time it was
            told to wait.
        strictness: ``strict`` asks for what the Lightweight CMP Profile (RFC 9483) asks for, and tells the
            specific failInfo; ``rfc9810`` for what CMP itself asks for; ``openssl`` leaves it to libcrypto, which checks
            less and answers ``badRequest``. See ``server.checks.rules``.
        mac_policy: ``default`` takes what OpenSSL's clients send (HMAC-SHA1, 500 iterations) and at most 10,000
            iterations, ``strict`` neither MD5 nor SHA-1, fewer than 1,000 iterations or a salt of less than 8 octets
            (failInfo badAlg); or a ``server.checks.costs.MacPolicy``.
        key_sizes: by kind of key (``RSA``, ``DSA``, ``EC``) the least and the most bits that are certified, and the most
            in extraCerts; what is not named is as by default (2048 to 8192, 2048 to 4096, 224 to 571).
        transactions: where transactions are kept, with the limits of it; in memory by default.
        downloads: offer the CRL, root and issuer of an authority that has them by HTTP, too.
        client_crls: the CRLs of CAs that are not the authority's own, asked for the clients below their roots.
        clock_tolerance: seconds that the messageTime of a message may differ from the time here (``strict``).

    Raises:
        ValueError: key and certificate do not fit together, or one of them is missing, or this OpenSSL cannot protect
            messages with that key (3.0 not with Ed25519).
    """

    @checked
    def __init__(
        self,
        authority: Authority,
        *,
        certificate: inputs.CertificateInput | None = None,
        key: inputs.KeyInput | None = None,
        key_password: Password = None,
        chain: inputs.CertificatesInput | None = None,
        trusted: inputs.CertificatesInput | CertificateCheck | None = None,
        send_unprotected_errors: bool = False,
        accept_unprotected: bool = False,
        accept_raverified: bool = False,
        sign_always: bool = False,
        grant_implicit_confirm: bool = True,
        max_message_size: int = MAX_MESSAGE_SIZE,
        limits: Limits | None = None,
        max_transactions: int = MAX_TRANSACTIONS,
        max_remembered: int = MAX_REMEMBERED,
        transaction_timeout: float = TRANSACTION_TIMEOUT,
        strictness: Strictness = "strict",
        clock_tolerance: float = CLOCK_TOLERANCE,
        client_crls: ClientCRLs | None = None,
        mac_policy: costs.MacPolicy | costs.MacPolicyName = "default",
        key_sizes: costs.KeySizes | None = None,
        transactions: TransactionStore | None = None,
        downloads: bool = False,
    ) -> None:
        positive(
            max_message_size=max_message_size,
            transaction_timeout=transaction_timeout,
            clock_tolerance=clock_tolerance,
        )
        if not callable(getattr(authority, "issue", None)):
            raise TypeError(f"authority: an osslcmp.server.Authority, not {type(authority).__name__}")
        own = None if certificate is None else inputs.any_certificate("certificate", certificate)
        if (certificate is None) != (key is None):
            raise ValueError("certificate and key go together")
        private = None if key is None else private_key("key", key, key_password)
        if own is not None:
            check_pair(convert.cert_to_c(own), private)
        self.max_message_size = max_message_size
        self.limits = Limits() if limits is None else limits
        self._clients = _conditions(trusted, CertificateCheck(trusted=()))
        limits_of_rules = CheckLimits(
            clock_tolerance,
            costs.MacPolicy.of(mac_policy),
            costs.key_sizes(key_sizes),
            client_crls,
            sender_trust=self._sender_trust,
        )
        settings = Settings(
            certificate=own,
            key=private,
            chain=tuple(inputs.any_certificates("chain", chain)),
            send_unprotected_errors=send_unprotected_errors,
            accept_unprotected=accept_unprotected,
            accept_raverified=accept_raverified,
            grant_implicit_confirm=grant_implicit_confirm,
        )
        self._configuration = Configuration(
            authority, Pool(settings), Checker(strictness, limits_of_rules), sign_always, transaction_timeout
        )
        self._set_anchors()
        if own is not None:
            try_protection(self._configuration.pool)
        if sign_always and own is None:
            raise ValueError("sign_always: needs a certificate")
        self.answers = Answers(self._configuration)
        """Makes answers, for who changes or replaces them: see osslcmp.testing."""
        self.transactions = transactions or TransactionStore(max_transactions, max_remembered)
        """Where its transactions are kept."""
        self._steps = TransactionSteps(self._configuration, self.answers, self.transactions)
        self._downloads = downloads
        self._mounting = threading.RLock()
        self._asgi: ASGI | None = None

    @property
    def authority(self) -> Authority:
        """Decides."""
        return self._configuration.authority

    @authority.setter
    def authority(self, authority: Authority) -> None:
        self._configuration.authority = authority

    @property
    def transaction_timeout(self) -> float:
        """Seconds that an open transaction waits for its client, beyond the time it was told to wait."""
        return self._configuration.transaction_timeout

    @transaction_timeout.setter
    def transaction_timeout(self, seconds: float) -> None:
        self._configuration.transaction_timeout = seconds

    @property
    def certificate_der(self) -> bytes | None:
        """The certificate that signs the server's messages, DER."""
        own = self._configuration.pool.settings.certificate
        return None if own is None else convert.encoded(own)

    @property
    def certificate(self) -> x509.Certificate | None:
        """The same. Raises UnreadableCertificateError if only OpenSSL reads it."""
        own = self.certificate_der
        return None if own is None else convert.cert_from_der(own)

    @property
    def trusted(self) -> tuple[inputs.AnyCertificate, ...]:
        """The roots of the clients' certificates; DER (bytes) of those that only OpenSSL reads. A change counts from the
        next message on, in open transactions too; conditions stay, unless a CertificateCheck is assigned."""
        return tuple(inputs.certificates("trusted", self._clients.trusted))

    @trusted.setter
    def trusted(self, trusted: inputs.CertificatesInput | CertificateCheck) -> None:
        self._clients = _conditions(trusted, self._clients)
        self._set_anchors()

    def _set_anchors(self) -> None:
        """Set what libcrypto trusts. Above a CA that is trusted besides its root, it looks for no issuer elsewhere: so the
        authority's own, which are no roots and so no anchors, are there, too."""
        self._trust = lru_cache(maxsize=16)(partial(_trust, self._clients))
        trusted, pool = self.trusted, self._configuration.pool
        needed = trusted and not self._clients.partial_chain
        own = getattr(self.authority, "authorities", ()) if needed else ()
        issuers = (one for one in own if one.subject != one.issuer and one not in trusted)
        pool.settings = replace(pool.settings, clients=replace(self._clients, trusted=(*trusted, *issuers)))

    def _sender_trust(self) -> SenderTrust:
        """Whose certificates may sign messages."""
        return self._trust(tuple(getattr(self.authority, "authorities", ())))

    @property
    def open_transactions(self) -> int:
        """How many transactions wait for their clients or are being worked on."""
        return self.transactions.open_transactions

    def process(self, der: bytes, place: paths.Place = paths.Place()) -> bytes:  # noqa: B008  # immutable
        """Answer one message.

        Args:
            der: the PKIMessage, as DER.
            place: what the path says that it was sent to.

        Returns:
            The answer, as DER; often an error message.

        Raises:
            MalformedMessageError: it is no PKIMessage with a readable header, or beyond the limits, so that no
                answer is possible (a ValueError too).
        """
        message = self._receive(der)
        if message.body_type == BodyType.NESTED:
            return self._process_nested(message, place)
        return self._process_one(message, place)

    __call__ = process

    def _receive(self, der: bytes) -> wire.RawMessage:
        return wire.receive_message(der, self.max_message_size, self.limits)

    def _process_one(self, message: wire.RawMessage, place: paths.Place) -> bytes:
        if not self._configuration.rules.is_strict and message.body_type in wire.STARTS:
            message = message.with_assigned_id()
        return self.transactions.answer(message, lambda: self._answer(message, place))

    def _process_nested(self, message: wire.RawMessage, place: paths.Place) -> bytes:
        """Answer what a registration authority has put into one message: a message that it vouches for, or a batch, whose
        answers it gets in one, too (RFC 9483, section 5.2.2). Each is answered as if it had come by itself."""
        rules = self._configuration.rules
        problem = rules.broken(Stage.HEADER, message, place=place)
        if problem is None and not rules.explains:
            problem = Rejected(FailureInfo.badRequest, "libcrypto's server takes no nested messages")
        # What is in it proves itself.
        problem = problem or refuse_unverified(self._configuration, message, forwards=True)
        if problem is not None:
            return self.answers.reject(message, problem)
        try:
            inner = list(map(self._receive, bodies.nested_messages(message)))
        except wire.MalformedMessageError as error:
            return self.answers.refuse(message, FailureInfo.badDataFormat, f"a nested message: {error}")
        answers = [self._process_one(one, paths.Place(place.label)) for one in inner]
        if len(answers) == 1:
            return answers[0]
        return self.answers.compose(messages.nested(answers), message)

    def _answer(self, message: wire.RawMessage, place: paths.Place) -> bytes:
        """Answer a message that has been taken apart."""
        problem = self._configuration.rules.broken(Stage.HEADER, message, place=place)
        if problem is not None:
            return self.answers.reject(message, problem)
        return self._steps.answer(message, place)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The server as a WSGI application: CMP over HTTP (RFC 9811), on any path."""
        return app.wsgi(self._application(), environ, start_response)

    @property
    def asgi_app(self) -> ASGI:
        """The server as an ASGI application: CMP over HTTP (RFC 9811), on any path.

        Messages are worked on in threads of its own, which ``close`` ends.
        """
        with self._mounting:
            if self._asgi is None:
                from .http.asgi import ASGI

                self._asgi = ASGI(self._application())
            return self._asgi

    def _application(self, **options: Any) -> app.Application:
        """What it is over HTTP."""
        published = self.authority if self._downloads else None
        return app.Application(self.process, self.max_message_size, published, **options)

    @checked
    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        threads: int = app.THREADS,
        timeout: float = 10.0,
        request_time: float = app.REQUEST_TIME,
        tls: ServerTLSInput | None = None,
        reuse_port: bool = False,
        listener: socket.socket | None = None,
        observers: Sequence[events.Observer] = app.OBSERVERS,
        pages: Mapping[str, app.Page] | None = None,
    ) -> serving.RunningServer:
        """Answer over HTTP in background threads until stopped: ``with server.serve() as running:
        running.url``.

        Args:
            host: address to listen on.
            port: TCP port, 0 for a free one.
            threads: how many messages are worked on at once.
            timeout: seconds for an open connection to become a request: the handshake, silence and the header.
            request_time: seconds for a client to send the body, and to take the whole answer.
            tls: makes it HTTPS: a ServerTLS, or an ``ssl.SSLContext`` for servers.
            reuse_port: share the port with other processes that do so, too (``SO_REUSEPORT``).
            listener: a listening socket that this process shares with others, forked from one; then ``host``, ``port`` and
                ``reuse_port`` do not count. It is closed in the end.
            observers: are told of each message and its answer, see ``server.http.events``; by default the log.
            pages: by path, what else answers a GET, see ``server.http.app``.

        Raises:
            ImportError: tornado (the extra ``server``) is not installed.
            OSError: the address is not free.
            ValueError: a port, a limit or the TLS settings make no sense.
        """
        return serving.serve(
            self._application(observers=observers, pages=pages),
            host,
            port,
            threads=threads,
            timeout=timeout,
            request_time=request_time,
            tls=tls,
            reuse_port=reuse_port,
            listener=listener,
            tick=self.sweep,
        )

    @checked
    def take_over(
        self,
        running: serving.RunningServer,
        *,
        tls: ServerTLSInput | None = None,
        observers: Sequence[events.Observer] = app.OBSERVERS,
        pages: Mapping[str, app.Page] | None = None,
    ) -> None:
        """Answer in the place of the server that ``serve`` of another one has started, from the next request on.

        Open transactions go on if both keep them in the same database.

        Args:
            running: what that ``serve`` has returned.
            tls: as for ``serve``, for the connections that come from now on; needed if that one has it.
            observers: as for ``serve``.
            pages: as for ``serve``.

        Raises:
            ValueError: the TLS settings make no sense, or HTTP would become HTTPS, or the reverse.
        """
        running.switch(self._application(observers=observers, pages=pages), tls=tls, tick=self.sweep)

    def sweep(self) -> None:
        """Close the transactions whose clients did not come in time, and tell the authority; and let one that has large
        CRLs make the next one.

        It is done by ``serve`` once a second; the transactions are closed with each message, too.
        """
        self.transactions.sweep()
        refresh = getattr(self.authority, "refresh_crl", None)
        if refresh is not None:
            refresh()

    def close(self) -> None:
        """Forget all open transactions, and end the threads of ``asgi_app``. A request that was taken is not taken again
        even so."""
        with self._mounting:
            if self._asgi is not None:
                self._asgi.close()
                self._asgi = None
        self.transactions.clear()
