"""``osslcmp renew``: renew certificates in files in time."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .._text import json_text
from . import EXIT_USAGE
from ._common import Parser, complain, emit

if TYPE_CHECKING:
    from ..renewal import Outcome

EXIT_WAITING = 3

_EPILOG = """\
CONFIG is a TOML file, or a directory of them (*.toml). Each certificate is a table; keys in [defaults] are for all.
Relative paths are relative to the file. Run it from a timer, every few hours: what is not due is left alone.

  [defaults]
  server = "https://ca.example/.well-known/cmp"
  trusted = ["root.pem"]
  reload-command = ["systemctl", "reload", "nginx"]

  [certificates.www]
  key = "/etc/nginx/www.key"
  fullchain = "/etc/nginx/www.pem"
  expired = "ir"                  # when it is missing or has expired, under
  reference = "www"               # this secret
  secret-file = "www.secret"
  subject = "CN=www.example"

Key and certificate are replaced together: their paths become links into the state directory. A request that the server
lets wait goes on the next time. docs/renewal.md tells all keys, with a service and a timer for systemd.

Exit status: 0 when all is well, whether something was due or not; 1 if a certificate could not be read, renewed or
reloaded; 2 for wrong options or a wrong CONFIG; 3 if nothing failed but a server lets us wait.
"""

_STYLES = {"renewed": "green", "failed": "red", "waiting": "yellow", "busy": "yellow", "due": "yellow"}


def parser() -> Parser:
    """The options."""
    made = Parser("renew", "Renew certificates in files in time, with their keys.", _EPILOG)
    made.add_argument("config", metavar="CONFIG", help="TOML file, or directory of TOML files")
    made.add_argument("--name", action="append", metavar="NAME", help="only this certificate; repeatable")
    made.add_argument("--force", action="store_true", help="renew what is not due, too")
    made.add_argument("--dry-run", action="store_true", help="only tell what is due; send and write nothing")
    made.add_argument(
        "--json", action="store_true", help="as JSON: a list with an object for each certificate"
    )
    return made


def run(options: Namespace) -> int:
    """Renew what is due. Returns the exit status."""
    from ..renewal import load, renew_all

    try:
        renewals = load(options.config)
        for name in options.name or ():
            if name not in {one.name for one in renewals}:
                raise ValueError(f"--name {name}: there is no such certificate in {options.config}")
    except (OSError, ValueError, ImportError) as error:
        complain("renew", error)
        return EXIT_USAGE
    chosen = [one for one in renewals if options.name is None or one.name in options.name]
    outcomes = renew_all(chosen, force=options.force, dry_run=options.dry_run)
    if options.json:
        print(json_text([one.as_dict() for one in outcomes], indent=1))
    else:
        for one in outcomes:
            _tell(one)
    if any(one.error for one in outcomes):
        return 1
    return EXIT_WAITING if any(one.action in ("waiting", "busy") for one in outcomes) else 0


def _tell(outcome: Outcome) -> None:
    spans = [(f"{outcome.name}: ", ""), (outcome.action, _STYLES.get(outcome.action, ""))]
    if outcome.request is not None:
        spans.append((f" ({outcome.request})", ""))
    if outcome.not_after is not None and outcome.renew_after is not None:
        end, due = (f"{moment:%Y-%m-%d %H:%M}" for moment in (outcome.not_after, outcome.renew_after))
        spans.append((f", valid until {end}, due {due} UTC", ""))
    if outcome.check_after is not None:
        spans.append((f", the server wants to be asked again in {outcome.check_after} s", ""))
    if outcome.error is not None:
        spans.append((f": {outcome.error}", "red"))
    emit(*spans)
