"""``python tools/sbom.py WHEEL``: puts an SBOM (CycloneDX 1.6, as PEP 770 wants it) into a wheel with an OpenSSL inside.

It names what the wheel's extension was linked with, which no package manager sees. Run by ``tools/wheels.py``; needs
cyclonedx-python-lib and wheel.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from email import message_from_bytes
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PLACE = "sboms/osslcmp.cdx.json"
"""In the wheel's .dist-info."""

#: What may be linked into the extension: name, how its binary says its version, and its CPE.
LINKED = {
    "openssl": (rb"OpenSSL (\d+\.\d+\.\d+) +\d", "cpe:2.3:a:openssl:openssl:{}:*:*:*:*:*:*:*"),
    "zlib": (rb"deflate (\d+\.\d+[.\d]*) Copyright", "cpe:2.3:a:zlib:zlib:{}:*:*:*:*:*:*:*"),
}


def bom(name: str, version: str, extension: Path) -> Bom:
    """The SBOM of a wheel.

    Args:
        name: of the package.
        version: likewise.
        extension: the compiled module.

    Raises:
        ValueError: there is no OpenSSL in it.
    """
    content = extension.read_bytes()
    own = Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=name,
        purl=PackageURL("pypi", None, name, version),
    )
    made = Bom()
    made.metadata.component = own
    digest = HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())
    file = Component(name=extension.name, type=ComponentType.FILE, bom_ref=extension.name, hashes=[digest])
    made.components.add(file)
    made.register_dependency(own, [file])
    linked = []
    for library, (pattern, cpe) in LINKED.items():
        found = re.search(pattern, content)
        if found is None:
            continue
        number = found[1].decode()
        linked.append(
            Component(
                name=library, version=number, type=ComponentType.LIBRARY, bom_ref=library,
                purl=PackageURL("generic", None, library, number), cpe=cpe.format(number),
                properties=[Property(name="osslcmp:linked", value="statically, all symbols hidden")],
            )
        )  # fmt: skip
    if not linked or linked[0].name != "openssl":
        raise ValueError(f"{extension.name} has no OpenSSL in it")
    for component in linked:
        made.components.add(component)
    made.register_dependency(file, linked)
    return made


def add(wheel: Path) -> None:
    """Put it into a wheel, in the place of the wheel there was."""
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-m", "wheel"]
        subprocess.run([*run, "unpack", "-d", folder, str(wheel)], check=True)
        (tree,) = Path(folder).iterdir()
        (info,) = tree.glob("*.dist-info")
        (extension,) = tree.glob("osslcmp/_native*.so")
        metadata = message_from_bytes((info / "METADATA").read_bytes())
        file = info / PLACE
        file.parent.mkdir(exist_ok=True)
        made = bom(metadata["Name"], metadata["Version"], extension)
        file.write_text(JsonV1Dot6(made).output_as_string(indent=2) + "\n", encoding="utf-8")
        wheel.unlink()
        subprocess.run([*run, "pack", "-d", str(wheel.parent), str(tree)], check=True)
    if not wheel.exists():
        raise ValueError(f"{wheel.name} has got another name")


if __name__ == "__main__":
    add(Path(sys.argv[1]))
