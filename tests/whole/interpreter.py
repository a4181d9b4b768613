"""Runs a checked graph item by item, as the manual says it: what emitted code must equal.

It shares nothing with the emitter: no text, no grouping into classes, no loops, nothing in place, and the layers are
computed by `layers.py`. The graph is the one that was checked, not the traced one that the emitter reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from whole.layers import compute

from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Network, Scope, Skip, Value


@dataclass
class _Run:
    """One pass. `state` is read, and its buffers are replaced as training goes on."""

    state: dict[str, Tensor]
    training: bool

    def scope(self, scope: Scope, inputs: Sequence[Any], prefix: str) -> dict[Value, Any]:
        """Every value made in one application of a scope."""
        values: dict[Value, Any] = dict(zip(scope.inputs, inputs, strict=True))
        self._items(scope.items, values, prefix)
        return values

    def _items(self, items: Sequence[Item], values: dict[Value, Any], prefix: str) -> None:
        for item in items:
            if isinstance(item, Apply):
                self._apply(item, values, prefix)
            elif isinstance(item, Call):
                self._call(item, values, prefix)
            elif isinstance(item, Join):
                for branch in item.branches:
                    self._items(branch.items, values, prefix)
                if item.kind != "parallel":
                    values[item.output] = _join(
                        item.kind, [values[branch.value.tensor] for branch in item.branches], item.axis
                    )
            elif isinstance(item, Skip):
                self._items(item.items, values, prefix)
                side = item.source
                if item.projection is not None:
                    self._items(item.projection.items, values, prefix)
                    side = item.projection.value
                kind = {"residual": "add", "dense": "concat", "gate": "mul"}[item.kind]
                values[item.output] = _join(kind, [values[side.tensor], values[item.body.tensor]], item.axis)
            elif isinstance(item, Loop):
                for turn in item.turns:
                    self._items(turn.items, values, prefix)
            elif isinstance(item, Choice) or self.training:
                self._items(item.items, values, prefix)

    def _apply(self, item: Apply, values: dict[Value, Any], prefix: str) -> None:
        given = [values[value.tensor] for value in item.inputs]
        start = f"{prefix}{item.module.name}."
        names = [*item.module.weights, *item.module.buffers]
        own = {name: self.state[start + name] for name in names}
        made = compute(item.layer, given, own, self.training, item.module.indices)
        self.state.update({start + name: own[name] for name in item.module.buffers})
        outputs = list(made) if isinstance(made, (tuple, list)) else [made]
        for value, result in zip(item.outputs, outputs, strict=False):
            if value.companion is None:
                values[value] = result
        for value in item.outputs:
            if value.companion is not None:
                values[value] = given[0].shape[2:] if value.is_size else outputs[1]

    def _call(self, item: Call, values: dict[Value, Any], prefix: str) -> None:
        given = [values[value.tensor] for value in item.inputs]
        inner = self.scope(item.scope, given, f"{prefix}{item.module.name}.")
        for result, output in zip(item.scope.results, item.outputs, strict=True):
            if self.training or not result.training:
                values[output] = inner[result.value.tensor]
        for name, value in item.exports.items():
            exported = item.scope.exports[name].tensor
            if exported in inner:
                values[value] = inner[exported]


def interpret(
    network: Network, inputs: Sequence[Tensor], state: Mapping[str, Tensor], training: bool = False
) -> tuple[dict[str | None, Tensor | None], dict[str, Tensor]]:
    """The outputs by name, None where only training has them; and the state that is left, with new buffers."""
    run = _Run(dict(state), training)
    values = run.scope(network.scope, inputs, "")
    results = network.scope.results
    outputs = {r.name: values[r.value.tensor] if training or not r.training else None for r in results}
    return outputs, run.state


def _join(kind: str, given: Sequence[Tensor], axis: int) -> Tensor:
    if kind == "concat":
        return torch.cat(list(given), axis + 1)
    total = given[0]
    for each in given[1:]:
        total = total + each if kind == "add" else total * each
    return total


def parameters(scope: Scope, prefix: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
    """The parameters by name, with their shapes, in the order of the spec."""
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            yield from parameters(module.what, f"{prefix}{name}.")
        else:
            yield from ((f"{prefix}{name}.{key}", tuple(map(int, shape))) for key, shape in module.weights.items())


def buffers(scope: Scope, prefix: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
    """The buffers likewise."""
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            yield from buffers(module.what, f"{prefix}{name}.")
        else:
            yield from ((f"{prefix}{name}.{key}", tuple(map(int, shape))) for key, shape in module.buffers.items())
