"""The modules for users, whose names are a promise."""

from __future__ import annotations

MODULES = [
    "osslcmp",
    "osslcmp.general",
    "osslcmp.message",
    "osslcmp.renewal",
    "osslcmp.server",
    "osslcmp.testing",
    "osslcmp.transport",
]
