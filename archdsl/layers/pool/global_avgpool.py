"""`global_avgpool`: an adaptive average pooling to size 1."""

from __future__ import annotations

from archdsl.layers.base import Example, Ints, Need, Shape, Stateless
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import spatial_rank


class GlobalAvgpool(Stateless):
    """The mean of each channel: [C, H, W] -> [C, 1, 1]. Lin et al., Network in Network, 2014, section 3.2."""

    name = "global_avgpool"
    saves = ()  # PyTorch takes a mean, which keeps the size only
    examples = (Example("global_avgpool", (4, 9, 8), (4, 1, 1)), Example("global_avgpool", (4, 9), (4, 1)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (inputs[0][0], *(1,) * spatial_rank(self.name, inputs[0]))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(1, len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call:
        return Call(f"nn.AdaptiveAvgPool{len(inputs[0]) - 1}d", (1,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
