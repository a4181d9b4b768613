"""Columns of text, in terminals of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.diagnostics.textwidth import cells, printable

GAP = 2


@dataclass(frozen=True)
class Column:
    """`most` is its limit in any terminal; `least` how far it shrinks in one that is too narrow (0: not at all)."""

    title: str
    right: bool = False
    least: int = 0
    most: int | None = None


def wide(text: str) -> int:
    """The columns that a text takes."""
    return len(text) if text.isascii() and text.isprintable() else sum(size for _, size in cells(text))


def cut(text: str, room: int) -> str:
    """The text, or as much of it as fits before a `…`."""
    if wide(text) <= room:
        return text
    kept, used = "", 1
    for shown, size in cells(text):
        if used + size > room:
            break
        kept, used = kept + shown, used + size
    return kept.rstrip() + "…"


def laid_out(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, indent: int = 1) -> Iterator[str]:
    """The title line and the rows. Where the terminal is too narrow, what has most to give gives first."""
    table = [[column.title for column in columns], *(list(map(printable, row)) for row in rows)]
    sizes = [max(map(wide, cells)) for cells in zip(*table, strict=True)]
    sizes = [min(size, column.most or size) for size, column in zip(sizes, columns, strict=True)]
    excess = indent + sum(sizes) + GAP * (len(sizes) - 1) - width
    while excess > 0:
        spare = [size - column.least if column.least else 0 for size, column in zip(sizes, columns, strict=True)]
        if max(spare) <= 0:
            break
        sizes[spare.index(max(spare))] -= 1
        excess -= 1
    for row in table:
        shown = [cut(text, size) for text, size in zip(row, sizes, strict=True)]
        padded = [
            " " * (size - wide(text)) + text if column.right else text + " " * (size - wide(text))
            for text, size, column in zip(shown, sizes, columns, strict=True)
        ]
        yield (" " * indent + (" " * GAP).join(padded)).rstrip()


def in_lines(parts: Sequence[str], width: int, indent: int = 0) -> Iterator[str]:
    """Phrases one after the other, three spaces between two, on as few lines as the width allows."""
    line = ""
    for part in map(printable, parts):
        longer = f"{line}   {part}" if line else part
        if line and indent + wide(longer) > width:
            yield " " * indent + line
            longer = part
        line = longer
    if line:
        yield " " * indent + line


def aligned(shapes: Sequence[tuple[int, ...]]) -> list[str]:
    """Shapes as `64 x 112 x 112`, the dims of those with equally many below one another."""
    widths: dict[tuple[int, int], int] = {}
    for shape in shapes:
        for axis, dim in enumerate(shape):
            key = (len(shape), axis)
            widths[key] = max(widths.get(key, 0), len(str(dim)))
    return [" x ".join(f"{dim:>{widths[len(s), axis]}}" for axis, dim in enumerate(s)) for s in shapes]
