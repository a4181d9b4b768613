"""An opened spec as HTML for a notebook: what is to be said of it, the picture, the layer table, the totals.

Text of a spec, paths included, is escaped everywhere. Colours are the notebook's own, light or dark; the picture brings
its paper along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from archdsl.diagnostics.render import render
from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram.layout import NoPicture
from archdsl.show.columns import Column, cut
from archdsl.show.summary import Grid, Summary

if TYPE_CHECKING:
    from archdsl.show.opened import Opened

STYLE = """\
.archdsl { font-size: 13px; line-height: 1.4; max-width: 100% }
.archdsl .scroll { max-height: 42em; overflow: auto; margin: .8em 0 }
.archdsl svg { max-width: 100%; height: auto; display: block; margin: 0 auto }
.archdsl pre { font-size: 13px; white-space: pre; overflow-x: auto }
.archdsl table { border-collapse: collapse; margin: 0; font: 12px/1.4 ui-monospace, Menlo, Consolas, monospace }
div.archdsl td, div.archdsl th { white-space: pre; padding: 1px 12px 1px 4px; text-align: left; border: 0 }
div.archdsl td.n, div.archdsl th.n { text-align: right; font-variant-numeric: tabular-nums }
.archdsl thead th { border-bottom: 1px solid currentColor }
.archdsl tbody tr:hover { background: rgba(128, 128, 128, .18) }
.archdsl span { margin-right: 2em }
.archdsl .note { opacity: .75 }"""


def page(opened: Opened) -> str:
    """The whole of it, one element with its style inside."""
    parts = [f"<pre>{_text(render(each))}</pre>" for each in opened.diagnostics]
    if opened.ok:
        parts += _network(opened)
    body = "\n".join(parts)
    return f'<div class="archdsl">\n<style>\n{STYLE}\n</style>\n{body}\n</div>'


def _network(opened: Opened) -> Iterator[str]:
    shown = opened.summary()
    yield _head(shown)
    others = [each.node.name for each in opened.compilation.definitions if each.node.name != opened.network.name]
    if others:
        yield f'<div class="note">also in this file: {_text(", ".join(others))}</div>'
    yield _picture(opened)
    yield f'<div class="scroll">{_table(shown.layers)}</div>'
    if shown.transfers is not None:
        yield f'<div class="scroll">{_table(shown.transfers)}</div>\n<div>{_text(shown.moved)}</div>'
    if shown.devices is not None:
        yield f'<div class="scroll">{_table(shown.devices)}</div>'
    yield from (f"<div>{_phrases(line)}</div>" for line in shown.totals)


def _head(shown: Summary) -> str:
    name, *rest = shown.head
    return f"<div><span><b>{_text(name)}</b></span>{_phrases(rest)}</div>"


def _phrases(words: Sequence[str]) -> str:
    return "".join(f"<span>{_text(each)}</span>" for each in words)


def _picture(opened: Opened) -> str:
    """The SVG, or what is missing for one."""
    try:
        svg = opened.svg()
    except NoPicture as error:
        return f'<div class="note">{_text(str(error))}</div>'
    return f'<div class="scroll">{svg[svg.index("<svg") :]}</div>'  # a page has no place for its XML prologue


def _table(grid: Grid) -> str:
    head = _row("th", grid.columns, [column.title for column in grid.columns])
    rows = "\n".join(_row("td", grid.columns, row) for row in grid.rows)
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(tag: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    return f"<tr>{''.join(_cell(tag, column, text) for column, text in zip(columns, cells, strict=True))}</tr>"


def _cell(tag: str, column: Column, text: str) -> str:
    """What is too long for its column is shown in full where the mouse rests on it."""
    shown = text if column.most is None else cut(text, column.most)
    kind = ' class="n"' if column.right else ""
    full = f' title="{_text(text)}"' if shown != text else ""
    return f"<{tag}{kind}{full}>{_text(shown)}</{tag}>"


def _text(text: str) -> str:
    """Text of a page: escaped, with control characters shown by their code; lines stay lines."""
    return "\n".join(escape(printable(line)) for line in text.split("\n"))
