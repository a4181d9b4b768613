"""Shapes and where they come from, as messages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.diagnostics import Label
from archdsl.graph.model import Value
from archdsl.layers.base import Shape
from archdsl.sizes import evaluate


def show_shape(shape: Shape) -> str:
    """`[64, H//2, W//2]`."""
    return f"[{', '.join(str(int(dim) if isinstance(dim, int) else dim) for dim in shape)}]"


def origin(value: Value, sizes: Mapping[str, int] | None = None) -> Label:
    """Points at what made a value, and says its shape; at `sizes` also in numbers."""
    value = told(value)
    text = f"{'this' if value.label is None else f'`{value.label}`'} is {show_shape(value.shape)}"
    if sizes is not None and not all(isinstance(dim, int) for dim in value.shape):
        text += f", here {show_shape(tuple(evaluate(dim, sizes) for dim in value.shape))}"
    return Label(value.span, text)


def origins(values: Iterable[Value], sizes: Mapping[str, int] | None = None) -> tuple[Label, ...]:
    """Where each of several values comes from."""
    return tuple(origin(value, sizes) for value in dict.fromkeys(map(told, values)))


def told(value: Value) -> Value:
    """The value that messages show for one: a pooled value in place of its indices and its size."""
    return value if value.companion is None else value.companion.of
