"""What the command writes: certificates, keys and messages in files."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..._files import check_writable, pem_block
from ..._openssl import convert
from ..._openssl.errorqueue import check, clear
from ..._openssl.lib import ffi, lib, usable_version
from ..._openssl.ownership import own, up_ref
from .console import Failure
from .report import described
from .settings import items

if TYPE_CHECKING:
    from ...enrollment import Enrollment
    from .context import Run

_SOURCES = {
    "extracertsout": ("OSSL_CMP_CTX_get1_extraCertsIn", "extra"),
    "cacertsout": ("OSSL_CMP_CTX_get1_caPubs", "CA"),
    "chainout": ("OSSL_CMP_CTX_get1_newChain", "chain"),
}
_ENROLLING = ("ir", "cr", "kur", "p10cr")
#: What ``-infotype`` of a genm writes.
_OF_INFOTYPE = {
    "caCerts": ("cacertsout",),
    "rootCaCert": ("newwithnew", "newwithold", "oldwithnew"),
    "crlStatusList": ("crlout",),
    "certReqTemplate": ("template", "keyspec"),
}


def check_outputs(run: Run) -> None:
    """Try what the request is to write, before it is sent. Raises Failure that names the option."""
    if run.opt.given("reqout_only"):
        options = ["reqout_only"]  # nothing comes
    else:
        options = ["reqout", "rspout", "srvcertout", "extracertsout", "trace"]
        if run.opt.text("cmd") in _ENROLLING or usable_version < (3, 2, 0):
            options += ["certout", "chainout", "cacertsout"]
        if run.opt.flag("centralkeygen"):
            options.append("newkeyout")
        if run.opt.text("cmd") == "genm":
            options += _OF_INFOTYPE.get(run.opt.text("infotype") or "", ())
    values = [(option, run.opt.text(option)) for option in options]
    for option, value in [*values, ("writerand", run.global_options.write_random)]:
        if not value:
            continue
        for path in items(value) if option in ("reqout", "rspout") else [value]:
            _check_output(option, path)


def _check_output(option: str, path: str) -> None:
    try:
        if path:
            check_writable(path)
    except OSError as error:
        raise Failure(f"-{option}: file '{path}' cannot be written: {error.strerror}") from error


def save(run: Run, option: str) -> None:
    """Save the certificates of an option; none make an empty file."""
    if run.opt.given(option):
        function, what = _SOURCES[option]
        _save_certs(run.ctx.cert_stack(function), option, what, run)


def save_server_cert(run: Run) -> None:
    """``-srvcertout``, also of a server that refused; without a certificate no file stays."""
    if certs := run.ctx.cert("OSSL_CMP_CTX_get0_validatedSrvCert"):
        _save_certs(certs, "srvcertout", "validated server", run)
    else:
        remove(run, "srvcertout")


def save_results(run: Run) -> None:
    """Everything after success. Raises Failure."""
    new = run.ctx.cert("OSSL_CMP_CTX_get0_newCert")
    if new:
        run.outcome.certificate = described(new[0])
    if usable_version < (3, 2, 0):
        save(run, "cacertsout")
        if new:
            _save_certs(new, "certout", "enrolled", run)
        save(run, "chainout")
    else:
        save(run, "extracertsout")
        if new and run.opt.text("cmd") in _ENROLLING:
            _save_enrolled(new, run)
            save(run, "cacertsout")
            if run.opt.flag("centralkeygen"):
                _save_key(run)
    clear()


def save_refused(enrollment: Enrollment, run: Run) -> None:
    """The certificate that came with a refusal such as keyUpdateWarning, which OpenSSL does not save."""
    if run.opt.given("certout"):
        run.console.warn("saving the certificate that came with it, which is not confirmed")
        _save_certs([convert.cert_to_c(enrollment.certificate_der)], "certout", "enrolled", run)


def _save_enrolled(new: list[Any], run: Run) -> None:
    """Since 3.2 the same file may be named for the certificate and its chain."""
    chain = run.opt.text("chainout")
    if chain is not None and run.opt.text("certout") == chain:
        new = [*new, *run.ctx.cert_stack(_SOURCES["chainout"][0])]
        run.outcome.files["chainout"] = chain
    else:
        save(run, "chainout")
    _save_certs(new, "certout", "enrolled", run)


def _save_key(run: Run) -> None:
    """The key that the CA made, encrypted if ``-newkeypass`` is given."""
    if run.opt.given("newkeyout"):
        what = "centrally generated private key"
        pem = run.ctx.central_key_pem(run.load.password("newkeypass", what))
        save_data(run, "newkeyout", "centrally generated key", pem, mode=0o600)


def shared(stack: Any) -> list[Any]:
    """References of our own to the certificates of a ``STACK_OF(X509)``; none for NULL."""
    certs = [lib.sk_X509_value(stack, i) for i in range(lib.sk_X509_num(stack))]  # -1 of NULL
    return [up_ref(cert, lib.X509_up_ref, lib.X509_free, "taking certificates") for cert in certs]


def _save_certs(certs: list[Any], option: str, what: str, run: Run) -> None:
    """Save certificates, PEM or DER."""
    as_pem = run.opt.text("certform") == "PEM"
    ders = map(convert.cert_to_der, certs)
    data = b"".join(map(pem_block, ders) if as_pem else ders)
    save_data(run, option, f"{len(certs)} {what} certificate(s)", data)
    if len(certs) > 1 and not as_pem and run.opt.given(option):
        run.console.warn("saving more than one certificate in non-PEM format")


def save_data(run: Run, option: str, what: str, data: bytes, *, mode: int = 0o666) -> None:
    """Save what came, if the option says where. Raises Failure."""
    if (path := run.opt.text(option)) is not None:
        run.console.info(f"received {what}, saving to file '{path}'")
        write(path, data, mode=mode)
        run.outcome.files[option] = path


def remove(run: Run, option: str, what: str = "") -> None:
    """Remove the file of an option: nobody must take that of an earlier run for the answer to this one."""
    if (path := run.opt.text(option)) is not None:
        if what:
            run.console.warn(f"no {what} received, removing file '{path}' if it exists")
        with suppress(FileNotFoundError):
            os.unlink(path)


def through_bio(function: Any) -> bytes:
    """What a function writes to a ``BIO *``."""
    clear()
    bio = own(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free, "writing")
    check(function(bio), "writing")
    data = ffi.new("char **")
    length = lib.BIO_get_mem_data(bio, data)
    return bytes(ffi.buffer(data[0], length))


def write(path: str, data: bytes, *, mode: int = 0o666) -> None:
    """Write a file. Raises Failure."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
    except OSError as error:
        raise Failure(f"could not open file '{path}' for writing: {error.strerror}") from error
