"""`softplus`: nn.Softplus."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Shape, arg
from archdsl.layers.call import Call, X
from archdsl.layers.windows import given


class Softplus(Elementwise):
    """log(1 + exp(beta * x)) / beta, linear where beta * x > threshold."""

    beta = arg(Float(), default=1.0, doc="how sharp the bend is")
    threshold = arg(Float(), default=20.0, doc="of beta * x, from where on it is linear")

    saves = ("input",)
    examples = (Example("softplus", (8, 4, 4), (8, 4, 4)), Example("softplus(2.0, threshold=10.0)", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Softplus", (), given(self, "beta", "threshold"))

    def function(self, *inputs: Shape) -> Call | None:
        return None if self.variable else Call("F.softplus", (X,), given(self, "beta", "threshold"))
