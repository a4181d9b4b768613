"""Shapes and where they come from, as messages show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PurePath

from archdsl.diagnostics import Label
from archdsl.graph.model import Apply, Call, Join, Skip, Value
from archdsl.layers.base import Shape
from archdsl.sizes import evaluate
from archdsl.sizes.arithmetic import symbols
from archdsl.source import Span


def show_shape(shape: Shape) -> str:
    """`[64, H//2, W//2]`."""
    return f"[{', '.join(str(int(dim) if isinstance(dim, int) else dim) for dim in shape)}]"


def origin(value: Value, sizes: Mapping[str, int] | None = None) -> Label:
    """Points at what made a value, and says its shape; at `sizes` also in numbers."""
    value = told(value)
    text = f"{'this' if value.label is None else f'`{value.label}`'} is {show_shape(value.shape)}"
    open_dims = frozenset().union(*map(symbols, value.shape))
    if sizes is not None and open_dims and open_dims <= sizes.keys():  # a dim behind an error has no size
        text += f", here {show_shape(tuple(evaluate(dim, sizes) for dim in value.shape))}"
    return Label(value.span, text)


def origins(values: Iterable[Value], sizes: Mapping[str, int] | None = None) -> tuple[Label, ...]:
    """Where each of several values comes from."""
    return tuple(origin(value, sizes) for value in dict.fromkeys(map(told, values)))


def told(value: Value) -> Value:
    """The value that messages show for one: a pooled value in place of its indices and its size."""
    return value if value.companion is None else value.companion.of


def ways(values: Iterable[Value], since: Value | None = None) -> tuple[str, ...]:
    """For each value the layers that led to its shape, of those after `since`, where there are several."""
    return tuple(filter(None, (_way(value, since) for value in dict.fromkeys(map(told, values)))))


_MOST_STEPS = 6  # of a way, the last ones
_TEXT = 40  # characters of a step


def _way(value: Value, since: Value | None) -> str:
    steps = list(islice(_changes(value, since), _MOST_STEPS + 1))
    if len(steps) < 2:
        return ""
    several = len({at.span.source.path for at in steps}) > 1
    rows = [(_place(at.span, several), _shown(at), show_shape(at.shape)) for at in reversed(steps[:_MOST_STEPS])]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {line:{widths[0]}}  {text:{widths[1]}}  {shape}" for line, text, shape in rows]
    first = f"`{value.label}`" if value.label else show_shape(value.shape)
    more = ["  …"] if len(steps) > _MOST_STEPS else []
    return "\n".join([f"the layers that led to {first}:", *more, *lines])


def _changes(value: Value, since: Value | None) -> Iterator[Value]:
    """From a value back to an input: each value on the way whose shape is not that of the value before it."""
    at: Value | None = value
    while at is not None and at is not since:
        made_from = before(at.tensor)
        if made_from is not None and made_from.shape != at.shape and at.tensor.producer is not None:
            yield at.tensor
        at = made_from


def before(value: Value) -> Value | None:
    """What a value was made from: of several the one that flowed there, or the first."""
    item = value.producer
    match item:
        case Apply() | Call():
            return item.inputs[0]
        case Join():
            return item.branches[0].value
        case Skip():
            return item.source
    return value.outer


def _place(span: Span, named: bool) -> str:
    """Where a step stands; `named` says that others stand in other files."""
    return f"{PurePath(span.source.path).name}:{span.line}" if named else f"line {span.line}"


def _shown(value: Value) -> str:
    first, *more = value.span.text.split("\n")
    text = f"{first.rstrip()} … }}" if more else first
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
