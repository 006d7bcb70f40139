"""Ownership of C objects: the only place with ``ffi.gc``.

``own`` is for what C gave us for good, ``up_ref`` for a reference of our own to what C keeps,
``give_to_c`` for what C takes over from us unless it fails, ``release`` where it fails only without memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..errors import CMPError
from .errorqueue import check
from .lib import NULL, ffi, lib

_P = TypeVar("_P")


def own(pointer: _P, free: Callable[[_P], Any], what: str) -> _P:
    """Own ``pointer``: ``free`` is called when the last reference to the result goes.

    Raises the queued errors, telling ``what`` failed, if it is NULL.
    """
    if pointer == NULL:
        check(NULL, what)
    return ffi.gc(pointer, free)


def release(handle: object) -> None:
    """C takes over ``handle``: it is not freed any more. To be called before: see :func:`give_to_c`."""
    ffi.gc(handle, None)


def give_to_c(
    handle: Any, free: Callable[[Any], Any], function: Callable[..., Any], *args: Any, what: str
) -> None:
    """Call a C ``function``, by which C takes ``handle`` over unless it fails.

    A signal handler may raise at any moment, also when C has it already: so it is released before. Rather lost than
    freed twice. Whatever else may raise belongs before this.
    """
    release(handle)
    try:
        check(function(*args), what)
    except CMPError:
        own(handle, free, "taking back what C did not take")  # and it is gone
        raise


def up_ref(pointer: _P, function: Callable[[_P], int], free: Callable[[_P], Any], what: str) -> _P:
    """A reference of our own to a ref-counted object that C keeps."""
    check(function(pointer), what)
    return ffi.gc(pointer, free)


def _pop_free_certs(stack: Any) -> None:
    lib.sk_X509_pop_free(stack, ffi.addressof(lib, "X509_free"))


def own_stack(stack: Any, what: str) -> Any:
    """Own a ``STACK_OF(X509)`` with the certificates in it."""
    return own(stack, _pop_free_certs, what)


def cert_stack(certs: Iterable[Any]) -> Any:
    """A new ``STACK_OF(X509)`` that holds a reference to each of the given handles."""
    stack = own_stack(lib.sk_X509_new_null(), "making a list of certificates")
    for cert in certs:
        check(lib.X509_up_ref(cert), "making a list of certificates")
        if lib.sk_X509_push(stack, cert) <= 0:
            lib.X509_free(cert)
            check(0, "making a list of certificates")
    return stack
