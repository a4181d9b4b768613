"""Mutants of specs token by token: what a slip of the hand, a bad merge or malice may make of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from seeds import small, specs

from archdsl.layers import registry

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\"[^\"]*\"|->|\.\.|//|[=!<>]=|\s+|.", re.DOTALL)
WORDS = """
    0 1 2 3 7 -1 1e9 9223372036854775807 1.5 true none "" "a" 7x7 3x3x3 [] [1,2] [[]] 1..3 5..1 in x image self forward
    torch concat add mul residual dense gate parallel project shortcut repeat for if else let input output training
    shared expect init on gpu where block network H W params macs range len zip enumerate
    { } ( ) [ ] = == : , -> . + - * / // % < ; # \\ \0 é
"""
SPICE = (*WORDS.split(), *registry.names())
NUMBERS = ("0", "1", "2", "3", "4", "5", "7", "8", "16", "100", "1000003", "1e-3", "-2", "H", "2x3", "1K")


def token_mutants(seed: str) -> Iterator[bytes]:
    """Mutants without end."""
    chance = random.Random(seed)
    originals = [[TOKEN.findall(text) for text in texts] for texts in (specs(), small())]
    while True:
        some = originals[chance.random() < 0.2]
        yield mutant(some, chance).encode()


def mutant(originals: Sequence[Sequence[str]], chance: random.Random) -> str:
    """A spec with one to four tokens left out, doubled, swapped, replaced or taken over, or a changed character."""
    tokens = list(chance.choice(originals))
    if chance.random() < 0.05:
        text = "".join(tokens)
        at = chance.randrange(len(text) + 1)
        return text[:at] + chr(chance.choice((0, 10, 34, 92, 123, 125, 0xE9, 0x202E, 0x1F600))) + text[at + 1 :]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        _mutate(tokens, originals, chance)
    return "".join(tokens)


def _mutate(tokens: list[str], originals: Sequence[Sequence[str]], chance: random.Random) -> None:
    solid = [i for i, token in enumerate(tokens) if not token.isspace()]
    if not solid:
        return
    at, other = chance.choice(solid), chance.choice(solid)
    match chance.randrange(10):
        case 0:
            del tokens[at]
        case 1:
            tokens.insert(at, tokens[at])
        case 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 3:
            tokens[at] = f" {chance.choice(SPICE)} "
        case 4:
            tokens[at] = tokens[other]
        case 5:
            foreign = chance.choice(originals)
            start = chance.randrange(len(foreign))
            tokens[at:at] = foreign[start : start + chance.randint(1, 12)]
        case 6 | 7:
            numbers = [i for i in solid if tokens[i][0].isdigit()]
            if numbers:
                tokens[chance.choice(numbers)] = chance.choice(NUMBERS)
        case 8:
            _line(tokens, tokens, at, chance)
        case 9:
            _line(tokens, chance.choice(originals), at, chance)


def _line(tokens: list[str], donor: Sequence[str], at: int, chance: random.Random) -> None:
    """Puts a line of `donor` before the one that `at` is on."""
    ends = [i for i, token in enumerate(donor) if "\n" in token]
    if len(ends) < 2:
        return
    first = chance.randrange(len(ends) - 1)
    while at and "\n" not in tokens[at]:
        at -= 1
    tokens[at:at] = donor[ends[first] : ends[first + 1]]
