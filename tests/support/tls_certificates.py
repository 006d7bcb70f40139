"""TLS 1.2 up to the certificates, by hand: it takes no key to show them, and they are decoded before anything is proved."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterable

HANDSHAKE = 22
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST, _DONE = 1, 2, 11, 13, 14
_TLS12 = b"\x03\x03"
_RANDOM = bytes(range(32))
_CIPHERS = (0xC02B, 0xC02F)
"""ECDHE with ECDSA and with RSA, AES-128-GCM."""


def _vector(length: int, data: bytes) -> bytes:
    return len(data).to_bytes(length, "big") + data


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _vector(3, body)


def _records(data: bytes, size: int = 16_000) -> bytes:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(bytes([HANDSHAKE]) + _TLS12 + _vector(2, piece) for piece in pieces)


def certificates(chain: Iterable[bytes]) -> bytes:
    """The message with the certificates, in records."""
    return _records(_message(_CERTIFICATE, _vector(3, b"".join(_vector(3, der) for der in chain))))


def _read_record(connection: socket.socket) -> tuple[int, bytes]:
    head = _read(connection, 5)
    return head[0], _read(connection, struct.unpack(">H", head[3:])[0])


def _read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise EOFError("the peer has gone")
        data += piece
    return data


def show_as_server(connection: socket.socket, chain: Iterable[bytes]) -> None:
    """Answer a client's hello with these certificates, and read what it says to that."""
    _read_record(connection)
    renegotiation = struct.pack(">HHB", 0xFF01, 1, 0)
    hello = _TLS12 + _RANDOM + b"\0" + _CIPHERS[0].to_bytes(2, "big") + b"\0" + _vector(2, renegotiation)
    with contextlib.suppress(OSError, EOFError):
        connection.sendall(_records(_message(_SERVER_HELLO, hello)) + certificates(chain))
        while True:
            _read_record(connection)


def show_as_client(
    connection: socket.socket, chain: Iterable[bytes], shown: threading.Event | None = None
) -> bytes:
    """Show a server that asks for them these certificates. Returns its alert: level and number; empty if there is none.

    ``shown`` is set when they have been sent.
    """
    groups = struct.pack(">HHHH", 10, 4, 2, 23)
    signatures = struct.pack(">HHHHHH", 13, 8, 6, 0x0403, 0x0401, 0x0804)
    ciphers = b"".join(number.to_bytes(2, "big") for number in _CIPHERS)
    hello = _TLS12 + _RANDOM + b"\0" + _vector(2, ciphers) + b"\1\0" + _vector(2, groups + signatures)
    connection.sendall(_records(_message(_CLIENT_HELLO, hello)))
    said = b""
    while not said.endswith(_message(_DONE, b"")):
        kind, data = _read_record(connection)
        if kind != HANDSHAKE:
            raise AssertionError(f"record {kind}: {data!r}")
        said += data
    with contextlib.suppress(OSError, EOFError):
        connection.sendall(certificates(chain))
        connection.shutdown(socket.SHUT_WR)  # a server that accepts them waits for more
        if shown is not None:
            shown.set()
        while True:
            kind, data = _read_record(connection)
            if kind != HANDSHAKE:
                return data
    return b""
