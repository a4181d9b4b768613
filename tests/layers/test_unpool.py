"""Unpooling against what PyTorch does by hand: pixels repeated, pixels between zeros."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from archdsl.compiler import Compilation


def module(call: str, shape: tuple[int, ...]) -> Any:
    """A network of one layer on an input of that shape."""
    text = Compilation.from_text(f"network N {{\n  input x: {list(shape)}\n  {call}\n}}\n").compile("N")
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(text, names)
    return names["N"]()


@pytest.mark.parametrize("scale", [*range(1, 65), 97, 128])
def test_nearest_unpool_repeats(scale: int) -> None:
    """Every pixel is there `scale` times, whatever the scale: 41 and 47 are among those that rounding moves."""
    x = torch.arange(50.0).reshape(1, 1, 50)
    assert torch.equal(module(f"nearest_unpool({scale})", (1, 50))(x), x.repeat_interleave(scale, 2))


@pytest.mark.parametrize("scale", [(2, 1), (1, 3), (47, 2)])
def test_nearest_unpool_along_each_axis(scale: tuple[int, int]) -> None:
    x = torch.randn(2, 3, 5, 7)
    expected = x.repeat_interleave(scale[0], 2).repeat_interleave(scale[1], 3)
    assert torch.equal(module(f"nearest_unpool({scale[0]}x{scale[1]})", (3, 5, 7))(x), expected)


@pytest.mark.parametrize("scale", [(1,), (3,), (2, 2), (3, 1), (2, 3, 4)])
def test_bed_of_nails_is_a_transposed_convolution(scale: tuple[int, ...]) -> None:
    """The kernel is a one in the first corner of a block, for each channel by itself."""
    sizes = (5, 3, 4)[: len(scale)]
    x = torch.randn(2, 3, *sizes)
    kernel = torch.zeros(3, 1, *scale)
    kernel[(..., *(0 for _ in scale))] = 1
    transposed = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)
    expected = transposed[len(scale) - 1](x, kernel, stride=scale, groups=3)
    found = module(f"bed_of_nails([{', '.join(map(str, scale))}])", (3, *sizes))(x)
    assert torch.equal(found, expected)
