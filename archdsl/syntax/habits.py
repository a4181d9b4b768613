"""Habits of other languages, and characters that word processors put in place of others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic
from archdsl.source import Span

if TYPE_CHECKING:
    from archdsl.syntax.errors import Refusal

_ARROW = "the next step of a chain comes after `->`"

_CHARACTERS = {
    "“": 'a string stands in plain quotes, `"`',
    "”": 'a string stands in plain quotes, `"`',
    "„": 'a string stands in plain quotes, `"`',
    "‘": 'a string stands in plain quotes, `"`',
    "’": 'a string stands in plain quotes, `"`',
    "'": 'a string stands in double quotes, `"`',
    "×": "a size is written with the letter x, as `7x7`",
    "→": _ARROW,
    "–": "a minus is written `-`",
    "—": "a minus is written `-`",
    "−": "a minus is written `-`",
    "…": "a range is written `1..4`",
    "\xa0": "this is a no-break space; write a plain one",
    "&": "write `and`",
    "|": "write `or`; the next step of a chain comes after `->`",
    "!": "write `not`",
    "\\": "a line that starts with `->`, or inside ( ) or [ ], goes on without a mark",
}

# (the token before, the token refused), with no space between them: what the two were meant as.
_OPERATORS = {
    ("=", ">"): ("`=>` is not an operator", _ARROW),
    ("-", "->"): ("`-->` is not an operator", _ARROW),
    ("->", ">"): ("`->>` is not an operator", _ARROW),
    ("*", "*"): ("`**` is not an operator", "a power is written out, as `n * n`"),
    ("+", "="): ("`+=` is not an operator", "a name has one value; two values are added with `add(a, b)`"),
    ("-", "="): ("`-=` is not an operator", "a name is given its value once, with `let`"),
    ("*", "="): ("`*=` is not an operator", "a name has one value; two values are multiplied with `mul(a, b)`"),
    (":", "="): ("`:=` is not an operator", "a name is given with `=`"),
    ("..", "."): ("`...` is not an operator", "a range is written `1..4`"),
    ("..", "="): ("`..=` is not an operator", "a range is written `1..4` and includes its end"),
}

_JOINS = {
    "+": "values are added with `add(a, b)`, layers that stand side by side with `add { … }`",
    "*": "values are multiplied with `mul(a, b)`, layers that stand side by side with `mul { … }`",
}

_BLOCK = "a block is written `block name(width, stride=1) { … }`"
_WORDS = {
    "def": _BLOCK,
    "fn": _BLOCK,
    "func": _BLOCK,
    "function": _BLOCK,
    "layer": _BLOCK,
    "module": _BLOCK,
    "class": "a network is written `network Name(classes=1000) { … }`",
    "model": "a network is written `network Name(classes=1000) { … }`",
    "import": 'an import is written `from "file.arch" import name`',
    "include": 'an import is written `from "file.arch" import name`',
    "elif": "write `else if`",
    "while": "loops are bounded: `for i in 1..4 { … }`",
    "return": "a result is named with `output`; without one, the last value is the result",
    "const": "a constant is written `let n = 4`",
    "var": "a constant is written `let n = 4`",
    "assert": "a claim is written `expect params == 25_557_032`",
    "at": "after `at` comes a size, such as `224x224`",
}
_TORCH = re.compile(r"[ \t]+torch\b")
_NO_IMPORT = "nothing of PyTorch is imported: its layers are known here by their own names, as `conv` and `relu`"


def _error(message: str, span: Span, help: str = "") -> Diagnostic:
    return Diagnostic("E0002", message, span, help=(help,) if help else ())


def character(text: str, span: Span) -> Diagnostic:
    """A character that means nothing here."""
    named = f"`{text}`" if text.isprintable() and text != "\xa0" else f"the character U+{ord(text):04X}"
    help = _CHARACTERS.get(text, "")
    if not help and unicodedata.category(text)[0] in "LMN":
        help = "names are made of the letters a-z and A-Z, digits and `_`"
    return _error(f"{named} means nothing here", span, help)


def operator(at: Refusal) -> Iterator[Diagnostic]:
    """`=>`, `**`, `==` for `=` and the like."""
    token, span = at.token, at.span(at.token)
    if at.before is not None and at.adjacent and (str(at.before), str(token)) in _OPERATORS:
        message, help = _OPERATORS[str(at.before), str(token)]
        yield _error(message, at.span(at.before).to(span), help)
    elif token == "==" and "EQUAL" in at.accepts:
        yield _error("`==` compares; a name is given with `=`", span)
    elif token == "=" and "COMPARE" in at.accepts:
        yield _error("`=` gives a name; two values are compared with `==`", span)


def comment(at: Refusal) -> Iterator[Diagnostic]:
    """`//`, `/*` and `--`, where no number could be divided or changed in sign."""
    start = at.span(at.token).start
    mark = at.source.text[start : start + 2]
    if mark in ("//", "/*", "--") and ("_NL" in at.accepts or at.begins_statement):
        yield _error(f"`{mark}` begins no comment", Span(at.source, start, start + 2), "one begins with `#`")


def statement(at: Refusal) -> Iterator[Diagnostic]:
    """What other languages write after a layer or a value: `a + b`, `f(x) if y else z`, a comma after each branch."""
    token, span, before = at.token, at.span(at.token), at.before
    rest = at.source.text[span.start : span.start + 2]
    assigned = rest[1:] == "=" and "EQUAL" in at.accepts  # `x += y`, where `x, y = …` could come too
    if "_NL" not in at.accepts or ("COMMA" in at.accepts and not assigned):
        return
    if rest in ("=>", ">>"):
        yield _error(f"`{rest}` is not an operator", Span(at.source, span.start, span.start + 2), _ARROW)
    elif (rest[:1], rest[1:]) in _OPERATORS:
        message, help = _OPERATORS[rest[:1], rest[1:]]
        yield _error(message, Span(at.source, span.start, span.start + 2), help)
    elif token in (".", ">"):
        yield _error(f"`{token}` does not go on a chain", span, _ARROW)
    elif token == "=" and before is not None and before.type == "NAME":
        yield _error("a label stands at the start of a statement", at.span(before), f"begin a line with `{before} = …`")
    elif token == "," and at.open:
        yield _error("no `,` stands after a statement", span, "each stands on a line of its own, or after a `;`")
    elif token == "(" and before is not None and before.type == "RPAR":
        yield _error("a layer is not called with what it is applied to", span, "that stands before it: `x -> conv(…)`")
    elif str(token) in _JOINS:
        yield _error(f"`{token}` computes with numbers, not with layers", span, _JOINS[str(token)])
    elif token == "if":
        yield _error("`if` begins a statement", span, "write `if … { … } else { … }`")


def name(at: Refusal) -> Iterator[Diagnostic]:
    """`My-Net`, and a pair in parentheses, `(3, 3)`."""
    before = at.before
    if at.token == "-" and before is not None and before.type == "NAME" and at.adjacent and "LBRACE" in at.accepts:
        rest = re.match(r"-(\w+)", at.source.text[at.span(at.token).start :])
        joined = f"{before}_{rest[1]}" if rest else ""
        yield _error("a name has no `-`", at.span(at.token), f"write `{joined}`" if joined else "")
    elif at.token == "," and at.open and at.open[-1] == "(" and at.accepts & {"RPAR", "COMMA", "NAME"} == {"RPAR"}:
        yield _error(
            "parentheses hold one value", at.span(at.token), "a size for each axis is written `3x3`, a list `[3, 3]`"
        )


def colon(at: Refusal) -> Iterator[Diagnostic]:
    """`block f(x):` and an indented body, as in Python."""
    if at.token.type == "COLON" and "LBRACE" in at.accepts and "COMMA" not in at.accepts:
        yield _error("a body stands in `{ … }`, not after a `:`", at.span(at.token))
    elif at.before is not None and (at.before.type, at.token.type) == ("COLON", "_NL") and at.accepts == {"LSQB"}:
        yield _error("a body stands in `{ … }`, not after a `:`", at.span(at.before))


def word(at: Refusal) -> Iterator[Diagnostic]:
    """A word that begins a statement elsewhere, before what would follow it there."""
    for token in (at.before, at.token):
        refused_import = token is at.token and token.type == "IMPORT" and "IMPORT" not in at.accepts
        if token is not None and (token.type == "NAME" or refused_import) and str(token) in _WORDS:
            pytorch = token == "import" and _TORCH.match(at.source.text, token.end_pos or 0)
            help = _NO_IMPORT if pytorch else _WORDS[str(token)]
            yield _error(f"`{token}` means nothing here", at.span(token), help)
