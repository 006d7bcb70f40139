"""What the steps of a message's way through a server have in common: who decides, by which rules, and the settings of
libcrypto."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from .._text import get_logger
from . import bodies, wire
from .authority import Authority
from .checks.rules import Checker
from .engine import Engine, Pool
from .failures import log_failure

_NO_SECRET = os.urandom(32)
"""Stands for the secret of references that have none: nobody knows it."""

logger = get_logger("osslcmp.server")


@dataclass
class Configuration:
    """The settings of a Server that count beyond the engine's own; each may change between two messages.

    Args:
        authority: decides.
        pool: of the engine's credentials, with its settings.
        rules: what a message must be like.
        sign_always: sign the answers to messages under a shared secret, too.
        transaction_timeout: seconds that an open transaction waits for its client.
    """

    authority: Authority
    pool: Pool
    rules: Checker
    sign_always: bool
    transaction_timeout: float

    def engine_for(self, message: wire.RawMessage, certificates: Iterable[bytes] = ()) -> Engine:
        """A context of libcrypto with the credentials that fit a message; ``certificates`` (DER) help to verify it."""
        header = message.header
        if not header.uses_mac:
            return Engine(self.pool, None, None, certificates)
        secret = None
        reference = bodies.reference(header)
        if reference is not None:
            try:
                secret = self.authority.shared_secret(reference)
            except Exception as error:
                log_failure(logger, "the authority failed to look up a shared secret", error)
        # Whoever has no secret here costs as much as who has one and does not know it.
        return Engine(self.pool, reference, secret or _NO_SECRET, certificates, header.mac)
