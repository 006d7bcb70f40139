"""General messages: ask, and print or save what came."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from ..._asn1.itav import InfoTypeAndValue
from ..._files import pem_block
from ..._openssl.convert import cert_to_der, object_to_c, oid_from_c, to_der
from ..._openssl.errorqueue import clear
from ..._openssl.lib import NULL, ffi, lib, usable_version
from ..._openssl.names import object_text
from ..._openssl.ownership import own
from .console import Failure
from .output import write

if TYPE_CHECKING:
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


def _needed(run: Run, option: str, infotype: str) -> str:
    path = run.opt.text(option)
    if path is None:
        raise Failure(f"missing -{option} option for -infotype {infotype}")
    return path


def _ca_certs(run: Run) -> None:
    path = _needed(run, "cacertsout", "caCerts")
    certs = run.ctx.polling.complete(run.ctx.exchanges.ca_certs())
    if not certs:
        run.console.warn("no CA certificates provided by server")
        return
    run.console.info(f"received {len(certs)} CA certificate(s), saving to file '{path}'")
    write(path, b"".join(_encoded(run, "certform", cert) for cert in certs))
    run.outcome.files["cacertsout"] = path


def _root_update(run: Run) -> None:
    _needed(run, "newwithnew", "rootCaCert")
    old = None
    if (path := run.opt.text("oldwithold")) is None:
        run.console.warn(
            "no -oldwithold given, will use all certs given with -trusted as trust anchors for newWithNew"
        )
    else:
        old = cert_to_der(
            run.load.cert(path, "otherpass", "OldWithOld cert for genm with -infotype rootCaCert")
        )
    came = run.ctx.polling.complete(run.ctx.exchanges.root_ca_key_update(old))
    if came[0] is None:
        run.console.info("no root CA certificate update available")
    for option, cert in zip(("newwithnew", "newwithold", "oldwithnew"), came, strict=True):
        if (path := run.opt.text(option)) is None:
            continue
        if cert is None:
            # Nobody must take a file of an earlier run for the answer to this one.
            run.console.warn(f"no {option} certificate received, removing file '{path}' if it exists")
            Path(path).unlink(missing_ok=True)
        else:
            run.console.info(f"received {option} certificate, saving to file '{path}'")
            write(path, _encoded(run, "certform", cert))
            run.outcome.files[option] = path


def _crl_update(run: Run) -> None:
    if not run.opt.given("oldcrl", "crlcert"):
        raise Failure("missing -oldcrl and no -crlcert given for -infotype crlStatusList")
    path = _needed(run, "crlout", "crlStatusList")
    crl = cert = None
    if (old := run.opt.text("oldcrl")) is not None:
        handle = run.load.crl(old, "old CRL for genm with -infotype crlStatusList")
        crl = to_der(lib.i2d_X509_CRL, handle, "encoding a CRL")
    if (of := run.opt.text("crlcert")) is not None:
        cert = cert_to_der(run.load.cert(of, "otherpass", "Cert for genm with -infotype crlStatusList"))
    new = run.ctx.polling.complete(run.ctx.exchanges.crl_update(cert, crl))
    if new is None:
        run.console.info("no CRL update available")
        Path(path).unlink(missing_ok=True)
        return
    run.console.info(f"received CRL, saving to file '{path}'")
    write(path, _encoded(run, "crlform", new, "X509 CRL"))
    run.outcome.files["crlout"] = path


def _template(run: Run) -> None:
    path = _needed(run, "template", "certReqTemplate")
    template, key_spec = ffi.new("OSSL_CRMF_CERTTEMPLATE **"), ffi.new("OSSL_CMP_ATAVS **")
    run.ctx.ask_raw("OSSL_CMP_get1_certReqTemplate", template, key_spec)
    owned = None
    if key_spec[0] != NULL:
        owned = own(key_spec[0], lib.OSSL_CMP_ATAVS_free, "taking a keySpec")
    if template[0] == NULL:
        run.console.warn("no certificate request template available")
        for option in ("template", "keyspec"):
            if (old := run.opt.text(option)) is not None:
                Path(old).unlink(missing_ok=True)
        return
    made = own(template[0], lib.OSSL_CRMF_CERTTEMPLATE_free, "taking a template")
    run.console.info(f"received certificate request template, saving to file '{path}'")
    write(path, to_der(lib.i2d_OSSL_CRMF_CERTTEMPLATE, made, "encoding a template"))
    run.outcome.files["template"] = path
    spec_path = run.opt.text("keyspec")
    if spec_path is not None and owned is None:
        run.console.warn(f"no key specification received, removing file '{spec_path}' if it exists")
        Path(spec_path).unlink(missing_ok=True)
    elif spec_path is not None:
        run.console.info(f"received key specification, saving to file '{spec_path}'")
        write(spec_path, to_der(lib.i2d_OSSL_CMP_ATAVS, owned, "encoding a keySpec"))
        run.outcome.files["keyspec"] = spec_path


def _encoded(run: Run, option: str, der: bytes, label: str = "CERTIFICATE") -> bytes:
    return pem_block(der, label) if run.opt.text(option) == "PEM" else der
