"""The same ir with certConf in Python: through ``osslcmp.lib`` like C, and through ``osslcmp.Context``."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

from support import openssl

import osslcmp
from osslcmp import ffi, lib

from .native import MAC, Helper
from .rounds import Round, repeated, timed


def raw(helper: Helper, files: Path, protection: str) -> Round:
    """A context set up by C, used through ``osslcmp.lib``."""
    ctx = ffi.cast("OSSL_CMP_CTX *", helper.client(files, protection, helper.server(files)))
    reinit, exec_certreq, null = lib.OSSL_CMP_CTX_reinit, lib.OSSL_CMP_exec_certreq, ffi.NULL

    def transaction() -> None:
        if not reinit(ctx) or exec_certreq(ctx, 0, null) == null:
            raise RuntimeError("no certificate")

    return timed(repeated(transaction), process_time_ns)


def new_context(pki: Any, protection: str) -> osslcmp.Context:
    """An `osslcmp.Context` with the settings of the C client."""
    ctx = osslcmp.Context()
    if protection == MAC:
        ctx.set_reference_value(b"ref")
        ctx.set_secret_value(b"secret")
    else:
        ctx.set_cert(pki.client.certificate)
        ctx.set_pkey(pki.client.key)
        ctx.set_untrusted([pki.issuing.certificate])
        ctx.set_trusted_store([pki.root.certificate])
    ctx.set_subject_name(pki.enrolled.subject)
    ctx.set_recipient(pki.server.subject)
    ctx.set_new_pkey(pki.enrolled.key)
    ctx.set_cert_conf_cb(osslcmp.certconf)
    return ctx


def joined(helper: Helper, files: Path) -> Callable[[osslcmp.Context], None]:
    """Joins contexts to a C-side server of their own, through its transfer callback."""
    server = ffi.cast("void *", helper.server(files))
    transfer = ffi.cast("OSSL_CMP_transfer_cb_t", helper.transfer)

    def join(context: osslcmp.Context) -> None:
        context.set_transfer_cb(transfer)
        context.set_transfer_cb_arg(server)

    return join


def _transactions(ctx: osslcmp.Context, expected: Any, now: Callable[[], int]) -> Round:
    reinit, exec_ir_ses = ctx.reinit, ctx.exec_ir_ses

    def transaction() -> None:
        reinit()
        exec_ir_ses()

    transaction()
    if ctx.new_cert != expected:
        raise RuntimeError("not the certificate that was to come")
    return timed(repeated(transaction), now)


def in_process(helper: Helper, files: Path, pki: Any, protection: str) -> Round:
    """`osslcmp.Context` with the C-side server as its transfer callback."""
    ctx = new_context(pki, protection)
    joined(helper, files)(ctx)
    return _transactions(ctx, pki.enrolled.certificate, process_time_ns)


def over_http(pki: Any, protection: str, port: int) -> Round:
    """`osslcmp.Context` with osslcmp's own HTTP."""
    ctx = new_context(pki, protection)
    ctx.set_server("127.0.0.1")
    ctx.set_server_port(port)
    ctx.set_server_path("pkix/")
    return _transactions(ctx, pki.enrolled.certificate, perf_counter_ns)


def credentials(pki: Any, protection: str) -> dict[str, Any]:
    """Arguments of an `osslcmp.Client` with the credentials of the C client."""
    if protection == MAC:
        return {"reference": b"ref", "secret": b"secret"}
    me, issuing = pki.client, pki.issuing.certificate
    return {"certificate": me.certificate, "key": me.key, "chain": [issuing], "trusted": pki.root.certificate}


def process_each(pki: Any, protection: str, url: str) -> Round:
    """One ``openssl cmp`` for each enrolment, as scripts have it."""
    options: dict[str, openssl.Value] = {
        "config": "",
        "cmd": "ir",
        "server": url,
        "keep_alive": 0,
        "subject": "/CN=x",
        "newkey": pki.enrolled.key_file,
        "certout": pki.directory / "new.pem",
    }
    if protection == MAC:
        options |= {"ref": "ref", "secret": b"secret"}
    else:
        me, chain = pki.client, pki.issuing.cert_file
        options |= {
            "cert": me.cert_file,
            "key": me.key_file,
            "untrusted": chain,
            "trusted": pki.root.cert_file,
        }
    command = [*openssl.command(), "cmp", *openssl.arguments(options)]
    one = partial(subprocess.run, command, env=openssl.clean_environment(), capture_output=True, check=True)
    return timed(repeated(one), perf_counter_ns)


def client_over_http(pki: Any, protection: str, port: int) -> Round:
    """`osslcmp.Client` with osslcmp's own HTTP: a context and a connection for each enrolment."""
    url = f"http://127.0.0.1:{port}/pkix/"
    client = osslcmp.Client(url, recipient=pki.server.subject, **credentials(pki, protection))
    key, subject = pki.enrolled.key, pki.enrolled.subject
    return timed(repeated(partial(client.ir, key, subject=subject)), perf_counter_ns)
