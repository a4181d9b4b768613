"""`groupnorm`: nn.GroupNorm."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Bool, Float, Int
from archdsl.layers.base import Example, Ints, Kept, Layer, Need, Shape, arg
from archdsl.layers.call import Call
from archdsl.layers.dims import fixed
from archdsl.layers.sight import Sight, whole_along
from archdsl.layers.windows import given
from archdsl.sizes import product


class Groupnorm(Layer):
    """Normalisation of each item over groups of channels: the shape stays. Wu and He, 2018.

    A group has more than one value: more than one channel, or a map of more than one position.
    """

    groups = arg(Int(1), doc="into which the channels divide")
    eps = arg(Float(0, 1), default=1e-5, doc="added to the variance")
    affine = arg(Bool(), default=True, doc="a learned factor and a learned summand for each channel")

    aliases = ("gn",)
    constructor = (
        ("num_groups", "groups"),
        ("num_channels", ""),
        ("eps", "eps"),
        ("affine", "affine"),
    )
    saves = ("input",)
    examples = (
        Example("groupnorm(2)", (4, 5, 6), (4, 5, 6)),
        Example("groupnorm(4, eps=0.001, affine=false)", (8, 3), (8, 3)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        fixed(self.name, x[0], "number of channels")
        need.divisible(x[0], self.groups, f"{x[0]} channels do not divide into {self.groups} groups", at="groups")
        if x[0] == self.groups:
            need.at_least(product(x[1:]), 2, "`groupnorm` needs more than one value in each group to normalise over")
        return x

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (whole_along(inputs[0], range(len(inputs[0]))),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        c = inputs[0][0]
        return {"weight": (c,), "bias": (c,)} if self.affine else {}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """Besides, each group's mean and deviation."""
        return Kept(self.saves, 2 * self.groups)

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.GroupNorm", (self.groups, inputs[0][0]), given(self, "eps", "affine"), factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
