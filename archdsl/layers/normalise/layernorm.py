"""`layernorm`: nn.LayerNorm."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archdsl.layers.args import Bool, Float, Int
from archdsl.layers.base import Example, Ints, Kept, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import fixed
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import given


class Layernorm(Layer):
    """Normalisation of each item over its last `dims` dims, which have to be fixed. Ba et al., 2016."""

    dims = arg(Int(1), default=1, doc="how many of the last dims are normalised together")
    eps = arg(Float(0, 1), default=1e-5, doc="added to the variance")
    elementwise_affine = arg(Bool(), default=True, doc="a learned factor and a learned summand for each element")
    bias = arg(Bool(), default=True, doc="a bias beside the weight")

    aliases = ("LayerNormalization",)
    constructor = (
        ("normalized_shape", None),
        ("eps", "eps"),
        ("elementwise_affine", "elementwise_affine"),
        ("bias", "bias"),
    )
    saves = ("input",)
    examples = (
        Example("layernorm", (5, 8), (5, 8)),
        Example("layernorm(dims=3, eps=0.001)", (4, 3, 2), (4, 3, 2)),
        Example("layernorm(elementwise_affine=false)", (8,), (8,)),
        Example("layernorm(bias=false)", (8,), (8,)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        if self.dims > len(x):
            raise ShapeError(f"`layernorm` has {len(x)} dims here, not {self.dims}", at="dims", code="E0202")
        for dim in x[-self.dims :]:
            fixed("layernorm", dim, "size")
        return x

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(len(inputs[0]) - self.dims, len(inputs[0]))),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        shape = inputs[0][-self.dims :]
        if not self.elementwise_affine:
            return {}
        return {"weight": shape, "bias": shape} if self.bias else {"weight": shape}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Besides, a mean and a deviation for each item, or for each of its rows."""
        return Kept(self.saves, 2 * prod(inputs[0][: -self.dims]))

    def module(self, *inputs: Shape) -> Call:
        shape = inputs[0][-self.dims :]
        options = given(self, "eps", "elementwise_affine", "bias")
        return Call("nn.LayerNorm", (shape[0] if self.dims == 1 else shape,), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
