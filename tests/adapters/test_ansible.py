"""The Ansible modules of ``adapters/ansible``, run by Ansible."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from support import openssl
from support.odd import KINDS, NAME, PLAIN, odd_identity, with_field
from support.pki import PKI, cert_pem, key_pem, make_name

from osslcmp.server import EmbeddedCA
from osslcmp.server.ca.issuing import CMC_RA

pytestmark = pytest.mark.skipif(
    find_spec("ansible") is None, reason="ansible-core is not installed (adapters)"
)
LIBRARY = Path(__file__).resolve().parents[2] / "adapters" / "ansible" / "library"


class Host:
    """A machine that Ansible looks after: this one."""

    def __init__(self, path: Path, url: str, ca: EmbeddedCA) -> None:
        self.path, self.url, self.ca = path, url, ca
        (path / "root.pem").write_bytes(cert_pem(ca.root))

    def run(self, module: str, *flags: str, fails: bool = False, **arguments: Any) -> dict[str, Any]:
        """What the module returns."""
        always = {"server": self.url, "path": f"{self.path}/device.pem", "trusted": f"{self.path}/root.pem"}
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "adhoc", "localhost", "-c", "local", "-M", str(LIBRARY), "-m", module,
             "-e", f"ansible_python_interpreter={sys.executable}", "-a", json.dumps({**always, **arguments}), *flags],
            env={**os.environ, "HOME": str(self.path), "ANSIBLE_LOCALHOST_WARNING": "false", "LC_ALL": "C.UTF-8",
                 "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1"},
            cwd=self.path, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        assert "a secret" not in done.stdout + done.stderr
        found = re.search(r"localhost \| \w+!? => (\{.*\})", done.stdout, re.DOTALL)
        assert found, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(found[1])
        return {**told, "shown": done.stdout[: found.start()]}

    def certificate(self, *flags: str, fails: bool = False, **arguments: Any) -> dict[str, Any]:
        """Of ``cmp_certificate``."""
        wanted = {
            "privatekey_path": f"{self.path}/device.key", "subject": "CN=device", "sans": ["device.example"],
            "reference": "ref", "secret": "a secret", "renew_days": 30,
        }  # fmt: skip
        return self.run("cmp_certificate", *flags, fails=fails, **{**wanted, **arguments})


@pytest.fixture
def host(tmp_path: Path, pki: PKI) -> Iterator[Host]:
    ca = EmbeddedCA({"ref": "a secret"})
    with ca.server(trusted=[ca.root, pki.root.certificate]).serve() as running:
        yield Host(tmp_path, running.url, ca)


def test_certificate_is_kept_as_the_task_says(host: Host) -> None:
    """Enrolled once, left alone, updated in time, enrolled anew for other names; check mode does nothing."""
    told = host.certificate("--check", "--diff")
    assert told["changed"]
    assert "+a new certificate: there is none" in told["shown"]
    assert not (host.path / "device.pem").exists()
    assert not (host.path / "device.key").exists()

    first = host.certificate("--diff", mode="0640")
    assert first["changed"]
    assert "+subject: CN=device" in first["shown"]
    assert (host.path / "device.key").stat().st_mode & 0o777 == 0o600
    assert (host.path / "device.pem").stat().st_mode & 0o777 == 0o640
    assert not host.certificate(mode="0640")["changed"]

    soon: dict[str, Any] = {"renew_days": 400}
    assert host.certificate("--check", **soon)["reason"] == "it expires soon"
    updated = host.certificate(**soon)
    assert updated["serial_number"] != first["serial_number"]
    assert host.ca.records[1].updates == int(first["serial_number"], 16)

    other = host.certificate(sans=["device.example", "other.example"])
    assert (other["changed"], other["reason"]) == (True, "it has other alternative names")
    assert len(host.ca.records) == 3
    certificate, *chain = x509.load_pem_x509_certificates((host.path / "device.pem").read_bytes())
    assert f"{certificate.serial_number:x}" == other["serial_number"]
    assert chain == [host.ca.issuer]


@pytest.mark.parametrize(
    "kind", [*KINDS, "year 0", "after the year 9999", "parameters of RSA", "TLS feature"]
)
def test_what_only_openssl_reads_is_left_alone(kind: str, host: Host, pki: PKI) -> None:
    """Names are compared as RFC 5280 does."""
    name = PLAIN if kind == "printable" else NAME
    sans = [x509.DNSName("Device.Example"), x509.IPAddress(ip_address("2001:db8::1"))]
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), b"\x30\3\2\1\x63")
    more = [odd] if kind == "TLS feature" else []
    me = pki.issue("ansible-only", pki.issuing, subject=make_name(name), sans=sans, more=more)
    given = me.certificate.public_bytes(Encoding.DER)
    if kind in KINDS:
        given = odd_identity(kind, me, pki.issuing)
    elif not more:
        given = with_field(kind, me.certificate)
    (host.path / "device.pem").write_text(ssl.DER_cert_to_PEM_cert(given))
    (host.path / "device.key").write_bytes(key_pem(me.key))
    wanted: dict[str, Any] = {
        "subject": f"CN={name.upper().replace(' ', '  ')},O=OSSLCMP tests",
        "sans": ["IP:2001:DB8:0::1", "device.example"],
        "renew_days": 9,
    }
    told = host.certificate(**wanted)
    assert (told["changed"], told["reason"]) == (False, None)
    assert told["serial_number"] == f"{me.certificate.serial_number:x}"
    assert host.certificate("--check", **{**wanted, "subject": "CN=x"})["reason"] == "it has another subject"


def test_a_key_that_only_openssl_reads(host: Host) -> None:
    """It is that of the certificate or not, and gets its certificate, in DER as well."""
    key, other, path = host.path / "device.key", host.path / "other.key", host.path / "device.pem"
    for file in (key, other):
        openssl.run(
            ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256t1", "-out", file]
        ).must()
    first = host.certificate()
    path.write_bytes(ssl.PEM_cert_to_DER_cert(path.read_text().partition("\n-----BEGIN")[0] + "\n"))
    assert not host.certificate()["changed"]
    other.replace(key)
    told = host.certificate()
    assert told["reason"] == "it is for another key"
    assert told["serial_number"] != first["serial_number"]


def test_what_is_there_does_nothing_to_a_terminal(host: Host, pki: PKI) -> None:
    """Names in a certificate are shown as they are in no diff, and a key with a password is no mistake of the module."""
    odd = pki.issue("ansible-odd", pki.issuing, subject=make_name("a\x1b[2J\u202eb"))
    (host.path / "device.pem").write_bytes(cert_pem(odd.certificate))
    (host.path / "device.key").write_bytes(key_pem(odd.key))
    shown = host.certificate("--check", "--diff")["shown"]
    assert "\\x1b[2J\\u202eb" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    encrypted = odd.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (host.path / "device.key").write_bytes(encrypted)
    assert "assword" in host.certificate(fails=True)["msg"]


def test_refusal_is_told_and_revocation_is_done_once(host: Host, pki: PKI) -> None:
    """The server's words are in the failed task; a certificate that is revoked already is no change."""
    told = host.certificate(fails=True, secret="wrong and a half")
    assert "rejection" in told["msg"]
    host.certificate()
    ra = pki.issue("ansible-ra", pki.issuing, purposes=[CMC_RA.dotted_string])
    signer: dict[str, Any] = {
        "signer_path": str(ra.full_chain_file),
        "signer_privatekey_path": str(ra.key_file),
    }
    assert host.run("cmp_revocation", "--check", **signer)["changed"]
    assert host.ca.records[0].revoked is None
    told = host.run("cmp_revocation", "--diff", reason="superseded", **signer)
    assert told["changed"]
    assert "+revoked: superseded" in told["shown"]
    assert host.ca.records[0].revoked is not None
    # In the other forms that a client takes.
    (host.path / "device.pem").write_bytes(host.ca.records[0].certificate.public_bytes(Encoding.DER))
    assert not host.run("cmp_revocation", **signer)["changed"]
