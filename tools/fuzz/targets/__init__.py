"""What is fuzzed, by name."""

from __future__ import annotations

from .apps import Applications
from .base import FindingError, Plan, Target
from .client import Answers, Command, CommandFiles, Operator, Transfer
from .files import Messages, Resumed, Show, Traces
from .server import Mock, Persistent, Requests, Web

__all__ = ["TARGETS", "FindingError", "Plan", "Target"]

TARGETS: dict[str, type[Target]] = {
    kind.name: kind
    for kind in (
        Answers,
        Transfer,
        Command,
        CommandFiles,
        Operator,
        Requests,
        Persistent,
        Web,
        Mock,
        Applications,
        Messages,
        Show,
        Traces,
        Resumed,
    )
}
