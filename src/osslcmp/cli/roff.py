"""The manual page in the language of man(7), from the tables that the options are read with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from ._common import pieces
from .catalog import Command, Word, catalog
from .openssl_cmp.options import EXAMPLE

__all__ = ["page"]

#: When the text below was written.
_DATE = "2026-11-23"
_DESCRIPTION = """\
osslcmp brings OpenSSL's own implementation of the Certificate Management Protocol (CMP, RFC 9810, and the Lightweight
CMP Profile, RFC 9483) to Python and to the command line.

What the loaded OpenSSL lacks is refused by the name of the option and the release that has it; the release stands in
brackets below.
"""
_CMP = """\
The options of openssl cmp with the same meaning, defaults, file formats and exit status, and as mock server with -port;
see openssl-cmp(1). Options may also stand in a section of the OpenSSL configuration file. -help shows an overview,
-help TOPIC, -help -OPTION and -help all tell more.
"""
_EXIT = (
    ("0", "Success."),
    ("1", "Failure: the server refused, no valid answer came, a file could not be read; stderr tells what."),
    (
        "2",
        "Wrong usage: an unknown command, or options of a command that make no sense (cmp: 1, as openssl cmp).",
    ),
    ("130", "Interrupted by Ctrl-C."),
)
_ENVIRONMENT = (
    ("OPENSSL_CONF", "OpenSSL's configuration file; cmp reads its section [cmp]."),
    ("OPENSSL_MODULES", "Folder of OpenSSL's providers."),
    ("http_proxy, https_proxy, no_proxy", "Proxy of the client, and hosts that are reached without it."),
    ("NO_COLOR, FORCE_COLOR", "Never, or always, print colours; by default on a terminal."),
    ("OSSLCMP_TRACEBACK", "Print Python's traceback of what ends the command unexpectedly."),
)


def page() -> str:
    """osslcmp(1)."""
    try:
        release = version("osslcmp")
    except PackageNotFoundError:  # while it is being built
        release = ""
    lines = [f'.TH OSSLCMP 1 "{_DATE}" "osslcmp {release}" "User Commands"', ".SH NAME"]
    lines += [r"osslcmp \- Certificate Management Protocol (CMP) client, server and tools by OpenSSL"]
    commands = catalog()
    lines.append(".SH SYNOPSIS")
    for command in commands:
        lines += [
            *([".br"] if command is not commands[0] else []),
            rf"\fBosslcmp {command.name}\fR {_usage(command)}",
        ]
    lines += [".SH DESCRIPTION", *_paragraphs(_DESCRIPTION)]
    for command in commands:
        lines += _section(command)
    lines += [".SH EXIT STATUS", *_list(_EXIT)]
    lines += [".SH ENVIRONMENT", *_list(_ENVIRONMENT)]
    lines += [".SH EXAMPLES", "An initial certificate by a shared secret:", *_verbatim(EXAMPLE)]
    lines += [
        ".PP",
        "A CA to try it with:",
        *_verbatim(
            "osslcmp serve --port 8080 --directory ca --reference 1234 \\\n"
            "              --secret-file secret.txt"
        ),
    ]
    lines += [".SH SEE ALSO", r".BR openssl\-cmp (1ssl),", r".BR openssl (1ssl)"]
    return "\n".join(lines) + "\n"


def _usage(command: Command) -> str:
    if command.name == "cmp":
        return r"[\fIoptions\fR]"
    words = [rf"\fI{_text(word.argument)}\fR" for word in command.arguments]
    return " ".join([r"[\fIoptions\fR]" if any(command.options) else "", *words]).strip()


def _section(command: Command) -> Iterator[str]:
    yield f'.SH "OSSLCMP {command.name.upper()}"'
    yield from _paragraphs(_CMP if command.name == "cmp" else command.description or f"{command.summary}.")
    group = ""
    for word in command.words:
        if word.group != group and command.name in ("cmp", "serve"):
            group = word.group
            yield f'.SS "{_text(group[:1].upper() + group[1:])}"'
        yield from _entry(word)
    if command.epilog:
        for as_it_is, piece in pieces(command.epilog):
            yield from _verbatim(piece) if as_it_is else (".PP", _line(piece))


def _entry(word: Word) -> Iterator[str]:
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in word.names)
    argument = rf"\fI{_text(word.argument)}\fR" if word.argument else ""
    text = word.text
    if word.values and word.names and not set(word.values) & set(re.split(r"[^\w-]+", text)):
        text += f": {', '.join(word.values)}"
    yield ".TP"
    yield " ".join(part for part in (names, argument) if part)
    yield _line(text[:1].upper() + text[1:] + ("" if text.endswith((".", ")")) else "."))


def _list(items: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, text in items:
        yield ".TP"
        yield rf"\fB{_text(name)}\fR"
        yield _line(text)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from map(_line, paragraph.splitlines())


def _verbatim(text: str) -> Iterator[str]:
    yield ".PP"
    yield ".nf"
    yield from map(_line, text.splitlines())
    yield ".fi"


def _text(text: str) -> str:
    """What stands for itself anywhere in a line."""
    return (
        text.replace("\\", r"\e")
        .replace("-", r"\-")
        .replace('"', r"\(dq")
        .replace("'", r"\(aq")
        .replace("~", r"\(ti")
    )


def _line(text: str) -> str:
    """A line that is no request."""
    text = _text(text)
    return rf"\&{text}" if text.startswith((".", "'")) else text
