"""`hardsigmoid`: nn.Hardsigmoid."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Hardsigmoid(Elementwise):
    """relu6(x + 3) / 6."""

    saves = ("input",)
    examples = (Example("hardsigmoid", (8, 4, 4), (8, 4, 4)), Example("hardsigmoid", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Hardsigmoid")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.hardsigmoid", (X,))
