"""What `diff` prints: for a terminal, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archdsl.compare.difference import Difference
from archdsl.compare.words import listed, sections
from archdsl.diagnostics.textwidth import printable
from archdsl.show.columns import Column, laid_out
from archdsl.show.numbers import counted, in_bytes

if TYPE_CHECKING:
    from archdsl.cli.diff import Compared

COLOURS = {"+": "32", "-": "31", "~": "33"}
BYTES = " memory"  # what the totals are called that are bytes
EQUAL = "no difference"
TITLES = ("", "before", "after", "change")


def text(compared: Compared, color: bool) -> Iterator[str]:
    """For a terminal; with colour, added lines are green, removed ones red and changed ones yellow."""
    yield printable(f"--- {compared.before}")
    yield printable(f"+++ {compared.after}")
    yield ""
    if compared.difference.equal:
        yield EQUAL
        return
    for section in sections(compared.difference):
        yield section.title
        for line in section.lines:
            said = printable(f"  {line.mark} {line.text}")
            yield f"\x1b[{COLOURS[line.mark]}m{said}\x1b[0m" if color and line.mark in COLOURS else said
            if line.names:
                yield printable(f"      {listed(line.names)}")
        yield ""
    columns = [Column(title, right=bool(title)) for title in TITLES]
    yield from laid_out(columns, list(_totals(compared.difference)), 10_000, indent=0)


def markdown(compared: Compared, color: bool) -> Iterator[str]:
    """For a pull request. Text of the specs is quoted or escaped, so that it stays text."""
    yield f"### {_code(compared.before)} → {_code(compared.after)}"
    yield ""
    if compared.difference.equal:
        yield "No difference."
        return
    for section in sections(compared.difference):
        yield f"**{section.title}**"
        yield ""
        for line in section.lines:
            names = f": {_code(listed(line.names))}" if line.names else ""
            yield f"- {_code(line.text)}{names}"
        yield ""
    yield f"| {' | '.join(TITLES)} |"
    yield "| :--- | ---: | ---: | ---: |"
    for row in _totals(compared.difference):
        yield f"| {' | '.join(row)} |"


def _code(words: str) -> str:
    """A text as it is, in as many backticks as it needs."""
    words = printable(words)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    pad = " " if "`" in (words[:1], words[-1:]) else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def _totals(difference: Difference) -> Iterator[list[str]]:
    """Counts and bytes before and after. What is nothing on both sides, or repeats the row above, is left out."""
    last = None
    for name, (before, after) in difference.totals.items():
        if (before, after) not in (last, (0, 0)):
            write = in_bytes if name.endswith(BYTES) else _count
            yield [name, write(before), write(after), _change(before, after, name)]
        last = (before, after)


def _count(number: int) -> str:
    return counted(number, 3) if number >= 10**9 else f"{number:,}"


def _change(before: int, after: int, name: str) -> str:
    """`+1,024 (+12.5 %)`, or nothing but a dash."""
    if before == after:
        return "-"
    sign = "+" if after > before else "-"
    size = abs(after - before)
    words = in_bytes(size) if name.endswith(BYTES) else _count(size)
    percent = f"{100 * size / before:.1f}" if before else ""
    return f"{sign}{words}" + (f" ({sign}{percent} %)" if percent not in ("", "0.0") else "")
