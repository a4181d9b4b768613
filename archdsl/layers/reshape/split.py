"""`split`: torch.split along an axis, into equal parts or into parts of stated sizes."""

from __future__ import annotations

from functools import partial
from typing import Any

from archdsl.layers.args import ArgumentError, Int, Kind, ListOf, brief
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call, X
from archdsl.layers.dims import checked_axis
from archdsl.layers.sight import Sight, shifted


class _Parts(Kind):
    """How many equal parts, or the size of each."""

    def convert(self, value: Any) -> Any:
        try:
            found = ListOf(Int(1)).convert(value) if isinstance(value, (list, tuple)) else Int(2).convert(value)
        except ArgumentError:
            found = []
        if isinstance(found, list) and len(found) < 2:
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return found

    def describe(self) -> str:
        return "the number of parts, at least 2, or a list with the size of each"


class Split(Stateless):
    """Several values: `split(2)` halves the channels, `split([16, 48])` takes 16 of them and the other 48."""

    parts = arg(_Parts(), doc="how many equal parts, or the size of each")
    axis = arg(Int(0), default=0, doc="counted without the batch")

    saves = ()
    view = True
    examples = (
        Example("split(2)", (4, 3, 2), ((2, 3, 2), (2, 3, 2))),
        Example("split([1, 3])", (4, 3), ((1, 3), (3, 3))),
        Example("split(3, axis=1)", (4, 6, 2), ((4, 2, 2), (4, 2, 2), (4, 2, 2))),
    )

    def shape(self, need: Need, *inputs: Shape) -> tuple[Shape, ...]:
        x = inputs[0]
        axis = checked_axis(self.name, self.axis, x)
        if isinstance(self.parts, int):
            why = partial("{} does not divide into {} equal parts".format, x[axis], self.parts)
            need.divisible(x[axis], self.parts, why, at="parts")
            sizes = [x[axis] // self.parts] * self.parts
        else:
            total = sum(self.parts)
            need.equal(x[axis], total, partial("the parts add up to {}, not {}".format, total, x[axis]), at="parts")
            sizes = list(self.parts)
        return tuple((*x[:axis], size, *x[axis + 1 :]) for size in sizes)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        before = sum(part[self.axis] for part in outputs[:index])
        return (tuple(shifted(axis, before if axis == self.axis else 0) for axis in range(len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        if isinstance(self.parts, int):
            return Call("torch.chunk", (X, self.parts), {"dim": self.axis + 1})
        return Call("torch.split", (X, self.parts), {"dim": self.axis + 1})
