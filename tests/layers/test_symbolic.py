"""Each spatial layer at every size: predicted shapes and accepted sizes are exactly those of torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from archdsl.compiler import Compilation
from archdsl.passes.accept import accepted
from archdsl.sizes import evaluate

LINE, MAP, VOLUME = "[4, H]", "[4, H, W]", "[4, H, 12, W]"
SIZES = range(1, 65)
FEW = 8  # heights at which a batch of one item is tried too
WIDTHS = {LINE: (1,), MAP: (1, 2, 3, 8), VOLUME: (1, 7)}

# The shapes that a call is applied to → the calls. `other` is a second value, of half the size.
CASES: dict[tuple[str, ...], str] = {
    (LINE, MAP, VOLUME): """
        conv(4, 3)
        conv(4, 5, stride=2, padding=2)
        conv(4, 2, stride=3, padding=1, dilation=4)
        conv(4, 3, padding=same, dilation=3)
        conv(4, 4, padding=same, padding_mode=reflect)
        conv(4, 4, padding=same, padding_mode=circular)
        conv(4, 3, padding=3, padding_mode=reflect)
        conv(4, 3, padding=3, padding_mode=circular)
        conv(4, 7, padding=2, padding_mode=replicate)
        deconv(4, 2, stride=2)
        deconv(4, 3, stride=2, padding=1, output_padding=1)
        deconv(4, 3, padding=4)
        deconv(4, 2, stride=3, padding=5, dilation=3, output_padding=2)
        maxpool(2)
        maxpool(3, stride=2, padding=1)
        maxpool(3, stride=2, ceil=true)
        maxpool(3, stride=2, padding=1, ceil=true)
        maxpool(2, stride=5, ceil=true)
        maxpool(3, stride=1, dilation=3)
        maxpool(5, stride=4, padding=2, dilation=2, ceil=true)
        avgpool(2)
        avgpool(3, stride=2, padding=1)
        avgpool(3, stride=2, padding=1, ceil=true, count_include_pad=false)
        avgpool(2, stride=5, ceil=true)
        adaptive_avgpool(3)
        adaptive_maxpool(3)
        global_avgpool
        global_maxpool
        batchnorm
        batchnorm(track_running_stats=false)
        instancenorm
        instancenorm(track_running_stats=true)
        groupnorm(2)
        groupnorm(4)
        lrn(3)
        l2norm
        flatten
        relu
        softmax(axis=1)
        upsample(2)
        upsample(1.5)
        upsample(0.25)
        upsample(0.625, mode="nearest-exact")
        upsample(0.5, mode=area)
        nearest_unpool(3)
        bed_of_nails(3)
        upsample(to=other)
        crop(to=other)
        crop(to=other, offset=2)
        crop(3)
        crop(2, offset=5)
        pad(2)
        pad(2, after=0, value=1.5)
        pad(3, mode=reflect)
        pad(0, after=3, mode=reflect)
        pad(3, mode=replicate)
        pad(3, mode=circular)
        pad(4, after=1, mode=circular)
        slice(2, 6, axis=1)
        slice(3, axis=1)
        split(3, axis=1)
        split([2, 3], axis=1)
        chunk(3)
        reshape([2, -1])
    """,
    (LINE,): """
        upsample(1.75, mode=linear, align_corners=true)
        dropout1d
        permute([1, 0])
        reshape([2, 6])
    """,
    (MAP,): """
        conv(4, 1x7, stride=2x1, padding=0x3)
        deconv(4, 3x2, stride=1x2, padding=2x0)
        maxpool(3x2, stride=2x3, padding=1x0, ceil=true)
        pad(0x4, after=1x2, mode=reflect)
        pad(0x4, after=1x2, mode=circular)
        upsample(0.5, mode=bilinear)
        nearest_unpool(2x3)
        bed_of_nails(1x2)
        crop(3x1, offset=0x1)
        spp([1, 2, 4])
        pixel_shuffle(2)
        pixel_unshuffle(3)
        permute([2, 0, 1])
        dropout2d
    """,
    (VOLUME,): """
        upsample(0.5, mode=trilinear)
        conv(4, [3, 1, 2], stride=[2, 1, 1], padding=[1, 0, 0])
        permute([3, 1, 2, 0])
        dropout3d
    """,
}
PAIRS = [
    (call.strip(), shape) for shapes, calls in CASES.items() for call in calls.strip().split("\n") for shape in shapes
]


def spec(call: str, shape: str) -> str:
    """A network of one layer."""
    if call.startswith(("split", "chunk")):
        names = ["first", "second", "third"] if call.startswith("split(3") else ["first", "second"]
        outputs = "".join(f"  output {name}\n" for name in names)
        return f"network N {{\n  input x: {shape}\n  {', '.join(names)} = {call}\n{outputs}}}\n"
    other = "  other = maxpool(2)\n  x -> " if "other" in call else "  "
    return f"network N {{\n  input x: {shape}\n{other}{call}\n}}\n"


def sizes_of(shape: str) -> Iterator[dict[str, int]]:
    for h in SIZES:
        for w in WIDTHS[shape]:
            yield {"H": h, "W": w} if "W" in shape else {"H": h}


def tried(net: Any, shape: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """The shapes that torch gives, without the batch; None where it refuses the input, or nothing is left of it.

    `shape` has the batch. A tensor without elements is no value of the language.
    """
    try:
        out = net(torch.empty(shape, device="meta"))
    except (RuntimeError, ValueError, IndexError):
        return None
    found = [tuple(tensor.shape[1:]) for tensor in (out if isinstance(out, tuple) else (out,))]
    return found if all(map(all, found)) else None


@pytest.mark.parametrize(("call", "shape"), PAIRS, ids=[f"{call} {shape}" for call, shape in PAIRS])
def test_every_size(call: str, shape: str) -> None:
    compilation = Compilation.from_text(spec(call, shape))
    assert compilation.diagnostics == []
    network = compilation.network("N")
    domain = accepted(network)
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compilation.compile("N"), names)
    with torch.device("meta"):
        net = names["N"]().eval()
    outcomes = set()
    for sizes in sizes_of(shape):
        predicted = None
        if domain.contains(sizes):
            predicted = [tuple(evaluate(dim, sizes) for dim in r.value.shape) for r in network.scope.results]
        given = tuple(evaluate(dim, sizes) for dim in network.scope.inputs[0].shape)
        found = tried(net, (2, *given))
        if sizes["H"] <= FEW and found is not None:
            found = tried(net, (1, *given))  # which some refuse that take more
        if call == "split(3, axis=1)" and found is not None and len(set(found)) > 1:
            found = None  # torch.chunk makes unequal parts too, `split` is the promise that they are equal
        assert found == predicted, f"{call} at {given}"
        outcomes.add(predicted is None)
    assert False in outcomes, "no size was accepted"
