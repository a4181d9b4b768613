"""`pad`: a border around a map, by a stated width or up to another value's size."""

from __future__ import annotations

from functools import partial

from archdsl.layers.args import Choice, Float, Optional, PerAxis, Value
from archdsl.layers.base import Example, Ints, Kept, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, Operand, X
from archdsl.layers.sight import Sight, shifted
from archdsl.layers.windows import axes, border, spatial_rank
from archdsl.sizes import Dim

MODULES = {"constant": "Constant", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
SUPPORT = '''
def pad_map(x: Tensor, size: Sequence[int], value: float = 0.0) -> Tensor:
    """The map in the middle of one of that size."""
    border: list[int] = []
    for axis, length in enumerate(size):
        missing = length - x.shape[axis + 2]
        border = [missing // 2, missing - missing // 2, *border]
    return F.pad(x, border, value=value)
'''


class Pad(Stateless):
    """Adds `before` and `after` along each spatial axis, or what is missing to another value's size, evenly (`to`)."""

    before = arg(Optional(PerAxis(0)), default=None, doc="how much before the first position, along each axis")
    after = arg(Optional(PerAxis(0)), default=None, doc="as much as before if none")
    mode = arg(Choice(*MODULES), default="constant", doc="what the border is made of")
    value = arg(Float(), default=0.0, doc="of a constant border")
    to = arg(Optional(Value()), default=None, doc="the value whose size it takes")

    aliases = ("ZeroPad", "ZeroPadding")
    constructor = (
        ("padding", None),
        ("value", "value"),
    )
    saves = ()
    fits = True
    examples = (
        Example("pad(1)", (4, 5, 6), (4, 7, 8)),
        Example("pad(1x2, after=0, value=1.5)", (4, 5, 6), (4, 6, 8)),
        Example('pad(2, mode="reflect")', (4, 5), (4, 9)),
        Example('pad(1, mode="replicate")', (4, 3, 5), (4, 5, 7)),
        Example('pad(1, mode="circular")', (4, 3, 4, 5), (4, 5, 6, 7)),
        Example("pad(to=other)", ((4, 5, 6), (2, 8, 6)), (4, 8, 6)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        if (self.before is None) == (self.to is None):
            raise ShapeError("`pad` takes either a border or `to`")
        if self.to is not None:
            return self._up_to(need, x, inputs[self.to], rank)
        for size, before, after in zip(x[1:], *self._border(rank), strict=True):
            border(need, size, max(before, after), self.mode, at="before")
        return (x[0], *(size + before + after for size, before, after in zip(x[1:], *self._border(rank), strict=True)))

    def _border(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        before = axes(self.name, "before", self.before, rank)
        return before, before if self.after is None else axes(self.name, "after", self.after, rank)

    def _up_to(self, need: Need, x: Shape, other: Shape, rank: int) -> Shape:
        if len(other) != len(x):
            raise ShapeError(f"`to` names a value with {rank} spatial axes", at="to")
        if self.mode != "constant" or self.after is not None:
            raise ShapeError("with `to` the border is constant", at="to", code="E0202")
        for have, size in zip(x[1:], other[1:], strict=True):
            need.at_least(size - have, 0, partial(_too_small, have, size), at="to")
        return (x[0], *other[1:])

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        x, out = inputs[0], outputs[0]
        rank = len(x) - 1
        before = (
            self._border(rank)[0] if self.to is None else [(b - a) // 2 for a, b in zip(x[1:], out[1:], strict=True)]
        )
        return ((shifted(0), *(shifted(axis, -width) for axis, width in enumerate(before, 1))),)

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Its input, if PyTorch has an operation of its own for the border."""
        return Kept(("input",) if self.mode in ("reflect", "replicate") else ())

    def module(self, *inputs: Shape) -> Call | None:
        if self.to is not None:
            return None
        rank = len(inputs[0]) - 1
        sides = [side for pair in zip(*self._border(rank), strict=True) for side in reversed(pair)]
        widths = tuple(reversed(sides))  # PyTorch starts from the last axis
        args = (widths, self.value) if self.mode == "constant" else (widths,)
        return Call(f"nn.{MODULES[self.mode]}Pad{rank}d", args)

    def function(self, *inputs: Shape) -> Call | None:
        if self.to is None:
            return None
        value = (self.value,) if self.value else ()
        return Call("pad_map", (X, Operand(self.to, "shape[2:]"), *value), support=SUPPORT)


def _too_small(have: Dim, size: Dim) -> str:
    return f"{have} is already more than {size}"
