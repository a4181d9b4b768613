"""`crop`: a part of a map, as large as another value or of a stated size."""

from __future__ import annotations

from functools import partial

from archdsl.layers.args import Optional, PerAxis, Value
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, Operand, X
from archdsl.layers.sight import Sight, shifted
from archdsl.layers.windows import axes, spatial_rank
from archdsl.sizes import Dim

SUPPORT = '''
def crop_map(
    x: Tensor,
    size: Sequence[int],
    offset: Sequence[int] | None = None,
) -> Tensor:
    """The part of a map of that size; without an offset, its middle."""
    for axis, length in enumerate(size):
        start = (x.shape[axis + 2] - length) // 2 if offset is None else offset[axis]
        x = x.narrow(axis + 2, start, length)
    return x
'''


class Crop(Stateless):
    """Takes a part out of a map: [C, H, W] -> [C, h, w], from `offset` on, or from the middle."""

    size = arg(Optional(PerAxis(1)), default=None, doc="the size of the part")
    to = arg(Optional(Value()), default=None, doc="the value whose size it takes")
    offset = arg(PerAxis(0, "center"), default="center", doc="where it starts; `center` leaves as much on both sides")

    saves = ()
    fits = True
    view = True
    examples = (
        Example("crop(3)", (4, 9, 8), (4, 3, 3)),
        Example("crop(3x2, offset=1)", (4, 9, 8), (4, 3, 2)),
        Example("crop(to=other, offset=2)", ((4, 9, 8), (3, 5, 6)), (4, 5, 6)),
        Example("crop(to=other)", ((4, 9), (3, 5)), (4, 5)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        if (self.size is None) == (self.to is None):
            raise ShapeError("`crop` takes either a size or `to`")
        sizes: Shape = axes(self.name, "size", self.size, rank)
        if self.to is not None:
            if len(inputs[self.to]) != len(x):
                raise ShapeError(f"`to` names a value with {rank} spatial axes", at="to")
            sizes = inputs[self.to][1:]
        at = "size" if self.to is None else "to"
        starts = (0,) * rank if self.offset == "center" else axes(self.name, "offset", self.offset, rank)
        for have, size, start in zip(x[1:], sizes, starts, strict=True):
            need.at_least(have - size, start, partial(_too_large, have, size, start), at=at)
        return (x[0], *sizes)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        x, out = inputs[0], outputs[0]
        if self.offset == "center":
            starts = [(have - size) // 2 for have, size in zip(x[1:], out[1:], strict=True)]
        else:
            starts = list(axes(self.name, "offset", self.offset, len(x) - 1))
        return ((shifted(0), *(shifted(axis, start) for axis, start in enumerate(starts, 1))),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        rank = len(inputs[0]) - 1
        size = axes(self.name, "size", self.size, rank) if self.to is None else Operand(self.to, "shape[2:]")
        offset = () if self.offset == "center" else (axes(self.name, "offset", self.offset, rank),)
        return Call("crop_map", (X, size, *offset), support=SUPPORT)


def _too_large(have: Dim, size: Dim, start: int) -> str:
    return f"a part of {size}{f' from {start} on' if start else ''} does not lie within {have}"
