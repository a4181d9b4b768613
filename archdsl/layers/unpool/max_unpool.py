"""`max_unpool`: nn.MaxUnpool1d, nn.MaxUnpool2d or nn.MaxUnpool3d."""

from __future__ import annotations

from functools import partial
from typing import Any

from archdsl.layers.args import Pooling
from archdsl.layers.base import Example, Ints, Need, Shape, ShapeError, Stateless, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, shifted, spread
from archdsl.layers.windows import axes, given, looks, spatial_rank
from archdsl.sizes import Dim


class MaxUnpool(Stateless):
    """Puts each pixel back where `pool` found its maximum, zeros elsewhere; the size is what it was before `pool`.

    Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2013, section 2.1.
    """

    pool = arg(Pooling(), doc="its indices and the size before it are used")

    name = "max_unpool"
    constructor = (
        ("kernel_size", None),
        ("stride", None),
        ("padding", None),
    )
    saves = ("indices",)
    examples = (
        Example("max_unpool(pool)", ((3, 4, 4), (3, 9, 8)), (3, 9, 8), before="pool = other -> maxpool(2)"),
        Example(
            "max_unpool(pool)",
            ((3, 5), (3, 10)),
            (3, 10),
            before="pool = other -> maxpool(3, stride=2, padding=1)",
        ),
        Example(
            "max_unpool(pool)",
            ((2, 3, 3, 4), (2, 5, 6, 7)),
            (2, 5, 6, 7),
            before="pool = other -> maxpool(2, ceil=true)",
        ),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x, pooled, size = inputs[0], inputs[self.pool.indices], inputs[self.pool.size]
        rank = spatial_rank(self.name, x)
        why = partial(_mismatched, self.pool.name, pooled, x)
        if len(x) != len(pooled):
            raise ShapeError(why(), at="pool")
        for have, want in zip(x, pooled, strict=True):
            need.equal(have, want, why, at="pool", code="E0301")
        self._check_size(need, pooled[1:], size[1:], rank)
        return (x[0], *size[1:])

    def _check_size(self, need: Need, pooled: Shape, size: Shape, rank: int) -> None:
        """PyTorch goes back to a size less than one stride from what a pooling without dilation would have had."""
        layer: Any = self.pool.layer
        stride = layer.kernel if layer.stride is None else layer.stride
        fields = {"kernel": layer.kernel, "stride": stride, "padding": layer.padding}
        per_axis = (axes(layer.name, field, value, rank) for field, value in fields.items())
        for have, back, k, s, p in zip(pooled, size, *per_axis, strict=True):
            usual = (have - 1) * s - 2 * p + k
            why = partial(_out_of_reach, self.pool.name, back, usual, s)
            need.at_least(back - usual + s, 1, why, at="pool")
            need.at_least(usual + s - back, 1, why, at="pool")

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        """The windows that a position lies in, and by their indices what the pooling saw there."""
        layer: Any = self.pool.layer
        stride = layer.kernel if layer.stride is None else layer.stride
        fields = {"kernel": layer.kernel, "stride": stride, "padding": layer.padding, "dilation": layer.dilation}
        windows = looks(self, inputs[0], shifted(0), spread, **fields)
        return (windows, windows, None)

    def module(self, *inputs: Shape) -> Call:
        layer: Any = self.pool.layer
        usual = layer.stride == layer.kernel and not {"kernel", "stride"} & layer.variable
        options = given(layer, "padding") if usual else given(layer, "stride", "padding")
        return Call(f"nn.MaxUnpool{len(inputs[0]) - 1}d", (layer.kernel,), options)

    def function(self, *inputs: Shape) -> Call | None:
        return None


def _mismatched(name: str, pooled: Shape, x: Shape) -> str:
    return f"`{name}` is {_show(pooled)}, and what is unpooled by its indices has to be too, not {_show(x)}"


def _show(shape: Shape) -> str:
    return f"[{', '.join(str(int(dim) if isinstance(dim, int) else dim) for dim in shape)}]"


def _out_of_reach(name: str, size: Dim, usual: Dim, stride: int) -> str:
    low, high = usual - (stride - 1), usual + (stride - 1)
    sizes = f"{low}" if stride == 1 else f"{low} to {high}"
    return f"PyTorch takes `{name}` back to a size of {sizes}, not to the {size} that were pooled"
