"""The server in a site of Flask, FastAPI and Django: ``adapters/web``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.pki import make_key

import osslcmp
from osslcmp.server import EmbeddedCA
from osslcmp.transport import HttpxTransport

SITES = Path(__file__).resolve().parents[2] / "adapters" / "web"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a site, as somebody who has copied it."""
    monkeypatch.syspath_prepend(str(SITES))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(SITES) in str(sys.modules[name].__file__):
            del sys.modules[name]


def enrol(client: Any, ca: EmbeddedCA) -> None:
    """By HTTP, with the client of a framework; the rest of the site is there, too."""
    transport = HttpxTransport("http://testserver/ca/.well-known/cmp", client=client)
    got = osslcmp.Client(transport=transport, reference="ref", secret="secret").ir(make_key(), subject="CN=x")
    assert got.certificate == ca.records[0].certificate
    assert client.get("http://testserver/").status_code == 200


def test_flask(load: Callable[[str], Any]) -> None:
    """Clients enrol below /ca, and the site's own pages are as before."""
    pytest.importorskip("flask", reason="flask is not installed (adapters)")
    httpx = pytest.importorskip("httpx")
    ca = EmbeddedCA({"ref": "secret"})
    app = load("flask_site").create_app(ca.server())
    with httpx.Client(transport=httpx.WSGITransport(app)) as client:
        enrol(client, ca)


def test_django(load: Callable[[str], Any]) -> None:
    """Likewise; Django's own views answer for the rest."""
    django = pytest.importorskip("django", reason="django is not installed (adapters)")
    httpx = pytest.importorskip("httpx")
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.test import override_settings
    from django.urls import path

    if not settings.configured:
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
        django.setup()
    urlpatterns[:] = [path("", lambda _: HttpResponse("a site"))]
    ca = EmbeddedCA({"ref": "secret"})
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"]):
        app = load("django_site").with_cmp(get_wsgi_application(), ca.server())
        with httpx.Client(transport=httpx.WSGITransport(app)) as client:
            enrol(client, ca)


def test_fastapi(load: Callable[[str], Any]) -> None:
    """Likewise, under an ASGI server's life: it ends the threads of the CMP server."""
    pytest.importorskip("fastapi", reason="fastapi is not installed (adapters)")
    testclient = pytest.importorskip("starlette.testclient")
    ca = EmbeddedCA({"ref": "secret"})
    with testclient.TestClient(load("fastapi_site").create_app(ca.server())) as client:
        enrol(client, ca)


urlpatterns: list[Any] = []
