"""What the command gives to C is freed once, whether C takes it, refuses it, or a signal strikes just then."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from osslcmp import OpenSSLError, ffi, lib
from osslcmp._openssl import convert, ownership, verify
from osslcmp.cli.openssl_cmp import global_options
from osslcmp.cli.openssl_cmp.context import CommandContext
from osslcmp.context.calls import Calls

Free = Callable[[Any], None]


class Counted:
    """A function that frees, and how often it did."""

    def __init__(self, free: Free) -> None:
        self.free = free
        self.times = 0

    def __call__(self, pointer: Any) -> None:
        self.times += 1
        self.free(pointer)

    def told(self) -> int:
        """How often, when no garbage is left."""
        gc.collect()
        return self.times


def _make(kind: str) -> tuple[Any, Counted]:
    made: dict[str, tuple[Callable[[], Any], Free]] = {
        "key": (lib.EVP_PKEY_new, lib.EVP_PKEY_free),
        "store": (lib.X509_STORE_new, lib.X509_STORE_free),
        "policy": (lib.POLICYINFO_new, lib.POLICYINFO_free),
        "extensions": (lib.sk_X509_EXTENSION_new_null, convert.free_extensions),
    }
    new, free = made[kind]
    counted = Counted(free)
    return ownership.own(new(), counted, "testing"), counted


GIVEN: dict[str, tuple[str, tuple[int, ...]]] = {
    "key": ("OSSL_CMP_CTX_set0_newPkey", (1,)),
    "store": ("OSSL_CMP_CTX_set0_trustedStore", ()),
    "policy": ("OSSL_CMP_CTX_push0_policy", ()),
    "extensions": ("OSSL_CMP_CTX_set0_reqExtensions", ()),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_taken(kind: str) -> None:
    """C frees it."""
    function, before = GIVEN[kind]
    handle, free = _make(kind)
    CommandContext().give(function, handle, free, *before)
    del handle
    assert free.told() == 0


@pytest.mark.parametrize("kind", GIVEN)
def test_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """We free it, once."""
    function, before = GIVEN[kind]
    handle, free = _make(kind)
    context = CommandContext()
    real = Calls.set
    monkeypatch.setattr(Calls, "set", lambda c, _, *a, **more: real(c, lambda *_: 0, *a, **more))
    with pytest.raises(OpenSSLError):
        context.give(function, handle, free, *before)
    del handle
    assert free.told() == 1


@pytest.mark.parametrize("kind", GIVEN)
def test_interrupted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When C has it already."""
    function, before = GIVEN[kind]
    handle, free = _make(kind)
    context = CommandContext()
    real = Calls.set

    def interrupted(self: Calls, *args: Any, **more: Any) -> None:
        real(self, *args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(Calls, "set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        context.give(function, handle, free, *before)
    del handle, context
    assert free.told() == 0


@pytest.mark.parametrize("ended", [None, KeyboardInterrupt])
def test_policy_option(ended: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """``-policy``: the verification parameters have it."""
    freed: list[Counted] = []

    def counting(pointer: Any, free: Free, what: str) -> Any:
        if ffi.typeof(pointer) != ffi.typeof("ASN1_OBJECT *"):
            return ownership.own(pointer, free, what)
        freed.append(Counted(free))
        return ownership.own(pointer, freed[-1], what)

    def checked(result: int, _: str) -> None:
        assert result == 1
        if ended is not None:
            raise ended

    monkeypatch.setattr(verify, "own", counting)
    monkeypatch.setattr(ownership, "check", checked)
    effects = global_options.GlobalOptions()
    if ended is None:
        effects("policy", "1.2.3.4")
    else:
        with pytest.raises(ended):
            effects("policy", "1.2.3.4")
    assert [one.told() for one in freed] == [0]
