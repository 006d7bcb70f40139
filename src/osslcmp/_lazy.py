"""Modules of ``cryptography``, and ``datetime``, imported when something in them is first asked for: an enrolment from
files and texts needs none of them, and to import them takes longer than all the rest.

``import`` hands a module out when it is whole, to any number of threads. ``importlib.util.LazyLoader`` does not before
CPython 3.12.3.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["datetime", "in_use", "key_types", "x509"]


class _Module:
    """Stands for a module, and has its dictionary once that is imported: then it is as quick."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, attribute: str) -> Any:
        module = import_module(self.__name__)
        self.__dict__ = module.__dict__
        return getattr(module, attribute)


if TYPE_CHECKING:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import types as key_types
else:
    datetime = _Module("datetime")
    x509 = _Module("cryptography.x509")
    key_types = _Module("cryptography.hazmat.primitives.asymmetric.types")


def in_use(module: str = "cryptography.x509") -> bool:
    """Whether there may be objects of it: what nobody has imported has none."""
    return module in sys.modules
