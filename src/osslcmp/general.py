"""General messages whose contents have a type: the public name of :mod:`osslcmp.message.general`."""

from __future__ import annotations

from .message.general import *  # noqa: F403
from .message.general import __all__  # noqa: F401
