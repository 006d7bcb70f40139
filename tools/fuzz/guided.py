"""``./dev fuzz --guided``: atheris on what reads bytes in Python; it follows which lines are reached. Needs atheris.

``pip install atheris`` is up to you: there are packages for some CPythons on Linux. Nothing else needs it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def _readers() -> dict[str, Callable[[bytes], object]]:
    """What takes bytes, by the name of its target."""
    import osslcmp
    from osslcmp.server import MalformedMessageError

    from .sessions import World
    from .targets.files import look

    server = World().server

    def message(data: bytes) -> None:
        try:
            found = osslcmp.Message.from_der(data)
        except ValueError:
            return
        look(found)

    def process(data: bytes) -> None:
        try:
            server.process(data)
        except MalformedMessageError:
            return

    def trace(data: bytes) -> None:
        try:
            found = osslcmp.Trace.load(data)
        except ValueError:
            return
        found.html()
        found.ladder()

    return {"message": message, "server": process, "trace": trace}


def main(name: str, executions: int, minutes: float, seed: int) -> int:
    """The command: it ends at the first finding, which atheris tells and keeps."""
    try:
        import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        print("fuzz: atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["osslcmp"]):
        readers = _readers()
    if name not in readers:
        print(f"fuzz: --guided has the targets {', '.join(readers)}", file=sys.stderr)
        return 2
    from .sessions import World

    with tempfile.TemporaryDirectory() as folder:
        for number, session in enumerate(World().sessions.values()):
            for step, exchange in enumerate(session.exchanges):
                Path(folder, f"{number}-{step}").write_bytes(exchange.request)
        arguments = [
            f"-runs={executions}",
            f"-max_total_time={int(minutes * 60)}",
            f"-seed={seed % (1 << 32) or 1}",
        ]
        atheris.Setup([sys.argv[0], *arguments, "-timeout=10", folder], readers[name])
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
