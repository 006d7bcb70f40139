"""PEM (RFC 7468): the blocks in a text, in time that grows with its length alone, whatever it holds."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

_MARK = re.compile(rb"-----(BEGIN|END) ([ -~]*?)-----")


def blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Label and base64 text of each block that ends; what stands between them, or does not end, is skipped."""
    marks = list(_MARK.finditer(data))
    ends: defaultdict[bytes, list[re.Match[bytes]]] = defaultdict(list)
    for mark in marks:
        if mark[1] == b"END":
            ends[mark[2]].append(mark)
    done = 0
    for begin in marks:
        if begin[1] == b"END" or begin.start() < done:
            continue
        candidates = ends[begin[2]]
        number = bisect_left(candidates, begin.end(), key=re.Match.start)
        if number < len(candidates):
            yield begin[2].decode("ascii"), data[begin.end() : candidates[number].start()]
            done = candidates[number].end()
