"""Initialisers fill a weight as torch.nn.init does, from the same seed."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.compiler import Compilation
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import REQUIRED

CALLS: dict[str, dict[str, Any]] = {
    "constant": {"val": 0.5},
    "dirac": {"groups": 2},
    "kaiming_normal": {"a": 0.2, "mode": "fan_out", "nonlinearity": "relu"},
    "kaiming_uniform": {"a": 0.2, "mode": "fan_out", "nonlinearity": "relu"},
    "normal": {"mean": 1.0, "std": 0.2},
    "ones": {},
    "orthogonal": {"gain": 2.0},
    "trunc_normal": {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 1.0},
    "uniform": {"a": -2.0, "b": 3.0},
    "xavier_normal": {"gain": 2.0},
    "xavier_uniform": {"gain": 2.0},
    "zeros": {},
}


def weight(call: str) -> torch.Tensor:
    """The initial weight of a convolution, the random numbers of a fixed seed from there on."""
    text = f"network N {{\n  input x: [4, 8, 8]\n  c = conv(6, 3)\n  init conv: {call}\n}}\n"
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(Compilation.from_text(text).compile("N"), names)
    torch.manual_seed(0)
    made: torch.Tensor = names["N"]().c.weight
    return made


def expected(name: str, arguments: dict[str, Any]) -> torch.Tensor:
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3)
    getattr(nn.init, f"{name}_")(conv.weight, **arguments)
    return conv.weight


@pytest.mark.parametrize("name", INITIALISERS)
def test_it_fills_as_torch_does(name: str) -> None:
    arguments = CALLS[name]
    said = ", ".join(f'{key}="{v}"' if isinstance(v, str) else f"{key}={v}" for key, v in arguments.items())
    assert torch.equal(weight(f"{name}({said})"), expected(name, arguments))
    if name != "constant":
        assert torch.equal(weight(name), expected(name, {}))


@pytest.mark.parametrize("name", INITIALISERS)
def test_its_arguments_are_torchs(name: str) -> None:
    """Names, order and defaults; what draws the numbers (`generator`) is no argument of a spec."""
    parameters = list(inspect.signature(getattr(nn.init, f"{name}_")).parameters.values())[1:]
    ours = [
        (f.name, inspect.Parameter.empty if f.default is REQUIRED else f.default) for f in INITIALISERS[name].fields
    ]
    assert ours == [(p.name, p.default) for p in parameters if p.name != "generator"]
    assert set(CALLS[name]) == {f.name for f in INITIALISERS[name].fields}
