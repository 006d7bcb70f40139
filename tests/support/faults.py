"""Faults of a user's own."""

from __future__ import annotations


def cut(answer: bytes, octets: int) -> bytes:
    """The beginning of an answer."""
    return answer[:octets]
