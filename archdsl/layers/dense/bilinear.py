"""`bilinear`: nn.Bilinear."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archdsl.layers.args import Bool, Int, Value
from archdsl.layers.base import Example, Ints, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import fixed
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.strides import in_rows
from archdsl.layers.windows import given


class Bilinear(Layer):
    """A bilinear form of two values: [F] and [G] -> [features], likewise for each row of [L, F] and [L, G].

    A MAC is one weight times the product of one feature of each; its other multiplication is not counted.
    """

    features = arg(Int(1), doc="output features")
    other = arg(Value(), doc="the second value")
    bias = arg(Bool(), default=True, doc="adds a learned number to each output feature")

    constructor = (
        ("in1_features", ""),
        ("in2_features", ""),
        ("out_features", "features"),
        ("bias", "bias"),
    )
    saves = ("input", "others")
    examples = (
        Example("bilinear(6, other)", ((4,), (3,)), (6,)),
        Example("bilinear(6, other, bias=false)", ((5, 4), (5, 3)), (5, 6)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x, other = inputs
        if len(x) > 2 or len(x) != len(other):
            raise ShapeError("`bilinear` takes [F] and [G], or [L, F] and [L, G]")
        for dim in (x[-1], other[-1]):
            fixed(self.name, dim, "number of features")
        for left, right in zip(x[:-1], other[:-1], strict=True):
            need.equal(left, right, f"`bilinear` takes as many rows of each, not {left} and {right}", at="other")
        return (*x[:-1], self.features)

    def takes(self, shape: Ints, strides: Ints) -> bool:
        return in_rows(shape, strides)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return tuple(whole_along(each, (len(each) - 1,)) for each in inputs)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        weights: dict[str, Shape] = {"weight": (self.features, inputs[0][-1], inputs[1][-1])}
        if self.bias:
            weights["bias"] = (self.features,)
        return weights

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return prod(output) * inputs[0][-1] * inputs[1][-1]

    def module(self, *inputs: Shape) -> Call:
        sizes = (inputs[0][-1], inputs[1][-1], self.features)
        return Call("nn.Bilinear", sizes, given(self, "bias"), factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
