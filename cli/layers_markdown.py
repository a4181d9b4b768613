"""What `layers --format markdown` prints; `docs/layers.md` is its output without names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from archdsl.cli.layers_text import stated
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import describe
from archdsl.reference import Entry, ShippedBlock, default, dims, show

OWN = ", which the emitted file brings along"
HEAD = """\
# Layers

`archdsl layers --format markdown` writes this page, and `archdsl layers NAME` shows a part of it: both ask the layers
themselves. Shapes leave out the batch axis. An example is one call on a value `x` (some take a second one, `other`);
what it takes and gives is what the checker makes of it, with a letter for each size that may be any, within what stands
under "sizes". Weights and buffers are named as in the module's `state_dict`; their shapes are in the layer's arguments
and the dims of its input, then at the example's sizes. How a call is written is in [the manual](language.md#layers).
"""


def page(layers: Sequence[Entry]) -> str:
    """The whole document."""
    return f"{HEAD}\n{part(layers, [], [])}"


def part(layers: Sequence[Entry], initialisers: Sequence[str], blocks: Sequence[ShippedBlock]) -> str:
    """What was asked for, layers by family."""
    return "\n".join(_lines(layers, initialisers, blocks)).rstrip() + "\n"


def _lines(layers: Sequence[Entry], initialisers: Sequence[str], blocks: Sequence[ShippedBlock]) -> Iterator[str]:
    by_family = sorted(layers, key=lambda each: (each.family, each.name))
    for family, members in groupby(by_family, key=lambda each: each.family):
        yield f"## {family} layers\n"
        for each in members:
            yield section(each)
    if initialisers:
        yield "## Initialisers\n"
        yield from _table(("initialiser", "in PyTorch"), [_initialiser(name) for name in initialisers])
    for block in blocks:
        yield f"## {block.name}\n\n{_code(f'{block.kind} {block.signature}')}\n"
        yield f"{_plain(block.doc or '')}\n\nA spec has it by {_code(block.imported)}.\n"


def section(found: Entry) -> str:
    """One layer, from its heading on."""
    return "\n".join(_section(found))


def _section(found: Entry) -> Iterator[str]:
    yield f"### {found.name}\n"
    yield f"{_code(found.signature)}\n"
    for paragraph in (*found.doc, *filter(None, [found.source])):
        yield f"{_plain(paragraph)}\n"
    if found.layer.fields:
        rows = [
            [_code(f.name), _code(default(f)), _plain(f.kind.describe()), _plain(f.doc)] for f in found.layer.fields
        ]
        yield from _table(("argument", "default", "takes", "what it is"), rows)
    yield f"Takes {_listed(list(map(dims, found.ranks)))}. Becomes {_becomes(found)}. {_state(found)}\n"
    titles = ["example", "takes", "gives", "sizes", "in PyTorch", "weights", "buffers"]
    rows = [
        [
            *map(_code, (e.call, show(e.inputs), show(e.outputs))),
            _plain(e.accepts),
            *map(_code, (e.pytorch, stated(e, e.weights), stated(e, e.buffers))),
        ]
        for e in found.examples
    ]
    kept = [i for i in range(len(titles)) if any(row[i] for row in rows)]
    yield from _table([titles[i] for i in kept], [[row[i] for i in kept] for row in rows])


def _becomes(found: Entry) -> str:
    brought = [each.name for each in found.becomes if each.helper]
    known = [each.name for each in found.becomes if not each.helper]
    own = [f"{_listed(brought)}{OWN}"] if brought else []
    return ", or ".join([*([_listed(known)] if known else []), *own])


def _state(found: Entry) -> str:
    if not found.weights and not found.buffers:
        return "It has no weights."
    weights = f"Its weights are {_listed(list(found.weights), 'and')}" if found.weights else "It has no weights"
    return weights + (f", its buffers {_listed(list(found.buffers), 'and')}." if found.buffers else ".")


def _initialiser(name: str) -> list[str]:
    known = INITIALISERS[name]
    return [_code(describe(name, known.fields)), _code(known.function) + (OWN if known.support else "")]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _listed(names: Sequence[str], word: str = "or") -> str:
    """`a`, `b` or `c`, as code."""
    *others, last = map(_code, names)
    return f"{', '.join(others)} {word} {last}" if others else last


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _plain(text: str) -> str:
    """Prose, so that nothing outside of `…` is taken for markup or for the end of a cell."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if i % 2 else re.sub(r"([|*<_\\])", r"\\\1", part) for i, part in enumerate(parts))
