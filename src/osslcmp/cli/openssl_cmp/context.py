"""One run of the command: what its parts share, and its ``Context``, which takes and gives C objects as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._openssl.convert import own_certs
from ..._openssl.lib import NULL, ffi, lib
from ...context import Context
from ...enums import Option
from .console import Console, Failure
from .global_options import GlobalOptions
from .output import shared, through_bio
from .report import Outcome
from .settings import Settings

if TYPE_CHECKING:
    from .load import Loader


class Run:
    """What the parts of one run of the command share."""

    load: Loader
    """Once the options have been read."""
    ctx: CommandContext
    """Once the client is being set up."""

    def __init__(self) -> None:
        self.console = Console()
        self.opt = Settings()
        self.global_options = GlobalOptions()
        self.outcome = Outcome()

    def warn_of(self, text: str, *options: str) -> None:
        """A warning with ``{}`` in its place for each of the options that is given."""
        for option in filter(self.opt.flag, options):
            self.console.warn(text.format(option))


class CommandContext(Context):
    """:class:`osslcmp.Context` with the timeouts of ``openssl cmp`` and setters for raw handles."""

    def __init__(self) -> None:
        super().__init__()
        self.set_option(Option.MSG_TIMEOUT, 120)
        self.set_option(Option.TOTAL_TIMEOUT, 0)
        self.calls.state.keep_notes = True  # where only the log names a wrong sender

    def put(self, function: str, *args: Any) -> None:
        """Call a setter that copies or takes a reference of its own."""
        self.calls.set(getattr(lib, function), *args, what=function)

    def give(self, function: str, handle: Any, free: Callable[[Any], Any], *before: Any) -> None:
        """Call a setter that takes the handle over; ``free`` is for when it does not. ``before`` are its arguments
        before the handle."""
        self.calls.set(getattr(lib, function), *before, handle, what=function, giving=free)

    def give_trusted(self, store: Any) -> None:
        """Trust anchors for the protection of answers."""
        self.give("OSSL_CMP_CTX_set0_trustedStore", store, lib.X509_STORE_free)

    def give_new_key(self, key: Any, *, private: bool) -> None:
        """The key to certify."""
        self.request.has_key = True
        self.give("OSSL_CMP_CTX_set0_newPkey", key, lib.EVP_PKEY_free, int(private))

    @property
    def raw(self) -> Any:
        """The ``OSSL_CMP_CTX *``."""
        return self.calls.pointer

    # -- results ------------------------------------------------------------------------------------------

    def cert(self, function: str) -> list[Any]:
        """The certificate that a ``get0`` function gives, as it came; none if there is none."""
        cert = self.calls.get(getattr(lib, function))
        return [] if cert == NULL else [cert]

    def central_key_pem(self, password: str | None) -> bytes:
        """The key that the CA generated (3.5), PEM, encrypted if there is a password."""
        key = self.calls.get(lib.OSSL_CMP_CTX_get0_newPkey, 1)
        if key == NULL:
            raise Failure("no centrally generated key came")
        cipher = NULL if password is None else lib.EVP_aes_256_cbc()
        encoded = b"" if password is None else os.fsencode(password)
        secret = NULL if password is None else ffi.from_buffer("unsigned char[]", encoded)
        return through_bio(
            lambda bio: lib.PEM_write_bio_PrivateKey(bio, key, cipher, secret, len(encoded), NULL, NULL)
        )

    def cert_stack(self, function: str) -> list[Any]:
        """The certificates that a ``get1`` function gives."""
        return shared(own_certs(self.calls.get(getattr(lib, function))))
