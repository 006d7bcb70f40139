"""Providers, and library contexts of one's own to load them into."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from .._arguments import checked
from .errorqueue import check, clear
from .lib import NULL, ffi, lib, unsupported, usable_version


class LibraryContext:
    """``OSSL_LIB_CTX`` (3.0): providers and configuration apart from the rest of the process.

    For ``Context(library=...)`` and ``Client(library=...)``. ``propq`` is the property query that algorithms are
    fetched with, for instance ``"fips=yes"``; ``config`` the path of an OpenSSL configuration file to load.

    It lasts until the process ends, since keys and certificates made in it refer to it.
    """

    @checked
    def __init__(self, *, propq: str | None = None, config: str | os.PathLike[str] | None = None) -> None:
        self.propq = propq
        self.propq_chars: Any = NULL if propq is None else ffi.new("char[]", propq.encode())
        clear()
        self._pointer = lib.OSSL_LIB_CTX_new()
        check(self._pointer, "making a library context")
        if config is not None:
            check(
                lib.OSSL_LIB_CTX_load_config(self._pointer, os.fsencode(config)),
                f"loading {os.fspath(config)!r}",
            )

    @property
    def pointer(self) -> Any:
        """The raw ``OSSL_LIB_CTX *``."""
        return self._pointer

    def load_provider(
        self,
        name: str,
        *,
        path: str | os.PathLike[str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Provider:
        """Like :func:`osslcmp.load_provider`, into this context. Nothing is loaded by itself then: name them all."""
        return _load(self._pointer, name, path, params)

    @contextmanager
    def default(self) -> Iterator[None]:
        """Within the block this is the default context of the thread (``OSSL_LIB_CTX_set0_default``, 3.0)."""
        outer = lib.OSSL_LIB_CTX_set0_default(self._pointer)
        try:
            yield
        finally:
            lib.OSSL_LIB_CTX_set0_default(outer)


def made_in(library: LibraryContext | None) -> AbstractContextManager[None]:
    """Keys and certificates made within the block are made in ``library``, if there is one."""
    return nullcontext() if library is None else library.default()


class Provider:
    """A loaded provider (``OSSL_PROVIDER``, 3.0)."""

    def __init__(self, pointer: Any, name: str) -> None:
        self._pointer = pointer
        self.name = name

    def __repr__(self) -> str:
        return f"<osslcmp.Provider {self.name}>"

    def unload(self) -> None:
        """Unload it (``OSSL_PROVIDER_unload``, 3.0). Nothing that uses it may be left."""
        if self._pointer != NULL:
            clear()
            pointer, self._pointer = self._pointer, NULL
            check(lib.OSSL_PROVIDER_unload(pointer), f"unloading provider {self.name}")


def load_provider(
    name: str, *, path: str | os.PathLike[str] | None = None, params: Mapping[str, str] | None = None
) -> Provider:
    """Load a provider for the whole process (``OSSL_PROVIDER_load``, 3.0).

    ``name`` such as ``"legacy"``, ``"fips"`` or ``"pkcs11"``; ``path`` the folder to look for it in; ``params`` its
    settings (3.2). The default provider stays. Raises :class:`osslcmp.OpenSSLError` if it does not load.
    """
    return _load(NULL, name, path, params)


@checked
def _load(
    library: Any, name: str, path: str | os.PathLike[str] | None, params: Mapping[str, str] | None
) -> Provider:
    if not name:
        raise ValueError("name: is empty")
    settings = dict(params or {})
    if len(settings) > 32:
        raise ValueError("params: more than 32")
    if settings and usable_version < (3, 2, 0):
        raise unsupported("params of load_provider", "3.2")
    clear()
    if path is not None:
        check(
            lib.OSSL_PROVIDER_set_default_search_path(library, os.fsencode(path)), "setting the search path"
        )
    keys = [ffi.new("char[]", key.encode()) for key in settings]
    values = [ffi.new("char[]", value.encode()) for value in settings.values()]
    pointer = lib.osslcmp_provider_load(
        library,
        name.encode(),
        ffi.new("const char *[]", keys) if keys else NULL,
        ffi.new("const char *[]", values) if values else NULL,
        len(settings),
    )
    check(pointer, f"loading provider {name!r}")
    return Provider(pointer, name)
