"""`adaptive_maxpool`: nn.AdaptiveMaxPool1d, 2d or 3d."""

from __future__ import annotations

from archdsl.layers.args import PerAxis
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, grid, shifted
from archdsl.layers.windows import axes, spatial_rank


class AdaptiveMaxpool(Stateless):
    """Maxima over a grid of the stated size, whatever the input's: [C, H, W] -> [C, size, size]."""

    size = arg(PerAxis(1), doc="output size")

    name = "adaptive_maxpool"
    constructor = (("output_size", "size"),)
    saves = ("input", "indices")
    examples = (
        Example("adaptive_maxpool(7)", (4, 9, 8), (4, 7, 7)),
        Example("adaptive_maxpool(2x3)", (4, 9, 8), (4, 2, 3)),
        Example("adaptive_maxpool(3)", (4, 9), (4, 3)),
        Example("adaptive_maxpool(2)", (4, 5, 6, 7), (4, 2, 2, 2)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        return (x[0], *axes(self.name, "size", self.size, spatial_rank(self.name, x)))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        cells = zip(inputs[0][1:], outputs[0][1:], strict=True)
        return ((shifted(0), *(grid(axis, size, parts) for axis, (size, parts) in enumerate(cells, 1))),)

    def module(self, *inputs: Shape) -> Call:
        return Call(f"nn.AdaptiveMaxPool{len(inputs[0]) - 1}d", (self.size,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
