"""`dropout`: nn.Dropout."""

from __future__ import annotations

from math import prod

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Ints, Kept, Shape, arg
from archdsl.layers.call import Call
from archdsl.layers.drops import dropped


class Dropout(Elementwise):
    """In training, zeroes elements with probability p and scales the others by 1/(1 - p). Srivastava et al., 2014."""

    p = arg(Float(0, 1), default=0.5, doc="the probability")

    saves = ()
    alias = True
    examples = (Example("dropout", (8, 4, 4), (8, 4, 4)), Example("dropout(0.2)", (8,), (8,)))

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        return dropped(self.p, prod(output))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout", (self.p,))
