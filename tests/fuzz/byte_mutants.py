"""Mutants of specs byte by byte, which need not be UTF-8: what a broken disk or a wrong encoding makes of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from seeds import small, specs

PIECES = (
    *(sign.encode() for sign in ('"', '"""', "{", "}", "(", ")", "[", "]", "\n", ";", "#", "\\", "->", "..", "9" * 50)),
    *(bytes([code]) for code in (0, 9, 11, 12, 13, 27, 127, 128, 192, 237, 255)),
    *(char.encode() for char in "\x85\xa0é\u200b\u2028\u202e\ufeff\U0001f600"),
)


def byte_mutants(seed: str) -> Iterator[bytes]:
    """Mutants without end."""
    chance = random.Random(seed)
    originals = [text.encode() for text in (*specs(), *small())]
    while True:
        content = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            _mutate(content, chance)
        yield bytes(content)


def _mutate(content: bytearray, chance: random.Random) -> None:
    at, other = (chance.randrange(len(content) + 1) for _ in range(2))
    match chance.randrange(7):
        case 0:
            content[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            content[at:at] = bytes([chance.randrange(32, 127)])
        case 2:
            del content[at : at + chance.randint(1, 20)]
        case 3:
            content[at:at] = content[other : other + chance.randint(1, 60)]
        case 4:
            content[at : at + 1] = chance.choice(PIECES)
        case 5:
            content[at:at] = chance.choice(PIECES) * chance.choice((1, 2, 70, 3000))
        case 6:
            digits = [i for i, byte in enumerate(content) if 0x30 <= byte <= 0x39]
            if digits:
                content[chance.choice(digits)] = 0x30 + chance.randrange(10)
