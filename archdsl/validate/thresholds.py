"""The values at which a network or a block may change: those that its text compares a parameter with.

Input: a definition. Output: for each parameter, and for each dim of an input by the constructor's name for it
(`in_channels`), the integers and strings of the comparisons and of `min` and `max` that it has a part in, also through
a `let` or as an argument of a block; and the words among which a layer's argument is chosen. What is compared may be a
multiple of the parameter; so these are values to try, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from archdsl.layers import registry
from archdsl.layers.signature import CallError, match
from archdsl.passes.load import Definition
from archdsl.syntax import tree

LARGEST = 10_000  # that is tried
EXTREMES = ("min", "max")

Values = frozenset[int | str]
Limits = Mapping[str, Values]


@dataclass
class Thresholds:
    """What is found, by definition: blocks are applied more than once."""

    _found: dict[tree.Definition, Limits] = dataclass_field(default_factory=dict)

    def of(self, definition: Definition) -> Limits:
        """The numbers of a definition by parameter."""
        node = definition.node
        if node not in self._found:
            self._found[node] = {}  # of a block that applies itself, which is an error
            self._found[node] = self._read(definition)
        return self._found[node]

    def _read(self, definition: Definition) -> Limits:
        numbers: dict[str, Values] = {}
        lets: list[tree.Let] = []

        def add(names: frozenset[str], more: Values) -> None:
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

    def _handed(self, definition: Definition, node: tree.Apply) -> Iterator[tuple[frozenset[str], Values]]:
        """What the arguments of a block are compared with in the block; of a layer, the words that it takes for one."""
        args = node.args or ()
        block = definition.unit.names.get(node.path.head)
        if block is not None and block.node.kind == "block":
            inside = self.of(block)
            for arg, param in zip(args, block.node.params, strict=False):
                yield _of(arg.value)[0], inside.get(arg.name or param.name, frozenset())
        elif block is None and (layer := registry.find(node.path.head)) is not None:
            with suppress(CallError):  # in a definition that is not reached, and may be wrong
                for arg, field in zip(args, match(layer.name, layer.fields, [arg.name for arg in args]), strict=True):
                    yield _of(arg.value)[0], frozenset(field.kind.words)


def _of(node: tree.Node) -> tuple[frozenset[str], Values]:
    """The names, and the integers and strings, in an expression."""
    names: set[str] = set()
    literals: set[int | str] = set()
    for each in (node, *tree.descendants(node)):
        if isinstance(each, tree.Name):
            names.add(each.name)
        elif isinstance(each, tree.Attr) and isinstance(each.base, tree.Name):
            names.add(f"{each.base.name}_{each.name}")
        elif isinstance(each, tree.Literal):
            value = each.value
            if isinstance(value, str) or (type(value) is int and value <= LARGEST):
                literals.add(value)
    return frozenset(names), frozenset(literals)
