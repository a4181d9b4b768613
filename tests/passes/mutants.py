"""Mutants of specs: what a slip of the hand, a bad merge or malice may make of them."""

from __future__ import annotations

import random
import re

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\"[^\"]*\"|->|\.\.|//|[=!<>]=|\s+|.", re.DOTALL)
WORDS = """
    0 1 2 3 7 -1 1e9 9223372036854775807 1.5 true none "" "a" 7x7 3x3x3 [] [1,2] [[]] 1..3 5..1 in x image self forward
    torch relu conv linear flatten concat add residual dense gate parallel project shortcut repeat for if else let input
    output training shared expect init on gpu where block network { } ( ) [ ] = == : , -> . + - * / // % < ; # \\ \0 é
"""
SPICE = WORDS.split()


def mutant(specs: list[str], chance: random.Random) -> str:
    """A spec with one to four tokens left out, doubled, swapped, replaced or taken over, or a changed character."""
    tokens = TOKEN.findall(chance.choice(specs))
    if chance.random() < 0.1:
        text = "".join(tokens)
        at = chance.randrange(len(text) + 1)
        return text[:at] + chr(chance.choice((0, 10, 34, 92, 123, 125, 0xE9, 0x202E, 0x1F600))) + text[at + 1 :]
    for _ in range(chance.randint(1, 4)):
        _mutate(tokens, specs, chance)
    return "".join(tokens)


def _mutate(tokens: list[str], specs: list[str], chance: random.Random) -> None:
    solid = [i for i, token in enumerate(tokens) if not token.isspace()]
    if not solid:
        return
    at, other = chance.choice(solid), chance.choice(solid)
    match chance.randrange(7):
        case 0:
            del tokens[at]
        case 1:
            tokens.insert(at, tokens[at])
        case 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 3 | 4:
            tokens[at] = f" {chance.choice(SPICE)} "
        case 5:
            tokens[at] = tokens[other]
        case 6:
            foreign = TOKEN.findall(chance.choice(specs))
            start = chance.randrange(len(foreign))
            tokens[at:at] = foreign[start : start + chance.randint(1, 12)]
