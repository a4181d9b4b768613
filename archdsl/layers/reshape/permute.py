"""`permute`: torch.permute of the axes after the batch."""

from __future__ import annotations

from archdsl.layers.args import Int, ListOf
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, X
from archdsl.layers.sight import Sight, shifted


class Permute(Stateless):
    """The axes in another order, counted without the batch: `permute([1, 2, 0])` is [C, H, W] -> [H, W, C]."""

    order = arg(ListOf(Int(0)), doc="for each axis of the result, the input's")

    aliases = ("transpose",)
    saves = ()
    view = True
    examples = (
        Example("permute([1, 2, 0])", (4, 3, 2), (3, 2, 4)),
        Example("permute([1, 0])", (4, 3), (3, 4)),
        Example("permute([3, 0, 1, 2])", (4, 3, 2, 5), (5, 4, 3, 2)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        if sorted(self.order) != list(range(len(x))):
            axes = ", ".join(map(str, range(len(x))))
            raise ShapeError(f"`permute` names each of the axes {axes} once", at="order", code="E0202")
        return tuple(x[axis] for axis in self.order)

    def viewed(self, shape: Ints, strides: Ints, output: Ints) -> Ints | None:
        return (strides[0], *(strides[axis + 1] for axis in self.order))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (tuple(shifted(self.order.index(axis)) for axis in range(len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.permute", (X, (0, *(axis + 1 for axis in self.order))))
