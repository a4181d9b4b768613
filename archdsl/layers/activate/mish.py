"""`mish`: nn.Mish."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Mish(Elementwise):
    """x * tanh(softplus(x)). Misra, 2019."""

    saves = ("input",)
    examples = (Example("mish", (8, 4, 4), (8, 4, 4)), Example("mish", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Mish")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.mish", (X,))
