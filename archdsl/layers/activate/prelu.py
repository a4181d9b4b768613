"""`prelu`: nn.PReLU."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Bool, Float
from archdsl.layers.base import Example, Form, Ints, Layer, Need, Shape, arg, one_position
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, same
from archdsl.layers.windows import given


class Prelu(Layer):
    """x where x > 0, else a learned slope times x: one slope for all channels, or one for each. He et al., 2015."""

    per_channel = arg(Bool(), default=False, doc="a slope for each channel")
    init = arg(Float(), default=0.25, doc="the slope at the start")

    constructor = (
        ("num_parameters", None),
        ("init", "init"),
    )
    saves = ("input",)
    ordered = True
    examples = (
        Example("prelu", (8, 4, 4), (8, 4, 4)),
        Example("prelu(per_channel=true, init=0.1)", (8, 4), (8, 4)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return inputs[0]

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (same(inputs[0]),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form(flat=flat) if one_position(flat) or not self.per_channel else None

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {"weight": (inputs[0][0] if self.per_channel else 1,)}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0

    def module(self, *inputs: Shape) -> Call:
        channels = {"num_parameters": inputs[0][0]} if self.per_channel else {}
        return Call("nn.PReLU", (), {**channels, **given(self, "init")}, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
