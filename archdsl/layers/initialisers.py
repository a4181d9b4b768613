"""The initialisers of `init` statements: PyTorch's of torch.nn.init, by their names without the underscore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.layers.args import Choice, Float, Int
from archdsl.layers.signature import Field


@dataclass(frozen=True)
class Initialiser:
    """The function that fills a parameter, and the arguments that it takes."""

    function: str
    fields: tuple[Field, ...]


_FAN = (
    Field("a", Float(), 0),
    Field("mode", Choice("fan_in", "fan_out"), "fan_in"),
    Field("nonlinearity", Choice("relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu"), "leaky_relu"),
)

_GAIN = (Field("gain", Float(), 1.0),)

INITIALISERS: Mapping[str, Initialiser] = {
    "constant": Initialiser("nn.init.constant_", (Field("val", Float()),)),
    "dirac": Initialiser("nn.init.dirac_", (Field("groups", Int(1), 1),)),
    "kaiming_normal": Initialiser("nn.init.kaiming_normal_", _FAN),
    "kaiming_uniform": Initialiser("nn.init.kaiming_uniform_", _FAN),
    "normal": Initialiser("nn.init.normal_", (Field("mean", Float(), 0.0), Field("std", Float(0), 1.0))),
    "ones": Initialiser("nn.init.ones_", ()),
    "orthogonal": Initialiser("nn.init.orthogonal_", _GAIN),
    "trunc_normal": Initialiser(
        "nn.init.trunc_normal_",
        (Field("mean", Float(), 0.0), Field("std", Float(0), 1.0), Field("a", Float(), -2.0), Field("b", Float(), 2.0)),
    ),
    "uniform": Initialiser("nn.init.uniform_", (Field("a", Float(), 0.0), Field("b", Float(), 1.0))),
    "xavier_normal": Initialiser("nn.init.xavier_normal_", _GAIN),
    "xavier_uniform": Initialiser("nn.init.xavier_uniform_", _GAIN),
    "zeros": Initialiser("nn.init.zeros_", ()),
}
