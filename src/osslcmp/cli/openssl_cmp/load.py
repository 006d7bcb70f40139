"""Keys, certificates, CRLs and CSRs from files and URIs through ``OSSL_STORE``, and passwords, as OpenSSL's commands load
them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..._files import read
from ..._openssl.errorqueue import check, clear, drain
from ..._openssl.inputs import first_line, with_lower_scheme, without_pin
from ..._openssl.keys import PasswordCallback, open_store
from ..._openssl.lib import NULL, ffi, lib
from ..._openssl.names import name_of
from ..._openssl.ownership import own
from ..._openssl.signers import check_signer
from .console import Console, Failure
from .settings import items

if TYPE_CHECKING:
    from .context import Run

_T = TypeVar("_T")
#: Octets of a line, as in OpenSSL (``APP_PASS_LEN`` without the NUL).
_LINE_LIMIT = 1023
_HTTP = ("http://", "https://")


#: By what a file or URI may hold: how it is taken from an ``OSSL_STORE_INFO *``, and freed.
_TAKE: dict[int, tuple[Any, Any]] = {
    lib.OSSL_STORE_INFO_PKEY: (lib.OSSL_STORE_INFO_get1_PKEY, lib.EVP_PKEY_free),
    lib.OSSL_STORE_INFO_PUBKEY: (lib.OSSL_STORE_INFO_get1_PUBKEY, lib.EVP_PKEY_free),
    lib.OSSL_STORE_INFO_CERT: (lib.OSSL_STORE_INFO_get1_CERT, lib.X509_free),
    lib.OSSL_STORE_INFO_CRL: (lib.OSSL_STORE_INFO_get1_CRL, lib.X509_CRL_free),
}


class Loader:
    """Loads with the settings of the command. Its methods raise Failure, naming what and where."""

    def __init__(self, run: Run) -> None:
        self._settings = run.opt
        self._console = run.console
        self._vpm = run.global_options.vpm

    def password(self, option: str, what: str) -> str | None:
        """The password of an option."""
        return _password(self._settings.text(option), what, self._console)

    def optional(self, load: Callable[..., _T], option: str, *args: str) -> _T | None:
        """What ``load`` makes of the text of an option and ``args``; ``None`` if the option is not given."""
        text = self._settings.text(option)
        return None if text is None else load(text, *args)

    def secret(self, option: str, what: str) -> bytes:
        """The shared secret of an option: of a file, its first line without the CR of CR LF, which OpenSSL leaves there."""
        source = self._settings.text(option) or ""
        value = (self.password(option, what) or "").encode("utf-8", "surrogateescape")
        return first_line(value) if source == "stdin" or source.startswith(("file:", "fd:")) else value

    # -- keys ---------------------------------------------------------------------------------------------

    def private_key(self, uri: str, pass_option: str, what: str) -> Any:
        """``EVP_PKEY *`` with the private part."""
        self._check_form(uri, what)
        secret = self.password(pass_option, what)
        return self._first("key", uri, lib.OSSL_STORE_INFO_PKEY, secret, what)

    def any_key(self, uri: str, pass_option: str, what: str) -> tuple[Any, bool]:
        """``EVP_PKEY *`` and whether it has the private part."""
        self._check_form(uri, what)
        secret = self.password(pass_option, what)
        if found := self._load(uri, lib.OSSL_STORE_INFO_PKEY, secret, what, quiet=True):
            return found[0], True
        return self._first("key", uri, lib.OSSL_STORE_INFO_PUBKEY, secret, what), False

    def _check_form(self, uri: str, what: str) -> None:
        """Hold ``-keyform`` for a file: OpenSSL reads no other form then, ``DER`` or ``PEM``."""
        wanted, path = self._settings.text("form of keys"), uri.removeprefix("file:")
        if wanted is not None and os.path.isfile(path):
            found = "PEM" if b"-----BEGIN " in read(path) else "DER"
            if found != wanted:
                raise Failure(
                    f"Could not read {what} from {uri}: it is {found}, not {wanted} as -keyform says"
                )

    # -- certificates -------------------------------------------------------------------------------------

    def cert(self, uri: str, pass_option: str, what: str) -> Any:
        """``X509 *``: the first in the file."""
        url = with_lower_scheme(uri)
        if url.startswith("https://"):
            raise Failure(f"Loading {what} over HTTPS is unsupported\nUnable to load {what}")
        if url.startswith("http://"):
            clear()
            cert = lib.X509_load_http(url.encode(), NULL, NULL, 0)
            if cert == NULL:
                raise Failure(f"Unable to load {what}: {_queued_errors()}")
            return own(cert, lib.X509_free, what)
        return self._certs(uri, pass_option, what)[0]

    def cert_and_more(self, uri: str, pass_option: str, what: str) -> tuple[Any, list[Any]]:
        """The first certificate, and the others in the file."""
        first, *more = self._certs(uri, pass_option, what)
        self._warn(uri, [first], ca=False)
        self._warn(uri, more, ca=True)
        return first, more

    def _certs(self, uri: str, pass_option: str, what: str, *, many: bool = False) -> list[Any]:
        found = self._load(uri, lib.OSSL_STORE_INFO_CERT, self.password(pass_option, what), what)
        return found or self._missing("cert", uri, what, many=many)

    def certs(self, uris: str, what: str, *, local: bool = False) -> list[Any]:
        """All certificates of several files."""
        result: list[Any] = []
        for uri in items(uris):
            if local and uri.lower().startswith(_HTTP):
                raise Failure(f"error: HTTP retrieval not allowed for {what}")
            found = self._certs(uri, "otherpass", what, many=True)
            self._warn(uri, found, ca=True)
            for cert in found:
                if not any(lib.X509_cmp(cert, known) == 0 for known in result):
                    result.append(cert)
        return result

    def store(self, uris: str, what: str, *, for_new_cert: bool = False) -> Any:
        """``X509_STORE *`` with the verification parameters of the command."""
        clear()
        store = own(lib.X509_STORE_new(), lib.X509_STORE_free, "making a trust store")
        certs = self.certs(uris, what, local=True)
        check_signers(certs, what)
        for cert in certs:
            check(lib.X509_STORE_add_cert(store, cert), f"adding to {what}")
        lib.X509_STORE_set_verify_cb(store, ffi.addressof(lib, "osslcmp_verify_cb"))
        check(lib.X509_STORE_set1_param(store, self._vpm), f"setting verification parameters for {what}")
        if not for_new_cert:
            param = lib.X509_STORE_get0_param(store)
            for function in (
                lib.X509_VERIFY_PARAM_set1_host,
                lib.X509_VERIFY_PARAM_set1_ip,
                lib.X509_VERIFY_PARAM_set1_email,
            ):
                check(function(param, NULL, 0), f"setting verification parameters for {what}")
            lib.X509_VERIFY_PARAM_set_hostflags(
                param, lib.X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
            )
        return store

    def _warn(self, uri: str, certs: list[Any], *, ca: bool) -> None:
        for cert in certs:
            flags = lib.X509_get_extension_flags(cert)
            times = lib.X509_get0_notBefore(cert), lib.X509_get0_notAfter(cert)
            timely = lib.X509_cmp_timeframe(self._vpm, *times)
            if timely:
                self._warn_of(uri, cert, "has expired" if timely > 0 else "not yet valid")
            if ca and not flags & (lib.EXFLAG_V1 | lib.EXFLAG_CA):
                self._warn_of(uri, cert, "is not a CA cert")

    def _warn_of(self, uri: str, cert: Any, what: str) -> None:
        uri = without_pin(uri)
        self._console.plain(f"Warning: certificate from '{uri}' with subject '{name_of(cert)}' {what}")

    # -- others -------------------------------------------------------------------------------------------

    def crl(self, uri: str, what: str) -> Any:
        """``X509_CRL *``."""
        return self._first("CRL", uri, lib.OSSL_STORE_INFO_CRL, None, what)

    def csr(self, path: str, what: str) -> Any:
        """``X509_REQ *``, PEM or DER; a wrong signature is worth a warning."""
        try:
            data = read(path)
        except OSError as error:
            raise Failure(f"error: unable to load {what} from file '{path}': {error.strerror}") from error
        buffer = ffi.from_buffer("unsigned char[]", data)
        for decode, more in (
            (lib.PEM_read_bio_X509_REQ, (NULL, NULL, NULL)),
            (lib.d2i_X509_REQ_bio, (NULL,)),
        ):
            clear()
            bio = own(lib.BIO_new_mem_buf(buffer, len(data)), lib.BIO_free, "reading a CSR")
            csr = decode(bio, *more)
            if csr != NULL:
                break
        else:
            raise Failure(f"error: unable to load {what} from file '{path}': {_queued_errors()}")
        owned = own(csr, lib.X509_REQ_free, what)
        key = lib.X509_REQ_get0_pubkey(owned)
        verdict = -1 if key == NULL else lib.X509_REQ_verify(owned, key)
        clear()
        if verdict < 0:
            self._console.warn("error while verifying CSR self-signature")
        elif verdict == 0:
            self._console.warn("CSR self-signature does not match the contents")
        return owned

    # -- the store ----------------------------------------------------------------------------------------

    def _first(self, kind: str, uri: str, wanted: int, secret: str | None, what: str) -> Any:
        found = self._load(uri, wanted, secret, what)
        return found[0] if found else self._missing(kind, uri, what)

    def _missing(self, kind: str, uri: str, what: str, *, many: bool = False) -> NoReturn:
        name = what if kind in what else f"{kind} of {what}"
        why = _queued_errors()
        raise Failure(
            without_pin(
                f"Could not read{' any' if many else ''} {name} from {uri}" + (f": {why}" if why else "")
            )
        )

    def _load(
        self, uri: str, wanted: int, secret: str | None, what: str, *, quiet: bool = False
    ) -> list[Any]:
        """What there is of a kind, if it is a key the first alone."""
        asked = PasswordCallback(self._asker(uri, secret, what))
        found: list[Any] = []
        with open_store(os.fsencode(uri), asked) as store:
            if store == NULL:
                if quiet:
                    return found
                told = f"Could not open file or uri for loading {what} from {uri}: {_queued_errors()}"
                raise Failure(without_pin(told))
            lib.OSSL_STORE_expect(store, wanted)
            while not lib.OSSL_STORE_eof(store) and not (found and wanted == lib.OSSL_STORE_INFO_PKEY):
                info = lib.OSSL_STORE_load(store)
                if info == NULL:
                    continue
                try:
                    if lib.OSSL_STORE_INFO_get_type(info) == wanted:
                        take, free = _TAKE[wanted]
                        found.append(own(take(info), free, f"taking {what}"))
                finally:
                    lib.OSSL_STORE_INFO_free(info)
        if asked.exception is not None:
            raise asked.exception
        return found

    def _asker(self, uri: str, secret: str | None, what: str) -> Any:
        """The password for C, asked for only when it is needed and somebody can answer."""
        if secret is not None:
            return os.fsencode(secret)
        if self._settings.flag("batch") or not sys.stdin.isatty():
            return None
        return _prompt(uri, what)


def check_signers(certs: Iterable[Any], what: str) -> None:
    """Raise Failure for a certificate that libcrypto must not meet as the supposed signer of a message."""
    try:
        for cert in certs:
            check_signer(what, cert)
    except ValueError as error:
        raise Failure(str(error)) from error


def _prompt(uri: str, what: str) -> Callable[[], str]:
    def ask() -> str:
        try:
            from getpass import getpass

            return getpass(f"Enter pass phrase for {what} in {without_pin(uri)}: ")
        except EOFError as error:
            raise Failure(f"no pass phrase for {what}") from error

    return ask


def _queued_errors() -> str:
    return "; ".join(dict.fromkeys(map(str, reversed(drain()))))


# -- passwords: pass: env: file: fd: stdin, or the password itself ---------------------------------------------


def _password(source: str | None, what: str, console: Console) -> str | None:
    """The password of ``source``; what is no source stands for itself. ``None`` for ``None``."""
    if source is None:
        return None
    try:
        return _read_password(source)
    except (OSError, ValueError) as error:
        console.plain(f"{error}\nError getting password for {what}")
        console.plain("Trying plain input string (better precede with 'pass:')")
        return source


def _read_password(source: str) -> str:
    kind, colon, rest = source.partition(":")
    if source == "stdin":
        return _line(sys.stdin.readline(_LINE_LIMIT))
    if kind == "pass" and colon:
        return rest
    if kind == "env" and colon:
        if (value := os.environ.get(rest)) is None:
            raise ValueError(f"No environment variable {rest}")
        return value
    if kind == "file" and colon:
        try:
            with open(rest, "rb") as file:
                return _line(os.fsdecode(file.readline(_LINE_LIMIT)))
        except OSError as error:
            raise ValueError(f"Can't open file {rest}") from error
    if kind == "fd" and colon:
        if not rest.isdigit():
            raise ValueError(f"Can't access file descriptor {rest}")
        with os.fdopen(os.dup(int(rest)), "rb", buffering=0) as file:
            return _line(os.fsdecode(file.readline(_LINE_LIMIT)))
    # What it is might be the password: it is not repeated.
    if colon and len(kind) <= 4:
        raise ValueError(f'Invalid password argument, starting with "{kind}:"')
    raise ValueError("Invalid password argument, missing ':' within the first 5 chars")


def _line(line: str) -> str:
    if not line:
        raise ValueError("Error reading password from BIO")
    return line.partition("\n")[0]
