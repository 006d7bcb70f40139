"""``osslcmp serve --script``: a server for tests of clients, whose CA is in memory and whose answers follow a script."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._files import PUBLIC, write
from ._common import UsageError
from .serve_authority import tls_settings
from .serve_options import given

_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: Besides --config, whose options are looked at one by one.
_KNOWN = {
    "script", "directory", "host", "port", "reference", "secret_file", "strictness", "verbose", "log_format",
    "tls_cert", "tls_key", "tls_trust",
}  # fmt: skip


def serve_script(settings: dict[str, Any], ready: Callable[[str], None]) -> int:
    """Serve until a signal comes. Returns the exit status: 1 if steps of the script were not used.

    Raises:
        UsageError: other options do not go with it, or the script makes no sense.
        OSError: a file is missing, or the port in use.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    from .._openssl.inputs import read_secret
    from ..testing import script
    from ..testing.server import CMPServer

    for name in sorted(settings.keys() - _KNOWN - {"config"}):
        if settings[name]:
            raise UsageError(f"--{name.replace('_', '-')}: does not go with --script, whose CA is in memory")
    if len(settings["reference"]) > 1:
        raise UsageError("--script: one --reference at most")
    try:
        text = script.read(settings["script"])
    except ValueError as error:
        raise UsageError(f"--script {settings['script']}: {error}") from None
    options = {**given(settings, "host", "strictness"), "tls": tls_settings(settings) or False}
    for reference, file in zip(settings["reference"], settings["secret_file"], strict=True):
        options |= {"reference": reference.encode(), "secret": read_secret("--secret-file", file)[0]}
    directory = Path(settings["directory"])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        with CMPServer(port=settings.get("port", 8080), **options) as server:
            try:
                script.load(server, text)
            except ValueError as error:
                raise UsageError(f"--script {settings['script']}: {error}") from None
            write(directory / "root.pem", server.root.public_bytes(Encoding.PEM), PUBLIC)
            ready(f"serving CMP at {server.url}, trust anchor {directory / 'root.pem'}")
            signal.sigwait(_SIGNALS)
            left = server.script_left
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if left:
        print(f"osslcmp serve: {left} steps of the script were not used", file=sys.stderr)
    return 1 if left else 0
