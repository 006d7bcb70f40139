"""The path of a request: a label for the authority, and an operation that the body must fit."""

from __future__ import annotations

import pytest
from support.authorities import Scripted
from support.forge import CR, IR, KUR, RR, Forger, read, sequence
from test_server_http import call

from osslcmp import BodyType, FailureInfo, PKIStatus
from osslcmp._asn1 import der, oids
from osslcmp.server import Rejected, Server
from osslcmp.server.http import paths

ROOT = "/.well-known/cmp"


@pytest.mark.parametrize(
    ("path", "label", "operation"),
    [
        ("/", None, None),
        ("//.well-known/cmp/x", None, None),
        ("/p/other/initialization", None, None),
        (ROOT, None, None),
        (ROOT + "/", None, None),
        (ROOT + "/keyupdate", None, "keyupdate"),
        (ROOT + "/p/tls", "tls", None),
        (ROOT + "/p/tls/", "tls", None),
        (ROOT + "/p/tls/pkcs10", "tls", "pkcs10"),
        (ROOT + "/p//pkcs10", None, "pkcs10"),
        (ROOT + "/p/\u00c3\u00a4", "\u00e4", None),
        (ROOT + "x", None, None),
    ],
)
def test_parse(path: str, label: str | None, operation: str | None) -> None:
    assert paths.parse(path) == paths.Place(label, operation)


@pytest.mark.parametrize(
    "rest", ["/p", "/x", "/a/b/c", "/p/x/y", "/p/x/pkcs10/", "/initialization/x", "/Pkcs10"]
)
def test_no_operation(rest: str) -> None:
    """What is well-known and names no operation of CMP is not found (RFC 9483, section 6.1)."""
    assert paths.parse(ROOT + rest) is None
    app = Server(Scripted()).wsgi_app
    assert call(app, Forger().request(), PATH_INFO=ROOT + rest)[0] == "404 Not Found"


def test_label() -> None:
    """It names the profile, unless the message does."""
    authority = Scripted(issue=Rejected(FailureInfo.badRequest))
    app = Server(authority).wsgi_app
    named = sequence(der.encode_oid(oids.CERT_PROFILE), sequence(der.encode_text("mine")))
    call(app, Forger().request(), PATH_INFO=ROOT + "/p/tls")
    call(app, Forger(info=(named,)).request(), PATH_INFO=ROOT + "/p/tls")
    call(app, Forger().request(), PATH_INFO=ROOT)
    seen = [(request.label, request.profile) for request in authority.asked]
    assert seen == [("tls", "tls"), ("tls", "mine"), (None, None)]


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("initialization", IR), ("certification", CR), ("keyupdate", KUR), ("revocation", RR)],
)
def test_operation(operation: str, kind: int) -> None:
    no = Rejected(FailureInfo.notAuthorized)
    server = Server(Scripted(issue=no, revoke=no))
    lenient = Server(Scripted(issue=no, revoke=no), strictness="openssl")
    for other in (IR, CR):
        path = f"{ROOT}/{operation}"
        answer = read(call(server.wsgi_app, Forger().request(other), PATH_INFO=path)[1])
        expected = FailureInfo.notAuthorized if other == kind else FailureInfo.badRequest
        assert FailureInfo(answer.failure) == expected
        assert answer.kind == (other + 1 if other == kind else BodyType.ERROR)
        answer = read(call(lenient.wsgi_app, Forger().request(other), PATH_INFO=path)[1])
        assert (answer.kind, answer.status) == (other + 1, PKIStatus.rejection)
    answer = read(call(server.wsgi_app, Forger().genm(), PATH_INFO=f"{ROOT}/{operation}")[1])
    assert FailureInfo(answer.failure) == FailureInfo.badRequest
