"""`global_avgpool`: an adaptive average pooling to size 1."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.base import Example, Form, Ints, Need, Shape, Stateless
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import spatial_rank


class GlobalAvgpool(Stateless):
    """The mean of each channel: [C, H, W] -> [C, 1, 1]. Lin et al., Network in Network, 2014, section 3.2."""

    name = "global_avgpool"
    aliases = ("GlobalAveragePooling",)
    saves = ()  # PyTorch takes a mean, which keeps the size only
    examples = (Example("global_avgpool", (4, 9, 8), (4, 1, 1)), Example("global_avgpool", (4, 9), (4, 1)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (inputs[0][0], *(1,) * spatial_rank(self.name, inputs[0]))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(1, len(inputs[0]))),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        size = "x".join(map(str, x[1:]))
        return Form(f"avgpool({x[1] if len(set(x[1:])) == 1 else size}, stride=1)")

    def module(self, *inputs: Shape) -> Call:
        return Call(f"nn.AdaptiveAvgPool{len(inputs[0]) - 1}d", (1,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
