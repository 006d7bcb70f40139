"""The contents of the request: what ``openssl cmp`` takes from its enrollment and revocation options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..._openssl.convert import free_extensions
from ..._openssl.errorqueue import clear
from ..._openssl.lib import NULL, features, lib, usable_version
from ..._openssl.ownership import take
from ..._openssl.received import message_from_der
from ...enums import Option
from . import names
from .console import Console, Failure
from .context import CommandContext
from .load import Loader
from .settings import Settings, items

__all__ = ["set_up_request"]

_ENROLL = ("ir", "cr", "kur")
_NONE, _RAVERIFIED = -1, 0
_FALLBACK_KEY = hasattr(lib, "OSSL_CMP_MSG_get0_certreq_publickey")
"""Whether -reqin can provide the key."""


def set_up_request(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    """Check the combination and put all into the context. Raises Failure."""
    command = s.text("cmd")
    if not s.given("subject", "csr", "oldcert", "cert") and command not in ("rr", "genm"):
        console.warn("no -subject given; no -csr or -oldcert or -cert available for fallback")
    if command in _ENROLL or usable_version >= (3, 2, 0):
        _set_name(ctx, s, console, "issuer", "OSSL_CMP_CTX_set1_issuer")
    if command in _ENROLL:
        _check_enrollment(s, console)
        _set_name(ctx, s, console, "subject", "OSSL_CMP_CTX_set1_subjectName")
    else:
        _ignored(ctx, s, console)
    _check_command(s, console)
    if not s.given("recipient", "srvcert", "issuer", "oldcert", "cert"):
        console.warn(
            'missing -recipient, -srvcert, -issuer, -oldcert or -cert; recipient will be set to "NULL-DN"'
        )
    _set_key(ctx, s, console, loader)
    if s.number("days") > 0:
        ctx.set_option(Option.VALIDITY_DAYS, s.number("days"))
    if s.given("policies") and s.given("policy_oids"):
        raise Failure("cannot have policies both via -policies and via -policy_oids")
    csr = _set_csr(ctx, s, console, loader)
    _set_extensions(ctx, s, csr)
    _set_sans(ctx, s, console)
    _set_policies(ctx, s, console)
    if s.number("popo") >= _NONE:
        ctx.set_option(Option.POPO_METHOD, s.number("popo"))
    _set_old_cert(ctx, s, console, loader)
    if s.number("revreason") > _NONE:
        ctx.set_option(Option.REVOCATION_REASON, s.number("revreason"))


def _check_enrollment(s: Settings, console: Console) -> None:
    from_request = _FALLBACK_KEY and s.given("reqin")
    if not s.given("newkey", "key", "csr", "oldcert") and not s.flag("centralkeygen") and not from_request:
        raise Failure(
            "missing -newkey (or -key) to be certified and no -csr, -oldcert, or -cert given for fallback public key"
        )
    if features["central_key_generation"]:
        _check_central(s, console)
    if not s.given("newkey") and s.number("popo") not in (_NONE, _RAVERIFIED):
        if s.given("csr"):
            more = ", and -key option superseded by -csr" if s.given("key") else ""
            if from_request:
                console.info(
                    "since -reqin is used, -popo -1 or -popo 0 avoids making a needless proof of possession"
                )
            raise Failure(
                "no -newkey option given with private key for POPO, -csr option provides just public key"
                + more
            )
        if not s.given("key"):
            raise Failure("missing -newkey (or -key) option for POPO")
    if not s.given("certout", "reqout_only"):
        raise Failure("-certout not given, nowhere to save newly enrolled certificate")


def _check_central(s: Settings, console: Console) -> None:
    """Since 3.5 no proof of possession means that the CA makes the key."""
    if s.number("popo") == _NONE and not s.flag("centralkeygen"):
        console.info("POPO is disabled, which implies -centralkeygen")
        s.put("centralkeygen", 1)
    if s.flag("centralkeygen"):
        if s.number("popo") > _NONE:
            raise Failure(f"-popo value {s.number('popo')} is inconsistent with -centralkeygen")
        if not s.given("newkeyout"):
            raise Failure("-newkeyout not given, nowhere to save centrally generated key")
        s.put("popo", _NONE)


def _set_name(ctx: CommandContext, s: Settings, console: Console, option: str, function: str) -> None:
    if (value := s.text(option)) is not None:
        ctx.put(function, names.name(value, option, console))


def _ignored(ctx: CommandContext, s: Settings, console: Console) -> None:
    why = "option is ignored for commands other than 'ir', 'cr', and 'kur'"
    if s.given("subject"):
        if s.given("ref", "cert"):
            console.warn(f"-subject {why} since -ref or -cert is given")
        else:
            _set_name(ctx, s, console, "subject", "OSSL_CMP_CTX_set1_subjectName")
    revoking = s.text("cmd") == "rr" and usable_version >= (3, 2, 0)
    for option in ("issuer", "reqexts", "san_nodefault", "sans", "policies", "policy_oids"):
        if s.flag(option) and not (option == "issuer" and revoking):
            console.warn(f"-{option} {why}")


def _check_command(s: Settings, console: Console) -> None:
    command = s.text("cmd")
    if command == "kur":
        reference = s.text("oldcert") or s.text("cert")
        if reference is None and not s.given("csr"):
            raise Failure("missing -oldcert for certificate to be updated and no -csr given")
        if s.given("subject"):
            console.warn(
                f"given -subject '{s.text('subject')}' overrides the subject of '{reference or s.text('csr')}' for KUR"
            )
    elif command == "rr":
        _check_revocation(s, console)
    elif command == "p10cr" and not s.given("csr"):
        raise Failure("missing PKCS#10 CSR for p10cr")
    if s.given("serial") and command != "rr":
        console.warn("-serial option is ignored for commands other than 'rr'")


def _check_revocation(s: Settings, console: Console) -> None:
    if not s.given("serial") and (usable_version < (3, 2, 0) or not s.given("issuer")):
        if not s.given("oldcert", "csr"):
            also = ", or -issuer and -serial," if usable_version >= (3, 2, 0) else ""
            raise Failure(f"missing -oldcert{also} for certificate to be revoked and no -csr given")
        if s.given("oldcert") and s.given("csr"):
            console.warn("ignoring -csr since certificate to be revoked is given")
        return
    if not s.given("issuer") or not s.given("serial"):
        raise Failure("must give both -issuer and -serial options or neither")
    for option in ("oldcert", "csr"):
        if s.given(option):
            console.warn(f"ignoring -{option} since -issuer and -serial is given for command 'rr'")


def _set_key(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    if s.text("cmd") in ("p10cr", "rr"):
        why = "option is ignored for 'p10cr' and 'rr' commands"
        for option in ("newkeypass", "newkey", "days", "centralkeygen"):
            if s.flag(option):
                console.warn(f"-{option} {why}")
        if s.number("popo") >= _NONE:
            console.warn(f"-popo {why}")
    elif (newkey := s.text("newkey")) is not None:
        key, private = loader.any_key(newkey, "newkeypass", "new private key for cert to be enrolled")
        ctx.give_new_key(key, private=private)
    elif (
        _FALLBACK_KEY
        and s.given("reqin")
        and not s.given("key", "csr", "oldcert")
        and not s.flag("centralkeygen")
        and s.text("cmd") != "genm"
    ):
        ctx.give_new_key(_key_of_request(items(s.text("reqin") or "")[0]), private=False)


def _key_of_request(path: str) -> Any:
    """``EVP_PKEY *``, the public key in the ir, cr or kur of a file (since 3.3)."""
    message = take(message_from_der(Path(path).read_bytes()), lib.OSSL_CMP_MSG_free, f"reading {path}")
    public = lib.OSSL_CMP_MSG_get0_certreq_publickey(message)
    key = NULL if public == NULL else lib.X509_PUBKEY_get(public)
    if key == NULL:
        clear()
        raise Failure(f"failed to get fallback public key from ir/cr/kur file '{path}'")
    return take(key, lib.EVP_PKEY_free, f"reading {path}")


def _set_csr(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> Any:
    path = s.text("csr")
    if path is None:
        return NULL
    if s.text("cmd") == "genm":
        console.warn("-csr option is ignored for command 'genm'")
        return NULL
    csr = loader.csr(path, "PKCS#10 CSR")
    ctx.put("OSSL_CMP_CTX_set1_p10CSR", csr)
    return csr


def _set_extensions(ctx: CommandContext, s: Settings, csr: Any) -> None:
    reqexts, policies = s.text("reqexts"), s.text("policies")
    if reqexts is None and policies is None:
        return
    config = None if s.config is None else s.config.pointer
    stack = names.extensions()
    if reqexts is not None:
        names.template_section(config, reqexts, csr, stack, "certificate request extension")
    if policies is not None:
        names.template_section(config, policies, csr, stack, "policy cert request extension")
    ctx.give("OSSL_CMP_CTX_set0_reqExtensions", stack, free_extensions)


def _set_sans(ctx: CommandContext, s: Settings, console: Console) -> None:
    sans = s.text("sans")
    if sans is not None and ctx.req_extensions_have_san():
        raise Failure("cannot have Subject Alternative Names both via -reqexts and via -sans")
    for item in [] if sans is None else items(sans):
        if item == "critical":
            ctx.set_option(Option.SUBJECTALTNAME_CRITICAL, 1)
        else:
            ctx.put("OSSL_CMP_CTX_push1_subjectAltName", names.alternative_name(item))
    if s.flag("san_nodefault"):
        if sans is not None:
            console.warn("-opt_san_nodefault has no effect when -sans is used")
        ctx.set_option(Option.SUBJECTALTNAME_NODEFAULT, 1)


def _set_policies(ctx: CommandContext, s: Settings, console: Console) -> None:
    oids = s.text("policy_oids")
    if s.flag("policy_oids_critical"):
        if oids is None:
            console.warn("-opt_policy_oids_critical has no effect unless -policy_oids is given")
        ctx.set_option(Option.POLICIES_CRITICAL, 1)
    for oid in [] if oids is None else items(oids):
        ctx.give("OSSL_CMP_CTX_push0_policy", names.policy(oid), lib.POLICYINFO_free)


def _set_old_cert(ctx: CommandContext, s: Settings, console: Console, loader: Loader) -> None:
    command = s.text("cmd")
    if command == "rr" and (serial := s.text("serial")) is not None:
        clear()
        number = lib.s2i_ASN1_INTEGER(NULL, os.fsencode(serial))
        if number == NULL:
            clear()
            raise Failure(f"cannot read serial number: '{serial}'")
        ctx.put("OSSL_CMP_CTX_set1_serialNumber", take(number, lib.ASN1_INTEGER_free, "reading a number"))
    path = s.text("oldcert")
    if path is None:
        return
    if command == "genm":
        console.warn("-oldcert option is ignored for command 'genm'")
        return
    what = {"kur": "certificate to be updated", "rr": "certificate to be revoked"}.get(
        command or "", "reference certificate (oldcert)"
    )
    cert = loader.cert(path, "keypass", what)
    ctx.put("OSSL_CMP_CTX_set1_oldCert", cert)
