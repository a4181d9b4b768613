"""`adaptive_avgpool`: nn.AdaptiveAvgPool1d, 2d or 3d."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import PerAxis
from archdsl.layers.base import Example, Form, Ints, Kept, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, grid, shifted
from archdsl.layers.windows import axes, spatial_rank


class AdaptiveAvgpool(Stateless):
    """Means over a grid of the stated size, whatever the input's: [C, H, W] -> [C, size, size]."""

    size = arg(PerAxis(1), doc="output size")

    name = "adaptive_avgpool"
    constructor = (("output_size", "size"),)
    saves = ("input",)
    examples = (
        Example("adaptive_avgpool(7)", (4, 9, 8), (4, 7, 7)),
        Example("adaptive_avgpool(2x3)", (4, 9, 8), (4, 2, 3)),
        Example("adaptive_avgpool(3)", (4, 9), (4, 3)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        return (x[0], *axes(self.name, "size", self.size, spatial_rank(self.name, x)))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        cells = zip(inputs[0][1:], outputs[0][1:], strict=True)
        return ((shifted(0), *(grid(axis, size, parts) for axis, (size, parts) in enumerate(cells, 1))),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        """Nothing, if it changes nothing at the typical size."""
        return Form("") if axes(self.name, "size", self.size, len(x) - 1) == x[1:] else None

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Nothing if only one position is left: PyTorch takes a mean then, which keeps the size only."""
        return Kept(()) if set(output[1:]) == {1} else Kept(self.saves)

    def module(self, *inputs: Shape) -> Call:
        return Call(f"nn.AdaptiveAvgPool{len(inputs[0]) - 1}d", (self.size,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
