"""Between the lexer and the parser: which line ends count, and how deep a text may nest.

Depth is bounded here, on tokens, so that neither the parser nor anything that walks the tree meets more than
`MAX_DEPTH` levels: a token that goes deeper gets the type `TOO_DEEP`, which no rule takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Token

MAX_DEPTH = 64

OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CONTINUES = {"ARROW", "ELSE", "PROJECT", "SHORTCUT"}  # a line that starts with one goes on with the line before

_CLOSING = frozenset(OPENING.values())
_OPERATORS = {"FACTOR": 1, "SIGN": 2, "RANGE": 4, "COMPARE": 8, "AND": 16, "OR": 32}
_SEPARATORS = frozenset({"COMMA", "EQUAL", "ARROW", "COLON"})
_COUNTED = frozenset({*OPENING, *_CLOSING, *_OPERATORS, *_SEPARATORS, "NOT", "DOT"})


class Layout:
    """Lark's postlex. `open` holds the brackets that are open where the parser stands, `before` its last token."""

    always_accept = ("_NL", "BAD_NUMBER", "BAD_STRING", "BAD_CHAR")

    def __init__(self) -> None:
        self.open: list[Token] = []
        self.before: Token | None = None

    def process(self, stream: Iterable[Token]) -> Iterator[Token]:
        """The tokens that the parser is to see."""
        line_end: Token | None = None
        depth = _Depth(len(self.open))
        self.before = None
        for token in stream:
            kind = token.type
            if kind == "_NL":
                if self.before is not None and (not self.open or self.open[-1].type == "LBRACE"):
                    line_end = token
                continue
            if line_end is not None:
                if kind not in CONTINUES or line_end.startswith(";"):
                    depth.separate()
                    yield line_end
                    self.before = line_end
                line_end = None
            if kind in _COUNTED:
                if depth.deepens(kind) > MAX_DEPTH:
                    token.type = "TOO_DEEP"
                elif kind in OPENING:
                    self.open.append(token)
                elif kind in _CLOSING and self.open and OPENING[self.open[-1].type] == kind:
                    yield token  # what opened it stays in `open` until the parser has taken this one
                    self.open.pop()
                    self.before = token
                    depth.close()
                    continue
            else:
                depth.operand = True
            yield token
            self.before = token
        if line_end is not None:
            yield line_end


class _Depth:
    """How deep in a tree the current token will stand.

    In one bracket an operator's class adds a level (one, as `a + b - c` is flat), and so does each `not`, sign, field,
    index and call of one operand; those are left behind at the next operator that binds less tightly.
    """

    def __init__(self, braces: int) -> None:
        self.outer = [(level, 0, 0, 0) for level in range(braces)]
        self.base = braces
        self.operand = False
        self.separate()

    def separate(self) -> None:
        self.operators = self.nots = self.run = 0

    def deepens(self, kind: str) -> int:
        """Count a token in; the depth with it."""
        if kind in _SEPARATORS:
            self.separate()
        elif kind in OPENING:
            self.outer.append((self.base, self.operators, self.nots, self.run))
            self.base += self.operators.bit_count() + self.nots + self.run + 1
            self.separate()
        elif kind == "DOT":
            self.run += 1
        elif kind == "NOT":
            self.nots += 1
        elif kind == "SIGN" and not self.operand:
            self.run += 1
        elif kind in _OPERATORS:
            self.operators |= _OPERATORS[kind]
            self.run = 0
            if kind in ("AND", "OR"):
                self.nots = 0
        self.operand = kind in _CLOSING
        return self.base + self.operators.bit_count() + self.nots + self.run

    def close(self) -> None:
        if self.outer:
            self.base, self.operators, self.nots, self.run = self.outer.pop()
            self.run += 1
