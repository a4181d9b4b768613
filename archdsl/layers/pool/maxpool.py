"""`maxpool`: nn.MaxPool1d, nn.MaxPool2d or nn.MaxPool3d."""

from __future__ import annotations

from typing import Any

from archdsl.layers.args import Bool, Optional, PerAxis
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, shifted
from archdsl.layers.windows import axes, given, looks, pooling_padding, spatial_rank, window


class Maxpool(Stateless):
    """The maximum in a sliding window: [C, H, W] -> [C, H', W'], likewise in 1 and 3 dimensions."""

    kernel = arg(PerAxis(1), doc="window size")
    stride = arg(Optional(PerAxis(1)), default=None, doc="the window's size if none")
    padding = arg(PerAxis(0), default=0, doc="on both sides, at most half of the kernel; it is never the maximum")
    dilation = arg(PerAxis(1), default=1, doc="the distance between the window's elements")
    ceil = arg(Bool(), default=False, doc="let the last window hang over the end")

    aliases = ("MaxPooling",)
    constructor = (
        ("kernel_size", "kernel"),
        ("stride", "stride"),
        ("padding", "padding"),
        ("dilation", "dilation"),
        ("return_indices", "=False"),
        ("ceil_mode", "ceil"),
    )
    saves = ("input", "indices")
    indices = True
    tweaks = (("ceil", True), ("padding", 1))
    examples = (
        Example("maxpool(2)", (4, 9, 8), (4, 4, 4)),
        Example("maxpool(3, stride=2, ceil=true)", (4, 9, 8), (4, 4, 4)),
        Example("maxpool(3, stride=2, padding=1)", (4, 9), (4, 5)),
        Example("maxpool(2, dilation=2, stride=1)", (4, 5, 6, 7), (4, 3, 4, 5)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        pooling_padding(self, spatial_rank(self.name, x))
        stride = self.kernel if self.stride is None else self.stride
        self._touch(need, x[1:], stride)
        return (x[0], *window(self, need, x[1:], self.kernel, stride, self.padding, self.dilation, self.ceil))

    def _touch(self, need: Need, sizes: Shape, stride: Any) -> None:
        """Every window has an element of the map: one that steps over all of it gives -inf, and PyTorch's backward
        pass writes where the index of no element points."""
        rank = len(sizes)
        fields = (axes(self.name, n, v, rank) for n, v in (("s", stride), ("p", self.padding), ("d", self.dilation)))
        for x, s, p, d in zip(sizes, *fields, strict=True):
            first = max(((s * i - p) % d for i in range(-(-p // s))), default=0)
            if first:
                why = f"a window that begins in the padding steps over a map of {first}, with dilation {d}"
                need.at_least(x, first + 1, why, at="dilation")

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        stride = self.kernel if self.stride is None else self.stride
        fields = {"kernel": self.kernel, "stride": stride, "padding": self.padding, "dilation": self.dilation}
        return (looks(self, inputs[0], shifted(0), **fields),)

    def module(self, *inputs: Shape) -> Call:
        options = given(self, "stride", "padding", "dilation", ceil="ceil_mode")
        return Call(f"nn.MaxPool{len(inputs[0]) - 1}d", (self.kernel,), options)

    def function(self, *inputs: Shape) -> Call | None:
        return None
