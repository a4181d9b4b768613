"""`upsample`: nn.Upsample, or torch.nn.functional.interpolate to another value's size."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

from archdsl.layers.args import Bool, Choice, Optional, Scale, Value
from archdsl.layers.base import Example, Ints, Kept, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call, Operand, X
from archdsl.layers.sight import Look, Sight, between, grid, picked, shifted
from archdsl.layers.windows import spatial_rank
from archdsl.sizes import Dim

RANKS: Mapping[str, tuple[int, ...]] = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3),
    "linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,),
}  # fmt: skip
CORNERS = ("linear", "bilinear", "bicubic", "trilinear")


class Upsample(Stateless):
    """Interpolates to floor(scale * size) along each spatial axis, or to the size of another value (`to`)."""

    scale = arg(Optional(Scale()), default=None, doc="the factor by which the size grows")
    to = arg(Optional(Value()), default=None, doc="the value whose size it takes")
    mode = arg(Choice(*RANKS), default="nearest", doc="how values in between are made")
    align_corners = arg(Bool(), default=False, doc="for the linear modes: the corners' pixels stay at the corners")

    aliases = ("interpolate", "UpSampling")
    constructor = (
        ("size", None),
        ("scale_factor", "scale"),
        ("mode", "mode"),
        ("align_corners", "align_corners"),
    )
    saves = ()
    fits = True
    examples = (
        Example("upsample(2)", (3, 5, 4), (3, 10, 8)),
        Example("upsample(scale=1.5)", (3, 5), (3, 7)),
        Example('upsample(2, mode="bilinear", align_corners=true)', (3, 5, 4), (3, 10, 8)),
        Example("upsample(to=other)", ((3, 5, 4), (2, 7, 9)), (3, 7, 9)),
        Example('upsample(to=other, mode="bilinear")', ((3, 5, 4), (2, 7, 9)), (3, 7, 9)),
        Example("upsample(2)", (3, 2, 5, 4), (3, 4, 10, 8)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        if (self.scale is None) == (self.to is None):
            raise ShapeError("`upsample` takes either `scale` or `to`")
        if rank not in RANKS[self.mode]:
            fits = ", ".join(mode for mode, ranks in RANKS.items() if rank in ranks)
            raise ShapeError(f"for {rank} spatial axes `mode` is one of {fits}", at="mode", code="E0202")
        if self.align_corners and self.mode not in CORNERS:
            raise ShapeError(f"`align_corners` is for {', '.join(CORNERS)}", at="align_corners", code="E0202")
        if self.to is not None:
            other = inputs[self.to]
            if len(other) != len(x):
                raise ShapeError(f"`to` names a value with {rank} spatial axes", at="to")
            return (x[0], *other[1:])
        scale = Fraction(self.scale)
        out = tuple(size * scale.numerator // scale.denominator for size in x[1:])
        for size, result in zip(x[1:], out, strict=True):
            need.at_least(result, 1, partial(_nothing_left, self.scale, size), at="scale")
        return (x[0], *out)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        sizes = zip(inputs[0][1:], outputs[0][1:], strict=True)
        return ((shifted(0), *(self._look(axis, have, made) for axis, (have, made) in enumerate(sizes, 1))),)

    def _look(self, axis: int, have: int, made: int) -> Look:
        """Where PyTorch's interpolation takes a position from. Its `area` is an adaptive pooling."""
        if self.mode == "area":
            return grid(axis, have, made)
        if self.align_corners:
            step, start = (Fraction(have - 1, made - 1), Fraction(0)) if made > 1 else (Fraction(1), Fraction(0))
        else:
            scale = Fraction(made, have) if self.scale is None else Fraction(self.scale)
            step, start = 1 / scale, (1 / scale - 1) / 2
        if self.mode == "nearest":
            return picked(axis, step, Fraction(0))
        if self.mode == "nearest-exact":
            return picked(axis, step, step / 2)
        return between(axis, step, start, reach=2 if self.mode == "bicubic" else 1)

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Of `area`, which is an adaptive pooling, its input, unless only one position is left."""
        return Kept(("input",)) if self.mode == "area" and set(output[1:]) != {1} else Kept(())

    def module(self, *inputs: Shape) -> Call | None:
        return None if self.scale is None else Call("nn.Upsample", (), {"scale_factor": self.scale, **self._options()})

    def function(self, *inputs: Shape) -> Call | None:
        if self.to is None:
            return None
        return Call("F.interpolate", (X, Operand(self.to, "shape[2:]")), self._options())

    def _options(self) -> dict[str, Any]:
        """PyTorch warns where a linear mode does not say what it does with the corners."""
        options: dict[str, Any] = {} if self.mode == "nearest" else {"mode": self.mode}
        if self.mode in CORNERS:
            options["align_corners"] = self.align_corners
        return options


def _nothing_left(scale: float, size: Dim) -> str:
    return f"{scale} times {size} is less than one"
