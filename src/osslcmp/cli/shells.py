"""Completion scripts. They hold all words, so that completing starts no process."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from .catalog import TOP, Command, Word

__all__ = ["bash", "fish", "zsh"]

_HEAD = "# Completion of the osslcmp command for {}; made by: osslcmp completion {}\n"


# -- bash -----------------------------------------------------------------------------------------------

_BASH = """\
_osslcmp() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words= files= command=${{COMP_WORDS[1]}}
    COMPREPLY=()
    # bash takes a colon for the end of a word: "pass:x" comes as three.
    if [[ $cur == : || $prev == : ]]; then
        return
    fi
    if (( COMP_CWORD == 1 )); then
        COMPREPLY=($(compgen -W {commands} -- "$cur"))
        return
    fi
    case $command:$prev in
{after}    esac
    if [[ -z $words && -z $files ]]; then
        case $command in
{options}        esac
        if [[ $cur == -* || -z $files ]]; then
            files=
        fi
    fi
    if [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *: ]]; then
            compopt -o nospace
        fi
    fi
    if [[ -n $files ]]; then
        compopt -o filenames
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$cur"))
    fi
}}
complete -F _osslcmp osslcmp
"""


def bash(commands: list[Command]) -> str:
    """For bash 4 and later; needs no bash-completion."""
    after, options = "", ""
    for command in commands:
        for patterns, body in _bash_arguments(command):
            after += f"        {patterns})\n            {body} ;;\n"
        words = [name for word in command.options for name in word.names]
        words += [value for word in command.arguments for value in word.values]
        files = " files=1" if any(word.file for word in command.arguments) else ""
        options += (
            f"            {command.name})\n                words={shlex.quote(' '.join(words))}{files} ;;\n"
        )
    names = shlex.quote(" ".join([*(command.name for command in commands), *TOP]))
    return _HEAD.format("bash", "bash") + _BASH.format(commands=names, after=after, options=options)


def _bash_arguments(command: Command) -> Iterator[tuple[str, str]]:
    """What may follow an option, options with the same put together."""
    found: dict[str, list[str]] = {}
    for word in command.options:
        if word.argument:
            body = f"words={shlex.quote(' '.join(word.values))}" if word.values else ""
            if word.file:
                body = f"{body} files=1".strip()
            # Nothing can be told about others: nothing is offered then.
            names = [f"{command.name}:{name}" for name in word.names]
            found.setdefault(body or "return", []).extend(names)
    return ((" | ".join(names), body) for body, names in found.items())


# -- zsh ------------------------------------------------------------------------------------------------


def zsh(commands: list[Command]) -> str:
    """For zsh 5 with compinit."""
    lines = [
        "#compdef osslcmp",
        _HEAD.format("zsh", "zsh"),
        "_osslcmp() {",
        "  local -a commands",
        "  commands=(",
    ]
    lines += [f"    {shlex.quote(f'{c.name}:{_zsh_text(c.summary)}')}" for c in commands]
    lines += [
        "  )",
        "  if (( CURRENT == 2 )); then",
        "    _describe -t commands 'osslcmp command' commands -- && return",
        f"    compadd -- {' '.join(TOP)}",
        "    return",
        "  fi",
        "  local command=$words[2]",
        "  shift words",
        "  (( CURRENT-- ))",
        "  case $command in",
    ]
    for command in commands:
        lines.append(f"    {command.name})")
        specs = [spec for word in command.words for spec in _zsh_specs(word)]
        lines += [
            "      _arguments -S \\",
            " \\\n".join(f"        {shlex.quote(spec)}" for spec in specs),
            "      ;;",
        ]
    lines += ["  esac", "}", 'if [ "$funcstack[1]" = "_osslcmp" ]; then', '  _osslcmp "$@"', "else"]
    lines += ["  compdef _osslcmp osslcmp", "fi"]
    return "\n".join(lines) + "\n"


def _zsh_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _zsh_specs(word: Word) -> Iterator[str]:
    """The specifications that ``_arguments`` takes."""
    action = " "
    if word.values:
        action = "(" + " ".join(value.replace(":", "\\:") for value in word.values) + ")"
    elif word.file:
        action = "_files"
    argument = f":{_zsh_text(word.argument)}:{action}" if word.argument else ""
    text = _zsh_text(word.text).replace("[", "\\[").replace("]", "\\]")
    for name in word.names:
        yield f"*{name}[{text}]{argument}"
    if not word.names:
        yield f"*{argument}"


# -- fish -----------------------------------------------------------------------------------------------


def fish(commands: list[Command]) -> str:
    """For fish 3."""
    lines = [_HEAD.format("fish", "fish"), "complete -c osslcmp -f"]
    first = "complete -c osslcmp -n '__fish_is_first_token'"
    lines += (f"{first} -a {command.name} -d {_fish_quote(command.summary)}" for command in commands)
    for command in commands:
        here = f"complete -c osslcmp -n '__fish_seen_subcommand_from {command.name}; and not __fish_is_first_token'"
        for word in command.words:
            lines += (f"{here} {rest}" for rest in _fish_rest(word))
    return "\n".join(lines) + "\n"


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_rest(word: Word) -> Iterator[str]:
    values = ""
    if word.values:
        values = f" -a {_fish_quote(' '.join(word.values))}"
    takes = (" -r -F" if word.file else " -x") if word.argument else ""
    if not word.names:
        yield f"{'-F' if word.file else '-f'}{values}"
    for name in word.names:
        kind = "-l" if name.startswith("--") else "-s" if len(name) == 2 else "-o"
        yield f"{kind} {name.lstrip('-')}{takes}{values} -d {_fish_quote(word.text)}"
