"""Which method stands for which C function: the table of ``docs/openssl-map.md``, made from the names on ``lib``.

A Sphinx extension: it puts the tables in the place of the comment ``<!-- openssl-map -->``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import osslcmp
from osslcmp import Context, ffi, lib

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "<!-- openssl-map -->"
PREFIX = "OSSL_CMP_CTX_"

#: What is no method of a context, and what does its work.
ELSEWHERE = {
    "OSSL_CMP_CTX_new": "the constructor, {py:class}`osslcmp.Context`",
    "OSSL_CMP_CTX_free": "the end of the last reference to it",
    "OSSL_CMP_CTX_server_perform": "a C function for {py:meth}`osslcmp.Context.set_transfer_cb`; "
    "in Python, a {py:class}`osslcmp.server.Server` as `Client(transport=...)`",
}

#: OpenSSL's own spelling of abbreviations, in words.
WORDS = {"ITAVs": "Itavs", "PKIStatus": "PkiStatus", "caPubs": "ca_pubs"}


class Row(NamedTuple):
    """A C function and what it is in Python."""

    function: str
    member: str | None
    """The name of the method or property of ``Context``; ``None`` if :data:`ELSEWHERE` tells."""
    is_property: bool
    since: str
    """The first OpenSSL release that has it, as its docstring tells."""


def snake(name: str) -> str:
    """A C name in Python's spelling, without the ownership digit."""
    name = re.sub(r"^(get|set|push)[01]_", r"\1_", name)
    name = re.sub(r"^get_(?!option$)", "", name)
    for spelled, words in WORDS.items():
        name = name.replace(spelled, words)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def member_name(function: str) -> str:
    """The method or property of ``Context`` for a C function, by the rule that all of them follow."""
    if function.startswith(PREFIX):
        return snake(function.removeprefix(PREFIX))
    short = function.removeprefix("OSSL_CMP_")
    return "get_" + snake(short.removeprefix("get1_")) if short.startswith("get1_") else short.lower()


def functions() -> list[str]:
    """The C functions on ``lib`` that work on a context: its setters and getters, and those that run a transaction."""
    found = []
    for name in dir(lib):
        if not re.fullmatch(r"OSSL_CMP_(CTX_\w+|exec_\w+|try_certreq|get1_\w+)", name):
            continue
        signature: Any = ffi.typeof(ffi.addressof(lib, name)) if callable(getattr(lib, name)) else None
        if name == "OSSL_CMP_CTX_new" or (
            signature and signature.args and signature.args[0] is ffi.typeof("OSSL_CMP_CTX *")
        ):
            found.append(name)
    return found


def rows() -> list[Row]:
    """One row for each of :func:`functions`. Raises ``LookupError`` for one that has no method."""
    return [_row(name) for name in functions()]


def _row(function: str) -> Row:
    if function in ELSEWHERE:
        return Row(function, None, False, "3.0")
    name = member_name(function)
    found = inspect.getattr_static(Context, name, None)
    if found is None:
        raise LookupError(f"{function} has no Context.{name}")
    since = re.search(r"\b[34]\.\d+(?:\.\d+)?", inspect.getdoc(found) or "")
    if since is None:
        raise LookupError(f"the docstring of Context.{name} tells no release")
    return Row(function, name, isinstance(found, property), since[0])


def _table(title: str, chosen: list[Row]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| C function | Python | OpenSSL |"
    yield "|---|---|---|"
    for row in chosen:
        role = "attr" if row.is_property else "meth"
        python = (
            ELSEWHERE[row.function] if row.member is None else f"{{py:{role}}}`osslcmp.Context.{row.member}`"
        )
        yield f"| `{row.function}` | {python} | {row.since} |"
    yield ""


def tables() -> str:
    """The tables in Markdown."""
    found = rows()
    run = [row for row in found if not row.function.startswith(PREFIX)]
    read = [row for row in found if row.is_property]
    rest = [row for row in found if row not in run and row not in read]
    loaded = ".".join(map(str, osslcmp.openssl_version))
    parts = [
        f"Made with OpenSSL {loaded}; a later one may have more.\n",
        *_table("Transactions", run),
        *_table("Settings and actions", rest),
        *_table("What a context knows", read),
    ]
    return "\n".join(parts)


def fill_in(app: Sphinx, mark: str, made: Callable[[], str]) -> dict[str, bool]:
    """Put what is ``made`` in the place of ``mark`` in all pages. Returns what ``setup`` of an extension returns."""

    def replace(_app: object, _page: str, source: list[str]) -> None:
        if mark in source[0]:
            source[0] = source[0].replace(mark, made())

    app.connect("source-read", replace)
    return {"parallel_read_safe": True}


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return fill_in(app, MARK, tables)
