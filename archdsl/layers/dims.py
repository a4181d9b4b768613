"""What several layers ask of a shape: an axis that is there, a dim that does not depend on the input's size."""

from __future__ import annotations

from archdsl.layers.base import Shape, ShapeError
from archdsl.sizes import Dim


def checked_axis(name: str, axis: int, x: Shape) -> int:
    """The axis, counted without the batch; raises ShapeError unless `x` has it."""
    if axis >= len(x):
        dims = "1 dim" if len(x) == 1 else f"{len(x)} dims"
        raise ShapeError(f"`{name}` has {dims} here, so its axis is at most {len(x) - 1}", at="axis", code="E0202")
    return axis


def fixed(name: str, dim: Dim, what: str) -> int:
    """A dim that has to be a number; raises ShapeError where it depends on the input's size."""
    if not isinstance(dim, int):
        raise ShapeError(f"`{name}` needs a fixed {what}, but this is {dim}", code="E0305")
    return dim


def a_map(name: str, x: Shape) -> Shape:
    """[C, H, W]; raises ShapeError for another rank."""
    if len(x) != 3:
        raise ShapeError(f"`{name}` takes [C, H, W], not {len(x)} dim{'s' * (len(x) != 1)}")
    return x
