"""What is traced: clients of one CA, a trace of two requests, and what is read from it."""

from __future__ import annotations

import io
from typing import Any

import pytest

import osslcmp
from osslcmp import BodyType, Trace
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA

from .pki import make_key

SECRET = b"correct horse battery staple"
ENROLMENT = ["IR", "IP", "CERTCONF", "PKICONF"]


def client(trace: Trace | None, **options: Any) -> osslcmp.Client:
    """A client with the shared secret."""
    return osslcmp.Client(**{"reference": "ref", "secret": SECRET, "trace": trace, **options})


def kinds(trace: Trace) -> list[str]:
    """The messages in order; ``FAILED`` for a failure."""
    return ["FAILED" if entry.type is None else entry.type.name for entry in trace]


def two_requests(ca: EmbeddedCA) -> Trace:
    """An ir that is granted, and one that is refused."""
    trace = Trace()
    server = ca.server()
    client(trace, transport=server).ir(make_key(), subject="CN=first")
    with pytest.raises(osslcmp.CMPError):
        client(trace, transport=server, secret="guessed").ir(make_key(), subject="CN=second")
    return trace


def rich_text(trace: Trace) -> str:
    """What rich prints, without colour."""
    out = io.StringIO()
    trace.print(out)
    return out.getvalue()


def lying(ca: EmbeddedCA, trace: Trace, kind: BodyType, body: bytes) -> str:
    """A genm that is answered by another body, without a valid protection; what it raises."""
    server = ca.server()

    def transport(request: bytes) -> bytes:
        header, _, *rest = der.sequence(server.process(request))
        parts = (header.encoding, der.encode(der.explicit(kind), body), *(part.encoding for part in rest))
        return der.encode(der.SEQUENCE, *parts)

    with pytest.raises(osslcmp.CMPError) as caught:
        client(trace, transport=transport).genm()
    return str(caught.value)
