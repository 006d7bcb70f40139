"""Names, alternative names, policies and extensions from the texts of options to C objects."""

from __future__ import annotations

import os
from typing import Any

from ..._openssl.convert import free_extensions, tlv
from ..._openssl.errorqueue import check, clear, drain, drain_text
from ..._openssl.lib import NULL, ffi, lib, usable_version
from ..._openssl.ownership import take
from .console import Console, Failure

__all__ = ["alternative_name", "extensions", "name", "policy", "template_section"]


def name(value: str, what: str, console: Console) -> Any:
    """``X509_NAME *`` of ``/type=value+type=value/...`` with ``\\`` before a character that stands for itself.

    As in OpenSSL, attributes of unknown type or without value are skipped with a warning.
    """
    if not value.startswith("/"):
        raise Failure(
            f"cmp: {what} name is expected to be in the format /type0=value0/type1=value1/type2=... where characters "
            f"may be escaped by \\. This name is not in that format: '{value}'"
        )
    clear()
    result = take(lib.X509_NAME_new(), lib.X509_NAME_free, f"making the {what} name")
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
                told = "; ".join(map(str, drain()))
                raise Failure(f'cmp: Error adding {what} name attribute "/{kind}={text}": {told}')
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


def alternative_name(value: str) -> Any:
    """``GENERAL_NAME *`` of an IP address, an email address (from 3.2 on), a URI (with a colon) or a DNS name."""
    encoded = os.fsencode(value)
    clear()
    found = lib.a2i_GENERAL_NAME(NULL, NULL, NULL, lib.GEN_IPADD, encoded, 0)
    if found == NULL:
        kind = lib.GEN_URI if ":" in value else lib.GEN_DNS
        if "@" in value and usable_version >= (3, 2, 0):
            kind = lib.GEN_EMAIL
        found = lib.a2i_GENERAL_NAME(NULL, NULL, NULL, kind, encoded, 0)
    clear()
    if found == NULL:
        raise Failure(f"bad syntax of Subject Alternative Name '{value}'")
    return take(found, lib.GENERAL_NAME_free, "reading a name")


def policy(value: str) -> Any:
    """``POLICYINFO *`` of an OID."""
    clear()
    oid = lib.OBJ_txt2obj(os.fsencode(value), 1)
    if oid == NULL:
        clear()
        raise Failure(f"unknown policy OID '{value}'")
    owned = take(oid, lib.ASN1_OBJECT_free, "reading a policy")
    content = bytes(ffi.buffer(lib.OBJ_get0_data(owned), lib.OBJ_length(owned)))
    encoded = tlv(0x30, tlv(0x06, content))
    data = ffi.from_buffer("unsigned char[]", encoded)
    made = lib.d2i_POLICYINFO(NULL, ffi.new("const unsigned char **", data), len(encoded))
    return take(made, lib.POLICYINFO_free, "making a policy")


def extensions() -> Any:
    """An empty ``X509_EXTENSIONS *``."""
    return take(lib.sk_X509_EXTENSION_new_null(), free_extensions, "making a list of extensions")


def template_section(config: Any, section: str, csr: Any, stack: Any, what: str) -> Any:
    """Add the extensions of a configuration section (``X509V3_EXT_add_nconf_sk``, 3.0) to the stack."""
    context = ffi.new("X509V3_CTX *")
    lib.X509V3_set_ctx(context, NULL, NULL, csr, NULL, lib.X509V3_CTX_REPLACE)
    cell = ffi.new("struct stack_st_X509_EXTENSION **", stack)
    clear()
    done = 0
    if config is not None:
        lib.X509V3_set_nconf(context, config)
        done = lib.X509V3_EXT_add_nconf_sk(config, context, os.fsencode(section), cell)
    if not done:
        told = drain_text()
        raise Failure(f"cannot load {what} section '{section}'" + (f": {told}" if told else ""))
    check(cell[0], "adding extensions")
    return stack
