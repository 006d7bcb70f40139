"""TLS handshakes with clients that may show certificates, which libssl decodes before anybody can look at them.

Keys on curves made for that keep it busy for up to a minute, of 100 KiB from somebody who has proved nothing, and Python's
``ssl`` has no limit to set. So these handshakes are done in threads: they do not stop the loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from .workers import Cancel, Workers

THREADS = 16


class Handshake:
    """A handshake, done whenever there is something to read.

    The socket is closed no earlier than a thread comes back from libssl, which knows it by its number.

    Args:
        socket: it does not block.
        workers: threads for it.
        seconds: after so many it is given up.
        done: called in the loop when it is over, with whether the client got through.
    """

    def __init__(
        self, socket: ssl.SSLSocket, workers: Workers, seconds: float, done: Callable[[bool], None]
    ) -> None:
        self._socket, self._workers, self._done = socket, workers, done
        self._loop = asyncio.get_running_loop()
        self._late = self._loop.call_later(seconds, self.close)
        self._over = False
        self._cancel: Cancel | None = None
        self._outcome: type[OSError] | None = None
        """What libssl waits for, or that it has failed; None: the client is through."""
        self.failure = ""
        """Why the client did not get through, if that is known."""
        self._loop.add_reader(socket, self._go_on)

    def close(self) -> None:
        """Give it up."""
        self._end(through=False)

    def _end(self, *, through: bool) -> None:
        if not self._over:
            self._over = True
            self._late.cancel()
            self._wait_no_more()
            if not through and (self._cancel is None or self._cancel()):
                self._socket.close()
            self._done(through)

    def _wait_no_more(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)

    def _go_on(self) -> None:
        self._wait_no_more()
        self._cancel = self._workers.submit(self._step, self._stepped)
        if self._cancel is None:
            self.close()

    def _step(self) -> None:
        """In a thread."""
        try:
            self._socket.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            self._outcome = type(error)
        except (OSError, ValueError) as error:
            self._outcome, self.failure = OSError, str(error)
        else:
            self._outcome = None

    def _stepped(self, _: object) -> None:
        """In a thread."""
        try:
            self._loop.call_soon_threadsafe(self._after_step)
        except RuntimeError:  # the loop has ended
            self._socket.close()

    def _after_step(self) -> None:
        self._cancel = None
        if self._over:
            self._socket.close()
        elif self._outcome is None:
            self._end(through=True)
        elif self._outcome is ssl.SSLWantReadError:
            self._loop.add_reader(self._socket, self._go_on)
        elif self._outcome is ssl.SSLWantWriteError:
            self._loop.add_writer(self._socket, self._go_on)
        else:
            self.close()
