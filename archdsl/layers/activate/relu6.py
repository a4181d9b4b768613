"""`relu6`: nn.ReLU6."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Relu6(Elementwise):
    """min(max(x, 0), 6). Howard et al., MobileNets, 2017."""

    saves = ("input",)
    inplace = True
    overwriting = ("copy",)
    examples = (Example("relu6", (8, 4, 4), (8, 4, 4)), Example("relu6", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.ReLU6")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.relu6", (X,))
