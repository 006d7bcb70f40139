#!/usr/bin/python
"""Ansible module: revokes a certificate by CMP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cmp_revocation
short_description: Revoke a certificate by CMP
description:
  - Sends a revocation request (rr), signed with the certificate itself or with that of a registration authority. A
    certificate that is revoked already is left as it is.
requirements: [osslcmp]
options:
  server: {description: URL of the CMP server., type: str, required: true}
  path: {description: "The certificate to revoke, as PEM or DER.", type: path, required: true}
  trusted: {description: Roots that the server is trusted by, as PEM., type: path, required: true}
  signer_path: {description: "Certificate and chain that sign, by default those of path.", type: path}
  signer_privatekey_path: {description: The private key of it., type: path, required: true}
  reason: {description: "As RFC 5280 names it, such as keyCompromise.", type: str, default: unspecified}
  timeout: {description: Seconds to wait for the answer., type: int, default: 60}
"""
EXAMPLES = r"""
- cmp_revocation:
    server: https://cmp.example/.well-known/cmp
    path: /etc/ssl/device.pem
    trusted: /etc/ssl/cmp-root.pem
    signer_path: /etc/ssl/ra.pem
    signer_privatekey_path: /etc/ssl/private/ra.key
    reason: cessationOfOperation
"""
RETURN = r"""
serial_number: {description: Of the certificate, in hexadecimal., type: str, returned: if cryptography reads it}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

import osslcmp


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "trusted": {"type": "path", "required": True},
            "signer_path": {"type": "path"},
            "signer_privatekey_path": {"type": "path", "required": True},
            "reason": {"type": "str", "default": "unspecified"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        run(module)
    except (osslcmp.CMPError, OSError, ValueError) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}")


def run(module: Any) -> None:
    """Revoke it, if it is not, and tell. Whether it is, only the server knows: check mode takes it for valid."""
    wanted = module.params
    certificate = _certificates(wanted["path"])[0]
    signer, *chain = _certificates(wanted["signer_path"] or wanted["path"])
    reason = osslcmp.RevocationReason(wanted["reason"])
    changed = True
    if not module.check_mode:
        client = osslcmp.Client(
            wanted["server"],
            certificate=signer,
            key=wanted["signer_privatekey_path"],
            chain=chain,
            trusted=wanted["trusted"],
            total_timeout=wanted["timeout"],
        )
        try:
            client.rr(certificate, reason=reason)
        except osslcmp.RejectedError as refused:
            if refused.failure_info != osslcmp.FailureInfo.certRevoked:
                raise
            changed = False
    states = ("valid or revoked\n" if module.check_mode else "valid\n"), f"revoked: {reason.name}\n"
    before, after = states if changed else (states[1], states[1])
    module.exit_json(
        changed=changed,
        serial_number=None if isinstance(certificate, bytes) else f"{certificate.serial_number:x}",
        diff={"before": before, "after": after},
    )


def _certificates(path: str) -> list[Any]:
    """Those in a file, in all forms that a client takes; DER of what only OpenSSL reads."""
    return list(osslcmp.CertificateCheck(trusted=path).trusted)


if __name__ == "__main__":
    main()
