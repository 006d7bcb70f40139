"""One line in the log for each message that came by HTTP and its answer, for the operator."""

from __future__ import annotations

import logging

from cryptography import x509

from ..._text import get_logger
from ...errors import CMPError
from ...message import Header, Message
from ...message.describe import name_text, summary

__all__ = ["note"]

logger = get_logger("osslcmp.server")


def note(address: str, request: bytes, answer: bytes) -> None:
    """Log who asked for what and what the answer was, at level INFO. Costs nothing when that is off.

    Args:
        address: where the request came from.
        request: the message as DER; it need not be one.
        answer: the answer as DER.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    try:
        asked, told = Message.from_der(request), Message.from_der(answer)
        header = asked.header
        number = (header.transaction_id or b"").hex()
        line = (
            f"{address} {_who(header)} {asked.type.name} ({summary(asked)}) in {number}: "
            f"{told.type.name} ({summary(told)})"
        )
    except (CMPError, ValueError) as error:
        line = f"{address}: a message that does not decode: {error}"
    logger.info("%s", line)


def _who(header: Header) -> str:
    """The reference of the shared secret, or the sender's name."""
    if header.pbm is not None:
        return repr((header.sender_kid or b"").decode("utf-8", "backslashreplace"))
    try:
        sender = header.sender
    except ValueError:
        return "somebody"
    return repr(name_text(sender.value) if isinstance(sender, x509.DirectoryName) else str(sender.value))
