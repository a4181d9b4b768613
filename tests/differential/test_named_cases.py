"""Four cases that are easily got wrong: what is accepted, to the letter, and torch at every size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from archdsl.compiler import Compilation, accepted
from archdsl.runtime.load import load

SPECS = Path(__file__).parents[2] / "specs"
WEIGHTS = {kernel: torch.zeros(4, 4, kernel, kernel, device="meta") for kernel in (2, 3, 5)}


def conv(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    return F.conv2d(x, WEIGHTS[kernel], stride=stride, padding=padding)


def unet(x: Tensor) -> list[Tensor]:
    low = F.max_pool2d(conv(x, 3, 1, 1), 2)
    return [x, F.conv_transpose2d(low, WEIGHTS[2], stride=2)]


CASES: dict[str, tuple[str, str, Callable[[Tensor], list[Tensor]]]] = {
    "a 3x3 of stride 2 beside a 2x2 pooling": (
        "add { conv(4, 3, stride=2, padding=1); maxpool(2) }",
        "H and W even",
        lambda x: [conv(x, 3, 2, 1), F.max_pool2d(x, 2)],
    ),
    "a 3x3 of stride 2 without padding beside a 2x2 pooling": (
        "add { conv(4, 3, stride=2); maxpool(2) }",
        "H and W odd, at least 3",
        lambda x: [conv(x, 3, 2, 0), F.max_pool2d(x, 2)],
    ),
    "a 5x5 beside a 3x3, both of stride 2": (
        "add { conv(4, 5, stride=2, padding=2); conv(4, 3, stride=2, padding=1) }",
        "any H, W",
        lambda x: [conv(x, 5, 2, 2), conv(x, 3, 2, 1)],
    ),
    "a U-Net whose 2*(H//2) meets H": (
        "skip = identity\n  conv(4, 3, padding=1) -> maxpool(2) -> deconv(4, 2, stride=2)\n  concat { identity; skip }",
        "H and W even",
        unet,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_accepted_sizes(case: str) -> None:
    body, words, branches = CASES[case]
    spec = Compilation.from_text(f"network Net {{\n  input x: [4, H, W]\n  {body}\n}}\n")
    assert spec.ok, spec.diagnostics
    domain = accepted(spec.network())
    assert str(domain) == words
    least = domain.smallest()
    assert least is not None
    for height in range(1, 257):
        try:
            values = branches(torch.zeros(1, 4, height, least["W"], device="meta"))
        except RuntimeError:
            values = []
        joined = len({tuple(value.shape[2:]) for value in values}) == 1
        assert domain.contains({"H": height, "W": least["W"]}) == joined, height


def test_googlenet_whose_poolings_round_up() -> None:
    network = Compilation.from_path(SPECS / "googlenet.arch").network()
    domain = accepted(network)
    assert str(domain) == "any H, W >= 15"
    module = load(SPECS / "googlenet.arch").to("meta").eval()
    for height in (*range(8, 24), 32, 97, 160, 255):
        try:
            module(torch.zeros(1, 3, height, 15, device="meta"))
        except RuntimeError:
            assert height < 15
        else:
            assert height >= 15
