"""Receptive fields against autograd: which pixels of the input have a gradient, for every position of every value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Network, Value, walk
from archdsl.layers.sight import Window
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.inplace import operands
from archdsl.passes.receptive import Receptive

LENGTH = 120  # of the input of a random network
LONGEST = 400  # of its maps

LAYERS = (
    "conv(2, {k}, stride={s}, padding={p}, dilation={d})",
    "conv(2, {k}, padding=same, dilation={d})",
    "avgpool({k}, stride={s})",
    "deconv(2, {k}, stride={s}, padding={p}, dilation={d})",
    "deconv(2, {k}, stride=2)",
    "deconv(2, 2, stride=3, dilation={d})",
    "bed_of_nails({s})",
    "upsample(2)",
    "upsample(1.5)",
    'upsample({s}, mode="linear")',
    "pad({p}, after=1)",
    "crop({n}, offset={p})",
    "slice({p}, axis=1)",
    "residual {{ conv(2, {k}, padding=same) -> relu -> conv(2, 3, padding=same, dilation={d}) }}",
    "residual {{ deconv(2, {k}, stride=2) -> crop({n}) -> conv(2, 2, stride=2) }} shortcut slice(0, {m}, axis=1)",
    "concat {{ identity; conv(1, {k}, padding=same); bed_of_nails(2) -> conv(1, 2, stride=2) }} -> conv(2, 1)",
    "gate {{ conv(2, 3, padding=1) -> conv(2, 3, padding=1, dilation={d}, stride=1) -> crop(to=x) }}",
)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A one-dimensional network of up to five steps; those that do not fit are left out."""
    lines = [f"  input x: [2, {LENGTH}]"]
    for _ in range(draw(st.integers(1, 5))):
        numbers = {"k": (1, 4), "s": (1, 3), "p": (0, 2), "d": (1, 3), "n": (20, 200), "m": (10, 100)}
        values = {name: draw(st.integers(*range_)) for name, range_ in numbers.items()}
        step = draw(st.sampled_from(LAYERS)).format(**values)
        trial = "network N {\n" + "\n".join([*lines, "  " + step]) + "\n}\n"
        compilation = Compilation.from_text(trial)
        if compilation.ok and length(compilation.network("N")) <= LONGEST:
            lines.append("  " + step)
    return "network N {\n" + "\n".join(lines) + "\n  identity\n}\n"


def length(network: Network) -> int:
    (result,) = network.scope.results
    return Cost(network).shape(result.value.shape)[-1]


def made(text: str) -> Network:
    compilation = Compilation.from_text(text)
    assert compilation.diagnostics == []
    return compilation.network("N")


def module(text: str) -> Any:
    """The compiled module with positive weights: nothing that is seen cancels out."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(Compilation.from_text(text).compile("N"), "emitted.py", "exec"), names)
    net = names["N"]().double().eval()
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    return net


def seen(net: Any, x: Tensor) -> list[tuple[int, int] | None]:
    """For each position along the last axis of the output, the first and the last of the input with a gradient."""
    positions = net(x).shape[-1]
    each = x.expand(positions, *x.shape[1:]).clone().requires_grad_()
    # Output position i of item i: one backward pass for all of them.
    net(each).flatten(1, -2).sum(1).diagonal().sum().backward()
    assert each.grad is not None
    found = [gradient.abs().flatten(0, -2).sum(0).nonzero().flatten().tolist() for gradient in each.grad]
    return [(places[0], places[-1]) if places else None for places in found]


Places = tuple[frozenset[int], bool]


def followed(network: Network) -> list[Places]:
    """For each position of the result, what it sees, step by step within each map; and whether a border cut it off."""
    cost = Cost(network)
    (source,) = network.scope.inputs
    of: dict[Value, list[Places]] = {source: [(frozenset({i}), False) for i in range(LENGTH)]}
    for item in walk(network.scope.items):
        parts = [of[value.tensor] for value in operands(item)]
        if isinstance(item, Apply):
            shapes = [tuple(map(cost.shape, (v.shape for v in values))) for values in (item.inputs, item.outputs)]
            looks = item.layer.sees(shapes[0], shapes[1], 0)[0]
            assert looks is not None and isinstance(looks[1], Window)
            taps, rise = looks[1].taps, looks[1].rise
            turns = (divmod(o, len(taps)) for o in range(shapes[1][0][1]))
            made = [together([at(parts[0], tap + turn * rise) for tap in taps[phase]]) for turn, phase in turns]
        else:
            made = [together(row) for row in zip(*parts, strict=True)]
        of[outputs(item)[0]] = made
    return of[network.scope.results[0].value.tensor]


def at(places: list[Places], position: int) -> Places:
    return places[position] if 0 <= position < len(places) else (frozenset(), True)


def together(places: Sequence[Places]) -> Places:
    return frozenset().union(*(found for found, _ in places)), any(cut for _, cut in places)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=200, deadline=None)
@given(specs())
def test_the_largest_is_where_the_gradient_is(text: str) -> None:
    """What is seen within the maps is where the gradient is, and what is said of them as if they had no ends."""
    network = made(text)
    expected = followed(network)
    receptive = Receptive(network)
    (paths,) = receptive.seen.of[network.scope.results[0].value.tensor] or ()
    found = seen(module(text), torch.rand(1, 2, LENGTH, dtype=torch.double))
    for position, (places, cut) in enumerate(expected):
        within = (min(places), max(places)) if places else None
        said = paths.largest.at(position)
        assert found[position] == within, position
        assert said == within or (cut and covers(said, within)), position


def covers(outer: tuple[int, int] | None, inner: tuple[int, int] | None) -> bool:
    return inner is None or (outer is not None and outer[0] <= inner[0] and inner[1] <= outer[1])
