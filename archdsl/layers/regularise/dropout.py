"""`dropout`: nn.Dropout."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Shape, arg
from archdsl.layers.call import Call


class Dropout(Elementwise):
    """In training, zeroes elements with probability p and scales the others by 1/(1 - p). Srivastava et al., 2014."""

    p = arg(Float(0, 1), default=0.5, doc="the probability")

    saves = ("mask",)
    alias = True
    examples = (Example("dropout", (8, 4, 4), (8, 4, 4)), Example("dropout(0.2)", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout", (self.p,))
