"""`softmax`: nn.Softmax."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Int
from archdsl.layers.base import Elementwise, Example, Form, Ints, Need, Shape, arg, one_position
from archdsl.layers.call import Call, X
from archdsl.layers.dims import checked_axis
from archdsl.layers.sight import Sight, whole_along


class Softmax(Elementwise):
    """exp(x) over its sum along an axis."""

    axis = arg(Int(0), default=0, doc="counted without the batch: 0 is the channels of a map, 1 the features of [L, D]")

    constructor = (("dim", "=1"),)
    saves = ("output",)
    ordered = False  # PyTorch lays its output out anew
    examples = (
        Example("softmax", (8, 4, 4), (8, 4, 4)),
        Example("softmax", (8,), (8,)),
        Example("softmax(axis=1)", (5, 8), (5, 8)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        checked_axis(self.name, self.axis, inputs[0])
        return inputs[0]

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], (self.axis,)),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form(flat=flat) if one_position(flat) else None

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Softmax", (), {"dim": self.axis + 1})

    def function(self, *inputs: Shape) -> Call | None:
        return None if self.variable else Call("torch.softmax", (X, self.axis + 1))
