"""`leaky_relu`: nn.LeakyReLU."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Shape, arg
from archdsl.layers.call import Call, X
from archdsl.layers.windows import given


class LeakyRelu(Elementwise):
    """x where x > 0, else negative_slope * x. Maas et al., 2013."""

    negative_slope = arg(Float(0), default=0.01, doc="the slope below zero")

    name = "leaky_relu"
    saves = ("input",)
    inplace = True
    examples = (Example("leaky_relu", (8, 4, 4), (8, 4, 4)), Example("leaky_relu(0.2)", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.LeakyReLU", (), given(self, "negative_slope"))

    def function(self, *inputs: Shape) -> Call | None:
        return None if self.variable else Call("F.leaky_relu", (X,), given(self, "negative_slope"))
