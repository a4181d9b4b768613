"""The initialisers of `init` statements: torch.nn.init's, by their names without the underscore, and `bilinear`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.layers.args import Bool, Choice, Float, Int
from archdsl.layers.signature import Field


@dataclass(frozen=True)
class Initialiser:
    """The function that fills a parameter, and the arguments that it takes.

    `support` is the source of a function that PyTorch does not have. It fills parameters of `axes` axes or more, and if
    it `keeps_channels` those of layers only that give as many channels as they take.
    """

    function: str
    fields: tuple[Field, ...]
    support: str = ""
    axes: int = 0
    keeps_channels: bool = False

    @property
    def fills(self) -> str:
        """What it can fill, in the plural."""
        return {0: "parameters", 2: "matrices and kernels", 3: "kernels"}[self.axes]


def gain(nonlinearity: str, slope: float) -> float:
    """What the kaiming initialisers multiply by, as torch.nn.init has it; `slope` is a leaky_relu's."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + slope**2))
    return {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}.get(nonlinearity, 1.0)


_BILINEAR = '''
def bilinear_(weight: Tensor, *, fixed: bool = False) -> None:
    """Fills a transposed convolution with interpolation, each channel by itself.

    Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation,
    2015, section 3.3. If `fixed`, training leaves it as it is.
    """
    kernel = weight.new_ones(())
    for size in weight.shape[2:]:
        reach = (size + 1) // 2
        middle = torch.arange(size, device=weight.device) - (size - 1) / 2
        kernel = kernel.unsqueeze(-1) * (1 - middle.abs() / reach).to(weight.dtype)
    channels = torch.arange(len(weight), device=weight.device)
    with torch.no_grad():
        weight.zero_()
        weight[channels, channels % weight.shape[1]] = kernel
    if fixed:
        weight.requires_grad_(False)
'''


_FAN = (
    Field("a", Float(), 0),
    Field("mode", Choice("fan_in", "fan_out"), "fan_in"),
    Field("nonlinearity", Choice("relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu"), "leaky_relu"),
)

_GAIN = (Field("gain", Float(), 1.0),)

INITIALISERS: Mapping[str, Initialiser] = {
    "bilinear": Initialiser("bilinear_", (Field("fixed", Bool(), False),), _BILINEAR, 3, keeps_channels=True),
    "constant": Initialiser("nn.init.constant_", (Field("val", Float()),)),
    "dirac": Initialiser("nn.init.dirac_", (Field("groups", Int(1), 1),), axes=3),
    "kaiming_normal": Initialiser("nn.init.kaiming_normal_", _FAN, axes=2),
    "kaiming_uniform": Initialiser("nn.init.kaiming_uniform_", _FAN, axes=2),
    "normal": Initialiser("nn.init.normal_", (Field("mean", Float(), 0.0), Field("std", Float(0), 1.0))),
    "ones": Initialiser("nn.init.ones_", ()),
    "orthogonal": Initialiser("nn.init.orthogonal_", _GAIN, axes=2),
    "trunc_normal": Initialiser(
        "nn.init.trunc_normal_",
        (Field("mean", Float(), 0.0), Field("std", Float(0), 1.0), Field("a", Float(), -2.0), Field("b", Float(), 2.0)),
    ),
    "uniform": Initialiser("nn.init.uniform_", (Field("a", Float(), 0.0), Field("b", Float(), 1.0))),
    "xavier_normal": Initialiser("nn.init.xavier_normal_", _GAIN, axes=2),
    "xavier_uniform": Initialiser("nn.init.xavier_uniform_", _GAIN, axes=2),
    "zeros": Initialiser("nn.init.zeros_", ()),
}
