"""What is to be renewed, and how: an object for each certificate, and the TOML file that says it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from .._arguments import checked
from .._files import read_toml
from .._openssl.inputs import is_uri, without_credentials, without_pin
from .._openssl.name_texts import parse_general_name, parse_name
from .._text import visible
from ..context.proxies import plain_proxy
from ..transport.address import parse_url

FILES = ("key", "certificate", "fullchain", "chain", "combined")
"""The files of a certificate."""
KEY_TYPES = ("P-256", "P-384", "P-521", "Ed25519", "Ed448", "RSA-2048", "RSA-3072", "RSA-4096")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LONGEST_WAIT = 86_400


@checked
@dataclass(frozen=True, kw_only=True)
class Renewal:
    """One certificate to renew. All files are PEM; texts of files are taken without surrounding white space.

    Raises ``ValueError``, which names the argument, for what cannot work.
    """

    name: str
    """What it is called in messages and logs."""
    server: str = field(repr=False)
    """URL of the CMP server."""
    state: Path
    """A directory for this certificate alone: what is pending, and the files that the paths below link to."""
    certificate: Path | None = None
    """The certificate alone. One of ``certificate``, ``fullchain`` and ``combined`` is needed."""
    fullchain: Path | None = None
    """The certificate and its chain."""
    chain: Path | None = None
    """Its chain alone."""
    combined: Path | None = None
    """The private key, the certificate and its chain, as HAProxy takes them."""
    key: Path | str | None = field(default=None, repr=False)
    """The private key: a file, or a key URI (``pkcs11:...``), whose key stays the same. Needed without ``combined``."""
    key_password_file: Path | None = None
    """First line: the password of the private key, which also encrypts a new one."""
    new_key: bool = True
    """Make a new key for each certificate."""
    key_type: str | None = None
    """Of new keys: ``P-256``, ``P-384``, ``P-521``, ``Ed25519``, ``Ed448``, ``RSA-2048``, ``RSA-3072`` or ``RSA-4096``; by
    default that of the old one, or P-256."""
    request: str = "kur"
    """How it is renewed: ``kur``, ``cr`` or ``ir``. kur is signed with the certificate; the others too, unless there is a
    ``secret_file``."""
    expired: str | None = None
    """How a certificate is got when there is none or it has expired, under the secret: ``ir`` or ``cr``."""
    reference: str | None = None
    """Of the shared secret."""
    secret_file: Path | None = None
    """First line: the shared secret."""
    subject: str | None = None
    """Name to ask for; by default that of the old certificate."""
    sans: tuple[str, ...] = ()
    """Alternative names to ask for; by default those of the old certificate."""
    profile: str | None = None
    """Name of a certificate profile."""
    days: int = 0
    """Validity to ask for; 0: as the CA likes."""
    implicit_confirm: bool = False
    """Ask the server to do without confirmation."""
    trusted: tuple[Path, ...] = ()
    """Trust anchors for signed answers. Needed but with a ``secret_file`` for all requests."""
    untrusted: tuple[Path, ...] = ()
    """Certificates that help to build chains."""
    crls: tuple[Path, ...] = ()
    """CRLs that the certificates of answers are looked for in."""
    crl_check: str = "leaf"
    """Which of them, where there are ``crls``: ``leaf`` (that of the server) or ``all`` (its CAs, too)."""
    partial_chain: bool = False
    """Take trust anchors that are no roots."""
    server_certificate: Path | None = None
    """The only certificate that may sign answers."""
    expected_sender: str | None = None
    """Name that answers must come from."""
    recipient: str | None = None
    """Name of the server in requests."""
    tls_trusted: tuple[Path, ...] = ()
    """Trust anchors for HTTPS; by default the system's."""
    tls_certificate: Path | None = None
    """Our certificate and chain for HTTPS."""
    tls_key: Path | None = None
    """Its private key."""
    proxy: str | None = field(default=None, repr=False)
    """As of :class:`osslcmp.Client`."""
    message_timeout: int = 60
    """Seconds for one message and its answer."""
    wait: int = 60
    """Seconds to poll for when the server lets us wait. What is still pending then goes on the next time."""
    renew_at: float = 2 / 3
    """When it is due: the part of its validity that has passed."""
    jitter: float = 0.05
    """Up to this part of its validity earlier, so that not all come at once: always the same for the same certificate."""
    reload_command: tuple[str, ...] = ()
    """Program and arguments to run after files have been replaced; tried again the next time if it fails."""
    reload_timeout: int = 60
    """Seconds for it."""

    def __post_init__(self) -> None:
        for key, parse in KEYS.items():
            value = getattr(self, name := key.replace("-", "_"))
            if isinstance(value, (str, int, float)) or name == "sans":
                try:
                    parse(list(value) if isinstance(value, tuple) else value)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}, not {_shown(value)}") from None
        if not _NAME.fullmatch(self.name):
            raise ValueError("name: letters, digits, dot, hyphen and underscore, 100 at most")
        if self.certificate is None and self.fullchain is None and self.combined is None:
            raise ValueError("certificate: give certificate, fullchain or combined")
        if self.key is None and self.combined is None:
            raise ValueError("key: is needed")
        if self.in_token and (self.combined is not None or self.new_key):
            raise ValueError("key: a URI goes with new_key = false and without combined")
        if len(set(self.files.values())) < len(self.files):
            raise ValueError("certificate, fullchain, chain, combined, key: two are the same file")
        if self.key_type is not None and not self.new_key:
            raise ValueError("key_type: goes with new_key")
        if (self.reference is not None or self.expired is not None) and self.secret_file is None:
            raise ValueError("secret_file: is needed with reference and expired")
        if self.secret_file is None and self.request != "kur" and not self.trusted:
            raise ValueError("trusted: is needed")
        if (self.crls or self.partial_chain) and not self.trusted:
            raise ValueError("trusted: is needed with crls and partial_chain")
        if self.request == "kur" and not self.trusted and self.server_certificate is None:
            raise ValueError(
                "trusted: kur is answered under a signature: give trust anchors, or server_certificate"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate: goes with tls_key")

    @property
    def in_token(self) -> bool:
        """Whether the private key is behind a URI."""
        return isinstance(self.key, str)

    @property
    def files(self) -> dict[str, Path]:
        """By kind (``FILES``), the paths that others read."""
        found = {kind: getattr(self, kind) for kind in FILES}
        return {kind: path for kind, path in found.items() if isinstance(path, Path)}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is needed")
    return value


def _read(parse: Callable[[str], object]) -> Callable[[Any], str]:
    """A text that this takes: else the request that it is for would fail, in months perhaps."""

    def text(value: Any) -> str:
        parse(_text(value))
        return str(value)

    return text


def _path(value: Any) -> Path:
    if "\0" in _text(value):
        raise ValueError("a NUL is in no path")
    return Path(value)


def _key(value: Any) -> Path | str:
    return str(value) if is_uri(_text(value)) else _path(value)


def _tuple(one: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise ValueError("a list is needed")
    return tuple(map(one, value))


def _choice(*known: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in known:
            raise ValueError(f"one of {', '.join(known)} is needed")
        return str(value)

    return parse


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _number(
    low: float, high: float, kind: type[int] | tuple[type[int], type[float]] = int
) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g} is needed")
        return value

    return parse


def _command(value: Any) -> tuple[str, ...]:
    words = shlex.split(value) if isinstance(value, str) else _tuple(_text, value)
    if not words or any("\0" in word for word in words):
        raise ValueError("a program and its arguments are needed")
    return tuple(words)


_OF_KIND: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "str | None": _text,
    "bool": _bool,
    "Path | None": _path,
    "tuple[str, ...]": partial(_tuple, _text),
    "tuple[Path, ...]": partial(_tuple, _path),
}
_OF_FIELD: dict[str, Callable[[Any], Any]] = {
    "key": _key,
    "server": _read(partial(parse_url, what="a URL is needed")),
    "proxy": _read(plain_proxy),
    **dict.fromkeys(
        ("subject", "recipient", "expected_sender"), _read(partial(parse_name, what="a name is needed"))
    ),
    "sans": partial(_tuple, _read(partial(parse_general_name, "names are needed"))),
    "key_type": _choice(*KEY_TYPES),
    "request": _choice("kur", "cr", "ir"),
    "expired": _choice("ir", "cr"),
    "crl_check": _choice("leaf", "all"),
    "days": _number(0, 100_000),
    "message_timeout": _number(1, _LONGEST_WAIT),
    "wait": _number(1, _LONGEST_WAIT),
    "renew_at": _number(0, 1, (int, float)),
    "jitter": _number(0, 1, (int, float)),
    "reload_command": _command,
    "reload_timeout": _number(1, _LONGEST_WAIT),
}
KEYS = {
    one.name.replace("_", "-"): _OF_FIELD.get(one.name) or _OF_KIND[str(one.type)]
    for one in fields(Renewal)
    if one.name not in ("name", "state")
}
"""By key of the TOML file, what reads its value."""


@checked
def load(path: Path | str) -> list[Renewal]:
    """Read what is to be renewed.

    Args:
        path: a TOML file, or a directory: then all ``*.toml`` in it. A file has a table ``[certificates.NAME]`` for each
            certificate, whose keys are the fields of :class:`Renewal` with hyphens, ``[defaults]`` with keys for all of
            them, and ``state-directory``, by default ``state`` beside the file. Relative paths are relative to the file.

    Returns:
        The certificates in the order of the files.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is no TOML, or says what cannot be: the message names file, table and key.
        ImportError: Python 3.10 without tomli.
    """
    path = Path(path)
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    found = [renewal for file in files for renewal in _load_file(file)]
    taken: dict[Path, str] = {}
    for renewal in found:
        for place in (renewal.state, *renewal.files.values()):
            if taken.setdefault(place, renewal.name) != renewal.name or place == path:
                raise ValueError(f"{path}: {place} is of {taken[place]} and of {renewal.name}")
    if len({renewal.name for renewal in found}) < len(found):
        raise ValueError(f"{path}: two certificates have the same name")
    if not found:
        raise ValueError(f"{path}: there is no certificate in it")
    return found


def _load_file(file: Path) -> list[Renewal]:
    table = read_toml(file)
    certificates, defaults = table.pop("certificates", {}), table.pop("defaults", {})
    state = table.pop("state-directory", "state")
    for unknown in table:
        raise ValueError(
            f"{file}: unknown key {_shown(unknown)}; known: certificates, defaults, state-directory"
        )
    try:
        state_directory = file.parent / _path(state)
    except ValueError as error:
        raise ValueError(f"{file}: state-directory: {error}") from None
    if not isinstance(certificates, dict) or not isinstance(defaults, dict):
        raise ValueError(f"{file}: certificates and defaults must be tables")
    common = _parsed(f"{file}: [defaults]", defaults, file.parent)
    found = []
    for name, own in certificates.items():
        where = f"{file}: [certificates.{_shown(name)}]"
        if not isinstance(own, dict):
            raise ValueError(f"{where} must be a table")
        values = {**common, **_parsed(where, own, file.parent)}
        if "server" not in values:
            raise ValueError(f"{where}: server: is needed")
        try:
            found.append(Renewal(**values, name=name, state=state_directory / name))
        except ValueError as error:
            raise ValueError(f"{where}: {str(error).replace('_', '-')}") from None
    return found


def _parsed(where: str, table: Mapping[str, Any], base: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        parse = KEYS.get(key)
        if parse is None:
            raise ValueError(f"{where}: unknown key {_shown(key)}; known: {', '.join(sorted(KEYS))}")
        try:
            found = parse(value)
        except ValueError as error:
            raise ValueError(f"{where}: {key}: {error}, not {_shown(value)}") from None
        if isinstance(found, Path):
            found = base / found
        elif isinstance(found, tuple) and found and isinstance(found[0], Path):
            found = tuple(base / one for one in found)
        values[key.replace("-", "_")] = found
    return values


def _shown(value: object) -> str:
    shown = without_credentials(value if isinstance(value, str) else repr(value))
    return visible(without_pin(shown), 100)
