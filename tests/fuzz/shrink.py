"""The smallest part of an input that still breaks what the whole breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

TOKEN = re.compile(rb"\w+|\s+|.", re.DOTALL)


def shrunken(content: bytes, breaks: Callable[[bytes], bool], seconds: float) -> bytes:
    """Leaves out lines, then tokens, in ever smaller runs, for as long as the rest `breaks` and there is time."""
    until = time.monotonic() + seconds
    for parts in (content.splitlines(keepends=True), None):
        pieces: Sequence[bytes] = TOKEN.findall(content) if parts is None else parts
        content = b"".join(_fewer(pieces, breaks, until))
    return content


def _fewer(pieces: Sequence[bytes], breaks: Callable[[bytes], bool], until: float) -> Sequence[bytes]:
    size = max(1, len(pieces) // 2)
    while True:
        start = 0
        shorter = False
        while start < len(pieces):
            if time.monotonic() > until:
                return pieces
            rest = [*pieces[:start], *pieces[start + size :]]
            if breaks(b"".join(rest)):
                pieces, shorter = rest, True
            else:
                start += size
        if size == 1 and not shorter:
            return pieces
        size = max(1, size // 2) if not shorter or size > 1 else 1
