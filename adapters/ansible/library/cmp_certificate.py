#!/usr/bin/python
"""Ansible module: a certificate from a CMP server, kept valid."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cmp_certificate
short_description: Get a certificate from a CMP server and keep it valid
description:
  - Enrols (ir) under a shared secret when there is no certificate, or one that does not fit; updates it (kur), signed
    with itself, when it is about to expire. Otherwise nothing is done.
  - Makes a P-256 key when there is none.
requirements: [osslcmp]
options:
  server: {description: URL of the CMP server., type: str, required: true}
  path: {description: Where the certificate and its chain are, as PEM., type: path, required: true}
  privatekey_path: {description: Where its private key is, as PEM., type: path, required: true}
  trusted: {description: Roots that the server is trusted by, as PEM., type: path, required: true}
  subject: {description: "As RFC 4514 has it, such as CN=device,O=Example.", type: str, required: true}
  sans: {description: Alternative names., type: list, elements: str, default: []}
  reference: {description: Of the shared secret., type: str}
  secret: {description: The shared secret., type: str}
  renew_days: {description: Update it when it is valid for fewer days., type: int, default: 30}
  force: {description: Enrol or update in any case., type: bool, default: false}
  timeout: {description: Seconds to wait for the certificate., type: int, default: 60}
extends_documentation_fragment: [files]
"""
EXAMPLES = r"""
- cmp_certificate:
    server: https://cmp.example/.well-known/cmp
    path: /etc/ssl/device.pem
    privatekey_path: /etc/ssl/private/device.key
    trusted: /etc/ssl/cmp-root.pem
    subject: CN=device-7,O=Example
    reference: device-7
    secret: "{{ vault_secret }}"
"""
RETURN = r"""
serial_number: {description: Of the certificate, in hexadecimal., type: str, returned: always}
not_after: {description: Until when it is valid., type: str, returned: always}
"""

import datetime
import ipaddress
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import osslcmp


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "privatekey_path": {"type": "path", "required": True},
            "trusted": {"type": "path", "required": True},
            "subject": {"type": "str", "required": True},
            "sans": {"type": "list", "elements": "str", "default": []},
            "reference": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "renew_days": {"type": "int", "default": 30},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 60},
        },
        required_together=[("reference", "secret")],
        add_file_common_args=True,
        supports_check_mode=True,
    )
    try:
        run(module)
    except (osslcmp.CMPError, OSError, ValueError, TypeError) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}")


def run(module: Any) -> None:
    """Enrol or update, if needed, and tell."""
    wanted = module.params
    path, key_path = Path(wanted["path"]), Path(wanted["privatekey_path"])
    key: Any = str(key_path) if key_path.exists() else None
    # In all forms that a client takes; DER of what only OpenSSL reads.
    chain = list(osslcmp.CertificateCheck(trusted=str(path)).trusted) if path.exists() else []
    why = _why(wanted, chain, key)
    before = _told(chain)
    if why is not None and not module.check_mode:
        if key is None:
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _write(module, key_path, pem, secret=True)
        enrollment = _enrol(wanted, chain, key, update=why in ("it expires soon", "force"))
        _write(module, path, enrollment.fullchain_pem, secret=False)
        chain = [enrollment.certificate_der]
    after = _told(chain) if why is None or not module.check_mode else f"a new certificate: {why}\n"
    attributes = module.load_file_common_arguments(wanted)
    changed = why is not None
    if path.exists():
        changed = module.set_fs_attributes_if_different(attributes, changed)
    certificate = _seen(chain[0]) if chain else None
    module.exit_json(
        changed=changed,
        reason=why,
        serial_number=None if certificate is None else f"{certificate.serial_number:x}",
        not_after=None if certificate is None else certificate.not_valid_after_utc.isoformat(),
        diff={"before": before, "after": after, "before_header": str(path), "after_header": str(path)},
    )


def _seen(certificate: Any) -> x509.Certificate:
    return certificate if isinstance(certificate, x509.Certificate) else osslcmp.look_alike(certificate)


def _why(wanted: dict[str, Any], chain: list[Any], key: Any) -> str | None:
    """Why there has to be a new certificate; None when there has not."""
    if not chain or key is None:
        return "there is none" if not chain else "there is no key"
    certificate = _seen(chain[0])
    try:
        osslcmp.Client(wanted["server"], certificate=chain[0], key=key, trusted=wanted["trusted"])
    except ValueError as error:
        if "does not match" in str(error):
            return "it is for another key"
        raise
    if _parts(certificate.subject) != _parts(x509.Name.from_rfc4514_string(wanted["subject"])):
        return "it has another subject"
    if set(map(_plain, wanted["sans"])) != set(map(_plain, _sans(certificate))):
        return "it has other alternative names"
    now = datetime.datetime.now(datetime.timezone.utc)
    left = certificate.not_valid_after_utc - now
    if left <= datetime.timedelta(0):
        return "it has expired"
    if left < datetime.timedelta(days=wanted["renew_days"]):
        return "it expires soon"
    return "force" if wanted["force"] else None


def _parts(name: x509.Name) -> list[list[tuple[str, str]]]:
    """A name as it is compared (RFC 5280, section 7.1): not by types of strings, case and spaces."""
    return [
        sorted((part.oid.dotted_string, " ".join(str(part.value).casefold().split())) for part in rdn)
        for rdn in name.rdns
    ]


def _plain(san: str) -> str:
    """An alternative name as it is compared, with or without its kind before it."""
    text = re.sub(r"^(DNS|IP|email|URI):", "", san).casefold()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text


def _enrol(wanted: dict[str, Any], chain: list[Any], key: Any, *, update: bool) -> osslcmp.Enrollment:
    always: dict[str, Any] = {"trusted": wanted["trusted"], "total_timeout": wanted["timeout"]}
    if update:
        signer = osslcmp.Client(wanted["server"], certificate=chain[0], key=key, chain=chain[1:], **always)
        return signer.kur(key)
    if wanted["reference"] is None:
        raise ValueError("a first certificate needs reference and secret")
    client = osslcmp.Client(
        wanted["server"], reference=wanted["reference"], secret=wanted["secret"], **always
    )
    return client.ir(key, subject=wanted["subject"], sans=wanted["sans"])


def _sans(certificate: x509.Certificate) -> list[str]:
    found = osslcmp.find_extension(certificate, x509.SubjectAlternativeName)
    return [str(name.value) for name in found or ()]


def _told(chain: list[Any]) -> str:
    """What a certificate is, for the diff."""
    if not chain:
        return ""
    one = _seen(chain[0])
    lines = {
        "subject": one.subject.rfc4514_string(),
        "sans": ", ".join(_sans(one)),
        "serial": f"{one.serial_number:x}",
        "not after": one.not_valid_after_utc.isoformat(),
    }
    return "".join(f"{name}: {_visible(value)}\n" for name, value in lines.items())


def _visible(text: str) -> str:
    """Names are the server's words, and a diff goes to a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _write(module: Any, path: Path, data: bytes, *, secret: bool) -> None:
    """Whole or not at all. A secret is nobody else's at any moment; else the mode of what was there stays."""
    handle, draft = tempfile.mkstemp(dir=path.parent if secret else module.tmpdir)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    if secret:
        Path(draft).replace(path)
    else:
        module.atomic_move(draft, str(path))


if __name__ == "__main__":
    main()
