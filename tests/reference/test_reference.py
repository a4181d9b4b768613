"""What the reference says of a layer, held against torch and against the layer itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archdsl.compiler import Compilation, accepted
from archdsl.graph.model import Apply
from archdsl.layers import registry
from archdsl.layers.base import Ints, Shape
from archdsl.reference import Entry, Tried, blocks_called, entry, shapes
from archdsl.reference.tried import AXES, RANKS, at_rank, made
from archdsl.sizes import evaluate


@cache
def told(name: str) -> Entry:
    found = entry(name)
    assert found is not None
    return found


NAMES = registry.names()
EXAMPLES = [(name, i) for name in NAMES for i in range(len(told(name).layer.examples))]


@pytest.fixture(params=EXAMPLES, ids=[f"{name}-{i}" for name, i in EXAMPLES])
def tried(request: pytest.FixtureRequest) -> Tried:
    name, i = request.param
    assert len(told(name).examples) == len(told(name).layer.examples), "an example is refused"
    return told(name).examples[i]


def sizes_of(tried: Tried) -> dict[str, int]:
    """The sizes of the example, by the symbols that stand for them."""
    pairs = zip(tried.inputs, shapes(tried.example.input), strict=True)
    dims = (pair for shape, stated in pairs for pair in zip(shape, stated, strict=True))
    return {str(dim): size for dim, size in dims if not isinstance(dim, int)}


def at(shape: Shape, sizes: dict[str, int]) -> Ints:
    return tuple(evaluate(dim, sizes) for dim in shape)


def test_shapes_in_symbols_are_those_of_the_example_at_its_sizes(tried: Tried) -> None:
    sizes = sizes_of(tried)
    assert tuple(at(shape, sizes) for shape in tried.inputs) == shapes(tried.example.input)
    assert tuple(at(shape, sizes) for shape in tried.outputs) == shapes(tried.example.output)
    spec = Compilation.from_text(tried.spec)
    assert spec.diagnostics == []
    assert accepted(spec.network()).contains(sizes)
    assert tried.accepts == (str(accepted(spec.network())) if sizes else "")


def test_its_spec_compiles_and_runs_at_other_sizes(tried: Tried) -> None:
    """What is said to be any size is: torch takes the smallest that is accepted, and one that is larger."""
    spec = Compilation.from_text(tried.spec)
    text, domain = spec.compile(), accepted(spec.network())
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(text, "emitted.py", "exec"), names)
    smallest = domain.smallest() or {}
    larger = {symbol: size + 12 for symbol, size in sizes_of(tried).items()}
    for sizes in [smallest, larger] if domain.contains(larger) else [smallest]:
        out = names["Example"]().eval()(*(tensor(at(shape, sizes), tried) for shape in tried.inputs))
        outs = out if isinstance(out, tuple) else (out,)
        assert tuple(tuple(each.shape[1:]) for each in outs) == tuple(at(shape, sizes) for shape in tried.outputs)


def tensor(shape: Ints, tried: Tried) -> Tensor:
    below = tried.example.below
    return torch.rand(2, *shape) if below is None else torch.randint(below, (2, *shape))


def test_the_pytorch_code_is_pytorch(tried: Tried) -> None:
    """The text that is shown, run: it has the weights that are stated, and gives the shapes."""
    call = made(tried.item)[0]
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "Tensor": Tensor}
    exec("from collections.abc import Sequence\n" + call.support, names)
    inputs = [tensor(shape, tried) for shape in shapes(tried.example.input)]
    found = eval(tried.pytorch, {**names, **dict(zip(("x", "other"), inputs, strict=False))})
    if isinstance(found, nn.Module):
        assert {name: tuple(p.shape) for name, p in found.named_parameters()} == dict(tried.weights)
        assert {name: tuple(b.shape) for name, b in found.named_buffers()} == dict(tried.buffers)
    else:
        outs = found if isinstance(found, (tuple, list)) else (found,)
        assert tuple(tuple(each.shape[1:]) for each in outs) == shapes(tried.example.output)
        assert not tried.weights and not tried.buffers


def test_formulas_of_weights(tried: Tried) -> None:
    """Each, with the example's arguments and sizes for its names, is the shape that torch's weight has."""
    letters = [axes[len(shape)] for axes, shape in zip(AXES, shapes(tried.example.input), strict=False)]
    dims = zip(letters, shapes(tried.example.input), strict=True)
    names: dict[str, Any] = {name: size for pair in dims for name, size in zip(*pair, strict=True)}
    names |= {field.name: getattr(tried.item.layer, field.name) for field in tried.item.layer.fields}
    stated = {**tried.weights, **tried.buffers}
    assert set(tried.formulas) == set(stated)
    for name, formula in tried.formulas.items():
        found = [eval(dim, names) for dim in formula]
        spatial = [value for value in found if isinstance(value, tuple)]  # an argument for each axis: 1x7
        assert tuple(each for each in found if isinstance(each, int)) + (spatial[0] if spatial else ()) == stated[name]


def test_formulas_are_in_arguments_and_dims() -> None:
    said = {name: told(name).examples[0].formulas for name in ("conv", "deconv", "linear", "batchnorm")}
    assert said["conv"] == {"weight": ("channels", "C // groups", "kernel", "kernel"), "bias": ("channels",)}
    assert said["deconv"]["weight"] == ("C", "channels // groups", "kernel", "kernel")
    assert said["linear"]["weight"] == ("features", "F")
    assert said["batchnorm"]["running_mean"] == ("C",)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_becomes_is_in_pytorch_or_in_the_file(name: str) -> None:
    roots: dict[str, Any] = {"nn": nn, "F": F, "torch": torch, "Tensor": Tensor}
    for each in told(name).becomes:
        root, _, last = each.name.rpartition(".")
        assert each.helper == (not root)
        assert each.helper or hasattr(roots[root], last)


@pytest.mark.parametrize("name", NAMES)
def test_ranks(name: str) -> None:
    """Each number of dims is one that some example is accepted with, those of the examples among them."""
    found = told(name)
    assert {len(shapes(each.input)[0]) for each in found.layer.examples} <= set(found.ranks) <= set(RANKS)
    for rank in set(RANKS) - set(found.ranks):
        assert [at_rank(each, rank) for each in found.layer.examples] == [None] * len(found.layer.examples)


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_cited_as_one(name: str) -> None:
    """It starts with a name and has a year; the doc has none of it, and nothing of the doc is lost."""
    found = told(name)
    whole = " ".join((found.layer.__doc__ or "").split())
    assert bool(found.source) == bool(re.search(r"\b(19|20)\d\d\b", whole))
    assert found.source is None or re.match(r"[A-Z]\w+( et al\.| and [A-Z]\w+)?, ", found.source)
    assert sorted(" ".join([*found.doc, found.source or ""]).split()) == sorted(whole.split())
    assert found.doc


def test_a_value_with_many_sizes_has_a_symbol_and_no_other() -> None:
    pooled, unshuffled, normed = (told(name).examples[0] for name in ("maxpool", "pixel_unshuffle", "batchnorm"))
    assert [str(dim) for dim in pooled.inputs[0]] == ["C", "H", "W"]
    assert [str(dim) for dim in pooled.outputs[0]] == ["C", "H//2", "W//2"]
    assert pooled.accepts == "any C, any H, W >= 2"
    assert unshuffled.accepts == "any C, H and W even"
    assert [str(dim) for dim in normed.inputs[0]] == ["4", "H", "W"]
    assert told("reshape").examples[0].accepts == ""


def test_the_item_is_the_layer_itself() -> None:
    """Not the pooling that an example needs before it."""
    assert all(
        isinstance(each.item, Apply) and each.item.layer.name == name for name in NAMES for each in told(name).examples
    )


def test_blocks_that_come_with_archdsl() -> None:
    (found,) = blocks_called("bottleneck")
    assert (found.kind, found.signature) == ("block", "bottleneck(width, stride=1, dilation=1)")
    network = f"network N {{ input x: [64, H, W]; {found.name}(16) }}\n"
    assert Compilation.from_text(f"{found.imported}\n{network}").diagnostics == []
    assert [each.spec for each in blocks_called("inception")] == ["googlenet", "googlenet_2014"]
    assert blocks_called("bottle") == []
    assert blocks_called("(") == []
