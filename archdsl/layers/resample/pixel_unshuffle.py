"""`pixel_unshuffle`: nn.PixelUnshuffle."""

from __future__ import annotations

from archdsl.layers.args import Int
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import a_map
from archdsl.layers.sight import WHOLE, Sight, slide


class PixelUnshuffle(Stateless):
    """Pixels become channels: [C, r * H, r * W] -> [C * r * r, H, W]."""

    downscale_factor = arg(Int(1), doc="r: each r x r pixels become channels")

    name = "pixel_unshuffle"
    saves = ()
    examples = (
        Example("pixel_unshuffle(2)", (3, 6, 8), (12, 3, 4)),
        Example("pixel_unshuffle(3)", (1, 6, 6), (9, 2, 2)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        c, *sizes = a_map(self.name, inputs[0])
        r = self.downscale_factor
        for size in sizes:
            need.divisible(size, r, f"{size} is no multiple of {r}", at="downscale_factor")
        return (c * r * r, *(size // r for size in sizes))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        r = self.downscale_factor
        return ((WHOLE, slide(1, r, stride=r), slide(2, r, stride=r)),)

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.PixelUnshuffle", (self.downscale_factor,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
