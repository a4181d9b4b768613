"""`selu`: nn.SELU."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call, X


class Selu(Elementwise):
    """A scaled ELU that keeps mean and variance. Klambauer et al., 2017."""

    saves = ("input",)
    inplace = True
    examples = (Example("selu", (8, 4, 4), (8, 4, 4)), Example("selu", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.SELU")

    def function(self, *inputs: Shape) -> Call:
        return Call("F.selu", (X,))
