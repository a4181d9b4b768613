"""A picture as data: boxes, frames around them, and arrows. It knows neither the graph nor a file format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """One layer, or one block that is not opened, in a box.

    `name` is its label in the spec, empty if it is only a position. `family` chooses the colour: a family of layers,
    "block" or "join". `layers` is how many applications of layers it stands for in one turn. `origin` is what it was
    made of; whoever draws it need not know.
    """

    name: str
    call: str
    family: str
    tooltip: str
    layers: int
    origin: object = None


@dataclass(eq=False)
class Node:
    """A box. `times` is how often it stands in a row; each time has its weights of its own."""

    id: str
    lines: list[Line]
    device: int | None = None
    training: bool = False
    times: int = 1

    @property
    def tooltip(self) -> str:
        return "\n\n".join(line.tooltip or line.name for line in self.lines)


@dataclass(eq=False)
class Cluster:
    """A frame. `device` is stated where all of it runs on one and the spec places layers; then the frame is tinted.

    `turns` marks a repetition of steps, `turn` one of its turns; `line` is that of the box that a module would be if it
    were not opened.
    """

    id: str
    title: str
    tooltip: str = ""
    children: list[Child] = field(default_factory=list)
    device: int | None = None
    training: bool = False
    times: int = 1
    turns: bool = False
    turn: bool = False
    line: Line | None = None


Child = Node | Cluster


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes. `kind` is "flow", "skip" (around the body of a residual) or "move" (to a device)."""

    source: str
    target: str
    label: str = ""
    kind: str = "flow"
    training: bool = False


@dataclass(eq=False)
class Diagram:
    """`caption` is its title and the totals, a line each."""

    caption: list[str]
    children: list[Child]
    edges: list[Edge]

    @property
    def nodes(self) -> list[Node]:
        return [node for node, _ in counted(self.children)]

    @property
    def clusters(self) -> list[Cluster]:
        found, todo = [], list(self.children)
        while todo:
            child = todo.pop()
            if isinstance(child, Cluster):
                found.append(child)
                todo += child.children
        return found

    @property
    def families(self) -> list[str]:
        """The families that it shows, in the order they come."""
        return list(dict.fromkeys(line.family for node in self.nodes for line in node.lines))

    @property
    def layers(self) -> int:
        """Applications of layers that it stands for, repeated ones counted each time."""
        return sum(times * line.layers for node, times in counted(self.children) for line in node.lines)


def counted(children: Sequence[Child], times: int = 1) -> Iterator[tuple[Node, int]]:
    """Every box with how often it stands in the network. Recursion is as deep as modules nest."""
    for child in children:
        if isinstance(child, Node):
            yield child, times * child.times
        else:
            yield from counted(child.children, times * child.times)
