"""Whether the class of a block is right for other arguments than those that the network gives it.

A block is elaborated by itself, applied to an input of the shape that it has in the network, with other arguments and
other fixed dims, and held against its class built with these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archdsl.diagnostics import Sink
from archdsl.graph.model import Apply, Network, Scope, Skip, input_dims, scopes, walk
from archdsl.passes.combinators import SKIPS
from archdsl.passes.elaborate import Memo, elaborate
from archdsl.passes.load import Definition, Unit
from archdsl.sizes import Dim
from archdsl.source import Source
from archdsl.syntax import parse, tree
from archdsl.validate.check import Validation
from archdsl.validate.errors import Mismatch
from archdsl.validate.thresholds import Thresholds
from archdsl.validate.trials import tried

WAYS = 1  # in how many ways all parameters are changed together; each block is elaborated anew
REFUSALS = 2


def wrong_block_parameters(
    validation: Validation, definition: Definition, network: Network, memo: Memo
) -> set[tuple[tree.Definition, str]]:
    """Of the blocks that a network applies, the parameters (`width`, `in_channels`) for whose other values the block's
    class is another module than the spec has."""
    found: set[tuple[tree.Definition, str]] = set()
    thresholds = Thresholds()
    blocks = {each.node: each for each in _reached(definition.unit)}
    for cls, scope in validation.blocks.items():
        block = blocks.get(scope.definition) if scope.definition is not None else None
        if block is None:
            continue
        handed = _hands_on_indices(scope)
        trial = _Trial(validation, cls, scope, block, network.sizes, memo, _undoing(network) if handed else None)
        values = validation.offered(cls, trial.values())
        if (handed or validation.spread(cls)) and not trial.holds():  # by itself it is something else
            if not handed:
                found.update((block.node, name) for name in values)
            continue
        agreeing = [{name: v for name, v in each.items() if name in values} for each in _agreeing(scope)]
        wrong = tried(
            values, thresholds.of(block), trial.network, trial.check, ways=WAYS, refusals=REFUSALS, more=agreeing
        )
        found.update((block.node, name) for name in wrong)
    return found


def _agreeing(scope: Scope) -> Iterator[dict[str, int]]:
    """Arguments with which the sides of a skip agree that is projected here: for the first input's channels what its
    body gives, and for a parameter that says the latter what goes in; or 1, which a product broadcasts."""
    for item in walk(scope.items):
        if isinstance(item, Skip) and item.tail is not None and SKIPS[item.kind] == "mul":
            yield {"in_channels": 1}
        if isinstance(item, Skip) and item.projection is not None:
            given, made = item.source.shape[0], item.body.shape[0]
            if isinstance(made, int):
                yield {"in_channels": int(made)}
            if isinstance(given, int):
                yield {name: int(given) for name, value in scope.params.items() if value == made}


def _hands_on_indices(scope: Scope) -> bool:
    """Whether a pooling inside gives its indices to a layer outside: without that the block would be another."""
    return any(module.indices for each in scopes(scope) for module in each.modules.values())


def _undoing(network: Network) -> str | None:
    """The name of a layer of the network that is given the indices of a pooling."""
    for scope in scopes(network.scope):
        for item in walk(scope.items):
            if isinstance(item, Apply) and any(value.companion is not None for value in item.inputs):
                return item.layer.name
    return None


@dataclass
class _Trial:
    """One block and its class, as it stands in a network."""

    validation: Validation
    cls: type
    scope: Scope
    block: Definition
    sizes: Mapping[str, int]
    memo: Memo
    undoing: str | None  # the layer that undoes the pooling that the block ends with

    def holds(self) -> bool:
        """Whether the class is the block of a trial with the arguments that it has in the network."""
        network = self.network({})
        try:
            if network is not None:
                self.check(network, {})
        except Mismatch:
            return False
        return network is not None

    def values(self) -> dict[str, Any]:
        """What may change: the parameters and the fixed dims of the inputs, by the constructor's names for them."""
        dims = {name: self.scope.inputs[i].shape[axis] for name, i, axis in input_dims(self.scope)}
        return {**dims, **self.scope.params}

    def network(self, changed: Mapping[str, Any]) -> Network | None:
        """A network that applies the block alone; None if that is refused."""
        text = "\n".join(self._lines(changed))
        sink = Sink()
        unit = Unit(None, parse(Source("<trial>", text), sink), {"block_": self.block})
        if sink.found:
            return None
        node = unit.tree.definitions[0]
        return elaborate(Definition(node, unit), {}, Sink(), memo=self.memo)

    def check(self, network: Network, changed: Mapping[str, Any]) -> None:
        """Raises Mismatch unless the class is the block of that network."""
        self.validation.check_block(self.cls, network)

    def _lines(self, changed: Mapping[str, Any]) -> Iterator[str]:
        scope = self.scope
        dims = {(i, axis): changed[name] for name, i, axis in input_dims(scope) if name in changed}
        symbols: dict[Dim, str] = {}
        yield "network Trial {"
        for i, (name, value) in reversed(list(enumerate(zip(scope.input_names, scope.inputs, strict=True)))):
            shape = [self._dim(dims.get((i, axis), dim), symbols) for axis, dim in enumerate(value.shape)]
            yield f"  input {'x' if name == 'in' else name}_: [{', '.join(shape)}]"
        given = {**scope.params, **{name: value for name, value in changed.items() if name in scope.params}}
        arguments = [f"{name}={_text(value)}" for name, value in given.items()]
        arguments += [f"{name}={name}_" for name in scope.input_names if name != "in"]
        yield f"  applied_ = block_({', '.join(arguments)})"
        if self.undoing is not None:
            yield f"  {self.undoing}(applied_)"
        yield "}"

    def _dim(self, dim: Dim, symbols: dict[Dim, str]) -> str:
        if isinstance(dim, int):
            return str(int(dim))
        if dim in symbols:
            return symbols[dim]
        symbols[dim] = f"S{len(symbols)}"
        return f"{symbols[dim]}={dim.at(self.sizes)}"


def _text(value: Any) -> str:
    """A value as the language writes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return "x".join(map(_text, value))
    if isinstance(value, (list, range)):
        return f"[{', '.join(map(_text, value))}]"
    return str(int(value)) if isinstance(value, int) else repr(value)


def _reached(unit: Unit) -> Iterator[Definition]:
    """The blocks that a file can name, and those that their files can."""
    seen: set[int] = set()
    stack = [unit]
    while stack:
        at = stack.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        for definition in at.names.values():
            yield definition
            stack.append(definition.unit)
