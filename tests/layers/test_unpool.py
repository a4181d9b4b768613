"""Unpooling against what PyTorch does by hand: pixels repeated, pixels between zeros, pixels back where they were."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archdsl.compiler import Compilation, accepted

# What a pooling is → the same for PyTorch: kernel, stride, padding, dilation, ceil_mode.
POOLINGS = {
    "maxpool(2)": (2, 2, 0, 1, False),
    "maxpool(3)": (3, 3, 0, 1, False),
    "maxpool(2, ceil=true)": (2, 2, 0, 1, True),
    "maxpool(3, stride=2)": (3, 2, 0, 1, False),
    "maxpool(3, stride=2, padding=1)": (3, 2, 1, 1, False),
    "maxpool(3, stride=2, padding=1, ceil=true)": (3, 2, 1, 1, True),
    "maxpool(5, stride=3, padding=2, ceil=true)": (5, 3, 2, 1, True),
    "maxpool(2, stride=3)": (2, 3, 0, 1, False),
    "maxpool(2, stride=5, ceil=true)": (2, 5, 0, 1, True),
    "maxpool(3, stride=1, padding=1)": (3, 1, 1, 1, False),
    "maxpool(2, stride=3, dilation=2)": (2, 3, 0, 2, False),
    "maxpool(2, stride=3, dilation=2, ceil=true)": (2, 3, 0, 2, True),
    "maxpool(2, stride=2, dilation=3)": (2, 2, 0, 3, False),
    "maxpool(3, stride=2, padding=1, dilation=2, ceil=true)": (3, 2, 1, 2, True),
    "maxpool(2, stride=1, dilation=2)": (2, 1, 0, 2, False),
}


def module(call: str, shape: tuple[int, ...]) -> Any:
    """A network of a few layers on an input of that shape."""
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


def by_hand(x: Tensor, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> Tensor:
    """Pooled, halved, and back in its place."""
    pool = nn.MaxPool1d(kernel, stride, padding, dilation, return_indices=True, ceil_mode=ceil)
    unpool = nn.MaxUnpool1d(kernel, stride, padding)
    pooled, indices = pool(x)
    return unpool(pooled / 2, indices, output_size=x.shape[2:])


def works(length: int, device: str, *pooling: Any) -> bool:
    """Whether PyTorch pools a line of that length and takes it back."""
    try:
        by_hand(torch.zeros(1, 1, length, device=device), *pooling)
    except (RuntimeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("pooling", POOLINGS)
def test_max_unpool_accepts_what_torch_does(pooling: str) -> None:
    """At every length, on the CPU and on no device at all."""
    text = f"network N {{\n  input x: [1, L]\n  pool = {pooling}\n  max_unpool(pool)\n}}\n"
    compilation = Compilation.from_text(text)
    nothing = [found.code for found in compilation.diagnostics] in (["E0311"], ["E0302"])
    found = [not nothing and accepted(compilation.network("N")).contains({"L": length}) for length in range(1, 60)]
    for device in ("cpu", "meta"):
        assert found == [works(length, device, *POOLINGS[pooling]) for length in range(1, 60)]


LENGTHS = [(pooling, n) for pooling in POOLINGS for n in (5, 6, 7, 12) if works(n, "cpu", *POOLINGS[pooling])]


@pytest.mark.parametrize(("pooling", "length"), LENGTHS)
def test_max_unpool_puts_pixels_back(pooling: str, length: int) -> None:
    """Values and gradients are those of the two modules written by hand."""
    x = torch.randn(3, 2, length, requires_grad=True)
    net = module(f"pool = {pooling}; conv(2, 1, groups=2, bias=false); max_unpool(pool)", (2, length))
    net.conv.weight.data.fill_(0.5)
    expected = by_hand(x, *POOLINGS[pooling])
    torch.testing.assert_close(net(x), expected)
    seed = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, x, seed)
    torch.testing.assert_close(torch.autograd.grad(net(x), x, seed)[0], wanted)


@pytest.mark.parametrize("size", [(7, 9), (8, 5), (1, 2)])
def test_a_small_segnet(size: tuple[int, int]) -> None:
    """Two poolings, undone in turn, in blocks and through a group: what one would write by hand."""
    spec = """
        block encode(width) { conv = conv(width, 3, padding=1); relu; pool = maxpool(2, ceil=true) }
        network N {
          input x: [3, H, W]
          encoder = { one = encode(4); two = encode(6) }
          decoder = {
            unpool2 = max_unpool(encoder.two)
            conv2 = conv(4, 3, padding=1)
            unpool1 = max_unpool(encoder.one.pool)
          }
          classes = conv(2, 1)
        }
    """
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(Compilation.from_text(spec).compile("N"), names)
    net = names["N"]()
    x = torch.randn(2, 3, *size)
    pool, unpool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True), nn.MaxUnpool2d(2)
    first = net.encoder.one.conv(x).relu()
    pooled, indices1 = pool(first)
    second = net.encoder.two.conv(pooled).relu()
    pooled, indices2 = pool(second)
    y = net.decoder.conv2(unpool(pooled, indices2, second.shape[2:]))
    expected = net.classes(unpool(y, indices1, first.shape[2:]))
    torch.testing.assert_close(net(x), expected)
    assert expected.shape[2:] == size
