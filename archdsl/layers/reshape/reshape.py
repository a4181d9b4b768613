"""`reshape`: torch.reshape of the dims after the batch."""

from __future__ import annotations

from itertools import takewhile
from math import prod
from operator import eq

from archdsl.layers.args import Int, ListOf
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, Operand, X
from archdsl.layers.sight import WHOLE, Sight, shifted
from archdsl.layers.strides import viewed
from archdsl.sizes import Dim, SizeError, product


class Reshape(Stateless):
    """The same elements in other dims; -1 stands for the dim that is left: `reshape([4, -1])` is [8, L] -> [4, 2*L]."""

    dims = arg(ListOf(Int(-1)), doc="without the batch; -1 once at most")

    aliases = ("view",)
    saves = ()
    view = True
    examples = (
        Example("reshape([4, 6])", (24,), (4, 6)),
        Example("reshape([6, 2])", (4, 3), (6, 2)),
        Example("reshape([2, -1])", (4, 3, 5), (2, 30)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        if self.dims.count(-1) > 1 or 0 in self.dims:
            raise ShapeError("`reshape` takes positive dims, and -1 once at most", at="dims", code="E0202")
        total = product(inputs[0])
        known = prod(dim for dim in self.dims if dim != -1)
        if -1 not in self.dims:
            need.equal(total, known, f"`reshape` to {known} elements of {total}", at="dims")
            return tuple(self.dims)
        need.divisible(total, known, f"{total} elements do not divide into rows of {known}", at="dims", code="E0310")
        return tuple(self._rest(total, known) if dim == -1 else dim for dim in self.dims)

    def _rest(self, total: Dim, known: int) -> Dim:
        try:
            return total // known
        except SizeError:
            raise ShapeError(f"what is left of {total} over {known} is not known for every size", at="dims") from None

    def viewed(self, shape: Ints, strides: Ints, output: Ints) -> Ints | None:
        return viewed(shape, strides, output)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        """The axes that stay as they are, at either end, by position; the others as a whole."""
        x, out = inputs[0], outputs[0]
        front = sum(1 for _ in takewhile(bool, map(eq, x, out)))
        back = sum(1 for _ in takewhile(bool, map(eq, x[: front - 1 : -1] if front else x[::-1], out[::-1])))
        kept = {axis: axis for axis in range(front)}
        kept |= {axis: axis + len(out) - len(x) for axis in range(len(x) - back, len(x))}
        return (tuple(shifted(kept[axis]) if axis in kept else WHOLE for axis in range(len(x))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        # Where any size could come in, -1 for the batch would take a wrong one for a larger batch.
        certain = -1 not in self.dims and all(isinstance(dim, int) for dim in inputs[0])
        batch = -1 if certain else Operand(0, "shape[0]")
        return Call(".reshape", (X, batch, *self.dims))
