"""The options of ``osslcmp cmp``, one by one, and the help on them. It imports their table alone."""

from __future__ import annotations

import sys

from . import EXAMPLE, groups


class Option:
    """An option: what it takes, where it belongs, and the first release of OpenSSL that can do it."""

    # No dataclass: to make one takes as long as to read the table.
    __slots__ = ("group", "kind", "name", "since", "text", "values")

    def __init__(self, group: str, name: str, kind: str, text: str) -> None:
        self.group = group
        self.name = name
        self.kind, _, self.values = kind.replace("|", " ").partition("=")
        self.since = (3, 0)
        if text.startswith("@"):
            release, text = text[1:].split(" ", 1)
            self.since = (int(release[0]), int(release[2:]))
        self.text = text

    @property
    def takes_number(self) -> bool:
        """Whether its argument is an ``int``."""
        return self.kind in "nNp"


OPTIONS: list[Option] = []
TOPICS: dict[str, str] = {}
"""One word for each group, in their order."""
for _title, *_lines in groups():
    _topic, _, _group = _title.partition(" ")
    TOPICS[_topic] = _group
    OPTIONS += [Option(_group, *_line.split(" ", 2)) for _line in _lines]
BY_NAME = {option.name: option for option in OPTIONS}

#: What an option's argument is called, by its kind.
ARGUMENTS = dict(
    zip("-sfPnNpM", ("", "val", "file", "source", "int", "nonneg", "+int", "intmax"), strict=True)
)
PASSWORD_SOURCES = "pass: env: file: fd: stdin"


def syntax(option: Option) -> str:
    """``-name argument``."""
    return f"-{option.name} {ARGUMENTS[option.kind]}".rstrip()


def describe(option: Option) -> str:
    """What it does, and the release that it needs."""
    needs = "" if option.since == (3, 0) else f" [OpenSSL {option.since[0]}.{option.since[1]}]"
    return f"{option.text}{needs}"


def _listed(options: list[Option]) -> list[str]:
    lines, group = [], ""
    for option in options:
        if option.group != group:
            group = option.group
            lines += ["", f"{group} options:"]
        lines.append(f" {syntax(option):<22} {describe(option)}")
    return lines


def help_on(subject: str) -> str | None:
    """The help on a topic, an option or everything (``all``); ``None`` if there is no such thing."""
    if subject == "all":
        head = [
            "Usage: osslcmp cmp [options]",
            "The options of 'openssl cmp'; certificates, keys: files or URIs.",
        ]
        foot = ["", "Password sources: pass:TEXT env:NAME file:PATH fd:NUMBER stdin, or the password itself."]
        return "\n".join([*head, *_listed(OPTIONS), *foot, "", "Try it:", EXAMPLE])
    if subject in TOPICS or not subject.startswith("-"):
        fits = [topic for topic in TOPICS if topic.startswith(subject.lower())] if subject else []
        if subject in TOPICS or len(fits) == 1:
            group = TOPICS[subject if subject in TOPICS else fits[0]]
            return "\n".join(_listed([option for option in OPTIONS if option.group == group])[1:])
    option = BY_NAME.get(subject.lstrip("-"))
    if option is None:
        return None
    text = f"{syntax(option)}\n    {describe(option)}"
    return f"{text}\n    values: {option.values}" if option.values else text


def print_help(subject: str) -> int:
    """What ``-help`` with this word after it asks for. Returns the exit status."""
    text = help_on(subject)
    if text is None:
        topics = ", ".join(TOPICS)
        print(f"osslcmp cmp: no help on {subject!r}. Topics: all, {topics}; or an option", file=sys.stderr)
        return 1
    print(text)
    return 0
