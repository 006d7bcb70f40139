"""What an enrolment imports: counted by module, not timed (that is what ``./dev bench imports`` does)."""

from __future__ import annotations

import subprocess
import sys

from support.pki import PKI

UNUSED = {
    "asyncio",
    "json",
    "logging",
    "pathlib",
    "ssl",
    "subprocess",
    "textwrap",
    "cryptography.hazmat.asn1",
    "osslcmp._asn1.schema",
    "osslcmp._openssl.tls",
    "osslcmp.client.aio",
    "osslcmp.client.dump",
    "osslcmp.client.revocation",
    "osslcmp.context.general",
    "osslcmp.context.hints",
    "osslcmp.message",
    "osslcmp.trace",
    "osslcmp.transport.base",
    "osslcmp.transport.files",
    "osslcmp.transport.httpx",
    "osslcmp.transport.urllib3",
}
"""What decodes, traces, logs and encrypts the way, what is for failures and for other requests, and what carries messages
otherwise than by OpenSSL's HTTP client."""
MODULES = 61
"""Of ours, that the import of a client loads. The fewer the better: lower it when it can be."""

_ENROL = """
import sys
import osslcmp
client = osslcmp.Client("http://127.0.0.1:{port}/pkix/", reference="ref", secret="secret")
client.ir({key!r}, subject="CN=x")
print(*sys.modules)
"""


def modules(code: str) -> set[str]:
    """What a process has imported at its end."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_an_enrolment_decodes_nothing(pki: PKI) -> None:
    """Against a real server: all that it takes is the client, its context, and libcrypto."""
    from support.mock_server import MockServer

    with MockServer(srv_ref="ref", srv_secret=b"secret", rsp_cert=pki.enrolled.cert_file) as server:
        seen = modules(_ENROL.format(port=server.port, key=str(pki.enrolled.key_file)))
    assert "osslcmp.client" in seen
    assert seen & UNUSED == set()


def test_the_import_alone_needs_less() -> None:
    """What encodes keys and certificates is loaded with the first of them."""
    seen = modules("import osslcmp, sys; osslcmp.Client; print(*sys.modules)")
    assert "osslcmp.client" in seen
    assert not seen & {*UNUSED, "cryptography.hazmat.primitives.serialization"}
    assert len({name for name in seen if name.partition(".")[0] == "osslcmp"}) <= MODULES


def test_the_transports_are_loaded_by_name() -> None:
    """Each when it is used, and all of them can be listed."""
    seen = modules("import osslcmp.transport, sys; osslcmp.transport.HTTPTransport; print(*sys.modules)")
    assert "osslcmp.transport.http" in seen
    assert not seen & {"osslcmp.transport.httpx", "asyncio"}


def test_names_of_the_package_are_those_of_its_modules() -> None:
    """``from osslcmp.transport import *`` finds all of them."""
    import osslcmp.transport

    assert all(hasattr(osslcmp.transport, name) for name in osslcmp.transport.__all__)
    assert not hasattr(osslcmp.transport, "NoSuchTransport")
