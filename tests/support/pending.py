"""The second half of a request, in a process of its own: takes up a dump, polls until the end, tells what came.

Reads a JSON object on stdin and writes one on stdout; see :func:`in_another_process`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import osslcmp
from osslcmp.client.dump import digest
from osslcmp.transport import Transport


def post(url: str) -> Transport:
    """A transport of one's own: HTTP by the standard library."""

    def transport(request: bytes) -> bytes:
        headers = {"Content-Type": "application/pkixcmp"}
        with urllib.request.urlopen(urllib.request.Request(url, request, headers)) as answer:
            body: bytes = answer.read()
        return body

    return transport


def in_another_process(
    dump: bytes, url: str, *, own_transport: bool = False, **client: Any
) -> dict[str, Any]:
    """Resume there with a client of these arguments; its certificate, ``due`` seconds and ``elapsed`` time.

    Certificates are given as PEM, keys as PEM or paths, all as ``str``.
    """
    task = {"dump": b64encode(dump).decode(), "url": url, "own_transport": own_transport, "client": client}
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    found["certificate"] = x509.load_pem_x509_certificate(found["certificate"].encode())
    return found


def damaged(dump: bytes, **changes: Any) -> bytes:
    """The dump with other contents, its checksum set right."""
    whole = json.loads(dump)
    whole["transaction"].update(changes)
    whole["sha256"] = digest(whole["transaction"])
    return json.dumps(whole).encode()


def _main() -> None:
    task = json.load(sys.stdin)
    given: dict[str, Any] = {
        name: value.encode() if isinstance(value, str) and value.startswith("-----BEGIN") else value
        for name, value in task["client"].items()
    }
    where: dict[str, Any] = (
        {"transport": post(task["url"])} if task["own_transport"] else {"server": task["url"]}
    )
    transaction = osslcmp.Client(**where, **given).resume(b64decode(task["dump"]))
    due, elapsed = transaction.check_after, transaction.elapsed
    result = transaction.wait(30)
    json.dump(
        {
            "certificate": result.certificate.public_bytes(Encoding.PEM).decode(),
            "due": due,
            "elapsed": elapsed,
            "chain": len(result.chain),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    _main()
