"""Requests and responses in files: for machines that no network reaches, and to keep or replay messages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from .._arguments import checked, positive
from .._files import is_special
from .._openssl.callbacks import Replaying
from ..errors import TransferError, TransferTimeout
from .address import Transport

_REQUEST, _RESPONSE = ".request.der", ".response.der"

PathInput = str | os.PathLike[str]


def _paths(value: PathInput | Iterable[PathInput]) -> list[Path]:
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    return [Path(item) for item in value]


def _write(path: Path, data: bytes) -> None:
    """All or nothing: somebody may be waiting for the file."""
    partial = path if is_special(path) else path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_bytes(data)
    if partial != path:
        partial.replace(path)


def _complete(data: bytes) -> bool:
    """Whether the DER element at the start is there to its end."""
    if len(data) < 2:
        return False
    size = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + size], "big") if size else data[1]
    return len(data) >= 2 + size + length


class FileTransport(Replaying):
    """Writes each request into a file and reads the response from another; nothing else is done by itself.

    With a folder, messages are numbered: ``1.request.der`` is answered in ``1.response.der``, and so on.
    Somebody carries them to the server and back (:func:`relay` does it on the other side). Without a response
    after ``timeout`` seconds :class:`osslcmp.TransferTimeout` is raised; the request is kept. Later, even in
    another process, the same call with ``resume=True`` goes on: a request that was written stays as it is,
    and the responses that are there are taken as the answers, although transactionID and nonces are those of
    the first run. The protection is verified as ever. For a certificate request the key must be the same as
    in the first run.

    Single files, like the options of the same names of ``openssl cmp``, each a path or several, used one
    after the other as far as they go:

    Args:
        directory: the folder, made if it is not there.
        resume: go on with what is in the folder; otherwise a request that is there is a
            ``FileExistsError``.
        timeout: seconds to wait for a response file.
        interval: seconds between looks.
        reqout: files to write requests into.
        reqin: files with the requests to send instead.
        rspin: files with responses to take instead of sending.
        rspout: files to write responses into.
        through: what sends the requests for which there is no response file: another transport.

    Raises when called ``OSError`` for files, and :class:`osslcmp.TransferError` if there is no way to a
    response.
    """

    @checked
    def __init__(
        self,
        directory: PathInput | None = None,
        *,
        resume: bool = False,
        timeout: float = 0.0,
        interval: float = 0.2,
        reqout: PathInput | Iterable[PathInput] = (),
        reqin: PathInput | Iterable[PathInput] = (),
        rspin: PathInput | Iterable[PathInput] = (),
        rspout: PathInput | Iterable[PathInput] = (),
        through: Transport | None = None,
    ) -> None:
        positive(interval=interval)
        positive(or_zero=True, timeout=timeout)
        self._directory = None if directory is None else _paths(directory)[0]
        self._resume = resume
        self._timeout = timeout
        self._interval = interval
        self._reqout, self._reqin = _paths(reqout), _paths(reqin)
        self._rspin, self._rspout = _paths(rspin), _paths(rspout)
        self._through = through
        single = [*self._reqout, *self._reqin, *self._rspin, *self._rspout]
        if self._directory is not None and (single or through is not None):
            raise ValueError("directory: does not go together with reqout, reqin, rspin, rspout, through")
        if self._directory is None and not single:
            raise ValueError("directory: or single files are needed")
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
        self.count = 0
        """Messages that were asked for so far."""
        self.replayed = False
        """Whether the last response answers another request than the last one: its nonce and transactionID
        are then taken over, as ``openssl cmp`` does."""

    def __repr__(self) -> str:
        return f"<osslcmp.transport.FileTransport{f' in {self._directory}' if self._directory else ''}>"

    def __call__(self, request: bytes) -> bytes:
        index, self.count = self.count, self.count + 1
        if self._directory is not None:
            return self._numbered(self._directory, self.count, request)
        return self._single(index, request)

    def _numbered(self, directory: Path, number: int, request: bytes) -> bytes:
        asked, answered = directory / f"{number}{_REQUEST}", directory / f"{number}{_RESPONSE}"
        self.replayed = asked.exists()
        if not self.replayed:
            if answered.exists():
                raise FileExistsError(f"{answered}: there is a response before the request")
            _write(asked, request)
        elif not self._resume:
            raise FileExistsError(f"{asked}: is of an earlier run, resume=True goes on with it")
        return self._wait(answered, asked)

    def _single(self, index: int, request: bytes) -> bytes:
        if index < len(self._reqout):
            _write(self._reqout[index], request)
        stored = index < len(self._reqin) and not self._rspin
        self.replayed = stored or index < len(self._rspin)
        if stored:
            request = self._reqin[index].read_bytes()
        if index < len(self._rspin):
            response = self._wait(self._rspin[index], None)
        elif self._through is not None:
            response = self._through(request)
        else:
            raise TransferError(f"no response file is given for message {index + 1}, and no way to send it")
        if index < len(self._rspout):
            _write(self._rspout[index], response)
        return response

    def _wait(self, path: Path, request: Path | None) -> bytes:
        deadline = time.monotonic() + self._timeout
        while True:
            data = path.read_bytes() if path.exists() else b""
            if _complete(data):
                return data
            left = deadline - time.monotonic()
            if left <= 0:
                message = f"no {'complete ' if data else ''}response in {path}"
                raise TransferTimeout(message + (f"; the request is in {request}" if request else ""))
            time.sleep(min(self._interval, left))


@checked
def relay(directory: PathInput, through: Transport) -> int:
    """The other half of :class:`FileTransport`: send each request in a folder that has no response yet.

    ``through`` is what sends it, for instance :class:`HTTPTransport`; what it raises is passed on. Returns
    how many responses were written.
    """
    folder = _paths(directory)[0]
    done = 0
    for asked in sorted(folder.glob(f"*{_REQUEST}"), key=lambda path: (len(path.name), path.name)):
        answered = folder / (asked.name.removesuffix(_REQUEST) + _RESPONSE)
        if not answered.exists():
            _write(answered, through(asked.read_bytes()))
            done += 1
    return done
