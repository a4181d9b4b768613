"""Arithmetic that windowed layers share: arguments per axis, and where a sliding window fits.

Formulas: the "Shape" sections of PyTorch's nn.Conv2d, nn.MaxPool2d and nn.ConvTranspose2d.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from archdsl.layers.base import Ints, Layer, Need, Shape, ShapeError
from archdsl.layers.sight import Look, Looks, slide
from archdsl.sizes import Dim, ceil_div, smallest


def spatial_rank(name: str, x: Shape) -> int:
    """The number of spatial axes of [C, …]; raises ShapeError unless it is 1, 2 or 3."""
    rank = len(x) - 1
    if not 1 <= rank <= 3:
        raise ShapeError(
            f"`{name}` takes [C, L], [C, H, W] or [C, D, H, W], not {'a vector' if rank == 0 else f'{len(x)} dims'}"
        )
    return rank


def axes(name: str, field: str, value: Any, rank: int) -> tuple[int, ...]:
    """An argument for each of `rank` axes; raises ShapeError if it states another number of them."""
    if isinstance(value, tuple):
        if len(value) != rank:
            raise ShapeError(f"`{name}` has {rank} spatial axes here, `{field}` states {len(value)}", at=field)
        return value
    return (value,) * rank


def window(
    layer: Layer,
    need: Need,
    sizes: Shape,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any = 1,
    ceil: bool = False,
) -> Shape:
    """Sizes after a window slides over them: floor((x + 2p - d(k - 1) - 1) / s) + 1.

    With `ceil` the last window may hang over the end, if it starts inside the input or its left padding: the smaller
    of ceil((x + 2p - d(k - 1) - 1) / s) + 1 and ceil((x + p) / s).
    """
    rank = len(sizes)
    out: list[Dim] = []
    per_axis = (
        axes(layer.name, n, v, rank)
        for n, v in zip(("kernel", "stride", "padding", "dilation"), (kernel, stride, padding, dilation), strict=True)
    )
    for x, k, s, p, d in zip(sizes, *per_axis, strict=True):
        reach = d * (k - 1) + 1
        padded = x + 2 * p
        # In ceil mode one more window may start `stride - 1` earlier than it fits.
        need.at_least(padded, max(1, reach - (s - 1)) if ceil else reach, partial(_too_large, reach, x, p), at="kernel")
        if ceil:
            out.append(smallest(ceil_div(padded - reach, s) + 1, ceil_div(x + p, s)))
        else:
            out.append((padded - reach) // s + 1)
    return tuple(out)


def looks(layer: Layer, x: Ints, channels: Look, make: Callable[..., Look] = slide, **fields: Any) -> Looks:
    """What a position sees along each axis of [C, …]; `make` is given the axis and each of `fields` along it."""
    per_axis = [axes(layer.name, field, value, len(x) - 1) for field, value in fields.items()]
    rows = [dict(zip(fields, row, strict=True)) for row in zip(*per_axis, strict=True)]
    return (channels, *(make(axis, **row) for axis, row in enumerate(rows, 1)))


def _too_large(reach: int, x: Dim, padding: int) -> str:
    padded = f", padded by {padding} on both sides" if padding else ""
    return f"a window of {reach} does not fit into {x}{padded}"


def border(need: Need, size: Dim, width: int, mode: str, at: str) -> None:
    """What a border of another kind than zeros needs of the map that it is made of."""
    if width and mode == "reflect":
        need.at_least(
            size, width + 1, partial("a reflected border of {} needs more than {}".format, width, size), at=at
        )
    elif width and mode == "circular":
        need.at_least(size, width, partial("a circular border of {} needs as much, not {}".format, width, size), at=at)


def pooling_padding(layer: Layer, rank: int) -> None:
    """Raises ShapeError if a pooling's padding is more than half of its kernel, dilated or not: PyTorch refuses it."""
    for k, p in zip(
        *(axes(layer.name, field, getattr(layer, field), rank) for field in ("kernel", "padding")), strict=True
    ):
        if p > k // 2:
            message = f"the padding is at most half of the kernel, so {k // 2} here, not {p}"
            raise ShapeError(message, at="padding", code="E0202")


def given(layer: Layer, *names: str, **renamed: str) -> Mapping[str, Any]:
    """The fields that differ from their defaults, as keyword arguments (`ceil="ceil_mode"` renames one).

    A field whose argument depends on a variable of the emitted code is given in any case.
    """
    given: dict[str, Any] = {}
    for name, key in (*zip(names, names, strict=True), *renamed.items()):
        value = getattr(layer, name)
        if name in layer.variable or value != layer.defaults[name]:
            given[key] = value
    return given
