"""`nearest_unpool`: every pixel repeated, by nn.Upsample."""

from __future__ import annotations

from typing import Any

from archdsl.layers.args import PerAxis
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Look, Sight, shifted, spread
from archdsl.layers.windows import axes, looks, spatial_rank

# From 41 on, PyTorch's `nearest` picks some pixels' neighbours: it multiplies by a rounded 1/scale. `nearest-exact`
# looks from the middle of a pixel, which no rounding moves out of it.
EXACT = 40


class NearestUnpool(Stateless):
    """Every pixel becomes a block of its copies: [C, H, W] -> [C, scale*H, scale*W], likewise in 1 and 3 dimensions."""

    scale = arg(PerAxis(1), doc="how often a pixel stands along each axis")

    name = "nearest_unpool"
    saves = ()
    examples = (
        Example("nearest_unpool(2)", (3, 5, 4), (3, 10, 8)),
        Example("nearest_unpool(3x1)", (3, 5, 4), (3, 15, 4)),
        Example("nearest_unpool(41)", (3, 5), (3, 205)),
        Example("nearest_unpool(2)", (3, 2, 5, 4), (3, 4, 10, 8)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        scales = axes(self.name, "scale", self.scale, spatial_rank(self.name, x))
        return (x[0], *(size * scale for size, scale in zip(x[1:], scales, strict=True)))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (looks(self, inputs[0], shifted(0), _copied, scale=self.scale),)

    def module(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {"scale_factor": self.scale}
        if max(axes(self.name, "scale", self.scale, len(inputs[0]) - 1)) > EXACT:
            options["mode"] = "nearest-exact"
        return Call("nn.Upsample", (), options)

    def function(self, *inputs: Shape) -> Call | None:
        return None


def _copied(axis: int, scale: int) -> Look:
    """Every position of a block sees the one pixel."""
    return spread(axis, scale, stride=scale)
