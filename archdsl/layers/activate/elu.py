"""`elu`: nn.ELU."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Shape, arg
from archdsl.layers.call import Call, X
from archdsl.layers.windows import given


class Elu(Elementwise):
    """x where x > 0, else alpha * (exp(x) - 1). Clevert et al., 2016."""

    alpha = arg(Float(0), default=1.0, doc="how far below zero it goes: to -alpha")

    saves = ("input",)
    inplace = True
    examples = (Example("elu", (8, 4, 4), (8, 4, 4)), Example("elu(0.5)", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.ELU", (), given(self, "alpha"))

    def function(self, *inputs: Shape) -> Call | None:
        return None if self.variable else Call("F.elu", (X,), given(self, "alpha"))
