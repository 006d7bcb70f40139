"""Where requests go: URLs, names that are looked up, addresses that are tried."""

from __future__ import annotations

import signal
import socket
import threading

import pytest
from cryptography import x509
from support.clients import secret_context
from support.enrol import client, enroll, refusal
from support.https import WebServer, has_ipv6
from support.raw_server import free_port

import osslcmp
from osslcmp.server import Server
from osslcmp.transport import HTTPTransport, parse_url, well_known_url


def test_refused() -> None:
    port = free_port()
    for host in ("127.0.0.1", "localhost"):
        told = refusal(f"http://{host}:{port}/")
        assert "Connection refused" in told
        assert f"127.0.0.1:{port}" in told


def test_unknown_name() -> None:
    told = refusal("http://nobody.invalid/")
    assert "host nobody.invalid: " in told
    assert "lookup" in told


def test_impossible_name() -> None:
    assert "host " in refusal(f"http://{'a' * 70}.example/")
    assert "host " in refusal("http://a..b/")


def test_international_name() -> None:
    assert "host xn--mnchen-3ya.invalid" in refusal("http://m\xfcnchen.invalid/")


@pytest.mark.parametrize("way", ["signal", "cancel", "timeout"])
def test_slow_name_server(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up a name can be interrupted, cancelled, and ends with the message timeout."""
    go_on = threading.Event()

    def stuck(*_: object, **__: object) -> list[object]:
        go_on.wait(30)
        return []

    class StopError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StopError

    context = secret_context()
    context.set_server("slow.example")
    context.set_option(osslcmp.Option.MSG_TIMEOUT, 1 if way == "timeout" else 60)
    context.push_genm_itav(osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17")))
    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    old = signal.signal(signal.SIGALRM, stop)
    timer = threading.Timer(0.3, context.cancel)
    try:
        if way == "signal":
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(StopError):
                context.exec_genm_ses()
        elif way == "cancel":
            timer.start()
            with pytest.raises(osslcmp.TransferError, match="cancelled"):
                context.exec_genm_ses()
        else:
            with pytest.raises(osslcmp.TransferTimeout, match=r"looking up host slow\.example"):
                context.exec_genm_ses()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        timer.cancel()
        go_on.set()


def test_next_address(cmp: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with several addresses: what refuses is passed over."""
    addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]

    def several(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    with WebServer(cmp) as server:
        url = server.url("many.example")
        monkeypatch.setattr(socket, "getaddrinfo", several)
        assert enroll(url)
        addresses.pop()
        told = refusal(url)
        assert "127.0.0.2" in told
        assert "127.0.0.3" in told


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_ipv6(cmp: Server) -> None:
    with WebServer(cmp, host="::1") as server:
        assert enroll(server.url("[::1]"))
        assert server.headers[0]["Host"] == f"[::1]:{server.port}"


def test_ipv6_refused() -> None:
    told = refusal(f"http://[::1]:{free_port()}/")
    assert "[::1]" in told


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "ftp://host/",
        "host:80/x",
        "http://host:x/",
        "http://host:0/",
        "http://host:65536/",
        "http://[::1",
        "http://user:pw@host/",
        "http://a b/",
        "http://a/b c",
        "http://a/\r\nX: y",
        "http://a\0/",
        "https://",
    ],
)
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="server"):
        client(url)
    with pytest.raises(ValueError, match="url"):
        HTTPTransport(url)


def test_well_known_url() -> None:
    assert well_known_url("http://a:8080") == "http://a:8080/.well-known/cmp"
    assert well_known_url("https://a/", label="x y/z") == "https://a/.well-known/cmp/p/x%20y%2Fz"
    assert (
        well_known_url("https://a", label="p1", operation="initialization")
        == "https://a/.well-known/cmp/p/p1/initialization"
    )
    assert well_known_url("https://[::1]", operation="keyupdate") == "https://[::1]/.well-known/cmp/keyupdate"
    for wrong in ({"label": ""}, {"operation": ""}):
        with pytest.raises(ValueError, match="empty"):
            well_known_url("https://a", **wrong)
    with pytest.raises(ValueError, match="server"):
        well_known_url("nonsense")


def test_address() -> None:
    """What a URL says, with the defaults of its scheme."""
    address = parse_url("https://CA.example/a%20b?c=d#e")
    assert (address.host, address.port, address.path, address.tls) == ("ca.example", 443, "/a%20b?c=d", True)
    address = parse_url("http://[::1]:8080")
    assert (address.host, address.port, address.path, address.tls) == ("::1", 8080, "/", False)
    assert parse_url("http://a/\xfc").path == "/%C3%BC"


@pytest.mark.parametrize("zone", ["%25lo", "%lo"])
def test_zone_of_a_link(zone: str) -> None:
    """With the percent sign escaped, as RFC 6874 wants it in a URL, and as people write it."""
    assert parse_url(f"http://[fe80::1{zone}]:8080/x").host == "fe80::1%lo"
