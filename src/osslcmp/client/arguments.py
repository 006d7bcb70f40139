"""The keyword arguments of requests at run time: those of :class:`osslcmp.CertificateRequest`.

What type checkers and editors read is arguments.pyi, which tools/make_arguments.py makes of the same.
"""

from __future__ import annotations

import sys
from types import new_class
from typing import TypedDict

from ..context.deadline import OnWait
from .request import CertificateRequest

if sys.version_info >= (3, 11):
    from typing import Unpack
else:

    class Unpack:
        """``typing.Unpack`` is not in Python 3.10, and typing_extensions no dependency."""

        def __class_getitem__(cls, item: object) -> object:
            return item


def _arguments(name: str, fields: dict[str, object]) -> object:
    """A ``TypedDict``. Its types are texts, read in the module of CertificateRequest when somebody asks for them."""

    def fill(namespace: dict[str, object]) -> None:
        namespace.update(__annotations__=fields, __module__=CertificateRequest.__module__)

    return new_class(name, (TypedDict,), {"total": False}, fill)


_fields = CertificateRequest.__annotations__
_waiting = {**_fields, "on_wait": OnWait | None}

BeginArguments = _arguments("BeginArguments", _fields)
EnrollArguments = _arguments("EnrollArguments", {n: k for n, k in _waiting.items() if n != "key"})
P10Arguments = _arguments("P10Arguments", {n: k for n, k in _waiting.items() if n != "csr"})
