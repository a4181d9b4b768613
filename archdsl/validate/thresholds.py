"""The numbers at which a network or a block may change: those that its text compares a parameter with.

Input: a definition. Output: for each parameter, and for each dim of an input by the constructor's name for it
(`in_channels`), the integers of the comparisons and of `min` and `max` that it has a part in, also through a `let` or
as an argument of a block. What is compared may be a multiple of the parameter; so these are numbers to try, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archdsl.passes.load import Definition
from archdsl.syntax import tree

LARGEST = 10_000  # that is tried
EXTREMES = ("min", "max")

Numbers = Mapping[str, frozenset[int]]


@dataclass
class Thresholds:
    """What is found, by definition: blocks are applied more than once."""

    _found: dict[tree.Definition, Numbers] = field(default_factory=dict)

    def of(self, definition: Definition) -> Numbers:
        """The numbers of a definition by parameter."""
        node = definition.node
        if node not in self._found:
            self._found[node] = {}  # of a block that applies itself, which is an error
            self._found[node] = self._read(definition)
        return self._found[node]

    def _read(self, definition: Definition) -> Numbers:
        numbers: dict[str, frozenset[int]] = {}
        lets: list[tree.Let] = []

        def add(names: frozenset[str], more: frozenset[int]) -> None:
            for name in names if more else ():
                numbers[name] = numbers.get(name, frozenset()) | more

        for node in tree.descendants(definition.node):
            if isinstance(node, tree.Compare) or (isinstance(node, tree.Call) and node.func.span.text in EXTREMES):
                add(*_of(node))
            elif isinstance(node, tree.Let):
                lets.append(node)
            elif isinstance(node, tree.Apply) and node.args:
                for names, more in self._handed(definition, node):
                    add(names, more)
        for let in sorted(lets, key=lambda each: each.span.start, reverse=True):
            add(_of(let.value)[0], numbers.get(let.name, frozenset()))
        return numbers

    def _handed(self, definition: Definition, node: tree.Apply) -> Iterator[tuple[frozenset[str], frozenset[int]]]:
        """What the arguments of a block are compared with in the block."""
        block = definition.unit.names.get(node.path.head)
        if block is None or block.node.kind != "block":
            return
        inside = self.of(block)
        for arg, param in zip(node.args or (), block.node.params, strict=False):
            yield _of(arg.value)[0], inside.get(arg.name or param.name, frozenset())


def _of(node: tree.Node) -> tuple[frozenset[str], frozenset[int]]:
    """The names and the integers in an expression."""
    names: set[str] = set()
    numbers: set[int] = set()
    for each in (node, *tree.descendants(node)):
        if isinstance(each, tree.Name):
            names.add(each.name)
        elif isinstance(each, tree.Attr) and isinstance(each.base, tree.Name):
            names.add(f"{each.base.name}_{each.name}")
        elif isinstance(each, tree.Literal) and type(each.value) is int and each.value <= LARGEST:
            numbers.add(each.value)
    return frozenset(names), frozenset(numbers)
