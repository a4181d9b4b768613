"""`silu`: nn.SiLU."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Silu(Elementwise):
    """x * sigmoid(x), also called swish. Elfwing et al., 2017."""

    aliases = ("Swish",)
    saves = ("input",)
    examples = (Example("silu", (8, 4, 4), (8, 4, 4)), Example("silu", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.SiLU")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.silu", (X,))
