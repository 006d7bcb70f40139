"""The decision about a new certificate before it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Union

from .._lazy import x509
from .._openssl.convert import cert_from_der, encoded
from .._openssl.inputs import AnyCertificate
from .._openssl.lib import NULL, CData, ffi, lib
from ..enums import FailureInfo
from .calls import Calls, c_function
from .credentials import trust_store

if TYPE_CHECKING:
    from .._openssl.certificate_check import CertificateCheck

ConfirmCallback = Callable[[Union["x509.Certificate"], FailureInfo], object]


class CertConf:
    """OpenSSL's own ``OSSL_CMP_certConf_cb``, for :meth:`osslcmp.Context.set_cert_conf_cb`."""

    def __repr__(self) -> str:
        return "osslcmp.certconf"


certconf = CertConf()
"""OpenSSL's own check of a new certificate (``OSSL_CMP_certConf_cb``, 3.0): off unless set."""


class OnDER:
    """A certConf callback of our own, which takes the certificate as DER: it need not be one for ``cryptography``."""

    def __init__(self, decide: Callable[[bytes, FailureInfo], object]) -> None:
        self.decide = decide

    def __call__(self, certificate: x509.Certificate, found: FailureInfo) -> object:
        return self.decide(encoded(certificate), found)


def on_der(callback: ConfirmCallback) -> Callable[[bytes, FailureInfo], object]:
    """``callback`` for a certificate as DER. Raises :class:`osslcmp.UnreadableCertificateError` where it wants more."""
    if isinstance(callback, OnDER):
        return callback.decide
    return lambda der, found: callback(cert_from_der(der), found)


class _AskedOnce:
    """A certConf callback that is asked only once, though libcrypto may look at the certificate again."""

    def __init__(self, callback: ConfirmCallback) -> None:
        self._callback = on_der(callback)
        self._decided = False
        self.verdict: object = None

    def decide(self, verdict: object) -> None:
        """Go on answering ``verdict``."""
        self._decided, self.verdict = True, verdict

    def __call__(self, certificate: bytes, found: FailureInfo) -> object:
        if not self._decided:
            self.verdict = self._callback(certificate, found)
        return self.verdict


class Confirmation:
    """The certConf callback of a context, its argument, and what it has answered."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.callback: Any = None
        self.arg: Any = None

    def set_callback(self, callback: ConfirmCallback | CertConf | CData | None) -> None:
        """As :meth:`osslcmp.Context.set_cert_conf_cb`."""
        if callback is certconf:
            pointer = ffi.addressof(lib, "OSSL_CMP_certConf_cb")
        else:
            pointer = c_function(callback, "osslcmp_py_cert_conf")
        own = None if isinstance(callback, CertConf | CData | None) else callback
        self._calls.set(lib.OSSL_CMP_CTX_set_certConf_cb, pointer, what="setting the certConf callback")
        self._calls.state.cert_conf = None if own is None else _AskedOnce(own)
        self.callback = self._calls.borrowed_by_c["cert_conf_cb"] = callback

    def set_arg(self, trusted: Sequence[AnyCertificate] | CertificateCheck | Any | None) -> None:
        """As :meth:`osslcmp.Context.set_cert_conf_cb_arg`."""
        if trusted is None:
            pointer = NULL
        elif isinstance(trusted, ffi.CData):
            pointer = trusted
        else:
            pointer = trust_store("trusted", trusted)
            lib.X509_STORE_set_verify_cb(pointer, ffi.addressof(lib, "osslcmp_verify_cb"))
        self._calls.set(lib.OSSL_CMP_CTX_set_certConf_cb_arg, pointer, what="setting the certConf argument")
        self._calls.state.may_check = not isinstance(trusted, ffi.CData)
        # C does not consume it.
        self._calls.borrowed_by_c["cert_conf_cb_arg"] = pointer
        self.arg = trusted

    @property
    def verdict(self) -> object:
        """What a callable answered last; ``None`` if nothing."""
        asked = self._calls.state.cert_conf
        return asked.verdict if isinstance(asked, _AskedOnce) else None

    def decide(self, verdict: object) -> None:
        """Let a callable, if there is one, not be asked again: its answer is ``verdict``."""
        asked = self._calls.state.cert_conf
        if isinstance(asked, _AskedOnce):
            asked.decide(verdict)

    @contextmanager
    def refusing(self, reason: str) -> Iterator[None]:
        """Refuse the certificates that come meanwhile, telling the server ``reason``."""
        callback, asked = self.callback, self._calls.state.cert_conf
        self.set_callback(lambda *_: reason)
        try:
            yield
        finally:
            self.set_callback(callback)
            self._calls.state.cert_conf = asked  # with the verdict that it has given already
