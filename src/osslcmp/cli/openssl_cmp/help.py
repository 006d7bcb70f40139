"""The help of ``osslcmp cmp``: an overview that fits a screen, topics, single options. Imports the options alone."""

from __future__ import annotations

import sys

from .options import ARGUMENTS, BY_NAME, EXAMPLE, OPTIONS, TOPICS, Option

_WIDTH = 80
_COLUMN = 12


def syntax(option: Option) -> str:
    """``-name argument``."""
    return f"-{option.name} {ARGUMENTS[option.kind]}".rstrip()


def describe(option: Option) -> str:
    """What it does, and the release that it needs."""
    needs = "" if option.since == (3, 0) else f" [OpenSSL {option.since[0]}.{option.since[1]}]"
    return f"{option.text}{needs}"


def overview() -> str:
    """All topics on one screen of 80 columns and 24 lines."""
    lines = ["Usage: osslcmp cmp [options]       options and their meaning as in 'openssl cmp'", ""]
    lines += [" " + line for line in EXAMPLE.splitlines()]
    lines += ["", "-help TOPIC explains the options of a topic, -help -OPTION one, -help all all:"]
    for topic, group in TOPICS.items():
        lines.append(_row(topic, [option for option in OPTIONS if option.group == group]))
    lines += ["Password sources: pass:TEXT env:NAME file:PATH fd:NUMBER stdin"]
    return "\n".join(lines)


def _row(topic: str, options: list[Option]) -> str:
    """As many options as there is room for."""
    row = f"  {topic:<{_COLUMN - 2}}"
    for number, option in enumerate(options):
        left = len(options) - number
        more = f" ... {left - 1} more" if left > 1 else ""
        if len(row) + len(option.name) + 2 + len(more) > _WIDTH:
            return f"{row} ... {left} more"
        row += f" -{option.name}"
    return row


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


def print_help(subjects: list[str]) -> int:
    """What ``-help`` with these words after it asks for. Returns the exit status."""
    if not subjects:
        print(overview())
        return 0
    text = help_on(subjects[0])
    if text is None:
        topics = ", ".join(TOPICS)
        print(
            f"osslcmp cmp: no help on {subjects[0]!r}. Topics: all, {topics}; or an option", file=sys.stderr
        )
        return 1
    print(text)
    return 0
