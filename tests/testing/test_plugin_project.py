"""The pytest plugin in somebody else's project: the complete example of the documentation, scopes, parallel runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support import openssl

pytest_plugins = ["pytester"]

GUIDE = (Path(__file__).parents[2] / "docs/testing.md").read_text()


def block(language: str, beginning: str) -> str:
    """The one code block of the guide that begins so."""
    found = [
        code
        for code in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
        if code.startswith(beginning)
    ]
    assert len(found) == 1
    return str(found[0])


@pytest.mark.peer
@pytest.mark.parametrize("parallel", [False, True], ids=["one", "xdist"])
def test_complete_example(pytester: pytest.Pytester, parallel: bool) -> None:
    """Word for word: a client in another language (sh and C), and its tests."""
    program = block("sh", "#!/bin/sh")
    (pytester.path / "mycmp").write_text(program.replace("openssl ", shlex.join(openssl.command()) + " "))
    pytester.makepyfile(test_mycmp=block("python", "import subprocess"))
    done = pytester.runpytest_subprocess("-q", *(["-n", "2"] if parallel else []))
    done.assert_outcomes(passed=10)


SHARED = """
import pytest
from osslcmp.testing import reject

URLS = set()

@pytest.mark.parametrize("number", range(3))
def test_client(number, cmp_server, cmp_client):
    from cryptography.hazmat.primitives.asymmetric import ec
    URLS.add(cmp_server.url)
    assert cmp_server.requests == [] and cmp_server.script_left == 0
    cmp_client.ir(ec.generate_private_key(ec.SECP256R1()), subject=f"CN={number}")
    assert len(cmp_server.requests) == 2
    if number == 0:
        cmp_server.script(reject())
        pytest.xfail("leaves its script behind")

def test_urls():
    assert len(URLS) == COUNT
"""


@pytest.mark.parametrize(("scope", "count"), [(None, 3), ("function", 3), ("module", 1), ("session", 1)])
def test_scopes(pytester: pytest.Pytester, scope: str | None, count: int) -> None:
    """One server for a test, or for many, which do not find what others have left."""
    if scope is not None:
        pytester.makeini(f"[pytest]\ncmp_server_scope = {scope}\n")
    pytester.makepyfile(SHARED.replace("COUNT", str(count)))
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3, xfailed=1)


REPORTED = """
from osslcmp.testing import ok, waiting
from cryptography.hazmat.primitives.asymmetric import ec

def enrol(client):
    client.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=device-7")

def test_unused(cmp_server, cmp_client):
    cmp_server.script(waiting(), ir=ok(), certconf=[ok(), ok()])
    enrol(cmp_client)

def test_failed(cmp_server, cmp_client):
    cmp_server.script(ir=ok(), genm=ok())
    enrol(cmp_client)
    assert "this" == "that"

def test_passed(cmp_server, cmp_client):
    cmp_server.script(ir=ok())
    enrol(cmp_client)
"""


def test_report(pytester: pytest.Pytester) -> None:
    """A failed test shows the messages as a ladder; one that has not used its script fails, with the steps that are left;
    one that fails otherwise is not blamed for its script as well."""
    pytester.makepyfile(REPORTED)
    done = pytester.runpytest_subprocess("-q")
    done.assert_outcomes(passed=1, failed=2)
    text = done.stdout.str()
    assert "cmp_server: steps of the script were not used: waiting(), certconf=ok()" in text
    assert "not used: genm" not in text
    assert text.count("Messages at cmp_server") == 2
    for part in ("ir  CN=device-7; EC secp256r1", "certconf  accepted", "pkiconf"):
        assert text.count(part) == 2


def test_wrong_scope(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncmp_server_scope = day\n")
    pytester.makepyfile("def test_x(cmp_server): pass")
    done = pytester.runpytest_subprocess("-q")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    told = done.stdout.str() + done.stderr.str()
    assert "ERROR: cmp_server_scope: one of function, class, module, package, session, not 'day'" in told
    assert "INTERNALERROR" not in told


def test_costs_nothing_when_not_used(pytester: pytest.Pytester) -> None:
    """The plugin is loaded in every run of everybody who has installed osslcmp: it must not bring the server along."""
    pytester.makepyfile(
        """
        import sys

        def test_x():
            heavy = {"tornado", "sqlalchemy", "osslcmp.server", "osslcmp.testing.server"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
