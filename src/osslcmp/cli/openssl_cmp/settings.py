"""The options' values, from the command line and OpenSSL's configuration, as ``openssl cmp`` reads both."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..._openssl.errorqueue import clear, drain_text
from ..._openssl.lib import NULL, ffi, lib, unsupported, usable_version
from ..._openssl.ownership import own
from . import HELP
from .console import Failure
from .options import BY_NAME, OPTIONS, Option

if TYPE_CHECKING:
    from .context import Run

_DEFAULTS: dict[str, Any] = {
    "verbosity": 6,
    "keep_alive": 1,
    "msg_timeout": -1,
    "total_timeout": -1,
    "popo": -2,
    "revreason": -1,
    "repeat": 1,
    "check_after": 1,
    "failure": -1,
    "certform": "PEM",
    "crlform": "DER",
}
#: Groups whose options take effect as they are read.
_EFFECTS = ("Provider", "Random state", "Validation")
_SECTION_MAX = 40
_INT_MAX = 0x7FFFFFFF
_NUMBER = r"\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)\Z"


class HelpWanted(Exception):
    """``-help`` was among the options."""


def _default_file() -> str:
    """The configuration that OpenSSL uses by default: ``$OPENSSL_CONF``, else the installed one."""
    pointer = lib.CONF_get1_default_config_file()
    if pointer == NULL:
        clear()
        return ""
    try:
        return os.fsdecode(ffi.string(pointer))
    finally:
        lib.OPENSSL_free(pointer)


class Config:
    """A configuration file. ``pointer`` is the ``CONF *``."""

    def __init__(self, path: str) -> None:
        clear()
        self.pointer: Any = own(lib.NCONF_new_ex(NULL, NULL), lib.NCONF_free, "reading the configuration")
        line = ffi.new("long *", -1)
        if lib.NCONF_load(self.pointer, os.fsencode(path), line) <= 0:
            where = f"Error on line {line[0]} of" if line[0] > 0 else "Can't load"
            message = drain_text()
            raise Failure(f'cmp: {where} config file "{path}": {message}')

    def has(self, section: str) -> bool:
        """Whether there is such a section."""
        found = bool(lib.NCONF_get_section(self.pointer, os.fsencode(section)) != NULL)
        clear()
        return found

    def get(self, sections: list[str], name: str) -> str | None:
        """The value in the last of ``sections`` that has it, else in ``[default]``."""
        for section in reversed(sections):
            value = lib.NCONF_get_string(self.pointer, os.fsencode(section), name.encode())
            if value != NULL:
                return os.fsdecode(ffi.string(value))
            clear()
        return None


class Settings:
    """The options' values: texts are ``None`` unless given, numbers have their defaults."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = dict(_DEFAULTS)
        self.config: Config | None = None
        #: Those given on the command line itself.
        self.typed: set[str] = set()

    def put(self, name: str, value: str | int | None) -> None:
        """Set an option."""
        self._values[name] = value

    def text(self, name: str) -> str | None:
        """The text of an option."""
        value: str | None = self._values.get(name)
        return value

    def number(self, name: str) -> int:
        """The number of an option, 0 if there is no other default."""
        return int(self._values.get(name) or 0)

    def flag(self, name: str) -> bool:
        """Whether an option is switched on."""
        return bool(self._values.get(name))

    def given(self, *names: str) -> bool:
        """Whether any of these options has a text."""
        return any(self._values.get(name) is not None for name in names)


def items(text: str) -> list[str]:
    """The items of a list separated by commas or space."""
    parts = re.split(r"[,\s]\s*", text)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def atoi(text: str) -> int:
    """The number that a text begins with, as C's function of that name reads it; 0 if there is none."""
    digits = re.match(r"\s*[+-]?\d+", text)
    return int(digits[0]) if digits else 0


def read(words: list[str], run: Run) -> None:
    """Read all options into ``run.opt``, and apply those that are global to OpenSSL.

    Raises Failure with what is wrong, HelpWanted.
    """
    config, sections = _upfront(words, run)
    path = _default_file() if config is None else config
    if path and (config is not None or os.path.exists(path)):
        _read_config(path, sections, run)
    _read_words(words, run)


def _upfront(words: list[str], run: Run) -> tuple[str | None, str]:
    """``-config``, ``-section``, ``-verbosity``: the others depend on them."""
    config, section = None, "cmp"
    places = iter(range(len(words) - 1))
    for place in places:
        name = words[place]
        if name not in ("-config", "-section", "-verbosity"):
            continue
        value = words[place + 1]
        next(places, None)
        if name == "-config":
            config = value
        elif name == "-section":
            section = value
        else:
            _set_verbosity(atoi(value), run)
    return config, section or "default"


def _set_verbosity(level: int, run: Run) -> None:
    if not 0 <= level <= 8:
        run.console.error(f"Logging verbosity level {level} out of range (0 .. 8)")
        raise Failure
    run.opt.put("verbosity", level)
    run.console.verbosity = level


def _read_config(path: str, section: str, run: Run) -> None:
    run.console.info(f"using section(s) '{section}' of OpenSSL configuration file '{path}'")
    run.opt.config = config = Config(path)
    sections = []
    for name in re.split(r"[,\s]+", section):
        if len(name) > _SECTION_MAX:
            run.console.warn(
                f'using only first {_SECTION_MAX} characters of section name starting with "{name[:_SECTION_MAX]}"'
            )
        sections.append(name[:_SECTION_MAX])
    if section == "cmp":
        if not config.has("cmp"):
            run.console.info(
                f"no [cmp] section found in config file '{path}'; "
                "will thus use just [default] and unnamed section if present"
            )
    else:
        for name in reversed(sections):
            if not config.has(name):
                run.console.error(f"no [{name}] section found in config file '{path}'")
                raise Failure
    for option in OPTIONS:
        if option.name not in ("help", "config", "section", "json", "trace"):
            _from_config(option, config.get(sections, option.name), run)
    _set_verbosity(run.opt.number("verbosity"), run)


def _from_config(option: Option, value: str | None, run: Run) -> None:
    if value is None:
        return
    number = None
    if option.takes_number or option.kind == "-":
        if not re.fullmatch(r"\s*[+-]?\d+", value):
            return  # as if it was not there
        number = int(value)
        if wrong := _wrong_sign(option, number, str(number)):
            raise Failure(f"{wrong} for config option -{option.name}\nUse -help for summary.")
        if abs(number) > _INT_MAX:
            raise Failure(f"integer value out of range for option '{option.name}'")
    wanted = number != 0 if option.kind == "-" else value != ""
    if usable_version[:2] < option.since:
        if wanted:
            run.console.warn(f"ignoring '{option.name}' in the configuration: {_needs(option)}")
    elif option.group not in _EFFECTS:
        run.opt.put(option.name, value or None if number is None else number)
    elif option.kind != "-" or wanted:
        run.global_options(option.name, value)


def _wrong_sign(option: Option, number: int, text: str) -> str:
    """What is wrong with the sign of a number, written as ``text``; empty if nothing is."""
    if option.kind == "p" and number <= 0:
        return f'Non-positive number "{text}"'
    return f'Negative number "{text}"' if option.kind == "N" and number < 0 else ""


def _needs(option: Option) -> str:
    return str(unsupported(f"-{option.name}", f"{option.since[0]}.{option.since[1]}"))


def _read_words(words: list[str], run: Run) -> None:
    for option, value in _pairs(words):
        run.opt.typed.add(option.name)
        if usable_version[:2] < option.since:
            raise Failure(f"cmp: {_needs(option)}")
        number = _number(option, value) if option.takes_number else int(option.kind == "-")
        if option.name == "verbosity":
            _set_verbosity(number, run)
        elif option.group in _EFFECTS:
            run.global_options(option.name, value)
        elif option.takes_number or option.kind == "-":
            _check_range(option.name, number)
            run.opt.put(option.name, number)
        elif option.name not in ("config", "section"):
            run.opt.put(option.name, _text(option, value, run))


def _check_range(name: str, number: int) -> None:
    """Limits that hold on the command line."""
    if name == "keep_alive" and number > 2:
        raise Failure("-keep_alive argument must be 0, 1, or 2")
    if name == "popo" and not -1 <= number <= 2:
        raise Failure("invalid popo spec. Valid values are -1 .. 2")
    if name == "revreason" and (not -1 <= number <= 10 or number == 7):
        raise Failure("invalid revreason. Valid values are -1 .. 6, 8 .. 10")


def _pairs(words: list[str]) -> Iterator[tuple[Option, str]]:
    """Options with their arguments; ``--name`` and ``name=value`` are fine, as everywhere in OpenSSL."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        word = words[place]
        place += 1
        if word == "--":
            break
        if word in HELP:
            raise HelpWanted
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        option = BY_NAME.get(name)
        if name == "engine":
            raise Failure("cmp: -engine is not supported: use a provider (-provider) and a key URI")
        if option is None:
            raise Failure(f"cmp: Unknown option: -{name}{_near(name)}\ncmp: Use -help for summary.")
        if option.kind == "-":
            if equals:
                raise Failure(f"cmp: Option -{name} does not take a value\ncmp: Use -help for summary.")
        elif not equals:
            if place >= len(words):
                raise Failure(f"cmp: Option -{name} needs a value\ncmp: Use -help for summary.")
            value = words[place]
            place += 1
        yield option, value
    if place < len(words):
        raise Failure(f'cmp: Extra argument "{words[place]}"\ncmp: Use -help for summary.')


def _near(name: str) -> str:
    """What may have been meant."""
    from difflib import get_close_matches

    found = get_close_matches(name, BY_NAME, n=1)
    return f"\ncmp: did you mean -{found[0]}?" if found else ""


def _number(option: Option, value: str) -> int:
    """A number as C reads it: decimal, 0x hexadecimal, 0 octal."""
    found = re.match(_NUMBER, value)
    try:
        if found is None:
            raise ValueError
        digits = found[2]
        octal = digits.startswith("0") and digits[1:].isdigit()
        number = int(digits, 8 if octal else 0) * (-1 if found[1] == "-" else 1)
    except ValueError:
        raise Failure(f'cmp: Can\'t parse "{value}" as a number for option -{option.name}') from None
    if abs(number) > _INT_MAX:
        raise Failure(f'cmp: Value "{value}" outside integer range')
    if wrong := _wrong_sign(option, number, value):
        raise Failure(f"cmp: {wrong} for option -{option.name}")
    return number


def _text(option: Option, value: str, run: Run) -> str | None:
    if not value:
        run.console.warn(f"-{option.name} option argument is empty string, resetting option")
        return None
    if value.startswith("-"):
        run.console.warn(f"-{option.name} option argument starts with hyphen")
    return value
