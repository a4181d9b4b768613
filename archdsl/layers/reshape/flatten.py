"""`flatten`: torch.flatten from the first axis after the batch."""

from __future__ import annotations

from archdsl.layers.base import Example, Need, Shape, Stateless
from archdsl.layers.call import Call, X
from archdsl.sizes import product


class Flatten(Stateless):
    """All dims as one: [C, H, W] -> [C*H*W]."""

    saves = ()
    view = True
    examples = (Example("flatten", (4, 3, 2), (24,)), Example("flatten", (4,), (4,)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (product(inputs[0]),)

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Flatten")

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.flatten", (X, 1))
