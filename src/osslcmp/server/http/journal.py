"""One line in the log for each message that came by HTTP and its answer, for the operator.

At level INFO of all messages; when that is off, at level WARNING of those whose sender is unknown or proves nothing.
"""

from __future__ import annotations

import logging

from ..._text import get_logger
from ...enums import BodyType, FailureInfo
from ...errors import CMPError
from ...message import ErrorMessage
from ...message.describe import status_text, summary
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
    address, answer = answered.address, answered.answer
    if answer is None:
        return
    if not logger.isEnabledFor(logging.INFO):
        if logger.isEnabledFor(logging.WARNING):
            _note_unproven(answered, answer)
        return
    try:
        asked, reply = answered.request_message, answered.answer_message
        number = (asked.header.transaction_id or b"").hex()
        what = f"{sender(asked.header)!r} {asked.type.name} ({summary(asked)}) in {number}"
        line = f"{address} {what}: {reply.type.name} ({summary(reply)})"
    except (CMPError, ValueError) as error:
        line = f"{address}: a message that does not decode: {error}"
    logger.info("%s", line)


def _note_unproven(answered: Answered, answer: bytes) -> None:
    try:
        if wire.read_answer(answer).body_type != BodyType.ERROR:
            return
        status = ErrorMessage.of(wire.read_message(answer).body).status
        if not status.failure_info & _UNPROVEN:
            return
        who = repr(sender(answered.request_message.header))
    except (CMPError, ValueError) as error:
        logger.warning("%s: a message that does not decode: %s", answered.address, error)
        return
    logger.warning("%s %s was refused: %s", answered.address, who[:200], status_text(status)[:300])
