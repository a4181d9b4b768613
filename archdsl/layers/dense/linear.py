"""`linear`: nn.Linear."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archdsl.layers.args import Bool, Int
from archdsl.layers.base import Example, Form, Ints, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.strides import in_rows
from archdsl.layers.windows import given


class Linear(Layer):
    """Dense layer over the last axis: [F] -> [features], [L, D] -> [L, features]."""

    features = arg(Int(1), doc="output features")
    bias = arg(Bool(), default=True, doc="adds a learned number to each output feature")

    aliases = ("Dense", "fc", "FullyConnected")
    mends = ("flatten", "adaptive_avgpool(7)", "global_avgpool", "global_avgpool -> flatten")
    constructor = (
        ("in_features", ""),
        ("out_features", "features"),
        ("bias", "bias"),
    )
    saves = ("input",)
    examples = (
        Example("linear(10)", (32,), (10,)),
        Example("linear(7, bias=false)", (5, 32), (5, 7)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        if len(x) > 2:
            raise ShapeError(
                "`linear` takes [F] or [L, D], not a map",
                help=["put `flatten` or `global_avgpool -> flatten` before it"],
            )
        if not isinstance(x[-1], int):
            raise ShapeError(
                "`linear` needs a fixed number of features, but this depends on the input's size",
                code="E0305",
                help=["fix the size before it, as `adaptive_avgpool(7)` does, or give the input a fixed size"],
            )
        return (*x[:-1], self.features)

    def takes(self, shape: Ints, strides: Ints) -> bool:
        return in_rows(shape, strides)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], (len(inputs[0]) - 1,)),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        weights: dict[str, Shape] = {"weight": (self.features, inputs[0][-1])}
        if self.bias:
            weights["bias"] = (self.features,)
        return weights

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return prod(output) * inputs[0][-1]

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        """The weights of each feature, as many as the map has values, are a kernel of the map's size."""
        if flat is None:
            return Form()
        size = flat[1:]
        kernel = str(size[0]) if len(set(size)) == 1 else "x".join(map(str, size))
        bias = f", bias={given['bias']}" if "bias" in given else ""
        return Form(f"conv({given['features']}, {kernel}{bias})", (self.features, *(1,) * len(size)))

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Linear", (inputs[0][-1], self.features), given(self, "bias"), factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
