"""`l2norm`: torch.nn.functional.normalize."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, Form, Ints, Kept, Shape, arg, one_position
from archdsl.layers.call import Call, X
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import given


class L2norm(Elementwise):
    """Each position's channels (or the features) divided by their Euclidean norm. Liu et al., ParseNet, 2015."""

    eps = arg(Float(0, 1), default=1e-12, doc="the least that is divided by")

    aliases = ("normalize",)
    saves = ("input",)
    examples = (Example("l2norm", (8, 4, 4), (8, 4, 4)), Example("l2norm(eps=0.001)", (8,), (8,)))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], (0,)),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form(flat=flat) if one_position(flat) else None

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Besides, the norms, and what is divided by."""
        return Kept(self.saves, 2 * prod(inputs[0][1:]))

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        return Call("F.normalize", (X,), given(self, "eps"))
