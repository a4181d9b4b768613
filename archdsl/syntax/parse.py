"""Parsing: text in, tree and diagnostics out, whatever the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import Sink
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.recover import next_definition, next_statement, taken_for_a_name

if TYPE_CHECKING:
    from lark import Token

    from archdsl.syntax.reader import Reader

MAX_ERRORS = 100


def parse(source: Source, sink: Sink) -> tree.File:
    """The tree of a file. What could not be read is missing from it, and the sink says why. No text makes it raise."""
    from archdsl.syntax.reader import reader  # and with it Lark, for those who do parse

    shared = reader()
    with shared.lock:
        shared.builder.begin(source, sink)
        reading = _Parse(shared, source, sink)
        reading.run()
        imports, definitions = tuple(shared.builder.imports), tuple(shared.builder.definitions)
        shared.builder.begin(Source("", ""), Sink())  # hold on to nothing
    return tree.File(
        Span(source, 0, len(source.text)), source, tuple(imports), tuple(definitions), tuple(reading.broken)
    )


class _Parse:
    """One file's way through the machine: read to an error, report it, find a place to go on."""

    def __init__(self, shared: Reader, source: Source, sink: Sink) -> None:
        self.lark, self.layout, self.machine = shared.lark, shared.layout, shared.machine
        self.source, self.sink = source, sink
        self.errors = 0
        self.last_error = 0
        self.broken: list[int] = []
        self.misnamed: set[str] = set()  # keywords that the author uses as names

    def run(self) -> None:
        self._restart()
        offset = 0
        while (refused := self.machine.read(self._tokens(offset))) is not None:
            refused = self._culprit(refused)
            self._report(refused)
            if refused.startswith('"""'):
                break  # where the text goes on is anyone's guess
            resume = self._recover(refused)
            if resume is None or self.errors >= MAX_ERRORS:
                break
            offset = resume

    def _restart(self) -> None:
        self.machine.reset()
        self.layout.open.clear()

    def _tokens(self, offset: int) -> Iterator[Token]:
        from lark import Token

        lexing: Any = self.lark.parse_interactive(self.source.text)
        lexing.lexer_thread.state.line_ctr.char_pos = offset
        size = len(self.source.text)
        end = Token("$END", "", size, end_pos=size)
        return chain(lexing.lexer_thread.lex(lexing.parser_state), [end])

    def _culprit(self, refused: Token) -> Token:
        """The token that is wrong: mostly the refused one.

        But under a parenthesis that was left open, the `block` that begins the next definition passes for an argument's
        name, and it is the token after it that is refused.
        """
        before = self.layout.before
        passed_for_a_name = (
            before is not None and self._begins_definition(before) and self.machine.accepts() == {"EQUAL"}
        )
        return before if before is not None and passed_for_a_name else refused

    def _begins_definition(self, token: Token) -> bool:
        starts = token.type in ("BLOCK", "NETWORK", "FROM") and self._leads(token)
        return starts and not taken_for_a_name(self.source.text, token)

    def _leads(self, token: Token) -> bool:
        """Whether a token is the first on its line."""
        text, start = self.source.text, token.start_pos or 0
        return not text[text.rfind("\n", 0, start) + 1 : start].strip()

    def _report(self, refused: Token) -> None:
        from archdsl.syntax.errors import Refusal, explain

        start = refused.start_pos or 0
        self.broken.append(start)
        definition = refused.type in ("BLOCK", "NETWORK", "FROM") and not taken_for_a_name(self.source.text, refused)
        structural = refused.type == "$END" or definition or not self.machine.within("flow")
        same_definition = self.errors > 0 and next_definition(self.source.text, self.last_error, start) is None
        self.last_error = start
        if structural and same_definition:
            return  # the error before has most likely upset the braces
        self.errors += 1
        before, open = self.layout.before, tuple(self.layout.open)
        refusal = Refusal(self.source, refused, before, open, self.machine.accepts())
        found = explain(refusal)
        if found.span.text in self.misnamed and not definition:
            return
        if refusal.keyword_as_name:
            self.misnamed.add(str(refused))
        self.sink.add(found.code, found.message, found.span, found.label, labels=found.labels, help=found.help)

    def _recover(self, refused: Token) -> int | None:
        """Set the machine up to go on, and say where; None at the end."""
        from lark import Token

        text, start, layout = self.source.text, refused.start_pos or 0, self.layout
        if layout.open and layout.open[-1] is refused:
            layout.open.pop()
        brackets: list[Token] = []
        while layout.open and layout.open[-1].type != "LBRACE":
            brackets.insert(0, layout.open.pop())
        if refused.type == "$END":
            return None
        lost = refused.type == "TOO_DEEP" or self._begins_definition(refused)
        if not lost and self.machine.unwind("flow"):
            resume = next_statement(text, start, brackets)
        else:
            self.machine.finish(Token("_NL", "\n"))
            line = text.rfind("\n", 0, start) + 1
            resume = next_definition(text, line if self._leads(refused) else start)
        if resume is None:
            return None
        if resume.definition:
            self._restart()
        return resume.offset
