"""The mock server of ``osslcmp cmp``: ``OSSL_CMP_SRV_CTX`` (3.0) with fixed answers.

The original serves one transaction at a time. Here each has a server context of its own, so that several clients
can be served, and none sees what another left behind.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from ..._openssl.convert import octets_from_c, to_der
from ..._openssl.errorqueue import clear, drain
from ..._openssl.lib import NULL, features, ffi, lib
from ..._openssl.ownership import cert_stack, share, take
from ..._openssl.received import message_from_der
from ...enums import BodyType, Option
from ...errors import OpenSSLError
from ...server.callbacks import init, init_delays
from .console import Console, Failure
from .context import CommandContext, shared
from .load import Loader, check_signers
from .mock_answers import Answers, Fixed
from .settings import Settings

__all__ = ["MockServer"]

_STARTS = frozenset({BodyType.IR, BodyType.CR, BodyType.P10CR, BodyType.KUR, BodyType.RR, BodyType.GENM})
_OPEN_LIMIT = 1000
_KNOWN_LIMIT = 100
_NO_FAILURE, _MAX_FAILURE_BIT = -1, 26


class MockServer:
    """Made from the options; raises Failure and CMPError if they do not fit."""

    def __init__(self, s: Settings, console: Console, loader: Loader) -> None:
        self._s = s
        self._console = console
        self._lock = threading.Lock()
        self._open: OrderedDict[bytes, _Transaction] = OrderedDict()
        self._setters: list[tuple[str, tuple[Any, ...]]] = []
        self._store: Any = None
        #: Untrusted certificates that may complete chains: as in the original, also what earlier clients sent.
        self._known: list[Any] = []
        self._credentials(loader)
        self.fixed = Fixed.load(s, console, loader, self._failure_bits())

    def _credentials(self, loader: Loader) -> None:
        s, warn = self._s, self._console.warn
        ref, cert, key = s.text("srv_ref"), s.text("srv_cert"), s.text("srv_key")
        if ref is not None:
            encoded = ref.encode("utf-8", "surrogateescape")
            self._setters.append(("OSSL_CMP_CTX_set1_referenceValue", (encoded, len(encoded))))
        elif cert is None:
            raise Failure("must give -srv_ref for mock server if no -srv_cert given")
        if s.given("srv_secret"):
            encoded = loader.secret("srv_secret", "PBMAC secret of mock server")
            self._setters.append(("OSSL_CMP_CTX_set1_secretValue", (encoded, len(encoded))))
        elif cert is None:
            raise Failure(
                "server credentials (-srv_secret or -srv_cert) must be given if -use_mock_srv or -port is used"
            )
        else:
            warn("server will not be able to handle PBM-protected requests since -srv_secret is not given")
            if key is None:
                raise Failure("must give both -srv_cert and -srv_key options or neither")
        if cert is not None:
            handle = loader.cert(cert, "srv_keypass", "certificate of the mock server")
            self._setters.append(("OSSL_CMP_CTX_set1_cert", (handle,)))
        if key is not None:
            handle = loader.private_key(key, "srv_keypass", "private key for mock server cert")
            self._setters.append(("OSSL_CMP_CTX_set1_pkey", (handle,)))
        if (trusted := s.text("srv_trusted")) is not None:
            self._store = loader.store(trusted, "certs trusted by mock server")
        else:
            warn(
                "mock server will not be able to handle signature-protected requests since -srv_trusted is not given"
            )
        if (untrusted := s.text("srv_untrusted")) is not None:
            self._known = loader.certs(untrusted, "untrusted certificates for mock server")
            check_signers(self._known, "untrusted certificates for mock server")

    def _failure_bits(self) -> int:
        s, bits = self._s, self._s.number("failurebits")
        if (bit := s.number("failure")) != _NO_FAILURE:
            if not 0 <= bit <= _MAX_FAILURE_BIT:
                raise Failure(f"-failure out of range, should be >= 0 and <= {_MAX_FAILURE_BIT}")
            if bits:
                self._console.warn("-failurebits overrides -failure")
            else:
                bits = 1 << bit
        if not 0 <= bits < 1 << (_MAX_FAILURE_BIT + 1):
            raise Failure("-failurebits out of range")
        return bits

    def context(self, server: Any) -> CommandContext:
        """Set up the ``OSSL_CMP_CTX`` of a new server context."""
        s = self._s
        ctx: CommandContext = CommandContext._borrowed(lib.OSSL_CMP_SRV_CTX_get0_cmp_ctx(server), server)
        ctx.set_log_verbosity(s.number("verbosity"))
        ctx.set_log_cb(self._console.from_server)
        for function, args in self._setters:
            ctx.put(function, *args)
        if self._known:
            ctx.put("OSSL_CMP_CTX_set1_untrusted", cert_stack(self._known))
        if self._store is not None:
            store = share(self._store, lib.X509_STORE_up_ref, lib.X509_STORE_free, "sharing the trust store")
            ctx.give_trusted(store)
        for option, setter in (
            ("grant_implicitconf", lib.OSSL_CMP_SRV_CTX_set_grant_implicit_confirm),
            ("send_unprot_err", lib.OSSL_CMP_SRV_CTX_set_send_unprotected_errors),
            ("accept_unprotected", lib.OSSL_CMP_SRV_CTX_set_accept_unprotected),
            ("accept_raverified", lib.OSSL_CMP_SRV_CTX_set_accept_raverified),
        ):
            if s.flag(option):
                setter(server, 1)
        if s.flag("send_unprotected"):
            ctx.set_option(Option.UNPROTECTED_SEND, 1)
        if s.flag("accept_unprot_err"):
            ctx.set_option(Option.UNPROTECTED_ERRORS, 1)
        return ctx

    def _learn(self, certs: list[Any]) -> None:
        for cert in certs:
            if not any(lib.X509_cmp(cert, known) == 0 for known in self._known):
                self._known.append(cert)
        del self._known[:-_KNOWN_LIMIT]

    def process(self, request: bytes) -> bytes:
        """Answer a message, both DER. Raises ValueError if it is none, OpenSSLError if there is no answer to it."""
        clear()
        pointer = message_from_der(request)
        if pointer == NULL:
            told = "; ".join(map(str, drain()))
            raise ValueError(f"not a CMP message: {told}")
        message = take(pointer, lib.OSSL_CMP_MSG_free, "decoding a request")
        header = lib.OSSL_CMP_MSG_get0_header(message)
        number = octets_from_c(lib.OSSL_CMP_HDR_get0_transactionID(header)) or b""
        with self._lock:
            kind = lib.OSSL_CMP_MSG_get_bodytype(message)
            transaction = self._open.pop(number, None)
            if transaction is None or (kind in _STARTS and not transaction.answers.polled):
                transaction = _Transaction(self)
            try:
                answer = transaction.process(message, request)
            finally:
                self._learn(transaction.untrusted())
                if transaction.goes_on:
                    self._open[number] = transaction
                while len(self._open) > _OPEN_LIMIT:
                    self._open.popitem(last=False)
            return answer


class _Transaction:
    """A server context, with how often its client has polled."""

    def __init__(self, mock: MockServer) -> None:
        clear()
        self._server = take(
            lib.OSSL_CMP_SRV_CTX_new(NULL, NULL), lib.OSSL_CMP_SRV_CTX_free, "making a server context"
        )
        self._ctx = mock.context(self._server)
        self.answers = Answers(mock.fixed, self._ctx)
        self._handle = ffi.new_handle(self.answers)
        init(self._server, self._handle)
        if features["delayed_delivery"]:
            init_delays(self._server)

    @property
    def goes_on(self) -> bool:
        """Whether another message of the client is expected."""
        return bool(lib.OSSL_CMP_CTX_get_status(self._ctx.raw) == lib.OSSL_CMP_PKISTATUS_trans)

    def untrusted(self) -> list[Any]:
        """The certificates that helped to verify messages, or could have."""
        return shared(lib.OSSL_CMP_CTX_get0_untrusted(self._ctx.raw))

    def process(self, message: Any, der: bytes) -> bytes:
        """Let libcrypto answer."""
        self.answers.begin(message, der)
        self._ctx._state.begin()
        self._ctx._apply_verbosity()
        answer = self._ctx._inside(lib.OSSL_CMP_SRV_process_request, self._server, message)
        errors = drain()
        if answer == NULL:
            raise OpenSSLError("the mock server has no answer", errors)
        owned = take(answer, lib.OSSL_CMP_MSG_free, "answering")
        return to_der(lib.i2d_OSSL_CMP_MSG, owned, "encoding the answer")
