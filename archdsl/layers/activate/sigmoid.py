"""`sigmoid`: nn.Sigmoid."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Sigmoid(Elementwise):
    """1 / (1 + exp(-x))."""

    saves = ("output",)
    examples = (Example("sigmoid", (8, 4, 4), (8, 4, 4)), Example("sigmoid", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Sigmoid")

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.sigmoid", (X,))
