"""`tanh`: nn.Tanh."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Tanh(Elementwise):
    """The hyperbolic tangent."""

    saves = ("output",)
    examples = (Example("tanh", (8, 4, 4), (8, 4, 4)), Example("tanh", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Tanh")

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.tanh", (X,))
