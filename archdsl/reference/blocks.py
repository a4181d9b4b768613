"""The blocks and networks of the specs that come with archdsl, by name."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.diagnostics import Sink
from archdsl.passes.load import Library, shipped_with
from archdsl.syntax import tree


@dataclass(frozen=True)
class ShippedBlock:
    """A block or a network (`kind`) of a shipped spec; `spec` is the file's name without its ending."""

    spec: str
    kind: str
    name: str
    signature: str
    doc: str | None

    @property
    def imported(self) -> str:
        """The statement that makes it known to a spec."""
        return f"from zoo.{self.spec} import {self.name}"


def blocks_called(name: str) -> list[ShippedBlock]:
    """Those of that name, sorted by the file that defines them."""
    found = []
    for path in shipped_with(name):
        unit = Library(Sink()).load(path)
        if unit is not None:
            nodes = [node for node in unit.tree.definitions if node.name == name]
            found += [ShippedBlock(path.stem, node.kind, name, _signature(node), node.body.doc) for node in nodes]
    return found


def _signature(node: tree.Definition) -> str:
    """`bottleneck(width, stride=1)`, as its author wrote it, on one line."""
    head = node.span.source.text[node.name_span.start : node.body.span.start]
    return " ".join(head.split())
