"""`chunk`: torch.chunk along an axis."""

from __future__ import annotations

from archdsl.layers.args import Int
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, X
from archdsl.layers.dims import checked_axis, fixed
from archdsl.layers.sight import Sight, shifted


class Chunk(Stateless):
    """Several values of ceil(size / chunks) each, the last one what is left; as in PyTorch there may be fewer."""

    chunks = arg(Int(2), doc="how many, at most")
    axis = arg(Int(0), default=0, doc="counted without the batch")

    saves = ()
    view = True
    examples = (
        Example("chunk(2)", (5, 3), ((3, 3), (2, 3))),
        Example("chunk(3, axis=1)", (4, 6, 2), ((4, 2, 2), (4, 2, 2), (4, 2, 2))),
        Example("chunk(4)", (5, 3), ((2, 3), (2, 3), (1, 3))),
    )

    def shape(self, need: Need, *inputs: Shape) -> tuple[Shape, ...]:
        x = inputs[0]
        axis = checked_axis(self.name, self.axis, x)
        total = fixed(self.name, x[axis], "size")
        if total == 1:
            raise ShapeError("`chunk` cannot take a size of 1 apart", at="chunks")
        step = -(-total // self.chunks)
        sizes = [step] * (total // step) + [total % step] * (total % step > 0)
        return tuple((*x[:axis], size, *x[axis + 1 :]) for size in sizes)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        before = sum(part[self.axis] for part in outputs[:index])
        return (tuple(shifted(axis, before if axis == self.axis else 0) for axis in range(len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.chunk", (X, self.chunks), {"dim": self.axis + 1})
