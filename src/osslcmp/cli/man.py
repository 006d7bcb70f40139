"""``osslcmp man``: the manual page, made by argparse-manpage."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from argparse import Namespace
from importlib.metadata import PackageNotFoundError, version

from ._common import Parser

_EPILOG = """\
On a terminal it is shown by man; else it is printed as its source:
  osslcmp man > ~/.local/share/man/man1/osslcmp.1

It is made by the package argparse-manpage, which pip install "osslcmp[cli]" brings.

Exit status: 0, 1 if man fails or the package is absent, 2 for wrong options.
"""
#: What no parser knows: each exit status and variable with what it means, then text in the language of man(7).
_EXIT_STATUS = {
    "0": "Success.",
    "1": "Failure: the server refused, no valid answer came, a file could not be read; stderr tells what.",
    "2": "Wrong usage: an unknown command, or options of a command that make no sense (cmp: 1, as openssl cmp).",
    "130": r"Interrupted by Ctrl\-C.",
}
_ENVIRONMENT = {
    "OPENSSL_CONF": "OpenSSL's configuration file; cmp reads its section [cmp].",
    "OPENSSL_MODULES": "Folder of OpenSSL's providers.",
    "http_proxy, https_proxy, no_proxy": "Proxy of the client, and servers that are reached without it.",
    "NO_COLOR, FORCE_COLOR": "Never, or always, print colours; by default on a terminal.",
    "OSSLCMP_TRACEBACK": "Print Python's traceback of what ends the command unexpectedly.",
}
_MORE = {
    "exit status": "\n".join(f".TP\n{name}\n{text}" for name, text in _EXIT_STATUS.items()),
    "environment": "\n".join(f".TP\n.B {name}\n{text}" for name, text in _ENVIRONMENT.items()),
    "examples": r"""
An initial certificate by a shared secret, and a CA to try it with:
.PP
.nf
osslcmp serve \-\-port 8080 \-\-directory ca \-\-reference 1234 \-\-secret\-file secret.txt
osslcmp cmp \-cmd ir \-server 127.0.0.1:8080/pkix/ \-ref 1234 \-secret env:PASS \e
            \-subject "/CN=me" \-newkey key.pem \-certout cert.pem
.fi""",
    "see also": ".BR openssl\\-cmp (1ssl),\n.BR openssl (1ssl)",
}


def parser() -> Parser:
    """The options."""
    made = Parser("man", "Show or print the manual page osslcmp(1).", _EPILOG)
    made.add_argument("--source", action="store_true", help="print it as its source on a terminal, too")
    return made


def run(options: Namespace) -> int:
    """Show or print it. Returns the exit status: 0, 1 or 2."""
    text, program = page(), shutil.which("man")
    if options.source or program is None or not sys.stdout.isatty():
        print(text, end="")
        return 0
    return min(1, subprocess.run([program, "-l", "-"], input=text, text=True, check=False).returncode)


def page() -> str:
    """osslcmp(1). Raises ImportError without argparse-manpage."""
    try:
        from argparse_manpage.manpage import Manpage
    except ImportError as error:
        raise ImportError('the manual page needs argparse-manpage: pip install "osslcmp[cli]"') from error
    from .whole import whole_parser

    made = Manpage(whole_parser(), format="single-commands-section")
    made.description = "Certificate Management Protocol (CMP) client, server and tools by OpenSSL"
    made.manual = "User Commands"
    try:
        made.source = f"osslcmp {version('osslcmp')}"
    except PackageNotFoundError:  # while it is being built
        made.source = "osslcmp"
    for heading, content in _MORE.items():
        made.add_section(heading, "=", content.strip())
    # A line of text that begins like a request of troff, which the package does not see to.
    return re.sub(r"(?m)^'", r"\\&'", str(made))
