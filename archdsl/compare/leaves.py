"""A network as the list of its leaves: layers, joins and skips in the order they run, blocks and loops opened.

Input: a network. Output: a `Leaf` for each application, at the network's typical input size, that knows which leaves
it reads. Non-goals: nothing is compared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archdsl.graph.model import Apply, Call, InitRule, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.args import PerAxis, show
from archdsl.layers.base import Layer
from archdsl.layers.signature import REQUIRED
from archdsl.passes.cost import Cost, outputs, training_only
from archdsl.passes.inplace import operands
from archdsl.passes.place import Placed, place
from archdsl.passes.starts import starts

Port = tuple[int | str, int]  # the leaf that makes a value (its index) or the input that it is, and which output


@dataclass(frozen=True)
class Leaf:
    """One application of a layer, a join or a skip. Numbers are for one item of the batch.

    `arguments` has all arguments as text, a number that counts for each spatial axis as `5x5`; `what` is the call with
    those that are not the default. `starts` says how each parameter starts. `reads` has a port for each value that
    it takes, in order.
    """

    path: tuple[str, ...]
    kind: str
    what: str
    arguments: Mapping[str, str] = field(hash=False)
    starts: Mapping[str, str] = field(hash=False)
    shapes: tuple[tuple[int, ...], ...]
    reads: tuple[Port, ...]
    params: int
    buffers: int
    macs: int
    device: int | None
    training: bool
    again: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)


def leaves(network: Network) -> tuple[list[Leaf], list[Port]]:
    """All leaves, and the ports of the network's outputs."""
    scope = network.scope
    reader = _Reader(Cost(network, training=True), scope.hinted, starts(scope))
    names = zip(scope.inputs, scope.input_names, strict=True)
    made = reader.of(scope, place(network), (), {value.tensor: (name, 0) for value, name in names}, False)
    return reader.found, [made[result.value.tensor] for result in scope.results]


class _Reader:
    def __init__(self, cost: Cost, placed: bool, starts: Mapping[str, InitRule]) -> None:
        self.cost = cost
        self.starts = starts
        self.placed = placed
        self.found: list[Leaf] = []

    def of(
        self, scope: Scope, placed: Placed, path: tuple[str, ...], ports: dict[Value, Port], training: bool
    ) -> dict[Value, Port]:
        """Reads a scope whose inputs are at `ports`; the ports of all its values. As deep as modules nest."""
        for item in walk(scope.items):
            only = training or training_only(item)
            if isinstance(item, Call):
                given = {own.tensor: ports[v.tensor] for own, v in zip(item.scope.inputs, item.inputs, strict=True)}
                inner = self.of(item.scope, placed.inner[item], (*path, item.module.name), given, only)
                made = zip(item.outputs, (result.value for result in item.scope.results), strict=True)
                ports.update({out.tensor: inner[value.tensor] for out, value in made})
                exported = {out.tensor: inner[item.scope.exports[name].tensor] for name, out in item.exports.items()}
                ports.update(exported)
            elif isinstance(item, Join) and item.kind == "parallel":
                continue  # it makes no tensor
            else:
                for i, value in enumerate(outputs(item)):
                    ports[value.tensor] = (len(self.found), i)
                self.found.append(self.leaf(item, placed, path, ports, only))
        return ports

    def leaf(
        self, item: Apply | Join | Skip, placed: Placed, path: tuple[str, ...], ports: dict[Value, Port], training: bool
    ) -> Leaf:
        shapes = tuple(self.cost.shape(value.shape) for value in outputs(item) if value.companion is None)
        layer = counts = None
        if isinstance(item, Apply):
            layer, own, kind = item.layer, item.module.name, item.layer.name
            counts = item.module if item.first else None
            call, arguments = _call(layer), _arguments(layer, len(shapes[0]) - 1)
        else:
            own, kind = item.output.label or item.kind, item.kind
            call, arguments = kind, {"axis": str(item.axis)}
        return Leaf(
            path=(*path, own),
            kind=kind,
            what=call,
            arguments=arguments,
            starts=self.starting(item, path) if isinstance(item, Apply) else {},
            shapes=shapes,
            reads=tuple(ports[value.tensor] for value in operands(item)),
            params=self.cost.module_elements(counts, "weights") if counts is not None else 0,
            buffers=self.cost.module_elements(counts, "buffers") if counts is not None else 0,
            macs=self.cost.item_macs(item),
            device=placed.device[item] if self.placed else None,
            training=training,
            again=layer is not None and counts is None,
        )

    def starting(self, item: Apply, path: tuple[str, ...]) -> dict[str, str]:
        """How each parameter of a layer starts."""
        found = {}
        for name in item.module.weights:
            rule = self.starts.get(".".join((*path, item.module.name, name)))
            found[name] = "PyTorch's own" if rule is None else _rule(rule)
        return found


def _rule(rule: InitRule) -> str:
    given = ", ".join(f"{name}={show(value)}" for name, value in rule.arguments.items())
    return f"{rule.initialiser}({given})" if given else rule.initialiser


def _call(layer: Layer) -> str:
    """A layer as one would write it: what it must have, then what is not the default by name."""
    words: list[str] = []
    for each in layer.fields:
        value = getattr(layer, each.name)
        if each.default is REQUIRED and not each.kind.is_value:
            words.append(show(value))
        elif each.default is not REQUIRED and value != each.default:
            words.append(f"{each.name}={show(value)}")
    return f"{layer.name}({', '.join(words)})" if words else layer.name


def _arguments(layer: Layer, rank: int) -> dict[str, str]:
    """Every argument as text but those that name values, which `reads` has."""
    found = {}
    for each in layer.fields:
        value = getattr(layer, each.name)
        if isinstance(each.kind, PerAxis) and isinstance(value, int):
            value = (value,) * rank
        if not each.kind.is_value:
            found[each.name] = show(value)
    return found
