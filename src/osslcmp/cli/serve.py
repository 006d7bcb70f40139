"""``osslcmp serve``: a CMP server with a certification authority that keeps its state."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._text import get_logger, one_line
from . import EXIT_USAGE, serve_options
from .serve_log import BoundedHandler, OneLineFormatter
from .serve_options import UsageError
from .serve_options import make_parser as parser

if TYPE_CHECKING:
    import datetime

    from cryptography import x509

    from ..server.ca.client_crls import ClientCRLs
    from ..server.ca.grants import Binding, Grants
    from ..server.ca.persistent import PersistentCA
    from ..server.ca.profiles import Profile
    from ..server.persistent import PersistentServer

__all__ = ["parser", "run"]

logger = get_logger("osslcmp.server")

_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: Seconds for the answers in progress when a signal has come.
_GRACE = 10.0
#: Files that it opens at most: half of them are for connections, 2,000 at once.
_FILES = 4_096


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status: 0, or 1 when it cannot start, 2 for wrong options."""
    return _reporting(lambda: _serve(serve_options.read(arguments)))


def _reporting(serve: Callable[[], int]) -> int:
    """The exit status; what went wrong is said on stderr."""
    try:
        return serve()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    except UsageError as error:
        print(f"osslcmp serve: {one_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    except (OSError, ValueError, ImportError) as error:
        print(f"osslcmp serve: {one_line(str(error))}", file=sys.stderr)
        return 1


def _some(settings: dict[str, Any], **names: str) -> dict[str, Any]:
    """The settings that were given, under the names that they have elsewhere."""
    return {there: settings[here] for there, here in names.items() if here in settings}


def _serve(settings: dict[str, Any]) -> int:
    handler = BoundedHandler()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
    level = logging.INFO if settings.get("verbose") else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
    if level > logging.INFO:
        # What libcrypto warns of is what a client has sent; the server says it in one line.
        logging.getLogger("osslcmp.openssl").setLevel(logging.ERROR)
    _allow_files()
    if settings.get("processes", 1) == 1:
        return _serve_here(settings, _tell)
    from ..server.http import webserver
    from .serve_processes import Processes

    # What the first start makes, and what is wrong with the options, is for one process.
    with closing(_open(settings)) as ca:
        if settings.pop("new_root", False):
            ca.update_root()
        _server(ca, settings)
    with webserver.listen(*_where(settings), reuse_port=settings.get("reuse_port", False)) as listener:

        def work(ready: Callable[[str], None]) -> int:
            return _reporting(lambda: _serve_here({**settings, "listener": listener}, ready))

        return Processes(settings["processes"], work).run(_tell)


def _tell(line: str) -> None:
    print(line, flush=True)


def _where(settings: dict[str, Any]) -> tuple[str, int]:
    return settings.get("host", "127.0.0.1"), settings.get("port", 8080)


def _serve_here(settings: dict[str, Any], ready: Callable[[str], None]) -> int:
    """Serve in this process until a signal comes; ``ready`` is told where."""
    ca = _open(settings)
    with ExitStack() as ending, closing(ca):
        if settings.get("new_root"):
            ca.update_root()
        server = _server(ca, settings)
        http = _some(
            settings,
            threads="threads",
            timeout="timeout",
            request_time="request_time",
            reuse_port="reuse_port",
            listener="listener",
        )
        if "tls_cert" in settings:
            from ..server.http.tls import ServerTLS

            http["tls"] = ServerTLS(
                certificate=Path(settings["tls_cert"]),
                key=Path(settings["tls_key"]),
                trusted=_certificates("tls_trust", settings["tls_trust"]) or None,
                client="required" if settings["tls_trust"] else None,
            )
        # Signals are waited for, not handled: blocked before any thread starts, so that none of them gets one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            with server.serve(*_where(settings), **http) as running:
                ready(f"serving CMP at {running.url}, trust anchor {ca.directory.root_file}")
                signal.sigwait(_SIGNALS)
                ending.enter_context(_no_longer_than(_GRACE))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _allow_files() -> None:
    """Let the process have as many files open as its connections need, if it may: the soft limit is often 1,024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system with other rules: there are fewer connections then
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """End the process if this takes longer, or at a second signal: a thread may be busy for ever with a message."""
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in _SIGNALS}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    clock = threading.Timer(seconds, _give_up, [seconds])
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _give_up(seconds: float) -> None:
    print(
        f"osslcmp serve: an answer is not ready after {seconds:g} more seconds: ended without it",
        file=sys.stderr,
    )
    sys.stderr.flush()
    os._exit(1)


def _open(settings: dict[str, Any]) -> PersistentCA:
    """The authority."""
    from ..server import EmbeddedCA, delayed, waiting

    options = _some(
        settings,
        database="database",
        unconfirmed="unconfirmed",
        confirm_within="confirm_within",
        name="name",
        duplicate_keys="duplicate_keys",
        central_keys="central_keys",
    )
    options |= _durations(settings)
    if settings["profiles"]:
        options["profiles"] = _profiles(settings["profiles"])
    bindings = _bindings(settings)
    if settings.get("polls"):
        options["policy"] = waiting(settings["polls"], settings.get("check_after", 1))
    if settings.get("delays"):
        options["delay"] = delayed(settings["delays"], settings.get("check_after", 1))
    if "issuer_cert" in settings:
        options |= _own_authority(settings)
    secrets = {
        reference: (_secret(Path(file)), bindings[reference]) for reference, file in _files(settings).items()
    }
    try:
        return EmbeddedCA.open(
            settings["directory"],
            secrets,
            ca_pubs=not settings.get("no_ca_pubs", False),
            grants=_grants(settings),
            remove_secrets=settings["remove_reference"],
            client_crls=_client_crls(settings),
            **options,
        )
    except Exception as error:
        raise _explained(error, settings) from error


def _files(settings: dict[str, Any]) -> dict[str, str]:
    """By reference, the files with secrets."""
    tables = {reference: client["secret-file"] for reference, client in settings["clients"].items()}
    given = dict(zip(settings["reference"], settings["secret_file"], strict=True))
    return {**settings["secrets"], **tables, **given}


def _durations(settings: dict[str, Any]) -> dict[str, datetime.timedelta]:
    from ..server.ca.profiles import duration

    found: dict[str, datetime.timedelta] = {}
    for name in ("validity", "crl_grace"):
        if name in settings:
            try:
                found[name] = duration(settings[name])
            except ValueError as error:
                raise UsageError(f"--{name.replace('_', '-')}: {error}") from None
    return found


def _profiles(tables: dict[str, Any]) -> dict[str, Profile]:
    from ..server.ca.profiles import Profile

    try:
        return {name: Profile.from_table(name, table) for name, table in tables.items()}
    except ValueError as error:
        raise UsageError(f"{error}") from None


def _bindings(settings: dict[str, Any]) -> dict[str, Binding]:
    """By reference, what its secret is good for."""
    from ..server.ca.grants import Binding

    found = {}
    for reference in _files(settings):
        # What stands on the command line replaces the client of the file as a whole.
        client = {} if reference in settings["reference"] else settings["clients"].get(reference, {})
        profile = client.get("profile")
        if profile is not None and profile not in (settings["profiles"] or {}):
            raise UsageError(f"[clients.{reference}]: there is no profile {profile!r}")
        pattern = settings["names"].get(reference, client.get("subject"))
        expires = settings["expires"].get(reference, client.get("expires"))
        uses = settings["uses"].get(reference, client.get("uses"))
        try:
            names = None if pattern is None else re.compile(pattern)
            found[reference] = Binding(names, profile, None if expires is None else _moment(expires), uses)
        except re.error as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}") from None
        except ValueError as error:
            raise UsageError(f"secret of {reference}: {error}") from None
    return found


def _moment(value: datetime.date | str) -> datetime.datetime:
    """What a TOML file or an option says: a date is its first moment, without a zone it is UTC."""
    import datetime

    if isinstance(value, str):
        try:
            # Before Python 3.11, no Z is understood.
            value = datetime.datetime.fromisoformat(re.sub("[Zz]$", "+00:00", value))
        except ValueError:
            raise ValueError(f"expires: 2027-01-31T12:00Z or 2027-01-31, not {value!r}") from None
    if isinstance(value, datetime.datetime):
        return value
    return datetime.datetime.combine(value, datetime.time())


def _grants(settings: dict[str, Any]) -> Grants:
    """What clients may have: no name of this server, whatever it is called."""
    from ..server.ca.grants import Grants

    host = settings.get("host", "127.0.0.1")
    named = () if host in ("", "0.0.0.0", "::") else (host,)
    certificates = _certificates("tls_cert", [settings["tls_cert"]])[:1] if "tls_cert" in settings else []
    return Grants(certificates=tuple(certificates), hosts=(*named, "localhost", socket.gethostname()))


def _explained(error: Exception, settings: dict[str, Any]) -> Exception:
    """What SQLAlchemy says about a database, in a line; other errors as they are."""
    if not type(error).__module__.startswith("sqlalchemy."):
        return error
    from sqlalchemy.exc import ArgumentError, DBAPIError

    if isinstance(error, ArgumentError):
        return UsageError("--database: no SQLAlchemy URL such as postgresql://USER@HOST/NAME")
    message = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0].strip()
    where = "--database" if "database" in settings else f"the database in {settings['directory']}"
    return ValueError(f"{where}: {message}")


def _own_authority(settings: dict[str, Any]) -> dict[str, Any]:
    """The operator's CA."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from .._openssl import inputs

    (root, *_), (issuer, *_) = (
        _certificates("root_cert", [settings["root_cert"]]),
        _certificates("issuer_cert", [settings["issuer_cert"]]),
    )
    where, data = inputs.read("--issuer-key", settings["issuer_key"])
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: cannot be read: {error}; {inputs.found(data)}") from None
    if key.public_key() != issuer.public_key():
        raise ValueError("--issuer-key does not belong to --issuer-cert")
    # The root's key is not needed for anything but its update, which is not done here.
    return {"root": (root, key), "issuer": (issuer, key)}


def _server(ca: PersistentCA, settings: dict[str, Any]) -> PersistentServer:
    """The CMP server of the authority."""
    from ..server.checks.costs import read_key_sizes

    try:
        key_sizes = read_key_sizes(settings["key_size"])
    except ValueError as error:
        raise UsageError(f"--key-size: {error}") from None
    return ca.server(
        trusted=[*ca.roots, *_client_trust(settings, ca.authorities)],
        accept_raverified=settings.get("accept_raverified", False),
        grant_implicit_confirm=not settings.get("no_implicit_confirm", False),
        sign_always=settings.get("sign_always", False),
        key_sizes=key_sizes,
        **_some(
            settings,
            mac_policy="mac_policy",
            strictness="strictness",
            clock_tolerance="clock_tolerance",
            max_message_size="max_message",
            max_transactions="max_transactions",
            max_remembered="max_remembered",
        ),
    )


def _client_trust(
    settings: dict[str, Any], own: Sequence[x509.Certificate] | None = None
) -> list[x509.Certificate]:
    """The CAs of clients from elsewhere; if ``own`` are given, those below neither these nor a root are warned of."""
    found: list[tuple[str, x509.Certificate]] = [
        (path, certificate)
        for path in settings["client_trust"]
        for certificate in _certificates("client_trust", [path])
    ]
    above = {certificate.subject for _, certificate in found if certificate.subject == certificate.issuer}
    above.update(certificate.subject for certificate in own or ())
    for path, certificate in found:
        name = certificate.subject.rfc4514_string()
        if not _is_ca(certificate):
            raise ValueError(f"--client-trust {path}: {name} is no CA: give the root above it")
        if own is not None and certificate.subject != certificate.issuer and certificate.issuer not in above:
            issuer = certificate.issuer.rfc4514_string()
            logger.warning("--client-trust %s: %s counts only with the root above it: %s", path, name, issuer)
    return [certificate for _, certificate in found]


def _is_ca(certificate: x509.Certificate) -> bool:
    """Whether it can be above others; roots of X.509 version 1 do not say."""
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.version is x509.Version.v1 and certificate.subject == certificate.issuer


def _client_crls(settings: dict[str, Any]) -> ClientCRLs | None:
    if not settings["client_crl"]:
        return None
    from ..server.ca.client_crls import ClientCRLs

    return ClientCRLs(map(Path, settings["client_crl"]), _client_trust(settings))


def _secret(path: Path) -> bytes:
    from .._openssl.inputs import first_line

    data = path.read_bytes()
    secret = first_line(data)
    if not secret:
        raise ValueError(f"{path}: the secret is empty")
    if data.partition(b"\n")[2]:
        logger.warning("%s: only the first line is the secret, as in openssl cmp -secret file:", path)
    return secret


def _certificates(setting: str, paths: Sequence[str]) -> list[Any]:
    from .._openssl.inputs import certificates

    return [certificate for path in paths for certificate in certificates(setting, path)]
