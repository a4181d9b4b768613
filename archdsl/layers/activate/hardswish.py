"""`hardswish`: nn.Hardswish."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Hardswish(Elementwise):
    """x * relu6(x + 3) / 6. Howard et al., MobileNetV3, 2019."""

    saves = ("input",)
    examples = (Example("hardswish", (8, 4, 4), (8, 4, 4)), Example("hardswish", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Hardswish")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.hardswish", (X,))
