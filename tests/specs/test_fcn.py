"""The FCNs: which parameters are fixed, and that each crop puts a score where what it was computed from lies.

A position along an axis of a value corresponds to `scale * position + shift` in the image. Caffe derived the offsets of
the crops by this arithmetic; the specs state them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
import torch
from rows import compilation, emitted
from torch import nn

from archdsl.graph.model import Apply, Call, Join, Scope, Value, walk


@dataclass(frozen=True)
class Place:
    scale: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)

    def moved(self, steps: Fraction) -> Place:
        """That of a map whose first position is `steps` positions further."""
        return Place(self.scale, self.shift + self.scale * steps)

    def times(self, factor: Fraction) -> Place:
        return Place(self.scale * factor, self.shift)


def after(item: Apply, place: Place) -> Place:
    """The place of a layer's result, whose windows count by their middle."""
    layer = item.layer
    match layer.name:
        case "conv" | "maxpool":
            return place.moved(Fraction(layer.kernel - 1, 2) - layer.padding).times(
                Fraction(layer.stride or layer.kernel)
            )
        case "deconv":
            return place.times(Fraction(1, layer.stride)).moved(layer.padding - Fraction(layer.kernel - 1, 2))
        case "crop":
            return place.moved(Fraction(layer.offset))
        case "relu" | "dropout":
            return place
    raise AssertionError(f"no rule for {layer.name}")


def check(scope: Scope, places: dict[Value, Place]) -> int:
    """Follows every value and returns how many crops and sums were compared."""
    compared = 0
    for item in walk(scope.items):
        if isinstance(item, Call):
            places.update(zip(item.scope.inputs, (places[value] for value in item.inputs), strict=True))
            compared += check(item.scope, places)
            places.update(zip(item.outputs, (places[result.value] for result in item.scope.results), strict=True))
            places.update((value, places[item.scope.exports[name]]) for name, value in item.exports.items())
        elif isinstance(item, Join):
            first, second = (places[branch.value] for branch in item.branches)
            assert first == second, item.output.label
            places[item.output] = first
            compared += 1
        elif isinstance(item, Apply):
            places[item.outputs[0]] = after(item, places[item.inputs[0]])
            if item.layer.name == "crop":
                assert places[item.outputs[0]] == places[item.inputs[1]], item.module.name
                compared += 1
    return compared


@pytest.mark.parametrize(("name", "compared"), [("FCN32s", 1), ("FCN16s", 3), ("FCN8s", 5)])
def test_crops(name: str, compared: int) -> None:
    network = compilation("fcn.arch").network(name)
    image = network.scope.inputs[0]
    assert check(network.scope, {image: Place()}) == compared


@pytest.mark.parametrize(("name", "count"), [("FCN32s", 1_806_336), ("FCN16s", 458_640), ("FCN8s", 127_008)])
def test_what_is_fixed(name: str, count: int) -> None:
    """The deconvolutions, as in the authors' files, where their learning rate is 0."""
    with torch.device("meta"):
        module: nn.Module = emitted("fcn.arch", name)()
    fixed = [(key, value.numel()) for key, value in module.named_parameters() if not value.requires_grad]
    assert all(key.startswith("upscore") for key, _ in fixed)
    assert sum(size for _, size in fixed) == count
