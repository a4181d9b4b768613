"""`lrn`: nn.LocalResponseNorm."""

from __future__ import annotations

from math import prod

from archdsl.layers.args import Float, Int
from archdsl.layers.base import Elementwise, Example, Ints, Kept, Need, Shape, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, same, slide
from archdsl.layers.strides import is_packed
from archdsl.layers.windows import given, spatial_rank

SUPPORT = '''
class LocalResponseNorm3d(nn.LocalResponseNorm):
    """Local response normalisation of volumes, also of those whose axes were permuted."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.contiguous())
'''


class Lrn(Elementwise):
    """Local response normalisation over `size` neighbouring channels. Krizhevsky et al., 2012, section 3.3.

    As in PyTorch and Caffe, `alpha` is divided by `size`.
    """

    size = arg(Int(1), doc="channels that are summed over")
    alpha = arg(Float(), default=1e-4, doc="the factor of the sum of squares")
    beta = arg(Float(), default=0.75, doc="the exponent")
    k = arg(Float(), default=1.0, doc="added before the exponent is taken")

    aliases = ("LocalResponseNorm",)
    saves = ("input",)
    examples = (
        Example("lrn(5)", (8, 5, 5), (8, 5, 5)),
        Example("lrn(3, alpha=0.001, beta=0.5, k=2)", (8, 5), (8, 5)),
        Example("lrn(3)", (8, 3, 4, 2), (8, 3, 4, 2)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        spatial_rank(self.name, inputs[0])  # PyTorch's takes no vectors
        return inputs[0]

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return ((slide(0, self.size, padding=self.size // 2), *same(inputs[0])[1:]),)

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Besides, the squares, the sum before it is raised to `beta`, and what is divided by."""
        channels, *positions = inputs[0]
        squares = (channels + self.size - 1) * prod(positions)  # with the border that the mean runs over
        return Kept(self.saves, squares + 2 * prod(inputs[0]))

    def takes(self, shape: Ints, strides: Ints) -> bool:
        return len(shape) < 5 or is_packed(shape, strides)

    def module(self, *inputs: Shape) -> Call:
        options = given(self, "alpha", "beta", "k")
        if len(inputs[0]) < 4:
            return Call("nn.LocalResponseNorm", (self.size,), options)
        return Call("LocalResponseNorm3d", (self.size,), options, support=SUPPORT)
