"""The options of ``osslcmp serve``: of the command line, and of a TOML file."""

from __future__ import annotations

import argparse
import datetime
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .._files import read_toml
from ._common import RaisingParser, UsageError, completing, not_blank, utf8

_DESCRIPTION = """\
A CMP server (RFC 9810, 9483) over HTTP or HTTPS with a certification authority that really issues. It runs in the
foreground until SIGTERM or SIGINT, finishes the answers in progress, and ends with status 0.
"""

_EPILOG = """\
Quick start:
  printf %s 'a long secret' > secret
  osslcmp serve --port 8080 --directory ca --reference device-1 --secret-file secret
  openssl ecparam -name prime256v1 -genkey -out key.pem                               # in another shell
  openssl cmp -cmd ir -server http://127.0.0.1:8080/.well-known/cmp -ref device-1 -secret file:secret \\
      -newkey key.pem -subject /CN=device-1 -certout cert.pem -cacertsout root.pem

State: the first start makes a root and an issuing CA in DIR and writes the trust anchor to DIR/root.pem; private
keys are in files that only you can read. Certificates, revocations, shared secrets (encrypted with DIR/seal.key) and
open transactions are in the database. An answer leaves when what it says is on the disk, so the process may be killed
at any moment: start it again, and clients go on polling and confirming where they were. Several servers may share
DIR and the database; each takes the next message of any transaction.

Paths: CMP is answered by POST under /.well-known/cmp and any other path. /.well-known/cmp/p/NAME selects a certificate
profile, and a last part such as /initialization or /keyupdate (RFC 9483) restricts to that operation.
GET /healthz says "ok" while the database answers.
GET /crl and /crl.pem deliver the CRL, /root and /root.pem the root, /issuer the issuing CA (DER where it does not say pem).

SIGHUP: --config, secrets, profiles, certificates and keys are read again; transactions go on. What is wrong is logged,
and all stays as it was. Where it listens, and how many processes and threads there are, does not change.

Exit status: 0 when told to stop; 1 when it cannot start (port in use, file missing, database not reachable);
2 for options that make no sense.

The file of --config may hold any option by its long name, and shared secrets and profiles; options of the command line
count more. Relative paths are relative to the working directory.

  port = 8080
  directory = "/var/lib/osslcmp"
  client-trust = ["/etc/ssl/devices.pem"]    # options that may be repeated are lists
  no-implicit-confirm = true                 # options without a value are true or false

  [secrets]                      # reference = file with the secret
  device-1 = "/etc/osslcmp/device-1.secret"

  [clients.device-2]             # a shared secret that is good for some names, or for one profile
  secret-file = "/etc/osslcmp/device-2.secret"
  subject = "CN=device-2(\\.example)?"       # as --names
  profile = "tls-server"
  expires = 2027-01-31T12:00:00Z             # as --expires, and
  uses = 1                                   # --uses

  [profiles.default]             # of requests that name no profile
  validity = "90d"               # when the request asks for none
  max_validity = "365d"          # more is shortened
  key_usage = ["digitalSignature"]
  extended_key_usage = ["clientAuth"]        # names or OIDs
  keys = ["P-256", "Ed25519", "RSA"]
  rsa_bits = 3072
  subject = "CN=[a-z0-9-]+,O=Example"        # regular expression for all of it (RFC 4514)
  crl_url = "http://ca.example/crl"
  # ca_path_length = 0           # CA certificates for who asks for one, with this pathLenConstraint at most
  [profiles.default.sans]        # by kind (dns ip email uri), regular expressions; kinds not named are refused
  dns = ['[a-z0-9-]+\\.example']
"""

#: Name, kind, help. Kinds: ``-`` flag; ``n`` whole number, ``p`` one that is not 0, ``s`` seconds, not 0, each with another
#: name for it behind ``=``; ``a|b`` one of these; else what its text is called. ``*``: repeatable; ``@``: one for each
#: --reference. A line that is indented goes on.
_TABLE = """
= options
--config FILE TOML file with options, secrets and profiles (see below)
--verbose - log each message and its answer in a line, and what clients do wrong
--log-format text|json json: an object a line; one for each certificate issued, confirmed, revoked, held or released, and
  each refusal (text)
--script FILE for tests of clients: answer as FILE says, with a CA in memory (docs/testing.md)
--metrics - deliver metrics for Prometheus at GET /metrics
= where it listens
--host HOST address to listen on (127.0.0.1); 0.0.0.0 or :: for all
--port n TCP port, 0 for a free one (8080)
--reuse-port - share the port with other processes that do, too
--processes p answer in N processes, on one port and one database (default 1)
--tls-cert FILE PEM certificate and chain: speak HTTPS
--tls-key FILE PEM private key of --tls-cert, not encrypted
--tls-trust FILE* PEM roots: TLS clients need a certificate; repeatable
= who may ask
--reference R* reference of a client with a shared secret, * for any that has none of its own; repeatable
--secret-file FILE* file with the secret of the --reference at the same place, its first line. Kept in the database:
  needed once, or to change it
--names REGEX@ what the client of the --reference before it may be called: must match the whole subject (CN=x,O=y) and each
  alternative name that is not its CN
--expires MOMENT@ from when on the secret of the --reference before it is good for nothing new: 2027-01-31T12:00Z, or a date
--uses n@ how many certificates are issued under the secret of the --reference before it
--remove-reference R* forget a secret in the database; repeatable
--client-trust FILE* PEM roots of clients with certificates from elsewhere, and CAs below our own root whose clients may
  ask; repeatable
--client-crl FILE* CRLs (PEM or DER) of the CAs below --client-trust: no client of theirs without one that is not expired;
  read again when the file changes; repeatable
--accept-raverified - let RAs (extended key usage id-kp-cmcRA) vouch for proof of possession
= the authority and its state
--directory DIR keys, trust anchor and database; made when missing (needed)
--database URL postgresql://USER@HOST/NAME, or another SQLAlchemy URL (SQLite in DIR)
--name NAME goes into the names of the CAs that are made (osslcmp)
--issuer-cert FILE PEM certificate of a CA of yours, which issues instead
--issuer-key FILE PEM private key of --issuer-cert, or the URI of one in a token: pkcs11:..., handle:...
--provider NAME* load this provider of OpenSSL for that: pkcs11, tpm2; repeatable
--pin-file FILE file with the PIN of that token, its first line
--root-cert FILE PEM root above --issuer-cert; needed with it
--key-password-file FILE file with the password, its first line, of --issuer-key and of the private keys in DIR, which are
  encrypted with it
--new-root - first replace the root by one with a new key, once
= certificates and protocol
--validity TIME of a certificate whose request asks for none: 90d, 12h (365d)
--polls n let each client ask N times more before it gets its certificate
--delays n likewise for the answer to an rr, genm or certConf
--check-after n=S seconds between those (1)
--duplicate-keys allow|refuse a key that has a valid certificate (allow)
--central-keys - make keys for clients that ask for it (OpenSSL 3.5)
--crl-grace TIME how long an expired certificate stays on the CRL (7d)
--unconfirmed revoke|keep what becomes of unconfirmed certificates (revoke)
--confirm-within s seconds until then, and between messages (300)
--no-implicit-confirm - insist on a certConf
--no-ca-pubs - do not send the root to clients with a shared secret
--sign-always - sign answers to clients with a shared secret, too: they need to trust the root then
--strictness strict|rfc9810|openssl check as RFC 9483 asks and tell what is wrong, as RFC 9810 alone asks, or as OpenSSL
  does (strict)
--clock-tolerance s seconds that a client's clock may be wrong (strict: 300)
= limits
--threads p messages worked on at once (16)
--timeout s seconds for an open connection to become a request (10)
--request-time s seconds for a whole body, and for taking the answer (60)
--max-message p=BYTES the most of a message (262144)
--max-transactions p open at once (10000)
--mac-policy default|strict strict: no SHA-1, 1000 iterations at least (default)
--key-size K=MIN..MAX* bits of keys, RSA=2048..8192; repeatable
--max-remembered p requests remembered while they are fresh (500000)
"""
_GROUPS = [group.splitlines() for group in _TABLE.replace("\n  ", " ").strip("\n= ").split("\n= ")]
_LISTS, _BY_REFERENCE = (
    [name.replace("-", "_") for name in re.findall(rf"(?m)^--(\S+) \S+{mark} ", _TABLE)]
    for mark in (r"\*", "@")
)
_CLIENT: dict[str, tuple[type, ...]] = {
    "secret-file": (str,),
    "subject": (str,),
    "profile": (str,),
    "expires": (str, datetime.date),
    "uses": (int,),
}
"""What a table in ``[clients]`` may have."""
_MOST = 2**31 - 1
_RANGES = {"n": f"0 to {_MOST}", "p": f"1 to {_MOST}", "s": "a positive number of seconds"}


class _ByReference(argparse.Action):
    """Keeps each value with the --reference that it follows."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        del parser
        references = getattr(namespace, "reference", [])
        found = dict(getattr(namespace, self.dest, {}))
        if not references or references[-1] in found:
            raise UsageError(f"{option_string}: one after each --reference")
        setattr(namespace, self.dest, {**found, references[-1]: values})


def parser() -> argparse.ArgumentParser:
    """What reads the command line."""
    made = RaisingParser(
        prog="osslcmp serve",
        usage="osslcmp serve --directory DIR [--port N] [--reference R --secret-file FILE]... [OPTION]...",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=30, width=116
        ),
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    made.add_argument("-help", action="help", help=argparse.SUPPRESS)
    for title, *rows in _GROUPS:
        group = made if title == "options" else made.add_argument_group(title)
        for row in rows:
            name, kind, text = row.split(" ", 2)
            completing(group.add_argument(name, help=text, **_argument(kind)))
    return made


def _argument(kind: str) -> dict[str, Any]:
    """How argparse is to read an option of this kind."""
    if kind == "-":
        return {"action": "store_true"}
    if "|" in kind:
        return {"choices": kind.split("|")}
    action: Any = {"*": "append", "@": _ByReference}.get(kind[-1], "store")
    name = kind.rstrip("*@")
    if name[0] in _RANGES:
        number, _, name = name.partition("=")
        convert: Any = partial(_number, number)
        name = name or ("S" if number == "s" else "N")
    else:
        convert = str if name == "FILE" else utf8
    return {"action": action, "type": convert, "metavar": name}


def _number(kind: str, text: str) -> float:
    try:
        number = float(text) if kind == "s" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"no number: {text!r}") from None
    if not 0 <= number <= _MOST or (number == 0 and kind != "n"):  # nan is neither
        raise argparse.ArgumentTypeError(_RANGES[kind])
    return number


def read(arguments: Sequence[str]) -> dict[str, Any]:
    """The options by their names in Python, those of the file with those of the command line over them.

    ``secrets``, ``clients`` and ``profiles`` are the tables of the file. Prints help and raises SystemExit when asked
    for it.

    Raises:
        UsageError: they make no sense.
        OSError: the file of ``--config`` cannot be read.
    """
    settings = merged(vars(parser().parse_args(not_blank(arguments))))
    _check(settings)
    if re.fullmatch(r"\[.*:.*\]", settings.get("host", "")):  # as in a URL
        settings["host"] = settings["host"][1:-1]
    return settings


def merged(given: dict[str, Any]) -> dict[str, Any]:
    """Options of the command line over those of the file that they name, if any, and what all have by default.

    Raises:
        UsageError: what is in the file makes no sense.
        OSError: it cannot be read.
    """
    settings: dict[str, Any] = {"secrets": {}, "clients": {}, "profiles": None}
    settings |= {name: {} for name in _BY_REFERENCE}
    if "config" in given:
        settings |= _read_config(parser(), Path(given["config"]))
    settings |= given
    for name in _LISTS:
        settings.setdefault(name, [])
    return settings


def given(settings: dict[str, Any], *names: str, **renamed: str) -> dict[str, Any]:
    """Those of the settings that were given; ``renamed`` has for a name that it gets the one that it has."""
    all_ = dict(zip(names, names, strict=True)) | renamed
    return {there: settings[here] for there, here in all_.items() if here in settings}


def _check(settings: dict[str, Any]) -> None:
    if "directory" not in settings:
        raise UsageError("--directory is needed")
    if len(settings["reference"]) != len(settings["secret_file"]):
        raise UsageError("each --reference needs a --secret-file")
    if settings["tls_trust"] and "tls_cert" not in settings:
        raise UsageError("--tls-trust needs --tls-cert and --tls-key")
    if ("tls_cert" in settings) != ("tls_key" in settings):
        raise UsageError("--tls-cert and --tls-key go together")
    own = [name in settings for name in ("issuer_cert", "issuer_key", "root_cert")]
    if any(own) and not all(own):
        raise UsageError("--issuer-cert, --issuer-key and --root-cert go together")
    if any(own) and settings.get("new_root"):
        raise UsageError("--new-root is for a root that was made here, not for --root-cert")
    if (settings["provider"] or "pin_file" in settings) and not all(own):
        raise UsageError("--provider and --pin-file are for an --issuer-key in a token")
    if settings["provider"] and settings.get("processes", 1) > 1:
        raise UsageError(
            "--provider: a token is used by one process; start several of one each with --reuse-port"
        )
    if settings["client_crl"] and not settings["client_trust"]:
        raise UsageError("--client-crl is for certificates below --client-trust")
    if settings.get("port", 0) > 0xFFFF:
        raise UsageError("--port: 0 to 65535")


def _read_config(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    """The file of ``--config``: its options are read as if they were on the command line."""
    try:
        table = read_toml(path)
    except ValueError as error:
        raise UsageError(str(error)) from None
    tables = {name: table.pop(name, {}) for name in ("secrets", "clients", "profiles")}
    for name, inner in (("secrets", str), ("clients", dict), ("profiles", dict)):
        found = tables[name]
        if not isinstance(found, dict) or not all(isinstance(value, inner) for value in found.values()):
            what = "files" if name == "secrets" else "tables"
            raise UsageError(f"{path}: [{name}] must be a table of {what}")
    for reference, client in tables["clients"].items():
        _check_client(f"{path}: [clients.{reference}]", client)
        if reference in tables["secrets"]:
            raise UsageError(f"{path}: {reference} is in [secrets] and in [clients]")
    for name in ("config", "new-root", *_BY_REFERENCE):
        if name in table:
            raise UsageError(f"{path}: {name} is for the command line")
    for name, value in table.items():
        if isinstance(value, dict):
            raise UsageError(f"{path}: unknown table [{name}]; known: {', '.join(tables)}")
    try:
        settings = vars(parser.parse_args(not_blank(_words(table))))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return {**settings, **tables, "profiles": tables["profiles"] or None}


def _check_client(where: str, client: dict[str, Any]) -> None:
    unknown = sorted(set(client) - set(_CLIENT))
    if unknown:
        raise UsageError(f"{where}: unknown setting {unknown[0]!r}; known: {', '.join(_CLIENT)}")
    for name, value in client.items():
        if not isinstance(value, _CLIENT[name]) or isinstance(value, bool):
            what = {"uses": "a number", "expires": "a date or a moment"}.get(name, "a text")
            raise UsageError(f"{where}: {name} must be {what}")
    if "secret-file" not in client:
        raise UsageError(f"{where}: secret-file is needed")


def _words(table: dict[str, Any]) -> list[str]:
    """Options of a file as words of a command line."""
    words: list[str] = []
    for name, value in table.items():
        option = f"--{name}"
        if value is True:
            words.append(option)
        elif value is not False:
            many = value if isinstance(value, list) else [value]
            words += [f"{option}={one}" for one in many]
    return words
