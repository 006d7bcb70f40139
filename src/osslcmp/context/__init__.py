"""``OSSL_CMP_CTX`` for Python: one method per C function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509

from .._asn1.itav import InfoTypeAndValue
from .._openssl import convert as _convert
from .._openssl.certificate_check import CertificateCheck
from .._openssl.errorqueue import clear
from .._openssl.lib import NULL, CData, ffi, lib
from ..enrollment import Enrollment
from ..enums import CR, IR, KUR, P10CR, BodyType, FailureInfo, Option, PKIStatus
from ..errors import CMPError, ConfirmError, RejectedError, ResponseError, TransferError
from .credentials import trust_store
from .crmf import CertReqMsg
from .deadline import Patience
from .general import GeneralMixin
from .guard import guarded
from .log import LogMixin
from .polling import UNTOLD, Verdict
from .transfer import TransferMixin

__all__ = ["Context", "certconf"]


class CertConf:
    """OpenSSL's own ``OSSL_CMP_certConf_cb``, for :meth:`Context.set_cert_conf_cb`."""

    def __repr__(self) -> str:
        return "osslcmp.certconf"


certconf = CertConf()
"""OpenSSL's own check of a new certificate (``OSSL_CMP_certConf_cb``, 3.0): off unless set."""


class Context(TransferMixin, LogMixin, GeneralMixin):
    """OpenSSL's CMP context (``OSSL_CMP_CTX_new``, 3.0): credentials, request, and the state of a transaction.

    Method names follow the C names mechanically. Differences from C, all on the safe side: timeouts have finite
    defaults (60 s for a message, 600 s in all), nothing is printed (logger ``osslcmp.openssl``), and a blocking
    call ends on an interrupt. One thread at a time may use a context; others get a ``RuntimeError``. A child of
    ``fork`` must make its own.
    """

    def __repr__(self) -> str:
        return f"<osslcmp.Context for {self._host or 'no server'}>"

    # -- certificate confirmation -------------------------------------------------------------------------

    def set_cert_conf_cb(
        self, callback: Callable[[x509.Certificate, FailureInfo], object] | CertConf | CData | None
    ) -> None:
        """Decide about a new certificate before it is confirmed (``OSSL_CMP_CTX_set_certConf_cb``, 3.0).

        ``callback`` is :data:`osslcmp.certconf`, a C function (``OSSL_CMP_certConf_cb_t``), ``None`` for
        OpenSSL's default, or a callable. The callable gets the certificate and a :class:`osslcmp.FailureInfo` with
        what OpenSSL found wrong so far (0: nothing), say that it is for another key. It returns

        - ``None`` to leave it at what OpenSSL found: a callback that only looks on accepts nothing that OpenSSL refuses;
        - ``True`` (or 0, as in C) to accept, even what OpenSSL found wrong;
        - ``False``, a :class:`osslcmp.FailureInfo` or a text for the server to refuse.

        It also refuses by raising: then the exception reaches the caller unchanged, its text goes to the server, and
        its ``__context__`` is the :class:`osslcmp.ConfirmError` with the certificate.
        """
        state_callback = None
        if callback is None:
            pointer = NULL
        elif callback is certconf:
            pointer = ffi.addressof(lib, "OSSL_CMP_certConf_cb")
        elif isinstance(callback, ffi.CData):
            pointer = callback
        elif callable(callback):
            pointer = ffi.addressof(lib, "osslcmp_py_cert_conf")
            state_callback = Verdict(callback)
        else:
            raise TypeError(f"callback: callable or C function, not {type(callback).__name__}")
        self._set(lib.OSSL_CMP_CTX_set_certConf_cb, pointer, what="setting the certConf callback")
        self._state.cert_conf = state_callback
        self._kept["cert_conf_cb"] = callback

    @property
    def cert_conf_cb(self) -> Any:
        """What :meth:`set_cert_conf_cb` set."""
        return self._kept.get("cert_conf_cb")

    def set_cert_conf_cb_arg(self, trusted: list[x509.Certificate] | CertificateCheck | Any | None) -> None:
        """Argument of the certConf callback (``OSSL_CMP_CTX_set_certConf_cb_arg``, 3.0).

        For :data:`osslcmp.certconf`: the certificates that the new certificate must chain to, or a
        :class:`osslcmp.CertificateCheck` (without ``untrusted``). For a C function: a C pointer, kept alive with the
        context.
        """
        if trusted is None:
            pointer = NULL
        elif isinstance(trusted, ffi.CData):
            pointer = trusted
        else:
            pointer = trust_store("trusted", trusted)
            lib.X509_STORE_set_verify_cb(pointer, ffi.addressof(lib, "osslcmp_verify_cb"))
        self._set(lib.OSSL_CMP_CTX_set_certConf_cb_arg, pointer, what="setting the certConf argument")
        self._state.may_check = not isinstance(trusted, ffi.CData)
        # C does not consume it.
        self._kept["cert_conf_cb_arg"] = (pointer, trusted)

    @property
    def cert_conf_cb_arg(self) -> Any:
        """What :meth:`set_cert_conf_cb_arg` set (``OSSL_CMP_CTX_get_certConf_cb_arg``, 3.0)."""
        return self._kept.get("cert_conf_cb_arg", (None, None))[1]

    # -- transactions -------------------------------------------------------------------------------------

    def exec_ir_ses(self) -> x509.Certificate:
        """Initialization: :meth:`exec_certreq` with ``IR`` (``OSSL_CMP_exec_IR_ses``, 3.0)."""
        return self.exec_certreq(IR)

    def exec_cr_ses(self) -> x509.Certificate:
        """Certification: :meth:`exec_certreq` with ``CR`` (``OSSL_CMP_exec_CR_ses``, 3.0)."""
        return self.exec_certreq(CR)

    def exec_p10cr_ses(self) -> x509.Certificate:
        """Certification by CSR: :meth:`exec_certreq` with ``P10CR`` (``OSSL_CMP_exec_P10CR_ses``, 3.0)."""
        return self.exec_certreq(P10CR)

    def exec_kur_ses(self) -> x509.Certificate:
        """Key update: :meth:`exec_certreq` with ``KUR`` (``OSSL_CMP_exec_KUR_ses``, 3.0)."""
        return self.exec_certreq(KUR)

    @guarded
    def exec_certreq(self, req_type: BodyType | int, crm: Any = None) -> x509.Certificate:
        """A whole transaction with polling and confirmation (``OSSL_CMP_exec_certreq``, 3.0).

        ``req_type`` is ``IR``, ``CR``, ``P10CR`` or ``KUR``; ``crm`` a :class:`osslcmp.CertReqMsg` (or raw
        ``OSSL_CRMF_MSG *``) to send instead of one made from the context. Returns the new certificate. Raises
        :class:`osslcmp.CMPError`, and what a callback raised. While the server says *waiting* this sleeps between
        polls as told, where a signal wakes it: it is ``OSSL_CMP_try_certreq`` in a loop, which runs the same code
        in libcrypto. So, unlike C, after an interrupted sleep it goes on with the transaction that waits.
        """
        self._patience = patience = Patience(self.get_option(Option.TOTAL_TIMEOUT))
        polls = 0
        while True:
            certificate = self._once(req_type, crm, patience)
            if certificate is not None:
                return certificate
            polls += 1
            self._pause(patience, BodyType(req_type), polls)

    @guarded
    def try_certreq(self, req_type: BodyType | int, crm: Any = None) -> x509.Certificate | None:
        """Start a transaction, or poll once in one that waits (``OSSL_CMP_try_certreq``, 3.0).

        Returns the new certificate; ``None`` while the server says *waiting*, then :attr:`check_after` holds the
        seconds to let pass before the next call. A negative ``req_type`` aborts a waiting transaction: it tells
        the server by an error message and returns ``None``. The total timeout counts from the first call on.
        """
        if isinstance(req_type, int) and req_type < 0:
            return self._once(req_type, crm, None)
        if self._patience is None or not self.pending:
            self._patience = Patience(self.get_option(Option.TOTAL_TIMEOUT))
        return self._once(req_type, crm, self._patience)

    @guarded
    def _once(self, req_type: BodyType | int, crm: Any, patience: Patience | None) -> x509.Certificate | None:
        """One request or poll, within the time that is left."""
        abort = isinstance(req_type, int) and req_type < 0
        if not abort:
            try:
                req_type = BodyType(req_type)
            except ValueError:
                req_type = BodyType.ERROR
            if req_type not in (IR, CR, P10CR, KUR):
                raise ValueError("req_type: one of IR, CR, P10CR, KUR, or -1 to abort")
        self._check_waiting(req_type)
        if isinstance(crm, CertReqMsg):
            crm = crm.handle
        elif crm is None:
            crm = NULL
        elif not isinstance(crm, ffi.CData):
            raise TypeError(f"crm: a CertReqMsg or OSSL_CRMF_MSG pointer, not {type(crm).__name__}")
        self._settle(patience)
        if abort:
            self._abort()
            return None
        self._asked = (int(req_type), crm)
        done = self._confirm_delayed() if self._delayed is not None else self._polled()
        if not done:
            return None
        if self._state.exception is not None:
            raise self._certreq_failure()
        clear()
        certificate = _convert.cert_from_c(lib.OSSL_CMP_CTX_get0_newCert(self._ptr))
        assert certificate is not None
        return certificate

    def _polled(self) -> bool:
        """Whether a request or poll has brought the end. Raises if that is a failure."""
        earlier = lib.OSSL_CMP_CTX_get0_newCert(self._ptr)
        try:
            result = self._poll(*self._asked)
        except BaseException as error:
            # A signal handler raised after C was done: the certificate that came is not lost.
            if lib.OSSL_CMP_CTX_get0_newCert(self._ptr) not in (NULL, earlier):
                try:
                    _unconfirmed(error, self._issued(), foreign=True)
                except CMPError as malformed:
                    _in_context(error, malformed)
            raise
        if result == 1:
            return True
        unsent = self._unsent()
        if result == -1:
            self._polling = BodyType(self._asked[0])
            self._raise_stored()
        elif unsent is BodyType.CERTCONF:
            self._delay_confirmation(self._enrollment())
            return self._confirm_delayed()
        elif unsent in (IR, CR, P10CR, KUR):
            clear()
            self._polling, self.check_after = BodyType(self._asked[0]), UNTOLD
        else:
            failure = self._lose(self._certreq_failure())
            if self._lost is not None:
                self._polling = BodyType(self._asked[0])
            raise failure
        return False

    def _confirm_delayed(self) -> bool:
        """The same for a certConf whose answer is delayed."""
        assert self._delayed is not None
        enrollment = self._delayed.enrollment
        try:
            final = self._poll_delayed("polling for the confirmation failed")
        except BaseException as failure:
            if enrollment is None:
                raise
            told = _unconfirmed(failure, enrollment, foreign=not isinstance(failure, CMPError))
            if told is failure:  # its __context__ has the certificate
                raise
            raise told from failure
        if final is None:
            return False
        if self._finish_delayed(final, lib.OSSL_CMP_try_certreq, *self._asked, ffi.new("int *")) != 1:
            raise self._certreq_failure()
        return True

    def _abort(self) -> None:
        callback = self.cert_conf_cb, self._state.cert_conf
        try:
            if self._lost is not None and self._lost.poll is None:
                # libcrypto can only be made to wait by asking once more: then what comes is refused.
                self.set_cert_conf_cb(lambda *_: "aborted by application")
                if self._poll(*self._polling_request()) != -1:
                    raise self._failure("aborting failed")
            elif self._lost is not None:
                self._establish()
            # A server that delays the answer to this has been told all the same.
            if self._try(-1, NULL) != 1 and self._unsent() is None:
                raise self._failure("telling the server that the transaction is aborted failed")
            self._raise_stored()
            clear()
        finally:
            self._delayed = self._lost = None
            if self.cert_conf_cb is not callback[0]:
                self.set_cert_conf_cb(callback[0])
                self._state.cert_conf = callback[1]  # with the verdict that it has given already

    def _check_waiting(self, req_type: int) -> None:
        """In the status *waiting* C polls, whatever it is asked for and whatever it was that is waiting."""
        waiting = lib.OSSL_CMP_CTX_get_status(self._ptr) == PKIStatus.waiting or self.pending
        if not waiting:
            self._polling = None
        if req_type < 0 and not self.pending:
            raise ValueError("req_type: nothing is waiting that could be aborted")
        if req_type >= 0 and waiting and self._polling != req_type:
            what = "a failed request" if self._polling is None else f"an {self._polling.name.lower()}"
            raise ValueError(f"req_type: the context still waits for {what}: reinit() makes it ready")

    def _issued(self) -> Enrollment:
        """The certificate that came, with the status that it came with."""
        return self._enrollment(self._certificate_response())

    def _certreq_failure(self) -> BaseException:
        # What our own transports raise is told like what OpenSSL's HTTP client has to say.
        foreign = not isinstance(self._state.exception, (TransferError, type(None)))
        failure = self._failure(f"{BodyType(self._asked[0]).name.lower()} failed")
        # OpenSSL empties newCert when a request starts: if it is set now, the certificate came in this one.
        if lib.OSSL_CMP_CTX_get0_newCert(self._ptr) == NULL:
            return failure
        try:
            enrollment = self._issued()
        except ResponseError as malformed:
            return _in_context(failure, malformed) if foreign else malformed
        return _unconfirmed(failure, enrollment, foreign)

    @guarded
    def exec_rr_ses(self) -> None:
        """Revoke a certificate (``OSSL_CMP_exec_RR_ses``, 3.0).

        Which one tell :meth:`set_old_cert`, or :meth:`set_issuer` and :meth:`set_serial_number` (3.2), or
        :meth:`set_p10_csr`. Statuses accepted and grantedWithMods succeed; revocationWarning and
        revocationNotification succeed with a warning in :attr:`status`; the others raise
        :class:`osslcmp.RejectedError`.
        """
        if not self._exchange(lib.OSSL_CMP_exec_RR_ses):
            raise self._failure("rr failed")
        self._raise_stored()
        clear()

    @guarded
    def exec_genm_ses(self) -> list[InfoTypeAndValue]:
        """Send a general message and return the answer's items (``OSSL_CMP_exec_GENM_ses``, 3.0).

        The items to send come from :meth:`push_genm_itav`; :meth:`reinit` empties them.
        """
        stack = self._exchange(lib.OSSL_CMP_exec_GENM_ses)
        if stack == NULL:
            raise self._failure("genm failed")
        owned = _convert.own_itavs(stack)
        self._raise_stored()
        clear()
        return _convert.itavs_from_c(owned)


def _unconfirmed(failure: BaseException, enrollment: Enrollment, foreign: bool) -> BaseException:
    """The exception for a certificate that was issued, and what went wrong with it then."""
    told = "a certificate was issued, but "
    if foreign:
        confirm = ConfirmError(f"{told}a callback raised {type(failure).__name__}", enrollment)
        return _in_context(failure, confirm)
    errors = getattr(failure, "errors", ())
    if isinstance(failure, RejectedError):
        confirm = ConfirmError(f"{told}its confirmation was refused: {failure}", enrollment, errors, failure)
    else:
        told += "it was not accepted or not confirmed"
        told += getattr(failure, "_unproven", "")
        confirm = ConfirmError(told if errors else f"{told}: {failure}", enrollment, errors)
    confirm.__cause__ = failure
    return confirm


def _in_context(exception: BaseException, context: BaseException) -> BaseException:
    """``exception`` with ``context`` as its ``__context__``; what was there goes further back."""
    earlier = exception.__context__
    if earlier is not None and earlier is not context and not isinstance(earlier, CMPError):
        context.__context__ = earlier
    exception.__context__ = context
    return exception
