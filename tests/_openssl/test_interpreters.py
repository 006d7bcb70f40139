"""Subinterpreters: osslcmp works there, or says at once why it cannot; it never crashes."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

_SCRIPT = """
import sys
sys.path[:] = {path!r}
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters

ENROL = '''
import sys
sys.path[:] = {path!r}
import osslcmp
from osslcmp.server import EmbeddedCA
from cryptography.hazmat.primitives.asymmetric import ec
ca = EmbeddedCA(dict(ref="secret"))
asked = []
client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
for _ in range(3):
    key = ec.generate_private_key(ec.SECP256R1())
    done = client.ir(key, subject="CN=a", confirm=lambda certificate, failure: asked.append(certificate))
    assert done.certificate.public_key() == key.public_key()
assert len(asked) == 3
def lost(request):
    raise ZeroDivisionError
try:
    osslcmp.Client(transport=lost, reference="ref", secret="secret").ir(key, subject="CN=a")
except ZeroDivisionError:
    print("enrolled", flush=True)
'''

REFUSED = '''
import sys
sys.path[:] = {path!r}
import osslcmp
for name in ("Client", "Context"):
    try:
        getattr(osslcmp, name)
    except ImportError as error:
        assert "cannot be used in this subinterpreter" in str(error), error
        print("refused", flush=True)
'''

def new(isolated):
    if sys.version_info >= (3, 13):
        return interpreters.create("isolated" if isolated else "legacy")
    return interpreters.create(isolated=isolated)

def run(interpreter, script):
    if sys.version_info >= (3, 13):
        failure = interpreters.exec(interpreter, script)
        assert failure is None, failure.errdisplay
    else:
        interpreters.run_string(interpreter, script)

{body}
print("end")
"""


def in_process(body: str) -> list[str]:
    """What a process with several interpreters printed, in words; it must not crash."""
    script = _SCRIPT.format(path=sys.path, body=body)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.parametrize("isolated", [True, False], ids=["own GIL", "shared GIL"])
@pytest.mark.parametrize("destroyed", [True, False], ids=["destroyed", "left"])
def test_second_interpreter(isolated: bool, destroyed: bool) -> None:
    """A clear ImportError, with its own GIL as without; the main interpreter is not disturbed."""
    out = in_process(f"""
exec(ENROL)
for _ in range(3):
    other = new({isolated})
    run(other, REFUSED)
    if {destroyed}:
        interpreters.destroy(other)
exec(ENROL)
""")
    assert out == ["enrolled", *["refused"] * 6, "enrolled", "end"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before CPython 3.12 there is one GIL for all")
def test_first_with_its_own_gil() -> None:
    """The same when it comes first, and then the main interpreter may still use it."""
    out = in_process("""
other = new(True)
run(other, REFUSED)
interpreters.destroy(other)
exec(ENROL)
""")
    assert out == ["refused"] * 2 + ["enrolled", "end"]


def test_first_with_the_shared_gil() -> None:
    """From CPython 3.12 on the first interpreter that imports it may use it, callbacks and all; if there is a GIL."""
    works = sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
    out = in_process(f"""
other = new(False)
run(other, {"ENROL" if works else "REFUSED"})
interpreters.destroy(other)
""")
    assert out == (["enrolled"] if works else ["refused"] * 2) + ["end"]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters came with CPython 3.14")
def test_public_module() -> None:
    """The same by the standard library's own module."""
    out = in_process("""
from concurrent import interpreters as public
other = public.create()
try:
    other.exec("import osslcmp; osslcmp.Client")
except public.ExecutionFailed as failure:
    assert "cannot be used in this subinterpreter" in str(failure), failure
    print("refused")
other.close()
""")
    assert out == ["refused", "end"]
