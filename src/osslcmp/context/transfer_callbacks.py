"""What the transfer in C asks Python to do: look up a host name where a signal can interrupt it."""

from __future__ import annotations

import threading
import time
from typing import Any

from .._openssl.callbacks import CallState, raised_before
from .._openssl.lib import ffi, lib

_FOUND, _NOT_FOUND, _TOO_LATE, _STOPPED = 1, 0, -1, -2
_SLICE = 0.1


class _Lookup:
    """``getaddrinfo`` in a thread of its own: it cannot be interrupted, and it may take minutes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.addresses: list[str] = []
        self.reason = "no address"
        self.done = threading.Event()
        threading.Thread(target=self._run, name="osslcmp-lookup", daemon=True).start()

    def _run(self) -> None:
        import socket  # here: it takes time to import

        try:
            for family, _, _, _, address in socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM):
                text = f"[{address[0]}]" if family == socket.AF_INET6 else str(address[0])
                if text not in self.addresses:
                    self.addresses.append(text)
        except OSError as error:
            self.reason = error.strerror or str(error)
        except UnicodeError as error:
            self.reason = str(error)
        finally:
            self.done.set()


@ffi.def_extern(error=_STOPPED, onerror=raised_before)
def osslcmp_py_resolve(handle: Any, session: Any, host: Any, seconds: float, buffer: Any, size: int) -> int:
    """Write the addresses of ``host`` into ``buffer``, separated by spaces, or why there is none."""
    state: CallState = ffi.from_handle(handle)
    try:
        lookup = _Lookup(ffi.string(host).decode())
        deadline = None if seconds < 0 else time.monotonic() + seconds
        while not lookup.done.wait(_SLICE):
            if lib.osslcmp_session_cancelled(session):
                return _STOPPED
            if deadline is not None and time.monotonic() >= deadline:
                return _TOO_LATE
        found = lookup.addresses or [lookup.reason]
        while len(" ".join(found).encode()) >= size:
            found = found[:-1] or ["?"]
        text = " ".join(found).encode() + b"\0"
        ffi.memmove(buffer, text, len(text))
        return _FOUND if lookup.addresses else _NOT_FOUND
    except BaseException as exception:
        state.store(exception)
        return _STOPPED
