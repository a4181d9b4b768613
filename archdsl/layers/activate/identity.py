"""`identity`: nn.Identity."""

from __future__ import annotations

from archdsl.layers.base import Elementwise, Example, Shape
from archdsl.layers.call import Call


class Identity(Elementwise):
    """The value as it is: for a branch that changes nothing."""

    saves = ()
    alias = True
    view = True
    examples = (Example("identity", (8, 4, 4), (8, 4, 4)), Example("identity", (8,), (8,)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Identity")
