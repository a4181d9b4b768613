"""`dropout2d`: nn.Dropout2d."""

from __future__ import annotations

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Ints, Kept, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.drops import dropped


class Dropout2d(Elementwise):
    """In training, zeroes channels with probability p and scales the others by 1/(1 - p). Tompson et al., 2015."""

    p = arg(Float(0, 1), default=0.5, doc="the probability")

    saves = ()
    alias = True
    examples = (Example("dropout2d", (8, 4, 4), (8, 4, 4)), Example("dropout2d(0.2)", (8, 5, 3), (8, 5, 3)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError("`dropout2d` takes [C, H, W]", help=["`dropout` takes any shape"])
        return inputs[0]

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        return dropped(self.p, output[0])

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout2d", (self.p,))
