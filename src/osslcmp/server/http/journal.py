"""One line in the log for each message that came by HTTP and its answer, for the operator.

At level INFO of all messages; when that is off, at level WARNING of those whose sender is unknown or proves nothing.
"""

from __future__ import annotations

import logging

from ..._asn1 import x509_parts
from ..._text import get_logger
from ...enums import BodyType, FailureInfo
from ...errors import CMPError
from ...message import ErrorMessage
from ...message.describe import name_text, status_text, summary
from .. import wire
from .events import Answered, sender

logger = get_logger("osslcmp.server")


_UNPROVEN = (
    FailureInfo.badMessageCheck
    | FailureInfo.wrongIntegrity
    | FailureInfo.signerNotTrusted
    | FailureInfo.certRevoked
    | FailureInfo.notAuthorized
)


def note(answered: Answered) -> None:
    """Log who asked for what and what the answer was."""
    address, request, answer = answered.address, answered.request, answered.answer
    if answer is None:
        return
    if not logger.isEnabledFor(logging.INFO):
        if logger.isEnabledFor(logging.WARNING):
            _note_unproven(address, request, answer)
        return
    try:
        asked, reply = answered.request_message, answered.answer_message
        header = asked.header
        number = (header.transaction_id or b"").hex()
        line = (
            f"{address} {sender(header)!r} {asked.type.name} ({summary(asked)}) in {number}: "
            f"{reply.type.name} ({summary(reply)})"
        )
    except (CMPError, ValueError) as error:
        line = f"{address}: a message that does not decode: {error}"
    logger.info("%s", line)


def _note_unproven(address: str, request: bytes, answer: bytes) -> None:
    try:
        raw = wire.read_message(answer)
        if raw.body_type != BodyType.ERROR:
            return
        status = ErrorMessage.of(raw.body).status
        if not status.failure_info & _UNPROVEN:
            return
        header = wire.read_message(request).header
        if header.uses_mac or header.sender_name is None:
            who = repr((header.sender_kid or b"").decode("utf-8", "backslashreplace"))
        else:
            who = repr(name_text(x509_parts.read_name(header.sender_name)))
    except (CMPError, ValueError) as error:
        logger.warning("%s: a message that does not decode: %s", address, error)
        return
    logger.warning("%s %s was refused: %s", address, who[:200], status_text(status)[:300])
