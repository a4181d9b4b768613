"""`gelu`: nn.GELU."""

from __future__ import annotations

from archdsl.layers.args import Choice
from archdsl.layers.base import Elementwise, Example, Shape, arg
from archdsl.layers.call import Call, X
from archdsl.layers.windows import given


class Gelu(Elementwise):
    """x times the probability that a standard normal is at most x. Hendrycks and Gimpel, 2016."""

    approximate = arg(Choice("none", "tanh"), default="none", doc="`tanh` for an approximation by one")

    saves = ("input",)
    examples = (Example("gelu", (8, 4, 4), (8, 4, 4)), Example('gelu(approximate="tanh")', (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.GELU", (), given(self, "approximate"))

    def function(self, *inputs: Shape) -> Call | None:
        return None if self.variable else Call("F.gelu", (X,), given(self, "approximate"))
