"""The layers of a report: the rows of the layer table with where each stands in the spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.emit.diagram.build import Origin
from archdsl.emit.diagram.words import shape_text
from archdsl.graph.model import Apply, Call, Value
from archdsl.layers.args import show
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.inplace import operands
from archdsl.passes.place import Application
from archdsl.passes.shapes import show_shape
from archdsl.passes.table import Row, field_text
from archdsl.source import Source, Span


@dataclass(frozen=True)
class Text:
    """A file that layers stand in, by its base name."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Lines of a text (its index), from 1, both inclusive."""

    text: int
    first: int
    last: int


@dataclass(frozen=True)
class Shape:
    """A shape at the sizes of the report, and for every size."""

    here: str
    always: str


@dataclass(frozen=True)
class Sight:
    """A receptive field along one axis of the first input; `stride` is a fraction in words, `offset` may be none."""

    size: int
    smallest: int
    stride: str
    offset: int | None
    whole: bool


@dataclass(frozen=True)
class Layer:
    """One row of the table. `parent` is the index of the block or group that it stands in; `family` names its colour.

    `sees` is its receptive field in words, `field` that of its first output along each axis. `made` are the bytes that
    it makes anew.
    """

    name: str
    what: str
    family: str
    parent: int | None
    doc: str
    arguments: tuple[tuple[str, str], ...]
    given: tuple[Shape, ...]
    gives: tuple[Shape, ...]
    sees: str
    field: tuple[Sight, ...]
    params: int
    buffers: int
    macs: int
    made: int
    devices: tuple[int, ...]
    training: bool
    again: bool
    place: Place


class Listing:
    """The layers of a network in the order they run, and the texts that they stand in."""

    def __init__(self, rows: Sequence[Row], cost: Cost, trained: Cost) -> None:
        self.rows = rows
        self.cost = cost
        self.trained = trained
        self.texts: list[Text] = []
        self._texts: dict[Source, int] = {}
        self._indices = {Origin(row.calls, row.item): i for i, row in enumerate(rows)}

    def index(self, origin: Origin) -> int | None:
        """The row of what a box stands for. A join that only ends a block has none of its own: it is the block's."""
        if origin in self._indices or not origin.calls:
            return self._indices.get(origin)
        *calls, last = origin.calls
        return self._indices[Origin(tuple(calls), last)]

    def layers(self) -> Iterator[Layer]:
        for row in self.rows:
            yield self._layer(row)

    def _layer(self, row: Row) -> Layer:
        item, cost = row.item, self.trained if row.training else self.cost
        *calls, last = row.calls or (None,)
        made = [value for value in outputs(item) if value.companion is None]
        return Layer(
            name=row.path[-1],
            what=row.what,
            family=family(item),
            parent=None if last is None else self._indices[Origin(tuple(filter(None, calls)), last)],
            doc=_doc(item),
            arguments=tuple(_arguments(item)),
            given=tuple(self._shape(value) for value in operands(item)),
            gives=tuple(map(self._shape, made)),
            sees=", ".join(dict.fromkeys(map(field_text, row.sees))),
            field=_sights(row),
            params=row.params,
            buffers=row.buffers,
            macs=row.macs,
            made=cost.item_bytes(item),
            devices=row.devices,
            training=row.training,
            again=row.again,
            place=self._place(item.span),
        )

    def _shape(self, value: Value) -> Shape:
        return Shape(shape_text(self.cost.shape(value.shape)), show_shape(value.shape))

    def _place(self, span: Span) -> Place:
        source = span.source
        if source not in self._texts:
            self._texts[source] = len(self.texts)
            self.texts.append(Text(os.path.basename(source.path), tuple(source.text.splitlines())))
        return Place(self._texts[source], span.line, source.position(max(span.start, span.end - 1))[0])


def family(item: Application) -> str:
    """The name of a layer's colour in the theme; "block" and "join" for what is none."""
    if isinstance(item, Apply):
        return item.layer.family
    return "block" if isinstance(item, Call) else "join"


def _doc(item: Application) -> str:
    if isinstance(item, Apply):
        return item.layer.__doc__ or ""
    return (item.scope.doc or "") if isinstance(item, Call) else ""


def _arguments(item: Application) -> Iterator[tuple[str, str]]:
    """Every argument with its value, also those that the author left to their defaults."""
    if isinstance(item, Apply):
        yield from ((field.name, show(getattr(item.layer, field.name))) for field in item.layer.fields)
    elif isinstance(item, Call):
        yield from ((name, show(value)) for name, value in item.arguments.items())


def _sights(row: Row) -> tuple[Sight, ...]:
    extents = row.sees[0] if row.sees else None
    return tuple(Sight(e.size, e.smallest, str(e.stride), e.offset, e.whole) for e in extents or ())
