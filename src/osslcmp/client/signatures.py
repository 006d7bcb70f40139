"""What help() and editors show of methods that take a request's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from .request import CertificateRequest

_F = TypeVar("_F", bound=Callable[..., Any])


def shown(arguments: Any) -> Callable[[_F], _F]:
    """Let help() and whatever else asks for a method's signature see what its ``**request`` takes."""
    defaults = {field.name: (field.default, field.type) for field in fields(CertificateRequest)}
    defaults["on_wait"] = (None, "OnWait | None")

    def show(method: _F) -> _F:
        signature = inspect.signature(method)
        *own, _ = signature.parameters.values()
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (default, annotation) in defaults.items()
            if name in arguments.__annotations__ and name not in signature.parameters
        ]
        method.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        return method

    return show
