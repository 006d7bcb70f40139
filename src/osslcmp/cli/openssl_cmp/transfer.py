"""Where messages go when files or the mock server take part: -reqin, -reqout, -rspin, -rspout, -use_mock_srv."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._files import read
from ..._openssl.convert import octets_from_c, to_der
from ..._openssl.errorqueue import check, drain
from ..._openssl.lib import NULL, lib
from ..._openssl.ownership import own
from ..._openssl.received import message_from_der
from ...errors import OpenSSLError, TransferError
from .console import Failure, OnlyWritten
from .output import write
from .settings import items

if TYPE_CHECKING:
    from .context import Run


class FileTransfer:
    """A transfer callback: from DER of the request to DER of the answer."""

    def __init__(self, run: Run, mock: Callable[[bytes], bytes] | None) -> None:
        s = run.opt
        self._run = run
        self._mock = mock
        self._has_server = s.given("server")
        self._new_id = s.flag("reqin_new_tid")
        self._only = s.text("reqout_only")
        self._files = {
            option: [] if (names := s.text(option)) is None else items(names)
            for option in ("reqin", "reqout", "rspin", "rspout")
        }
        self._answers_in_use = s.given("rspin")

    def __call__(self, request: bytes) -> bytes:
        """Carry one message."""
        if self._only is not None:
            write(self._only, request)
            raise OnlyWritten
        self._save("reqout", request)
        answers, requests = self._files["rspin"], self._files["reqin"]
        pretended = bool(answers or requests)
        if requests and not answers:
            request = self._replacement(requests)
        answer = self._read(answers, "actually using") if answers else self._ask(request)
        if pretended:
            self._pretend(answer)
        self._save("rspout", answer)
        return answer

    def _replacement(self, files: list[str]) -> bytes:
        """The next of ``-reqin``, changed as far as the server would not take it else."""
        message = self._decode(self._read(files, "actually sending"))
        if self._new_id:
            check(
                lib.OSSL_CMP_MSG_update_transactionID(self._run.ctx.raw, message), "setting the transactionID"
            )
        if hasattr(lib, "OSSL_CMP_MSG_update_recipNonce"):
            check(lib.OSSL_CMP_MSG_update_recipNonce(self._run.ctx.raw, message), "setting the recipNonce")
        return to_der(lib.i2d_OSSL_CMP_MSG, message, "encoding the request")

    def _ask(self, request: bytes) -> bytes:
        if self._answers_in_use:
            where = "using mock server" if self._mock else "contacting server"
            if self._mock or self._has_server:
                self._run.console.warn(f"too few -rspin filename arguments; resorting to {where}")
            self._answers_in_use = False
        if self._mock is not None:
            return self._mock(request)
        if not self._has_server:
            raise Failure("missing -server or -use_mock_srv option, or too few -rspin filename arguments")
        message = self._decode(request)
        answer = lib.osslcmp_http_transfer(self._run.ctx.raw, message)
        if answer == NULL:
            raise TransferError("sending the request failed", drain())
        owned = own(answer, lib.OSSL_CMP_MSG_free, "receiving the answer")
        return to_der(lib.i2d_OSSL_CMP_MSG, owned, "encoding the answer")

    def _pretend(self, answer: bytes) -> None:
        """Let the context take an answer to another request for one to its own."""
        message = self._decode(answer)
        header = lib.OSSL_CMP_MSG_get0_header(message)
        for getter, setter in (
            (lib.OSSL_CMP_HDR_get0_recipNonce, self._run.ctx.set_sender_nonce),
            (lib.OSSL_CMP_HDR_get0_transactionID, self._run.ctx.set_transaction_id),
        ):
            octets = octets_from_c(getter(header))
            if octets is not None:
                setter(octets)

    def _decode(self, der: bytes) -> Any:
        message = message_from_der(der)
        if message == NULL:
            raise OpenSSLError("this is no CMP message", drain())
        return own(message, lib.OSSL_CMP_MSG_free, "decoding a message")

    def _read(self, files: list[str], what: str) -> bytes:
        path = files.pop(0)
        data = read(path)
        self._decode(data)
        self._run.console.info(f"{what} {path}")
        return data

    def _save(self, option: str, data: bytes) -> None:
        files = self._files[option]
        if files:  # when they are used up the rest is not saved
            write(files.pop(0), data)
