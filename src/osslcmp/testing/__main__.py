"""``python -m osslcmp.testing``: the CMP server for tests in other languages, without a container.

It prints one line of JSON on stdout when it answers: ``url``, ``reference``, ``secret``, and ``root``, the trust anchor
in PEM; with ``--tls`` also ``tls_root_file``, and ``tls_certificate_file`` and ``tls_key_file`` for the client, or null.
It ends when its standard input does, or at SIGTERM or SIGINT, and prints a second line: ``requests``, the types of
the messages that came, and ``script_left``. Exit status: 1 if steps of the script were not used, 2 for wrong options.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from .._text import one_line
from . import script
from .server import CMPServer

_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m osslcmp.testing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    made.add_argument("--port", type=int, default=0, help="TCP port (0: a free one)")
    made.add_argument(
        "--script", metavar="FILE", help="what to do instead of answering; see osslcmp.testing.script"
    )
    made.add_argument(
        "--strictness", choices=("strict", "rfc9810", "openssl"), default="strict", help="(strict)"
    )
    made.add_argument(
        "--tls",
        nargs="?",
        const="true",
        choices=("true", "optional", "required"),
        help="speak HTTPS (true); optional, required: with certificates of clients, too",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input ends or a signal comes. Returns the exit status."""
    options = parser().parse_args(arguments)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        tls: Any = {None: False, "true": True}.get(options.tls, options.tls)
        with CMPServer(
            host=options.host, port=options.port, strictness=options.strictness, tls=tls
        ) as server:
            if options.script is not None:
                script.load(server, script.read(options.script))
            _tell(
                url=server.url,
                reference=server.reference.decode(),
                secret=server.secret.decode(),
                root=server.root.public_bytes(Encoding.PEM).decode(),
                **_files(server),
            )
            threading.Thread(target=_end_with_stdin, daemon=True).start()
            signal.sigwait(_SIGNALS)
            left = server.script_left
            _tell(requests=[message.type.name.lower() for message in server.requests], script_left=left)
    except (OSError, ValueError) as error:
        print(f"osslcmp.testing: {one_line(str(error))}", file=sys.stderr)
        return 2
    return 1 if left else 0


def _files(server: CMPServer) -> dict[str, str | None]:
    """What its clients need for HTTPS."""
    if server.tls is None:
        return {}
    files = {name: getattr(server.tls, name) for name in ("root_file", "certificate_file", "key_file")}
    return {f"tls_{name}": None if file is None else str(file) for name, file in files.items()}


def _tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _end_with_stdin() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # for the process: raise_signal is for this thread, which blocks it


if __name__ == "__main__":
    sys.exit(main())
