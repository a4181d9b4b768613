"""Every example of every layer against torch: shapes, weights, MACs, both forms of its code, what autograd keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import stochastic_depth

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Network, walk
from archdsl.layers import registry
from archdsl.layers.base import Example, Layer
from archdsl.layers.call import Call, Operand
from archdsl.layers.sight import WHOLE, Window
from archdsl.layers.signature import REQUIRED
from archdsl.passes.cost import Cost

BATCH = 3
# What `.ci/types` leaves: torch's types are read once, not by every run.
MYPY_CACHE = Path(__file__).parents[2] / ".mypy_cache" / "whole"


def layer_class(name: str) -> type[Layer]:
    found = registry.find(name)
    assert found is not None
    return found


LAYERS = registry.names()
EXAMPLES = [(name, i) for name in LAYERS for i in range(len(layer_class(name).examples))]


@dataclass(frozen=True)
class Tried:
    """One example as a network of its own."""

    example: Example
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    network: Network
    item: Apply
    text: str

    def module(self) -> Any:
        """The compiled module, with the weights of a fixed seed."""
        torch.manual_seed(0)
        names: dict[str, Any] = {"__name__": "emitted"}
        exec(compile(self.text, "emitted.py", "exec"), names)
        return names["N"]()

    def tensors(self, requires_grad: bool = False) -> list[Tensor]:
        torch.manual_seed(1)
        if self.example.below is not None:
            return [torch.randint(self.example.below, (BATCH, *shape)) for shape in self.inputs]
        return [torch.randn(BATCH, *shape, requires_grad=requires_grad) for shape in self.inputs]


@cache
def tried(name: str, index: int) -> Tried:
    example = layer_class(name).examples[index]
    inputs, outputs = _shapes(example.input), _shapes(example.output)
    lines = [f"input {label}: {list(shape)}" for label, shape in zip(("x", "other"), inputs, strict=False)]
    labels = [f"out{i}" for i in range(len(outputs))]
    lines += [example.before] if example.before else []
    lines.append(f"{', '.join(labels)} = x -> {example.call}")
    lines += [f"output {label}" for label in labels] if len(labels) > 1 else []
    compilation = Compilation.from_text("network N {\n" + "".join(f"  {line}\n" for line in lines) + "}\n")
    assert compilation.diagnostics == []
    network = compilation.network("N")
    *_, item = walk(network.scope.items)
    assert isinstance(item, Apply)
    return Tried(example, inputs, outputs, network, item, compilation.compile("N"))


def _shapes(shapes: Any) -> tuple[tuple[int, ...], ...]:
    return shapes if shapes and isinstance(shapes[0], tuple) else (shapes,)


def _tuple(out: Any) -> tuple[Tensor, ...]:
    return tuple(out) if isinstance(out, (tuple, list)) else (out,)


@pytest.fixture(params=EXAMPLES, ids=[f"{name}-{i}" for name, i in EXAMPLES])
def case(request: pytest.FixtureRequest) -> Tried:
    return tried(*request.param)


def test_shapes(case: Tried) -> None:
    """The example's output is what the checker says and what torch makes."""
    assert tuple(r.value.shape for r in case.network.scope.results) == case.outputs
    for training in (False, True):
        out = _tuple(case.module().train(training)(*case.tensors()))
        assert tuple(tuple(tensor.shape[1:]) for tensor in out) == case.outputs


def test_weights(case: Tried) -> None:
    """Parameters and buffers: names, shapes and which is which."""
    module = case.module()
    names = {key.rpartition(".")[2]: tuple(p.shape) for key, p in module.named_parameters()}
    assert names == dict(case.item.module.weights)
    buffers = {key.rpartition(".")[2]: tuple(b.shape) for key, b in module.named_buffers()}
    assert buffers == dict(case.item.module.buffers)
    cost = Cost(case.network)
    assert cost.params == sum(p.numel() for p in module.parameters())
    assert cost.buffers == sum(b.numel() for b in module.buffers())


def test_macs(case: Tried) -> None:
    """One weight times one input value each, counted from what torch's module holds and takes."""
    counted = 0

    def count(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal counted
        if isinstance(module, nn.modules.conv._ConvTransposeNd):
            counted += given[0].numel() * module.weight[0].numel()
        elif isinstance(module, (nn.modules.conv._ConvNd, nn.Linear, nn.Bilinear)):
            counted += out.numel() * module.weight[0].numel()

    module = case.module()
    for each in module.modules():
        each.register_forward_hook(count)
    module(*case.tensors())
    assert BATCH * Cost(case.network).macs == counted


def test_both_forms_agree(case: Tried) -> None:
    """Where a layer is a module and a function, they are the same; one of the two there is."""
    shapes = [value.shape for value in case.item.inputs]
    module, function = case.item.layer.module(*shapes), case.item.layer.function(*shapes)
    assert module is not None or function is not None
    if module is None or function is None:
        return
    assert not case.item.module.weights and not case.item.module.buffers
    inputs = case.tensors()
    expected = evaluate(module, [])(*inputs)
    assert torch.equal(evaluate(function, inputs), expected)


def evaluate(call: Call, inputs: list[Tensor]) -> Any:
    """What a call of a layer gives, as the emitted code would."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "Tensor": Tensor}
    exec("from collections.abc import Sequence\n" + call.support, names)

    def value(arg: Any) -> Any:
        if not isinstance(arg, Operand):
            return arg
        return eval(f"x.{arg.attribute}", {"x": inputs[arg.index]}) if arg.attribute else inputs[arg.index]

    args = [value(arg) for arg in call.args]
    kwargs = {key: value(arg) for key, arg in call.kwargs.items()}
    if call.func.startswith("."):
        return getattr(args[0], call.func[1:])(*args[1:], **kwargs)
    return eval(call.func, names)(*args, **kwargs)


def test_what_a_position_sees(case: Tried) -> None:
    """Along each axis, an output's position changes with exactly those of the input that `sees` names."""
    layer = case.item.layer
    borders = {"reflect", "replicate", "circular"} & {getattr(layer, "padding_mode", ""), getattr(layer, "mode", "")}
    module, cost = case.module().eval().double(), Cost(case.network)
    for index, output in enumerate(case.outputs):
        sight = layer.sees(tuple(map(cost.shape, (v.shape for v in case.item.inputs))), case.outputs, index)
        # Where something comes before the layer, only its first input is one of the network's.
        for i, shape in enumerate(case.inputs[: 1 if case.example.before else None]):
            looks = sight[i] if i < len(sight) else None
            for axis, size in enumerate(shape):
                touched = [_touched(case, module, index, i, axis, position) for position in range(size)]
                if looks is None:
                    assert not any(changed.any() for changed in touched)
                    continue
                look = looks[axis]
                for position in range(1 if look is WHOLE else output[look.axis]):
                    at = slice(None) if look is WHOLE else position
                    along = 0 if look is WHOLE else look.axis
                    found = {j for j, changed in enumerate(touched) if changed.movedim(along, 0)[at].any()}
                    expected = set(range(size)) if look is WHOLE else _taps(look, position) & set(range(size))
                    # What a border is made of is seen besides.
                    assert found == expected or (borders and found > expected), (index, i, axis, position)


def _taps(look: Window, position: int) -> set[int]:
    turns, phase = divmod(position, len(look.taps))
    return {tap + turns * look.rise for tap in look.taps[phase]}


def _touched(case: Tried, module: Any, index: int, i: int, axis: int, position: int) -> Tensor:
    """Which elements of an output change with a slice of an input, in any of several tries."""
    changed = torch.zeros(case.outputs[index], dtype=torch.bool)
    for seed, scale in enumerate((1.0, 1.0, 100.0, 100.0)):
        torch.manual_seed(seed)
        below = case.example.below
        draw = torch.rand if below is None else partial(torch.randint, below)
        one = [draw((BATCH, *shape)) if below else draw(BATCH, *shape).double() for shape in case.inputs]
        other = [tensor.clone() for tensor in one]
        part = other[i].narrow(axis + 1, position, 1)
        part.copy_(draw(part.shape) if below else scale * draw(part.shape).double() + (scale > 1))
        pairs = zip(_tuple(module(*one)), _tuple(module(*other)), strict=True)
        before, after = list(pairs)[index]
        changed |= (before != after).any(0)
    return changed


def test_gradients_reach_the_input(case: Tried) -> None:
    if case.example.below is not None:  # integers have none
        return
    inputs = case.tensors(requires_grad=True)
    out = _tuple(case.module().train()(*inputs))
    sum((tensor * torch.rand_like(tensor)).sum() for tensor in out).backward()
    assert inputs[0].grad is not None
    assert all(tensor.grad is None or tensor.grad.isfinite().all() for tensor in inputs)  # of some only the size counts


def test_what_is_said_to_be_a_view_is_one(case: Tried) -> None:
    """A layer is a view, or an alias in evaluation, exactly if its output is in its input's memory."""
    inputs = case.tensors()
    outputs = _tuple(case.module().eval()(*inputs))
    shared = all(out.untyped_storage().data_ptr() == inputs[0].untyped_storage().data_ptr() for out in outputs)
    assert shared == (case.item.layer.view or case.item.layer.alias)


@pytest.mark.parametrize("way", ["as it comes", "learned", "learned and permuted"])
@pytest.mark.parametrize(("name", "index"), EXAMPLES)
def test_what_autograd_keeps(name: str, index: int, way: str, left_behind: Callable[..., int]) -> None:
    """To the byte, of the input of a network, of what has a gradient, and of what lies in memory in another order."""
    example = layer_class(name).examples[index]
    inputs = _shapes(example.input)
    learned = "" if way == "as it comes" or example.below is not None else " -> prelu"
    lines: list[str] = []
    for label, shape in zip(("x", "other"), inputs, strict=False):
        turned = way == "learned and permuted" and len(shape) > 1
        permuted = f" -> permute({list(range(len(shape)))[::-1]})" if turned else ""
        lines.insert(0, f"input {label}0: {list(shape[::-1] if turned else shape)}")
        lines.append(f"{label} = {label}0{learned}{permuted}")
    labels = [f"out{i}" for i in range(len(_shapes(example.output)))]
    lines += [example.before] if example.before else []
    lines += [f"{', '.join(labels)} = x -> {example.call}"] + [f"output {label}" for label in labels]
    compilation = Compilation.from_text("network N {\n" + "".join(f"  {line}\n" for line in lines) + "}\n")
    cost = Cost(compilation.network("N"), training=True)
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(compilation.compile("N"), "emitted.py", "exec"), names)
    draw = torch.randn if example.below is None else partial(torch.randint, example.below)
    shapes = [(BATCH, *cost.shape(value.shape)) for value in cost.network.scope.inputs]
    tensors = [draw(*shape) if example.below is None else draw(shape) for shape in shapes]
    assert cost.training_memory(BATCH) == left_behind(names["N"](), *tensors)


@pytest.mark.parametrize("name", LAYERS)
def test_every_argument_says_what_it_is(name: str) -> None:
    """The reference has it beside the argument."""
    assert [field.name for field in layer_class(name).fields if not field.doc] == []


@pytest.mark.parametrize("name", LAYERS)
def test_every_argument_has_an_example(name: str) -> None:
    """Some example gives each argument another value than its default."""
    layer = layer_class(name)
    instances = [tried(name, i).item.layer for i in range(len(layer.examples))]
    for field in layer.fields:
        values = [getattr(instance, field.name) for instance in instances]
        assert field.default is REQUIRED or any(value != field.default for value in values), field.name


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_says_what_it_is(name: str) -> None:
    """A doc in one sentence or more, a family that is its folder, and its file's name."""
    layer = layer_class(name)
    assert layer.__doc__
    assert layer.__doc__.strip().endswith(".")
    if registry.is_shipped(name):
        assert layer.__module__ == f"archdsl.layers.{layer.family}.{layer.name}"
    assert not layer.name.startswith("_") and layer.name == name


def test_drop_path_is_torchvisions() -> None:
    """From one seed, `drop_path` keeps the items that StochasticDepth by rows keeps."""
    x = torch.randn(64, 8, 4, 4)
    module = tried("drop_path", 0).module().train()
    torch.manual_seed(2)
    found = module(x)
    torch.manual_seed(2)
    torch.testing.assert_close(found, stochastic_depth(x, 0.2, "row"))


def test_the_code_is_clean(tmp_path: Path) -> None:
    """Ruff and mypy find nothing in what an example is compiled to, with the helpers that a layer brings along."""
    for name, i in EXAMPLES:
        (tmp_path / f"{name}_{i}_emitted.py").write_text(tried(name, i).text, encoding="utf-8")
    for command in (
        ["ruff", "format", "--isolated", "--check", "--quiet"],
        ["ruff", "check", "--isolated", "--quiet"],
        ["mypy", "--strict", "--config-file=", f"--cache-dir={MYPY_CACHE}"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, "."], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
