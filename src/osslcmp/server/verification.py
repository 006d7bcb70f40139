"""Who has sent a message: in comes one that libcrypto's server is not to answer, or that it has verified; out comes why its
sender may not authorise anything, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from cryptography import x509

from .._openssl import convert
from .._text import get_logger
from ..enums import FailureInfo
from . import bodies, wire
from .authority import Message, Rejected
from .ca.issuing import is_ra
from .checks import libcrypto_errors
from .checks.rules import Stage
from .configuration import Configuration
from .failures import log_failure

logger = get_logger("osslcmp.server")

FAILED = Rejected(FailureInfo.systemFailure, "")
"""What a client gets when the authority has failed."""
UNREADABLE_SIGNER = Rejected(FailureInfo.signerNotTrusted, "the signer's certificate cannot be read")


def looked_at(certificate: bytes | None) -> x509.Certificate | None:
    """The certificate of a signer, None if there is none, or nothing can be read in it."""
    try:
        return None if certificate is None else convert.look_alike(certificate)
    except ValueError as error:
        logger.info("the certificate of a signer cannot be read: %s", error)
        return None


def refuse_sender(configuration: Configuration, message: Message, raw: wire.RawMessage) -> Rejected | None:
    """Why the sender of a verified message may not authorise anything; None when it may. ``raw`` is what is being answered:
    a pollReq for a request that waits, else the same as ``message``."""
    signer = message.signer_der
    if signer is None:
        return None
    # libcrypto builds its path with all of these, so nothing here may go by fewer.
    chain = tuple(dict.fromkeys((*raw.extra_certs, *message.request_certs)))
    broken = configuration.rules.broken(Stage.SENDER, raw, signer=signer, chain=chain)
    if broken is not None:
        return broken
    crls = configuration.rules.limits.client_crls
    if crls is not None and crls.knows(signer, chain) and (refused := crls.refuse(signer, chain)) is not None:
        return refused
    ask = getattr(configuration.authority, "refuse_sender", None)
    if ask is None:
        return None
    try:
        return ask(message)  # type: ignore[no-any-return]
    except Exception as error:
        log_failure(logger, "the authority failed to say whether a client may ask", error)
        return FAILED


def refuse_unverified(
    configuration: Configuration,
    message: wire.RawMessage,
    certificates: Iterable[bytes] = (),
    *,
    forwards: bool = False,
) -> Rejected | None:
    """Why a message is not validly protected, or its sender may not authorise anything. ``certificates`` (DER) may help to
    verify it. If it ``forwards``, a registration authority has to have signed it, whatever else the server accepts."""
    certificates = tuple(certificates)
    with closing(configuration.engine_for(message, (*message.extra_certs, *certificates))) as engine:
        accepted = configuration.pool.settings.accept_unprotected and not forwards
        if not accepted and not engine.proves(message.encoding):
            refusal = None
            if configuration.rules.explains:
                refusal = libcrypto_errors.explain(message, engine.log, configuration.pool.settings.clients)
            return refusal or Rejected(FailureInfo.badRequest)
        signer_der = engine.signer(message.header.sender_kid) if message.header.is_signed else None
    signer = looked_at(signer_der)
    if signer_der is not None and signer is None:
        return UNREADABLE_SIGNER
    if forwards and (signer is None or not is_ra(signer)):
        return Rejected(FailureInfo.notAuthorized, "nested messages are for a registration authority to send")
    about = bodies.about(message, signer=signer, signer_der=signer_der, request_certs=certificates)
    return refuse_sender(configuration, Message(**about), message)
