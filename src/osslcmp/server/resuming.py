"""The names of ``osslcmp.server.persistent`` where the documentation had them first."""

from __future__ import annotations

from .persistent import PersistentServer

__all__ = ["PersistentServer"]
