"""`pixel_shuffle`: nn.PixelShuffle."""

from __future__ import annotations

from archdsl.layers.args import Int
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import a_map
from archdsl.layers.sight import WHOLE, Sight, spread


class PixelShuffle(Stateless):
    """Channels become pixels: [C * r * r, H, W] -> [C, r * H, r * W]. Shi et al., 2016."""

    upscale_factor = arg(Int(1), doc="r: each r * r channels become r x r pixels")

    name = "pixel_shuffle"
    saves = ()
    examples = (Example("pixel_shuffle(2)", (12, 3, 4), (3, 6, 8)), Example("pixel_shuffle(3)", (9, 2, 2), (1, 6, 6)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        c, h, w = a_map(self.name, inputs[0])
        r = self.upscale_factor
        need.divisible(c, r * r, f"{c} channels do not divide into groups of {r}x{r}", at="upscale_factor")
        return (c // (r * r), h * r, w * r)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        r = self.upscale_factor
        return ((WHOLE, spread(1, r, stride=r), spread(2, r, stride=r)),)

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.PixelShuffle", (self.upscale_factor,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
