"""The password of a proxy, and of whoever puts one into a URL, is shown nowhere."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from support.command import osslcmp as osslcmp_command
from support.pki import PKI, make_key
from support.raw_server import RawServer, free_port, hang, response, say

import osslcmp
from osslcmp import Context, transport
from osslcmp.enrollment import key_encryption
from osslcmp.renewal import Renewal, renew
from osslcmp.server import EmbeddedCA, token_key
from osslcmp.server.ca.store import Store

PASSWORD = "pass-word-of-mine"
#: Other spellings, and what OpenSSL takes for a port or a host when it reads them wrongly.
PROXIES = [
    f"http://me:{PASSWORD}@127.0.0.1:{{port}}",
    f"me:{PASSWORD}@127.0.0.1:{{port}}",
    f"http://{PASSWORD}@127.0.0.1:{{port}}",
]
BROKEN = [
    f"http://me:{PASSWORD}/x@127.0.0.1:1",
    f"me:{PASSWORD}",
    f"http://me:x@{PASSWORD}:y",
    f"ftp://me:{PASSWORD}@127.0.0.1:1",
    f"http://me:{PASSWORD}@127.0.0.1:{PASSWORD}",
    f"http://me:{PASSWORD}@[::1",
]
HTML = say(response(b"<html>", status="407 Proxy Authentication Required", content_type="text/html"))


def told(error: BaseException) -> str:
    """All that an exception says, with those behind it."""
    parts: list[str] = []
    found: BaseException | None = error
    while found is not None:
        parts += [str(found), repr(found), repr(found.__dict__), *getattr(found, "__notes__", [])]
        found = found.__cause__ or found.__context__
    return "\n".join(parts)


def said(call: Callable[[], object]) -> str:
    """All that the exception says, if there is one."""
    try:
        call()
    except (ValueError, osslcmp.TransferError) as error:
        return told(error)
    return ""


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", [None, HTML, hang])
def test_client(proxy: str, scheme: str, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that is not there, says no, or says nothing."""
    caplog.set_level(logging.DEBUG)
    trace = osslcmp.Trace()
    with RawServer(answer or hang) as server:
        where = proxy.format(port=server.port if answer else free_port())
        client = osslcmp.Client(
            f"{scheme}://cmp.invalid/", reference="r", secret="s", proxy=where, message_timeout=1, trace=trace
        )
        with pytest.raises(osslcmp.TransferError) as caught:
            client.ir(make_key(), subject="CN=x")
    shown = [
        told(caught.value),
        repr(client),
        repr(vars(client)),
        str(trace),
        trace.html(),
        caplog.text,
        repr(caught.value.errors),
    ]
    assert PASSWORD not in "\n".join(shown)


@pytest.mark.parametrize("proxy", BROKEN)
def test_broken_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument and in the environment."""
    url, mac = "http://127.0.0.1:1/", {"reference": "r", "secret": "s"}
    assert PASSWORD not in said(lambda: transport.HTTPTransport(url, proxy=proxy))
    assert PASSWORD not in said(
        lambda: osslcmp.Client(url, proxy=proxy, **mac).ir(make_key(), subject="CN=x")  # type: ignore[arg-type]
    )
    monkeypatch.setenv("http_proxy", proxy)
    client = osslcmp.Client(
        f"http://cmp.invalid:{free_port()}/", reference="r", secret="s", message_timeout=2
    )
    with pytest.raises(osslcmp.TransferError) as caught:
        client.ir(make_key(), subject="CN=x")
    assert PASSWORD not in told(caught.value)


@pytest.mark.parametrize("url", [f"http://me:{PASSWORD}@host/", *BROKEN])
def test_server_url(url: str) -> None:
    """A URL must not contain credentials, and what says so does not repeat them."""
    uses: list[Callable[[], object]] = [
        lambda: osslcmp.Client(url, reference="r", secret="s"),
        lambda: transport.HTTPTransport(url),
        lambda: transport.HttpxTransport(url),
        lambda: transport.Urllib3Transport(url),
        lambda: transport.well_known_url(url),
        lambda: Context().set_server(url.partition("//")[2] or url),
    ]
    for use in uses:
        assert PASSWORD not in said(use).partition("@")[0] or "@" not in url


@pytest.mark.parametrize("proxy", PROXIES[:2])
def test_transports(proxy: str) -> None:
    """Those over HTTP libraries."""
    where = proxy.format(port=free_port())
    url = "http://cmp.invalid/"
    if "://" not in where:
        where = f"http://{where}"
    for made in (
        lambda: transport.HttpxTransport(url, proxy=where, timeout=2, trust_env=False),
        lambda: transport.Urllib3Transport(url, proxy=where, timeout=2),
        lambda: transport.HTTPTransport(url, proxy=where, timeout=2),
    ):
        carry = made()
        with pytest.raises((osslcmp.TransferError, ValueError)) as caught:
            carry(b"\x30\x00")
        if hasattr(carry, "close"):
            carry.close()
        assert PASSWORD not in told(caught.value) + repr(carry)


@pytest.mark.parametrize("how", ["-proxy", "environment"])
def test_command(how: str) -> None:
    """``osslcmp cmp`` and ``osslcmp info``."""
    proxy = PROXIES[0].format(port=free_port())
    environment = {**os.environ, "http_proxy": proxy if how == "environment" else "", "no_proxy": ""}
    command = [sys.executable, "-m", "osslcmp", "cmp", "-cmd", "genm", "-server", "cmp.invalid", "-ref", "r"]
    command += ["-secret", "pass:s", "-verbosity", "8", "-msg_timeout", "2"]
    command += ["-proxy", proxy] if how == "-proxy" else []
    for words in (
        command,
        [sys.executable, "-m", "osslcmp", "info"],
        [sys.executable, "-m", "osslcmp", "info", "--json"],
    ):
        run = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=60)
        assert PASSWORD not in run.stdout + run.stderr


@pytest.mark.parametrize("argument", ["certificate", "trusted", "chain", "server_certificate"])
@pytest.mark.parametrize("uri", [f"pkcs11:token=x?pin-value={PASSWORD}", f"https://me:{PASSWORD}@host/x.pem"])
def test_uri_where_a_file_is_needed(pki: PKI, argument: str, uri: str) -> None:
    """It may have a PIN in it."""
    arguments: dict[str, Any] = {"certificate": pki.client.certificate, "key": pki.client.key, argument: uri}
    with pytest.raises(ValueError, match="a file is needed") as caught:
        osslcmp.Client("http://127.0.0.1:1/", **arguments)
    assert PASSWORD not in told(caught.value)


def lone(text: str) -> str:
    """With what UTF-8 cannot have: an argument of a command that is no UTF-8, say."""
    return f"{text}\udcff"


@pytest.mark.parametrize(
    "uri",
    [
        f"file:/nowhere?pin-value={PASSWORD}",
        f"file:///nowhere;pin-value={PASSWORD}",
        f"file:nowhere?pin={PASSWORD}",
        f"file:%2fnowhere?pin-value={PASSWORD}",
        f"file://host/nowhere?pin-value={PASSWORD}",
        f" pkcs11:token=x?pin-value={PASSWORD}",
        f"pkcs11:token=\0?pin-value={PASSWORD}",
        f"pkcs11:token={'x' * 100_000}?pin-value={PASSWORD}",
        f"file:{'/x' * 5_000}?pin-value={PASSWORD}",
        lone(f"pkcs11:token=x?pin-value={PASSWORD}"),
        f"{PASSWORD}:x",
    ],
    ids=lambda uri: ascii(uri)[:40],
)
@pytest.mark.parametrize("use", ["token_key", "key", "ir"])
def test_uri_of_a_key(uri: str, use: str, pki: PKI) -> None:
    """What is behind it cannot be read, and it has a PIN: what says so repeats neither."""
    uses: dict[str, Callable[[], object]] = {
        "token_key": lambda: token_key(uri),
        "key": lambda: osslcmp.Client(transport=bytes, certificate=pki.client.certificate, key=uri),
        "ir": lambda: osslcmp.Client(transport=bytes, reference="r", secret="s").ir(uri, subject="CN=x"),
    }
    words = said(uses[use])
    assert words
    assert PASSWORD not in words or uri.startswith(PASSWORD)


def test_uri_of_a_key_in_the_commands(tmp_path: Path) -> None:
    """``osslcmp cmp`` names the URI, as ``openssl cmp`` does, without the PIN; ``osslcmp renew`` a wrong value."""
    uri = f"file:/nowhere?pin-value={PASSWORD}"
    words = ["cmp", "-cmd", "ir", "-server", "127.0.0.1:1", "-ref", "r", "-secret", "pass:s", "-newkey", uri]
    words += ["-subject", "/CN=x", "-certout", str(tmp_path / "cert.pem")]
    run = osslcmp_command(*words, status=1)
    assert "file:/nowhere?pin-value=..." in run.stderr
    assert PASSWORD not in run.stdout + run.stderr
    config = tmp_path / "renew.toml"
    config.write_text(
        f'[certificates.x]\nserver = "http://127.0.0.1:1"\nkey = ["pkcs11:x?pin-value={PASSWORD}"]\n'
    )
    run = osslcmp_command("renew", str(config), status=2)
    assert "key: a text is needed" in run.stderr
    assert PASSWORD not in run.stdout + run.stderr


@pytest.mark.parametrize("use", ["secret", "key_password", "server", "key_encryption"])
def test_half_of_a_character(use: str, pki: PKI) -> None:
    """UTF-8 has none: what says so has not the secret in it, as an error of Python's has."""
    secret = lone(PASSWORD)
    key = pki.client.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    call: Callable[[], object] = {
        "secret": lambda: osslcmp.Client(transport=bytes, reference="r", secret=secret),
        "key_password": lambda: osslcmp.Client(
            transport=bytes, certificate=pki.client.certificate, key=key, key_password=secret
        ),
        "server": lambda: EmbeddedCA({"r": secret}),
        "key_encryption": lambda: key_encryption(secret),
    }[use]
    words = said(call)
    assert "half a surrogate pair" in words
    assert PASSWORD not in words


def test_what_is_renewed(tmp_path: Path) -> None:
    """A URL with a password, a proxy's, and the PIN of a token."""
    with pytest.raises(ValueError, match="credentials") as caught:
        Renewal(
            name="x",
            server=f"http://me:{PASSWORD}@127.0.0.1:1/",
            state=tmp_path / "x",
            certificate=tmp_path / "x.pem",
        )
    assert PASSWORD not in told(caught.value)
    found = Renewal(
        name="x",
        server="http://127.0.0.1:1/",
        state=tmp_path / "x",
        certificate=tmp_path / "x.pem",
        key=f"pkcs11:token=x?pin-value={PASSWORD}",
        new_key=False,
        trusted=(tmp_path / "root.pem",),
        proxy=f"http://me:{PASSWORD}@127.0.0.1:1",
    )
    assert PASSWORD not in repr(found)
    assert PASSWORD not in repr(renew(found))


def test_url_of_a_database() -> None:
    """Whose parts somebody has mixed up."""
    for url in (f"postgresql://me@127.0.0.1:{PASSWORD}/x", f"postgresql://me:x@{PASSWORD}:y/x"):
        with pytest.raises(ValueError, match="port") as caught:
            Store(url)
        assert PASSWORD not in told(caught.value)
