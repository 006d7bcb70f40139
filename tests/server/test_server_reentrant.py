"""A signal handler may use the server that the interrupted code uses, wherever that is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CODE = """
import faulthandler, signal, sys
faulthandler.dump_traceback_later(100, exit=True)
from support.forge import Forger, enroll, sha256
from osslcmp.server import EmbeddedCA

ca = EmbeddedCA({"ref": "secret"})
server = ca.server()
inside, seen, inner = False, set(), []
FILES = ("state", "transactions", "used", "reply_cache", "engine", "ca/memory")
PLACES = tuple(f"osslcmp/server/{name}.py" for name in FILES)

def handler(*_):
    inner.append(enroll(server, Forger())[1].certificate.serial_number)

def trace(frame, event, arg):
    global inside
    if not frame.f_code.co_filename.endswith(PLACES):
        return None
    place = (frame.f_code, frame.f_lineno)
    if event == "line" and not inside and place not in seen:
        inside = True
        seen.add(place)
        signal.raise_signal(signal.SIGUSR1)
        inside = False
    return trace

signal.signal(signal.SIGUSR1, handler)
sys.settrace(trace)
client, answer = enroll(server, Forger())
server.process(client.cert_conf(sha256(answer.certificate)))
sys.settrace(None)
assert len(seen) > 50, len(seen)
assert len(set(inner)) == len(seen)
assert sum(record.confirmed for record in ca.records) == 1
print("done")
"""


def test_handler_that_enrolls() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CODE],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert done.stdout == "done\n", done.stderr
