"""A key that never leaves its token: SoftHSM behind pkcs11-provider.

Runs where both are installed (Debian 13: softhsm2, pkcs11-provider, opensc), in a process of its own, since a
provider and its token are for a whole process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.releases import USABLE

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), None)
PROVIDERS = list(Path("/usr/lib").glob("*/ossl-modules/pkcs11.so"))
NEEDED = MODULE and PROVIDERS and shutil.which("softhsm2-util") and shutil.which("pkcs11-tool")

pytestmark = pytest.mark.skipif(
    not NEEDED or USABLE < (3, 2, 0),
    reason="softhsm2, pkcs11-provider and pkcs11-tool are not installed here, or OpenSSL is older than 3.2",
)

ENROL = """
import sys
from cryptography import x509
import osslcmp
from osslcmp.server import EmbeddedCA

osslcmp.load_provider("pkcs11", params={"pkcs11-module-path": sys.argv[1]})
uri = "pkcs11:token=osslcmp;object=device;type=private"
ca = EmbeddedCA({"ref": "secret"})
server = ca.server()
first = osslcmp.Client(transport=server.process, reference="ref", secret="secret").ir(
    uri, key_password="1234", subject="CN=token"
)
again = osslcmp.Client(
    transport=server.process, certificate=first.certificate, key=uri, key_password="1234",
    chain=first.chain, trusted=ca.root,
).kur(uri, key_password="1234")
assert again.certificate.public_key() == first.certificate.public_key()
print("enrolled", again.certificate.subject.rfc4514_string())
try:
    osslcmp.Client(transport=server.process, reference="ref", secret="secret").ir(
        "pkcs11:token=osslcmp;object=nothing;type=private", key_password="1234", subject="CN=token"
    )
except ValueError as error:
    print("refused", error)
"""

LIVES = """
import gc, sys, threading, weakref
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
import osslcmp
from osslcmp.server import token_key

provider = osslcmp.load_provider("pkcs11", params={"pkcs11-module-path": sys.argv[1]})
uri = "pkcs11:token=osslcmp;object=device;type=private"

def sign(key):
    how = (ec.ECDSA(hashes.SHA256()),)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        how = padding.PKCS1v15(), hashes.SHA256()
    key.public_key().verify(key.sign(b"data", *how), b"data", *how)

def size():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def once():
    sign(token_key(uri, "1234"))
    try:
        token_key(uri.replace("device", "nothing"), "1234")
    except ValueError:
        return
    raise AssertionError

for _ in range(200):
    once()
before = size()
for _ in range(200):
    once()
print("grown", size() - before)

key = token_key(uri, "1234")
threads = [threading.Thread(target=sign, args=(key,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
provider.unload()
for _ in range(2):
    try:
        sign(key)
        print("signed")
    except osslcmp.OpenSSLError:
        print("refused")
try:
    token_key(uri, "1234")
except ValueError:
    pass
gone = weakref.ref(key)
del key
gc.collect()
assert gone() is None
provider = osslcmp.load_provider("pkcs11", params={"pkcs11-module-path": sys.argv[1]})
sign(token_key(uri, "1234"))
left = token_key(uri, "1234")  # at the end of the process
print("END")
"""


@pytest.mark.parametrize("kind", ["EC:prime256v1", "rsa:2048"])
def test_token(kind: str, tmp_path: Path) -> None:
    """The token signs the proof of possession and, for the kur, the message."""
    told = in_process_with_token(ENROL, kind, tmp_path)
    assert "enrolled CN=token" in told
    assert "refused" in told
    assert "1234" not in told


@pytest.mark.parametrize("kind", ["EC:prime256v1", "rsa:2048"])
def test_lives(kind: str, tmp_path: Path) -> None:
    """Keys for certificates leave nothing behind; one that is left signs on when its provider is unloaded, or says that it
    cannot, and can be freed then."""
    grown, *told, end = in_process_with_token(LIVES, kind, tmp_path).splitlines()
    assert int(grown.split()[1]) < 512 * 1024
    assert set(told) <= {"signed", "refused"}
    assert end == "END"


def in_process_with_token(script: str, kind: str, tmp_path: Path) -> str:
    """What a script prints, in whose token is a key."""
    assert MODULE
    (tmp_path / "tokens").mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(config)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("softhsm2-util", "--init-token", "--free", "--label", "osslcmp", "--pin", "1234", "--so-pin", "5678")
    run(
        "pkcs11-tool", "--module", MODULE, "--token-label", "osslcmp", "--login", "--pin", "1234",
        "--keypairgen", "--key-type", kind, "--label", "device", "--id", "01",
    )  # fmt: skip
    return run(sys.executable, "-X", "faulthandler", "-c", script, MODULE)
