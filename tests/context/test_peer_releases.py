"""What only newer releases have: it works, or it is an UnsupportedError that says what is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.clients import PROTECTIONS, client
from support.mock_server import MockServer
from support.openssl import version
from support.pki import PKI
from support.releases import FOUND, USABLE

import osslcmp
from osslcmp import Context, Option
from osslcmp._openssl import lib

pytestmark = pytest.mark.peer
Mock = Callable[..., MockServer]

NEWER: dict[str, tuple[str, Callable[[Context], Any]]] = {
    "no_cache_extracerts": ("3.3", lambda ctx: ctx.set_option(Option.NO_CACHE_EXTRACERTS, 1)),
    "use_tls": ("3.2", lambda ctx: ctx.set_option(Option.USE_TLS, 0)),
    "serial_number": ("3.2", lambda ctx: ctx.set_serial_number(5)),
    "validated_server_certificate": ("3.2", lambda ctx: ctx.validated_srv_cert),
    "libctx": ("3.2", lambda ctx: ctx.propq),
    "geninfo_itavs": ("3.3", lambda ctx: ctx.geninfo_itavs),
    "reset_geninfo_itavs": ("3.0.8", lambda ctx: ctx.reset_geninfo_itavs()),
}

#: Those of them that are options, numbers for a function of 3.0: the loaded OpenSSL has them, or not.
OPTIONS = ("use_tls", "no_cache_extracerts")


@pytest.mark.parametrize("feature", NEWER)
def test_newer_functions(feature: str) -> None:
    """Where OpenSSL has it the call succeeds, elsewhere it names the release needed and the one found."""
    needed, call = NEWER[feature]
    ctx = Context()
    if osslcmp.features[feature]:
        call(ctx)
        return
    with pytest.raises(osslcmp.UnsupportedError) as caught:
        call(ctx)
    assert caught.value.needed in (needed, lib.needed_release(feature, USABLE))
    assert caught.value.found == FOUND
    assert isinstance(caught.value, NotImplementedError)
    ctx.set_option(Option.MSG_TIMEOUT, 5)  # still usable


def test_features_follow_the_version() -> None:
    """A feature is there exactly when the loaded OpenSSL is at least the release that brought it."""
    for feature, (needed, _) in NEWER.items():
        first = tuple(map(int, needed.split(".")))
        found = osslcmp.openssl_version if feature in OPTIONS else USABLE
        there = found[: len(first)] >= first
        mended = lib.is_usable(feature, osslcmp.openssl_version)
        assert osslcmp.features[feature] == (there and mended), feature


def test_option_that_crashes_older_releases() -> None:
    """PERMIT_TA_IN_EXTRACERTS_FOR_IR can be switched on only where it is safe."""
    ctx = Context()
    if osslcmp.openssl_version >= (3, 5, 0):
        ctx.set_option(Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR, 1)
    else:
        with pytest.raises(osslcmp.UnsupportedError) as caught:
            ctx.set_option(Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR, 1)
        assert caught.value.needed == "3.5"


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_ca_certificates(protection: str, pki: PKI, mock_server: Mock) -> None:
    """caCerts can be asked for with every release; mock servers have an answer from 3.2 on."""
    server = mock_server(rsp_capubs=pki.root.cert_file)
    found = client(server.url, pki, protection).ca_certs()
    assert found == ([pki.root.certificate] if version() >= (3, 2, 0) else [])
