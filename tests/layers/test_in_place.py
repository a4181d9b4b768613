"""What runs in place changes no result: not after a view, not where a value is used twice, not in the backward pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from archdsl.compiler import Compilation

ACTIVATIONS = (
    "relu",
    "relu6",
    "leaky_relu(0.2)",
    "elu",
    "selu",
    "silu",
    "hardswish",
    "sigmoid",
    "tanh",
    "mish",
    "gelu",
)
KEEPING = (  # layers whose output may be their input's memory
    "identity",
    "dropout(0.0)",
    "dropout2d(0.0)",
    "drop_path(0.0)",
    "reshape([4, 6, 6])",
    "permute([0, 1, 2])",
    "slice(0, 4)",
    "crop(6)",
    "upsample(1)",
    "nearest_unpool(1)",
    "bed_of_nails(1)",
    "pixel_shuffle(1)",
    "pad(0)",
)
PATHS = {
    "a chain": "conv(4, 3, padding=1) -> {layer} -> relu\n  conv(4, 3, padding=1)",
    "the value again": "a = conv(4, 3, padding=1)\n  b = a -> {layer} -> relu\n  add(a, b)",
    "the input itself": "{layer} -> relu\n  residual {{ conv(4, 3, padding=1) }}",
    "in a residual": "conv(4, 3, padding=1)\n  residual {{ {layer}; relu; conv(4, 3, padding=1) }}\n  {layer} -> elu",
}


def outcome(text: str, training: bool) -> list[Tensor]:
    """The output, the input after the pass, and every gradient."""
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(text, names)
    net = names["N"]().train(training)
    leaf = torch.randn(2, 4, 6, 6, requires_grad=True)
    x = leaf * 1
    out = net(x)
    out.square().sum().backward()
    gradients = [p.grad for p in net.parameters()]
    return [out, x, leaf.grad, *gradients]  # type: ignore[list-item]  # None fails the comparison


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("layer", ACTIVATIONS + KEEPING)
def test_results_are_those_without(layer: str, path: str, training: bool) -> None:
    body = PATHS[path].format(layer=layer)
    text = Compilation.from_text(f"network N {{\n  input x: [4, 6, 6]\n  {body}\n}}\n").compile("N")
    plain = text.replace(", inplace=True", "").replace("inplace=True", "")
    for found, expected in zip(outcome(text, training), outcome(plain, training), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("layer", ACTIVATIONS[:5])
def test_something_does_run_in_place(layer: str) -> None:
    text = Compilation.from_text(f"network N {{\n  input x: [4, 6, 6]\n  conv(4, 3) -> {layer}\n}}\n").compile("N")
    assert "inplace=True" in text


def test_one_of_several_parts_is_not_overwritten() -> None:
    """Autograd refuses it for the views that torch.chunk makes."""
    body = "conv(4, 3, padding=1)\n  a, b = split(2)\n  c = a -> relu\n  d = b -> relu\n  concat(c, d, b)"
    text = Compilation.from_text(f"network N {{\n  input x: [4, 6, 6]\n  {body}\n}}\n").compile("N")
    assert "inplace=True" not in text
    outcome(text, True)
