"""Saves what came with an answer, where and when ``openssl cmp`` of the loaded release does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..._openssl.errorqueue import clear
from ..._openssl.lib import usable_version
from .console import Console
from .context import CommandContext, name_of, save_certs, serial_of
from .load import Loader
from .settings import Settings

__all__ = ["save", "save_results", "save_server_cert"]

_SOURCES = {
    "extracertsout": ("OSSL_CMP_CTX_get1_extraCertsIn", "extra"),
    "cacertsout": ("OSSL_CMP_CTX_get1_caPubs", "CA"),
    "chainout": ("OSSL_CMP_CTX_get1_newChain", "chain"),
}
_ENROLLING = ("ir", "cr", "kur", "p10cr")


def save(ctx: CommandContext, s: Settings, console: Console, outcome: dict[str, Any], option: str) -> None:
    """Save the certificates of an option; none make an empty file."""
    if (path := s.text(option)) is not None:
        function, what = _SOURCES[option]
        save_certs(ctx.cert_stack(function), path, s.text("certform") or "PEM", what, console)
        outcome["files"][option] = path


def save_server_cert(ctx: CommandContext, s: Settings, console: Console, outcome: dict[str, Any]) -> None:
    """``-srvcertout``, also of a server that refused; without a certificate no file stays."""
    if (path := s.text("srvcertout")) is None:
        return
    certs = ctx.validated_server_handles()
    if certs:
        save_certs(certs, path, s.text("certform") or "PEM", "validated server", console)
        outcome["files"]["srvcertout"] = path
    else:
        Path(path).unlink(missing_ok=True)


def save_results(
    ctx: CommandContext, s: Settings, console: Console, loader: Loader, outcome: dict[str, Any]
) -> None:
    """Everything after success. Raises Failure."""
    new = ctx.new_cert_handles()
    if new:
        outcome["certificate"] = {"subject": name_of(new[0]), "serial": serial_of(new[0])}
    if usable_version < (3, 2, 0):
        save(ctx, s, console, outcome, "cacertsout")
        if new:
            _save_new(new, s, console, outcome)
        save(ctx, s, console, outcome, "chainout")
    else:
        save(ctx, s, console, outcome, "extracertsout")
        if new and s.text("cmd") in _ENROLLING:
            _save_enrolled(new, ctx, s, console, outcome)
            save(ctx, s, console, outcome, "cacertsout")
            if s.flag("centralkeygen"):
                _save_key(ctx, s, console, loader, outcome)
    clear()


def _save_new(certs: list[Any], s: Settings, console: Console, outcome: dict[str, Any]) -> None:
    if save_certs(certs, s.text("certout"), s.text("certform") or "PEM", "enrolled", console):
        outcome["files"]["certout"] = s.text("certout")


def _save_enrolled(
    new: list[Any], ctx: CommandContext, s: Settings, console: Console, outcome: dict[str, Any]
) -> None:
    """Since 3.2 the same file may be named for the certificate and its chain."""
    if s.given("certout") and s.text("certout") == s.text("chainout"):
        _save_new([*new, *ctx.cert_stack(_SOURCES["chainout"][0])], s, console, outcome)
        outcome["files"]["chainout"] = s.text("chainout")
    else:
        save(ctx, s, console, outcome, "chainout")
        _save_new(new, s, console, outcome)


def _save_key(
    ctx: CommandContext, s: Settings, console: Console, loader: Loader, outcome: dict[str, Any]
) -> None:
    """The key that the CA made, encrypted if ``-newkeypass`` is given."""
    if (path := s.text("newkeyout")) is not None:
        ctx.save_central_key(path, loader.password("newkeypass", "centrally generated private key"))
        console.info(f"received centrally generated key, saving to file '{path}'")
        outcome["files"]["newkeyout"] = path
