"""`drop_path`: stochastic depth."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Ints, Kept, Shape, arg
from archdsl.layers.call import Call

SUPPORT = '''
class DropPath(nn.Module):
    """In training, zeroes an item's whole branch with probability p. Huang et al., 2016."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        items = (x.size(0),) + (1,) * (x.dim() - 1)
        kept = x.new_empty(items).bernoulli_(1.0 - self.p)
        return x * (kept / (1.0 - self.p) if self.p < 1.0 else kept)
'''


class DropPath(Elementwise):
    """In training, zeroes an item's whole branch with probability p and scales the others by 1/(1 - p).

    Huang et al., Deep Networks with Stochastic Depth, 2016; torchvision's StochasticDepth with mode "row".
    """

    p = arg(Float(0, 1), doc="the probability")

    name = "drop_path"
    aliases = ("StochasticDepth",)
    saves = ()
    alias = True
    examples = (Example("drop_path(0.2)", (8, 4, 4), (8, 4, 4)), Example("drop_path(0.0)", (8,), (8,)))

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """A factor for each item."""
        return Kept((), 1) if self.p else Kept((), same=True)

    def module(self, *inputs: Shape) -> Call:
        return Call("DropPath", (self.p,), support=SUPPORT)
