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


@pytest.mark.parametrize("kind", ["EC:prime256v1", "rsa:2048"])
def test_token(kind: str, tmp_path: Path) -> None:
    """The token signs the proof of possession and, for the kur, the message."""
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
    told = run(sys.executable, "-c", ENROL, MODULE)
    assert "enrolled CN=token" in told
    assert "refused" in told
    assert "1234" not in told
