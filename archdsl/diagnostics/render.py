"""A diagnostic as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from archdsl.diagnostics.diagnostic import Diagnostic, Label, Severity
from archdsl.diagnostics.textwidth import Window, printable
from archdsl.source import Source

WIDTH = 120  # of source text, where the caller knows no better
_MIN_WIDTH = 40
_NEAR = 2  # lines between two labels that are shown rather than left out

_RESET, _BOLD = "\x1b[0m", "\x1b[1m"
_RED, _GREEN, _YELLOW, _BLUE = (f"\x1b[1;{code}m" for code in (31, 32, 33, 34))


def render(diagnostic: Diagnostic, *, color: bool = False, width: int | None = None) -> str:
    """Message, source lines with carets under the primary place and dashes under the others, notes, help.

    In a help of several lines those that are indented are code. `width` is the room for source text.
    """
    return "\n".join(_Rendering(diagnostic, color, max(width or WIDTH, _MIN_WIDTH)).lines())


@dataclass(frozen=True)
class _Mark:
    """A label, or the primary place, on the line it starts on."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


class _Rendering:
    def __init__(self, diagnostic: Diagnostic, color: bool, width: int) -> None:
        self.diagnostic = diagnostic
        self.color = color
        self.width = width
        self.accent = _RED if diagnostic.severity is Severity.ERROR else _YELLOW
        primary = Label(diagnostic.span, diagnostic.label)
        self.files: dict[int, tuple[Source, list[_Mark]]] = {}
        for label in (primary, *diagnostic.labels):
            source = label.span.source
            self.files.setdefault(id(source), (source, []))[1].append(_mark(label, label is primary))
        last = max(mark.line for _, marks in self.files.values() for mark in marks)
        self.gutter = max(2, len(str(last)))

    def paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self.color and text else text

    def lines(self) -> list[str]:
        found = self.diagnostic
        head = self.paint(f"{found.severity}[{found.code}]", self.accent)
        lines = [f"{head}{self.paint(': ' + printable(found.message), _BOLD)}"]
        for source, marks in self.files.values():
            lines += self.excerpt(source, marks)
        if found.notes:
            lines.append(self.margin())
        for note in found.notes:
            first, *rest = printable(note).split("\n")
            lines.append(f"{self.margin('=')} {first}")
            lines += [f"{' ' * self.gutter}   {line}" for line in rest]
        for help in found.advice:
            first, *rest = printable(help).split("\n")
            lines.append(f"{self.paint('help', _GREEN)}: {first}")
            lines += [f"{self.margin()} {line}" if line.startswith("  ") else f"      {line}".rstrip() for line in rest]
        return lines

    def margin(self, sign: str = "|", number: str = "") -> str:
        return self.paint(f"{number:>{self.gutter}} {sign}", _BLUE)

    def excerpt(self, source: Source, marks: Sequence[_Mark]) -> list[str]:
        """The lines of one file that have marks, and what little stands between them; of an empty one its name."""
        if not source.text:
            return [f"{' ' * self.gutter}{self.paint('-->', _BLUE)} {printable(source.path)}"]
        place = next((mark for mark in marks if mark.primary), marks[0])
        where = f"{printable(source.path)}:{place.line}:{place.start + 1}"
        lines = [f"{' ' * self.gutter}{self.paint('-->', _BLUE)} {where}", self.margin()]
        shown = 0
        ordered = sorted(marks, key=lambda mark: (mark.line, mark.start))
        for number, group in groupby(ordered, key=lambda mark: mark.line):
            if shown and number - shown - 1 > _NEAR:
                lines.append(self.paint("...", _BLUE))
            elif shown:
                between = range(shown + 1, number)
                lines += [self.source_line(each, Window(source.line(each), 0, self.width)) for each in between]
            lines += self.marked_line(source, number, list(group))
            shown = number
        return lines

    def source_line(self, number: int, window: Window) -> str:
        return f"{self.margin('|', str(number))} {window.text}".rstrip()

    def marked_line(self, source: Source, number: int, marks: Sequence[_Mark]) -> list[str]:
        """A source line, and under it a line for each mark."""
        focus = next((mark for mark in marks if mark.primary), marks[0])
        window = Window(source.line(number), focus.start, self.width)
        lines = [self.source_line(number, window)]
        for mark in marks:
            start = window.column(mark.start)
            end = max(window.column(mark.end), start + 1)
            style = self.accent if mark.primary else _BLUE
            first, *rest = printable(mark.text).split("\n")
            line = ("^" if mark.primary else "-") * (end - start) + (f" {first}" if first else "")
            lines.append(f"{self.margin()} {' ' * start}{self.paint(line, style)}")
            lines += [f"{self.margin()} {' ' * (end + 1)}{self.paint(each, style)}" for each in rest]
        return lines


def _mark(label: Label, primary: bool) -> _Mark:
    """Where a label stands on its first line; what goes on over several lines is marked to the end of the first."""
    source, start, end = label.span
    line, column = source.position(start)
    length = max(0, end - start)
    room = len(source.line(line)) - (column - 1)
    return _Mark(line, column - 1, column - 1 + max(0, min(length, room)), label.text, primary)
