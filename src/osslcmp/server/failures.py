"""How what goes wrong in a server is logged."""

from __future__ import annotations

import logging

from .._text import one_line


class OutageError(Exception):
    """What could not be done now, and may be possible later."""


def is_outage(error: BaseException) -> bool:
    """Whether a disk, a network or a database has failed, which the operator mends."""
    return isinstance(error, (OSError, OutageError)) or any(
        kind.__module__.startswith("sqlalchemy.") for kind in type(error).__mro__
    )


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log why ``what`` failed: an outage in a line, and all of what may be a mistake in code."""
    if is_outage(error):
        text = one_line(str(error).partition("\n")[0], 300)
        logger.error("%s: %s: %s", what, type(error).__name__, text, stacklevel=2)
    else:
        logger.error("%s", what, exc_info=error, stacklevel=2)
