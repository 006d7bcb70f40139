"""Nothing of OpenSSL's context is missing: names, options, constants."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from support.releases import FOUND, USABLE

import osslcmp
from openssl_map import PREFIX, snake
from osslcmp import Context, Option, UnsupportedError, ffi, lib

#: What is no method: life and death of the object, and a C function to be set as a transfer callback.
NO_METHOD = {f"{PREFIX}{name}" for name in ("new", "free", "server_perform")}


def functions(pattern: str) -> list[str]:
    """The functions on ``lib`` that match, with a context as their first argument."""
    found = []
    for name in dir(lib):
        if re.fullmatch(pattern, name) and callable(getattr(lib, name)):
            signature: Any = ffi.typeof(ffi.addressof(lib, name))
            arguments = signature.args
            if arguments and arguments[0] is ffi.typeof("OSSL_CMP_CTX *"):
                found.append(name)
    return found


def member(name: str) -> Any:
    return inspect.getattr_static(Context, name, None)


def test_there_are_functions() -> None:
    """The enumeration below sees what it should: OpenSSL 3.0 has 59."""
    assert len(functions(PREFIX + "\\w+")) >= 59
    assert "OSSL_CMP_CTX_set1_subjectName" in functions(PREFIX + "\\w+")


@pytest.mark.parametrize("name", [one for one in functions(PREFIX + "\\w+") if one not in NO_METHOD])
def test_context_function(name: str) -> None:
    """Each ``OSSL_CMP_CTX_*`` has its method or property, by the mechanical name, with a docstring."""
    short = name[len(PREFIX) :]
    found = member(snake(short))
    assert found is not None, f"Context.{snake(short)} is missing for {name}"
    assert inspect.getdoc(found), f"Context.{snake(short)} has no docstring"
    getter = re.match(r"get[01]?_", short) and short != "get_option"
    assert isinstance(found, property) == bool(getter), f"property or method: Context.{snake(short)}"


@pytest.mark.parametrize("name", functions(r"OSSL_CMP_(exec_\w+|try_certreq|get1_\w+)"))
def test_transaction_function(name: str) -> None:
    """Each function that runs a transaction on a context has its method."""
    short = name[len("OSSL_CMP_") :]
    method = "get_" + snake(short[len("get1_") :]) if short.startswith("get1_") else short.lower()
    assert callable(getattr(Context, method, None)), f"Context.{method} is missing for {name}"


@pytest.mark.parametrize("name", functions(PREFIX + r"(set|get|push|build|re)\w+"))
def test_documentation_names_the_function(name: str) -> None:
    """Whoever knows the C name finds the method by it, and the release that it came with."""
    found = member(snake(name[len(PREFIX) :]))
    text = inspect.getdoc(found) or ""
    assert name in text or name.replace("trustedStore", "trusted") in text, f"{name} is not in the docstring"
    assert re.search(r"\b[34]\.\d", text), f"the release is missing in the docstring for {name}"


@pytest.mark.parametrize("name", [n for n in dir(lib) if n.startswith("OSSL_CMP_OPT_")])
def test_option_has_a_name(name: str) -> None:
    """Each option of the loaded release is in the enum, with the number that C has."""
    assert Option[name[len("OSSL_CMP_OPT_") :]] == getattr(lib, name)


def _enumerated(prefix: str) -> dict[str, int]:
    found = {n[len(prefix) :]: getattr(lib, n) for n in dir(lib) if n.startswith(prefix)}
    return {name: number for name, number in found.items() if isinstance(number, int)}


@pytest.mark.parametrize(
    ("enum", "prefix", "spell"),
    [
        (osslcmp.FailureInfo, "OSSL_CMP_CTX_FAILINFO_", str),
        (osslcmp.Severity, "OSSL_CMP_LOG_", str),
        (osslcmp.POPOMethod, "OSSL_CRMF_POPO_", str),
        (osslcmp.PKIStatus, "OSSL_CMP_PKISTATUS_", str),
    ],
)
def test_enumeration_has_the_numbers_of_c(enum: Any, prefix: str, spell: Callable[[str], str]) -> None:
    """Every constant of the loaded release is in our enum, with its number."""
    constants = _enumerated(prefix)
    assert constants
    aliases = {"WARN": "WARNING", "ERROR": "ERR", "MAX": "TRACE"}
    for name, number in constants.items():
        assert enum[aliases.get(spell(name), spell(name))] == number, name


def test_types_of_requests() -> None:
    """The four that ``exec_certreq`` takes."""
    for name in ("IR", "CR", "P10CR", "KUR"):
        assert getattr(osslcmp, name) == getattr(lib, f"OSSL_CMP_{name}")


@pytest.mark.parametrize(
    ("feature", "use"),
    [
        ("serial_number", lambda c: c.set_serial_number(1)),
        ("geninfo_itavs", lambda c: c.geninfo_itavs),
        ("validated_server_certificate", lambda c: c.validated_srv_cert),
        ("libctx", lambda c: c.libctx),
        ("libctx", lambda c: c.propq),
        ("reset_geninfo_itavs", lambda c: c.reset_geninfo_itavs()),
        ("ca_certs", lambda c: c.get_ca_certs),
        ("use_tls", lambda c: c.get_option(Option.USE_TLS)),
        ("use_tls", lambda c: c.set_option(Option.USE_TLS, 1)),
        ("no_cache_extracerts", lambda c: c.get_option(Option.NO_CACHE_EXTRACERTS)),
        ("no_cache_extracerts", lambda c: c.set_option(Option.NO_CACHE_EXTRACERTS, 0)),
    ],
)
def test_what_a_release_lacks(feature: str, use: Callable[[Context], object]) -> None:
    """What the loaded release lacks says so, with both versions; what it has works."""
    context = Context()
    if osslcmp.features[feature] or feature == "ca_certs":
        use(context)
        return
    with pytest.raises(UnsupportedError) as caught:
        use(context)
    error = caught.value
    assert isinstance(error, NotImplementedError)
    assert isinstance(error, osslcmp.CMPError)
    needed = tuple(map(int, error.needed.split(".")))
    assert needed > USABLE
    assert error.found == FOUND
    assert error.needed in str(error)
    assert error.found in str(error)
    context.set_subject_name("CN=still works")


@pytest.mark.parametrize(
    ("option", "needed"),
    [
        (Option.USE_TLS, "3.2"),
        (Option.NO_CACHE_EXTRACERTS, "3.3"),
        (Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR, "3.5"),
    ],
)
def test_option_that_a_release_lacks(option: Option, needed: str) -> None:
    """The release that is needed is the one that brought it, or that repaired it."""
    context = Context()
    if osslcmp.openssl_version >= (*map(int, needed.split(".")), 0):
        context.set_option(option, 1)
        assert context.get_option(option) == 1
        return
    with pytest.raises(UnsupportedError) as caught:
        context.set_option(option, 1)
    assert caught.value.needed == needed
