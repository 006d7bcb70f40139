"""Make docs/pictures/*.svg anew: transactions against the embedded CA, as :class:`osslcmp.Trace` draws them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp.testing import reject, waiting
from osslcmp.testing.server import CMPServer

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH = 88


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _client(server: CMPServer, trace: osslcmp.Trace) -> osslcmp.Client:
    return osslcmp.Client(server.url, reference=server.reference, secret=server.secret, trace=trace)


def enrolment(server: CMPServer, trace: osslcmp.Trace) -> None:
    """Request, certificate, confirmation."""
    _client(server, trace).ir(_key(), subject="CN=device")


def implicit(server: CMPServer, trace: osslcmp.Trace) -> None:
    """Without a confirmation."""
    _client(server, trace).ir(_key(), subject="CN=device", implicit_confirm=True)


def delayed(server: CMPServer, trace: osslcmp.Trace) -> None:
    """The server takes its time."""
    server.script(waiting(times=2, check_after=0))
    _client(server, trace).cr(_key(), subject="CN=patient")


def refused(server: CMPServer, trace: osslcmp.Trace) -> None:
    """A request that the server does not grant."""
    server.script(reject("badCertTemplate", "no wildcards"))
    with suppress(osslcmp.RejectedError):
        _client(server, trace).cr(_key(), subject="CN=*")


def _signing(
    server: CMPServer, trace: osslcmp.Trace, enrollment: osslcmp.Enrollment, key: ec.EllipticCurvePrivateKey
) -> osslcmp.Client:
    return osslcmp.Client(
        server.url, certificate=enrollment.certificate, key=key, chain=enrollment.chain, trusted=server.root,
        trace=trace,
    )  # fmt: skip


def trust(server: CMPServer, trace: osslcmp.Trace) -> None:
    """The first certificate under a secret, the next one under a signature."""
    key = _key()
    first = _client(server, trace).ir(key, subject="CN=device", implicit_confirm=True)
    _signing(server, trace, first, key).kur(_key(), implicit_confirm=True)


def revocation(server: CMPServer, trace: osslcmp.Trace) -> None:
    """Enrolled under a secret, updated and revoked under signatures."""
    keys = [_key(), _key()]
    first = _client(server, osslcmp.Trace()).ir(keys[0], subject="CN=device")
    second = _signing(server, trace, first, keys[0]).kur(keys[1])
    reason = x509.ReasonFlags.cessation_of_operation
    _signing(server, trace, second, keys[1]).rr(second.certificate, reason=reason)


def general(server: CMPServer, trace: osslcmp.Trace) -> None:
    """A question to the CA."""
    _client(server, trace).ca_certs()


#: What is in docs/pictures, by name.
PICTURES: dict[str, Callable[[CMPServer, osslcmp.Trace], None]] = {
    each.__name__: each for each in (enrolment, implicit, delayed, refused, trust, revocation, general)
}


def drawn(name: str) -> osslcmp.Trace:
    """What this picture shows, done anew."""
    trace = osslcmp.Trace()
    with CMPServer() as server:
        PICTURES[name](server, trace)
    return trace


def main() -> None:
    """Write them, each on a light and on a dark ground."""
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        trace = drawn(name)
        for ground in ("light", "dark"):
            text = trace.svg(WIDTH, dark=ground == "dark")
            (FOLDER / f"{name}-{ground}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
