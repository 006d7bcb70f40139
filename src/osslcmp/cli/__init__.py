"""The ``osslcmp`` command: finds the subcommand and imports no other."""

import gc
import os
import sys

# Names for type checkers alone: typing and collections would take half the time of the help.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: By group, for each subcommand the module, with ``parser()`` and ``run(options) -> exit status``, and one line of help.
_GROUPS = {
    "Certificates": {
        "cmp": ("openssl_cmp", "CMP client and mock server with the options of openssl cmp"),
        "renew": ("renew", "renew certificates in files in time, with their keys"),
        "serve": ("serve", "CMP server with a CA that really issues and keeps its state"),
        "ca": ("ca", "list, revoke and release what serve issued; its CRL and secrets"),
        "demo": ("demo", "enrol, poll, update, revoke and ask against a CA of its own"),
    },
    "Looking": {
        "probe": ("probe", "tell what a CMP server is and can do"),
        "show": ("show", "decode CMP messages in files"),
        "trace": ("trace", "draw recorded transactions as a ladder diagram"),
        "info": ("info", "the OpenSSL in use, what it can do, versions: for bug reports"),
    },
    "The command itself": {
        "completion": ("completion", "complete commands, options and values in bash, zsh and fish"),
        "man": ("man", "the manual page"),
        "help": ("", "this text, or that of a command"),
    },
}

#: Module and one line of help, by subcommand.
COMMANDS = {
    name: (f"osslcmp.cli.{module}", summary)
    for commands in _GROUPS.values()
    for name, (module, summary) in commands.items()
    if module
}

HELP = ("-help", "--help", "-h", "help")
VERSION = ("-version", "--version", "-V", "version")
EXIT_USAGE = 2
_EXIT_INTERRUPT = 130


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run ``osslcmp`` with ``arguments``, by default those of the process.

    Returns the exit status: 0 for success, 1 for failure, 2 for wrong usage, 130 after an interrupt. What goes wrong is
    printed on stderr, without a traceback unless ``OSSLCMP_TRACEBACK`` is in the environment.
    """
    if arguments is None:
        gc.set_threshold(50_000)  # what is imported stays: nothing of it need be looked through
    _open_missing_streams()
    if arguments is None and not sys.warnoptions:
        # cryptography's, of what peers sent. What is in the list is read when warnings is imported, by which no help waits.
        sys.warnoptions.append("ignore::UserWarning")
        if (imported := sys.modules.get("warnings")) is not None:
            imported.simplefilter("ignore", UserWarning)
    try:
        status = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _EXIT_INTERRUPT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        _drop_output()
        return 1
    except Exception as error:  # a script must get a message and a status, whatever happens
        return _failed(error)
    finally:
        if arguments is None:
            # The process ends: what it has then goes with it, and the collector need not look through it first.
            gc.freeze()
    return status


def _dispatch(words: list[str]) -> int:
    if words and words[0] in HELP:
        if words[1:] and words[1] in COMMANDS:
            words = [words[1], "-help", *words[2:]]
        else:
            print(_usage())
            return 0
    if words and words[0] in VERSION:
        from importlib.metadata import version

        print(f"osslcmp {version('osslcmp')}")
        return 0
    if not words or words[0] not in COMMANDS:
        print(f"{_unknown(words[0])}\n{_usage()}" if words else _usage(), file=sys.stderr)
        return EXIT_USAGE
    # What importlib imports takes as long as the rest of the help.
    module = __import__(COMMANDS[words[0]][0], fromlist=["main"])
    if hasattr(module, "main"):  # it reads its options by itself
        status: int = module.main(words[1:])
    else:
        status = module.parser().run(words[1:], module.run)
    return status


def _open_missing_streams() -> None:
    """A process may be started without them; and a name in Chinese is no reason to fail in a Latin terminal."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _failed(error: Exception) -> int:
    if "OSSLCMP_TRACEBACK" in os.environ:
        import traceback

        traceback.print_exc()
    expected = isinstance(error, (OSError, ImportError))
    what = str(error) if expected else f"unexpected {type(error).__name__}, a bug in osslcmp: {error}"
    from .._text import one_line

    print(f"osslcmp: {one_line(what)}", file=sys.stderr)
    if isinstance(error, OSError):
        _drop_output()  # it may be the full disk that our output goes to
    return 1


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1)
    return f"osslcmp: unknown command {word!r}" + (f"; did you mean {near[0]!r}?" if near else "") + "\n"


def _usage() -> str:
    lines = ["usage: osslcmp COMMAND ...", ""]
    for group, commands in _GROUPS.items():
        lines += [f"{group}:", *(f"  {name:<11} {summary}" for name, (_, summary) in commands.items()), ""]
    lines.append("osslcmp help COMMAND tells the options of each, osslcmp --version the version.")
    return "\n".join(lines)
