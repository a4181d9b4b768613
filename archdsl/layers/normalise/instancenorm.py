"""`instancenorm`: nn.InstanceNorm1d, nn.InstanceNorm2d or nn.InstanceNorm3d."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Bool, Float
from archdsl.layers.base import Example, Ints, Kept, Layer, Need, Shape, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import fixed
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.strides import is_packed
from archdsl.layers.windows import given, spatial_rank
from archdsl.sizes import product


class Instancenorm(Layer):
    """Normalisation of each channel of each item over its map: the shape stays. Ulyanov et al., 2016.

    A map has more than one position, unless running statistics take its place in evaluation.
    """

    eps = arg(Float(0, 1), default=1e-5, doc="added to the variance")
    momentum = arg(Float(0, 1), default=0.1, doc="the weight of each new batch in the running statistics")
    affine = arg(Bool(), default=False, doc="a learned factor and a learned summand for each channel")
    track_running_stats = arg(Bool(), default=False, doc="keep a mean and a variance, which evaluation uses")

    constructor = (
        ("num_features", ""),
        ("eps", "eps"),
        ("momentum", "momentum"),
        ("affine", "affine"),
        ("track_running_stats", "track_running_stats"),
    )
    saves = ("input",)
    examples = (
        Example("instancenorm", (4, 5, 6), (4, 5, 6)),
        Example("instancenorm(eps=0.001, momentum=0.2, affine=true)", (4, 7), (4, 7)),
        Example("instancenorm(track_running_stats=true)", (4, 3, 5, 6), (4, 3, 5, 6)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        spatial_rank(self.name, x)
        fixed(self.name, x[0], "number of channels")
        if not self.track_running_stats:
            need.at_least(product(x[1:]), 2, "`instancenorm` needs more than one position to normalise over")
        return x

    def takes(self, shape: Ints, strides: Ints) -> bool:
        return is_packed(shape, strides)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], () if self.track_running_stats else range(1, len(inputs[0]))),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        c = inputs[0][0]
        return {"weight": (c,), "bias": (c,)} if self.affine else {}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        if not self.track_running_stats:
            return {}
        c = inputs[0][0]
        return {"running_mean": (c,), "running_var": (c,), "num_batches_tracked": ()}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Besides, for each item: means, deviations, and copies of the factors and of the running statistics."""
        return Kept(self.saves, inputs[0][0] * (2 + self.affine + 2 * self.track_running_stats))

    def module(self, *inputs: Shape) -> Call:
        x = inputs[0]
        options = given(self, "eps", "momentum", "affine", "track_running_stats")
        return Call(f"nn.InstanceNorm{len(x) - 1}d", (x[0],), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
