"""`avgpool`: nn.AvgPool1d, nn.AvgPool2d or nn.AvgPool3d."""

from __future__ import annotations

from functools import partial

from archdsl.layers.args import Bool, Optional, PerAxis
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, shifted
from archdsl.layers.windows import axes, given, looks, pooling_padding, spatial_rank, window


class Avgpool(Stateless):
    """The mean in a sliding window: [C, H, W] -> [C, H', W'], likewise in 1 and 3 dimensions."""

    kernel = arg(PerAxis(1), doc="window size")
    stride = arg(Optional(PerAxis(1)), default=None, doc="the window's size if none")
    padding = arg(PerAxis(0), default=0, doc="zeros on both sides, at most half of the kernel")
    ceil = arg(Bool(), default=False, doc="let the last window hang over the end")
    count_include_pad = arg(Bool(), default=True, doc="count the padding in the mean")

    aliases = ("AveragePooling",)
    constructor = (
        ("kernel_size", "kernel"),
        ("stride", "stride"),
        ("padding", "padding"),
        ("ceil_mode", "ceil"),
        ("count_include_pad", "count_include_pad"),
    )
    saves = ("input",)
    tweaks = (("ceil", True), ("padding", 1))
    examples = (
        Example("avgpool(2)", (4, 9, 8), (4, 4, 4)),
        Example("avgpool(3, stride=2, padding=1, ceil=true, count_include_pad=false)", (4, 8), (4, 5)),
        Example("avgpool(2)", (4, 4, 6, 8), (4, 2, 3, 4)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        rank = spatial_rank(self.name, x)
        pooling_padding(self, rank)
        if rank == 3:  # PyTorch's avg_pool3d does not count the padding here
            for size, k in zip(x[1:], axes(self.name, "kernel", self.kernel, rank), strict=True):
                why = partial("a window of {} does not fit into {} in 3 dimensions".format, k, size)
                need.at_least(size, k, why, at="kernel")
        stride = self.kernel if self.stride is None else self.stride
        return (x[0], *window(self, need, x[1:], self.kernel, stride, self.padding, 1, self.ceil))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        stride = self.kernel if self.stride is None else self.stride
        return (looks(self, inputs[0], shifted(0), kernel=self.kernel, stride=stride, padding=self.padding),)

    def module(self, *inputs: Shape) -> Call:
        options = given(self, "stride", "padding", "count_include_pad", ceil="ceil_mode")
        return Call(f"nn.AvgPool{len(inputs[0]) - 1}d", (self.kernel,), options)

    def function(self, *inputs: Shape) -> Call | None:
        return None
