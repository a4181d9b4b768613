"""The shapes of weights, said in arguments and in dims of the input: `[channels, C // groups, kernel, kernel]`.

Input: a layer applied to fixed shapes. The layer is asked again, with ints that remember where they came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.emit.torch.say import Variables
from archdsl.graph.model import Apply
from archdsl.graph.traced import Ref, Traced
from archdsl.layers.base import Ints

Formula = tuple[str, ...]


class _Named:
    """Ints with the names that they are said by."""

    def __init__(self) -> None:
        self.variables = Variables()

    def __call__(self, name: str, value: Any) -> Any:
        """An int, or each int of a list, by that name; anything else as it is."""
        if isinstance(value, (tuple, list)):
            return type(value)(self(name, item) for item in value)
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        ref = Ref(name, int(value))
        self.variables.names[ref] = name
        return Traced(int(value), ref)


def formulas(item: Apply, shapes: tuple[Ints, ...], axes: tuple[Mapping[int, Formula], ...]) -> Mapping[str, Formula]:
    """The shape of each weight and buffer; `axes` names the dims of each input by how many it has."""
    if not item.module.weights and not item.module.buffers:
        return {}
    named, layer = _Named(), item.layer
    values = {field.name: getattr(layer, field.name) for field in layer.fields}
    operands = {field.name for field in layer.fields if field.kind.is_value}
    twin = type(layer)({key: value if key in operands else named(key, value) for key, value in values.items()})
    inputs = [
        tuple(named(name, size) for name, size in zip(letters[len(shape)], shape, strict=True))
        for shape, letters in zip(shapes, axes, strict=False)
    ]
    every = {**twin.weights(*inputs), **twin.buffers(*inputs)}
    return {name: tuple(map(named.variables.say, shape)) for name, shape in every.items()}
