"""`slice`: torch.narrow along an axis."""

from __future__ import annotations

from functools import partial

from archdsl.layers.args import Int, Optional
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, Operand, X
from archdsl.layers.dims import checked_axis
from archdsl.layers.sight import Sight, shifted
from archdsl.sizes import Dim


class Slice(Stateless):
    """The part of an axis from `start` up to `stop`, or to the end: `slice(0, 16)` takes the first 16 channels."""

    start = arg(Int(0), doc="the first that is taken")
    stop = arg(Optional(Int(1)), default=None, doc="the first that is left out")
    axis = arg(Int(0), default=0, doc="counted without the batch")

    saves = ()
    view = True
    examples = (
        Example("slice(1, 3)", (4, 3, 2), (2, 3, 2)),
        Example("slice(2, axis=1)", (4, 5), (4, 3)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        axis = checked_axis(self.name, self.axis, x)
        size = x[axis]
        if self.stop is None:
            need.at_least(size, self.start + 1, partial(_beyond, self.start, size), at="start")
            length: Dim = size - self.start
        else:
            if self.stop <= self.start:
                raise ShapeError("`stop` comes after `start`", at="stop", code="E0202")
            need.at_least(size, self.stop, partial(_beyond, self.stop - 1, size), at="stop")
            length = self.stop - self.start
        return (*x[:axis], length, *x[axis + 1 :])

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (tuple(shifted(axis, self.start if axis == self.axis else 0) for axis in range(len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        if self.stop is not None:
            return Call("torch.narrow", (X, self.axis + 1, self.start, self.stop - self.start))
        size = inputs[0][self.axis]
        length = size - self.start if isinstance(size, int) else Operand(0, f"shape[{self.axis + 1}] - {self.start}")
        return Call("torch.narrow", (X, self.axis + 1, self.start, length))


def _beyond(index: int, size: Dim) -> str:
    return f"there is no position {index} in {size}, counted from 0"
