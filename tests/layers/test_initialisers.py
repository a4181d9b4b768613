"""Initialisers fill a weight as torch.nn.init does, from the same seed; `bilinear` interpolates."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.compiler import Compilation
from archdsl.layers.initialisers import INITIALISERS, gain
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


OF_TORCH = [name for name, made in INITIALISERS.items() if made.function == f"nn.init.{name}_"]


@pytest.mark.parametrize("name", OF_TORCH)
def test_it_fills_as_torch_does(name: str) -> None:
    arguments = CALLS[name]
    said = ", ".join(f'{key}="{v}"' if isinstance(v, str) else f"{key}={v}" for key, v in arguments.items())
    assert torch.equal(weight(f"{name}({said})"), expected(name, arguments))
    if name != "constant":
        assert torch.equal(weight(name), expected(name, {}))


@pytest.mark.parametrize("name", OF_TORCH)
def test_its_arguments_are_torchs(name: str) -> None:
    """Names, order and defaults; what draws the numbers (`generator`) is no argument of a spec."""
    parameters = list(inspect.signature(getattr(nn.init, f"{name}_")).parameters.values())[1:]
    ours = [
        (f.name, inspect.Parameter.empty if f.default is REQUIRED else f.default) for f in INITIALISERS[name].fields
    ]
    assert ours == [(p.name, p.default) for p in parameters if p.name != "generator"]
    assert set(CALLS[name]) == {f.name for f in INITIALISERS[name].fields}


def upsampling(call: str, shape: tuple[int, ...], init: str = "init deconv: bilinear") -> Any:
    """A module of one transposed convolution."""
    text = f"network N {{\n  input x: {list(shape)}\n  up = {call}\n  {init}\n}}\n"
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(Compilation.from_text(text).compile("N"), names)
    return names["N"]()


# Kernel, stride and padding that take a map to `stride` times its size.
KERNELS = {2: (4, 2, 1), 3: (5, 3, 1), 4: (8, 4, 2), 8: (16, 8, 4)}


@pytest.mark.parametrize("groups", [1, 3, 6])
@pytest.mark.parametrize("scale", KERNELS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_bilinear_interpolates(rank: int, scale: int, groups: int) -> None:
    """A transposed convolution is then `interpolate`, but for the border, where that has no zeros around it."""
    kernel, stride, padding = KERNELS[scale]
    sizes = (6, 5, 4)[:rank]
    call = f"deconv(6, {kernel}, stride={stride}, padding={padding}, groups={groups}, bias=false)"
    x = torch.randn(2, 6, *sizes)
    mode = ("linear", "bilinear", "trilinear")[rank - 1]
    expected = nn.functional.interpolate(x, scale_factor=scale, mode=mode, align_corners=False)
    inside = (..., *[slice(scale, -scale)] * rank)
    torch.testing.assert_close(upsampling(call, (6, *sizes))(x)[inside], expected[inside])


def test_bilinear_is_the_authors_kernel() -> None:
    """`upsample_filt` of the code for Fully Convolutional Networks, at even and odd sizes; nothing off the diagonal."""
    for size in range(1, 9):
        factor = (size + 1) // 2
        center = factor - 1 if size % 2 == 1 else factor - 0.5
        ramp = 1 - (torch.arange(size) - center).abs() / factor
        weight = upsampling(f"deconv(2, {size}, bias=false)", (2, 9, 9)).up.weight
        assert torch.equal(weight[0, 0], weight[1, 1])
        torch.testing.assert_close(weight[0, 0], ramp[:, None] * ramp)
        assert not weight[0, 1].any() and not weight[1, 0].any()


@pytest.mark.parametrize("init", ["init deconv: bilinear(fixed=true)", "init up: bilinear(fixed=true)"])
def test_a_fixed_kernel_does_not_learn(init: str) -> None:
    """It is a parameter that counts and is saved, but gets no gradient; the bias learns."""
    net = upsampling("deconv(3, 4, stride=2)", (3, 5, 5), init)
    net(torch.randn(1, 3, 5, 5)).sum().backward()
    assert {key for key, value in net.named_parameters() if value.grad is None} == {"up.weight"}
    assert upsampling("deconv(3, 4)", (3, 5, 5)).up.weight.requires_grad


@pytest.mark.parametrize("nonlinearity", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains_are_torchs(nonlinearity: str) -> None:
    assert gain(nonlinearity, 0.3) == pytest.approx(nn.init.calculate_gain(nonlinearity, 0.3))
