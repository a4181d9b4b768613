"""Which bracket is the one that was never closed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.source import Source, Span

_BRACES = re.compile(r'"""[\s\S]*?"""|"(?:[^"\\\n]++|\\.)*+"|#[^\n]*+|[{}]')
_BRACKETS = re.compile(r'"(?:[^"\\\n]++|\\.)*+"|#[^\n]*+|[][(){}]')


def unclosed(source: Source, opened: Sequence[int], end: int) -> Span:
    """Of the brackets still open at `end`, the one to blame.

    That is the innermost, unless the indentation says better: where a `}` at the start of its line stands further left
    than the line that opened what it closes, that one was left open, and the `}` was meant for one outside it.
    """
    text = source.text
    innermost = Span(source, opened[-1], opened[-1] + 1)
    if innermost.text != "{":
        return innermost
    stack: list[int] = []
    for mark in _BRACES.finditer(text, opened[0], end):
        if mark[0] == "{":
            stack.append(mark.start())
        elif mark[0] == "}" and stack:
            opening = stack.pop()
            line = text.rfind("\n", 0, mark.start()) + 1
            if not text[line : mark.start()].strip() and mark.start() - line < _indent(text, opening):
                return Span(source, opening, opening + 1)
    return innermost


def _indent(text: str, offset: int) -> int:
    line = text.rfind("\n", 0, offset) + 1
    return len(text[line:offset]) - len(text[line:offset].lstrip())


def closes_again(source: Source, start: int) -> bool:
    """Whether a round or square bracket open at `start` is closed before a brace comes."""
    inside = 1
    for mark in _BRACKETS.finditer(source.text, start):
        char = mark[0][0]
        if char in "{}":
            return False
        inside += (char in "([") - (char in ")]")
        if inside == 0:
            return True
    return False
