"""`batchnorm`: nn.BatchNorm1d, nn.BatchNorm2d or nn.BatchNorm3d."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Bool, Float
from archdsl.layers.base import Example, Form, Ints, Kept, Layer, Need, Shape, arg, one_position
from archdsl.layers.call import Call
from archdsl.layers.dims import fixed
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import given
from archdsl.sizes import product


class Batchnorm(Layer):
    """Batch normalisation of each channel: the shape stays. Ioffe and Szegedy, 2015.

    Without running statistics a map has more than one position: a batch may be of one item.
    """

    eps = arg(Float(0, 1), default=1e-5, doc="added to the variance")
    momentum = arg(Float(0, 1), default=0.1, doc="the weight of each new batch in the running statistics")
    affine = arg(Bool(), default=True, doc="a learned factor and a learned summand for each channel")
    track_running_stats = arg(Bool(), default=True, doc="keep a mean and a variance, which evaluation uses")

    aliases = ("bn", "BatchNormalization")
    constructor = (
        ("num_features", ""),
        ("eps", "eps"),
        ("momentum", "momentum"),
        ("affine", "affine"),
        ("track_running_stats", "track_running_stats"),
    )
    saves = ("input",)
    examples = (
        Example("batchnorm", (4, 5, 6), (4, 5, 6)),
        Example("batchnorm(eps=0.001, momentum=0.2)", (4,), (4,)),
        Example("batchnorm(affine=false)", (4, 7), (4, 7)),
        Example("batchnorm(track_running_stats=false)", (4, 3, 5, 6), (4, 3, 5, 6)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        fixed(self.name, inputs[0][0], "number of channels")
        if not self.track_running_stats:
            why = "`batchnorm` without running statistics needs more than one position: a batch may be of one item"
            need.at_least(product(inputs[0][1:]), 2, why)
        return inputs[0]

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], () if self.track_running_stats else range(1, len(inputs[0]))),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form(flat=flat) if one_position(flat) else None

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
        """Besides, each channel's mean and deviation."""
        return Kept(self.saves, fixed=2 * inputs[0][0])

    def module(self, *inputs: Shape) -> Call:
        rank = max(1, len(inputs[0]) - 1)
        options = given(self, "eps", "momentum", "affine", "track_running_stats")
        return Call(f"nn.BatchNorm{rank}d", (inputs[0][0],), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
