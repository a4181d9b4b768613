"""One program: what is emitted for it, held against the interpretation of its graph.

Raises `Refused` where the checker does not take the program. Any other exception is a fault.
"""

from __future__ import annotations

import inspect
import linecache
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from whole.forms import IDS
from whole.generator import MAIN
from whole.interpreter import buffers, interpret, parameters
from whole.layers import without_chance
from whole.placement import listed, transfers
from whole.starts import starts

import archdsl
from archdsl.compiler import Compilation, accepted
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.integers import integers
from archdsl.sizes import evaluate

TOO_MUCH = 1_000_000  # multiply-accumulates and parameters


class Refused(Exception):
    """The checker does not take the program, or it is too large to run."""


class Fault(AssertionError):
    """The emitted code is not what was checked."""


def examine(files: Mapping[str, str], folder: Path, number: int, every: bool = False) -> Counter[str]:
    """As `same_program`, of a program that is compiled here."""
    with live(files, folder, number) as (spec, module):
        return same_program(spec, module, number, every)


def same_program(spec: Compilation, module: nn.Module, number: int, every: bool = False) -> Counter[str]:
    """What was compared, counted, of a fresh module. Sizes are drawn by `number`, and some of what takes long is left
    out; with `every`, nothing is."""
    network = spec.network()
    random = Random(number)
    counts: Counter[str] = Counter(programs=1)
    same_tables(network, module)
    counts["starting weights"] += same_starts(network, module)
    if hasattr(module, "devices") and (every or random.random() < 0.3):
        counts["placements"] += _same_transfers(network, type(module))
    with without_chance():
        counts["runs"] += _same_runs(network, module, random)
    return counts


@contextmanager
def live(files: Mapping[str, str], folder: Path, number: int) -> Iterator[tuple[Compilation, nn.Module]]:
    """The program compiled, and a module of it, which is forgotten afterwards: 20,000 are too many to keep.

    `number` is the seed of its starting weights.
    """
    for name, text in files.items():
        (folder / name).write_text(text)
    spec = Compilation.from_path(folder / MAIN)
    if not spec.ok:
        raise Refused(str(spec.diagnostics[0].message))
    if large(spec.network()):
        raise Refused("too large")
    torch.manual_seed(number)
    module = archdsl.load(spec)
    name = type(module).__module__
    try:
        yield spec, module
    finally:
        source = sys.modules.pop(name, None)
        linecache.cache.pop(getattr(source, "__file__", None) or "", None)


def large(network: Network) -> bool:
    cost = Cost(network, training=True)
    return cost.macs + cost.params > TOO_MUCH


# --- names, shapes, order ---------------------------------------------------------------------------------------------


def same_tables(network: Network, module: nn.Module, prefix: str = "") -> None:
    for what, ours, wanted in (
        ("parameters", module.named_parameters(), parameters(network.scope)),
        ("buffers", module.named_buffers(), buffers(network.scope)),
    ):
        got = [(prefix + key, tuple(value.shape)) for key, value in ours]
        want = list(wanted)
        if got != want:
            here = next((pair for pair in zip(got, want, strict=False) if pair[0] != pair[1]), (got[-1:], want[-1:]))
            raise Fault(f"{len(got)} {what}, {len(want)} in the graph; the first that differ: {here[0]} is {here[1]}")


def same_starts(network: Network, module: nn.Module) -> int:
    wanted = starts(network.scope)
    constants = set(wanted.values()) - {0.0, 1.0}
    for name, value in module.named_parameters():
        constant = wanted.get(name)
        if constant is None:
            found = float(value.detach().flatten()[0])
            own = isinstance(module.get_submodule(name.rpartition(".")[0]), nn.PReLU)  # starts at a number of its own
            if name not in wanted and bool((value == found).all()) and found in constants and not own:
                raise Fault(f"{name} starts at {found}, which no `init` says")
        elif not bool((value == torch.tensor(constant, dtype=value.dtype)).all()):
            raise Fault(f"{name} starts at {value.detach().flatten()[:3].tolist()}, not at {constant}")
    return len(wanted)


def _same_transfers(network: Network, cls: type[nn.Module]) -> int:
    """1 if what moves is what the placement lists, 0 if a layer takes no such sizes in training."""
    try:
        got, wanted = transfers(cls, network), listed(network)
    except ValueError as error:
        if str(error).startswith(REFUSALS):
            return 0
        raise
    if got != wanted:
        raise Fault(f"moves {dict(got - wanted)} that are not listed, and not {dict(wanted - got)}")
    return 1


# --- values -----------------------------------------------------------------------------------------------------------


def sizes_of(network: Network, random: Random) -> list[dict[str, int]]:
    """The typical sizes and others, if others are accepted."""
    found = [dict(network.sizes)]
    domain = accepted(network)
    for _ in range(12):
        other = {symbol: random.randint(1, 16) for symbol in network.symbols}
        if other not in found and domain.contains(other):
            return [*found, other]
    return found


def _inputs(network: Network, sizes: Mapping[str, int]) -> list[Tensor]:
    ids = integers(network.scope)
    inputs = []
    for value in network.scope.inputs:
        shape = (2, *(int(evaluate(dim, sizes)) for dim in value.shape))
        made = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        inputs.append(torch.randint(0, IDS, shape) if value in ids else made)
    return inputs


def _shaken(module: nn.Module) -> None:
    """Other numbers in all parameters and buffers: none is zero, and no two are alike."""
    module.double()
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(torch.randn(value.shape) * 0.5 + 0.1)
        for name, value in module.named_buffers():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape) + 0.5 if name.endswith("var") else torch.randn(value.shape))


def _outputs(result: Any) -> dict[str | None, Tensor | None]:
    return result._asdict() if hasattr(result, "_asdict") else {None: result}


def _same_runs(network: Network, module: nn.Module, random: Random) -> int:
    """How many runs agree: in both modes and at two sizes, one run of each mode with gradients."""
    count = 0
    other_sizes = not any(need.training for need in network.needs)  # `accepted` speaks of evaluation
    for i, sizes in enumerate(sizes_of(network, random)):
        for training in (False, True) if other_sizes or not i else (False,):
            same_run(network, module, sizes, training, training != bool(i))
            count += 1
    return count


def same_run(
    network: Network,
    module: nn.Module,
    sizes: Mapping[str, int],
    training: bool,
    random: Random,
    gradients: bool = True,
) -> None:
    """Raises Fault unless outputs, buffers and gradients agree, for some numbers at least: ties may go either way."""
    for attempt in range(3):
        try:
            return run_once(network, module, sizes, training, gradients)
        except Apart as error:
            if attempt == 2:
                raise Fault(f"at {dict(sizes)} in {'training' if training else 'evaluation'}: {error}") from None
    return None


REFUSALS = (
    "Expected more than 1 spatial element when training",
    "Expected more than 1 value per channel when training",
)


COPY = re.compile(r"_gpu\d+_*$")  # how the argument for a further device is called


class Apart(Exception):
    """Two numbers that should be the same."""


def run_once(
    network: Network, module: nn.Module, sizes: Mapping[str, int], training: bool, gradients: bool, prefix: str = ""
) -> None:
    """Raises Apart where numbers differ, though they hardly change if the weights do: what rounding makes of constants
    that are normalised says nothing."""
    _shaken(module)
    inputs = _inputs(network, sizes)
    before = [each.detach().clone() for each in inputs]
    state = {prefix + key: value.detach().clone() for key, value in _own(module).items()}
    learned = [prefix + name for name, value in module.named_parameters() if value.requires_grad]
    expected, left = _interpreted(network, inputs, state, learned, training)
    got = _outputs(module.train(training)(*(_given(module, inputs) if prefix else inputs)))
    if prefix:  # a block also returns what the network asks for of its inside
        got = dict(zip(got, list(got.values())[: len(expected)], strict=False))
    else:
        _same_names(list(got), list(expected))
    for (name, wanted), ours in zip(expected.items(), got.values(), strict=True):
        if (ours is None) != (wanted is None):
            raise Fault(f"output {name} is {'None' if ours is None else 'there'} where it should not be")
    for value, old in zip(inputs, before, strict=True):
        if not torch.equal(value.detach(), old):
            raise Fault("an input is overwritten")
    buffers = [prefix + name for name, _ in module.named_buffers()]

    def numbers(outputs: Outputs, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs, the buffers as they are left, and the gradients if asked for, by what they are."""
        found = {f"output {name}": value for name, value in outputs.items() if value is not None}
        found |= {f"buffer {name}": own[name] for name in buffers}
        if gradients:
            leaves = {name: own[name] for name in learned}
            leaves |= {f"input {i}": each for i, each in enumerate(inputs) if each.requires_grad}
            made = _gradients([each for each in outputs.values() if each is not None], list(leaves.values()))
            found |= {f"gradient of {name}": each for name, each in zip(leaves, made, strict=True)}
        return found

    wanted = numbers(expected, left)
    try:
        _all_close(numbers(got, {prefix + key: value for key, value in _own(module).items()}), wanted)
    except Apart:
        nudged = {key: value * (1 + 1e-12) if value.is_floating_point() else value for key, value in state.items()}
        try:
            _all_close(numbers(*_interpreted(network, inputs, nudged, learned, training)), wanted)
        except Apart:
            return
        raise


Outputs = Mapping[str | None, Tensor | None]


def _own(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _interpreted(
    network: Network, inputs: Sequence[Tensor], state: Mapping[str, Tensor], learned: Collection[str], training: bool
) -> tuple[Outputs, dict[str, Tensor]]:
    """Outputs, and the state with the buffers as they are left; gradients may be asked for. Raises Refused."""
    own = {key: value.detach().clone().requires_grad_(key in learned) for key, value in state.items()}
    try:
        return interpret(network, inputs, own, training)
    except RuntimeError as error:
        if training and any(need.training for need in network.needs):  # sizes are accepted for evaluation
            raise Refused(str(error)) from None
        raise
    except ValueError as error:
        if str(error).startswith(REFUSALS):
            raise Refused(str(error)) from None
        raise


def _given(module: nn.Module, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Of a network that applies one block, the inputs in the block's order: what flows in is the last.

    A block that reads an input on several devices is given it so often, one after another.
    """
    given = [inputs[-1], *inputs[:-1]]
    takes = list(inspect.signature(module.forward).parameters)
    if len(takes) <= len(given):
        return given
    rest = iter(given)
    found: list[Tensor] = []
    for name in takes:
        found.append(found[-1] if found and COPY.search(name) else next(rest))
    return found


def _same_names(got: Sequence[str | None], wanted: Sequence[str | None]) -> None:
    """An underscore may follow where a name has another meaning in Python."""
    same = len(got) == len(wanted) and all(a == b or a == f"{b}_" for a, b in zip(got, wanted, strict=True))
    if not same:
        raise Fault(f"the outputs are {got}, not {wanted}")


def _gradients(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    weights = [torch.linspace(-1, 1.7, out.numel(), dtype=out.dtype).reshape(out.shape) for out in outputs]
    total = sum((out * weight).sum() for out, weight in zip(outputs, weights, strict=True))
    if not isinstance(total, Tensor) or not total.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(total, list(leaves), allow_unused=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]


def _all_close(ours: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raises Apart where two numbers differ; gradients are compared with the largest of them."""
    slopes = [float(each.abs().max()) for name, each in wanted.items() if name.startswith("gradient") and each.numel()]
    scale = max([1.0, *slopes])
    for (name, mine), its in zip(ours.items(), wanted.values(), strict=True):
        by = scale if name.startswith("gradient") else 1
        _close(name, mine / by, its / by)


def _close(what: str, ours: Tensor, wanted: Tensor) -> None:
    if ours.shape != wanted.shape:
        raise Fault(f"{what} is {tuple(ours.shape)}, not {tuple(wanted.shape)}")
    if not ours.numel():
        return
    scale = 1.0 + float(wanted.double().abs().nan_to_num().max())  # normalisation over few numbers magnifies roundings
    if not torch.allclose(ours.double(), wanted.double(), rtol=1e-5, atol=1e-6 * scale, equal_nan=True):
        raise Apart(f"{what} is off by {float((ours - wanted).abs().max()):.3g}")
