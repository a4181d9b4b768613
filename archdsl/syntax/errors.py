"""What to say of a token that does not fit: what the author most likely meant, in the author's terms.

`explain` tries its cases in order, the surest sign first. No message names a terminal of the grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic, Label, did_you_mean
from archdsl.source import Source, Span
from archdsl.syntax import habits
from archdsl.syntax.layout import MAX_DEPTH, OPENING
from archdsl.syntax.recover import indexed, taken_for_a_name
from archdsl.syntax.unclosed import closes_again, unclosed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lark import Token

_WORDS = """
    and as block else expect false for from if import in init input let network none not on or output project repeat
    shared shortcut training true where
"""
KEYWORDS = frozenset(_WORDS.split())
# What is named when nothing surer can be said, in this order.
_MARKS = {
    "EQUAL": "=",
    "COLON": ":",
    "COMMA": ",",
    "IN": "in",
    "IMPORT": "import",
    "ARROW": "->",
    "LPAR": "(",
    "LSQB": "[",
}
_VALUES = ("NAME", "NUMBER", "SIZE", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB")
_MAX_SHOWN = 30
_KEYWORD_HELP = {
    "input": "an input has a name, `input image: [3, H, W]`; what a block is applied to is called `in`",
    "project": "a projection is written `} project conv(…)`, and with a label `} project label = conv(…)`",
    "if": "a case is a statement: `if … { … } else { … }`",
}


@dataclass(frozen=True)
class Refusal:
    """A token that did not fit, and what stood around it."""

    source: Source
    token: Token
    before: Token | None
    open: Sequence[Token]
    accepts: set[str]

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    @property
    def here(self) -> Span:
        """The token, or where nothing is written, the token before it."""
        nothing = self.token.type in ("_NL", "$END")
        return self.span(self.before) if nothing and self.before is not None else self.span(self.token)

    @property
    def adjacent(self) -> bool:
        return self.before is not None and self.before.end_pos == self.token.start_pos

    @property
    def starts_line(self) -> bool:
        text, start = self.source.text, self.token.start_pos or 0
        return not text[text.rfind("\n", 0, start) + 1 : start].strip()

    @property
    def begins_statement(self) -> bool:
        return {"LET", "LBRACE"} <= self.accepts

    @property
    def keyword_as_name(self) -> bool:
        """Whether the token is a keyword that is meant as a name: `block = …`, `from -> relu`, `block if {`."""
        if self.token not in KEYWORDS:
            return False
        if self.before is not None and self.before is not self.token and self.before.type in ("BLOCK", "NETWORK"):
            return True
        starts = self.starts_line or self.before is None or self.before.type in ("_NL", "LBRACE")
        inside = bool(self.open) and self.open[-1].type == "LBRACE"
        return inside and starts and taken_for_a_name(self.source.text, self.token)

    @property
    def after(self) -> str:
        return f" after {_quoted(self.before)}" if self.before is not None else ""


def explain(refusal: Refusal) -> Diagnostic:
    """The diagnostic of a refused token."""
    cases = (
        _unreadable,
        _too_deep,
        _indexed,
        habits.operator,
        _misnamed,
        _brackets,
        habits.colon,
        habits.word,
        habits.comment,
        habits.statement,
        habits.name,
        _keyword,
        _comma,
        _missing,
    )
    found = (diagnostic for case in cases for diagnostic in case(refusal))
    return next(found)


def _unreadable(at: Refusal) -> Iterator[Diagnostic]:
    """What the lexer could make nothing of."""
    token, span = at.token, at.span(at.token)
    if token.type == "BAD_STRING":
        quote = '"""' if token.startswith('"""') else '"'
        opening = Span(at.source, span.start, span.start + len(quote))
        end = "the end of the file" if len(quote) == 3 else "the end of its line"
        yield error("a string is not closed", opening, f"its other `{quote}` is missing before {end}")
    elif token.type == "BAD_NUMBER":
        yield error(f"`{_shown(token)}` is not a number", span, help=("a name starts with a letter or `_`",))
    elif token.type == "BAD_CHAR":
        yield habits.character(token, span)


def _too_deep(at: Refusal) -> Iterator[Diagnostic]:
    if at.token.type == "TOO_DEEP":
        span = at.span(at.token)
        yield Diagnostic("E0003", f"this is nested more than {MAX_DEPTH} levels deep", span)


def _brackets(at: Refusal) -> Iterator[Diagnostic]:
    """A bracket that closes nothing, or one that is never closed."""
    token, span = at.token, at.span(at.token)
    around = [each for each in at.open if each is not token]
    inner = around[-1] if around else None
    closing = token.type in OPENING.values()
    if inner is None:
        if closing:
            yield error(f"this `{token}` closes nothing", span)
    elif closing and OPENING[inner.type] != token.type:
        if inner.type == "LBRACE":
            yield error(f"this `{token}` closes nothing", span)
        elif token.type == "RBRACE":
            yield error(f"this `{inner}` is never closed", at.span(inner))
        else:
            wanted = ")" if inner == "(" else "]"
            opened = Label(at.span(inner), f"this is closed by `{wanted}`")
            yield error(f"`{token}` does not close `{inner}`", span, "", opened)
    elif inner.type != "LBRACE" and token.type == "LBRACE":
        yield error(f"this `{inner}` is never closed", at.span(inner))
    elif token.type == "$END" or (token.type in ("BLOCK", "NETWORK", "FROM") and at.starts_line):
        opening = unclosed(at.source, [each.start_pos or 0 for each in at.open], span.start)
        yield error(f"this `{opening.text}` is never closed", opening)
    elif inner.type != "LBRACE" and at.starts_line and not closing and not closes_again(at.source, span.start):
        yield error(f"this `{inner}` is never closed", at.span(inner))


def _indexed(at: Refusal) -> Iterator[Diagnostic]:
    """`output[0] = …`: `output` begins a statement, and what is refused comes only after it."""
    found = indexed(at.source.text, at.token.start_pos or 0)
    if found is not None and (word := Span(at.source, *found)).text in KEYWORDS:
        yield _no_name(word, _AS_A_NAME)


def _misnamed(at: Refusal) -> Iterator[Diagnostic]:
    """`block = …`: were this left to the cases below, `block` would begin a definition in braces left open."""
    if at.keyword_as_name:
        yield _no_name(at.span(at.token), _AS_A_NAME)


def _keyword(at: Refusal) -> Iterator[Diagnostic]:
    """A keyword where a name is wanted."""
    word = at.token
    takes_name = at.token.type in ("EQUAL", "COLON", "COMMA", "ARROW", "DOT") or at.accepts == {"EQUAL"}
    if at.before is not None and at.before in KEYWORDS and takes_name:
        word = at.before
    elif "NAME" not in at.accepts:
        return
    if word in KEYWORDS and not (word is at.token and at.begins_statement):
        given = at.token.type == "EQUAL" or ("NAME" in at.accepts and not at.accepts & {"NUMBER", "LBRACE"})
        used = bool(at.open) and at.open[-1].type != "LBRACE"
        yield _no_name(at.span(word), _AS_A_NAME if given else _AS_A_VALUE if used else "")


_AS_A_NAME = "write `{}_`, or another name"
_AS_A_VALUE = "write `{}_` here and where it is named, or another name"


def _no_name(word: Span, advice: str) -> Diagnostic:
    """`advice` is what else can be written, if it is clear that a name is meant."""
    help = _KEYWORD_HELP.get(word.text) or advice.format(word.text)
    return error(f"`{word.text}` is a keyword and cannot be a name", word, help=(help,) if help else ())


def _comma(at: Refusal) -> Iterator[Diagnostic]:
    between = at.open and at.open[-1].type != "LBRACE" and "COMMA" in at.accepts
    if between and (at.token.type in _VALUES or at.token in KEYWORDS):
        yield error(f"a `,` is missing before {_quoted(at.token)}", at.span(at.token))


def _missing(at: Refusal) -> Iterator[Diagnostic]:
    """By what could have come: a value, a step, a name, a body, or the end of the statement."""
    accepts, found = at.accepts, _found(at.token)
    if at.begins_statement:
        yield error(f"a statement cannot start with {found}", at.span(at.token))
    elif "BLOCK" in accepts and "LET" not in accepts:
        known = ("network", "block", "from")
        near = did_you_mean(at.token, known) or next((each for each in known if each.startswith(at.token)), None)
        holds = 'a file holds `block name(…) { … }`, `network Name(…) { … }` and `from "file.arch" import name`'
        help = (f"did you mean `{near}`?" if near else holds,)
        yield error(f"{found} stands outside every block and network", at.span(at.token), help=help)
    elif "NUMBER" in accepts:
        yield error(f"a value is expected{at.after}, not {found}", at.here)
    elif {"REPEAT", "LBRACE"} <= accepts:
        yield error(f"a layer, a block or `{{ … }}` is expected{at.after}, not {found}", at.here)
    elif "NAME" in accepts:
        yield error(f"a name is expected{at.after}, not {found}", at.here)
    elif "_NL" in accepts:
        help = ("a statement stands on a line of its own, or after a `;`; the steps of a chain are joined with `->`",)
        yield error(f"the statement should end before {found}", at.span(at.token), help=help)
    elif "LBRACE" in accepts:
        yield error(f"a body in `{{ … }}` is expected{at.after}, not {found}", at.here)
    elif "COMPARE" in accepts:
        help = ("a claim compares: `expect params == 25_557_032`, `expect shape(layer4) == [2048, 7, 7]`",)
        yield error(f"a comparison is expected{at.after}, not {found}", at.here, help=help)
    elif wanted := [spelt for kind, spelt in _MARKS.items() if kind in accepts]:
        yield error(f"{' or '.join(f'`{each}`' for each in wanted)} is expected{at.after}, not {found}", at.here)
    else:
        yield error(f"{found} cannot stand here", at.span(at.token))


def error(message: str, span: Span, label: str = "", *labels: Label, help: tuple[str, ...] = ()) -> Diagnostic:
    """A syntax error."""
    return Diagnostic("E0002", message, span, label, labels, (), help)


def _found(token: Token) -> str:
    if token.type == "$END":
        return "the end of the file"
    if token.type == "_NL":
        return "`;`" if token.startswith(";") else "the end of the line"
    return _quoted(token)


def _quoted(token: Token | None) -> str:
    return f"`{_shown(token)}`" if token is not None and token.type != "_NL" else "the line before"


def _shown(token: Token) -> str:
    text = token.split("\n", 1)[0]
    return text if len(text) <= _MAX_SHOWN and text == token else text[: _MAX_SHOWN - 1] + "…"
