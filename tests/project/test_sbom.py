"""The SBOM in wheels with an OpenSSL inside: tools/sbom.py."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib comes with the extra test")
pytest.importorskip("wheel", reason="wheel comes with the extra test")
from cyclonedx.model.bom import Bom

import sbom

EXTENSION = b"\x7fELF ... OpenSSL 3.5.4 30 Sep 2025 ... deflate 1.3.1 Copyright 1995-2024 ..."


def make_wheel(path: Path, extension: bytes) -> Path:
    """A wheel of three files."""
    info = "osslcmp-1.2.dist-info"
    files = {
        "osslcmp/_native.abi3.so": extension,
        f"{info}/METADATA": b"Metadata-Version: 2.4\nName: osslcmp\nVersion: 1.2\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp310-abi3-linux_x86_64\n",
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    wheel = path / "osslcmp-1.2-cp310-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, content)
    return wheel


def test_wheel_tells_what_is_linked_into_it(tmp_path: Path) -> None:
    """The OpenSSL by name, version, package URL and CPE, in the place of PEP 770, recorded as any file of a wheel."""
    wheel = make_wheel(tmp_path, EXTENSION)
    subprocess.run(
        [sys.executable, sbom.__file__, str(wheel)], check=True, timeout=120, stdout=subprocess.DEVNULL
    )
    with zipfile.ZipFile(wheel) as archive:
        told = json.loads(archive.read("osslcmp-1.2.dist-info/sboms/osslcmp.cdx.json"))
        assert b"sboms/osslcmp.cdx.json,sha256=" in archive.read("osslcmp-1.2.dist-info/RECORD")
        assert archive.read("osslcmp/_native.abi3.so") == EXTENSION
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["purl"] == "pkg:pypi/osslcmp@1.2"
    found = {component["name"]: component for component in told["components"]}
    assert set(found) == {"_native.abi3.so", "openssl", "zlib"}
    assert found["openssl"]["version"] == "3.5.4"
    assert found["openssl"]["purl"] == "pkg:generic/openssl@3.5.4"
    assert found["openssl"]["cpe"] == "cpe:2.3:a:openssl:openssl:3.5.4:*:*:*:*:*:*:*"
    assert found["zlib"]["version"] == "1.3.1"
    (digest,) = found["_native.abi3.so"]["hashes"]
    assert digest == {"alg": "SHA-256", "content": hashlib.sha256(EXTENSION).hexdigest()}
    depends = {one["ref"]: one.get("dependsOn", []) for one in told["dependencies"]}
    assert depends["osslcmp"] == ["_native.abi3.so"]
    assert depends["_native.abi3.so"] == ["openssl", "zlib"]
    assert len(Bom.from_json(told).components) == 3  # type: ignore[attr-defined]


def test_wheel_without_openssl_is_refused(tmp_path: Path) -> None:
    """It would be an SBOM that says nothing; the wheel stays."""
    wheel = make_wheel(tmp_path, b"nothing")
    before = wheel.read_bytes()
    with pytest.raises(ValueError, match="has no OpenSSL in it"):
        sbom.add(wheel)
    assert wheel.read_bytes() == before
