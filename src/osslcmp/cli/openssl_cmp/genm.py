"""General messages: ask, and print or save what came; generalInfo of the header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..._asn1 import oids
from ..._asn1.der import SEQUENCE, UTF8_STRING, encode, encode_integer
from ..._asn1.itav import InfoTypeAndValue
from ..._files import pem_block
from ..._openssl.convert import cert_to_der, object_to_c, oid_from_c, to_der
from ..._openssl.errorqueue import clear
from ..._openssl.lib import NULL, ffi, lib, usable_version
from ..._openssl.names import object_text
from ..._openssl.ownership import own
from .console import Failure
from .output import remove, save_data
from .request import read_oid

if TYPE_CHECKING:
    from cryptography import x509

    from .context import Run


def general_message(run: Run) -> None:
    """Send the genm of ``-infotype``. Raises CMPError, Failure."""
    infotype = run.opt.text("infotype")
    special = {
        "caCerts": (_ca_certs, (3, 2)),
        "rootCaCert": (_root_update, (3, 2)),
        "crlStatusList": (_crl_update, (3, 4)),
        "certReqTemplate": (_template, (3, 4)),
    }.get(infotype or "")
    if special is not None and usable_version[:2] >= special[1]:
        special[0](run)
        return
    if infotype is not None:
        oid = oid_from_c(lib.OBJ_nid2obj(lib.OBJ_sn2nid(f"id-it-{infotype}".encode())))
        run.ctx.push_genm_itav(InfoTypeAndValue(oid))
    answer = run.ctx.exec_genm_ses()
    run.outcome.infos = []
    if not answer:
        run.console.info("genp contains no ITAV")
    for info in answer:
        name = _name(info.oid)
        run.outcome.infos.append(name)
        run.console.info(f"genp contains ITAV of type: {name}")


def _name(oid: x509.ObjectIdentifier) -> str:
    name = object_text(object_to_c(oid), numbers=False)
    clear()
    return name


def _check_given(run: Run, option: str, infotype: str) -> None:
    if not run.opt.given(option):
        raise Failure(f"missing -{option} option for -infotype {infotype}")


def _ca_certs(run: Run) -> None:
    _check_given(run, "cacertsout", "caCerts")
    certs = run.ctx.polling.complete(run.ctx.polling.exchanges.ca_certs())
    if not certs:
        run.console.warn("no CA certificates provided by server")
        return
    data = b"".join(_encoded(run, "certform", cert) for cert in certs)
    save_data(run, "cacertsout", f"{len(certs)} CA certificate(s)", data)


def _root_update(run: Run) -> None:
    _check_given(run, "newwithnew", "rootCaCert")
    what = "OldWithOld cert for genm with -infotype rootCaCert"
    old = run.load.optional(run.load.cert, "oldwithold", "otherpass", what)
    if old is None:
        run.console.warn(
            "no -oldwithold given, will use all certs given with -trusted as trust anchors for newWithNew"
        )
    known = None if old is None else cert_to_der(old)
    came = run.ctx.polling.complete(run.ctx.polling.exchanges.root_ca_key_update(known))
    if came[0] is None:
        run.console.info("no root CA certificate update available")
    for option, cert in zip(("newwithnew", "newwithold", "oldwithnew"), came, strict=True):
        if cert is None:
            remove(run, option, f"{option} certificate")
        else:
            save_data(run, option, f"{option} certificate", _encoded(run, "certform", cert))


def _crl_update(run: Run) -> None:
    if not run.opt.given("oldcrl", "crlcert"):
        raise Failure("missing -oldcrl and no -crlcert given for -infotype crlStatusList")
    _check_given(run, "crlout", "crlStatusList")
    what = "genm with -infotype crlStatusList"
    old = run.load.optional(run.load.crl, "oldcrl", f"old CRL for {what}")
    of = run.load.optional(run.load.cert, "crlcert", "otherpass", f"Cert for {what}")
    crl = None if old is None else to_der(lib.i2d_X509_CRL, old, "encoding a CRL")
    cert = None if of is None else cert_to_der(of)
    new = run.ctx.polling.complete(run.ctx.polling.exchanges.crl_update(cert, crl))
    if new is None:
        run.console.info("no CRL update available")
        remove(run, "crlout")
    else:
        save_data(run, "crlout", "CRL", _encoded(run, "crlform", new, "X509 CRL"))


def _template(run: Run) -> None:
    _check_given(run, "template", "certReqTemplate")
    template, key_spec = ffi.new("OSSL_CRMF_CERTTEMPLATE **"), ffi.new("OSSL_CMP_ATAVS **")
    what = "OSSL_CMP_get1_certReqTemplate"
    run.ctx.polling.complete(
        run.ctx.polling.exchanges.get1(getattr(lib, what), template, key_spec, what=what)
    )
    spec = None
    if key_spec[0] != NULL:
        spec = own(key_spec[0], lib.OSSL_CMP_ATAVS_free, "taking a keySpec")
    if template[0] == NULL:
        run.console.warn("no certificate request template available")
        remove(run, "template")
        remove(run, "keyspec")
        return
    made = own(template[0], lib.OSSL_CRMF_CERTTEMPLATE_free, "taking a template")
    encoded = to_der(lib.i2d_OSSL_CRMF_CERTTEMPLATE, made, "encoding a template")
    save_data(run, "template", "certificate request template", encoded)
    if spec is None:
        remove(run, "keyspec", "key specification")
    else:
        encoded = to_der(lib.i2d_OSSL_CMP_ATAVS, spec, "encoding a keySpec")
        save_data(run, "keyspec", "key specification", encoded)


def _encoded(run: Run, option: str, der: bytes, label: str = "CERTIFICATE") -> bytes:
    return pem_block(der, label) if run.opt.text(option) == "PEM" else der


# -- generalInfo of the header: -geninfo and -profile -------------------------------------------------------

_SHOWN = 40


def add_general_infos(run: Run) -> None:
    """Put them into the context. Raises Failure."""
    if (profile := run.opt.text("profile")) is not None:
        value = encode(SEQUENCE, encode(UTF8_STRING, profile.encode()))
        run.ctx.push_geninfo_itav(InfoTypeAndValue(oids.CERT_PROFILE, value))
    given = run.opt.text("geninfo")
    if given is None:
        return
    if usable_version < (3, 3, 0):
        run.ctx.push_geninfo_itav(_only(given))
        return
    while given:
        info, given = _next(given)
        run.ctx.push_geninfo_itav(info)


def _only(item: str) -> InfoTypeAndValue:
    """As far as 3.2: one integer for a dotted OID."""
    name, colon, rest = item.partition(":")
    if not colon:
        raise Failure("missing ':' in -geninfo option")
    kind, colon, value = rest.partition(":")
    if kind.lower() != "int" or not colon:
        raise Failure("missing 'int:' in -geninfo option")
    if not re.fullmatch(r"\s*[+-]?\d+", value):
        raise Failure("cannot parse int in -geninfo option")
    return InfoTypeAndValue(read_oid(name, dotted=True), _integer(value))


def _next(given: str) -> tuple[InfoTypeAndValue, str]:
    """Since 3.3: the first of several items, and the rest."""
    name, colon, rest = given.lstrip().partition(":")
    if not colon:
        raise Failure(f"missing ':' in -geninfo arg {name[:_SHOWN]}")
    oid = read_oid(name, dotted=False)
    kind, colon, rest = rest.partition(":")
    if kind.lower() == "str" and colon:
        text, _, rest = rest.partition(",")
        return InfoTypeAndValue(oid, encode(UTF8_STRING, text.encode("utf-8", "replace"))), rest
    if kind.lower() != "int" or not colon:
        raise Failure(f"missing 'int:' or 'str:' in -geninfo arg {kind[:_SHOWN]}")
    if (found := re.match(r"\s*[+-]?\d+", rest)) is None:
        raise Failure(f"cannot parse int in -geninfo arg {rest[:_SHOWN]}")
    after = rest[found.end() :]
    if after and not after.startswith(","):
        raise Failure(f"missing ',' or end of -geninfo arg after int at {after[:_SHOWN]}")
    return InfoTypeAndValue(oid, _integer(found[0])), after[1:]


def _integer(digits: str) -> bytes:
    number = int(digits)
    if not -(1 << 63) <= number < 1 << 63:
        raise Failure("int in -geninfo option out of range")
    return encode_integer(number)
