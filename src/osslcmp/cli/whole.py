"""All commands as one ``argparse`` parser, for the libraries that make completion and the manual page of it.

It parses nothing: each command reads its own options, ``cmp`` as OpenSSL does, from the table that is used here.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from . import COMMANDS
from ._common import completing
from .openssl_cmp.options import ARGUMENTS, OPTIONS, PASSWORD_SOURCES, TOPICS, describe

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


def whole_parser(colon: str = ":") -> argparse.ArgumentParser:
    """The parser of ``osslcmp``; ``colon`` stands for itself in the values of a password source."""
    whole = argparse.ArgumentParser("osslcmp", usage="osslcmp COMMAND ...", description=_DESCRIPTION)
    whole.add_argument("--version", action="version", version="")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        own = _cmp(colon) if name == "cmp" else import_module(module).parser()
        commands.add_parser(
            name,
            parents=[own],
            add_help=False,
            help=summary,
            usage=f"osslcmp {name} [options]" if name in ("cmp", "serve") else own.format_usage()[7:].strip(),
            description=f"{own.description}\n{own.epilog or ''}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    helping = commands.add_parser("help", usage="osslcmp help [COMMAND]", help="what a command does")
    helping.add_argument(
        "command", metavar="COMMAND", choices=tuple(COMMANDS), nargs="?", help="of which command"
    )
    return whole


def _cmp(colon: str) -> argparse.ArgumentParser:
    """Options of the drop-in: only their names, arguments and texts count."""
    made = argparse.ArgumentParser(add_help=False, description=_CMP)
    groups = {group: made.add_argument_group(group) for group in TOPICS.values()}
    for option in OPTIONS:
        add, text = groups[option.group].add_argument, describe(option).replace("%", "%%")
        if option.kind == "-":
            add(f"-{option.name}", action="store_true", help=text)
        else:
            values = PASSWORD_SOURCES.replace(":", colon) if option.kind == "P" else option.values
            choices = values.split() or None
            completing(add(f"-{option.name}", metavar=ARGUMENTS[option.kind], choices=choices, help=text))
    return made
