"""The picture of a report: everything opened and every turn drawn, since the page folds by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archdsl.emit.diagram.build import Origin
from archdsl.emit.diagram.model import Child, Cluster, Diagram, Line, Node


@dataclass(frozen=True)
class Label:
    """A line in a box. `layer` is the index of its layer; None for an input or an output of the network."""

    name: str
    call: str
    family: str
    tip: str
    layer: int | None


@dataclass(frozen=True)
class Part:
    """A box or a frame.

    `kind` is "box" (its `labels` are lines, and it has no parts), "block" (a frame when opened, else a box with its one
    label), "repeat" (its parts are its turns, of kind "turn") or "device" (always a frame).
    """

    id: str
    kind: str
    labels: tuple[Label, ...]
    parts: tuple[Part, ...]
    device: int | None
    training: bool


@dataclass(frozen=True)
class Link:
    """An arrow between two boxes by their ids; see `diagram.model.Edge`."""

    source: str
    target: str
    shape: str
    kind: str
    training: bool


Index = Callable[[Origin], int | None]


def parts(diagram: Diagram, index: Index) -> tuple[Part, ...]:
    """The boxes and frames of a picture, with the indices of their layers."""
    return _parts(diagram.children, index)


def _parts(children: Sequence[Child], index: Index) -> tuple[Part, ...]:
    """Recursion is as deep as modules nest."""
    return tuple(_box(child, index) if isinstance(child, Node) else _frame(child, index) for child in children)


def _box(node: Node, index: Index) -> Part:
    return Part(node.id, "box", tuple(_label(line, index) for line in node.lines), (), node.device, node.training)


def _frame(cluster: Cluster, index: Index) -> Part:
    if cluster.line is not None:
        kind = "block"
    elif cluster.turns:
        kind = "repeat"
    else:
        kind = "turn" if cluster.turn else "device"
    labels = (_label(cluster.line, index),) if cluster.line is not None else ()
    return Part(cluster.id, kind, labels, _parts(cluster.children, index), cluster.device, cluster.training)


def _label(line: Line, index: Index) -> Label:
    layer = index(line.origin) if isinstance(line.origin, Origin) else None
    return Label(line.name, line.call, line.family, line.tooltip, layer)
