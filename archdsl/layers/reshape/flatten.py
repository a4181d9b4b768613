"""`flatten`: torch.flatten from the first axis after the batch."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.base import Example, Form, Ints, Need, Shape, Stateless
from archdsl.layers.call import Call, X
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.strides import viewed
from archdsl.sizes import product


class Flatten(Stateless):
    """All dims as one: [C, H, W] -> [C*H*W]."""

    constructor = (
        ("start_dim", "=1"),
        ("end_dim", "=-1"),
    )
    saves = ()
    view = True
    examples = (Example("flatten", (4, 3, 2), (24,)), Example("flatten", (4,), (4,)))

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return (product(inputs[0]),)

    def viewed(self, shape: Ints, strides: Ints, output: Ints) -> Ints | None:
        return viewed(shape, strides, output)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(len(inputs[0]) if len(inputs[0]) > 1 else 0)),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form("", x if flat is None else flat)

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Flatten")

    def function(self, *inputs: Shape) -> Call:
        return Call("torch.flatten", (X, 1))
