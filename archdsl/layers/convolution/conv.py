"""`conv`: nn.Conv1d, nn.Conv2d or nn.Conv3d."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from operator import add

from archdsl.layers.args import Bool, Choice, Int, PerAxis
from archdsl.layers.base import Example, Ints, Kept, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import WHOLE, Sight, Window, slide
from archdsl.layers.windows import axes, border, given, looks, spatial_rank, window


class Conv(Layer):
    """Convolution over the spatial axes: [C, H, W] -> [channels, H', W'], likewise in 1 and 3 dimensions.

    H' = floor((H + 2*padding - dilation*(kernel - 1) - 1) / stride) + 1. A MAC is one weight times one input value.
    """

    channels = arg(Int(1), doc="output channels")
    kernel = arg(PerAxis(1), doc="kernel size")
    stride = arg(PerAxis(1), default=1, doc="how far the kernel moves from one position to the next")
    padding = arg(PerAxis(0, "same"), default=0, doc="on both sides; `same` keeps the size (stride 1 only)")
    dilation = arg(PerAxis(1), default=1, doc="the distance between the kernel's elements")
    groups = arg(Int(1), default=1, doc="each group of output channels sees its own group of input channels")
    bias = arg(Bool(), default=True, doc="adds a learned number to each output channel")
    padding_mode = arg(
        Choice("zeros", "reflect", "replicate", "circular"), default="zeros", doc="what the padding is made of"
    )

    aliases = ("Convolution",)
    constructor = (
        ("in_channels", ""),
        ("out_channels", "channels"),
        ("kernel_size", "kernel"),
        ("stride", "stride"),
        ("padding", "padding"),
        ("dilation", "dilation"),
        ("groups", "groups"),
        ("bias", "bias"),
        ("padding_mode", "padding_mode"),
    )
    saves = ("input",)
    tweaks = (("padding", 1), ("padding", 2), ("padding", 3))
    examples = (
        Example("conv(8, 3)", (3, 17, 16), (8, 15, 14)),
        Example("conv(8, 1x7, padding=0x3, stride=2)", (3, 17, 16), (8, 9, 8)),
        Example("conv(6, 3, groups=3, dilation=2, bias=false)", (3, 9, 9), (6, 5, 5)),
        Example("conv(4, 4, padding=same, dilation=2)", (3, 9, 11), (4, 9, 11)),
        Example('conv(4, 3, padding=1, padding_mode="circular")', (2, 8, 8), (4, 8, 8)),
        Example("conv(8, 5, stride=2, padding=2)", (4, 33), (8, 17)),
        Example("conv(8, 3, padding=1)", (2, 5, 6, 7), (8, 5, 6, 7)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        need.divisible(x[0], self.groups, f"{x[0]} input channels do not divide into {self.groups} groups", at="groups")
        need.divisible(
            self.channels,
            self.groups,
            f"{self.channels} output channels do not divide into {self.groups} groups",
            at="groups",
        )
        if self.padding == "same":
            if any(stride != 1 for stride in axes(self.name, "stride", self.stride, rank)):
                help = ["with a stride, `padding=1` goes with a kernel of 3, `padding=2` with one of 5"]
                raise ShapeError("`padding=same` needs stride 1", at="padding", code="E0202", help=help)
            kernel, dilation = (axes(self.name, f, getattr(self, f), rank) for f in ("kernel", "dilation"))
            for size, k, d in zip(x[1:], kernel, dilation, strict=True):
                border(need, size, (d * (k - 1) + 1) // 2, self.padding_mode, at="padding")
            return (self.channels, *x[1:])
        for size, p in zip(x[1:], axes(self.name, "padding", self.padding, rank), strict=True):
            border(need, size, p, self.padding_mode, at="padding")
        return (self.channels, *window(self, need, x[1:], self.kernel, self.stride, self.padding, self.dilation))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        kernel, dilation = self.kernel, self.dilation
        if self.padding != "same":
            fields = {"kernel": kernel, "stride": self.stride, "padding": self.padding, "dilation": dilation}
            return (looks(self, inputs[0], WHOLE, **fields),)
        return (looks(self, inputs[0], WHOLE, _in_the_middle, kernel=kernel, dilation=dilation),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        x = inputs[0]
        kernel = axes(self.name, "kernel", self.kernel, len(x) - 1)
        weights: dict[str, Shape] = {"weight": (self.channels, x[0] // self.groups, *kernel)}
        if self.bias:
            weights["bias"] = (self.channels,)
        return weights

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        x = inputs[0]
        kernel = axes(self.name, "kernel", self.kernel, len(x) - 1)
        return prod((*output, x[0] // self.groups, *kernel))

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Its input, or the copy that is made of it where the padding is no zeros, or not as wide on both sides."""
        rank = len(inputs[0]) - 1
        if self.padding == "same":
            kernel, dilation = (axes(self.name, f, getattr(self, f), rank) for f in ("kernel", "dilation"))
            total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
            border = [t % 2 for t in total] if self.padding_mode == "zeros" else total
        else:
            border = [2 * p for p in axes(self.name, "padding", self.padding, rank)]
        if self.padding_mode == "zeros" and (self.padding != "same" or not any(border)):
            return Kept(self.saves)
        channels, *sizes = inputs[0]
        return Kept((), channels * prod(map(add, sizes, border)))

    def module(self, *inputs: Shape) -> Call:
        x = inputs[0]
        options = given(self, "stride", "padding", "dilation", "groups", "bias", "padding_mode")
        return Call(f"nn.Conv{len(x) - 1}d", (x[0], self.channels, self.kernel), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None


def _in_the_middle(axis: int, kernel: int, dilation: int) -> Window:
    """The window of `padding=same`: where there is no middle, one more position comes after."""
    return slide(axis, kernel, 1, dilation * (kernel - 1) // 2, dilation)
