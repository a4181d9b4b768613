"""`spp`: spatial pyramid pooling."""

from __future__ import annotations

from archdsl.layers.args import Int, ListOf
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import a_map
from archdsl.layers.sight import Sight, whole_along

SUPPORT = '''
class SpatialPyramidPool(nn.Module):
    """Maxima over grids of several sizes as one vector. He et al., 2014."""

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels = tuple(levels)

    def forward(self, x: Tensor) -> Tensor:
        grids = [F.adaptive_max_pool2d(x, level) for level in self.levels]
        return torch.cat([torch.flatten(grid, 1) for grid in grids], dim=1)
'''


class Spp(Stateless):
    """Maxima over grids of several sizes as one vector, whatever the input's size: [C, H, W] -> [C * sum(n*n)].

    He et al., Spatial Pyramid Pooling in Deep Convolutional Networks, 2014, section 2.2.
    """

    levels = arg(ListOf(Int(1)), doc="the sizes of the grids")

    aliases = ("SpatialPyramidPooling",)
    saves = ("input", "indices")
    examples = (Example("spp([1, 2, 4])", (3, 9, 8), (63,)), Example("spp([2])", (3, 5, 5), (12,)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (a_map(self.name, inputs[0])[0] * sum(level * level for level in self.levels),)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(len(inputs[0]))),)

    def module(self, *inputs: Shape) -> Call:
        return Call("SpatialPyramidPool", (self.levels,), support=SUPPORT)

    def function(self, *inputs: Shape) -> Call | None:
        return None
