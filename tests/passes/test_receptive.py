"""Receptive fields against autograd: which pixels of the input have a gradient, for every position of every value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.sight import Window
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.inplace import operands
from archdsl.passes.receptive import Extent, Receptive

LENGTH = 120  # of the input of a random network
LONGEST = 400  # of its maps

# Behind these, every position sees as much as every other.
EVEN = (
    "conv(2, {k}, stride={s}, padding={p}, dilation={d})",
    "conv(2, {k}, padding=same, dilation={d})",
    "avgpool({k}, stride={s})",
    "pad({p}, after=1)",
    "crop({n}, offset={p})",
    "slice({p}, axis=1)",
    "residual {{ conv(2, {k}, padding=same) -> relu -> conv(2, 3, padding=same, dilation={d}) }}",
    "residual {{ conv(2, 3, padding=1) }} project conv(2, {k}, padding=same) -> avgpool(3, stride=1, padding=1)",
    "concat {{ avgpool(3, stride=1, padding=1); conv(1, {k}, padding=same) }} -> conv(2, 1)",
    "dense {{ conv(1, 3, padding={d}, dilation={d}) }} -> conv(2, 1)",
)
LAYERS = (
    *EVEN,
    "deconv(2, {k}, stride={s}, padding={p}, dilation={d})",
    "deconv(2, {k}, stride=2)",
    "deconv(2, 2, stride=3, dilation={d})",
    "bed_of_nails({s})",
    "upsample(2)",
    "upsample(1.5)",
    'upsample({s}, mode="linear")',
    "residual {{ deconv(2, {k}, stride=2) -> crop({n}) -> conv(2, 2, stride=2) }} shortcut slice(0, {m}, axis=1)",
    "concat {{ identity; conv(1, {k}, padding=same); bed_of_nails(2) -> conv(1, 2, stride=2) }} -> conv(2, 1)",
    # The convolution before it has a bias: what is multiplied by zero has no gradient, though it is seen.
    "conv(2, 1) -> gate {{ conv(2, 3, padding=1) -> conv(2, 3, padding={d}, dilation={d}) }}",
)


@st.composite
def specs(draw: st.DrawFn, layers: tuple[str, ...] = LAYERS) -> str:
    """A one-dimensional network of up to five steps; those that do not fit are left out."""
    lines = [f"  input x: [2, {LENGTH}]"]
    for _ in range(draw(st.integers(1, 5))):
        numbers = {"k": (1, 4), "s": (1, 3), "p": (0, 2), "d": (1, 3), "n": (20, 200), "m": (10, 100)}
        values = {name: draw(st.integers(*range_)) for name, range_ in numbers.items()}
        step = draw(st.sampled_from(layers)).format(**values)
        if draw(st.booleans()):
            step = f"part{len(lines)} = {{ {step} }}"
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


def followed(network: Network, way: Sequence[int] | None = None) -> list[Places]:
    """For each position of the result, what it sees, step by step within each map; and whether a border cut it off.

    `way` names one branch of each join; without it, all count.
    """
    return _followed(Cost(network), network.scope, [(frozenset({i}), False) for i in range(LENGTH)], iter(way or ()))


def _followed(cost: Cost, scope: Scope, given: list[Places], branches: Iterator[int]) -> list[Places]:
    (source,) = scope.inputs
    of = {source: given}
    for item in walk(scope.items):
        parts = [of[value.tensor] for value in operands(item)]
        if isinstance(item, Call):
            made = _followed(cost, item.scope, parts[0], branches)
        elif isinstance(item, Apply):
            shapes = [tuple(map(cost.shape, (v.shape for v in values))) for values in (item.inputs, item.outputs)]
            looks = item.layer.sees(shapes[0], shapes[1], 0)[0]
            assert looks is not None and isinstance(looks[1], Window)
            taps, rise = looks[1].taps, looks[1].rise
            turns = (divmod(o, len(taps)) for o in range(shapes[1][0][1]))
            made = [together([at(parts[0], tap + turn * rise) for tap in taps[phase]]) for turn, phase in turns]
        else:
            branch = next(branches, None)
            counted = parts if branch is None else [parts[branch]]
            made = [together(row) for row in zip(*counted, strict=True)]
        of[outputs(item)[0]] = made
    return of[scope.results[0].value.tensor]


def joins(scope: Scope) -> Iterator[int]:
    """The number of branches of each join, in the order of `_followed`."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from joins(item.scope)
        elif isinstance(item, (Join, Skip)):
            yield len(operands(item))


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


@settings(max_examples=100, deadline=None)
@given(specs(EVEN))
def test_the_smallest_is_that_of_the_narrowest_path(text: str) -> None:
    """Of all the ways through a network, each with one branch of every join."""
    network = made(text)
    narrowest = LENGTH
    for way in product(*map(range, joins(network.scope))):
        uncut = [places for places, cut in followed(network, way) if not cut]
        if not uncut:
            return  # too small a map to tell
        narrowest = min(narrowest, *(max(places) - min(places) + 1 for places in uncut))
    (extent,) = extents(text)
    assert extent.smallest == narrowest


def extents(text: str, label: str | None = None, **sizes: int) -> tuple[Extent, ...]:
    """The receptive field of a network's result, or of what it labels."""
    network = made(text)
    receptive = Receptive(network, sizes or None)
    value = network.scope.results[0].value if label is None else network.scope.labels[label]
    assert isinstance(value, Value)
    found = receptive.extents(receptive.seen, value)
    assert found is not None
    return found


def net(body: str, shape: str = "[3, H=64, W=48]") -> str:
    return f"network N {{\n  input x: {shape}\n  {body}\n}}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv(4, 5x3, stride=2x1, padding=1)", [(5, 2, -1), (3, 1, -1)]),
        ("conv(4, 3) -> permute([0, 2, 1])", [(3, 1, 0), (3, 1, 0)]),
        ("maxpool(2) -> upsample(2)", [(2, 1, 0), (2, 1, 0)]),
        ("upsample(2)", [(1, Fraction(1, 2), 0)] * 2),
        ("adaptive_avgpool(16)", [(4, 4, 0), (3, 3, 0)]),
        ("adaptive_avgpool(10)", [(8, Fraction(64, 10), 0), (6, Fraction(48, 10), 0)]),
        ("conv(4, 3) -> global_avgpool -> conv(4, 1)", [(64, 0, 0), (48, 0, 0)]),
        ("crop(8) -> flatten", [(8, 0, 28), (8, 0, 20)]),
        ("softmax(axis=2)", [(1, 1, 0), (48, 0, 0)]),
        ("reshape([3, 4, 16, 48])", [(64, 0, 0), (1, 1, 0)]),
        ("gate { global_avgpool -> conv(3, 1) -> sigmoid }", [(64, 0, 0), (48, 0, 0)]),
        ("concat(axis=1) { identity; conv(3, 3, padding=1) }", [(64, 0, 0), (3, 1, -1)]),
        ("bed_of_nails(2) -> slice(1, axis=1)", [(1, Fraction(1, 2), None), (1, Fraction(1, 2), 0)]),
        ("p = split(2, axis=2)\n  add(p[0], p[1])", [(1, 1, 0), (25, 1, 0)]),
    ],
)
def test_extents(body: str, expected: list[tuple[int, Fraction, int | None]]) -> None:
    """Size, stride and offset along both axes; a network of fixed size."""
    found = extents(net(body, "[3, 64, 48]"))
    assert [(e.size, e.stride, e.offset) for e in found] == expected
    assert [e.whole for e in found] == [e.size in (64, 48) for e in found]


def test_what_sees_nothing() -> None:
    """Between nails there is nothing to see; a transposed convolution with a stride beyond its kernel leaves gaps."""
    for layer in ("bed_of_nails(3)", "deconv(4, 2, stride=3)"):
        for extent in extents(net(layer)):
            assert (extent.size, extent.smallest, extent.stride) == (1, 0, Fraction(1, 3))


def test_the_size_of_the_input_counts_where_all_of_it_is_seen() -> None:
    body = "a = conv(4, 3, padding=1)\n  global_avgpool"
    assert [e.size for e in extents(net(body), H=10, W=20)] == [10, 20]
    assert [e.size for e in extents(net(body), "a", H=1, W=1)] == [3, 3]


def test_a_block_sees_what_its_caller_gives_it() -> None:
    """One scope, called twice and in another block: its fields differ with where it stands."""
    text = "block c { conv(3, 3, padding=1) }\nblock two { c -> c }\n" + net("a = c\n  b = two\n  d = c")
    assert [extents(text, label)[0].size for label in ("a", "b", "d")] == [3, 7, 9]
    network = made(text)
    receptive = Receptive(network)
    (two,) = (item for item in walk(network.scope.items) if isinstance(item, Call) and item.module.name == "b")
    inside = receptive.inside(receptive.seen, two)
    calls = [item for item in walk(two.scope.items) if isinstance(item, Call)]
    sizes = [receptive.extents(inside, call.outputs[0]) for call in calls]
    assert [found and found[0].size for found in sizes] == [5, 7]


def test_what_only_lends_its_size_is_not_seen() -> None:
    text = net("a = conv(3, 9, padding=4)\n  x -> crop(60x44) -> upsample(to=a)")
    assert [e.size for e in extents(text)] == [1, 1]


def test_another_input() -> None:
    """With respect to one of several inputs; None for what does not depend on it."""
    network = made(net("input y: [3, H, W]\n  a = y -> conv(3, 5, padding=2)\n  add(x, a)"))
    assert [_size(Receptive(network, source=i), network, None) for i in (0, 1)] == [1, 5]
    assert [_size(Receptive(network, source=i), network, "a") for i in (0, 1)] == [None, 5]


def _size(receptive: Receptive, network: Network, label: str | None) -> int | None:
    value = network.scope.results[0].value if label is None else network.scope.labels[label]
    assert isinstance(value, Value)
    found = receptive.extents(receptive.seen, value)
    return None if found is None else found[0].size
