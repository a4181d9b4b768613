"""The input sizes that the specs of dense prediction accept, against PyTorch at each of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from rows import compilation, emitted
from torch import nn

from archdsl.compiler import accepted
from archdsl.sizes import evaluate


@dataclass(frozen=True)
class Sizes:
    """What a network accepts, in words, and the heights at which that is tried."""

    file: str
    network: str
    words: str
    heights: range = range(1, 101)
    width: int = 224

    def __str__(self) -> str:
        return self.network


SIZES = [
    Sizes("fcn_resnet50.arch", "FCNResNet50", "any H, W", range(1, 25)),
    Sizes("fcn.arch", "FCN32s", "any H, W"),
    Sizes("fcn.arch", "FCN16s", "any H, W"),
    Sizes("fcn.arch", "FCN8s", "any H, W"),
    Sizes("segnet.arch", "SegNet", "any H, W", range(1, 41)),
    Sizes("segnet.arch", "SegNetBasic", "any H, W", range(1, 41)),
    Sizes("deconvnet.arch", "DeconvNet", "any H, W >= 193", range(185, 228)),
    Sizes("unet.arch", "UNet", "any H, W >= 188", range(1, 701), 572),
    Sizes("unet.arch", "UNetPadded", "H and W multiples of 16"),
]
each = pytest.mark.parametrize("sizes", SIZES, ids=str)


def on_meta(sizes: Sizes) -> nn.Module:
    with torch.device("meta"):
        module: nn.Module = emitted(sizes.file, sizes.network)()
    return module.eval()


@each
def test_in_words(sizes: Sizes) -> None:
    assert str(accepted(compilation(sizes.file).network(sizes.network))) == sizes.words


@each
def test_accepted_heights_and_shapes(sizes: Sizes) -> None:
    """PyTorch takes what is accepted, gives the shapes that are found, and refuses everything else."""
    network = compilation(sizes.file).network(sizes.network)
    domain = accepted(network)
    module = on_meta(sizes)
    channels = network.scope.inputs[0].shape[0]
    for height in sizes.heights:
        at = {"H": height, "W": sizes.width}
        image = torch.empty(1, channels, height, sizes.width, device="meta")
        if not domain.contains(at):
            with pytest.raises(RuntimeError):
                module(image)
            continue
        found = module(image)
        for ours, theirs in zip(network.scope.results, found if isinstance(found, tuple) else (found,), strict=True):
            assert tuple(theirs.shape[1:]) == tuple(evaluate(dim, at) for dim in ours.value.shape)
