"""The HTTP callback: what it is told, what it may return, what it raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.inprocess import Peer, new_context
from support.pki import PKI
from support.raising import OwnError, raiser
from support.served import Served

from osslcmp import Context, Option, ffi, lib

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")


@pytest.fixture
def over_http(pki: PKI, peer: Peer) -> Iterator[Context]:
    with Served(peer) as server:
        context = server.point(new_context(pki))
        yield context
        context.set_http_cb(None)


Event = tuple[bool, bool]


def test_http(over_http: Context, pki: PKI) -> None:
    """Told of each connection and of its end, with the real BIO."""
    events: list[Event] = []

    def wrap(bio: Any, connect: bool, detail: bool) -> Any:
        assert ffi.typeof(bio) is ffi.typeof("BIO *")
        assert bio != ffi.NULL
        events.append((connect, detail))
        return bio if len(events) == 1 else None

    over_http.set_http_cb(wrap)
    assert over_http.exec_ir_ses() == pki.enrolled.certificate
    over_http.disconnect()
    connects = [e for e in events if e[0]]
    assert connects
    assert [e for e, _ in events] == [True, False] * len(connects)
    assert all(detail is False for connect, detail in events if connect), "no TLS"
    assert all(detail for connect, detail in events if not connect), "ended well"


@pytest.mark.parametrize("end", ["disconnect", "reinit", "set_server", "set_http_cb"])
def test_http_is_told_of_the_end(end: str, over_http: Context) -> None:
    """Whatever closes a connection that is kept."""
    events: list[bool] = []
    over_http.set_http_cb(lambda _bio, connect, _detail: events.append(connect))
    over_http.set_option(Option.KEEP_ALIVE, 2)
    over_http.set_option(Option.DISABLE_CONFIRM, 1)
    over_http.exec_ir_ses()
    assert events == [True], "kept open"
    arguments: dict[str, list[Any]] = {"set_server": ["127.0.0.1"], "set_http_cb": [None]}
    getattr(over_http, end)(*arguments.get(end, []))
    assert events == [True, False]


def test_http_raises(exception: BaseException, over_http: Context, pki: PKI) -> None:
    """At the connection: no request goes out. The context works again without it."""
    over_http.set_http_cb(raiser(exception))
    with pytest.raises(type(exception)) as caught:
        over_http.exec_ir_ses()
    assert caught.value is exception
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


def test_http_raises_at_the_end(over_http: Context, pki: PKI) -> None:
    """When the connection ends: told to whoever ends it, and it is closed all the same."""

    def wrap(_bio: Any, connect: bool, _detail: bool) -> None:
        if not connect:
            raise OwnError("cannot unwrap")

    over_http.set_option(Option.KEEP_ALIVE, 2)
    over_http.set_option(Option.DISABLE_CONFIRM, 1)
    over_http.set_http_cb(wrap)
    over_http.exec_ir_ses()
    with pytest.raises(OwnError):
        over_http.disconnect()
    over_http.disconnect()
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("answer", [5, "bio", b"bio", False, ffi.new("int *")])
def test_http_returns_something_else(answer: object, over_http: Context, pki: PKI) -> None:
    """A TypeError, not a crash."""
    over_http.set_http_cb(lambda *_: answer)
    with pytest.raises(TypeError, match="HTTP callback"):
        over_http.exec_ir_ses()
    over_http.set_http_cb(None)
    over_http.reinit()
    assert over_http.exec_ir_ses() == pki.enrolled.certificate


def test_http_wraps(over_http: Context, pki: PKI) -> None:
    """A filter BIO around the connection carries everything."""
    pushed: list[int] = []

    def wrap(bio: Any, connect: bool, _detail: bool) -> Any:
        if not connect:
            return None  # freed as a chain
        pushed.append(1)
        return lib.BIO_push(lib.BIO_new(lib.BIO_f_buffer()), bio) if hasattr(lib, "BIO_f_buffer") else bio

    over_http.set_http_cb(wrap)
    assert over_http.exec_ir_ses() == pki.enrolled.certificate
    assert pushed
