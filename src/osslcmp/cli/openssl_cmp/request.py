"""The contents of the request: what ``openssl cmp`` takes from its enrollment and revocation options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..._files import read
from ..._lazy import x509
from ..._openssl.convert import free_extensions, oid_from_c, policy_to_c
from ..._openssl.errorqueue import check, clear, drain, drain_text
from ..._openssl.lib import NULL, features, ffi, lib, usable_version
from ..._openssl.ownership import own
from ..._openssl.received import message_from_der
from ...enums import Option
from .console import Console, Failure
from .settings import items

if TYPE_CHECKING:
    from .context import Run

_ENROLL = ("ir", "cr", "kur")
_NONE, _RAVERIFIED = -1, 0
_FALLBACK_KEY = hasattr(lib, "OSSL_CMP_MSG_get0_certreq_publickey")
"""Whether -reqin can provide the key."""


def set_up_request(run: Run) -> None:
    """Check the combination and put all into the context. Raises Failure."""
    command = run.opt.text("cmd")
    if not run.opt.given("subject", "csr", "oldcert", "cert") and command not in ("rr", "genm"):
        run.console.warn("no -subject given; no -csr or -oldcert or -cert available for fallback")
    if command in _ENROLL or usable_version >= (3, 2, 0):
        set_name(run, "issuer", "OSSL_CMP_CTX_set1_issuer")
    if command in _ENROLL:
        _check_enrollment(run)
        set_name(run, "subject", "OSSL_CMP_CTX_set1_subjectName")
    else:
        _ignored(run)
    _check_command(run)
    if not run.opt.given("recipient", "srvcert", "issuer", "oldcert", "cert"):
        run.console.warn(
            'missing -recipient, -srvcert, -issuer, -oldcert or -cert; recipient will be set to "NULL-DN"'
        )
    _set_key(run)
    if run.opt.number("days") > 0:
        run.ctx.set_option(Option.VALIDITY_DAYS, run.opt.number("days"))
    if run.opt.given("policies") and run.opt.given("policy_oids"):
        raise Failure("cannot have policies both via -policies and via -policy_oids")
    csr = _set_csr(run)
    _set_extensions(run, csr)
    _set_sans(run)
    _set_policies(run)
    if run.opt.number("popo") >= _NONE:
        run.ctx.set_option(Option.POPO_METHOD, run.opt.number("popo"))
    _set_old_cert(run)
    if run.opt.number("revreason") > _NONE:
        run.ctx.set_option(Option.REVOCATION_REASON, run.opt.number("revreason"))


def _check_enrollment(run: Run) -> None:
    from_request = _FALLBACK_KEY and run.opt.given("reqin")
    if (
        not run.opt.given("newkey", "key", "csr", "oldcert")
        and not run.opt.flag("centralkeygen")
        and not from_request
    ):
        raise Failure(
            "missing -newkey (or -key) to be certified and no -csr, -oldcert, or -cert given for fallback public key"
        )
    if features["central_key_generation"]:
        _check_central(run)
    if not run.opt.given("newkey") and run.opt.number("popo") not in (_NONE, _RAVERIFIED):
        if run.opt.given("csr"):
            more = ", and -key option superseded by -csr" if run.opt.given("key") else ""
            if from_request:
                run.console.info(
                    "since -reqin is used, -popo -1 or -popo 0 avoids making a needless proof of possession"
                )
            raise Failure(
                "no -newkey option given with private key for POPO, -csr option provides just public key"
                + more
            )
        if not run.opt.given("key"):
            raise Failure("missing -newkey (or -key) option for POPO")
    if not run.opt.given("certout", "reqout_only"):
        raise Failure("-certout not given, nowhere to save newly enrolled certificate")


def _check_central(run: Run) -> None:
    """Since 3.5 no proof of possession means that the CA makes the key."""
    if run.opt.number("popo") == _NONE and not run.opt.flag("centralkeygen"):
        run.console.info("POPO is disabled, which implies -centralkeygen")
        run.opt.put("centralkeygen", 1)
    if run.opt.flag("centralkeygen"):
        if run.opt.number("popo") > _NONE:
            raise Failure(f"-popo value {run.opt.number('popo')} is inconsistent with -centralkeygen")
        if not run.opt.given("newkeyout"):
            raise Failure("-newkeyout not given, nowhere to save centrally generated key")
        run.opt.put("popo", _NONE)


def set_name(run: Run, option: str, function: str, what: str = "") -> None:
    """Set the name of an option, if it is given; messages call it ``what``."""
    if (value := run.opt.text(option)) is not None:
        run.ctx.put(function, _name(value, what or option, run.console))


def _ignored(run: Run) -> None:
    ignored = "-{} option is ignored for commands other than 'ir', 'cr', and 'kur'"
    if run.opt.given("ref", "cert"):
        run.warn_of(f"{ignored} since -ref or -cert is given", "subject")
    else:
        set_name(run, "subject", "OSSL_CMP_CTX_set1_subjectName")
    revoking = run.opt.text("cmd") == "rr" and usable_version >= (3, 2, 0)
    options = ("reqexts", "san_nodefault", "sans", "policies", "policy_oids")
    run.warn_of(ignored, *(() if revoking else ("issuer",)), *options)


def _check_command(run: Run) -> None:
    command = run.opt.text("cmd")
    if command == "kur":
        subject, csr = run.opt.text("subject"), run.opt.text("csr")
        reference = run.opt.text("oldcert") or run.opt.text("cert")
        if reference is None and csr is None:
            raise Failure("missing -oldcert for certificate to be updated and no -csr given")
        if subject is not None:
            run.console.warn(
                f"given -subject '{subject}' overrides the subject of '{reference or csr}' for KUR"
            )
    elif command == "rr":
        _check_revocation(run)
    elif command == "p10cr" and not run.opt.given("csr"):
        raise Failure("missing PKCS#10 CSR for p10cr")
    if command != "rr":
        run.warn_of("-{} option is ignored for commands other than 'rr'", "serial")


def _check_revocation(run: Run) -> None:
    if not run.opt.given("serial") and (usable_version < (3, 2, 0) or not run.opt.given("issuer")):
        if not run.opt.given("oldcert", "csr"):
            also = ", or -issuer and -serial," if usable_version >= (3, 2, 0) else ""
            raise Failure(f"missing -oldcert{also} for certificate to be revoked and no -csr given")
        if run.opt.given("oldcert"):
            run.warn_of("ignoring -{} since certificate to be revoked is given", "csr")
        return
    if not run.opt.given("issuer") or not run.opt.given("serial"):
        raise Failure("must give both -issuer and -serial options or neither")
    run.warn_of("ignoring -{} since -issuer and -serial is given for command 'rr'", "oldcert", "csr")


def _set_key(run: Run) -> None:
    if run.opt.text("cmd") in ("p10cr", "rr"):
        ignored = "-{} option is ignored for 'p10cr' and 'rr' commands"
        run.warn_of(ignored, "newkeypass", "newkey", "days", "centralkeygen")
        if run.opt.number("popo") >= _NONE:
            run.console.warn(ignored.format("popo"))
    elif (newkey := run.opt.text("newkey")) is not None:
        key, private = run.load.any_key(newkey, "newkeypass", "new private key for cert to be enrolled")
        run.ctx.give_new_key(key, private=private)
    elif (
        _FALLBACK_KEY
        and run.opt.given("reqin")
        and not run.opt.given("key", "csr", "oldcert")
        and not run.opt.flag("centralkeygen")
        and run.opt.text("cmd") != "genm"
    ):
        run.ctx.give_new_key(_key_of_request(items(run.opt.text("reqin") or "")[0]), private=False)


def _key_of_request(path: str) -> Any:
    """``EVP_PKEY *``, the public key in the ir, cr or kur of a file (since 3.3)."""
    message = own(message_from_der(read(path)), lib.OSSL_CMP_MSG_free, f"reading {path}")
    public = lib.OSSL_CMP_MSG_get0_certreq_publickey(message)
    key = NULL if public == NULL else lib.X509_PUBKEY_get(public)
    if key == NULL:
        clear()
        raise Failure(f"failed to get fallback public key from ir/cr/kur file '{path}'")
    return own(key, lib.EVP_PKEY_free, f"reading {path}")


def _set_csr(run: Run) -> Any:
    if run.opt.text("cmd") == "genm":
        run.warn_of("-{} option is ignored for command 'genm'", "csr")
        return NULL
    csr = run.load.optional(run.load.csr, "csr", "PKCS#10 CSR")
    if csr is not None:
        run.ctx.put("OSSL_CMP_CTX_set1_p10CSR", csr)
    return csr or NULL


def _set_extensions(run: Run, csr: Any) -> None:
    stack = own(lib.sk_X509_EXTENSION_new_null(), free_extensions, "making a list of extensions")
    if _add_section(run, "reqexts", csr, stack, "certificate request extension") + _add_section(
        run, "policies", csr, stack, "policy cert request extension"
    ):
        run.ctx.give("OSSL_CMP_CTX_set0_reqExtensions", stack, free_extensions)


def _add_section(run: Run, option: str, csr: Any, stack: Any, what: str) -> bool:
    """Add the extensions of an option's section in the configuration (``X509V3_EXT_add_nconf_sk``, 3.0), if it is given."""
    if (section := run.opt.text(option)) is None:
        return False
    context = ffi.new("X509V3_CTX *")
    lib.X509V3_set_ctx(context, NULL, NULL, csr, NULL, lib.X509V3_CTX_REPLACE)
    cell = ffi.new("struct stack_st_X509_EXTENSION **", stack)
    clear()
    done = 0
    if run.opt.config is not None:
        lib.X509V3_set_nconf(context, run.opt.config.pointer)
        done = lib.X509V3_EXT_add_nconf_sk(run.opt.config.pointer, context, os.fsencode(section), cell)
    if not done:
        message = drain_text()
        raise Failure(f"cannot load {what} section '{section}'" + (f": {message}" if message else ""))
    check(cell[0], "adding extensions")
    return True


def _set_sans(run: Run) -> None:
    sans = run.opt.text("sans")
    if sans is not None and run.ctx.req_extensions_have_san():
        raise Failure("cannot have Subject Alternative Names both via -reqexts and via -sans")
    for item in [] if sans is None else items(sans):
        if item == "critical":
            run.ctx.set_option(Option.SUBJECTALTNAME_CRITICAL, 1)
        else:
            run.ctx.put("OSSL_CMP_CTX_push1_subjectAltName", _alternative_name(item))
    if run.opt.flag("san_nodefault"):
        if sans is not None:
            run.console.warn("-opt_san_nodefault has no effect when -sans is used")
        run.ctx.set_option(Option.SUBJECTALTNAME_NODEFAULT, 1)


def _set_policies(run: Run) -> None:
    given = run.opt.text("policy_oids")
    if run.opt.flag("policy_oids_critical"):
        if given is None:
            run.console.warn("-opt_policy_oids_critical has no effect unless -policy_oids is given")
        run.ctx.set_option(Option.POLICIES_CRITICAL, 1)
    for text in [] if given is None else items(given):
        oid = read_oid(text, dotted=True, otherwise=f"unknown policy OID '{text}'")
        policy = policy_to_c(x509.PolicyInformation(oid, None))
        run.ctx.give("OSSL_CMP_CTX_push0_policy", policy, lib.POLICYINFO_free)


def _set_old_cert(run: Run) -> None:
    command = run.opt.text("cmd")
    if command == "rr" and (serial := run.opt.text("serial")) is not None:
        clear()
        number = lib.s2i_ASN1_INTEGER(NULL, os.fsencode(serial))
        if number == NULL:
            clear()
            raise Failure(f"cannot read serial number: '{serial}'")
        run.ctx.put("OSSL_CMP_CTX_set1_serialNumber", own(number, lib.ASN1_INTEGER_free, "reading a number"))
    if command == "genm":
        run.warn_of("-{} option is ignored for command 'genm'", "oldcert")
        return
    what = {"kur": "certificate to be updated", "rr": "certificate to be revoked"}.get(
        command or "", "reference certificate (oldcert)"
    )
    if (cert := run.load.optional(run.load.cert, "oldcert", "keypass", what)) is not None:
        run.ctx.put("OSSL_CMP_CTX_set1_oldCert", cert)


# -- from the text of an option to a C object --------------------------------------------------------------


def _name(value: str, what: str, console: Console) -> Any:
    """``X509_NAME *`` of ``/type=value+type=value/...`` with ``\\`` before a character that stands for itself.

    As in OpenSSL, attributes of unknown type or without value are skipped with a warning.
    """
    if not value.startswith("/"):
        raise Failure(
            f"cmp: {what} name is expected to be in the format /type0=value0/type1=value1/type2=... where characters "
            f"may be escaped by \\. This name is not in that format: '{value}'"
        )
    clear()
    result = own(lib.X509_NAME_new(), lib.X509_NAME_free, f"making the {what} name")
    rest, same_rdn = value[1:], False
    while rest:
        kind, equals, rest = rest.partition("=")
        if not equals:
            raise Failure(f"cmp: Missing '=' after RDN type string '{kind}' in {what} name string")
        text, rest, more = _value(rest, what)
        number = lib.OBJ_txt2nid(os.fsencode(kind))
        clear()
        if number == lib.NID_undef:
            console.plain(f'cmp warning: Skipping unknown {what} name attribute "{kind}"')
            if same_rdn:
                console.plain(
                    "cmp hint: a '+' in a value needs a \\ before it unless another value of the RDN follows"
                )
        elif not text:
            console.plain(f'cmp warning: No value provided for {what} name attribute "{kind}", skipped')
        else:
            encoded = os.fsencode(text)
            if not lib.X509_NAME_add_entry_by_NID(
                result, number, lib.MBSTRING_UTF8, encoded, len(encoded), -1, -1 if same_rdn else 0
            ):
                message = "; ".join(map(str, drain()))
                raise Failure(f'cmp: Error adding {what} name attribute "/{kind}={text}": {message}')
        same_rdn = more
    return result


def _value(rest: str, what: str) -> tuple[str, str, bool]:
    """A value, what follows its separator, and whether that belongs to the same RDN."""
    text, place = "", 0
    while place < len(rest) and rest[place] not in "/+":
        if rest[place] == "\\":
            place += 1
            if place == len(rest):
                raise Failure(f"cmp: Escape character at end of {what} name string")
        text += rest[place]
        place += 1
    return text, rest[place + 1 :], rest[place : place + 1] == "+"


def _alternative_name(value: str) -> Any:
    """``GENERAL_NAME *`` of an IP address, an email address (from 3.2 on), a URI (with a colon) or a DNS name."""
    kind = lib.GEN_URI if ":" in value else lib.GEN_DNS
    if "@" in value and usable_version >= (3, 2, 0):
        kind = lib.GEN_EMAIL
    clear()
    for tried in (lib.GEN_IPADD, kind):
        found = lib.a2i_GENERAL_NAME(NULL, NULL, NULL, tried, os.fsencode(value), 0)
        if found != NULL:
            break
    clear()
    if found == NULL:
        raise Failure(f"bad syntax of Subject Alternative Name '{value}'")
    return own(found, lib.GENERAL_NAME_free, "reading a name")


def read_oid(name: str, *, dotted: bool, otherwise: str = "") -> x509.ObjectIdentifier:
    """Raises Failure with the text ``otherwise``."""
    clear()
    pointer = lib.OBJ_txt2obj(os.fsencode(name), int(dotted))
    clear()
    if pointer == NULL:
        raise Failure(otherwise or f"cannot parse OID in -geninfo option: '{name}'")
    return oid_from_c(own(pointer, lib.ASN1_OBJECT_free, "reading an OID"))
