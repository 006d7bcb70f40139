"""The authority and the CMP server that the options of ``osslcmp serve`` describe, until SIGHUP has them read again."""

from __future__ import annotations

import datetime
import logging
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from .._asn1.x509_parts import find_extension
from .._openssl import inputs
from .._openssl.convert import encoded, look_alike
from .._openssl.providers import load_provider
from .._openssl.token_keys import token_key
from .._text import get_logger
from ..errors import CMPError
from ..server import EmbeddedCA, delayed, waiting
from ..server.ca.client_crls import ClientCRLs
from ..server.ca.directory import read_key
from ..server.ca.grants import Binding, Grants
from ..server.ca.issuing import try_issuing
from ..server.ca.profiles import Profile, duration
from ..server.ca.signing import Signing
from ..server.checks.costs import read_key_sizes
from ..server.http.tls import ServerTLS
from . import serve_options
from ._common import UsageError
from .serve_options import given

if TYPE_CHECKING:
    from ..server.ca.persistent import PersistentCA
    from ..server.http.metrics import Metrics
    from ..server.http.serving import RunningServer
    from ..server.persistent import PersistentServer

logger = get_logger("osslcmp.server")


def open_authority(settings: dict[str, Any]) -> PersistentCA:
    """The authority, with the secrets of the settings.

    Raises:
        UsageError: the settings make no sense.
        OSError, ValueError, ImportError: it cannot be opened.
    """
    options = given(
        settings, "database", "unconfirmed", "confirm_within", "name", "duplicate_keys", "central_keys"
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
    options["key_password"] = _key_password(settings)
    secrets = {
        reference: (_secret(f"secret of {reference}", file), bindings[reference])
        for reference, file in _files(settings).items()
    }
    with explaining(settings):
        return EmbeddedCA.open(
            settings["directory"],
            secrets,
            ca_pubs=not settings.get("no_ca_pubs", False),
            grants=_grants(settings),
            remove_secrets=settings["remove_reference"],
            client_crls=_client_crls(settings),
            **options,
        )


def _files(settings: dict[str, Any]) -> dict[str, str]:
    """By reference, the files with secrets."""
    tables = {reference: client["secret-file"] for reference, client in settings["clients"].items()}
    given = dict(zip(settings["reference"], settings["secret_file"], strict=True))
    return {**settings["secrets"], **tables, **given}


def _durations(settings: dict[str, Any]) -> dict[str, datetime.timedelta]:
    found: dict[str, datetime.timedelta] = {}
    for name in ("validity", "crl_grace"):
        if name in settings:
            try:
                found[name] = duration(settings[name])
            except ValueError as error:
                raise UsageError(f"--{name.replace('_', '-')}: {error}") from None
    return found


def _profiles(tables: dict[str, Any]) -> dict[str, Profile]:
    try:
        return {name: Profile.from_table(name, table) for name, table in tables.items()}
    except ValueError as error:
        raise UsageError(f"{error}") from None


def _bindings(settings: dict[str, Any]) -> dict[str, Binding]:
    """By reference, what its secret is good for."""
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
            where = "--names" if reference in settings["names"] else f"[clients.{reference}]: subject"
            raise UsageError(f"{where}: {pattern!r} is no regular expression: {error}") from None
        except ValueError as error:
            raise UsageError(f"secret of {reference}: {error}") from None
    return found


def _moment(value: datetime.date | str) -> datetime.datetime:
    """What a TOML file or an option says: a date is its first moment, without a zone it is UTC."""
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
    host = settings.get("host", "127.0.0.1")
    named = () if host in ("", "0.0.0.0", "::") else (host,)
    own = _certificates("tls_cert", [settings["tls_cert"]])[:1] if "tls_cert" in settings else []
    certificates = tuple(look_alike(encoded(one)) for one in own)
    return Grants(certificates=certificates, hosts=(*named, "localhost", socket.gethostname()))


@contextmanager
def explaining(settings: dict[str, Any]) -> Iterator[None]:
    """What SQLAlchemy says about a database becomes a UsageError or a ValueError of a line; other errors stay."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("sqlalchemy."):
            raise
        from sqlalchemy.exc import ArgumentError, DBAPIError

        if isinstance(error, ArgumentError):
            raise UsageError("--database: no SQLAlchemy URL such as postgresql://USER@HOST/NAME") from error
        message = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0].strip()
        where = "--database" if "database" in settings else f"the database in {settings['directory']}"
        raise ValueError(f"{where}: {message}") from error


def _own_authority(settings: dict[str, Any]) -> dict[str, Any]:
    """The operator's CA."""
    root, given = (
        inputs.any_certificate(f"--{kind}-cert", settings[f"{kind}_cert"]) for kind in ("root", "issuer")
    )
    issuer = look_alike(encoded(given))
    if inputs.is_uri(settings["issuer_key"]):
        key = _token_key(settings)
    else:
        key = read_key(*inputs.read("--issuer-key", settings["issuer_key"]), _key_password(settings))
    if key.public_key() != issuer.public_key():
        raise ValueError("--issuer-key does not belong to --issuer-cert")
    try:
        try_issuing(root, given, Signing(issuer, key))
    except (CMPError, ValueError) as error:
        raise ValueError(f"--root-cert, --issuer-cert, --issuer-key: {error}") from error
    # The root's key is not needed for anything but its update, which is not done here.
    return {"root": (root, key), "issuer": (given, key)}


def _token_key(settings: dict[str, Any]) -> CertificateIssuerPrivateKeyTypes:
    try:
        for name in settings["provider"]:
            load_provider(name)
    except CMPError as error:
        raise ValueError(f"--provider: {error}") from error
    file = settings.get("pin_file")
    pin = None if file is None else _secret("--pin-file", file)
    return token_key(settings["issuer_key"], pin, what="--issuer-key")


def open_server(ca: PersistentCA, settings: dict[str, Any]) -> PersistentServer:
    """The CMP server of the authority."""
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
        **given(
            settings,
            "mac_policy",
            "strictness",
            "clock_tolerance",
            "max_transactions",
            "max_remembered",
            max_message_size="max_message",
        ),
    )


def tls_settings(settings: dict[str, Any]) -> ServerTLS | None:
    """Those of HTTPS; None for HTTP."""
    if "tls_cert" not in settings:
        return None
    return ServerTLS(
        certificate=Path(settings["tls_cert"]),
        key=Path(settings["tls_key"]),
        trusted=_certificates("tls_trust", settings["tls_trust"]) or None,
        client="required" if settings["tls_trust"] else None,
    )


def _client_trust(settings: dict[str, Any], own: Sequence[x509.Certificate] | None = None) -> list[Any]:
    """The CAs of clients from elsewhere; if ``own`` are given, those below neither these nor a root are warned of."""
    given = [
        (path, one) for path in settings["client_trust"] for one in _certificates("client_trust", [path])
    ]
    found = [(path, look_alike(encoded(one))) for path, one in given]
    above = {certificate.subject for _, certificate in found if certificate.subject == certificate.issuer}
    above.update(certificate.subject for certificate in own or ())
    for path, certificate in found:
        name = certificate.subject.rfc4514_string()
        if not _is_ca(certificate):
            raise ValueError(f"--client-trust {path}: {name} is no CA: give the root above it")
        if own is not None and certificate.subject != certificate.issuer and certificate.issuer not in above:
            issuer = certificate.issuer.rfc4514_string()
            logger.warning("--client-trust %s: %s counts only with the root above it: %s", path, name, issuer)
    return [certificate for _, certificate in given]


def _is_ca(certificate: x509.Certificate) -> bool:
    """Whether it can be above others; roots of X.509 version 1 do not say."""
    constraints = find_extension(certificate, x509.BasicConstraints)
    if constraints is None:
        return certificate.version is x509.Version.v1 and certificate.subject == certificate.issuer
    return constraints.ca


def _client_crls(settings: dict[str, Any]) -> ClientCRLs | None:
    if not settings["client_crl"]:
        return None
    return ClientCRLs(map(Path, settings["client_crl"]), _client_trust(settings))


def _key_password(settings: dict[str, Any]) -> bytes | None:
    file = settings.get("key_password_file")
    return None if file is None else _secret("--key-password-file", file)


def _secret(what: str, path: str) -> bytes:
    secret, below = inputs.read_secret(what, path)
    if below:
        logger.warning("%s: only the first line is the secret, as in openssl cmp -secret file:", path)
    return secret


def _certificates(setting: str, paths: Sequence[str]) -> list[Any]:
    option = f"--{setting.replace('_', '-')}"
    return [certificate for path in paths for certificate in inputs.any_certificates(option, path)]


# -- what a process answers with -------------------------------------------------------------------------------


def reread(arguments: Sequence[str]) -> tuple[dict[str, Any], PersistentCA, PersistentServer] | None:
    """The settings as they are now, with the authority and the server that they describe; None, and a line in the log, if
    they are of no use."""
    try:
        settings = serve_options.read(arguments)
        settings.pop("new_root", None)
        return settings, *_opened(settings)
    except (UsageError, OSError, ValueError, ImportError) as error:
        logger.error("the configuration is not reloaded: %s", error)
        return None


def _opened(settings: dict[str, Any]) -> tuple[PersistentCA, PersistentServer]:
    ca = open_authority(settings)
    with ExitStack() as failing:
        failing.callback(ca.close)
        if settings.get("new_root"):
            ca.update_root()
        server = open_server(ca, settings)
        failing.pop_all()
    return ca, server


class Site:
    """The authority, its server, and who watches.

    Args:
        settings: the options, as ``serve_options.read`` has them.
        arguments: those of the command line, to be read again.

    Raises:
        UsageError: the settings make no sense.
        OSError, ValueError, ImportError: it cannot be opened.
    """

    def __init__(self, settings: dict[str, Any], arguments: Sequence[str]) -> None:
        self._arguments, self._settings = arguments, settings
        self._metrics: Metrics | None = None
        self.ca, self._server = _opened(settings)

    def close(self) -> None:
        """Close the authority."""
        self.ca.close()

    def serve(self, host: str, port: int, **http: Any) -> RunningServer:
        """Start to answer; the arguments are those of ``Server.serve``."""
        return self._server.serve(host, port, **http, **self._watched(self._settings, self.ca, self._server))

    def reload(self, running: RunningServer) -> None:
        """Answer as the settings say now; if they are of no use, a line in the log tells, and all stays as it is."""
        found = reread(self._arguments)
        if found is None:
            return
        settings, ca, server = found
        try:
            server.take_over(running, **self._watched(settings, ca, server))
        except (OSError, ValueError, ImportError) as error:
            logger.error("the configuration is not reloaded: %s", error)
            ca.close()
            return
        self.ca.close()
        self.ca, self._server, self._settings = ca, server, settings
        logger.warning("the configuration was reloaded")

    def _watched(
        self, settings: dict[str, Any], ca: PersistentCA, server: PersistentServer
    ) -> dict[str, Any]:
        """What ``serve`` and ``take_over`` need besides."""
        from ..server.http import app, events

        observers, pages = [*app.OBSERVERS], {"/healthz": app.healthy(ca.check)}
        if settings.get("log_format") == "json":
            observers.append(events.log)
            logging.getLogger(events.LOGGER).setLevel(logging.INFO)
        if settings.get("metrics"):
            if self._metrics is None:
                from ..server.http.metrics import Metrics

                self._metrics = Metrics()
            observers.append(self._metrics.observe)
            pages["/metrics"] = self._metrics.page(lambda: server.open_transactions)
        return {"tls": tls_settings(settings), "observers": observers, "pages": pages}
