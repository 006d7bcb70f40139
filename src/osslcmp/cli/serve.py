"""``osslcmp serve``: a CMP server with a certification authority that keeps its state."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["run"]

_SIGNALS = {signal.SIGTERM, signal.SIGINT}

_EPILOG = """\
State: the first start makes a root and an issuing CA in DIR and writes the trust anchor to DIR/root.pem; the keys
are in files that only you can read. Certificates, revocations, shared secrets (encrypted) and open transactions
are in the database. An answer leaves when what it says is on the disk, so the process may be killed at any
moment: start it again, and clients go on polling and confirming where they were. Several servers may share
DIR and the database.

Paths: CMP is answered under /.well-known/cmp and any other path; /.well-known/cmp/p/NAME selects a certificate
profile. GET /crl, /root.pem and /issuer deliver the CRL (DER), the root (PEM) and the issuing CA (DER).

The file of --config may hold any option by its long name, and shared secrets and profiles:

  port = 8080
  directory = "/var/lib/osslcmp"
  client-trust = ["/etc/ssl/devices.pem"]

  [secrets]                      # reference = file with the secret
  device-1 = "/etc/osslcmp/device-1.secret"

  [profiles.default]             # of requests that name no profile
  validity = "90d"               # when the request asks for none
  max_validity = "365d"
  key_usage = ["digitalSignature"]
  extended_key_usage = ["clientAuth"]        # names or OIDs
  keys = ["P-256", "Ed25519", "RSA"]
  rsa_bits = 3072
  subject = "CN=[a-z0-9-]+,O=Example"        # regular expression for all of it
  crl_url = "http://ca.example/crl"
  [profiles.default.sans]        # by kind, regular expressions; kinds not named are refused
  dns = ['[a-z0-9-]+\\.example']

Example:
  printf %s 'a long secret' > secret
  osslcmp serve --port 8080 --directory ca --reference device-1 --secret-file secret
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="osslcmp serve",
        description="Answer CMP clients over HTTP, with a certification authority that really issues. "
        "SIGTERM and SIGINT stop it after the answers in progress.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-help", action="help", help=argparse.SUPPRESS)
    add("--config", metavar="FILE", help="TOML file with options, secrets and profiles (see below)")
    group = parser.add_argument_group("where")
    add = group.add_argument
    add("--host", help="address to listen on (127.0.0.1)")
    add("--port", type=int, metavar="N", help="TCP port, 0 for a free one (8080)")
    add("--directory", metavar="DIR", help="keys, trust anchor and database; made when missing (needed)")
    add(
        "--database",
        metavar="URL",
        help="postgresql://USER@HOST/NAME or another SQLAlchemy URL (SQLite in DIR)",
    )
    add("--tls-cert", metavar="FILE", help="PEM certificate and chain: speak HTTPS")
    add("--tls-key", metavar="FILE", help="PEM private key of --tls-cert")
    add(
        "--tls-trust",
        action="append",
        metavar="FILE",
        help="PEM roots: TLS clients need a certificate; repeatable",
    )
    add("--threads", type=int, metavar="N", help="messages worked on at once (16)")
    group = parser.add_argument_group("who")
    add = group.add_argument
    add(
        "--reference",
        action="append",
        metavar="R",
        help="reference of a client with a shared secret; repeatable",
    )
    add(
        "--secret-file",
        action="append",
        metavar="FILE",
        help="file with the secret of the --reference at the same place; one newline at its end does not count",
    )
    add("--client-trust", action="append", metavar="FILE", help="PEM roots of other clients; repeatable")
    add("--accept-raverified", action="store_true", help="let clients vouch for proof of possession")
    group = parser.add_argument_group("what")
    add = group.add_argument
    add("--name", help="goes into the names of the CAs that are made (osslcmp)")
    add("--validity", metavar="TIME", help="of a certificate whose request asks for none: 90d, 12h (365d)")
    add(
        "--polls",
        type=int,
        metavar="N",
        help="let each client ask N times more before it gets its certificate",
    )
    add("--check-after", type=int, metavar="S", help="seconds between those (1)")
    add("--unconfirmed", choices=("revoke", "keep"), help="what becomes of unconfirmed certificates (revoke)")
    add("--confirm-within", type=float, metavar="S", help="seconds until then, and between messages (300)")
    add("--no-implicit-confirm", action="store_true", help="insist on a certConf")
    add("--no-ca-pubs", action="store_true", help="do not send the root to clients with a shared secret")
    add(
        "--strictness",
        choices=("strict", "openssl"),
        help="check as RFC 9483 asks, or as OpenSSL does (strict)",
    )
    add("--new-root", action="store_true", help="first replace the root by one with a new key")
    add("--verbose", action="store_true", help="log refusals, too")
    return parser


class _UsageError(Exception):
    """The options make no sense."""


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status: 0, or 1 when it cannot start, 2 for wrong options."""
    parser = _parser()
    try:
        given = vars(parser.parse_args(arguments))
        settings = _settings(parser, given)
        return _serve(settings)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except _UsageError as error:
        print(f"osslcmp serve: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError, ImportError) as error:
        print(f"osslcmp serve: {error}", file=sys.stderr)
        return 1


def _settings(parser: argparse.ArgumentParser, given: dict[str, Any]) -> dict[str, Any]:
    """The options of the file with those of the command line over them, by their names in Python."""
    settings: dict[str, Any] = {}
    if "config" in given:
        settings = _read_config(parser, Path(given["config"]))
    settings |= given
    for name in ("reference", "secret_file", "client_trust", "tls_trust"):
        settings.setdefault(name, [])
    if "directory" not in settings:
        raise _UsageError("--directory is needed")
    if len(settings["reference"]) != len(settings["secret_file"]):
        raise _UsageError("each --reference needs a --secret-file")
    if settings["tls_trust"] and "tls_cert" not in settings:
        raise _UsageError("--tls-trust needs --tls-cert and --tls-key")
    if ("tls_cert" in settings) != ("tls_key" in settings):
        raise _UsageError("--tls-cert and --tls-key go together")
    return settings


def _read_config(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    """The file of ``--config``: its options are read as if they were on the command line."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise _UsageError(f"{path}: {error}") from None
    tables = {name: table.pop(name, {}) for name in ("secrets", "profiles")}
    words: list[str] = []
    for name, value in table.items():
        option = f"--{name}"
        if value is True:
            words.append(option)
        elif value is not False:
            for one in value if isinstance(value, list) else [value]:
                words += [f"{option}={one}"]
    settings = vars(parser.parse_args(words))
    if "config" in settings:
        raise _UsageError(f"{path}: config in a config")
    for name, found in tables.items():
        if not isinstance(found, dict) or (
            name == "profiles" and not all(isinstance(v, dict) for v in found.values())
        ):
            raise _UsageError(f"{path}: [{name}] must be a table")
    return {**settings, "secrets": tables["secrets"], "profiles": tables["profiles"] or None}


def _serve(settings: dict[str, Any]) -> int:
    from ..server import EmbeddedCA, waiting
    from ..server.profiles import Profile, duration

    logging.basicConfig(
        level=logging.INFO if settings.get("verbose") else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    files = {
        **settings.get("secrets", {}),
        **dict(zip(settings["reference"], settings["secret_file"], strict=True)),
    }
    options: dict[str, Any] = {
        name: settings[name]
        for name in ("database", "unconfirmed", "confirm_within", "name")
        if name in settings
    }
    if "validity" in settings:
        options["validity"] = duration(settings["validity"])
    if settings.get("profiles"):
        options["profiles"] = {
            name: Profile.from_table(name, table) for name, table in settings["profiles"].items()
        }
    if settings.get("polls"):
        options["policy"] = waiting(settings["polls"], settings.get("check_after", 1))
    ca = EmbeddedCA.open(
        settings["directory"],
        {reference: _secret(Path(file)) for reference, file in files.items()},
        ca_pubs=not settings.get("no_ca_pubs", False),
        **options,
    )
    with closing(ca):
        if settings.get("new_root"):
            ca.update_root()
        server = ca.server(
            trusted=[*ca.roots, *_certificates(settings["client_trust"])],
            accept_raverified=settings.get("accept_raverified", False),
            grant_implicit_confirm=not settings.get("no_implicit_confirm", False),
            strictness=settings.get("strictness", "strict"),
        )
        http: dict[str, Any] = {"threads": settings["threads"]} if "threads" in settings else {}
        if "tls_cert" in settings:
            from ..server.tls import ServerTLS

            http["tls"] = ServerTLS(
                certificate=Path(settings["tls_cert"]),
                key=Path(settings["tls_key"]),
                trusted=_certificates(settings["tls_trust"]) or None,
                client="required" if settings["tls_trust"] else None,
            )
        # Signals are waited for, not handled: blocked before any thread starts, so that none of them gets one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        with server.serve(settings.get("host", "127.0.0.1"), settings.get("port", 8080), **http) as running:
            print(f"serving CMP at {running.url}, trust anchor {ca.directory.root_file}", flush=True)
            signal.sigwait(_SIGNALS)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _secret(path: Path) -> bytes:
    data = path.read_bytes()
    for end in (b"\r\n", b"\n"):
        if data.endswith(end):
            data = data[: -len(end)]
            break
    if not data:
        raise ValueError(f"{path}: the secret is empty")
    return data


def _certificates(paths: Sequence[str]) -> list[Any]:
    from .._inputs import certificates

    return [certificate for path in paths for certificate in certificates(path, path)]
