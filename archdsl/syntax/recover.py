"""Where reading goes on after an error: at the next statement, or failing that the next definition.

This looks at the text alone, for brackets and line ends, so that a broken file costs no more than a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lark import Token

_STARTS = r'(?:block|network|from)[ \t]++(?=["A-Za-z_])'
_DEFINITION = re.compile(rf"^[ \t]*+{_STARTS}", re.MULTILINE)
_MARK = re.compile(
    r'"""[\s\S]*?"""|"(?:[^"\\\n]++|\\.)*+"|#[^\n]*+|[][(){}]'
    rf"|[\n;](?:[\s;]++|#[^\n]*+)*+(?:(?P<definition>{_STARTS})|(?P<goes_on>->|(?:else|project|shortcut)\b))?"
)


# What follows a name that is given (`name = …`, `name[0] = …`, `name: [4, H, W] = …`, `name, other = …`) or used.
_NAMED = re.compile(r"[ \t]*+(?:(?:\[[^\]\n]*+\][ \t]*+)*+(?::[ \t]*+\[[^\]\n]*+\][ \t]*+)?+=(?!=)|->|[.,])")


# The same of a word that may begin a statement as it is, right before an index: `output[0] = …`, `if[0] -> relu`.
_INDEXED = re.compile(
    r"(?:^|[;{])[ \t]*+(?P<word>[a-z]++)(?:\[[^\]\n]*+\][ \t]*+)++(?::[ \t]*+\[[^\]\n]*+\][ \t]*+)?+(?:=(?!=)|->|[.,])",
    re.MULTILINE,
)


class Resume(NamedTuple):
    """An offset to go on at, in the body of the broken statement or at a new definition."""

    offset: int
    definition: bool


def taken_for_a_name(text: str, word: Token) -> bool:
    """Whether the author uses a word at the start of a statement as the name of a value."""
    return _NAMED.match(text, word.end_pos or 0) is not None


def indexed(text: str, offset: int) -> tuple[int, int] | None:
    """Where on the line of `offset` the word stands that begins a statement as a name with an index, if one does."""
    line = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    for found in _INDEXED.finditer(text, line, len(text) if end < 0 else end):
        if found.start("word") < offset < found.end():
            return found.span("word")
    return None


def next_definition(text: str, start: int, end: int | None = None) -> Resume | None:
    """The first definition or import that begins a line at `start` or later (and before `end`)."""
    found = _DEFINITION.search(text, start, len(text) if end is None else end)
    return Resume(found.start(), True) if found else None


def next_statement(text: str, start: int, brackets: Sequence[Token]) -> Resume | None:
    """The end of a statement that broke at `start`, inside `brackets` of its own (round and square, outermost first).

    Brackets that close again are skipped whole, with the line ends in them. Where they do not, before the statement's
    body or its surroundings end, they are the mistake, and the line end that they hid ends the statement.
    """
    hidden = None
    if brackets:
        line_end = text.find("\n", brackets[0].end_pos, start)
        hidden = Resume(line_end + 1, False) if line_end >= 0 else None
    inside, depth = len(brackets), 0
    for mark in _MARK.finditer(text, start):
        char = mark[0][0]
        if mark["definition"]:
            return (inside and hidden) or Resume(mark.start("definition"), True)
        if char in "([":
            inside += 1
        elif char in ")]":
            inside = max(0, inside - 1)
        elif char == "{":
            if inside and hidden and not depth:
                return hidden
            depth += 1
        elif char == "}":
            if depth == 0:
                return (inside and hidden) or Resume(mark.start(), False)
            depth -= 1
        elif char in "\n;" and depth == 0:
            after = Resume(mark.end(), False)
            if inside:
                hidden = hidden or after
            elif not mark["goes_on"]:
                return after
    return hidden
