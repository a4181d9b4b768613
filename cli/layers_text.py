"""What `layers` prints for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import wrap

from archdsl.cli.options import count
from archdsl.diagnostics.textwidth import printable
from archdsl.layers.base import Ints
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import describe
from archdsl.passes.shapes import show_shape
from archdsl.reference import OWN, Entry, ShippedBlock, Tried, dims, show
from archdsl.show.columns import Column, laid_out

LINE = 110  # columns of prose, at most
INDENT = 2


def overview(layers: Sequence[Entry], width: int) -> Iterator[str]:
    """The layers by family: signature, and what comes out."""
    rows: list[list[str]] = []
    by_family = sorted(layers, key=lambda each: (each.family, each.name))
    for family, members in groupby(by_family, key=lambda each: each.family):
        rows.append([family, ""])
        rows += [[f"  {each.signature}", each.summary] for each in members]
    titles, *lines = laid_out([Column("layer", least=24, most=46), Column("what comes out", least=20)], rows, width)
    yield titles
    yield from lines
    yield ""
    yield f" {count(len(layers), 'layer')}; `archdsl layers NAME` shows one in full"


def in_full(
    layers: Sequence[Entry], initialisers: Sequence[str], blocks: Sequence[ShippedBlock], width: int
) -> Iterator[str]:
    """Layers, then initialisers, then shipped blocks, with an empty line between two."""
    parts = [_layer(each, width) for each in layers]
    parts += [_initialisers(initialisers)] if initialisers else []
    parts += [_block(each, width) for each in blocks]
    for i, part in enumerate(parts):
        yield from ([""] if i else [])
        yield from part


def _layer(found: Entry, width: int) -> Iterator[str]:
    yield printable(found.signature)
    for paragraph in (*found.doc, found.source or ""):
        yield from _prose(paragraph, width)
    yield ""
    yield from _beside(
        {
            "family": found.family + ("" if found.shipped else ", of another package"),
            "takes": ", ".join(map(dims, found.ranks)),
            "becomes": ", ".join(map(str, found.becomes)),
            "weights": ", ".join(found.weights) or "none",
            **({"buffers": ", ".join(found.buffers)} if found.buffers else {}),
        },
        width,
    )
    if found.layer.fields:
        yield ""
        yield from _beside({str(f): f"{f.kind.describe()}{f.doc and f': {f.doc}'}" for f in found.layer.fields}, width)
    for each in found.examples:
        yield ""
        yield from _example(each, width)


def _beside(texts: Mapping[str, str], width: int) -> Iterator[str]:
    """Titles in one column, and beside it what there is to say of each, on as many lines as it needs."""
    margin = INDENT + 2 + max(map(len, texts))
    for title, text in texts.items():
        first, *others = list(_prose(text, width, margin)) or [""]
        yield printable(f"{' ' * INDENT}{title}".ljust(margin)) + first[margin:]
        yield from others


def _example(found: Tried, width: int) -> Iterator[str]:
    sizes = f"   for {found.accepts}" if found.accepts else ""
    yield from _prose(found.call, width)
    yield from _prose(f"{show(found.inputs)} -> {show(found.outputs)}{sizes}", width, 2 * INDENT)
    yield from _prose(found.pytorch, width, 2 * INDENT)
    yield from _prose(stated(found, found.weights), width, 2 * INDENT)
    yield from _prose(stated(found, found.buffers), width, 2 * INDENT)


def stated(found: Tried, weights: Mapping[str, Ints]) -> str:
    """`weight [channels, C // groups, kernel, kernel] = [8, 3, 3, 3], bias [channels] = [8]`."""
    texts = {name: (f"[{', '.join(found.formulas[name])}]", show_shape(shape)) for name, shape in weights.items()}
    return ", ".join(
        f"{name} {numbers}" if formula == numbers else f"{name} {formula} = {numbers}"
        for name, (formula, numbers) in texts.items()
    )


def _initialisers(names: Iterable[str]) -> Iterator[str]:
    known = {name: INITIALISERS[name] for name in names}
    rows = [[describe(name, each.fields), each.function + OWN * bool(each.support)] for name, each in known.items()]
    yield from laid_out([Column("initialiser"), Column("becomes")], rows, LINE, 0)


def _block(found: ShippedBlock, width: int) -> Iterator[str]:
    yield printable(f"{found.kind} {found.signature}")
    for paragraph in (found.doc or "").split("\n\n"):
        yield from _prose(paragraph, width)
    yield ""
    yield from _prose(f"comes with archdsl; a spec has it by `{found.imported}`", width)


def _prose(text: str, width: int, indent: int = INDENT) -> Iterator[str]:
    margin = " " * indent
    room = max(indent + 20, min(width, LINE))
    for line in wrap(text, room, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False):
        yield printable(line)
