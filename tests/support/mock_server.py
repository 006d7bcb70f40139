"""``openssl cmp -port``: OpenSSL's own mock CMP server as a context manager.

    with MockServer(srv_ref="r", srv_secret=b"s", rsp_cert=pki.enrolled.cert_file) as server:
        ... server.url, server.log

How it behaves (tried with 3.0.22, 3.5.9 and 4.0.3, which agree but where noted):

Transport
- ``-port 0`` works everywhere; it listens on all addresses and reports ``ACCEPT [::]:PORT PID=N``
  (``0.0.0.0:PORT`` from 3.5) on stdout. The log is on stderr, written before the answer is sent.
- One connection at a time: while a client keeps its connection open, everyone else waits. It never times
  out by itself: a request whose body is shorter than its own DER length holds it for ever.
- Paths: ``/`` and ``/pkix/`` only, anything else is a 404, also ``/pkix``.
- The transaction is forgotten when a kept-alive connection closes in its middle, not when the request asked
  for no keep-alive: with ``keep_alive=0`` certConf and polls arrive on new connections and fit. The first
  such loss makes it sleep a second.
- ``-max_msgs N`` ends the process after N messages, mid-transaction if so.

Answers
- ``-rsp_cert`` is the one certificate that it hands out, whatever was asked: the client must hold its key.
  On 3.0 a kur must name that same certificate as the old one and an rr must revoke it, or an error message
  comes back. On 4.0 ``-ref_cert`` says which. 3.5.9 does not check, and hands out ``-ref_cert`` if given.
- ``-pkistatus`` N is put into ip/cp/kup/rp; genp has none, so genm ignores it. What ``openssl cmp`` makes
  of it: 0, 1, 4, 5 give the certificate (and a revocation), 2 is a rejection. 3 without ``-poll_count``
  gives "waiting" and then an error message (rejection, badRequest) for the poll; for rr it is an unexpected
  status. 6 is an error for every type: OpenSSL's client, which should take keyUpdateWarning in a kup,
  compares the response's type with the request's number and refuses it always. 7 cannot be parsed.
- ``-failure`` N and ``-failurebits`` arrive exactly in ip/cp/kup/rp, also beside status 0. Error messages
  (``-send_error`` and every refusal by the library) carry rejection and badRequest with a reason text,
  whatever the options say. ``-statusstring`` is for ip/cp/kup/rp.
- ``-poll_count`` N: "waiting" at once, N-1 pollReps with ``-check_after``, then the certificate. On 3.0
  an abandoned or aborted poll leaves it in "polling mode": every later certificate request gets an error
  message. From 3.3 rr and genm are delayed, too.
- genm: the one ITAV comes back as it was; several are an error. 3.5 answers caCerts and its like from
  ``-rsp_*``.
- ``-send_unprotected`` is for every message, ``-send_unprot_err`` for negative ones only. A request with a
  wrong secret gets an error message protected with the server's secret, which the client in turn cannot
  verify.
- A certConf that refuses is logged as ``certificate rejected by client with PKIStatus: rejection``; its
  text is not logged.
- An error message from the client is logged with status, failInfo, text and details after ``mock server
  received error``.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from types import TracebackType
from typing import final

from . import openssl
from .openssl import Value
from .pki import PKI

#: Seconds that it may take to start.
START_LIMIT = 20.0


def supported_options() -> frozenset[str]:
    """The options that the installed ``openssl cmp`` knows, without the dash."""
    return openssl.cmp_options()


def has_reference() -> bool:
    """Whether ``-ref_cert`` works, so that kur and rr may name another certificate than ``-rsp_cert``."""
    return openssl.version() >= (4, 0, 0)


def checks_reference() -> bool:
    """Whether a kur or rr for another certificate than that one is refused."""
    return has_reference() or openssl.version() < (3, 2, 0)


@final
class MockServer:
    """A running mock server. Keyword arguments are the options of ``openssl cmp``, without the dash.

    Bytes are secrets (``srv_secret=b"x"``), ``True`` is a flag, a list is joined with commas. The rest is
    in the module's docstring.
    """

    def __init__(self, **options: Value) -> None:
        missing = sorted(set(options) - supported_options())
        if missing:
            raise LookupError(f"openssl {openssl.version()} cmp has no -{', -'.join(missing)}")
        self.options = options
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        # A file, not a pipe: what the server has written before it answers is there when the answer is.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._final = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/pkix/"

    @property
    def log(self) -> str:
        """All that it has written so far."""
        if self._output.closed:
            return self._final
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    @property
    def requests(self) -> int:
        """How many HTTP requests it has read."""
        return self.log.count("eceived request, 1st line")

    @property
    def running(self) -> bool:
        """Whether the process still lives (a fatal error ends it)."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> MockServer:
        given = openssl.arguments(self.options)
        self._process = subprocess.Popen(
            [*openssl.command(), "cmp", "-config", "", "-batch", "-port", "0", *given],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            env=openssl.clean_environment(),
        )
        deadline = time.monotonic() + START_LIMIT
        while not (found := re.search(r"^ACCEPT .*:(\d+) PID=\d+$", self.log, re.MULTILINE)):
            if not self.running or time.monotonic() > deadline:
                raise RuntimeError(f"the mock server did not start:\n{self.stop()}")
            time.sleep(0.005)
        self.port = int(found[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for(self, text: str, limit: float = 10.0) -> str:
        """Wait until `text` stands in the log; the log, or an AssertionError."""
        deadline = time.monotonic() + limit
        while text not in self.log:
            assert time.monotonic() < deadline, f"{text!r} is not in the mock server's log:\n{self.log}"
            time.sleep(0.01)
        return self.log

    def stop(self) -> str:
        """End the process, if it still runs, and return its whole log."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if not self._output.closed:
            self._final = self.log
            self._output.close()
        return self._final


def mock_of(pki: PKI, **options: Value) -> MockServer:
    """A mock server that takes both protections and hands out ``pki.enrolled``; ``option=None`` takes a default away.

    Its reference is ``ref``, its secret ``secret``, its certificate and those of its clients are below ``pki.root``.
    """
    defaults: dict[str, Value] = {
        "srv_ref": "ref",
        "srv_secret": b"secret",
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "srv_untrusted": pki.server.chain_file,
        "srv_trusted": pki.root.cert_file,
        "rsp_cert": pki.enrolled.cert_file,
        "rsp_extracerts": pki.enrolled.chain_file,
    }
    if has_reference():
        defaults["ref_cert"] = pki.enrolled.cert_file
    return MockServer(**{**defaults, **options})
