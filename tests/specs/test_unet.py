"""The U-Nets against a reading of the paper's figure 1 that uses nothing but functions of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from rows import emitted
from torch import Tensor, nn

CLOSE = 1e-5


def load(network: str) -> nn.Module:
    torch.manual_seed(0)
    module: nn.Module = emitted("unet.arch", network)()
    for submodule in module.modules():
        if isinstance(submodule, nn.BatchNorm2d):
            for tensor in (submodule.weight.data, submodule.bias.data, submodule.running_mean, submodule.running_var):
                tensor.add_(0.2 * torch.rand_like(tensor))
    return module.eval()


def convolved(x: Tensor, take: Iterator[Tensor]) -> Tensor:
    for _ in range(2):
        x = F.relu(F.conv2d(x, next(take), next(take)))
    return x


def convolved_padded(x: Tensor, take: Iterator[Tensor]) -> Tensor:
    for _ in range(2):
        x = F.conv2d(x, next(take), padding=1)
        weight, bias, mean, var, _count = (next(take) for _ in range(5))
        x = F.relu(F.batch_norm(x, mean, var, weight, bias))
    return x


def middle(x: Tensor, like: Tensor) -> Tensor:
    height, width = like.shape[2:]
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def reference(x: Tensor, weights: list[Tensor], padded: bool) -> Tensor:
    """Down four times, up four times; the weights in the order in which they are used."""
    take = iter(weights)
    convs = convolved_padded if padded else convolved
    kept: list[Tensor] = []
    for _ in range(4):
        kept.append(convs(x, take))
        x = F.max_pool2d(kept[-1], 2)
    x = convs(x, take)
    for skip in reversed(kept):
        x = F.conv_transpose2d(x, next(take), next(take), stride=2)
        x = convs(torch.cat([middle(skip, x), x], dim=1), take)
    x = F.conv2d(x, next(take), next(take))
    assert next(take, None) is None, "every weight is used"
    return x


@pytest.mark.parametrize(
    ("network", "shape"), [("UNet", (1, 188, 204)), ("UNet", (1, 193, 190)), ("UNetPadded", (3, 48, 80))]
)
def test_outputs(network: str, shape: tuple[int, int, int]) -> None:
    module = load(network)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours = module(x)
        theirs = reference(x, list(module.state_dict().values()), network == "UNetPadded")
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= CLOSE * theirs.abs().max()
