"""Answers that the server delays: polled step by step, in this context or in one that takes over from another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from .._openssl import convert as _convert
from .._openssl.errorqueue import check, clear
from .._openssl.lib import NULL, ffi, lib
from .._openssl.ownership import take
from .._openssl.received import message_from_der
from ..enrollment import Enrollment
from ..enums import P10CR, BodyType, FailureInfo, Option, PKIStatus
from ..errors import TransferTimeout
from .crmf import CertReqMsg
from .deadline import PENDING, OnWait, Patience, Progress, StillWaitingError
from .guard import guarded
from .results import ResultMixin

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Delayed", "ExchangeMixin", "Kept", "Verdict", "message_ids"]

#: The slots of the session.
ANSWER, CONFIRM, POLL, FINAL = range(4)

#: Seconds until the next poll when the server says "waiting" without telling them.
UNTOLD = 1


@dataclass(frozen=True)
class Kept:
    """The server's messages that a context needs to go on polling: DER, protected, without any secret."""

    waiting: bytes
    """The answer that said *waiting*."""
    poll: bytes | None
    """The last pollRep, if there was one."""


@dataclass
class Delayed:
    """A delayed answer to rr, genm or certConf, for which OpenSSL 3.3 and later would sleep by itself."""

    asked: BodyType
    """What is to be answered."""
    before: tuple[bytes, ...] = ()
    """What the call that is to be finished gets first: for a certConf, the certificate response."""
    enrollment: Enrollment | None = None
    """For a certConf: what is to be confirmed."""


class Verdict:
    """A certConf callback that is asked only once, though libcrypto may look at the certificate again."""

    def __init__(self, callback: Callable[[x509.Certificate, FailureInfo], object]) -> None:
        self._callback = callback
        self._known = False
        self.value: object = None

    def know(self, value: object) -> None:
        """Go on saying ``value``."""
        self._known, self.value = True, value

    def __call__(self, certificate: x509.Certificate, found: FailureInfo) -> object:
        if not self._known:
            self.value = self._callback(certificate, found)
        return self.value


class ExchangeMixin(ResultMixin):
    """The waiting part of :class:`osslcmp.Context`."""

    check_after: int | None = None
    """Seconds that the server asked to wait before the next poll, after :meth:`try_certreq` returned ``None``."""

    on_wait: OnWait | None = None
    """Called with an :class:`osslcmp.Progress` before each sleep of the methods that wait."""

    _asked: tuple[int, Any] = (-1, NULL)
    _polling: BodyType | None = None
    _delayed: Delayed | None = None
    _lost: Kept | None = None
    _stepwise = False
    _patience: Patience | None = None

    # -- what libcrypto would sleep for -------------------------------------------------------------------

    def _exchange(self, function: Callable[..., Any], *args: Any) -> Any:
        """Like ``_run``, for a C function that sends one request other than for a certificate.

        From 3.3 on libcrypto sleeps in such a function when the answer is delayed. Here it does not: polling is
        done by ``OSSL_CMP_try_certreq``, and then the function is run once more on the final answer.
        """
        if not self._stepwise or self._patience is None:
            self._patience = Patience(self.get_option(Option.TOTAL_TIMEOUT))
        patience = self._patience
        polls = 0
        try:
            while (result := self._step(patience, function, *args)) is PENDING:
                if self._stepwise:
                    raise StillWaitingError
                polls += 1
                assert self._delayed is not None
                self._pause(patience, self._delayed.asked, polls)
            return result
        except StillWaitingError:
            raise
        except BaseException:
            if not self._stepwise:
                self._delayed = self._lost = None
            raise

    def _step(self, patience: Patience, function: Callable[..., Any], *args: Any) -> Any:
        if self._delayed is None:
            self._settle(patience)
            result = self._run(function, *args)
            asked = self._unsent()
            if asked is None:
                return result
            self._delay(ANSWER, Delayed(asked))
        self._settle(patience)
        final = self._poll_delayed("polling failed")
        return PENDING if final is None else self._finish_delayed(final, function, *args)

    def _until_poll(self, patience: Patience, asked: BodyType, polls: int) -> tuple[float, Progress]:
        """Seconds to sleep, and what to tell before. Raises ``TransferTimeout`` if there will be no time for a poll."""
        check_after = self.check_after or 0
        seconds = patience.sleep(check_after)
        if seconds is None:
            raise TransferTimeout(f"{asked.name.lower()}: still waiting after {patience.total:g} seconds")
        return seconds, Progress(asked, check_after, patience.elapsed, polls)

    def _pause(self, patience: Patience, asked: BodyType, polls: int) -> None:
        """Sleep until the next poll."""
        seconds, progress = self._until_poll(patience, asked, polls)
        if self.on_wait is not None:
            self.on_wait(progress)
        self._wakeup.wait(seconds)

    def _settle(self, patience: Patience | None = None) -> None:
        """Before each step: nothing that is sent may take longer than what is left of the time.

        An interrupt at an unlucky moment may have left a replay behind: that is over.
        """
        left = None if patience is None else patience.left
        lib.osslcmp_session_set_deadline(self._session, -1 if left is None else max(0, int(left * 1000)))
        lib.osslcmp_session_clear_replay(self._session)
        self._option(Option.UNPROTECTED_SEND, self._unprotected)

    def _option(self, option: Option, value: int) -> None:
        self._get(lib.OSSL_CMP_CTX_set_option, int(option), value)

    def _unsent(self) -> BodyType | None:
        """After a call: what was sent when it ended because libcrypto must not poll itself."""
        asked = lib.osslcmp_session_unsent(self._session)
        return None if asked < 0 or self._state.exception is not None else BodyType(asked)

    def _delay(self, slot: int, delayed: Delayed) -> None:
        waiting = self._kept_message(slot)
        assert waiting is not None
        clear()
        self._delayed = delayed
        self._lost = Kept(waiting, None)

    def _certificate_response(self) -> bytes | None:
        """The message that brought the certificate, from when libcrypto asks what to say to it."""
        return self._kept_message(FINAL) or self._kept_message(ANSWER)

    def _delay_confirmation(self, enrollment: Enrollment) -> None:
        """A certConf is answered by *waiting*."""
        response = self._certificate_response()
        assert response is not None
        self._delay(CONFIRM, Delayed(BodyType.CERTCONF, (response,), enrollment))
        self._polling = BodyType(self._asked[0])
        if self._verdict is not None:
            self._verdict.know(self._verdict.value)

    @property
    def _verdict(self) -> Verdict | None:
        callback = self._state.cert_conf
        return callback if isinstance(callback, Verdict) else None

    def _poll_delayed(self, failed: str) -> bytes | None:
        """Poll once. Returns the final answer, verified by libcrypto; ``None`` while it is to come."""
        result = self._poll(*self._polling_request())
        if result == -1:
            return None
        final = self._kept_message(FINAL)
        code = lib.ERR_peek_last_error()
        # What libcrypto says, when all is in order, of an answer to something else than a certificate request.
        if final is None or (lib.ERR_GET_LIB(code), lib.ERR_GET_REASON(code)) != (
            lib.ERR_LIB_CMP,
            lib.CMP_R_UNEXPECTED_PKIBODY,
        ):
            raise self._lose(self._failure(failed))
        clear()
        return final

    def _finish_delayed(self, final: bytes, function: Callable[..., Any], *args: Any) -> Any:
        delayed, self._delayed = self._delayed, None
        assert delayed is not None
        with self._replaying(*delayed.before, final):
            return self._run(function, *args)

    def _new_public_key(self) -> bytes | None:
        """The key to certify as SubjectPublicKeyInfo."""
        pointer = self._get(lib.OSSL_CMP_CTX_get0_newPkey, 0)
        return None if pointer == NULL else _convert.to_der(lib.i2d_PUBKEY, pointer, "encoding a public key")

    def _set_new_public_key(self, info: bytes) -> None:
        handle = _convert.public_key_from_info(info)
        setter, free = lib.OSSL_CMP_CTX_set0_newPkey, lib.EVP_PKEY_free
        self._set(setter, 0, handle, what="setting the new key", giving=free)
        self._gave_new_key = True

    # -- polling ------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether an answer is to be polled for: by :meth:`try_certreq`, or by the same call that began it."""
        if self._delayed is not None or self._lost is not None:
            return True
        return self._polling is not None and self.status == PKIStatus.waiting

    @property
    def status(self) -> PKIStatus:
        """Status of the last transaction (``OSSL_CMP_CTX_get_status``, 3.0).

        ``accepted`` does not mean that there is a certificate: only the call's return value does. It stays ``waiting``
        when a poll gets no answer: from 3.3 on libcrypto forgets that, but here it can be polled again.
        """
        return super().status if self._lost is None else PKIStatus.waiting

    @property
    def unconfirmed(self) -> Enrollment | None:
        """The certificate whose confirmation the server delays."""
        return None if self._delayed is None else self._delayed.enrollment

    @guarded
    def reinit(self) -> None:
        """Make ready for another transaction (``OSSL_CMP_CTX_reinit``, 3.0).

        Clears the results of the last one, its transaction ID and nonces and the general message items, and
        closes the connection. Keeps credentials, trust, options and the request's fields.
        """
        super().reinit()
        self._delayed = self._lost = self._polling = self.check_after = None
        lib.osslcmp_session_forget(self._session)

    def _polling_request(self) -> tuple[int, Any]:
        """What to name in the call that polls: a p10cr polls for a whole answer (certReqId -1)."""
        return self._asked if self._delayed is None else (int(P10CR), NULL)

    def _poll(self, req_type: int, crm: Any) -> int:
        """Poll once with ``OSSL_CMP_try_certreq``, also where its waiting state is to be made up first."""
        if self._lost is None:
            return self._try(req_type, crm)
        lost = self._lost
        result = self._stand_where(lost, req_type, crm)
        self._lost = None
        # Without a pollRep the first poll has just been sent.
        return result if lost.poll is None or result != -1 else self._try(req_type, crm)

    def _stand_where(self, lost: Kept, req_type: int, crm: Any) -> int:
        """Let libcrypto go through the kept messages."""
        made = self._delayed is not None and self._given.get("csr") is None
        if made:
            # It is not sent; only its subject counts: from 3.3 on that is the sender of what follows.
            handle = _convert.csr_to_c(_any_csr(self._given.get("subject")))
            self._set(lib.OSSL_CMP_CTX_set1_p10CSR, handle, what="setting the CSR")
        try:
            with self._replaying(lost.waiting, *([] if lost.poll is None else [lost.poll])):
                return self._try(req_type, crm)
        finally:
            if made:
                self._get(lib.OSSL_CMP_CTX_set1_p10CSR, NULL)  # the error queue stays as it is

    def _establish(self) -> None:
        """Go through the kept messages, a pollRep among them, without sending any. Raises if they do not verify."""
        assert self._lost is not None
        if self._stand_where(self._lost, *self._polling_request()) != -1:
            raise self._failure("the kept messages were not accepted")
        self._lost = None
        clear()

    def _take_up(
        self, lost: Kept, response: bytes | None, req_type: BodyType, crm: CertReqMsg | None
    ) -> None:
        """Go on with a transaction that another context began. Nothing is sent; what can be verified is."""
        self._settle()
        self._asked, self._polling = (int(req_type), NULL if crm is None else crm.handle), req_type
        if response is not None:
            # As far as the certConf, to have the certificate.
            with self._offline(), self._replaying(response):
                self._try(*self._asked)
            if lib.OSSL_CMP_CTX_get0_newCert(self._ptr) == NULL:
                raise self._failure("the kept certificate was not accepted")
            clear()
            self._delayed = Delayed(BodyType.CERTCONF, (response,), self._enrollment())
        self._lost = lost
        if lost.poll is not None:
            self._establish()

    @contextmanager
    def _offline(self) -> Iterator[None]:
        lib.osslcmp_session_set_deadline(self._session, 0)
        try:
            yield
        finally:
            lib.osslcmp_session_set_deadline(self._session, -1)

    def _try(self, req_type: int, crm: Any) -> int:
        self.check_after = None
        wait = ffi.new("int *")
        result: int = self._run(lib.OSSL_CMP_try_certreq, int(req_type), crm, wait)
        if result == -1:
            self.check_after = wait[0]
        return result

    def _lose(self, failure: BaseException) -> BaseException:
        """Note after a failed call that polling can be taken up anew, if a poll got no answer. Returns ``failure``.

        From 3.3 on libcrypto forgets that it was waiting, and a nonce without which it would refuse the final answer.
        """
        if lib.osslcmp_session_lost(self._session):
            self._lost = self._waiting_messages()
        else:
            self._delayed = None
        return failure

    def _waiting_messages(self) -> Kept:
        if self._lost is not None:
            return self._lost
        waiting = self._kept_message(ANSWER)
        assert waiting is not None
        return Kept(waiting, self._kept_message(POLL))

    def _kept_message(self, slot: int) -> bytes | None:
        length = ffi.new("long *")
        pointer = lib.osslcmp_session_kept(self._session, slot, length)
        return None if pointer == NULL else bytes(ffi.buffer(pointer, length[0]))

    @contextmanager
    def _replaying(self, *answers: bytes) -> Iterator[None]:
        """Start anew, and let libcrypto have these answers instead of sending its first messages."""
        self._set(lib.OSSL_CMP_CTX_reinit, what="reinitializing the context")
        transaction_id, _ = message_ids(answers[0])
        self.set_transaction_id(transaction_id)
        lib.osslcmp_session_set_unprotected(self._session, self._unprotected)
        for answer in answers:
            check(
                lib.osslcmp_session_push_replay(
                    self._session, ffi.from_buffer("unsigned char[]", answer), len(answer)
                ),
                "keeping a message",
            )
        self._option(Option.UNPROTECTED_SEND, 1)
        try:
            yield
        finally:
            lib.osslcmp_session_clear_replay(self._session)
            self._option(Option.UNPROTECTED_SEND, self._unprotected)


def message_ids(message: bytes) -> tuple[bytes, bytes]:
    """transactionID and recipNonce of a message. Raises ``ValueError`` if it is none or has none."""
    pointer = message_from_der(message)
    if pointer == NULL:
        clear()
        raise ValueError("not a CMP message")
    owned = take(pointer, lib.OSSL_CMP_MSG_free, "taking a message")
    header = lib.OSSL_CMP_MSG_get0_header(owned)
    found = [
        _convert.octets_from_c(get(header))
        for get in (lib.OSSL_CMP_HDR_get0_transactionID, lib.OSSL_CMP_HDR_get0_recipNonce)
    ]
    if not found[0] or not found[1]:
        raise ValueError("a CMP message without transactionID or recipNonce")
    return found[0], found[1]


@cache
def _any_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _any_csr(subject: x509.Name | None) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or x509.Name([]))
    return builder.sign(_any_key(), hashes.SHA256())
