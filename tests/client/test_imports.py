"""What an enrolment imports: counted by module, not timed (that is what ``./dev bench imports`` does)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl
from support.pki import PKI

UNUSED = {
    "asyncio",
    "cryptography",
    "hashlib",
    "json",
    "logging",
    "pathlib",
    "socket",
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
"""What decodes, traces, logs and encrypts the way, what is for failures and for other requests, what carries messages
otherwise than by OpenSSL's HTTP client, and what makes objects to look at."""
MODULES = 62
"""Of ours, that the import of a client loads. The fewer the better: lower it when it can be."""

_ENROL = """
import sys
import osslcmp
client = osslcmp.Client("http://127.0.0.1:{port}/pkix/", {credentials})
done = client.{request}
with open("new.pem", "wb") as file:
    file.write(done.fullchain_pem)
print(*sys.modules)
"""


def modules(code: str, directory: Path | None = None) -> set[str]:
    """What a process has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, cwd=directory
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("credentials", "request_"),
    [
        ("reference='ref', secret='secret'", "ir({key!r}, subject='CN=x')"),
        (
            "reference='ref', secret=b'secret', recipient='/CN=y', sender='CN=z'",
            "cr({key!r}, subject='/O=y/CN=x', sans=['x.example', 'IP:::1', 'email:a@x.example', 'dirName:CN=x'])",
        ),
        ("reference='ref', secret='secret'", "ir(open({key!r}, 'rb').read(), subject='commonName=x')"),
        (
            "reference='ref', secret='secret'",
            "ir(serialization.load_pem_private_key(open({key!r}, 'rb').read(), None), subject='CN=x')",
        ),
        (
            "certificate={cert!r}, key={key!r}, chain=[{above!r}], trusted={trust!r}, untrusted={above!r}",
            "kur({key!r})",
        ),
        ("reference='ref', secret='secret', server_certificate=open({server!r}).read()", "p10cr({csr!r})"),
    ],
    ids=["secret", "names", "bytes", "key object", "certificate", "CSR"],
)
def test_an_enrolment_decodes_nothing(pki: PKI, tmp_path: Path, credentials: str, request_: str) -> None:
    """Against a real server: all that it takes is the client, its context, and libcrypto."""
    from support.mock_server import MockServer

    files = {
        "cert": pki.enrolled.cert_file,
        "key": pki.enrolled.key_file,
        "trust": pki.root.cert_file,
        "above": pki.issuing.cert_file,
        "server": pki.server.cert_file,
        "csr": tmp_path / "csr.pem",
    }
    openssl.run(
        ["req", "-new", "-key", files["key"], "-subj", "/O=osslcmp tests/CN=enrolled", "-out", files["csr"]]
    ).must()
    fill = {name: str(path) for name, path in files.items()}
    signing: dict[str, openssl.Value] = {
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "srv_trusted": pki.root.cert_file,
    }
    signing |= {"srv_ref": "ref", "srv_secret": b"secret"} if "secret" in credentials else {}
    with MockServer(rsp_cert=pki.enrolled.cert_file, **signing) as server:
        code = _ENROL.format(
            port=server.port, credentials=credentials.format(**fill), request=request_.format(**fill)
        )
        if with_object := "serialization" in request_:
            code = f"from cryptography.hazmat.primitives import serialization\n{code}"
        seen = modules(code, tmp_path)
    assert "osslcmp.client" in seen
    assert not seen & {*UNUSED, "cryptography.x509"} - (
        {"cryptography", "hashlib", "socket"} if with_object else set()
    )
    made = x509.load_pem_x509_certificate((tmp_path / "new.pem").read_bytes())
    assert made == pki.enrolled.certificate


def test_the_first_use_may_be_in_many_threads() -> None:
    """All get the module itself, and whole."""
    seen = modules("""
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from osslcmp._lazy import in_use, x509
together = Barrier(8)
assert not in_use()
def use(_):
    together.wait()
    return x509.Name, x509.load_pem_x509_certificate
with ThreadPoolExecutor(8) as pool:
    found = set(pool.map(use, range(8)))
from cryptography import x509 as real
assert in_use() and found == {(real.Name, real.load_pem_x509_certificate)} and vars(x509) is vars(real)
print(*sys.modules)
""")
    assert "cryptography.x509" in seen


def test_the_import_alone_needs_less() -> None:
    """What encodes keys and certificates is loaded with the first of them."""
    seen = modules("import osslcmp, sys; osslcmp.Client; print(*sys.modules)")
    assert "osslcmp.client" in seen
    assert not seen & UNUSED
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
