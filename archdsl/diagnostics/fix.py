"""Ways out as data: changes of a spec's text, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.source import Source, Span


@dataclass(frozen=True)
class Edit:
    """Another text in the place of `span`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True)
class Fix:
    """A change of a spec's text after which the finding that has it is gone.

    `text` is what is shown as help: a sentence, and lines of code that are indented by two. It is empty where the
    finding says it in another place, as in `did you mean …?`. `edits` are made together; no two of them overlap.
    """

    text: str
    edits: tuple[Edit, ...]


def edited(span: Span, edits: Sequence[Edit]) -> str:
    """The text of a span with those of the edits made that are in its file; all of them are inside it."""
    text, at = "", span.start
    for edit in _ordered(span.source, edits):
        text += span.source.text[at : edit.span.start] + edit.text
        at = edit.span.end
    return text + span.source.text[at : span.end]


def edited_lines(source: Source, edits: Sequence[Edit]) -> list[tuple[range, list[str]]]:
    """Each run of lines of a file that edits change: their numbers, and what the lines become."""
    runs: list[list[Edit]] = []
    for edit in _ordered(source, edits):
        if runs and source.position(runs[-1][-1].span.end)[0] >= edit.span.line:
            runs[-1].append(edit)
        else:
            runs.append([edit])
    wholes = [_lines(source, run) for run in runs]
    numbers = [range(whole.line, source.position(whole.end)[0] + 1) for whole in wholes]
    return [(lines, edited(whole, run).split("\n")) for lines, whole, run in zip(numbers, wholes, runs, strict=True)]


def _lines(source: Source, run: Sequence[Edit]) -> Span:
    """The whole lines that a run of edits touches."""
    start = source.text.rfind("\n", 0, run[0].span.start) + 1
    stop = source.text.find("\n", run[-1].span.end)
    return Span(source, start, stop if stop >= 0 else len(source.text))


def _ordered(source: Source, edits: Sequence[Edit]) -> list[Edit]:
    return sorted((e for e in edits if e.span.source is source), key=lambda e: (e.span.start, e.span.end))
