"""``osslcmp ca``: looks after the certificates and secrets of ``osslcmp serve``, on its directory or database."""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._text import json_text
from . import serve_options
from ._common import Parser, RaisingParser, UsageError, complain, completing, emit, utf8
from .serve_options import given

if TYPE_CHECKING:
    from ..server.ca.persistent import PersistentCA
    from ..server.ca.store import Store
    from ..server.ca.tables import CertificateRow, SecretRow

_EPILOG = """\
It works on what osslcmp serve keeps: the directory of --directory, or the database of --database; --config reads
both, and all else, from the file of the server. Servers may run meanwhile, any number of them: they see each change
with the next message, and the next CRL has it.

Serial numbers are hexadecimal, as openssl prints them; colons and 0x may be there.

Exit status: 0; 1 when it cannot be done, such as for a certificate that is not there or revoked already; 2 for wrong
options.

Examples:
  osslcmp ca list --directory ca --state unconfirmed
  osslcmp ca revoke --directory ca --reason keyCompromise 4af3...
  osslcmp ca crl --directory ca --out /var/www/ca.crl
  osslcmp ca secrets --directory ca --add device-7 --secret-file secret --uses 1
"""
_REASONS = (
    "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
    "privilegeWithdrawn", "aACompromise",
)  # fmt: skip
_STATES = ("valid", "unconfirmed", "held", "revoked", "expired")
_STYLES = {"valid": "green", "revoked": "red", "held": "yellow"}


class _Action(RaisingParser):
    """The options of one action; argparse makes it with its own arguments."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, add_help=False, argument_default=argparse.SUPPRESS)
        self.add_argument("-h", "--help", "-help", action="help", help="show this help")
        add = self.add_argument_group("which authority").add_argument
        completing(add("--directory", metavar="DIR", type=utf8, help="that of osslcmp serve"))
        add("--database", metavar="URL", type=utf8, help="its database, when that is not in DIR")
        completing(add("--config", metavar="FILE", help="TOML file with the options of osslcmp serve"))


def parser() -> Parser:
    """The options."""
    made = Parser("ca", "Look after the certificates and secrets of osslcmp serve.", _EPILOG)
    actions = made.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Action)

    def action(name: str, work: Callable[[Namespace, dict[str, Any]], None], summary: str) -> Any:
        found = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        found.set_defaults(work=work)
        return found.add_argument

    add = action("list", _list, "list certificates, in the order of their issue")
    add("--state", choices=_STATES, help="those that are so now")
    add("--name", help="those with this name: subject (CN=x,O=y), CN or alternative name")
    add("--reference", metavar="R", type=utf8, help="those asked for with the secret of this reference")
    add("--json", action="store_true", help="as JSON, an object a line")
    add = action("show", _show, "show a certificate and what became of it")
    add("serial", metavar="SERIAL", type=_serial)
    how = add.__self__.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="as a JSON object")
    how.add_argument("--pem", action="store_true", help="the certificate itself")
    revoke = action("revoke", _revoke, "revoke certificates")
    reasons = f"{', '.join(_REASONS[:-1])} or {_REASONS[-1]}"
    revoke("--reason", choices=_REASONS, metavar="REASON", help=f"on the CRL: {reasons} (unspecified)")
    hold = action("hold", _revoke, "put certificates on hold: they count as revoked until they are released")
    hold.__self__.set_defaults(reason="certificateHold")
    for add in (revoke, hold, action("release", _release, "release certificates from hold")):
        add("serials", metavar="SERIAL", type=_serial, nargs="+")
    add = action(
        "crl", _crl, "print the CRL as PEM; a new one if something was revoked, or the last is a day old"
    )
    add("--out", metavar="FILE", help="write it to this file, which is there whole at any time")
    add("--der", action="store_true", help="as DER, for --out")
    add("--key-password-file", metavar="FILE", help="as for osslcmp serve")
    add = action("secrets", _secrets, "list the references of shared secrets, or change one")
    add("--json", action="store_true", help="as JSON, an object a line")
    add("--remove", metavar="R", type=utf8, help="forget the secret of this reference")
    add("--add", metavar="R", type=utf8, help="add or change the secret of this reference")
    add("--secret-file", metavar="FILE", help="its secret: the first line")
    add("--names", metavar="REGEX", type=utf8, help="what its client may be called, as for osslcmp serve")
    add(
        "--profile", metavar="P", type=utf8, help="the profile that its client gets, one of those in --config"
    )
    add("--expires", metavar="MOMENT", help="from when on it is good for nothing new")
    add("--uses", metavar="N", type=int, help="how many certificates are issued under it")
    add("--key-password-file", metavar="FILE", help="as for osslcmp serve")
    action("migrate", _migrate, "bring the database to the schema of this release, as the next server would")
    return made


def run(options: Namespace) -> int:
    """Do it. Returns the exit status: 0, 1 or 2."""
    from ..server.ca.operating import NotPossibleError
    from .serve_authority import explaining

    try:
        settings = serve_options.merged(
            given(vars(options), "directory", "database", "config", "key_password_file")
        )
        if "directory" not in settings and "database" not in settings:
            raise UsageError("--directory, --database or --config is needed")
        with explaining(settings):
            options.work(options, settings)
    except (NotPossibleError, OSError, ValueError, ImportError) as error:
        complain("ca", error)
        return 1
    return 0


def _serial(text: str) -> int:
    digits = text.lower().removeprefix("0x").replace(":", "")
    if not re.fullmatch("[0-9a-f]{1,42}", digits):
        raise argparse.ArgumentTypeError("a serial number is hexadecimal")
    return int(digits, 16)


# -- opening ---------------------------------------------------------------------------------------------------


@contextmanager
def _store(settings: dict[str, Any]) -> Iterator[Store]:
    from ..server.ca.store import Store

    if "database" in settings:
        store = Store(settings["database"])
    else:
        file = Path(settings["directory"], "ca.db")
        if not file.exists():
            raise FileNotFoundError(f"{file}: there is no database; --database tells where it is")
        store = Store.in_file(file)
    with closing(store):
        yield store


@contextmanager
def _authority(settings: dict[str, Any], clients: dict[str, Any]) -> Iterator[PersistentCA]:
    """The authority with its keys; no secrets of a file but those of ``clients`` are added to it."""
    if "directory" not in settings:
        raise UsageError("this needs the keys in --directory")
    if not Path(settings["directory"], "root.pem").exists():
        raise FileNotFoundError(f"{settings['directory']}: there is no CA in it; osslcmp serve makes one")
    from .serve_authority import open_authority

    with closing(open_authority({**settings, "secrets": {}, "clients": clients})) as ca:
        yield ca


# -- certificates ----------------------------------------------------------------------------------------------


def _list(options: Namespace, settings: dict[str, Any]) -> None:
    from ..server.ca.grants import typed_key
    from ..server.ca.store import name_hash, readable

    name, reference = getattr(options, "name", None), getattr(options, "reference", None)
    with _store(settings) as store:
        found = store.search_certificates(
            name=None if name is None else name_hash(typed_key(name)),
            reference=None if reference is None else reference.encode(),
            state=getattr(options, "state", None),
        )
        for members in readable(found, _object):
            if "json" in options:
                print(json_text(members))
                continue
            state = members["state"] + (f" ({members['reason']})" if "reason" in members else "")
            emit(
                (members["serial"], "bold"),
                (f"  {state}", _STYLES.get(members["state"], "")),
                (f"  {members['not_after']}  {members.get('reference', '-')}  {members['subject']}", ""),
            )


def _show(options: Namespace, settings: dict[str, Any]) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from ..server.ca.operating import find
    from ..server.ca.store import read_certificate

    with _store(settings) as store:
        row = find(store, options.serial)
    if "pem" in options:
        print(read_certificate(row).public_bytes(Encoding.PEM).decode(), end="")
    elif "json" in options:
        print(json_text(_object(row)))
    else:
        for label, value in _object(row).items():
            emit((f"{label.replace('_', ' ')}: ", "dim"), (str(value), ""))


def _revoke(options: Namespace, settings: dict[str, Any]) -> None:
    from ..enums import RevocationReason
    from ..server.ca.operating import revoke

    reason = RevocationReason[getattr(options, "reason", "unspecified")]
    _each(options, settings, lambda store, serial: revoke(store, serial, reason))


def _release(options: Namespace, settings: dict[str, Any]) -> None:
    from ..server.ca.operating import release

    _each(options, settings, release)


def _each(
    options: Namespace, settings: dict[str, Any], change: Callable[[Store, int], CertificateRow]
) -> None:
    """Change each certificate, and tell what it is then."""
    with _store(settings) as store:
        for serial in options.serials:
            members = _object(change(store, serial))
            emit((f"{members['serial']}  {members['state']}  {members['subject']}", ""))


def _object(row: CertificateRow) -> dict[str, Any]:
    """What is known of a certificate, as JSON has it."""
    from ..enums import RevocationReason
    from ..server.ca.operating import state_of
    from ..server.ca.store import read_certificate

    certificate = read_certificate(row)
    members: dict[str, Any] = {
        "serial": f"{row.serial:x}",
        "state": state_of(row),
        "subject": certificate.subject.rfc4514_string(),
        "not_before": _time(certificate.not_valid_before_utc.timestamp()),
        "not_after": _time(row.not_after),
        "confirmed": row.confirmed,
    }
    if row.reference is not None:
        members["reference"] = _reference(row.reference)
    if row.updates is not None:
        members["updates"] = row.updates
    if row.revoked is not None and row.revoked_at is not None:
        members |= {"reason": RevocationReason(row.revoked).name, "revoked_at": _time(row.revoked_at)}
    return members


def _time(moment: float) -> str:
    return datetime.datetime.fromtimestamp(int(moment), datetime.timezone.utc).isoformat()


def _reference(reference: bytes) -> str:
    return reference.decode("utf-8", "backslashreplace")


# -- CRL and secrets -------------------------------------------------------------------------------------------


def _crl(options: Namespace, settings: dict[str, Any]) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from .._files import PUBLIC, write

    if "der" in options and "out" not in options:
        raise UsageError("--der is for --out")
    with _authority(settings, {}) as ca:
        data = ca.crl().public_bytes(Encoding.DER if "der" in options else Encoding.PEM)
    if "out" in options:
        write(Path(options.out), data, PUBLIC)
    else:
        sys.stdout.write(data.decode())


def _secrets(options: Namespace, settings: dict[str, Any]) -> None:
    client = given(
        vars(options), "profile", "expires", "uses", subject="names", **{"secret-file": "secret_file"}
    )
    if bool(client) != ("add" in options) or ("add" in options and "secret-file" not in client):
        raise UsageError("--add needs --secret-file, and the options of a secret need --add")
    if "remove" in options:
        with _store(settings) as store:
            store.remove_secret(options.remove.encode())
    if "add" in options:
        with _authority(settings, {options.add: client}):
            return
    if "remove" in options:
        return
    with _store(settings) as store:
        for row in store.secrets():
            members = _secret_object(row)
            if "json" in options:
                print(json_text(members))
            else:
                rest = (f"{name}={value}" for name, value in members.items() if name != "reference")
                emit((members["reference"], "bold"), ("".join(f"  {one}" for one in rest), ""))


def _secret_object(row: SecretRow) -> dict[str, Any]:
    """What is known of a secret, but not the secret."""
    members: dict[str, Any] = {"reference": _reference(row.reference), "used": row.used}
    for name in ("names", "profile", "uses"):
        if getattr(row, name) is not None:
            members[name] = getattr(row, name)
    return members if row.expires is None else {**members, "expires": _time(row.expires)}


def _migrate(_: Namespace, settings: dict[str, Any]) -> None:
    from ..server.ca.database import SCHEMA_VERSION

    with _store(settings):
        print(f"the database has schema {SCHEMA_VERSION}")
