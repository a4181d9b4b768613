"""The layer table: a network as rows, one for each application, and the transfers between devices.

Input: a network, the size of its input and a depth. Output: rows and transfers as data. Non-goals: text layout, and
totals, which `Cost` has. Numbers are for one item of the batch: elements, multiply-accumulates, bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from archdsl.graph.model import Apply, Call, Item, Join, Loop, Network, Scope, Skip, Value, walk
from archdsl.layers.args import show
from archdsl.passes.cost import Cost, outputs, training_only
from archdsl.passes.place import Application, Move, Placed, place
from archdsl.passes.receptive import Extent, Receptive, Seen
from archdsl.source import Span
from archdsl.syntax import tree

Ints = tuple[int, ...]

MOST_STEPS = 8  # of a group that its row shows


@dataclass(frozen=True)
class Row:
    """One application of a layer, a block, a group or a combinator.

    `path` are the names that lead to it, its own last; `what` is its call with the arguments that its author gave.
    The counts of a block or a group include what is inside. `training` rows run in training mode only; `again` marks a
    further application of a shared module, whose parameters the first one counts. `sees` has each output's receptive
    field along each spatial axis of the first input, or None where it does not depend on that. `calls` lead to the
    application `item`, from the network inwards.
    """

    path: tuple[str, ...]
    what: str
    shapes: tuple[Ints, ...]
    sees: tuple[tuple[Extent, ...] | None, ...]
    params: int
    buffers: int
    macs: int
    devices: tuple[int, ...]
    training: bool
    again: bool
    calls: tuple[Call, ...]
    item: Application


@dataclass(frozen=True)
class Transfer:
    """A value that moves between devices, once for all that need it there; names are paths (`lower.tower1`).

    `span` is where the first of its users is applied.
    """

    value: str
    shape: Ints
    bytes: int
    source: int
    target: int
    users: tuple[str, ...]
    training: bool
    span: Span


@dataclass(frozen=True)
class Table:
    """`placed` says whether the spec places anything at all."""

    rows: tuple[Row, ...]
    transfers: tuple[Transfer, ...]
    placed: bool


def table(network: Network, sizes: Mapping[str, int] | None = None, depth: int | None = None) -> Table:
    """The rows of a network in the order they run, down to `depth` levels of blocks and groups (without one, all)."""
    placed = place(network)
    cost, receptive = Cost(network, sizes), Receptive(network, sizes)
    rows = _Rows(cost, Cost(network, sizes, training=True), receptive, depth)
    found = rows.of(network.scope, placed, receptive.seen, (), (), False)
    scope = network.scope
    names = {value.tensor: name for value, name in zip(scope.inputs, scope.input_names, strict=True)}
    return Table(tuple(found), tuple(_transfers(cost, placed, "", names)), scope.hinted)


class _Rows:
    def __init__(self, cost: Cost, trained: Cost, receptive: Receptive, depth: int | None) -> None:
        self.cost = cost
        self.trained = trained
        self.receptive = receptive
        self.depth = depth

    def of(
        self, scope: Scope, placed: Placed, seen: Seen, path: tuple[str, ...], calls: tuple[Call, ...], training: bool
    ) -> Iterator[Row]:
        """The rows of one scope and, down to the depth, of the scopes inside. Recursion is as deep as modules nest."""
        results = {result.value.tensor for result in scope.results}
        for item in walk(scope.items):
            if isinstance(item, (Join, Skip)):
                last = scope.kind != "network" and item.output.tensor in results
                if (isinstance(item, Join) and item.kind == "parallel") or last:
                    continue  # it makes no tensor, or just the one that the row of the scope shows
            only = training or training_only(item)
            yield self.row(item, placed, seen, path, calls, only)
            if isinstance(item, Call) and (self.depth is None or len(path) + 1 < self.depth):
                inside = self.receptive.inside(seen, item)
                named, called = (*path, item.module.name), (*calls, item)
                yield from self.of(item.scope, placed.inner[item], inside, named, called, only)

    def row(
        self,
        item: Application,
        placed: Placed,
        seen: Seen,
        path: tuple[str, ...],
        calls: tuple[Call, ...],
        training: bool,
    ) -> Row:
        cost = self.trained if training else self.cost
        module = item.module if isinstance(item, (Apply, Call)) else None
        counts = module if module is not None and isinstance(item, (Apply, Call)) and item.first else None
        devices = placed.inner[item].used if isinstance(item, Call) else {placed.device[item]}
        made = [value for value in outputs(item) if value.companion is None]
        return Row(
            path=(*path, name_of(item)),
            what=what_of(item),
            shapes=tuple(cost.shape(value.shape) for value in made),
            sees=tuple(self.receptive.extents(seen, value) for value in made),
            params=cost.module_elements(counts, "weights") if counts is not None else 0,
            buffers=cost.module_elements(counts, "buffers") if counts is not None else 0,
            macs=cost.item_macs(item),
            devices=tuple(sorted(devices)),
            training=training,
            again=module is not None and counts is None,
            calls=calls,
            item=item,
        )


def _transfers(cost: Cost, placed: Placed, prefix: str, names: Mapping[Value, str]) -> Iterator[Transfer]:
    """The transfers of a forward pass through a scope; `names` are what its caller calls its inputs."""

    def name(value: Value) -> str:
        value = value.tensor
        if value in names:
            return names[value]
        maker = value.producer
        made_by = name_of(maker) if isinstance(maker, (Apply, Call, Join, Skip)) else "input"
        return prefix + (value.label or made_by)

    for move in placed.moves.values():
        yield _transfer(cost, move, name(move.value), prefix)
    for call, inner in placed.inner.items():
        given = {a.tensor: name(b) for a, b in zip(call.scope.inputs, call.inputs, strict=True)}
        yield from _transfers(cost, inner, f"{prefix}{call.module.name}.", given)


def _transfer(cost: Cost, move: Move, name: str, prefix: str) -> Transfer:
    return Transfer(
        value=name,
        shape=cost.shape(move.value.shape),
        bytes=cost.size_of(move.value),
        source=move.source,
        target=move.target,
        users=tuple(dict.fromkeys(prefix + name_of(user) for user in move.users)),
        training=move.training,
        span=_applied(move.users[0]),
    )


def _applied(item: Application) -> Span:
    """Where an application stands; of a shared module, not where that is declared."""
    where = item.applied if isinstance(item, (Apply, Call)) else None
    return where or item.span


def name_of(item: Application) -> str:
    """What the table calls an application: its module, or the label of a join."""
    return item.module.name if isinstance(item, (Apply, Call)) else item.output.label or item.kind


def what_of(item: Application) -> str:
    """The call as its author would write it with all names resolved: `conv(64, 7, stride=2)`."""
    if isinstance(item, (Join, Skip)):
        return item.kind
    if isinstance(item, Apply):
        fields = [field.name for field in item.layer.fields]
        return _called(item.layer.name, fields, {name: getattr(item.layer, name) for name in fields}, item.sources)
    if item.scope.kind == "group":
        runs = [(step, sum(1 for _ in same)) for step, same in groupby(_steps(item.scope.items))]
        words = [f"{count} x {step}" if count > 1 else step for step, count in runs[:MOST_STEPS]]
        return " -> ".join(words + ["…"] * (len(runs) > MOST_STEPS))
    return _called(item.scope.name, list(item.scope.params), item.arguments, item.sources)


def field_text(extents: Sequence[Extent] | None) -> str:
    """`27-59`: a receptive field, the smallest and the largest; along each axis if they differ, as `all x 3`."""
    if extents is None:
        return "-"
    texts = ["all" if e.whole else f"{e.size}" if e.smallest == e.size else f"{e.smallest}-{e.size}" for e in extents]
    return texts[0] if len(set(texts)) == 1 else " x ".join(texts)


def _called(name: str, fields: list[str], values: Mapping[str, Any], given: Mapping[str, tree.Expr]) -> str:
    """A call with the arguments given. The leading ones go without their names up to the first that was left out."""
    words: list[str] = []
    positional = True
    for field in fields:
        if field not in given:
            positional = False
        elif field in values:
            named = not positional or _is_named(given[field])
            positional = not named
            words.append(f"{field}={show(values[field])}" if named else show(values[field]))
    return f"{name}({', '.join(words)})" if words else name


def _is_named(node: tree.Expr) -> bool:
    """Whether the author wrote `name=` before this argument."""
    return node.span.source.text[: node.span.start].rstrip().endswith("=")


def _steps(items: list[Item]) -> Iterator[str]:
    """What a group does, step by step; a group inside it by its name."""
    for item in items:
        if isinstance(item, Call) and item.scope.kind == "group":
            yield item.module.name
        elif isinstance(item, (Apply, Call, Join, Skip)):
            yield what_of(item)
        elif isinstance(item, Loop):
            yield from (step for turn in item.turns for step in _steps(turn.items))
        else:
            yield from _steps(item.items)
