"""`relu`: nn.ReLU."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Relu(Elementwise):
    """max(x, 0)."""

    saves = ("output",)
    inplace = True
    examples = (Example("relu", (8, 4, 4), (8, 4, 4)), Example("relu", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.ReLU")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.relu", (X,))
