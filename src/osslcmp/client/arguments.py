"""The keyword arguments of requests at run time: those of :class:`osslcmp.CertificateRequest`.

What type checkers and editors read is arguments.pyi, which tools/make_arguments.py makes of the same.
"""

from __future__ import annotations

import sys
from typing import TypedDict, get_type_hints

from ..context.deadline import OnWait
from .request import CertificateRequest

if sys.version_info >= (3, 11):
    from typing import Unpack
else:

    class Unpack:
        """``typing.Unpack`` is not in Python 3.10, and typing_extensions no dependency."""

        def __class_getitem__(cls, item: object) -> object:
            return item


__all__ = ["BeginArguments", "EnrollArguments", "P10Arguments", "Unpack"]

_fields = get_type_hints(CertificateRequest)
_waiting = {**_fields, "on_wait": OnWait | None}

BeginArguments = TypedDict("BeginArguments", _fields, total=False)
EnrollArguments = TypedDict("EnrollArguments", {n: k for n, k in _waiting.items() if n != "key"}, total=False)
P10Arguments = TypedDict("P10Arguments", {n: k for n, k in _waiting.items() if n != "csr"}, total=False)
