"""`deconv`: nn.ConvTranspose1d, nn.ConvTranspose2d or nn.ConvTranspose3d."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod

from archdsl.layers.args import Bool, Int, PerAxis
from archdsl.layers.base import Example, Ints, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import WHOLE, Sight, spread
from archdsl.layers.windows import axes, given, looks, spatial_rank
from archdsl.sizes import Dim


class Deconv(Layer):
    """Transposed convolution: [C, H, W] -> [channels, H', W'], likewise in 1 and 3 dimensions.

    H' = (H - 1)*stride - 2*padding + dilation*(kernel - 1) + output_padding + 1. A MAC is one weight times one input
    value. Dumoulin and Visin, 2016, chapter 4.
    """

    channels = arg(Int(1), doc="output channels")
    kernel = arg(PerAxis(1), doc="kernel size")
    stride = arg(PerAxis(1), default=1, doc="the distance between input positions in the output")
    padding = arg(PerAxis(0), default=0, doc="taken off both sides of the output")
    output_padding = arg(PerAxis(0), default=0, doc="added to one side of the output; less than stride or dilation")
    groups = arg(Int(1), default=1, doc="each group of output channels sees its own group of input channels")
    bias = arg(Bool(), default=True, doc="adds a learned number to each output channel")
    dilation = arg(PerAxis(1), default=1, doc="the distance between the kernel's elements")

    aliases = ("ConvTranspose", "Conv2DTranspose", "upconv")
    constructor = (
        ("in_channels", ""),
        ("out_channels", "channels"),
        ("kernel_size", "kernel"),
        ("stride", "stride"),
        ("padding", "padding"),
        ("output_padding", "output_padding"),
        ("groups", "groups"),
        ("bias", "bias"),
        ("dilation", "dilation"),
    )
    saves = ("input",)
    tweaks = (("output_padding", 1), ("output_padding", 2), ("output_padding", 3))
    examples = (
        Example("deconv(8, 2, stride=2)", (3, 5, 4), (8, 10, 8)),
        Example("deconv(6, 3, stride=2, padding=1, output_padding=1, groups=3)", (3, 5, 4), (6, 10, 8)),
        Example("deconv(8, 1x3, dilation=2, bias=false)", (4, 5, 4), (8, 5, 8)),
        Example("deconv(8, 4, stride=2, padding=1)", (4, 33), (8, 66)),
        Example("deconv(8, 2, stride=2)", (2, 3, 4, 5), (8, 6, 8, 10)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        for size, what in ((x[0], "input"), (self.channels, "output")):
            need.divisible(
                size, self.groups, f"{size} {what} channels do not divide into {self.groups} groups", at="groups"
            )
        fields = ("kernel", "stride", "padding", "output_padding", "dilation")
        per_axis = [axes(self.name, field, getattr(self, field), rank) for field in fields]
        out: list[Dim] = []
        for size, k, s, p, extra, d in zip(x[1:], *per_axis, strict=True):
            if extra >= max(s, d):
                raise ShapeError(
                    "`output_padding` is less than the stride or the dilation", at="output_padding", code="E0202"
                )
            result = size * s + (d * (k - 1) + extra + 1 - s - 2 * p)
            need.at_least(result, 1, partial(_nothing_left, size, p), at="padding")
            out.append(result)
        return (self.channels, *out)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        fields = ("kernel", "stride", "padding", "dilation")
        return (looks(self, inputs[0], WHOLE, spread, **{field: getattr(self, field) for field in fields}),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        x = inputs[0]
        kernel = axes(self.name, "kernel", self.kernel, len(x) - 1)
        weights: dict[str, Shape] = {"weight": (x[0], self.channels // self.groups, *kernel)}
        if self.bias:
            weights["bias"] = (self.channels,)
        return weights

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        x = inputs[0]
        kernel = axes(self.name, "kernel", self.kernel, len(x) - 1)
        return prod((*x, self.channels // self.groups, *kernel))

    def module(self, *inputs: Shape) -> Call:
        x = inputs[0]
        options = given(self, "stride", "padding", "output_padding", "groups", "bias", "dilation")
        return Call(f"nn.ConvTranspose{len(x) - 1}d", (x[0], self.channels, self.kernel), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None


def _nothing_left(size: Dim, padding: int) -> str:
    return f"a padding of {padding} leaves nothing of what {size} gives"
