"""`global_maxpool`: an adaptive maximum pooling to size 1."""

from __future__ import annotations

from archdsl.layers.base import Example, Ints, Need, Shape, Stateless
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import spatial_rank


class GlobalMaxpool(Stateless):
    """The maximum of each channel: [C, H, W] -> [C, 1, 1]."""

    name = "global_maxpool"
    aliases = ("GlobalMaxPooling",)
    saves = ("input", "indices")
    examples = (Example("global_maxpool", (4, 9, 8), (4, 1, 1)), Example("global_maxpool", (4, 9), (4, 1)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (inputs[0][0], *(1,) * spatial_rank(self.name, inputs[0]))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(1, len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call:
        return Call(f"nn.AdaptiveMaxPool{len(inputs[0]) - 1}d", (1,))

    def function(self, *inputs: Shape) -> Call | None:
        return None
